//! `group_by`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/group_by_module.html>

use super::{Context, Entry, only, texts};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["group_by"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    args.shift_remove("_raw_params");
    if let Err(e) = only("group_by", &args, &["key", "parents"]) {
        return e;
    }
    let Some(key) = args.get("key") else {
        return TaskResult::failed("the 'key' param is required when using group_by");
    };
    let group = crate::run::text_of(key).replace(' ', "-");
    let parents = match args.get("parents") {
        None => vec!["all".to_string()],
        given => texts(given),
    };
    let member = context
        .world
        .inventory()
        .group_names(context.host)
        .iter()
        .any(|g| **g == *group);
    TaskResult::new()
        .with("changed", !member)
        .with("add_group", group)
        .with(
            "parent_groups",
            Value::list(
                parents
                    .iter()
                    .map(|p| Value::str(p.replace(' ', "-")))
                    .collect(),
            ),
        )
}
