//! `validate_argument_spec`:
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/validate_argument_spec_module.html>

use super::{Context, Entry, only};
use crate::Error;
use crate::modules::args::{Spec, errors};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["validate_argument_spec"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let Some(spec) = args.get("argument_spec") else {
        let shown = crate::python::str(&Value::map(args));
        let words = format!("\"argument_spec\" arg is required in args: {shown}");
        return crate::run::failure_of(Error::general(words), &context.task.at);
    };
    let known = [
        "argument_spec",
        "provided_arguments",
        "validate_args_context",
    ];
    if let Err(e) = only("validate_argument_spec", &args, &known) {
        return e;
    }
    let dictionary = |name: &str, value: Option<&Value>| match value {
        None | Some(Value::Null) => Ok(Map::default()),
        Some(Value::Map(map)) => Ok((**map).clone()),
        Some(other) => {
            let words = format!(
                "Incorrect type for {name}, expected dict and got <class '{}'>",
                other.type_name()
            );
            Err(crate::run::failure_of(
                Error::general(words),
                &context.task.at,
            ))
        }
    };
    let options = match dictionary("argument_spec", Some(spec)) {
        Ok(options) => options,
        Err(e) => return e,
    };
    let provided = match dictionary("provided_arguments", args.get("provided_arguments")) {
        Ok(provided) => provided,
        Err(e) => return e,
    };
    // what is not given is what the variables of these names are
    let mut values = Map::default();
    for name in options.keys() {
        match context.templar.get(&name.to_string()) {
            Ok(None) => {}
            Ok(Some(value)) => {
                values.insert(name.clone(), value);
            }
            Err(e) => return crate::run::failure_of(e, &context.task.at),
        }
    }
    values.extend(provided);
    let about = args
        .get("validate_args_context")
        .cloned()
        .unwrap_or_else(|| Value::map(Map::default()));
    let wrong = match Spec::of_argument_spec(&options) {
        Ok(spec) => errors(&spec, values),
        Err(e) => vec![e],
    };
    if wrong.is_empty() {
        return TaskResult::new()
            .with("changed", false)
            .with("msg", "The arg spec validation passed")
            .with("validate_args_context", about);
    }
    let msg = format!("Validation of arguments failed:\n{}", wrong.join("\n"));
    TaskResult::failed(msg)
        .with("changed", false)
        .with(
            "argument_errors",
            Value::list(wrong.iter().map(Value::str).collect()),
        )
        .with("argument_spec_data", Value::map(options))
        .with("validate_args_context", about)
}
