//! Option types of Ansible's that Rust has no type for.

use crate::value::{Map, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;

/// Key of the schema under which a type says which of Ansible's types it is.
pub(super) const TYPE: &str = "ansible_type";

macro_rules! ansible_type {
    ($rust:ident, $name:literal, $json:tt) => {
        impl JsonSchema for $rust {
            fn schema_name() -> Cow<'static, str> {
                stringify!($rust).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $json, "ansible_type": $name })
            }
        }
    };
}

/// A path on the target: `~` and `$VARIABLE` are expanded there. Type `path`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub String);
ansible_type!(Path, "path", "string");

impl Path {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl Deref for Path {
    type Target = std::path::Path;
    fn deref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}
impl AsRef<std::path::Path> for Path {
    fn as_ref(&self) -> &std::path::Path {
        self
    }
}

/// A size: `10`, `1K`, `2.5GB`. Type `bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);
ansible_type!(Bytes, "bytes", "integer");

/// Text in JSON; a list or dictionary is written as such. Type `json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(pub String);
ansible_type!(JsonText, "json", "string");

/// A dictionary with any content; also taken from JSON text and `k=v, k2=v2`. Type `dict`.
#[derive(Clone, Debug, Default)]
pub struct Dict(pub Map);
ansible_type!(Dict, "dict", "object");

impl Deref for Dict {
    type Target = Map;
    fn deref(&self) -> &Map {
        &self.0
    }
}
impl Serialize for Dict {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Value::map(self.0.clone()).serialize(s)
    }
}
impl<'de> Deserialize<'de> for Dict {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Dict, D::Error> {
        match Value::deserialize(d)? {
            Value::Map(map) => Ok(Dict((*map).clone())),
            other => Err(serde::de::Error::custom(format!(
                "a dictionary was expected, not {}",
                other.type_name()
            ))),
        }
    }
}
