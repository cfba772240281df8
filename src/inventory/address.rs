//! Host names with ports and ranges: `web[01:20].example.com:2222`.

use crate::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Splits `host:port`, `[host]:port` and plain hosts; `None` if the text is no host name or address.
///
/// With `ranges`, `[1:5]` may stand wherever a name has letters.
pub fn split_port(text: &str, ranges: bool) -> Option<(&str, Option<u32>)> {
    let (host, port) = port_of(text);
    let valid = host.parse::<Ipv6Addr>().is_ok()
        || host.parse::<Ipv4Addr>().is_ok()
        || is_hostname(host, ranges);
    valid.then_some((host, port))
}

fn port_of(text: &str) -> (&str, Option<u32>) {
    let Some((host, digits)) = text.rsplit_once(':') else {
        return (text, None);
    };
    let Some(port) = Some(digits)
        .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|d| d.parse().ok())
    else {
        return (text, None);
    };
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'))
        && !inner.contains(['[', ']'])
    {
        return (inner, Some(port));
    }
    // colons of ranges do not count: `x[1:3]:22` has a port, `::1` has none
    let mut depth = 0;
    let bare = host.chars().any(|c| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ':' if depth == 0 => return true,
            _ => {}
        }
        false
    });
    if bare {
        (text, None)
    } else {
        (host, Some(port))
    }
}

fn is_hostname(text: &str, ranges: bool) -> bool {
    // every range becomes a letter, then the labels are checked
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']') else {
            return false;
        };
        if !ranges || !is_range(&rest[open + 1..open + close]) {
            return false;
        }
        plain.push_str(&rest[..open]);
        plain.push('x');
        rest = &rest[open + close + 1..];
    }
    plain.push_str(rest);
    plain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    })
}

fn is_range(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.len(), 2 | 3)
        && !parts[1].is_empty()
        && parts
            .iter()
            .all(|p| p.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// All hosts that a line's first word means, and the port they share.
///
/// Follows <https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts>.
/// Fails on a malformed range and on what looks like YAML.
pub fn expand(pattern: &str) -> Result<(Vec<String>, Option<u32>)> {
    let (name, port) = split_port(pattern, true).unwrap_or((pattern, None));
    if name.trim().starts_with("---") {
        return Err(Error::parse(format!(
            "Invalid host pattern '{name}' supplied, '---' is normally a sign this is a YAML file."
        )));
    }
    if name.ends_with(':') {
        return Err(Error::parse(format!(
            "Invalid host pattern '{name}' supplied, ending in ':' is not allowed, this character is reserved to provide a port."
        )));
    }
    let mut out = Vec::new();
    expand_ranges(name, &mut out)?;
    Ok((out, port))
}

/// The largest number of hosts that one range may give: more is a typing error.
const MOST: usize = 1_000_000;

fn expand_ranges(text: &str, out: &mut Vec<String>) -> Result<()> {
    let Some((open, close)) = first_range(text)? else {
        out.push(text.to_string());
        return Ok(());
    };
    for middle in range(&text[open + 1..close])? {
        let name = format!("{}{middle}{}", &text[..open], &text[close + 1..]);
        expand_ranges(&name, out)?;
        if out.len() > MOST {
            return Err(Error::parse(format!(
                "host range '{text}' means more than {MOST} hosts"
            )));
        }
    }
    Ok(())
}

fn first_range(text: &str) -> Result<Option<(usize, usize)>> {
    let Some(open) = text.find('[') else {
        return Ok(None);
    };
    match text[open..].find(']') {
        Some(close) => Ok(Some((open, open + close))),
        None => Err(Error::parse(format!("the range in '{text}' is not closed"))
            .hint("a range ends with ']': web[01:20]")),
    }
}

fn range(text: &str) -> Result<Vec<String>> {
    let bounds: Vec<&str> = text.split(':').collect();
    let (begin, end, step) = match bounds[..] {
        [b, e] => (b, e, "1"),
        [b, e, s] => (b, e, s),
        _ => {
            return Err(Error::parse(
                "host range must be begin:end or begin:end:step",
            ));
        }
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(Error::parse("host range must specify end value"));
    }
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').collect();
    let letter = |t: &str| {
        let mut chars = t.chars();
        let c = chars.next()?;
        letters
            .iter()
            .position(|l| *l == c)
            .filter(|_| chars.next().is_none())
    };
    let number = |t: &str| -> Result<usize> {
        t.trim()
            .parse()
            .map_err(|_| Error::parse(format!("'{t}' in host range '[{text}]' is not a number")))
    };
    let step = number(step)?;
    if step == 0 {
        return Err(Error::parse("host range must not have a step of 0"));
    }
    if let (Some(b), Some(e)) = (letter(begin), letter(end)) {
        if b > e {
            return Err(Error::parse("host range must have begin <= end"));
        }
        return Ok((b..=e)
            .step_by(step)
            .map(|i| letters[i].to_string())
            .collect());
    }
    let padded = begin.len() > 1 && begin.starts_with('0');
    if padded && begin.len() != end.len() {
        return Err(Error::parse(
            "host range must specify equal-length begin and end formats",
        ));
    }
    let (b, e) = (number(begin)?, number(end)?);
    if e.saturating_sub(b) / step > MOST {
        return Err(Error::parse(format!(
            "host range '[{text}]' means more than {MOST} hosts"
        )));
    }
    let width = if padded { begin.len() } else { 0 };
    Ok((b..=e)
        .step_by(step)
        .map(|n| format!("{n:0width$}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_split_off_as_ansible_does() {
        for (text, expected) in [
            ("a:22", Some(("a", Some(22)))),
            ("a_b:22", Some(("a_b", Some(22)))),
            ("é:22", Some(("é", Some(22)))),
            ("a-:22", None),
            ("a..b:2", None),
            ("a.:2", None),
            ("a:x", None),
            ("a[1:3]:22", Some(("a[1:3]", Some(22)))),
            ("[a]:22", Some(("a", Some(22)))),
            ("300.1.1.1:5", Some(("300.1.1.1", Some(5)))),
            ("::1", Some(("::1", None))),
            ("[::1]", None),
            ("[::1]:5", Some(("::1", Some(5)))),
            ("::ffff:1.2.3.4", Some(("::ffff:1.2.3.4", None))),
            ("a/b:2", None),
            ("a[1:2].b[x:z]:9", Some(("a[1:2].b[x:z]", Some(9)))),
            ("[a:b]:4", None),
            ("a:", None),
            ("x[1:3", None),
            ("*:4", None),
        ] {
            assert_eq!(split_port(text, true), expected, "{text}");
        }
        assert_eq!(split_port("a[1:3]", false), None);
    }

    #[test]
    fn ranges_give_the_hosts_between() {
        for (text, expected) in [
            ("w[01:03]", "w01 w02 w03"),
            ("w[8:10]", "w8 w9 w10"),
            ("d[a:c]x[1:2]", "dax1 dax2 dbx1 dbx2 dcx1 dcx2"),
            ("n[1:5:2]", "n1 n3 n5"),
            ("h[:2]", "h0 h1 h2"),
            ("h[3:1]", ""),
            ("h[y:B]", "hy hz hA hB"),
        ] {
            assert_eq!(expand(text).unwrap().0.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for (text, part) in [
            ("x[1-3]", "begin:end"),
            ("x[5:]", "end value"),
            ("x[01:3]", "equal-length"),
            ("x[c:a]", "begin <= end"),
            ("x[aa:bb]", "not a number"),
            ("x[1:3:0]", "step of 0"),
            ("x[1:3", "not closed"),
            ("x[0:99999999999]", "more than"),
            ("all:", "reserved to provide a port"),
            ("---", "YAML file"),
        ] {
            let error = expand(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
        }
    }
}
