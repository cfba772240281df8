//! Frames: four bytes of length (big endian), one byte of kind, then that much JSON or file content.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, ErrorKind, Read, Write};

/// No frame is larger; files go in pieces.
pub const MAX_FRAME: usize = 256 * 1024 * 1024;
/// Length and kind, before the contents.
pub const HEADER: usize = 5;
/// Files are sent in frames of this size.
pub const CHUNK: usize = 256 * 1024;

const JSON: u8 = b'j';
const BYTES: u8 = b'b';

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message, as JSON.
    Message(Vec<u8>),
    /// A piece of a file; an empty one ends it.
    Bytes(Vec<u8>),
}

impl Frame {
    /// The message; an error if it is malformed, or the frame is a piece of a file.
    pub fn message<T: DeserializeOwned>(&self) -> io::Result<T> {
        match self {
            Frame::Message(json) => {
                serde_json::from_slice(json).map_err(|e| io::Error::new(ErrorKind::InvalidData, e))
            }
            Frame::Bytes(_) => Err(io::Error::new(
                ErrorKind::InvalidData,
                "a piece of a file came where a message was expected",
            )),
        }
    }

    /// A message's frame, header included.
    pub fn of<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
        let mut frame = vec![0; HEADER];
        serde_json::to_writer(&mut frame, value)?;
        let header = header(frame.len() - HEADER, JSON)?;
        frame[..HEADER].copy_from_slice(&header);
        Ok(frame)
    }

    /// The frame of a piece of a file, header included.
    pub fn of_bytes(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut frame = header(bytes.len(), BYTES)?.to_vec();
        frame.extend_from_slice(bytes);
        Ok(frame)
    }
}

/// Takes the first frame out of what has come so far; none if it is not whole yet.
///
/// Fails if it is malformed or too large.
pub fn take_frame(buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
    let Some(start) = buffer.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let (length, kind) = parse(*start)?;
    if buffer.len() < HEADER + length {
        return Ok(None);
    }
    let rest = buffer.split_off(HEADER + length);
    let mut contents = std::mem::replace(buffer, rest);
    contents.drain(..HEADER);
    frame(kind, contents).map(Some)
}

/// Writes a message and flushes.
pub fn write_message<T: Serialize>(output: &mut impl Write, value: &T) -> io::Result<()> {
    output.write_all(&Frame::of(value)?)?;
    output.flush()
}

/// Writes a piece of a file and flushes.
pub fn write_bytes(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(&header(bytes.len(), BYTES)?)?;
    output.write_all(bytes)?;
    output.flush()
}

/// Reads one frame; none if the other side has closed between frames.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut start = [0; HEADER];
    let mut have = 0;
    while have < start.len() {
        match input.read(&mut start[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => have += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let (length, kind) = parse(start)?;
    let mut contents = Vec::new();
    // grows as bytes come, so that a length alone takes no memory
    if input.take(length as u64).read_to_end(&mut contents)? < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    frame(kind, contents).map(Some)
}

fn header(length: usize, kind: u8) -> io::Result<[u8; HEADER]> {
    let length = u32::try_from(length)
        .ok()
        .filter(|n| *n as usize <= MAX_FRAME)
        .ok_or_else(|| too_large(length))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok([a, b, c, d, kind])
}

fn parse([a, b, c, d, kind]: [u8; HEADER]) -> io::Result<(usize, u8)> {
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    match length <= MAX_FRAME {
        true => Ok((length, kind)),
        false => Err(too_large(length)),
    }
}

fn frame(kind: u8, contents: Vec<u8>) -> io::Result<Frame> {
    match kind {
        JSON => Ok(Frame::Message(contents)),
        BYTES => Ok(Frame::Bytes(contents)),
        other => Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("there is no kind {other} of frame"),
        )),
    }
}

fn too_large(length: usize) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        format!("a frame of {length} bytes is too large"),
    )
}
