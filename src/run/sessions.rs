//! Connections to hosts, opened when first needed and kept for the run.

use super::executor::TaskRun;
use super::values::{text_of, truth};
use crate::Result;
use crate::connection::{self, Request, Session, Unreachable};
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Which host to reach, how, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub host: String,
    /// `local`, `ssh`, ...
    pub connection: String,
    /// The user to become, if any.
    pub become_user: Option<String>,
}

impl Target {
    /// Where a task's module runs.
    pub fn resolve(
        run: &TaskRun<'_>,
        templar: &Templar,
        delegated: Option<&str>,
    ) -> Result<Target> {
        let resolved = run.task.resolved();
        let host = delegated.unwrap_or(run.host).to_string();
        let keyword = match &resolved.connection {
            Some(v) => Some(templar.render_str(v)?),
            None => None,
        };
        let variable = |name: &str| -> Result<Option<Value>> {
            match delegated {
                None => templar.get(name),
                Some(other) => {
                    use crate::value::Dynamic;
                    let vars = crate::vars::HostVars {
                        world: run.world.clone(),
                        asked_by: run.host.into(),
                    };
                    match vars.get(other)? {
                        Some(Value::Dynamic(d)) => d.get(name),
                        _ => Ok(None),
                    }
                }
            }
        };
        let connection = match variable("ansible_connection")? {
            Some(v) => text_of(&v),
            None => match keyword {
                Some(k) if delegated.is_none() => k,
                _ => {
                    let implicit = crate::inventory::LOCALHOST.contains(&host.as_str())
                        && run.world.inventory().host(&host).is_none_or(|h| h.implicit);
                    match implicit {
                        true => "local".into(),
                        false => run
                            .world
                            .run
                            .connection
                            .clone()
                            .unwrap_or_else(|| "ssh".into()),
                    }
                }
            },
        };
        let wanted = match variable("ansible_become")? {
            Some(v) => crate::playbook::boolean(&v).unwrap_or(false),
            None => match &resolved.become_ {
                Some(v) => {
                    truth(v, templar).map_err(|e| e.context("Error processing keyword 'become'"))?
                }
                None => run.world.run.become_,
            },
        };
        let become_user = match wanted {
            false => None,
            true => Some(match variable("ansible_become_user")? {
                Some(v) => text_of(&v),
                None => match &resolved.become_user {
                    Some(v) => templar.render_str(v)?,
                    None => run.world.run.become_user.clone(),
                },
            }),
        };
        Ok(Target {
            host,
            connection,
            become_user,
        })
    }
}

/// Open sessions that no task is using.
#[derive(Default)]
pub struct SessionPool {
    idle: Mutex<HashMap<Target, Vec<Box<dyn Session>>>>,
}

impl SessionPool {
    /// A session that is opened by its first use and goes back to the pool when dropped.
    pub fn lazy<'a>(&'a self, target: &'a Target) -> LazySession<'a> {
        LazySession {
            pool: self,
            target,
            open: None,
        }
    }

    /// Closes the idle sessions to a host (`meta: reset_connection`).
    pub fn reset(&self, host: &str) {
        self.idle
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .retain(|target, _| target.host != host);
    }

    fn take(&self, target: &Target) -> Option<Box<dyn Session>> {
        self.idle
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .get_mut(target)
            .and_then(Vec::pop)
    }

    fn put(&self, target: &Target, session: Box<dyn Session>) {
        self.idle
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .entry(target.clone())
            .or_default()
            .push(session);
    }
}

/// See [`SessionPool::lazy`].
pub struct LazySession<'a> {
    pool: &'a SessionPool,
    target: &'a Target,
    open: Option<Box<dyn Session>>,
}

impl LazySession<'_> {
    fn session(&mut self) -> Result<&mut Box<dyn Session>, Unreachable> {
        if self.open.is_none() {
            let session = match self.pool.take(self.target) {
                Some(session) => session,
                None => connection::open(self.target)?,
            };
            self.open = Some(session);
        }
        self.open.as_mut().ok_or_else(|| Unreachable {
            msg: "the session is closed".into(),
        })
    }

    /// Gives up a session that has failed.
    fn drop_broken<T>(&mut self, result: Result<T, Unreachable>) -> Result<T, Unreachable> {
        if result.is_err() {
            self.open = None;
        }
        result
    }
}

impl Session for LazySession<'_> {
    fn call(&mut self, request: Request) -> Result<TaskResult, Unreachable> {
        let result = self.session()?.call(request);
        self.drop_broken(result)
    }
    fn upload(&mut self, local: &Path) -> Result<PathBuf, Unreachable> {
        let result = self.session()?.upload(local);
        self.drop_broken(result)
    }
    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Unreachable> {
        let result = self.session()?.download(remote, local);
        self.drop_broken(result)
    }
    fn is_local(&self) -> bool {
        self.target.connection == "local"
    }
}

impl Drop for LazySession<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.open.take() {
            self.pool.put(self.target, session);
        }
    }
}
