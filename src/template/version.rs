//! The orders of versions that the `version` test knows.

use super::call::error;
use crate::Result;
use std::cmp::Ordering;

/// A part of a loose version.
#[derive(Debug, PartialEq)]
enum Part {
    Number(String),
    Word(String),
}

/// Digits without leading zeros compare by length first.
fn digits(text: &str) -> String {
    let trimmed = text.trim_start_matches('0');
    if trimmed.is_empty() { "0" } else { trimmed }.to_string()
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn loose(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let class = |c: char| match c {
            c if c.is_ascii_digit() => 0,
            'a'..='z' => 1,
            '.' => 2,
            _ => 3,
        };
        let kind = class(chars[i]);
        let end = match kind {
            2 => i + 1,
            _ => (i..chars.len())
                .find(|j| class(chars[*j]) != kind)
                .unwrap_or(chars.len()),
        };
        let part: String = chars[i..end].iter().collect();
        match kind {
            0 => parts.push(Part::Number(digits(&part))),
            2 => {}
            _ => parts.push(Part::Word(part)),
        }
        i = end;
    }
    parts
}

/// Numbers and words one by one; an error where a number meets a word, as in Python.
pub fn compare_loose(a: &str, b: &str) -> Result<Ordering> {
    let (a, b) = (loose(a), loose(b));
    for (x, y) in a.iter().zip(&b) {
        if x == y {
            continue;
        }
        return match (x, y) {
            (Part::Number(x), Part::Number(y)) => Ok(compare_digits(x, y)),
            (Part::Word(x), Part::Word(y)) => Ok(x.cmp(y)),
            (Part::Word(_), Part::Number(_)) => Err(mixed("str", "int")),
            (Part::Number(_), Part::Word(_)) => Err(mixed("int", "str")),
        };
    }
    Ok(a.len().cmp(&b.len()))
}

fn mixed(a: &str, b: &str) -> crate::Error {
    error(format!(
        "'<' not supported between instances of '{a}' and '{b}'"
    ))
}

/// Three numbers and the kind and number of a pre-release.
type Strict = ([u64; 3], Option<(char, u64)>);

/// `1.2`, `1.2.3`, `1.2a1`, `1.2.3b4`.
fn strict(text: &str) -> Result<Strict> {
    let invalid = || error(format!("invalid version number '{text}'"));
    let (plain, pre) = match text.find(['a', 'b']) {
        Some(i) => {
            let kind = if text[i..].starts_with('a') { 'a' } else { 'b' };
            let number = text[i + 1..].parse().map_err(|_| invalid())?;
            (&text[..i], Some((kind, number)))
        }
        None => (text, None),
    };
    let numbers: Vec<&str> = plain.split('.').collect();
    if !(2..=3).contains(&numbers.len()) {
        return Err(invalid());
    }
    let mut out = [0; 3];
    for (slot, number) in out.iter_mut().zip(&numbers) {
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        *slot = number.parse().map_err(|_| invalid())?;
    }
    Ok((out, pre))
}

/// Python's old strict versions: a pre-release comes before its release.
pub fn compare_strict(a: &str, b: &str) -> Result<Ordering> {
    let ((a, pre_a), (b, pre_b)) = (strict(a)?, strict(b)?);
    Ok(a.cmp(&b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(&b),
    }))
}

type Semantic<'a> = ([String; 3], Vec<&'a str>);

fn semantic(text: &str) -> Result<Semantic<'_>> {
    let invalid = || error(format!("invalid semantic version '{text}'"));
    let identifiers = |s: &str| {
        s.split('.')
            .all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    let (rest, build) = text
        .split_once('+')
        .map_or((text, None), |(r, b)| (r, Some(b)));
    let (core, pre) = rest
        .split_once('-')
        .map_or((rest, None), |(c, p)| (c, Some(p)));
    if !build.is_none_or(identifiers) || !pre.is_none_or(identifiers) {
        return Err(invalid());
    }
    let numbers: Vec<&str> = core.split('.').collect();
    let [major, minor, patch] = numbers[..] else {
        return Err(invalid());
    };
    let number = |s: &str| {
        let fits = !s.is_empty()
            && s.bytes().all(|b| b.is_ascii_digit())
            && (s == "0" || !s.starts_with('0'));
        fits.then(|| s.to_string()).ok_or_else(invalid)
    };
    let pre = pre.map(|p| p.split('.').collect()).unwrap_or_default();
    Ok(([number(major)?, number(minor)?, number(patch)?], pre))
}

/// <https://semver.org>: build metadata does not count.
pub fn compare_semantic(a: &str, b: &str) -> Result<Ordering> {
    let ((a, pre_a), (b, pre_b)) = (semantic(a)?, semantic(b)?);
    for (x, y) in a.iter().zip(&b) {
        let order = compare_digits(x, y);
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    if pre_a.is_empty() || pre_b.is_empty() {
        return Ok(pre_b.len().min(1).cmp(&pre_a.len().min(1)));
    }
    let is_number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    for (x, y) in pre_a.iter().zip(&pre_b) {
        let order = match (is_number(x), is_number(y)) {
            (true, true) => compare_digits(&digits(x), &digits(y)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => x.cmp(y),
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(pre_a.len().cmp(&pre_b.len()))
}

/// What <https://peps.python.org/pep-0440/> orders versions by.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Pep440 {
    epoch: u64,
    release: Vec<u64>,
    /// Development releases of no pre-release come first, final releases last.
    pre: (u8, u64),
    post: Option<u64>,
    dev: (u8, u64),
    local: Vec<(u8, u64, String)>,
}

fn pep440(text: &str) -> Result<Pep440> {
    const PATTERN: &str = r"(?i)^\s*v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<pre>[-_.]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]+)?)?(?P<post>(?:-(?P<post_n1>[0-9]+))|(?:[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>[0-9]+)?))?(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]+)?)?(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$";
    let regex = super::regex::compile(PATTERN, Default::default())?;
    let Some(found) = super::regex::search(&regex, text)? else {
        return Err(error(format!("Invalid version: '{text}'")));
    };
    let part = |name: &str| found.name(name).map(|m| m.as_str().to_lowercase());
    let number = |name: &str| -> Result<u64> {
        part(name).map_or(Ok(0), |n| {
            n.parse()
                .map_err(|_| error(format!("Invalid version: '{text}'")))
        })
    };
    let mut release = Vec::new();
    for n in part("release").unwrap_or_default().split('.') {
        release.push(
            n.parse()
                .map_err(|_| error(format!("Invalid version: '{text}'")))?,
        );
    }
    while release.last() == Some(&0) {
        release.pop();
    }
    let has = |name: &str| found.name(name).is_some();
    let post = has("post").then_some(number("post_n1")? + number("post_n2")?);
    let pre = match part("pre_l").as_deref() {
        Some("alpha" | "a") => (1, number("pre_n")?),
        Some("beta" | "b") => (2, number("pre_n")?),
        Some(_) => (3, number("pre_n")?),
        None if post.is_none() && has("dev") => (0, 0),
        None => (4, 0),
    };
    let local = part("local").map_or(Vec::new(), |l| {
        l.split(['-', '_', '.'])
            .map(|p| match p.parse() {
                Ok(n) => (1, n, String::new()),
                Err(_) => (0, 0, p.to_string()),
            })
            .collect()
    });
    Ok(Pep440 {
        epoch: number("epoch")?,
        release,
        pre,
        post,
        dev: if has("dev") {
            (0, number("dev_n")?)
        } else {
            (1, 0)
        },
        local,
    })
}

/// PEP 440's order, as pip has it.
pub fn compare_pep440(a: &str, b: &str) -> Result<Ordering> {
    Ok(pep440(a)?.cmp(&pep440(b)?))
}
