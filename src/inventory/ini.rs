//! Inventories in Ansible's INI format.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_inventory.html>

use super::address;
use super::data::Data;
use super::literal;
use crate::source::{Location, Source};
use crate::{Error, Result};
use indexmap::IndexMap;
use std::sync::Arc;

/// What the lines of a section are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// Adds what `source` says to `data`. Errors name the line.
pub fn parse(source: &Arc<Source>, data: &mut Data) -> Result<()> {
    let mut group: Arc<str> = Arc::from("ungrouped");
    let mut section = Section::Hosts;
    // groups with a [group:vars] section, and children with their parents, not defined so far
    let mut pending: Vec<(Arc<str>, Location, String)> = Vec::new();
    let mut orphans: IndexMap<String, Vec<(Arc<str>, Location)>> = IndexMap::new();

    for (index, raw) in source.text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        let column = raw.chars().take_while(|c| c.is_whitespace()).count() as u32 + 1;
        let at = Location::new(source, index as u32 + 1, column);
        if let Some((name, kind)) = section_header(line) {
            section = match kind {
                None | Some("hosts") => Section::Hosts,
                Some("vars") => Section::Vars,
                Some("children") => Section::Children,
                Some(other) => {
                    return Err(Error::parse(format!(
                        "Section [{name}:{other}] has unknown type: {other}"
                    ))
                    .at(&at)
                    .hint("a section is [group], [group:vars] or [group:children]"));
                }
            };
            let known = data.groups.contains_key(name);
            group = data.add_group(name).map_err(|e| e.at(&at))?;
            if section == Section::Vars {
                if !known {
                    let message =
                        format!("Section [{name}:vars] not valid for undefined group '{name}'.");
                    pending.push((Arc::clone(&group), at, message));
                }
            } else {
                pending.retain(|(waiting, ..)| *waiting != group);
                for (parent, at) in orphans.shift_remove(name).unwrap_or_default() {
                    data.add_child(&parent, &group).map_err(|e| e.at(&at))?;
                }
            }
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            return Err(Error::parse(format!(
                "Invalid section entry: '{line}'. Please make sure that there are no spaces in the section entry, and that there are no other invalid characters"
            ))
            .at(&at));
        }
        match section {
            Section::Hosts => host_line(line, &group, data, &at).map_err(|e| e.at(&at))?,
            Section::Vars => {
                let Some((key, value)) = line.split_once('=') else {
                    return Err(Error::parse(format!("Expected key=value, got: {line}")).at(&at));
                };
                let value = literal::parse(value.trim(), Some(&at));
                data.set_group_var(&group, key.trim().into(), value)
                    .map_err(|e| e.at(&at))?;
            }
            Section::Children => {
                let Some(child) = child_name(line) else {
                    return Err(Error::parse(format!("Expected group name, got: {line}")).at(&at));
                };
                if data.groups.contains_key(child) {
                    data.add_child(&group, child).map_err(|e| e.at(&at))?;
                } else {
                    let parents = orphans.entry(child.to_string()).or_default();
                    parents.push((Arc::clone(&group), at));
                }
            }
        }
    }
    if let Some((_, at, message)) = pending.first() {
        return Err(Error::parse(message.as_str()).at(at));
    }
    if let Some((child, parents)) = orphans.first()
        && let Some((parent, at)) = parents.first()
    {
        return Err(Error::parse(format!(
            "Section [{parent}:children] includes undefined group '{child}'."
        ))
        .at(at));
    }
    Ok(())
}

/// `[name]` or `[name:kind]`, with a comment after it.
fn section_header(line: &str) -> Option<(&str, Option<&str>)> {
    let (inner, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !(after.is_empty() || after.starts_with('#')) {
        return None;
    }
    let (name, kind) = match inner.split_once(':') {
        Some((name, kind)) => (name, Some(kind)),
        None => (inner, None),
    };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let valid = !name.is_empty()
        && !name.contains(char::is_whitespace)
        && kind.is_none_or(|k| !k.is_empty() && k.chars().all(word));
    valid.then_some((name, kind))
}

/// A group's name, with a comment after it.
fn child_name(line: &str) -> Option<&str> {
    let (name, after) = match line.find(|c: char| c.is_whitespace() || c == '#') {
        Some(end) if line[end..].starts_with('#') => (line, ""),
        Some(end) => (&line[..end], line[end..].trim_start()),
        None => (line, ""),
    };
    let valid = !name.contains([':', ']']) && (after.is_empty() || after.starts_with('#'));
    valid.then_some(name)
}

fn host_line(line: &str, group: &str, data: &mut Data, at: &Location) -> Result<()> {
    let words = split_words(line)
        .map_err(|why| Error::parse(format!("Error parsing host definition '{line}': {why}")))?;
    let Some((pattern, assignments)) = words.split_first() else {
        return Ok(());
    };
    let (hosts, port) = address::expand(pattern)?;
    let mut vars = Vec::with_capacity(assignments.len());
    for word in assignments {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            Error::parse(format!(
                "Expected key=value host variable assignment, got: {word}"
            ))
        })?;
        vars.push((key, literal::parse(value, Some(at))));
    }
    for host in &hosts {
        let name = data.add_host(host, Some(group), port)?;
        for (key, value) in &vars {
            data.set_host_var(&name, (*key).into(), value.clone())?;
        }
    }
    Ok(())
}

/// Words as a POSIX shell splits them; `#` outside of quotes starts a comment, also in a word.
fn split_words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let next = chars.next().ok_or("No escaped character")?;
                word.get_or_insert_default().push(next);
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No closing quotation")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;

    fn load(text: &str) -> Result<Data> {
        let mut data = Data::new(&Options::default());
        parse(&Source::new("hosts", text), &mut data)?;
        data.reconcile();
        Ok(data)
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, part) in [
            ("[a]\nx\n[b:vars]\nfoo\n", 4, "Expected key=value, got: foo"),
            ("[a]\n[b:foo]\n", 2, "unknown type: foo"),
            ("[a\nx\n", 1, "not closed"),
            ("[a:children]\n\nzz\n", 3, "undefined group 'zz'"),
            ("[a:vars]\nzz=1\n", 1, "not valid for undefined group 'a'"),
            ("x\n  y z\n", 2, "host variable assignment, got: z"),
            ("x y=\"q\n", 1, "No closing quotation"),
            (
                "[a:children]\nb\n[b:children]\na\n",
                4,
                "recursive dependency loop",
            ),
            ("[a]\n[a:children]\na\n", 3, "to itself"),
            ("[a:children]\nb c\n[b]\n", 2, "Expected group name"),
            ("[a b]\n", 1, "no spaces"),
            ("x[1-3]\n", 1, "begin:end"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.message().contains(part), "{text:?}: {error}");
            assert_eq!(error.location().unwrap().line, line, "{text:?}: {error}");
        }
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (line, expected) in [
            ("a b=c", vec!["a", "b=c"]),
            (
                "a b='c d' e=\"f \\\" \\x\"",
                vec!["a", "b=c d", "e=f \" \\x"],
            ),
            ("a b=# c", vec!["a", "b="]),
            ("a b\\ c ''", vec!["a", "b c", ""]),
        ] {
            assert_eq!(split_words(line).unwrap(), expected, "{line}");
        }
        assert!(split_words("a 'b").is_err());
        assert!(split_words("a \\").is_err());
    }

    #[test]
    fn vars_may_come_before_their_group() {
        let data = load("[a:vars]\nx=1\n[b:children]\na\n[a]\nh\n").unwrap();
        assert_eq!(data.groups["a"].vars.get("x"), Some(&1.into()));
        assert_eq!(data.groups["a"].depth, 2);
        assert_eq!(data.hosts_of("all").len(), 1);
    }
}
