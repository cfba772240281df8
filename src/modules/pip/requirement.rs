//! What the user asks pip for: `name[extra]>=1.0,<2; marker`, a URL or a path.
//!
//! The form is that of PEP 508.

use super::version;

/// One requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// For pip's command line.
    pub text: String,
    /// The name as indexes have it; none for a URL or a path.
    pub name: Option<String>,
    /// `>=1.0` and so on.
    pub specifiers: Vec<String>,
}

/// A name in the one way in which names are compared.
pub fn normal(name: &str) -> String {
    let words: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|w| !w.is_empty())
        .collect();
    words.join("-").to_lowercase()
}

/// Whether the text begins as a version specifier does.
fn is_specifier(text: &str) -> bool {
    text.trim_start().starts_with(['<', '>', '=', '!', '~'])
}

/// The items of the option `name`: what a comma in it separated belongs together again.
pub fn joined(items: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        let open = |text: &String| text.contains('[') && !text.contains(']');
        match out.last_mut() {
            Some(last) if is_specifier(item) || open(last) => {
                *last += ",";
                *last += item;
            }
            _ => out.push(item.clone()),
        }
    }
    out
}

impl Requirement {
    pub fn parse(text: &str) -> Requirement {
        Self::named(text.trim()).unwrap_or_else(|| Requirement {
            text: text.to_string(),
            name: None,
            specifiers: Vec::new(),
        })
    }

    /// None where the text is not of the form of a named requirement.
    fn named(text: &str) -> Option<Requirement> {
        let (text, marker) = match text.split_once(';') {
            Some((text, marker)) => (text, Some(marker.trim())),
            None => (text, None),
        };
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !edge(name.chars().next()) || !edge(name.chars().last()) {
            return None;
        }
        let mut rest = rest.trim();
        let mut shown = name.to_string();
        if let Some(inner) = rest.strip_prefix('[') {
            let (extras, after) = inner.split_once(']')?;
            let mut extras: Vec<&str> = extras.split(',').map(str::trim).collect();
            extras.sort_unstable();
            shown += &format!("[{}]", extras.join(","));
            rest = after.trim();
        }
        let mut specifiers = Vec::new();
        if let Some(url) = rest.strip_prefix('@') {
            shown += &format!("@ {}", url.trim());
        } else if !rest.is_empty() {
            let rest = rest
                .strip_prefix('(')
                .map_or(rest, |r| r.trim_end_matches(')'));
            for specifier in rest.split(',') {
                if !is_specifier(specifier) {
                    return None;
                }
                specifiers.push(specifier.split_whitespace().collect::<String>());
            }
            specifiers.sort();
            shown += &specifiers.join(",");
        }
        if let Some(marker) = marker {
            shown += &format!("; {}", marker.replace('\'', "\""));
        }
        Some(Requirement {
            text: shown,
            // one of a URL is not known to be there before pip has looked at it
            name: (!rest.starts_with('@')).then(|| name.to_string()),
            specifiers,
        })
    }

    /// Whether an installed version will do.
    pub fn accepts(&self, found: &str) -> bool {
        self.specifiers.iter().all(|s| version::matches(found, s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_belong_together_again() {
        let items = |texts: &[&str]| texts.iter().map(|t| t.to_string()).collect::<Vec<_>>();
        for (given, expected) in [
            (&["a>=1", "<2", "b"][..], &["a>=1,<2", "b"][..]),
            (&["a[x", "y]", "b"], &["a[x,y]", "b"]),
            (&["a"], &["a"]),
        ] {
            assert_eq!(joined(&items(given)), items(expected));
        }
    }

    #[test]
    fn requirements_are_written_in_one_form() {
        for (text, shown, name, specifiers) in [
            ("a", "a", Some("a"), 0),
            ("a >= 1.0, <3", "a<3,>=1.0", Some("a"), 2),
            ("a[y,x]==1", "a[x,y]==1", Some("a"), 1),
            (
                "a; python_version < '3'",
                "a; python_version < \"3\"",
                Some("a"),
                0,
            ),
            ("a @ http://x/y.whl", "a@ http://x/y.whl", None, 0),
            ("git+https://x/y", "git+https://x/y", None, 0),
            ("http://x/y.whl", "http://x/y.whl", None, 0),
            ("/tmp/x", "/tmp/x", None, 0),
            ("", "", None, 0),
        ] {
            let requirement = Requirement::parse(text);
            assert_eq!(requirement.text, shown);
            assert_eq!(requirement.name.as_deref(), name, "{text}");
            assert_eq!(requirement.specifiers.len(), specifiers, "{text}");
        }
        assert_eq!(normal("RP.Pip_Name"), "rp-pip-name");
    }
}
