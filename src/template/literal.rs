//! String literals in templates.

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

/// Python's escapes in a string literal; unknown ones stay as they are.
fn unescape(text: &str, out: &mut String) {
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
