//! `constructed`: groups and variables of hosts that other sources have brought, by expressions.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/constructed_inventory.html>

use super::{boolean, dict, list};
use crate::inventory::Inventory;
use crate::search::SearchPath;
use crate::source::Location;
use crate::template::{Templar, python};
use crate::value::{Key, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

pub const OPTIONS: &[&str] = &[
    "compose",
    "groups",
    "keyed_groups",
    "leading_separator",
    "strict",
    "use_extra_vars",
    "use_vars_plugins",
];

/// What a file asks for.
struct Construction<'a> {
    root: &'a Node,
    strict: bool,
    leading_separator: bool,
    use_vars_plugins: bool,
    use_extra_vars: bool,
}

/// Looks at every host that there is so far.
pub fn parse(inventory: &mut Inventory, root: &Node) -> Result<()> {
    let construction = Construction {
        root,
        strict: boolean(root, "strict", false)?,
        leading_separator: boolean(root, "leading_separator", true)?,
        use_vars_plugins: boolean(root, "use_vars_plugins", false)?,
        use_extra_vars: boolean(root, "use_extra_vars", inventory.options.use_extra_vars)?,
    };
    // what is of the wrong kind is wrong without hosts, too
    dict(root, "compose")?;
    dict(root, "groups")?;
    list(root, "keyed_groups")?;
    let hosts: Vec<Arc<str>> = inventory.data.hosts.keys().cloned().collect();
    for host in hosts {
        construction.compose(inventory, &host)?;
        construction.groups(inventory, &host)?;
        construction.keyed_groups(inventory, &host)?;
    }
    Ok(())
}

impl Construction<'_> {
    /// Renders with what is known of a host at this point.
    fn templar(&self, inventory: &Inventory, host: &str) -> Result<Templar> {
        let mut vars = match self.use_vars_plugins {
            true => inventory.vars_of(host, inventory.playbook_dir.as_deref())?,
            false => {
                // depths of groups decide whose variables win
                let mut settled = inventory.data.clone();
                settled.reconcile();
                let host = &settled.hosts[host];
                let groups = settled.groups_of(host);
                let layers = groups.into_iter().map(|g| Arc::clone(&g.vars));
                inventory.merged(layers.chain([Arc::clone(&host.vars)]))
            }
        };
        if let Some(cache) = &inventory.options.facts
            && let Some(facts) = cache.load(host)?
        {
            vars.extend(facts);
        }
        let names = inventory.data.groups_of(&inventory.data.hosts[host]);
        let mut names: Vec<&str> = names.into_iter().map(|g| &*g.name).collect();
        names.retain(|n| *n != "all");
        names.sort_unstable();
        let names = names.into_iter().map(Value::str).collect();
        vars.insert("group_names".into(), Value::list(names));
        vars.insert("inventory_hostname".into(), Value::str(host));
        let short = host.split('.').next().unwrap_or(host);
        vars.insert("inventory_hostname_short".into(), Value::str(short));
        if self.use_extra_vars {
            vars.extend((*inventory.options.extra_vars).clone());
        }
        let folder = inventory.playbook_dir.as_deref().unwrap_or(Path::new("."));
        let files = Arc::new(SearchPath::new(folder));
        Ok(Templar::new(
            &inventory.options.engine,
            Arc::new(vars),
            files,
        ))
    }

    /// `Ok(None)` for an expression that fails, which matters under `strict` only.
    fn lenient<T>(
        &self,
        result: Result<T>,
        at: &Location,
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.strict => {
                Err(Error::parse(format!("{}: {}", what(), error.words())).at(at))
            }
            Err(_) => Ok(None),
        }
    }

    fn compose(&self, inventory: &mut Inventory, host: &str) -> Result<()> {
        let entries = dict(self.root, "compose")?;
        if entries.is_empty() {
            return Ok(());
        }
        // one that was composed is not seen by the next
        let templar = self.templar(inventory, host)?;
        for (name, expression) in entries {
            let name = name.to_value();
            let value = evaluate(&templar, expression);
            let value = self.lenient(value, &expression.at, || {
                format!("Could not set {} for host {host}", python::str(&name))
            })?;
            if let Some(value) = value {
                let key = Key::from_value(name);
                inventory.data.set_host_var(host, key, value)?;
            }
        }
        Ok(())
    }

    fn groups(&self, inventory: &mut Inventory, host: &str) -> Result<()> {
        let entries = dict(self.root, "groups")?;
        if entries.is_empty() {
            return Ok(());
        }
        let templar = self.templar(inventory, host)?;
        for (name, condition) in entries {
            let group = python::str(&name.to_value());
            let holds = holds(&templar, condition);
            let holds = self.lenient(holds, &condition.at, || {
                format!("Could not add host {host} to group {group}")
            })?;
            if holds == Some(true) {
                let group = inventory.data.add_group(&valid_name(&group))?;
                inventory.data.add_host(host, Some(&group), None)?;
            }
        }
        Ok(())
    }

    fn keyed_groups(&self, inventory: &mut Inventory, host: &str) -> Result<()> {
        let entries = list(self.root, "keyed_groups")?;
        if entries.is_empty() {
            return Ok(());
        }
        let templar = self.templar(inventory, host)?;
        for entry in entries {
            let keyed = Keyed::read(entry)?;
            let what = entry.get("key").map(|k| python::str(&k.to_value()));
            let what = what.unwrap_or_else(|| "None".to_string());
            let value = match entry.get("key") {
                Some(key) => evaluate(&templar, key),
                None => Err(Error::parse("it has no key")),
            };
            let value = self.lenient(value, &entry.at, || {
                format!("Could not generate group for host {host} from {what} entry")
            })?;
            let Some(value) = value else { continue };
            let Some(names) = keyed.names(&value).map_err(|e| e.at(&entry.at))? else {
                let empty = matches!(&value, Value::List(_)) || matches!(&value, Value::Map(_));
                if self.strict && !empty {
                    return Err(Error::parse(format!(
                        "No key or key resulted empty for {what} in host {host}, invalid entry"
                    ))
                    .at(&entry.at));
                }
                continue;
            };
            for name in names {
                let parent = match &keyed.parent {
                    None => None,
                    Some(parent) => {
                        let rendered = templar.render_str(&parent.to_value());
                        let rendered = self.lenient(rendered, &parent.at, || {
                            format!(
                                "Could not generate parent group '{}' for group '{name}'",
                                python::str(&parent.to_value())
                            )
                        })?;
                        let Some(rendered) = rendered else { continue };
                        Some(rendered)
                    }
                };
                let data = &mut inventory.data;
                let separator = match keyed.prefix.is_empty() && !self.leading_separator {
                    true => "",
                    false => &keyed.separator,
                };
                let group = valid_name(&format!("{}{separator}{name}", keyed.prefix));
                let group = data.add_group(&group)?;
                data.add_host(host, Some(&group), None)?;
                if let Some(parent) = parent {
                    let parent = data.add_group(&valid_name(&parent))?;
                    data.add_child(&parent, &group)?;
                }
            }
        }
        Ok(())
    }
}

/// An entry of `keyed_groups`.
struct Keyed<'a> {
    prefix: String,
    separator: String,
    parent: Option<&'a Node>,
    default: Option<String>,
    /// Whether the separator stays where a value is empty.
    trailing: bool,
}

impl Keyed<'_> {
    fn read(entry: &Node) -> Result<Keyed<'_>> {
        if entry.as_map().is_none() {
            return Err(Error::parse(format!(
                "Invalid keyed group entry, it must be a dictionary: {}",
                python::str(&entry.to_value())
            ))
            .at(&entry.at));
        }
        let given = |key: &str| entry.get(key).filter(|n| !n.is_null());
        let text = |key: &str, default: &str| match given(key) {
            Some(node) => python::str(&node.to_value()),
            None => default.to_string(),
        };
        if given("default_value").is_some() && given("trailing_separator").is_some() {
            return Err(Error::parse(
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator",
            )
            .at(&entry.at));
        }
        Ok(Keyed {
            prefix: text("prefix", ""),
            separator: text("separator", "_"),
            parent: given("parent_group"),
            default: given("default_value").map(|n| python::str(&n.to_value())),
            trailing: boolean(entry, "trailing_separator", true)?,
        })
    }

    /// The names that a value gives, without the prefix; none if it is empty and nothing stands for it.
    fn names(&self, value: &Value) -> Result<Option<Vec<String>>> {
        let missing = |v: &Value| v.is_null() || v.as_str() == Some("");
        if missing(value) {
            return Ok(self.default.clone().map(|d| vec![d]));
        }
        let names = match value {
            Value::List(items) if items.is_empty() => return Ok(None),
            Value::Map(entries) if entries.is_empty() => return Ok(None),
            Value::Int(0) | Value::Bool(false) => return Ok(None),
            Value::List(items) => items
                .iter()
                .map(|item| match (&self.default, missing(item)) {
                    (Some(default), true) => default.clone(),
                    _ => python::str(item),
                })
                .collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, item)| {
                    let key = python::str(&key.to_value());
                    let separator = &self.separator;
                    match (&self.default, missing(item)) {
                        (Some(default), true) => format!("{key}{separator}{default}"),
                        (None, true) if !self.trailing => key,
                        _ => format!("{key}{separator}{}", python::str(item)),
                    }
                })
                .collect(),
            other => match other.as_str() {
                Some(text) => vec![text.to_string()],
                None => {
                    return Err(Error::parse(format!(
                        "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                        other.type_name()
                    )));
                }
            },
        };
        Ok(Some(names))
    }
}

fn evaluate(templar: &Templar, expression: &Node) -> Result<Value> {
    let value = expression.to_value();
    let Some(text) = value.as_str() else {
        return Err(Error::parse(format!(
            "Expressions must be text, got {}",
            value.type_name()
        )));
    };
    let text = Arc::from(text);
    match templar.expression_at(&text, Some(&expression.at), true)? {
        Value::Undefined(_) => Err(Error::parse(format!("'{text}' is undefined"))),
        value => Ok(value),
    }
}

/// Whether a host is in a group. What is neither true nor false is a mistake.
fn holds(templar: &Templar, condition: &Node) -> Result<bool> {
    let value = match condition.to_value() {
        Value::Bool(truth) => return Ok(truth),
        _ => evaluate(templar, condition)?,
    };
    match value {
        Value::Bool(truth) => Ok(truth),
        other => Err(Error::parse(format!(
            "Conditional result ({}) was derived from value of type '{}'. Conditionals must have a boolean result.",
            if other.is_truthy() { "True" } else { "False" },
            other.type_name()
        ))),
    }
}

/// Underscores for whatever a variable's name cannot have.
fn valid_name(name: &str) -> String {
    let start = name.starts_with(|c: char| c.is_ascii_digit());
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        let fine = c.is_alphanumeric() || c == '_';
        out.push(if !fine || (i == 0 && start) { '_' } else { c });
    }
    out
}
