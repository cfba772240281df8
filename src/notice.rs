//! Warnings and deprecations: said once, by whoever finds them, printed by whoever reports.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a notice is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `[WARNING]: ...`
    Warning,
    /// `[DEPRECATION WARNING]: ...`
    Deprecated,
    /// Shown from -v on.
    Verbose(u8),
    /// What the engine does, step by step (`DEFAULT_DEBUG`).
    Debug,
}

type Sink = Box<dyn FnMut(Level, &str) + Send>;

/// What was said already, and who prints it.
type State = (HashSet<(Level, String)>, Sink);

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Sets who prints notices. Without a sink they go nowhere.
pub fn set_sink(sink: impl FnMut(Level, &str) + Send + 'static) {
    *STATE.lock().unwrap_or_else(|e| e.into_inner()) = Some((HashSet::new(), Box::new(sink)));
}

thread_local! {
    static CAPTURED: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// Runs `work` and gives what this thread says meanwhile instead of printing it, each notice once.
pub fn capture<T>(work: impl FnOnce() -> T) -> (T, Vec<(Level, String)>) {
    let before = CAPTURED.replace(Some(Vec::new()));
    let result = work();
    let said = CAPTURED.replace(before).unwrap_or_default();
    (result, said)
}

/// Says something to the user; the same words are said once.
pub fn say(level: Level, text: impl Into<String>) {
    let text = text.into();
    let captured = CAPTURED.with_borrow_mut(|captured| {
        let Some(said) = captured else { return false };
        let notice = (level, text.clone());
        if !said.contains(&notice) {
            said.push(notice);
        }
        true
    });
    if captured {
        return;
    }
    let mut state = STATE.lock().unwrap_or_else(|e| e.into_inner());
    if let Some((seen, sink)) = state.as_mut()
        && seen.insert((level, text.clone()))
    {
        sink(level, &text);
    }
}

pub fn warning(text: impl Into<String>) {
    say(Level::Warning, text);
}

pub fn deprecated(text: impl Into<String>) {
    say(Level::Deprecated, text);
}

static DEBUG: AtomicBool = AtomicBool::new(false);

/// Sets whether what the engine does is told.
pub fn set_debug(on: bool) {
    DEBUG.store(on, Ordering::Relaxed);
}

/// A step of the engine, with the process and the time; `text` is made if it is told.
pub fn debug(text: impl FnOnce() -> String) {
    if !DEBUG.load(Ordering::Relaxed) {
        return;
    }
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    let text = format!(
        "{:6} {:.5}: {}",
        std::process::id(),
        now.as_secs_f64(),
        text()
    );
    if let Some((_, sink)) = STATE.lock().unwrap_or_else(|e| e.into_inner()).as_mut() {
        sink(Level::Debug, &text);
    }
}

/// Something worth knowing at `-v` (1), `-vv` (2) and so on.
pub fn verbose(level: u8, text: impl Into<String>) {
    say(Level::Verbose(level), text);
}
