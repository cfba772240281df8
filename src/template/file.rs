//! Options of whole template files, as the `template` module and lookup take them.

use super::compile::Syntax;
use super::ops::failure;
use super::times::Moment;
use crate::Result;
use crate::value::{Map, Value};
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
            let (name, value) = pair.split_once(':').ok_or_else(|| {
                failure(format_args!(
                    "bad '#jinja2:' header: '{}' has no value",
                    pair.trim()
                ))
            })?;
            let value = value.trim().trim_matches(['\'', '"']);
            let flag = || match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(true),
                "false" | "no" | "0" => Ok(false),
                other => Err(failure(format_args!(
                    "bad '#jinja2:' header: '{other}' is neither True nor False"
                ))),
            };
            let text = || value.replace("\\n", "\n").replace("\\r", "\r");
            match name.trim() {
                "trim_blocks" => self.trim_blocks = flag()?,
                "lstrip_blocks" => self.lstrip_blocks = flag()?,
                "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
                "newline_sequence" => self.newline_sequence = text(),
                "variable_start_string" => self.variable_start_string = text(),
                "variable_end_string" => self.variable_end_string = text(),
                "block_start_string" => self.block_start_string = text(),
                "block_end_string" => self.block_end_string = text(),
                "comment_start_string" => self.comment_start_string = text(),
                "comment_end_string" => self.comment_end_string = text(),
                other => {
                    return Err(failure(format_args!(
                        "bad '#jinja2:' header: rplay does not have the option '{other}'"
                    )));
                }
            }
        }
        Ok((body, self, 1))
    }

    pub(super) fn syntax(&self) -> Syntax {
        let delimiters = [
            &self.variable_start_string,
            &self.variable_end_string,
            &self.block_start_string,
            &self.block_end_string,
            &self.comment_start_string,
            &self.comment_end_string,
        ];
        let usual = delimiters
            .iter()
            .map(|d| d.as_str())
            .eq(["{{", "}}", "{%", "%}", "{#", "#}"]);
        Syntax {
            trim_blocks: self.trim_blocks,
            lstrip_blocks: self.lstrip_blocks,
            keep_trailing_newline: self.keep_trailing_newline,
            escapes: true,
            delimiters: (!usual).then(|| Box::new(delimiters.map(String::clone))),
        }
    }
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
