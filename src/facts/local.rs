//! `ansible_local`: what the target's own files in facts.d say.
//!
//! <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_vars_facts.html#facts-d-or-local-facts>

use super::Facts;
use super::ini::{self, Problem};
use crate::machine::{Command, errno_text, python_error, reason};
use crate::modules::Failure;
use crate::value::{Map, Value};
use std::path::Path;

/// Runs programs and reads files; each is a fact, and so is what is wrong with it.
///
/// A program that cannot be started fails the module, as it does with Ansible.
pub fn gather(facts: &mut Facts<'_>) {
    let dir = facts.fact_path.to_path_buf();
    let mut names = facts.machine.list(&dir).unwrap_or_default();
    names.sort();
    let mut local = Map::default();
    for name in names {
        let Some(stem) = name.to_str().and_then(|n| n.strip_suffix(".fact")) else {
            continue;
        };
        match value(facts, &dir.join(&name)) {
            Ok(Ok(value)) => {
                local.insert(stem.into(), value);
            }
            Ok(Err(wrong)) => {
                facts.warnings.push(wrong.trim_end().to_string());
                local.insert(stem.into(), wrong.into());
            }
            Err(failure) => {
                facts.failure = Some(failure);
                return;
            }
        }
    }
    facts.set("local", local);
}

/// What a file says, or what is wrong with it.
fn value(facts: &Facts<'_>, path: &Path) -> Result<Result<Value, String>, Failure> {
    let shown = path.display();
    let stat = match facts.machine.stat(path) {
        Ok(stat) => stat,
        Err(e) => {
            let quoted = crate::python::quote(&path.to_string_lossy());
            let what = errno_text(&e);
            return Ok(Err(format!(
                "Could not stat fact ({shown}): {what}: {quoted}"
            )));
        }
    };
    let text = match stat.mode & 0o100 != 0 {
        true => match facts.machine.probe(&Command::new([path])) {
            Ok(output) if output.rc == 0 => output.stdout_text(),
            Ok(output) => {
                return Ok(Err(format!(
                    "Failure executing fact script ({shown}), rc: {}, err: {}",
                    output.rc,
                    output.stderr_text()
                )));
            }
            Err(e) => {
                let msg = "Error executing command.";
                return Err(Failure::new(msg)
                    .because(python_error(&e, path))
                    .with("cmd", path.to_string_lossy().as_ref())
                    .with("rc", i64::from(e.raw_os_error().unwrap_or(257)))
                    .with("stdout", "")
                    .with("stderr", ""));
            }
        },
        false => match facts.machine.read(path) {
            Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
            Err(e) => {
                return Ok(Err(format!(
                    "Could not read fact ({shown}): {}",
                    reason(&e)
                )));
            }
        },
    };
    if let Ok(json) = serde_json::from_str(&text) {
        return Ok(Ok(Value::from_json(json)));
    }
    Ok(ini::parse(&text).map_err(|problem| match problem {
        Problem::Shape => {
            format!("error loading facts as JSON or ini - please check content: {shown}")
        }
        Problem::Interpolation(why) => {
            format!("error loading facts as ini - please check content: {shown} ({why})")
        }
    }))
}
