//! `rplay-agent`: runs modules on a target for the controller at the other end of its input and output.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rplay::agent::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("rplay-agent: {e}");
            ExitCode::FAILURE
        }
    }
}
