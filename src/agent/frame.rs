//! Frames: four bytes of length (big endian), then that much JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, ErrorKind, Read, Write};

/// No frame is larger; files go in other ways.
pub const MAX_FRAME: usize = 256 * 1024 * 1024;

/// Writes one frame and flushes.
pub fn write_frame<T: Serialize>(output: &mut impl Write, value: &T) -> io::Result<()> {
    let json = serde_json::to_vec(value)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|n| *n as usize <= MAX_FRAME);
    let length = length.ok_or_else(|| too_large(json.len()))?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(&json)?;
    output.flush()
}

/// Reads one frame; none if the other side has closed between frames.
pub fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        match input.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => have += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(too_large(length));
    }
    let mut json = Vec::new();
    // grows as bytes come, so that a length alone takes no memory
    if input.take(length as u64).read_to_end(&mut json)? < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|e| io::Error::new(ErrorKind::InvalidData, e))
}

fn too_large(length: usize) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        format!("a frame of {length} bytes is too large"),
    )
}
