//! Differences in the shape that Ansible's results have under `diff`.

use crate::value::{Map, Value};

/// A `diff` entry: `before`, `after` and their headers.
pub fn content(before: &str, after: &str, before_header: &str, after_header: &str) -> Value {
    Value::map(crate::modules::args::map([
        ("before", Value::str(before)),
        ("after", Value::str(after)),
        ("before_header", Value::str(before_header)),
        ("after_header", Value::str(after_header)),
    ]))
}

/// A `diff` entry without headers.
pub fn texts(before: &str, after: &str) -> Value {
    Value::map(crate::modules::args::map([
        ("before", Value::str(before)),
        ("after", Value::str(after)),
    ]))
}

/// Attributes before and after a change.
#[derive(Debug, Default)]
pub struct Attributes {
    pub before: Map,
    pub after: Map,
}

impl Attributes {
    pub fn of_path(path: &str) -> Attributes {
        let mut diff = Attributes::default();
        diff.set("path", path, path);
        diff
    }
    pub fn set(&mut self, key: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.before.insert(key.into(), before.into());
        self.after.insert(key.into(), after.into());
    }
    pub fn to_value(&self) -> Value {
        Value::map(crate::modules::args::map([
            ("before", Value::map(self.before.clone())),
            ("after", Value::map(self.after.clone())),
        ]))
    }
}
