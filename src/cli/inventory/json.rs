//! JSON as Python's json module writes it with sorted keys and an indentation of 4.

use crate::json::{self, quote};
use crate::value::{Value, is_template};

/// The text of `value`, without a line break at its end.
///
/// Encrypted text is marked as Ansible's inventories mark it, and with `mark_inert` so is text that
/// must not be templated.
pub(super) fn pretty(value: &Value, mark_inert: bool) -> String {
    let mut out = String::new();
    write(value, mark_inert, 0, &mut out);
    out
}

fn write(value: &Value, mark_inert: bool, depth: usize, out: &mut String) {
    match value {
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                break_line(i > 0, depth + 1, out);
                write(item, mark_inert, depth + 1, out);
            }
            break_line(false, depth, out);
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            let mut entries: Vec<(String, &Value)> =
                map.iter().map(|(k, v)| (k.to_string(), v)).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                break_line(i > 0, depth + 1, out);
                quote(out, &key, false);
                out.push_str(": ");
                write(value, mark_inert, depth + 1, out);
            }
            break_line(false, depth, out);
            out.push('}');
        }
        Value::Str(text) if mark_inert && is_template(text) => {
            marked("__ansible_unsafe", text, depth, out)
        }
        Value::Vault(vault) => marked("__ansible_vault", &vault.text, depth, out),
        Value::Str(text) => quote(out, text, false),
        Value::Template(template) => quote(out, &template.text, false),
        Value::Float(f) => out.push_str(&json::float(*f)),
        other => out.push_str(&other.to_json().to_string()),
    }
}

fn marked(mark: &str, text: &str, depth: usize, out: &mut String) {
    out.push('{');
    break_line(false, depth + 1, out);
    quote(out, mark, false);
    out.push_str(": ");
    quote(out, text, false);
    break_line(false, depth, out);
    out.push('}');
}

fn break_line(comma: bool, depth: usize, out: &mut String) {
    if comma {
        out.push(',');
    }
    out.push('\n');
    out.push_str(&" ".repeat(depth * 4));
}
