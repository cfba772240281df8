//! Filters: Jinja2's own and ansible.builtin's, one file per family.
//!
//! [`call`] is the way in. Names are bare: whoever calls strips `ansible.builtin.` and the like.

use super::call::Call;
use crate::Result;
use crate::value::Value;

/// How a filter is written.
pub type Filter = fn(Call) -> Result<Value>;

/// All filters by name, family after family.
pub static FAMILIES: &[&[(&str, Filter)]] = &[];

/// Filters that take an undefined value, or undefined arguments, without an error.
const TAKES_UNDEFINED: &[&str] = &[];

/// The filter of that name.
pub fn find(name: &str) -> Option<Filter> {
    FAMILIES
        .iter()
        .flat_map(|family| family.iter())
        .find(|(n, _)| *n == name)
        .map(|(_, f)| *f)
}

/// All names, for "did you mean" and for registration.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|f| f.iter()).map(|(n, _)| *n)
}

/// Calls a filter. An undefined value or argument is an error unless the filter takes it.
pub fn call(filter: Filter, call: Call) -> Result<Value> {
    if !TAKES_UNDEFINED.contains(&call.name) {
        super::call::refuse_undefined(&call)?;
    }
    filter(call)
}
