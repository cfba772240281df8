//! JSON as Python's `json` module writes and reads it.

use super::call::error;
use crate::Result;
use crate::json::{self, quote};
use crate::value::{Key, Map, Value};
use std::fmt::Write;
use std::sync::Arc;

/// How to write JSON: the arguments of `json.dumps`.
#[derive(Clone, Debug)]
pub struct Style {
    /// What a level is indented with; everything on one line without it.
    pub indent: Option<String>,
    pub sort_keys: bool,
    pub ensure_ascii: bool,
    pub item_separator: String,
    pub key_separator: String,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            indent: None,
            sort_keys: false,
            ensure_ascii: true,
            item_separator: ", ".into(),
            key_separator: ": ".into(),
        }
    }
}

impl Style {
    /// Four spaces and sorted keys by default: `to_nice_json`.
    pub fn indented(by: usize) -> Style {
        Style {
            indent: Some(" ".repeat(by)),
            item_separator: ",".into(),
            ..Style::default()
        }
    }
}

/// The value as JSON. Errors on undefined parts and on keys whose order is asked for and does not exist.
pub fn dump(value: &Value, style: &Style) -> Result<String> {
    let mut out = String::new();
    write(&mut out, value, style, 0)?;
    Ok(out)
}

fn line(out: &mut String, style: &Style, level: usize) {
    if let Some(indent) = &style.indent {
        out.push('\n');
        for _ in 0..level {
            out.push_str(indent);
        }
    }
}

fn write(out: &mut String, value: &Value, style: &Style, level: usize) -> Result<()> {
    match value {
        Value::Null | Value::Omit => out.push_str("null"),
        Value::Bool(b) => {
            let _ = write!(out, "{b}");
        }
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&json::float(*f)),
        Value::Str(s) => quote(out, s, style.ensure_ascii),
        Value::Template(t) => quote(out, &t.text, style.ensure_ascii),
        Value::Vault(v) => quote(out, &v.text, style.ensure_ascii),
        Value::Undefined(message) => return Err(super::protocol::undefined(message)),
        Value::List(items) => {
            if items.is_empty() {
                out.push_str("[]");
                return Ok(());
            }
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(&style.item_separator);
                }
                line(out, style, level + 1);
                write(out, item, style, level + 1)?;
            }
            line(out, style, level);
            out.push(']');
        }
        Value::Map(map) => write_map(out, map.iter().collect(), style, level)?,
        Value::Dynamic(d) => {
            let entries = d
                .keys()
                .into_iter()
                .map(|k| {
                    let value = d.get(&k)?.unwrap_or_default();
                    Ok((Key::Str(k), value))
                })
                .collect::<Result<Map>>()?;
            write_map(out, entries.iter().collect(), style, level)?;
        }
    }
    Ok(())
}

fn write_map(
    out: &mut String,
    mut entries: Vec<(&Key, &Value)>,
    style: &Style,
    level: usize,
) -> Result<()> {
    if entries.is_empty() {
        out.push_str("{}");
        return Ok(());
    }
    if style.sort_keys {
        let mut failed = None;
        entries.sort_by(|(a, _), (b, _)| match (a, b) {
            (Key::Str(a), Key::Str(b)) => a.cmp(b),
            _ => super::protocol::compare(&a.to_value(), &b.to_value()).unwrap_or_else(|e| {
                failed.get_or_insert(e);
                std::cmp::Ordering::Equal
            }),
        });
        if let Some(e) = failed {
            return Err(e);
        }
    }
    out.push('{');
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.push_str(&style.item_separator);
        }
        line(out, style, level + 1);
        if let Key::Other(k) = key
            && matches!(**k, Value::List(_) | Value::Map(_))
        {
            return Err(error(format!(
                "keys must be str, int, float, bool or None, not {}",
                k.type_name()
            )));
        }
        quote(out, &json::key(key), style.ensure_ascii);
        out.push_str(&style.key_separator);
        write(out, value, style, level + 1)?;
    }
    line(out, style, level);
    out.push('}');
    Ok(())
}

/// Reads JSON; errors are in the words and with the places of Python's `json.loads`.
///
/// Half of a surrogate pair is an error too if `strict`, else a question mark.
pub fn load(text: &str, strict: bool) -> Result<Value> {
    let mut parser = Parser {
        text,
        at: 0,
        strict,
    };
    parser.space();
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.fail("Extra data", parser.at));
    }
    Ok(value)
}

/// Deeper nesting is refused, as Python refuses it.
const MAX_DEPTH: usize = 900;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    strict: bool,
}

impl Parser<'_> {
    fn fail(&self, words: &str, at: usize) -> crate::Error {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let offset = before.chars().count();
        error(format!(
            "{words}: line {line} column {column} (char {offset})"
        ))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(error(
                "maximum recursion depth exceeded while decoding JSON",
            ));
        }
        let rest = &self.text[self.at..];
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        match self.peek() {
            Some(b'"') => self.string().map(Value::from),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.fail("Expecting value", self.at)),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::list(items));
                }
                _ => return Err(self.fail("Expecting ',' delimiter", self.at)),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        const NAME: &str = "Expecting property name enclosed in double quotes";
        self.at += 1;
        let mut map = Map::default();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::map(map));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.fail(NAME, self.at));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.fail("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.space();
            let value = self.value(depth + 1)?;
            map.insert(Key::from(key), value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::map(map));
                }
                _ => return Err(self.fail("Expecting ',' delimiter", self.at)),
            }
        }
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let digits = |at: usize| {
            bytes[at..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count()
        };
        let mut at = start + usize::from(bytes[start] == b'-');
        let whole = if bytes.get(at) == Some(&b'0') {
            1
        } else {
            digits(at)
        };
        if whole == 0 {
            return Err(self.fail("Expecting value", start));
        }
        at += whole;
        let mut is_float = false;
        if bytes.get(at) == Some(&b'.') && digits(at + 1) > 0 {
            at += 1 + digits(at + 1);
            is_float = true;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let count = digits((at + 1 + sign).min(bytes.len()));
            if count > 0 {
                at += 1 + sign + count;
                is_float = true;
            }
        }
        self.at = at;
        let text = &self.text[start..at];
        Ok(if is_float {
            Value::Float(text.parse().unwrap_or(f64::NAN))
        } else {
            text.parse()
                .map_or_else(|_| Value::BigInt(Arc::from(text)), Value::Int)
        })
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(c) = rest.chars().next() else {
                return Err(self.fail("Unterminated string starting at", start));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(out);
                }
                '\\' => {
                    let escape = self.at;
                    self.at += 1;
                    let Some(kind) = self.text[self.at..].chars().next() else {
                        return Err(self.fail("Unterminated string starting at", start));
                    };
                    self.at += kind.len_utf8();
                    out.push(match kind {
                        '"' | '\\' | '/' => kind,
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => self.unicode(escape, out.chars().count())?,
                        _ => return Err(self.fail("Invalid \\escape", escape)),
                    });
                }
                c if (c as u32) < 0x20 => {
                    return Err(self.fail("Invalid control character at", self.at));
                }
                c => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    /// The character of `\u` and four digits, or of two of them, for that position of a string.
    fn unicode(&mut self, escape: usize, position: usize) -> Result<char> {
        let first = self
            .hex()
            .ok_or_else(|| self.fail("Invalid \\uXXXX escape", escape + 1))?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            match self.hex() {
                Some(second) if (0xdc00..0xe000).contains(&second) => {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
                }
                _ => self.at = back,
            }
        }
        match char::from_u32(first) {
            Some(c) => Ok(c),
            None if self.strict => Err(error(format!(
                "Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode character \
                 '\\u{first:04x}' in position {position}: surrogates not allowed"
            ))
            .hint("This check can be disabled with the `MODULE_STRICT_UTF8_RESPONSE` setting.")
            .within("The filter plugin 'ansible.builtin.from_json' failed", None)
            .apart()),
            None => {
                crate::notice::warning(
                    "Non UTF-8 encoded data replaced with \"?\" while displaying text to stdout/stderr.",
                );
                Ok('?')
            }
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
