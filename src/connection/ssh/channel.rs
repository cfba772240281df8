//! A command at the other end of an ssh connection.

use super::Link;
use crate::connection::{Channel, Event};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See [`Channel`].
pub struct SshChannel {
    channel: ssh2::Channel,
    link: Arc<Link>,
    /// What came while something was sent.
    early: VecDeque<Event>,
    buffer: Vec<u8>,
}

impl SshChannel {
    pub fn new(channel: ssh2::Channel, link: Arc<Link>) -> SshChannel {
        SshChannel {
            channel,
            link,
            early: VecDeque::new(),
            buffer: vec![0; 64 * 1024],
        }
    }

    /// What has come already. Both streams are read: one that is full would stop the other.
    fn take(&mut self) -> io::Result<Option<Event>> {
        for stream in [0, ssh2::EXTENDED_DATA_STDERR] {
            match self.channel.stream(stream).read(&mut self.buffer) {
                Ok(0) => {}
                Ok(n) => {
                    let bytes = self.buffer[..n].to_vec();
                    return Ok(Some(match stream {
                        0 => Event::Output(bytes),
                        _ => Event::Error(bytes),
                    }));
                }
                Err(e) if is_later(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }

    fn status(&mut self) -> io::Result<Option<i32>> {
        // the status may come after the end of the output
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            match self
                .channel
                .wait_eof()
                .and_then(|()| self.channel.close())
                .and_then(|()| self.channel.wait_close())
            {
                Ok(()) => break,
                Err(e) => {
                    let e = io::Error::from(e);
                    if !is_later(&e) {
                        return Ok(None);
                    }
                    if !self.link.wait(Some(end))? {
                        break;
                    }
                }
            }
        }
        if let Ok(signal) = self.channel.exit_signal()
            && signal.exit_signal.is_some()
        {
            return Ok(None);
        }
        Ok(self.channel.exit_status().ok())
    }
}

fn is_later(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Channel for SshChannel {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.channel.write(bytes) {
                Ok(0) => return Err(ErrorKind::BrokenPipe.into()),
                Ok(n) => bytes = &bytes[n..],
                Err(e) if is_later(&e) => {
                    match self.take()? {
                        Some(event) => self.early.push_back(event),
                        None if self.channel.eof() => return Err(ErrorKind::BrokenPipe.into()),
                        None => {
                            self.link.wait(None)?;
                        }
                    };
                }
                Err(e) => return Err(e),
            }
        }
        // no flush: libssh2's drops what has come in, and what was written is on its way
        Ok(())
    }

    fn close_input(&mut self) -> io::Result<()> {
        loop {
            match self.channel.send_eof().map_err(io::Error::from) {
                Ok(()) => return Ok(()),
                Err(e) if is_later(&e) => {
                    self.link.wait(None)?;
                }
                Err(e) => return Err(e),
            }
        }
    }

    fn receive(&mut self, wait: Option<Duration>) -> io::Result<Event> {
        if let Some(event) = self.early.pop_front() {
            return Ok(event);
        }
        let end = wait.map(|w| Instant::now() + w);
        loop {
            if let Some(event) = self.take()? {
                return Ok(event);
            }
            if self.channel.eof() {
                return Ok(Event::Ended(self.status()?));
            }
            if !self.link.wait(end)? {
                return Ok(Event::Nothing);
            }
        }
    }
}
