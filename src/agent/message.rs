//! What the two sides say to each other.

use crate::machine::{Mode, Stream};
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;

/// Version of the protocol; both sides must have the same.
pub const VERSION: u32 = 4;

/// Who is there: the first message of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always `rplay`.
    pub name: String,
    pub version: u32,
    /// Whether all modules are there; an agent without the rare ones says no.
    #[serde(default)]
    pub full: bool,
    /// Where the agent may put temporary files (`ansible_remote_tmp`); the controller says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmp: Option<String>,
}

impl Hello {
    pub fn own() -> Hello {
        Hello {
            name: "rplay".to_string(),
            version: VERSION,
            full: cfg!(feature = "rare-modules"),
            tmp: None,
        }
    }

    /// Errors with what the other side is, if it is not this side's match.
    pub fn check(&self) -> io::Result<()> {
        match (self.name.as_str(), self.version) {
            ("rplay", VERSION) => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the other side is {} with protocol {}, this one has protocol {VERSION}",
                    self.name, self.version
                ),
            )),
        }
    }
}

/// What the controller asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Order {
    /// Runs module calls in order; one [`Reply::Result`] follows for each that ran, then [`Reply::Done`].
    Run {
        calls: Vec<Call>,
        /// Whether to leave out the rest after a failure.
        stop_at_failure: bool,
    },
    /// Keeps the pieces that follow, to an empty one, as a temporary file: [`Reply::Placed`].
    Put {
        /// The file's name, which the temporary file's name ends with.
        name: String,
    },
    /// Removes a file that [`Order::Put`] made; no reply.
    Discard { path: String },
    /// Sends a file in pieces, to an empty one; then [`Reply::Done`].
    Get { path: String },
    /// Ends the agent.
    Quit,
}

/// One module call.
#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    pub module: String,
    pub args: Value,
    pub mode: Mode,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// Whether to send the lines of commands as they come.
    #[serde(default)]
    pub lines: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
    /// The options of the module: there with its first call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Arc<serde_json::Value>>,
}

/// A job that goes on after its call has returned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Background {
    /// `ansible_job_id`
    pub job: String,
    /// Seconds after which it is stopped.
    pub seconds: u64,
    /// Folder of the job's result (`ansible_async_dir`).
    pub dir: String,
}

/// What the agent answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A line that a command has written; its result follows.
    Line { stream: Stream, text: String },
    /// The result of the call with this place in its order.
    Result {
        call: usize,
        fields: Value,
        /// What reporters say of a failure, where that is more than its `msg`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// Where a file was put.
    Placed { path: String },
    /// A file could not be put or read.
    Refused { msg: String },
    /// All of an order is done.
    Done,
}
