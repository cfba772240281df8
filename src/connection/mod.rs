//! How a host is reached. A [`Session`] carries module calls to one host for the whole run.
//!
//! A [`Transport`] starts commands at the host (ssh, a container, a child process); [`HostSession`] places
//! and starts the agent over it, one for every user that tasks become, and hands module calls to them.

mod agent;
mod chroot;
mod container;
mod escalate;
mod host;
mod openssh;
mod process;
mod ssh;
mod target;
mod transport;

pub use escalate::{METHODS, quote};
pub use host::HostSession;
pub use target::{Become, SshOptions, Target};
pub use transport::{Channel, Event, Transport};

pub use crate::agent::Background;
use crate::machine::Mode;
use crate::result::TaskResult;
use crate::value::Map;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::machine::Lines;

/// One module call.
#[derive(Clone, Default)]
pub struct Request {
    /// Module name, bare or as the user wrote it (`ansible.builtin.file`): messages repeat it.
    pub module: String,
    /// Arguments, rendered.
    pub args: Map,
    pub mode: Mode,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// Told the lines of long commands while they run.
    pub lines: Option<Lines>,
    /// Run on in the background (`async`).
    pub background: Option<Background>,
}

/// The connection failed; the host is UNREACHABLE.
#[derive(Debug)]
pub struct Unreachable {
    pub msg: String,
}

impl Unreachable {
    pub fn new(msg: impl Into<String>) -> Unreachable {
        Unreachable { msg: msg.into() }
    }
}

/// Why something could not be done at a host.
#[derive(Debug)]
pub enum Trouble {
    Unreachable(Unreachable),
    /// The host answers, and refuses: another user cannot be become, a file cannot be sent. The task fails.
    Failed(String),
}

impl From<Unreachable> for Trouble {
    fn from(e: Unreachable) -> Trouble {
        Trouble::Unreachable(e)
    }
}

impl Trouble {
    /// What the task comes to.
    pub fn result(self) -> TaskResult {
        match self {
            Trouble::Unreachable(e) => TaskResult::unreachable(e.msg),
            Trouble::Failed(msg) => {
                let words = format!("Task failed: {msg}");
                let mut result = TaskResult::failed(words.as_str()).with("changed", false);
                result.error = Some(crate::Error::general(words));
                result
            }
        }
    }

    pub fn words(self) -> String {
        match self {
            Trouble::Unreachable(Unreachable { msg }) | Trouble::Failed(msg) => msg,
        }
    }
}

/// A command line that is run without the agent.
#[derive(Clone, Default)]
pub struct RawCommand<'a> {
    pub line: &'a str,
    pub input: &'a [u8],
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Told its lines while it runs.
    pub lines: Option<&'a Lines>,
}

/// What came of a command that was run without the agent.
#[derive(Clone, Debug, Default)]
pub struct RawOutput {
    pub rc: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// An open way to one host, as one user.
pub trait Session: Send {
    /// Runs a module there. A module's own failure is an `Ok` with `failed`.
    fn call(&mut self, request: Request) -> Result<TaskResult, Trouble>;
    /// Makes a controller's file readable there; returns its path there. Lives as long as the session.
    fn upload(&mut self, local: &Path) -> Result<PathBuf, Trouble>;
    /// Gives up a file that [`Session::upload`] made.
    fn discard(&mut self, remote: &Path);
    /// Brings a file from there to the controller.
    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Trouble>;
    /// Runs a command line with no agent there (`raw`, `script`).
    fn raw(&mut self, command: RawCommand<'_>) -> Result<RawOutput, Trouble>;
    /// Whether raw commands get a terminal there, as ssh gives them one.
    fn wants_tty(&self) -> bool {
        false
    }
    /// Gives up the connection, and from now on waits no longer than this for a new one and for a raw command
    /// that says nothing (`reboot`, `wait_for_connection`).
    fn hurry(&mut self, _: Duration) {}
    /// Gives up the connection; the next use opens a new one (`meta: reset_connection`, `reboot`).
    fn reset(&mut self);
    /// Whether the host is the machine that rplay runs on, and modules run as the user who runs rplay.
    fn is_local(&self) -> bool {
        false
    }
    /// Whether tasks run as another user than the one who logged in.
    fn becomes(&self) -> bool {
        false
    }
    /// Whether the host is the machine that rplay runs on, whoever modules run as.
    fn is_local_connection(&self) -> bool {
        self.is_local()
    }
}

/// The kinds of connection, for messages.
const CONNECTIONS: &str = "local, ssh (ssh2, openssh), docker, podman, chroot";

/// Whether there is a connection of this name; the error is words.
pub fn check(name: &str) -> Result<(), String> {
    const NAMES: &[&str] = &[
        "local",
        "ssh",
        "smart",
        "ssh2",
        "paramiko",
        "paramiko_ssh",
        "openssh",
        "docker",
        "docker_api",
        "podman",
        "chroot",
    ];
    match NAMES.contains(&name.rsplit('.').next().unwrap_or_default()) {
        true => Ok(()),
        false if name == "accelerate" => Err(
            "the connection 'accelerate' is gone from Ansible since 2.4: use ssh, of which rplay keeps one connection to a host for the whole run"
                .to_string(),
        ),
        false => Err(format!(
            "the connection plugin '{name}' was not found. rplay has {CONNECTIONS}."
        )),
    }
}

/// Opens a transport to a target. `local` has one too: tasks that become another user need it.
///
/// `ssh` is rplay's own (`ssh2`), or the system's program (`openssh`) where only that can do what is asked.
/// The full names of Ansible's collections (`community.docker.docker`) mean the same as the last part.
pub fn open(target: &Target) -> Result<Box<dyn Transport>, Unreachable> {
    let bare = target.connection.rsplit('.').next().unwrap_or_default();
    Ok(match bare {
        "local" => Box::new(process::Local::new(&target.shell)),
        "ssh" | "smart" | "ssh2" => return open_ssh(target, bare != "ssh2"),
        "paramiko" | "paramiko_ssh" => {
            let text =
                format!("rplay has no paramiko: '{bare}' is its own ssh, with ssh's configuration");
            crate::notice::verbose(1, text);
            return open_ssh(target, true);
        }
        "openssh" => Box::new(openssh::OpenSsh::connect(target)?),
        "docker" | "docker_api" => Box::new(container::Container::connect(target, "docker")?),
        "podman" => Box::new(container::Container::connect(target, "podman")?),
        "chroot" => Box::new(chroot::Chroot::connect(target)?),
        _ => {
            let why = check(&target.connection).err().unwrap_or_default();
            return Err(Unreachable::new(why));
        }
    })
}

/// rplay's own ssh; or the system's, if that `may` be used and is needed.
fn open_ssh(target: &Target, may: bool) -> Result<Box<dyn Transport>, Unreachable> {
    match ssh::Ssh::connect(target) {
        Ok(ssh) => Ok(Box::new(ssh)),
        Err(ssh::NoConnection::Unreachable(e)) => Err(e),
        Err(ssh::NoConnection::Beyond(what)) if may => {
            let text = format!("{}: using the system's ssh, because of {what}", target.host);
            crate::notice::verbose(1, text);
            Ok(Box::new(openssh::OpenSsh::connect(target)?))
        }
        Err(ssh::NoConnection::Beyond(what)) => Err(Unreachable::new(format!(
            "rplay's own ssh cannot do this: {what}. The connection 'openssh' can."
        ))),
    }
}
