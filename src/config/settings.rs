//! The table of all settings, each once: a field of [`Config`] and a row of [`SETTINGS`].

use super::kinds::*;
use super::{Inputs, Setting};
use crate::error::Result;
use crate::secret::Secret;
use crate::value::Value;
use crate::yaml::Duplicates;
use std::path::PathBuf;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $default:literal, [$($ini:literal),*], [$($env:literal),*];)*) => {
        /// What ansible.cfg and the environment say, defaults filled in.
        #[derive(Clone, Debug)]
        pub struct Config {
            /// The ansible.cfg that was read.
            pub file: Option<PathBuf>,
            $($(#[doc = $doc])+ pub $field: $kind,)*
        }

        /// All settings.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($field),
            ini: &[$($ini),*],
            env: &[$($env),*],
            kind: <$kind as Parse>::WHAT,
            default: $default,
            doc: concat!($($doc, "\n"),+),
        }),*];

        impl Config {
            pub(super) fn build<E: Fn(&str) -> Option<String>>(inputs: &Inputs<E>) -> Result<Config> {
                Ok(Config {
                    file: inputs.path(),
                    $($field: inputs.get(stringify!($field))?,)*
                })
            }

            /// The value of a setting by its name in the table.
            pub fn value_of(&self, name: &str) -> Option<Value> {
                match name {
                    $(stringify!($field) => Some(self.$field.value()),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// Where rplay keeps what it needs between runs, and looks for roles and collections.
    home: PathBuf = "~/.ansible", ["defaults.home"], ["ANSIBLE_HOME"];

    /// Tells what the engine does, step by step.
    debug: bool = "no", ["defaults.debug"], ["ANSIBLE_DEBUG"];

    /// How many hosts are worked on at once.
    forks: usize = "5", ["defaults.forks"], ["ANSIBLE_FORKS"];
    /// Inventory sources used where the command line names none.
    inventory: HostSources = "/etc/ansible/hosts", ["defaults.inventory"], ["ANSIBLE_INVENTORY"];
    /// Folders that roles are looked for in.
    roles_path: PathList = "{{ANSIBLE_HOME}}/roles:/usr/share/ansible/roles:/etc/ansible/roles", ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"];
    /// Folders that modules of the user's own are looked for in.
    library: PathList = "{{ANSIBLE_HOME}}/plugins/modules:/usr/share/ansible/plugins/modules", ["defaults.library"], ["ANSIBLE_LIBRARY"];
    /// Folders that actions of the user's own are looked for in.
    action_plugins: PathList = "{{ANSIBLE_HOME}}/plugins/action:/usr/share/ansible/plugins/action", ["defaults.action_plugins"], ["ANSIBLE_ACTION_PLUGINS"];
    /// Folders that collections are looked for in.
    collections_path: PathList = "{{ANSIBLE_HOME}}/collections:/usr/share/ansible/collections", ["defaults.collections_path", "defaults.collections_paths"], ["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"];
    /// The folder that stands for the playbook's where there is none, as for `rplay inventory`.
    playbook_dir: Option<PathBuf> = "", ["defaults.playbook_dir"], ["ANSIBLE_PLAYBOOK_DIR"];
    /// Beside which playbooks `group_vars` and `host_vars` are looked for: the first one run, the last one, or all.
    playbook_vars_root: VarsRoot = "top", ["defaults.playbook_vars_root"], ["ANSIBLE_PLAYBOOK_VARS_ROOT"];
    /// Temporary folder on the controller.
    local_tmp: PathBuf = "{{ANSIBLE_HOME}}/tmp", ["defaults.local_tmp"], ["ANSIBLE_LOCAL_TEMP"];
    /// Temporary folder on the hosts.
    remote_tmp: String = "~/.ansible/tmp", ["defaults.remote_tmp"], ["ANSIBLE_REMOTE_TEMP", "ANSIBLE_REMOTE_TMP"];
    /// Extensions of the files in `group_vars` and `host_vars`.
    yaml_extensions: Vec<String> = ".yml, .yaml, .json", ["defaults.yaml_valid_extensions"], ["ANSIBLE_YAML_FILENAME_EXT"];

    // how hosts are reached
    /// The connection used where nothing names one.
    transport: String = "ssh", ["defaults.transport"], ["ANSIBLE_TRANSPORT"];
    /// The user to log in as.
    remote_user: Option<String> = "", ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"];
    /// The port to connect to.
    remote_port: Option<u32> = "", ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"];
    /// The key file to log in with.
    private_key_file: Option<PathBuf> = "", ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"];
    /// The key to log in with, itself.
    private_key: Option<Secret> = "", [], ["ANSIBLE_PRIVATE_KEY"];
    /// The password of the key to log in with.
    private_key_passphrase: Option<Secret> = "", [], ["ANSIBLE_PRIVATE_KEY_PASSPHRASE"];
    /// A library for keys on smart cards; only the system's ssh can use it.
    pkcs11_provider: Option<String> = "", ["ssh_connection.pkcs11_provider"], ["ANSIBLE_PKCS11_PROVIDER"];
    /// Seconds to wait for a connection.
    timeout: u32 = "10", ["defaults.timeout"], ["ANSIBLE_TIMEOUT"];
    /// Whether a host's key must be known.
    host_key_checking: bool = "yes", ["defaults.host_key_checking"], ["ANSIBLE_HOST_KEY_CHECKING"];
    /// As `host_key_checking`, for SSH alone.
    ssh_host_key_checking: Option<bool> = "", ["ssh_connection.host_key_checking"], ["ANSIBLE_SSH_HOST_KEY_CHECKING"];
    /// Arguments of ssh in place of the usual ones.
    ssh_args: Option<String> = "", ["ssh_connection.ssh_args"], ["ANSIBLE_SSH_ARGS"];
    /// Further arguments of ssh and of file transfers.
    ssh_common_args: Option<String> = "", ["ssh_connection.ssh_common_args"], ["ANSIBLE_SSH_COMMON_ARGS"];
    /// Further arguments of ssh.
    ssh_extra_args: Option<String> = "", ["ssh_connection.ssh_extra_args"], ["ANSIBLE_SSH_EXTRA_ARGS"];
    /// The ssh program, where it is used.
    ssh_executable: String = "ssh", ["ssh_connection.ssh_executable"], ["ANSIBLE_SSH_EXECUTABLE"];
    /// How often a connection that failed is tried again.
    ssh_retries: u32 = "0", ["ssh_connection.retries", "connection.retries"], ["ANSIBLE_SSH_RETRIES"];
    /// Seconds to wait for an SSH connection, where it differs from `timeout`.
    ssh_timeout: Option<u32> = "", ["ssh_connection.timeout"], ["ANSIBLE_SSH_TIMEOUT"];
    /// What the host's question for a password holds, where it is not recognized.
    sshpass_prompt: Option<String> = "", ["ssh_connection.sshpass_prompt"], ["ANSIBLE_SSHPASS_PROMPT"];
    /// Whether `raw` commands get a terminal.
    ssh_use_tty: bool = "yes", ["ssh_connection.usetty"], ["ANSIBLE_SSH_USETTY"];
    /// Ask for the password to log in with.
    ask_pass: bool = "no", ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"];
    /// A file that holds the password to log in with.
    connection_password_file: Option<PathBuf> = "", ["defaults.connection_password_file"], ["ANSIBLE_CONNECTION_PASSWORD_FILE"];
    /// The shell that commands run in on hosts.
    executable: String = "/bin/sh", ["defaults.executable"], ["ANSIBLE_EXECUTABLE"];

    // becoming another user
    /// Whether tasks become another user.
    r#become: bool = "no", ["privilege_escalation.become"], ["ANSIBLE_BECOME"];
    /// How tasks become another user.
    become_method: String = "sudo", ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"];
    /// Whom tasks become.
    become_user: String = "root", ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"];
    /// The program to become another user with.
    become_exe: Option<String> = "", ["privilege_escalation.become_exe"], ["ANSIBLE_BECOME_EXE"];
    /// That program's options.
    become_flags: Option<String> = "", ["privilege_escalation.become_flags"], ["ANSIBLE_BECOME_FLAGS"];
    /// The password to become another user with.
    become_password: Option<Secret> = "", [], ["ANSIBLE_BECOME_PASS"];
    /// Whom `sudo` becomes, where it differs from `become_user`.
    sudo_user: Option<String> = "", ["sudo_become_plugin.user"], ["ANSIBLE_SUDO_USER"];
    /// The password that `sudo` asks for.
    sudo_password: Option<Secret> = "", ["sudo_become_plugin.password"], ["ANSIBLE_SUDO_PASS"];
    /// The program of `sudo`, where it differs from `become_exe`.
    sudo_exe: Option<String> = "", ["sudo_become_plugin.executable"], ["ANSIBLE_SUDO_EXE"];
    /// The options of `sudo`, where they differ from `become_flags`.
    sudo_flags: Option<String> = "", ["sudo_become_plugin.flags"], ["ANSIBLE_SUDO_FLAGS"];
    /// Whom `su` becomes, where it differs from `become_user`.
    su_user: Option<String> = "", ["su_become_plugin.user"], ["ANSIBLE_SU_USER"];
    /// The password that `su` asks for.
    su_password: Option<Secret> = "", ["su_become_plugin.password"], ["ANSIBLE_SU_PASS"];
    /// The program of `su`, where it differs from `become_exe`.
    su_exe: Option<String> = "", ["su_become_plugin.executable"], ["ANSIBLE_SU_EXE"];
    /// The options of `su`, where they differ from `become_flags`.
    su_flags: Option<String> = "", ["su_become_plugin.flags"], ["ANSIBLE_SU_FLAGS"];
    /// Whom `doas` becomes, where it differs from `become_user`.
    doas_user: Option<String> = "", ["doas_become_plugin.user"], ["ANSIBLE_DOAS_USER"];
    /// The password that `doas` asks for.
    doas_password: Option<Secret> = "", ["doas_become_plugin.password"], ["ANSIBLE_DOAS_PASS"];
    /// The program of `doas`, where it differs from `become_exe`.
    doas_exe: Option<String> = "", ["doas_become_plugin.executable"], ["ANSIBLE_DOAS_EXE"];
    /// The options of `doas`, where they differ from `become_flags`.
    doas_flags: Option<String> = "", ["doas_become_plugin.flags"], ["ANSIBLE_DOAS_FLAGS"];
    /// The folder that `sudo` is started in.
    sudo_chdir: Option<String> = "", ["sudo_become_plugin.chdir"], ["ANSIBLE_SUDO_CHDIR"];
    /// What `su` asks for a password with, where it is not recognized.
    su_prompts: Vec<String> = "", ["su_become_plugin.localized_prompts"], ["ANSIBLE_SU_PROMPT_L10N"];
    /// What `doas` asks for a password with, where it is not recognized.
    doas_prompts: Vec<String> = "", ["doas_become_plugin.localized_prompts"], ["ANSIBLE_DOAS_PROMPT_L10N"];
    /// Ask for the password to become another user with.
    become_ask_pass: bool = "no", ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"];
    /// A file that holds that password.
    become_password_file: Option<PathBuf> = "", ["defaults.become_password_file"], ["ANSIBLE_BECOME_PASSWORD_FILE"];
    /// Become even where the user is the same already.
    become_allow_same_user: bool = "no", ["privilege_escalation.become_allow_same_user"], ["ANSIBLE_BECOME_ALLOW_SAME_USER"];

    // facts and variables
    /// Whether plays that do not say gather facts.
    gathering: Gathering = "implicit", ["defaults.gathering"], ["ANSIBLE_GATHERING"];
    /// The modules that gather_facts runs; smart: the one that suits the host.
    facts_modules: Vec<String> = "smart", ["defaults.facts_modules"], ["ANSIBLE_FACTS_MODULES"];
    /// Where facts are kept between runs: memory (not at all) or jsonfile.
    fact_caching: String = "memory", ["defaults.fact_caching"], ["ANSIBLE_CACHE_PLUGIN"];
    /// The folder that facts are kept in.
    fact_caching_connection: Option<PathBuf> = "", ["defaults.fact_caching_connection"], ["ANSIBLE_CACHE_PLUGIN_CONNECTION"];
    /// Put before the names of the files that facts are kept in.
    fact_caching_prefix: String = "", ["defaults.fact_caching_prefix"], ["ANSIBLE_CACHE_PLUGIN_PREFIX"];
    /// Seconds that kept facts are good for.
    fact_caching_timeout: u32 = "86400", ["defaults.fact_caching_timeout"], ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"];
    /// Whether facts are variables of their own, with `ansible_` in front, too.
    inject_facts_as_vars: bool = "yes", ["defaults.inject_facts_as_vars"], ["ANSIBLE_INJECT_FACT_VARS"];
    /// Whether a dictionary that is defined again is replaced or merged.
    hash_behaviour: HashBehaviour = "replace", ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"];
    /// Whether a role's variables are seen only in it.
    private_role_vars: Option<bool> = "", ["defaults.private_role_vars"], ["ANSIBLE_PRIVATE_ROLE_VARS"];
    /// Whether an undefined variable is an error.
    error_on_undefined_vars: bool = "yes", ["defaults.error_on_undefined_vars"], ["ANSIBLE_ERROR_ON_UNDEFINED_VARS"];
    /// Whether conditions may yield something other than true or false.
    allow_broken_conditionals: Option<bool> = "", ["defaults.allow_broken_conditionals"], ["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"];
    /// Jinja extensions to load.
    jinja2_extensions: Vec<String> = "", ["defaults.jinja2_extensions"], ["ANSIBLE_JINJA2_EXTENSIONS"];
    /// The text of `ansible_managed`.
    ansible_managed: String = "Ansible managed", ["defaults.ansible_managed"], [];
    /// What a key that is given twice in a YAML mapping means.
    duplicate_dict_key: Duplicates = "warn", ["defaults.duplicate_dict_key"], ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"];

    // how a run goes
    /// The strategy of plays that name none.
    strategy: String = "linear", ["defaults.strategy"], ["ANSIBLE_STRATEGY"];
    /// Whether a failure on one host ends the play for all.
    any_errors_fatal: bool = "no", ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"];
    /// Whether handlers run on a host that failed.
    force_handlers: bool = "no", ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"];
    /// Whether notifying a handler that does not exist is an error.
    error_on_missing_handler: bool = "yes", ["defaults.error_on_missing_handler"], ["ANSIBLE_ERROR_ON_MISSING_HANDLER"];
    /// Whether a keyword that a task cannot have is an error.
    invalid_task_attribute_failed: bool = "yes", ["defaults.invalid_task_attribute_failed"], ["ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED"];
    /// Whether the debugger comes where a task fails or a host is unreachable.
    enable_task_debugger: bool = "no", ["defaults.enable_task_debugger"], ["ANSIBLE_ENABLE_TASK_DEBUGGER"];
    /// Whether the debugger leaves alone the failures that are ignored.
    task_debugger_ignore_errors: bool = "yes", ["defaults.task_debugger_ignore_errors"], ["ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"];
    /// Seconds that a task may take; 0 for no limit.
    task_timeout: u32 = "0", ["defaults.task_timeout"], ["ANSIBLE_TASK_TIMEOUT"];
    /// Seconds between looks at a task that runs in the background.
    poll_interval: u32 = "15", ["defaults.poll_interval"], ["ANSIBLE_POLL_INTERVAL"];
    /// Tags to run.
    run_tags: Vec<String> = "", ["tags.run"], ["ANSIBLE_RUN_TAGS"];
    /// Tags to leave out.
    skip_tags: Vec<String> = "", ["tags.skip"], ["ANSIBLE_SKIP_TAGS"];
    /// Whether text of modules and of JSON that is no valid Unicode is an error.
    module_strict_utf8_response: bool = "yes", ["defaults.module_strict_utf8_response"], ["ANSIBLE_MODULE_STRICT_UTF8_RESPONSE"];
    /// Module of ad-hoc commands.
    module_name: String = "command", ["defaults.module_name"], [];
    /// Arguments of ad-hoc commands.
    module_args: Option<String> = "", ["defaults.module_args"], ["ANSIBLE_MODULE_ARGS"];
    /// Whether the hosts that failed are written to a file.
    retry_files_enabled: bool = "no", ["defaults.retry_files_enabled"], ["ANSIBLE_RETRY_FILES_ENABLED"];
    /// The folder of those files.
    retry_files_save_path: Option<PathBuf> = "", ["defaults.retry_files_save_path"], ["ANSIBLE_RETRY_FILES_SAVE_PATH"];

    // inventory
    /// Inventory formats to try, in order.
    inventory_plugins: Vec<String> = "host_list, script, auto, yaml, ini, toml", ["inventory.enable_plugins"], ["ANSIBLE_INVENTORY_ENABLED"];
    /// Whether inventory plugins see the extra variables.
    inventory_use_extra_vars: bool = "False", ["inventory_plugins.use_extra_vars"], ["ANSIBLE_INVENTORY_USE_EXTRA_VARS"];
    /// Endings of the files in an inventory folder that are not read.
    inventory_ignore_extensions: Vec<String> = ".pyc, .pyo, .swp, .bak, ~, .rpm, .md, .txt, .rst, .orig, .cfg, .retry", ["inventory.ignore_extensions", "defaults.inventory_ignore_extensions"], ["ANSIBLE_INVENTORY_IGNORE"];
    /// Patterns of the files in an inventory folder that are not read.
    inventory_ignore_patterns: Vec<String> = "", ["inventory.ignore_patterns", "defaults.inventory_ignore_patterns"], ["ANSIBLE_INVENTORY_IGNORE_REGEX"];
    /// Whether it is an error if no inventory source can be read.
    inventory_unparsed_failed: bool = "no", ["inventory.unparsed_is_failed"], ["ANSIBLE_INVENTORY_UNPARSED_FAILED"];
    /// Whether it is an error if any inventory source cannot be read.
    inventory_any_unparsed_failed: bool = "no", ["inventory.any_unparsed_is_failed"], ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"];
    /// Whether there is a warning if no inventory source can be read.
    inventory_unparsed_warning: bool = "yes", ["inventory.inventory_unparsed_warning"], ["ANSIBLE_INVENTORY_UNPARSED_WARNING"];
    /// Whether `rplay inventory` writes what is meant to be read back.
    inventory_export: bool = "no", ["inventory.export"], ["ANSIBLE_INVENTORY_EXPORT"];
    /// What happens where a host pattern matches nothing.
    host_pattern_mismatch: OnMismatch = "warning", ["inventory.host_pattern_mismatch"], ["ANSIBLE_HOST_PATTERN_MISMATCH"];
    /// What happens to group names that are no variable names: always, never, ignore or silently.
    force_valid_group_names: String = "never", ["defaults.force_valid_group_names"], ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"];
    /// Whether there is a warning if only the implicit localhost is there.
    localhost_warning: bool = "yes", ["defaults.localhost_warning"], ["ANSIBLE_LOCALHOST_WARNING"];

    // vault
    /// Ask for the vault password.
    ask_vault_pass: bool = "no", ["defaults.ask_vault_pass"], ["ANSIBLE_ASK_VAULT_PASS"];
    /// A file, or a program, that gives the vault password.
    vault_password_file: Option<PathBuf> = "", ["defaults.vault_password_file"], ["ANSIBLE_VAULT_PASSWORD_FILE"];
    /// Vault ids as `--vault-id` takes them.
    vault_identity_list: Vec<String> = "", ["defaults.vault_identity_list"], ["ANSIBLE_VAULT_IDENTITY_LIST"];
    /// The vault id of passwords that have none.
    vault_identity: String = "default", ["defaults.vault_identity"], ["ANSIBLE_VAULT_IDENTITY"];
    /// The vault id to encrypt with.
    vault_encrypt_identity: Option<String> = "", ["defaults.vault_encrypt_identity"], ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"];
    /// The salt of encrypted texts; random if there is none.
    vault_encrypt_salt: Option<String> = "", ["defaults.vault_encrypt_salt"], ["ANSIBLE_VAULT_ENCRYPT_SALT"];
    /// The editor of encrypted files.
    editor: String = "vi", ["defaults.editor"], ["ANSIBLE_EDITOR", "EDITOR"];
    /// What shows long texts on a terminal.
    pager: String = "less", ["defaults.pager"], ["ANSIBLE_PAGER", "PAGER"];
    /// Whether a text is only decrypted with the secret of its own vault id.
    vault_id_match: bool = "no", ["defaults.vault_id_match"], ["ANSIBLE_VAULT_ID_MATCH"];

    // what is shown
    /// The report on the terminal.
    stdout_callback: String = "default", ["defaults.stdout_callback"], ["ANSIBLE_STDOUT_CALLBACK"];
    /// Whether ad-hoc commands report with `stdout_callback` and the further reports, too.
    bin_ansible_callbacks: bool = "no", ["defaults.bin_ansible_callbacks"], ["ANSIBLE_LOAD_CALLBACK_PLUGINS"];
    /// Further reports.
    callbacks_enabled: Vec<String> = "", ["defaults.callbacks_enabled"], ["ANSIBLE_CALLBACKS_ENABLED"];
    /// Further reports, under the name that this had before.
    callbacks_whitelist: Vec<String> = "", ["defaults.callback_whitelist"], ["ANSIBLE_CALLBACK_WHITELIST"];
    /// The folder that the callback `junit` writes into.
    junit_output_dir: PathBuf = "~/.ansible.log", [], ["JUNIT_OUTPUT_DIR"];
    /// Whether `junit` has one class for each file, not for each task.
    junit_task_class: bool = "no", [], ["JUNIT_TASK_CLASS"];
    /// The folder that paths in the files of `junit` are relative to.
    junit_task_relative_path: Option<PathBuf> = "", [], ["JUNIT_TASK_RELATIVE_PATH"];
    /// What stands for the folders of tasks that are not below that one.
    junit_replace_out_of_tree_path: Option<String> = "", [], ["JUNIT_REPLACE_OUT_OF_TREE_PATH"];
    /// Whether a change is a failure for `junit`.
    junit_fail_on_change: bool = "no", [], ["JUNIT_FAIL_ON_CHANGE"];
    /// Whether a failure that is ignored is one for `junit`.
    junit_fail_on_ignore: bool = "no", [], ["JUNIT_FAIL_ON_IGNORE"];
    /// Whether `junit` has the tasks that gather facts.
    junit_include_setup_tasks_in_report: bool = "yes", [], ["JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT"];
    /// Whether `junit` leaves out the arguments of tasks.
    junit_hide_task_arguments: bool = "no", [], ["JUNIT_HIDE_TASK_ARGUMENTS"];
    /// What the names of tasks begin with that are test cases for `junit`; failures are test cases in any case.
    junit_test_case_prefix: String = "", [], ["JUNIT_TEST_CASE_PREFIX"];
    /// Blanks in front of what is inside in the document of the callback `json`; all is on one line if none.
    json_indent: i64 = "4", ["defaults.json_indent"], ["ANSIBLE_JSON_INDENT"];
    /// The folder that the callback `tree` writes into.
    tree_directory: PathBuf = "{{ANSIBLE_HOME}}/tree", ["callback_tree.directory"], ["ANSIBLE_CALLBACK_TREE_DIR"];
    /// How many tasks the callback `profile_tasks` shows at the end: a number, or all.
    profile_tasks_output_limit: String = "20", ["callback_profile_tasks.task_output_limit"], ["PROFILE_TASKS_TASK_OUTPUT_LIMIT"];
    /// The order of the tasks that `profile_tasks` shows at the end: descending, ascending, or none.
    profile_tasks_sort_order: String = "descending", ["callback_profile_tasks.sort_order"], ["PROFILE_TASKS_SORT_ORDER"];
    /// Whether `profile_tasks` shows nothing before the end.
    profile_tasks_summary_only: bool = "no", ["callback_profile_tasks.summary_only"], ["PROFILE_TASKS_SUMMARY_ONLY"];
    /// Whether `profile_roles` shows nothing before the end.
    profile_roles_summary_only: bool = "no", ["callback_profile_roles.summary_only"], ["PROFILE_ROLES_SUMMARY_ONLY"];
    /// The format of results: json or yaml.
    result_format: String = "json", ["defaults.callback_result_format"], ["ANSIBLE_CALLBACK_RESULT_FORMAT"];
    /// Whether results are spread over lines; only at higher verbosity if not said.
    format_pretty: Option<bool> = "", ["defaults.callback_format_pretty"], ["ANSIBLE_CALLBACK_FORMAT_PRETTY"];
    /// Whether hosts that skip a task are shown.
    display_skipped_hosts: bool = "yes", ["defaults.display_skipped_hosts"], ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"];
    /// Whether results that are neither changed nor failed are shown.
    display_ok_hosts: bool = "yes", ["defaults.display_ok_hosts"], ["ANSIBLE_DISPLAY_OK_HOSTS"];
    /// Whether failures go to standard error.
    display_failed_stderr: bool = "no", ["defaults.display_failed_stderr"], ["ANSIBLE_DISPLAY_FAILED_STDERR"];
    /// Whether task headers show the arguments.
    display_args_to_stdout: bool = "no", ["defaults.display_args_to_stdout"], ["ANSIBLE_DISPLAY_ARGS_TO_STDOUT"];
    /// Whether headers say that this is check mode.
    check_mode_markers: bool = "no", ["defaults.check_mode_markers"], ["ANSIBLE_CHECK_MODE_MARKERS"];
    /// Whether each task's start on each host is shown.
    show_per_host_start: bool = "no", ["defaults.show_per_host_start"], ["ANSIBLE_SHOW_PER_HOST_START"];
    /// Whether a failed task's place is shown.
    show_task_path_on_failure: bool = "no", ["defaults.show_task_path_on_failure"], ["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"];
    /// Whether the recap shows what set_stats collected.
    show_custom_stats: bool = "no", ["defaults.show_custom_stats"], ["ANSIBLE_SHOW_CUSTOM_STATS"];
    /// Whether tasks that do not say hide their results.
    no_log: bool = "no", ["defaults.no_log"], ["ANSIBLE_NO_LOG"];
    /// Whether differences are always shown.
    diff_always: bool = "no", ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"];
    /// Lines shown around a difference.
    diff_context: u32 = "3", ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"];
    /// Bytes from which on a file's difference is not shown.
    max_diff_size: u32 = "104448", ["defaults.max_diff_size"], ["ANSIBLE_MAX_DIFF_SIZE"];
    /// Colours even where the output is no terminal.
    force_color: bool = "no", ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"];
    /// No colours.
    nocolor: bool = "no", ["defaults.nocolor"], ["ANSIBLE_NOCOLOR", "NO_COLOR"];
    /// How much is shown: the number of `-v`.
    verbosity: u32 = "0", ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"];
    /// Whether what `-v` adds goes to standard error.
    verbose_to_stderr: bool = "no", ["defaults.verbose_to_stderr"], ["ANSIBLE_VERBOSE_TO_STDERR"];
    /// Whether lines of commands are shown on standard error while they run: all (lines), none (no), or the
    /// latest one in passing, at a terminal (auto).
    live: Live = "auto", ["rplay.live"], ["RPLAY_LIVE"];
    /// A file that the output is added to.
    log_path: Option<PathBuf> = "", ["defaults.log_path"], ["ANSIBLE_LOG_PATH"];
    /// Loggers that are left out of that file; there is one, `ansible`.
    log_filter: Vec<String> = "", ["defaults.log_filter"], ["ANSIBLE_LOG_FILTER"];
    /// The number of `-v` for that file, where it is higher than that for the screen.
    log_verbosity: Option<u32> = "", ["defaults.log_verbosity"], ["ANSIBLE_LOG_VERBOSITY"];
    /// Whether deprecations are shown.
    deprecation_warnings: bool = "yes", ["defaults.deprecation_warnings"], ["ANSIBLE_DEPRECATION_WARNINGS"];
    /// Whether warnings about the system rplay runs on are shown.
    system_warnings: bool = "yes", ["defaults.system_warnings"], ["ANSIBLE_SYSTEM_WARNINGS"];
    /// Whether warnings of modules and actions are shown.
    action_warnings: bool = "yes", ["defaults.action_warnings"], ["ANSIBLE_ACTION_WARNINGS"];

    /// Colour of changed results.
    color_changed: Color = "yellow", ["colors.changed"], ["ANSIBLE_COLOR_CHANGED"];
    /// Colour of prompts.
    color_console_prompt: Color = "white", ["colors.console_prompt"], ["ANSIBLE_COLOR_CONSOLE_PROMPT"];
    /// Colour of debugging messages.
    color_debug: Color = "dark gray", ["colors.debug"], ["ANSIBLE_COLOR_DEBUG"];
    /// Colour of deprecations.
    color_deprecate: Color = "purple", ["colors.deprecate"], ["ANSIBLE_COLOR_DEPRECATE"];
    /// Colour of added lines.
    color_diff_add: Color = "green", ["colors.diff_add"], ["ANSIBLE_COLOR_DIFF_ADD"];
    /// Colour of a difference's line numbers.
    color_diff_lines: Color = "cyan", ["colors.diff_lines"], ["ANSIBLE_COLOR_DIFF_LINES"];
    /// Colour of removed lines.
    color_diff_remove: Color = "red", ["colors.diff_remove"], ["ANSIBLE_COLOR_DIFF_REMOVE"];
    /// Colour of failures.
    color_error: Color = "red", ["colors.error"], ["ANSIBLE_COLOR_ERROR"];
    /// Colour of what stands out.
    color_highlight: Color = "white", ["colors.highlight"], ["ANSIBLE_COLOR_HIGHLIGHT"];
    /// Colour of included files.
    color_included: Color = "cyan", ["colors.included"], ["ANSIBLE_COLOR_INCLUDED"];
    /// Colour of results that changed nothing.
    color_ok: Color = "green", ["colors.ok"], ["ANSIBLE_COLOR_OK"];
    /// Colour of skipped tasks.
    color_skip: Color = "cyan", ["colors.skip"], ["ANSIBLE_COLOR_SKIP"];
    /// Colour of unreachable hosts.
    color_unreachable: Color = "bright red", ["colors.unreachable"], ["ANSIBLE_COLOR_UNREACHABLE"];
    /// Colour of what `-v` adds.
    color_verbose: Color = "blue", ["colors.verbose"], ["ANSIBLE_COLOR_VERBOSE"];
    /// Colour of warnings.
    color_warn: Color = "bright purple", ["colors.warn"], ["ANSIBLE_COLOR_WARN"];
}
