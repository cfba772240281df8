//! Options of whole template files, as the `template` module and lookup take them.

use super::compile::Syntax;
use super::python;
use super::times::Moment;
use crate::error::Kind;
use crate::value::{Map, Value};
use crate::{Error, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How a template file is read and written
/// (<https://docs.ansible.com/ansible/latest/collections/ansible/builtin/template_module.html>).
#[derive(Clone, Debug)]
pub struct FileOptions {
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    pub newline_sequence: String,
    pub variable_start_string: String,
    pub variable_end_string: String,
    pub block_start_string: String,
    pub block_end_string: String,
    pub comment_start_string: String,
    pub comment_end_string: String,
    /// What a line begins with that is a statement; none if empty.
    pub line_statement_prefix: String,
    /// What begins a comment that ends with its line; none if empty.
    pub line_comment_prefix: String,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: true,
            newline_sequence: "\n".into(),
            variable_start_string: "{{".into(),
            variable_end_string: "}}".into(),
            block_start_string: "{%".into(),
            block_end_string: "%}".into(),
            comment_start_string: "{#".into(),
            comment_end_string: "#}".into(),
            line_statement_prefix: String::new(),
            line_comment_prefix: String::new(),
        }
    }
}

impl FileOptions {
    /// Reads the header `#jinja2: trim_blocks:False, ...` of a file.
    ///
    /// Gives the text after it and how many lines it took. Errors on an option that Jinja does not have.
    pub(super) fn header(mut self, text: &str) -> Result<(&str, FileOptions, u32)> {
        let Some(rest) = text.strip_prefix("#jinja2:") else {
            return Ok((text, self, 0));
        };
        let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
        for pair in line.split(',') {
            if pair.trim().is_empty() {
                return Err(wrong("Empty '#jinja2:' override pair not allowed."));
            }
            let Some((name, value)) = pair.split_once(':') else {
                return Err(wrong(format!(
                    "Missing key-value separator `:` in '#jinja2:' override pair {}.",
                    python::quote(pair)
                )));
            };
            let (name, value) = (name.trim(), value.trim());
            if let Some(option) = self.flag(name) {
                let kept = name == "keep_trailing_newline";
                *option = match literal(value)? {
                    // line breaks at the end are restored whatever the header says
                    Value::Bool(_) if kept => *option,
                    Value::Bool(flag) => flag,
                    other => return Err(of_type(name, "bool", &other)),
                };
            } else if let Some(option) = self.words(name) {
                *option = match literal(value)? {
                    Value::Str(text) => text.to_string(),
                    other => return Err(of_type(name, "str", &other)),
                };
            } else {
                return Err(wrong(format!(
                    "Invalid '#jinja2:' override key {}.",
                    python::quote(name)
                )));
            }
        }
        Ok((body, self, 1))
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "trim_blocks" => &mut self.trim_blocks,
            "lstrip_blocks" => &mut self.lstrip_blocks,
            "keep_trailing_newline" => &mut self.keep_trailing_newline,
            _ => return None,
        })
    }

    fn words(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "newline_sequence" => &mut self.newline_sequence,
            "variable_start_string" => &mut self.variable_start_string,
            "variable_end_string" => &mut self.variable_end_string,
            "block_start_string" => &mut self.block_start_string,
            "block_end_string" => &mut self.block_end_string,
            "comment_start_string" => &mut self.comment_start_string,
            "comment_end_string" => &mut self.comment_end_string,
            "line_statement_prefix" => &mut self.line_statement_prefix,
            "line_comment_prefix" => &mut self.line_comment_prefix,
            _ => return None,
        })
    }

    pub(super) fn syntax(&self) -> Syntax {
        let delimiters = [
            &self.variable_start_string,
            &self.variable_end_string,
            &self.block_start_string,
            &self.block_end_string,
            &self.comment_start_string,
            &self.comment_end_string,
            &self.line_statement_prefix,
            &self.line_comment_prefix,
        ];
        let usual = delimiters
            .iter()
            .map(|d| d.as_str())
            .eq(["{{", "}}", "{%", "%}", "{#", "#}", "", ""]);
        Syntax {
            trim_blocks: self.trim_blocks,
            lstrip_blocks: self.lstrip_blocks,
            keep_trailing_newline: self.keep_trailing_newline,
            escapes: true,
            delimiters: (!usual).then(|| Box::new(delimiters.map(String::clone))),
        }
    }
}

fn wrong(message: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Template,
        format!("Syntax error in template: {message}"),
    )
}

fn of_type(name: &str, wanted: &str, got: &Value) -> Error {
    wrong(format!(
        "TemplateOverrides.{name} must be <class '{wanted}'> instead of <class '{}'>",
        got.type_name()
    ))
}

/// A value of the header, which is a literal of Python's. Errors on what is none.
fn literal(text: &str) -> Result<Value> {
    match text {
        "True" => return Ok(Value::Bool(true)),
        "False" => return Ok(Value::Bool(false)),
        "None" => return Ok(Value::Null),
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return Ok(Value::Int(number));
    }
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if quote.is_some_and(|q| text.len() > 1 && text.ends_with(q)) {
        return Ok(Value::from(super::literal::literal(text, true)));
    }
    Err(wrong(format!("malformed node or string on line 1: {text}")))
}

/// The variables that a template file sees beside the task's: `template_path`, `template_host`, `ansible_managed`, ...
///
/// `given` is the path as the user wrote it, `path` where it was found. What cannot be read is left out.
pub fn file_variables(given: &str, path: &Path, dest: Option<&str>, managed: &str) -> Map {
    let mut map = Map::default();
    let mut set = |name: &str, value: Value| {
        map.insert(name.into(), value);
    };
    set("ansible_managed", Value::str(managed));
    set("template_path", Value::str(given));
    set("template_fullpath", Value::str(path.display().to_string()));
    set(
        "template_run_date",
        Value::str(Moment::of(&jiff::Zoned::now()).text()),
    );
    if let Some(dest) = dest {
        set("template_destpath", Value::str(dest));
    }
    let host = rustix::system::uname();
    set(
        "template_host",
        Value::str(host.nodename().to_string_lossy()),
    );
    if let Ok(meta) = std::fs::metadata(path) {
        set("template_uid", owner(meta.uid()));
        if let Ok(time) = jiff::Timestamp::from_second(meta.mtime()) {
            let time = time.to_zoned(jiff::tz::TimeZone::system());
            set("template_mtime", Value::str(Moment::of(&time).text()));
        }
    }
    map
}

/// The name of a user, or the number if it has none.
fn owner(uid: u32) -> Value {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).and_then(|id| id.parse().ok()) == Some(uid))
        .map_or(Value::Int(i64::from(uid)), |fields| Value::str(fields[0]))
}
