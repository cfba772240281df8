//! Runs `apt-get`, `aptitude` and `dpkg` as a module that nobody watches has to.

use super::Args;
use super::policy_rc_d;
use crate::machine::{Command, Machine, Output, errno_text};
use crate::modules::Failure;
use crate::modules::common::command::split;
use crate::value::{Map, Value};
use std::path::Path;

/// With the variables that keep packages from asking questions and messages in one language.
pub fn quiet(machine: &Machine, mut command: Command) -> Command {
    let locale = locale(machine);
    for name in ["LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"] {
        command.env.push((name.to_string(), locale.to_string()));
    }
    for (name, value) in [
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBIAN_PRIORITY", "critical"),
    ] {
        command.env.push((name.to_string(), value.to_string()));
    }
    command
}

/// The locale of messages in English.
pub fn locale(machine: &Machine) -> &'static str {
    match machine.exists(Path::new("/usr/lib/locale/C.utf8")) {
        true => "C.utf8",
        false => "C",
    }
}

/// The failure for a program that cannot be started.
pub fn not_there(e: std::io::Error) -> Failure {
    Failure::new(format!("apt-get cannot be started: {}", errno_text(&e)))
}

/// The path under which a program is called.
pub fn path_of(machine: &Machine, program: &str) -> Option<String> {
    let path = machine.program(program)?;
    Some(path.to_string_lossy().into_owned())
}

impl Args {
    /// The options for dpkg and for its lock, as `apt-get` takes them. A leading blank is part of it.
    pub fn dpkg_options(&self) -> String {
        let mut out = String::new();
        for option in self.dpkg_options.split(',') {
            out += &format!("-o \"Dpkg::Options::=--{option}\" ");
        }
        format!("{out}-o DPkg::Lock::Timeout={}", self.lock_timeout)
    }

    /// Runs a line; check mode's has an option that makes it look only. `policy_rc_d` holds while it runs.
    pub fn execute(&self, machine: &mut Machine, line: &str) -> Result<Output, Failure> {
        let command = quiet(machine, Command::new(split(line)?));
        if machine.mode.check {
            return machine.probe(&command).map_err(not_there);
        }
        let policy = self
            .policy_rc_d
            .map(|code| policy_rc_d::put(machine, code))
            .transpose()?;
        let output = machine.run(&command, line).map_err(not_there);
        if let Some(policy) = policy {
            policy.take_back(machine)?;
        }
        Ok(output?.unwrap_or_default())
    }
}

/// An option where the condition holds, else nothing.
pub fn flag(condition: bool, option: &'static str) -> &'static str {
    if condition { option } else { "" }
}

/// Names as they stand in a line.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| format!("'{n}'")).collect();
    names.join(" ")
}

/// What `--diff` shows: the part of apt's output that says what is to be done.
pub fn diff(machine: &Machine, output: &str) -> Option<Value> {
    if !machine.mode.diff {
        return None;
    }
    let lines: Vec<&str> = output.lines().collect();
    let start = lines
        .iter()
        .position(|l| l.starts_with("Reading state information..."))
        .map_or(0, |at| at + 1);
    let is_end = |line: &&str| {
        let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < line.len()
            && (digits.starts_with(" upgraded, ") || digits.starts_with(" packages upgraded, "))
    };
    let end = lines
        .iter()
        .position(is_end)
        .map_or(lines.len(), |at| at + 1);
    let text = lines.get(start..end).unwrap_or_default().join("\n");
    let mut map = Map::default();
    map.insert("prepared".into(), text.into());
    Some(Value::map(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Mode;

    #[test]
    fn a_diff_is_what_apt_says_that_it_will_do() {
        let mode = Mode {
            check: true,
            diff: true,
        };
        let machine = Machine::new(mode, Vec::new());
        let said = "Reading package lists...\nReading state information...\nNEW:\n  a\n0 upgraded, 1 newly installed\nInst a\n";
        let shown = diff(&machine, said).unwrap();
        assert_eq!(
            shown.get("prepared").and_then(Value::as_str),
            Some("NEW:\n  a\n0 upgraded, 1 newly installed")
        );
        assert!(diff(&Machine::default(), said).is_none());
    }
}
