//! What the callbacks that print have in common: results as text, the warnings and the reasons that come with
//! them, differences.

use super::colour::Colour;
use super::screen::{Screen, Stream};
use super::settings::Settings;
use super::{Cause, Delegate, Event, TaskInfo, diff, failure, json, log, yaml};
use crate::error::Kind;
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};
use std::collections::HashSet;

/// The screen, what is to be seen on it, and what was said already.
pub struct Output {
    pub screen: Screen,
    pub settings: Settings,
    /// Error texts that were printed; each is printed once.
    errors: HashSet<String>,
}

/// How a result becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One line, unless the settings say otherwise.
    Line,
    /// One entry a line, unless the settings say otherwise.
    Lines,
    /// One entry a line, without blanks in front.
    Unindented,
}

/// What stands for a result that `no_log` hides.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
/// Keys of a result that are shown in another way, or not at all.
const HIDDEN: &[&str] = &["failed", "skipped", "warnings", "deprecations", "exception"];
/// Keys of a result that a `debug` task keeps beside its `msg`.
const DEBUG_KEPT: &[&str] = &["msg", "exception", "warnings", "deprecations"];
/// Keys of a result that a `debug: var=` task does not show.
const DEBUG_HIDDEN: &[&str] = &["failed", "changed", "skip_reason"];

impl Output {
    pub fn new(screen: Screen, settings: Settings) -> Output {
        Output {
            screen,
            settings,
            errors: HashSet::new(),
        }
    }

    pub fn say(&self, text: &str, colour: &Colour) {
        self.screen.print(Stream::Out, text, Some(colour));
    }

    /// A result as text, without what is not for the user's eyes.
    ///
    /// `tidy`: of what `debug` gives only what was asked for is left.
    pub fn dump(&self, task: &TaskInfo, result: &TaskResult, layout: Layout, tidy: bool) -> String {
        let layout = match result.flag("_ansible_verbose_always") && !hides(task, result) {
            true => Layout::Lines,
            false => layout,
        };
        self.text(self.shown(task, result, tidy), layout)
    }

    /// The text of a result, in the format of the settings.
    pub fn text(&self, map: Map, layout: Layout) -> String {
        if self.settings.yaml {
            let pretty = self.settings.pretty_results.unwrap_or(true);
            return format!("\n{}", yaml::dump(map, pretty));
        }
        let layout = match self.settings.pretty_results {
            Some(true) => Layout::Lines,
            Some(false) => Layout::Line,
            None if self.settings.verbosity > 2 => Layout::Lines,
            None => layout,
        };
        let indent = match layout {
            Layout::Line => None,
            Layout::Lines => Some(4),
            Layout::Unindented => Some(0),
        };
        json::dumps(&Value::map(map), indent)
    }

    /// What is shown of a result.
    pub fn shown(&self, task: &TaskInfo, result: &TaskResult, tidy: bool) -> Map {
        let debug = tidy && is_debug(&task.action);
        if hides(task, result) {
            return shown_hidden(result, debug);
        }
        let mut map = without_internals(&result.fields);
        for key in HIDDEN {
            map.shift_remove(*key);
        }
        if self.settings.verbosity < 3 {
            map.shift_remove("invocation");
            map.shift_remove("diff");
        }
        if debug {
            if map.contains_key("msg") {
                map.retain(|k, _| k.as_str().is_some_and(|k| DEBUG_KEPT.contains(&k)));
            } else {
                map.retain(|k, _| !k.as_str().is_some_and(|k| DEBUG_HIDDEN.contains(&k)));
            }
            map.shift_remove("ansible_loop_var");
            map.shift_remove("ansible_index_var");
        }
        map
    }

    /// Warnings that came with a result.
    pub fn notices(&self, task: &TaskInfo, result: &TaskResult) {
        if hides(task, result) {
            return;
        }
        let texts = |key: &str| -> Vec<String> {
            let Some(Value::List(items)) = result.get(key) else {
                return Vec::new();
            };
            let text = |v: &Value| v.get("msg").unwrap_or(v).as_str().map(str::to_string);
            items.iter().filter_map(text).collect()
        };
        texts("warnings")
            .into_iter()
            .for_each(crate::notice::warning);
        texts("deprecations")
            .into_iter()
            .for_each(crate::notice::deprecated);
    }

    /// What the strategy says at `-vv`, whichever callback there is.
    pub fn progress(&self, event: &Event) {
        let shown = self.settings.verbosity >= 2;
        if !shown && log::verbosity() < 2 {
            return;
        }
        let text = match event {
            Event::PlaybookStart { file, plays } => format!("{plays} plays in {file}"),
            Event::NotificationSaved { handler } => {
                format!("Notification for handler {handler} has been saved.")
            }
            Event::Meta { message } => format!("META: {message}"),
            _ => return,
        };
        match shown {
            true => self.say(&text, &self.settings.palette.verbose),
            false => log::add(&text),
        }
    }

    /// The `[ERROR]` block of a failure; each text once.
    pub fn explain(
        &mut self,
        stream: Stream,
        task: &TaskInfo,
        result: &TaskResult,
        causes: &[Cause],
    ) {
        if self.reason(result, causes) {
            return;
        }
        let at = task.at.clone().filter(|_| !task.implicit);
        let msg = match result.get("msg") {
            Some(value) => crate::python::str(value),
            None => "Unknown error.".to_string(),
        };
        let who = if task.on_controller {
            "Action"
        } else {
            "Module"
        };
        let text = if hides(task, result) && msg != "non-zero return code" {
            // Ansible prints the message here even so
            let message = "Task failed: the message is hidden by 'no_log: true'".to_string();
            failure::render(
                &[Cause {
                    message,
                    at: at.clone(),
                    help: None,
                    apart: false,
                }],
                at.as_ref(),
            )
        } else if !causes.is_empty() {
            failure::render(causes, at.as_ref())
        } else {
            let message = if msg.starts_with("Task failed") {
                msg
            } else if result.is_unreachable() {
                format!("Task failed: {msg}")
            } else {
                format!("Task failed: {who} failed: {msg}")
            };
            failure::render(
                &[Cause {
                    message,
                    at: at.clone(),
                    help: None,
                    apart: false,
                }],
                at.as_ref(),
            )
        };
        if self.errors.insert(text.clone()) {
            // what is shown ends with a line break that has no colour
            let painted = self.screen.paint(&text, Some(&self.settings.palette.error)) + "\n";
            self.screen
                .print_painted(stream, painted.replace("\r\n", "\n"), &(text + "\n"));
            self.hint(task, result);
        }
    }

    /// What an include that cannot be read says: its reason is in the result; its place is for the user.
    ///
    /// False if the result is none of these.
    pub fn reason(&self, result: &TaskResult, causes: &[Cause]) -> bool {
        let (Some(reason), None) = (result.get("reason"), result.get("msg")) else {
            return false;
        };
        let place = match causes.last().and_then(|c| c.at.as_ref()) {
            Some(at) => format!("\n  --> {at}\n{}", at.snippet().trim_end_matches('\n')),
            None => String::new(),
        };
        let text = format!("[ERROR]: {}{place}", reason.as_str().unwrap_or_default());
        let colour = &self.settings.palette.error;
        self.screen.print(Stream::Err, &text, Some(colour));
        true
    }

    /// What would be right, where rplay knows more than ansible-core says; beside its output.
    fn hint(&self, task: &TaskInfo, result: &TaskResult) {
        let Some(error) = result.error.as_ref().filter(|_| !hides(task, result)) else {
            return;
        };
        // the hints of other kinds are part of the message
        if matches!(error.kind(), Kind::Undefined | Kind::Template)
            && !error.is_apart()
            && let Some(hint) = error.hint_text()
        {
            let text = format!("hint: {hint}");
            self.screen
                .print(Stream::Err, &text, Some(&self.settings.palette.ok));
        }
    }

    /// The text of a result's differences; empty where there are none.
    pub fn diff(&self, differences: &Value) -> String {
        diff::render(
            differences,
            self.settings.diff_context,
            self.settings.yaml,
            self.screen.has_colours().then_some(&self.settings.palette),
        )
    }
}

/// `host`, `host -> delegate` or `host -> delegate(address)`.
pub fn host_label(host: &str, delegated: Option<&Delegate>) -> String {
    match delegated {
        None => host.to_string(),
        Some(Delegate { name, address }) => match address {
            Some(address) if address != name => format!("{host} -> {name}({address})"),
            _ => format!("{host} -> {name}"),
        },
    }
}

/// What is shown of a result that `no_log` hides; `debug` knows nothing of changes.
pub fn shown_hidden(result: &TaskResult, debug: bool) -> Map {
    let kept = match debug {
        true => &["attempts", "retries"][..],
        false => &["attempts", "changed", "retries"][..],
    };
    let kept = kept
        .iter()
        .filter_map(|key| Some((Key::from(*key), result.get(key)?.clone())));
    std::iter::once((Key::from("censored"), Value::str(CENSORED)))
        .chain(kept)
        .collect()
}

/// Whether `no_log` hides it.
pub fn hides(task: &TaskInfo, result: &TaskResult) -> bool {
    task.no_log || result.flag("_ansible_no_log")
}

/// Whether it is the module that shows a message or a variable.
pub fn is_debug(action: &str) -> bool {
    matches!(
        action,
        "debug" | "ansible.builtin.debug" | "ansible.legacy.debug"
    )
}

/// A copy without the keys that only rplay itself uses, at any depth.
pub fn without_internals(map: &Map) -> Map {
    fn inner(value: &Value) -> Value {
        match value {
            Value::Map(map) => Value::map(without_internals(map)),
            Value::List(items) => Value::list(items.iter().map(inner).collect()),
            other => other.clone(),
        }
    }
    map.iter()
        .filter(|(k, _)| !k.as_str().is_some_and(|k| k.starts_with("_ansible_")))
        .map(|(k, v)| (k.clone(), inner(v)))
        .collect()
}
