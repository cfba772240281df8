//! The parts of JSON as Python's `json` module writes them, for all that writes it.

use crate::python;
use crate::value::{Key, Value};
use std::fmt::Write;

/// A float: as Python's `repr` writes it, but for what is no number.
pub fn float(f: f64) -> String {
    if f.is_nan() {
        "NaN".into()
    } else if f.is_infinite() {
        if f > 0.0 { "Infinity" } else { "-Infinity" }.into()
    } else {
        python::float(f)
    }
}

/// The text of a key: in JSON all keys are text.
pub fn key(key: &Key) -> String {
    match key {
        Key::Str(text) => text.to_string(),
        Key::Other(value) => match &**value {
            Value::Float(f) => float(*f),
            _ => key.to_string(),
        },
    }
}

/// Text in quotes, all in ASCII if asked for.
pub fn quote(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || ensure_ascii && (c as u32) > 0x7e => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Text in quotes, all in ASCII: what `json.dumps` makes of it if not asked otherwise.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text, true);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_pythons() {
        for (f, text) in [
            (1.0, "1.0"),
            (1e-5, "1e-05"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float(f), text);
        }
        for (ascii, quoted) in [
            (false, r#""ü\t\u0007\"😀""#),
            (true, r#""\u00fc\t\u0007\"\ud83d\ude00""#),
        ] {
            let mut out = String::new();
            quote(&mut out, "ü\t\u{7}\"😀", ascii);
            assert_eq!(out, quoted);
        }
        assert_eq!(key(&Key::from_value(Value::Float(1e16))), "1e+16");
    }
}
