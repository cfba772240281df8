//! Python's `str()` and `repr()` of values, which is what users see in their files.

use crate::value::{Key, Value};
use std::cmp::Ordering;
use std::fmt::Write;

/// `str(value)`: text as it is, everything else as [`repr`].
pub fn str(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_string(),
        None => repr(value),
    }
}

/// `repr(value)`: text quoted, `True`, `None`, `[1, 'a']`, `{'k': 'v'}`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(s) => quote_into(out, s),
        Value::Template(t) => quote_into(out, &t.text),
        Value::Vault(v) => quote_into(out, &v.text),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                match key {
                    Key::Str(s) => quote_into(out, s),
                    Key::Other(v) => write_repr(out, v),
                }
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push('}');
        }
        Value::Dynamic(d) => {
            out.push('{');
            for (i, key) in d.keys().iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                quote_into(out, key);
                out.push_str(": ");
                match d.get(key) {
                    Ok(Some(value)) => write_repr(out, &value),
                    _ => out.push_str("None"),
                }
            }
            out.push('}');
        }
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::Omit => out.push_str("<omit>"),
    }
}

/// `repr(float)`: the shortest digits that read back the same; exponents below -4 and from 16 on.
pub fn float(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{f:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{f}");
        if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// Sorts a dictionary's entries by key; where Python cannot compare the keys they keep their order.
pub fn sort_keys(entries: &mut [(&Key, &Value)]) {
    let number = |key: &Key| match key {
        Key::Str(_) => None,
        Key::Other(value) => match &**value {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Int(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            Value::BigInt(digits) => digits.parse().ok(),
            _ => None,
        },
    };
    if entries.iter().all(|(k, _)| matches!(k, Key::Str(_))) {
        entries.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
    } else if entries.iter().all(|(k, _)| number(k).is_some()) {
        entries
            .sort_by(|(a, _), (b, _)| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal));
    }
}

/// `repr(str)`: in single quotes, or in double ones if only single ones are inside.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

fn quote_into(out: &mut String, text: &str) {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let n = c as u32;
                let _ = match n {
                    0..=0xff => write!(out, "\\x{n:02x}"),
                    0x100..=0xffff => write!(out, "\\u{n:04x}"),
                    _ => write!(out, "\\U{n:08x}"),
                };
            }
        }
    }
    out.push(mark);
}

/// Python's `str.isprintable` for one character, without a table of unassigned ones.
fn is_printable(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{e0000}'..='\u{10ffff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || hidden)
}

/// Adds a text to `out` with the escapes of Python's string literals resolved; unknown ones stay as they are.
pub fn unescape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(kind) = chars.next() else {
            out.push('\\');
            return;
        };
        let mut number = |digits: usize, radix: u32, first: &str| {
            let mut text = first.to_string();
            while text.len() < digits
                && let Some(d) = chars.peek().filter(|d| d.is_digit(radix))
            {
                text.push(*d);
                chars.next();
            }
            u32::from_str_radix(&text, radix)
                .ok()
                .and_then(char::from_u32)
                .unwrap_or('\u{fffd}')
        };
        match kind {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(kind),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => out.push(number(2, 16, "")),
            'u' => out.push(number(4, 16, "")),
            'U' => out.push(number(8, 16, "")),
            '0'..='7' => out.push(number(3, 8, &kind.to_string())),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_python_writes_them() {
        for (f, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (-0.0, "-0.0"),
        ] {
            assert_eq!(float(f), text);
        }
    }

    #[test]
    fn text_as_python_quotes_it() {
        for (text, quoted) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\nb\u{0}é\u{a0}", "'a\\nb\\x00é\\xa0'"),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }
}
