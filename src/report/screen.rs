//! Where text for the user goes: two streams, their width, and whether they have colours.

use super::colour::Colour;
use super::log;
use crate::terminal;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard};

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// A terminal or a pair of pipes, shared by the reporter and the printer of notices.
#[derive(Clone)]
pub struct Screen {
    inner: Arc<Mutex<Inner>>,
    columns: usize,
    colours: bool,
}

struct Inner {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
}

impl Screen {
    /// The process's own standard streams.
    ///
    /// `colours` forces colours on or off; by default a terminal has them.
    pub fn standard(colours: Option<bool>) -> Screen {
        let terminal = std::io::stdout().is_terminal();
        let width = if terminal {
            rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |s| usize::from(s.ws_col))
        } else {
            0
        };
        Screen {
            inner: Arc::new(Mutex::new(Inner {
                out: Box::new(std::io::stdout()),
                err: Box::new(std::io::stderr()),
            })),
            // as ansible-playbook: never under 79, and the last column stays free
            columns: width.saturating_sub(1).max(79),
            colours: colours.unwrap_or(terminal),
        }
    }

    /// A screen on two writers, 79 columns wide.
    pub fn new(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        colours: bool,
    ) -> Screen {
        Screen {
            inner: Arc::new(Mutex::new(Inner {
                out: Box::new(out),
                err: Box::new(err),
            })),
            columns: 79,
            colours,
        }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn has_colours(&self) -> bool {
        self.colours
    }

    /// The text in a colour, line by line, where the screen has colours.
    pub fn paint(&self, text: &str, colour: Option<&Colour>) -> String {
        match colour {
            Some(colour) if self.colours => colour.paint(text),
            _ => text.to_string(),
        }
    }

    /// Prints a text and a line break, unless the text ends with one. Line breaks of Windows become those of Unix.
    ///
    /// It goes into the log file too.
    pub fn print(&self, stream: Stream, text: &str, colour: Option<&Colour>) {
        let text = text.replace("\r\n", "\n");
        log::add(&text);
        self.show(stream, self.paint(&text, colour));
    }

    /// Prints a text that has its colours already; `plain` is for the log file.
    pub fn print_painted(&self, stream: Stream, text: String, plain: &str) {
        log::add(plain);
        self.show(stream, text);
    }

    /// Prints a text, and leaves no trace of it.
    pub fn show(&self, stream: Stream, mut text: String) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut inner = self.lock();
        let _held = terminal::hold();
        // a reader that went away (`rplay ... | head`) must not stop the run half way
        let _ = match stream {
            Stream::Out => {
                let _ = inner.out.write_all(text.as_bytes());
                inner.out.flush()
            }
            Stream::Err => {
                let _ = inner.err.write_all(text.as_bytes());
                inner.err.flush()
            }
        };
    }

    /// `TEXT ****...` up to the width of the screen, after an empty line.
    pub fn banner(&self, text: &str) {
        let text = text.trim();
        let stars = self
            .columns
            .saturating_sub(console::measure_text_width(text))
            .max(3);
        self.print(
            Stream::Out,
            &format!("\n{text} {}", "*".repeat(stars)),
            None,
        );
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }
}
