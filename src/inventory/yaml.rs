//! Inventories in YAML, and in JSON of the same structure.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html>

use super::address;
use super::data::Data;
use crate::value::{Key, Value};
use crate::yaml::{Data as Content, Node};
use crate::{Error, Result, notice};
use std::sync::Arc;

/// Adds what `root` says to `data`. Errors name the place.
pub fn parse(root: &Node, data: &mut Data) -> Result<()> {
    if root.is_null() {
        return Err(Error::parse("Parsed empty YAML file").at(&root.at));
    }
    let Some(groups) = root.as_map() else {
        return Err(Error::parse(format!(
            "YAML inventory has invalid structure, it should be a dictionary, got: {}",
            type_name(root)
        ))
        .at(&root.at));
    };
    for (name, content) in groups {
        group(name, content, data)?;
    }
    Ok(())
}

/// The plugin that a configuration file such as `x.aws_ec2.yml` names.
pub fn plugin(root: &Node) -> Option<&Node> {
    root.get("plugin").filter(|n| n.as_str().is_some())
}

fn group(name: &Node, content: &Node, data: &mut Data) -> Result<Option<Arc<str>>> {
    if content.as_map().is_none() && !content.is_null() {
        notice::warning(format!(
            "Skipping '{}' as this is not a valid group definition",
            text_of(name)
        ));
        return Ok(None);
    }
    let Some(text) = name.as_str() else {
        return Err(Error::parse(format!(
            "Invalid group name supplied, expected a string but got {} for {}",
            type_name(name),
            text_of(name)
        ))
        .at(&name.at)
        .hint("put the name in quotation marks"));
    };
    let group_name = data.add_group(text).map_err(|e| e.at(&name.at))?;
    for (key, section) in content.as_map().unwrap_or_default() {
        let word = key.as_str().unwrap_or_default();
        if !matches!(word, "vars" | "children" | "hosts") {
            let what = text_of(key);
            notice::warning(if section.as_map().is_some() || section.is_null() {
                format!(
                    "Skipping unexpected key ({what}) in group ({text}), only \"vars\", \"children\" and \"hosts\" are valid"
                )
            } else {
                format!(
                    "Skipping key ({what}) in group ({text}) as it is not a mapping, it is a {}",
                    type_name(section)
                )
            });
            continue;
        }
        // a single name stands for a dictionary with that key
        let single;
        let entries: &[(Node, Node)] = match &section.data {
            Content::Map(entries) => entries,
            Content::Scalar(Value::Null) => continue,
            Content::Scalar(value) if value.as_str().is_some() => {
                let null = Node {
                    data: Content::Scalar(Value::Null),
                    at: section.at.clone(),
                };
                single = [(section.clone(), null)];
                &single
            }
            _ => {
                return Err(Error::parse(format!(
                    "Invalid \"{word}\" entry for \"{text}\" group, requires a dictionary, found \"{}\" instead.",
                    type_name(section)
                ))
                .at(&section.at)
                .hint(match word {
                    "vars" => "write each variable as `name: value`",
                    _ => "end each name with a colon instead of starting it with a dash",
                }));
            }
        };
        match word {
            "vars" => {
                for (key, value) in entries {
                    data.set_group_var(
                        &group_name,
                        Key::from_value(key.to_value()),
                        value.to_value(),
                    )
                    .map_err(|e| e.at(&value.at))?;
                }
            }
            "children" => {
                for (child, content) in entries {
                    if let Some(child_name) = group(child, content, data)? {
                        data.add_child(&group_name, &child_name)
                            .map_err(|e| e.at(&child.at))?;
                    }
                }
            }
            _ => {
                for (pattern, vars) in entries {
                    host(pattern, vars, &group_name, data)?;
                }
            }
        }
    }
    Ok(Some(group_name))
}

fn host(pattern: &Node, vars: &Node, group: &str, data: &mut Data) -> Result<()> {
    let text = pattern.as_str().ok_or_else(|| {
        Error::parse(format!(
            "Host pattern {} must be a string. Enclose integers/floats in quotation marks.",
            text_of(pattern)
        ))
        .at(&pattern.at)
    })?;
    let (hosts, port) = address::expand(text).map_err(|e| e.at(&pattern.at))?;
    let entries = match (vars.as_map(), vars.is_null()) {
        (Some(entries), _) => entries,
        (None, true) => &[],
        (None, false) => {
            return Err(Error::parse(format!(
                "the variables of host '{text}' must be a dictionary, not {}",
                type_name(vars)
            ))
            .at(&vars.at));
        }
    };
    let entries: Vec<(Key, Value)> = entries
        .iter()
        .map(|(k, v)| (Key::from_value(k.to_value()), v.to_value()))
        .collect();
    for host in &hosts {
        let name = data
            .add_host(host, Some(group), port)
            .map_err(|e| e.at(&pattern.at))?;
        for (key, value) in &entries {
            data.set_host_var(&name, key.clone(), value.clone())?;
        }
    }
    Ok(())
}

fn type_name(node: &Node) -> &'static str {
    match &node.data {
        Content::Scalar(value) => value.type_name(),
        Content::Seq(_) => "list",
        Content::Map(_) => "dict",
    }
}

fn text_of(node: &Node) -> String {
    crate::template::python::str(&node.to_value())
}
