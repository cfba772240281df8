//! Versions of Python's packages, and specifiers for them (PEP 440).

use std::cmp::Ordering;

/// A version in parts that compare as it does. Text that is no version is older than all that are.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    is_version: bool,
    epoch: u64,
    release: Vec<u64>,
    /// Before the release: `dev` alone is -4, `a` -3, `b` -2, `rc` -1, else 0; with its number.
    pre: (i8, u64),
    post: Option<u64>,
    /// `dev` comes before what it leads to.
    dev: (i8, u64),
    local: Vec<(bool, u64, String)>,
}

fn number(text: &mut &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.parse().ok()
}

/// Takes one of the words, and the number after it.
fn tagged<'w>(text: &mut &str, words: &[&'w str]) -> Option<(&'w str, u64)> {
    let separators = ['.', '-', '_'];
    let bare = text.trim_start_matches(separators);
    let word = words.iter().find(|w| bare.starts_with(**w))?;
    *text = bare[word.len()..].trim_start_matches(separators);
    Some((word, number(text).unwrap_or(0)))
}

impl Version {
    fn parse(text: &str) -> Version {
        let lower = text.trim().to_ascii_lowercase();
        let (public, local) = lower.split_once('+').unwrap_or((&lower, ""));
        let mut rest = public.strip_prefix('v').unwrap_or(public);
        let mut version = Version::default();
        if let Some((epoch, after)) = rest.split_once('!') {
            version.epoch = epoch.parse().unwrap_or(0);
            rest = after;
        }
        while let Some(part) = number(&mut rest) {
            version.release.push(part);
            match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => rest = after,
                _ => break,
            }
        }
        version.is_version = !version.release.is_empty();
        while version.release.len() > 1 && version.release.last() == Some(&0) {
            version.release.pop();
        }
        let words = ["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"];
        let pre = tagged(&mut rest, &words).map(|(word, n)| match word.as_bytes()[0] {
            b'a' => (-3, n),
            b'b' => (-2, n),
            _ => (-1, n),
        });
        version.post = match rest.strip_prefix('-') {
            // `1.0-1` is a post release
            Some(mut after) if after.starts_with(|c: char| c.is_ascii_digit()) => {
                let n = number(&mut after);
                rest = after;
                n
            }
            _ => tagged(&mut rest, &["post", "rev", "r"]).map(|(_, n)| n),
        };
        let dev = tagged(&mut rest, &["dev"]).map(|(_, n)| n);
        version.dev = dev.map_or((0, 0), |n| (-1, n));
        version.pre = match pre {
            Some(pre) => pre,
            None if dev.is_some() && version.post.is_none() => (-4, 0),
            None => (0, 0),
        };
        version.local = local
            .split(['.', '-', '_'])
            .filter(|part| !part.is_empty())
            .map(|part| match part.parse() {
                Ok(number) => (true, number, String::new()),
                Err(_) => (false, 0, part.to_string()),
            })
            .collect();
        version
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    // what is local to a version counts only where the specifier names it
    let a = match b.contains('+') {
        true => a,
        false => a.split('+').next().unwrap_or(a),
    };
    Version::parse(a).cmp(&Version::parse(b))
}

/// Whether a version meets a specifier: `>=1.0`, `==1.*`, `~=1.4`.
pub fn matches(found: &str, specifier: &str) -> bool {
    let end = specifier
        .find(|c: char| !"<>=!~".contains(c))
        .unwrap_or(specifier.len());
    let (operator, wanted) = specifier.split_at(end);
    let wanted = wanted.trim();
    let begins = |prefix: &str| {
        let (found, prefix) = (Version::parse(found), parts(prefix));
        let mut release = found.release.clone();
        release.resize(prefix.len().max(release.len()), 0);
        release.starts_with(&prefix)
    };
    match (operator, wanted.strip_suffix(".*")) {
        ("==", Some(prefix)) => begins(prefix),
        ("!=", Some(prefix)) => !begins(prefix),
        ("===", _) => found == wanted,
        ("==", None) => compare(found, wanted) == Ordering::Equal,
        ("!=", None) => compare(found, wanted) != Ordering::Equal,
        ("~=", _) => {
            let prefix = wanted.rsplit_once('.').map_or(wanted, |(prefix, _)| prefix);
            compare(found, wanted) != Ordering::Less && begins(prefix)
        }
        (">=", _) => compare(found, wanted) != Ordering::Less,
        ("<=", _) => compare(found, wanted) != Ordering::Greater,
        (">", _) => compare(found, wanted) == Ordering::Greater,
        ("<", _) => compare(found, wanted) == Ordering::Less,
        _ => false,
    }
}

/// The numbers of a release, its last zeros too.
fn parts(text: &str) -> Vec<u64> {
    text.split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_pep_440() {
        let order = [
            "1.0.dev1",
            "1.0a1.dev1",
            "1.0a1",
            "1.0b2",
            "1.0rc1",
            "1.0",
            "1.0.post1.dev1",
            "1.0.post1",
            "1.1.dev1",
            "1.1",
            "1.10",
            "1!0.1",
        ];
        for pair in order.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1.0.0"), Ordering::Equal);
        assert_eq!(compare("1.0-1", "1.0.post1"), Ordering::Equal);
    }

    #[test]
    fn specifiers_are_met() {
        for (found, specifier, meets) in [
            ("1.1", ">=1.0", true),
            ("1.10", "<1.9", false),
            ("1.1.3", "==1.1.*", true),
            ("1.10", "==1.1.*", false),
            ("1", "==1.0.*", true),
            ("1.5", "~=1.4", true),
            ("2.0", "~=1.4", false),
            ("1.4.9", "~=1.4.2", true),
            ("1.5", "~=1.4.2", false),
            ("20.17.1+ds", "==20.17.1", true),
            ("1.0", "!=1.0", false),
            ("1.0", "===1.0", true),
        ] {
            assert_eq!(matches(found, specifier), meets, "{found} {specifier}");
        }
    }
}
