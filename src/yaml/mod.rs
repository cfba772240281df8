//! YAML as Ansible reads it: YAML 1.1, every node with its place.
//!
//! Follows <https://docs.ansible.com/ansible/latest/reference_appendices/YAMLSyntax.html> and, in what a
//! scalar means, PyYAML.

mod compose;
mod emit;
mod problem;
mod scalar;

pub use emit::{Options as EmitOptions, emit};

use crate::error::{Error, Result};
use crate::source::{Location, Source};
use crate::value::{Key, Map, Value};
use crate::vault;
use compose::Trust;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// A part of a YAML document and where it starts.
#[derive(Clone, Debug)]
pub struct Node {
    pub data: Data,
    pub at: Location,
}

/// What a node holds. Merge keys and duplicate keys are resolved already.
#[derive(Clone, Debug)]
pub enum Data {
    /// Null, booleans, numbers and text; text of the user's with a template is a `Value::Template`,
    /// `!vault` a `Value::Vault`, `!unsafe` a `Value::Str`.
    Scalar(Value),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// JSON of the command line: its texts are the user's own and may be templates. `name` is what messages call the
    /// option.
    pub fn from_option(json: serde_json::Value, name: &str) -> Node {
        use serde_json::Value as Json;
        let data = match json {
            Json::String(text) => return Node::text_of_option(&text, name),
            Json::Array(items) => Data::Seq(
                items
                    .into_iter()
                    .map(|item| Node::from_option(item, name))
                    .collect(),
            ),
            Json::Object(entries) => Data::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let at = Location::loose(name, &*key);
                        let key = Node {
                            data: Data::Scalar(Value::str(key)),
                            at,
                        };
                        (key, Node::from_option(value, name))
                    })
                    .collect(),
            ),
            other => Data::Scalar(Value::from_json(other)),
        };
        let mut node = Node {
            data,
            at: Location::loose(name, ""),
        };
        node.at = Location::loose(name, crate::python::repr(&node.to_value()));
        node
    }

    /// As [`Node::from_option`], for a text.
    pub fn text_of_option(text: &str, name: &str) -> Node {
        let at = Location::loose(name, text);
        Node {
            data: Data::Scalar(Value::user_text(text, Some(&at))),
            at,
        }
    }

    /// The value without places (templates keep theirs).
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar(v) => v.clone(),
            Data::Seq(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Data::Map(entries) => Value::map(
                entries
                    .iter()
                    .map(|(k, v)| (Key::from_value(k.to_value()), v.to_value()))
                    .collect::<Map>(),
            ),
        }
    }

    /// The text of a string scalar (a template's source text).
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(v) => v.as_str(),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(Value::Null))
    }

    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[(Node, Node)]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?
            .iter()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, v)| v)
    }
}

/// What a key that is given twice in a mapping means (`DUPLICATE_YAML_DICT_KEY`). The last one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    Warn,
    Error,
    Ignore,
}

static DUPLICATES: AtomicU8 = AtomicU8::new(Duplicates::Warn as u8);

/// Sets for the whole process what duplicate keys mean.
pub fn set_duplicates(mode: Duplicates) {
    DUPLICATES.store(mode as u8, Ordering::Relaxed);
}

fn duplicates() -> Duplicates {
    match DUPLICATES.load(Ordering::Relaxed) {
        x if x == Duplicates::Error as u8 => Duplicates::Error,
        x if x == Duplicates::Ignore as u8 => Duplicates::Ignore,
        _ => Duplicates::Warn,
    }
}

/// Reads the only document of `source`; an empty text is a null node.
///
/// Errors point at the place and are of kind `Parse`. Duplicate keys are warned about.
pub fn load(source: &Arc<Source>) -> Result<Node> {
    one(&source.text, source, Trust::Templates)
}

/// As [`load`], for a text that is not in a file; `name` is how messages call it.
pub fn load_str(name: &str, text: &str) -> Result<Node> {
    load(&Source::new(name, text))
}

/// As [`load`], for a file, decrypting it if it is vault-encrypted as a whole.
///
/// Fails also if the file cannot be read, is not UTF-8 or cannot be decrypted.
pub fn load_file(path: &Path) -> Result<Node> {
    let (text, source) = read_file(path)?;
    one(
        text.as_deref().unwrap_or(&source.text),
        &source,
        Trust::Templates,
    )
}

/// All documents of `source`; none for an empty text.
pub fn load_all(source: &Arc<Source>) -> Result<Vec<Node>> {
    compose::compose(&source.text, source, Trust::Templates, false)
}

/// The documents of a text that is data, not the user's own, such as what `from_yaml` is given:
/// nothing in it becomes a template.
pub fn load_data(name: &str, text: &str) -> Result<Vec<Node>> {
    compose::compose(text, &Source::new(name, text), Trust::Inert, false)
}

fn one(text: &str, source: &Arc<Source>, trust: Trust) -> Result<Node> {
    let mut documents = compose::compose(text, source, trust, true)?;
    Ok(documents.pop().unwrap_or_else(|| Node {
        data: Data::Scalar(Value::Null),
        at: Location::new(source, 1, 1),
    }))
}

/// A file's source, and its text apart where it was encrypted and must not be quoted in messages.
fn read_file(path: &Path) -> Result<(Option<String>, Arc<Source>)> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| {
        let reason = match e.kind() {
            std::io::ErrorKind::NotFound => "the file does not exist".to_string(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            std::io::ErrorKind::IsADirectory => "it is a folder".to_string(),
            _ => e.to_string(),
        };
        Error::parse(format!("Unable to read {name}: {reason}"))
    })?;
    if vault::is_encrypted(&bytes) {
        let source = Source::new(name, "");
        let at = Location::new(&source, 1, 1);
        let plain = vault::secrets().decrypt(&bytes).map_err(|e| e.at(&at))?;
        let text = String::from_utf8(plain)
            .map_err(|_| Error::parse("The decrypted file is not UTF-8 text.").at(&at))?;
        return Ok((Some(text), source));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((None, Source::new(name, text))),
        Err(e) => {
            let bad = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
            let before = &text[..bad];
            let line = before.matches('\n').count() as u32 + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
            let source = Source::new(name, text);
            Err(
                Error::parse("YAML parsing failed: The file is not UTF-8 text.")
                    .at(&Location::new(&source, line, column))
                    .hint("save the file in the UTF-8 encoding"),
            )
        }
    }
}

#[cfg(test)]
mod tests;
