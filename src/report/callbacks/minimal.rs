//! The callback `minimal`: each host's result, without headers and recap. Ad-hoc commands report with it.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/minimal_callback.html>

use super::by_host::ByHost;
use super::command;
use crate::report::output::{Layout, Output, hides};
use crate::report::screen::{Screen, Stream};
use crate::report::settings::Settings;
use crate::report::{Cause, TaskInfo};
use crate::result::TaskResult;
use crate::value::Value;

/// Prints results as the callback `minimal` does.
pub struct Minimal {
    out: Output,
}

impl Minimal {
    pub fn new(screen: Screen, settings: Settings) -> Minimal {
        Minimal {
            out: Output::new(screen, settings),
        }
    }

    /// Why it failed; of a loop nothing but the summary is told.
    fn explain(&mut self, task: &TaskInfo, result: &TaskResult, causes: &[Cause], loops: bool) {
        self.out.notices(task, result);
        if !loops || result.get("reason").is_some() {
            self.out.explain(Stream::Out, task, result, causes);
        }
    }

    /// Differences, of each item of a loop; unlike `default` also those that changed nothing.
    fn diff(&self, task: &TaskInfo, result: &TaskResult, loops: bool) {
        if !task.diff || hides(task, result) {
            return;
        }
        let items = match (loops, result.get("results")) {
            (true, Some(Value::List(items))) => items.iter().map(|i| i.get("diff")).collect(),
            _ => vec![result.get("diff")],
        };
        for differences in items.into_iter().flatten().filter(|d| d.is_truthy()) {
            let text = self.out.diff(differences);
            self.out.screen.print(Stream::Out, &text, None);
        }
    }
}

impl ByHost for Minimal {
    fn out(&self) -> &Output {
        &self.out
    }

    fn result(&mut self, task: &TaskInfo, host: &str, result: &TaskResult, causes: &[Cause]) {
        let palette = self.out.settings.palette.clone();
        let loops = task.looped && result.get("results").is_some();
        if result.is_unreachable() {
            self.explain(task, result, causes, loops);
            let text = self.out.dump(task, result, Layout::Lines, false);
            let text = format!("{host} | UNREACHABLE! => {text}");
            self.out.say(&text, &palette.unreachable);
        } else if result.counts_as_failed() {
            self.explain(task, result, causes, loops);
            let text = match command::is_shown_as_text(task, result) {
                true => as_text(task, host, result, "FAILED"),
                false => {
                    let text = self.out.dump(task, result, Layout::Lines, false);
                    format!("{host} | FAILED! => {text}")
                }
            };
            self.out.say(&text, &palette.error);
        } else if result.is_skipped() {
            self.out.say(&format!("{host} | SKIPPED"), &palette.skip);
        } else {
            self.diff(task, result, loops);
            self.out.notices(task, result);
            // `failed_when` has it that this is no failure, and `until` that it is one
            if !causes.is_empty() && !loops {
                self.out.explain(Stream::Out, task, result, causes);
            }
            let (word, colour) = match result.is_changed() {
                true => ("CHANGED", &palette.changed),
                false => ("SUCCESS", &palette.ok),
            };
            let text = match command::is_shown_as_text(task, result) {
                true => as_text(task, host, result, word),
                false => {
                    let text = self.out.dump(task, result, Layout::Lines, true);
                    format!("{host} | {word} => {text}")
                }
            };
            self.out.say(&text, colour);
        }
    }
}

/// The output of a command: standard output, standard error and the message, one behind the other.
fn as_text(task: &TaskInfo, host: &str, result: &TaskResult, word: &str) -> String {
    let [stdout, stderr, msg] =
        ["stdout", "stderr", "msg"].map(|key| command::text(task, result, key));
    let rc = command::code(task, result);
    format!("{host} | {word} | rc={rc} >>\n{stdout}{stderr}{msg}\n")
}
