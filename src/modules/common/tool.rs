//! Programs of the target that modules work with: where they are, and running them.

use crate::machine::{Command, Machine, Output, errno_text};
use crate::modules::Failure;
use std::ffi::OsString;

/// The path of a program. Fails in Ansible's words if the target does not have it.
pub fn find(machine: &Machine, name: &str) -> Result<String, Failure> {
    if let Some(path) = machine.program(name) {
        return Ok(path.to_string_lossy().into_owned());
    }
    let folders: Vec<String> = machine
        .program_folders()
        .map(|f| f.to_string_lossy().into_owned())
        .collect();
    Err(Failure::new(format!(
        "Failed to find required executable \"{name}\" in paths: {}",
        folders.join(":")
    )))
}

/// A command whose messages are in English, as results of modules are.
pub fn command<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Command {
    let english = ["LANG", "LC_ALL", "LC_MESSAGES"].map(|n| (n.to_string(), "C".to_string()));
    Command {
        env: english.into(),
        ..Command::new(words)
    }
}

/// Runs a command that only looks, see [`Machine::probe`].
pub fn probe<W: Into<OsString>>(
    machine: &Machine,
    words: impl IntoIterator<Item = W>,
) -> Result<Output, Failure> {
    let command = command(words);
    machine.probe(&command).map_err(|e| cannot(&command, &e))
}

/// Runs a command that changes something, see [`Machine::run`]; in check mode it is taken to succeed.
pub fn run<W: Into<OsString>>(
    machine: &mut Machine,
    words: impl IntoIterator<Item = W>,
    reason: &str,
) -> Result<Output, Failure> {
    perform(machine, &command(words), reason)
}

/// As [`run`], for a command that has more to it than words.
pub fn perform(machine: &mut Machine, command: &Command, reason: &str) -> Result<Output, Failure> {
    let ran = machine.run(command, reason);
    Ok(ran.map_err(|e| cannot(command, &e))?.unwrap_or_default())
}

/// What a command said, if it succeeded. Its failure says what it wrote to its standard error.
pub fn succeeded(command: &Command, output: Output) -> Result<Output, Failure> {
    if output.rc == 0 {
        return Ok(output);
    }
    let words = command.argv.iter().map(|w| w.to_string_lossy());
    let words: Vec<String> = words.map(|w| super::command::quote(&w)).collect();
    let stderr = output.stderr_text();
    Err(Failure::new(stderr.trim_end())
        .with("cmd", words.join(" "))
        .with("rc", output.rc)
        .with("stdout", output.stdout_text())
        .with("stderr", stderr))
}

/// Why a command could not be started.
pub fn cannot(command: &Command, e: &std::io::Error) -> Failure {
    let program = command.argv.first().map(|p| p.to_string_lossy());
    let program = program.unwrap_or_default();
    Failure::new(format!("{}: {program}", errno_text(e)))
        .with("rc", i64::from(e.raw_os_error().unwrap_or(1)))
        .with("cmd", program.into_owned())
}
