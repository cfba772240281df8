//! Connections to hosts, opened when first needed and kept for the run.

use crate::connection::{HostSession, RawCommand, RawOutput, Request, Session, Target, Trouble};
use crate::result::TaskResult;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Open connections that no task is using.
#[derive(Default)]
pub struct SessionPool {
    idle: Mutex<HashMap<Target, Vec<HostSession>>>,
}

impl SessionPool {
    /// A session that is opened by its first use and goes back to the pool when dropped.
    pub fn lazy<'a>(&'a self, target: &'a Target) -> LazySession<'a> {
        LazySession {
            pool: self,
            base: target.base(),
            target,
            open: None,
            patience: None,
        }
    }

    /// Closes the idle connections to a host (`meta: reset_connection`).
    pub fn reset(&self, host: &str) {
        self.idle().retain(|target, _| target.host != host);
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Target, Vec<HostSession>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`SessionPool::lazy`].
pub struct LazySession<'a> {
    pool: &'a SessionPool,
    /// What the connection is shared by: the target without the user to become.
    base: Target,
    target: &'a Target,
    open: Option<HostSession>,
    /// Set for one that is not to wait long, and is not shared.
    patience: Option<Duration>,
}

impl LazySession<'_> {
    fn session(&mut self) -> &mut HostSession {
        let (pool, base) = (self.pool, &self.base);
        let patience = self.patience;
        self.open.get_or_insert_with(|| {
            if let Some(patience) = patience {
                return HostSession::hurried(base.clone(), patience);
            }
            let idle = pool.idle().get_mut(base).and_then(Vec::pop);
            idle.and_then(|mut session| session.is_alive().then_some(session))
                .unwrap_or_else(|| HostSession::new(base.clone()))
        })
    }

    /// Gives up a connection that has failed.
    fn keep<T>(&mut self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if matches!(result, Err(Trouble::Unreachable(_))) {
            self.open = None;
        }
        result
    }
}

impl Session for LazySession<'_> {
    fn call(&mut self, request: Request) -> Result<TaskResult, Trouble> {
        let become_ = self.target.become_.as_ref();
        let result = self.session().call(become_, request);
        self.keep(result)
    }
    fn upload(&mut self, local: &Path) -> Result<PathBuf, Trouble> {
        let become_ = self.target.become_.as_ref();
        let result = self.session().upload(become_, local);
        self.keep(result)
    }
    fn discard(&mut self, remote: &Path) {
        let become_ = self.target.become_.as_ref();
        self.session().discard(become_, remote);
    }
    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Trouble> {
        let become_ = self.target.become_.as_ref();
        let result = self.session().download(become_, remote, local);
        self.keep(result)
    }
    fn raw(&mut self, command: RawCommand<'_>) -> Result<RawOutput, Trouble> {
        let become_ = self.target.become_.as_ref();
        let result = self.session().raw(become_, &command);
        self.keep(result)
    }
    fn wants_tty(&self) -> bool {
        let ssh = [
            "ssh",
            "smart",
            "paramiko",
            "paramiko_ssh",
            "ssh2",
            "openssh",
        ];
        let bare = self.target.connection.rsplit('.').next();
        bare.is_some_and(|name| ssh.contains(&name)) && self.target.ssh.use_tty
    }
    fn hurry(&mut self, patience: Duration) {
        self.reset();
        self.patience = Some(patience);
    }
    fn reset(&mut self) {
        self.open = None;
        self.pool.reset(&self.target.host);
    }
    fn becomes(&self) -> bool {
        self.target.become_.is_some()
    }
    fn is_local_connection(&self) -> bool {
        self.target.connection == "local"
    }
    fn is_local(&self) -> bool {
        self.target.connection == "local" && self.target.become_.is_none()
    }
}

impl Drop for LazySession<'_> {
    fn drop(&mut self) {
        if let (Some(session), None) = (self.open.take(), self.patience) {
            let base = self.base.clone();
            self.pool.idle().entry(base).or_default().push(session);
        }
    }
}
