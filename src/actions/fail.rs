//! `fail`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/fail_module.html>

use super::{Context, Entry, only};
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["fail"],
    run,
};

fn run(args: Map, _: &mut Context<'_>) -> TaskResult {
    if let Err(e) = only("fail", &args, &["msg"]) {
        return e;
    }
    let msg = args
        .get("msg")
        .cloned()
        .unwrap_or_else(|| "Failed as requested from task".into());
    TaskResult::new()
        .with("changed", false)
        .with("failed", true)
        .with("msg", msg)
}
