//! `add_host`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/add_host_module.html>

use super::{Context, Entry, refused, texts};
use crate::result::TaskResult;
use crate::value::{Map, Value};
use crate::vars::World;

pub const ENTRY: Entry = Entry {
    names: &["add_host"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Some(raw) = args.shift_remove("_raw_params") {
        let class = raw.type_name();
        return refused(
            "",
            &format!(
                "Invalid raw parameters passed, requires a dictionary/mapping got a  <class '{class}'>"
            ),
        );
    }
    let name = ["name", "hostname", "host"]
        .iter()
        .find_map(|k| args.shift_remove(*k));
    for other in ["name", "hostname", "host"] {
        args.shift_remove(other);
    }
    let name = name
        .filter(|v| !v.is_null())
        .map(|v| crate::run::text_of(&v))
        .filter(|name| !name.trim().is_empty());
    let Some(name) = name else {
        return refused("", "name, host or hostname needs to be provided");
    };
    let mut groups = None;
    for key in ["groupname", "groups", "group"] {
        if let Some(value) = args.shift_remove(key) {
            groups.get_or_insert((key, value));
        }
    }
    if let Some((key, Value::Map(_))) = &groups {
        let at = context.task.action.place_of(&(*key).into());
        let error = crate::Error::general("Groups must be specified as a list.").at(at);
        let mut result = crate::run::failure_of(error, &context.task.at);
        result.set("msg", "Groups must be specified as a list.");
        return result;
    }
    let mut names: Vec<String> = Vec::new();
    for group in texts(groups.as_ref().map(|(_, value)| value)) {
        if !names.contains(&group) {
            names.push(group);
        }
    }
    let mut vars = args;
    let (name, port) = match crate::inventory::address::split_port(&name, false) {
        Some((host, port)) => (host.to_string(), port),
        None => (name, None),
    };
    if let Some(port) = port {
        vars.insert("ansible_ssh_port".into(), Value::Int(port.into()));
    }
    let mut new = Map::default();
    new.insert("host_name".into(), name.into());
    new.insert(
        "groups".into(),
        Value::list(names.iter().map(Value::str).collect()),
    );
    new.insert("host_vars".into(), Value::map(vars));
    TaskResult::new()
        .with("changed", changes(context.world, &[], &new))
        .with("add_host", Value::map(new))
}

/// Whether what is to be added is not there yet: in the inventory, or in what earlier items of a loop add.
pub fn changes(world: &World, earlier: &[&Map], new: &Map) -> bool {
    let name = new
        .get("host_name")
        .map(crate::run::text_of)
        .unwrap_or_default();
    let earlier: Vec<&&Map> = earlier
        .iter()
        .filter(|e| e.get("host_name") == new.get("host_name"))
        .collect();
    let inventory = world.inventory();
    let known = inventory.host(&name);
    if known.is_none_or(|h| h.implicit) && earlier.is_empty() {
        return true;
    }
    let member_of = inventory.group_names(&name);
    let is_member = |group: &Value| {
        let text = crate::run::text_of(group);
        member_of.iter().any(|g| **g == *text)
            || earlier.iter().any(|e| {
                let groups = e.get("groups").and_then(Value::as_list);
                groups.is_some_and(|groups| groups.contains(group))
            })
    };
    let groups = new.get("groups").and_then(Value::as_list);
    if !groups.unwrap_or_default().iter().all(is_member) {
        return true;
    }
    let vars_of = |entry: &Map| match entry.get("host_vars") {
        Some(Value::Map(vars)) => (**vars).clone(),
        _ => Map::default(),
    };
    let mut now = known.map(|h| (*h.vars).clone()).unwrap_or_default();
    for entry in earlier {
        now.extend(vars_of(entry));
    }
    vars_of(new).iter().any(|(k, v)| now.get(k) != Some(v))
}

/// What earlier results of a loop leave of a result's `changed`.
pub fn settle(world: &World, earlier: &[Value], result: &mut TaskResult) {
    let Some(Value::Map(new)) = result.get("add_host").cloned() else {
        return;
    };
    let added = |item: &Value| match item.get("add_host") {
        Some(Value::Map(map)) => Some(std::sync::Arc::clone(map)),
        _ => None,
    };
    let earlier: Vec<_> = earlier.iter().filter_map(added).collect();
    let earlier: Vec<&Map> = earlier.iter().map(|m| &**m).collect();
    result.set("changed", changes(world, &earlier, &new));
}
