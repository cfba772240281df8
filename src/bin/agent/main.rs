//! `rplay-agent`: runs modules on a target for the controller at the other end of its input and output.

#[cfg(all(target_env = "musl", panic = "abort"))]
mod no_unwind;

fn main() -> std::process::ExitCode {
    rplay::agent::main()
}
