//! Tests on texts: patterns, versions, addresses.

use super::Test;
use crate::Result;
use crate::regex::{self, Flags};
use crate::template::call::{Args, Call, error};
use crate::template::protocol::iterate;
use crate::template::python;
use crate::template::version;
use crate::value::Value;
use std::cmp::Ordering;

/// Where a pattern has to match.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Anywhere,
    Start,
    Whole,
}

fn matches(call: &Call, args: &Args, place: Place) -> Result<bool> {
    let flags = Flags {
        ignorecase: args.flag("ignorecase", false),
        multiline: args.flag("multiline", false),
        dotall: false,
        ..Flags::default()
    };
    let pattern = args.text("pattern", "");
    let pattern = match place {
        Place::Anywhere => pattern,
        // checked by itself first, so that errors speak of the pattern as written
        _ if regex::compile(&pattern, flags).is_err() || pattern.starts_with("(?") => pattern,
        Place::Start => format!("\\A(?:{pattern})"),
        Place::Whole => format!("\\A(?:{pattern})\\Z"),
    };
    let text = call.text();
    let regex = regex::compile(&pattern, flags)?;
    let Some(found) = regex::search(&regex, &text)?.and_then(|c| c.get(0)) else {
        return Ok(false);
    };
    Ok(match place {
        Place::Anywhere => true,
        Place::Start => found.start() == 0,
        Place::Whole => found.start() == 0 && found.end() == text.len(),
    })
}

fn match_(mut call: Call) -> Result<bool> {
    let args = call.bind(&["pattern", "ignorecase", "multiline"])?;
    matches(&call, &args, Place::Start)
}

fn search(mut call: Call) -> Result<bool> {
    let args = call.bind(&["pattern", "ignorecase", "multiline"])?;
    matches(&call, &args, Place::Anywhere)
}

fn regex_test(mut call: Call) -> Result<bool> {
    let args = call.bind(&["pattern", "ignorecase", "multiline", "match_type"])?;
    let place = match args.text("match_type", "search").as_str() {
        "search" => Place::Anywhere,
        "match" => Place::Start,
        "fullmatch" => Place::Whole,
        other => {
            return Err(error(format!("Invalid match_type specified: {other}"))
                .hint("it is search, match or fullmatch"));
        }
    };
    matches(&call, &args, place)
}

fn version_test(mut call: Call) -> Result<bool> {
    let args = call.bind(&["version", "operator", "strict", "version_type"])?;
    let other = args.need("version")?;
    if call.value.is_null() || call.text().is_empty() {
        return Err(error("Input version value cannot be empty"));
    }
    if other.is_null() || python::str(other).is_empty() {
        return Err(error(
            "Version parameter to compare against cannot be empty",
        ));
    }
    let mut kind = args.text("version_type", "loose");
    match (args.given("strict"), args.given("version_type")) {
        (Some(_), Some(_)) => return Err(error("Cannot specify both 'strict' and 'version_type'")),
        (Some(strict), None) if strict.is_truthy() => kind = "strict".into(),
        _ => {}
    }
    let operator = args.text("operator", "eq");
    let holds: fn(Ordering) -> bool = match operator.as_str() {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        _ => {
            return Err(error(format!(
                "Invalid operator type ({operator}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            )));
        }
    };
    let compare = match kind.as_str() {
        "loose" => version::compare_loose,
        "strict" => version::compare_strict,
        "semver" | "semantic" => version::compare_semantic,
        "pep440" => version::compare_pep440,
        _ => {
            return Err(error(format!(
                "Invalid version type ({kind}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            )));
        }
    };
    compare(&call.text(), &python::str(other))
        .map(holds)
        .map_err(|e| e.context("Version comparison failed"))
}

/// Scheme (in small letters) and host part of a web address, as Python's `urlsplit` takes a text apart; none
/// if it refuses the text, which it does for brackets around what is no IPv6 address.
fn address(value: &Value) -> Option<(String, String)> {
    let text = match value {
        Value::Null => String::new(),
        Value::Str(_) => python::str(value),
        _ => return None,
    };
    let text: String = text
        .trim_start_matches(|c| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .collect();
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), text.as_str()),
    };
    let host = rest.strip_prefix("//").unwrap_or_default();
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    match (host.find('['), host.find(']')) {
        (None, None) => {}
        (Some(open), Some(close)) if open < close => {
            let inner = &host[open + 1..close];
            inner.parse::<std::net::Ipv6Addr>().ok()?;
        }
        _ => return None,
    }
    Some((scheme, host.to_string()))
}

/// Whether the scheme is among those asked for; any is if none are.
fn allowed(args: &Args, scheme: &str) -> Result<bool> {
    Ok(match args.given("schemes") {
        Some(list) if list.is_truthy() => match list {
            Value::Str(text) => text.contains(scheme),
            list => iterate(list)?.iter().any(|s| s.as_str() == Some(scheme)),
        },
        _ => true,
    })
}

fn uri(mut call: Call) -> Result<bool> {
    let args = call.bind(&["schemes"])?;
    match address(&call.value) {
        Some((scheme, _)) => allowed(&args, &scheme),
        None => Ok(false),
    }
}

/// A URI with a host, or of a file.
fn url(mut call: Call) -> Result<bool> {
    let args = call.bind(&["schemes"])?;
    match address(&call.value) {
        Some((scheme, host)) if !host.is_empty() || scheme == "file" => allowed(&args, &scheme),
        _ => Ok(false),
    }
}

fn urn(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(address(&call.value).is_some_and(|(scheme, _)| scheme == "urn"))
}

fn vault_encrypted(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(match &call.value {
        Value::Vault(_) => true,
        Value::Str(text) => crate::vault::was_encrypted(&text.shared()),
        _ => false,
    })
}

pub static TESTS: &[(&str, Test)] = &[
    ("match", match_),
    ("regex", regex_test),
    ("search", search),
    ("uri", uri),
    ("url", url),
    ("urn", urn),
    ("vault_encrypted", vault_encrypted),
    ("version", version_test),
    ("version_compare", version_test),
];
