//! What the callbacks that measure tasks have in common: a clock, and lines with times at their ends.

use crate::report::screen::{Screen, Stream};
use std::time::{Duration, Instant};

/// Characters of a line.
const WIDTH: usize = 79;
/// Characters of the column of times.
const COLUMN: usize = 9;

/// The time since the run began, and since the last look.
pub struct Clock {
    start: Instant,
    last: Instant,
}

impl Clock {
    pub fn start() -> Clock {
        let now = Instant::now();
        Clock {
            start: now,
            last: now,
        }
    }

    /// Prints the day and time, the time since this was last called, and that since the start.
    pub fn print(&mut self, screen: &Screen) {
        let now = Instant::now();
        let text = format!(
            "{} ({}){}{}",
            jiff::Zoned::now().strftime("%A %d %B %Y  %H:%M:%S %z"),
            in_digits(now - self.last),
            " ".repeat(7),
            in_digits(now - self.start),
        );
        self.last = now;
        screen.print(Stream::Out, &filled(&text, '*'), None);
    }
}

/// `H:MM:SS.mmm`
fn in_digits(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        time.subsec_millis()
    )
}

/// The text, if any, and signs up to the width; at least three.
pub fn filled(text: &str, sign: char) -> String {
    let text = match text {
        "" => String::new(),
        text => format!("{text} "),
    };
    let width = WIDTH.saturating_sub(text.chars().count()).max(3);
    format!("{text}{} ", sign.to_string().repeat(width))
}

/// A name, dashes, and a time in seconds.
pub fn line(name: &str, time: Duration) -> String {
    let name = dashed(&format!("{name} "), WIDTH - COLUMN);
    format!("{name}{:->COLUMN$}", format!(" {:.2}s", time.as_secs_f64()))
}

/// The text and dashes up to a width.
fn dashed(text: &str, width: usize) -> String {
    format!("{text:-<width$}")
}

/// A line with dashes only behind the text.
pub fn rest(text: &str) -> String {
    dashed(&format!("{text} "), WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_ansibles() {
        assert_eq!(in_digits(Duration::from_millis(3_723_004)), "1:02:03.004");
        assert_eq!(
            filled("", '='),
            "=============================================================================== "
        );
        assert_eq!(
            filled(
                "Tuesday 01 December 2026  04:24:18 +0000 (0:00:00.028)       0:00:00.028",
                '*'
            ),
            "Tuesday 01 December 2026  04:24:18 +0000 (0:00:00.028)       0:00:00.028 ****** "
        );
        assert_eq!(
            line("r : ping", Duration::from_millis(882)),
            "r : ping ---------------------------------------------------------------- 0.88s"
        );
        let long = "a name that is rather long for a column and goes on and on and on until it is too long for it";
        assert_eq!(
            line(long, Duration::from_millis(1_270)),
            format!("{long} --- 1.27s")
        );
        assert_eq!(
            rest("/tmp/cb/t/prof.yml:20"),
            "/tmp/cb/t/prof.yml:20 ---------------------------------------------------------"
        );
    }
}
