//! Events to text. The expected texts are what ansible-playbook 2.19 printed for the same playbooks.

use super::*;
use crate::report::{Cause, Delegate};
use crate::source::{Location, Source};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, std::default::Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("not poisoned")).into_owned()
    }
}

/// What the events print on standard output and standard error.
fn printed(settings: Settings, colours: bool, events: &[Event]) -> (String, String) {
    let (out, err) = (Buffer::default(), Buffer::default());
    let screen = Screen::new(out.clone(), err.clone(), colours);
    let mut reporter = DefaultReporter::new(screen, settings);
    events.iter().for_each(|e| reporter.event(e));
    (out.text(), err.text())
}

fn out(events: &[Event]) -> String {
    printed(Settings::default(), false, events).0
}

fn verbose(verbosity: u8) -> Settings {
    Settings {
        verbosity,
        ..Settings::default()
    }
}

fn task(name: &str) -> TaskInfo {
    let source = Source::new("/p.yml", "- hosts: all\n  tasks:\n    - name: t\n");
    TaskInfo {
        id: 1,
        name: name.into(),
        action: "command".into(),
        looped: true,
        at: Some(Location::new(&source, 3, 7)),
        ..TaskInfo::default()
    }
}

fn result(task: &TaskInfo, result: TaskResult) -> Event {
    Event::Result {
        task: task.clone(),
        host: "h1".into(),
        delegated: None,
        result,
        ignore_errors: false,
        causes: vec![],
    }
}

fn item(task: &TaskInfo, result: TaskResult, label: &str) -> Event {
    Event::ItemResult {
        task: task.clone(),
        host: "h1".into(),
        delegated: None,
        result,
        label: label.into(),
        ignore_errors: false,
        causes: vec![],
    }
}

#[test]
fn a_play_with_each_status() {
    let t = task("t");
    let mut ignored = result(&t, TaskResult::failed("no"));
    if let Event::Result {
        ignore_errors,
        delegated,
        ..
    } = &mut ignored
    {
        *ignore_errors = true;
        *delegated = Some(Delegate {
            name: "d".into(),
            address: Some("10.0.0.1".into()),
        });
    }
    let text = out(&[
        Event::PlayStart {
            name: " First play ".into(),
            check_mode: true,
            free: false,
            at: None,
        },
        Event::TaskStart(t.clone()),
        result(&t, TaskResult::ok().with("rc", 0)),
        result(&t, TaskResult::changed()),
        result(&t, TaskResult::skipped("no")),
        item(&t, TaskResult::changed(), "1"),
        item(&t, TaskResult::skipped("no"), "{'a': 'b'}"),
        ignored,
        result(&t, TaskResult::failed("no")),
        result(&t, TaskResult::unreachable("gone")),
        Event::Included {
            task: t.clone(),
            file: "/inc.yml".into(),
            hosts: vec!["h1".into(), "h2".into()],
            label: Some("a".into()),
        },
        Event::Retry {
            task: t.clone(),
            host: "h1".into(),
            delegated: None,
            result: TaskResult::failed("no"),
            retries_left: 2,
            attempts: 1,
        },
        Event::NoHostsMatched,
        Event::NoHostsRemaining,
    ]);
    let stars = |n: usize| "*".repeat(n);
    let expected = format!(
        "
PLAY [First play] {}

TASK [t] {}
ok: [h1]
changed: [h1]
skipping: [h1]
changed: [h1] => (item=1)
skipping: [h1] => (item={{'a': 'b'}}) 
[ERROR]: Task failed: Module failed: no
Origin: /p.yml:3:7

1 - hosts: all
2   tasks:
3     - name: t
        ^ column 7

fatal: [h1 -> d(10.0.0.1)]: FAILED! => {{\"msg\": \"no\"}}
...ignoring
fatal: [h1]: FAILED! => {{\"msg\": \"no\"}}
[ERROR]: Task failed: gone
Origin: /p.yml:3:7

1 - hosts: all
2   tasks:
3     - name: t
        ^ column 7

fatal: [h1]: UNREACHABLE! => {{\"changed\": false, \"msg\": \"gone\", \"unreachable\": true}}
included: /inc.yml for h1, h2 => (item=a)
FAILED - RETRYING: [h1]: t (2 retries left).
skipping: no hosts matched

NO MORE HOSTS LEFT {}
",
        stars(62),
        stars(71),
        stars(61)
    );
    assert_eq!(text, expected);
}

#[test]
fn debug_shows_its_message_alone() {
    let mut t = task("t");
    t.action = "ansible.builtin.debug".into();
    let message = TaskResult::ok()
        .with("msg", "héllo\nmulti")
        .with("ansible_loop_var", "item")
        .with("_ansible_verbose_always", true);
    let variable = TaskResult::ok()
        .with("foo", Value::list(vec![Value::Float(1.0)]))
        .with("item", 1)
        .with("ansible_loop_var", "item")
        .with("_ansible_verbose_always", true);
    assert_eq!(
        out(&[
            Event::TaskStart(t.clone()),
            result(&t, message),
            item(&t, variable, "1")
        ])
        .lines()
        .skip(2)
        .collect::<Vec<_>>()
        .join("\n"),
        "ok: [h1] => {\n    \"msg\": \"héllo\\nmulti\"\n}\nok: [h1] => (item=1) => {\n    \"foo\": [\n        1.0\n    ],\n    \"item\": 1\n}"
    );
}

#[test]
fn verbosity_decides_how_much_of_a_result_is_shown() {
    let t = task("t");
    let full = TaskResult::ok()
        .with("rc", 0)
        .with("invocation", Value::map(Map::default()))
        .with("_ansible_x", 1);
    let shown = |verbosity: u8, r: &TaskResult| {
        let events = [Event::TaskStart(t.clone()), result(&t, r.clone())];
        let text = printed(verbose(verbosity), false, &events).0;
        text.splitn(3, '\n').nth(2).unwrap_or("").to_string()
    };
    assert_eq!(shown(0, &full), "ok: [h1]\n");
    assert_eq!(
        shown(1, &full),
        "ok: [h1] => {\"changed\": false, \"rc\": 0}\n"
    );
    assert_eq!(
        shown(2, &full),
        "task path: /p.yml:3\nok: [h1] => {\"changed\": false, \"rc\": 0}\n"
    );
    assert_eq!(
        shown(3, &full),
        "task path: /p.yml:3\nok: [h1] => {\n    \"changed\": false,\n    \"invocation\": {},\n    \"rc\": 0\n}\n"
    );
    let quiet = TaskResult::ok().with("_ansible_verbose_override", true);
    assert_eq!(shown(1, &quiet), "ok: [h1]\n");
    let skipped = TaskResult::skipped("All").with("results", Value::list(vec![]));
    assert_eq!(
        shown(1, &skipped),
        "skipping: [h1] => {\"changed\": false, \"skip_reason\": \"All\"}\n"
    );
}

#[test]
fn no_log_hides_results_items_messages_and_differences() {
    let mut t = task("t");
    t.no_log = true;
    t.diff = true;
    let mut change = Map::default();
    change.insert(Key::from("before"), Value::str("hush"));
    change.insert(Key::from("after"), Value::str("hush!"));
    let secret = |r: TaskResult| {
        r.with("stdout", "hush")
            .with("diff", Value::map(change.clone()))
            .with("warnings", Value::list(vec![Value::str("hush")]))
    };
    let (text, err) = printed(
        verbose(3),
        false,
        &[
            Event::TaskStart(t.clone()),
            result(&t, secret(TaskResult::changed())),
            item(&t, secret(TaskResult::changed()), "hush"),
            item(&t, secret(TaskResult::failed("hush")), "hush"),
            result(&t, secret(TaskResult::failed("hush"))),
        ],
    );
    assert!(
        !text.contains("hush") && !err.contains("hush"),
        "{text}{err}"
    );
    assert!(text.contains("changed: [h1] => (item=(censored due to no_log)) => {\n    \"censored\": \"the output has been hidden"));
}

#[test]
fn hidden_hosts_put_the_banner_off() {
    let t = task("t");
    let settings = || Settings {
        display_skipped_hosts: false,
        ..Settings::default()
    };
    let start = Event::TaskStart(t.clone());
    let skipped = result(&t, TaskResult::skipped("no"));
    assert_eq!(printed(settings(), false, &[start.clone(), skipped]).0, "");
    let text = printed(
        settings(),
        false,
        &[start, result(&t, TaskResult::changed())],
    )
    .0;
    assert!(text.starts_with("\nTASK [t] ***") && text.ends_with("\nchanged: [h1]\n"));
}

#[test]
fn failures_go_to_standard_error_if_told() {
    let t = task("t");
    let settings = Settings {
        display_failed_stderr: true,
        ..Settings::default()
    };
    let events = [
        Event::TaskStart(t.clone()),
        result(&t, TaskResult::failed("no")),
    ];
    let (out, err) = printed(settings, false, &events);
    assert!(!out.contains("fatal") && !out.contains("ERROR"));
    assert!(err.starts_with("[ERROR]: ") && err.contains("fatal: [h1]: FAILED!"));
}

#[test]
fn an_error_with_causes_is_said_once() {
    let t = task("t");
    let event = Event::Result {
        task: t.clone(),
        host: "h1".into(),
        delegated: None,
        result: TaskResult::failed("Task failed: a: b"),
        ignore_errors: false,
        causes: vec![
            Cause {
                message: "Task failed: a".into(),
                at: t.at.clone(),
                help: None,
                apart: false,
            },
            Cause {
                message: "b".into(),
                at: t.at.clone().map(|at| Location { line: 2, ..at }),
                help: None,
                apart: false,
            },
        ],
    };
    let text = out(&[Event::TaskStart(t), event.clone(), event]);
    assert_eq!(
        text.matches("[ERROR]: Task failed: a: b\n\nTask failed: a.\n")
            .count(),
        1
    );
    assert_eq!(text.matches("fatal: ").count(), 2);
}

#[test]
fn recap_colours_and_custom_statistics() {
    let stats = HostStats {
        ok: 12,
        changed: 7,
        failures: 1,
        ignored: 2,
        ..HostStats::default()
    };
    let mut custom = Map::default();
    custom.insert(
        Key::from("_run"),
        Value::map([(Key::from("aa"), Value::Int(1))].into_iter().collect()),
    );
    let event = Event::Stats {
        hosts: [("h1".to_string(), stats)].into_iter().collect(),
        custom,
    };
    let settings = Settings {
        show_custom_stats: true,
        check: true,
        check_mode_markers: true,
        ..Settings::default()
    };
    let text = printed(settings, true, std::slice::from_ref(&event)).0;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[2],
        "\x1b[0;31mh1\x1b[0m                         : \x1b[0;32mok=12  \x1b[0m \x1b[0;33mchanged=7   \x1b[0m unreachable=0    \x1b[0;31mfailed=1   \x1b[0m skipped=0    rescued=0    \x1b[1;35mignored=2   \x1b[0m"
    );
    assert_eq!(lines[5], format!("CUSTOM STATS: {}", "*".repeat(66)));
    assert_eq!(lines[6..9], ["", "\tRUN: { \"aa\": 1}", ""]);
    assert!(lines[10].starts_with("DRY RUN ***"));
    assert_eq!(
        out(&[event]).lines().nth(2),
        Some(
            "h1                         : ok=12   changed=7    unreachable=0    failed=1    skipped=0    rescued=0    ignored=2   "
        )
    );
}

#[test]
fn differences_stand_before_the_result() {
    let mut t = task("t");
    t.diff = true;
    let change: Map = [("before", "a\n"), ("after", "b\n")]
        .into_iter()
        .map(|(k, v)| (Key::from(k), Value::str(v)))
        .collect();
    let changed = TaskResult::changed().with("diff", Value::map(change));
    let events = [Event::TaskStart(t.clone()), result(&t, changed)];
    let (plain, _) = printed(Settings::default(), false, &events);
    assert!(plain.ends_with("***\n--- before\n+++ after\n@@ -1 +1 @@\n-a\n+b\n\nchanged: [h1]\n"));
    let (coloured, _) = printed(Settings::default(), true, &events);
    assert!(coloured.contains(
        "\x1b[0;31m--- before\x1b[0m\n\x1b[0;31m\x1b[0m\x1b[0;32m+++ after\x1b[0m\n\x1b[0;32m\x1b[0m\x1b[0;36m@@ -1 +1 @@\x1b[0m\n"
    ));
}
