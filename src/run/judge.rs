//! When a result counts as changed or failed, and when a task is tried again.

use super::executor::{Once, Progress, TaskRun};
use super::values::{holds, number_of, text_of};
use crate::connection::Target;
use crate::error::Kind;
use crate::playbook::Condition;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

impl TaskRun<'_> {
    /// The module's result, repeated until `until` holds.
    pub(super) fn retried(
        &self,
        templar: &Templar,
        files: &Arc<SearchPath>,
        args: &Map,
        environment: &[(String, String)],
        target: &Target,
        once: &Once,
    ) -> Result<TaskResult> {
        let directives = &self.task.directives;
        let until = directives.get("until").map(crate::playbook::conditions);
        let number = |name: &str, default: f64| -> Result<f64> {
            match directives.get(name) {
                None => Ok(default),
                Some(node) => {
                    let value = templar
                        .render(&node.to_value())
                        .map_err(|e| e.at(&node.at))?;
                    number_of(&value).ok_or_else(|| {
                        Error::new(
                            Kind::Template,
                            format!("the field '{name}' has an invalid value ({}), and could not be converted to a number", text_of(&value)),
                        )
                        .at(&node.at)
                    })
                }
            }
        };
        let wants_retry = until.is_some() || directives.get("retries").is_some();
        let attempts = match wants_retry {
            true => (number("retries", 3.0)? as i64).max(0) as u32 + 1,
            false => 1,
        };
        let delay = Duration::from_secs_f64(number("delay", 5.0)?.max(0.0));
        let mut attempt = 1;
        let timeout = self.timeout(templar)?;
        loop {
            let call = || self.call(templar, files, args.clone(), environment, target, once.mode);
            let mut result = match timeout {
                None => call(),
                Some(timeout) => match self.in_time(timeout, call) {
                    Ok(result) => result,
                    Err(late) => return Ok(*late),
                },
            };
            if result.is_unreachable() {
                let msg = result.get("msg").map(text_of).unwrap_or_default();
                if !msg.starts_with("Task failed") {
                    result.set("msg", format!("Task failed: {msg}"));
                }
                return Ok(result);
            }
            if wants_retry {
                result.set("attempts", i64::from(attempt));
            }
            self.judge(&mut result, templar)?;
            if attempts == 1 {
                if wants_retry
                    && let Some(until) = &until
                    && !self.all_hold(until, &result, templar)?
                {
                    result.set("failed", true);
                }
                return Ok(result);
            }
            let done = match &until {
                Some(until) => self.all_hold(until, &result, templar)?,
                None => !result.is_failed(),
            };
            if done {
                return Ok(result);
            }
            if attempt == attempts {
                result.set("attempts", i64::from(attempts - 1));
                if !result.is_failed() {
                    self.blame_action(&mut result);
                }
                result.set("failed", true);
                return Ok(result);
            }
            let left = attempts - attempt;
            let mut shown = result.clone();
            shown.set("retries", i64::from(attempts));
            (self.progress)(Progress::Retry {
                result: shown,
                left,
                attempts: attempt,
                delegated: once.delegated.clone(),
                no_log: self.hides(templar),
            });
            std::thread::sleep(delay);
            attempt += 1;
        }
    }

    /// A templar that sees this result under the task's `register` name.
    pub(super) fn with_result(&self, result: &TaskResult, templar: &Templar) -> Templar {
        let mut vars = Map::default();
        if let Some(Value::Map(facts)) = result.get("ansible_facts") {
            vars.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        let register = self
            .task
            .directives
            .get("register")
            .and_then(|n| n.as_str());
        if let Some(name) = register {
            vars.insert(Key::from(name), result.to_value());
        }
        templar.with(vars)
    }

    pub(super) fn all_hold(
        &self,
        conditions: &[Condition],
        result: &TaskResult,
        templar: &Templar,
    ) -> Result<bool> {
        let here = self.with_result(result, templar);
        for condition in conditions {
            if !holds(condition, &here)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies `changed_when` and `failed_when`.
    pub(super) fn judge(&self, result: &mut TaskResult, templar: &Templar) -> Result<()> {
        if !result.fields.contains_key("failed") {
            // a module that reports a return code other than zero has failed
            let bad = matches!(result.get("rc"), Some(Value::Int(rc)) if *rc != 0);
            if bad || !result.is_skipped() {
                result.set("failed", bad);
            }
        }
        if !result.fields.contains_key("changed") {
            result.set("changed", false);
        }
        let directives = &self.task.directives;
        if result.is_skipped() {
            return Ok(());
        }
        if let Some(node) = directives.get("changed_when") {
            let list = crate::playbook::conditions(node);
            if !list.is_empty() {
                match self.all_hold(&list, result, templar) {
                    Ok(changed) => result.set("changed", changed),
                    Err(e) => {
                        result.set("failed", true);
                        result.set("changed_when_result", e.message());
                        self.blame_action(result);
                    }
                }
            }
        }
        if let Some(node) = directives.get("failed_when") {
            let list = crate::playbook::conditions(node);
            if !list.is_empty() {
                match self.all_hold(&list, result, templar) {
                    Ok(failed) => {
                        result.set("failed_when_result", failed);
                        if !failed && result.is_failed() {
                            // these two say that they failed; others raise an exception
                            if !matches!(self.task.action.bare.as_str(), "assert" | "fail") {
                                result.set(
                                    "failed_when_suppressed_exception",
                                    "(traceback unavailable)",
                                );
                            }
                            result.error = None;
                        }
                        if failed && !result.is_failed() {
                            self.blame_action(result);
                        }
                        result.set("failed", failed);
                    }
                    Err(e) => {
                        result.set("failed", true);
                        result.set("failed_when_result", e.message());
                        self.blame_action(result);
                    }
                }
            }
        }
        Ok(())
    }

    /// For a result that is a failure by the task's own words, not by what the module said.
    pub(super) fn blame_action(&self, result: &mut TaskResult) {
        let words = match result.get("msg").map(text_of) {
            Some(msg) if msg.is_empty() => "Task failed: Action failed.".to_string(),
            Some(msg) => format!("Task failed: Action failed: {msg}"),
            None => {
                let words = "Task failed: Action failed: Unknown error.".to_string();
                result.set("msg", words.as_str());
                words
            }
        };
        result.error = Some(Error::general(words).at(&self.task.at));
    }
}
