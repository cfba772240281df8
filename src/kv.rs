//! `key=value` strings: task arguments in one line, `-e`, and what an INI inventory's host line holds.
//!
//! Follows the free-form notation of
//! <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_intro.html> and the `command`
//! module's free-form arguments. Quotes and Jinja's braces keep words together; a line break inside a
//! value stays in it.

use crate::error::{Error, Result};

/// What a free-form command may be given as `key=value`; all else is part of the command.
const FREE_FORM_OPTIONS: &[&str] = &[
    "creates",
    "removes",
    "chdir",
    "executable",
    "warn",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
];

/// Key of the words that are no `key=value`.
pub const RAW: &str = "_raw_params";

const JINJA: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

/// The arguments in `text`, in order; a key given twice keeps its first place and its last value.
///
/// Words that are not `key=value` are joined, as they were written, under [`RAW`], which comes last. With
/// `free_form` (command, shell, script, raw, ...) so are all keys but the command's own options.
///
/// Fails if a quote or a Jinja block is never closed.
pub fn parse(text: &str, free_form: bool) -> Result<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut raw = Vec::new();
    for word in split(text)? {
        let decoded = decode_escapes(&word);
        let equals = decoded
            .match_indices('=')
            .map(|(at, _)| at)
            .find(|at| *at > 0 && !decoded[..*at].ends_with('\\'));
        match equals {
            Some(at) => {
                let key = &decoded[..at];
                if free_form && !FREE_FORM_OPTIONS.contains(&key) {
                    raw.push(word);
                } else {
                    let value = unquote(decoded[at + 1..].trim()).to_string();
                    insert(&mut out, key.trim(), value);
                }
            }
            // an equals sign that leads or is escaped is text, and then without its backslash
            None if decoded.contains('=') => raw.push(decoded.replace("\\=", "=")),
            None => raw.push(word),
        }
    }
    if !raw.is_empty() {
        insert(&mut out, RAW, join(&raw));
    }
    Ok(out)
}

fn insert(out: &mut Vec<(String, String)>, key: &str, value: String) {
    match out.iter_mut().find(|(k, _)| k == key) {
        Some(entry) => entry.1 = value,
        None => out.push((key.to_string(), value)),
    }
}

/// `text` without the quotes around it, if it is quoted as a whole.
pub fn unquote(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .or_else(|| text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')));
    match inner {
        Some(inner) if !inner.ends_with('\\') => inner,
        _ => text,
    }
}

/// The words of `text`, split at blanks and line breaks outside of quotes and Jinja blocks.
///
/// A word keeps its quotes, and the line breaks that follow it, so that [`join`] restores the text.
pub fn split(text: &str) -> Result<Vec<String>> {
    let mut words = Words::default();
    let lines: Vec<&str> = text.split('\n').collect();
    for (index, line) in lines.iter().enumerate() {
        let continued = words.line(line);
        let last = index + 1 == lines.len();
        if !last && !continued {
            words.line_break();
        }
    }
    if words.quote.is_some() || words.in_jinja() {
        return Err(Error::parse(format!(
            "failed at splitting arguments, either an unbalanced jinja2 block or quotes: {}",
            text.trim_end()
        )));
    }
    Ok(words.done)
}

/// Words back to text: one blank between them, unless a line break is there already.
fn join(words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    /// The quote that is open.
    quote: Option<char>,
    /// How many `{{`, `{%` and `{#` are open.
    depth: [usize; 3],
}

impl Words {
    fn in_jinja(&self) -> bool {
        self.depth.iter().any(|d| *d > 0)
    }

    /// Takes the pieces of a line; true if it ends with a lone backslash, so that its line break is dropped.
    fn line(&mut self, line: &str) -> bool {
        let pieces: Vec<&str> = line.split(' ').collect();
        let mut continued = false;
        for (index, piece) in pieces.iter().enumerate() {
            if *piece == "\\" && self.quote.is_none() {
                continued = true;
                continue;
            }
            let was_quoted = self.quote.is_some();
            let was_jinja = self.in_jinja();
            self.quote = quote_after(piece, self.quote);
            if was_jinja || was_quoted {
                self.append(piece, if index == 0 { "" } else { " " });
            } else if piece.is_empty() {
                // one more blank between two words
                if index > 0 {
                    self.append("", " ");
                }
            } else {
                self.done.push((*piece).to_string());
            }
            self.count(piece);
        }
        continued
    }

    fn append(&mut self, piece: &str, spacer: &str) {
        match self.done.last_mut() {
            Some(word) => {
                word.push_str(spacer);
                word.push_str(piece);
            }
            None => self.done.push(format!("{spacer}{piece}")),
        }
    }

    fn count(&mut self, piece: &str) {
        for (depth, (open, close)) in self.depth.iter_mut().zip(JINJA) {
            let opened = piece.matches(open).count();
            let closed = piece.matches(close).count();
            *depth = (*depth + opened).saturating_sub(closed);
        }
    }

    fn line_break(&mut self) {
        match self.done.last_mut() {
            Some(word) => word.push('\n'),
            None => self.done.push("\n".to_string()),
        }
    }
}

/// The quote that is open after `piece`, if `open` was open before it.
fn quote_after(piece: &str, mut open: Option<char>) -> Option<char> {
    let mut previous = None;
    for c in piece.chars() {
        if matches!(c, '"' | '\'') && previous != Some('\\') {
            match open {
                None => open = Some(c),
                Some(quote) if quote == c => open = None,
                Some(_) => {}
            }
        }
        previous = Some(c);
    }
    open
}

/// The backslash escapes that Python knows, decoded; all others stay as they are.
fn decode_escapes(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        match escape(&rest[at + 1..]) {
            Some((c, used)) => {
                out.push(c);
                rest = &rest[at + 1 + used..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character that the escape after a backslash stands for, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = text.get(1..=digits)?;
        code.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
        Some((
            char::from_u32(u32::from_str_radix(code, 16).ok()?)?,
            digits + 1,
        ))
    };
    let simple = |c| Some((c, 1));
    match text.bytes().next()? {
        b'x' => hex(2),
        b'u' => hex(4),
        b'U' => hex(8),
        b'\\' => simple('\\'),
        b'\'' => simple('\''),
        b'"' => simple('"'),
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{b}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared, with 120000 random texts more, with what ansible-core makes of them.
    #[test]
    fn arguments_are_split_as_ansible_splits_them() {
        type Case = (&'static str, bool, &'static [(&'static str, &'static str)]);
        let cases: &[Case] = &[
            ("", false, &[]),
            ("src=a dest=b", false, &[("src", "a"), ("dest", "b")]),
            ("a=1 b=2 a=3", false, &[("a", "3"), ("b", "2")]),
            (
                "a='b c' d=\"e 'f'\"",
                false,
                &[("a", "b c"), ("d", "e 'f'")],
            ),
            (
                "a={{ b | c(\"d e\") }} f={% if g %}h i{% endif %}",
                false,
                &[
                    ("a", "{{ b | c(\"d e\") }}"),
                    ("f", "{% if g %}h"),
                    (RAW, "i{% endif %}"),
                ],
            ),
            (
                "msg=\"a\nb\" c=d\n  e=f",
                false,
                &[("msg", "a\nb"), ("c", "d"), ("e", "f")],
            ),
            ("a=x\\ty b='\\u263a'", false, &[("a", "x\ty"), ("b", "☺")]),
            ("a\\=b", false, &[(RAW, "a=b")]),
            (
                "echo  a=b \"c  d\" creates=/x | cat",
                true,
                &[("creates", "/x"), (RAW, "echo  a=b \"c  d\" | cat")],
            ),
            (
                "echo a \\\n  chdir=/y b\nc",
                true,
                &[("chdir", "/y"), (RAW, "echo a  b\nc")],
            ),
            ("echo '\\n' \\t", true, &[(RAW, "echo '\\n' \\t")]),
        ];
        for (text, free_form, want) in cases {
            let got = parse(text, *free_form).unwrap();
            let got: Vec<(&str, &str)> = got.iter().map(|(k, v)| (&**k, &**v)).collect();
            assert_eq!(got, *want, "{text}");
        }
    }

    #[test]
    fn what_is_never_closed_is_refused() {
        for text in ["a='b", "a={{ b", "x {% if", "\"", "{# a"] {
            let error = parse(text, false).unwrap_err();
            assert!(
                error.message().starts_with("failed at splitting arguments"),
                "{text}"
            );
            assert!(error.message().ends_with(text), "{text}");
        }
    }
}
