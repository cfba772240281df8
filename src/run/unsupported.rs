//! Keywords that rplay reads but does not carry out yet: refused by name, never ignored.

use crate::playbook::{Item, Play, Task};
use crate::value::Value;
use crate::{Error, Result};

/// Keyword, and the value that means nothing is asked for.
static REFUSED: &[(&str, Idle)] = &[
    ("async", Idle::Zero),
    ("debugger", Idle::Never),
    ("timeout", Idle::Zero),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Idle {
    Zero,
    Never,
}

/// Refuses a play that uses what is not there yet. The error points at the keyword.
pub fn check(play: &Play) -> Result<()> {
    for section in [
        &play.pre_tasks,
        &play.roles,
        &play.tasks,
        &play.post_tasks,
        &play.handlers,
    ] {
        check_items(section)?;
    }
    Ok(())
}

/// The same for tasks that are read while the play runs.
pub fn check_items(items: &[Item]) -> Result<()> {
    for item in items {
        match item {
            Item::Task(task) => check_task(task)?,
            Item::Block(block) => {
                check_items(&block.body)?;
                check_items(&block.rescue)?;
                check_items(&block.always)?;
            }
        }
    }
    Ok(())
}

fn check_task(task: &Task) -> Result<()> {
    if task.implicit {
        return Ok(());
    }
    for (keyword, idle) in REFUSED {
        let Some(node) = task.keyword(keyword) else {
            continue;
        };
        let value = node.to_value();
        let nothing = match idle {
            Idle::Zero => {
                matches!(&value, Value::Int(0) | Value::Null) || value.as_str() == Some("0")
            }
            Idle::Never => value.as_str() == Some("never") || value.is_null(),
        };
        if !nothing {
            return Err(
                Error::parse(format!("the keyword '{keyword}' is not supported yet")).at(&node.at),
            );
        }
    }
    Ok(())
}
