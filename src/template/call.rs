//! What a filter, test or lookup is called with, and how it reads its arguments.

use super::{Templar, python};
use crate::error::Kind;
use crate::value::{Map, Value};
use crate::{Error, Result};

/// One call of a filter, test or lookup.
///
/// For a lookup `value` is null, `args` are its terms and `kwargs` its options.
pub struct Call<'a> {
    /// The bare name as the user wrote it, for messages.
    pub name: &'a str,
    pub value: Value,
    pub args: Vec<Value>,
    pub kwargs: Map,
    pub templar: &'a Templar,
}

impl<'a> Call<'a> {
    /// Sorts the arguments by the parameter names of a Python signature (without the value itself).
    ///
    /// Errors, in Python's words, on too many arguments, unknown names and names given twice.
    pub fn bind(&mut self, names: &'static [&'static str]) -> Result<Args> {
        let args = std::mem::take(&mut self.args);
        if args.len() > names.len() {
            return Err(self.error(format!(
                "{}() takes {} positional argument{} but {} were given",
                self.name,
                names.len() + 1,
                if names.is_empty() { "" } else { "s" },
                args.len() + 1
            )));
        }
        let mut values: Vec<Option<Value>> = args.into_iter().map(Some).collect();
        values.resize(names.len(), None);
        for (key, value) in std::mem::take(&mut self.kwargs) {
            let key = key.to_string();
            match names.iter().position(|n| **n == key) {
                None => {
                    return Err(self.error(format!(
                        "{}() got an unexpected keyword argument '{key}'",
                        self.name
                    )));
                }
                Some(i) if values[i].is_some() => {
                    return Err(self.error(format!(
                        "{}() got multiple values for argument '{key}'",
                        self.name
                    )));
                }
                Some(i) => values[i] = Some(value),
            }
        }
        Ok(Args {
            function: self.name.to_string(),
            names,
            values,
        })
    }

    /// As [`Call::bind`], for arguments that can only be given by name.
    pub fn bind_kwargs(&mut self, names: &'static [&'static str]) -> Result<Args> {
        let args = std::mem::take(&mut self.args);
        let bound = self.bind(names);
        self.args = args;
        bound
    }

    /// Refuses any argument: for filters that take none.
    pub fn no_args(&mut self) -> Result<()> {
        self.bind(&[]).map(drop)
    }

    /// The value as text, as Python's `str()` gives it.
    pub fn text(&self) -> String {
        python::str(&self.value)
    }

    /// An error of this call.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(Kind::Template, message)
    }
}

/// Arguments by name, see [`Call::bind`].
#[derive(Debug)]
pub struct Args {
    function: String,
    names: &'static [&'static str],
    values: Vec<Option<Value>>,
}

impl Args {
    /// The argument if it was given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let i = self.names.iter().position(|n| *n == name)?;
        self.values[i].as_ref()
    }

    /// The argument if it was given and is not `None`.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|v| !v.is_null())
    }

    /// The argument; an error in Python's words if it is missing.
    pub fn need(&self, name: &str) -> Result<&Value> {
        self.get(name).ok_or_else(|| {
            Error::new(
                Kind::Template,
                format!(
                    "{}() missing 1 required positional argument: '{name}'",
                    self.function
                ),
            )
        })
    }

    /// The argument's truth, as Python sees it.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, Value::is_truthy)
    }

    /// The argument as an integer. Errors on what Python would not take as an index.
    pub fn int(&self, name: &str, default: i64) -> Result<i64> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Int(i)) => Ok(*i),
            Some(Value::Bool(b)) => Ok(i64::from(*b)),
            Some(other) => Err(Error::new(
                Kind::Template,
                format!(
                    "{}() argument '{name}' must be int, not {}",
                    self.function,
                    other.type_name()
                ),
            )),
        }
    }

    /// The argument as text, whatever its type.
    pub fn text(&self, name: &str, default: &str) -> String {
        self.get(name)
            .map_or_else(|| default.to_string(), python::str)
    }
}

/// An error of a template, for code that has no call at hand.
pub fn error(message: impl Into<String>) -> Error {
    Error::new(Kind::Template, message)
}

/// The error of the first undefined value among the value, the arguments and the options.
pub fn refuse_undefined(call: &Call) -> Result<()> {
    let parts = std::iter::once(&call.value).chain(&call.args);
    for part in parts.chain(call.kwargs.values()) {
        if let Value::Undefined(message) = part {
            return Err(Error::new(Kind::Undefined, &**message));
        }
    }
    Ok(())
}

/// The error of the first undefined item of a list.
pub fn refuse_undefined_items(value: &Value) -> Result<()> {
    let items = value.as_list().unwrap_or_default();
    match items.iter().find_map(|item| match item {
        Value::Undefined(message) => Some(message),
        _ => None,
    }) {
        Some(message) => Err(Error::new(Kind::Undefined, &**message)),
        None => Ok(()),
    }
}
