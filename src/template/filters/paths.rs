//! Paths, POSIX and Windows. Only `realpath` and `fileglob` look at the disk.

use super::Filter;
use crate::Result;
use crate::expand;
use crate::template::call::{Call, error};
use crate::template::protocol::iterate;
use crate::template::python;
use crate::value::Value;
use std::path::{Path, PathBuf};

/// The value as a path; only text is one.
fn path<'a>(call: &'a Call) -> Result<&'a str> {
    call.value.as_str().ok_or_else(|| {
        error(format!(
            "expected str, bytes or os.PathLike object, not {}",
            call.value.type_name()
        ))
    })
}

fn split(path: &str) -> (&str, &str) {
    let cut = path.rfind('/').map_or(0, |i| i + 1);
    let (head, tail) = path.split_at(cut);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

fn basename(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(split(path(&call)?).1))
}

fn dirname(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(split(path(&call)?).0))
}

fn expanduser(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(expand::home(path(&call)?)))
}

fn expandvars(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(expand::variables(path(&call)?)))
}

/// Without `.`, `..` and double slashes, as text: the disk is not asked.
pub fn normalize(path: &str) -> String {
    // POSIX gives two leading slashes a meaning of their own
    let slashes = path.len() - path.trim_start_matches('/').len();
    let lead = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if !lead.is_empty() => {}
            part => parts.push(part),
        }
    }
    let out = format!("{lead}{}", parts.join("/"));
    if out.is_empty() { ".".into() } else { out }
}

fn normpath(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(normalize(path(&call)?)))
}

fn absolute(path: &str) -> Result<String> {
    if path.starts_with('/') {
        return Ok(normalize(path));
    }
    let here = std::env::current_dir()?;
    Ok(normalize(&format!("{}/{path}", here.display())))
}

/// The absolute path with symbolic links followed as far as it exists.
fn real(path: &str) -> Result<String> {
    let whole = absolute(path)?;
    let mut base = PathBuf::from(&whole);
    let mut rest = Vec::new();
    loop {
        if let Ok(found) = base.canonicalize() {
            let tail: PathBuf = rest.iter().rev().collect();
            return Ok(normalize(&found.join(tail).to_string_lossy()));
        }
        match (base.file_name().map(|n| n.to_owned()), base.pop()) {
            (Some(name), true) => rest.push(name),
            _ => return Ok(whole),
        }
    }
}

fn realpath(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(real(path(&call)?)?))
}

fn relpath(mut call: Call) -> Result<Value> {
    let args = call.bind(&["start"])?;
    let start = args.text("start", ".");
    let (to, from) = (absolute(path(&call)?)?, absolute(&start)?);
    let parts = |p: &str| -> Vec<String> {
        p.split('/')
            .filter(|s| !s.is_empty())
            .map(String::from)
            .collect()
    };
    let (to, from) = (parts(&to), parts(&from));
    let same = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut out = vec!["..".to_string(); from.len() - same];
    out.extend_from_slice(&to[same..]);
    Ok(if out.is_empty() {
        ".".into()
    } else {
        Value::str(out.join("/"))
    })
}

fn splitext(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let path = path(&call)?;
    let name = path.rfind('/').map_or(0, |i| i + 1);
    let leading = path[name..].len() - path[name..].trim_start_matches('.').len();
    let cut = path[name + leading..]
        .rfind('.')
        .map_or(path.len(), |i| name + leading + i);
    Ok(Value::list(vec![path[..cut].into(), path[cut..].into()]))
}

/// Parts joined with slashes; an absolute part starts anew.
pub fn join(parts: &[String]) -> String {
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        if part.starts_with('/') {
            out = part.clone();
        } else {
            if i > 0 && !out.is_empty() && !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(part);
        }
    }
    out
}

fn path_join(mut call: Call) -> Result<Value> {
    call.no_args()?;
    match &call.value {
        Value::List(parts) => {
            let parts: Vec<String> = parts.iter().map(python::str).collect();
            Ok(Value::str(join(&parts)))
        }
        text if text.as_str().is_some() => Ok(call.value),
        _ => {
            Err(error("|path_join expects string or sequence, got ")
                .context(call.value.type_name()))
        }
    }
}

fn commonpath(mut call: Call) -> Result<Value> {
    call.no_args()?;
    if !matches!(call.value, Value::List(_)) {
        return Err(error(
            "|commonpath expects sequence, got instead ".to_string() + call.value.type_name(),
        ));
    }
    let paths: Vec<String> = iterate(&call.value)?.iter().map(python::str).collect();
    let Some(first) = paths.first() else {
        return Err(error("commonpath() arg is an empty sequence"));
    };
    if paths
        .iter()
        .any(|p| p.starts_with('/') != first.starts_with('/'))
    {
        return Err(error("Can't mix absolute and relative paths"));
    }
    let split = |p: &str| -> Vec<String> {
        p.split('/')
            .filter(|s| !s.is_empty() && *s != ".")
            .map(String::from)
            .collect()
    };
    let mut common = split(first);
    for path in &paths[1..] {
        let parts = split(path);
        let same = common.iter().zip(&parts).take_while(|(a, b)| a == b);
        let same = same.count();
        common.truncate(same);
    }
    let lead = if first.starts_with('/') { "/" } else { "" };
    Ok(Value::str(format!("{lead}{}", common.join("/"))))
}

fn is_separator(c: char) -> bool {
    c == '\\' || c == '/'
}

/// Drive (or `\\host\share`) and rest of a Windows path.
fn win_drive(path: &str) -> (&str, &str) {
    let plain = path.replace('/', "\\");
    if plain.starts_with("\\\\") && !plain[2..].starts_with('\\') {
        let Some(host) = plain[2..].find('\\').map(|i| i + 2) else {
            return (path, "");
        };
        let end = plain[host + 1..]
            .find('\\')
            .map_or(path.len(), |i| host + 1 + i);
        return path.split_at(end);
    }
    match path.char_indices().nth(1) {
        Some((i, ':')) => path.split_at(i + 1),
        _ => ("", path),
    }
}

fn win_split(path: &str) -> (String, &str) {
    let (drive, rest) = win_drive(path);
    let cut = rest.rfind(is_separator).map_or(0, |i| i + 1);
    let (head, tail) = rest.split_at(cut);
    let trimmed = head.trim_end_matches(is_separator);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (format!("{drive}{head}"), tail)
}

fn win_basename(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(win_split(path(&call)?).1))
}

fn win_dirname(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(win_split(path(&call)?).0))
}

fn win_splitdrive(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let (drive, rest) = win_drive(path(&call)?);
    Ok(Value::list(vec![drive.into(), rest.into()]))
}

/// Files (not folders) that a shell pattern matches: `*`, `?` and `[...]` in any part of the path.
///
/// In order of name, which is one of the orders Ansible may give.
pub fn glob_files(pattern: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = glob(pattern).into_iter().filter(|p| p.is_file()).collect();
    found.sort();
    found
}

/// Everything that a shell pattern matches.
pub fn glob(pattern: &str) -> Vec<PathBuf> {
    let mut bases = vec![if pattern.starts_with('/') {
        PathBuf::from("/")
    } else {
        PathBuf::new()
    }];
    for part in pattern.split('/').filter(|p| !p.is_empty()) {
        let wild = part.contains(['*', '?', '[']);
        let mut next = Vec::new();
        for base in bases {
            if !wild {
                let path = base.join(part);
                if path.symlink_metadata().is_ok() {
                    next.push(path);
                }
                continue;
            }
            let folder = if base.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &base
            };
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let hidden = name.starts_with('.') && !part.starts_with('.');
                if !hidden && fnmatch(part, &name) {
                    next.push(base.join(&*name));
                }
            }
        }
        bases = next;
    }
    bases
}

/// Whether a shell pattern matches a name: `*`, `?`, `[abc]`, `[!a-z]`.
pub fn fnmatch(pattern: &str, name: &str) -> bool {
    let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    matches(&p, &n)
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    let Some(first) = pattern.first() else {
        return name.is_empty();
    };
    match first {
        '*' => (0..=name.len()).any(|i| matches(&pattern[1..], &name[i..])),
        '?' => !name.is_empty() && matches(&pattern[1..], &name[1..]),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let start = if negated { 2 } else { 1 };
            // a bracket right at the start is a member of the set
            let end = (start + 1..pattern.len()).find(|i| pattern[*i] == ']');
            let (Some(end), Some(c)) = (end, name.first()) else {
                return end.is_none()
                    && name.first() == Some(&'[')
                    && matches(&pattern[1..], &name[1..]);
            };
            let set = &pattern[start..end];
            let mut inside = false;
            let mut i = 0;
            while i < set.len() {
                if i + 2 < set.len() && set[i + 1] == '-' {
                    inside |= set[i] <= *c && *c <= set[i + 2];
                    i += 3;
                } else {
                    inside |= set[i] == *c;
                    i += 1;
                }
            }
            inside != negated && matches(&pattern[end + 1..], &name[1..])
        }
        c => name.first() == Some(c) && matches(&pattern[1..], &name[1..]),
    }
}

fn fileglob(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::list(
        glob_files(path(&call)?)
            .iter()
            .map(|p| Value::str(p.to_string_lossy()))
            .collect(),
    ))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("basename", basename),
    ("commonpath", commonpath),
    ("dirname", dirname),
    ("expanduser", expanduser),
    ("expandvars", expandvars),
    ("fileglob", fileglob),
    ("normpath", normpath),
    ("path_join", path_join),
    ("realpath", realpath),
    ("relpath", relpath),
    ("splitext", splitext),
    ("win_basename", win_basename),
    ("win_dirname", win_dirname),
    ("win_splitdrive", win_splitdrive),
];
