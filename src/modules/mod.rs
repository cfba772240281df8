//! What runs on the target: one module a file, each in the table below.

use crate::machine::Machine;
use crate::result::TaskResult;
use crate::value::Map;

/// A module: its arguments, its documentation and what it does.
pub trait Module {
    const NAME: &'static str;
    /// YAML that shows how the module is used; a test runs it.
    const EXAMPLES: &'static str;
    /// Doc comments are the options' documentation; Ansible's coercions happen before serde.
    type Args: serde::de::DeserializeOwned + schemars::JsonSchema;
    type Returns: serde::Serialize + schemars::JsonSchema;
    fn run(args: Self::Args, machine: &mut Machine) -> Result<Self::Returns, Failure>;
}

/// Why a module failed: a message, and further entries of the result (`rc`, `stderr`, ...).
#[derive(Debug, Default)]
pub struct Failure {
    pub msg: String,
    pub fields: Map,
}

impl Failure {
    pub fn new(msg: impl Into<String>) -> Failure {
        Failure {
            msg: msg.into(),
            fields: Map::default(),
        }
    }
}

/// A module in the table.
pub struct Entry {
    pub name: &'static str,
    /// Checks and converts the arguments, runs, and makes the result (`changed`, `diff`, returns or `msg`).
    pub run: fn(Map, &mut Machine) -> TaskResult,
}

/// All modules.
pub static MODULES: &[Entry] = &[];

/// The module with this name, bare or fully qualified (`ansible.builtin.`, `ansible.legacy.`).
pub fn find(name: &str) -> Option<&'static Entry> {
    let bare = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    MODULES.iter().find(|m| m.name == bare)
}
