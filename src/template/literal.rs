//! String literals in templates.

use crate::python::unescape;

/// The value of one or more adjacent string literals.
pub fn literal(raw: &str, escapes: bool) -> String {
    let mut out = String::new();
    let mut rest = raw.trim_start();
    while let Some(mark) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = &rest[1..];
        let mut end = inner.len();
        let mut escaped = false;
        for (i, c) in inner.char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == mark {
                end = i;
                break;
            }
        }
        if escapes {
            unescape(&inner[..end], &mut out);
        } else {
            out.push_str(&inner[..end]);
        }
        rest = inner.get(end + 1..).unwrap_or("").trim_start();
    }
    out
}
