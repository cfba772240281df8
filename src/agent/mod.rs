//! The agent: how the controller asks a target to run modules.
//!
//! One agent process serves one connection. Frames go over its standard input and output. The first message
//! of either side is its [`Hello`]; sides of different versions refuse each other. What modules print cannot
//! get between the frames, since they have no way to the agent's own output but [`Reply`].
//!
//! When its input ends, the agent stops what it runs, removes its temporary files and ends.

mod background;
#[cfg(feature = "controller")]
pub mod binary;
mod frame;
mod message;
mod serve;
mod spool;

use std::process::ExitCode;

/// What the program `rplay-agent` does: a job in the background if it was started for one, else to serve the
/// other end of its input and output.
pub fn main() -> ExitCode {
    run_if_job(std::env::args_os());
    crate::machine::running::enter_agent();
    // a lock on standard output cannot go to another thread; the file behind it can
    match serve(std::io::stdin(), std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("rplay-agent: {e}");
            ExitCode::FAILURE
        }
    }
}

pub use background::{run_if_job, start as start_job};
pub use frame::{CHUNK, Frame, MAX_FRAME, read_frame, take_frame, write_bytes, write_message};
pub use message::{Background, Call, Hello, Order, Reply, VERSION};
pub use serve::serve;
