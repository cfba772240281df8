//! `--step` and `--start-at-task`.

use super::Runner;
use super::values::text_of;
use crate::playbook::Task;
use crate::template::Templar;
use crate::{Error, Result};
use std::io::{BufRead, Write};

impl Runner<'_> {
    /// Asks whether to run a task. Answers: no, yes, or continue without asking again.
    pub fn step_over(&mut self, name: &str) -> Result<bool> {
        if self.step_all {
            return Ok(true);
        }
        print!("Perform task: TASK: {name} (N)o/(y)es/(c)ontinue: ");
        std::io::stdout().flush()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(Error::new(
                crate::error::Kind::Interrupted,
                "User interrupted execution",
            ));
        }
        // the answered question stays as a banner
        let asked = format!("Perform task: TASK: {name} (N)o/(y)es/(c)ontinue:");
        let stars = 79usize.saturating_sub(asked.chars().count()).max(3);
        println!("\n{asked} {}", "*".repeat(stars));
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "c" | "continue" => {
                self.step_all = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// Whether `--start-at-task` means this task: its name, its name with the role's, or a shell pattern of either.
pub fn name_matches(pattern: &str, task: &Task, templar: &Templar) -> bool {
    let own = own_name(task, templar);
    let full = match task.role_name() {
        Some(role) => format!("{role} : {own}"),
        None => own.clone(),
    };
    [&own, &full]
        .into_iter()
        .any(|name| name == pattern || glob(pattern, name))
}

/// The task's name without its role's; the module's where it has none.
pub fn own_name(task: &Task, templar: &Templar) -> String {
    match task.name() {
        Some(name) => templar.render_str(&name).unwrap_or_else(|_| text_of(&name)),
        None => task.action.name.clone(),
    }
}

/// What is said where `--start-at-task` names none of the tasks. The run then does nothing, and that is no failure.
pub fn not_found(name: &str, tasks: &[String]) -> Error {
    let error = Error::general(format!(
        "No matching task \"{name}\" found. Note: --start-at-task can only follow static includes."
    ));
    match crate::error::did_you_mean(name, tasks.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// Shell patterns: `*`, `?` and `[...]`.
fn glob(pattern: &str, text: &str) -> bool {
    fn rest(p: &[char], t: &[char]) -> bool {
        match p.first() {
            None => t.is_empty(),
            Some('*') => (0..=t.len()).any(|n| rest(&p[1..], &t[n..])),
            Some('?') => !t.is_empty() && rest(&p[1..], &t[1..]),
            Some('[') => {
                let Some(close) = p.iter().skip(2).position(|c| *c == ']').map(|n| n + 2) else {
                    return t.first() == Some(&'[') && rest(&p[1..], &t[1..]);
                };
                let Some(c) = t.first() else { return false };
                let (negated, set) = match p[1] {
                    '!' => (true, &p[2..close]),
                    _ => (false, &p[1..close]),
                };
                let mut found = false;
                let mut i = 0;
                while i < set.len() {
                    if i + 2 < set.len() && set[i + 1] == '-' {
                        found |= (set[i]..=set[i + 2]).contains(c);
                        i += 3;
                    } else {
                        found |= set[i] == *c;
                        i += 1;
                    }
                }
                found != negated && rest(&p[close + 1..], &t[1..])
            }
            Some(c) => t.first() == Some(c) && rest(&p[1..], &t[1..]),
        }
    }
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    rest(&p, &t)
}

#[cfg(test)]
mod tests {
    #[test]
    fn globs_as_a_shell() {
        assert!(super::glob("install *", "install nginx"));
        assert!(super::glob("step [1-3]", "step 2"));
        assert!(!super::glob("step [!1-3]", "step 2"));
        assert!(!super::glob("a?c", "ac"));
    }
}
