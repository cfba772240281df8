//! Connections `docker` and `podman`: commands in a container that runs, through the engine's program.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/community/docker/docker_connection.html> and
//! <https://docs.ansible.com/ansible/latest/collections/containers/podman/podman_connection.html>.

use super::process::ProcessChannel;
use super::{Channel, Target, Transport, Unreachable};
use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};

/// See the module's documentation.
pub struct Container {
    /// `docker`, `podman`
    engine: &'static str,
    /// The program and its own arguments.
    program: Vec<String>,
    name: String,
    user: Option<String>,
    shell: String,
}

impl Container {
    /// Fails if the container does not run, or the engine's program does not say so.
    pub fn connect(target: &Target, engine: &'static str) -> Result<Container, Unreachable> {
        let mut program = vec![
            target
                .executable
                .clone()
                .unwrap_or_else(|| engine.to_string()),
        ];
        let extra = target.extra_args.as_deref().unwrap_or_default();
        program.extend(shell_words::split(extra).map_err(|e| {
            Unreachable::new(format!(
                "the value of ansible_{engine}_extra_args cannot be split into words: {e}"
            ))
        })?);
        let container = Container {
            engine,
            program,
            name: target.address.clone(),
            user: target.user.clone(),
            shell: target.shell.clone(),
        };
        container.check()?;
        Ok(container)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]);
        command
    }

    fn check(&self) -> Result<(), Unreachable> {
        let mut command = self.command();
        command
            .args(["inspect", "--type", "container"])
            .args(["--format", "{{.State.Running}}", &self.name])
            .stdin(Stdio::null());
        let output = command.output().map_err(|e| self.cannot_start(&e))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(Unreachable::new(format!(
                "{} cannot reach the container '{}': {}",
                self.engine,
                self.name,
                said.trim()
            )));
        }
        match String::from_utf8_lossy(&output.stdout).trim() {
            "true" => Ok(()),
            _ => Err(Unreachable::new(format!(
                "the container '{}' is not running",
                self.name
            ))),
        }
    }

    fn cannot_start(&self, e: &io::Error) -> Unreachable {
        let program = &self.program[0];
        Unreachable::new(match e.kind() {
            ErrorKind::NotFound => format!("{program} command not found in PATH"),
            _ => format!("cannot start {program}: {}", crate::machine::reason(e)),
        })
    }
}

impl Transport for Container {
    fn start(&mut self, line: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let mut command = self.command();
        command.args(["exec", "-i"]);
        if tty {
            command.arg("-t");
        }
        if let Some(user) = &self.user {
            command.args(["-u", user]);
        }
        command.args([&self.name, &self.shell, "-c", line]);
        let channel = match tty {
            true => ProcessChannel::spawn_with_tty(command),
            false => ProcessChannel::spawn(command),
        };
        match channel {
            Ok(channel) => Ok(Box::new(channel)),
            Err(e) => Err(self.cannot_start(&e)),
        }
    }

    fn name(&self) -> &'static str {
        self.engine
    }
}
