//! What a request sends, written in the format that is asked for.

use super::{Args, BodyFormat};
use crate::machine::Machine;
use crate::modules::Failure;
use crate::modules::args::text;
use crate::python;
use crate::value::{Map, Value};
use base64::Engine;
use std::path::Path;

/// The body, and its `Content-Type`.
pub fn encode(
    args: &Args,
    machine: &Machine,
) -> Result<(Option<Vec<u8>>, Option<String>), Failure> {
    let body = args.body.as_ref();
    match args.body_format {
        BodyFormat::Raw => match body {
            None => Ok((None, None)),
            Some(Value::List(_) | Value::Map(_)) => Err(Failure::new(
                "a body that is no text needs a body_format other than raw",
            )),
            Some(value) => Ok((Some(text(value).into_bytes()), None)),
        },
        BodyFormat::Json => {
            let json = match body {
                Some(Value::Str(text)) => text.to_string(),
                Some(value) => crate::modules::args::spaced_json(&value.to_json()),
                None => "null".to_string(),
            };
            Ok((
                Some(json.into_bytes()),
                Some("application/json".to_string()),
            ))
        }
        BodyFormat::FormUrlencoded => {
            let form = match body {
                Some(Value::Str(text)) => text.to_string(),
                Some(Value::Map(map)) => pairs(map.iter().map(|(k, v)| (k.to_string(), v.clone()))),
                Some(Value::List(items)) => {
                    let taken: Result<Vec<_>, Failure> = items.iter().map(pair).collect();
                    pairs(taken?.into_iter())
                }
                _ => String::new(),
            };
            let kind = "application/x-www-form-urlencoded";
            Ok((Some(form.into_bytes()), Some(kind.to_string())))
        }
        BodyFormat::FormMultipart => match body {
            Some(Value::Map(parts)) => multipart(parts, machine)
                .map(|(body, kind)| (Some(body), Some(kind)))
                .map_err(|why| {
                    Failure::new(format!("failed to parse body as form-multipart: {why}"))
                }),
            other => {
                let kind = other.map_or("NoneType", |v| v.type_name());
                Err(Failure::new(format!(
                    "body must be mapping, cannot be type {kind}"
                )))
            }
        },
    }
}

/// A name and its value: a list of two.
fn pair(item: &Value) -> Result<(String, Value), Failure> {
    let parts: Vec<Value> = match item {
        Value::List(parts) => parts.to_vec(),
        Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        Value::Map(map) => map.keys().map(|k| Value::from(k.to_string())).collect(),
        other => {
            let kind = other.type_name();
            return Err(Failure::uncaught(format!(
                "cannot unpack non-iterable {kind} object"
            )));
        }
    };
    let why = match <[Value; 2]>::try_from(parts) {
        Ok([name, value]) => return Ok((python::str(&name), value)),
        Err(parts) if parts.len() > 2 => "too many values to unpack (expected 2)".to_string(),
        Err(parts) => format!(
            "not enough values to unpack (expected 2, got {})",
            parts.len()
        ),
    };
    Err(Failure::new(format!("failed to parse body as form_urlencoded: {why}")).with("elapsed", 0))
}

fn pairs(fields: impl Iterator<Item = (String, Value)>) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &Value| {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&quoted(name));
        out.push('=');
        out.push_str(&quoted(&python::str(value)));
    };
    for (name, value) in fields {
        match &value {
            Value::List(items) => items.iter().for_each(|item| add(&name, item)),
            value => add(&name, value),
        }
    }
    out
}

/// Text in a form: Python's `quote_plus`.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(b.into()),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// The parts, by their names' order, and the type that says what separates them. The error says what is wrong.
fn multipart(parts: &Map, machine: &Machine) -> Result<(Vec<u8>, String), String> {
    let boundary = format!("==============={}==", crate::secret::random_name());
    let mut sorted: Vec<_> = parts.iter().map(|(k, v)| (k.to_string(), v)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = Vec::new();
    for (name, part) in sorted {
        out.extend(format!("--{boundary}\r\n").bytes());
        let disposition = format!("Content-Disposition: form-data; name=\"{name}\"");
        match part {
            Value::Str(text) => {
                out.extend(format!("Content-Type: text/plain\r\n{disposition}\r\n\r\n").bytes());
                out.extend(text.bytes());
            }
            Value::Map(part) => file(part, &disposition, machine, &mut out)?,
            other => {
                return Err(format!(
                    "value must be a string, or mapping, cannot be type {}",
                    other.type_name()
                ));
            }
        }
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").bytes());
    Ok((out, format!("multipart/form-data; boundary=\"{boundary}\"")))
}

fn file(part: &Map, disposition: &str, machine: &Machine, out: &mut Vec<u8>) -> Result<(), String> {
    let given = |name: &str| part.get(name).filter(|v| v.is_truthy()).map(text);
    let (filename, content) = (given("filename"), given("content"));
    let name = filename.as_deref().map(|f| {
        let name = Path::new(f).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    });
    let mime = given("mime_type")
        .or_else(|| mime_type(name.as_deref()?, machine))
        .unwrap_or_else(|| "application/octet-stream".to_string());
    let mut disposition = disposition.to_string();
    if let Some(name) = &name {
        disposition.push_str(&format!("; filename=\"{name}\""));
    }
    if let Some(content) = content {
        out.extend(format!("Content-Type: {mime}\r\n{disposition}\r\n\r\n").bytes());
        out.extend(content.bytes());
        return Ok(());
    }
    let filename = filename.ok_or("at least one of filename or content must be provided")?;
    let coder = base64::engine::general_purpose::STANDARD;
    let bytes = match given("_content") {
        Some(coded) => coder.decode(coded).map_err(|e| e.to_string())?,
        None => machine.read(Path::new(&filename)).map_err(|e| {
            let why = crate::machine::errno_text(&e);
            format!("{why}: {}", python::quote(&filename))
        })?,
    };
    let (encoding, body) = match given("multipart_encoding").as_deref() {
        None | Some("base64") => {
            let mut body = String::new();
            let coded = coder.encode(bytes);
            for line in coded.as_bytes().chunks(76) {
                body.push_str(&String::from_utf8_lossy(line));
                body.push_str("\r\n");
            }
            ("base64", body.into_bytes())
        }
        Some("7or8bit") => {
            let encoding = if bytes.is_ascii() { "7bit" } else { "8bit" };
            let mut body = Vec::with_capacity(bytes.len());
            for (i, byte) in bytes.iter().enumerate() {
                if *byte == b'\n' && (i == 0 || bytes[i - 1] != b'\r') {
                    body.push(b'\r');
                }
                body.push(*byte);
            }
            (encoding, body)
        }
        Some(other) => {
            return Err(format!(
                "multipart_encoding must be one of ['base64', '7or8bit'], not {other}"
            ));
        }
    };
    let head = format!(
        "Content-Transfer-Encoding: {encoding}\r\nContent-Type: {mime}\r\n{disposition}\r\n\r\n"
    );
    out.extend(head.bytes());
    out.extend(body);
    Ok(())
}

/// The type that a file's name says: the target's own list, then the usual ones.
fn mime_type(name: &str, machine: &Machine) -> Option<String> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let list = machine
        .read(Path::new("/etc/mime.types"))
        .unwrap_or_default();
    for line in String::from_utf8_lossy(&list).lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        if let Some(mime) = words.next()
            && words.any(|e| e == extension)
        {
            return Some(mime.to_string());
        }
    }
    let known = USUAL
        .iter()
        .find(|(_, all)| all.split(' ').any(|e| e == extension));
    known.map(|(mime, _)| mime.to_string())
}

/// Types, each with the ends of names that have it.
const USUAL: &[(&str, &str)] = &[
    ("application/gzip", "gz"),
    ("application/java-archive", "jar"),
    ("application/javascript", "js mjs"),
    ("application/json", "json"),
    ("application/msword", "doc dot wiz"),
    ("application/octet-stream", "bin a dll exe o obj so"),
    ("application/pdf", "pdf"),
    ("application/postscript", "ps ai eps"),
    ("application/x-sh", "sh"),
    ("application/x-tar", "tar"),
    ("application/xml", "xsl rdf wsdl xpdl"),
    ("application/zip", "zip"),
    ("audio/mpeg", "mp3 mp2"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg jpeg jpe"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("text/css", "css"),
    ("text/csv", "csv"),
    ("text/html", "html htm"),
    ("text/plain", "txt bat c h ksh pl"),
    ("text/x-python", "py"),
    ("text/xml", "xml"),
    ("video/mp4", "mp4"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_written_as_python_does() {
        let value: Value =
            serde_json::from_str(r#"{"x": [1, "y"], "z": true, "a b": "é &"}"#).unwrap();
        let map = value.as_map().unwrap();
        let text = pairs(map.iter().map(|(k, v)| (k.to_string(), v.clone())));
        assert_eq!(text, "x=1&x=y&z=True&a+b=%C3%A9+%26");
    }
}
