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

pub static FILTERS: &[(&str, Filter)] = &[
    ("changed", as_test),
    ("failed", as_test),
    ("skipped", as_test),
    ("succeeded", as_test),
    ("success", as_test),
    ("version_compare", as_test),
];
