//! How a host is reached. A [`Session`] carries module calls to one host for the whole run.
//!
//! A [`Transport`] starts commands at the host (ssh, a container, a child process); [`HostSession`] places
//! and starts the agent over it, one for every user that tasks become, and hands module calls to them.

mod agent;
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
use crate::machine::{Mode, Stream};
use crate::result::TaskResult;
use crate::value::Map;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Takes the lines that a command writes, as they come.
pub type Lines = Arc<dyn Fn(Stream, &str) + Send + Sync>;

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

/// What came of a command that was run without the agent.
#[derive(Clone, Debug, Default)]
pub struct RawOutput {
    pub rc: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// An open way to one host, as one user.
pub trait Session: Send {
    /// Runs a module there. A module's own failure is an `Ok` with `failed`; so is a refused `become`.
    fn call(&mut self, request: Request) -> Result<TaskResult, Unreachable>;
    /// Makes a controller's file readable there; returns its path there. Lives as long as the session.
    fn upload(&mut self, local: &Path) -> Result<PathBuf, Unreachable>;
    /// Gives up a file that [`Session::upload`] made.
    fn discard(&mut self, remote: &Path);
    /// Brings a file from there to the controller.
    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Unreachable>;
    /// Runs a command line with no agent there (`raw`, `script`). An `Err` of the inner result is a refused `become`.
    fn raw(
        &mut self,
        command: &str,
        input: &[u8],
        tty: bool,
    ) -> Result<Result<RawOutput, String>, Unreachable>;
    /// Gives up the connection; the next use opens a new one (`meta: reset_connection`, `reboot`).
    fn reset(&mut self);
    /// Whether the host is the machine that rplay runs on, and modules run as the user who runs rplay.
    fn is_local(&self) -> bool {
        false
    }
}

/// Opens a transport to a target. `local` has one too: tasks that become another user need it.
///
/// `ssh` is rplay's own (`ssh2`), or the system's program (`openssh`) where only that can do what is asked.
pub fn open(target: &Target) -> Result<Box<dyn Transport>, Unreachable> {
    let bare = target.connection.rsplit('.').next().unwrap_or_default();
    match bare {
        "local" => Ok(Box::new(process::Local::new(&target.shell))),
        "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ssh2" => match ssh::Ssh::connect(target) {
            Ok(ssh) => Ok(Box::new(ssh)),
            Err(ssh::NoConnection::Unreachable(e)) => Err(e),
            Err(ssh::NoConnection::Beyond(what)) if bare == "ssh2" => Err(Unreachable::new(
                format!("rplay's own ssh cannot do this: {what}. The connection 'openssh' can."),
            )),
            Err(ssh::NoConnection::Beyond(what)) => {
                crate::notice::verbose(
                    1,
                    format!("{}: using the system's ssh, because of {what}", target.host),
                );
                Ok(Box::new(openssh::OpenSsh::new(target)?))
            }
        },
        "openssh" => Ok(Box::new(openssh::OpenSsh::new(target)?)),
        _ => Err(Unreachable::new(format!(
            "the connection plugin '{}' was not found",
            target.connection
        ))),
    }
}
