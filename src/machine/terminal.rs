//! Commands that want to talk: they run at a terminal of their own.

use super::{Change, Command, Machine, running};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Tells what a command waits for: how much of what it has said is done with, and what to type.
pub type Answer<'a> = &'a mut dyn FnMut(&[u8]) -> Option<(usize, Vec<u8>)>;

/// What came of a conversation.
pub struct Conversation {
    /// All that was said.
    pub output: Vec<u8>,
    /// Exit status; none if the command was not done in time, or was ended by a signal.
    pub rc: Option<i64>,
}

impl Machine {
    /// Runs a command at a terminal and answers what it asks. `program` is `setsid`, which makes the terminal its own.
    /// It ends when the command has nothing more to say, or says nothing for so long. Not for check mode.
    pub fn converse(
        &mut self,
        program: &str,
        command: &Command,
        echo: bool,
        timeout: Option<Duration>,
        answer: Answer<'_>,
    ) -> io::Result<Conversation> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let name = name.to_string_lossy().into_owned();
        let slave = OpenOptions::new().read(true).write(true).open(name)?;
        let mut settings = tcgetattr(&slave)?;
        settings.local_modes.set(LocalModes::ECHO, echo);
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size)?;
        let mut process = std::process::Command::new(program);
        process
            .arg("-c")
            .args(&command.argv)
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));
        for (name, value) in self.environment.iter().chain(&command.env) {
            process.env(name, value);
        }
        if let Some(dir) = &command.dir {
            process.current_dir(dir).env("PWD", dir);
        }
        let mut child = process.spawn()?;
        // the process holds the terminal's other end, which must go for the terminal to end
        drop(process);
        let _running = running::Running::new(&child);
        self.note(Change::Ran("a command was answered".to_string()));
        let (output, ended) = talk(&master, timeout, answer);
        if !ended {
            running::end_group(&child);
        }
        drop(master);
        let status = child.wait()?;
        let rc = status.code().map(i64::from).filter(|_| ended);
        Ok(Conversation { output, rc })
    }
}

/// What was said, and whether the command came to its end.
fn talk(master: &OwnedFd, timeout: Option<Duration>, answer: Answer<'_>) -> (Vec<u8>, bool) {
    let (mut output, mut done) = (Vec::new(), 0);
    let mut buffer = vec![0; 8192];
    let mut deadline = timeout.map(|t| Instant::now() + t);
    loop {
        while let Some((end, typed)) = answer(&output[done..]) {
            done += end;
            let mut typed = typed.as_slice();
            while !typed.is_empty() {
                match rustix::io::write(master, typed) {
                    Ok(n) => typed = &typed[n..],
                    Err(_) => break,
                }
            }
            deadline = timeout.map(|t| Instant::now() + t);
        }
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return (output, false);
        }
        let wait = left.map(|l| Timespec {
            tv_sec: i64::try_from(l.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: l.subsec_nanos().into(),
        });
        let mut fds = [PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN)];
        match poll(&mut fds, wait.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return (output, true),
        }
        match rustix::io::read(master, &mut buffer[..]) {
            // the last who had the terminal has gone
            Ok(0) | Err(rustix::io::Errno::IO) => return (output, true),
            Ok(n) => output.extend_from_slice(&buffer[..n]),
            Err(_) => return (output, true),
        }
    }
}
