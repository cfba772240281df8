//! `gather_facts`: what plays do first.
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/gather_facts_module.html>

use super::{Context, Entry};
use crate::modules;
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["gather_facts"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    // the modules run one after the other, which takes milliseconds
    args.shift_remove("parallel");
    let wanted = match wanted(context) {
        Ok(wanted) => wanted,
        Err(failed) => return *failed,
    };
    let mut facts = Map::default();
    let mut warnings = Vec::new();
    let mut failed_modules = Map::default();
    let mut reasons = Vec::new();
    let mut changed = false;
    for name in &wanted {
        if modules::find(name).is_none() {
            let msg = "was not found in configured module paths";
            return TaskResult::failed(format!("Task failed: The module {name} {msg}"))
                .with("changed", false);
        }
        let own = own_args(name, &args, &mut warnings);
        let mut result = context.module(name, own);
        if result.is_unreachable() {
            return result;
        }
        if let Some(Value::List(more)) = result.get("warnings") {
            warnings.extend(more.iter().cloned());
        }
        if let Some(Value::Map(found)) = result.get("ansible_facts") {
            facts.extend(found.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        changed |= result.is_changed();
        if result.is_failed() {
            reasons.push(
                result
                    .get("msg")
                    .map(crate::run::text_of)
                    .unwrap_or_default(),
            );
            result.fields.shift_remove("changed");
            result.set("exception", "(traceback unavailable)");
            failed_modules.insert(name.as_str().into(), result.to_value());
        }
    }
    let mut result = TaskResult::new()
        .with("ansible_facts", Value::map(facts))
        .with("changed", changed);
    if !warnings.is_empty() {
        result.set("warnings", Value::list(warnings));
    }
    // facts are not shown at -v
    result.set("_ansible_verbose_override", true);
    if failed_modules.is_empty() {
        return result.with(crate::run::facts::GATHERED, true);
    }
    let names: Vec<String> = failed_modules.keys().map(ToString::to_string).collect();
    let msg = format!(
        "The following modules failed to execute: {}.",
        names.join(", ")
    );
    let words = format!("Task failed: Action failed: {msg} {}", reasons.join(" "));
    result.set("failed", true);
    result.set("failed_modules", Value::map(failed_modules));
    result.set("msg", msg);
    result.error = Some(crate::Error::general(words));
    result
}

/// The modules to run: the variable `ansible_facts_modules`, or the setting `facts_modules`.
fn wanted(context: &Context<'_>) -> Result<Vec<String>, Box<TaskResult>> {
    let names = match context.templar.get("ansible_facts_modules") {
        Ok(Some(Value::List(items))) => items.iter().map(crate::run::text_of).collect(),
        Ok(Some(value)) => crate::run::text_of(&value)
            .split(',')
            .map(|name| name.trim().to_string())
            .collect(),
        Ok(None) => context.world.run.facts_modules.clone(),
        Err(e) => return Err(Box::new(crate::run::failure_of(e, &context.task.at))),
    };
    Ok(names
        .into_iter()
        .map(|name| match name.as_str() {
            "smart" => "ansible.legacy.setup".to_string(),
            _ => name,
        })
        .collect())
}

/// The arguments of one of the modules: those of `setup` are not for others.
fn own_args(module: &str, args: &Map, warnings: &mut Vec<Value>) -> Map {
    let mut own = args.clone();
    if modules::find(module).is_some_and(|m| m.name == "setup") {
        return own;
    }
    for (name, called) in [
        ("gather_subset", "subset"),
        ("gather_timeout", "timeout"),
        ("filter", "filter"),
    ] {
        let Some(value) = own.shift_remove(name) else {
            continue;
        };
        let everything = name == "gather_subset"
            && match &value {
                Value::List(items) => matches!(&items[..], [one] if one.as_str() == Some("all")),
                one => one.as_str() == Some("all"),
            };
        if !everything && !value.is_null() {
            warnings.push(Value::from(format!(
                "Not passing {called}({}) to {module}",
                crate::python::str(&value)
            )));
        }
    }
    own
}
