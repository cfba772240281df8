//! Templates to values, as Ansible does it.
//!
//! minijinja reads the templates; what they mean is Python's, and so is ours: text is parsed to
//! minijinja's syntax tree, turned into our own ([`compile`]), and evaluated ([`Templar`]) over
//! [`Value`] itself. Nothing is converted on the way, a variable is rendered when it is first
//! looked at, and every error knows its place.

mod access;
mod apply;
mod ast;
pub mod call;
pub mod compile;
mod condition;
mod convert;
mod csv;
#[cfg(test)]
mod differential;
mod env;
mod exec;
mod file;
pub mod filters;
mod globals;
mod interp;
pub mod json;
mod literal;
pub mod lookups;
mod macros;
mod managed;
mod methods;
mod objects;
mod ops;
mod parsable;
mod percent;
pub mod protocol;
mod random;
mod registry;
use crate::regex;
#[cfg(test)]
mod render_tests;
mod syntax_words;
#[cfg(test)]
mod table;
mod templar;
pub mod tests;
mod times;
mod val;
mod version;

pub use crate::python;
pub use file::{FileOptions, file_variables};
pub use managed::managed;
pub use templar::{Engine, Raw, Templar};

use crate::value::{Map, Value};
use std::sync::Arc;

/// The variables that a template may see, not yet rendered.
pub trait Scope: Send + Sync {
    /// The raw value of a variable, which may hold templates itself.
    fn get(&self, name: &str) -> Option<Value>;
    /// All names, for `vars`, `varnames` and "did you mean".
    fn names(&self) -> Vec<Arc<str>>;
}

/// Variables that are all there is: no layers, no host.
impl Scope for Map {
    fn get(&self, name: &str) -> Option<Value> {
        Map::get(self, name).cloned()
    }
    fn names(&self) -> Vec<Arc<str>> {
        self.keys()
            .filter_map(|k| k.as_str().map(Arc::from))
            .collect()
    }
}
