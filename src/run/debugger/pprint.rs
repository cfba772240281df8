//! Values over several lines, as Python's `pprint` breaks them: 80 columns, keys sorted.
//!
//! See <https://docs.python.org/3/library/pprint.html>.

use crate::python::repr;
use crate::value::{Key, Map, Value};

const WIDTH: usize = 80;

/// The value's text, without a line end.
pub fn pprint(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, &sorted(value, true), 0, 0, 1);
    out
}

/// A copy whose dictionaries are sorted by their keys' text. A view of variables is opened only if it is the
/// whole: those inside of it come back to it.
fn sorted(value: &Value, whole: bool) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().map(|v| sorted(v, false)).collect()),
        Value::Map(map) => {
            let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
            entries.sort_by_cached_key(|(k, _)| repr(&k.to_value()));
            let entries = entries
                .into_iter()
                .map(|(k, v)| (k.clone(), sorted(v, false)));
            Value::map(entries.collect::<Map>())
        }
        Value::Dynamic(view) if !whole => Value::str(format!("<{view:?}>")),
        Value::Dynamic(view) => {
            let mut keys = view.keys();
            keys.sort();
            let mut map = Map::default();
            for key in keys {
                // what cannot be rendered is not to hide the rest
                let value = match view.get(&key) {
                    Ok(Some(value)) => sorted(&value, false),
                    Ok(None) => continue,
                    Err(e) => Value::str(format!("<< {} >>", e.message())),
                };
                map.insert(Key::Str(key), value);
            }
            Value::map(map)
        }
        other => other.clone(),
    }
}

fn write(out: &mut String, value: &Value, indent: usize, allowance: usize, level: usize) {
    let text = repr(value);
    if text.chars().count() <= WIDTH.saturating_sub(indent + allowance) {
        out.push_str(&text);
        return;
    }
    match value {
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            let last = map.len() - 1;
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    next_line(out, indent + 1);
                }
                let key = repr(&key.to_value());
                let column = indent + 1 + key.chars().count() + 2;
                out.push_str(&key);
                out.push_str(": ");
                let allowance = if i == last { allowance + 1 } else { 1 };
                write(out, value, column, allowance, level + 1);
            }
            out.push('}');
        }
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            let last = items.len() - 1;
            for (i, value) in items.iter().enumerate() {
                if i > 0 {
                    next_line(out, indent + 1);
                }
                let allowance = if i == last { allowance + 1 } else { 1 };
                write(out, value, indent + 1, allowance, level + 1);
            }
            out.push(']');
        }
        Value::Str(words) => long_text(out, words, indent, allowance, level),
        _ => out.push_str(&text),
    }
}

fn next_line(out: &mut String, indent: usize) {
    out.push_str(",\n");
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A text that is too long for its line: in pieces, each a literal of its own.
fn long_text(out: &mut String, text: &str, indent: usize, allowance: usize, level: usize) {
    // the outermost one is in parentheses
    let (indent, allowance) = match level {
        1 => (indent + 1, allowance + 1),
        _ => (indent, allowance),
    };
    let width = |s: &str| repr(&Value::str(s)).chars().count();
    let most = WIDTH.saturating_sub(indent);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut pieces: Vec<String> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let is_last = i + 1 == lines.len();
        let least = most.saturating_sub(allowance);
        if width(line) <= if is_last { least } else { most } {
            pieces.push((*line).to_string());
            continue;
        }
        let words = words(line);
        let mut current = String::new();
        for (j, word) in words.iter().enumerate() {
            let longer = format!("{current}{word}");
            let room = if is_last && j + 1 == words.len() {
                least
            } else {
                most
            };
            if width(&longer) <= room {
                current = longer;
                continue;
            }
            if !current.is_empty() {
                pieces.push(current);
            }
            current = (*word).to_string();
        }
        if !current.is_empty() {
            pieces.push(current);
        }
    }
    let pieces: Vec<String> = pieces.iter().map(|p| repr(&Value::str(p))).collect();
    if let [one] = pieces.as_slice() {
        out.push_str(one);
        return;
    }
    let gap = format!("\n{}", " ".repeat(indent));
    match level {
        1 => out.push_str(&format!("({})", pieces.join(&gap))),
        _ => out.push_str(&pieces.join(&gap)),
    }
}

/// Words, each with the space after it.
fn words(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut in_space = false;
    for (at, c) in line.char_indices() {
        if in_space && !c.is_whitespace() {
            out.push(&line[start..at]);
            start = at;
        }
        in_space = c.is_whitespace();
    }
    out.push(&line[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> String {
        pprint(&Value::from_json(json))
    }

    #[test]
    fn breaks_lines_as_python_does() {
        use serde_json::json;
        assert_eq!(
            of(json!({"b": 1, "a": [true, null]})),
            "{'a': [True, None], 'b': 1}"
        );
        let long = "d".repeat(35);
        assert_eq!(
            of(json!({"aaaaaaaaaaaaaaaaaaaaaa": "b".repeat(32), "c": long, "e": [1, true]})),
            format!(
                "{{'aaaaaaaaaaaaaaaaaaaaaa': '{}',\n 'c': '{long}',\n 'e': [1, True]}}",
                "b".repeat(32)
            )
        );
        let words = "word ".repeat(20);
        assert_eq!(
            of(json!(words)),
            format!("('{}'\n '{}')", "word ".repeat(15), "word ".repeat(5))
        );
        assert_eq!(
            of(json!({"key": "word ".repeat(17)})),
            format!(
                "{{'key': '{}'\n        '{}'}}",
                "word ".repeat(14),
                "word ".repeat(3)
            )
        );
    }
}
