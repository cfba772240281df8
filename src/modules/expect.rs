//! Runs a command and answers what it asks.

use super::common::command;
use super::common::edit;
use super::common::text;
use super::common::tool;
use super::{Failure, Module};
use crate::clock::Moment;
use crate::machine::{Machine, errno_text};
use crate::modules::args::{Dict, Path};
use crate::python;
use crate::regex::{self, Flags, Regex};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/expect_module.html>
pub struct Expect;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The command; no shell sees it.
    command: String,
    /// Does nothing if this exists.
    creates: Option<Path>,
    /// Does nothing if this does not exist.
    removes: Option<Path>,
    /// The folder to run it in.
    chdir: Option<Path>,
    /// Regular expressions for what it asks, each with its answer, or with a list of answers one after the other.
    responses: Dict,
    /// Seconds that it may be silent.
    #[serde(default)]
    #[schemars(default = "thirty")]
    timeout: Option<Value>,
    /// Whether answers are in the output.
    #[serde(default)]
    echo: bool,
}

fn thirty() -> Option<Value> {
    Some(Value::Int(30))
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    cmd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<String>,
    /// Exit status.
    rc: Option<i64>,
    /// All that was to be seen at the terminal.
    stdout: String,
}

impl Module for Expect {
    const NAME: &'static str = "expect";
    const CHECK_MODE: bool = false;
    const EXAMPLES: &'static str = "
- name: Answer a question
  ansible.builtin.expect:
    command: >-
      sh -c 'printf Name:; read name; echo Hello $name'
    responses:
      'Name:': world
  register: said

- ansible.builtin.assert:
    that: said.stdout_lines | last == 'Name:Hello world'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let timeout = match &args.timeout {
            None => None,
            Some(value) => Some(seconds(value)?),
        };
        let mut responses = Vec::new();
        for (pattern, answers) in args.responses.iter() {
            responses.push(Response::new(&pattern.to_string(), answers)?);
        }
        if args.command.trim().is_empty() {
            return Err(Failure::new("no command given").with("rc", 256));
        }
        for (pattern, wanted, what) in [
            (&args.creates, true, "exists"),
            (&args.removes, false, "does not exist"),
        ] {
            let Some(pattern) = pattern else { continue };
            if machine.any_match(pattern.as_str(), args.chdir.as_deref()) == wanted {
                return Ok(Returns {
                    changed: false,
                    stdout: format!("skipped, since {} {what}", pattern.as_str()),
                    cmd: args.command,
                    start: None,
                    end: None,
                    delta: None,
                    rc: Some(0),
                });
            }
        }
        if let Some(dir) = &args.chdir {
            machine.list(dir).map_err(|e| {
                Failure::uncaught(format!(
                    "{}: {}",
                    errno_text(&e),
                    python::quote(dir.as_str())
                ))
            })?;
        }
        let mut words = command::split(&args.command)?;
        let missing = words.first().filter(|w| match w.contains('/') {
            true => !machine.is_file(std::path::Path::new(w)),
            false => machine.program(w).is_none(),
        });
        if let Some(word) = missing {
            return Err(Failure::new(format!(
                "The command was not found or was not executable: {word}."
            )));
        }
        if let Some(word) = words.first_mut()
            && let Some(path) = machine.program(word)
        {
            *word = path.to_string_lossy().into_owned();
        }
        let setsid = tool::find(machine, "setsid")?;
        let mut command = crate::machine::Command::new(words);
        command.dir = args.chdir.as_ref().map(|d| d.to_path_buf());
        let start = Moment::now();
        let mut trouble = None;
        let talked = machine.converse(&setsid, &command, args.echo, timeout, &mut |said| {
            match next(&mut responses, said) {
                _ if trouble.is_some() => None,
                Ok(answer) => answer,
                Err(failure) => {
                    trouble = Some(failure);
                    // the answers are at their end, and so is the conversation
                    Some((said.len(), vec![END_OF_TEXT]))
                }
            }
        });
        let talked = talked.map_err(|e| Failure::new(errno_text(&e)))?;
        if let Some(failure) = trouble {
            return Err(failure);
        }
        let end = Moment::now();
        if let Some(refusal) = text::refusal(&talked.output) {
            return Err(Failure::new(refusal));
        }
        let stdout = String::from_utf8_lossy(&talked.output);
        let returns = Returns {
            changed: true,
            cmd: args.command,
            start: Some(command::shown(start)),
            end: Some(command::shown(end)),
            delta: Some(command::delta(start, end)),
            rc: talked.rc,
            stdout: stdout.trim_end_matches(['\r', '\n']).to_string(),
        };
        let msg = match talked.rc {
            Some(0) => return Ok(returns),
            Some(_) => "non-zero return code",
            None => "command exceeded timeout",
        };
        let mut failure = Failure::new(msg);
        if let Ok(Value::Map(fields)) = Value::from_serialize(&returns) {
            failure.fields = (*fields).clone();
        }
        Err(failure)
    }
}

/// What ^C types.
const END_OF_TEXT: u8 = 3;

fn seconds(value: &Value) -> Result<Duration, Failure> {
    let number = match value {
        Value::Int(i) => Some(*i),
        Value::Str(s) => s.trim().parse().ok(),
        Value::Float(f) if f.fract() == 0.0 => Some(*f as i64),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        let (kind, shown) = (value.type_name(), python::repr(value));
        Failure::new(format!(
            "argument 'timeout' is of type <class '{kind}'> and we were unable to convert to int: \
             \"{shown}\" cannot be converted to an int"
        ))
    })?;
    Ok(Duration::from_secs(u64::try_from(number).unwrap_or(0)))
}

/// A question and its answers.
struct Response {
    question: String,
    pattern: Arc<Regex>,
    /// What is left of a list of answers.
    answers: VecDeque<String>,
    /// Whether the one answer is given each time.
    always: bool,
}

impl Response {
    fn new(question: &str, answers: &Value) -> Result<Response, Failure> {
        let flags = Flags {
            dotall: true,
            ..edit::BYTES
        };
        let pattern = regex::compile(&text::as_bytes(question), flags)
            .map_err(|e| Failure::uncaught(e.message()))?;
        let line = |value: &Value| format!("{}\n", python::str(value).trim_end_matches('\n'));
        let (answers, always) = match answers {
            Value::List(items) => (items.iter().map(line).collect(), false),
            one => (VecDeque::from([line(one)]), true),
        };
        Ok(Response {
            question: question.to_string(),
            pattern,
            answers,
            always,
        })
    }
}

/// The answer to the first question in what was said. Fails if there is none left.
fn next(responses: &mut [Response], said: &[u8]) -> Result<Option<(usize, Vec<u8>)>, Failure> {
    let seen: String = said.iter().copied().map(char::from).collect();
    let mut first: Option<(usize, usize, usize)> = None;
    for (which, response) in responses.iter().enumerate() {
        let found = regex::search(&response.pattern, &seen);
        let found = found.map_err(|e| Failure::uncaught(e.message()))?;
        if let Some(whole) = found.and_then(|f| f.get(0))
            && !whole.as_str().is_empty()
            && first.is_none_or(|f| whole.start() < f.0)
        {
            first = Some((whole.start(), whole.end(), which));
        }
    }
    let Some((_, end, which)) = first else {
        return Ok(None);
    };
    // the text has a character for each byte
    let end = seen[..end].chars().count();
    let response = &mut responses[which];
    let answer = match response.always {
        true => response.answers.front().cloned(),
        false => response.answers.pop_front(),
    };
    let answer = answer.ok_or_else(|| {
        let output = String::from_utf8_lossy(&said[..end]);
        let output = python::quote(&output);
        Failure::new(format!(
            "No remaining responses for '{}', output was 'b{output}'",
            response.question
        ))
    })?;
    Ok(Some((end, answer.into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_turn() {
        let list = Value::list(vec![Value::str("a"), Value::str("b\n")]);
        let mut all = vec![
            Response::new("Name:", &Value::str("n")).unwrap(),
            Response::new("(?i)age.", &list).unwrap(),
        ];
        let mut ask = |said: &str| next(&mut all, said.as_bytes());
        assert_eq!(ask("é Age:").unwrap(), Some((7, b"a\n".to_vec())));
        assert_eq!(ask("AGE? Name:").unwrap(), Some((4, b"b\n".to_vec())));
        assert_eq!(ask("Name: age:").unwrap(), Some((5, b"n\n".to_vec())));
        assert_eq!(ask("who").unwrap(), None);
        let failure = ask("age:").unwrap_err();
        assert_eq!(
            failure.msg,
            "No remaining responses for '(?i)age.', output was 'b'age:''"
        );
    }
}
