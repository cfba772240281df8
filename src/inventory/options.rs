//! The settings that change how inventories are read.

use crate::config::{Config, HashBehaviour, OnMismatch};
use crate::error::Kind;
use crate::template::Engine;
use crate::value::Map;
use crate::vars::cache::FactCache;
use crate::{Error, Result};
use std::sync::Arc;

/// What happens to group names that are not valid variable names (`TRANSFORM_INVALID_GROUP_CHARS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupChars {
    /// Kept, with a warning.
    #[default]
    Never,
    /// Replaced by underscores, with a warning.
    Always,
    /// Replaced without a word.
    Silently,
    /// Kept without a word.
    Ignore,
}

impl GroupChars {
    /// Reads the setting's value as ansible.cfg has it.
    pub fn parse(text: &str) -> Result<GroupChars> {
        Ok(match text {
            "never" => GroupChars::Never,
            "always" => GroupChars::Always,
            "silently" => GroupChars::Silently,
            "ignore" => GroupChars::Ignore,
            other => {
                return Err(Error::new(
                    Kind::Options,
                    format!("force_valid_group_names cannot be '{other}'"),
                )
                .hint("use always, never, ignore or silently"));
            }
        })
    }
}

/// What happens when a pattern names nothing (`HOST_PATTERN_MISMATCH`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatch {
    #[default]
    Warning,
    Error,
    Ignore,
}

/// Settings of ansible.cfg's `[inventory]` section and their neighbours, with Ansible's defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// Kinds of source that are tried, in this order (`INVENTORY_ENABLED`).
    pub enabled: Vec<String>,
    /// Endings of files that are passed over in a folder (`INVENTORY_IGNORE_EXTS`).
    pub ignore_extensions: Vec<String>,
    /// Regular expressions for files that are passed over in a folder (`INVENTORY_IGNORE_PATTERNS`).
    pub ignore_patterns: Vec<String>,
    /// One source that cannot be read ends the run (`INVENTORY_ANY_UNPARSED_IS_FAILED`).
    pub any_unparsed_is_failed: bool,
    /// No source that can be read ends the run (`INVENTORY_UNPARSED_IS_FAILED`).
    pub unparsed_is_failed: bool,
    /// Warn if no source could be read (`INVENTORY_UNPARSED_WARNING`).
    pub unparsed_warning: bool,
    /// Warn if there is no host but the implicit localhost (`LOCALHOST_WARNING`).
    pub localhost_warning: bool,
    pub group_chars: GroupChars,
    pub mismatch: Mismatch,
    /// Dictionaries are merged instead of replaced (`DEFAULT_HASH_BEHAVIOUR`).
    pub merge: bool,
    /// Inventory plugins see the extra variables unless their file says otherwise (`INVENTORY_USE_EXTRA_VARS`).
    pub use_extra_vars: bool,
    /// The extra variables, for inventory plugins that use them.
    pub extra_vars: Arc<Map>,
    /// What inventory plugins evaluate their expressions with.
    pub engine: Arc<Engine>,
    /// Facts of earlier runs, which inventory plugins see.
    pub facts: Option<Arc<FactCache>>,
}

impl Options {
    /// The settings of a run. Fails on a value of `force_valid_group_names` that there is not.
    pub fn from_config(config: &Config) -> Result<Options> {
        Ok(Options {
            enabled: config.inventory_plugins.clone(),
            ignore_extensions: config.inventory_ignore_extensions.clone(),
            ignore_patterns: config.inventory_ignore_patterns.clone(),
            any_unparsed_is_failed: config.inventory_any_unparsed_failed,
            unparsed_is_failed: config.inventory_unparsed_failed,
            unparsed_warning: config.inventory_unparsed_warning,
            localhost_warning: config.localhost_warning,
            group_chars: GroupChars::parse(&config.force_valid_group_names)?,
            mismatch: match config.host_pattern_mismatch {
                OnMismatch::Warning => Mismatch::Warning,
                OnMismatch::Error => Mismatch::Error,
                OnMismatch::Ignore => Mismatch::Ignore,
            },
            merge: config.hash_behaviour == HashBehaviour::Merge,
            use_extra_vars: config.inventory_use_extra_vars,
            extra_vars: Arc::default(),
            engine: Engine::for_run(config),
            facts: FactCache::open(config).map(Arc::new),
        })
    }
}

impl Default for Options {
    fn default() -> Options {
        let list = |items: &[&str]| items.iter().map(|s| s.to_string()).collect();
        Options {
            enabled: list(&["host_list", "script", "auto", "yaml", "ini", "toml"]),
            ignore_extensions: list(&[
                ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig",
                ".cfg", ".retry",
            ]),
            ignore_patterns: Vec::new(),
            any_unparsed_is_failed: false,
            unparsed_is_failed: false,
            unparsed_warning: true,
            localhost_warning: true,
            group_chars: GroupChars::default(),
            mismatch: Mismatch::default(),
            merge: false,
            use_extra_vars: false,
            extra_vars: Arc::default(),
            engine: Engine::new(),
            facts: None,
        }
    }
}
