//! `assert`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/assert_module.html>

use super::{Context, Entry, only, refused};
use crate::Error;
use crate::error::Kind;
use crate::result::TaskResult;
use crate::template::Raw;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["assert"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Err(e) = only(
        "assert",
        &args,
        &["fail_msg", "msg", "quiet", "success_msg", "that"],
    ) {
        return e;
    }
    let Some(that) = args.get("that") else {
        return refused("", "missing required arguments: that");
    };
    let conditions: Vec<Value> = match that {
        Value::List(items) => items.to_vec(),
        // a template that is the whole argument may give the list, whose items are conditions as they are written
        Value::Template(_) => match context.templar.settle(that) {
            Ok(Raw::Clean(Value::List(items)) | Raw::Lazy(Value::List(items))) => items.to_vec(),
            _ => vec![that.clone()],
        },
        other => vec![other.clone()],
    };
    let message = |names: &[&str],
                   default: &str,
                   context: &Context<'_>|
     -> Result<Value, TaskResult> {
        match names
            .iter()
            .find_map(|n| args.get(*n))
            .filter(|v| !v.is_null())
        {
            None => Ok(default.into()),
            Some(value) => {
                let value = context
                    .templar
                    .render(value)
                    .map_err(|e| crate::run::failure_of(e, &context.task.at))?;
                let is_text = |v: &Value| matches!(v, Value::Str(_));
                match &value {
                    Value::List(items) if items.iter().all(is_text) => Ok(value),
                    Value::List(_) | Value::Map(_) => Err(TaskResult::failed(format!(
                        "argument '{}' is of type {} and we were unable to convert to str_or_list_of_str: a string or list of strings is required",
                        names[0],
                        value.type_name()
                    ))),
                    Value::Str(_) => Ok(value),
                    other => Ok(Value::str(crate::python::str(other))),
                }
            }
        }
    };
    let quiet = args
        .get("quiet")
        .is_some_and(|v| crate::playbook::boolean(v).unwrap_or(false));
    for (index, condition) in conditions.iter().enumerate() {
        if condition.is_null() {
            let error = Error::new(
                Kind::Template,
                "Empty conditional expressions are not allowed.",
            );
            let at = context.task.action.place_of_item(&"that".into(), index);
            return crate::run::failure_of(error.at(at), &context.task.at);
        }
        let placed = crate::playbook::Condition {
            value: condition.clone(),
            at: context
                .task
                .action
                .place_of_item(&"that".into(), index)
                .clone(),
        };
        match crate::run::holds(&placed, context.templar) {
            Ok(true) => {}
            Ok(false) => {
                let msg = match message(&["fail_msg", "msg"], "Assertion failed", context) {
                    Ok(msg) => msg,
                    Err(e) => return e,
                };
                let mut result = TaskResult::new()
                    .with("changed", false)
                    .with("failed", true)
                    .with("assertion", shown(condition))
                    .with("evaluated_to", false)
                    .with("msg", msg);
                if !quiet {
                    result.set("_ansible_verbose_always", true);
                }
                return result;
            }
            Err(e) => return crate::run::failure_of(e, &context.task.at),
        }
    }
    let msg = match message(&["success_msg"], "All assertions passed", context) {
        Ok(msg) => msg,
        Err(e) => return e,
    };
    let mut result = TaskResult::new().with("changed", false).with("msg", msg);
    if !quiet {
        result.set("_ansible_verbose_always", true);
    }
    result
}

/// The condition as written.
fn shown(condition: &Value) -> Value {
    match condition {
        Value::Template(t) => Value::Str(crate::value::Text::trusted(t.text.clone())),
        other => other.clone(),
    }
}
