//! Commands as child processes: the `local` transport, and what others start (`ssh`, `docker exec`).

use super::{Channel, Event, Transport, Unreachable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// This machine, for tasks that become another user.
pub struct Local {
    shell: String,
}

impl Local {
    pub fn new(shell: &str) -> Local {
        Local {
            shell: shell.to_string(),
        }
    }
}

impl Transport for Local {
    fn start(&mut self, command: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let mut process = Command::new(&self.shell);
        process.args(["-c", command]);
        let channel = match tty {
            true => ProcessChannel::spawn_with_tty(process),
            false => ProcessChannel::spawn(process),
        };
        match channel {
            Ok(channel) => Ok(Box::new(channel)),
            Err(e) => Err(Unreachable::new(format!(
                "cannot start {}: {}",
                self.shell,
                crate::machine::reason(&e)
            ))),
        }
    }

    fn name(&self) -> &'static str {
        "local"
    }
}

/// A child process. Dropping it closes its input and ends it, if it does not end by itself.
pub struct ProcessChannel {
    child: Child,
    input: Option<File>,
    output: Option<File>,
    error: Option<File>,
    /// What came while something was sent.
    early: VecDeque<Event>,
    buffer: Vec<u8>,
}

/// How long a child may take to end by itself once its input has ended.
const GRACE: Duration = Duration::from_secs(2);

impl ProcessChannel {
    /// Starts it with three pipes, in a session of its own: it cannot ask on rplay's terminal.
    pub fn spawn(mut command: Command) -> io::Result<ProcessChannel> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        new_session(&mut command);
        let mut child = command.spawn()?;
        let input = child.stdin.take().map(|p| File::from(OwnedFd::from(p)));
        let output = child.stdout.take().map(|p| File::from(OwnedFd::from(p)));
        let error = child.stderr.take().map(|p| File::from(OwnedFd::from(p)));
        ProcessChannel::new(child, input, output, error)
    }

    /// Starts it at a terminal of its own.
    pub fn spawn_with_tty(mut command: Command) -> io::Result<ProcessChannel> {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let theirs = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?;
        command
            .stdin(Stdio::from(theirs.try_clone()?))
            .stdout(Stdio::from(theirs.try_clone()?))
            .stderr(Stdio::from(theirs));
        // SAFETY: between fork and exec only two system calls are made, neither of which allocates.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                // SAFETY: it is our own standard input, which stays open.
                let stdin = rustix::stdio::stdin();
                rustix::process::ioctl_tiocsctty(stdin)?;
                Ok(())
            });
        }
        let child = command.spawn()?;
        // the terminal's other side is to be closed here, for its end to be seen
        drop(command);
        let ours = File::from(ours);
        let input = ours.try_clone()?;
        ProcessChannel::new(child, Some(input), Some(ours), None)
    }

    fn new(
        child: Child,
        input: Option<File>,
        output: Option<File>,
        error: Option<File>,
    ) -> io::Result<ProcessChannel> {
        for file in [&input, &output, &error].into_iter().flatten() {
            let flags = rustix::fs::fcntl_getfl(file)?;
            rustix::fs::fcntl_setfl(file, flags | OFlags::NONBLOCK)?;
        }
        Ok(ProcessChannel {
            child,
            input,
            output,
            error,
            early: VecDeque::new(),
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Waits for room to write or something to read, and reads. True if there is room.
    fn turn(&mut self, to_write: bool, wait: Option<Duration>) -> io::Result<Turn> {
        let mut fds = Vec::with_capacity(3);
        for file in [&self.output, &self.error].into_iter().flatten() {
            fds.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN));
        }
        if let (true, Some(file)) = (to_write, &self.input) {
            fds.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::OUT));
        }
        let wait = wait.and_then(|w| Timespec::try_from(w).ok());
        match poll(&mut fds, wait.as_ref()) {
            Ok(0) => return Ok(Turn::Nothing),
            Err(rustix::io::Errno::INTR) => return Ok(Turn::Again),
            other => other?,
        };
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let mut ready = ready.into_iter();
        if self.output.is_some()
            && ready.next() == Some(true)
            && let Some(bytes) = read(&mut self.output, &mut self.buffer)?
        {
            return Ok(Turn::Event(Event::Output(bytes)));
        }
        if self.error.is_some()
            && ready.next() == Some(true)
            && let Some(bytes) = read(&mut self.error, &mut self.buffer)?
        {
            return Ok(Turn::Event(Event::Error(bytes)));
        }
        Ok(match to_write && ready.next() == Some(true) {
            true => Turn::Room,
            false => Turn::Again,
        })
    }
}

enum Turn {
    Event(Event),
    Room,
    Again,
    Nothing,
}

/// What there is to read now. Closes the file at its end.
fn read(file: &mut Option<File>, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
    let Some(open) = file else { return Ok(None) };
    match open.read(buffer) {
        // a terminal whose other side is closed says EIO
        Ok(0) => *file = None,
        Ok(n) => return Ok(Some(buffer[..n].to_vec())),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => *file = None,
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) => {}
        Err(e) => return Err(e),
    }
    Ok(None)
}

impl Channel for ProcessChannel {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.turn(true, None)? {
                Turn::Event(event) => self.early.push_back(event),
                Turn::Again | Turn::Nothing if self.output.is_none() => {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Turn::Again | Turn::Nothing => {}
                Turn::Room => {
                    let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
                    match input.write(bytes) {
                        Ok(n) => bytes = &bytes[n..],
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                        Err(e) => return Err(e),
                    }
                }
            }
        }
        Ok(())
    }

    fn close_input(&mut self) -> io::Result<()> {
        self.input = None;
        Ok(())
    }

    fn receive(&mut self, wait: Option<Duration>) -> io::Result<Event> {
        if let Some(event) = self.early.pop_front() {
            return Ok(event);
        }
        let end = wait.map(|w| Instant::now() + w);
        while self.output.is_some() || self.error.is_some() {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match self.turn(false, left)? {
                Turn::Event(event) => return Ok(event),
                Turn::Nothing => return Ok(Event::Nothing),
                Turn::Again | Turn::Room => {}
            }
        }
        Ok(Event::Ended(self.child.wait()?.code()))
    }
}

impl Drop for ProcessChannel {
    fn drop(&mut self) {
        self.input = None;
        self.output = None;
        self.error = None;
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn new_session(command: &mut Command) {
    // SAFETY: between fork and exec only this system call is made, which does not allocate.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(channel: &mut dyn Channel) -> (Vec<u8>, Vec<u8>, Option<i32>) {
        let (mut output, mut error) = (Vec::new(), Vec::new());
        loop {
            match channel.receive(Some(Duration::from_secs(20))).unwrap() {
                Event::Output(bytes) => output.extend(bytes),
                Event::Error(bytes) => error.extend(bytes),
                Event::Ended(rc) => return (output, error, rc),
                Event::Nothing => panic!("nothing came"),
            }
        }
    }

    #[test]
    fn both_outputs_and_the_status_come() {
        let mut local = Local::new("/bin/sh");
        let mut channel = local
            .start("echo out; echo err >&2; exit 3", false)
            .unwrap();
        let (output, error, rc) = all(&mut *channel);
        assert_eq!(
            (&output[..], &error[..], rc),
            (&b"out\n"[..], &b"err\n"[..], Some(3))
        );
    }

    #[test]
    fn much_goes_through_both_ways_at_once() {
        let mut local = Local::new("/bin/sh");
        let mut channel = local.start("cat", false).unwrap();
        let sent: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
        channel.send(&sent).unwrap();
        channel.close_input().unwrap();
        assert!(all(&mut *channel).0 == sent);
    }

    #[test]
    fn a_terminal_is_one() {
        let mut local = Local::new("/bin/sh");
        let mut channel = local
            .start("test -t 0 && test -t 1 && echo yes", true)
            .unwrap();
        let (output, _, rc) = all(&mut *channel);
        assert_eq!((&output[..], rc), (&b"yes\r\n"[..], Some(0)));
    }
}
