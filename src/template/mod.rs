//! Templates to values, as Ansible does it, on minijinja.

pub mod call;
pub mod filters;
pub mod lookups;
pub mod python;
pub mod tests;

use crate::Result;
use crate::search::SearchPath;
use crate::value::{Map, Value};
use std::sync::Arc;

/// The variables that a template may see, not yet rendered.
pub trait Scope: Send + Sync {
    /// The raw value of a variable, which may hold templates itself.
    fn get(&self, name: &str) -> Option<Value>;
    /// All names, for `vars`, `varnames` and "did you mean".
    fn names(&self) -> Vec<Arc<str>>;
}

/// What all templates of a run share: filters, tests, lookups, compiled templates.
///
/// Cheap to share; one per run.
pub struct Engine {}

/// Renders values for one host and task. Resolves each variable once.
pub struct Templar {}

impl Engine {
    pub fn new() -> Arc<Engine> {
        todo!()
    }
}

impl Templar {
    /// A templar over `scope`; `files` is where lookups and template includes look.
    pub fn new(_engine: &Arc<Engine>, _scope: Arc<dyn Scope>, _files: Arc<SearchPath>) -> Templar {
        todo!()
    }

    /// A templar with more variables on top, such as the loop's `item`. Resolved variables are not shared.
    pub fn with(&self, _extra: Map) -> Templar {
        todo!()
    }

    /// The value with every template in it rendered and every vault text decrypted.
    ///
    /// Map entries and list items that render to `omit` are dropped; a value that is itself `omit` stays.
    /// A lone `{{ expression }}` keeps its type. The result holds no template.
    pub fn render(&self, _value: &Value) -> Result<Value> {
        todo!()
    }

    /// As [`Templar::render`], to text: what Python's `str()` would give.
    pub fn render_str(&self, _value: &Value) -> Result<String> {
        todo!()
    }

    /// A condition of `when`, `changed_when`, `until`, ...: text is an expression, a bool is itself.
    pub fn condition(&self, _value: &Value) -> Result<bool> {
        todo!()
    }

    /// The value of an expression without braces, as `debug: var=` takes it.
    pub fn expression(&self, _text: &str) -> Result<Value> {
        todo!()
    }
}
