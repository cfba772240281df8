//! The commands that run now, and the files that are being written. An agent whose controller has gone stops
//! the ones and removes the others.
//!
//! In an agent every command has a process group of its own, so that it goes with all that it has started.
//! In the controller it shares the terminal's, so that Ctrl-C reaches it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static AGENT: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// This process is an agent.
pub fn enter_agent() {
    AGENT.store(true, Ordering::Relaxed);
}

/// Whether this process is an agent.
pub fn in_agent() -> bool {
    AGENT.load(Ordering::Relaxed)
}

/// A command that runs until this is dropped.
pub(super) struct Running(Option<Pid>);

impl Running {
    pub(super) fn new(child: &std::process::Child) -> Running {
        let pid = in_agent().then(|| Pid::from_child(child));
        list().extend(pid);
        Running(pid)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        list().retain(|pid| Some(*pid) != self.0);
    }
}

/// A file under a temporary name that is being written until this is dropped.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    pub(super) fn new(path: &Path) -> Unfinished {
        unfinished().push(path.to_path_buf());
        Unfinished(path.to_path_buf())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().retain(|path| *path != self.0);
    }
}

/// Removes the files that are being written. This process is to end at once: nothing of them may come to be.
pub fn remove_unfinished() {
    for path in unfinished().iter() {
        let _ = std::fs::remove_file(path);
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the commands that run, with all that they have started.
pub fn stop_all() {
    for pid in list().iter() {
        // it may have ended by itself
        let _ = kill_process_group(*pid, Signal::TERM);
    }
    if list().is_empty() {
        return;
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    for pid in list().iter() {
        let _ = kill_process_group(*pid, Signal::KILL);
    }
}

fn list() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a command that leads a group of its own, with all that it has started.
pub(super) fn end_group(child: &std::process::Child) {
    let pid = Pid::from_child(child);
    for signal in [Signal::HUP, Signal::CONT, Signal::KILL] {
        let _ = kill_process_group(pid, signal);
    }
}
