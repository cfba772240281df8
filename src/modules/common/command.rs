//! What `command` and `shell` have in common.

use crate::clock::Moment;
use crate::expand;
use crate::machine::{Command, Machine, python_error};
use crate::modules::Failure;
use crate::modules::args::Path;
use crate::value::Value;
use schemars::JsonSchema;
use serde::Serialize;

/// A command with the conditions under which it runs.
pub struct Run {
    /// What is executed.
    pub words: Vec<String>,
    /// The command as the result shows it: its words, or the line for `shell`.
    pub shown: Value,
    /// Replaces `$NAME` and `~` in the words that are executed.
    pub expand: bool,
    /// The command as the user wrote it.
    pub line: String,
    pub creates: Option<Path>,
    pub removes: Option<Path>,
    pub chdir: Option<Path>,
    pub stdin: Option<String>,
    pub stdin_add_newline: bool,
    pub strip_empty_ends: bool,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// The command: its words, or the line for `shell`.
    cmd: Value,
    /// When it began, in local time.
    start: Option<String>,
    /// When it ended, in local time.
    end: Option<String>,
    /// How long it took.
    delta: Option<String>,
    /// Exit status.
    rc: Option<i64>,
    stdout: String,
    stdout_lines: Vec<String>,
    stderr: String,
    stderr_lines: Vec<String>,
    msg: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

impl Returns {
    /// The success of a command that was answered without running it.
    pub fn answered(words: &[String], stdout: &str, start: Moment) -> Returns {
        let stdout = stdout.trim_end_matches(['\r', '\n']).to_string();
        let end = Moment::now();
        Returns {
            changed: true,
            cmd: Value::list(words.iter().map(Value::str).collect()),
            start: Some(shown(start)),
            end: Some(shown(end)),
            delta: Some(delta(start, end)),
            rc: Some(0),
            stdout_lines: lines(&stdout),
            stdout,
            ..Returns::default()
        }
    }
}

impl Run {
    /// Runs it, unless `creates`, `removes` or check mode say not to.
    pub fn execute(self, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut returns = Returns {
            cmd: self.shown,
            ..Returns::default()
        };
        let refuse = |msg: &str, returns: &Returns| {
            let mut failure = Failure::new(msg);
            if let Ok(Value::Map(fields)) = Value::from_serialize(returns) {
                failure.fields = (*fields).clone();
                failure.fields.shift_remove("msg");
            }
            failure
        };
        if let Some(dir) = &self.chdir {
            let problem = match machine.stat(dir) {
                Ok(stat) if stat.is_dir() => match machine.access(dir, rustix::fs::Access::EXEC_OK)
                {
                    true => None,
                    false => Some(std::io::Error::from_raw_os_error(
                        rustix::io::Errno::ACCESS.raw_os_error(),
                    )),
                },
                Ok(_) => Some(std::io::Error::from_raw_os_error(
                    rustix::io::Errno::NOTDIR.raw_os_error(),
                )),
                Err(e) => Some(e),
            };
            if let Some(e) = problem {
                let failure = refuse("Unable to change directory before execution.", &returns);
                return Err(failure.because(python_error(&e, dir)));
            }
        }
        for (pattern, what, wanted) in [
            (&self.creates, "exists", true),
            (&self.removes, "does not exist", false),
        ] {
            let Some(pattern) = pattern else { continue };
            let base = self.chdir.as_deref();
            if machine.any_match(pattern.as_str(), base) == wanted {
                let would = if machine.mode.check { "Would" } else { "Did" };
                returns.msg = format!(
                    "{would} not run command since '{}' {what}",
                    pattern.as_str()
                );
                returns.stdout = format!("skipped, since {} {what}", pattern.as_str());
                returns.stdout_lines = lines(&returns.stdout);
                returns.rc = Some(0);
                return Ok(returns);
            }
        }
        if machine.mode.check && self.creates.is_none() && self.removes.is_none() {
            returns.skipped = true;
            returns.msg = "Command would have run if not in check mode".to_string();
            returns.rc = Some(0);
            return Ok(returns);
        }
        let command = Command {
            stdin: self.stdin.filter(|text| !text.is_empty()).map(|mut text| {
                if self.stdin_add_newline {
                    text.push('\n');
                }
                text.into_bytes()
            }),
            dir: self.chdir.map(|d| d.to_path_buf()),
            ..Command::new(self.words.iter().map(|word| match self.expand {
                true => expand::path_with(word, &|name| machine.variable(name)),
                false => word.clone(),
            }))
        };
        let start = Moment::now();
        let ran = machine.run(&command, &self.line);
        let end = Moment::now();
        let output = match ran {
            Ok(Some(output)) => output,
            Ok(None) => {
                returns.changed = true;
                returns.msg = "Command would have run if not in check mode".to_string();
                returns.rc = Some(0);
                return Ok(returns);
            }
            Err(e) => {
                returns.rc = Some(e.raw_os_error().unwrap_or(1).into());
                let words: Vec<String> = self.words.iter().map(|w| quote(w)).collect();
                let cmd = words.join(" ");
                let mut failure = refuse("Error executing command.", &returns).with("cmd", cmd);
                for key in ["start", "end", "delta"] {
                    failure.fields.shift_remove(key);
                }
                let program = self.words.first().map_or("", String::as_str);
                return Err(failure.because(python_error(&e, program.as_ref())));
            }
        };
        let clean = |text: String| match self.strip_empty_ends {
            true => text.trim_end_matches(['\r', '\n']).to_string(),
            false => text,
        };
        returns.changed = true;
        returns.start = Some(shown(start));
        returns.end = Some(shown(end));
        returns.delta = Some(delta(start, end));
        returns.rc = Some(output.rc);
        returns.stdout = clean(output.stdout_text());
        returns.stderr = clean(output.stderr_text());
        returns.stdout_lines = lines(&returns.stdout);
        returns.stderr_lines = lines(&returns.stderr);
        if output.rc != 0 {
            returns.failed = true;
            returns.msg = "non-zero return code".to_string();
        }
        Ok(returns)
    }
}

/// A word as a shell has to be given it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r#"'"'"'"#)),
    }
}

/// The words of a command line, split as a shell does. Nothing is expanded.
pub fn split(line: &str) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err(Failure::uncaught("No closing quotation")),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => match chars.next() {
                            Some(next @ ('"' | '\\')) => word.push(next),
                            Some(other) => word.extend(['\\', other]),
                            None => return Err(Failure::uncaught("No closing quotation")),
                        },
                        Some(other) => word.push(other),
                    }
                }
            }
            '\\' => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err(Failure::uncaught("No escaped character")),
            },
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Lines as Python's `splitlines` gives them.
pub fn lines(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let breaks = |c: char| {
            matches!(
                c,
                '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'
                    ..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
            )
        };
        let end = rest.find(breaks).unwrap_or(rest.len());
        out.push(rest[..end].to_string());
        rest = &rest[end..];
        rest = match rest.strip_prefix("\r\n") {
            Some(after) => after,
            None => {
                let mut chars = rest.chars();
                chars.next();
                chars.as_str()
            }
        };
    }
    out
}

pub fn shown(at: Moment) -> String {
    at.local().format("%Y-%m-%d %H:%M:%S.%f")
}

/// `0:00:01.234567`, as Python shows a time span.
pub fn delta(start: Moment, end: Moment) -> String {
    let micros = |at: Moment| at.secs * 1_000_000 + i64::from(at.nanos / 1000);
    let micros = (micros(end) - micros(start)).max(0);
    let secs = micros / 1_000_000;
    let days = match secs / 86400 {
        0 => String::new(),
        1 => "1 day, ".to_string(),
        n => format!("{n} days, "),
    };
    let fraction = match micros % 1_000_000 {
        0 => String::new(),
        n => format!(".{n:06}"),
    };
    format!(
        "{days}{}:{:02}:{:02}{fraction}",
        secs % 86400 / 3600,
        secs % 3600 / 60,
        secs % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_into_words_as_a_shell_does() {
        let cases: [(&str, &[&str]); 5] = [
            ("a  b\tc", &["a", "b", "c"]),
            (r#"echo 'a b' "c\"d" e\ f"#, &["echo", "a b", "c\"d", "e f"]),
            (r#"a'b'"c"d ''"#, &["abcd", ""]),
            (r#""\n" '\n'"#, &["\\n", "\\n"]),
            ("", &[]),
        ];
        for (line, words) in cases {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert!(split("'a").is_err());
    }

    #[test]
    fn lines_as_python_splits_them() {
        assert_eq!(lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n\n"), ["a", ""]);
        assert!(lines("").is_empty());
    }
}
