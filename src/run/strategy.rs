//! How a play's hosts go through its tasks: together, or each at its own pace.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_strategies.html>.

use crate::Error;

/// The strategies of ansible.builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All hosts do one task, then the next.
    Linear,
    /// As linear, with the debugger where a task fails.
    Debug,
    /// Each host goes on to its next task without waiting for the others.
    Free,
    /// As free, but a host begins only when another one is done with the play, `forks` of them at a time.
    HostPinned,
}

impl Strategy {
    /// The strategy of that name, bare or with the collection's in front.
    pub fn named(name: &str) -> Option<Strategy> {
        Some(match crate::playbook::bare(name) {
            "linear" => Strategy::Linear,
            "debug" => Strategy::Debug,
            "free" => Strategy::Free,
            "host_pinned" => Strategy::HostPinned,
            _ => return None,
        })
    }

    pub fn is_free(self) -> bool {
        matches!(self, Strategy::Free | Strategy::HostPinned)
    }
}

/// What is said of a strategy that there is not.
pub fn unknown(name: &str) -> Error {
    const NAMES: &[&str] = &["linear", "free", "host_pinned", "debug"];
    let error = Error::general(format!("Invalid play strategy specified: {name}"));
    match crate::error::did_you_mean(name, NAMES.iter().copied()) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint(format!("the strategies are {}", NAMES.join(", "))),
    }
}
