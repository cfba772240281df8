//! Checks of a new content before it takes its place.

use crate::machine::{Command, Machine, Output};
use crate::modules::Failure;
use std::path::Path;

/// Runs the user's `validate` command on a file that holds the new content. `%s` stands for its path.
pub fn run(machine: &Machine, command: &str, file: &Path) -> Result<(), Failure> {
    let output = output(machine, command, file)?;
    match output.rc {
        0 => Ok(()),
        rc => Err(Failure::new("failed to validate")
            .with("exit_status", rc)
            .with("stdout", output.stdout_text())
            .with("stderr", output.stderr_text())),
    }
}

fn output(machine: &Machine, command: &str, file: &Path) -> Result<Output, Failure> {
    if !command.contains("%s") {
        return Err(Failure::new(format!("validate must contain %s: {command}")));
    }
    let line = command.replace("%s", &file.to_string_lossy());
    let words = super::command::split(&line)?;
    let output = machine.probe(&Command::new(words.iter().map(String::as_str)));
    output.map_err(|e| {
        let program = words.first().map_or("", String::as_str);
        let quoted: Vec<String> = words.iter().map(|w| super::command::quote(w)).collect();
        Failure::new("Error executing command.")
            .because(crate::machine::python_error(&e, program.as_ref()))
            .with("cmd", quoted.join(" "))
            .with("rc", i64::from(e.raw_os_error().unwrap_or(1)))
            .with("stdout", "")
            .with("stderr", "")
    })
}

/// As [`run`], for a content that is in no file yet.
pub fn content(machine: &Machine, command: Option<&str>, content: &[u8]) -> Result<(), Failure> {
    match command {
        None => Ok(()),
        Some(command) => in_file(machine, content, |file| run(machine, command, file)),
    }
}

/// What the command says of a content that is in no file yet, whether it succeeds or not.
pub fn outcome(machine: &Machine, command: &str, content: &[u8]) -> Result<Output, Failure> {
    in_file(machine, content, |file| output(machine, command, file))
}

fn in_file<T>(
    machine: &Machine,
    content: &[u8],
    check: impl FnOnce(&Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let io = |e: std::io::Error| Failure::new(crate::machine::errno_text(&e));
    let file = machine.scratch("", false).map_err(io)?;
    let done = machine
        .fill_scratch(&file, content)
        .map_err(io)
        .and_then(|()| check(&file));
    machine.drop_scratch(&file);
    done
}
