//! What reporters are told of a task.

use super::Runner;
use super::values::{lenient, text_of, truth};
use crate::playbook::Task;
use crate::report::{Cause, Delegate, TaskInfo};
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::Value;

impl Runner<'_> {
    /// What reporters are told of the task, its name rendered for `host`.
    pub fn task_info(&self, task: &Task, templar: &Templar) -> TaskInfo {
        let own = match task.name() {
            Some(name) => lenient(templar, &name),
            None => match task.action.bare.as_str() {
                "include_role" | "import_role" => match task
                    .action
                    .args
                    .get("name")
                    .or_else(|| task.action.args.get("role"))
                {
                    Some(role) => {
                        let role = templar.render_str(role).unwrap_or_else(|_| text_of(role));
                        format!("{} : {role}", task.action.name)
                    }
                    None => task.action.name.clone(),
                },
                _ => task.action.name.clone(),
            },
        };
        let name = match task.role_name() {
            // the title of what brings a role in has no other role in front
            Some(role) if !task.implicit && task.action.bare != "include_role" => {
                format!("{role} : {own}")
            }
            _ => own,
        };
        let action = match task.action.is_templated() {
            true => {
                let name = Value::user_text(&task.action.name, None);
                templar.render_str(&name).unwrap_or_else(|_| text_of(&name))
            }
            false => task.action.name.clone(),
        };
        TaskInfo {
            id: task.id as u64,
            name,
            action: action.clone(),
            on_controller: crate::actions::is_on_controller(crate::playbook::bare(&action)),
            looped: task.looping.is_some(),
            at: Some(task.at.clone()),
            handler: task.handler,
            implicit: task.implicit,
            // where it cannot be known yet, as with a loop's item, the arguments are not for show
            no_log: match &task.resolved().no_log {
                Some(v) => truth(v, templar).unwrap_or(true),
                None => self.config.no_log,
            },
            check_mode: match &task.resolved().check_mode {
                Some(v) => truth(v, templar).unwrap_or(self.world.play.check),
                None => self.world.play.check,
            },
            diff: self.world.play.diff,
            tags: super::tags::rendered(task, templar),
            args: arguments_text(task),
            role: task.role_name().map(str::to_string),
        }
    }

    /// The host that a task was delegated to, with its address where it has one of its own.
    pub(super) fn delegate(&self, name: Option<&str>, host: &str) -> Option<Delegate> {
        let name = name.filter(|n| *n != host)?;
        let layers = self
            .world
            .view
            .layers(name, &self.world.play.dir)
            .unwrap_or_default();
        let address = layers
            .iter()
            .rev()
            .find_map(|layer| layer.get("ansible_host").map(text_of));
        Some(Delegate {
            name: name.to_string(),
            address,
        })
    }
}

/// A task's arguments as written, for display_args_to_stdout.
pub(super) fn arguments_text(task: &Task) -> String {
    let args: Vec<String> = task
        .action
        .args
        .iter()
        .map(|(k, v)| {
            let v = match v {
                Value::Template(t) => t.text.to_string(),
                other => crate::template::python::str(other),
            };
            format!("{k}={v}")
        })
        .collect();
    args.join(", ")
}

/// What a failed result says of its causes, for the reporter.
pub(super) fn causes(result: &TaskResult) -> Vec<Cause> {
    result.error.as_ref().map(Cause::all).unwrap_or_default()
}
