//! Tests that old playbooks use as filters: `result|failed`, `ansible_version|version_compare('2', '>')`.

use super::Filter;
use crate::Result;
use crate::notice;
use crate::template::call::Call;
use crate::template::tests;
use crate::value::Value;

fn as_test(call: Call) -> Result<Value> {
    let name = call.name;
    notice::deprecated(format!(
        "Using the test '{name}' as a filter is deprecated: write 'result is {name}' instead of 'result | {name}'."
    ));
    let test = tests::ALL
        .find(name)
        .ok_or_else(|| super::apply::no_test(name))?;
    tests::call(test, call).map(Value::Bool)
}

/// The tests of Ansible's own that were filters too.
pub static FILTERS: &[(&str, Filter)] = &[
    ("all", as_test),
    ("any", as_test),
    ("change", as_test),
    ("changed", as_test),
    ("directory", as_test),
    ("exists", as_test),
    ("failed", as_test),
    ("failure", as_test),
    ("file", as_test),
    ("finished", as_test),
    ("is_abs", as_test),
    ("is_dir", as_test),
    ("is_file", as_test),
    ("is_link", as_test),
    ("is_mount", as_test),
    ("is_same_file", as_test),
    ("isnan", as_test),
    ("issubset", as_test),
    ("issuperset", as_test),
    ("link", as_test),
    ("link_exists", as_test),
    ("match", as_test),
    ("mount", as_test),
    ("reachable", as_test),
    ("regex", as_test),
    ("same_file", as_test),
    ("search", as_test),
    ("skip", as_test),
    ("skipped", as_test),
    ("started", as_test),
    ("subset", as_test),
    ("succeeded", as_test),
    ("success", as_test),
    ("successful", as_test),
    ("superset", as_test),
    ("unreachable", as_test),
    ("version", as_test),
    ("version_compare", as_test),
];
