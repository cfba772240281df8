//! Lookups that run a command of the user's on the controller.

use super::Lookup;
use super::terms::no_more_options;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::python;
use crate::value::Value;
use std::process::{Command, Stdio};

/// What a shell command prints. Errors if it cannot be run or fails.
fn output(call: &Call, command: &str) -> Result<String> {
    let mut process = Command::new("/bin/sh");
    process.arg("-c").arg(command).stdin(Stdio::inherit());
    process.stderr(Stdio::inherit());
    // commands run in the playbook's folder
    if let Some(folder) = call.templar.files().roots.last()
        && folder.is_dir()
    {
        process.current_dir(folder);
    }
    let ran = process.output().map_err(|e| {
        error(format!(
            "lookup_plugin.{}({command}) failed: {e}",
            call.name
        ))
    })?;
    match ran.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        code => {
            use std::os::unix::process::ExitStatusExt;
            let code = code.unwrap_or_else(|| -ran.status.signal().unwrap_or(1));
            Err(error(format!(
                "lookup_plugin.{}({command}) returned {code}",
                call.name
            )))
        }
    }
}

fn pipe(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    call.args
        .iter()
        .map(|term| Ok(Value::str(output(&call, &python::str(term))?.trim_end())))
        .collect()
}

fn lines(call: Call) -> Result<Vec<Value>> {
    no_more_options(&call)?;
    let mut out = Vec::new();
    for term in &call.args {
        let text = output(&call, &python::str(term))?;
        out.extend(text.lines().map(Value::str));
    }
    Ok(out)
}

/// Not there yet: a clear word instead of "not found".
fn refused(call: Call) -> Result<Vec<Value>> {
    Err(error(format!(
        "the lookup '{}' is not supported by this version of rplay",
        call.name
    )))
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("dig", refused), ("lines", lines), ("pipe", pipe)];
