//! Results as YAML: `callback_result_format = yaml`.

use crate::value::{Key, Map, Value};
use crate::yaml::{EmitOptions, emit};

/// A result as lines of YAML, indented by four, without a line break at the end.
///
/// `pretty` gives up exactness for the reader: texts of several lines lose what would force them into quotes, and
/// what is there as text already is not listed by line once more.
pub fn dump(mut map: Map, pretty: bool) -> String {
    if pretty {
        for stream in ["stdout", "stderr"] {
            let lines = format!("{stream}_lines");
            if map.contains_key(stream) && map.contains_key(lines.as_str()) {
                map.insert(Key::from(lines), Value::str("<omitted>"));
            }
        }
        map = map.into_iter().map(|(k, v)| (k, readable(v))).collect();
    }
    let options = EmitOptions {
        indent: if pretty { 4 } else { 2 },
        block_text: true,
        ..EmitOptions::nice()
    };
    let text = emit(&Value::map(map), &options).unwrap_or_else(|e| e.message().to_string());
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| {
            if line.trim().is_empty() {
                line.to_string()
            } else {
                format!("    {line}")
            }
        })
        .collect();
    lines.join("\n")
}

/// Texts of several lines in a form that YAML can show as a block.
fn readable(value: Value) -> Value {
    match value {
        Value::Str(text) if text.contains('\n') || text.contains('\r') => Value::str(block(&text)),
        Value::List(items) => Value::list(items.iter().cloned().map(readable).collect()),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(k, v)| (k.clone(), readable(v.clone())))
                .collect(),
        ),
        other => other,
    }
}

/// Tabs become blanks up to the next multiple of eight; control characters and blanks at the ends of lines go.
fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.trim_end().split('\n') {
        let mut column = 0;
        let start = out.len();
        for c in line.chars() {
            if c == '\t' {
                let width = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', width));
                column += width;
            } else if !c.is_control() {
                out.push(c);
                column += 1;
            }
        }
        out.truncate(start + out[start..].trim_end_matches(' ').len());
        out.push('\n');
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_omitted_lines() {
        let map: Map = [
            ("stdout", Value::str("a\nb  \n\tc\r\n\n")),
            ("stdout_lines", Value::list(vec![Value::str("a")])),
            (
                "list",
                Value::list(vec![Value::map(
                    [(Key::from("b"), Value::Int(1))].into_iter().collect(),
                )]),
            ),
            ("none", Value::Null),
        ]
        .into_iter()
        .map(|(k, v)| (Key::from(k), v))
        .collect();
        assert_eq!(
            dump(map.clone(), true),
            "    list:\n    -   b: 1\n    none: null\n    stdout: |-\n        a\n        b\n                c\n    stdout_lines: <omitted>"
        );
        assert_eq!(
            dump(map, false),
            "    list:\n    - b: 1\n    none: null\n    stdout: \"a\\nb  \\n\\tc\\r\\n\\n\"\n    stdout_lines:\n    - a"
        );
    }

    #[test]
    fn long_lines_are_folded_where_ansible_folds_them() {
        let text = "a very long text that goes on and on and on and on and on, so long that a dumper might wrap it at eighty columns or more";
        let inner: Map = [(Key::from("k"), Value::str(text))].into_iter().collect();
        let map: Map = [(Key::from("msg"), Value::map(inner))]
            .into_iter()
            .collect();
        assert_eq!(
            dump(map, true),
            "    msg:\n        k: a very long text that goes on and on and on and on and on, so long that a dumper\n            might wrap it at eighty columns or more"
        );
    }
}
