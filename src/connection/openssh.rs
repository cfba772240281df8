//! Connection `openssh`: the system's ssh program, for what rplay's own ssh cannot do.
//!
//! One login per host stays in the background as the master of a private control socket; commands go through
//! it. The program reads ssh's configuration itself.

use super::process::ProcessChannel;
use super::{Channel, Event, Target, Transport, Unreachable, ssh};
use crate::secret::Secret;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// See the module's documentation.
pub struct OpenSsh {
    target: Target,
    words: Vec<String>,
    /// Holds the control socket, what ssh says while it logs in, and how it gets the password.
    dir: TempDir,
}

/// One login at a time may ask at the terminal.
static ASKING: Mutex<()> = Mutex::new(());

impl OpenSsh {
    /// Logs in.
    pub fn connect(target: &Target) -> Result<OpenSsh, Unreachable> {
        let dir = tempfile::Builder::new()
            .prefix("rplay-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|e| Unreachable::new(format!("no temporary folder: {e}")))?;
        let ssh = OpenSsh {
            target: target.clone(),
            words: ssh::arguments(target)?,
            dir,
        };
        let mut attempt = 0;
        loop {
            match ssh.log_in() {
                Ok(()) => return Ok(ssh),
                Err(e) if attempt < target.ssh.retries && !e.msg.contains("Permission denied") => {
                    // as Ansible waits between attempts
                    let seconds = 2u64.saturating_pow(attempt).saturating_sub(1).min(30);
                    std::thread::sleep(Duration::from_secs(seconds));
                    attempt += 1;
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Where a key is kept, for as long as the connection lives, that the user gave itself.
    fn key(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    fn keep_key(&self) -> io::Result<()> {
        let Some(key) = &self.target.ssh.key else {
            return Ok(());
        };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.key())?;
        writeln!(file, "{}", key.reveal().trim())
    }

    fn control(&self) -> PathBuf {
        self.dir.path().join("control")
    }

    /// ssh with all that is said of the host. Of an option that is given twice ssh takes the first.
    fn command(&self, first: &[&str]) -> Command {
        let target = &self.target;
        let mut command = Command::new(ssh::program(target));
        command.arg("-S").arg(self.control());
        for option in first {
            command.args(["-o", option]);
        }
        command.args(&self.words);
        let mut option = |text: String| {
            command.args(["-o", &text]);
        };
        if !target.ssh.host_key_checking {
            option("StrictHostKeyChecking=no".to_string());
        }
        option(format!("ConnectTimeout={}", target.timeout));
        // a host that has died must not be waited for without end
        option("ServerAliveInterval=15".to_string());
        if target.ssh.key.is_some() {
            command.arg("-i").arg(self.key());
            command.args(["-o", "IdentitiesOnly=yes"]);
        } else if let Some(key) = &target.private_key {
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

    /// Starts the master. It goes into the background once it has logged in.
    fn log_in(&self) -> Result<(), Unreachable> {
        let failed = |e: io::Error| match e.kind() {
            ErrorKind::NotFound => Unreachable::new(format!(
                "the program '{0}' was not found, and rplay's own ssh cannot do this: install OpenSSH's client",
                ssh::program(&self.target)
            )),
            _ => Unreachable::new(format!(
                "cannot start {}: {}",
                ssh::program(&self.target),
                crate::machine::reason(&e)
            )),
        };
        let given = self.target.password.is_some() || self.target.ssh.passphrase.is_some();
        let asks = !given && ssh::has_terminal();
        let mut options = vec!["ControlMaster=yes", "ControlPersist=no"];
        match (given, asks) {
            (true, _) => options.push("NumberOfPasswordPrompts=1"),
            (false, true) => {}
            (false, false) => options.push("BatchMode=yes"),
        }
        self.keep_key().map_err(failed)?;
        let mut command = self.command(&options);
        let _answers = match given {
            true => Some(self.give(&mut command).map_err(failed)?),
            false => None,
        };
        let said = self.dir.path().join("said");
        let file = File::create(&said).map_err(failed)?;
        command
            .args(["-f", "-N", "--"])
            .arg(&self.target.address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(file));
        let one = match asks {
            true => Some((
                ASKING.lock().unwrap_or_else(PoisonError::into_inner),
                crate::terminal::Question::begin(),
            )),
            false => {
                // SAFETY: between fork and exec only this system call is made, which does not allocate.
                unsafe {
                    command.pre_exec(|| {
                        rustix::process::setsid()?;
                        Ok(())
                    });
                }
                None
            }
        };
        let status = command.status().map_err(failed)?;
        drop(one);
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read(&said).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).replace('\r', "");
        let said: Vec<&str> = said
            .lines()
            .filter(|line| !line.starts_with("Warning: Permanently added"))
            .collect();
        Err(ssh::unreachable(match said.join("\n").trim() {
            "" => "ssh ended without a word",
            said => said,
        }))
    }

    /// Has ssh ask a small script for passwords, which gets them from pipes: they are in no argument, in no
    /// environment and in no file. The pipes live as long as what is returned.
    fn give(&self, command: &mut Command) -> io::Result<Vec<File>> {
        let ssh = &self.target.ssh;
        let script = self.dir.path().join("ask");
        let mut cases = String::new();
        let mut pipes = Vec::new();
        for (name, secret, prompt) in [
            ("phrase", &ssh.passphrase, "assphrase"),
            (
                "answer",
                &self.target.password,
                ssh.password_prompt.as_deref().unwrap_or("assword"),
            ),
        ] {
            let Some(secret) = secret else { continue };
            let path = self.dir.path().join(name);
            cases += &format!(
                "*{}*) IFS= read -r line <{} && printf '%s\\n' \"$line\" ;;\n",
                super::escalate::quote(prompt),
                super::escalate::quote(&path.to_string_lossy()),
            );
            pipes.push(pipe(&path, secret)?);
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o700)
            .open(&script)?;
        file.write_all(
            format!("#!/bin/sh\ncase \"$1\" in\n{cases}*) exit 1 ;;\nesac\n").as_bytes(),
        )?;
        command
            .env("SSH_ASKPASS", script)
            .env("SSH_ASKPASS_REQUIRE", "force");
        if std::env::var_os("DISPLAY").is_none() {
            // before OpenSSH 8.4 it asked the script only where there was a display
            command.env("DISPLAY", ":0");
        }
        Ok(pipes)
    }
}

/// A pipe that has a secret to give, once for each of the two ways in which it may be asked for.
fn pipe(path: &Path, secret: &Secret) -> io::Result<File> {
    if !path.exists() {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    }
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    file.write_all(format!("{0}\n{0}\n", secret.reveal()).as_bytes())?;
    Ok(file)
}

impl Transport for OpenSsh {
    fn start(&mut self, line: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let mut command = self.command(&["ControlMaster=no", "BatchMode=yes"]);
        command.args(match tty {
            // quiet, for its farewell not to be taken for output
            true => &["-tt", "-q", "-e", "none"][..],
            false => &["-T"],
        });
        command.arg("--").arg(&self.target.address).arg(line);
        let channel = match tty {
            // the master takes the terminal's settings from the one that it is given
            true => ProcessChannel::spawn_with_tty(command),
            false => ProcessChannel::spawn(command),
        };
        match channel {
            Ok(channel) => Ok(Box::new(ThroughMaster {
                channel,
                control: self.control(),
                host: self.target.address.clone(),
            })),
            Err(e) => Err(Unreachable::new(format!(
                "cannot start {}: {}",
                ssh::program(&self.target),
                crate::machine::reason(&e)
            ))),
        }
    }

    fn is_alive(&mut self) -> bool {
        self.control().exists()
    }

    fn name(&self) -> &'static str {
        "openssh"
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        if !self.control().exists() {
            return;
        }
        let mut command = self.command(&[]);
        command.args(["-O", "exit", "--"]).arg(&self.target.address);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _ = command.status();
    }
}

/// A command that runs through the master.
struct ThroughMaster {
    channel: ProcessChannel,
    control: PathBuf,
    host: String,
}

impl Channel for ThroughMaster {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.channel.send(bytes)
    }

    fn close_input(&mut self) -> io::Result<()> {
        self.channel.close_input()
    }

    fn receive(&mut self, wait: Option<Duration>) -> io::Result<Event> {
        let event = self.channel.receive(wait)?;
        // ssh ends with 255 if the connection does, and so may a command; the socket goes with the connection
        if event == Event::Ended(Some(255)) && !Path::new(&self.control).exists() {
            let text = format!("Connection to {} closed by remote host.", self.host);
            return Err(io::Error::new(ErrorKind::ConnectionReset, text));
        }
        Ok(event)
    }
}
