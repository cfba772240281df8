//! `generator`: a host for every combination of the layers' values, with groups named after them.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/generator_inventory.html>

use super::dict;
use crate::inventory::Inventory;
use crate::search::SearchPath;
use crate::template::{Templar, python};
use crate::value::{Key, Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

pub const OPTIONS: &[&str] = &["hosts", "layers"];

/// Makes the hosts that the file describes.
pub fn parse(inventory: &mut Inventory, root: &Node) -> Result<()> {
    let missing = |key: &str| {
        Error::parse(format!("the generator needs '{key}', which is not there")).at(&root.at)
    };
    let hosts = root.get("hosts").ok_or_else(|| missing("hosts"))?;
    let name = hosts.get("name").ok_or_else(|| {
        Error::parse("the hosts need a 'name', which is a template").at(&hosts.at)
    })?;
    root.get("layers").ok_or_else(|| missing("layers"))?;
    let engine = Arc::clone(&inventory.options.engine);
    let files = Arc::new(SearchPath::new(Path::new(".")));
    for combination in combinations(dict(root, "layers")?)? {
        let scope = Arc::new(combination);
        let templar = Templar::new(&engine, scope, Arc::clone(&files));
        let host = templar.render_str(&name.to_value())?;
        let host = inventory.data.add_host(&host, Some("ungrouped"), None)?;
        parents(inventory, &host, hosts, &templar)?;
    }
    Ok(())
}

/// The product of the layers: the last one changes fastest.
fn combinations(layers: &[(Node, Node)]) -> Result<Vec<Map>> {
    let mut found = vec![Map::default()];
    for (name, values) in layers {
        let values = values.as_seq().ok_or_else(|| {
            Error::parse(format!(
                "the layer '{}' must be a list of its values, not {}",
                python::str(&name.to_value()),
                values.to_value().type_name()
            ))
            .at(&values.at)
        })?;
        found = found
            .into_iter()
            .flat_map(|base| {
                values.iter().map(move |value| {
                    let mut with = base.clone();
                    with.insert(Key::from_value(name.to_value()), value.to_value());
                    with
                })
            })
            .collect();
    }
    Ok(found)
}

/// Makes the host or group `child` a member of the groups that `of` names, and those of theirs.
fn parents(inventory: &mut Inventory, child: &str, of: &Node, templar: &Templar) -> Result<()> {
    let parents_of = of.get("parents").and_then(Node::as_seq);
    for parent in parents_of.unwrap_or_default() {
        let name = match parent.get("name") {
            Some(name) => templar.render_str(&name.to_value())?,
            None => {
                return Err(
                    Error::parse(format!("Element {child} has a parent with no name."))
                        .at(&parent.at),
                );
            }
        };
        let group = inventory.data.add_group(&name)?;
        for (key, value) in dict(parent, "vars")? {
            let value = match value.to_value() {
                // what is in a list or a dictionary is rendered when it is used
                text @ Value::Template(_) => templar.render(&text)?,
                other => other,
            };
            let key = Key::from_value(key.to_value());
            inventory.data.set_group_var(&group, key, value)?;
        }
        inventory.data.add_child(&group, child)?;
        parents(inventory, &group, parent, templar)?;
    }
    Ok(())
}
