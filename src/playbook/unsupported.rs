//! Keywords that rplay reads but does not carry out yet: refused by name, never ignored.

use super::Task;
use crate::value::Value;
use crate::{Error, Result};

/// Keyword, and the value that means nothing is asked for.
static REFUSED: &[(&str, Idle)] = &[("debugger", Idle::Never), ("timeout", Idle::Zero)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Idle {
    Zero,
    Never,
}

/// Refuses a task that uses, or inherits, what is not there yet. The error points at the keyword.
pub fn check(task: &Task) -> Result<()> {
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
