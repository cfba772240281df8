//! What Ansible calls its settings, as `ansible-config` and the lookup `config` have them.

/// Settings whose name is not that of the field in capitals; in the order of the fields.
static NAMES: &[(&str, &str)] = &[
    ("ansible_managed", "DEFAULT_MANAGED_STR"),
    ("ask_pass", "DEFAULT_ASK_PASS"),
    ("ask_vault_pass", "DEFAULT_ASK_VAULT_PASS"),
    ("become", "DEFAULT_BECOME"),
    ("become_ask_pass", "DEFAULT_BECOME_ASK_PASS"),
    ("become_exe", "DEFAULT_BECOME_EXE"),
    ("become_flags", "DEFAULT_BECOME_FLAGS"),
    ("become_method", "DEFAULT_BECOME_METHOD"),
    ("become_user", "DEFAULT_BECOME_USER"),
    ("collections_path", "COLLECTIONS_PATHS"),
    ("duplicate_dict_key", "DUPLICATE_YAML_DICT_KEY"),
    ("error_on_undefined_vars", "DEFAULT_UNDEFINED_VAR_BEHAVIOR"),
    ("executable", "DEFAULT_EXECUTABLE"),
    ("fact_caching", "CACHE_PLUGIN"),
    ("fact_caching_connection", "CACHE_PLUGIN_CONNECTION"),
    ("fact_caching_prefix", "CACHE_PLUGIN_PREFIX"),
    ("fact_caching_timeout", "CACHE_PLUGIN_TIMEOUT"),
    ("force_color", "ANSIBLE_FORCE_COLOR"),
    ("force_handlers", "DEFAULT_FORCE_HANDLERS"),
    ("force_valid_group_names", "TRANSFORM_INVALID_GROUP_CHARS"),
    ("forks", "DEFAULT_FORKS"),
    ("gathering", "DEFAULT_GATHERING"),
    ("hash_behaviour", "DEFAULT_HASH_BEHAVIOUR"),
    ("home", "ANSIBLE_HOME"),
    ("inventory", "DEFAULT_HOST_LIST"),
    ("inventory_ignore_extensions", "INVENTORY_IGNORE_EXTS"),
    ("inventory_plugins", "INVENTORY_ENABLED"),
    ("inventory_unparsed_failed", "INVENTORY_UNPARSED_IS_FAILED"),
    ("jinja2_extensions", "DEFAULT_JINJA2_EXTENSIONS"),
    ("local_tmp", "DEFAULT_LOCAL_TMP"),
    ("log_filter", "DEFAULT_LOG_FILTER"),
    ("log_path", "DEFAULT_LOG_PATH"),
    ("max_diff_size", "MAX_FILE_SIZE_FOR_DIFF"),
    ("module_args", "DEFAULT_MODULE_ARGS"),
    ("module_name", "DEFAULT_MODULE_NAME"),
    ("no_log", "DEFAULT_NO_LOG"),
    ("nocolor", "ANSIBLE_NOCOLOR"),
    ("poll_interval", "DEFAULT_POLL_INTERVAL"),
    ("private_key_file", "DEFAULT_PRIVATE_KEY_FILE"),
    ("private_role_vars", "DEFAULT_PRIVATE_ROLE_VARS"),
    ("remote_port", "DEFAULT_REMOTE_PORT"),
    ("remote_user", "DEFAULT_REMOTE_USER"),
    ("roles_path", "DEFAULT_ROLES_PATH"),
    ("run_tags", "TAGS_RUN"),
    ("skip_tags", "TAGS_SKIP"),
    ("stdout_callback", "DEFAULT_STDOUT_CALLBACK"),
    ("strategy", "DEFAULT_STRATEGY"),
    ("timeout", "DEFAULT_TIMEOUT"),
    ("transport", "DEFAULT_TRANSPORT"),
    ("vault_encrypt_identity", "DEFAULT_VAULT_ENCRYPT_IDENTITY"),
    ("vault_id_match", "DEFAULT_VAULT_ID_MATCH"),
    ("vault_identity", "DEFAULT_VAULT_IDENTITY"),
    ("vault_identity_list", "DEFAULT_VAULT_IDENTITY_LIST"),
    ("vault_password_file", "DEFAULT_VAULT_PASSWORD_FILE"),
    ("verbosity", "DEFAULT_VERBOSITY"),
    ("yaml_extensions", "YAML_FILENAME_EXTENSIONS"),
];

/// Ansible's name of the setting in the field `field`.
pub fn of(field: &str) -> String {
    let field = field.strip_prefix("r#").unwrap_or(field);
    match NAMES.binary_search_by_key(&field, |(name, _)| name) {
        Ok(at) => NAMES[at].1.to_string(),
        Err(_) => field.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn each_is_a_setting_and_they_are_in_order() {
        assert!(NAMES.is_sorted());
        for (field, _) in NAMES {
            assert!(
                SETTINGS
                    .iter()
                    .any(|s| s.name.trim_start_matches("r#") == *field),
                "{field}"
            );
        }
        assert_eq!(of("forks"), "DEFAULT_FORKS");
        assert_eq!(of("r#become"), "DEFAULT_BECOME");
        assert_eq!(of("host_key_checking"), "HOST_KEY_CHECKING");
    }
}
