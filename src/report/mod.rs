//! Events of a run, and reporters that show them. Reporters decide nothing.

use crate::result::TaskResult;
use crate::source::Location;
use indexmap::IndexMap;

/// What reporters are told of a task.
#[derive(Clone, Debug, Default)]
pub struct TaskInfo {
    /// Rendered name with the role in front (`role : name`), or the module's name where the task has none.
    pub name: String,
    /// Module name as the user wrote it, e.g. `ansible.builtin.copy`.
    pub action: String,
    pub at: Option<Location>,
    pub handler: bool,
    pub no_log: bool,
    pub check_mode: bool,
    pub diff: bool,
    pub tags: Vec<String>,
    /// The arguments as text `k=v, k=v`, for display_args_to_stdout; empty if not asked for.
    pub args: String,
}

/// Counts of one host for the recap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failures: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
}

/// Something that happened. Names follow Ansible's callback methods (`v2_...`).
#[derive(Clone, Debug)]
pub enum Event {
    PlaybookStart {
        file: String,
    },
    PlayStart {
        name: String,
        check_mode: bool,
    },
    NoHostsMatched,
    NoHostsRemaining,
    TaskStart(TaskInfo),
    /// A host's final result for the task; `item results` are within it under `results`.
    Result {
        task: TaskInfo,
        host: String,
        /// The host that the task was delegated to.
        delegated: Option<String>,
        result: TaskResult,
        ignore_errors: bool,
    },
    /// The result of one loop item; `label` is what loop_control makes of the item.
    ItemResult {
        task: TaskInfo,
        host: String,
        delegated: Option<String>,
        result: TaskResult,
        label: String,
        ignore_errors: bool,
    },
    /// `FAILED - RETRYING`
    Retry {
        task: TaskInfo,
        host: String,
        delegated: Option<String>,
        result: TaskResult,
        retries_left: u32,
        attempts: u32,
    },
    /// A file was included for these hosts.
    Included {
        file: String,
        hosts: Vec<String>,
        label: Option<String>,
    },
    /// A handler was notified (shown at -vv and above).
    Notified {
        handler: String,
        host: String,
    },
    /// The end of the run.
    Stats {
        hosts: IndexMap<String, HostStats>,
        /// Set by set_stats: `_run` or host to values.
        custom: crate::value::Map,
    },
}

/// Shows events to somebody.
pub trait Reporter: Send {
    fn event(&mut self, event: &Event);
}
