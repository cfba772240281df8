//! Tests on the results of tasks: `is failed`, `is changed`, ...

use super::Test;
use crate::Result;
use crate::template::call::{Call, error};
use crate::value::Value;

/// The truth of an entry of a task's result.
fn entry(call: &mut Call, key: &str) -> Result<bool> {
    call.no_args()?;
    match &call.value {
        Value::Map(map) => Ok(map.get(key).is_some_and(Value::is_truthy)),
        _ => Err(error(format!(
            "The '{}' test expects a dictionary",
            call.name
        ))),
    }
}

fn failed(mut call: Call) -> Result<bool> {
    entry(&mut call, "failed")
}

fn succeeded(mut call: Call) -> Result<bool> {
    Ok(!entry(&mut call, "failed")?)
}

fn unreachable(mut call: Call) -> Result<bool> {
    entry(&mut call, "unreachable")
}

fn reachable(mut call: Call) -> Result<bool> {
    Ok(!entry(&mut call, "unreachable")?)
}

fn skipped(mut call: Call) -> Result<bool> {
    entry(&mut call, "skipped")
}

fn timedout(mut call: Call) -> Result<bool> {
    let timed_out = entry(&mut call, "timedout")?;
    let period = call.value.get("timedout").and_then(|t| t.get("period"));
    Ok(timed_out && period.is_some_and(Value::is_truthy))
}

/// A result of a loop has changed if one of its items has.
fn changed(mut call: Call) -> Result<bool> {
    if entry(&mut call, "changed")? {
        return Ok(true);
    }
    let items = call.value.get("results").and_then(Value::as_list);
    let has_changed = |v: &Value| v.get("changed").is_some_and(Value::is_truthy);
    Ok(!call
        .value
        .as_map()
        .is_some_and(|m| m.contains_key("changed"))
        && items.is_some_and(|items| items.iter().any(has_changed)))
}

fn started(mut call: Call) -> Result<bool> {
    Ok(match call.value.get("started") {
        Some(v) => v.is_truthy(),
        None => {
            entry(&mut call, "started")?;
            // a task that is not asynchronous has started
            true
        }
    })
}

fn finished(mut call: Call) -> Result<bool> {
    Ok(match call.value.get("finished") {
        Some(v) => v.is_truthy(),
        None => {
            entry(&mut call, "finished")?;
            true
        }
    })
}

pub static TESTS: &[(&str, Test)] = &[
    ("change", changed),
    ("changed", changed),
    ("failed", failed),
    ("failure", failed),
    ("finished", finished),
    ("reachable", reachable),
    ("skip", skipped),
    ("skipped", skipped),
    ("started", started),
    ("succeeded", succeeded),
    ("success", succeeded),
    ("successful", succeeded),
    ("timedout", timedout),
    ("unreachable", unreachable),
];
