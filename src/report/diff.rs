//! `--diff`: the `diff` entries of a result as unified diffs.
//!
//! Lines are matched as Python's difflib matches them (the longest common run first), not by the
//! shortest edit: only so are the hunks those that users of ansible-playbook know.

use super::colour::{Colour, Palette};
use super::{json, yaml};
use crate::value::Value;
use std::collections::HashMap;

/// The text of a result's `diff`, one difference or a list of them; empty if nothing differs.
///
/// Dictionaries are compared as JSON, or as YAML.
pub fn render(
    differences: &Value,
    context: usize,
    as_yaml: bool,
    palette: Option<&Palette>,
) -> String {
    let one = std::slice::from_ref(differences);
    let items = differences.as_list().unwrap_or(one);
    items
        .iter()
        .map(|d| render_one(d, context, as_yaml, palette))
        .collect()
}

fn render_one(
    difference: &Value,
    context: usize,
    as_yaml: bool,
    palette: Option<&Palette>,
) -> String {
    let mut out = String::new();
    let flag = |key: &str| difference.get(key).is_some_and(Value::is_truthy);
    if flag("dst_binary") {
        out.push_str("diff skipped: destination file appears to be binary\n");
    }
    if flag("src_binary") {
        out.push_str("diff skipped: source file appears to be binary\n");
    }
    for (key, file) in [("dst_larger", "destination"), ("src_larger", "source")] {
        if let Some(limit) = difference.get(key).and_then(Value::as_i64) {
            out.push_str(&format!(
                "diff skipped: {file} file size is greater than {limit}\n"
            ));
        }
    }
    if let (Some(before), Some(after)) = (difference.get("before"), difference.get("after")) {
        let header = |side: &str| match difference.get(&format!("{side}_header")) {
            Some(Value::Str(text)) if !text.is_empty() => format!("{side}: {text}"),
            _ => side.to_string(),
        };
        let unified = unified(
            &lines(&side_text(before, as_yaml)),
            &lines(&side_text(after, as_yaml)),
            &header("before"),
            &header("after"),
            context,
        );
        for line in &unified {
            // a carriage return would hide what is before it
            out.push_str(&paint(&line.replace("\r\n", "\n"), palette));
        }
        if !unified.is_empty() {
            out.push('\n');
        }
    }
    if let Some(text) = difference.get("prepared").and_then(Value::as_str) {
        out.push_str(text);
    }
    out
}

fn paint(line: &str, palette: Option<&Palette>) -> String {
    let Some(palette) = palette else {
        return line.to_string();
    };
    let colour: &Colour = match line.as_bytes().first() {
        Some(b'+') => &palette.diff_add,
        Some(b'-') => &palette.diff_remove,
        Some(b'@') if line.starts_with("@@") => &palette.diff_lines,
        _ => return line.to_string(),
    };
    colour.paint(line)
}

fn side_text(side: &Value, as_yaml: bool) -> String {
    match side {
        Value::Null => String::new(),
        Value::Map(map) if as_yaml => yaml::dump((**map).clone(), true) + "\n\n",
        Value::Map(_) | Value::Dynamic(_) => json::dumps(side, Some(4)) + "\n",
        other => other
            .as_str()
            .map_or_else(|| json::dumps(other, Some(4)), str::to_string),
    }
}

/// Lines with their breaks; the missing break of a last line is made visible.
fn lines(text: &str) -> Vec<String> {
    // every break that Python knows ends a line
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line.push(c);
        let breaks = matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if breaks && !(c == '\r' && chars.peek() == Some(&'\n')) {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if let Some(last) = lines.last_mut()
        && !last.ends_with('\n')
    {
        last.push_str("\n\\ No newline at end of file\n");
    }
    lines
}

/// A unified diff; empty if the sides are equal.
fn unified(a: &[String], b: &[String], from: &str, to: &str, context: usize) -> Vec<String> {
    let mut out = Vec::new();
    for group in groups(opcodes(a, b), context) {
        if out.is_empty() {
            out.push(format!("--- {from}\n"));
            out.push(format!("+++ {to}\n"));
        }
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        out.push(format!(
            "@@ -{} +{} @@\n",
            range(first.a.0, last.a.1),
            range(first.b.0, last.b.1)
        ));
        for op in &group {
            if op.equal {
                out.extend(a[op.a.0..op.a.1].iter().map(|l| format!(" {l}")));
            } else {
                out.extend(a[op.a.0..op.a.1].iter().map(|l| format!("-{l}")));
                out.extend(b[op.b.0..op.b.1].iter().map(|l| format!("+{l}")));
            }
        }
    }
    out
}

/// A hunk's range: first line and count, the count left out where it is 1.
fn range(start: usize, stop: usize) -> String {
    match stop - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        n => format!("{},{n}", start + 1),
    }
}

/// A stretch of both sides that is equal or not.
#[derive(Clone, Copy, Debug)]
struct Op {
    equal: bool,
    a: (usize, usize),
    b: (usize, usize),
}

fn opcodes(a: &[String], b: &[String]) -> Vec<Op> {
    let mut ops = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (ai, bj, size) in matching_blocks(a, b) {
        if i < ai || j < bj {
            ops.push(Op {
                equal: false,
                a: (i, ai),
                b: (j, bj),
            });
        }
        if size > 0 {
            ops.push(Op {
                equal: true,
                a: (ai, ai + size),
                b: (bj, bj + size),
            });
        }
        (i, j) = (ai + size, bj + size);
    }
    ops
}

/// Changes with their context, cut where more than twice the context is equal.
fn groups(mut ops: Vec<Op>, context: usize) -> Vec<Vec<Op>> {
    if ops.iter().all(|op| op.equal) {
        return Vec::new();
    }
    if let Some(first) = ops.first_mut().filter(|op| op.equal) {
        first.a.0 = first.a.0.max(first.a.1.saturating_sub(context));
        first.b.0 = first.b.0.max(first.b.1.saturating_sub(context));
    }
    if let Some(last) = ops.last_mut().filter(|op| op.equal) {
        last.a.1 = last.a.1.min(last.a.0 + context);
        last.b.1 = last.b.1.min(last.b.0 + context);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Op> = Vec::new();
    for mut op in ops {
        if op.equal && op.a.1 - op.a.0 > 2 * context {
            group.push(Op {
                equal: true,
                a: (op.a.0, op.a.1.min(op.a.0 + context)),
                b: (op.b.0, op.b.1.min(op.b.0 + context)),
            });
            groups.push(std::mem::take(&mut group));
            op.a.0 = op.a.0.max(op.a.1.saturating_sub(context));
            op.b.0 = op.b.0.max(op.b.1.saturating_sub(context));
        }
        group.push(op);
    }
    if group.iter().any(|op| !op.equal) {
        groups.push(group);
    }
    groups
}

/// Equal runs in order, joined where they touch, with an empty one at the end.
fn matching_blocks(a: &[String], b: &[String]) -> Vec<(usize, usize, usize)> {
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
    for (j, line) in b.iter().enumerate() {
        positions.entry(line).or_default().push(j);
    }
    // lines that fill a long text say little of where it matches
    if b.len() >= 200 {
        positions.retain(|_, at| at.len() <= b.len() / 100 + 1);
    }
    let mut blocks = Vec::new();
    let mut todo = vec![(0, a.len(), 0, b.len())];
    while let Some((alo, ahi, blo, bhi)) = todo.pop() {
        let (i, j, size) = longest_match(a, b, &positions, (alo, ahi), (blo, bhi));
        if size == 0 {
            continue;
        }
        blocks.push((i, j, size));
        if alo < i && blo < j {
            todo.push((alo, i, blo, j));
        }
        if i + size < ahi && j + size < bhi {
            todo.push((i + size, ahi, j + size, bhi));
        }
    }
    blocks.sort_unstable();
    let mut joined: Vec<(usize, usize, usize)> = Vec::new();
    for (i, j, size) in blocks {
        match joined.last_mut() {
            Some((pi, pj, psize)) if *pi + *psize == i && *pj + *psize == j => *psize += size,
            _ => joined.push((i, j, size)),
        }
    }
    joined.push((a.len(), b.len(), 0));
    joined
}

/// The longest run that both ranges share; of equally long ones the first in `a`, then in `b`.
fn longest_match(
    a: &[String],
    b: &[String],
    positions: &HashMap<&str, Vec<usize>>,
    (alo, ahi): (usize, usize),
    (blo, bhi): (usize, usize),
) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best) = (alo, blo, 0);
    // length of the run that ends at the previous line of `a` and at this one of `b`
    let mut runs: HashMap<usize, usize> = HashMap::new();
    for (i, line) in a.iter().enumerate().take(ahi).skip(alo) {
        let mut next = HashMap::new();
        for &j in positions.get(line.as_str()).into_iter().flatten() {
            if j < blo {
                continue;
            }
            if j >= bhi {
                break;
            }
            let run = j.checked_sub(1).and_then(|p| runs.get(&p)).unwrap_or(&0) + 1;
            next.insert(j, run);
            if run > best {
                (best_i, best_j, best) = (i + 1 - run, j + 1 - run, run);
            }
        }
        runs = next;
    }
    // lines left out of `positions` may still lengthen the run
    while best_i > alo && best_j > blo && a[best_i - 1] == b[best_j - 1] {
        (best_i, best_j, best) = (best_i - 1, best_j - 1, best + 1);
    }
    while best_i + best < ahi && best_j + best < bhi && a[best_i + best] == b[best_j + best] {
        best += 1;
    }
    (best_i, best_j, best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Key, Map};

    fn difference(entries: &[(&str, Value)]) -> Value {
        let map: Map = entries
            .iter()
            .map(|(k, v)| (Key::from(*k), v.clone()))
            .collect();
        Value::map(map)
    }

    #[test]
    fn texts_dictionaries_and_notes() {
        let text = difference(&[
            ("before", Value::str("a\nb\n")),
            ("after", Value::str("a\nc")),
            ("before_header", Value::str("/f")),
            ("after_header", Value::str("/f")),
        ]);
        assert_eq!(
            render(&text, 3, false, None),
            "--- before: /f\n+++ after: /f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n\n"
        );
        let state = |s: &str| difference(&[("state", Value::str(s))]);
        let dict = difference(&[("before", state("absent")), ("after", state("file"))]);
        assert_eq!(
            render(&dict, 3, false, None),
            "--- before\n+++ after\n@@ -1,3 +1,3 @@\n {\n-    \"state\": \"absent\"\n+    \"state\": \"file\"\n }\n\n"
        );
        let same = difference(&[("before", Value::str("a")), ("after", Value::str("a"))]);
        assert_eq!(render(&same, 3, false, None), "");
        let list = Value::list(vec![
            difference(&[("src_larger", Value::Int(9))]),
            difference(&[("prepared", Value::str("p\n"))]),
        ]);
        assert_eq!(
            render(&list, 3, false, None),
            "diff skipped: source file size is greater than 9\np\n"
        );
    }

    #[test]
    fn far_changes_are_hunks_of_their_own() {
        let a: Vec<String> = (1..=20).map(|n| format!("{n}\n")).collect();
        let mut b = a.clone();
        b.remove(0);
        b.push("21\n".into());
        assert_eq!(
            unified(&a, &b, "x", "y", 1).concat(),
            "--- x\n+++ y\n@@ -1,2 +1 @@\n-1\n 2\n@@ -20 +19,2 @@\n 20\n+21\n"
        );
    }
}
