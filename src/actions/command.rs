//! `command`: handed to the module, but for the legacy EC2 inventory script, which rplay answers itself.

use super::{Context, Entry};
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["command"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    context.module("command", args)
}
