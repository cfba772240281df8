//! The log file (`log_path`): what is printed, line for line, with the time and who ran it.
//!
//! <https://docs.ansible.com/ansible/latest/reference_appendices/logging.html>
//!
//! There is one for the process, as there is one screen. What `no_log` hides on the screen is hidden here too. A
//! log is made so that its owner alone can read it: results hold secrets that nobody has marked.

use crate::config::Config;
use crate::notice;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of the logger, which `log_filter` can name.
const LOGGER: &str = "ansible";

enum State {
    /// There is no log.
    Off,
    /// It is not known yet whether there is one: this is for it.
    Waiting(Vec<String>),
    Open(Log),
}

struct Log {
    file: File,
    /// What is said at that many `-v` goes into it, even where the screen shows less.
    verbosity: u8,
}

static STATE: Mutex<State> = Mutex::new(State::Off);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what is printed until [`open`] says whether it is logged.
pub fn expect() {
    *state() = State::Waiting(Vec::new());
}

/// Opens the log that the settings name; one that cannot be written is warned about, as with Ansible.
pub fn open(config: &Config) {
    let waiting = match std::mem::replace(&mut *state(), State::Off) {
        State::Waiting(lines) => lines,
        _ => Vec::new(),
    };
    let Some(path) = &config.log_path else {
        return;
    };
    let filtered = config
        .log_filter
        .iter()
        .any(|name| name.is_empty() || name == LOGGER);
    if filtered {
        return;
    }
    let shown = path.display();
    if path.is_dir() {
        notice::warning(format!(
            "DEFAULT_LOG_PATH can not be a directory '{shown}', aborting"
        ));
        return;
    }
    let Some(mut file) = writable(path) else {
        notice::warning(format!(
            "log file at '{shown}' is not writeable and we cannot create it, aborting"
        ));
        return;
    };
    if file
        .metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o004 != 0)
    {
        notice::warning(format!(
            "the log file {shown} can be read by everybody: take that away with `chmod o= {shown}`"
        ));
    }
    for line in waiting {
        let _ = file.write_all(line.as_bytes());
    }
    *state() = State::Open(Log {
        file,
        verbosity: u8::try_from(config.log_verbosity.unwrap_or(0)).unwrap_or(u8::MAX),
    });
}

fn writable(path: &Path) -> Option<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .ok()
}

/// The verbosity from which on nothing is logged, where that of the screen is lower.
pub fn verbosity() -> u8 {
    match &*state() {
        State::Open(log) => log.verbosity,
        _ => 0,
    }
}

/// Adds a text that was printed.
pub fn add(text: &str) {
    let mut state = state();
    if matches!(*state, State::Off) {
        return;
    }
    let Some(entry) = entry(text, &head()) else {
        return;
    };
    match &mut *state {
        State::Off => {}
        State::Waiting(lines) => lines.push(entry),
        // a full disk is no reason to stop the run half way
        State::Open(log) => drop(log.file.write_all(entry.as_bytes())),
    }
}

/// When, and who: what an entry begins with.
fn head() -> String {
    format!(
        "{} p={} u={} n={LOGGER}",
        jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f"),
        std::process::id(),
        user()
    )
}

/// The text as it is logged; none if there is nothing in it.
fn entry(text: &str, head: &str) -> Option<String> {
    let text = text.trim_start_matches('\n');
    if text.is_empty() {
        return None;
    }
    let (level, is_notice) = match text {
        t if t.starts_with("[ERROR]: ") => ("ERROR", true),
        t if t.starts_with("[WARNING]: ") => ("WARNING", true),
        t if t.starts_with("[DEPRECATION WARNING]: ") => ("INFO", true),
        _ => ("INFO", false),
    };
    // an empty line is behind each of these
    let more = match is_notice && !text.ends_with('\n') {
        true => "\n",
        false => "",
    };
    Some(format!("{head} {level}| {text}{more}\n"))
}

/// Who runs this, as Python's `getpass.getuser` finds out.
fn user() -> String {
    let named = ["LOGNAME", "USER", "LNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    named.unwrap_or_else(|| {
        let id = rustix::process::getuid().as_raw().to_string();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.get(2) == Some(&id.as_str())).then(|| fields[0].to_string())
        });
        name.unwrap_or(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_begin_with_who_and_what() {
        for (text, expected) in [
            ("\nPLAY [all] ***", Some("H INFO| PLAY [all] ***\n")),
            ("", None),
            ("\n", None),
            ("[WARNING]: w", Some("H WARNING| [WARNING]: w\n\n")),
            (
                "[DEPRECATION WARNING]: d",
                Some("H INFO| [DEPRECATION WARNING]: d\n\n"),
            ),
            (
                "[ERROR]: e\n^ column 1\n\n",
                Some("H ERROR| [ERROR]: e\n^ column 1\n\n\n"),
            ),
        ] {
            assert_eq!(entry(text, "H").as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_log_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let made = writable(&path).expect("a file");
        let mode = made
            .metadata()
            .expect("its attributes")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
