//! The result of a task on a host (or of one loop item), as playbooks see it when registered.

use crate::error::Error;
use crate::value::{Key, Map, Value};

/// A result: a dictionary with the keys that Ansible documents
/// (<https://docs.ansible.com/ansible/latest/reference_appendices/common_return_values.html>).
#[derive(Clone, Debug, Default)]
pub struct TaskResult {
    pub fields: Map,
    /// Why it failed, where that is known with its place. For reporters; playbooks see `msg`.
    pub error: Option<Error>,
}

impl TaskResult {
    pub fn new() -> TaskResult {
        TaskResult::default()
    }
    /// A result that changed nothing and failed nowhere.
    pub fn ok() -> TaskResult {
        TaskResult::new().with("changed", false)
    }
    pub fn changed() -> TaskResult {
        TaskResult::new().with("changed", true)
    }
    pub fn failed(msg: impl Into<String>) -> TaskResult {
        TaskResult::new()
            .with("failed", true)
            .with("msg", msg.into())
    }
    pub fn skipped(reason: impl Into<String>) -> TaskResult {
        TaskResult::ok()
            .with("skipped", true)
            .with("skip_reason", reason.into())
    }
    pub fn unreachable(msg: impl Into<String>) -> TaskResult {
        TaskResult::ok()
            .with("unreachable", true)
            .with("msg", msg.into())
    }
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> TaskResult {
        self.set(key, value);
        self
    }
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(Key::from(key), value.into());
    }
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }
    /// Whether the entry is there and true.
    pub fn flag(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(Value::is_truthy)
    }
    pub fn is_failed(&self) -> bool {
        self.flag("failed")
    }
    /// Whether the task has failed by it: what `failed_when` said counts, even where `until` says otherwise.
    /// Of a loop it is what `failed_when` said of the items.
    pub fn counts_as_failed(&self) -> bool {
        const SAID: &str = "failed_when_result";
        let of_items = match self.get("results") {
            Some(Value::List(items)) => items.iter().any(|item| item.get(SAID).is_some()),
            _ => false,
        };
        match (self.get(SAID), self.get("results")) {
            (None, Some(Value::List(items))) if of_items => items
                .iter()
                .any(|item| item.get(SAID).is_some_and(|v| v.is_truthy())),
            (None, _) => self.is_failed(),
            (Some(said), _) => said.is_truthy(),
        }
    }
    pub fn is_changed(&self) -> bool {
        self.flag("changed")
    }
    pub fn is_skipped(&self) -> bool {
        self.flag("skipped")
    }
    pub fn is_unreachable(&self) -> bool {
        self.flag("unreachable")
    }
    pub fn to_value(&self) -> Value {
        Value::map(self.fields.clone())
    }
    /// What playbooks see of it: a failure has an `exception` too, which is Python's and never there.
    ///
    /// What a loop comes to has none; its items have.
    pub fn registered(&self) -> Map {
        let mut fields = self.fields.clone();
        let items = fields.get("results").and_then(Value::as_list);
        let looped = items
            .and_then(|items| items.first())
            .is_some_and(|item| item.get("ansible_loop_var").is_some());
        if (self.is_failed() || self.is_unreachable()) && !looped {
            fields
                .entry(Key::from("exception"))
                .or_insert_with(|| "(traceback unavailable)".into());
        }
        fields
    }
}

impl From<Map> for TaskResult {
    fn from(fields: Map) -> TaskResult {
        TaskResult {
            fields,
            error: None,
        }
    }
}
