//! The lines of commands, shown while they run: on standard error, so that the report stays what it is.

use super::screen::{Screen, Stream};
use crate::config::Live as When;
use crate::machine;
use crate::terminal;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Takes a line that a command on a host has written, from any thread.
pub type Live = Arc<dyn Fn(&str, machine::Stream, &str) + Send + Sync>;

/// What runs shorter is not shown in passing: it would only flicker.
const SOON: Duration = Duration::from_millis(700);
/// Time between two lines that are shown in passing.
const PACE: Duration = Duration::from_millis(100);

/// What takes the lines of one task; none where nobody is to see them.
///
/// Where lines are to stay, each is printed behind the host's name. Else a terminal shows the latest one
/// at its bottom, until something is printed.
pub fn of_task(screen: &Screen, when: When) -> Option<Live> {
    match when {
        When::Lines => {
            let screen = screen.clone();
            Some(Arc::new(move |host, _, line| {
                let text = format!("{host} | {}", harmless(line));
                screen.show(Stream::Err, text);
            }))
        }
        When::Auto if has_passing_line() => Some(passing(screen.columns())),
        When::Auto | When::No => None,
    }
}

fn passing(columns: usize) -> Live {
    let next = Mutex::new(Instant::now() + SOON);
    Arc::new(move |host, _, line| {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now < *next || line.trim().is_empty() {
            return;
        }
        *next = now + PACE;
        let text = format!("{host} | {}", harmless(line));
        terminal::show(&console::truncate_str(&text, columns, "…"));
    })
}

/// Whether there is a terminal that both streams go to and that can take a line away again.
fn has_passing_line() -> bool {
    let dumb = std::env::var("TERM").map_or(true, |term| term.is_empty() || term == "dumb");
    !dumb && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Without what a terminal would obey: a host is not to write wherever it likes.
fn harmless(line: &str) -> String {
    let plain = console::strip_ansi_codes(line);
    let kept = plain.trim_end().chars().map(|c| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_given_orders() {
        for (line, expected) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m\t10%  ", "red 10%"),
            ("bell\x07 \x1b]0;title\x07end", "bell\u{fffd} end"),
        ] {
            assert_eq!(harmless(line), expected);
        }
    }
}
