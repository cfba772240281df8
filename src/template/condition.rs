//! Conditions: `when`, `changed_when`, `failed_when`, `until`, `assert: that`.
//!
//! Follows <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_conditionals.html>, and where
//! ansible-core 2.19 refuses what older versions took, takes it with a deprecation notice: playbooks of all
//! ages run. `allow_broken_conditionals = false` in ansible.cfg refuses it as ansible-core does.

use super::templar::Templar;
use crate::error::Kind;
use crate::notice;
use crate::source::Location;
use crate::value::{Value, is_template};
use crate::{Error, Result};
use std::sync::Arc;

impl Templar {
    /// A condition of `when`, `changed_when`, `until`, ...: text is an expression, a bool is itself.
    ///
    /// `value` must be what the user wrote, not yet rendered: text from a host would be run as an expression.
    ///
    /// Errors if the expression is empty, cannot be read or uses something undefined.
    pub fn condition(&self, value: &Value) -> Result<bool> {
        let (text, at, verbatim) = match value {
            Value::Str(text) => (Arc::clone(text), None, false),
            Value::Template(t) => (Arc::clone(&t.text), t.at.as_ref(), t.verbatim),
            Value::List(items) => {
                for item in items.iter() {
                    if !self.condition(item)? {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
            Value::Bool(b) => return Ok(*b),
            Value::Null if self.strict_conditions() => return Err(empty(None)),
            Value::Null => return Ok(true),
            Value::Vault(_) => {
                let text = self.render(value)?;
                return self.condition(&text);
            }
            other => return self.truth(other, &format!("{}", other.to_json())),
        };
        self.condition_text(&text, at, verbatim)
    }

    fn condition_text(
        &self,
        text: &Arc<str>,
        at: Option<&Location>,
        verbatim: bool,
    ) -> Result<bool> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(empty(at));
        }
        let result = if is_template(trimmed) {
            self.with_braces(text, trimmed, at, verbatim)
        } else {
            self.expression_at(text, at, verbatim)
        };
        let result = result?;
        Ok(match &result {
            Value::Bool(b) => *b,
            other => self.truth(other, trimmed).map_err(|e| e.at_opt(at))?,
        })
    }

    /// A condition with templates in it, as the oldest playbooks have them.
    fn with_braces(
        &self,
        text: &Arc<str>,
        trimmed: &str,
        at: Option<&Location>,
        verbatim: bool,
    ) -> Result<Value> {
        let whole = trimmed.starts_with("{%")
            || (trimmed.starts_with("{{")
                && trimmed.ends_with("}}")
                && trimmed[2..trimmed.len() - 2].find("{{").is_none());
        if !whole && self.strict_conditions() {
            return Err(Error::new(
                Kind::Template,
                "Syntax error in expression. Template delimiters are not supported in expressions",
            )
            .at_opt(at));
        }
        notice::deprecated(format!(
            "Conditionals should not be surrounded by templating delimiters such as {{{{ }}}} or {{% %}}: {trimmed}"
        ));
        if whole {
            return self.render(&Value::Template(Arc::new(crate::value::Template {
                text: Arc::clone(text),
                at: at.cloned(),
                verbatim,
            })));
        }
        self.expression_at(&Arc::from(without_braces(text)), at, false)
    }
}

/// The expression that a text with templates in it means: `{{ a }} == 'b'` is `(a) == 'b'`, and in constants
/// `'x{{ a }}' == b` is `('x' ~ (a)) == b`.
fn without_braces(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"', '{']) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        rest = if let Some((inner, after)) = template(from) {
            out.push_str(&format!("({inner})"));
            after
        } else if let Some(after) = from.strip_prefix('{') {
            out.push('{');
            after
        } else {
            let (constant, after) = from.split_at(constant_length(from));
            out.push_str(&composed(constant));
            after
        };
    }
    out.push_str(rest);
    out
}

/// What is between the braces that a text begins with, and what comes behind them.
fn template(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix("{{")?.split_once("}}")?;
    Some((inner.trim().trim_matches('-').trim(), after))
}

/// How long the quoted constant is that a text begins with, both quotes included.
fn constant_length(text: &str) -> usize {
    let quote = text.chars().next();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if Some(c) == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A quoted constant; one with templates in it is put together.
fn composed(constant: &str) -> String {
    let quote = &constant[..1];
    let inside = constant[1..].strip_suffix(quote);
    let Some(mut rest) = inside.filter(|text| text.contains("{{")) else {
        return constant.to_string();
    };
    let mut parts = Vec::new();
    while let Some(start) = rest.find("{{") {
        let Some((inner, after)) = template(&rest[start..]) else {
            break;
        };
        if start > 0 {
            parts.push(format!("{quote}{}{quote}", &rest[..start]));
        }
        parts.push(format!("({inner})"));
        rest = after;
    }
    // text even where it is nothing but one template
    if !rest.is_empty() || parts.len() == 1 {
        parts.push(format!("{quote}{rest}{quote}"));
    }
    format!("({})", parts.join(" ~ "))
}

fn empty(at: Option<&Location>) -> Error {
    Error::new(
        Kind::Template,
        "Empty conditional expressions are not allowed.",
    )
    .at_opt(at)
}

impl Templar {
    /// The truth of a result that is not a boolean.
    ///
    /// Text that names a truth value counts as that value, as it did when conditions were evaluated twice.
    fn truth(&self, value: &Value, text: &str) -> Result<bool> {
        let result = match value {
            Value::Str(s) => !matches!(
                s.trim().to_ascii_lowercase().as_str(),
                "false" | "no" | "off" | "n" | "f" | "0" | "none" | ""
            ),
            other => other.is_truthy(),
        };
        let words = format!(
            "Conditional result ({}) was derived from value of type '{}'. Conditionals must have a boolean result",
            if result { "True" } else { "False" },
            value.type_name()
        );
        if self.strict_conditions() {
            return Err(Error::new(Kind::Template, words + ".").hint(
                "Broken conditionals can be temporarily allowed with the `ALLOW_BROKEN_CONDITIONALS` configuration option.",
            ));
        }
        notice::deprecated(format!("{words}: {text}"));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::without_braces;

    #[test]
    fn templates_in_conditions_become_expressions() {
        for (text, expression) in [
            ("{{ a }} == 'b'", "(a) == 'b'"),
            ("'{{ a }}' == 'b'", "((a) ~ '') == 'b'"),
            (
                "x == 'h://{{ host }}/{{ p }}'",
                "x == ('h://' ~ (host) ~ '/' ~ (p))",
            ),
            (
                "x == \"{{ d['k'] }}-b\" and y",
                "x == ((d['k']) ~ \"-b\") and y",
            ),
            ("{'a': {{ b }}} == c", "{'a': (b)} == c"),
            ("'it\\'s' in {{- l -}}", "'it\\'s' in (l)"),
            ("a == 'no {{ end'", "a == ('no {{ end')"),
            ("'open", "'open"),
        ] {
            assert_eq!(without_braces(text), expression, "{text}");
        }
    }
}
