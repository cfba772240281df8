//! Keeps one line in a text file, or out of it.

use super::common::attributes::FileArgs;
use super::common::edit::{self, Edit};
use super::common::text;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::regex::{self, Regex};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/lineinfile_module.html>
pub struct Lineinfile;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["insertbefore", "insertafter"], ["regexp", "search_string"], ["backrefs", "search_string"]],
))]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "destfile", "name"]))]
    path: Path,
    #[serde(default)]
    state: State,
    /// A pattern in Python's syntax; the last line that it matches is replaced, or all of them removed.
    #[schemars(extend("aliases" = ["regex"]))]
    regexp: Option<String>,
    /// As `regexp`, but plain text that the line has in it.
    search_string: Option<String>,
    /// The line.
    #[schemars(extend("aliases" = ["value"]))]
    line: Option<String>,
    /// Lets `line` have groups of `regexp` (`\\1`); without a match nothing changes.
    #[serde(default)]
    backrefs: bool,
    /// Puts a new line after the last line that this pattern matches, or at the end (`EOF`).
    insertafter: Option<String>,
    /// Puts a new line before the last line that this pattern matches, or at the beginning (`BOF`).
    insertbefore: Option<String>,
    /// Makes the file if it is missing.
    #[serde(default)]
    create: bool,
    /// Copies the file to another name first.
    #[serde(default)]
    backup: bool,
    /// Takes the first match of `regexp`, `insertafter` and `insertbefore`, not the last.
    #[serde(default)]
    firstmatch: bool,
    /// A command that has to succeed on the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    #[serde(flatten)]
    file: FileArgs,
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
    backup: Option<String>,
    /// How many lines were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Lineinfile {
    const NAME: &'static str = "lineinfile";
    const EXAMPLES: &'static str = "
- name: Set an option
  ansible.builtin.lineinfile:
    path: '{{ folder }}/settings'
    regexp: '^color='
    line: color=yes
    create: true
";
    type Args = Args;
    type Returns = Returns;

    fn run(mut args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        for option in [
            &mut args.regexp,
            &mut args.search_string,
            &mut args.line,
            &mut args.insertafter,
            &mut args.insertbefore,
        ] {
            *option = option.as_deref().map(text::as_bytes);
        }
        if args.create && args.backup && args.state == State::Absent && !machine.exists(&args.path)
        {
            return absent(&args, machine);
        }
        let path = args.path.as_str();
        if machine.is_dir(&args.path) {
            return Err(Failure::new(format!("Path {path} is a directory !")).with("rc", 256));
        }
        match args.state {
            State::Present => present(&args, machine),
            State::Absent => absent(&args, machine),
        }
    }
}

fn without_break(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn matches(regex: &Regex, line: &str) -> bool {
    regex::search(regex, line).is_ok_and(|m| m.is_some())
}

fn present(args: &Args, machine: &mut Machine) -> Result<Returns, Failure> {
    if args.backrefs && args.regexp.is_none() {
        return Err(Failure::new("regexp is required with backrefs=true"));
    }
    let Some(line) = &args.line else {
        return Err(Failure::new("line is required with state=present"));
    };
    if args.regexp.as_deref() == Some("") {
        machine.warnings.push(
            "The regular expression is an empty string, which will match every line in the file. This may have \
             unintended consequences, such as replacing the last line in the file rather than appending. If this is \
             desired, use '^' to match every line in the file and avoid this warning."
                .to_string(),
        );
    }
    if args.search_string.as_deref() == Some("") {
        machine.warnings.push(
            "The search string is an empty string, which will match every line in the file. This may have unintended \
             consequences, such as replacing the last line in the file rather than appending."
                .to_string(),
        );
    }
    if !machine.exists(&args.path) {
        if !args.create {
            let msg = format!("Destination {} does not exist !", args.path.as_str());
            return Err(Failure::new(msg).with("rc", 257));
        }
        edit::make_parents(machine, &args.path)?;
    }
    let compile = |text: &Option<String>| {
        text.as_deref()
            .map(|t| edit::pattern(t, edit::BYTES))
            .transpose()
    };
    let regexp = compile(&args.regexp)?;
    let end = args.insertafter.as_deref() == Some("EOF");
    let start = args.insertbefore.as_deref() == Some("BOF");
    let after = if end {
        None
    } else {
        compile(&args.insertafter)?
    };
    let before = if start {
        None
    } else {
        compile(&args.insertbefore)?
    };

    let text = text::as_bytes(&edit::read(machine, &args.path)?);
    let mut lines: Vec<String> = edit::lines(&text).into_iter().map(String::from).collect();
    let pick = |found: &mut dyn Iterator<Item = usize>| match args.firstmatch {
        true => found.next(),
        false => found.last(),
    };
    // patterns see the line with its line break, as Python's `$` does
    let by_pattern = |regex: &Arc<Regex>| {
        let mut found = lines
            .iter()
            .enumerate()
            .filter(|(_, l)| matches(regex, l))
            .map(|(i, _)| i);
        pick(&mut found)
    };
    let by_text = |wanted: &dyn Fn(&str) -> bool| {
        let mut found = lines
            .iter()
            .enumerate()
            .filter(|(_, l)| wanted(without_break(l)))
            .map(|(i, _)| i);
        pick(&mut found)
    };
    let found = match (&regexp, &args.search_string) {
        (Some(regex), _) => by_pattern(regex),
        (None, Some(part)) => by_text(&|l| l.contains(part.as_str())),
        (None, None) => by_text(&|l| l == line),
    };
    let line_break = "\n";
    let mut msg = "";
    if let Some(at) = found {
        let old = without_break(&lines[at]).to_string();
        let new = match (&regexp, args.backrefs) {
            (Some(regex), true) => expand(regex, &lines[at], line)?,
            _ => line.clone(),
        };
        if new != old || !lines[at].ends_with('\n') && args.backrefs {
            lines[at] = match new.ends_with(line_break) {
                true => new,
                false => new + line_break,
            };
            msg = "line replaced";
        }
    } else if !args.backrefs {
        let exact = lines.iter().any(|l| without_break(l) == line);
        let place = match (&after, &before) {
            _ if start => Some(0),
            (Some(regex), _) => by_pattern(regex).map(|i| i + 1),
            (_, Some(regex)) => by_pattern(regex),
            _ => None,
        };
        // the same line elsewhere is as good
        if !exact {
            if place.is_none_or(|i| i >= lines.len())
                && let Some(last) = lines.last_mut()
                && !last.ends_with('\n')
            {
                last.push_str(line_break);
            }
            let new = format!("{line}{line_break}");
            match place {
                Some(i) => lines.insert(i.min(lines.len()), new),
                None => lines.push(new),
            }
            msg = "line added";
        }
    }
    finish(args, &text, &lines.concat(), msg, None, machine)
}

/// The replacement with the groups of the line's match in it.
fn expand(regex: &Arc<Regex>, line: &str, replacement: &str) -> Result<String, Failure> {
    let fail = |e: crate::Error| Failure::uncaught(e.message());
    let Some(found) = regex::search(regex, line).map_err(fail)? else {
        return Ok(line.to_string());
    };
    let whole = found.get(0).map_or(0..0, |m| m.range());
    let (replaced, _) = regex::replace(regex, line, replacement, 1).map_err(fail)?;
    // the line becomes the replacement alone, without what is around the match
    let tail = line.len() - whole.end;
    Ok(replaced[whole.start..replaced.len() - tail].to_string())
}

fn absent(args: &Args, machine: &mut Machine) -> Result<Returns, Failure> {
    if args.regexp.is_none() && args.search_string.is_none() && args.line.is_none() {
        return Err(Failure::new(
            "one of line, search_string, or regexp is required with state=absent",
        ));
    }
    if !machine.exists(&args.path) {
        return Ok(Returns {
            changed: false,
            msg: "file not present".to_string(),
            backup: None,
            found: None,
            diff: None,
        });
    }
    let regexp = args
        .regexp
        .as_deref()
        .map(|t| edit::pattern(t, edit::BYTES))
        .transpose()?;
    let text = text::as_bytes(&edit::read(machine, &args.path)?);
    let unwanted = |l: &str| match (&regexp, &args.search_string, &args.line) {
        (Some(regex), _, _) => matches(regex, l),
        (_, Some(part), _) => l.contains(part.as_str()),
        (_, _, Some(line)) => without_break(l) == line,
        _ => false,
    };
    let lines = edit::lines(&text);
    let kept: Vec<&str> = lines.iter().copied().filter(|l| !unwanted(l)).collect();
    let removed = lines.len() - kept.len();
    let msg = match removed {
        0 => String::new(),
        n => format!("{n} line(s) removed"),
    };
    finish(args, &text, &kept.concat(), &msg, Some(removed), machine)
}

fn finish(
    args: &Args,
    before: &str,
    after: &str,
    msg: &str,
    found: Option<usize>,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let edit = Edit {
        path: &args.path,
        before: &text::of_bytes(before),
        after: &text::of_bytes(after),
        file: &args.file,
        backup: args.backup,
        validate: args.validate.as_deref(),
    };
    let done = edit.apply(machine)?;
    Ok(Returns {
        changed: done.content_changed || done.attributes_changed,
        msg: Edit::message(msg, &done),
        diff: Some(edit.diff(machine, &done)),
        backup: Some(done.backup_file.unwrap_or_default()),
        found,
    })
}
