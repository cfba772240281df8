//! Connection `openssh`: the system's ssh program, for what rplay's own ssh cannot do.
//!
//! The first command logs in and stays as the master of a private control socket; the others go through it.

use super::process::ProcessChannel;
use super::{Channel, Target, Transport, Unreachable, ssh};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// See the module's documentation.
pub struct OpenSsh {
    target: Target,
    words: Vec<String>,
    /// Holds the control socket, and the password for ssh to ask for.
    dir: TempDir,
}

impl OpenSsh {
    /// Fails if the arguments cannot be split, or there is no place for the control socket.
    pub fn new(target: &Target) -> Result<OpenSsh, Unreachable> {
        let dir = tempfile::Builder::new()
            .prefix("rplay-ssh-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir()
            .map_err(|e| Unreachable::new(format!("no temporary folder: {e}")))?;
        if target.password.is_some() {
            return Err(Unreachable::new(
                "the system's ssh cannot be given a password: use a key, or the connection 'ssh2'",
            ));
        }
        Ok(OpenSsh {
            target: target.clone(),
            words: ssh::arguments(target)?,
            dir,
        })
    }

    fn command(&self) -> Command {
        let target = &self.target;
        let mut command = Command::new(ssh::program(target));
        command.args(&self.words);
        let mut option = |text: String| {
            command.args(["-o", &text]);
        };
        option("ControlMaster=auto".to_string());
        option(format!(
            "ControlPath={}",
            self.dir.path().join("control").display()
        ));
        option("ControlPersist=60".to_string());
        option("BatchMode=yes".to_string());
        option(format!("ConnectTimeout={}", target.timeout));
        option("ServerAliveInterval=15".to_string());
        if !target.ssh.host_key_checking {
            option("StrictHostKeyChecking=no".to_string());
        }
        if let Some(key) = &target.private_key {
            command.arg("-i").arg(key);
        }
        if let Some(user) = &target.user {
            command.args(["-l", user]);
        }
        if let Some(port) = target.port {
            command.args(["-p", &port.to_string()]);
        }
        command
    }
}

impl Transport for OpenSsh {
    fn start(&mut self, line: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let mut command = self.command();
        command.arg(match tty {
            true => "-tt",
            false => "-T",
        });
        command.arg("--").arg(&self.target.address).arg(line);
        match ProcessChannel::spawn(command) {
            Ok(channel) => Ok(Box::new(channel)),
            Err(e) => Err(Unreachable::new(format!(
                "cannot start {}: {}",
                self.target.ssh.executable,
                crate::machine::reason(&e)
            ))),
        }
    }

    fn name(&self) -> &'static str {
        "openssh"
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        let mut command = self.command();
        command.args(["-O", "exit", "--"]).arg(&self.target.address);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _ = command.status();
    }
}
