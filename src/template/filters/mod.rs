//! Filters: Jinja2's own and ansible.builtin's, one file per family.
//!
//! [`call`] is the way in. Names are bare: whoever calls strips `ansible.builtin.` and the like.

use super::call::Call;
use super::registry::Registry;
use crate::Result;
use crate::value::Value;

mod apply;
pub mod dates;
pub mod hash;
pub mod logic;
pub mod mappings;
pub mod net;
mod numbers;
pub mod paths;
mod query;
mod random;
mod regex;
pub mod sequences;
mod serialize;
mod tasks;
pub mod text;
mod urls;
mod vault;

/// How a filter is written.
pub type Filter = fn(Call) -> Result<Value>;

/// All filters by name, family after family.
pub static ALL: Registry<Filter> = Registry(&[
    apply::FILTERS,
    dates::FILTERS,
    hash::FILTERS,
    logic::FILTERS,
    mappings::FILTERS,
    net::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    query::FILTERS,
    random::FILTERS,
    regex::FILTERS,
    sequences::FILTERS,
    serialize::FILTERS,
    tasks::FILTERS,
    text::FILTERS,
    urls::FILTERS,
    vault::FILTERS,
]);

/// Filters that take an undefined value, or undefined arguments, without an error.
const TAKES_UNDEFINED: &[&str] = &["d", "default", "mandatory", "ternary", "type_debug"];

/// Filters that pass on the undefined items of a list, or look at items one by one.
const TAKES_UNDEFINED_ITEMS: &[&str] = &[
    "d",
    "default",
    "first",
    "last",
    "length",
    "count",
    "list",
    "map",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "type_debug",
    "mandatory",
];

/// Calls a filter. An undefined value or argument is an error unless the filter takes it.
pub fn call(filter: Filter, call: Call) -> Result<Value> {
    if !TAKES_UNDEFINED.contains(&call.name) {
        super::call::refuse_undefined(&call)?;
    }
    if !TAKES_UNDEFINED_ITEMS.contains(&call.name) {
        super::call::refuse_undefined_items(&call.value)?;
    }
    filter(call)
}

/// A name without its collection: `ansible.builtin.default`, `ansible.utils.ipaddr`.
pub fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The name with its collection, as messages have it.
pub fn full_name(name: &str) -> String {
    let has = |family: &[(&str, Filter)]| family.iter().any(|(n, _)| *n == name);
    let general = [
        "counter",
        "dict",
        "dict_kv",
        "from_csv",
        "groupby_as_dict",
        "json_query",
        "lists_difference",
        "lists_intersect",
        "lists_symmetric_difference",
        "lists_union",
        "random_mac",
        "version_sort",
    ];
    if has(net::FILTERS) {
        format!("ansible.utils.{name}")
    } else if general.contains(&name) {
        format!("community.general.{name}")
    } else {
        format!("ansible.builtin.{name}")
    }
}
