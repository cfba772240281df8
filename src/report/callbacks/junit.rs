//! The callback `junit`: a file of test cases, one for each task on each host.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/junit_callback.html>

use crate::notice;
use crate::report::output::{Layout, Output, hides};
use crate::report::screen::Screen;
use crate::report::settings::Settings;
use crate::report::{Cause, Event, Reporter, TaskInfo, failure};
use crate::result::TaskResult;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The options, with Ansible's names.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub output_dir: PathBuf,
    pub task_class: bool,
    pub task_relative_path: Option<PathBuf>,
    pub replace_out_of_tree_path: Option<String>,
    pub fail_on_change: bool,
    pub fail_on_ignore: bool,
    pub include_setup_tasks: bool,
    pub hide_task_arguments: bool,
    pub test_case_prefix: String,
}

/// Collects test cases, and writes them at the end of each playbook.
pub struct Junit {
    out: Output,
    options: Options,
    folder: PathBuf,
    playbook: String,
    play: String,
    /// Tasks in the order in which they began.
    tasks: Vec<Task>,
}

struct Task {
    id: u64,
    action: String,
    name: String,
    path: String,
    play: String,
    start: Instant,
    cases: Vec<Case>,
}

struct Case {
    host: String,
    seconds: f64,
    what: What,
}

/// What became of a task on a host.
enum What {
    Passed(String),
    Skipped(String),
    Failed {
        message: String,
        text: String,
    },
    /// It failed, and why is known.
    Error {
        message: String,
        text: String,
    },
}

impl Junit {
    pub fn new(screen: Screen, settings: Settings) -> Junit {
        let options = settings.junit.clone();
        // playbooks run in their own folders
        let folder =
            std::path::absolute(&options.output_dir).unwrap_or_else(|_| options.output_dir.clone());
        // results are JSON here, whatever is set
        let settings = Settings {
            yaml: false,
            pretty_results: None,
            ..settings
        };
        Junit {
            out: Output::new(screen, settings),
            options,
            folder,
            playbook: String::new(),
            play: String::new(),
            tasks: Vec::new(),
        }
    }

    fn begin(&mut self, task: &TaskInfo) {
        let known = self
            .tasks
            .iter()
            .any(|t| t.id == task.id && t.play == self.play);
        if known {
            return;
        }
        let mut name = task.name.trim().to_string();
        if !self.options.hide_task_arguments && !task.no_log && !task.args.is_empty() {
            let _ = write!(name, " {}", task.args);
        }
        self.tasks.push(Task {
            id: task.id,
            action: crate::playbook::bare(&task.action).to_string(),
            name,
            path: self.path(task),
            play: self.play.clone(),
            start: Instant::now(),
            cases: Vec::new(),
        });
    }

    /// `file:line`, relative to a folder if one is set.
    fn path(&self, task: &TaskInfo) -> String {
        let Some(at) = &task.at else {
            return String::new();
        };
        let absolute = failure::absolute(&at.source.name);
        let file = match &self.options.task_relative_path {
            None => absolute,
            Some(base) => {
                let relative = relative(Path::new(&absolute), base);
                match &self.options.replace_out_of_tree_path {
                    Some(place) if relative.starts_with("..") => {
                        let name = relative.file_name().unwrap_or_default().to_string_lossy();
                        format!("{place}{name}")
                    }
                    _ => relative.display().to_string(),
                }
            }
        };
        match self.options.task_class {
            true => file.trim_end_matches(".yml").to_string(),
            false => format!("{file}:{}", at.line),
        }
    }

    fn case(&mut self, task: &TaskInfo, host: &str, what: What) {
        let options = &self.options;
        let Some(task) = self.tasks.iter_mut().rev().find(|t| t.id == task.id) else {
            return;
        };
        let setup = matches!(task.action.as_str(), "setup" | "gather_facts");
        if setup && !options.include_setup_tasks {
            return;
        }
        let failed = matches!(what, What::Failed { .. } | What::Error { .. });
        if !failed && !task.name.starts_with(&options.test_case_prefix) {
            return;
        }
        task.cases.push(Case {
            host: host.to_string(),
            seconds: task.start.elapsed().as_secs_f64(),
            what,
        });
    }

    fn result(
        &mut self,
        task: &TaskInfo,
        host: &str,
        result: &TaskResult,
        ignored: bool,
        causes: &[Cause],
    ) {
        // as with Ansible's, hosts that cannot be reached are no test cases
        if result.is_unreachable() {
            return;
        }
        if result.is_skipped() {
            let reason = match hides(task, result) {
                true => None,
                false => result.get("skip_reason").map(crate::python::str),
            };
            let what = What::Skipped(reason.unwrap_or_else(|| "skipped".into()));
            self.case(task, host, what);
            return;
        }
        let name = task.name.as_str();
        let mut failed = match result.counts_as_failed() {
            true => !ignored || self.options.fail_on_ignore,
            false => self.options.fail_on_change && result.is_changed(),
        };
        if failed && name.contains("EXPECTED FAILURE") {
            failed = false;
        } else if name.contains("TOGGLE RESULT") {
            failed = !failed;
        }
        let text = self.out.dump(task, result, Layout::Unindented, false);
        let loops = task.looped && result.get("results").is_some();
        let what = if !failed {
            What::Passed(text)
        } else if result.counts_as_failed() && !loops {
            What::Error {
                message: reason(task, result, causes),
                text: "(traceback missing)\n".into(),
            }
        } else {
            let shown = |key: &str| {
                let value = result.get(key).filter(|_| !hides(task, result));
                value.map(crate::python::str)
            };
            let message = shown("msg")
                .unwrap_or_else(|| format!("rc={}", shown("rc").unwrap_or_else(|| "0".into())));
            What::Failed { message, text }
        };
        self.case(task, host, what);
    }

    /// Writes what there is. What cannot be written is warned about.
    fn write(&self) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let file = self
            .folder
            .join(format!("{}-{}.xml", self.playbook, since.as_secs_f64()));
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&file, document(&self.playbook, &self.tasks)));
        if let Err(e) = written {
            notice::warning(format!("junit: {}: {e}", file.display()));
        }
    }
}

/// Why it failed, in one line.
fn reason(task: &TaskInfo, result: &TaskResult, causes: &[Cause]) -> String {
    if hides(task, result) {
        return "Task failed: the message is hidden by 'no_log: true'".to_string();
    }
    let text = match causes.is_empty() {
        false => failure::render(causes, None),
        true => {
            let msg = result
                .get("msg")
                .map(crate::python::str)
                .unwrap_or_default();
            let who = match task.on_controller {
                true => "Action",
                false => "Module",
            };
            match msg.starts_with("Task failed") {
                true => msg,
                false => format!("Task failed: {who} failed: {msg}"),
            }
        }
    };
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("[ERROR]: ").to_string()
}

/// The path as it is seen from a folder.
fn relative(path: &Path, base: &Path) -> PathBuf {
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
    let common = path
        .components()
        .zip(base.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = base.components().skip(common).map(|_| "..");
    let mut out: PathBuf = up.collect();
    out.extend(path.components().skip(common));
    out
}

fn document(playbook: &str, tasks: &[Task]) -> String {
    let cases = || {
        tasks
            .iter()
            .flat_map(|t| t.cases.iter().map(move |c| (t, c)))
    };
    let count = |wanted: fn(&What) -> bool| cases().filter(|(_, c)| wanted(&c.what)).count();
    let errors = count(|w| matches!(w, What::Error { .. }));
    let failures = count(|w| matches!(w, What::Failed { .. }));
    let skipped = count(|w| matches!(w, What::Skipped(_)));
    let tests = cases().count();
    let time = decimal(cases().map(|(_, c)| c.seconds).sum());
    let mut out = format!(
        "<?xml version=\"1.0\" ?>\n<testsuites disabled=\"0\" errors=\"{errors}\" failures=\"{failures}\" tests=\"{tests}\" time=\"{time}\">\n"
    );
    let _ = writeln!(
        out,
        "\t<testsuite disabled=\"0\" errors=\"{errors}\" failures=\"{failures}\" name=\"{}\" skipped=\"{skipped}\" tests=\"{tests}\" time=\"{time}\">",
        escaped(playbook)
    );
    for (task, case) in cases() {
        let name = format!("[{}] {}: {}", case.host, task.play, task.name);
        let _ = writeln!(
            out,
            "\t\t<testcase classname=\"{}\" name=\"{}\" time=\"{}\">",
            escaped(&task.path),
            escaped(&name),
            decimal(case.seconds)
        );
        let element = match &case.what {
            What::Passed(text) => format!("<system-out>{}</system-out>", escaped(text)),
            What::Skipped(text) => format!("<skipped>{}</skipped>", escaped(text)),
            What::Failed { message, text } => problem("failure", message, text),
            What::Error { message, text } => problem("error", message, text),
        };
        let _ = writeln!(out, "\t\t\t{element}\n\t\t</testcase>");
    }
    out.push_str("\t</testsuite>\n</testsuites>\n");
    out
}

fn problem(kind: &str, message: &str, text: &str) -> String {
    format!(
        "<{kind} message=\"{}\" type=\"{kind}\">{}</{kind}>",
        escaped(message),
        escaped(text)
    )
}

/// Text for XML, without what XML cannot hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if (c as u32) < 0x20 || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// All digits of a number, as Python's Decimal has them.
fn decimal(number: f64) -> String {
    let text = format!("{number:.60}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlaybookStart { file, .. } => {
                let stem = Path::new(file).file_stem().unwrap_or_default();
                self.playbook = stem.to_string_lossy().into_owned();
            }
            Event::PlayStart { name, .. } => self.play = name.trim().to_string(),
            Event::TaskStart(task) => self.begin(task),
            Event::Result {
                task,
                host,
                result,
                ignore_errors,
                causes,
                ..
            } => self.result(task, host, result, *ignore_errors, causes),
            Event::Including { task, host, result } => {
                self.result(task, host, result, false, &[]);
            }
            Event::Included {
                task, file, hosts, ..
            } => {
                let text = format!("{file} (args={{}} vars={{}}): [{}]", hosts.join(", "));
                self.case(task, "include", What::Passed(text));
            }
            Event::Stats { .. } => self.write(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_texts_and_paths() {
        assert_eq!(decimal(0.5), "0.5");
        assert_eq!(decimal(0.0), "0");
        assert_eq!(
            decimal(0.1),
            "0.1000000000000000055511151231257827021181583404541015625"
        );
        assert_eq!(
            escaped("a<b>&\"'\u{1b}[0m\n"),
            "a&lt;b&gt;&amp;&quot;'[0m\n"
        );
        for (path, base, expected) in [
            ("/a/b/c.yml", "/a/b", "c.yml"),
            ("/a/b/c.yml", "/a/x/y", "../../b/c.yml"),
        ] {
            assert_eq!(
                relative(Path::new(path), Path::new(base)),
                Path::new(expected)
            );
        }
    }
}
