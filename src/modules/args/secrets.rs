//! Values that must not be shown, and their removal from results.

use crate::python;
use crate::value::{Map, Value};

/// What stands in a result for a value that is secret as a whole.
pub const HIDDEN: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// The texts of all `no_log` arguments.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Adds every text and number in `value`.
    pub fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Omit | Value::Undefined(_) => {}
            Value::List(items) => items.iter().for_each(|i| self.add(i)),
            Value::Map(map) => map.values().for_each(|v| self.add(v)),
            scalar => {
                let text = python::str(scalar);
                if !text.is_empty() && !self.0.contains(&text) {
                    self.0.push(text);
                    // the longest first, so that no part of a longer one is left over
                    self.0.sort_by_key(|t| std::cmp::Reverse(t.len()));
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` without secrets in it.
    pub fn scrub_text(&self, text: &str) -> String {
        if self.0.iter().any(|s| s == text) {
            return HIDDEN.to_string();
        }
        let mut out = text.to_string();
        for secret in &self.0 {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), "********");
            }
        }
        out
    }

    /// `value` without secrets in it, at any depth.
    pub fn scrub(&self, value: &Value) -> Value {
        match value {
            Value::Str(s) => Value::from(self.scrub_text(s)),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
                let text = python::str(value);
                match self.0.iter().any(|s| text.contains(s.as_str())) {
                    true => Value::str(HIDDEN),
                    false => value.clone(),
                }
            }
            Value::List(items) => Value::list(items.iter().map(|i| self.scrub(i)).collect()),
            Value::Map(map) => Value::map(self.scrub_map(map)),
            other => other.clone(),
        }
    }

    pub fn scrub_map(&self, map: &Map) -> Map {
        map.iter()
            .map(|(k, v)| (k.clone(), self.scrub(v)))
            .collect()
    }
}

/// Never the texts themselves.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}
