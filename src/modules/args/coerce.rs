//! Conversions between the types of values and of options, as Ansible's modules do them.

use super::spec::Type;
use crate::value::{Key, Map, Value};
use crate::{expand, json, python};

/// `value` as an option of type `kind`; elements of lists are left as they are. The error says why not.
pub(super) fn convert(kind: &Type, value: Value) -> Result<Value, String> {
    match kind {
        Type::Raw => Ok(value),
        Type::Str => Ok(Value::from(text(&value))),
        Type::Path => Ok(Value::from(expand::path(&text(&value)))),
        Type::Bool => boolean(&value).map(Value::Bool),
        Type::Int => integer(value),
        Type::Float => float(value),
        Type::List(_) => list(value),
        Type::Dict => dict(value),
        Type::Bytes => size(value),
        Type::Json => Ok(json(value)),
    }
}

/// Any value as text: Python's `str()`, but nothing for null.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => python::str(value),
    }
}

/// A boolean from a boolean, a number or one of YAML's and Python's words for it.
pub fn boolean(value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(b) => return Ok(*b),
        Value::Int(0) => return Ok(false),
        Value::Int(1) => return Ok(true),
        Value::Float(f) if *f == 0.0 => return Ok(false),
        Value::Float(f) if *f == 1.0 => return Ok(true),
        value => python::str(value),
    };
    match word.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false),
        _ => Err(format!(
            "The value '{word}' is not a valid boolean. Valid booleans include: 'on', 'true', '1', 't', 1, 'y', \
             'yes', 'off', 'false', '0', 'f', 0, 'n', 'no'"
        )),
    }
}

fn integer(value: Value) -> Result<Value, String> {
    let number = match &value {
        Value::Int(_) | Value::BigInt(_) | Value::Bool(_) => return Ok(value),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(*f as i64),
        Value::Str(s) => {
            let s = s.trim();
            s.replace('_', "").parse().ok().or_else(|| {
                let whole: f64 = s.parse().ok()?;
                (whole.fract() == 0.0 && whole.abs() < 9e15).then_some(whole as i64)
            })
        }
        _ => None,
    };
    number
        .map(Value::Int)
        .ok_or_else(|| format!("\"{}\" cannot be converted to an int", python::repr(&value)))
}

fn float(value: Value) -> Result<Value, String> {
    let number = match &value {
        Value::Float(f) => Some(*f),
        Value::Int(i) => Some(*i as f64),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Str(s) => s.trim().parse().ok(),
        _ => None,
    };
    number
        .map(Value::Float)
        .ok_or_else(|| format!("{} cannot be converted to a float", class(&value)))
}

fn class(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

fn list(value: Value) -> Result<Value, String> {
    match value {
        Value::List(_) => Ok(value),
        Value::Str(s) => Ok(Value::list(s.split(',').map(Value::str).collect())),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) => {
            Ok(Value::list(vec![Value::from(python::str(&value))]))
        }
        other => Err(format!("{} cannot be converted to a list", class(&other))),
    }
}

fn dict(value: Value) -> Result<Value, String> {
    match value {
        Value::Map(_) => Ok(value),
        Value::Str(s) => dict_from_text(&s).map(Value::map),
        other => Err(format!("{} cannot be converted to a dict", class(&other))),
    }
}

/// A dictionary from JSON or from `k=v, k2="v 2"`.
pub(super) fn dict_from_text(text: &str) -> Result<Map, String> {
    let refuse = || "dictionary requested, could not parse JSON or key=value".to_string();
    let text = text.trim();
    if text.starts_with('{') {
        let parsed = serde_json::from_str(text).map(Value::from_json).ok();
        return match parsed.or_else(|| python_literal(text)) {
            Some(Value::Map(map)) => Ok((*map).clone()),
            _ => Err("unable to evaluate string as dictionary".to_string()),
        };
    }
    if !text.contains('=') {
        return Err(refuse());
    }
    let mut map = Map::default();
    for field in split_fields(text) {
        let (key, value) = field.split_once('=').ok_or_else(refuse)?;
        map.insert(Key::from(key), Value::str(value));
    }
    Ok(map)
}

/// A dictionary as Python prints it: JSON but for the quotes and the three constants.
fn python_literal(text: &str) -> Option<Value> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let mut inner = String::new();
                loop {
                    match chars.next()? {
                        '\\' => match chars.next()? {
                            'n' => inner.push('\n'),
                            't' => inner.push('\t'),
                            'r' => inner.push('\r'),
                            other => inner.push(other),
                        },
                        end if end == c => break,
                        other => inner.push(other),
                    }
                }
                out.push_str(&serde_json::to_string(&inner).ok()?);
            }
            c if c.is_alphabetic() => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric()) {
                    word.push(c);
                }
                out.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    _ => return None,
                });
            }
            c => out.push(c),
        }
    }
    serde_json::from_str(&out).map(Value::from_json).ok()
}

/// Fields between commas and blanks; quotes keep both, a backslash keeps the character after it.
fn split_fields(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => field.extend(chars.next()),
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (',' | ' ', None) => fields.push(std::mem::take(&mut field)),
            (c, _) => field.push(c),
        }
    }
    fields.push(field);
    fields.retain(|f| !f.is_empty());
    fields
}

fn size(value: Value) -> Result<Value, String> {
    let bytes = match &value {
        Value::Int(i) => u64::try_from(*i).ok(),
        Value::Str(s) => parse_size(s),
        Value::Float(f) if *f >= 0.0 => Some(*f as u64),
        _ => None,
    };
    bytes
        .and_then(|b| i64::try_from(b).ok())
        .map(Value::Int)
        .ok_or_else(|| format!("{} cannot be converted to a Byte value", class(&value)))
}

/// `10`, `1K`, `1.5 MB`, `2GiB`... as a number of bytes.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim();
    let mut letters = unit.chars().map(|c| c.to_ascii_uppercase());
    let power = match letters.next() {
        None | Some('B') => 0,
        Some(c) => "KMGTPEZY".find(c)? as i32 + 1,
    };
    let rest: String = letters.collect();
    matches!(rest.as_str(), "" | "B" | "YTES" | "YTE" | "IB")
        .then(|| (number * 1024f64.powi(power)).round() as u64)
}

fn json(value: Value) -> Value {
    match value {
        Value::Str(s) => Value::from(s.trim()),
        Value::Map(_) | Value::List(_) => Value::from(spaced_json(&value.to_json())),
        other => Value::from(text(&other)),
    }
}

/// JSON with a blank after `,` and `:`, as Python writes it.
pub(crate) fn spaced_json(json: &serde_json::Value) -> String {
    use serde_json::Value as J;
    match json {
        J::Array(a) => {
            let items: Vec<String> = a.iter().map(spaced_json).collect();
            format!("[{}]", items.join(", "))
        }
        J::Object(o) => {
            let items: Vec<String> = o
                .iter()
                .map(|(k, v)| format!("{}: {}", json::quoted(k), spaced_json(v)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        J::String(text) => json::quoted(text),
        other => other.to_string(),
    }
}
