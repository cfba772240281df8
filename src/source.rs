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
    /// Whether it is in no file: a value of the command line, say. It is shown as a whole, not by its lines.
    loose: bool,
}

impl Source {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
            loose: false,
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

    /// The place of a text that is in no file, such as a value of the command line: all of it.
    pub fn loose(name: impl Into<String>, text: impl Into<String>) -> Location {
        let source = Arc::new(Source {
            name: name.into(),
            text: text.into(),
            loose: true,
        });
        Location::new(&source, 0, 0)
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

    /// The text, in one line of bearable length, if it is in no file.
    pub fn loose_text(&self) -> Option<String> {
        (self.source.loose && !self.source.text.is_empty()).then(|| shortened(&self.source.text))
    }

    /// The source lines around the place, numbered, with a caret under the column.
    ///
    /// Two lines of context before, none after, like a compiler's message.
    pub fn snippet(&self) -> String {
        if let Some(text) = self.loose_text() {
            return format!("  | {text}\n");
        }
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

/// Characters of a text that is in no file, as it is shown.
const LONGEST: usize = 120;

/// The words of a text with one blank between them; of a long one the first, and a mark.
fn shortened(text: &str) -> String {
    const MARK: &str = "[...]";
    let words: Vec<&str> = text.split_whitespace().collect();
    let whole = words.join(" ");
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    let mut out = String::new();
    for word in words {
        if out.chars().count() + word.chars().count() + 1 + MARK.len() > LONGEST {
            break;
        }
        out.push_str(word);
        out.push(' ');
    }
    out + MARK
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.source.name);
        }
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_in_no_file_is_shown_in_one_line() {
        let at = Location::loose("<CLI option '-a'>", "{{ x }}\n  y");
        assert_eq!(at.to_string(), "<CLI option '-a'>");
        assert_eq!(at.snippet(), "  | {{ x }} y\n");
        let fits = "bb bb bb bb bb ".repeat(8);
        assert_eq!(shortened(&fits), fits.trim());
        let long = format!("{fits}c");
        assert_eq!(shortened(&long), format!("{} [...]", &fits[..113].trim()));
        assert_eq!(shortened(&"x".repeat(121)), "[...]");
    }
}
