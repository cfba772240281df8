//! Keeps a block of lines between two markers in a text file, or out of it.

use super::common::attributes::FileArgs;
use super::common::edit::{self, Edit};
use super::common::text;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::regex;
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/blockinfile_module.html>
pub struct Blockinfile;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertbefore", "insertafter"]]))]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "destfile", "name"]))]
    path: Path,
    #[serde(default)]
    state: State,
    /// The lines; if there are none, the block is removed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["content"]))]
    block: String,
    /// The line before and after the block; `{mark}` is replaced by `marker_begin` or `marker_end`.
    #[serde(default = "marker")]
    marker: String,
    #[serde(default = "begin")]
    marker_begin: String,
    #[serde(default = "end")]
    marker_end: String,
    /// Puts a new block after the last line that this pattern matches, or at the end (`EOF`).
    insertafter: Option<String>,
    /// Puts a new block before the last line that this pattern matches, or at the beginning (`BOF`).
    insertbefore: Option<String>,
    /// Makes the file if it is missing.
    #[serde(default)]
    create: bool,
    /// Copies the file to another name first.
    #[serde(default)]
    backup: bool,
    /// Has an empty line before the block.
    #[serde(default)]
    prepend_newline: bool,
    /// Has an empty line after the block.
    #[serde(default)]
    append_newline: bool,
    /// A command that has to succeed on the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    #[serde(flatten)]
    file: FileArgs,
}

fn marker() -> String {
    "# {mark} ANSIBLE MANAGED BLOCK".to_string()
}
fn begin() -> String {
    "BEGIN".to_string()
}
fn end() -> String {
    "END".to_string()
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Blockinfile {
    const NAME: &'static str = "blockinfile";
    const EXAMPLES: &'static str = "
- name: Keep some lines together
  ansible.builtin.blockinfile:
    path: '{{ folder }}/hosts'
    create: true
    block: |
      10.0.0.1 one
      10.0.0.2 two
";
    type Args = Args;
    type Returns = Returns;

    fn run(mut args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        for option in [
            &mut args.block,
            &mut args.marker,
            &mut args.marker_begin,
            &mut args.marker_end,
        ] {
            *option = text::as_bytes(option);
        }
        for option in [&mut args.insertafter, &mut args.insertbefore] {
            *option = option.as_deref().map(text::as_bytes);
        }
        let path = args.path.as_str();
        if machine.is_dir(&args.path) {
            return Err(Failure::new(format!("Path {path} is a directory !")).with("rc", 256));
        }
        let is_new = !machine.exists(&args.path);
        if is_new {
            if !args.create {
                return Err(Failure::new(format!("Path {path} does not exist !")).with("rc", 257));
            }
            edit::make_parents(machine, &args.path)?;
        }
        let text = edit::read(machine, &args.path)?;
        let after = text::of_bytes(&edited(&args, &text::as_bytes(&text))?);
        let msg = match () {
            () if after == text && !is_new => "",
            () if is_new => "File created",
            () if args.state == State::Absent || args.block.is_empty() => "Block removed",
            () => "Block inserted",
        };
        let edit = Edit {
            path: &args.path,
            before: &text,
            after: &after,
            file: &args.file,
            backup: args.backup,
            validate: args.validate.as_deref(),
        };
        let done = edit.apply(machine)?;
        Ok(Returns {
            changed: done.content_changed || done.attributes_changed,
            msg: Edit::message(msg, &done),
            diff: Some(edit.diff(machine, &done)),
            backup_file: done.backup_file,
        })
    }
}

/// The text with the block in it, or without it.
fn edited(args: &Args, text: &str) -> Result<String, Failure> {
    let begin = args.marker.replace("{mark}", &args.marker_begin);
    let end = args.marker.replace("{mark}", &args.marker_end);
    let remove = args.state == State::Absent || args.block.is_empty();
    let mut lines: Vec<String> = edit::lines(text).into_iter().map(String::from).collect();
    let is = |line: &String, marker: &str| line.trim_end_matches(['\r', '\n']) == marker;
    let first = lines.iter().rposition(|l| is(l, &begin));
    let last = lines.iter().rposition(|l| is(l, &end));
    let place = match (first, last) {
        (Some(first), Some(last)) => {
            // markers in the wrong order go too
            lines.drain(first.min(last)..=first.max(last));
            Some(first.min(last))
        }
        _ => None,
    };
    if remove {
        return Ok(lines.concat());
    }
    // a pattern that says that it is for several lines sees the whole text; the place is after, or before, its match
    let whole = lines.concat();
    let by_pattern = |text: &str, after: bool| -> Result<Option<usize>, Failure> {
        let regex = edit::pattern(text, edit::BYTES)?;
        if multiline(text) {
            let found =
                regex::search(&regex, &whole).map_err(|e| Failure::uncaught(e.message()))?;
            let place = found.and_then(|f| f.get(0)).map(|found| match after {
                true => whole[..found.end()].matches('\n').count(),
                false => whole[..found.start()].matches('\n').count(),
            });
            return Ok(place);
        }
        Ok(lines
            .iter()
            .rposition(|l| regex::search(&regex, l).is_ok_and(|m| m.is_some())))
    };
    let place = match (
        place,
        args.insertbefore.as_deref(),
        args.insertafter.as_deref(),
    ) {
        (Some(place), _, _) => place,
        (_, Some("BOF"), _) => 0,
        (_, Some(pattern), _) => by_pattern(pattern, false)?.unwrap_or(lines.len()),
        (_, None, None | Some("EOF")) => lines.len(),
        (_, None, Some(pattern)) => by_pattern(pattern, true)?.map_or(lines.len(), |i| i + 1),
    };
    let blank =
        |line: Option<&String>| line.is_some_and(|l| l.trim_end_matches(['\r', '\n']).is_empty());
    let mut block = String::new();
    if args.prepend_newline && place > 0 && !blank(lines.get(place - 1)) {
        block.push('\n');
    }
    block.push_str(&begin);
    block.push('\n');
    block.push_str(&args.block);
    if !block.ends_with('\n') {
        block.push('\n');
    }
    block.push_str(&end);
    block.push('\n');
    if args.append_newline && place < lines.len() && !blank(lines.get(place)) {
        block.push('\n');
    }
    if place > 0
        && let Some(previous) = lines.get_mut(place - 1)
        && !previous.ends_with('\n')
    {
        previous.push('\n');
    }
    lines.insert(place, block);
    Ok(lines.concat())
}

/// Whether a pattern begins with flags that have `m` among them.
fn multiline(pattern: &str) -> bool {
    pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(flags, _)| {
            flags.contains('m') && flags.bytes().all(|b| b.is_ascii_alphabetic())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_put_and_removed() {
        let base = r##""path":"/x","marker":"# {mark}""##;
        let cases = [
            ("a\nb", r#""block":"x""#, "a\nb\n# BEGIN\nx\n# END\n"),
            (
                "# BEGIN\nold\n# END\nb\n",
                r#""block":"x\n""#,
                "# BEGIN\nx\n# END\nb\n",
            ),
            ("# BEGIN\nold\n# END\nb\n", r#""block":"""#, "b\n"),
            (
                "a\nb\n",
                r#""block":"x","insertbefore":"b""#,
                "a\n# BEGIN\nx\n# END\nb\n",
            ),
            (
                "a\nb\n",
                r#""block":"x","insertafter":"a""#,
                "a\n# BEGIN\nx\n# END\nb\n",
            ),
            (
                "a\nb\n",
                r#""block":"x","insertafter":"a","append_newline":true,"prepend_newline":true"#,
                "a\n\n# BEGIN\nx\n# END\n\nb\n",
            ),
        ];
        for (text, given, expected) in cases {
            let value: Value = serde_json::from_str(&format!("{{{base},{given}}}")).unwrap();
            let map = value.as_map().unwrap().clone();
            let args = crate::modules::args::parse("blockinfile", map).unwrap();
            assert_eq!(edited(&args, text).unwrap(), expected, "{given}");
        }
    }
}
