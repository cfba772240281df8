//! What servers have compressed by gzip (RFC 1952).
//!
//! On `miniz_oxide` itself, since `flate2` brings checksums along that are ten times as large as this.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};

/// Reads what was compressed; several such parts may follow each other.
pub struct Gzip<R> {
    input: BufReader<R>,
    state: Box<InflateState>,
    part: Part,
    /// Of the part that is read: its checksum and its length so far.
    checksum: u32,
    length: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// The first header, which has to be there.
    First,
    Data,
    Next,
    End,
}

impl<R: Read> Gzip<R> {
    pub fn new(input: R) -> Gzip<R> {
        Gzip {
            input: BufReader::new(input),
            state: InflateState::new_boxed(DataFormat::Raw),
            part: Part::First,
            checksum: 0,
            length: 0,
        }
    }

    fn header(&mut self) -> io::Result<()> {
        let mut fixed = [0; 10];
        self.input.read_exact(&mut fixed)?;
        let flags = fixed[3];
        if fixed[..3] != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
            return Err(broken("invalid gzip header"));
        }
        if flags & 4 != 0 {
            let mut length = [0; 2];
            self.input.read_exact(&mut length)?;
            self.skip(u16::from_le_bytes(length).into())?;
        }
        for text in [8, 16] {
            // a name, a comment
            if flags & text != 0 {
                self.input.skip_until(0)?;
            }
        }
        if flags & 2 != 0 {
            self.skip(2)?;
        }
        self.state.reset(DataFormat::Raw);
        (self.checksum, self.length) = (0, 0);
        Ok(())
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        io::copy(&mut self.input.by_ref().take(length), &mut io::sink()).map(|_| ())
    }

    /// Whether what was read is what was compressed.
    fn trailer(&mut self) -> io::Result<()> {
        let mut trailer = [0; 8];
        self.input.read_exact(&mut trailer)?;
        let mut expected = self.checksum.to_le_bytes().to_vec();
        expected.extend(self.length.to_le_bytes());
        match trailer[..] == expected {
            true => Ok(()),
            false => Err(broken(
                "corrupt gzip stream does not have a matching checksum",
            )),
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            match self.part {
                Part::End => break,
                Part::Next if self.input.fill_buf()?.is_empty() => self.part = Part::End,
                Part::First | Part::Next => {
                    self.header()?;
                    self.part = Part::Data;
                }
                Part::Data => {
                    let there = self.input.fill_buf()?;
                    let ended = there.is_empty();
                    let done = inflate(&mut self.state, there, out, MZFlush::None);
                    self.input.consume(done.bytes_consumed);
                    let written = &out[..done.bytes_written];
                    self.checksum = crc32(self.checksum, written);
                    self.length = self.length.wrapping_add(written.len() as u32);
                    match done.status {
                        Ok(MZStatus::StreamEnd) => {
                            self.trailer()?;
                            self.part = Part::Next;
                        }
                        Ok(_) | Err(MZError::Buf) if !ended => {}
                        Ok(_) | Err(MZError::Buf) if !written.is_empty() => {}
                        Ok(_) | Err(MZError::Buf) => return Err(ErrorKind::UnexpectedEof.into()),
                        Err(_) => return Err(broken("corrupt deflate stream")),
                    }
                    if done.bytes_written > 0 {
                        return Ok(done.bytes_written);
                    }
                }
            }
        }
        Ok(0)
    }
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Half a byte at a time: a table for whole bytes would be sixteen times as large.
fn crc32(before: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut n = 0;
        while n < 16 {
            let mut value = n as u32;
            let mut bit = 0;
            while bit < 4 {
                value = (value >> 1) ^ (0xedb8_8320 * (value & 1));
                bit += 1;
            }
            table[n] = value;
            n += 1;
        }
        table
    };
    let step = |crc: u32, half: u8| (crc >> 4) ^ TABLE[usize::from(half & 15)];
    !bytes.iter().fold(!before, |crc, byte| {
        let crc = step(crc, byte ^ crc as u8);
        step(crc, (byte >> 4) ^ crc as u8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::GzEncoder;

    fn packed(contents: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        GzEncoder::new(contents, Compression::default())
            .read_to_end(&mut out)
            .unwrap();
        out
    }

    fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Gzip::new(packed).read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn what_was_packed_comes_back() {
        let mut noise = 1_u32;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .take(300_000)
        .collect();
        let text = "many of the same words ".repeat(20_000).into_bytes();
        for contents in [&b""[..], b"a", b"hello hello hello", &random, &text] {
            assert_eq!(unpacked(&packed(contents)).unwrap(), contents);
        }
        let both = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(unpacked(&both).unwrap(), b"one two");
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn headers_with_everything() {
        let plain = packed(b"x");
        let mut full = vec![0x1f, 0x8b, 8, 0b1_1110, 0, 0, 0, 0, 0, 3];
        full.extend(b"\x03\x00abcname\0a comment\0\x12\x34");
        full.extend(&plain[10..]);
        assert_eq!(unpacked(&full).unwrap(), b"x");
    }

    #[test]
    fn what_is_broken_is_an_error() {
        let good = packed(&b"some text, some more text".repeat(50));
        for length in 0..good.len() {
            let error = unpacked(&good[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{length}");
        }
        let change = |at: usize| {
            let mut bad = good.clone();
            bad[at] ^= 0xff;
            unpacked(&bad).unwrap_err().to_string()
        };
        assert_eq!(change(0), "invalid gzip header");
        assert!(change(good.len() - 1).contains("checksum"));
        assert!(change(good.len() - 5).contains("checksum"));
        assert!(!change(12).is_empty());
        let trailing = [good.clone(), b"garbage, and more".to_vec()].concat();
        assert!(unpacked(&trailing).is_err());
    }
}
