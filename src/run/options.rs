//! What the command line asked for.

use crate::config::Live;
use crate::secret::Secret;
use crate::value::Map;
use std::path::PathBuf;

/// The options of a run: the command line, with the configuration's values where an option was not given.
///
/// Settings that a play or task may override (`connection`, `remote_user`, `become` ...) hold what the
/// command line says and nothing else; the engine puts the configuration under them.
/// <https://docs.ansible.com/ansible/latest/cli/ansible-playbook.html>
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub playbooks: Vec<PathBuf>,
    /// Each `-i` as written: a path, an inventory plugin's name, or a host list with a comma.
    pub inventory: Vec<String>,
    pub limit: Option<String>,
    /// All `-e` together; later ones win. May hold templates.
    pub extra_vars: Map,
    /// Tags to run; empty means all.
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub check: bool,
    pub diff: bool,
    pub step: bool,
    pub start_at_task: Option<String>,
    /// Hosts worked on at the same time; at least 1.
    pub forks: usize,
    pub force_handlers: bool,
    pub flush_cache: bool,
    /// Folders given with `-M`, in order.
    pub module_path: Vec<PathBuf>,
    /// How many `-v`.
    pub verbosity: u8,
    /// Whether the lines of commands are shown while they run.
    pub live: Live,

    pub syntax_check: bool,
    pub list: Listing,

    pub connection: Option<String>,
    pub remote_user: Option<String>,
    pub private_key: Option<PathBuf>,
    /// Seconds to wait for a connection.
    pub timeout: Option<u32>,
    pub ssh_common_args: Option<String>,
    pub ssh_extra_args: Option<String>,
    pub sftp_extra_args: Option<String>,
    pub scp_extra_args: Option<String>,
    /// From `-k` or `--connection-password-file`.
    pub connection_password: Option<Secret>,

    pub become_: bool,
    pub become_method: Option<String>,
    pub become_user: Option<String>,
    /// From `-K` or `--become-password-file`.
    pub become_password: Option<Secret>,
}

/// What to list instead of running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub hosts: bool,
    pub tasks: bool,
    pub tags: bool,
}

impl Listing {
    /// Whether anything is to be listed.
    pub fn any(self) -> bool {
        self.hosts || self.tasks || self.tags
    }
}
