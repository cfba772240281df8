//! `csvfile`: values of tables.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/csvfile_lookup.html>.

use super::Lookup;
use super::files::{read_encoded, tried};
use super::terms::{no_more_options, take};
use crate::Result;
use crate::kv;
use crate::template::call::{Call, error};
use crate::template::csv;
use crate::template::python;
use crate::value::{Map, Value};

/// Options of the lookup that a term can hold too.
const NAMES: &[&str] = &["file", "delimiter", "col", "keycol", "default", "encoding"];

/// What a term looks for; the options in it are added to `options`: those of later terms too.
fn key_of(term: &Value, options: &mut Map) -> Result<String> {
    let Some(text) = term.as_str() else {
        return Err(error(format!(
            "'{}' object has no attribute 'split'",
            term.type_name()
        )));
    };
    let mut key = None;
    for (name, value) in kv::parse(text, false)? {
        if name == kv::RAW {
            key = Some(value);
        } else if NAMES.contains(&name.as_str()) {
            options.insert(name.into(), value.into());
        } else {
            return Err(error(format!(
                "{} is not a valid option",
                python::quote(&name)
            )));
        }
    }
    key.ok_or_else(|| error("Search key is required but was not found"))
}

/// The number of a column; those below zero count from the end.
fn column(options: &Map, name: &str, default: i64) -> Result<i64> {
    let Some(given) = options.get(name).filter(|v| !v.is_null()) else {
        return Ok(default);
    };
    let number = match given {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Float(f) if f.fract() == 0.0 => Some(*f as i64),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| {
        error(format!(
            "Config '{name}' for 'csvfile' lookup plugin from 'Direct' has an invalid value: \
             Invalid value provided for 'int': {}",
            python::repr(given)
        ))
    })
}

fn cell(row: &[String], column: i64) -> Result<&String> {
    let index = match column {
        0.. => usize::try_from(column).ok(),
        _ => usize::try_from(-column)
            .ok()
            .and_then(|back| row.len().checked_sub(back)),
    };
    index
        .and_then(|i| row.get(i))
        .ok_or_else(|| error("list index out of range"))
}

fn csvfile(mut call: Call) -> Result<Vec<Value>> {
    let mut options = Map::default();
    for name in NAMES {
        if let Some(value) = take(&mut call, name) {
            options.insert((*name).into(), value);
        }
    }
    no_more_options(&call)?;
    if call.args.is_empty() {
        return Err(error("Search key is required but was not found"));
    }
    let mut out = Vec::new();
    for term in &call.args {
        let key = key_of(term, &mut options)?;
        let text = |name: &str, default: &str| match options.get(name) {
            None | Some(Value::Null) => default.to_string(),
            Some(value) => python::str(value),
        };
        let (col, keycol) = (column(&options, "col", 1)?, column(&options, "keycol", 0)?);
        let delimiter = match text("delimiter", "TAB").as_str() {
            "TAB" => '\t',
            other => match (other.chars().next(), other.chars().nth(1)) {
                (Some(one), None) => one,
                _ => return Err(error("\"delimiter\" must be a 1-character string")),
            },
        };
        let file = text("file", "ansible.csv");
        let path = call.templar.files().find("files", &file).map_err(|paths| {
            let message = "expected str, bytes or os.PathLike object, not NoneType";
            tried(error(message), &paths)
        })?;
        let content = read_encoded(&path, &text("encoding", "utf-8"))?;
        let mut found = None;
        for row in csv::parse(&content, delimiter, false) {
            if !row.is_empty() && *cell(&row, keycol)? == key {
                found = Some(Value::str(cell(&row, col)?));
                break;
            }
        }
        match found {
            Some(value) => out.push(value),
            None => match options.get("default") {
                Some(Value::List(items)) => out.extend(items.iter().cloned()),
                Some(Value::Null) | None => {}
                Some(other) => out.push(other.clone()),
            },
        }
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("csvfile", csvfile)];
