//! A command at the other end of an ssh connection.

use super::Link;
use crate::connection::{Channel, Event};
use ssh2::BlockDirections;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the message that ends a channel may take to go out.
const FAREWELL: Duration = Duration::from_millis(500);

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
        self.link.notice()?;
        // reading one stream takes in what has come for the other: then there is nothing to wait for
        for _ in 0..3 {
            for stream in [0, ssh2::EXTENDED_DATA_STDERR] {
                match self.channel.stream(stream).read(&mut self.buffer) {
                    Ok(0) => {}
                    Ok(n) => {
                        self.link.heard(true)?;
                        let bytes = self.buffer[..n].to_vec();
                        return Ok(Some(match stream {
                            0 => Event::Output(bytes),
                            _ => Event::Error(bytes),
                        }));
                    }
                    Err(e) if is_later(&e) => {}
                    Err(e) => return Err(self.link.lost(e)),
                }
            }
            if self.channel.read_window().available == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// Whether the host has closed the channel: only then is the exit status known.
    fn is_closed(&mut self) -> io::Result<bool> {
        match self.channel.wait_close().map_err(io::Error::from) {
            Ok(()) => Ok(true),
            Err(e) if is_later(&e) => Ok(false),
            Err(e) => Err(self.link.lost(e)),
        }
    }

    /// None if a signal ended it.
    fn status(&mut self) -> Option<i32> {
        let signal = self.channel.exit_signal();
        if signal.is_ok_and(|s| s.exit_signal.is_some()) {
            return None;
        }
        self.channel.exit_status().ok()
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
                Err(e) => return Err(self.link.lost(e)),
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
                Err(e) => return Err(self.link.lost(e)),
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
            if self.channel.eof() && self.is_closed()? {
                return Ok(Event::Ended(self.status()));
            }
            if !self.link.wait(end)? {
                return Ok(Event::Nothing);
            }
        }
    }
}

impl Drop for SshChannel {
    fn drop(&mut self) {
        let end = Instant::now() + FAREWELL;
        // the host's answer is not waited for, only that the message goes out
        while let Err(e) = self.channel.close().map_err(io::Error::from) {
            let waiting_to_send = matches!(
                self.link.session.block_directions(),
                BlockDirections::Outbound | BlockDirections::Both
            );
            if !is_later(&e) || !waiting_to_send || !self.link.wait(Some(end)).unwrap_or(false) {
                break;
            }
        }
    }
}
