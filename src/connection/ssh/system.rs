//! The system's ssh program, asked what the configuration says (`ssh -G`) where rplay cannot tell.

use super::config::{Lines, split_option};
use crate::connection::{Target, Unreachable};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Answers, by the command line.
static ASKED: LazyLock<Mutex<HashMap<Vec<String>, Lines>>> = LazyLock::new(Mutex::default);

/// The program: `ansible_ssh_executable`, or `ssh`.
pub fn program(target: &Target) -> &str {
    match target.ssh.executable.as_str() {
        "" => "ssh",
        program => program,
    }
}

/// The whole configuration for a target; none if there is no ssh.
///
/// Fails with ssh's own words if it refuses the configuration.
pub fn configuration(target: &Target, words: &[String]) -> Result<Option<Lines>, Unreachable> {
    let mut line = vec![program(target).to_string(), "-G".to_string()];
    line.extend_from_slice(words);
    if let Some(user) = &target.user {
        line.extend(["-l".to_string(), user.clone()]);
    }
    if let Some(port) = target.port {
        line.extend(["-p".to_string(), port.to_string()]);
    }
    line.extend(["--".to_string(), target.address.clone()]);
    let asked = || ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = asked().get(&line) {
        return Ok(Some(known.clone()));
    }
    let output = Command::new(&line[0])
        .args(&line[1..])
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            return Err(Unreachable::new(format!(
                "cannot start {}: {}",
                line[0],
                crate::machine::reason(&e)
            )));
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Unreachable::new(format!(
            "Failed to connect to the host via ssh: {}",
            said.trim()
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Lines = text.lines().map(split_option).collect();
    asked().insert(line, lines.clone());
    Ok(Some(lines))
}
