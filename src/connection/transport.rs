//! What every kind of connection can do: start a command at the host and talk with it.

use super::Unreachable;
use std::io;
use std::time::Duration;

/// An open way to a host. Dropping it closes it.
pub trait Transport: Send {
    /// Starts a command line in the login shell of the remote user.
    ///
    /// With `tty` it gets a terminal: its errors come as output then, and lines end as terminals end them.
    fn start(&mut self, command: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable>;

    /// Whether it can still be used, as far as that is known without asking the host.
    fn is_alive(&mut self) -> bool {
        true
    }

    /// How users know it, for messages: `ssh`, `docker`.
    fn name(&self) -> &'static str;
}

/// What comes from a command that runs at the host.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Output(Vec<u8>),
    Error(Vec<u8>),
    /// It has ended, with this exit status if there is one; or the connection has. Nothing follows.
    Ended(Option<i32>),
    /// Nothing came in the time given.
    Nothing,
}

/// A command that runs at the host. Dropping it hangs up: the command sees the end of its input.
pub trait Channel: Send {
    /// Writes everything to its standard input. What it says meanwhile is kept for `receive`.
    ///
    /// Fails if the command or the connection has ended.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Closes its standard input.
    fn close_input(&mut self) -> io::Result<()>;

    /// Waits for what it says, at most `wait`, else as long as the connection lives.
    ///
    /// Fails if the connection fails.
    fn receive(&mut self, wait: Option<Duration>) -> io::Result<Event>;
}
