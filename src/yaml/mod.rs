//! YAML as Ansible reads it: YAML 1.1, every node with its place.

use crate::source::{Location, Source};
use crate::value::{Key, Map, Value};
use std::sync::Arc;

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

/// Reads the only document of `source`; an empty text is a null node.
///
/// Errors point at the place and are of kind `Parse`.
pub fn load(source: &Arc<Source>) -> crate::Result<Node> {
    let _ = source;
    todo!("the YAML helper writes this")
}
