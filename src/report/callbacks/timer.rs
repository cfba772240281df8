//! The callback `timer`: how long the run took.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/posix/timer_callback.html>

use crate::report::screen::{Screen, Stream};
use crate::report::{Event, Reporter};
use std::time::Instant;

/// Prints the time since it was made, at the end of each playbook.
pub struct Timer {
    screen: Screen,
    start: Instant,
}

impl Timer {
    pub fn new(screen: Screen) -> Timer {
        Timer {
            screen,
            start: Instant::now(),
        }
    }
}

/// `N days, N hours, N minutes, N seconds`
fn in_words(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    format!(
        "{days} days, {} hours, {} minutes, {} seconds",
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}

impl Reporter for Timer {
    fn event(&mut self, event: &Event) {
        if let Event::Stats { .. } = event {
            self.screen.banner("PLAYBOOK RECAP");
            let took = in_words(self.start.elapsed().as_secs());
            let text = format!("Playbook run took {took}\n\r");
            self.screen.print(Stream::Out, &text, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_days_hours_and_minutes() {
        for (seconds, words) in [
            (0, "0 days, 0 hours, 0 minutes, 0 seconds"),
            (3_661, "0 days, 1 hours, 1 minutes, 1 seconds"),
            (183_845, "2 days, 3 hours, 4 minutes, 5 seconds"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
