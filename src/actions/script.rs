//! `script`: runs a file of the controller's at the host, which needs nothing but a shell.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/script_module.html>.

use super::{Context, Entry, copy, raw, refused};
use crate::connection::{Lines, RawCommand, RawOutput, quote};
use crate::modules::args;
use crate::modules::common::command::split;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::path::Path;

pub const ENTRY: Entry = Entry {
    names: &["script"],
    run,
};

const OPTIONS: &[&str] = &[
    "_raw_params",
    "chdir",
    "cmd",
    "creates",
    "executable",
    "removes",
];

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match script(&args, context) {
        Ok(result) => result,
        Err(result) => *result,
    }
}

/// The failure of something else than the script is an error.
fn script(args: &Map, context: &mut Context<'_>) -> Result<TaskResult, Box<TaskResult>> {
    super::only("script", args, OPTIONS)
        .map_err(|e| refused("", e.get("msg").and_then(Value::as_str).unwrap_or_default()))?;
    let text = |name: &str| {
        let value = args.get(name).filter(|v| !v.is_null());
        value.map(args::text).filter(|t| !t.is_empty())
    };
    let refuse = |msg: &str| Box::new(refused("", msg));
    let Some(line) = text("_raw_params").or_else(|| text("cmd")) else {
        return Err(refuse("one of the following is required: _raw_params, cmd"));
    };
    let (name, rest) = first_word(&line).map_err(|e| refuse(&e))?;
    for (option, wanted, why) in [
        ("creates", true, "exists, matching creates option"),
        ("removes", false, "does not exist, matching removes option"),
    ] {
        let Some(path) = text(option) else { continue };
        let there = run_line(
            context,
            &format!("test -e {}", quote_path(&path)),
            &[],
            false,
            None,
        )?;
        if (there.rc == 0) == wanted {
            return Ok(TaskResult::ok()
                .with("skipped", true)
                .with("msg", format!("{path} {why}")));
        }
    }
    if context.mode.check {
        // with these it is known that it would run
        return Ok(match text("creates").or_else(|| text("removes")) {
            Some(_) => TaskResult::changed(),
            None => TaskResult::ok()
                .with("skipped", true)
                .with("msg", "Check mode is not supported for this task."),
        });
    }
    let found = context.files.find("files", &name);
    let source = found.map_err(|_| {
        let msg = copy::not_found(context.files, "files", &name);
        let mut result = refused("", &msg);
        let error = crate::Error::general(msg)
            .within("Task failed", Some(&context.task.at))
            .apart();
        result.error = Some(error);
        Box::new(result)
    })?;
    let content = copy::plain(&source).map_err(|e| refuse(&e))?;

    let file = place(&source, &content, context)?;
    let mut command = String::new();
    if let Some(dir) = text("chdir") {
        command += &format!("cd {} && ", quote_path(&dir));
    }
    for (name, value) in &context.environment {
        command += &format!("{name}={} ", quote(value));
    }
    if let Some(program) = text("executable") {
        command += &format!("{program} ");
    }
    command += &format!("{file}{rest}");
    // braces, so that a script that ends the shell does not leave its file behind
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let line = format!("( {command}\n); rc=$?; rm -rf {folder}; exit $rc");
    let tty = context.session.wants_tty();
    let lines = context.lines.clone();
    let output = run_line(context, &line, &[], tty, lines.as_ref())?;
    Ok(raw::result_of(&output))
}

/// Sends the script to a folder of its own that only the user can look into; the path there, for a shell.
fn place(
    source: &Path,
    content: &[u8],
    context: &mut Context<'_>,
) -> Result<String, Box<TaskResult>> {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let private = crate::secret::random_name();
    // the home folder first, then where everybody can write: a folder that is there already is not ours
    let line = format!(
        "umask 077; for base in \"$HOME/.ansible/tmp\" /var/tmp /tmp; do mkdir -p \"$base\" 2>/dev/null; \
         dir=\"$base/rplay-{private}\"; if mkdir \"$dir\" 2>/dev/null && cat >\"$dir\"/{0} && chmod 700 \"$dir\"/{0}; \
         then echo \"$dir\"; exit 0; fi; done; exit 1",
        quote(&name)
    );
    let output = run_line(context, &line, content, false, None)?;
    let said = raw::text(&output.stdout);
    let marked = said.lines().find(|l| l.ends_with(&private));
    match (output.rc, marked) {
        (0, Some(dir)) => Ok(format!("{}/{}", quote(dir), quote(&name))),
        _ => Err(Box::new(refused(
            "",
            &format!(
                "the script could not be placed on the host: {}",
                raw::text(&output.stderr).trim()
            ),
        ))),
    }
}

/// Runs a line in the host's POSIX shell.
fn run_line(
    context: &mut Context<'_>,
    line: &str,
    input: &[u8],
    tty: bool,
    lines: Option<&Lines>,
) -> Result<RawOutput, Box<TaskResult>> {
    let line = format!("/bin/sh -c {}", quote(line));
    let command = RawCommand {
        line: &line,
        input,
        tty,
        lines,
    };
    match context.session.raw(command) {
        Ok(output) => Ok(output),
        Err(e) => Err(Box::new(e.result())),
    }
}

/// The script's name, and the rest of the line as it is.
fn first_word(line: &str) -> Result<(String, String), String> {
    let line = line.trim();
    let mut end = None;
    let mut quoted = None;
    for (at, c) in line.char_indices() {
        match (quoted, c) {
            (None, '"' | '\'') => quoted = Some(c),
            (Some(q), c) if q == c => quoted = None,
            (None, c) if c.is_whitespace() => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let words = split(name).map_err(|e| e.msg)?;
    Ok((words.concat(), rest.to_string()))
}

/// In quotes for a shell, but for a home folder at its start.
fn quote_path(path: &str) -> String {
    match path.strip_prefix('~') {
        Some(rest) => {
            let (user, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match user
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
            {
                true => format!(
                    "~{user}{}",
                    if below.is_empty() {
                        String::new()
                    } else {
                        quote(below)
                    }
                ),
                false => quote(path),
            }
        }
        None => quote(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_ends_where_a_shell_says() {
        for (line, name, rest) in [
            ("a.sh", "a.sh", ""),
            ("a.sh  -x 'b c' ", "a.sh", "  -x 'b c'"),
            ("\"a b.sh\" c", "a b.sh", " c"),
        ] {
            let (n, r) = first_word(line).unwrap();
            assert_eq!((n.as_str(), r.as_str()), (name, rest), "{line}");
        }
        assert_eq!(quote_path("~bob/a b"), "~bob'/a b'");
        assert_eq!(quote_path("~$(x)/a"), "'~$(x)/a'");
    }
}
