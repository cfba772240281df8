//! What `include_tasks` and `include_role` bring into a running play.

use super::executor::{Included, Inclusion};
use crate::Result;
use crate::playbook::{Block, Build, Directives, Frame, FrameKind, Task};
use crate::value::Value;
use crate::yaml::{Data, Node};
use std::sync::Arc;

/// Whether two hosts include the same thing: they then run it in step.
pub fn is_same(a: &Inclusion, b: &Inclusion) -> bool {
    let what = match (&a.what, &b.what) {
        (Included::Tasks(a), Included::Tasks(b)) => a == b,
        (Included::Role(a), Included::Role(b)) => {
            a.name == b.name
                && a.tasks_from == b.tasks_from
                && a.vars_from == b.vars_from
                && a.defaults_from == b.defaults_from
        }
        _ => false,
    };
    what && a.vars == b.vars && a.label == b.label && a.apply == b.apply
}

/// The name shown after `included:`.
pub fn shown_name(inclusion: &Inclusion) -> String {
    match &inclusion.what {
        Included::Tasks(path) => path.display().to_string(),
        Included::Role(use_) => super::executor::text_of(&use_.name),
    }
}

/// Reads the tasks. Errors are those of reading any playbook file; they fail the host, not the run.
pub fn read(inclusion: &Inclusion, task: &Task, build: &mut Build<'_>) -> Result<Block> {
    // the include's own keywords were for the include; only its variables go on
    let mut frame = Frame::new(FrameKind::Include, Directives::default(), Some(&task.frame));
    frame.vars = Arc::new(inclusion.vars.clone());
    let mut frame = Arc::new(frame);
    if !inclusion.apply.is_empty() {
        let mut directives = Directives::default();
        for (key, value) in &inclusion.apply {
            let node = |value: &Value| to_node(value, &task.at);
            let key = node(&key.to_value());
            crate::playbook::keywords::take(
                crate::playbook::keywords::On::Block,
                &key,
                &node(value),
                &mut directives,
            )?;
        }
        frame = Arc::new(Frame::new(FrameKind::Import, directives, Some(&frame)));
    }
    match &inclusion.what {
        Included::Tasks(path) => build.load_task_file(path, &frame, task.handler),
        Included::Role(use_) => {
            let items = build.role(use_, &frame)?;
            Ok(Block::plain(items, &frame))
        }
    }
}

/// A value as a node at one place, for keywords that come from a variable.
pub fn to_node(value: &Value, at: &crate::source::Location) -> Node {
    let data = match value {
        Value::List(items) => Data::Seq(items.iter().map(|v| to_node(v, at)).collect()),
        Value::Map(map) => Data::Map(
            map.iter()
                .map(|(k, v)| (to_node(&k.to_value(), at), to_node(v, at)))
                .collect(),
        ),
        scalar => Data::Scalar(scalar.clone()),
    };
    Node {
        data,
        at: at.clone(),
    }
}
