//! Lookups: what `lookup`, `query` and `with_*` fetch on the controller.
//!
//! What they return is inert: never templated again.

use super::Templar;
use super::call::Call;
use crate::Result;
use crate::value::{Map, Value};

/// How a lookup is written: the terms are `args`, the options `kwargs`.
pub type Lookup = fn(Call) -> Result<Vec<Value>>;

/// All lookups by name.
pub static LOOKUPS: &[(&str, Lookup)] = &[];

/// The lookup of that name.
pub fn find(name: &str) -> Option<Lookup> {
    LOOKUPS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

/// All names, for "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    LOOKUPS.iter().map(|(n, _)| *n)
}

/// Calls a lookup. An undefined term or option is an error.
pub fn call(lookup: Lookup, call: Call) -> Result<Vec<Value>> {
    super::call::refuse_undefined(&call)?;
    lookup(call)
}

/// The items of `with_NAME: terms`, terms rendered already. None if there is no such lookup.
pub fn with_lookup(name: &str, terms: Value, templar: &Templar) -> Option<Result<Vec<Value>>> {
    let lookup = find(name)?;
    let args = match terms {
        Value::List(items) => items.to_vec(),
        other => vec![other],
    };
    Some(call(
        lookup,
        Call {
            name,
            value: Value::Null,
            args,
            kwargs: Map::default(),
            templar,
        },
    ))
}
