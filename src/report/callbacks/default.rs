//! The default reporter: the text of ansible-playbook's `default` callback, line for line.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/default_callback.html>

use crate::report::colour::Colour;
use crate::report::output::{Layout, Output, hides, host_label, without_internals};
use crate::report::screen::{Screen, Stream};
use crate::report::settings::Settings;
use crate::report::{Cause, Event, HostStats, Reporter, TaskInfo, failure, json, live};
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};
use indexmap::IndexMap;

/// Prints events as ansible-playbook does.
pub struct DefaultReporter {
    out: Output,
    /// The task whose banner was printed last.
    banner: Option<u64>,
    /// Whether the play's hosts go through the tasks each at its own pace.
    free: bool,
}

/// What stands for a loop item that `no_log` hides.
const CENSORED_ITEM: &str = "(censored due to no_log)";

impl DefaultReporter {
    pub fn new(screen: Screen, settings: Settings) -> DefaultReporter {
        DefaultReporter {
            out: Output::new(screen, settings),
            banner: None,
            free: false,
        }
    }

    fn say(&self, text: &str, colour: &Colour) {
        self.out.say(text, colour);
    }

    fn settings(&self) -> &Settings {
        &self.out.settings
    }

    fn screen(&self) -> &Screen {
        &self.out.screen
    }

    fn failure_stream(&self) -> Stream {
        if self.settings().display_failed_stderr {
            Stream::Err
        } else {
            Stream::Out
        }
    }

    /// ` [CHECK MODE]` where that is to be shown.
    fn check_marker(&self, check_mode: bool) -> &'static str {
        if check_mode && self.settings().check_mode_markers {
            " [CHECK MODE]"
        } else {
            ""
        }
    }

    fn task_banner(&mut self, task: &TaskInfo) {
        let prefix = if task.handler {
            "RUNNING HANDLER"
        } else {
            "TASK"
        };
        let args = if !self.settings().display_args || task.args.is_empty() || task.no_log {
            String::new()
        } else {
            format!(" {}", task.args)
        };
        let marker = self.check_marker(task.check_mode);
        self.screen()
            .banner(&format!("{prefix} [{}{args}]{marker}", task.name.trim()));
        if self.settings().verbosity >= 2 {
            self.task_path(task, Stream::Out);
        }
        self.banner = Some(task.id);
    }

    /// The banner, if another task's was printed last or this one's was put off.
    fn ensure_banner(&mut self, task: &TaskInfo) {
        if self.banner != Some(task.id) {
            self.task_banner(task);
        }
    }

    fn task_path(&self, task: &TaskInfo, stream: Stream) {
        if let Some(at) = &task.at {
            let text = format!(
                "task path: {}:{}",
                failure::absolute(&at.source.name),
                at.line
            );
            self.screen()
                .print(stream, &text, Some(&self.settings().palette.debug));
        }
    }

    /// Whether the result is to be shown when all went well.
    fn shows_result(&self, task: &TaskInfo, result: &TaskResult, above: u8) -> bool {
        // what is hidden has lost that it is always shown
        let always = result.flag("_ansible_verbose_always") && !hides(task, result);
        (self.settings().verbosity > above || always) && !result.flag("_ansible_verbose_override")
    }

    /// ` => {...}` for a result that is to be shown, else nothing.
    fn tail(&self, task: &TaskInfo, result: &TaskResult) -> String {
        if self.shows_result(task, result, 0) {
            format!(" => {}", self.dump(task, result))
        } else {
            String::new()
        }
    }

    fn dump(&self, task: &TaskInfo, result: &TaskResult) -> String {
        self.out.dump(task, result, Layout::Line, true)
    }

    /// The differences that a result brought.
    fn show_diff(&mut self, task: &TaskInfo, result: &TaskResult) {
        if !task.diff || hides(task, result) || !result.is_changed() {
            return;
        }
        let Some(differences) = result.get("diff").filter(|d| d.is_truthy()) else {
            return;
        };
        let text = self.out.diff(differences);
        if !text.is_empty() {
            self.ensure_banner(task);
            self.screen().print(Stream::Out, &text, None);
        }
    }

    fn result(
        &mut self,
        task: &TaskInfo,
        host: &str,
        result: &TaskResult,
        ignored: bool,
        causes: &[Cause],
    ) {
        let palette = self.settings().palette.clone();
        let loops = task.looped && matches!(result.get("results"), Some(Value::List(_)));
        if result.is_unreachable() || result.counts_as_failed() {
            self.ensure_banner(task);
            // of a loop's includes that cannot be read, Ansible gives the reasons only
            if loops && result.get("reason").is_some() {
                self.out
                    .explain(self.failure_stream(), task, result, causes);
            }
            // Ansible shows the summary of a loop for debug alone
            let is_debug = task.action.rsplit('.').next() == Some("debug");
            if !loops || is_debug || result.is_unreachable() {
                self.out.notices(task, result);
                if !loops {
                    self.out
                        .explain(self.failure_stream(), task, result, causes);
                }
                if self.settings().show_task_path_on_failure && self.settings().verbosity < 2 {
                    self.task_path(task, self.failure_stream());
                }
                let (word, colour) = if result.is_unreachable() {
                    ("UNREACHABLE", &palette.unreachable)
                } else {
                    ("FAILED", &palette.error)
                };
                let text = format!("fatal: [{host}]: {word}! => {}", self.dump(task, result));
                self.screen()
                    .print(self.failure_stream(), &text, Some(colour));
            }
            if ignored {
                self.say("...ignoring", &palette.skip);
            }
        } else if result.is_skipped() {
            if self.settings().display_skipped_hosts {
                self.ensure_banner(task);
                self.out.notices(task, result);
                let tail = if loops {
                    self.skipped_loop_tail(task, result)
                } else {
                    self.tail(task, result)
                };
                self.say(&format!("skipping: [{host}]{tail}"), &palette.skip);
            }
        } else {
            if result.is_changed() || self.settings().display_ok_hosts {
                self.ensure_banner(task);
            }
            self.out.notices(task, result);
            if loops {
                return;
            }
            // `failed_when` has it that this is no failure, and `until` that it is one
            if !causes.is_empty() {
                self.out
                    .explain(self.failure_stream(), task, result, causes);
            }
            self.show_diff(task, result);
            let (word, colour) = if result.is_changed() {
                ("changed", &palette.changed)
            } else if self.settings().display_ok_hosts {
                ("ok", &palette.ok)
            } else {
                return;
            };
            let tail = self.tail(task, result);
            self.say(&format!("{word}: [{host}]{tail}"), colour);
        }
    }

    /// After the items of a loop that was skipped as a whole; the items are shown already.
    fn skipped_loop_tail(&self, task: &TaskInfo, result: &TaskResult) -> String {
        if !self.shows_result(task, result, 0) {
            return String::new();
        }
        let mut map = without_internals(&result.fields);
        for key in ["results", "skipped", "failed", "warnings", "deprecations"] {
            map.shift_remove(key);
        }
        format!(" => {}", self.out.text(map, Layout::Line))
    }

    fn item_result(
        &mut self,
        task: &TaskInfo,
        host: &str,
        result: &TaskResult,
        label: &str,
        causes: &[Cause],
    ) {
        let palette = self.settings().palette.clone();
        let label = if hides(task, result) {
            CENSORED_ITEM
        } else {
            label
        };
        if result.counts_as_failed() || result.is_unreachable() {
            self.ensure_banner(task);
            self.out.notices(task, result);
            self.out
                .explain(self.failure_stream(), task, result, causes);
            let text = format!(
                "failed: [{host}] (item={label}) => {}",
                self.dump(task, result)
            );
            self.screen()
                .print(self.failure_stream(), &text, Some(&palette.error));
        } else if result.is_skipped() {
            if self.settings().display_skipped_hosts {
                self.ensure_banner(task);
                self.out.notices(task, result);
                let tail = self.tail(task, result);
                self.say(
                    &format!("skipping: [{host}] => (item={label}) {tail}"),
                    &palette.skip,
                );
            }
        } else {
            let (word, colour) = if result.is_changed() {
                ("changed", &palette.changed)
            } else if self.settings().display_ok_hosts {
                ("ok", &palette.ok)
            } else {
                return;
            };
            self.ensure_banner(task);
            self.out.notices(task, result);
            if !causes.is_empty() {
                self.out
                    .explain(self.failure_stream(), task, result, causes);
            }
            self.show_diff(task, result);
            let tail = self.tail(task, result);
            self.say(&format!("{word}: [{host}] => (item={label}){tail}"), colour);
        }
    }

    fn recap(&self, hosts: &IndexMap<String, HostStats>, custom: &Map) {
        self.screen().banner("PLAY RECAP");
        let mut names: Vec<&String> = hosts.keys().collect();
        names.sort();
        for name in names {
            let [painted, plain] = [true, false].map(|p| self.recap_line(name, &hosts[name], p));
            self.screen().print_painted(Stream::Out, painted, &plain);
        }
        self.screen().print(Stream::Out, "", None);
        if self.settings().show_custom_stats && !custom.is_empty() {
            self.screen().banner("CUSTOM STATS: ");
            let one_line = |value: &Value| json::dumps(value, Some(1)).replace('\n', "");
            let mut keys: Vec<&str> = custom.keys().filter_map(Key::as_str).collect();
            keys.sort_unstable();
            for key in keys.into_iter().filter(|k| *k != "_run") {
                let text = format!("\t{key}: {}", one_line(&custom[key]));
                self.screen().print(Stream::Out, &text, None);
            }
            if let Some(run) = custom.get("_run") {
                self.screen().print(Stream::Out, "", None);
                self.screen()
                    .print(Stream::Out, &format!("\tRUN: {}", one_line(run)), None);
            }
            self.screen().print(Stream::Out, "", None);
        }
        if self.settings().check && self.settings().check_mode_markers {
            self.screen().banner("DRY RUN");
        }
    }

    fn recap_line(&self, host: &str, stats: &HostStats, painted: bool) -> String {
        let paint = |text: &str, colour: Option<&Colour>| match painted {
            true => self.screen().paint(text, colour),
            false => text.to_string(),
        };
        let p = &self.settings().palette;
        let colour = if stats.failures > 0 || stats.unreachable > 0 {
            &p.error
        } else if stats.changed > 0 {
            &p.changed
        } else {
            &p.ok
        };
        // the padding is of the characters shown, so the columns stay in line with colours too
        let pad = 26usize.saturating_sub(host.chars().count());
        let mut line = paint(host, Some(colour)) + &" ".repeat(pad) + " :";
        for (word, count, colour) in [
            ("ok", stats.ok, Some(&p.ok)),
            ("changed", stats.changed, Some(&p.changed)),
            ("unreachable", stats.unreachable, Some(&p.unreachable)),
            ("failed", stats.failures, Some(&p.error)),
            ("skipped", stats.skipped, Some(&p.skip)),
            ("rescued", stats.rescued, Some(&p.ok)),
            ("ignored", stats.ignored, Some(&p.warn)),
        ] {
            let text = format!("{word}={count:<4}");
            line.push(' ');
            line.push_str(&paint(&text, colour.filter(|_| count > 0)));
        }
        line
    }
}

impl Reporter for DefaultReporter {
    fn live(&self) -> Option<live::Live> {
        live::of_task(self.screen(), self.settings().live)
    }

    fn event(&mut self, event: &Event) {
        let palette = self.settings().palette.clone();
        match event {
            Event::PlaybookStart { file, .. } => {
                if self.settings().verbosity >= 2 {
                    let name = std::path::Path::new(file)
                        .file_name()
                        .map_or_else(|| file.clone(), |n| n.to_string_lossy().into_owned());
                    self.screen().banner(&format!("PLAYBOOK: {name}"));
                }
                self.out.progress(event);
                if self.settings().check && self.settings().check_mode_markers {
                    self.screen().banner("DRY RUN");
                }
            }
            Event::PlayStart {
                name,
                check_mode,
                free,
                ..
            } => {
                self.free = *free;
                let marker = self.check_marker(*check_mode);
                let name = name.trim();
                if name.is_empty() {
                    self.screen().banner(&format!("PLAY{marker}"));
                } else {
                    self.screen().banner(&format!("PLAY [{name}]{marker}"));
                }
            }
            Event::NoHostsMatched => self.say("skipping: no hosts matched", &palette.skip),
            Event::NoHostsRemaining => self.screen().banner("NO MORE HOSTS LEFT"),
            // tasks of several hosts begin side by side: the results bring the banners
            Event::TaskStart(_) if self.free => {}
            Event::TaskStart(task) => {
                self.banner = None;
                // else put off until something of the task is shown
                if self.settings().display_skipped_hosts && self.settings().display_ok_hosts {
                    self.task_banner(task);
                }
            }
            Event::HostStart { task, host } => {
                if self.settings().show_per_host_start {
                    let text = format!(" [started TASK: {} on {host}]", task.name.trim());
                    self.say(&text, &palette.ok);
                }
            }
            Event::Result {
                task,
                host,
                delegated,
                result,
                ignore_errors,
                causes,
            } => {
                // a skipped task went nowhere
                let delegated = delegated.as_ref().filter(|_| !result.is_skipped());
                let host = host_label(host, delegated);
                self.result(task, &host, result, *ignore_errors, causes);
            }
            Event::ItemResult {
                task,
                host,
                delegated,
                result,
                label,
                causes,
                ..
            } => {
                let delegated = delegated.as_ref().filter(|_| !result.is_skipped());
                let host = host_label(host, delegated);
                self.item_result(task, &host, result, label, causes);
            }
            Event::Retry {
                task,
                host,
                delegated,
                result,
                retries_left,
                ..
            } => {
                let host = host_label(host, delegated.as_ref());
                let mut text = format!(
                    "FAILED - RETRYING: [{host}]: {} ({retries_left} retries left).",
                    task.name.trim()
                );
                if self.shows_result(task, result, 2) {
                    text.push_str("Result was: ");
                    text.push_str(&self.dump(task, result));
                }
                self.say(&text, &palette.debug);
            }
            Event::Async { host, job, told } => {
                use crate::run::Told;
                let truth = |b: bool| if b { "True" } else { "False" };
                let (text, colour) = match told {
                    Told::Poll { started, finished } => (
                        format!(
                            "ASYNC POLL on {host}: jid={job} started={} finished={}",
                            truth(*started),
                            truth(*finished)
                        ),
                        &palette.debug,
                    ),
                    Told::Ok => (format!("ASYNC OK on {host}: jid={job}"), &palette.debug),
                    Told::Failed => (format!("ASYNC FAILED on {host}: jid={job}"), &palette.debug),
                };
                self.say(&text, colour);
            }
            // shown when it is read
            Event::Including { .. } => {}
            Event::Included {
                task,
                file,
                hosts,
                label,
            } => {
                self.ensure_banner(task);
                let mut text = format!("included: {file} for {}", hosts.join(", "));
                if let Some(label) = label {
                    text.push_str(&format!(" => (item={label})"));
                }
                self.say(&text, &palette.included);
            }
            Event::Notified { handler, host } => {
                if self.settings().verbosity >= 2 {
                    let text = format!("NOTIFIED HANDLER {handler} for {host}");
                    self.say(&text, &palette.verbose);
                }
            }
            Event::NotificationSaved { .. } | Event::Meta { .. } => self.out.progress(event),
            Event::Stats { hosts, custom } => self.recap(hosts, custom),
        }
    }
}

#[cfg(test)]
mod tests;
