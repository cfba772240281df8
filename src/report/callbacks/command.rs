//! What `minimal` and `oneline` make of the results of commands: text instead of JSON.

use crate::playbook::bare;
use crate::report::TaskInfo;
use crate::report::output::hides;
use crate::result::TaskResult;
use crate::value::Value;

/// The modules whose results are the output of a command.
const COMMANDS: &[&str] = &["command", "shell", "raw", "win_command", "win_shell"];

/// Whether the result is shown as a command's output. That of a job in the background is not.
pub fn is_shown_as_text(task: &TaskInfo, result: &TaskResult) -> bool {
    COMMANDS.contains(&bare(&task.action))
        && (hides(task, result)
            || result.get("ansible_job_id").is_none() && result.get("module_stdout").is_none())
}

/// The exit code; -1 where there is none, or none to be seen.
pub fn code(task: &TaskInfo, result: &TaskResult) -> String {
    match result.get("rc").filter(|_| !hides(task, result)) {
        Some(rc) => crate::python::str(rc),
        None => "-1".to_string(),
    }
}

/// A text of the result; empty where there is none, or none to be seen.
pub fn text(task: &TaskInfo, result: &TaskResult, key: &str) -> String {
    match result.get(key).filter(|_| !hides(task, result)) {
        Some(Value::Null) | None => String::new(),
        Some(value) => crate::python::str(value),
    }
}
