//! Host patterns: `web:&staging:!web1`, `~re.*`, `db[0:2]`, ...
//!
//! <https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html>

use super::Inventory;
use super::address;
use super::data::{Host, LOCALHOST, Names};
use super::options::Mismatch;
use crate::search::expand_home;
use crate::{Error, Result, notice};
use fancy_regex::Regex;
use std::sync::Arc;

/// A host pattern, ready to be matched.
#[derive(Clone, Debug)]
pub struct Pattern {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    /// As the user wrote it, without the sign and the subscript.
    text: String,
    /// As the user wrote it, without the sign.
    whole: String,
    sign: Sign,
    matcher: Matcher,
    subscript: Option<Subscript>,
}

/// How a term changes what the terms before it have found. In the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Add,
    Intersect,
    Exclude,
}

#[derive(Clone, Debug)]
enum Matcher {
    Name,
    Regex(Regex),
}

#[derive(Clone, Copy, Debug)]
enum Subscript {
    /// `[3]`, `[-1]`
    At(i64),
    /// `[1:3]` with both ends, `[1:]`
    Slice(usize, Option<usize>),
}

impl Pattern {
    /// Reads a pattern such as `web:&staging`. Fails on a regular expression that is none.
    pub fn parse(text: &str) -> Result<Pattern> {
        Pattern::from_list([text])
    }

    /// Reads the items of a list, as `hosts:` of a play may be; each may be a pattern of several parts.
    pub fn from_list<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<Pattern> {
        let mut terms = Vec::new();
        for item in items {
            closed(item)?;
            for part in split(item) {
                terms.push(Term::parse(part)?);
            }
        }
        Pattern::from_terms(terms)
    }

    fn from_terms(mut terms: Vec<Term>) -> Result<Pattern> {
        // exclusions see everything the others have found, wherever they stand
        terms.sort_by_key(|t| t.sign);
        if terms.first().is_none_or(|t| t.sign != Sign::Add) {
            terms.insert(0, Term::parse("all")?);
        }
        Ok(Pattern { terms })
    }

    /// Reads the value of `--limit`, where `@file` names a file of patterns: one a line, each of
    /// one part.
    pub fn limit(text: &str) -> Result<Pattern> {
        closed(text)?;
        let mut terms = Vec::new();
        for part in split(text) {
            match part.strip_prefix('@') {
                None => terms.push(Term::parse(part)?),
                Some(file) => {
                    for line in limit_file(file)?.lines().map(str::trim) {
                        if !line.is_empty() {
                            terms.push(Term::parse(line)?);
                        }
                    }
                }
            }
        }
        Pattern::from_terms(terms)
    }

    /// The hosts that match, each once, in Ansible's order.
    ///
    /// Warns about (or fails at, if so configured) parts that name nothing; fails at a subscript
    /// beyond the end.
    pub(super) fn hosts(&self, inventory: &Inventory) -> Result<Names> {
        let mut found = Names::default();
        for term in &self.terms {
            let matched = term.hosts(inventory)?;
            match term.sign {
                Sign::Add => found.extend(matched),
                Sign::Intersect => found.retain(|h| matched.contains(h)),
                Sign::Exclude => found.retain(|h| !matched.contains(h)),
            }
        }
        Ok(found)
    }
}

/// Refuses a bracket that is opened and not closed: what follows it would silently not count.
fn closed(text: &str) -> Result<()> {
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(length) = rest[open..].find(']') else {
            return Err(Error::general(format!("Invalid host list pattern: {text}"))
                .hint("a '[' in it is never closed"));
        };
        rest = &rest[open + length..];
    }
    Ok(())
}

fn limit_file(name: &str) -> Result<String> {
    let path = expand_home(name);
    if !path.exists() {
        return Err(Error::general(format!("Unable to find limit file {name}")));
    }
    if !path.is_file() {
        return Err(Error::general(format!(
            "Limit starting with \"@\" must be a file, not a directory: {name}"
        )));
    }
    std::fs::read_to_string(&path)
        .map_err(|e| Error::from(e).context(format!("Unable to read limit file {name}")))
}

impl Term {
    fn parse(text: &str) -> Result<Term> {
        let (sign, whole) = match (text.strip_prefix('&'), text.strip_prefix('!')) {
            (Some(rest), _) => (Sign::Intersect, rest),
            (_, Some(rest)) => (Sign::Exclude, rest),
            _ => (Sign::Add, text),
        };
        if whole.is_empty() {
            return Err(Error::general(format!("Invalid host list pattern: {text}"))
                .hint("`!` and `&` stand before a host, a group or a pattern"));
        }
        if let Some(expression) = whole.strip_prefix('~') {
            let regex = Regex::new(&format!("^(?:{expression})")).map_err(|e| {
                Error::general(format!("Invalid host list pattern: {text}")).hint(e.to_string())
            })?;
            return Ok(Term {
                text: whole.into(),
                whole: whole.into(),
                sign,
                matcher: Matcher::Regex(regex),
                subscript: None,
            });
        }
        let (name, subscript) = subscript(whole);
        let matcher = if name.contains(['*', '?', '[']) {
            let regex = Regex::new(&glob(name))
                .map_err(|_| Error::general(format!("Invalid host list pattern: {text}")))?;
            Matcher::Regex(regex)
        } else {
            Matcher::Name
        };
        Ok(Term {
            text: name.into(),
            whole: whole.into(),
            sign,
            matcher,
            subscript,
        })
    }

    fn hosts(&self, inventory: &Inventory) -> Result<Names> {
        let hosts = self.without_subscript(inventory)?;
        let Some(subscript) = self.subscript else {
            return Ok(hosts);
        };
        if hosts.is_empty() {
            return Ok(hosts);
        }
        let written = &self.whole[self.text.len()..];
        if matches!(subscript, Subscript::Slice(..)) && written.contains('-') {
            notice::warning(
                "Use [x:y] inclusive subscripts instead of [x-y] which has been removed",
            );
        }
        match subscript {
            Subscript::At(at) => {
                let index = if at < 0 { at + hosts.len() as i64 } else { at };
                usize::try_from(index)
                    .ok()
                    .and_then(|i| hosts.get_index(i))
                    .map(|h| Names::from_iter([Arc::clone(h)]))
                    .ok_or_else(|| {
                        Error::general(format!(
                            "No hosts matched the subscripted pattern '{}'",
                            self.whole
                        ))
                    })
            }
            Subscript::Slice(from, to) => {
                let to = to.map_or(hosts.len(), |t| t.saturating_add(1));
                Ok(hosts.into_iter().take(to).skip(from).collect())
            }
        }
    }

    fn without_subscript(&self, inventory: &Inventory) -> Result<Names> {
        let data = &inventory.data;
        let mut found = Names::default();
        let mut is_group = false;
        match &self.matcher {
            Matcher::Name => {
                is_group = data.groups.contains_key(self.text.as_str());
                if is_group {
                    found = data.hosts_of(&self.text);
                }
                if !is_group || self.text.contains('.') {
                    found.extend(data.hosts.get(self.text.as_str()).map(name_of));
                }
            }
            Matcher::Regex(regex) => {
                for group in data.groups.keys().filter(|g| matches(regex, g)) {
                    is_group = true;
                    found.extend(data.hosts_of(group));
                }
                found.extend(
                    data.hosts
                        .values()
                        .filter(|h| matches(regex, &h.name))
                        .map(name_of),
                );
            }
        }
        if found.is_empty() && LOCALHOST.contains(&self.text.as_str()) {
            found.extend(inventory.host(&self.text).map(name_of));
        }
        if found.is_empty() && !is_group && self.text != "all" {
            let message = format!(
                "Could not match supplied host pattern, ignoring: {}",
                self.text
            );
            match inventory.options.mismatch {
                Mismatch::Warning => notice::warning(message),
                Mismatch::Error => return Err(Error::general(message)),
                Mismatch::Ignore => {}
            }
        }
        Ok(found)
    }
}

fn name_of(host: &Host) -> Arc<str> {
    Arc::clone(&host.name)
}

fn matches(regex: &Regex, text: &str) -> bool {
    // a pattern that backtracks without end matches nothing
    regex.is_match(text).unwrap_or(false)
}

/// The parts of a pattern. Commas split if there are any, else colons and blanks outside of
/// brackets; an address with colons is one part.
fn split(text: &str) -> Vec<&str> {
    let text = text.trim();
    if text.contains(',') {
        return text
            .split(',')
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .flat_map(split)
            .collect();
    }
    if text.is_empty() {
        return Vec::new();
    }
    if address::split_port(text, true).is_some() {
        return vec![text];
    }
    let mut parts = Vec::new();
    let mut start = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let part_of_name = match c {
            ':' => false,
            ']' => false,
            c if c.is_whitespace() => false,
            // brackets hold anything, if they are closed
            '[' => match text[at..].find(']') {
                Some(length) => {
                    let close = at + length;
                    start.get_or_insert(at);
                    for (i, _) in chars.by_ref() {
                        if i == close {
                            break;
                        }
                    }
                    true
                }
                None => false,
            },
            _ => true,
        };
        if part_of_name {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            parts.push(&text[from..at]);
        }
    }
    if let Some(from) = start {
        parts.push(&text[from..]);
    }
    parts
}

/// Splits `group[1:3]` into its name and subscript; other brackets belong to the name.
fn subscript(text: &str) -> (&str, Option<Subscript>) {
    let parsed = (|| {
        let (name, inner) = text.strip_suffix(']')?.rsplit_once('[')?;
        if name.is_empty() {
            return None;
        }
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if digits(inner.strip_prefix('-').unwrap_or(inner)) {
            return Some((name, Subscript::At(inner.parse().ok()?)));
        }
        let (from, to) = inner.split_once([':', '-'])?;
        if !digits(from) || !(to.is_empty() || digits(to)) {
            return None;
        }
        let to = match to {
            "" => None,
            to => Some(to.parse().ok()?),
        };
        Some((name, Subscript::Slice(from.parse().ok()?, to)))
    })();
    match parsed {
        Some((name, subscript)) => (name, Some(subscript)),
        None => (text, None),
    }
}

/// A shell pattern as a regular expression over the whole name.
fn glob(pattern: &str) -> String {
    let mut out = String::from("^");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let skip = usize::from(rest.starts_with('!'));
                // a bracket right at the start is a member of the set
                let first = skip + usize::from(rest[skip..].starts_with(']'));
                match rest.get(first..).and_then(|r| r.find(']')) {
                    Some(length) => {
                        out.push_str(&set(&rest[skip..first + length], skip == 1));
                        rest = &rest[first + length + 1..];
                    }
                    None => out.push_str("\\["),
                }
            }
            c => out.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
}

/// The members of a shell pattern's brackets as a regular expression. A range whose end comes
/// before its start has no members.
fn set(members: &str, negated: bool) -> String {
    let chars: Vec<char> = members.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let (from, to) = match chars[at..] {
            [from, '-', to, ..] => {
                at += 3;
                (from, to)
            }
            _ => {
                at += 1;
                (chars[at - 1], chars[at - 1])
            }
        };
        if from <= to {
            // written as numbers, no character has a meaning of its own
            let (from, to) = (u32::from(from), u32::from(to));
            out.push_str(&format!("\\x{{{from:x}}}-\\x{{{to:x}}}"));
        }
    }
    match (out.is_empty(), negated) {
        (true, true) => ".".into(),
        (true, false) => "(?!)".into(),
        (false, true) => format!("[^{out}]"),
        (false, false) => format!("[{out}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_split_as_ansible_does() {
        for (text, expected) in [
            ("a:b", vec!["a", "b"]),
            ("a , b,", vec!["a", "b"]),
            ("a b", vec!["a", "b"]),
            ("web[0:1]:db", vec!["web[0:1]", "db"]),
            ("2001:db8::1", vec!["2001:db8::1"]),
            ("a;b", vec!["a;b"]),
            ("[h", vec!["h"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("web*", "web1", true),
            ("web*", "aweb1", false),
            ("w?b", "web", true),
            ("w[a-f]b", "web", true),
            ("w[!a-f]b", "web", false),
            ("w[z-a]b", "web", false),
            ("w[!z-a]b", "web", true),
            ("w[]e]b", "web", true),
            ("w[a\\e]b", "web", true),
            ("a.b*", "axb", false),
            ("*.[", "x.[", true),
        ] {
            let regex = Regex::new(&glob(pattern)).unwrap();
            assert_eq!(matches(&regex, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for text in ["~(", "a:!", "&"] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(
                error.message().starts_with("Invalid host list pattern"),
                "{text}"
            );
        }
    }
}
