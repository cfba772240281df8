//! Why a task failed, in the form in which ansible-core 2.19 says it: words, origin, source lines.

use super::Cause;
use crate::source::Location;
use std::fmt::Write;

/// The `[ERROR]: ...` block of a failed task, without its colour; ends with an empty line.
pub fn render(causes: &[Cause]) -> String {
    let whole = causes
        .iter()
        .map(|c| c.message.as_str())
        .collect::<Vec<_>>()
        .join(": ");
    let mut out = format!("[ERROR]: {whole}");
    if let [only] = causes {
        if let Some(at) = &only.at {
            let _ = write!(out, "\n{}", origin(at));
        }
        out.push('\n');
        return out;
    }
    for (index, cause) in causes.iter().enumerate() {
        out.push_str("\n\n");
        if index > 0 {
            out.push_str("<<< caused by >>>\n\n");
        }
        out.push_str(&cause.message);
        if index + 1 < causes.len() {
            out.push('.');
        }
        if let Some(at) = &cause.at {
            let _ = write!(out, "\n{}", origin(at).trim_end_matches('\n'));
        }
    }
    out.push_str("\n\n");
    out
}

/// `Origin: file:line:column` and the lines around it, with an arrow under the column.
pub fn origin(at: &Location) -> String {
    let mut out = format!(
        "Origin: {}:{}:{}\n",
        absolute(&at.source.name),
        at.line,
        at.column
    );
    if at.source.text.is_empty() {
        return out;
    }
    out.push('\n');
    let width = at.line.to_string().len();
    let first = at.line.saturating_sub(2).max(1);
    let lines = at.source.text.lines().enumerate();
    for (index, text) in lines
        .skip(first as usize - 1)
        .take((at.line - first + 1) as usize)
    {
        let _ = writeln!(out, "{:>width$} {}", index + 1, text.trim_end());
    }
    let pad = width + at.column as usize;
    let _ = writeln!(out, "{:pad$}^ column {}", "", at.column);
    out
}

/// The name of a source as Ansible shows it: a file by its full path.
pub fn absolute(name: &str) -> String {
    if name.starts_with('<') {
        return name.to_string();
    }
    std::path::absolute(name).map_or_else(|_| name.to_string(), |p| p.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_chain_names_each_place() {
        let source = Source::new(
            "/p.yml",
            "- hosts: all\n  tasks:\n    - debug: msg={{ x }}\n",
        );
        let one = Cause {
            message: "Task failed".into(),
            at: Some(Location::new(&source, 3, 7)),
        };
        let two = Cause {
            message: "'x' is undefined".into(),
            at: Some(Location::new(&source, 3, 14)),
        };
        assert_eq!(
            render(std::slice::from_ref(&one)),
            "[ERROR]: Task failed\nOrigin: /p.yml:3:7\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n        ^ column 7\n\n"
        );
        assert_eq!(
            render(&[one, two]),
            "[ERROR]: Task failed: 'x' is undefined\n\nTask failed.\nOrigin: /p.yml:3:7\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n        ^ column 7\n\n<<< caused by >>>\n\n'x' is undefined\nOrigin: /p.yml:3:14\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n               ^ column 14\n\n"
        );
    }
}
