//! `set_fact`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/set_fact_module.html>

use super::{Context, Entry};
use crate::playbook::{boolean, keywords::is_variable_name};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["set_fact"],
    run,
};

fn run(mut args: Map, _: &mut Context<'_>) -> TaskResult {
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
            return TaskResult::failed(format!(
                "The variable name '{key}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
            ));
        }
    }
    TaskResult::ok()
        .with("ansible_facts", Value::map(args))
        .with("_ansible_facts_cacheable", cacheable)
}
