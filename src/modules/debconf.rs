//! Answers the questions of Debian's packages before they are asked.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Command, Machine};
use crate::modules::args::boolean;
use crate::python;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/debconf_module.html>
pub struct Debconf;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_together" = [["question", "vtype", "value"]]))]
pub struct Args {
    /// The package.
    #[schemars(extend("aliases" = ["pkg"]))]
    name: String,
    /// The question; without it, answers are only told.
    #[schemars(extend("aliases" = ["selection", "setting"]))]
    question: Option<String>,
    /// The kind of the answer.
    vtype: Option<Kind>,
    /// The answer.
    #[schemars(extend("aliases" = ["answer"]))]
    value: Option<Value>,
    /// Leaves the question to be asked.
    #[serde(default)]
    unseen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Boolean,
    Error,
    Multiselect,
    Note,
    Password,
    Seen,
    Select,
    String,
    Text,
    Title,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    msg: String,
    /// The package's answers, or the one that was set.
    current: Value,
    /// The answers before.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Debconf {
    const NAME: &'static str = "debconf";
    const EXAMPLES: &'static str = "
- name: See what a package was told
  ansible.builtin.debconf:
    name: tzdata
  when: ansible_os_family == 'Debian'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut answers = answers(&args.name, machine)?;
        let unchanged = |answers| Returns {
            changed: false,
            msg: String::new(),
            current: Value::map(answers),
            previous: None,
            diff: None,
        };
        let (Some(question), Some(kind)) = (&args.question, args.vtype) else {
            return Ok(unchanged(answers));
        };
        let given = args.value.clone().unwrap_or_default();
        let known = answers.get(question.as_str()).map(python::str);
        let before = match kind {
            Kind::Password => password(&args.name, question, machine)?,
            _ => known.clone(),
        };
        let (text, same) = wanted(kind, given, before.as_deref())?;
        if same {
            return Ok(unchanged(answers));
        }
        let kind = serde_json::to_value(kind).unwrap_or_default();
        let line = [
            &args.name,
            question,
            kind.as_str().unwrap_or_default(),
            &text,
        ]
        .join(" ");
        let mut words = vec![tool::find(machine, "debconf-set-selections")?];
        if args.unseen {
            words.push("-u".to_string());
        }
        let command = Command {
            stdin: Some(format!("{line}\n").into_bytes()),
            ..tool::command(words)
        };
        let output = tool::perform(machine, &command, "a question is answered")?;
        if output.rc != 0 {
            return Err(Failure::new(output.stderr_text()));
        }
        let one = |text: &str| Map::from_iter([(question.as_str().into(), Value::from(text))]);
        let current = one(&text);
        let shown_before = one(before.as_deref().unwrap_or_default());
        if before.is_none() || kind == "password" {
            answers.extend(shown_before.clone());
        }
        // the difference is that of the question, the others stay
        let previous = match known.is_some() && kind != "password" {
            true => shown_before,
            false => answers,
        };
        let mut after = previous.clone();
        after.extend(current.clone());
        let diff = machine.mode.diff.then(|| {
            Value::map(crate::modules::args::map([
                ("before", Value::map(previous.clone())),
                ("after", Value::map(after)),
            ]))
        });
        Ok(Returns {
            changed: true,
            msg: String::new(),
            current: Value::map(current),
            previous: Some(Value::map(previous)),
            diff,
        })
    }
}

/// What the package was told, passwords left out.
fn answers(package: &str, machine: &Machine) -> Result<Map, Failure> {
    let program = tool::find(machine, "debconf-show")?;
    let output = tool::probe(machine, [program.as_str(), package])?;
    if output.rc != 0 {
        return Err(Failure::new(output.stderr_text()));
    }
    let text = output.stdout_text();
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    Ok(lines
        .map(|(question, answer)| {
            let question = question.trim_start_matches(['*', ' ']).trim();
            (question.into(), Value::from(answer.trim()))
        })
        .collect())
}

/// The password that a question has.
fn password(package: &str, question: &str, machine: &Machine) -> Result<Option<String>, Failure> {
    let program = tool::find(machine, "debconf-get-selections")?;
    let output = tool::probe(machine, [program.as_str()])?;
    if output.rc != 0 {
        return Err(Failure::new(output.stderr_text()));
    }
    let text = output.stdout_text();
    Ok(text.lines().find_map(|line| {
        let mut fields = line.splitn(4, '\t');
        let of = |fields: &mut std::str::SplitN<'_, char>, name: &str| {
            fields.next().is_some_and(|f| f == name)
        };
        (of(&mut fields, package) && of(&mut fields, question) && of(&mut fields, "password"))
            .then(|| fields.next().unwrap_or_default().to_string())
    }))
}

/// The answer as debconf has it, and whether it is the one that is there.
fn wanted(kind: Kind, given: Value, before: Option<&str>) -> Result<(String, bool), Failure> {
    match (kind, given) {
        (Kind::Boolean, value) => {
            let text = python::str(&value);
            // of text only the two words have a form of their own
            let text = match (value.as_str(), boolean(&value)) {
                (None, Ok(truth)) => truth.to_string(),
                _ => text.to_lowercase(),
            };
            let same = before == Some(text.as_str());
            Ok((text, same))
        }
        (Kind::Multiselect, Value::List(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let Some(texts) = texts else {
                let kinds = |v: &Value| v.type_name();
                let other = items
                    .iter()
                    .find(|i| i.as_str().is_none())
                    .map_or("", kinds);
                return Err(Failure::new(format!(
                    "Invalid value provided for 'multiselect': '<' not supported between instances of \
                     '{other}' and 'str'"
                )));
            };
            // the order is of no importance
            let mut sorted = texts.clone();
            sorted.sort_unstable();
            let mut there: Vec<&str> = before
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .collect();
            there.sort_unstable();
            Ok((texts.join(", "), before.is_some() && sorted == there))
        }
        (_, value @ (Value::List(_) | Value::Map(_))) => Err(Failure::uncaught(format!(
            "sequence item 3: expected str instance, {} found",
            value.type_name()
        ))),
        (_, value) => {
            let text = python::str(&value);
            let same = before == Some(text.as_str());
            Ok((text, same))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_as_debconf_has_them() {
        let list = |words: &[&str]| Value::list(words.iter().copied().map(Value::str).collect());
        for (kind, given, before, text, same) in [
            (Kind::Boolean, Value::Bool(true), Some("true"), "true", true),
            (
                Kind::Boolean,
                Value::str("FALSE"),
                Some("true"),
                "false",
                false,
            ),
            (Kind::Boolean, Value::str("Yes"), None, "yes", false),
            (
                Kind::Multiselect,
                list(&["b", "a"]),
                Some("a, b"),
                "b, a",
                true,
            ),
            (
                Kind::Multiselect,
                Value::str("a, b"),
                Some("b, a"),
                "a, b",
                false,
            ),
            (Kind::String, Value::str(""), None, "", false),
        ] {
            let expected = (text.to_string(), same);
            assert_eq!(wanted(kind, given, before).unwrap(), expected, "{text}");
        }
    }
}
