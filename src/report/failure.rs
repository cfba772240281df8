//! Why a task failed, in the form in which ansible-core 2.19 says it: words, origin, source lines.

use super::Cause;
use crate::source::Location;
use std::fmt::Write;

/// The `[ERROR]: ...` block of a failed task, without its colour. `task` is the task's own place.
///
/// Where source lines are shown, it ends with an empty line; the last line break is left to the printer.
pub fn render(causes: &[Cause], task: Option<&Location>) -> String {
    let causes = steps(causes, task);
    let whole: Vec<&str> = causes.iter().map(|c| c.message.as_str()).collect();
    let mut out = format!("[ERROR]: {}", whole.join(": "));
    if let [only] = &causes[..] {
        if let Some(at) = &only.at {
            let _ = write!(out, "\n{}", origin(at));
        }
        if let Some(help) = &only.help {
            let _ = write!(out, "\n{help}\n");
        }
        return out;
    }
    for (index, cause) in causes.iter().enumerate() {
        out.push_str("\n\n");
        if index > 0 {
            out.push_str("<<< caused by >>>\n\n");
        }
        out.push_str(&cause.message);
        let last = index + 1 == causes.len();
        if !last {
            out.push('.');
        }
        if let (None, Some(help), true) = (&cause.at, &cause.help, last) {
            let _ = write!(out, " {help}");
        }
        if let Some(at) = &cause.at {
            let _ = write!(out, "\n{}", origin(at).trim_end_matches('\n'));
        }
    }
    out.push('\n');
    out
}

/// The causes, under the task's own words; those at one place, or at none of their own, are one step.
fn steps(causes: &[Cause], task: Option<&Location>) -> Vec<Cause> {
    let same = |a: &Location, b: &Location| {
        let (a, b) = (a.origin(), b.origin());
        (&a.source.name, a.line, a.column) == (&b.source.name, b.line, b.column)
            && a.loose_text() == b.loose_text()
    };
    let mut steps: Vec<Cause> = Vec::new();
    if causes
        .first()
        .is_some_and(|c| c.help.is_none() && !c.message.starts_with("Task failed"))
    {
        steps.push(Cause {
            message: "Task failed".to_string(),
            at: task.cloned(),
            help: None,
            apart: false,
        });
    }
    for cause in causes {
        match (steps.last_mut(), &cause.at) {
            _ if cause.apart => steps.push(cause.clone()),
            (Some(last), None) => last.message.push_str(&format!(": {}", cause.message)),
            (Some(last), Some(at)) if last.at.as_ref().is_some_and(|l| same(l, at)) => {
                last.message.push_str(&format!(": {}", cause.message));
            }
            _ => steps.push(cause.clone()),
        }
    }
    // words that know no place are about the task
    if let Some(first) = steps.first_mut()
        && first.at.is_none()
        && first.help.is_none()
    {
        first.at = task.cloned();
    }
    steps
}

/// Characters of a source line, with its number, from which on it is cut.
const LONGEST: usize = 120;

/// `Origin: file:line:column` and the lines around it, with an arrow under the column.
pub fn origin(at: &Location) -> String {
    let at = &at.origin();
    if at.line == 0 {
        let name = absolute(&at.source.name);
        return match at.loose_text() {
            Some(text) => format!("Origin: {name}\n\n{text}\n"),
            None => format!("Origin: {name}\n"),
        };
    }
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
        let number = format!("{:>width$}", index + 1);
        let line = match text {
            "" => number,
            text => format!("{number} {text}"),
        };
        match line.char_indices().nth(LONGEST) {
            None => out.push_str(&line),
            Some(_) => {
                out.extend(line.chars().take(LONGEST - 3));
                out.push_str("...");
            }
        }
        out.push('\n');
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
    crate::source::start_dir().join(name).display().to_string()
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
            help: None,
            apart: false,
        };
        let two = Cause {
            message: "'x' is undefined".into(),
            at: Some(Location::new(&source, 3, 14)),
            help: None,
            apart: false,
        };
        assert_eq!(
            render(std::slice::from_ref(&one), None),
            "[ERROR]: Task failed\nOrigin: /p.yml:3:7\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n        ^ column 7\n"
        );
        assert_eq!(
            render(std::slice::from_ref(&two), one.at.as_ref()),
            "[ERROR]: Task failed: 'x' is undefined\n\nTask failed.\nOrigin: /p.yml:3:7\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n        ^ column 7\n\n<<< caused by >>>\n\n'x' is undefined\nOrigin: /p.yml:3:14\n\n1 - hosts: all\n2   tasks:\n3     - debug: msg={{ x }}\n               ^ column 14\n"
        );
    }
}
