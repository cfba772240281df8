//! `raw`: a line for whatever reads command lines at the host, with nothing around it.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/raw_module.html>.

use super::{Context, Entry, refused};
use crate::connection::{RawCommand, RawOutput, quote};
use crate::modules::{args, common};
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["raw"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let text = |name: &str| {
        let value = args.get(name).filter(|v| !v.is_null());
        value.map(args::text).filter(|t| !t.is_empty())
    };
    let Some(line) = text("_raw_params") else {
        return refused("", "raw needs a command line");
    };
    if context.mode.check {
        return TaskResult::ok().with("skipped", true);
    }
    let command = match text("executable") {
        Some(shell) => format!("{shell} -c {}", quote(&line)),
        None => line,
    };
    let tty = context.session.wants_tty();
    let command = RawCommand {
        line: &command,
        tty,
        lines: context.lines.as_ref(),
        ..RawCommand::default()
    };
    let mut result = match context.session.raw(command) {
        Ok(output) => result_of(&output),
        Err(e) => e.result(),
    };
    if !context.environment.is_empty() {
        let words = "raw module does not support the environment keyword";
        result.set("warnings", Value::list(vec![words.into()]));
    }
    result
}

/// The result of a command that ran without a module.
pub(super) fn result_of(output: &RawOutput) -> TaskResult {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let lines = |text: &str| -> Value {
        let lines = common::command::lines(text).into_iter().map(Value::from);
        Value::list(lines.collect())
    };
    let mut result = TaskResult::changed()
        .with("rc", i64::from(output.rc))
        .with("stdout_lines", lines(&stdout))
        .with("stdout", stdout)
        .with("stderr_lines", lines(&stderr))
        .with("stderr", stderr);
    if output.rc != 0 {
        let msg = "non-zero return code";
        let error = format!("Task failed: Action failed: {msg}");
        result.set("failed", true);
        result.set("msg", msg);
        result.error = Some(crate::Error::general(error));
    }
    result
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
