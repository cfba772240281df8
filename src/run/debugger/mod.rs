//! The task debugger: what comes where a task's `debugger`, or the configuration, asks for it.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_debugger.html>.

mod edits;
mod pprint;
mod prompt;
mod statement;

pub use edits::Edits;

use super::Runner;
use super::executor::{Outcome, TaskRun};
use super::parallel::progress_event;
use super::play::Batch;
use super::values::{keyword_error, text_of};
use crate::error::Kind;
use crate::playbook::Task;
use crate::report::TaskInfo;
use crate::template::Templar;
use crate::{Error, Result};
use prompt::{Next, Prompt};
use std::sync::Arc;

/// The values of the keyword `debugger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebuggerWhen {
    Always,
    Never,
    OnFailed,
    OnUnreachable,
    OnSkipped,
}

impl DebuggerWhen {
    fn named(name: &str) -> Option<DebuggerWhen> {
        Some(match name {
            "always" => DebuggerWhen::Always,
            "never" => DebuggerWhen::Never,
            "on_failed" => DebuggerWhen::OnFailed,
            "on_unreachable" => DebuggerWhen::OnUnreachable,
            "on_skipped" => DebuggerWhen::OnSkipped,
            _ => return None,
        })
    }
}

/// Whether the debugger comes. `everywhere`: for what goes wrong in tasks that do not say.
fn comes(outcome: &Outcome, everywhere: bool, leaves_ignored: bool) -> bool {
    let result = &outcome.result;
    let failed = result.counts_as_failed()
        && !result.is_unreachable()
        && !(leaves_ignored && outcome.ignore_errors);
    let wrong = everywhere && (failed || result.is_unreachable());
    match outcome.debugger {
        None => wrong,
        Some(DebuggerWhen::Always) => true,
        Some(DebuggerWhen::Never) => false,
        Some(DebuggerWhen::OnFailed) => wrong || failed,
        Some(DebuggerWhen::OnUnreachable) => wrong || result.is_unreachable(),
        Some(DebuggerWhen::OnSkipped) => wrong || result.is_skipped(),
    }
}

impl TaskRun<'_> {
    /// What the task's `debugger` says.
    pub(super) fn debugger_when(&self, templar: &Templar) -> Result<Option<DebuggerWhen>> {
        let Some(value) = &self.task.resolved().debugger else {
            return Ok(None);
        };
        let at = self.task.keyword("debugger").map(|n| &n.at);
        let value = templar
            .render(value)
            .map_err(|e| keyword_error(e, "debugger"))?;
        let name = text_of(&value);
        DebuggerWhen::named(&name).map(Some).ok_or_else(|| {
            let words = format!(
                "'{name}' is not a valid value for debugger. Must be one of never, on_failed, on_unreachable, on_skipped, always"
            );
            let error = Error::new(Kind::Template, words).at(&self.task.at);
            error.within("Error processing keyword 'debugger'", at)
        })
    }
}

impl Runner<'_> {
    /// The outcome, or that of the last run that the user has asked for in the debugger.
    pub(super) fn debugged(
        &mut self,
        batch: &Batch<'_>,
        task: &Arc<Task>,
        info: &TaskInfo,
        host: &str,
        mut outcome: Outcome,
    ) -> Outcome {
        let leaves_ignored = self.config.task_debugger_ignore_errors;
        let mut prompt: Option<Prompt> = None;
        while self.broken.is_none() && comes(&outcome, batch.debugger, leaves_ignored) {
            let prompt = prompt.get_or_insert_with(|| Prompt::new(&info.name, host));
            let next = {
                let world = Arc::clone(&self.world);
                let sessions = Arc::clone(&self.sessions);
                let run = TaskRun {
                    world: &world,
                    task,
                    host,
                    sessions: &sessions,
                    mode: self.mode(),
                    verbosity: self.options.verbosity,
                    live: None,
                    progress: &|_| {},
                    edits: None,
                };
                prompt.ask(&run, &outcome.result)
            };
            match next {
                Next::Continue => break,
                Next::Quit => {
                    println!("User interrupted execution");
                    self.broken = Some(Error::new(Kind::Interrupted, ""));
                    break;
                }
                Next::Redo => {
                    self.count_again(host, &outcome);
                    let task = prompt.task(task);
                    outcome = self.again(&task, info, host, &prompt.edits());
                    self.report(batch, &task, info, host, &outcome);
                }
            }
        }
        outcome
    }

    /// As ansible-playbook counts: what is run again takes from the `ok` of the host, even where it was not counted.
    fn count_again(&mut self, host: &str, outcome: &Outcome) {
        let result = &outcome.result;
        let failed = result.counts_as_failed() && !outcome.ignore_errors;
        if failed || result.is_unreachable() || result.is_skipped() {
            let stats = self.stats.entry(host.to_string()).or_default();
            stats.ok = stats.ok.saturating_sub(1);
        }
    }

    /// Runs a task once more, here and now.
    fn again(
        &mut self,
        task: &Arc<Task>,
        info: &TaskInfo,
        host: &str,
        edits: &Arc<Edits>,
    ) -> Outcome {
        let world = Arc::clone(&self.world);
        let sessions = Arc::clone(&self.sessions);
        let (mode, verbosity) = (self.mode(), self.options.verbosity);
        let live = self.reporter.live();
        let reporter = std::cell::RefCell::new(&mut self.reporter);
        let progress = |progress| {
            let event = progress_event(info, host, progress);
            reporter.borrow_mut().event(&event);
        };
        TaskRun {
            world: &world,
            task,
            host,
            sessions: &sessions,
            mode,
            verbosity,
            live: live.as_ref(),
            progress: &progress,
            edits: Some(edits),
        }
        .run()
    }
}
