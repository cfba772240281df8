//! Loops: what a task repeats over, and the result of all items.

use super::executor::{Once, Outcome, Progress, TaskRun};
use super::values::{holds, number_of, text_of};
use crate::error::Kind;
use crate::playbook::{Condition, Task, boolean};
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::{Templar, lookups};
use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

impl TaskRun<'_> {
    /// The list that the task repeats over, if it does.
    pub(super) fn items(&self, templar: &Templar) -> Result<Option<Vec<Value>>> {
        let Some(looping) = &self.task.looping else {
            return Ok(None);
        };
        let items = match &looping.lookup {
            Some(name) => {
                match lookups::with_lookup(name, &looping.terms, &self.task.action.bare, templar) {
                    Some(items) => items.map_err(|e| e.at(&looping.at))?,
                    None => {
                        return Err(Error::new(
                            Kind::Options,
                            format!("lookup plugin '{name}' not found"),
                        )
                        .at(&looping.at));
                    }
                }
            }
            None => {
                let value = templar
                    .render(&looping.terms)
                    .map_err(|e| e.at(&looping.at))?;
                match value {
                    Value::List(items) => items.to_vec(),
                    other => {
                        return Err(Error::new(
                            Kind::Options,
                            format!(
                                "The `loop` value must resolve to a 'list', not '{}'.",
                                other.type_name()
                            ),
                        )
                        .at(&looping.at)
                        .hint(
                            "Provide a list of items/templates, or a template resolving to a list.",
                        ));
                    }
                }
            }
        };
        Ok(Some(items))
    }

    pub(super) fn looped(
        &self,
        items: Vec<Value>,
        templar: &Templar,
        files: &Arc<SearchPath>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let control = LoopControl::new(self.task, templar)?;
        if items.is_empty() {
            outcome.result = TaskResult::ok()
                .with("skipped", true)
                .with("skipped_reason", "No items in the list")
                .with("results", Value::list(Vec::new()));
            return Ok(());
        }
        if !items.is_empty() && templar.defines(&control.var) {
            crate::notice::warning(format!(
                "TASK: {}: The loop variable '{}' is already in use. You should set the `loop_var` value in the `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.",
                self.task.name().map(|n| text_of(&n)).unwrap_or_else(|| self
                    .task
                    .action
                    .name
                    .clone()),
                control.var
            ));
        }
        let total = items.len();
        let mut results: Vec<Value> = Vec::with_capacity(total);
        let (mut changed, mut failed, mut unreachable) = (false, false, false);
        let mut skipped_all = true;
        let mut carried = Map::default();
        let mut notices = [("warnings", Vec::new()), ("deprecations", Vec::new())];
        for (index, item) in items.iter().enumerate() {
            if index > 0
                && let Some(pause) = control.pause
            {
                std::thread::sleep(pause);
            }
            let mut vars = carried.clone();
            control.item_vars(&mut vars, &items, index);
            let here = templar.with(vars.clone());
            let mut once = match self.once(&here, files) {
                Ok(once) => once,
                Err(e) => Once {
                    result: self.failure(e),
                    inclusion: None,
                    delegated: None,
                    mode: self.mode,
                },
            };
            let label = match control.label(&here, item) {
                Ok(label) => label,
                Err(e) => {
                    once.result = TaskResult::failed(format!(
                        "Failed to template loop_control.label: {}",
                        e.message()
                    ));
                    "None".into()
                }
            };
            let result = &mut once.result;
            super::executor::note_exception(result);
            if self.task.action.bare == "add_host" && !results.is_empty() {
                crate::actions::add_host::settle(self.world, &results, result);
            }
            result.set(&control.var, item.clone());
            result.set("ansible_loop_var", control.var.as_str());
            if let Some(name) = &control.index_var {
                result.set("ansible_index_var", name.as_str());
                result.set(name, index as i64);
            }
            if control.extended {
                result.set(
                    "ansible_loop",
                    vars.get("ansible_loop").cloned().unwrap_or_default(),
                );
            }
            if control.has_label {
                result.set("_ansible_item_label", label.as_str());
            }
            changed |= result.is_changed();
            failed |= result.is_failed();
            unreachable |= result.is_unreachable();
            skipped_all &= result.is_skipped();
            outcome.mode = once.mode;
            if let Some(mut inclusion) = once.inclusion {
                // included tasks see the item
                for (k, v) in &vars {
                    if !carried.contains_key(k) {
                        inclusion.vars.insert(k.clone(), v.clone());
                    }
                }
                inclusion.label = Some(label.clone());
                outcome.inclusions.push(inclusion);
            }
            outcome.delegated = once.delegated.clone().or(outcome.delegated.take());
            // what warns of an item is told with all of them
            for (name, all) in &mut notices {
                if let Some(Value::List(more)) = once.result.fields.shift_remove(*name) {
                    all.extend(more.iter().cloned());
                }
            }
            // what an item includes is told when it is read
            let includes = matches!(
                self.task.action.bare.as_str(),
                "include_tasks" | "include_role"
            );
            if !includes || once.result.is_failed() || once.result.is_skipped() {
                (self.progress)(Progress::Item {
                    result: once.result.clone(),
                    label,
                    delegated: once.delegated.clone(),
                    no_log: outcome.no_log,
                    mode: once.mode,
                });
            }
            // later items see what this one registered and set
            if let Some(name) = &outcome.register {
                carried.insert(
                    Key::from(name.as_str()),
                    Value::map(once.result.registered()),
                );
            }
            if let Some(Value::Map(facts)) = once.result.get("ansible_facts") {
                carried.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            let stop = control.breaks(&templar.with({
                let mut vars = vars;
                vars.extend(carried.clone());
                vars
            }))?;
            results.push(Value::map(once.result.registered()));
            if stop {
                break;
            }
        }
        let mut all = TaskResult::new();
        all.set("results", Value::list(results));
        for (name, notices) in notices {
            if !notices.is_empty() {
                all.set(name, Value::list(notices));
            }
        }
        all.set("changed", changed);
        all.set("skipped", skipped_all);
        if skipped_all {
            all.set("msg", "All items skipped");
        } else if failed {
            all.set("failed", true);
            all.set("msg", "One or more items failed");
        } else {
            all.set("msg", "All items completed");
        }
        if unreachable {
            all.set("unreachable", true);
        }
        outcome.result = all;
        Ok(())
    }
}

/// What `loop_control` says, rendered as far as it does not depend on the item.
struct LoopControl {
    var: String,
    index_var: Option<String>,
    label: Value,
    has_label: bool,
    pause: Option<Duration>,
    extended: bool,
    allitems: bool,
    break_when: Vec<Condition>,
}

impl LoopControl {
    fn new(task: &Task, templar: &Templar) -> Result<LoopControl> {
        let node = task.directives.get("loop_control");
        let get = |name: &str| node.and_then(|n| n.get(name)).map(|n| n.to_value());
        let text = |name: &str| get(name).map(|v| templar.render_str(&v)).transpose();
        let flag = |name: &str, default: bool| -> Result<bool> {
            Ok(get(name)
                .map(|v| templar.render(&v))
                .transpose()?
                .and_then(|v| boolean(&v))
                .unwrap_or(default))
        };
        let pause = get("pause").map(|v| templar.render(&v)).transpose()?;
        Ok(LoopControl {
            var: text("loop_var")?.unwrap_or_else(|| "item".into()),
            index_var: text("index_var")?,
            has_label: get("label").is_some(),
            label: get("label").unwrap_or_default(),
            pause: pause
                .and_then(|v| number_of(&v))
                .filter(|s| *s > 0.0)
                .map(Duration::from_secs_f64),
            extended: flag("extended", false)?,
            allitems: flag("extended_allitems", true)?,
            break_when: node
                .and_then(|n| n.get("break_when"))
                .map(crate::playbook::conditions)
                .unwrap_or_default(),
        })
    }

    fn item_vars(&self, vars: &mut Map, items: &[Value], index: usize) {
        vars.insert(Key::from(self.var.as_str()), items[index].clone());
        vars.insert("ansible_loop_var".into(), self.var.as_str().into());
        if let Some(name) = &self.index_var {
            vars.insert(Key::from(name.as_str()), Value::Int(index as i64));
            vars.insert("ansible_index_var".into(), name.as_str().into());
        }
        if self.extended {
            let length = items.len();
            let mut info = Map::default();
            let mut put = |k: &str, v: Value| {
                info.insert(Key::from(k), v);
            };
            if self.allitems {
                put("allitems", Value::list(items.to_vec()));
            }
            put("index", Value::Int(index as i64 + 1));
            put("index0", Value::Int(index as i64));
            put("first", Value::Bool(index == 0));
            put("last", Value::Bool(index + 1 == length));
            put("length", Value::Int(length as i64));
            put("revindex", Value::Int((length - index) as i64));
            put("revindex0", Value::Int((length - index - 1) as i64));
            if index + 1 < length {
                put("nextitem", items[index + 1].clone());
            }
            if index > 0 {
                put("previtem", items[index - 1].clone());
            }
            vars.insert("ansible_loop".into(), Value::map(info));
        }
    }

    fn label(&self, templar: &Templar, item: &Value) -> Result<String> {
        match self.has_label {
            true => templar
                .render(&self.label)
                .map(|v| crate::template::python::str(&v)),
            false => Ok(crate::template::python::str(item)),
        }
    }

    fn breaks(&self, templar: &Templar) -> Result<bool> {
        for condition in &self.break_when {
            if !holds(condition, templar)? {
                return Ok(false);
            }
        }
        Ok(!self.break_when.is_empty())
    }
}
