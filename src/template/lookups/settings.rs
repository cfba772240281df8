//! `config`: the values of settings, by Ansible's names for them.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/config_lookup.html>.

use super::Lookup;
use crate::Result;
use crate::config::Config;
use crate::error::did_you_mean;
use crate::notice;
use crate::template::call::{Call, error};
use crate::template::python;
use crate::value::Value;

static PLUGIN_TYPES: &[&str] = &[
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "shell",
    "vars",
];

/// An option of a plugin: its type and name, the option's, the variables that set it, the setting of rplay's that has
/// it, and what it is where nothing is set (YAML).
type PluginOption = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

static PLUGIN_OPTIONS: &[PluginOption] = &[
    (
        "become",
        "sudo",
        "become_user",
        &["ansible_become_user", "ansible_sudo_user"],
        &["sudo_user", "become_user"],
        "root",
    ),
    (
        "become",
        "sudo",
        "become_exe",
        &["ansible_become_exe", "ansible_sudo_exe"],
        &["sudo_exe", "become_exe"],
        "sudo",
    ),
    (
        "become",
        "sudo",
        "become_flags",
        &["ansible_become_flags", "ansible_sudo_flags"],
        &["sudo_flags", "become_flags"],
        "-H -S -n",
    ),
    (
        "become",
        "sudo",
        "sudo_chdir",
        &["ansible_sudo_chdir"],
        &["sudo_chdir"],
        "",
    ),
    (
        "become",
        "su",
        "become_user",
        &["ansible_become_user", "ansible_su_user"],
        &["su_user", "become_user"],
        "root",
    ),
    (
        "become",
        "su",
        "become_exe",
        &["ansible_become_exe", "ansible_su_exe"],
        &["su_exe", "become_exe"],
        "su",
    ),
    (
        "become",
        "su",
        "become_flags",
        &["ansible_become_flags", "ansible_su_flags"],
        &["su_flags", "become_flags"],
        "''",
    ),
    (
        "become",
        "su",
        "prompt_l10n",
        &["ansible_su_prompt_l10n"],
        &["su_prompts"],
        "[]",
    ),
    (
        "become",
        "doas",
        "become_user",
        &["ansible_become_user", "ansible_doas_user"],
        &["doas_user", "become_user"],
        "root",
    ),
    (
        "become",
        "doas",
        "become_exe",
        &["ansible_become_exe", "ansible_doas_exe"],
        &["doas_exe", "become_exe"],
        "doas",
    ),
    (
        "become",
        "doas",
        "become_flags",
        &["ansible_become_flags", "ansible_doas_flags"],
        &["doas_flags", "become_flags"],
        "''",
    ),
    (
        "become",
        "doas",
        "prompt_l10n",
        &["ansible_doas_prompt_l10n"],
        &["doas_prompts"],
        "[]",
    ),
    (
        "connection",
        "ssh",
        "remote_user",
        &["ansible_user", "ansible_ssh_user"],
        &["remote_user"],
        "",
    ),
    (
        "connection",
        "ssh",
        "port",
        &["ansible_port", "ansible_ssh_port"],
        &["remote_port"],
        "",
    ),
    (
        "connection",
        "ssh",
        "timeout",
        &["ansible_ssh_timeout"],
        &["ssh_timeout", "timeout"],
        "10",
    ),
    (
        "connection",
        "ssh",
        "ssh_args",
        &["ansible_ssh_args"],
        &["ssh_args"],
        "-C -o ControlMaster=auto -o ControlPersist=60s",
    ),
    (
        "connection",
        "ssh",
        "ssh_common_args",
        &["ansible_ssh_common_args"],
        &["ssh_common_args"],
        "''",
    ),
    (
        "connection",
        "ssh",
        "ssh_extra_args",
        &["ansible_ssh_extra_args"],
        &["ssh_extra_args"],
        "''",
    ),
    (
        "connection",
        "ssh",
        "ssh_executable",
        &["ansible_ssh_executable"],
        &["ssh_executable"],
        "ssh",
    ),
    (
        "connection",
        "ssh",
        "host_key_checking",
        &["ansible_host_key_checking", "ansible_ssh_host_key_checking"],
        &["ssh_host_key_checking", "host_key_checking"],
        "true",
    ),
    (
        "connection",
        "ssh",
        "reconnection_retries",
        &["ansible_ssh_retries"],
        &["ssh_retries"],
        "0",
    ),
    (
        "connection",
        "ssh",
        "private_key_file",
        &["ansible_private_key_file", "ansible_ssh_private_key_file"],
        &["private_key_file"],
        "",
    ),
    (
        "shell",
        "sh",
        "remote_tmp",
        &["ansible_remote_tmp"],
        &["remote_tmp"],
        "~/.ansible/tmp",
    ),
];

/// The value of a plugin's option and where it comes from; none if rplay has no such option.
///
/// Passwords are not among them: no template has to know them.
fn of_plugin(
    call: &Call,
    config: &Config,
    kind: &str,
    plugin: &str,
    option: &str,
) -> Result<Option<(Value, String)>> {
    if !PLUGIN_OPTIONS
        .iter()
        .any(|(k, p, ..)| (*k, *p) == (kind, plugin))
    {
        let words = format!("Unable to load {kind} plugin {}.", python::quote(plugin));
        return Err(error(words).hint("rplay knows the options of sudo, su, doas, ssh and sh"));
    }
    let Some((.., variables, settings, usual)) = PLUGIN_OPTIONS
        .iter()
        .find(|(k, p, o, ..)| (*k, *p, *o) == (kind, plugin, option))
    else {
        return Ok(None);
    };
    for variable in *variables {
        if let Some(value) = call.templar.get(variable)?.filter(|v| !v.is_null()) {
            return Ok(Some((value, format!("var: {variable}"))));
        }
    }
    for setting in *settings {
        let origin = config.origin_of_field(setting);
        if origin != "default"
            && let Some(value) = config.value_of(setting)
        {
            return Ok(Some((value, origin)));
        }
    }
    let usual = crate::yaml::load_str("default", usual)?.to_value();
    Ok(Some((usual, "default".to_string())))
}

fn config(mut call: Call) -> Result<Vec<Value>> {
    let args = call.bind_kwargs(&["on_missing", "plugin_type", "plugin_name", "show_origin"])?;
    let on_missing = args.text("on_missing", "error");
    if !["error", "warn", "skip"].contains(&on_missing.as_str()) {
        return Err(error(format!(
            "Invalid value {} for config 'on_missing' for 'config' lookup plugin.",
            python::quote(&on_missing)
        ))
        .hint("Valid values are: error, warn, skip"));
    }
    let show_origin = args.get("show_origin").is_some_and(Value::is_truthy);
    let plugin = match (args.text("plugin_type", ""), args.text("plugin_name", "")) {
        (kind, name) if kind.is_empty() && name.is_empty() => None,
        (kind, name) if kind.is_empty() || name.is_empty() => {
            return Err(error(
                "Both plugin_type and plugin_name are required, cannot use one without the other.",
            ));
        }
        (kind, _) if !PLUGIN_TYPES.contains(&kind.as_str()) => {
            return Err(error(format!(
                "Invalid value {} for config 'plugin_type' for 'config' lookup plugin.",
                python::quote(&kind)
            ))
            .hint(format!("Valid values are: {}", PLUGIN_TYPES.join(", "))));
        }
        (kind, name) => Some((kind, name)),
    };
    let Some(config) = call.templar.config() else {
        return Err(error("there are no settings here"));
    };
    let mut out = Vec::new();
    for term in &call.args {
        let Value::Str(name) = term else {
            return Err(error(format!(
                "Invalid setting identifier, {} is not a <class 'str'>, its a <class '{}'>.",
                python::str(term),
                term.type_name()
            )));
        };
        let (found, message) = match &plugin {
            None => (
                config.by_name(name).map(|v| (v, config.origin_of(name))),
                format!("No config definition exists for {}.", python::quote(name)),
            ),
            Some((kind, plugin)) => (
                of_plugin(&call, config, kind, plugin, name)?,
                format!(
                    "No config definition exists for {} for {} {kind} plugin.",
                    python::quote(name),
                    python::quote(plugin)
                ),
            ),
        };
        if let Some((value, origin)) = found {
            out.push(match show_origin {
                true => Value::list(vec![value, Value::str(origin)]),
                false => value,
            });
            continue;
        }
        match on_missing.as_str() {
            "skip" => {}
            "warn" => notice::warning(format!("Skipping {name}: {message}")),
            _ => {
                let names: Vec<String> = Config::names().collect();
                let error = error(message);
                return Err(match did_you_mean(name, names.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint("rplay has only the settings that it uses"),
                });
            }
        }
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("config", config)];
