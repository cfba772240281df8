//! `set_fact`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/set_fact_module.html>

use super::{Context, Entry};
use crate::error::{Error, Kind};
use crate::playbook::{boolean, keywords::is_variable_name};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["set_fact"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let cacheable = args
        .shift_remove("cacheable")
        .is_some_and(|v| boolean(&v).unwrap_or(false));
    args.shift_remove("_raw_params");
    if args.is_empty() {
        return TaskResult::failed(
            "No key/value pairs provided, at least one is required for this action to succeed",
        );
    }
    for key in args.keys() {
        if !key.as_str().is_some_and(is_variable_name) {
            let error = Error::new(Kind::Template, format!("Invalid variable name '{key}'."))
                .at(context.task.action.place_of_name(key))
                .hint("Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores.");
            return crate::run::failure_of(error, &context.task.at);
        }
    }
    TaskResult::ok()
        .with("ansible_facts", Value::map(args))
        .with("_ansible_facts_cacheable", cacheable)
}
