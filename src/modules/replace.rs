//! Replaces all matches of a pattern in a text file.

use super::common::attributes::FileArgs;
use super::common::diff;
use super::common::edit::{self, Edit};
use super::common::text;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::regex::{self, Flags};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/replace_module.html>
pub struct Replace;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "destfile", "name"]))]
    path: Path,
    /// A pattern in Python's syntax; `^` and `$` are the ends of lines.
    regexp: String,
    /// What a match becomes; `\\1` is its first group.
    #[serde(default)]
    replace: String,
    /// Replaces only after the first match of this pattern.
    after: Option<String>,
    /// Replaces only before the first match of this pattern.
    before: Option<String>,
    /// Copies the file to another name first.
    #[serde(default)]
    backup: bool,
    /// A command that has to succeed on the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// The encoding of the file: UTF-8 or Latin-1.
    #[serde(default = "utf8")]
    encoding: String,
    #[serde(flatten)]
    file: FileArgs,
}

fn utf8() -> String {
    "utf-8".to_string()
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    msg: String,
    rc: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Replace {
    const NAME: &'static str = "replace";
    const EXAMPLES: &'static str = "
- name: Write a file
  ansible.builtin.copy:
    dest: '{{ folder }}/hosts'
    content: old.example.com

- name: Rename a host
  ansible.builtin.replace:
    path: '{{ folder }}/hosts'
    regexp: '\\bold(\\.example\\.com)'
    replace: 'new\\1'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let latin = match args.encoding.to_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => false,
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => true,
            other => {
                let msg = format!("rplay does not have the encoding '{other}'");
                return Err(Failure::new(msg));
            }
        };
        let path = args.path.as_str();
        if machine.is_dir(&args.path) {
            return Err(Failure::new(format!("Path {path} is a directory !")).with("rc", 256));
        }
        if !machine.exists(&args.path) {
            return Err(Failure::new(format!("Path {path} does not exist !")).with("rc", 257));
        }
        let fail = |e: crate::Error| Failure::new(e.message());
        let mut before = edit::read(machine, &args.path)?;
        if latin {
            before = text::as_bytes(&before);
        }
        let section = match (&args.after, &args.before) {
            (None, None) => None,
            (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
            (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
            (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
        };
        let range = match &section {
            None => Some(0..before.len()),
            Some(pattern) => {
                let regex = edit::pattern(&format!("(?s){pattern}"), Flags::default())?;
                let found = regex::search(&regex, &before).map_err(fail)?;
                found.and_then(|m| m.name("subsection").map(|s| s.range()))
            }
        };
        let Some(range) = range else {
            return Ok(Returns {
                changed: false,
                msg: format!(
                    "Pattern for before/after params did not match the given file: {}",
                    section.unwrap_or_default()
                ),
                rc: 0,
                backup_file: None,
                diff: None,
            });
        };
        let pattern = edit::pattern(
            &args.regexp,
            Flags {
                multiline: true,
                ..Flags::default()
            },
        )?;
        let (new, count) = regex::replace(&pattern, &before[range.clone()], &args.replace, 0)
            .map_err(|e| {
                Failure::new(format!(
                    "Unable to process replace due to error: {}",
                    e.message()
                ))
            })?;
        let after = format!("{}{new}{}", &before[..range.start], &before[range.end..]);
        let changed = count > 0 && after != before;
        let shown = (text::shown(&before), text::shown(&after));
        let (mut before, mut after) = (before, after);
        if latin {
            if let Some(strange) = after.chars().find(|c| u32::from(*c) > 0xff) {
                let msg = format!("'{strange}' cannot be written in the encoding latin-1");
                return Err(Failure::new(msg));
            }
            (before, after) = (text::of_bytes(&before), text::of_bytes(&after));
        }
        let edit = Edit {
            path: &args.path,
            before: &before,
            after: &after,
            file: &args.file,
            backup: args.backup,
            validate: args.validate.as_deref(),
        };
        let done = edit.apply(machine)?;
        let msg = match changed {
            true => format!("{count} replacements made"),
            false => String::new(),
        };
        Ok(Returns {
            changed: done.content_changed || done.attributes_changed,
            msg: Edit::message(&msg, &done),
            rc: 0,
            diff: (changed && machine.mode.diff)
                .then(|| diff::content(&shown.0, &shown.1, path, path)),
            backup_file: done.backup_file,
        })
    }
}
