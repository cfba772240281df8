//! Events of a run, and reporters that show them. Reporters decide nothing.

pub mod callbacks;
pub mod colour;
pub mod diff;
pub mod failure;
pub mod json;
pub mod listing;
pub mod live;
pub mod log;
pub mod output;
pub mod problem;
pub mod screen;
pub mod settings;
pub mod yaml;

use crate::result::TaskResult;
use crate::source::Location;
use indexmap::IndexMap;
use screen::{Screen, Stream};

/// What reporters are told of a task.
#[derive(Clone, Debug, Default)]
pub struct TaskInfo {
    /// Tells one task from another that looks the same; a task keeps it for the run.
    pub id: u64,
    /// Rendered name with the role in front (`role : name`), or the module's name where the task has none.
    pub name: String,
    /// Module name as the user wrote it, e.g. `ansible.builtin.copy`.
    pub action: String,
    /// Whether the controller does all of its work (`debug`, `fail`, `assert`): its failures are
    /// "Action failed", those of others "Module failed".
    pub on_controller: bool,
    /// Whether it has a loop, so that `results` are those of items; a module's own may have that name too.
    pub looped: bool,
    pub at: Option<Location>,
    pub handler: bool,
    /// Whether it stands in no file: the play gathers facts by itself.
    pub implicit: bool,
    pub no_log: bool,
    pub check_mode: bool,
    pub diff: bool,
    pub tags: Vec<String>,
    /// The arguments as text `k=v, k=v`.
    pub args: String,
    /// The role that it is in.
    pub role: Option<String>,
}

/// The host that a task was delegated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegate {
    pub name: String,
    /// Its `ansible_host`.
    pub address: Option<String>,
}

/// One step of why a task failed.
#[derive(Clone, Debug)]
pub struct Cause {
    pub message: String,
    pub at: Option<Location>,
    /// What would be right, for messages that say so.
    pub help: Option<String>,
    /// A step of its own, even without a place.
    pub apart: bool,
}

impl Cause {
    /// The steps of an error, from the outermost words to the innermost.
    pub fn all(error: &crate::Error) -> Vec<Cause> {
        let cause = |(message, at): (&str, Option<&Location>)| Cause {
            message: message.to_string(),
            at: at.cloned(),
            // what is wrong with a setting is said as it is, with what would be right
            help: match error.kind() {
                crate::error::Kind::Options => error.hint_text().map(str::to_string),
                _ => None,
            },
            apart: false,
        };
        let mut causes: Vec<Cause> = error.causes().into_iter().map(cause).collect();
        if let [.., before, last] = &mut causes[..]
            && error.is_apart()
            && before.at.is_none()
        {
            // the place is that of what was being done
            before.at = last.at.take();
        }
        if let Some(last) = causes.last_mut() {
            last.apart = error.is_apart();
            if last.apart && last.help.is_none() {
                last.help = error.hint_text().map(str::to_string);
            }
        }
        causes
    }
}

/// Counts of one host for the recap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failures: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
}

/// Something that happened. Names follow Ansible's callback methods (`v2_...`).
#[derive(Clone, Debug)]
pub enum Event {
    PlaybookStart {
        file: String,
        plays: usize,
    },
    PlayStart {
        name: String,
        check_mode: bool,
        /// Hosts go through the tasks each at its own pace: a task's name is shown with its results, not before.
        free: bool,
        at: Option<Location>,
    },
    NoHostsMatched,
    NoHostsRemaining,
    TaskStart(TaskInfo),
    /// A host begins the task (shown where `show_per_host_start` says so).
    HostStart {
        task: TaskInfo,
        host: String,
    },
    /// A host's final result for the task; `item results` are within it under `results`.
    Result {
        task: TaskInfo,
        host: String,
        delegated: Option<Delegate>,
        result: TaskResult,
        /// `ignore_errors`; for an unreachable host `ignore_unreachable`.
        ignore_errors: bool,
        /// Why it failed, from the outermost words to the innermost cause, each with its place.
        /// Empty: the reporter makes it of the result's `msg` and the task's place.
        causes: Vec<Cause>,
    },
    /// The result of one loop item; `label` is what loop_control makes of the item.
    ItemResult {
        task: TaskInfo,
        host: String,
        delegated: Option<Delegate>,
        result: TaskResult,
        label: String,
        ignore_errors: bool,
        /// As in [`Event::Result`].
        causes: Vec<Cause>,
    },
    /// `FAILED - RETRYING`
    Retry {
        task: TaskInfo,
        host: String,
        delegated: Option<Delegate>,
        result: TaskResult,
        retries_left: u32,
        attempts: u32,
    },
    /// How a job stands that a task with `async` waits for.
    Async {
        host: String,
        job: String,
        told: crate::run::Told,
    },
    /// A host is about to include something, which is not read yet.
    Including {
        task: TaskInfo,
        host: String,
        result: TaskResult,
    },
    /// A file was included for these hosts.
    Included {
        task: TaskInfo,
        file: String,
        hosts: Vec<String>,
        label: Option<String>,
    },
    /// A handler was notified (shown at -vv and above).
    Notified {
        handler: String,
        host: String,
    },
    /// A handler's notification was taken note of (shown at -vv and above).
    NotificationSaved {
        handler: String,
    },
    /// What a meta task did, or why it did nothing (shown at -vv and above).
    Meta {
        message: String,
    },
    /// The end of the run.
    Stats {
        hosts: IndexMap<String, HostStats>,
        /// Set by set_stats: `_run` or host to values.
        custom: crate::value::Map,
    },
}

/// Shows events to somebody.
pub trait Reporter: Send {
    fn event(&mut self, event: &Event);

    /// What takes the lines of the commands of the task that begins, while they run. Without it they are not
    /// even sent by the hosts.
    fn live(&self) -> Option<live::Live> {
        None
    }
}

/// Prints an error that ends the run, on standard error: words, place, source lines and hint.
///
/// Colours are those of a terminal on standard error, unless the environment says otherwise.
pub fn print_error(error: &crate::Error) {
    use std::io::IsTerminal;
    let colours =
        colour::wanted_by_environment().unwrap_or_else(|| std::io::stderr().is_terminal());
    let palette = colours.then(colour::Palette::default);
    let text = problem::render(error, palette.as_ref());
    let plain = problem::render(error, None);
    Screen::standard(Some(colours)).print_painted(Stream::Err, text, &plain);
}

/// Which notices are shown, and how.
#[derive(Clone, Debug, Default)]
pub struct NoticeSettings {
    pub palette: colour::Palette,
    /// How many `-v`.
    pub verbosity: u8,
    pub hide_warnings: bool,
    pub hide_deprecations: bool,
    /// What `-v` adds goes to standard error.
    pub verbose_to_stderr: bool,
}

/// Sends the notices of all parts of rplay to the screen.
pub fn show_notices(screen: &Screen, settings: NoticeSettings) {
    use crate::notice::{Level, set_sink};
    let screen = screen.clone();
    let mut told_how = false;
    set_sink(move |level, text| {
        let palette = &settings.palette;
        if level == Level::Deprecated
            && !settings.hide_deprecations
            && !std::mem::replace(&mut told_how, true)
        {
            let text = "[WARNING]: Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.";
            screen.print(Stream::Err, text, Some(&palette.warn));
        }
        match level {
            Level::Warning if !settings.hide_warnings => screen.print(
                Stream::Err,
                &format!("[WARNING]: {text}"),
                Some(&palette.warn),
            ),
            Level::Deprecated if !settings.hide_deprecations => screen.print(
                Stream::Err,
                &format!("[DEPRECATION WARNING]: {text}"),
                Some(&palette.deprecate),
            ),
            Level::Debug => screen.print(Stream::Out, text, Some(&palette.debug)),
            Level::Verbose(at) if at <= settings.verbosity => {
                let stream = if settings.verbose_to_stderr {
                    Stream::Err
                } else {
                    Stream::Out
                };
                screen.print(stream, text, Some(&palette.verbose));
            }
            Level::Verbose(at) if at <= log::verbosity() => log::add(text),
            _ => {}
        }
    });
}
