//! File name patterns, as Python's `glob` takes them.

use super::Machine;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

impl Machine {
    /// Whether any path matches `pattern`; a relative one is in `base`.
    pub fn any_match(&self, pattern: &str, base: Option<&Path>) -> bool {
        !self.matches(pattern, base).is_empty()
    }

    /// The paths that match `pattern` (`*`, `?`, `[a-z]`), sorted; a relative one is in `base`.
    pub fn matches(&self, pattern: &str, base: Option<&Path>) -> Vec<PathBuf> {
        let pattern = match base {
            Some(base) => base.join(pattern),
            None => PathBuf::from(pattern),
        };
        let mut found = vec![PathBuf::new()];
        for component in pattern.components() {
            let name = match component {
                Component::Normal(name) => name,
                other => {
                    found.iter_mut().for_each(|p| p.push(other));
                    continue;
                }
            };
            let text = name.to_string_lossy();
            found = match text.contains(['*', '?', '[']) {
                false => found
                    .into_iter()
                    .map(|p| p.join(name))
                    .filter(|p| self.lstat(p).is_ok())
                    .collect(),
                true => found
                    .iter()
                    .flat_map(|p| self.matching_names(p, &text))
                    .collect(),
            };
        }
        found.retain(|p| !p.as_os_str().is_empty());
        found
    }

    fn matching_names(&self, dir: &Path, pattern: &str) -> Vec<PathBuf> {
        let listed = match dir.as_os_str().is_empty() {
            true => self.list(Path::new(".")),
            false => self.list(dir),
        };
        let names = listed.unwrap_or_default();
        names
            .iter()
            .filter(|n| name_matches(pattern, n))
            .map(|n| dir.join(n))
            .collect()
    }
}

/// Whether a file name matches a pattern; a leading dot must be in the pattern.
pub fn name_matches(pattern: &str, name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    text_matches(pattern, &name)
}

/// Whether a text matches a pattern, a leading dot or not: Python's `fnmatch`.
pub fn text_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits(&pattern, &text)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| fits(rest, &name[skip..])),
        Some(('?', rest)) => !name.is_empty() && fits(rest, &name[1..]),
        Some(('[', rest)) => {
            // a bracket right after the opening (or the negation) is a member
            let from = usize::from(matches!(rest.first(), Some('!' | '^')));
            let Some(close) = rest
                .iter()
                .skip(from + 1)
                .position(|c| *c == ']')
                .map(|i| i + from + 1)
            else {
                return name.first() == Some(&'[') && fits(rest, &name[1..]);
            };
            let Some(first) = name.first() else {
                return false;
            };
            let set = &rest[from..close];
            let mut inside = false;
            let mut i = 0;
            while i < set.len() {
                if i + 2 < set.len() && set[i + 1] == '-' {
                    inside |= (set[i]..=set[i + 2]).contains(first);
                    i += 3;
                } else {
                    inside |= set[i] == *first;
                    i += 1;
                }
            }
            inside != (from == 1) && fits(&rest[close + 1..], &name[1..])
        }
        Some((c, rest)) => name.first() == Some(c) && fits(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        let cases = [
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("?x", "ax", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "[a", true),
        ];
        for (pattern, name, matches) in cases {
            assert_eq!(
                name_matches(pattern, OsStr::new(name)),
                matches,
                "{pattern} {name}"
            );
        }
    }
}
