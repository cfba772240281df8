//! The only door to the target's state: files, commands, users.
//!
//! A module reads and writes through a [`Machine`]. What is written is compared, journalled, and in
//! check mode kept in an overlay that later reads see; so `changed`, check mode and diff are computed here.

/// How a module is to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Perform nothing; say what would change.
    pub check: bool,
    /// Collect differences for `--diff`.
    pub diff: bool,
}

/// The target, as one module run sees it.
pub struct Machine {
    pub mode: Mode,
    /// Variables set for the commands that this run starts (the task's `environment`).
    pub environment: Vec<(String, String)>,
}
