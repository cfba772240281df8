//! The only door to the target's state: files, commands, users.
//!
//! A module reads and writes through a [`Machine`]. What is written is compared, journalled, and in
//! check mode kept in an overlay that later reads see; so `changed`, check mode and diff are computed here.

mod command;
pub mod docker;
mod files;
pub mod glob;
pub mod http;
mod lines;
mod overlay;
pub mod running;
mod stat;
mod terminal;
pub mod users;

pub use command::{Command, Output};
pub use files::{Content, md5_of, sha1_of, sha1_of_reader};
pub use stat::{Kind, Stat, Time};

pub use lines::{LineSplitters, Lines, Stream};

use std::path::PathBuf;

/// How a module is to run.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Mode {
    /// Perform nothing; say what would change.
    pub check: bool,
    /// Collect differences for `--diff`.
    pub diff: bool,
}

/// Something that a module changed, or in check mode would have changed.
#[derive(Clone, Debug)]
pub enum Change {
    Written(PathBuf),
    Created(PathBuf),
    Removed(PathBuf),
    /// Owner, group, mode, times or flags.
    Attributes(PathBuf),
    /// A command ran, for this reason.
    Ran(String),
}

/// The target, as one module run sees it.
#[derive(Default)]
pub struct Machine {
    pub mode: Mode,
    /// Variables set for the commands that this run starts (the task's `environment`).
    pub environment: Vec<(String, String)>,
    /// Told the lines of commands while they run.
    pub lines: Option<Lines>,
    /// The name under which the user called the module, for messages about its arguments.
    pub called: String,
    /// What the user should know although the module does not fail.
    pub warnings: Vec<String>,
    journal: Vec<Change>,
    overlay: overlay::Overlay,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn new(mode: Mode, environment: Vec<(String, String)>) -> Machine {
        Machine {
            mode,
            environment,
            ..Machine::default()
        }
    }

    /// Whether anything was changed, or would have been.
    pub fn changed(&self) -> bool {
        !self.journal.is_empty()
    }

    /// All changes, in order.
    pub fn journal(&self) -> &[Change] {
        &self.journal
    }

    /// A variable as commands would see it.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment
            .iter()
            .rev()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.clone())
            .or_else(|| std::env::var(name).ok())
    }

    /// Notes a change that was made by other means than this door's own.
    fn note(&mut self, change: Change) {
        self.journal.push(change);
    }
}

/// Text of an I/O error as the C library words it: `No such file or directory`.
pub fn reason(e: &std::io::Error) -> String {
    let text = e.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// An I/O error as Python shows it: `[Errno 2] No such file or directory: b'/x'`.
pub fn python_error(e: &std::io::Error, path: &std::path::Path) -> String {
    let quoted = crate::python::quote(&path.to_string_lossy());
    format!("{}: b{quoted}", errno_text(e))
}

/// `[Errno 2] No such file or directory`
pub fn errno_text(e: &std::io::Error) -> String {
    match e.raw_os_error() {
        Some(number) => format!("[Errno {number}] {}", reason(e)),
        // one that names its path hides the number
        None => match e.kind() {
            std::io::ErrorKind::NotFound => "[Errno 2] No such file or directory".to_string(),
            std::io::ErrorKind::PermissionDenied => "[Errno 13] Permission denied".to_string(),
            _ => e.to_string(),
        },
    }
}
