//! Web addresses: quoting and taking apart.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::iterate;
use crate::template::python;
use crate::value::{Key, Map, Value};

/// `urllib.parse.quote`: all but letters, digits, `_.-~` and those in `safe`.
fn percent(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Text with percent signs, or a mapping or list of pairs as a query string.
fn urlencode(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let query = |v: &Value| percent(&python::str(v), "").replace("%20", "+");
    let pairs: Vec<(Value, Value)> = match &call.value {
        Value::Map(map) => map.iter().map(|(k, v)| (k.to_value(), v.clone())).collect(),
        Value::List(items) => items
            .iter()
            .map(|item| match item.as_list() {
                Some([k, v]) => Ok((k.clone(), v.clone())),
                _ => Err(error("not enough values to unpack (expected 2)")),
            })
            .collect::<Result<_>>()?,
        other => return Ok(Value::str(percent(&python::str(other), "/"))),
    };
    let parts: Vec<String> = pairs
        .iter()
        .map(|(k, v)| format!("{}={}", query(k), query(v)))
        .collect();
    Ok(Value::str(parts.join("&")))
}

fn urldecode(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let text = call.text().replace('+', " ");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    Ok(Value::str(String::from_utf8_lossy(&out)))
}

fn urlsplit(mut call: Call) -> Result<Value> {
    let args = call.bind(&["query", "alias"])?;
    let url = call.text();
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let scheme_end = rest.find(':').filter(|i| {
        let s = &rest[..*i];
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let (scheme, rest) = match scheme_end {
        Some(i) => (rest[..i].to_lowercase(), &rest[i + 1..]),
        None => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = match netloc.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, netloc),
    };
    let (username, password) =
        match user.map(|u| u.split_once(':').map_or((u, None), |(u, p)| (u, Some(p)))) {
            Some((u, p)) => (Some(u), p),
            None => (None, None),
        };
    let (hostname, port) = if let Some(inner) = host.strip_prefix('[') {
        let (name, after) = inner.split_once(']').unwrap_or((inner, ""));
        (name, after.strip_prefix(':'))
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        }
    };
    let port = match port.filter(|p| !p.is_empty()) {
        None => Value::Null,
        Some(p) => match p.parse::<u16>() {
            Ok(n) => Value::Int(i64::from(n)),
            Err(_) => {
                return Err(error(format!(
                    "Port could not be cast to integer value as '{p}'"
                )));
            }
        },
    };
    let optional = |text: Option<&str>| text.map_or(Value::Null, Value::str);
    let mut map = Map::default();
    for (name, value) in [
        ("fragment", Value::str(fragment)),
        (
            "hostname",
            optional(Some(hostname.to_lowercase().as_str()).filter(|h| !h.is_empty())),
        ),
        ("netloc", Value::str(netloc)),
        ("password", optional(password)),
        ("path", Value::str(path)),
        ("port", port),
        ("query", Value::str(query)),
        ("scheme", Value::str(scheme)),
        ("username", optional(username)),
    ] {
        map.insert(Key::from(name), value);
    }
    match args
        .given("query")
        .map(python::str)
        .filter(|q| !q.is_empty())
    {
        None => Ok(Value::map(map)),
        Some(name) => map
            .shift_remove(name.as_str())
            .ok_or_else(|| error(format!("urlsplit: unknown URL component: {name}"))),
    }
}

/// community.general's `from_csv`: rows as dictionaries.
fn from_csv(mut call: Call) -> Result<Value> {
    let args = call.bind_kwargs(&[
        "dialect",
        "fieldnames",
        "delimiter",
        "skipinitialspace",
        "strict",
    ])?;
    if !call.args.is_empty() {
        return Err(error("from_csv takes its options by name"));
    }
    let delimiter = match args.text("dialect", "excel").as_str() {
        "excel" | "unix" => args.text("delimiter", ","),
        "excel-tab" => args.text("delimiter", "\t"),
        other => return Err(error(format!("Dialect '{other}' is not supported"))),
    };
    let Some(delimiter) = delimiter.chars().next() else {
        return Err(error("\"delimiter\" must be a 1-character string"));
    };
    let mut rows = crate::template::csv::parse(
        &call.text(),
        delimiter,
        args.flag("skipinitialspace", false),
    );
    let names: Vec<Key> = match args.given("fieldnames") {
        Some(names) => iterate(names)?.into_iter().map(Key::from_value).collect(),
        None if rows.is_empty() => Vec::new(),
        None => rows.remove(0).into_iter().map(Key::from).collect(),
    };
    let row = |cells: Vec<String>| {
        Value::map(
            names
                .iter()
                .cloned()
                .zip(
                    cells
                        .into_iter()
                        .map(Value::from)
                        .chain(std::iter::repeat(Value::Null)),
                )
                .collect(),
        )
    };
    Ok(Value::list(
        rows.into_iter()
            .filter(|r| !r.is_empty())
            .map(row)
            .collect(),
    ))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("from_csv", from_csv),
    ("urldecode", urldecode),
    ("urlencode", urlencode),
    ("urlsplit", urlsplit),
];
