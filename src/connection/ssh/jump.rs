//! A way through another host, in process: what `ssh -W host:port jumphost` does as a `ProxyCommand`.
//!
//! Starting ssh for every host costs more than all else that a connection needs. A thread carries the bytes
//! between a socket pair and a channel of the connection to the jumphost.

use super::link::{self, Failure, Link};
use super::options::Options;
use crate::connection::Target;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::BlockDirections;
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// What a `ProxyCommand` asks of ssh.
#[derive(Debug, PartialEq, Eq)]
pub struct Way {
    /// Other arguments for ssh.
    words: Vec<String>,
    user: Option<String>,
    jumphost: String,
    host: String,
    port: u16,
}

/// Flags of ssh that have a value.
const VALUED: &str = "BbcDEeFIiJLlmOoPpQRSWw";

impl Way {
    /// Understands a command line that is nothing but `ssh -W`.
    pub fn of(command: &str) -> Option<Way> {
        if command.contains(|c: char| "$`|;&<>()*?\n".contains(c)) {
            return None;
        }
        let words = shell_words::split(command).ok()?;
        let mut words = words.iter().map(String::as_str).peekable();
        words.next_if_eq(&"exec");
        let program = words.next()?;
        if program.rsplit('/').next() != Some("ssh") {
            return None;
        }
        let (mut others, mut jumphost, mut end) = (Vec::new(), None, None);
        while let Some(word) = words.next() {
            let Some(flags) = word.strip_prefix('-').filter(|f| !f.is_empty()) else {
                // a second one would be a command
                if jumphost.replace(word).is_some() {
                    return None;
                }
                continue;
            };
            match flags.find(|c| VALUED.contains(c)) {
                None => others.push(word.to_string()),
                Some(at) => {
                    let value = match &flags[at + 1..] {
                        "" => words.next()?,
                        joined => joined,
                    };
                    if at > 0 {
                        others.push(format!("-{}", &flags[..at]));
                    }
                    match &flags[at..=at] {
                        "W" => end = Some(value),
                        flag => others.extend([format!("-{flag}"), value.to_string()]),
                    }
                }
            }
        }
        let (host, port) = end?.rsplit_once(':')?;
        let (user, jumphost) = match jumphost?.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_string()), host),
            None => (None, jumphost?),
        };
        // a place with a port is written in another way
        if jumphost.starts_with("ssh://") {
            return None;
        }
        Some(Way {
            words: others,
            user,
            jumphost: jumphost.to_string(),
            host: host.trim_matches(['[', ']']).to_string(),
            port: port.parse().ok()?,
        })
    }

    fn target(&self, target: &Target, options: &Options) -> Target {
        let mut jump = Target::local(&target.host);
        jump.connection = "ssh2".to_string();
        jump.address = self.jumphost.clone();
        jump.user = self.user.clone();
        jump.timeout = options.connect_timeout;
        jump.ssh.common_args = shell_words::join(&self.words);
        jump.ssh.executable = target.ssh.executable.clone();
        // ssh's own configuration decides
        jump.ssh.host_key_checking = true;
        jump
    }
}

/// The way, open. Dropping the stream's other end closes it.
pub struct Jump {
    /// Why it ended, if it did by itself.
    ended: Arc<Mutex<Option<String>>>,
}

impl Jump {
    pub fn why(&self) -> Option<String> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.clone()
    }
}

/// How many logins a jumphost is asked for at once: an sshd drops some from ten on (`MaxStartups`).
const AT_ONCE: usize = 8;

/// How many jumphosts may follow each other.
const FARTHEST: usize = 16;

/// Logins that go on, by jumphost.
static LOGINS: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);
static LOGGED_IN: Condvar = Condvar::new();

/// The right to log in at a jumphost. Dropping it lets the next in.
struct Turn(String);

impl Turn {
    fn wait_for(jumphost: &str) -> Turn {
        let mut logins = LOGINS.lock().unwrap_or_else(PoisonError::into_inner);
        while logins.get(jumphost).is_some_and(|n| *n >= AT_ONCE) {
            logins = LOGGED_IN
                .wait(logins)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *logins.entry(jumphost.to_string()).or_default() += 1;
        Turn(jumphost.to_string())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut logins = LOGINS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = logins.get_mut(&self.0) {
            *n -= 1;
        }
        LOGGED_IN.notify_all();
    }
}

thread_local! {
    /// The jumphosts that this thread is on the way to.
    static ON_THE_WAY: Cell<usize> = const { Cell::new(0) };
}

/// Logs in at the jumphost.
fn log_in(jump: &Target) -> Result<Link, Failure> {
    let depth = ON_THE_WAY.get();
    if depth >= FARTHEST {
        // its configuration leads to itself
        let msg = format!("jumphost loop via {}", jump.address);
        return Err(Failure::Lasting(msg));
    }
    ON_THE_WAY.set(depth + 1);
    // those that wait must not wait for each other
    let turn = (depth == 0).then(|| Turn::wait_for(&jump.address));
    let link = link::connect(jump);
    drop(turn);
    ON_THE_WAY.set(depth);
    link
}

/// Logs in at the jumphost and opens the way.
pub fn open(way: &Way, target: &Target, options: &Options) -> Result<(Jump, UnixStream), Failure> {
    let through = |msg: &str| format!("{msg} (on the way to {} port {})", way.host, way.port);
    let link = log_in(&way.target(target, options)).map_err(|failure| match failure {
        Failure::Passing(msg) => Failure::Passing(through(&msg)),
        Failure::Lasting(msg) => Failure::Lasting(through(&msg)),
        beyond => beyond,
    })?;
    link.session.set_blocking(true);
    let wait = Duration::from_secs(options.connect_timeout.max(1));
    link.session.set_timeout(link::milliseconds(wait));
    let channel = link
        .session
        .channel_direct_tcpip(&way.host, way.port, None)
        .map_err(|e| {
            Failure::Passing(format!(
                "ssh: connect to host {} port {} through {}: {}",
                way.host,
                way.port,
                way.jumphost,
                match e.code() {
                    ssh2::ErrorCode::Session(-9) => "Connection timed out",
                    _ => "open failed: the jumphost does not reach it, or does not allow it",
                }
            ))
        })?;
    link.session.set_blocking(false);
    let failed = |e: io::Error| Failure::Passing(crate::machine::reason(&e));
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    ours.set_nonblocking(true).map_err(failed)?;
    let ended = Arc::new(Mutex::new(None));
    let mut pump = Pump {
        link,
        channel,
        local: ours,
        to_local: Pending::default(),
        to_remote: Pending::default(),
        local_ended: false,
    };
    let told = Arc::clone(&ended);
    let carry = move || {
        if let Err(e) = pump.run() {
            let e = pump.link.lost(e).to_string();
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
        }
        let _ = pump.local.shutdown(Shutdown::Both);
    };
    std::thread::Builder::new()
        .name("jump".to_string())
        .stack_size(256 * 1024)
        .spawn(carry)
        .map_err(failed)?;
    Ok((Jump { ended }, theirs))
}

/// Bytes that are to be written, and how many of them are.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Fills itself when empty. True at the end of what is read.
    fn fill(&mut self, from: &mut impl Read) -> io::Result<bool> {
        if !self.is_empty() {
            return Ok(false);
        }
        self.written = 0;
        self.bytes.resize(64 * 1024, 0);
        let length = match from.read(&mut self.bytes) {
            Ok(length) => length,
            Err(e) => {
                self.bytes.clear();
                return later(e).map(|()| false);
            }
        };
        self.bytes.truncate(length);
        Ok(length == 0)
    }

    /// Writes what can be written now.
    fn drain(&mut self, to: &mut impl Write) -> io::Result<()> {
        while !self.is_empty() {
            match to.write(&self.bytes[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.written += length,
                Err(e) => return later(e),
            }
        }
        Ok(())
    }
}

/// What only has to wait is no failure.
fn later(e: io::Error) -> io::Result<()> {
    match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
        _ => Err(e),
    }
}

struct Pump {
    link: Link,
    channel: ssh2::Channel,
    local: UnixStream,
    to_local: Pending,
    to_remote: Pending,
    local_ended: bool,
}

impl Pump {
    /// Carries bytes until one side has ended.
    fn run(&mut self) -> io::Result<()> {
        loop {
            self.link.notice()?;
            self.to_remote.drain(&mut self.channel)?;
            if self.to_remote.fill(&mut self.local)? {
                self.local_ended = true;
            }
            self.to_remote.drain(&mut self.channel)?;
            // rplay has closed its end: nobody reads any more
            if self.local_ended && self.to_remote.is_empty() {
                let _ = self.channel.close();
                return Ok(());
            }
            self.to_local.drain(&mut self.local)?;
            self.to_local.fill(&mut self.channel)?;
            if !self.to_local.is_empty() {
                self.link.heard(true)?;
            }
            self.to_local.drain(&mut self.local)?;
            if self.to_local.is_empty() && self.channel.eof() {
                return Ok(());
            }
            // there may be more than one buffer of what has come already
            if self.to_local.is_empty() && self.channel.read_window().available > 0 {
                continue;
            }
            if !self.wait()? {
                return Ok(());
            }
        }
    }

    /// Waits until something can be done; false if rplay has closed its end.
    fn wait(&self) -> io::Result<bool> {
        let mut local = PollFlags::empty();
        if self.to_remote.is_empty() && !self.local_ended {
            local |= PollFlags::IN;
        }
        if !self.to_local.is_empty() {
            local |= PollFlags::OUT;
        }
        let mut remote = PollFlags::empty();
        // writing takes in what has come, too: it may be room for more
        if self.to_local.is_empty() || !self.to_remote.is_empty() {
            remote |= PollFlags::IN;
        }
        let directions = self.link.session.block_directions();
        if matches!(
            directions,
            BlockDirections::Outbound | BlockDirections::Both
        ) {
            remote |= PollFlags::OUT;
        }
        let mut fds = [
            PollFd::new(&self.local, local),
            PollFd::new(self.link.socket(), remote),
        ];
        let wait = Timespec::try_from(self.link.alive()).map_err(io::Error::other)?;
        // what answers a question must be seen here: it is taken in with the rest
        while match poll(&mut fds, Some(&wait)) {
            Err(rustix::io::Errno::INTR) => return Ok(true),
            other => other? == 0,
        } {
            self.link.heard(false)?;
        }
        let closed = fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR);
        if !fds[1].revents().is_empty() {
            self.link.heard(true)?;
        }
        Ok(!closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ssh_and_nothing_else_is_done_in_process() {
        let way = |words: &[&str], user: Option<&str>, jumphost: &str| Way {
            words: words.iter().map(|w| w.to_string()).collect(),
            user: user.map(str::to_string),
            jumphost: jumphost.to_string(),
            host: "10.0.0.9".to_string(),
            port: 22,
        };
        let cases = [
            (
                "ssh -o StrictHostKeyChecking=no -W 10.0.0.9:22 -q ubuntu@jump",
                Some(way(
                    &["-o", "StrictHostKeyChecking=no", "-q"],
                    Some("ubuntu"),
                    "jump",
                )),
            ),
            (
                "/usr/bin/ssh -qW '[10.0.0.9]:22' -p 2222 -J a jump",
                Some(way(&["-q", "-p", "2222", "-J", "a"], None, "jump")),
            ),
            ("ssh -W 10.0.0.9:22 jump | tee log", None),
            ("ssh -W 10.0.0.9:22 $JUMP", None),
            ("ssh jump nc 10.0.0.9 22", None),
            ("ssh -W 10.0.0.9:22 jump cat", None),
            ("nc 10.0.0.9 22", None),
        ];
        for (command, expected) in cases {
            assert_eq!(Way::of(command), expected, "{command}");
        }
    }
}
