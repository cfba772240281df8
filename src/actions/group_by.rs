//! `group_by`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/group_by_module.html>

use super::{Context, Entry, refused, texts};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["group_by"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let mut unknown: Vec<String> = args.keys().map(ToString::to_string).collect();
    unknown.retain(|key| !["key", "parents"].contains(&key.as_str()));
    if !unknown.is_empty() {
        unknown.sort();
        return refused(
            "",
            &format!("Invalid options for group_by: {}", unknown.join(",")),
        );
    }
    let Some(key) = args.get("key") else {
        return refused(
            "Action failed: ",
            "the 'key' param is required when using group_by",
        );
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
