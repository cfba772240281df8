//! Python's regular expressions on `fancy-regex`.
//!
//! Follows <https://docs.python.org/3/library/re.html#regular-expression-syntax>: a pattern is
//! translated, so that what means something else in Rust's syntax means what it does in Python's.

use crate::Result;
use crate::error::{Error, Kind};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

pub use fancy_regex::Regex;

/// The groups of a match.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// Flags given beside a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    pub ignorecase: bool,
    pub multiline: bool,
    /// A dot is a line break too.
    pub dotall: bool,
    /// The text is bytes, each of them a character up to 255: classes know ASCII alone.
    pub bytes: bool,
}

fn error(message: impl Into<String>) -> Error {
    Error::new(Kind::Template, message)
}

/// So many compiled patterns are kept; then all are forgotten, as Python does.
const CACHE_SIZE: usize = 512;

type Cache = HashMap<(String, Flags), Arc<Regex>>;

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// Compiles a pattern in Python's syntax. Errors in Python's words where they are the usual ones.
pub fn compile(pattern: &str, flags: Flags) -> Result<Arc<Regex>> {
    let key = (pattern.to_string(), flags);
    let mut cache = CACHE.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(found) = cache.get(&key) {
        return Ok(Arc::clone(found));
    }
    let translated = translate(pattern, flags)?;
    let regex = Regex::new(&translated)
        .map(Arc::new)
        .map_err(|e| error(format!("invalid regular expression {pattern:?}: {e}")))?;
    if cache.len() >= CACHE_SIZE {
        cache.clear();
    }
    cache.insert(key, Arc::clone(&regex));
    Ok(regex)
}

/// Where in `text` the pattern is found first.
pub fn search<'t>(regex: &Regex, text: &'t str) -> Result<Option<Captures<'t>>> {
    regex.captures(text).map_err(|e| error(e.to_string()))
}

/// All matches in Python's way: an empty one may follow right after one that is not empty.
pub fn find_all<'t>(regex: &Regex, text: &'t str, limit: usize) -> Result<Vec<Captures<'t>>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at <= text.len() && found.len() < limit {
        let captures = regex
            .captures_from_pos(text, at)
            .map_err(|e| error(e.to_string()))?;
        let Some(captures) = captures else { break };
        let Some(whole) = captures.get(0) else { break };
        at = if whole.end() > whole.start() {
            whole.end()
        } else {
            whole.end() + text[whole.end()..].chars().next().map_or(1, char::len_utf8)
        };
        found.push(captures);
    }
    Ok(found)
}

/// `re.subn(pattern, replacement, text)`: the new text and how many were replaced; 0 replaces all.
pub fn replace(
    regex: &Regex,
    text: &str,
    replacement: &str,
    count: usize,
) -> Result<(String, usize)> {
    let parts = parse_replacement(regex, replacement)?;
    let limit = if count == 0 { usize::MAX } else { count };
    let found = find_all(regex, text, limit)?;
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for captures in &found {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(&text[from..whole.start()]);
        for part in &parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(i) => out.push_str(captures.get(*i).map_or("", |m| m.as_str())),
            }
        }
        from = whole.end();
    }
    out.push_str(&text[from..]);
    Ok((out, found.len()))
}

/// The number of the group with that name.
pub fn group_number(regex: &Regex, name: &str) -> Option<usize> {
    regex.capture_names().position(|n| n == Some(name))
}

enum Part {
    Text(String),
    Group(usize),
}

fn parse_replacement(regex: &Regex, text: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let chars: Vec<char> = text.chars().collect();
    let groups = regex.captures_len();
    let mut i = 0;
    let mut group = |plain: &mut String, number: usize, at: usize| -> Result<()> {
        if number >= groups {
            return Err(error(format!(
                "invalid group reference {number} at position {at}"
            )));
        }
        parts.push(Part::Text(std::mem::take(plain)));
        parts.push(Part::Group(number));
        Ok(())
    };
    while i < chars.len() {
        if chars[i] != '\\' {
            plain.push(chars[i]);
            i += 1;
            continue;
        }
        let Some(c) = chars.get(i + 1) else {
            return Err(error(format!(
                "bad escape (end of pattern) at position {i}"
            )));
        };
        match c {
            'g' => {
                if chars.get(i + 2) != Some(&'<') {
                    return Err(error(format!("missing < at position {}", i + 2)));
                }
                let Some(end) = (i + 3..chars.len()).find(|j| chars[*j] == '>') else {
                    return Err(error(format!(
                        "missing >, unterminated name at position {}",
                        i + 3
                    )));
                };
                let name: String = chars[i + 3..end].iter().collect();
                let number = match name.parse::<usize>() {
                    Ok(n) => n,
                    Err(_) => group_number(regex, &name)
                        .ok_or_else(|| error(format!("unknown group name '{name}'")))?,
                };
                group(&mut plain, number, i + 3)?;
                i = end + 1;
            }
            '0' => {
                let digits: String = chars[i + 1..]
                    .iter()
                    .take(3)
                    .take_while(|c| ('0'..='7').contains(*c))
                    .collect();
                let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                plain.extend(char::from_u32(code));
                i += 1 + digits.len();
            }
            '1'..='9' => {
                let two = chars.get(i + 2).filter(|c| c.is_ascii_digit());
                let digits: String = std::iter::once(c).chain(two).collect();
                group(&mut plain, digits.parse().unwrap_or(0), i + 1)?;
                i += 1 + digits.len();
            }
            c => {
                match c {
                    'a' => plain.push('\u{7}'),
                    'b' => plain.push('\u{8}'),
                    'f' => plain.push('\u{c}'),
                    'n' => plain.push('\n'),
                    'r' => plain.push('\r'),
                    't' => plain.push('\t'),
                    'v' => plain.push('\u{b}'),
                    '\\' => plain.push('\\'),
                    c if c.is_ascii_alphabetic() => {
                        return Err(error(format!("bad escape \\{c} at position {i}")));
                    }
                    c => {
                        plain.push('\\');
                        plain.push(*c);
                    }
                }
                i += 2;
            }
        }
    }
    parts.push(Part::Text(plain));
    Ok(parts)
}

/// The pattern in Rust's syntax.
fn translate(pattern: &str, flags: Flags) -> Result<String> {
    let mut t = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        out: String::new(),
        multiline: flags.multiline,
        bytes: flags.bytes,
        verbose: false,
        open: Vec::new(),
        repeatable: false,
    };
    let given = [
        (flags.ignorecase, 'i'),
        (flags.multiline, 'm'),
        (flags.dotall, 's'),
    ];
    let letters: String = given.iter().filter(|f| f.0).map(|f| f.1).collect();
    if !letters.is_empty() {
        t.out.push_str(&format!("(?{letters})"));
    }
    t.run()?;
    Ok(t.out)
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    multiline: bool,
    bytes: bool,
    verbose: bool,
    /// Positions of the groups that are open.
    open: Vec<usize>,
    /// Whether what comes before can be repeated.
    repeatable: bool,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn literal(&mut self, c: char) {
        if self.verbose && (c.is_whitespace() || c == '#') {
            self.out.push_str(&format!("\\x{{{:x}}}", c as u32));
            return;
        }
        if "\\.+*?()|[]{}^$#&-~".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    fn run(&mut self) -> Result<()> {
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => {
                    self.escape(false)?;
                    self.repeatable = true;
                }
                '[' => {
                    self.set()?;
                    self.repeatable = true;
                }
                '(' => self.group()?,
                ')' => {
                    if self.open.pop().is_none() {
                        return Err(error(format!(
                            "unbalanced parenthesis at position {}",
                            self.at
                        )));
                    }
                    self.out.push(')');
                    self.at += 1;
                    self.repeatable = true;
                }
                '*' | '+' | '?' => self.repeat(c.to_string())?,
                '{' => match self.counted() {
                    Some(range) => self.repeat(range)?,
                    None => {
                        self.out.push_str("\\{");
                        self.at += 1;
                        self.repeatable = true;
                    }
                },
                '}' | ']' => {
                    self.literal(c);
                    self.at += 1;
                    self.repeatable = true;
                }
                '$' => {
                    // Python's $ also stands before a line break at the very end
                    self.out.push_str(if self.multiline {
                        "(?m:$)"
                    } else {
                        "(?=\\n?\\z)"
                    });
                    self.at += 1;
                    self.repeatable = true;
                }
                '|' => {
                    self.out.push('|');
                    self.at += 1;
                    self.repeatable = false;
                }
                '#' if self.verbose => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                c if self.verbose && c.is_whitespace() => self.at += 1,
                c => {
                    if c == '^' || c == '.' {
                        self.out.push(c);
                    } else {
                        self.literal(c);
                    }
                    self.at += 1;
                    self.repeatable = true;
                }
            }
        }
        match self.open.first() {
            Some(at) => Err(error(format!(
                "missing ), unterminated subpattern at position {at}"
            ))),
            None => Ok(()),
        }
    }

    /// `{2}`, `{2,}`, `{,3}`, `{2,3}`; anything else is text.
    fn counted(&self) -> Option<String> {
        let end = (self.at..self.chars.len()).find(|i| self.chars[*i] == '}')?;
        let inner: String = self.chars[self.at + 1..end].iter().collect();
        let (low, high) = match inner.split_once(',') {
            Some((low, high)) => (low, Some(high)),
            None => (inner.as_str(), None),
        };
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if inner.is_empty()
            || inner == "," && high.is_none()
            || !digits(low)
            || !high.is_none_or(digits)
        {
            return None;
        }
        Some(match high {
            None if low.is_empty() => return None,
            None => format!("{{{low}}}"),
            Some(high) => format!("{{{},{high}}}", if low.is_empty() { "0" } else { low }),
        })
    }

    fn repeat(&mut self, operator: String) -> Result<()> {
        if !self.repeatable {
            return Err(error(format!("nothing to repeat at position {}", self.at)));
        }
        let length = if operator.starts_with('{') {
            (self.at..self.chars.len())
                .find(|i| self.chars[*i] == '}')
                .map_or(1, |end| end - self.at + 1)
        } else {
            1
        };
        let at = self.at;
        self.out.push_str(&operator);
        self.at += length;
        // lazy or possessive
        if let Some(c @ ('?' | '+')) = self.peek(0) {
            self.out.push(c);
            self.at += 1;
        }
        if matches!(self.peek(0), Some('*' | '+' | '?')) {
            return Err(error(format!("multiple repeat at position {}", at + 1)));
        }
        self.repeatable = true;
        Ok(())
    }

    fn group(&mut self) -> Result<()> {
        let start = self.at;
        self.repeatable = false;
        let rest: String = self.chars[self.at..].iter().take(64).collect();
        let Some(kind) = rest.strip_prefix("(?") else {
            self.out.push('(');
            self.open.push(start);
            self.at += 1;
            return Ok(());
        };
        if kind.starts_with('#') {
            match (self.at..self.chars.len()).find(|i| self.chars[*i] == ')') {
                Some(end) => self.at = end + 1,
                None => {
                    return Err(error(format!(
                        "missing ), unterminated comment at position {start}"
                    )));
                }
            }
            return Ok(());
        }
        for plain in [":", "=", "!", ">", "<=", "<!", "P<", "("] {
            if kind.starts_with(plain) {
                let end = match plain {
                    "P<" => self.find('>'),
                    "(" => self.find(')'),
                    _ => Some(self.at + 1 + plain.len()),
                };
                let Some(end) = end else {
                    return Err(error(format!(
                        "missing >, unterminated name at position {}",
                        start + 4
                    )));
                };
                let text: String = self.chars[self.at..=end].iter().collect();
                self.out.push_str(&text);
                self.at = end + 1;
                self.open.push(start);
                return Ok(());
            }
        }
        if kind.starts_with("P=") {
            let Some(end) = self.find(')') else {
                return Err(error(format!(
                    "missing ), unterminated name at position {}",
                    start + 4
                )));
            };
            let name: String = self.chars[self.at + 4..end].iter().collect();
            self.out.push_str(&format!("\\k<{name}>"));
            self.at = end + 1;
            self.repeatable = true;
            return Ok(());
        }
        self.flags(start)
    }

    fn find(&self, wanted: char) -> Option<usize> {
        (self.at..self.chars.len()).find(|i| self.chars[*i] == wanted)
    }

    /// `(?aiLmsux)` at the start and `(?ims-x:...)` anywhere.
    fn flags(&mut self, start: usize) -> Result<()> {
        let end = (start + 2..self.chars.len()).find(|i| matches!(self.chars[*i], ':' | ')'));
        let flags: String = self.chars[start + 2..end.unwrap_or(self.chars.len())]
            .iter()
            .collect();
        let known = flags.chars().all(|c| "aimsuxL-".contains(c)) && !flags.is_empty();
        let Some(end) = end.filter(|_| known) else {
            let what: String = flags.chars().take(2).collect();
            return Err(error(format!(
                "unknown extension ?{what} at position {}",
                start + 1
            )));
        };
        let global = self.chars[end] == ')';
        if global && start > 0 {
            return Err(error(format!(
                "global flags not at the start of the expression at position {start}"
            )));
        }
        let (on, off) = flags.split_once('-').unwrap_or((&flags, ""));
        if on.contains('m') && global {
            self.multiline = true;
        }
        if on.contains('x') && global {
            self.verbose = true;
        }
        let pick = |s: &str| s.chars().filter(|c| "ims".contains(*c)).collect::<String>();
        let (on, off) = (pick(on), pick(off));
        let all = if off.is_empty() {
            on
        } else {
            format!("{on}-{off}")
        };
        self.at = end + 1;
        if global {
            if !all.is_empty() {
                self.out.push_str(&format!("(?{all})"));
            }
        } else {
            self.out.push_str(&format!("(?{all}:"));
            self.open.push(start);
        }
        Ok(())
    }

    /// An escape; inside of a set some mean something else.
    fn escape(&mut self, in_set: bool) -> Result<()> {
        let at = self.at;
        let Some(c) = self.peek(1) else {
            return Err(error(format!(
                "bad escape (end of pattern) at position {at}"
            )));
        };
        self.at += 2;
        match c {
            'd' if self.bytes => self.ascii("0-9", in_set),
            'w' if self.bytes => self.ascii("0-9A-Za-z_", in_set),
            's' if self.bytes => self.ascii(r" \t\n\r\f\v", in_set),
            'D' if self.bytes => self.out.push_str("[^0-9]"),
            'W' if self.bytes => self.out.push_str("[^0-9A-Za-z_]"),
            'S' if self.bytes => self.out.push_str(r"[^ \t\n\r\f\v]"),
            'b' if self.bytes && !in_set => self.out.push_str(
                "(?:(?<![0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?![0-9A-Za-z_]))",
            ),
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' | 'f' | 'v' | 'a' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' if in_set => self.out.push_str("\\x08"),
            'b' | 'B' | 'A' if !in_set => {
                self.out.push('\\');
                self.out.push(c);
            }
            'Z' if !in_set => self.out.push_str("\\z"),
            'x' => self.code(2, at)?,
            'u' => self.code(4, at)?,
            'U' => self.code(8, at)?,
            '0'..='7' if in_set || c == '0' || self.octal() => {
                let mut digits = String::from(c);
                while digits.len() < 3
                    && let Some(d @ '0'..='7') = self.peek(0)
                {
                    digits.push(d);
                    self.at += 1;
                }
                let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                self.out.push_str(&format!("\\x{{{code:x}}}"));
            }
            '1'..='9' => {
                let mut digits = String::from(c);
                if let Some(d @ '0'..='9') = self.peek(0) {
                    digits.push(d);
                    self.at += 1;
                }
                // a group of its own keeps a digit that follows apart
                self.out.push_str(&format!("(?:\\{digits})"));
            }
            c if c.is_ascii_alphanumeric() => {
                return Err(error(format!("bad escape \\{c} at position {at}")));
            }
            c => self.literal(c),
        }
        Ok(())
    }

    /// A class of ASCII characters, in a set or alone.
    fn ascii(&mut self, class: &str, in_set: bool) {
        match in_set {
            true => self.out.push_str(class),
            false => self.out.push_str(&format!("[{class}]")),
        }
    }

    /// Whether the escape just read is three octal digits.
    fn octal(&self) -> bool {
        (0..2).all(|i| matches!(self.peek(i), Some('0'..='7')))
            && matches!(self.chars[self.at - 1], '0'..='3')
    }

    fn code(&mut self, length: usize, at: usize) -> Result<()> {
        let digits: String = self.chars[self.at..].iter().take(length).collect();
        let fits = digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !fits {
            let shown: String = self.chars[at..self.at].iter().collect();
            return Err(error(format!("incomplete escape {shown} at position {at}")));
        }
        self.at += length;
        self.out.push_str(&format!("\\x{{{digits}}}"));
        Ok(())
    }

    fn set(&mut self) -> Result<()> {
        let start = self.at;
        self.out.push('[');
        self.at += 1;
        if self.peek(0) == Some('^') {
            self.out.push('^');
            self.at += 1;
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek(0) else {
                return Err(error(format!(
                    "unterminated character set at position {start}"
                )));
            };
            match c {
                ']' if !first => {
                    self.out.push(']');
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '-' => {
                    // a range, unless at an edge of the set
                    let edge = first || self.peek(1) == Some(']');
                    self.out.push_str(if edge { "\\-" } else { "-" });
                    self.at += 1;
                }
                c => {
                    self.literal(c);
                    self.at += 1;
                }
            }
            first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        for (pattern, text, found) in [
            (r"b$", "ab\n", Some("b")),
            (r"b\Z", "ab\n", None),
            (r"[[]a", "[a", Some("[a")),
            (r"[]a]+", "]a", Some("]a")),
            (r"a{,2}", "aaa", Some("aa")),
            (r"a{x", "a{x", Some("a{x")),
            (r"\<b\>", "<b>", Some("<b>")),
            (r"[&&]", "&", Some("&")),
            (r"(?P<q>['\x22]).*?(?P=q)", "x 'a\"b' y", Some("'a\"b'")),
            (r"(a)\1", "aa", Some("aa")),
            (r"(?i)FOO", "xfoo", Some("foo")),
            (r"[\w.-]+", "a.b-c d", Some("a.b-c")),
            (r"(?x) a b # comment", "ab", Some("ab")),
            (r"(?<!x)a", "xa a", Some("a")),
            (r"\d+(?=px)", "10em 20px", Some("20")),
        ] {
            let regex = compile(pattern, Flags::default()).unwrap();
            let got = search(&regex, text).unwrap();
            let got = got.and_then(|c| c.get(0)).map(|m| m.as_str());
            assert_eq!(got, found, "{pattern}");
        }
    }

    #[test]
    fn patterns_of_bytes_know_ascii_alone() {
        let flags = Flags {
            bytes: true,
            ..Flags::default()
        };
        for (pattern, text, found) in [
            (r"^gr.n", "gr\u{c3}\u{bc}n", None),
            (r"gr\w", "gr\u{c3}", None),
            (r"\bb", "\u{c3}b", Some("b")),
            (r"[\s\w]+", "a b\u{e4}", Some("a b")),
            (r"[\W]\d", "a1\u{c3}2", Some("\u{c3}2")),
        ] {
            let regex = compile(pattern, flags).unwrap();
            let found_here = search(&regex, text).unwrap();
            let whole = found_here.and_then(|c| c.get(0).map(|m| m.as_str()));
            assert_eq!(whole, found, "{pattern}");
        }
    }

    #[test]
    fn mistakes_are_named_as_python_names_them() {
        for (pattern, words) in [
            ("(", "missing ), unterminated subpattern at position 0"),
            ("a)", "unbalanced parenthesis at position 1"),
            ("[a", "unterminated character set at position 0"),
            ("*", "nothing to repeat at position 0"),
            (r"\h", r"bad escape \h at position 0"),
            ("(?<n>a)", "unknown extension ?<n at position 1"),
        ] {
            let error = compile(pattern, Flags::default()).unwrap_err();
            assert_eq!(error.message(), words);
        }
    }

    #[test]
    fn replacements_as_in_python() {
        for (pattern, replacement, text, new) in [
            ("x*", "-", "abxd", "-a-b--d-"),
            ("^(f)(.*)$", r"\2\1", "foo", "oof"),
            ("(?P<a>f)", r"\g<a>\g<1>\g<0>", "foo", "fffoo"),
            ("f", r"\.", "foo", r"\.oo"),
            ("f", "$1", "foo", "$1oo"),
            ("o", r"\n", "foo", "f\n\n"),
        ] {
            let regex = compile(pattern, Flags::default()).unwrap();
            assert_eq!(replace(&regex, text, replacement, 0).unwrap().0, new);
        }
    }
}
