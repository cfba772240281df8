//! serde's view of a [`Value`], so that typed arguments are made without a detour over JSON.

use crate::value::{Key, Value};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// A `T` from a value. Fails if the value has another shape.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(De(value))
}

/// Why a value does not fit a type.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Error {}
impl de::Error for Error {
    fn custom<T: fmt::Display>(msg: T) -> Error {
        Error(msg.to_string())
    }
}

struct De<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, Error> for De<'de> {
    type Deserializer = De<'de>;
    fn into_deserializer(self) -> De<'de> {
        self
    }
}

impl<'de> Deserializer<'de> for De<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null | Value::Omit | Value::Undefined(_) => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Float(f) => visitor.visit_f64(*f),
            // the form in which `Value` takes a number beyond 64 bits
            Value::BigInt(digits) => visitor.visit_map(MapDeserializer::new(std::iter::once((
                "$serde_json::private::Number",
                &**digits,
            )))),
            Value::Str(s) => visitor.visit_borrowed_str(s),
            Value::Template(t) => visitor.visit_borrowed_str(&t.text),
            Value::Vault(v) => visitor.visit_borrowed_str(&v.text),
            Value::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(De))),
            Value::Map(map) => visitor.visit_map(MapDeserializer::new(
                map.iter().map(|(k, v)| (key_text(k), De(v))),
            )),
            Value::Dynamic(d) => {
                let entries = d.keys().into_iter().filter_map(|k| {
                    let value = d.get(&k).ok().flatten()?;
                    Some((k.to_string(), value.to_json()))
                });
                let map: serde_json::Map<_, _> = entries.collect();
                serde_json::Value::Object(map)
                    .deserialize_any(visitor)
                    .map_err(de::Error::custom)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null | Value::Omit => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Str(s) => visitor.visit_enum((**s).into_deserializer()),
            other => other
                .to_json()
                .deserialize_enum(name, variants, visitor)
                .map_err(de::Error::custom),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn key_text(key: &Key) -> String {
    key.to_string()
}
