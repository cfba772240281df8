//! Lookups of a value in a CSV, INI or properties file.

use super::Lookup;
use super::files::{find, read_text};
use super::terms::{self, flatten_once, no_more_options, take, truth};
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::csv;
use crate::template::python;
use crate::template::regex::{self, Flags};
use crate::value::{Map, Value};

/// The options of a call, and for each term its word with the options as the term changes them.
fn with_terms(call: &mut Call, names: &[&str]) -> Result<Vec<(String, Map)>> {
    let mut base = Map::default();
    for name in names {
        if let Some(value) = take(call, name) {
            base.insert((*name).into(), value);
        }
    }
    no_more_options(call)?;
    flatten_once(&call.args)
        .iter()
        .map(|term| {
            let parsed = terms::split(term)?;
            let mut options = base.clone();
            for (name, value) in parsed.pairs {
                if !names.contains(&name.as_str()) {
                    return Err(error(format!("{name} is not a valid option.")));
                }
                options.insert(name.into(), value.into());
            }
            Ok((parsed.word, options))
        })
        .collect()
}

fn text(options: &Map, name: &str, default: &str) -> String {
    options
        .get(name)
        .map_or_else(|| default.to_string(), python::str)
}

fn utf8_only(options: &Map) -> Result<()> {
    match text(options, "encoding", "utf-8").to_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(()),
        other => Err(error(format!("the encoding '{other}' is not supported"))),
    }
}

fn csvfile(mut call: Call) -> Result<Vec<Value>> {
    const NAMES: &[&str] = &["file", "delimiter", "col", "keycol", "default", "encoding"];
    let mut out = Vec::new();
    for (key, options) in with_terms(&mut call, NAMES)? {
        if key.is_empty() {
            return Err(error("Search key is required but was not found"));
        }
        utf8_only(&options)?;
        let delimiter = match text(&options, "delimiter", "TAB").as_str() {
            "TAB" | "\t" => '\t',
            other => other.chars().next().unwrap_or('\t'),
        };
        let column = |name: &str, default: &str| -> Result<usize> {
            let given = text(&options, name, default);
            given
                .parse()
                .map_err(|_| error(format!("'{name}' must be a number, not '{given}'")))
        };
        let (col, keycol) = (column("col", "1")?, column("keycol", "0")?);
        let path = find(&call, "files", &text(&options, "file", "ansible.csv"))?;
        let rows = csv::parse(&read_text(&path)?, delimiter, false);
        let row = rows
            .iter()
            .find(|row| row.get(keycol).is_some_and(|cell| *cell == key));
        match row {
            Some(row) => match row.get(col) {
                Some(cell) => out.push(Value::str(cell)),
                None => return Err(error("csvfile: list index out of range")),
            },
            None => match options.get("default") {
                Some(Value::List(items)) => out.extend(items.iter().cloned()),
                Some(Value::Null) | None => {}
                Some(other) => out.push(other.clone()),
            },
        }
    }
    Ok(out)
}

/// One `name = value` and the section it is in.
struct Entry {
    section: String,
    name: String,
    value: String,
}

/// The entries of an INI file as Python's configparser reads them.
fn entries(content: &str, properties: bool) -> Vec<Entry> {
    let mut section = if properties { "java_properties" } else { "" }.to_string();
    let mut out: Vec<Entry> = Vec::new();
    for line in content.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            section = name.to_string();
            continue;
        }
        // an indented line goes on with the value before it
        if line.starts_with([' ', '\t'])
            && let Some(last) = out.last_mut()
        {
            last.value.push('\n');
            last.value.push_str(trimmed);
            continue;
        }
        let (name, value) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
        out.push(Entry {
            section: section.clone(),
            name: name.trim().to_string(),
            value: value.trim().to_string(),
        });
    }
    out
}

fn ini(mut call: Call) -> Result<Vec<Value>> {
    const NAMES: &[&str] = &[
        "file",
        "type",
        "section",
        "re",
        "default",
        "encoding",
        "case_sensitive",
        "allow_no_value",
        "allow_none",
        "interpolation",
    ];
    let mut out = Vec::new();
    for (key, options) in with_terms(&mut call, NAMES)? {
        utf8_only(&options)?;
        let properties = match text(&options, "type", "ini").as_str() {
            "ini" => false,
            "properties" => true,
            other => return Err(error(format!("ini: unknown type '{other}'"))),
        };
        let section = if properties {
            "java_properties".to_string()
        } else {
            text(&options, "section", "global")
        };
        let flag = |name: &str| options.get(name).is_some_and(truth);
        let name = text(&options, "file", "ansible.ini");
        let path = find(&call, "files", &name)?;
        let content = read_text(&path)?;
        let entries = entries(&content, properties);
        let header = format!("[{section}]");
        if !properties && !content.lines().any(|l| l.trim() == header) {
            return Err(error(format!(
                "No section {} in {}.",
                python::quote(&section),
                python::quote(&path.to_string_lossy())
            )));
        }
        let fold = |s: &str| {
            if flag("case_sensitive") {
                s.to_string()
            } else {
                s.to_lowercase()
            }
        };
        let mut mine = entries.iter().filter(|e| e.section == section);
        if flag("re") {
            let regex = regex::compile(
                &key,
                Flags {
                    ignorecase: true,
                    ..Flags::default()
                },
            )?;
            for entry in mine {
                let found = regex::search(&regex, &entry.name)?;
                if found.and_then(|c| c.get(0)).is_some_and(|m| m.start() == 0) {
                    out.push(Value::str(&entry.value));
                }
            }
            continue;
        }
        // the last one wins
        let found = mine.rfind(|e| fold(&e.name) == fold(&key));
        out.push(match found {
            Some(entry) => Value::str(&entry.value),
            None => options.get("default").cloned().unwrap_or_else(|| "".into()),
        });
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("csvfile", csvfile), ("ini", ini)];
