//! Lookups that only arrange their terms: what `with_items` and its kind loop over.

use super::Lookup;
use super::terms::{flatten, flatten_once, no_more_options, truth};
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::filters::sequences::cartesian;
use crate::template::python;
use crate::template::random::Random;
use crate::value::{Key, Map, Value};
use std::sync::Arc;

fn items(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    Ok(flatten_once(&call.args))
}

fn list(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    Ok(call.args)
}

/// The entries of mappings as `{key, value}`.
fn dict(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in flatten_once(&call.args) {
        let Value::Map(map) = &term else {
            return Err(error(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{}' of type <class '{}'>)",
                python::str(&term),
                term.type_name()
            )));
        };
        for (key, value) in map.iter() {
            let mut entry = Map::default();
            entry.insert(Key::from("key"), key.to_value());
            entry.insert(Key::from("value"), value.clone());
            out.push(Value::map(entry));
        }
    }
    Ok(out)
}

/// Each term as a list; what is none stands alone in one.
fn lists(terms: &[Value]) -> Vec<Vec<Value>> {
    terms
        .iter()
        .map(|term| match term {
            Value::List(items) => items.to_vec(),
            other => vec![other.clone()],
        })
        .collect()
}

fn flat_row(row: Vec<Value>) -> Value {
    Value::list(flatten_once(&row))
}

/// Each choice of one item per list.
fn nested(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    if call.args.is_empty() {
        return Err(error(
            "with_nested requires at least one element in the nested list",
        ));
    }
    let lists = lists(&call.args);
    let lists: Vec<_> = lists.iter().collect();
    Ok(cartesian(&lists).into_iter().map(flat_row).collect())
}

/// The first items together, the second ones, and so on; missing ones are null.
fn together(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    if call.args.is_empty() {
        return Err(error(
            "with_together requires at least one element in each list",
        ));
    }
    let lists = lists(&call.args);
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..length)
        .map(|i| {
            let row = lists.iter().map(|l| l.get(i).cloned().unwrap_or_default());
            flat_row(row.collect())
        })
        .collect())
}

/// community.general's: all lists in one, however deep.
fn flattened(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let mut out = Vec::new();
    call.args.iter().for_each(|term| flatten(&mut out, term));
    out.retain(|v| !matches!(v.as_str(), Some("None" | "null")) && !v.is_null());
    Ok(out)
}

fn indexed_items(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    Ok(flatten_once(&call.args)
        .into_iter()
        .enumerate()
        .map(|(i, v)| Value::list(vec![Value::Int(i as i64), v]))
        .collect())
}

fn random_choice(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    if call.args.is_empty() {
        return Ok(Vec::new());
    }
    let i = Random::System.below(call.args.len() as u64)? as usize;
    Ok(vec![call.args[i].clone()])
}

/// community.general's `cartesian`: as `nested`.
fn cartesian_lookup(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    if call.args.is_empty() {
        return Err(error(
            "with_cartesian requires at least one element in each list",
        ));
    }
    let lists = lists(&call.args);
    let lists: Vec<_> = lists.iter().collect();
    Ok(cartesian(&lists).into_iter().map(flat_row).collect())
}

const SUBELEMENTS: &str = "subelements lookup expects a list of two or three items,";

/// `[object, item]` for each item of the list that each object has under a key. The object is given
/// without that list.
fn subelements(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    if !(2..=3).contains(&call.args.len()) {
        return Err(error(SUBELEMENTS));
    }
    let wrong = || {
        error(format!(
            "{SUBELEMENTS} first a dict or a list, second a string pointing to the subkey"
        ))
    };
    let path = call.args[1].as_str().ok_or_else(wrong)?;
    let keys: Vec<&str> = path.split('.').collect();
    let skip_missing = match call.args.get(2) {
        None => false,
        Some(Value::Map(flags)) => {
            if let Some(key) = flags.keys().find(|k| k.as_str() != Some("skip_missing")) {
                return Err(error(format!(
                    "{SUBELEMENTS} the optional third item must be a dict with flags ('skip_missing',), not '{key}'"
                )));
            }
            flags.get("skip_missing").is_some_and(truth)
        }
        Some(_) => {
            return Err(error(format!(
                "{SUBELEMENTS} the optional third item must be a dict with flags ('skip_missing',)"
            )));
        }
    };
    let objects: Vec<Value> = match &call.args[0] {
        Value::List(items) => items.to_vec(),
        Value::Map(map) => map.values().cloned().collect(),
        _ => return Err(wrong()),
    };
    let mut out = Vec::new();
    for object in objects {
        let Value::Map(entries) = &object else {
            return Err(error(format!(
                "subelements lookup expects a dictionary, got '{}'",
                python::str(&object)
            )));
        };
        if entries
            .get("skipped")
            .is_some_and(|v| *v == Value::Bool(true))
        {
            continue;
        }
        let (values, rest) = match take_path(entries, &keys) {
            Ok(found) => found,
            Err(Astray { missing: true, .. }) if skip_missing => continue,
            Err(Astray { words, .. }) => return Err(error(words)),
        };
        let rest = Value::map(rest);
        for value in values.iter() {
            out.push(Value::list(vec![rest.clone(), value.clone()]));
        }
    }
    Ok(out)
}

/// Why there is no list at a path.
struct Astray {
    words: String,
    /// Whether the path ends early, which may be passed over. What is there in place of a list may not.
    missing: bool,
}

/// The list at a path and the map without it.
fn take_path(map: &Map, path: &[&str]) -> Result<(Arc<Vec<Value>>, Map), Astray> {
    let astray = |words, missing| Err(Astray { words, missing });
    let [key, deeper @ ..] = path else {
        return astray("an empty path".to_string(), false);
    };
    let Some(value) = map.get(*key) else {
        let item = python::repr(&Value::map(map.clone()));
        return astray(
            format!("could not find '{key}' key in iterated item '{item}'"),
            true,
        );
    };
    let mut rest = map.clone();
    match (value, deeper) {
        (Value::List(found), []) => {
            rest.shift_remove(*key);
            Ok((Arc::clone(found), rest))
        }
        (other, []) => {
            let words = format!(
                "the key {key} should point to a list, got '{}'",
                python::str(other)
            );
            astray(words, false)
        }
        (Value::Map(inner), _) => {
            let (found, inner) = take_path(inner, deeper)?;
            rest.insert(Key::Str(Arc::from(*key)), Value::map(inner));
            Ok((found, rest))
        }
        (other, _) => {
            let words = format!(
                "the key {key} should point to a dictionary, got '{}'",
                python::str(other)
            );
            astray(words, true)
        }
    }
}

pub static LOOKUPS: &[(&str, Lookup)] = &[
    ("cartesian", cartesian_lookup),
    ("dict", dict),
    ("flattened", flattened),
    ("indexed_items", indexed_items),
    ("items", items),
    ("list", list),
    ("nested", nested),
    ("random_choice", random_choice),
    ("subelements", subelements),
    ("together", together),
];
