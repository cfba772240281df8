//! `ProxyCommand`: a program whose input and output are the connection.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The program. Dropping it ends it.
pub struct Proxy(Child);

/// Starts the command line in a shell; its other end is the stream.
///
/// What it says on its standard error goes to rplay's own, as with ssh.
pub fn start(command: &str) -> io::Result<(Proxy, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let output = OwnedFd::from(theirs.try_clone()?);
    let child = Command::new("/bin/sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(output))
        .stderr(Stdio::null())
        // so that Ctrl-C at the terminal does not cut connections before what runs has ended
        .process_group(0)
        .spawn()?;
    Ok((Proxy(child), ours))
}

impl Proxy {
    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.0.try_wait().ok().flatten()?;
        Some(format!("the ProxyCommand ended ({status})"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
