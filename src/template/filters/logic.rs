//! Choosing and converting: `default`, `bool`, `ternary`, `mandatory` and their kind.

use super::Filter;
use crate::Result;
use crate::notice;
use crate::template::call::{Call, error};
use crate::template::protocol::undefined;
use crate::template::python;
use crate::value::Value;

/// The name in the message of an undefined variable, `'x' is undefined`.
fn undefined_name(message: &str) -> Option<&str> {
    message.strip_prefix('\'')?.strip_suffix("' is undefined")
}

fn default(mut call: Call) -> Result<Value> {
    let args = call.bind(&["default_value", "boolean"])?;
    let missing = matches!(call.value, Value::Undefined(_));
    if missing || args.flag("boolean", false) && !call.value.is_truthy() {
        let default = args.get("default_value").cloned();
        return Ok(default.unwrap_or_else(|| "".into()));
    }
    Ok(call.value)
}

/// The words Ansible takes for true and false; none for anything else.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        other => match other.as_str()?.to_lowercase().as_str() {
            "yes" | "on" | "true" | "1" => Some(true),
            "no" | "off" | "false" | "0" => Some(false),
            _ => None,
        },
    }
}

fn bool(mut call: Call) -> Result<Value> {
    call.no_args()?;
    if let Some(b) = to_bool(&call.value) {
        return Ok(Value::Bool(b));
    }
    let result = matches!(call.value, Value::Float(f) if f == 1.0);
    notice::deprecated(format!(
        "The `bool` filter coerced invalid value {} ({}) to {}. This feature will be removed from ansible-core version 2.23.",
        python::repr(&call.value),
        call.value.type_name(),
        if result { "True" } else { "False" },
    ));
    Ok(Value::Bool(result))
}

fn ternary(mut call: Call) -> Result<Value> {
    let args = call.bind(&["true_val", "false_val", "none_val"])?;
    let (yes, no) = (args.need("true_val")?, args.need("false_val")?);
    if let Value::Undefined(message) = &call.value {
        return Err(undefined(message));
    }
    Ok(match (&call.value, args.given("none_val")) {
        (Value::Null, Some(none)) => none.clone(),
        (value, _) if value.is_truthy() => yes.clone(),
        _ => no.clone(),
    })
}

fn mandatory(mut call: Call) -> Result<Value> {
    let args = call.bind(&["msg"])?;
    let Value::Undefined(message) = &call.value else {
        return Ok(call.value);
    };
    Err(error(match (args.given("msg"), undefined_name(message)) {
        (Some(msg), _) => python::str(msg),
        (None, Some(name)) => format!("Mandatory variable '{name}' not defined."),
        (None, None) => "Mandatory variable not defined.".into(),
    }))
}

fn undef(mut call: Call) -> Result<Value> {
    let args = call.bind(&["hint"])?;
    let hint = match call.value.as_str() {
        Some(text) if !text.is_empty() => text.to_string(),
        _ => args.text("hint", "Undefined variable"),
    };
    Ok(Value::Undefined(hint.into()))
}

fn type_debug(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(match &call.value {
        Value::Undefined(_) => "UndefinedMarker",
        other => other.type_name(),
    }
    .into())
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("bool", bool),
    ("d", default),
    ("default", default),
    ("mandatory", mandatory),
    ("ternary", ternary),
    ("type_debug", type_debug),
    ("undef", undef),
];
