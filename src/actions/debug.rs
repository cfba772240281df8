//! `debug`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/debug_module.html>

use super::{Context, Entry, only, refused};
use crate::error::{Error, Kind, Result};
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
    if let Some(var) = args.get("var")
        && !matches!(var, Value::Str(_) | Value::Template(_))
    {
        let words = format!(
            "argument 'var' is of type {} and we were unable to convert to string: '{}' is not a string and conversion is not allowed",
            var.type_name(),
            crate::python::repr(var)
        );
        return refused("", &words);
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
    let shown = match args.get("var").map(|var| shown(var, context)) {
        None => None,
        Some(Ok(shown)) => shown,
        Some(Err(e)) => return crate::run::failure_of(e, &context.task.at),
    };
    match shown {
        None => {
            let msg = args
                .get("msg")
                .cloned()
                .unwrap_or_else(|| "Hello world!".into());
            result.set("msg", msg);
        }
        Some(shown) => {
            if let Some(words) = shown.warning {
                result.set("warnings", vec![Value::from(words)]);
            }
            result.fields.insert(Key::from(shown.name), shown.value);
        }
    }
    result
}

struct Shown {
    name: String,
    value: Value,
    /// Where there is no value, what is said of the one that stands in its place.
    warning: Option<String>,
}

/// The name under which a variable is shown, and its value; none if `var` is omitted.
fn shown(var: &Value, context: &Context<'_>) -> Result<Option<Shown>> {
    let action = &context.task.action;
    let key = Key::from("var");
    let untrusted = || {
        Error::new(
            Kind::Template,
            "Encountered untrusted template or expression.",
        )
        .at(action.place_of(&key))
        .within(
            "Error while resolving `var` expression",
            Some(action.place_of(&key)),
        )
        .hint("what a host or a filter says is no expression; a variable of the user's may be")
    };
    match var {
        Value::Str(text) if !text.is_trusted() => Err(untrusted()),
        Value::Template(template) => {
            // a template gives the name, or the value itself
            let value = context.templar.render(var)?;
            match &value {
                Value::Omit => Ok(None),
                Value::Str(text) if text.is_trusted() || names_a_variable(&template.text, text) => {
                    evaluated(text, context).map(Some)
                }
                Value::Str(_) => Err(untrusted()),
                _ => Ok(Some(Shown {
                    name: crate::run::text_of(var),
                    value,
                    warning: None,
                })),
            }
        }
        other => evaluated(&crate::run::text_of(other), context).map(Some),
    }
}

/// Whether a name that was put together (`var: "hostvars['{{ x }}'].y"`), which is the user's only in part, is nothing
/// but a variable or a part of one: it can do nothing, whoever it comes from.
fn names_a_variable(template: &str, text: &str) -> bool {
    const REFERENCE: &str =
        r#"\A\s*[A-Za-z_]\w*(\.\w+|\[\s*(-?\d+|'[^'\\]*'|"[^"\\]*"|\w+)\s*\])*\s*\Z"#;
    let whole = template.trim();
    if whole.starts_with("{{") && whole.ends_with("}}") && whole.matches("}}").count() == 1 {
        return false;
    }
    let found = crate::regex::compile(REFERENCE, crate::regex::Flags::default())
        .and_then(|regex| Ok(crate::regex::search(&regex, text)?.is_some()));
    found.unwrap_or(false)
}

fn evaluated(text: &str, context: &Context<'_>) -> Result<Shown> {
    let (value, warning) = match context.templar.expression(text) {
        Err(e) if e.kind() == Kind::Undefined => (
            Value::from(format!("<< error 1 - {} >>", e.message())),
            Some(format!(
                "Encountered 1 template error.\nerror 1 - {}",
                e.message()
            )),
        ),
        Ok(Value::Omit) => (
            Value::from("<<Omit>>"),
            Some("The result of the `var` expression could not be omitted; a placeholder was used instead.".to_string()),
        ),
        other => (other?, None),
    };
    Ok(Shown {
        name: text.to_string(),
        value,
        warning,
    })
}
