//! Syntax errors in the words that users of Jinja2 know and search for.

/// What minijinja's message about a syntax error is in Jinja2's words.
///
/// `offset` is the byte where the offending token starts.
pub fn jinja(message: &str, source: &str, offset: usize) -> String {
    if let Some(tag) = message.strip_prefix("unknown statement ") {
        return format!("Encountered unknown tag '{tag}'.");
    }
    match message {
        "unexpected end of string" => {
            let (mark, at) = open_quote(source, offset);
            return format!("unexpected char {mark} at {at}");
        }
        "unexpected end of comment" => return "Missing end of comment tag".into(),
        "unexpected end of raw block" => return "Missing end of raw directive".into(),
        "unexpected input after expression" => return "chunk after expression".into(),
        _ => {}
    }
    let Some(rest) = message.strip_prefix("unexpected ") else {
        return message.to_string();
    };
    let (got, expected) = match rest.split_once(", expected ") {
        Some((got, expected)) => (got, Some(expected)),
        None => (rest, None),
    };
    let got_name = token(got, source, offset);
    if matches!(got, "`}`" | "`)`" | "`]`") {
        return match open_bracket(source, offset) {
            Some(close) => format!("unexpected {got_name}, expected '{close}'"),
            None => format!("unexpected {got_name}"),
        };
    }
    match expected {
        None if starts_expression(source, offset) => {
            format!("Expected an expression, got {got_name}")
        }
        None => format!("unexpected {got_name}"),
        Some("end of variable block") if got == "end of input" => {
            "unexpected end of template, expected 'end of print statement'.".into()
        }
        Some("end of block") if got == "end of input" => unclosed(source).unwrap_or_else(|| {
            "unexpected end of template, expected 'end of statement block'.".into()
        }),
        Some("expression" | "expression or block") => format!("unexpected {got_name}"),
        Some("identifier or integer") => "expected name or number".into(),
        Some("identifier") if got == "`=`" => format!("unexpected {got_name}"),
        Some(expected) => format!(
            "expected token {}, got {got_name}",
            token(expected, source, source.len())
        ),
    }
}

/// A token's name in quotes.
fn token(name: &str, source: &str, offset: usize) -> String {
    let text = match name {
        "end of variable block" => "end of print statement",
        "end of block" => "end of statement block",
        "end of input" => "end of template",
        "identifier" => {
            let rest = source.get(offset..).unwrap_or("");
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            if end == 0 { "name" } else { &rest[..end] }
        }
        other => other.trim_matches('`'),
    };
    format!("'{text}'")
}

/// The quote that nothing closes, as Python shows it, and the character it is.
fn open_quote(source: &str, offset: usize) -> (&'static str, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let start = before
        .rfind("{{")
        .max(before.rfind("{%"))
        .map_or(0, |i| i + 2);
    let mut open = None;
    let mut escaped = false;
    for (i, c) in source.char_indices().skip_while(|(i, _)| *i < start) {
        match open {
            None if matches!(c, '\'' | '"') => open = Some((c, i)),
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some((mark, _)) if c == mark => open = None,
            _ => {}
        }
    }
    match open {
        Some((mark, i)) => (
            if mark == '"' { "'\"'" } else { "\"'\"" },
            source[..i].chars().count(),
        ),
        None => ("'\"'", before.chars().count()),
    }
}

/// Whether nothing of the expression is there yet at `offset`.
fn starts_expression(source: &str, offset: usize) -> bool {
    let before = source.get(..offset).unwrap_or("").trim_end();
    before.ends_with("{{")
        || ["if", "elif", "in", "=", "set"].iter().any(|word| {
            before
                .strip_suffix(word)
                .is_some_and(|b| b.ends_with(['%', ' ', '-']))
        }) && before.rfind("{%") > before.rfind("{{")
}

/// What would close the innermost bracket that is open at `offset`.
fn open_bracket(source: &str, offset: usize) -> Option<char> {
    let before = source.get(..offset)?;
    let start = before
        .rfind("{{")
        .max(before.rfind("{%"))
        .map_or(0, |i| i + 2);
    let mut open = Vec::new();
    for c in before[start..].chars() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

/// The message about the innermost block that nothing closes.
fn unclosed(source: &str) -> Option<String> {
    let mut open: Vec<(&str, bool)> = Vec::new();
    let mut rest = source;
    while let Some(i) = rest.find("{%") {
        rest = rest[i + 2..].trim_start_matches(['-', '+']).trim_start();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = &rest[..end];
        match word {
            "if" | "for" | "macro" | "call" | "filter" | "block" | "with" | "autoescape" => {
                open.push((word, false));
            }
            "set" if !rest[..rest.find("%}").unwrap_or(rest.len())].contains('=') => {
                open.push((word, false));
            }
            "else" => {
                if let Some(last) = open.last_mut() {
                    last.1 = true;
                }
            }
            _ if word.starts_with("end") => {
                open.pop();
            }
            _ => {}
        }
    }
    let (word, after_else) = open.pop()?;
    let tags = match (word, after_else) {
        ("if", false) => "'elif' or 'else' or 'endif'".to_string(),
        ("for", false) => "'endfor' or 'else'".to_string(),
        (word, _) => format!("'end{word}'"),
    };
    Some(format!(
        "Unexpected end of template. Jinja was looking for the following tags: {tags}. \
         The innermost block that needs to be closed is '{word}'."
    ))
}
