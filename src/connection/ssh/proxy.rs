//! `ProxyCommand`: a program whose input and output are the connection.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much of what it says is kept.
const KEPT: usize = 4096;

/// The program. Dropping it ends it.
pub struct Proxy {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
}

/// Starts the command line in a shell; its other end is the stream.
///
/// It has no terminal: what it would ask nobody answers, and it says so on its standard error, which is kept.
pub fn start(command: &str) -> io::Result<(Proxy, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let output = OwnedFd::from(theirs.try_clone()?);
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(output))
        .stderr(Stdio::piped());
    // in a session of its own, so that Ctrl-C does not cut the connection before what runs has ended
    // SAFETY: between fork and exec only this system call is made, which does not allocate.
    unsafe {
        shell.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let mut child = shell.spawn()?;
    let said = Arc::new(Mutex::new(Vec::new()));
    if let Some(mut error) = child.stderr.take() {
        let said = Arc::clone(&said);
        let reader = move || {
            let mut buffer = [0; 1024];
            while let Ok(n @ 1..) = error.read(&mut buffer) {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT.saturating_sub(said.len()).min(n);
                said.extend_from_slice(&buffer[..room]);
            }
        };
        std::thread::Builder::new()
            .name("proxy-command".to_string())
            .stack_size(64 * 1024)
            .spawn(reader)?;
    }
    Ok((Proxy { child, said }, ours))
}

impl Proxy {
    /// Why the connection through it has ended, if it knows: its words, else how it ended.
    pub fn why(&mut self) -> Option<String> {
        // it closes the connection a little before it ends
        let end = Instant::now() + Duration::from_millis(300);
        let status = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(status) => break status,
                Err(_) => break None,
            }
        };
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&said).trim().replace("\r\n", "\n");
        match (said.is_empty(), status) {
            (false, _) => Some(said),
            (true, Some(status)) => Some(format!("the ProxyCommand ended ({status})")),
            (true, None) => None,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // it leads a group of its own, with all that it has started
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
