//! Commands on the target.

use super::lines::{LineSplitters, Lines, Stream};
use super::{Change, Machine, running};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A command to run: program and arguments, not through a shell.
#[derive(Clone, Debug, Default)]
pub struct Command {
    pub argv: Vec<OsString>,
    pub dir: Option<PathBuf>,
    /// Given on its standard input; without it the input is empty.
    pub stdin: Option<Vec<u8>>,
    /// Further variables, over those of the task.
    pub env: Vec<(String, String)>,
    /// How long it may run; if longer, it is killed, and that is an error of the kind `TimedOut`.
    pub timeout: Option<Duration>,
}

/// What came of a command.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Exit status; the negative number of the signal that ended it.
    pub rc: i64,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Command {
    /// A command from words.
    pub fn new<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Command {
        Command {
            argv: words.into_iter().map(Into::into).collect(),
            ..Command::default()
        }
    }
}

impl Machine {
    /// Where a program is: in the folders of `PATH`, and in those of the administrator's programs.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.program_folders()
            .map(|folder| folder.join(name))
            .find(|path| self.is_file(path) && self.access(path, rustix::fs::Access::EXEC_OK))
    }

    /// The folders that programs are looked for in, in order.
    pub fn program_folders(&self) -> impl Iterator<Item = PathBuf> {
        let path = self.variable("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path)
            .filter(|p| !p.as_os_str().is_empty())
            .collect();
        for more in ["/sbin", "/usr/sbin", "/usr/local/sbin"].map(PathBuf::from) {
            if !folders.contains(&more) && self.exists(&more) {
                folders.push(more);
            }
        }
        folders.into_iter()
    }

    /// Runs a command that only looks; check mode runs it too.
    ///
    /// Fails if it cannot be started. A failing command is an `Ok` with its `rc`.
    pub fn probe(&self, command: &Command) -> io::Result<Output> {
        execute(command, &self.environment, None)
    }

    /// Runs a command that changes something, and notes the change; check mode does not run it.
    pub fn run(&mut self, command: &Command, reason: &str) -> io::Result<Option<Output>> {
        let output = match self.mode.check {
            true => None,
            false => Some(execute(command, &self.environment, self.lines.as_ref())?),
        };
        self.note(Change::Ran(reason.to_string()));
        Ok(output)
    }
}

fn execute(
    command: &Command,
    environment: &[(String, String)],
    lines: Option<&Lines>,
) -> io::Result<Output> {
    let (program, arguments) = command
        .argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
    let mut process = std::process::Command::new(program);
    process
        .args(arguments)
        .stdin(match command.stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in environment.iter().chain(&command.env) {
        process.env(name, value);
    }
    if let Some(dir) = &command.dir {
        // a shell believes PWD if it means the same folder: links in it are not to be seen, as by `chdir`
        let real = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.into());
        process.current_dir(dir).env("PWD", real);
    }
    if running::in_agent() {
        process.process_group(0);
    }
    let end = command.timeout.map(|timeout| Instant::now() + timeout);
    let mut child = process.spawn()?;
    let _running = running::Running::new(&child);
    let mut output = Output::default();
    let input = command.stdin.as_deref().unwrap_or_default();
    let status = match exchange(&mut child, input, &mut output, lines, end) {
        Ok(()) => child.wait()?,
        Err(e) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(e);
        }
    };
    output.rc = match (status.code(), status.signal()) {
        (Some(code), _) => code.into(),
        (None, signal) => -i64::from(signal.unwrap_or(0)),
    };
    Ok(output)
}

/// Writes the input and reads both outputs at once, until they are closed.
///
/// A background process may hold them open for ever; so it ends too when the command has ended and
/// nothing more comes.
fn exchange(
    child: &mut Child,
    mut input: &[u8],
    output: &mut Output,
    lines: Option<&Lines>,
    end: Option<Instant>,
) -> io::Result<()> {
    let mut live = LineSplitters::new(lines);
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    if let Some(pipe) = &stdin {
        let flags = rustix::fs::fcntl_getfl(pipe)?;
        rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?;
    }
    let mut buffer = vec![0; 64 * 1024];
    let mut ended = false;
    while stdout.is_some() || stderr.is_some() {
        if end.is_some_and(|end| Instant::now() >= end) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if input.is_empty() {
            stdin = None;
        }
        let mut fds = Vec::with_capacity(3);
        if let Some(pipe) = &stdout {
            fds.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        if let Some(pipe) = &stderr {
            fds.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        if let Some(pipe) = &stdin {
            fds.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::OUT));
        }
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        let ready = match poll(&mut fds, Some(&wait)) {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        if ready == 0 {
            if ended {
                break;
            }
            ended = child.try_wait()?.is_some();
            continue;
        }
        let events: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut events = events.into_iter();
        if stdout.is_some() && events.next() == Some(true) {
            let before = output.stdout.len();
            receive(&mut stdout, &mut buffer, &mut output.stdout)?;
            live.take(Stream::Output, &output.stdout[before..]);
        }
        if stderr.is_some() && events.next() == Some(true) {
            let before = output.stderr.len();
            receive(&mut stderr, &mut buffer, &mut output.stderr)?;
            live.take(Stream::Error, &output.stderr[before..]);
        }
        if let Some(pipe) = &mut stdin
            && events.next() == Some(true)
        {
            match pipe.write(input) {
                Ok(n) => input = &input[n..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // it does not want to read more
                Err(_) => input = &[],
            }
        }
    }
    live.end();
    Ok(())
}

fn receive<R: Read>(pipe: &mut Option<R>, buffer: &mut [u8], to: &mut Vec<u8>) -> io::Result<()> {
    let Some(reader) = pipe else { return Ok(()) };
    match reader.read(buffer) {
        Ok(0) => *pipe = None,
        Ok(n) => to.extend_from_slice(&buffer[..n]),
        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
        Err(e) => return Err(e),
    }
    Ok(())
}
