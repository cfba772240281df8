//! Lookups of variables, of the environment and of hosts.

use super::Lookup;
use super::terms::{flatten_once, no_more_options, take};
use crate::Result;
use crate::inventory::{Inventory, Pattern};
use crate::template::call::{Call, error, refuse_undefined};
use crate::template::globals::UNNAMED;
use crate::template::protocol::undefined;
use crate::template::python;
use crate::template::regex::{self, Flags};
use crate::value::{Key, Map, Value};

/// Variables of the environment. The default may be undefined as long as it is not needed.
fn env(mut call: Call) -> Result<Vec<Value>> {
    let default = take(&mut call, "default").filter(|v| !v.is_null());
    refuse_undefined(&call)?;
    no_more_options(&call)?;
    call.args
        .iter()
        .map(|term| {
            let Some(text) = term.as_str() else {
                return Err(error(format!(
                    "'{}' object has no attribute 'split'",
                    term.type_name()
                )));
            };
            let Some(name) = text.split_whitespace().next() else {
                return Err(error("list index out of range"));
            };
            match (std::env::var_os(name), &default) {
                (Some(value), _) => Ok(Value::str(value.to_string_lossy())),
                (None, None) => Ok("".into()),
                (None, Some(Value::Undefined(message))) => Err(match &**message {
                    UNNAMED => undefined(&format!(
                        "The environment variable {} is not set.",
                        python::quote(name)
                    )),
                    message => undefined(message),
                }),
                (None, Some(default)) => Ok(default.clone()),
            }
        })
        .collect()
}

fn vars(mut call: Call) -> Result<Vec<Value>> {
    let default = take(&mut call, "default");
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let Some(name) = term.as_str() else {
            return Err(error(format!(
                "Variable name must be 'str' not {}.",
                python::quote(term.type_name())
            )));
        };
        match (call.templar.get(name)?, &default) {
            (Some(value), _) if !matches!(value, Value::Omit) => out.push(value),
            (_, Some(default)) => out.push(default.clone()),
            (_, None) => {
                let e = undefined(&format!("No variable named '{name}' was found."));
                return Err(match call.templar.suggest(name) {
                    Some(near) => e.hint(format!("did you mean '{near}'?")),
                    None => e,
                });
            }
        }
    }
    Ok(out)
}

/// Names of variables that match a regular expression.
fn varnames(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let names = call.templar.names();
    let mut out = Vec::new();
    for term in &call.args {
        let Some(pattern) = term.as_str() else {
            return Err(error(format!(
                "Invalid setting identifier, \"{}\" is not a string, it is a <class '{}'>",
                python::str(term),
                term.type_name()
            )));
        };
        let regex = regex::compile(pattern, Flags::default())
            .map_err(|e| e.context(format!("Unable to use \"{pattern}\" as a search parameter")))?;
        for name in &names {
            if regex::search(&regex, name)?.is_some() {
                out.push(Value::from(name.clone()));
            }
        }
    }
    Ok(out)
}

/// Hosts of the inventory that a pattern matches.
fn inventory_hostnames(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let Some(Value::Map(groups)) = call.templar.get("groups")? else {
        return Err(error("there is no inventory here"));
    };
    let mut inventory = Inventory::empty();
    for (group, hosts) in groups.iter() {
        let names: Vec<String> = match group.as_str() {
            Some("all" | "ungrouped") | None => Vec::new(),
            Some(name) => vec![name.to_string()],
        };
        for host in hosts.as_list().unwrap_or_default() {
            inventory.add_host(&python::str(host), &names, &Map::default())?;
        }
    }
    let patterns: Vec<String> = flatten_once(&call.args).iter().map(python::str).collect();
    let pattern = Pattern::from_list(patterns.iter().map(String::as_str))?;
    Ok(inventory
        .hosts_for(&pattern, None)?
        .into_iter()
        .map(|name| Key::from(name).to_value())
        .collect())
}

pub static LOOKUPS: &[(&str, Lookup)] = &[
    ("env", env),
    ("inventory_hostnames", inventory_hostnames),
    ("varnames", varnames),
    ("vars", vars),
];
