//! `rplay-agent-full`: the same agent with the modules that few playbooks use.

#[cfg(all(target_env = "musl", panic = "abort"))]
mod no_unwind;

fn main() -> std::process::ExitCode {
    rplay::agent::main()
}
