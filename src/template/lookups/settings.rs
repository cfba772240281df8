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
    for option in ["plugin_type", "plugin_name", "show_origin"] {
        if args.get(option).is_some_and(Value::is_truthy) {
            return Err(error(format!(
                "the option '{option}' of the lookup 'config' is not supported"
            )));
        }
    }
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
        if let Some(value) = config.by_name(name) {
            out.push(value);
            continue;
        }
        let message = format!("No config definition exists for {}.", python::quote(name));
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
