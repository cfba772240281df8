//! What is typed in the debugger: an assignment, a deletion, or an expression.

/// A statement, its parts still to be evaluated.
#[derive(Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    Assign { target: Target<'a>, value: &'a str },
    Delete(Target<'a>),
    Expression(&'a str),
}

/// What is assigned to: a name, and the way from there.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    pub name: &'a str,
    pub steps: Vec<Step<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// `.name`
    Attribute(&'a str),
    /// `[expression]`
    Item(&'a str),
}

/// Reads a line. None if it is no statement that there is.
pub fn parse(line: &str) -> Option<Statement<'_>> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("del ") {
        return target(rest.trim()).map(Statement::Delete);
    }
    match assignment(line) {
        Some((left, right)) => Some(Statement::Assign {
            target: target(left.trim())?,
            value: right.trim(),
        }),
        None => Some(Statement::Expression(line)),
    }
}

/// The two sides of the first `=` that is no part of a comparison and stands in no brackets or quotes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let at = outside(line, |at| {
        bytes[at] == b'='
            && bytes.get(at + 1) != Some(&b'=')
            && (at == 0 || !b"=<>!".contains(&bytes[at - 1]))
    })?;
    Some((&line[..at], &line[at + 1..]))
}

/// The first place outside of brackets and quotes that `found` accepts.
fn outside(text: &str, found: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, _) if depth == 0 && found(at) => return Some(at),
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn target(text: &str) -> Option<Target<'_>> {
    let (name, mut rest) = text.split_at(name_length(text));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(more) = rest.strip_prefix('.') {
            let (attribute, after) = more.split_at(name_length(more));
            if attribute.is_empty() {
                return None;
            }
            steps.push(Step::Attribute(attribute));
            rest = after;
        } else {
            let more = rest.strip_prefix('[')?;
            let end = outside(more, |at| more.as_bytes()[at] == b']')?;
            steps.push(Step::Item(more[..end].trim()));
            rest = &more[end + 1..];
        }
        rest = rest.trim_start();
    }
    Some(Target { name, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        let target = |name, steps| Target { name, steps };
        let args = || Step::Attribute("args");
        for (line, expected) in [
            (
                "task.args[\"that\"] = []",
                Some(Statement::Assign {
                    target: target("task", vec![args(), Step::Item("\"that\"")]),
                    value: "[]",
                }),
            ),
            (
                "task_vars['a']['x = ]'] = {'b': 1 == 2}",
                Some(Statement::Assign {
                    target: target("task_vars", vec![Step::Item("'a'"), Step::Item("'x = ]'")]),
                    value: "{'b': 1 == 2}",
                }),
            ),
            (
                "del task_vars['a']",
                Some(Statement::Delete(target(
                    "task_vars",
                    vec![Step::Item("'a'")],
                ))),
            ),
            ("1 == 2", Some(Statement::Expression("1 == 2"))),
            ("f(a=1)", Some(Statement::Expression("f(a=1)"))),
            ("1 = 2", None),
            ("a. = 2", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
