//! Inventory plugins: YAML files with a `plugin:` that says what makes hosts or groups of them.
//!
//! <https://docs.ansible.com/ansible/latest/plugins/inventory.html>

mod constructed;
mod generator;

use super::Inventory;
use crate::value::Value;
use crate::yaml::Node;
use crate::{Error, Result, notice};
use std::path::Path;

/// Takes the file's content and adds to the inventory.
type Plugin = fn(&mut Inventory, &Node) -> Result<()>;

/// The plugins by name, with the options that each has.
const PLUGINS: &[(&str, Plugin, &[&str])] = &[
    ("constructed", constructed::parse, constructed::OPTIONS),
    ("generator", generator::parse, generator::OPTIONS),
];

/// Whether there is a plugin with this name, bare or fully qualified.
pub fn exists(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static (&'static str, Plugin, &'static [&'static str])> {
    let name = super::sources::short_name(name);
    PLUGINS.iter().find(|(n, _, _)| *n == name)
}

/// Does what the file `path`, whose content is `root`, asks the plugin `name` for.
///
/// Fails with the place of what is wrong; an option that the plugin does not have is warned about.
pub fn parse(name: &str, inventory: &mut Inventory, path: &Path, root: &Node) -> Result<()> {
    let Some((name, plugin, options)) = find(name) else {
        return Err(Error::parse(format!(
            "inventory config '{}' specifies unknown plugin '{name}'",
            path.display()
        )));
    };
    for (key, _) in root.as_map().unwrap_or_default() {
        let key = key.as_str().unwrap_or_default();
        if key != "plugin" && !options.contains(&key) {
            notice::warning(format!(
                "{}: the inventory plugin '{name}' has no option '{key}'",
                path.display()
            ));
        }
    }
    plugin(inventory, root)
}

/// An option that is a list; none is an empty one.
fn list<'a>(root: &'a Node, key: &str) -> Result<&'a [Node]> {
    match root.get(key) {
        None => Ok(&[]),
        Some(node) if node.is_null() => Ok(&[]),
        Some(node) => node.as_seq().ok_or_else(|| wrong(node, key, "list")),
    }
}

/// An option that is a dictionary; none is an empty one.
fn dict<'a>(root: &'a Node, key: &str) -> Result<&'a [(Node, Node)]> {
    match root.get(key) {
        None => Ok(&[]),
        Some(node) if node.is_null() => Ok(&[]),
        Some(node) => node.as_map().ok_or_else(|| wrong(node, key, "dict")),
    }
}

/// An option that is a boolean.
fn boolean(root: &Node, key: &str, default: bool) -> Result<bool> {
    let Some(node) = root.get(key) else {
        return Ok(default);
    };
    let truth = match node.to_value() {
        Value::Null => Some(default),
        Value::Bool(b) => Some(b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        other => other
            .as_str()
            .and_then(crate::playbook::keywords::parse_bool),
    };
    truth.ok_or_else(|| wrong(node, key, "bool"))
}

fn wrong(node: &Node, key: &str, wanted: &str) -> Error {
    Error::parse(format!(
        "Config '{key}' has an invalid value: Invalid value provided for '{wanted}': {}",
        crate::template::python::repr(&node.to_value())
    ))
    .at(&node.at)
}
