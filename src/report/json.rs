//! JSON as Python's json module writes it: the form in which Ansible shows results.

use crate::value::{Key, Map, Value};
use std::fmt::Write;

/// The value as `json.dumps(value, sort_keys=True, ensure_ascii=False, indent=indent)` gives it.
///
/// Without an indent all is on one line, `{"a": 1, "b": [2]}`.
pub fn dumps(value: &Value, indent: Option<usize>) -> String {
    let mut out = String::new();
    write_value(&mut out, value, indent, 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: Option<usize>, depth: usize) {
    match value {
        Value::Null | Value::Omit | Value::Undefined(_) => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(text) => write_text(out, text),
        Value::Template(template) => write_text(out, &template.text),
        Value::Vault(vault) => write_text(out, &vault.text),
        Value::List(items) => {
            write_container(out, ('[', ']'), items.iter(), indent, depth, |out, item| {
                write_value(out, item, indent, depth + 1);
            });
        }
        Value::Map(map) => {
            write_container(
                out,
                ('{', '}'),
                sorted(map).into_iter(),
                indent,
                depth,
                |out, (key, value)| {
                    write_text(out, &key_text(key));
                    out.push_str(": ");
                    write_value(out, value, indent, depth + 1);
                },
            );
        }
        Value::Dynamic(dynamic) => {
            let map: Map = dynamic
                .keys()
                .into_iter()
                .filter_map(|k| Some((Key::Str(k.clone()), dynamic.get(&k).ok()??)))
                .collect();
            write_value(out, &Value::map(map), indent, depth);
        }
    }
}

fn write_container<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = T>,
    indent: Option<usize>,
    depth: usize,
    mut write_item: impl FnMut(&mut String, T),
) {
    out.push(open);
    let empty = items.len() == 0;
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        line_break(out, indent, depth + 1);
        write_item(out, item);
    }
    if !empty {
        line_break(out, indent, depth);
    }
    out.push(close);
}

fn line_break(out: &mut String, indent: Option<usize>, depth: usize) {
    if let Some(width) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

/// Entries sorted by key; left in order where Python could not compare the keys.
fn sorted(map: &Map) -> Vec<(&Key, &Value)> {
    let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
    let number = |key: &Key| match key {
        Key::Other(v) => match &**v {
            Value::Int(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => None,
        },
        Key::Str(_) => None,
    };
    if entries.iter().all(|(k, _)| k.as_str().is_some()) {
        entries.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
    } else if entries.iter().all(|(k, _)| number(k).is_some()) {
        entries.sort_by(|(a, _), (b, _)| {
            number(a)
                .partial_cmp(&number(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    entries
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Other(v) => match &**v {
            Value::Float(f) => float(*f),
            _ => key.to_string(),
        },
        Key::Str(text) => text.to_string(),
    }
}

/// A float as Python's `repr` writes it: `1.0`, `1e-05`, `1e+16`.
pub fn float(f: f64) -> String {
    if f.is_nan() {
        return "NaN".to_string();
    }
    if f.is_infinite() {
        return if f > 0.0 { "Infinity" } else { "-Infinity" }.to_string();
    }
    // the shortest digits that read back as the same number, as `d.ddde[-]x`
    let text = format!("{f:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if f != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{f}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_pythons() {
        for (f, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123456.789, "123456.789"),
        ] {
            assert_eq!(float(f), text);
        }
    }

    #[test]
    fn layout_is_pythons() {
        let mut inner = Map::default();
        inner.insert(
            Key::from("z"),
            Value::list(vec![Value::Int(1), Value::str("ü\t\u{7}\"")]),
        );
        inner.insert(Key::from("a"), Value::map(Map::default()));
        inner.insert(Key::from("l"), Value::list(vec![]));
        let value = Value::map(inner);
        assert_eq!(
            dumps(&value, None),
            r#"{"a": {}, "l": [], "z": [1, "ü\t\u0007\""]}"#
        );
        assert_eq!(
            dumps(&value, Some(4)),
            "{\n    \"a\": {},\n    \"l\": [],\n    \"z\": [\n        1,\n        \"ü\\t\\u0007\\\"\"\n    ]\n}"
        );
        let numbers: Map = [(10, 1), (9, 2)]
            .into_iter()
            .map(|(k, v)| (Key::from_value(Value::Int(k)), Value::Int(v)))
            .collect();
        assert_eq!(dumps(&Value::map(numbers), None), r#"{"9": 2, "10": 1}"#);
    }
}
