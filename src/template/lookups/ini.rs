//! `ini`: values of INI and properties files.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_lookup.html> and, for what such a
//! file is, <https://docs.python.org/3/library/configparser.html>.

use super::Lookup;
use super::files::read_encoded;
use super::terms::{boolean, no_more_options, take};
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::python;
use crate::template::regex::{self, Flags};
use crate::value::{Map, Value};
use indexmap::IndexMap;
use std::collections::HashSet;

/// The section that all others fall back to.
const DEFAULT: &str = "DEFAULT";

/// The section that a properties file is.
const PROPERTIES: &str = "java_properties";

/// Options of the lookup that a term can hold too.
const NAMES: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "interpolation",
];

/// An option's value; none if it has been given none.
type Section = IndexMap<String, Option<String>>;

/// What a file holds.
struct Ini {
    defaults: Section,
    sections: IndexMap<String, Section>,
}

/// How a file is read.
#[derive(Clone, Copy)]
struct Reading {
    case_sensitive: bool,
    allow_no_value: bool,
    interpolation: bool,
}

impl Reading {
    fn option(&self, name: &str) -> String {
        match self.case_sensitive {
            true => name.to_string(),
            false => name.to_lowercase(),
        }
    }

    /// Reads a text. Errors, in Python's words, on what is no INI file and on what is there twice.
    fn parse(&self, text: &str) -> Result<Ini> {
        let mut ini = Ini {
            defaults: Section::new(),
            sections: IndexMap::new(),
        };
        let mut current: Option<String> = None;
        let mut option: Option<String> = None;
        let mut indent = 0;
        let mut seen: HashSet<(String, Option<String>)> = HashSet::new();
        let mut wrong = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let number = index + 1;
            let value = line.trim();
            let comment = value.starts_with(['#', ';']);
            if value.is_empty() || comment {
                if !comment && let Some(lines) = ini.open(&current, &option) {
                    lines.push('\n');
                }
                continue;
            }
            let depth = line.len() - line.trim_start().len();
            if option.is_some() && depth > indent {
                match ini.open(&current, &option) {
                    Some(lines) => {
                        lines.push('\n');
                        lines.push_str(value);
                    }
                    None => {
                        return Err(error("'NoneType' object has no attribute 'append'"));
                    }
                }
                continue;
            }
            indent = depth;
            if let Some((header, _)) = value.strip_prefix('[').and_then(|s| s.rsplit_once(']'))
                && !header.is_empty()
            {
                if header != DEFAULT {
                    if !seen.insert((header.to_string(), None)) {
                        return Err(error(format!(
                            "While reading from '<???>' [line {number:2}]: section {} already exists",
                            python::quote(header)
                        )));
                    }
                    ini.sections.entry(header.to_string()).or_default();
                }
                current = Some(header.to_string());
                option = None;
                continue;
            }
            let Some(section) = &current else {
                return Err(error(format!(
                    "File contains no section headers.\nfile: '<???>', line: {number}\n{}",
                    python::quote(line)
                )));
            };
            let (name, given) = match value.find(['=', ':']) {
                Some(at) => (value[..at].trim_end(), Some(value[at + 1..].trim())),
                None if self.allow_no_value => (value, None),
                None => ("", None),
            };
            if name.is_empty() {
                wrong.push(format!("\n\t[line {number:2}]: {}", python::quote(line)));
                continue;
            }
            let name = self.option(name);
            if !seen.insert((section.clone(), Some(name.clone()))) {
                return Err(error(format!(
                    "While reading from '<???>' [line {number:2}]: option {} in section {} already exists",
                    python::quote(&name),
                    python::quote(section)
                ))
                .hint("Duplicate option in the file"));
            }
            ini.section(section)
                .insert(name.clone(), given.map(str::to_string));
            option = Some(name);
        }
        if !wrong.is_empty() {
            return Err(error(format!(
                "Source contains parsing errors: '<???>'{}",
                wrong.concat()
            )));
        }
        let all = ini.sections.values_mut().chain([&mut ini.defaults]);
        for value in all.flat_map(|section| section.values_mut()).flatten() {
            value.truncate(value.trim_end().len());
        }
        Ok(ini)
    }
}

impl Ini {
    fn section(&mut self, name: &str) -> &mut Section {
        match name {
            DEFAULT => &mut self.defaults,
            name => self.sections.entry(name.to_string()).or_default(),
        }
    }

    /// The value that an indented line goes on with.
    fn open(&mut self, section: &Option<String>, option: &Option<String>) -> Option<&mut String> {
        let (section, option) = (section.as_ref()?, option.as_ref()?);
        self.section(section).get_mut(option)?.as_mut()
    }

    /// The options of a section over the defaults; none if there is no such section.
    fn options(&self, section: &str) -> Option<Section> {
        let mut options = self.defaults.clone();
        if section != DEFAULT {
            let own = self.sections.get(section)?;
            options.extend(own.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        Some(options)
    }
}

/// Most names within names.
const DEEPEST: usize = 10;

/// `%(name)s` replaced by the section's options, `%%` by a percent sign.
struct Interpolation<'a> {
    section: &'a str,
    option: &'a str,
    options: &'a Section,
    reading: Reading,
}

impl Interpolation<'_> {
    fn apply(&self, text: &str, depth: usize, out: &mut String) -> Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("%%") {
                out.push('%');
                rest = after;
                continue;
            }
            let Some(name) = rest.strip_prefix("%(") else {
                return Err(error(format!(
                    "'%' must be followed by '%' or '(', found: {}",
                    python::quote(rest)
                )));
            };
            let Some((name, after)) = name
                .split_once(')')
                .filter(|(name, _)| !name.is_empty())
                .and_then(|(name, after)| Some((name, after.strip_prefix('s')?)))
            else {
                return Err(error(format!(
                    "bad interpolation variable reference {}",
                    python::quote(rest)
                )));
            };
            let raw = || {
                let raw = self.options.get(self.option).cloned().flatten();
                python::quote(&raw.unwrap_or_default())
            };
            let found = self.options.get(&self.reading.option(name));
            let Some(value) = found else {
                return Err(error(format!(
                    "Bad value substitution: option {} in section {} contains an interpolation key {} which is \
                     not a valid option name. Raw value: {}",
                    python::quote(self.option),
                    python::quote(self.section),
                    python::quote(&self.reading.option(name)),
                    raw()
                )));
            };
            let value = value.as_deref().unwrap_or_default();
            if value.contains('%') {
                if depth == DEEPEST {
                    return Err(error(format!(
                        "Recursion limit exceeded in value substitution: option {} in section {} contains an \
                         interpolation key which cannot be substituted in {DEEPEST} steps. Raw value: {}",
                        python::quote(self.option),
                        python::quote(self.section),
                        raw()
                    )));
                }
                self.apply(value, depth + 1, out)?;
            } else {
                out.push_str(value);
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(())
    }
}

/// A term without its options, which are added to `options`: those of later terms too.
fn key_of(term: &Value, options: &mut Map) -> Result<String> {
    let Some(text) = term.as_str() else {
        return Err(error(match term {
            Value::List(_) | Value::Map(_) => {
                format!("'{}' object has no attribute 'strip'", term.type_name())
            }
            other => format!("argument of type '{}' is not iterable", other.type_name()),
        }));
    };
    if !text.contains('=') {
        return Ok(text.to_string());
    }
    // what follows an option's name belongs to it, up to the next name; a name that was there is text
    let mut parts: Vec<String> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let name = word.split_once('=').map(|(name, _)| name);
        let name = name.filter(|name| NAMES.contains(name) && !names.contains(name));
        names.extend(name);
        match parts.last_mut() {
            Some(last) if name.is_none() => {
                last.push(' ');
                last.push_str(word);
            }
            _ => parts.push(word.to_string()),
        }
    }
    let key = parts.first().cloned().unwrap_or_default();
    if let Some((name, _)) = key.split_once('=') {
        return Err(error(match NAMES.contains(&name) {
            true => format!(
                "No key to look up was provided as first term within string inline options: {text}"
            ),
            false => format!("{} is not a valid option.", python::quote(name)),
        }));
    }
    for part in &parts[1..] {
        let mut halves = part.split('=');
        match (halves.next(), halves.next(), halves.next()) {
            (Some(name), Some(value), None) => {
                options.insert(name.into(), value.into());
            }
            _ => {
                let all = Value::list(parts.iter().map(Value::str).collect());
                return Err(error(format!(
                    "Could not use {} from {}: too many values to unpack (expected 2)",
                    python::quote(part),
                    python::repr(&all)
                )));
            }
        }
    }
    Ok(key)
}

fn ini(mut call: Call) -> Result<Vec<Value>> {
    let mut options = Map::default();
    if let Some(value) = take(&mut call, "allow_none") {
        options.insert("allow_no_value".into(), value);
    }
    for name in NAMES {
        if let Some(value) = take(&mut call, name) {
            options.insert((*name).into(), value);
        }
    }
    no_more_options(&call)?;
    let flag = |options: &Map, name: &str, default: bool| match options.get(name) {
        None | Some(Value::Null) => default,
        Some(value) => boolean(value),
    };
    let reading = Reading {
        case_sensitive: flag(&options, "case_sensitive", false),
        allow_no_value: flag(&options, "allow_no_value", false),
        interpolation: flag(&options, "interpolation", true),
    };
    let mut out = Vec::new();
    for term in &call.args {
        let key = key_of(term, &mut options)?;
        let text = |name: &str, default: &str| match options.get(name) {
            None | Some(Value::Null) => default.to_string(),
            Some(value) => python::str(value),
        };
        let kind = text("type", "ini");
        if !matches!(&*kind, "ini" | "properties") {
            return Err(error(format!(
                "Invalid value {} for config 'type' for 'ini' lookup plugin.",
                python::quote(&kind)
            ))
            .hint("Valid values are: ini, properties")
            .within("The lookup plugin 'ini' failed", None)
            .apart());
        }
        let file = text("file", "ansible.ini");
        let path = call
            .templar
            .files()
            .find("files", &file)
            .map_err(|tried| super::files::tried(error("Invalid filename None."), &tried))?;
        let mut content = read_encoded(&path, &text("encoding", "utf-8"))?;
        let mut section = options
            .get("section")
            .cloned()
            .unwrap_or_else(|| "global".into());
        if kind == "properties" {
            content = format!("[{PROPERTIES}]\n{content}");
            section = PROPERTIES.into();
        }
        let parsed = reading.parse(&content).map_err(|e| match e.hint_text() {
            Some(_) => e.context(format!("Duplicate option in {}", python::quote(&file))),
            None => e,
        })?;
        let Some(values) = parsed.options(&python::str(&section)) else {
            return Err(error(format!(
                "No section {} in {}.",
                python::repr(&section),
                python::quote(&file)
            )));
        };
        let section = python::str(&section);
        let value_of = |name: &str, raw: &Option<String>| -> Result<Option<Value>> {
            let Some(raw) = raw else {
                return Ok(None);
            };
            if !reading.interpolation {
                return Ok(Some(Value::str(raw)));
            }
            let mut text = String::new();
            Interpolation {
                section: &section,
                option: name,
                options: &values,
                reading,
            }
            .apply(raw, 1, &mut text)?;
            Ok(Some(Value::from(text)))
        };
        if flag(&options, "re", false) {
            let regex = regex::compile(&key, Flags::default())?;
            for (name, raw) in &values {
                let value = value_of(name, raw)?;
                let found = regex::search(&regex, name)?;
                if found.and_then(|c| c.get(0)).is_some_and(|m| m.start() == 0) {
                    out.extend(value);
                }
            }
            continue;
        }
        let name = reading.option(&key);
        match values.get(&name) {
            Some(raw) => out.extend(value_of(&name, raw)?),
            None => match options.get("default") {
                Some(Value::List(items)) => out.extend(items.iter().cloned()),
                Some(Value::Null) | None => out.push("".into()),
                Some(other) => out.push(other.clone()),
            },
        }
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("ini", ini)];
