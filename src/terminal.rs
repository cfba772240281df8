//! The line at the bottom of the terminal that says what goes on, and questions, which it must not run over.
//!
//! There is one terminal, so this is one state for the process.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    shown: bool,
    /// Questions that wait for an answer.
    asking: usize,
}

static STATE: Mutex<State> = Mutex::new(State {
    shown: false,
    asking: 0,
});

/// Nothing is shown in passing while this lives.
pub struct Held(#[allow(dead_code)] MutexGuard<'static, State>);

/// Takes away what is shown in passing, for something to be printed that stays.
pub fn hold() -> Held {
    let mut state = lock();
    clear(&mut state);
    Held(state)
}

/// Shows a line in passing on standard error, in place of the one before it.
///
/// It must fit the terminal's width and hold no control characters.
pub fn show(line: &str) {
    let mut state = lock();
    if state.asking == 0 {
        write(&format!("\r\x1b[K{line}"));
        state.shown = true;
    }
}

/// Nothing is shown in passing while somebody is asked something.
pub struct Question(());

impl Question {
    pub fn begin() -> Question {
        let mut state = lock();
        clear(&mut state);
        state.asking += 1;
        Question(())
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        lock().asking -= 1;
    }
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clear(state: &mut State) {
    if std::mem::take(&mut state.shown) {
        write("\r\x1b[K");
    }
}

fn write(text: &str) {
    let mut terminal = std::io::stderr();
    // a terminal that has gone away is no reason to stop
    let _ = terminal
        .write_all(text.as_bytes())
        .and_then(|()| terminal.flush());
}

/// Asks for something that is not shown while it is typed.
///
/// Without a terminal it is a line of the standard input. Fails if there is none.
pub fn secret(prompt: &str) -> std::io::Result<String> {
    let _question = Question::begin();
    let alone = rustix::fs::open(
        "/dev/tty",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    );
    if alone.is_ok() {
        return rpassword::prompt_password(prompt);
    }
    write("Warning: Password input may be echoed.\n");
    write(prompt);
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line)?;
    write("\n");
    match read {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end_matches(['\n', '\r']).to_string()),
    }
}
