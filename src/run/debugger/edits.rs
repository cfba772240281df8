//! What the debugger has changed of a task's variables.

use crate::template::Scope;
use crate::value::{Key, Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// Variables that were set and deleted; they go before all others.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    set: Map,
    gone: HashSet<String>,
}

impl Edits {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.gone.remove(name);
        self.set.insert(Key::from(name), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.set.shift_remove(name);
        self.gone.insert(name.to_string());
    }

    /// The variables of `base` as they are with these changes.
    pub fn over(self: &Arc<Edits>, base: Arc<dyn Scope>) -> Arc<dyn Scope> {
        Arc::new(Edited {
            edits: Arc::clone(self),
            base,
        })
    }
}

struct Edited {
    edits: Arc<Edits>,
    base: Arc<dyn Scope>,
}

impl Scope for Edited {
    fn get(&self, name: &str) -> Option<Value> {
        match self.edits.set.get(name) {
            Some(value) => Some(value.clone()),
            None if self.edits.gone.contains(name) => None,
            None => self.base.get(name),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.base.names();
        names.retain(|n| !self.edits.gone.contains(&**n));
        for key in self.edits.set.keys() {
            if let Key::Str(name) = key
                && !names.contains(name)
            {
                names.push(Arc::clone(name));
            }
        }
        names
    }
}
