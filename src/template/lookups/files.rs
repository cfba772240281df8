//! Lookups that read files on the controller.

use super::Lookup;
use super::terms::{no_more_options, take, truth};
use crate::Result;
use crate::source::Source;
use crate::template::FileOptions;
use crate::template::call::{Call, error};
use crate::template::filters::paths::glob_files;
use crate::template::python;
use crate::value::{Key, Map, Value};
use crate::vault;
use std::path::{Path, PathBuf};

/// The bytes of a file, decrypted if they are a vault's.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let data = std::fs::read(path).map_err(|e| {
        error(format!(
            "Unable to read the file {:?}: {e}",
            path.display().to_string()
        ))
    })?;
    if vault::is_encrypted(&data) {
        return vault::secrets()
            .decrypt(&data)
            .map_err(|e| e.context(path.display()));
    }
    Ok(data)
}

/// As [`read`], as text.
pub fn read_text(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// Where the file of a term is. Errors, naming the term, if it is nowhere.
pub fn find(call: &Call, kind: &str, name: &str) -> Result<PathBuf> {
    call.templar.files().find(kind, name).map_err(|tried| {
        let tried: Vec<String> = tried.iter().map(|p| p.display().to_string()).collect();
        error(format!(
            "Unable to access the file {}: File not found. Use -vvvvv to see paths searched.",
            python::quote(name)
        ))
        .hint(format!("looked for it as {}", tried.join(", ")))
    })
}

fn file(mut call: Call) -> Result<Vec<Value>> {
    let left = take(&mut call, "lstrip").is_some_and(|v| truth(&v));
    let right = take(&mut call, "rstrip").is_none_or(|v| truth(&v));
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let path = find(&call, "files", &python::str(term))?;
        let text = read_text(&path)?;
        let text = if left { text.trim_start() } else { &text };
        out.push(Value::str(if right { text.trim_end() } else { text }));
    }
    Ok(out)
}

fn unvault(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let path = find(&call, "files", &python::str(term))?;
        out.push(Value::from(read_text(&path)?));
    }
    Ok(out)
}

/// Files that match a pattern, in the first of the folders where some do.
fn fileglob(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let pattern = python::str(term);
        for candidate in call.templar.files().candidates("files", &pattern) {
            let found = glob_files(&candidate.to_string_lossy());
            if !found.is_empty() {
                out.extend(found.iter().map(|p| Value::str(p.to_string_lossy())));
                break;
            }
        }
    }
    Ok(out)
}

/// Templates, rendered with the variables at hand.
fn template(mut call: Call) -> Result<Vec<Value>> {
    let mut options = FileOptions::default();
    for (name, field) in [
        ("variable_start_string", &mut options.variable_start_string),
        ("variable_end_string", &mut options.variable_end_string),
        ("comment_start_string", &mut options.comment_start_string),
        ("comment_end_string", &mut options.comment_end_string),
    ] {
        if let Some(value) = take(&mut call, name) {
            *field = python::str(&value);
        }
    }
    for (name, field) in [
        ("trim_blocks", &mut options.trim_blocks),
        ("lstrip_blocks", &mut options.lstrip_blocks),
    ] {
        if let Some(value) = take(&mut call, name) {
            *field = truth(&value);
        }
    }
    // both have had no effect since templates keep the types of what they print
    take(&mut call, "jinja2_native");
    take(&mut call, "convert_data");
    let vars = match take(&mut call, "template_vars") {
        None | Some(Value::Null) => Map::default(),
        Some(Value::Map(map)) => Map::clone(&map),
        Some(other) => {
            return Err(error(format!(
                "template_vars must be a dictionary, not {}",
                other.type_name()
            )));
        }
    };
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let name = python::str(term);
        let path = call.templar.files().find("templates", &name).map_err(|_| {
            error(format!(
                "the template file {name} could not be found for the lookup"
            ))
        })?;
        let source = Source::new(path.display().to_string(), read_text(&path)?);
        let mut extra = vars.clone();
        extra.insert(
            Key::from("template_path"),
            Value::str(path.to_string_lossy()),
        );
        let text = call.templar.render_file(&source, options.clone(), extra)?;
        out.push(text.into());
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[
    ("file", file),
    ("fileglob", fileglob),
    ("template", template),
    ("unvault", unvault),
];
