//! Sizes, durations, ports and mounts as the user writes them, in the Engine's terms.

use super::super::Failure;
use serde_json::{Map, Value as Json, json};
use std::net::IpAddr;

/// `64M` as bytes. `option` is named if it is none.
pub fn size(option: &str, text: &str) -> Result<i64, Failure> {
    let failed = |why: String| {
        Failure::new(format!(
            "Failed to convert {option} to bytes: human_to_bytes() {why}"
        ))
    };
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim());
    let Ok(number) = number.parse::<f64>() else {
        return Err(failed(format!("can't interpret following string: {text}")));
    };
    const UNITS: &str = "BKMGTPEZY";
    let known = unit.chars().next().map(|c| c.to_ascii_uppercase());
    let power = match known {
        None => 0,
        Some(letter) => match UNITS.find(letter) {
            Some(power) => power,
            None => {
                return Err(failed(format!(
                    "failed to convert {text} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
                )));
            }
        },
    };
    Ok((number * 1024f64.powi(i32::try_from(power).unwrap_or(0))).round() as i64)
}

/// `1h30m5s` as nanoseconds.
pub fn duration(text: &str) -> Result<i64, Failure> {
    let failed = || Failure::uncaught(format!("Invalid time duration - {text}"));
    let mut rest = text;
    let mut total: i64 = 0;
    let mut units = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ]
    .iter();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(failed)?;
        let number: i64 = rest[..digits].parse().map_err(|_| failed())?;
        let after = &rest[digits..];
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        // each unit once, the greater ones first
        let (_, factor) = units
            .find(|(u, _)| *u == &after[..end])
            .ok_or_else(failed)?;
        total = number
            .checked_mul(*factor)
            .and_then(|n| total.checked_add(n))
            .ok_or_else(failed)?;
        rest = &after[end..];
    }
    match text.is_empty() {
        true => Err(failed()),
        false => Ok(total),
    }
}

/// `8000-8002` as each of them; one that is no range of numbers is left as it is.
fn range(text: &str) -> Result<Vec<String>, Failure> {
    let Some((first, last)) = text.split_once('-') else {
        return Ok(vec![text.to_string()]);
    };
    let parsed = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
    let (first, last) =
        parsed.ok_or_else(|| Failure::new(format!("Invalid port range: {text}")))?;
    if last < first {
        return Err(Failure::new(format!("Invalid port range: {text}")));
    }
    Ok((first..=last).map(|p| p.to_string()).collect())
}

fn protocol(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or((text, "tcp"))
}

/// `80`, `90-92/udp` as `80/tcp` and so on.
pub fn exposed(texts: &[String]) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for text in texts {
        let (ports, protocol) = protocol(text.trim());
        let ports = range(ports)?;
        out.extend(ports.iter().map(|p| format!("{p}/{protocol}")));
    }
    Ok(out)
}

/// The Engine's `PortBindings`. Ports without an address are published at `address`.
pub fn published(texts: &[String], address: &str) -> Result<Map<String, Json>, Failure> {
    let mut out = Map::new();
    for text in texts {
        let (spec, protocol) = protocol(text.trim());
        let parts = colons(spec);
        let (host, outer, inner) = match parts.as_slice() {
            [inner] => (address, "", *inner),
            [outer, inner] => (address, *outer, *inner),
            [host, outer, inner] => (unbracketed(host)?, *outer, *inner),
            _ => {
                return Err(Failure::new(format!(
                    "Invalid port description \"{spec}\" - expected 1 to 3 colon-separated parts, but got {}. \
                     Maybe you forgot to use square brackets ([...]) around an IPv6 address?",
                    parts.len()
                )));
            }
        };
        let inner = range(inner)?;
        let outer = match inner.len() {
            // the Engine takes one of them
            1 => vec![outer.to_string()],
            _ if outer.is_empty() => vec![String::new(); inner.len()],
            _ => range(outer)?,
        };
        for (inner, outer) in inner.iter().zip(outer) {
            let binding = json!({"HostIp": host, "HostPort": outer});
            let key = format!("{inner}/{protocol}");
            match out.get_mut(&key) {
                Some(Json::Array(bindings)) => bindings.push(binding),
                _ => drop(out.insert(key, json!([binding]))),
            }
        }
    }
    Ok(out)
}

/// Parts between colons that are not in brackets.
fn colons(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unbracketed(host: &str) -> Result<&str, Failure> {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let address = inner.unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(_) => Ok(address),
        Err(_) => Err(Failure::new(format!(
            "Bind addresses for published ports must be IPv4 or IPv6 addresses, not hostnames. Use the dig lookup \
             to resolve hostnames. (Found hostname: {host})"
        ))),
    }
}

/// An entry of `volumes`: an anonymous one, or source, target and mode.
pub enum Volume {
    Anonymous(String),
    Bind(String, String, String),
}

const MODES: &[&str] = &[
    "ro",
    "rw",
    "consistent",
    "delegated",
    "cached",
    "rprivate",
    "private",
    "rshared",
    "shared",
    "rslave",
    "slave",
    "nocopy",
    "z",
    "Z",
];

pub fn volume(text: &str) -> Result<Volume, Failure> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts.as_slice() {
        [source, target] => (*source, *target, "rw"),
        [source, target, mode] => (*source, *target, *mode),
        _ => return Ok(Volume::Anonymous(text.to_string())),
    };
    if !mode.split(',').all(|m| MODES.contains(&m)) {
        return Err(Failure::new(format!("Found invalid volumes mode: {mode}")));
    }
    let source = match source.starts_with(['~', '.']) {
        true => absolute(&crate::expand::path(source)),
        false => source.to_string(),
    };
    Ok(Volume::Bind(source, target.to_string(), mode.to_string()))
}

fn absolute(path: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut out = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        for (text, bytes) in [
            ("64M", 67_108_864),
            ("1.5k", 1536),
            ("7", 7),
            ("2 GB", 2 << 30),
        ] {
            assert_eq!(size("memory", text).unwrap(), bytes, "{text}");
        }
        assert!(size("memory", "64X").unwrap_err().msg.contains("unit = X"));
        for (text, nanos) in [
            ("1m30s", 90_000_000_000),
            ("500ms", 500_000_000),
            ("2us", 2000),
        ] {
            assert_eq!(duration(text).unwrap(), nanos, "{text}");
        }
        for wrong in ["", "5", "5 parsecs", "1s1m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_are_bound() {
        let published = |text: &str| {
            let map = published(&[text.to_string()], "0.0.0.0");
            map.map(|m| Json::Object(m).to_string()).map_err(|e| e.msg)
        };
        for (text, expected) in [
            ("80", r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":""}]}"#),
            (
                "9000:80/udp",
                r#"{"80/udp":[{"HostIp":"0.0.0.0","HostPort":"9000"}]}"#,
            ),
            (
                "8000-8005:83",
                r#"{"83/tcp":[{"HostIp":"0.0.0.0","HostPort":"8000-8005"}]}"#,
            ),
            (
                "1-2:80-90",
                r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"1"}],"81/tcp":[{"HostIp":"0.0.0.0","HostPort":"2"}]}"#,
            ),
            (
                "[::1]:99:100",
                r#"{"100/tcp":[{"HostIp":"::1","HostPort":"99"}]}"#,
            ),
            (
                "127.0.0.1::77",
                r#"{"77/tcp":[{"HostIp":"127.0.0.1","HostPort":""}]}"#,
            ),
        ] {
            assert_eq!(published(text).unwrap(), expected);
        }
        assert!(published("1:2:3:4").unwrap_err().contains("but got 4"));
        assert!(
            published("host:1:2")
                .unwrap_err()
                .contains("hostname: host")
        );
    }
}
