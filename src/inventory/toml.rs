//! Inventories in TOML: the structure is that of YAML, but `children` is a list.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/toml_inventory.html>

use super::data::Data;
use super::yaml;
use crate::source::{Location, Source};
use crate::value::Value;
use crate::yaml::{Data as Content, Node};
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;
use toml::Value as Toml;

/// Adds what the file says to `data`. Errors name the place.
pub fn parse(path: &Path, bytes: &[u8], data: &mut Data) -> Result<()> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::parse(format!("{} is not UTF-8", path.display())))?;
    let source = Source::new(path.to_string_lossy(), text);
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let message = format!("TOML file '{}' is invalid: {}", path.display(), e.message());
        let before = e
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Error::parse(message).at(&Location::new(&source, line as u32, column as u32))
    })?;
    if table.contains_key("plugin") {
        return Err(Error::parse(
            "Plugin configuration TOML file, not TOML inventory",
        ));
    }
    let at = Location::new(&source, 0, 0);
    let root = node(Toml::Table(groups(table, &at)?), &at);
    if root.as_map().is_some_and(<[_]>::is_empty) {
        return Err(Error::parse("Parsed empty TOML file"));
    }
    yaml::parse(&root, data)
}

/// The groups with `children` as YAML has them: a dictionary.
fn groups(table: toml::Table, at: &Location) -> Result<toml::Table> {
    table
        .into_iter()
        .map(|(name, group)| {
            let Toml::Table(mut group) = group else {
                return Ok((name, group));
            };
            if let Some(children) = group.remove("children") {
                let Toml::Array(children) = children else {
                    return Err(Error::parse(format!(
                        "Invalid \"children\" entry for \"{name}\" group, requires a list, found \"{}\" instead.",
                        children.type_str()
                    ))
                    .at(at));
                };
                let children = children.into_iter().map(|child| match child {
                    Toml::String(child) => Ok((child, Toml::Table(toml::Table::new()))),
                    other => Err(Error::parse(format!(
                        "Invalid child of the group \"{name}\": a name is text, not {}",
                        other.type_str()
                    ))
                    .at(at)),
                });
                let children = children.collect::<Result<toml::Table>>()?;
                group.insert("children".to_string(), Toml::Table(children));
            }
            Ok((name, Toml::Table(group)))
        })
        .collect()
}

fn node(value: Toml, at: &Location) -> Node {
    let scalar = |value: Value| Content::Scalar(value);
    let data = match value {
        Toml::String(text) => scalar(Value::user_text(&text, None)),
        Toml::Integer(i) => scalar(Value::Int(i)),
        Toml::Float(f) => scalar(Value::Float(f)),
        Toml::Boolean(b) => scalar(Value::Bool(b)),
        Toml::Datetime(time) => scalar(moment(&time)),
        Toml::Array(items) => Content::Seq(items.into_iter().map(|i| node(i, at)).collect()),
        Toml::Table(entries) => Content::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = Node {
                        data: scalar(Value::from(Arc::<str>::from(key.as_str()))),
                        at: at.clone(),
                    };
                    (key, node(value, at))
                })
                .collect(),
        ),
    };
    Node {
        data,
        at: at.clone(),
    }
}

/// A date as YAML would have read it; a time alone is text.
fn moment(time: &toml::value::Datetime) -> Value {
    let text = time.to_string();
    match crate::yaml::load_str("a date", &text) {
        Ok(node) if time.date.is_some() => node.to_value(),
        _ => Value::str(text),
    }
}
