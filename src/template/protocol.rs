//! What Python's operators do with values: iterating, comparing, indexing.

use super::call::error;
use super::python;
use crate::Result;
use crate::value::{Key, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// The items of `for item in value`: a list's items, a dictionary's keys, a text's characters.
pub fn iterate(value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::List(items) => Ok(items.to_vec()),
        Value::Map(map) => Ok(map.keys().map(Key::to_value).collect()),
        Value::Dynamic(d) => Ok(d.keys().into_iter().map(Value::from).collect()),
        Value::Str(text) => Ok(characters(text)),
        Value::Undefined(message) => Err(undefined(message)),
        other => match other.as_str() {
            Some(text) => Ok(characters(text)),
            None => Err(error(format!(
                "'{}' object is not iterable",
                other.type_name()
            ))),
        },
    }
}

fn characters(text: &str) -> Vec<Value> {
    text.chars().map(|c| Value::str(c.to_string())).collect()
}

/// The error that using an undefined value is.
pub fn undefined(message: &str) -> crate::Error {
    crate::Error::new(crate::error::Kind::Undefined, message)
}

/// `len(value)`.
pub fn length(value: &Value) -> Result<usize> {
    match value {
        Value::List(items) => Ok(items.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Dynamic(d) => Ok(d.keys().len()),
        Value::Undefined(message) => Err(undefined(message)),
        other => match other.as_str() {
            Some(text) => Ok(text.chars().count()),
            None => Err(error(format!(
                "object of type '{}' has no len()",
                other.type_name()
            ))),
        },
    }
}

/// A number as a float, for comparing and calculating; booleans count as numbers.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(i) => Some(*i as f64),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

/// A whole number as such; booleans count as numbers.
pub fn integer(value: &Value) -> Option<num_bigint::BigInt> {
    match value {
        Value::Bool(b) => Some(i64::from(*b).into()),
        Value::Int(i) => Some((*i).into()),
        Value::BigInt(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// A whole number of any size as a value.
pub fn from_integer(number: &num_bigint::BigInt) -> Value {
    i64::try_from(number).map_or_else(|_| Value::BigInt(Arc::from(number.to_string())), Value::Int)
}

/// Python's order of two values, as `<` and `sort` use it; an error for types that have none.
pub fn compare(a: &Value, b: &Value) -> Result<Ordering> {
    if let (Some(x), Some(y)) = (integer(a), integer(b)) {
        return Ok(x.cmp(&y));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(x.partial_cmp(&y).unwrap_or(Ordering::Equal));
    }
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        return Ok(x.cmp(y));
    }
    if let (Value::List(x), Value::List(y)) = (a, b) {
        for (x, y) in x.iter().zip(y.iter()) {
            if x != y {
                return compare(x, y);
            }
        }
        return Ok(x.len().cmp(&y.len()));
    }
    for side in [a, b] {
        if let Value::Undefined(message) = side {
            return Err(undefined(message));
        }
    }
    Err(error(format!(
        "'<' not supported between instances of '{}' and '{}'",
        a.type_name(),
        b.type_name()
    )))
}

/// A stable sort that gives up at the first pair without an order.
pub fn sort_by_key(items: &mut [(Value, Value)], reverse: bool) -> Result<()> {
    let mut failed = None;
    items.sort_by(|(a, _), (b, _)| {
        // as Python does it: reversed order keeps equal items in their order
        let order = if reverse {
            compare(b, a)
        } else {
            compare(a, b)
        };
        order.unwrap_or_else(|e| {
            failed.get_or_insert(e);
            Ordering::Equal
        })
    });
    failed.map_or(Ok(()), Err)
}

/// `value[key]`, or the attribute of that name; undefined if there is neither.
pub fn get_item(value: &Value, key: &Value) -> Result<Value> {
    let found = match (value, key) {
        (Value::Undefined(_), _) => return Ok(value.clone()),
        (_, Value::Undefined(_)) => return Ok(key.clone()),
        (Value::Map(map), key) => map.get(&Key::from_value(key.clone())).cloned(),
        (Value::Dynamic(d), key) => match key.as_str() {
            Some(name) => d.get(name)?,
            None => None,
        },
        (Value::List(items), Value::Int(i)) => at(items.len(), *i).map(|i| items[i].clone()),
        (text, Value::Int(i)) if text.as_str().is_some() => {
            let chars: Vec<char> = text.as_str().unwrap_or("").chars().collect();
            at(chars.len(), *i).map(|i| Value::str(chars[i].to_string()))
        }
        _ => None,
    };
    Ok(found.unwrap_or_else(|| missing(value, key)))
}

fn at(length: usize, index: i64) -> Option<usize> {
    let index = if index < 0 {
        index + length as i64
    } else {
        index
    };
    usize::try_from(index).ok().filter(|i| *i < length)
}

/// The undefined value of an attribute that is not there.
pub fn missing(value: &Value, key: &Value) -> Value {
    Value::Undefined(Arc::from(format!(
        "object of type '{}' has no attribute {}",
        value.type_name(),
        python::repr(key)
    )))
}

/// `attribute=` of Jinja's filters: a number, or names and numbers with dots between them.
pub fn attribute(value: &Value, path: &Value) -> Result<Value> {
    attribute_or(value, path, None)
}

/// As [`attribute`]; each part that is not there becomes the default, which the next part looks into.
pub fn attribute_or(value: &Value, path: &Value, default: Option<&Value>) -> Result<Value> {
    let or_default = |found: Value| match (&found, default) {
        (Value::Undefined(_), Some(default)) => default.clone(),
        _ => found,
    };
    let Some(text) = path.as_str() else {
        return get_item(value, path).map(or_default);
    };
    let mut current = value.clone();
    for part in text.split('.') {
        let key = match part.parse::<i64>() {
            Ok(i) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(i),
            _ => Value::str(part),
        };
        current = or_default(get_item(&current, &key)?);
    }
    Ok(current)
}

/// Text in lower case for comparing without case; everything else as it is.
pub fn fold_case(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => Value::str(text.to_lowercase()),
        None => value.clone(),
    }
}
