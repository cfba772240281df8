//! The keyword `timeout`: a task that takes longer is stopped, and has failed.
//!
//! See <https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html>.

use super::executor::TaskRun;
use super::values::{keyword_error, text_of, whole_number};
use crate::actions;
use crate::deadline;
use crate::error::Kind;
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// The longest that a task may be given.
const LONGEST: i64 = 100_000_000;

impl TaskRun<'_> {
    /// How many seconds the task may take; none if it is not limited.
    pub(super) fn timeout(&self, templar: &Templar) -> Result<Option<u64>> {
        let seconds = match &self.task.resolved().timeout {
            None => i64::from(self.world.run.task_timeout),
            Some(value) => {
                let at = self.task.keyword("timeout").map(|n| &n.at);
                let value = templar
                    .render(value)
                    .map_err(|e| keyword_error(e, "timeout"))?;
                whole_number(&value).map_err(|_| {
                    let text = text_of(&value);
                    let words = format!("The value '{text}' could not be converted to 'int'.");
                    let error = Error::new(Kind::Template, words).at_opt(at).apart();
                    error.within("Error processing keyword 'timeout'", at)
                })?
            }
        };
        if !(0..=LONGEST).contains(&seconds) {
            let words =
                format!("Timeout {seconds} is invalid, it must be between 0 and {LONGEST}.");
            return Err(Error::general(words).at(&self.task.at));
        }
        Ok((seconds > 0).then_some(seconds.unsigned_abs()))
    }

    /// What `call` gives within that many seconds, or the failure that it took longer.
    pub(super) fn in_time(
        &self,
        seconds: u64,
        call: impl FnOnce() -> TaskResult,
    ) -> std::result::Result<TaskResult, Box<TaskResult>> {
        let end = Instant::now() + Duration::from_secs(seconds);
        let result = deadline::until(Some(end), call);
        // what has given up has failed in one way or another, or says that all is well before its time
        let late = Instant::now() >= end;
        let gave_up = result.is_failed() || result.is_unreachable() || self.only_waits();
        match late && gave_up {
            false => Ok(result),
            true => Err(Box::new(self.timed_out(seconds))),
        }
    }

    /// Whether the action is over when it has waited: it cannot tell that the deadline has cut it short.
    fn only_waits(&self) -> bool {
        self.task.action.bare == "pause"
    }

    fn timed_out(&self, seconds: u64) -> TaskResult {
        let words = format!("Timed out after {seconds} second(s).");
        let error = match actions::is_on_controller(&self.task.action.bare) {
            true => Error::general(words).apart(),
            false => Error::general(words).at(&self.task.at),
        };
        let mut result = self.failure(error);
        let mut told = Map::default();
        let frame = "Configure `DISPLAY_TRACEBACK` to see a traceback on timeout errors.";
        told.insert("frame".into(), Value::str(frame));
        told.insert("period".into(), Value::Int(seconds as i64));
        result.set("timedout", Value::map(told));
        result
    }
}
