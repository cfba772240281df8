//! `set_stats`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/set_stats_module.html>

use super::{Context, Entry, only};
use crate::playbook::{boolean, keywords::is_variable_name};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["set_stats"],
    run,
};

fn run(args: Map, _: &mut Context<'_>) -> TaskResult {
    if let Err(e) = only("set_stats", &args, &["aggregate", "data", "per_host"]) {
        return e;
    }
    let flag = |name: &str, default: bool| args.get(name).map_or(Some(default), boolean);
    let (Some(per_host), Some(aggregate)) = (flag("per_host", false), flag("aggregate", true))
    else {
        return TaskResult::failed("per_host and aggregate must be booleans");
    };
    let data = match args.get("data") {
        Some(Value::Map(data)) => (**data).clone(),
        None => Map::default(),
        Some(_) => return TaskResult::failed("The 'data' option needs to be a dictionary/hash"),
    };
    for key in data.keys() {
        if !key.as_str().is_some_and(is_variable_name) {
            return TaskResult::failed(format!(
                "The variable name '{key}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
            ));
        }
    }
    let mut stats = Map::default();
    stats.insert("data".into(), Value::map(data));
    stats.insert("per_host".into(), Value::Bool(per_host));
    stats.insert("aggregate".into(), Value::Bool(aggregate));
    TaskResult::ok().with("ansible_stats", Value::map(stats))
}
