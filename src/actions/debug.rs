//! `debug`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/debug_module.html>

use super::{Context, Entry, only, refused};
use crate::error::Kind;
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["debug"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Err(e) = only("debug", &args, &["msg", "var", "verbosity"]) {
        return e;
    }
    if args.contains_key("msg") && args.contains_key("var") {
        return refused("", "parameters are mutually exclusive: msg|var");
    }
    let threshold = match args.get("verbosity") {
        None => 0,
        Some(v) => match crate::run::number_of(v) {
            Some(n) => n as i64,
            None => {
                return TaskResult::failed(format!(
                    "argument 'verbosity' is of type {} and we were unable to convert to int",
                    v.type_name()
                ));
            }
        },
    };
    if i64::from(context.verbosity) < threshold {
        return TaskResult::new()
            .with("skipped", true)
            .with("skipped_reason", "Verbosity threshold not met.")
            .with("changed", false);
    }
    let mut result = TaskResult::new()
        .with("changed", false)
        .with("_ansible_verbose_always", true);
    match args.get("var") {
        None => {
            let msg = args
                .get("msg")
                .cloned()
                .unwrap_or_else(|| "Hello world!".into());
            result.set("msg", msg);
        }
        Some(var) => match shown(var, context) {
            Ok((name, value)) => {
                result.fields.insert(Key::from(name), value);
            }
            Err(e) => return crate::run::failure_of(e, &context.task.at),
        },
    }
    result
}

/// The name under which a variable is shown, and its value.
fn shown(var: &Value, context: &Context<'_>) -> crate::Result<(String, Value)> {
    let (name, value) = match var {
        Value::List(_) | Value::Map(_) => {
            let value = context.templar.render(var)?;
            return Ok((format!("<class '{}'>", value.type_name()), value));
        }
        Value::Template(_) => {
            // a template gives the name, or the value itself
            let value = context.templar.render(var)?;
            match value.as_str() {
                Some(text) => (text.to_string(), evaluated(text, context)),
                None => return Ok((crate::run::text_of(var), value)),
            }
        }
        other => {
            let text = crate::run::text_of(other);
            let value = evaluated(&text, context);
            (text, value)
        }
    };
    Ok((name, value?))
}

fn evaluated(text: &str, context: &Context<'_>) -> crate::Result<Value> {
    match context.templar.expression(text) {
        Err(e) if e.kind() == Kind::Undefined => {
            crate::notice::warning(format!(
                "Encountered 1 template error.\nerror 1 - {}",
                e.message()
            ));
            Ok(Value::str(format!("<< error 1 - {} >>", e.message())))
        }
        other => other,
    }
}
