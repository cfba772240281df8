//! `set_fact`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/set_fact_module.html>

use super::{Context, Entry, refused};
use crate::error::{Error, Kind, Result};
use crate::playbook::{boolean, keywords::is_variable_name};
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["set_fact"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let cacheable = args
        .shift_remove("cacheable")
        .is_some_and(|v| boolean(&v).unwrap_or(false));
    if args.is_empty() {
        return refused(
            "",
            "No key/value pairs provided, at least one is required for this action to succeed",
        );
    }
    let mut facts = Map::default();
    for (key, value) in args {
        match name_of(&key, context) {
            Ok(name) => facts.insert(name, value),
            Err(e) => return crate::run::failure_of(e, &context.task.at),
        };
    }
    TaskResult::ok()
        .with("ansible_facts", Value::map(facts))
        .with("_ansible_facts_cacheable", cacheable)
}

/// The name of a variable, which may be a template.
fn name_of(key: &Key, context: &Context<'_>) -> Result<Key> {
    let at = context.task.action.place_of_name(key);
    let name = match key {
        Key::Other(name) => context.templar.render(name).map_err(|e| e.at(at))?,
        Key::Str(_) => key.to_value(),
    };
    if name.as_str().is_some_and(is_variable_name) {
        return Ok(Key::from_value(name));
    }
    let shown = crate::python::quote(&crate::python::str(&name));
    let words = match name {
        Value::Str(_) => format!("Invalid variable name {shown}."),
        other => format!(
            "Invalid variable name {shown} of type '{}'.",
            other.type_name()
        ),
    };
    Err(Error::new(Kind::Template, words).at(at).hint(
        "Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores.",
    ))
}
