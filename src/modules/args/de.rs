//! serde's view of a [`Value`], so that typed arguments are made without a detour over JSON.
//!
//! Every method here is compiled once more for each type that is read, and there are many: so there is one
//! kind of map and one kind of list, and what can only be a struct is not tried as anything else.

use crate::value::{Key, Map, Value};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// A `T` from a value. Fails if the value has another shape.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(De(value))
}

/// Why a value does not fit a type.
#[derive(Debug)]
pub struct Error(Box<str>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Error {}
impl de::Error for Error {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(msg: T) -> Error {
        Error(msg.to_string().into())
    }
}

#[derive(Clone, Copy)]
struct De<'a>(&'a Value);

impl De<'_> {
    /// The value, if it is not one of the types that serde has, as one that is.
    fn plain(self) -> Option<Value> {
        match self.0 {
            // the form in which `Value` takes a number beyond 64 bits
            Value::BigInt(digits) => Some(Value::map(super::map([(
                "$serde_json::private::Number",
                Value::str(&**digits),
            )]))),
            Value::Dynamic(d) => Some(Value::map(
                d.keys()
                    .into_iter()
                    .filter_map(|k| {
                        let value = d.get(&k).ok().flatten()?;
                        Some((Key::from(&*k), value))
                    })
                    .collect(),
            )),
            _ => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn unexpected(self, expected: &dyn de::Expected) -> Error {
        let found = match self.0 {
            Value::Null | Value::Omit | Value::Undefined(_) => Unexpected::Unit,
            Value::Bool(b) => Unexpected::Bool(*b),
            Value::Int(i) => Unexpected::Signed(*i),
            Value::Float(f) => Unexpected::Float(*f),
            Value::BigInt(_) => Unexpected::Other("a big integer"),
            Value::Str(s) => Unexpected::Str(s),
            Value::Template(t) => Unexpected::Str(&t.text),
            Value::Vault(v) => Unexpected::Str(&v.text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) | Value::Dynamic(_) => Unexpected::Map,
        };
        de::Error::invalid_type(found, expected)
    }

    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.0, self.plain()) {
            (Value::Map(map), _) => visitor.visit_map(Entries::new(map)),
            (Value::Dynamic(_), Some(plain)) => De(&plain).map(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Str(s) => visitor.visit_str(s),
            Value::Template(t) => visitor.visit_str(&t.text),
            Value::Vault(v) => visitor.visit_str(&v.text),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Float(f) => visitor.visit_f64(*f),
            _ => self.text(visitor),
        }
    }
}

macro_rules! as_one_kind {
    ($($method:ident => $kind:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$kind(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null | Value::Omit | Value::Undefined(_) => visitor.visit_unit(),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(map) => visitor.visit_map(Entries::new(map)),
            _ => match self.plain() {
                Some(plain) => De(&plain).deserialize_any(visitor),
                None => self.scalar(visitor),
            },
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

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.map(visitor)
    }

    /// Variants are words.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Str(s) => visitor.visit_enum(Word(s)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    as_one_kind! {
        deserialize_bool => scalar, deserialize_i8 => scalar, deserialize_i16 => scalar, deserialize_i32 => scalar,
        deserialize_i64 => scalar, deserialize_u8 => scalar, deserialize_u16 => scalar, deserialize_u32 => scalar,
        deserialize_u64 => scalar, deserialize_f32 => scalar, deserialize_f64 => scalar, deserialize_str => text,
        deserialize_string => text, deserialize_seq => list, deserialize_map => map
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// The entries of a map.
struct Entries<'a> {
    rest: indexmap::map::Iter<'a, Key, Value>,
    value: Option<&'a Value>,
}

impl<'a> Entries<'a> {
    fn new(map: &'a Map) -> Entries<'a> {
        Entries {
            rest: map.iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        match key.as_str() {
            Some(name) => seed.deserialize(Word(name)),
            None => seed.deserialize(Word(&key.to_string())),
        }
        .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(De(value)),
            None => Err(de::Error::custom("a value is asked for before its key")),
        }
    }
}

/// The items of a list.
struct Items<'a>(std::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.0
            .next()
            .map(|item| seed.deserialize(De(item)))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// A key, or the name of a variant.
struct Word<'a>(&'a str);

impl<'de> Deserializer<'de> for Word<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Error;
    type Variant = NoContent;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, NoContent), Error> {
        Ok((seed.deserialize(self)?, NoContent))
    }
}

/// What a variant that is a word holds.
struct NoContent;

impl<'de> de::VariantAccess<'de> for NoContent {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(de::Error::custom(
            "a variant that holds something is not a word",
        ))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }
}
