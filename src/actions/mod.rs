//! What runs on the controller: `debug`, `set_fact`, the source side of `template` and `copy`, AWS.

pub mod add_host;
mod assemble;
mod assert;
mod async_status;
mod command;
mod copy;
mod debug;
mod fail;
mod fetch;
mod gather_facts;
mod group_by;
mod include_vars;
mod package;
mod pause;
mod raw;
mod reboot;
mod script;
mod service;
mod set_fact;
mod set_stats;
mod template;
mod unarchive;
mod uri;
mod validate_argument_spec;
mod wait_for_connection;

use crate::connection::{Lines, Request, Session};
use crate::error::did_you_mean;
use crate::machine::Mode;
use crate::modules::args;
use crate::playbook::Task;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::vars::World;
use std::sync::Arc;

/// What an action may use.
pub struct Context<'a> {
    /// Name of the host that the task is for.
    pub host: &'a str,
    /// Renders with the task's variables.
    pub templar: &'a Templar,
    /// Where the task's files are looked for.
    pub files: &'a SearchPath,
    /// The host's connection.
    pub session: &'a mut dyn Session,
    pub mode: Mode,
    /// How many `-v`.
    pub verbosity: u8,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// Told the lines of the task's command while it runs.
    pub lines: Option<Lines>,
    /// Everything the run knows.
    pub world: &'a Arc<World>,
    pub task: &'a Task,
}

impl Context<'_> {
    /// What `module_defaults` says of a module (its bare name), rendered.
    pub fn module_defaults(&self, bare: &str) -> crate::Result<Map> {
        crate::run::module_defaults(self.task, bare, self.templar)
    }

    /// Runs a module on the host.
    pub fn module(&mut self, name: &str, args: Map) -> TaskResult {
        let request = Request {
            module: name.to_string(),
            args,
            mode: self.mode,
            environment: self.environment.clone(),
            lines: self.lines.clone(),
            ..Default::default()
        };
        match self.session.call(request) {
            Ok(result) => result,
            Err(e) => e.result(),
        }
    }
}

/// A fact of the task's host by its name without `ansible_`: one that is known, else asked for.
///
/// None if the host does not say.
fn fact(context: &mut Context<'_>, name: &str) -> Result<Option<String>, Box<TaskResult>> {
    let of = |facts: Option<&Value>, name: &str| {
        let value = facts?.get(name)?;
        Some(crate::run::text_of(value))
    };
    let delegated = context.task.directives.get("delegate_to").is_some();
    if !delegated
        && let Ok(known) = context.templar.get("ansible_facts")
        && let Some(found) = of(known.as_ref(), name)
    {
        return Ok(Some(found));
    }
    let full = format!("ansible_{name}");
    let asked = crate::modules::args::map([
        ("gather_subset", Value::list(vec![Value::str("!all")])),
        ("filter", Value::str(&full)),
    ]);
    let mode = std::mem::take(&mut context.mode);
    let result = context.module("setup", asked);
    context.mode = mode;
    if result.is_failed() || result.is_unreachable() {
        return Err(Box::new(result));
    }
    Ok(of(result.get("ansible_facts"), &full))
}

/// An action in a table.
pub struct Entry {
    /// All names: bare, fully qualified, and old ones.
    pub names: &'static [&'static str],
    /// Takes the rendered arguments.
    pub run: fn(Map, &mut Context<'_>) -> TaskResult,
}

/// The actions of this module; those of AWS are in `aws::ACTIONS`.
pub static ACTIONS: &[Entry] = &[
    add_host::ENTRY,
    assemble::ENTRY,
    assert::ENTRY,
    async_status::ENTRY,
    command::ENTRY,
    copy::ENTRY,
    debug::ENTRY,
    fail::ENTRY,
    fetch::ENTRY,
    gather_facts::ENTRY,
    group_by::ENTRY,
    include_vars::ENTRY,
    package::ENTRY,
    pause::ENTRY,
    raw::ENTRY,
    reboot::ENTRY,
    script::ENTRY,
    service::ENTRY,
    set_fact::ENTRY,
    set_stats::ENTRY,
    template::ENTRY,
    unarchive::ENTRY,
    uri::ENTRY,
    validate_argument_spec::ENTRY,
    wait_for_connection::ENTRY,
];

/// Every action, those of AWS included.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    #[cfg(feature = "aws")]
    let more = crate::aws::ACTIONS;
    #[cfg(not(feature = "aws"))]
    let more: &'static [Entry] = &[];
    ACTIONS.iter().chain(more)
}

/// The action with this name (bare of `ansible.builtin.`).
pub fn find(name: &str) -> Option<&'static Entry> {
    all().find(|e| e.names.contains(&name))
}

/// Whether all of a task's work is done by the controller (`debug`, `set_fact`, AWS).
pub fn is_on_controller(name: &str) -> bool {
    find(name).is_some() && crate::modules::find(name).is_none()
}

/// A failure of the controller's side, in words that reporters say as they are.
///
/// A message that says itself that the task failed is one that Ansible does not catch.
pub fn refused(words: &str, msg: &str) -> TaskResult {
    let mut result = TaskResult::failed(msg).with("changed", false);
    let words = match msg.starts_with("Task failed: ") {
        true => msg.to_string(),
        false => format!("Task failed: {words}{msg}"),
    };
    result.error = Some(crate::Error::general(words));
    result
}

/// Refuses arguments that the action does not have, in the words of Ansible's modules.
pub fn only(name: &str, args: &Map, known: &[&str]) -> Result<(), TaskResult> {
    let unknown: Vec<String> = args
        .keys()
        .map(|k| k.to_string())
        .filter(|k| !known.contains(&k.as_str()))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let mut sorted = known.to_vec();
    sorted.sort_unstable();
    if let Some(near) = did_you_mean(&unknown[0], known.iter().copied()) {
        crate::notice::warning(format!(
            "{name}: did you mean '{near}' where '{}' is written?",
            unknown[0]
        ));
    }
    Err(TaskResult::failed(format!(
        "Unsupported parameters for ({name}) module: {}. Supported parameters include: {}.",
        unknown.join(", "),
        sorted.join(", ")
    )))
}

/// The text of an argument, where it is given and not empty.
fn text(args: &Map, name: &str) -> Option<String> {
    let value = args.get(name).filter(|v| !v.is_null());
    value.map(args::text).filter(|t| !t.is_empty())
}

/// The boolean of an argument, where it is given. The error is Ansible's words.
fn flag(args: &Map, name: &str) -> Result<Option<bool>, String> {
    let value = args.get(name).filter(|v| !v.is_null());
    value.map(args::boolean).transpose()
}

/// A list argument: a list, or text with commas.
pub fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.iter().map(crate::run::text_of).collect(),
        Some(other) => crate::run::text_of(other)
            .split(',')
            .map(|s| s.trim().to_string())
            .filter(|s| !s.is_empty())
            .collect(),
    }
}
