//! Lookups that read files on the controller.

use super::Lookup;
use super::terms::{no_more_options, take, truth};
use crate::Result;
use crate::source::Source;
use crate::template::call::{Call, error};
use crate::template::filters::paths::glob_files;
use crate::template::python;
use crate::template::{FileOptions, file_variables, managed};
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

/// As [`read`], as text in an encoding of that name. Errors where it is none.
pub fn read_encoded(path: &Path, encoding: &str) -> Result<String> {
    crate::encoding::decode(&read(path)?, encoding).map_err(error)
}

/// The error with a hint at the places where a file was looked for.
pub fn tried(error: crate::Error, paths: &[PathBuf]) -> crate::Error {
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    error.hint(format!("looked for it as {}", paths.join(", ")))
}

/// Where the file of a term is. Errors, naming the term, if it is nowhere.
pub fn find(call: &Call, kind: &str, name: &str) -> Result<PathBuf> {
    call.templar.files().find(kind, name).map_err(|paths| {
        let missing = error(format!(
            "Unable to access the file {}: File not found. Use -vvvvv to see paths searched.",
            python::quote(name)
        ));
        tried(missing, &paths)
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
                "Config 'template_vars' for 'template' lookup plugin from 'Direct' has an invalid value: \
                 Invalid value provided for 'dict': {}",
                python::repr(&other)
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
        let text = read_encoded(&path, "utf-8")?;
        let markers = [
            &options.variable_start_string,
            &options.block_start_string,
            &options.comment_start_string,
        ];
        // a file without a template is its text, even if there is none
        if !markers.into_iter().any(|marker| text.contains(marker)) && !text.starts_with("#jinja2:")
        {
            out.push(text.into());
            continue;
        }
        let source = Source::new(path.display().to_string(), text);
        let full = std::path::absolute(&path).unwrap_or(path);
        let mut extra = file_variables(&name, &full, None, "");
        let managed = match (call.templar.get("ansible_managed")?, call.templar.config()) {
            (Some(own), _) => own,
            (None, Some(config)) => managed(&config.ansible_managed, &full, &extra, call.templar)?,
            (None, None) => Value::str(""),
        };
        extra.insert(Key::from("ansible_managed"), managed);
        extra.insert(Key::from("template_destpath"), Value::Null);
        extra.extend(vars.clone());
        match call.templar.file_value(&source, options.clone(), extra)? {
            Value::Omit => {}
            value => out.push(value),
        }
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[
    ("file", file),
    ("fileglob", fileglob),
    ("template", template),
    ("unvault", unvault),
];
