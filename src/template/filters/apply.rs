//! Filters that apply another filter or test to each item.

use super::Filter;
use crate::Result;
use crate::error::did_you_mean;
use crate::template::call::{Call, error};
use crate::template::protocol::{attribute, attribute_or, iterate};
use crate::template::{filters, tests};
use crate::value::{Map, Value};

/// `map('filter', ...)` and `map(attribute='a.b', default=...)`.
fn map(mut call: Call) -> Result<Value> {
    let items = iterate(&call.value)?;
    if call.args.is_empty() && call.kwargs.contains_key("attribute") {
        let args = call.bind_kwargs(&["attribute", "default"])?;
        let path = args.need("attribute")?;
        let default = args.given("default");
        let pick = |item: Value| attribute_or(&item, path, default);
        return Ok(Value::list(
            items.into_iter().map(pick).collect::<Result<_>>()?,
        ));
    }
    if call.args.is_empty() {
        return Err(error("map requires a filter argument"));
    }
    let name = call.args.remove(0);
    let name = super::bare(name.as_str().unwrap_or_default()).to_string();
    let filter = filters::ALL.find(&name).ok_or_else(|| no_filter(&name))?;
    let apply = |item: Value| {
        filters::call(
            filter,
            Call {
                name: &name,
                value: item,
                args: call.args.clone(),
                kwargs: call.kwargs.clone(),
                templar: call.templar,
            },
        )
    };
    Ok(Value::list(
        items.into_iter().map(apply).collect::<Result<_>>()?,
    ))
}

/// The error for a filter that does not exist.
pub fn no_filter(name: &str) -> crate::Error {
    let e = error(format!("No filter named '{name}'."));
    match did_you_mean(name, filters::ALL.names()) {
        Some(near) => e.hint(format!("did you mean '{near}'?")),
        None => e,
    }
}

/// The error for a test that does not exist.
pub fn no_test(name: &str) -> crate::Error {
    let e = error(format!("No test named '{name}'."));
    match did_you_mean(name, tests::ALL.names()) {
        Some(near) => e.hint(format!("did you mean '{near}'?")),
        None => e,
    }
}

/// Keeps the items whose truth, or that of their attribute, or of a test on them, is `wanted`.
fn keep(mut call: Call, by_attribute: bool, wanted: bool) -> Result<Value> {
    let items = iterate(&call.value)?;
    let path = if by_attribute {
        if call.args.is_empty() {
            return Err(error("Missing parameter for attribute name"));
        }
        Some(call.args.remove(0))
    } else {
        None
    };
    let test = if call.args.is_empty() {
        None
    } else {
        let name = call.args.remove(0);
        let name = super::bare(name.as_str().unwrap_or_default()).to_string();
        Some((tests::ALL.find(&name).ok_or_else(|| no_test(&name))?, name))
    };
    let mut out = Vec::new();
    for item in items {
        let subject = match &path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let truth = match &test {
            None => {
                if let Value::Undefined(message) = &subject {
                    return Err(crate::template::protocol::undefined(message));
                }
                subject.is_truthy()
            }
            Some((test, name)) => tests::call(
                *test,
                Call {
                    name,
                    value: subject,
                    args: call.args.clone(),
                    kwargs: Map::clone(&call.kwargs),
                    templar: call.templar,
                },
            )?,
        };
        if truth == wanted {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}

fn select(call: Call) -> Result<Value> {
    keep(call, false, true)
}
fn reject(call: Call) -> Result<Value> {
    keep(call, false, false)
}
fn selectattr(call: Call) -> Result<Value> {
    keep(call, true, true)
}
fn rejectattr(call: Call) -> Result<Value> {
    keep(call, true, false)
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("map", map),
    ("reject", reject),
    ("rejectattr", rejectattr),
    ("select", select),
    ("selectattr", selectattr),
];
