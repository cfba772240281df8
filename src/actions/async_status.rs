//! `async_status`: hands its arguments to the module, with the folder in which jobs are.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/async_status_module.html>.

use super::{Context, Entry};
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["async_status"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let dir = crate::run::async_folder(context.templar, &context.environment);
    args.insert("_async_dir".into(), dir.into());
    let mut result = context.module("async_status", args);
    // what is wrong with the arguments is said by the controller
    if result.is_failed() && result.get("ansible_job_id").is_none() {
        let msg = result.get("msg").map(crate::run::text_of);
        let words = format!("Task failed: {}", msg.unwrap_or_default());
        result.error = Some(crate::Error::general(words));
    }
    result
}
