//! INI text as Python's `configparser` reads it.
//!
//! Sections, `key = value` and `key: value`, keys in lower case, comment lines with `#` and `;`,
//! a `;` after white space as a comment behind a value, values that go on in indented lines,
//! `%(name)s` and `%%`, and a `[DEFAULT]` section that all others fall back to.

use crate::source::{Location, Source};
use crate::{Error, Result};
use indexmap::IndexMap;
use std::sync::Arc;

/// A value and where it starts.
#[derive(Debug, Clone)]
pub struct Entry {
    pub text: String,
    pub at: Location,
}

/// A parsed file.
#[derive(Debug, Default)]
pub struct Ini {
    sections: IndexMap<String, IndexMap<String, Entry>>,
}

impl Ini {
    /// Reads a whole file.
    ///
    /// # Errors
    /// A line that is none of the above, with its place.
    pub fn parse(source: &Arc<Source>) -> Result<Ini> {
        let mut ini = Ini::default();
        let mut section: Option<String> = None;
        let mut key: Option<String> = None;
        for (index, raw) in source.text.lines().enumerate() {
            let number = index as u32 + 1;
            let line = raw.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if raw.starts_with([' ', '\t'])
                && let (Some(section), Some(key)) = (&section, &key)
                && let Some(entry) = ini.sections.get_mut(section).and_then(|s| s.get_mut(key))
            {
                entry.text.push('\n');
                entry.text.push_str(without_comment(line));
                continue;
            }
            let column = (raw.chars().count() - raw.trim_start().chars().count()) as u32 + 1;
            let at = Location::new(source, number, column);
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest
                    .split_once(']')
                    .ok_or_else(|| Error::general("a section name needs a closing ']'").at(&at))?
                    .0;
                ini.sections.entry(name.to_string()).or_default();
                section = Some(name.to_string());
                key = None;
                continue;
            }
            let (name, value) = line
                .split_once(['=', ':'])
                .ok_or_else(|| Error::general("expected `[section]` or `key = value`").at(&at))?;
            let section = section
                .as_ref()
                .ok_or_else(|| Error::general("a value before the first `[section]`").at(&at))?;
            let name = name.trim().to_lowercase();
            let entry = Entry {
                text: without_comment(value.trim()).to_string(),
                at,
            };
            ini.sections
                .entry(section.clone())
                .or_default()
                .insert(name.clone(), entry);
            key = Some(name);
        }
        Ok(ini)
    }

    /// Whether the section is there.
    pub fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// The keys of a section with their places; those of `[DEFAULT]` left out.
    pub fn keys(&self, section: &str) -> impl Iterator<Item = (&str, &Location)> {
        self.sections
            .get(section)
            .into_iter()
            .flat_map(|s| s.iter().map(|(k, e)| (k.as_str(), &e.at)))
    }

    /// The value of a key, with what it refers to filled in.
    ///
    /// # Errors
    /// A reference to a key that is not there, to itself, or a lone `%`.
    pub fn get(&self, section: &str, key: &str) -> Result<Option<Entry>> {
        self.raw(section, key)
            .map(|entry| {
                Ok(Entry {
                    text: self.fill(section, entry, 0)?,
                    at: entry.at.clone(),
                })
            })
            .transpose()
    }

    fn raw(&self, section: &str, key: &str) -> Option<&Entry> {
        [section, "DEFAULT"]
            .iter()
            .find_map(|s| self.sections.get(*s)?.get(key))
    }

    fn fill(&self, section: &str, entry: &Entry, depth: usize) -> Result<String> {
        let fail = |message: String| Err(Error::general(message).at(&entry.at));
        if depth > 10 {
            return fail("values that refer to each other without end".to_string());
        }
        let mut out = String::new();
        let mut rest = entry.text.as_str();
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                out.push('%');
                rest = after;
            } else if let Some((name, after)) =
                after.strip_prefix('(').and_then(|a| a.split_once(")s"))
            {
                match self.raw(section, &name.to_lowercase()) {
                    Some(other) => out.push_str(&self.fill(section, other, depth + 1)?),
                    None => return fail(format!("%({name})s refers to a key that is not there")),
                }
                rest = after;
            } else {
                return fail(
                    "'%' must be written as '%%', or start a reference such as %(name)s"
                        .to_string(),
                );
            }
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The value without a comment behind it, which needs white space before its `;`.
fn without_comment(value: &str) -> &str {
    match value.find(';') {
        Some(0) => "",
        Some(i) if value[..i].ends_with([' ', '\t']) => value[..i].trim_end(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ini> {
        Ini::parse(&Source::new("ec2.ini", text))
    }
    fn value(text: &str, key: &str) -> Option<String> {
        parse(text)
            .unwrap()
            .get("ec2", key)
            .unwrap()
            .map(|e| e.text)
    }

    #[test]
    fn values_read_as_python_reads_them() {
        let text = "# c\n[DEFAULT]\nbase = x\n[ec2]\nA = 1 ; note\nb: two words\nc = a;b\nd = one\n  # c\n  two\ne = %(base)s/%(a)s/100%%\nempty =\n";
        for (key, expected) in [
            ("a", Some("1")),
            ("b", Some("two words")),
            ("c", Some("a;b")),
            ("d", Some("one\ntwo")),
            ("e", Some("x/1/100%")),
            ("empty", Some("")),
            ("base", Some("x")),
            ("missing", None),
        ] {
            assert_eq!(value(text, key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn errors_have_places() {
        for (text, line) in [("[ec2]\nregions\n", 2), ("a = 1\n", 1), ("[ec2\n", 1)] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.location().map(|l| l.line), Some(line), "{text}");
        }
        let ini = parse("[ec2]\na = 5%\nb = %(b)s\nc = %(nope)s\n").unwrap();
        for key in ["a", "b", "c"] {
            assert!(ini.get("ec2", key).is_err(), "{key}");
        }
    }
}
