//! The callback `json`: the whole run as one JSON document, printed at its end.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/posix/json_callback.html>

use crate::report::output::{hides, shown_hidden};
use crate::report::screen::{Screen, Stream};
use crate::report::settings::Settings;
use crate::report::{Event, HostStats, Reporter, TaskInfo, failure, json};
use crate::result::TaskResult;
use crate::source::Location;
use crate::value::{Key, Map, Value};
use indexmap::IndexMap;
use std::collections::HashMap;

/// Collects events, and prints them as JSON.
pub struct Json {
    screen: Screen,
    /// Blanks in front of what is inside; none: all on one line.
    indent: Option<usize>,
    show_custom_stats: bool,
    plays: Vec<Play>,
    /// Whether the hosts of the play go through the tasks each at its own pace.
    free: bool,
    /// Makes the ids of this run unlike those of others.
    run: String,
    /// Numbers of plays, by their places.
    numbers: HashMap<String, usize>,
}

struct Play {
    id: String,
    name: String,
    path: Option<String>,
    time: Time,
    tasks: Vec<Task>,
}

struct Task {
    task: TaskInfo,
    time: Time,
    hosts: Map,
}

#[derive(Clone, Default)]
struct Time {
    start: String,
    /// When the last result came.
    end: Option<String>,
}

impl Time {
    fn start() -> Time {
        Time {
            start: now(),
            end: None,
        }
    }

    fn value(&self) -> Value {
        let mut map = map([("start", self.start.as_str().into())]);
        if let Some(end) = &self.end {
            map.insert("end".into(), end.as_str().into());
        }
        Value::map(map)
    }
}

/// Entries of results that are rplay's own in name only: Ansible's callback shows them.
const INTERNAL: &[&str] = &["_ansible_verbose_always", "_ansible_verbose_override"];

impl Json {
    pub fn new(screen: Screen, settings: &Settings) -> Json {
        Json {
            screen,
            indent: usize::try_from(settings.json_indent)
                .ok()
                .filter(|indent| *indent > 0),
            show_custom_stats: settings.show_custom_stats,
            plays: Vec::new(),
            free: false,
            run: crate::secret::random_name(),
            numbers: HashMap::new(),
        }
    }

    /// An id in the form of a UUID.
    fn id(&self, number: u64) -> String {
        let run = &self.run;
        format!(
            "{}-{}-{}-{}-{number:012x}",
            &run[..8],
            &run[8..12],
            &run[12..16],
            &run[16..20]
        )
    }

    fn play(&mut self, name: &str, at: Option<&Location>) {
        let path = at.map(path);
        let next = self.numbers.len();
        let place = path.clone().unwrap_or_default();
        let number = *self.numbers.entry(place).or_insert(next) as u64;
        self.plays.push(Play {
            // tasks have the numbers from the other end
            id: self.id(0xffff_ffff_ffff - number),
            name: name.to_string(),
            path,
            time: Time::start(),
            tasks: Vec::new(),
        });
    }

    fn task(&mut self, task: &TaskInfo) {
        if let Some(play) = self.plays.last_mut() {
            play.tasks.push(Task {
                task: task.clone(),
                time: Time::start(),
                hosts: Map::default(),
            });
        }
    }

    fn result(&mut self, task: &TaskInfo, host: &str, result: &TaskResult) {
        let value = Value::map(recorded(task, result));
        let free = self.free;
        let Some(play) = self.plays.last_mut() else {
            return;
        };
        let now = now();
        let known = play.tasks.iter_mut().rev().find(|t| {
            // where hosts go their own ways each result has the task for itself
            t.task.id == task.id && !(free && t.time.end.is_some())
        });
        if let Some(known) = known {
            known.hosts.insert(Key::from(host), value);
            known.time.end = Some(now.clone());
        }
        play.time.end = Some(now);
    }

    fn document(&self, hosts: &IndexMap<String, HostStats>, custom: &Map) -> Value {
        let plays = self.plays.iter().map(|play| {
            let tasks = play.tasks.iter().map(|task| {
                let about = described(
                    &self.id(task.task.id),
                    &task.task.name,
                    task.task.at.as_ref().map(path),
                    &task.time,
                );
                Value::map(map([
                    ("hosts", Value::map(task.hosts.clone())),
                    ("task", about),
                ]))
            });
            Value::map(map([
                (
                    "play",
                    described(&play.id, &play.name, play.path.clone(), &play.time),
                ),
                ("tasks", Value::list(tasks.collect())),
            ]))
        });
        let stats = hosts
            .iter()
            .map(|(name, stats)| (Key::from(name.as_str()), counted(stats)));
        let shown = self.show_custom_stats;
        let (run, of_hosts): (Map, Map) = custom
            .iter()
            .filter(|_| shown)
            .map(|(k, v)| (k.clone(), v.clone()))
            .partition(|(k, _)| k.as_str() == Some("_run"));
        let run = run
            .get("_run")
            .cloned()
            .unwrap_or_else(|| Value::map(Map::default()));
        Value::map(map([
            ("plays", Value::list(plays.collect())),
            ("stats", Value::map(stats.collect())),
            ("custom_stats", Value::map(of_hosts)),
            ("global_custom_stats", run),
        ]))
    }
}

/// What is recorded of a result: all of it, also what screens leave out, but what `no_log` hides.
fn recorded(task: &TaskInfo, result: &TaskResult) -> Map {
    let loops = task.looped && result.get("results").is_some();
    let hidden = hides(task, result);
    let mut out = match hidden {
        true => {
            let mut out = shown_hidden(result, false);
            for key in ["failed", "unreachable", "skipped", "exception"] {
                if let Some(value) = result.get(key).filter(|v| v.is_truthy()) {
                    out.insert(key.into(), value.clone());
                }
            }
            out
        }
        false => kept(&result.registered()),
    };
    for key in ["failed", "skipped"] {
        if !result.flag(key) {
            out.shift_remove(key);
        }
    }
    for key in [
        "warnings",
        "deprecations",
        "failed_when_suppressed_exception",
    ] {
        out.shift_remove(key);
    }
    // an include that cannot be read is no exception
    if out.contains_key("reason") {
        out.shift_remove("exception");
    }
    if let (true, Some(Value::List(items))) = (loops, result.get("results")) {
        let items = items.iter().map(|item| match item {
            Value::Map(item) => Value::map(recorded_item(task, item, hidden)),
            other => other.clone(),
        });
        out.insert("results".into(), Value::list(items.collect()));
    }
    if hidden || !loops {
        out.insert("_ansible_no_log".into(), hidden.into());
    }
    out.insert("action".into(), task.action.as_str().into());
    out
}

fn recorded_item(task: &TaskInfo, item: &Map, hidden: bool) -> Map {
    let result = TaskResult::from(item.clone());
    let hidden = hidden || hides(task, &result);
    let mut out = match hidden {
        true => shown_hidden(&result, false),
        false => {
            let mut out = kept(item);
            let name = item.get("ansible_loop_var").and_then(Value::as_str);
            let label = item
                .get("_ansible_item_label")
                .or_else(|| name.and_then(|name| item.get(name)));
            if let Some(label) = label {
                out.insert("_ansible_item_label".into(), label.clone());
            }
            out
        }
    };
    out.insert("_ansible_no_log".into(), hidden.into());
    out
}

/// A result without the entries that are for rplay's own use.
fn kept(map: &Map) -> Map {
    map.iter()
        .filter(|(key, _)| {
            key.as_str()
                .is_none_or(|key| !key.starts_with("_ansible_") || INTERNAL.contains(&key))
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn described(id: &str, name: &str, path: Option<String>, time: &Time) -> Value {
    let mut about = map([
        ("id", id.into()),
        ("name", name.into()),
        ("duration", time.value()),
    ]);
    if let Some(path) = path {
        about.insert("path".into(), path.into());
    }
    Value::map(about)
}

fn counted(stats: &HostStats) -> Value {
    Value::map(map([
        ("ok", i64::from(stats.ok).into()),
        ("changed", i64::from(stats.changed).into()),
        ("unreachable", i64::from(stats.unreachable).into()),
        ("failures", i64::from(stats.failures).into()),
        ("skipped", i64::from(stats.skipped).into()),
        ("rescued", i64::from(stats.rescued).into()),
        ("ignored", i64::from(stats.ignored).into()),
    ]))
}

fn path(at: &Location) -> String {
    format!("{}:{}", failure::absolute(&at.source.name), at.line)
}

fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Map {
    entries
        .into_iter()
        .map(|(key, value)| (Key::from(key), value))
        .collect()
}

/// The text with every character beyond ASCII as an escape, which JSON has in texts only.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c > '~' {
            false => out.push(c),
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { name, free, at, .. } => {
                self.free = *free;
                self.play(name, at.as_ref());
            }
            Event::TaskStart(task) => self.task(task),
            Event::Result {
                task, host, result, ..
            }
            | Event::Including { task, host, result } => self.result(task, host, result),
            Event::Stats { hosts, custom } => {
                let document = self.document(hosts, custom);
                let text = ascii(&json::dumps(&document, self.indent));
                self.screen.print(Stream::Out, &text, None);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_ascii() {
        assert_eq!(ascii("\"é😀~\u{7f}\""), "\"\\u00e9\\ud83d\\ude00~\\u007f\"");
    }
}
