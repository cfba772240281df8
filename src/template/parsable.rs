//! Texts that Jinja2 takes and minijinja's parser does not, made such that it does.

use super::compile::SyntaxError;

/// The text in a form that minijinja's parser takes, byte for byte as long.
///
/// Jinja2 takes more than it: `{% for x in 'a', 'b' %}`, `{{ a, b }}` and `+5`.
pub fn parsable<'s>(
    source: &'s str,
    parse: impl Fn(&str) -> Result<(), SyntaxError>,
) -> Result<std::borrow::Cow<'s, str>, SyntaxError> {
    let mut masked = mask(source);
    for _ in 0..100 {
        let Err(error) = parse(&masked) else {
            break;
        };
        let repaired = match error.message.as_str() {
            m if m.ends_with("'+'") => without_plus(&masked, error.offset),
            m if m.ends_with("got ','") => with_tuple(&masked, error.offset),
            _ => None,
        };
        match repaired {
            Some(repaired) => masked = repaired.into(),
            None => return Err(error),
        }
    }
    Ok(masked)
}

/// The text with a space for the `+` at `offset`.
fn without_plus(text: &str, offset: usize) -> Option<String> {
    let rest = text.get(offset..)?.strip_prefix('+')?;
    Some(format!("{} {rest}", &text[..offset]))
}

/// The text with parentheses, in the place of spaces, around the tuple whose comma is at `offset`.
fn with_tuple(text: &str, offset: usize) -> Option<String> {
    let before = text.get(..offset)?;
    let (open, close) = match (before.rfind("{{"), before.rfind("{%")) {
        (Some(i), j) if Some(i) > j => (i + 2, "}}"),
        (_, Some(j)) => {
            let tag = &before[j..];
            if !tag[2..]
                .trim_start_matches('-')
                .trim_start()
                .starts_with("for")
            {
                return None;
            }
            (j + tag.find(" in ")? + 3, "%}")
        }
        _ => return None,
    };
    let end = offset + text[offset..].find(close)?;
    let end = end - usize::from(text[..end].ends_with('-')) - 1;
    let bytes = text.as_bytes();
    if bytes.get(open) != Some(&b' ') || bytes.get(end) != Some(&b' ') || open >= end {
        return None;
    }
    Some(format!(
        "{}({}){}",
        &text[..open],
        &text[open + 1..end],
        &text[end + 1..]
    ))
}

/// The text with every escape that minijinja might refuse made harmless, as long as before.
///
/// Literals are read from the real text afterwards.
fn mask(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if escaped && matches!(c, 'u' | 'x' | '0'..='7') {
            out.push('q');
        } else {
            out.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    out.into()
}
