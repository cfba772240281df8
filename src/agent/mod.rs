//! The agent: how the controller asks a target to run modules.
//!
//! One agent process serves one connection. Frames go over its standard input and output: four bytes of
//! length (big endian), then that much JSON. The first frame of either side is its [`Hello`]; sides of
//! different versions refuse each other. What modules print cannot get between the frames, since they
//! have no way to the agent's own output but [`Reply`].

mod frame;

pub use frame::{MAX_FRAME, read_frame, write_frame};

use crate::machine::{Machine, Mode};
use crate::modules;
use crate::value::{Map, Value};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// Version of the protocol; both sides must have the same.
pub const VERSION: u32 = 1;

/// Who is there: the first frame of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Always `rplay`.
    pub name: String,
    pub version: u32,
}

impl Hello {
    pub fn own() -> Hello {
        Hello {
            name: "rplay".to_string(),
            version: VERSION,
        }
    }

    /// Errors with what the other side is, if it is not this side's match.
    pub fn check(&self) -> io::Result<()> {
        match *self == Hello::own() {
            true => Ok(()),
            false => Err(io::Error::new(
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
    /// Runs module calls in order; one [`Reply::Result`] follows for each that ran.
    Run {
        calls: Vec<Call>,
        /// Whether to leave out the rest after a failure.
        stop_at_failure: bool,
    },
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
}

/// What the agent answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The result of the call with this place in its order.
    Result {
        call: usize,
        fields: Value,
        /// What reporters say of a failure, where that is more than its `msg`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// All of an order is done.
    Done,
}

/// Serves orders until the other side closes or says [`Order::Quit`].
///
/// Fails if a frame is malformed or too large, or the other side is another version.
pub fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    write_frame(&mut output, &Hello::own())?;
    match read_frame::<Hello>(&mut input)? {
        Some(hello) => hello.check()?,
        None => return Ok(()),
    }
    while let Some(order) = read_frame::<Order>(&mut input)? {
        let Order::Run {
            calls,
            stop_at_failure,
        } = order
        else {
            break;
        };
        for (number, call) in calls.into_iter().enumerate() {
            let args = match call.args {
                Value::Map(map) => (*map).clone(),
                _ => Map::default(),
            };
            let mut machine = Machine::new(call.mode, call.environment);
            let result = modules::run(&call.module, args, &mut machine);
            let failed = result.is_failed();
            let reply = Reply::Result {
                call: number,
                fields: result.to_value(),
                words: result.error.map(|e| e.message().to_string()),
            };
            write_frame(&mut output, &reply)?;
            if failed && stop_at_failure {
                break;
            }
        }
        write_frame(&mut output, &Reply::Done)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::pipe;

    fn call(module: &str, args: &str) -> Call {
        Call {
            module: module.to_string(),
            args: serde_json::from_str(args).unwrap(),
            mode: Mode::default(),
            environment: vec![("RPLAY_TEST".to_string(), "seen".to_string())],
        }
    }

    #[test]
    fn modules_run_over_a_pipe() {
        let (there, mut to_agent) = pipe().unwrap();
        let (mut from_agent, back) = pipe().unwrap();
        let agent = std::thread::spawn(move || serve(there, back));
        let hello: Hello = read_frame(&mut from_agent).unwrap().unwrap();
        hello.check().unwrap();
        write_frame(&mut to_agent, &Hello::own()).unwrap();
        let calls = vec![
            call("command", r#"{"argv":["sh","-c","printf $RPLAY_TEST"]}"#),
            call("command", r#"{"argv":["false"]}"#),
            call("ping", "{}"),
        ];
        let order = Order::Run {
            calls,
            stop_at_failure: true,
        };
        write_frame(&mut to_agent, &order).unwrap();
        let mut results = Vec::new();
        while let Reply::Result { fields, .. } = read_frame(&mut from_agent).unwrap().unwrap() {
            results.push(fields);
        }
        assert_eq!(results.len(), 2, "the call after the failure is left out");
        assert_eq!(results[0].get("stdout"), Some(&"seen".into()));
        assert_eq!(results[0].get("rc"), Some(&Value::Int(0)));
        assert_eq!(results[1].get("failed"), Some(&Value::Bool(true)));
        write_frame(&mut to_agent, &Order::Quit).unwrap();
        agent.join().unwrap().unwrap();
    }

    #[test]
    fn another_version_is_refused() {
        let mut input = Vec::new();
        let stranger = Hello {
            name: "rplay".to_string(),
            version: VERSION + 1,
        };
        write_frame(&mut input, &stranger).unwrap();
        let refused = serve(&input[..], io::sink()).unwrap_err();
        assert!(refused.to_string().contains("protocol 2"), "{refused}");
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_before_it_is_read() {
        let huge = u32::MAX.to_be_bytes();
        assert!(serve(&huge[..], io::sink()).is_err());
    }
}
