//! Warnings and deprecations: said once, by whoever finds them, printed by whoever reports.

use std::collections::HashSet;
use std::sync::Mutex;

/// How a notice is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `[WARNING]: ...`
    Warning,
    /// `[DEPRECATION WARNING]: ...`
    Deprecated,
    /// Shown from -v on.
    Verbose(u8),
}

type Sink = Box<dyn Fn(Level, &str) + Send>;

static STATE: Mutex<Option<(HashSet<(Level, String)>, Sink)>> = Mutex::new(None);

/// Sets who prints notices. Without a sink they go nowhere.
pub fn set_sink(sink: impl Fn(Level, &str) + Send + 'static) {
    *STATE.lock().unwrap_or_else(|e| e.into_inner()) = Some((HashSet::new(), Box::new(sink)));
}

/// Says something to the user; the same words are said once.
pub fn say(level: Level, text: impl Into<String>) {
    let text = text.into();
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

/// Something worth knowing at `-v` (1), `-vv` (2) and so on.
pub fn verbose(level: u8, text: impl Into<String>) {
    say(Level::Verbose(level), text);
}
