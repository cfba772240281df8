//! `async` and `poll`: tasks that run on while nobody waits, or that are asked how they stand.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_async.html>.

use super::executor::{Progress, TaskRun};
use super::values::{keyword_error, number_of, text_of};
use crate::actions;
use crate::connection::{Background, Request, Session, Target};
use crate::error::Kind;
use crate::machine::Mode;
use crate::modules;
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::{Error, Result};
use std::time::Duration;

/// What a job says of why it failed, where that is more than its `msg`.
const WORDS: &str = "_ansible_words";

/// How a task is to run in the background.
pub(super) struct Async {
    seconds: u64,
    /// Seconds between two questions; without it nobody asks.
    poll: Option<u64>,
}

/// The folder of the jobs' files, as `ansible_async_dir` or the environment says.
pub(crate) fn folder(templar: &Templar, environment: &[(String, String)]) -> String {
    let named = templar.get("ansible_async_dir").ok().flatten();
    let set = |name: &str| environment.iter().rev().find(|(k, _)| k == name);
    named
        .map(|v| text_of(&v))
        .or_else(|| set("ANSIBLE_ASYNC_DIR").map(|(_, v)| v.clone()))
        .or_else(|| std::env::var("ANSIBLE_ASYNC_DIR").ok())
        .unwrap_or_else(|| "~/.ansible_async".to_string())
}

impl TaskRun<'_> {
    /// What `async` and `poll` say; none if the task is to be waited for as all others are.
    pub(super) fn background(&self, templar: &Templar) -> Result<Option<Async>> {
        let number = |name: &str, field: &str| -> Result<Option<i64>> {
            let Some(node) = self.task.directives.get(name) else {
                return Ok(None);
            };
            let value = templar.render(&node.to_value());
            let value = value.map_err(|e| keyword_error(e, field))?;
            match number_of(&value) {
                Some(number) => Ok(Some(number as i64)),
                None if value.is_null() => Ok(None),
                None => {
                    let words = format!(
                        "The value '{}' could not be converted to 'int'.",
                        text_of(&value)
                    );
                    let what = format!("Error processing keyword '{field}'");
                    let error = Error::new(Kind::Template, words).at(&node.at);
                    Err(error.within(what, Some(&node.at)))
                }
            }
        };
        let Some(seconds) = number("async", "async_val")?.filter(|s| *s != 0) else {
            return Ok(None);
        };
        let poll = match number("poll", "poll")? {
            Some(poll) => poll,
            None => i64::from(self.world.run.poll_interval),
        };
        Ok(Some(Async {
            seconds: seconds.max(0).unsigned_abs(),
            poll: (poll > 0).then_some(poll.unsigned_abs()),
        }))
    }

    /// Starts the task's module as a job, and waits for it if it is to be polled.
    pub(super) fn in_background(
        &self,
        job: &Async,
        templar: &Templar,
        args: Map,
        environment: &[(String, String)],
        target: &Target,
        mode: Mode,
    ) -> TaskResult {
        let name = &self.task.action.bare;
        // these only hand their arguments on
        let plain = actions::find(name).is_none()
            || matches!(name.as_str(), "command" | "package" | "service");
        if !plain || modules::find(name).is_none() {
            return actions::refused("", &format!("This action ({name}) does not support async."));
        }
        let dir = folder(templar, environment);
        let mut session = self.sessions.lazy(target);
        let started = session.call(Request {
            module: self.task.action.name.clone(),
            args,
            mode,
            environment: environment.to_vec(),
            background: Some(Background {
                job: new_name(),
                seconds: job.seconds,
                dir: dir.clone(),
            }),
            ..Default::default()
        });
        let started = match started {
            Ok(started) => started,
            Err(e) => return e.result(),
        };
        let id = started.get("ansible_job_id").map(text_of);
        let (Some(poll), Some(id)) = (job.poll, id) else {
            return started;
        };
        let mut watch = Watch {
            run: self,
            session: &mut session,
            environment,
            dir,
            id,
            hidden: self.hides(templar),
        };
        let mut result = watch.wait(job.seconds, poll);
        if let Some(words) = result.fields.shift_remove(WORDS) {
            result.error = Some(Error::of_words(&text_of(&words)));
        }
        result
    }
}

/// Ansible's: `j` and twelve digits, to which the process's number is added.
fn new_name() -> String {
    let digits: String = crate::secret::random_name()
        .bytes()
        .take(12)
        .map(|b| char::from(b'0' + b % 10))
        .collect();
    format!("j{digits}")
}

/// A job that is waited for.
struct Watch<'a> {
    run: &'a TaskRun<'a>,
    session: &'a mut dyn Session,
    environment: &'a [(String, String)],
    dir: String,
    id: String,
    /// Nothing is said of a result under `no_log`, so its job has no name.
    hidden: bool,
}

impl Watch<'_> {
    fn wait(&mut self, seconds: u64, poll: u64) -> TaskResult {
        let mut left = seconds as i64;
        let mut last = None;
        while left > 0 {
            std::thread::sleep(Duration::from_secs(poll));
            left -= poll as i64;
            // a connection that is lost is no reason to give up: the job runs on
            let Some(status) = self.ask("status") else {
                self.session.reset();
                continue;
            };
            let over = status.get("finished").is_some_and(Value::is_truthy);
            if over || status.is_failed() {
                self.tell(match status.is_failed() {
                    true => Told::Failed,
                    false => Told::Ok,
                });
                self.ask("cleanup");
                return status;
            }
            self.tell(Told::Poll {
                started: status.get("started").is_some_and(Value::is_truthy),
                finished: over,
            });
            last = Some(status);
        }
        self.tell(Told::Failed);
        let msg = format!("async task did not complete within the requested time - {seconds}s");
        let mut late = match last {
            Some(mut status) => {
                status.fields.retain(|k, _| {
                    !matches!(k.as_str(), Some("invocation" | "changed" | "failed"))
                });
                actions::refused("Action failed: ", &msg).with("async_result", status.to_value())
            }
            None => TaskResult::unreachable("the host could not be asked for the task's job"),
        };
        late.set("changed", false);
        late
    }

    fn ask(&mut self, mode: &str) -> Option<TaskResult> {
        let args = modules::args::map([
            ("jid", self.id.as_str().into()),
            ("mode", mode.into()),
            ("_async_dir", self.dir.as_str().into()),
        ]);
        let request = Request {
            module: "async_status".to_string(),
            args,
            environment: self.environment.to_vec(),
            ..Default::default()
        };
        self.session.call(request).ok()
    }

    fn tell(&self, told: Told) {
        (self.run.progress)(Progress::Async {
            job: match (self.hidden, told) {
                (true, Told::Ok | Told::Failed) => "None".to_string(),
                _ => self.id.clone(),
            },
            told,
        });
    }
}

/// What is said of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Poll { started: bool, finished: bool },
    Ok,
    Failed,
}
