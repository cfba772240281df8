//! The one data type of variables, arguments and results.
//!
//! JSON's types, ordered, cheap to clone (containers are shared), and two more that only text
//! written by the user can be: [`Value::Template`] and [`Value::Vault`]. What comes from hosts,
//! facts and lookups is built as [`Value::Str`] and so can never be templated: that rule is kept
//! by the type, not by a check.

use crate::source::Location;
use indexmap::{Equivalent, IndexMap};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A dictionary in its order of insertion.
pub type Map = IndexMap<Key, Value, foldhash::fast::RandomState>;

/// A value of a variable, an argument or a result.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits with an optional minus sign.
    BigInt(Arc<str>),
    Float(f64),
    /// Text that is never templated.
    Str(Text),
    /// Text from the user's own files that holds a template.
    Template(Arc<Template>),
    /// Text from the user's own files that is encrypted.
    Vault(Arc<Vault>),
    List(Arc<Vec<Value>>),
    Map(Arc<Map>),
    /// Something computed when asked for, such as `hostvars`.
    Dynamic(Arc<dyn Dynamic>),
    /// The `omit` placeholder: an argument with this value was not given.
    Omit,
    /// What names nothing, with the words of the error that using it is. Lives only while a template
    /// is evaluated (`x | default(1)`, `map(attribute='x') | select('defined')`): no rendering returns it.
    Undefined(Arc<str>),
}

/// Plain text, which remembers whether it was written by the user. Ansible calls such text trusted: what a variable
/// of it says may become a condition, which text from a host, a lookup or a filter may not.
#[derive(Clone, Debug, Default)]
pub struct Text {
    text: Arc<str>,
    trusted: bool,
}

impl Text {
    /// Text from the user's own files or command line.
    pub fn trusted(text: impl Into<Arc<str>>) -> Text {
        Text {
            text: text.into(),
            trusted: true,
        }
    }
    /// Whether the user wrote this text.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }
    /// The text alone.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}
impl<T: Into<Arc<str>>> From<T> for Text {
    /// Text that came from elsewhere: nothing says that the user wrote it.
    fn from(text: T) -> Text {
        Text {
            text: text.into(),
            trusted: false,
        }
    }
}
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.text
    }
}
/// Who wrote it makes no difference to what it says.
impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.text == other.text
    }
}
impl Eq for Text {}

/// A text that holds a template, and where the text starts.
#[derive(Debug)]
pub struct Template {
    pub text: Arc<str>,
    /// Place of the text's first character; none for text from the command line.
    pub at: Option<Location>,
    /// Whether offsets in `text` are offsets in the source line too (plain or quoted, one line, no escapes).
    pub verbatim: bool,
}

/// The text of a `!vault` scalar, still encrypted.
#[derive(Debug)]
pub struct Vault {
    pub text: Arc<str>,
    pub at: Option<Location>,
}

/// A mapping whose entries are made on demand.
pub trait Dynamic: fmt::Debug + Send + Sync {
    /// The entry under `key`, fully rendered; `Ok(None)` if there is none.
    fn get(&self, key: &str) -> crate::Result<Option<Value>>;
    /// All keys, in order.
    fn keys(&self) -> Vec<Arc<str>>;
    /// The words of the error that asking for a key is that there is not.
    fn missing(&self, key: &str) -> String {
        format!("object of type 'dict' has no attribute '{key}'")
    }
}

impl Value {
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(Text::from(text.as_ref()))
    }

    /// Text from the user: a template if it looks like one, else plain text.
    pub fn user_text(text: &str, at: Option<&Location>) -> Value {
        if is_template(text) {
            Value::Template(Arc::new(Template {
                text: Arc::from(text),
                at: at.cloned(),
                verbatim: true,
            }))
        } else {
            Value::Str(Text::trusted(text))
        }
    }

    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    pub fn map(map: Map) -> Value {
        Value::Map(Arc::new(map))
    }

    /// The text of a string; for a template its source text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            Value::Template(t) => Some(&t.text),
            _ => None,
        }
    }
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(l) => Some(l),
            _ => None,
        }
    }
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
    /// The entry of a map; none for anything else.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Whether any part of the value is still to be rendered or decrypted.
    pub fn needs_render(&self) -> bool {
        match self {
            Value::Template(_) | Value::Vault(_) => true,
            Value::List(l) => l.iter().any(Value::needs_render),
            Value::Map(m) => m
                .iter()
                .any(|(k, v)| matches!(k, Key::Other(k) if k.needs_render()) || v.needs_render()),
            _ => false,
        }
    }

    /// Python's truth: empty and zero are false.
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Null | Value::Omit | Value::Undefined(_) => false,
            Value::Bool(b) => *b,
            Value::Int(i) => *i != 0,
            Value::BigInt(_) => true,
            Value::Float(f) => *f != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::Template(t) => !t.text.is_empty(),
            Value::Vault(_) => true,
            Value::List(l) => !l.is_empty(),
            Value::Map(m) => !m.is_empty(),
            Value::Dynamic(d) => !d.keys().is_empty(),
        }
    }

    /// The Python type name that Ansible's messages use: `str`, `int`, `dict`, ...
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) | Value::Template(_) | Value::Vault(_) => "str",
            Value::List(_) => "list",
            Value::Map(_) | Value::Dynamic(_) => "dict",
            Value::Omit => "Omit",
            Value::Undefined(_) => "Undefined",
        }
    }

    /// From JSON; every string is inert text.
    pub fn from_json(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => {
                let text = n.to_string();
                if let Some(i) = n.as_i64() {
                    Value::Int(i)
                } else if text.contains(['.', 'e', 'E']) {
                    n.as_f64().map_or(Value::Null, Value::Float)
                } else {
                    Value::BigInt(Arc::from(text))
                }
            }
            serde_json::Value::String(s) => Value::from(s),
            serde_json::Value::Array(a) => {
                Value::list(a.into_iter().map(Value::from_json).collect())
            }
            serde_json::Value::Object(o) => Value::map(
                o.into_iter()
                    .map(|(k, v)| (Key::from(k), Value::from_json(v)))
                    .collect(),
            ),
        }
    }

    /// To JSON; keys that are not text become text as Python's json does it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Value::Null | Value::Omit | Value::Undefined(_) => J::Null,
            Value::Bool(b) => J::Bool(*b),
            Value::Int(i) => J::from(*i),
            Value::BigInt(d) => serde_json::from_str(d).unwrap_or(J::Null),
            Value::Float(f) => serde_json::Number::from_f64(*f).map_or(J::Null, J::Number),
            Value::Str(s) => J::String(s.to_string()),
            Value::Template(t) => J::String(t.text.to_string()),
            Value::Vault(v) => J::String(v.text.to_string()),
            Value::List(l) => J::Array(l.iter().map(Value::to_json).collect()),
            Value::Map(m) => J::Object(
                m.iter()
                    .map(|(k, v)| (k.to_string(), v.to_json()))
                    .collect(),
            ),
            Value::Dynamic(d) => J::Object(
                d.keys()
                    .into_iter()
                    .filter_map(|k| Some((k.to_string(), d.get(&k).ok()??.to_json())))
                    .collect(),
            ),
        }
    }

    /// From anything that serde can serialize. Errors only if `value` itself refuses.
    pub fn from_serialize(value: impl Serialize) -> crate::Result<Value> {
        serde_json::to_value(value)
            .map(Value::from_json)
            .map_err(|e| crate::Error::new(crate::error::Kind::Unexpected, e.to_string()))
    }
}

/// Whether a text holds a template: one of Jinja's three openings.
pub fn is_template(text: &str) -> bool {
    text.as_bytes()
        .windows(2)
        .any(|w| w[0] == b'{' && matches!(w[1], b'{' | b'%' | b'#'))
}

/// Equality as Python has it: `1 == 1.0 == True`, templates by their text.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        use Value::*;
        match (self, other) {
            (Null, Null) | (Omit, Omit) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (Bool(b), Int(i)) | (Int(i), Bool(b)) => i64::from(*b) == *i,
            (Float(a), Float(b)) => a == b,
            (Int(i), Float(f)) | (Float(f), Int(i)) => *i as f64 == *f,
            (Bool(b), Float(f)) | (Float(f), Bool(b)) => f64::from(u8::from(*b)) == *f,
            (BigInt(a), BigInt(b)) => a == b,
            (Str(a), Str(b)) => a == b,
            (Template(a), Template(b)) => a.text == b.text,
            (Vault(a), Vault(b)) => a.text == b.text,
            (List(a), List(b)) => a == b,
            (Map(a), Map(b)) => a == b,
            (Dynamic(a), Dynamic(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A dictionary's key. Nearly always text; YAML allows any scalar.
#[derive(Clone)]
pub enum Key {
    Str(Arc<str>),
    /// Anything else, templates included.
    Other(Box<Value>),
}

impl Key {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Key::Str(s) => Some(s),
            Key::Other(_) => None,
        }
    }
    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Key::Str(s) => Value::from(Arc::clone(s)),
            Key::Other(v) => (**v).clone(),
        }
    }
    /// A key from a value; plain text becomes [`Key::Str`].
    pub fn from_value(value: Value) -> Key {
        match value {
            Value::Str(s) => Key::Str(s.text),
            other => Key::Other(Box::new(other)),
        }
    }
}

/// As Python's json module writes keys.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Str(s) => f.write_str(s),
            Key::Other(v) => match &**v {
                Value::Null => f.write_str("null"),
                Value::Bool(b) => write!(f, "{b}"),
                Value::Int(i) => write!(f, "{i}"),
                Value::BigInt(d) => f.write_str(d),
                Value::Float(x) => write!(f, "{x:?}"),
                other => f.write_str(other.as_str().unwrap_or("")),
            },
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Str(s) => fmt::Debug::fmt(s, f),
            Key::Other(v) => fmt::Debug::fmt(v, f),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Str(a), Key::Str(b)) => a == b,
            (Key::Other(a), Key::Other(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // as `str` hashes itself, so that a map can be asked with a `&str`
            Key::Str(s) => (**s).hash(state),
            // equal values hash alike: True, 1 and 1.0 are one key
            Key::Other(v) => match &**v {
                Value::Bool(b) => i64::from(*b).hash(state),
                Value::Int(i) => i.hash(state),
                Value::Float(f) if f.fract() == 0.0 => (*f as i64).hash(state),
                Value::Float(f) => f.to_bits().hash(state),
                Value::BigInt(d) => d.hash(state),
                other => other.as_str().unwrap_or("").hash(state),
            },
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(key, Key::Str(s) if **s == *self)
    }
}

impl From<&str> for Key {
    fn from(s: &str) -> Key {
        Key::Str(Arc::from(s))
    }
}
impl From<String> for Key {
    fn from(s: String) -> Key {
        Key::Str(Arc::from(s))
    }
}
impl From<Arc<str>> for Key {
    fn from(s: Arc<str>) -> Key {
        Key::Str(s)
    }
}
impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::str(s)
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(Text::from(s))
    }
}
impl From<Arc<str>> for Value {
    fn from(s: Arc<str>) -> Value {
        Value::Str(Text::from(s))
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Value {
        Value::Int(i)
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(f)
    }
}
impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::list(items)
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::map(map)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null | Value::Omit | Value::Undefined(_) => s.serialize_unit(),
            Value::Bool(b) => s.serialize_bool(*b),
            Value::Int(i) => s.serialize_i64(*i),
            Value::BigInt(_) | Value::Dynamic(_) => self.to_json().serialize(s),
            Value::Float(f) => s.serialize_f64(*f),
            Value::Str(t) => s.serialize_str(t),
            Value::Template(t) => s.serialize_str(&t.text),
            Value::Vault(v) => s.serialize_str(&v.text),
            Value::List(l) => {
                let mut seq = s.serialize_seq(Some(l.len()))?;
                for item in l.iter() {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(m) => {
                let mut map = s.serialize_map(Some(m.len()))?;
                for (key, value) in m.iter() {
                    match key {
                        Key::Str(k) => map.serialize_entry(&**k, value)?,
                        other => map.serialize_entry(&other.to_string(), value)?,
                    }
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Value, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
                Value::deserialize(d)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_i64<E>(self, i: i64) -> Result<Value, E> {
                Ok(Value::Int(i))
            }
            fn visit_u64<E>(self, u: u64) -> Result<Value, E> {
                Ok(i64::try_from(u)
                    .map_or_else(|_| Value::BigInt(Arc::from(u.to_string())), Value::Int))
            }
            fn visit_f64<E>(self, f: f64) -> Result<Value, E> {
                Ok(Value::Float(f))
            }
            fn visit_str<E: de::Error>(self, s: &str) -> Result<Value, E> {
                Ok(Value::str(s))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4096));
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::list(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
                let mut map = Map::default();
                while let Some((key, value)) = access.next_entry::<String, Value>()? {
                    // serde_json hands numbers over as a map of this one key (arbitrary_precision)
                    if key == "$serde_json::private::Number"
                        && let Some(text) = value.as_str()
                    {
                        let json = serde_json::from_str(text).map_err(de::Error::custom)?;
                        return Ok(Value::from_json(json));
                    }
                    map.insert(Key::from(key), value);
                }
                Ok(Value::map(map))
            }
        }
        d.deserialize_any(V)
    }
}

/// Anything goes: used where a module takes a raw value.
impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_asked_with_plain_text() {
        let mut map = Map::default();
        map.insert("a".into(), Value::Int(1));
        map.insert(Key::Other(Box::new(Value::Int(80))), "http".into());
        assert_eq!(map.get("a"), Some(&Value::Int(1)));
        assert_eq!(
            map.get(&Key::Other(Box::new(Value::Int(80)))),
            Some(&"http".into())
        );
        assert_eq!(map.get("80"), None);
    }

    #[test]
    fn json_goes_there_and_back() {
        let text = r#"{"a":[1,2.5,null,true,"x"],"big":123456789012345678901234567890}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert_eq!(value.to_json().to_string(), text);
    }

    #[test]
    fn text_with_an_opening_is_a_template() {
        assert!(matches!(
            Value::user_text("{{ a }}", None),
            Value::Template(_)
        ));
        assert!(matches!(Value::user_text("a {b}", None), Value::Str(_)));
    }
}
