//! HTTP/1.1 as it goes over a stream.

use super::Headers;
use std::io::{self, BufRead, BufReader, Read, Write};

/// Two ways that bytes go.
pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// No response has more bytes before its body.
const HEAD_LIMIT: u64 = 256 * 1024;

/// The first lines of a response.
pub struct Head {
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
}

/// Writes a request and its body.
pub fn send(
    stream: &mut dyn Stream,
    method: &str,
    target: &str,
    headers: &Headers,
    body: &mut dyn Read,
) -> io::Result<()> {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers.iter() {
        if name.contains(['\r', '\n', ':', ' ']) || value.contains(['\r', '\n']) {
            return Err(malformed(&format!("invalid header {name:?}")));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    io::copy(body, stream)?;
    stream.flush()
}

/// Reads a response up to its body; what only announces another (`100 Continue`) is passed over.
pub fn receive(input: &mut impl BufRead) -> io::Result<Head> {
    loop {
        let head = receive_one(input)?;
        if !(100..200).contains(&head.status) || head.status == 101 {
            return Ok(head);
        }
    }
}

fn receive_one(input: &mut impl BufRead) -> io::Result<Head> {
    let mut input = input.take(HEAD_LIMIT);
    let first = line(&mut input)?;
    let mut words = first.splitn(3, ' ');
    let status = match (words.next(), words.next().map(str::parse)) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/1.") => status,
        _ => return Err(malformed("Bad status line")),
    };
    let mut headers = Headers::default();
    loop {
        let text = line(&mut input)?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| malformed("a header without a colon"))?;
        headers.push(name.trim(), value.trim());
    }
    Ok(Head {
        status,
        reason: words.next().unwrap_or_default().to_string(),
        headers,
    })
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "Remote end closed connection without response",
        ));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The body of a response.
pub struct Body {
    input: BufReader<Box<dyn Stream>>,
    rest: Rest,
}

/// How much of it is still to come.
enum Rest {
    Bytes(u64),
    /// So many bytes of this chunk; none if the next chunk has not begun.
    Chunk(Option<u64>),
    UntilClosed,
}

impl Body {
    pub fn new(input: BufReader<Box<dyn Stream>>, method: &str, head: &Head) -> io::Result<Body> {
        let chunked = head
            .headers
            .get("Transfer-Encoding")
            .is_some_and(|e| e.to_ascii_lowercase().contains("chunked"));
        let rest = if method == "HEAD" || matches!(head.status, 204 | 304) {
            Rest::Bytes(0)
        } else if chunked {
            Rest::Chunk(None)
        } else if let Some(length) = head.headers.get("Content-Length") {
            Rest::Bytes(
                length
                    .parse()
                    .map_err(|_| malformed("Content-Length is no number"))?,
            )
        } else {
            Rest::UntilClosed
        };
        Ok(Body { input, rest })
    }

    fn next_chunk(&mut self, first: bool) -> io::Result<u64> {
        if !first {
            line(&mut self.input)?;
        }
        let size = line(&mut self.input)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size =
            u64::from_str_radix(size, 16).map_err(|_| malformed("a chunk without a size"))?;
        if size == 0 {
            while !line(&mut self.input)?.is_empty() {}
        }
        Ok(size)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = match self.rest {
            Rest::UntilClosed => match self.input.read(buffer) {
                // many servers end TLS by closing
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            },
            Rest::Bytes(left) => left,
            Rest::Chunk(Some(left)) if left > 0 => left,
            Rest::Chunk(before) => {
                let left = self.next_chunk(before.is_none())?;
                self.rest = match left {
                    0 => Rest::Bytes(0),
                    left => Rest::Chunk(Some(left)),
                };
                left
            }
        };
        if limit == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer
            .len()
            .min(usize::try_from(limit).unwrap_or(usize::MAX));
        let n = self.input.read(&mut buffer[..most])?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the connection was closed {limit} bytes before the end"),
            ));
        }
        let left = limit - n as u64;
        self.rest = match self.rest {
            Rest::Chunk(_) => Rest::Chunk(Some(left)),
            _ => Rest::Bytes(left),
        };
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn body(response: &str) -> io::Result<String> {
        let stream: Box<dyn Stream> = Box::new(Cursor::new(response.as_bytes().to_vec()));
        let mut input = BufReader::with_capacity(3, stream);
        let head = receive(&mut input)?;
        let mut text = String::new();
        Body::new(input, "GET", &head)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn bodies_end_where_they_say() {
        for (response, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, more",
                "hello",
            ),
            ("HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"),
            (
                "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n2;x=y\r\n, \r\n0\r\nT: v\r\n\r\nx",
                "hello, ",
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", ""),
        ] {
            assert_eq!(body(response).unwrap(), expected, "{response}");
        }
        for cut in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nConte",
            "SSH-2.0-x\r\n",
        ] {
            assert!(body(cut).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_header_cannot_begin_another_line() {
        let mut headers = Headers::default();
        headers.push("X-A", "1\r\nX-B: 2");
        let mut stream = Cursor::new(Vec::new());
        assert!(send(&mut stream, "GET", "/", &headers, &mut io::empty()).is_err());
    }
}
