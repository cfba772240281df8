//! ssh's configuration files, for machines without an ssh program. See `ssh_config(5)`.

use super::options::split_option;
use crate::connection::Target;
use std::path::{Path, PathBuf};

/// The `keyword value` pairs that hold for a target, in the order of the files.
///
/// `given` are the arguments' pairs: `-F` names another file. `Match` knows `all`, `host`, `originalhost`
/// and `user`; a block with another criterion is left out.
pub fn read(target: &Target, given: &[(String, String)]) -> Vec<(String, String)> {
    let named = given
        .iter()
        .find(|(k, _)| k == "configfile")
        .map(|(_, v)| v);
    let files: Vec<PathBuf> = match named {
        Some(file) => vec![crate::expand::home(file).into()],
        None => vec![
            crate::expand::home("~/.ssh/config").into(),
            "/etc/ssh/ssh_config".into(),
        ],
    };
    let mut reader = Reader {
        target,
        pairs: Vec::new(),
    };
    for file in files {
        reader.file(&file, true, 0);
    }
    reader.pairs
}

struct Reader<'a> {
    target: &'a Target,
    pairs: Vec<(String, String)>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, mut holds: bool, depth: u32) {
        // files may include each other
        if depth > 16 {
            return;
        }
        let Ok(text) = std::fs::read_to_string(path) else {
            return;
        };
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keyword, value) = split_option(line);
            match keyword.as_str() {
                "host" => holds = matches(&value, &self.target.address),
                "match" => holds = self.matches(&value),
                "include" if holds => self.include(path, &value, depth),
                _ if holds => self.pairs.push((keyword, value)),
                _ => {}
            }
        }
    }

    fn include(&mut self, from: &Path, value: &str, depth: u32) {
        for word in shell_words::split(value).unwrap_or_default() {
            let word = PathBuf::from(crate::expand::home(&word));
            let base = match from.starts_with("/etc") {
                true => PathBuf::from("/etc/ssh"),
                false => crate::expand::home("~/.ssh").into(),
            };
            let pattern = base.join(word);
            let found =
                crate::machine::Machine::default().matches(&pattern.to_string_lossy(), None);
            for file in found {
                self.file(&file, true, depth + 1);
            }
        }
    }

    fn matches(&self, value: &str) -> bool {
        let words = shell_words::split(value).unwrap_or_default();
        let mut words = words.iter().map(String::as_str);
        while let Some(criterion) = words.next() {
            let (criterion, wanted) = match criterion.strip_prefix('!') {
                Some(criterion) => (criterion, false),
                None => (criterion, true),
            };
            let found = match criterion.to_ascii_lowercase().as_str() {
                "all" => true,
                "host" => {
                    let name = self.first("hostname").unwrap_or(&self.target.address);
                    matches_commas(words.next(), name)
                }
                "originalhost" => matches_commas(words.next(), &self.target.address),
                "user" => {
                    let user = self.target.user.as_deref().or(self.first("user"));
                    matches_commas(words.next(), user.unwrap_or_default())
                }
                _ => return false,
            };
            if found != wanted {
                return false;
            }
        }
        true
    }

    fn first(&self, keyword: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs.find(|(k, _)| k == keyword).map(|(_, v)| v.as_str())
    }
}

fn matches_commas(patterns: Option<&str>, name: &str) -> bool {
    matches(&patterns.unwrap_or_default().replace(',', " "), name)
}

/// Whether one of the patterns holds, and none that begins with `!`.
pub fn matches(patterns: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split_whitespace() {
        match pattern.strip_prefix('!') {
            Some(pattern) if wildcard(pattern, name) => return false,
            Some(_) => {}
            None => found |= wildcard(pattern, name),
        }
    }
    found
}

/// `*` and `?`.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| wildcard(rest, &text[at..]))
        }
        Some(p) => text.chars().next().is_some_and(|c| {
            (p == '?' || p.eq_ignore_ascii_case(&c))
                && wildcard(&pattern[p.len_utf8()..], &text[c.len_utf8()..])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_that_hold_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let text = "Port 1\nHost 10.* !10.0.0.9\n User no\nHost 10.0.0.?\n  User=bob\nMatch host 10.0.0.9 user bob\n  ProxyJump j\nMatch exec true\n  Port 9\n";
        std::fs::write(&file, text).unwrap();
        let given = [("configfile".to_string(), file.display().to_string())];
        let pairs = read(&Target::local("10.0.0.9"), &given);
        let expected = [("port", "1"), ("user", "bob"), ("proxyjump", "j")];
        assert_eq!(pairs, expected.map(|(k, v)| (k.to_string(), v.to_string())));
    }
}
