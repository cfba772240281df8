//! Conditions: `when`, `changed_when`, `failed_when`, `until`, `assert: that`.
//!
//! Follows <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_conditionals.html>, and where
//! ansible-core 2.19 refuses what older versions took, takes it with a deprecation notice: playbooks of all
//! ages run. `allow_broken_conditionals = false` in ansible.cfg refuses it as ansible-core does.

use super::templar::Templar;
use crate::error::Kind;
use crate::notice;
use crate::source::Location;
#[cfg(doc)]
use crate::value::Text;
use crate::value::{Value, is_template};
use crate::{Error, Result};
use std::sync::Arc;

impl Templar {
    /// A condition of `when`, `changed_when`, `until`, ...: text is an expression, a bool is itself.
    ///
    /// Text is evaluated only if the user wrote it (see [`Text`]), for which a template may name it: `"{{ item }}"`.
    ///
    /// Errors if the expression is empty, not the user's, cannot be read or uses something undefined.
    pub fn condition(&self, value: &Value) -> Result<bool> {
        let (text, at, verbatim) = match value {
            Value::Str(text) if text.is_trusted() => (text.shared(), None, false),
            Value::Str(text) => return self.foreign(text),
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
        let result = if !is_template(trimmed) {
            self.expression_at(text, at, verbatim)?
        } else {
            let result = if trimmed.starts_with("{%") || is_one_template(trimmed) {
                let template = crate::value::Template {
                    text: Arc::clone(text),
                    at: at.cloned(),
                    verbatim,
                };
                let named = self.render(&Value::Template(Arc::new(template)))?;
                // a template that gives text names the condition
                if let Value::Str(_) = &named {
                    return self.condition(&named).map_err(|e| e.at_opt(at));
                }
                named
            } else {
                self.with_braces(text).map_err(|e| e.at_opt(at))?
            };
            notice::deprecated(format!(
                "Conditionals should not be surrounded by templating delimiters such as {{{{ }}}} or {{% %}}: {trimmed}"
            ));
            result
        };
        Ok(match &result {
            Value::Bool(b) => *b,
            other => self.truth(other, trimmed).map_err(|e| e.at_opt(at))?,
        })
    }

    /// The truth of text that is not the user's: where a host's word became part of the playbook, the host
    /// would run what it likes on the controller. The words for true and false do no harm.
    fn foreign(&self, text: &str) -> Result<bool> {
        let word = text.trim();
        if !self.strict_conditions() && (is_truth_word(word) || word.parse::<f64>().is_ok()) {
            return self.truth(&Value::str(word), word);
        }
        Err(untrusted())
    }

    /// A condition with templates in it, as the oldest playbooks have them.
    fn with_braces(&self, text: &str) -> Result<Value> {
        if self.strict_conditions() {
            return Err(Error::new(
                Kind::Template,
                "Syntax error in expression. Template delimiters are not supported in expressions",
            ));
        }
        // between two templates was text that the one evaluation made and the next read
        let twice = text.trim().starts_with("{{") && text.trim().ends_with("}}");
        let expression = match twice {
            true => without_braces(text, &|inner| self.put_in(inner))?,
            false => without_braces(text, &|inner| Ok(format!("({inner})")))?,
        };
        self.expression_at(&Arc::from(expression), None, false)
    }

    /// What a template in a condition stands for there. Text from elsewhere is no part of a condition, see [`Templar::condition`].
    fn put_in(&self, inner: &str) -> Result<String> {
        let value = self.expression_at(&Arc::from(inner), None, false);
        match value {
            Ok(Value::Str(text)) => {
                let word = text.trim();
                let literal = matches!(word, "True" | "False" | "None" | "true" | "false");
                match text.is_trusted() || literal || word.parse::<f64>().is_ok() {
                    true => Ok(format!("({word})")),
                    false => Err(untrusted()),
                }
            }
            Err(e) if e.kind() != Kind::Undefined => Err(e),
            // what it gives is no text, or is asked for only where it is not defined
            _ => Ok(format!("({inner})")),
        }
    }
}

fn untrusted() -> Error {
    Error::new(Kind::Template, "Encountered untrusted template or expression.").hint(
        "What a module, a lookup or a filter gave is not evaluated. Compare it: `when: result.stdout == 'yes'`.",
    )
}

/// The expression that a text with templates in it means: `{{ a }} == 1` is `(a) == 1`, or what `put_in` makes of `a`,
/// and in constants `'x{{ a }}' == b` is `('x' ~ (a)) == b`.
fn without_braces(text: &str, put_in: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"', '{']) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        rest = if let Some((inner, after)) = template(from) {
            out.push_str(&put_in(inner)?);
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
    Ok(out)
}

/// Whether the braces that a text begins with are closed where it ends. Those in constants count for nothing.
fn is_one_template(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("{{") else {
        return false;
    };
    let (mut rest, mut open) = (inner, 0);
    while let Some(start) = rest.find(['\'', '"', '{', '}']) {
        let from = &rest[start..];
        let taken = match from.as_bytes()[0] {
            b'{' => {
                open += 1;
                1
            }
            b'}' if open > 0 => {
                open -= 1;
                1
            }
            b'}' if from.starts_with("}}") => return from.len() == 2,
            b'}' => 1,
            _ => constant_length(from),
        };
        rest = &from[taken..];
    }
    false
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
            Value::Str(s) => !is_false_word(s.trim()),
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

fn is_false_word(word: &str) -> bool {
    let words = ["false", "no", "off", "n", "f", "0", "none", ""];
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn is_truth_word(word: &str) -> bool {
    let words = ["true", "yes", "on", "y", "t"];
    is_false_word(word) || words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::{is_one_template, without_braces};

    #[test]
    fn braces_in_constants_and_dictionaries_end_no_template() {
        for (text, whole) in [
            ("{{ a }}", true),
            ("{{ a == '{{ b }}' }}", true),
            ("{{ {'a': {'b': 1}}.a.b == \"}}\" }}", true),
            ("{{ a }} == {{ b }}", false),
            ("{{ a }} == b", false),
            ("a == {{ b }}", false),
            ("{{ a", false),
        ] {
            assert_eq!(is_one_template(text), whole, "{text}");
        }
    }

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
            let put_in = |inner: &str| Ok(format!("({inner})"));
            assert_eq!(without_braces(text, &put_in).unwrap(), expression, "{text}");
        }
    }
}
