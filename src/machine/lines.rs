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
