//! Files that the user wrote, and places in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The folder that rplay was started in: names of sources are relative to it.
///
/// Call it before anything changes the process's folder.
pub fn start_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")))
}

/// A text with the name under which the user knows it.
pub struct Source {
    /// Path as shown in messages, or a name such as `<extra vars>`.
    pub name: String,
    /// The whole text; empty where it is not to be quoted (a vault file).
    pub text: String,
}

impl Source {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
        })
    }
}

/// A place in a [`Source`]. Line and column count from 1; columns count characters. Line 0 is the whole source.
#[derive(Clone)]
pub struct Location {
    pub source: Arc<Source>,
    pub line: u32,
    pub column: u32,
    /// Line and column of the YAML scalar that the place is inside of, where that is known.
    /// Ansible's messages point there.
    pub scalar: Option<(u32, u32)>,
}

impl Location {
    pub fn new(source: &Arc<Source>, line: u32, column: u32) -> Location {
        Location {
            source: Arc::clone(source),
            line,
            column,
            scalar: None,
        }
    }

    /// The same place, known to be inside the scalar that starts at `line` and `column`.
    pub fn in_scalar(self, scalar: Option<(u32, u32)>) -> Location {
        Location { scalar, ..self }
    }

    /// The start of the scalar that the place is inside of; the place itself where none is known.
    pub fn origin(&self) -> Location {
        match self.scalar {
            Some((line, column)) => Location::new(&self.source, line, column),
            None => self.clone(),
        }
    }

    /// The text of the line, without its line break.
    pub fn line_text(&self) -> Option<&str> {
        self.source
            .text
            .lines()
            .nth(self.line.checked_sub(1)? as usize)
    }

    /// The source lines around the place, numbered, with a caret under the column.
    ///
    /// Two lines of context before, none after, like a compiler's message.
    pub fn snippet(&self) -> String {
        let mut out = String::new();
        let width = self.line.to_string().len();
        let first = self.line.saturating_sub(2).max(1);
        for (index, text) in self.source.text.lines().enumerate() {
            let number = index as u32 + 1;
            if number > self.line {
                break;
            }
            if number >= first {
                out.push_str(&format!("{number:>width$} | {}\n", text.trim_end()));
            }
        }
        if !out.is_empty() {
            // tabs are kept so that the caret stands under the character it means
            let pad: String = self
                .line_text()
                .unwrap_or("")
                .chars()
                .take(self.column.saturating_sub(1) as usize)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            out.push_str(&format!("{:>width$} | {pad}^\n", ""));
        }
        out
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
