//! Reading rendered values: booleans, numbers, texts, conditions.

use crate::error::Kind;
use crate::playbook::{Condition, boolean};
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::Value;
use crate::{Error, Result};

/// Whether a condition holds.
pub fn holds(condition: &Condition, templar: &Templar) -> Result<bool> {
    templar.condition(&condition.value).map_err(|e| {
        let e = e.at(&condition.at);
        match e.kind() {
            Kind::Undefined => e.within("Error while evaluating conditional", Some(&condition.at)),
            _ => e,
        }
    })
}

/// A keyword's boolean, rendered.
pub fn truth(value: &Value, templar: &Templar) -> Result<bool> {
    let rendered = templar.render(value)?;
    boolean(&rendered).ok_or_else(|| {
        Error::new(
            Kind::Template,
            format!("{} is not a boolean", text_of(&rendered)),
        )
    })
}

/// A text for showing: templates in it that cannot be rendered are replaced by words that say why.
pub fn lenient(templar: &Templar, value: &Value) -> String {
    let error = match templar.render(value) {
        Ok(value) => return crate::template::python::str(&value),
        Err(e) => e,
    };
    let Value::Template(template) = value else {
        return text_of(value);
    };
    let mut out = String::new();
    let mut rest: &str = &template.text;
    let mut count = 0;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        out.push_str(&rest[..start]);
        let part = Value::user_text(&rest[start..start + length + 2], template.at.as_ref());
        match templar.render(&part) {
            Ok(value) => out.push_str(&crate::template::python::str(&value)),
            Err(e) => {
                count += 1;
                out.push_str(&format!("<< error {count} - {} >>", e.message()));
            }
        }
        rest = &rest[start + length + 2..];
    }
    if count == 0 {
        return template.text.to_string();
    }
    let place = error
        .location()
        .map(|at| format!(" at {at}"))
        .unwrap_or_default();
    crate::notice::warning(format!(
        "Encountered {count} template error{}.\nerror 1 - {}{place}",
        if count == 1 { "" } else { "s" },
        error.message()
    ));
    out.push_str(rest);
    out
}

/// A number as number or text.
pub fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        Value::Str(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number as Python's `int()` takes it, with Python's words for what it does not take.
pub fn whole_number(value: &Value) -> Result<i64> {
    let wrong = |words: String| Err(Error::new(Kind::Template, words));
    match value {
        Value::Int(i) => Ok(*i),
        Value::Bool(b) => Ok(i64::from(*b)),
        Value::Float(f) => Ok(*f as i64),
        _ => match value.as_str() {
            Some(text) => match text.trim().parse() {
                Ok(number) => Ok(number),
                Err(_) => wrong(format!(
                    "invalid literal for int() with base 10: {}",
                    crate::template::python::repr(value)
                )),
            },
            None => wrong(format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                value.type_name()
            )),
        },
    }
}

/// An error in the value of a keyword.
pub(super) fn keyword_error(error: Error, keyword: &str) -> Error {
    error.context(format!("Error processing keyword '{keyword}'"))
}

/// The failed result that an error in the text of the task at `at` makes.
pub fn failure_of(error: Error, at: &crate::source::Location) -> TaskResult {
    // what is wrong with a setting is said as it is, what is wrong with a template with its task
    let error = match error.kind() {
        Kind::Options => error,
        _ => error.within("Task failed", Some(at)),
    };
    let mut result = TaskResult::failed(error.message()).with("changed", false);
    result.error = Some(error);
    result
}

/// A value as plain text in messages.
pub fn text_of(value: &Value) -> String {
    match value.as_str() {
        Some(s) => s.to_string(),
        None => value.to_json().to_string(),
    }
}
