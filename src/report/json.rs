//! JSON as Python's json module writes it: the form in which Ansible shows results.

use crate::json::{self, quote};
use crate::python;
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
        Value::Float(f) => out.push_str(&json::float(*f)),
        Value::Str(text) => quote(out, text, false),
        Value::Template(template) => quote(out, &template.text, false),
        Value::Vault(vault) => quote(out, &vault.text, false),
        Value::List(items) => {
            write_container(out, ('[', ']'), items.iter(), indent, depth, |out, item| {
                write_value(out, item, indent, depth + 1);
            });
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            python::sort_keys(&mut entries);
            write_container(
                out,
                ('{', '}'),
                entries.into_iter(),
                indent,
                depth,
                |out, (key, value)| {
                    quote(out, &json::key(key), false);
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

#[cfg(test)]
mod tests {
    use super::*;

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
