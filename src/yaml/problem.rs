//! What is wrong with a text that is not YAML: words, the place that is to blame, and what would be right.
//!
//! The parser tells where it could not go on; the mistake is often earlier or of a kind that YAML has no
//! words for (an unquoted template, a tab). The usual ones are recognised here.

use crate::error::Error;
use crate::source::{Location, Source};
use libyaml_safer::{ErrorKind, Mark};
use std::sync::Arc;

/// The place that a parser's mark means.
pub(super) fn place(source: &Arc<Source>, mark: Mark) -> Location {
    Location::new(source, mark.line as u32 + 1, mark.column as u32 + 1)
}

fn failed(words: &str) -> Error {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    let text: String = first.into_iter().chain(chars).collect();
    Error::parse(format!("YAML parsing failed: {text}."))
}

/// The error for what the parser refused.
pub(super) fn explain(error: &libyaml_safer::Error, text: &str, source: &Arc<Source>) -> Error {
    if error.kind() == ErrorKind::Reader {
        return unreadable(error, text, source);
    }
    let Some(mark) = error.problem_mark() else {
        return failed(error.problem());
    };
    let context = error.context_mark();
    let at = place(source, mark);
    let line = nth_line(text, mark.line);

    if let Some(found) = tab(line, error) {
        return found.at(&Location::new(source, at.line, tab_column(line)));
    }
    if let Some((column, hint)) = unquoted_template(line) {
        return failed("this may be an issue with missing quotes around a template block")
            .at(&Location::new(source, at.line, column))
            .hint(hint);
    }
    let opened = |what: &str| {
        context.map(|c| format!("{what} at line {}, column {}", c.line + 1, c.column + 1))
    };
    let words = match error.context() {
        Some(context) => format!("{context} {}", error.problem()),
        None => error.problem().to_string(),
    };
    let plain = failed(&words);
    match error.problem() {
        "found unexpected end of stream" => {
            let start = context.map_or(at, |c| place(source, c));
            failed("while scanning a quoted scalar found unexpected end of stream")
                .at(&start)
                .hint("the quote that opens here is never closed")
        }
        "found unexpected document indicator" => plain
            .at(&context.map_or(at, |c| place(source, c)))
            .hint("the quote that opens here is not closed before the document ends"),
        "mapping values are not allowed in this context" => {
            let hint = if first_word_is_key(line, mark.column) && mark.line > 0 {
                "this line is read as a continuation of the line above: check that both are indented alike, and that the line above ends as it should"
            } else {
                "a value that holds a colon and a space must be quoted"
            };
            plain.at(&at).hint(hint)
        }
        "could not find expected ':'" => {
            let start = context.map_or(at, |c| place(source, c));
            plain
                .at(&start)
                .hint("this line is neither `key: value` nor part of the value above")
        }
        "did not find expected key" => match quoted_then_more(line) {
            Some(column) => plain
                .at(&Location::new(source, at.line, column))
                .hint("a value that starts with a quote ends with that quote: put the whole value in the other kind of quotes"),
            None => with_hint(
                plain.at(&at),
                opened("this line does not fit the mapping that starts").map(|h| format!("{h}: check the indentation")),
            ),
        },
        "did not find expected '-' indicator" => with_hint(
            plain.at(&at),
            opened("this line does not fit the list that starts").map(|h| format!("{h}: check the indentation")),
        ),
        "did not find expected ',' or ']'" => {
            with_hint(plain.at(&at), opened("the [ that is not closed is"))
        }
        "did not find expected ',' or '}'" => {
            with_hint(plain.at(&at), opened("the { that is not closed is"))
        }
        "found character that cannot start any token" => {
            let culprit = line.chars().nth(mark.column as usize);
            with_hint(
                plain.at(&at),
                culprit.map(|c| format!("a value that begins with {c} must be quoted")),
            )
        }
        "found unknown escape character" => plain
            .at(&at)
            .hint("in double quotes a backslash begins an escape: use single quotes, or \\\\ for a backslash"),
        "block sequence entries are not allowed in this context" => plain
            .at(&at)
            .hint("a list begins on a line of its own; text that begins with \"- \" must be quoted"),
        _ => plain.at(&at),
    }
}

fn with_hint(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The error for a mapping's key that is itself a list or mapping, nearly always a template without quotes.
pub(super) fn complex_key(text: &str, at: &Location) -> Error {
    let line = nth_line(text, u64::from(at.line) - 1);
    match unquoted_template(line) {
        Some((column, hint)) => {
            failed("this may be an issue with missing quotes around a template block")
                .at(&Location::new(&at.source, at.line, column))
                .hint(hint)
        }
        None => failed("while constructing a mapping found unhashable key")
            .at(at)
            .hint("a key is text, a number or a boolean; a template as a key must be quoted"),
    }
}

fn unreadable(error: &libyaml_safer::Error, text: &str, source: &Arc<Source>) -> Error {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let Some((offset, c)) = text.char_indices().find(|(_, c)| !allowed(*c)) else {
        return failed(error.problem());
    };
    let before = &text[..offset];
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
    Error::parse(format!(
        "YAML parsing failed: unacceptable character #x{:04x}: control characters are not allowed",
        c as u32
    ))
    .at(&Location::new(source, line, column))
}

fn nth_line(text: &str, line: u64) -> &str {
    text.lines().nth(line as usize).unwrap_or("")
}

fn tab_column(line: &str) -> u32 {
    line.chars().take_while(|c| *c != '\t').count() as u32 + 1
}

/// The error for a line that is indented with a tab.
fn tab(line: &str, error: &libyaml_safer::Error) -> Option<Error> {
    let indentation = &line[..line.len() - line.trim_start().len()];
    let at_tab = error
        .problem_mark()
        .is_some_and(|m| line.chars().nth(m.column as usize) == Some('\t'));
    (indentation.contains('\t') || (at_tab && line.contains('\t'))).then(|| {
        failed("tabs are usually invalid in YAML").hint("indent with spaces instead of the tab")
    })
}

/// Column of a `{{` that begins an unquoted value, and how the value is to be written.
fn unquoted_template(line: &str) -> Option<(u32, String)> {
    let mut rest = line.trim_start();
    while let Some(after) = rest.strip_prefix("- ") {
        rest = after.trim_start();
    }
    let (key, value) = if rest.starts_with("{{") {
        ("", rest)
    } else {
        let (key, value) = rest.split_once(": ")?;
        key.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' '))
            .then_some(())?;
        (key, value.trim_start())
    };
    if !value.starts_with("{{") || !value.contains("}}") {
        return None;
    }
    let column = line.chars().count() - value.chars().count() + 1;
    let value = value.trim_end();
    let quoted = if value.contains('"') {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    };
    let fixed = if key.is_empty() {
        quoted
    } else {
        format!("{key}: {quoted}")
    };
    Some((
        column as u32,
        format!("a value that begins with a template must be quoted: {fixed}"),
    ))
}

/// Whether the colon at `column` ends the line's first word, so that the line looks like an entry of its own.
fn first_word_is_key(line: &str, column: u64) -> bool {
    let before: String = line.chars().take(column as usize).collect();
    let word = before.trim_start().trim_start_matches("- ");
    !word.is_empty() && !word.contains(": ")
}

/// Column of a value that starts with a quote and goes on after the closing one.
fn quoted_then_more(line: &str) -> Option<u32> {
    let mut rest = line.trim_start();
    while let Some(after) = rest.strip_prefix("- ") {
        rest = after.trim_start();
    }
    let value = match rest.chars().next()? {
        '"' | '\'' => rest,
        _ => rest.split_once(": ")?.1.trim_start(),
    };
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let close = value[1..].find(quote)? + 2;
    let after = value[close..].trim();
    (!after.is_empty() && !after.starts_with(['#', ':', ',', ']', '}']))
        .then(|| (line.chars().count() - value.chars().count() + 1) as u32)
}
