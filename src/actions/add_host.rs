//! `add_host`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/add_host_module.html>

use super::{Context, Entry, texts};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["add_host"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    args.shift_remove("_raw_params");
    let name = ["name", "hostname", "host"]
        .iter()
        .find_map(|k| args.shift_remove(*k));
    for other in ["name", "hostname", "host"] {
        args.shift_remove(other);
    }
    let Some(name) = name
        .filter(|v| !v.is_null())
        .map(|v| crate::run::text_of(&v))
    else {
        return TaskResult::failed("name, host or hostname needs to be provided");
    };
    if name.trim().is_empty() {
        return TaskResult::failed("name, host or hostname needs to be provided");
    }
    let mut groups = None;
    for key in ["groupname", "groups", "group"] {
        if let Some(value) = args.shift_remove(key) {
            groups.get_or_insert(value);
        }
    }
    let mut names: Vec<String> = Vec::new();
    for group in texts(groups.as_ref()) {
        if !names.contains(&group) {
            names.push(group);
        }
    }
    let known = context.world.inventory().host(&name);
    let changed = match known {
        None => true,
        Some(_) => {
            let has = context.world.inventory().group_names(&name);
            names.iter().any(|g| !has.iter().any(|h| **h == **g))
        }
    };
    let mut new = Map::default();
    new.insert("host_name".into(), name.into());
    new.insert(
        "groups".into(),
        Value::list(names.iter().map(Value::str).collect()),
    );
    new.insert("host_vars".into(), Value::map(args));
    TaskResult::new()
        .with("changed", changed)
        .with("add_host", Value::map(new))
}
