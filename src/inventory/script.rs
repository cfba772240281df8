//! Executable inventories: programs that print JSON when called with `--list`.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/script_inventory.html>

use super::data::Data;
use super::dynamic::{self, Trust};
use crate::{Error, Result, notice};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Whether the file is a script: executable, or starting with `#!`.
pub fn is_script(path: &Path, text: &[u8]) -> bool {
    let executable = path
        .metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    executable || text.starts_with(b"#!")
}

/// Runs the script and adds what it prints to `data`.
pub fn parse(path: &Path, data: &mut Data) -> Result<()> {
    let answer = run(path, &["--list"])?;
    for host in dynamic::parse(answer, Trust::Templates, data)? {
        let vars = run(path, &["--host", &host])?;
        dynamic::host_vars(&host, vars, Trust::Templates, data)?;
    }
    Ok(())
}

fn run(path: &Path, args: &[&str]) -> Result<serde_json::Value> {
    let command = format!("{} {}", path.display(), args.join(" "));
    let output = Command::new(path)
        .args(args)
        .output()
        .map_err(|e| Error::parse(format!("problem running {command}: {e}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let status = match output.status.code() {
            Some(code) => format!("returned non-zero exit code {code}."),
            None => format!("was ended: {}.", output.status),
        };
        let error = Error::parse(format!("Inventory script {status}"));
        return Err(match said.trim() {
            "" => error,
            said => error.hint(format!("it said: {said}")),
        });
    }
    for line in said.lines().filter(|l| !l.trim().is_empty()) {
        notice::warning(format!("{}: {line}", path.display()));
    }
    let text = std::str::from_utf8(&output.stdout)
        .map_err(|_| Error::parse(format!("what {command} printed is not UTF-8")))?;
    // a script without variables for a host may print nothing
    if text.trim().is_empty() && args[0] == "--host" {
        return Ok(serde_json::Value::Object(Default::default()));
    }
    serde_json::from_str(text).map_err(|e| {
        Error::parse(format!(
            "Unable to get JSON decoder for inventory script result: Value could not be parsed as JSON: {e}"
        ))
        .hint(format!("{command} must print one JSON object"))
    })
}
