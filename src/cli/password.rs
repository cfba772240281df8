//! Passwords that are typed or read from files: to log in with, to become another user with, of the vault.

use crate::error::Kind;
use crate::secret::Secret;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A password that is typed; `instead` is the option for where there is no terminal, without which it fails.
pub fn ask(prompt: &str, instead: &str) -> Result<Secret> {
    let text = crate::terminal::secret(prompt).map_err(|e| {
        Error::new(Kind::Options, format!("cannot ask for a password: {e}"))
            .hint(format!("without a terminal use {instead}"))
    })?;
    Ok(Secret::new(&text))
}

/// The password that a file holds, if there is one to look into; an executable file is run for it.
///
/// Fails, with kind `Options`, if the file cannot be read or run, and if it holds nothing.
pub fn from_file(file: Option<&PathBuf>) -> Result<Option<Secret>> {
    let Some(path) = file else { return Ok(None) };
    let text = read_or_run(path)?;
    let text = text.trim_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Error::new(
            Kind::Options,
            format!("the password file {} is empty", path.display()),
        ));
    }
    Ok(Some(Secret::new(text)))
}

fn read_or_run(path: &Path) -> Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Options,
            format!("cannot read the password file {}: {e}", path.display()),
        )
    };
    let meta = std::fs::metadata(path).map_err(failed)?;
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return std::fs::read_to_string(path).map_err(failed);
    }
    let output = std::process::Command::new(path.canonicalize().map_err(failed)?)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(failed)?;
    if !output.status.success() {
        return Err(Error::new(
            Kind::Options,
            format!(
                "the password script {} failed: {}",
                path.display(),
                output.status
            ),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
