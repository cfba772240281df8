//! The callback `oneline`: a line for each host's result.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/oneline_callback.html>

use super::by_host::ByHost;
use super::command;
use crate::report::output::{Layout, Output};
use crate::report::screen::Screen;
use crate::report::settings::Settings;
use crate::report::{Cause, TaskInfo};
use crate::result::TaskResult;

/// Prints results as the callback `oneline` does.
pub struct Oneline {
    out: Output,
}

impl Oneline {
    /// Warns that ansible-core is going to drop it.
    pub fn new(screen: Screen, settings: Settings) -> Oneline {
        super::deprecated("oneline");
        // results are JSON here, whatever is set
        let settings = Settings {
            yaml: false,
            pretty_results: None,
            ..settings
        };
        Oneline {
            out: Output::new(screen, settings),
        }
    }

    /// What there is to see of a failure's traceback: there is none.
    fn exception(&self) -> String {
        const NONE: &str = "(traceback unavailable)";
        const WHAT: &str = "An exception occurred during task execution.";
        match self.out.settings.verbosity < 3 {
            true => format!("{WHAT} To see the full traceback, use -vvv. The error was: {NONE}"),
            false => format!("{WHAT} The full traceback is:\n{NONE}"),
        }
    }

    /// JSON of several lines, without the line breaks.
    fn dump(&self, task: &TaskInfo, result: &TaskResult) -> String {
        let text = self.out.dump(task, result, Layout::Unindented, false);
        text.replace('\n', "")
    }
}

impl ByHost for Oneline {
    fn out(&self) -> &Output {
        &self.out
    }

    fn result(&mut self, task: &TaskInfo, host: &str, result: &TaskResult, causes: &[Cause]) {
        let palette = self.out.settings.palette.clone();
        let is_command = command::is_shown_as_text(task, result);
        if result.is_unreachable() {
            let msg = command::text(task, result, "msg");
            let text = format!("{host} | UNREACHABLE!: {msg}");
            self.out.say(&text, &palette.unreachable);
        } else if result.counts_as_failed() {
            let loops = task.looped && result.get("results").is_some();
            if !self.out.reason(result, causes) && !loops {
                let text = match is_command {
                    true => as_text(task, host, result, "FAILED"),
                    false => self.exception(),
                };
                self.out.say(&text, &palette.error);
            }
            let text = format!("{host} | FAILED! => {}", self.dump(task, result));
            self.out.say(&text, &palette.error);
        } else if result.is_skipped() {
            self.out.say(&format!("{host} | SKIPPED"), &palette.skip);
        } else {
            let (word, colour) = match result.is_changed() {
                true => ("CHANGED", &palette.changed),
                false => ("SUCCESS", &palette.ok),
            };
            let text = match is_command {
                true => as_text(task, host, result, word),
                false => format!("{host} | {word} => {}", self.dump(task, result)),
            };
            self.out.say(&text, colour);
        }
    }
}

fn as_text(task: &TaskInfo, host: &str, result: &TaskResult, word: &str) -> String {
    let [stdout, stderr] = ["stdout", "stderr"].map(|key| {
        command::text(task, result, key)
            .replace('\n', "\\n")
            .replace('\r', "\\r")
    });
    let rc = command::code(task, result);
    let stderr = match stderr.is_empty() {
        true => stderr,
        false => format!(" (stderr) {stderr}"),
    };
    format!("{host} | {word} | rc={rc} | (stdout) {stdout}{stderr}")
}
