//! `gather_facts`: what plays do first.

use super::{Context, Entry};
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["gather_facts"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    args.shift_remove("parallel");
    let mut result = context.module("setup", args);
    result.fields.shift_remove("invocation");
    // facts are not shown at -v
    result.set("_ansible_verbose_override", true);
    result
}
