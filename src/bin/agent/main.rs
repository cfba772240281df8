//! `rplay-agent`: runs modules on a target for the controller at the other end of its input and output.

#[cfg(all(target_env = "musl", panic = "abort"))]
mod no_unwind;

use std::process::ExitCode;

fn main() -> ExitCode {
    rplay::agent::run_if_job(std::env::args_os());
    rplay::machine::running::enter_agent();
    // a lock on standard output cannot go to another thread; the file behind it can
    match rplay::agent::serve(std::io::stdin(), std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("rplay-agent: {e}");
            ExitCode::FAILURE
        }
    }
}
