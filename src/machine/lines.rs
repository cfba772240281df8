//! Output as it comes, cut into lines.

use serde::{Deserialize, Serialize};

/// Which of a command's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Output,
    Error,
}

/// Takes the lines that a command writes, as they come.
pub type Lines = std::sync::Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// Longer lines are told in pieces.
const LONGEST: usize = 4096;

/// Collects what comes until a line is whole.
#[derive(Default)]
pub(super) struct Splitter {
    begun: Vec<u8>,
}

impl Splitter {
    /// Tells the lines that are whole now. A carriage return ends a line too: progress bars use it.
    pub(super) fn take(&mut self, bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        for piece in bytes.split_inclusive(|b| matches!(b, b'\n' | b'\r')) {
            match piece.split_last() {
                Some((b'\n' | b'\r', line)) => {
                    self.begun.extend_from_slice(line);
                    self.end(tell);
                }
                _ => self.begun.extend_from_slice(piece),
            }
            if self.begun.len() > LONGEST {
                self.end(tell);
            }
        }
    }

    /// Tells what has no end of line.
    pub(super) fn end(&mut self, tell: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            tell(&String::from_utf8_lossy(&self.begun));
            self.begun.clear();
        }
    }
}

/// Both outputs of a command, cut into lines for whom they are told to, if that is anybody.
pub struct LineSplitters<'a> {
    lines: Option<&'a Lines>,
    output: Splitter,
    error: Splitter,
}

impl<'a> LineSplitters<'a> {
    pub fn new(lines: Option<&'a Lines>) -> LineSplitters<'a> {
        LineSplitters {
            lines,
            output: Splitter::default(),
            error: Splitter::default(),
        }
    }

    /// Tells the lines that are whole now.
    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(lines) = self.lines else { return };
        let splitter = match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        };
        splitter.take(bytes, &mut |line| lines(stream, line));
    }

    /// Tells what has no end of line.
    pub fn end(&mut self) {
        let Some(lines) = self.lines else { return };
        self.output.end(&mut |line| lines(Stream::Output, line));
        self.error.end(&mut |line| lines(Stream::Error, line));
    }
}
