//! The default reporter: the text of ansible-playbook's `default` callback, line for line.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/default_callback.html>

use super::colour::{Colour, Palette};
use super::screen::{Screen, Stream};
use super::{
    Cause, Delegate, Event, HostStats, Reporter, TaskInfo, diff, failure, json, live, yaml,
};
use crate::config::{Config, Live};
use crate::error::Kind;
use crate::result::TaskResult;
use crate::run::options::Options;
use crate::value::{Key, Map, Value};
use indexmap::IndexMap;
use std::collections::HashSet;

/// The callback's own settings, with Ansible's defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many `-v`.
    pub verbosity: u8,
    /// Whether the whole run is in check mode.
    pub check: bool,
    pub display_skipped_hosts: bool,
    pub display_ok_hosts: bool,
    /// Failures go to standard error.
    pub display_failed_stderr: bool,
    pub show_custom_stats: bool,
    pub show_task_path_on_failure: bool,
    pub check_mode_markers: bool,
    pub show_per_host_start: bool,
    /// Results as YAML instead of JSON (`callback_result_format`).
    pub yaml: bool,
    /// Results over several lines: always, never, or as the verbosity says.
    pub pretty_results: Option<bool>,
    /// Lines of context in diffs (`DIFF_CONTEXT`).
    pub diff_context: usize,
    /// Whether the lines of commands are shown while they run.
    pub live: Live,
    pub palette: Palette,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            verbosity: 0,
            check: false,
            display_skipped_hosts: true,
            display_ok_hosts: true,
            display_failed_stderr: false,
            show_custom_stats: false,
            show_task_path_on_failure: false,
            check_mode_markers: false,
            show_per_host_start: false,
            yaml: false,
            pretty_results: None,
            diff_context: 3,
            live: Live::No,
            palette: Palette::default(),
        }
    }
}

impl Settings {
    /// The settings that ansible.cfg and the environment say, for a run with these options.
    pub fn new(options: &Options, config: &Config) -> Settings {
        Settings {
            verbosity: options.verbosity,
            check: options.check,
            display_skipped_hosts: config.display_skipped_hosts,
            display_ok_hosts: config.display_ok_hosts,
            display_failed_stderr: config.display_failed_stderr,
            show_custom_stats: config.show_custom_stats,
            show_task_path_on_failure: config.show_task_path_on_failure,
            check_mode_markers: config.check_mode_markers,
            show_per_host_start: config.show_per_host_start,
            yaml: config.result_format == "yaml",
            pretty_results: config.format_pretty,
            diff_context: config.diff_context as usize,
            live: options.live,
            palette: Palette::new(config),
        }
    }
}

/// Prints events as ansible-playbook does.
pub struct DefaultReporter {
    screen: Screen,
    settings: Settings,
    /// The task whose banner was printed last.
    banner: Option<u64>,
    /// Whether the play's hosts go through the tasks each at its own pace.
    free: bool,
    /// Error texts that were printed; each is printed once.
    errors: HashSet<String>,
}

/// What stands for a result that `no_log` hides.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
/// What stands for a loop item that `no_log` hides.
const CENSORED_ITEM: &str = "(censored due to no_log)";
/// Keys of a result that a `debug` task keeps beside its `msg`.
const DEBUG_KEPT: &[&str] = &["msg", "exception", "warnings", "deprecations"];
/// Keys of a result that a `debug: var=` task does not show.
const DEBUG_HIDDEN: &[&str] = &["failed", "changed", "skip_reason"];

impl DefaultReporter {
    pub fn new(screen: Screen, settings: Settings) -> DefaultReporter {
        DefaultReporter {
            screen,
            settings,
            banner: None,
            free: false,
            errors: HashSet::new(),
        }
    }

    fn say(&self, text: &str, colour: &Colour) {
        self.screen.print(Stream::Out, text, Some(colour));
    }

    fn failure_stream(&self) -> Stream {
        if self.settings.display_failed_stderr {
            Stream::Err
        } else {
            Stream::Out
        }
    }

    /// ` [CHECK MODE]` where that is to be shown.
    fn check_marker(&self, check_mode: bool) -> &'static str {
        if check_mode && self.settings.check_mode_markers {
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
        let args = if task.args.is_empty() || task.no_log {
            String::new()
        } else {
            format!(" {}", task.args)
        };
        let marker = self.check_marker(task.check_mode);
        self.screen
            .banner(&format!("{prefix} [{}{args}]{marker}", task.name.trim()));
        if self.settings.verbosity >= 2 {
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
            self.screen
                .print(stream, &text, Some(&self.settings.palette.debug));
        }
    }

    /// Whether the result is to be shown when all went well.
    fn shows_result(&self, result: &TaskResult, above: u8) -> bool {
        (self.settings.verbosity > above || result.flag("_ansible_verbose_always"))
            && !result.flag("_ansible_verbose_override")
    }

    /// ` => {...}` for a result that is to be shown, else nothing.
    fn tail(&self, task: &TaskInfo, result: &TaskResult) -> String {
        if self.shows_result(result, 0) {
            format!(" => {}", self.dump(task, result))
        } else {
            String::new()
        }
    }

    /// A result as JSON, without what is not for the user's eyes.
    fn dump(&self, task: &TaskInfo, result: &TaskResult) -> String {
        let many_lines = result.flag("_ansible_verbose_always") && !hides(task, result);
        self.text(self.shown(task, result), many_lines)
    }

    /// A result's text, over several lines where it is to be so.
    fn text(&self, map: Map, many_lines: bool) -> String {
        if self.settings.yaml {
            let pretty = self.settings.pretty_results.unwrap_or(true);
            return format!("\n{}", yaml::dump(map, pretty));
        }
        let many_lines = self
            .settings
            .pretty_results
            .unwrap_or(many_lines || self.settings.verbosity > 2);
        json::dumps(&Value::map(map), many_lines.then_some(4))
    }

    fn shown(&self, task: &TaskInfo, result: &TaskResult) -> Map {
        if hides(task, result) {
            let mut map = Map::default();
            map.insert(Key::from("censored"), Value::str(CENSORED));
            // debug knows nothing of changes
            let kept = match is_debug(&task.action) {
                true => &["attempts", "retries"][..],
                false => &["attempts", "changed", "retries"][..],
            };
            for key in kept {
                let key = *key;
                if let Some(value) = result.get(key) {
                    map.insert(Key::from(key), value.clone());
                }
            }
            return map;
        }
        let mut map = without_internals(&result.fields);
        for key in ["failed", "skipped", "warnings", "deprecations", "exception"] {
            map.shift_remove(key);
        }
        if self.settings.verbosity < 3 {
            map.shift_remove("invocation");
            map.shift_remove("diff");
        }
        if is_debug(&task.action) {
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
    fn notices(&self, task: &TaskInfo, result: &TaskResult) {
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

    /// The `[ERROR]` block of a failure; each text once.
    fn explain(&mut self, task: &TaskInfo, result: &TaskResult, causes: &[Cause]) {
        // an include that cannot be read says its reason in the result; its place is for the user
        if let (Some(reason), None) = (result.get("reason"), result.get("msg")) {
            let place = match causes.last().and_then(|c| c.at.as_ref()) {
                Some(at) => format!("\n  --> {at}\n{}", at.snippet().trim_end_matches('\n')),
                None => String::new(),
            };
            let text = format!("[ERROR]: {}{place}", reason.as_str().unwrap_or_default());
            let colour = self.settings.palette.error.clone();
            self.screen.print(Stream::Err, &text, Some(&colour));
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
            let text = self.screen.paint(&text, Some(&self.settings.palette.error)) + "\n";
            self.screen.print(self.failure_stream(), &text, None);
            self.hint(task, result);
        }
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

    /// The differences that a result brought.
    fn show_diff(&mut self, task: &TaskInfo, result: &TaskResult) {
        if !task.diff || hides(task, result) || !result.is_changed() {
            return;
        }
        let Some(differences) = result.get("diff").filter(|d| d.is_truthy()) else {
            return;
        };
        let text = diff::render(
            differences,
            self.settings.diff_context,
            self.settings.yaml,
            self.screen.has_colours().then_some(&self.settings.palette),
        );
        if !text.is_empty() {
            self.ensure_banner(task);
            self.screen.print(Stream::Out, &text, None);
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
        let palette = self.settings.palette.clone();
        let loops = task.looped && matches!(result.get("results"), Some(Value::List(_)));
        if result.is_unreachable() || result.counts_as_failed() {
            self.ensure_banner(task);
            // of a loop's includes that cannot be read, Ansible gives the reasons only
            if loops && result.get("reason").is_some() {
                self.explain(task, result, causes);
            }
            // Ansible shows the summary of a loop for debug alone
            let is_debug = task.action.rsplit('.').next() == Some("debug");
            if !loops || is_debug || result.is_unreachable() {
                self.notices(task, result);
                if !loops {
                    self.explain(task, result, causes);
                }
                if self.settings.show_task_path_on_failure && self.settings.verbosity < 2 {
                    self.task_path(task, self.failure_stream());
                }
                let (word, colour) = if result.is_unreachable() {
                    ("UNREACHABLE", &palette.unreachable)
                } else {
                    ("FAILED", &palette.error)
                };
                let text = format!("fatal: [{host}]: {word}! => {}", self.dump(task, result));
                self.screen
                    .print(self.failure_stream(), &text, Some(colour));
            }
            if ignored {
                self.say("...ignoring", &palette.skip);
            }
        } else if result.is_skipped() {
            if self.settings.display_skipped_hosts {
                self.ensure_banner(task);
                self.notices(task, result);
                let tail = if loops {
                    self.skipped_loop_tail(result)
                } else {
                    self.tail(task, result)
                };
                self.say(&format!("skipping: [{host}]{tail}"), &palette.skip);
            }
        } else {
            if result.is_changed() || self.settings.display_ok_hosts {
                self.ensure_banner(task);
            }
            self.notices(task, result);
            if loops {
                return;
            }
            // `failed_when` has it that this is no failure, and `until` that it is one
            if !causes.is_empty() {
                self.explain(task, result, causes);
            }
            self.show_diff(task, result);
            let (word, colour) = if result.is_changed() {
                ("changed", &palette.changed)
            } else if self.settings.display_ok_hosts {
                ("ok", &palette.ok)
            } else {
                return;
            };
            let tail = self.tail(task, result);
            self.say(&format!("{word}: [{host}]{tail}"), colour);
        }
    }

    /// After the items of a loop that was skipped as a whole; the items are shown already.
    fn skipped_loop_tail(&self, result: &TaskResult) -> String {
        if !self.shows_result(result, 0) {
            return String::new();
        }
        let mut map = without_internals(&result.fields);
        for key in ["results", "skipped", "failed", "warnings", "deprecations"] {
            map.shift_remove(key);
        }
        format!(" => {}", self.text(map, false))
    }

    fn item_result(
        &mut self,
        task: &TaskInfo,
        host: &str,
        result: &TaskResult,
        label: &str,
        causes: &[Cause],
    ) {
        let palette = self.settings.palette.clone();
        let label = if hides(task, result) {
            CENSORED_ITEM
        } else {
            label
        };
        if result.counts_as_failed() || result.is_unreachable() {
            self.ensure_banner(task);
            self.notices(task, result);
            self.explain(task, result, causes);
            let text = format!(
                "failed: [{host}] (item={label}) => {}",
                self.dump(task, result)
            );
            self.screen
                .print(self.failure_stream(), &text, Some(&palette.error));
        } else if result.is_skipped() {
            if self.settings.display_skipped_hosts {
                self.ensure_banner(task);
                self.notices(task, result);
                let tail = self.tail(task, result);
                self.say(
                    &format!("skipping: [{host}] => (item={label}) {tail}"),
                    &palette.skip,
                );
            }
        } else {
            let (word, colour) = if result.is_changed() {
                ("changed", &palette.changed)
            } else if self.settings.display_ok_hosts {
                ("ok", &palette.ok)
            } else {
                return;
            };
            self.ensure_banner(task);
            self.notices(task, result);
            if !causes.is_empty() {
                self.explain(task, result, causes);
            }
            self.show_diff(task, result);
            let tail = self.tail(task, result);
            self.say(&format!("{word}: [{host}] => (item={label}){tail}"), colour);
        }
    }

    fn recap(&self, hosts: &IndexMap<String, HostStats>, custom: &Map) {
        self.screen.banner("PLAY RECAP");
        let mut names: Vec<&String> = hosts.keys().collect();
        names.sort();
        for name in names {
            self.screen
                .print(Stream::Out, &self.recap_line(name, &hosts[name]), None);
        }
        self.screen.print(Stream::Out, "", None);
        if self.settings.show_custom_stats && !custom.is_empty() {
            self.screen.banner("CUSTOM STATS: ");
            let one_line = |value: &Value| json::dumps(value, Some(1)).replace('\n', "");
            let mut keys: Vec<&str> = custom.keys().filter_map(Key::as_str).collect();
            keys.sort_unstable();
            for key in keys.into_iter().filter(|k| *k != "_run") {
                let text = format!("\t{key}: {}", one_line(&custom[key]));
                self.screen.print(Stream::Out, &text, None);
            }
            if let Some(run) = custom.get("_run") {
                self.screen.print(Stream::Out, "", None);
                self.screen
                    .print(Stream::Out, &format!("\tRUN: {}", one_line(run)), None);
            }
            self.screen.print(Stream::Out, "", None);
        }
        if self.settings.check && self.settings.check_mode_markers {
            self.screen.banner("DRY RUN");
        }
    }

    fn recap_line(&self, host: &str, stats: &HostStats) -> String {
        let p = &self.settings.palette;
        let colour = if stats.failures > 0 || stats.unreachable > 0 {
            &p.error
        } else if stats.changed > 0 {
            &p.changed
        } else {
            &p.ok
        };
        // the padding is of the characters shown, so the columns stay in line with colours too
        let pad = 26usize.saturating_sub(host.chars().count());
        let mut line = self.screen.paint(host, Some(colour)) + &" ".repeat(pad) + " :";
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
            line.push_str(&self.screen.paint(&text, colour.filter(|_| count > 0)));
        }
        line
    }
}

impl Reporter for DefaultReporter {
    fn live(&self) -> Option<live::Live> {
        live::of_task(&self.screen, self.settings.live)
    }

    fn event(&mut self, event: &Event) {
        let palette = self.settings.palette.clone();
        match event {
            Event::PlaybookStart { file, plays } => {
                if self.settings.verbosity >= 2 {
                    let name = std::path::Path::new(file)
                        .file_name()
                        .map_or_else(|| file.clone(), |n| n.to_string_lossy().into_owned());
                    self.screen.banner(&format!("PLAYBOOK: {name}"));
                    self.say(&format!("{plays} plays in {file}"), &palette.verbose);
                }
                if self.settings.check && self.settings.check_mode_markers {
                    self.screen.banner("DRY RUN");
                }
            }
            Event::PlayStart {
                name,
                check_mode,
                free,
            } => {
                self.free = *free;
                let marker = self.check_marker(*check_mode);
                let name = name.trim();
                if name.is_empty() {
                    self.screen.banner(&format!("PLAY{marker}"));
                } else {
                    self.screen.banner(&format!("PLAY [{name}]{marker}"));
                }
            }
            Event::NoHostsMatched => self.say("skipping: no hosts matched", &palette.skip),
            Event::NoHostsRemaining => self.screen.banner("NO MORE HOSTS LEFT"),
            // tasks of several hosts begin side by side: the results bring the banners
            Event::TaskStart(_) if self.free => {}
            Event::TaskStart(task) => {
                self.banner = None;
                // else put off until something of the task is shown
                if self.settings.display_skipped_hosts && self.settings.display_ok_hosts {
                    self.task_banner(task);
                }
            }
            Event::HostStart { task, host } => {
                if self.settings.show_per_host_start {
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
                if self.shows_result(result, 2) {
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
                if self.settings.verbosity >= 2 {
                    let text = format!("NOTIFIED HANDLER {handler} for {host}");
                    self.say(&text, &palette.verbose);
                }
            }
            Event::NotificationSaved { handler } => {
                if self.settings.verbosity >= 2 {
                    let text = format!("Notification for handler {handler} has been saved.");
                    self.say(&text, &palette.verbose);
                }
            }
            Event::Meta { message } => {
                if self.settings.verbosity >= 2 {
                    self.say(&format!("META: {message}"), &palette.verbose);
                }
            }
            Event::Stats { hosts, custom } => self.recap(hosts, custom),
        }
    }
}

/// `host`, `host -> delegate` or `host -> delegate(address)`.
fn host_label(host: &str, delegated: Option<&Delegate>) -> String {
    match delegated {
        None => host.to_string(),
        Some(Delegate { name, address }) => match address {
            Some(address) if address != name => format!("{host} -> {name}({address})"),
            _ => format!("{host} -> {name}"),
        },
    }
}

fn hides(task: &TaskInfo, result: &TaskResult) -> bool {
    task.no_log || result.flag("_ansible_no_log")
}

fn is_debug(action: &str) -> bool {
    matches!(
        action,
        "debug" | "ansible.builtin.debug" | "ansible.legacy.debug"
    )
}

/// A copy without the keys that only rplay itself uses, at any depth.
fn without_internals(map: &Map) -> Map {
    map.iter()
        .filter(|(k, _)| !k.as_str().is_some_and(|k| k.starts_with("_ansible_")))
        .map(|(k, v)| match v {
            Value::Map(inner) => (k.clone(), Value::map(without_internals(inner))),
            other => (k.clone(), other.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests;
