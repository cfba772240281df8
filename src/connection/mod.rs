//! How a host is reached. A [`Session`] carries module calls to one host for the whole run.

pub mod local;

use crate::machine::Mode;
use crate::result::TaskResult;
use crate::value::Map;
use std::path::{Path, PathBuf};

/// One module call.
pub struct Request {
    /// Module name, bare or as the user wrote it (`ansible.builtin.file`): messages repeat it.
    pub module: String,
    /// Arguments, rendered.
    pub args: Map,
    pub mode: Mode,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
}

/// The connection failed; the host is UNREACHABLE.
#[derive(Debug)]
pub struct Unreachable {
    pub msg: String,
}

/// An open way to one host.
pub trait Session: Send {
    /// Runs a module there. A module's own failure is an `Ok` with `failed`.
    fn call(&mut self, request: Request) -> Result<TaskResult, Unreachable>;
    /// Makes a controller's file readable there; returns its path there. Lives as long as the session.
    fn upload(&mut self, local: &Path) -> Result<PathBuf, Unreachable>;
    /// Brings a file from there to the controller.
    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Unreachable>;
    /// Whether the host is the machine that rplay runs on.
    fn is_local(&self) -> bool {
        false
    }
}

/// Opens a session to a target.
pub fn open(target: &crate::run::Target) -> Result<Box<dyn Session>, Unreachable> {
    let other_user = target.become_user.as_deref().filter(|name| {
        let user = crate::machine::users::user_by_name(name);
        user.is_none_or(|u| u.uid != rustix::process::geteuid().as_raw())
    });
    match (target.connection.as_str(), other_user) {
        ("local", None) => Ok(Box::new(local::Local)),
        ("local", Some(user)) => Err(Unreachable {
            msg: format!("rplay cannot become user '{user}' yet"),
        }),
        (other, _) => Err(Unreachable {
            msg: format!(
                "connections over '{other}' are not supported yet: rplay runs plays on this machine only (connection: local)"
            ),
        }),
    }
}
