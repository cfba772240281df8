//! `set_stats`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/set_stats_module.html>

use super::{Context, Entry, refused};
use crate::error::{Error, Kind};
use crate::playbook::{boolean, keywords::is_variable_name};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["set_stats"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let known = ["aggregate", "data", "per_host"];
    let unknown: Vec<String> = args
        .keys()
        .map(ToString::to_string)
        .filter(|k| !known.contains(&k.as_str()))
        .collect();
    if !unknown.is_empty() {
        let words = format!("Invalid options for set_stats: {}", unknown.join(","));
        return refused("", &words);
    }
    // what is no boolean is none that is set
    let flag = |name: &str, default: bool| match args.get(name) {
        None => default,
        Some(value) => boolean(value).unwrap_or(false),
    };
    let (per_host, aggregate) = (flag("per_host", false), flag("aggregate", true));
    let data = match args.get("data") {
        Some(Value::Map(data)) => (**data).clone(),
        None => Map::default(),
        Some(_) => return TaskResult::failed("The 'data' option needs to be a dictionary/hash"),
    };
    for key in data.keys() {
        if !key.as_str().is_some_and(is_variable_name) {
            let error = Error::new(Kind::Template, format!("Invalid variable name '{key}'."))
                .at(context.task.action.place_of_name(key))
                .hint("Variable names must be strings starting with a letter or underscore character, and contain only letters, numbers and underscores.");
            return crate::run::failure_of(error, &context.task.at);
        }
    }
    let mut stats = Map::default();
    stats.insert("data".into(), Value::map(data));
    stats.insert("per_host".into(), Value::Bool(per_host));
    stats.insert("aggregate".into(), Value::Bool(aggregate));
    TaskResult::ok().with("ansible_stats", Value::map(stats))
}
