//! `raw`: a command line for the host's shell. It needs no agent there, and nothing else.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/raw_module.html>. Unlike Ansible,
//! which gives the command a terminal, the two outputs stay apart and lines end in a line feed alone.

use super::{Context, Entry};
use crate::connection::RawOutput;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::sync::Arc;

pub const ENTRY: Entry = Entry {
    names: &["raw"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    if context.session.is_local() {
        return context.module("raw", args);
    }
    if let Err(refused) = super::only("raw", &args, &["_raw_params", "executable"]) {
        return refused;
    }
    if context.mode.check {
        return TaskResult::new()
            .with("changed", false)
            .with("skipped", true);
    }
    let text = |name: &str| {
        args.get(name)
            .filter(|v| !v.is_null())
            .map(crate::run::text_of)
    };
    let Some(line) = text("_raw_params").filter(|line| !line.trim().is_empty()) else {
        return TaskResult::failed("no command given");
    };
    let command = match text("executable") {
        Some(shell) => format!("{shell} -c {}", crate::connection::quote(&line)),
        None => line,
    };
    match context.session.raw(&command, b"", false) {
        Ok(Ok(output)) => outcome(output),
        Ok(Err(refused)) => TaskResult::failed(refused),
        Err(e) => TaskResult::unreachable(e.msg),
    }
}

/// A command's output as a result: failed if its status is not 0.
pub(super) fn outcome(output: RawOutput) -> TaskResult {
    let mut result = match output.rc {
        0 => TaskResult::new(),
        _ => TaskResult::failed("non-zero return code"),
    };
    result.set("changed", true);
    result.set("rc", i64::from(output.rc));
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let lines: Vec<Value> = text.lines().map(Value::str).collect();
        result.set(name, text.as_str());
        result.set(&format!("{name}_lines"), Value::List(Arc::new(lines)));
    }
    result
}
