//! The values of a task's keywords: rendered, of the right type, inherited where they are left out.

use super::executor::TaskRun;
use super::values::number_of;
use crate::error::Kind;
use crate::playbook::{Play, boolean};
use crate::source::Location;
use crate::template::Templar;
use crate::value::Value;
use crate::{Error, Result, python};

/// What a keyword's value must be convertible to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Float,
    Percent,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Percent => "percent",
        }
    }

    fn takes(self, value: &Value) -> bool {
        let number = |v: &Value| matches!(v, Value::Bool(_)) || number_of(v).is_some();
        match (self, value) {
            (_, Value::Null) => true,
            (Type::Bool, v) => boolean(v).is_some(),
            (Type::Int, Value::Str(text)) => text.trim().replace('_', "").parse::<i64>().is_ok(),
            (Type::Int | Type::Float, v) => number(v),
            (Type::Percent, Value::Str(text)) => {
                let text = text.trim();
                number(&Value::str(text.strip_suffix('%').unwrap_or(text)))
            }
            (Type::Percent, v) => number(v),
        }
    }
}

/// The keywords that have a type, in the order in which they are looked at, and the name that messages give them.
static TYPED: &[(&str, &str, Type)] = &[
    ("any_errors_fatal", "any_errors_fatal", Type::Bool),
    ("async", "async_val", Type::Int),
    ("become", "become", Type::Bool),
    ("check_mode", "check_mode", Type::Bool),
    ("delay", "delay", Type::Float),
    ("delegate_facts", "delegate_facts", Type::Bool),
    ("diff", "diff", Type::Bool),
    ("ignore_errors", "ignore_errors", Type::Bool),
    ("ignore_unreachable", "ignore_unreachable", Type::Bool),
    ("no_log", "no_log", Type::Bool),
    ("poll", "poll", Type::Int),
    ("port", "port", Type::Int),
    ("retries", "retries", Type::Int),
    ("run_once", "run_once", Type::Bool),
    ("throttle", "throttle", Type::Int),
    ("timeout", "timeout", Type::Int),
];

/// The error for a value that has not the type of the keyword.
pub(super) fn mismatch(name: &str, value: &Value, of: Type, at: Option<&Location>) -> Error {
    let words = format!(
        "The value {} could not be converted to '{}'.",
        python::repr(value),
        of.word()
    );
    Error::new(Kind::Template, words)
        .at_opt(at)
        .apart()
        .within(format!("Error processing keyword '{name}'"), at)
}

/// A keyword's value if it has the type that the keyword has.
pub(super) fn typed(name: &str, value: Value, of: Type, at: Option<&Location>) -> Result<Value> {
    match of.takes(&value) {
        true => Ok(value),
        false => Err(mismatch(name, &value, of, at)),
    }
}

/// A play's keyword, rendered; none where it is not given, empty or `omit`.
pub(super) fn of_play(
    play: &Play,
    name: &str,
    of: Option<Type>,
    templar: &Templar,
) -> Result<Option<Value>> {
    let Some(node) = play.directives.get(name) else {
        return Ok(None);
    };
    let value = templar
        .render(&node.to_value())
        .and_then(|value| match of {
            Some(of) if value != Value::Omit => typed(name, value, of, Some(&node.at)),
            _ => Ok(value),
        })
        .map_err(|e| e.at(&node.at).with_kind(Kind::Parse))?;
    Ok(match value {
        Value::Omit | Value::Null => None,
        value => Some(value),
    })
}

/// A play's keyword that is a boolean.
pub(super) fn flag_of_play(play: &Play, name: &str, templar: &Templar) -> Result<Option<bool>> {
    Ok(of_play(play, name, Some(Type::Bool), templar)?.and_then(|v| boolean(&v)))
}

impl TaskRun<'_> {
    /// A keyword's value and its place. Where it is `omit`, that of what the task is in.
    pub(super) fn keyword<'k>(
        &'k self,
        name: &str,
        templar: &Templar,
    ) -> Result<Option<(Value, &'k Location)>> {
        let own = self.task.directives.get(name);
        let outer = self
            .task
            .frame
            .chain()
            .filter_map(|f| f.directives.get(name));
        for node in own.into_iter().chain(outer) {
            let value = node.to_value();
            let value = match value.needs_render() {
                false => value,
                true => templar.render(&value).map_err(|e| {
                    let words = format!("Error processing keyword '{name}'");
                    e.at(&node.at).within(words, Some(&node.at))
                })?,
            };
            match value {
                Value::Omit => {}
                Value::Null => return Ok(None),
                value => return Ok(Some((value, &node.at))),
            }
        }
        Ok(None)
    }

    /// A keyword that is a boolean.
    pub(super) fn flag(&self, name: &str, templar: &Templar) -> Result<Option<bool>> {
        let Some((value, at)) = self.keyword(name, templar)? else {
            return Ok(None);
        };
        match boolean(&value) {
            Some(flag) => Ok(Some(flag)),
            None => Err(mismatch(name, &value, Type::Bool, Some(at))),
        }
    }

    /// Fails for a keyword whose value has not its type.
    pub(super) fn check_keywords(&self, templar: &Templar) -> Result<()> {
        for (name, shown, of) in TYPED {
            if self.task.keyword(name).is_none() {
                continue;
            }
            if let Some((value, at)) = self.keyword(name, templar)? {
                typed(shown, value, *of, Some(at))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_python_converts_them() {
        let text = Value::str;
        let cases = [
            (Type::Bool, text("yes."), false),
            (Type::Bool, text("Yes"), true),
            (Type::Bool, Value::list(vec![]), false),
            (Type::Int, text("5"), true),
            (Type::Int, text("5.5"), false),
            (Type::Int, Value::Bool(true), true),
            (Type::Float, text("5.5"), true),
            (Type::Float, text("x"), false),
            (Type::Percent, text("30%"), true),
            (Type::Percent, text("%"), false),
        ];
        for (of, value, good) in cases {
            assert_eq!(of.takes(&value), good, "{of:?} {value:?}");
        }
    }
}
