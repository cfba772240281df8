//! `first_found`: the first of some files that exists.
//!
//! Follows <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/first_found_lookup.html>.

use super::Lookup;
use super::terms::{no_more_options, take, truth};
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::filters::paths::join;
use crate::template::python;
use crate::value::{Map, Value};

/// The option with the folder that names are looked for in, beside the places themselves: only a
/// task's `with_first_found` has one, `lookup` does not.
pub const KIND: &str = "_subdir";

/// A list, or text with separators.
fn split(value: Option<&Value>, separators: &[char]) -> Vec<String> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items
            .iter()
            .flat_map(|item| split(Some(item), separators))
            .collect(),
        Some(other) => python::str(other)
            .split(separators)
            .map(|s| s.trim().to_string())
            .filter(|s| !s.is_empty())
            .collect(),
    }
}

/// The names to look for, in order, and whether finding none is fine.
fn names(term: &Value, options: &Map, out: &mut Vec<String>, skip: &mut bool) -> Result<()> {
    match term {
        Value::Map(map) => {
            for key in map.keys() {
                if !matches!(key.as_str(), Some("files" | "paths" | "skip")) {
                    return Err(error(format!(
                        "first_found has no option '{key}': it takes files, paths and skip"
                    )));
                }
            }
            let option = |name: &str| map.get(name).or_else(|| options.get(name));
            *skip |= option("skip").is_some_and(truth);
            let files = split(option("files"), &[',', ';']);
            let paths = split(option("paths"), &[',', ':', ';']);
            if paths.is_empty() {
                out.extend(files);
            } else {
                for path in &paths {
                    for file in &files {
                        out.push(join(&[path.clone(), file.clone()]));
                    }
                }
            }
            Ok(())
        }
        Value::List(items) => items.iter().try_for_each(|i| names(i, options, out, skip)),
        text if text.as_str().is_some() => {
            let name = python::str(text);
            let paths = split(options.get("paths"), &[',', ':', ';']);
            if paths.is_empty() {
                out.push(name);
            } else {
                out.extend(paths.into_iter().map(|p| join(&[p, name.clone()])));
            }
            Ok(())
        }
        other => Err(error(format!(
            "Invalid term supplied. A string, dict or list is required, not {}).",
            python::quote(other.type_name())
        ))),
    }
}

fn first_found(mut call: Call) -> Result<Vec<Value>> {
    let mut options = Map::default();
    for name in ["files", "paths", "skip"] {
        if let Some(value) = take(&mut call, name) {
            options.insert(name.into(), value);
        }
    }
    let kind = take(&mut call, KIND).map_or_else(String::new, |k| python::str(&k));
    no_more_options(&call)?;
    let mut candidates = Vec::new();
    let mut skip = options.get("skip").is_some_and(truth);
    if options.contains_key("files") {
        let mut own = options.clone();
        own.shift_remove("skip");
        names(
            &Value::map(own),
            &Map::default(),
            &mut candidates,
            &mut skip,
        )?;
    }
    for term in &call.args {
        names(term, &options, &mut candidates, &mut skip)?;
    }
    for name in &candidates {
        if let Ok(found) = call.templar.files().find(&kind, name) {
            return Ok(vec![Value::str(found.to_string_lossy())]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    let error = error("No file was found when using first_found.");
    Err(if candidates.is_empty() {
        error
    } else {
        error.hint(format!("looked for {}", candidates.join(", ")))
    })
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("first_found", first_found)];
