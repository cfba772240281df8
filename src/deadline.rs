//! Until when the task at hand may run: the `timeout` keyword.
//!
//! A task's deadline is that of the thread that runs it. Whatever waits asks how long it still may, and gives up
//! at the deadline; that the task failed because of it is said by the one who set it.
//!
//! See `timeout` in <https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html>.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does something that is to give up at `end`.
pub fn until<T>(end: Option<Instant>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Instant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            END.set(self.0);
        }
    }
    let _restore = Restore(END.replace(end));
    work()
}

/// When this thread's task has to be over, if at any time.
pub fn end() -> Option<Instant> {
    END.get()
}

/// How long it still may run; nothing is left once the deadline has passed.
pub fn left() -> Option<Duration> {
    let end = END.get()?;
    Some(end.saturating_duration_since(Instant::now()))
}

pub fn has_passed() -> bool {
    left() == Some(Duration::ZERO)
}

/// The shorter of `wait` and what is left; without a `wait`, what is left.
pub fn at_most(wait: Option<Duration>) -> Option<Duration> {
    match (wait, left()) {
        (Some(wait), Some(left)) => Some(wait.min(left)),
        (wait, left) => wait.or(left),
    }
}

/// Sleeps, but not beyond the deadline.
pub fn sleep(time: Duration) {
    std::thread::sleep(at_most(Some(time)).unwrap_or(time));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_for_the_work_alone() {
        assert_eq!(at_most(None), None);
        let long = Duration::from_secs(1000);
        until(Some(Instant::now()), || {
            assert!(has_passed());
            assert_eq!(at_most(None), Some(Duration::ZERO));
            sleep(long);
            until(None, || assert_eq!(at_most(Some(long)), Some(long)));
            assert!(has_passed());
        });
        assert!(!has_passed());
    }
}
