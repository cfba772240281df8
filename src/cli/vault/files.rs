//! Whole files: encrypted, decrypted, shown, and encrypted anew.

use super::Key;
use crate::config::Config;
use crate::vault::{self, Secrets};
use crate::{Error, Result};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The standard input, and output.
const DASH: &str = "-";

fn or_dash(files: &[PathBuf]) -> Vec<PathBuf> {
    match files {
        [] => vec![PathBuf::from(DASH)],
        files => files.to_vec(),
    }
}

/// Where a file is: links followed, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_path_buf())
}

/// An I/O error as Python shows it, with the path.
pub fn errno(e: &std::io::Error, path: &Path) -> String {
    let path = crate::python::quote(&path.to_string_lossy());
    format!("{}: {path}", crate::machine::errno_text(e))
}

/// The bytes of a file, or of the standard input, for which a terminal is told what is read.
pub fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    if path.as_os_str() == DASH {
        if std::io::stdin().is_terminal() {
            eprintln!("Reading {what} input from stdin");
        }
        let mut data = Vec::new();
        std::io::stdin().lock().read_to_end(&mut data)?;
        return Ok(data);
    }
    let path = real(path);
    std::fs::read(&path).map_err(|e| {
        Error::general(format!(
            "Unable to read source file ({}): {}",
            path.display(),
            errno(&e, &path)
        ))
    })
}

/// Replaces a file as a whole. It is its owner's alone, or keeps owner and mode with `keep`.
pub fn write(path: &Path, data: &[u8], keep: bool) -> Result<()> {
    if path.as_os_str() == DASH {
        let mut out = std::io::stdout().lock();
        out.write_all(data)?;
        return Ok(out.flush()?);
    }
    let path = real(path);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let failed = |e: std::io::Error| {
        Error::general(format!(
            "Destination '{}' not writable: {}",
            path.display(),
            crate::machine::reason(&e)
        ))
    };
    let before = std::fs::metadata(&path).ok().filter(|_| keep);
    // a new file of this kind is open to its owner only
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(data).map_err(failed)?;
    if let Some(before) = before {
        let own = file.as_file().metadata().map_err(failed)?;
        if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
            let (uid, gid) = (Some(before.uid()), Some(before.gid()));
            std::os::unix::fs::fchown(file.as_file(), uid, gid).map_err(failed)?;
        }
        let mode = before.permissions().mode() & 0o7777;
        let mode = std::fs::Permissions::from_mode(mode);
        file.as_file().set_permissions(mode).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Says that it is done, if a person is there to see it.
pub fn done(what: &str) {
    if std::io::stdout().is_terminal() {
        eprintln!("{what} successful");
    }
}

/// The error with the name of the file it is about.
pub fn about(error: Error, path: &Path) -> Error {
    let message = format!("{} for {}", error.message(), path.display());
    let named = Error::new(error.kind(), message);
    match error.hint_text() {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

pub fn encrypt(files: &[PathBuf], output: Option<&Path>, key: &Key) -> Result<()> {
    for file in or_dash(files) {
        let plain = read(&file, "plaintext")?;
        if vault::is_encrypted(&plain) {
            return Err(Error::general("input is already encrypted"));
        }
        let text = key.seal(&plain)?;
        write(output.unwrap_or(&file), text.as_bytes(), false)?;
    }
    done("Encryption");
    Ok(())
}

pub fn decrypt(files: &[PathBuf], output: Option<&Path>, secrets: &Secrets) -> Result<()> {
    for file in or_dash(files) {
        let text = read(&file, "ciphertext")?;
        let named = match file.as_os_str() == DASH {
            true => file.clone(),
            false => real(&file),
        };
        let plain = secrets.decrypt(&text).map_err(|e| about(e, &named))?;
        write(output.unwrap_or(&file), &plain, false)?;
    }
    done("Decryption");
    Ok(())
}

pub fn rekey(files: &[PathBuf], secrets: &Secrets, key: &Key) -> Result<()> {
    for file in files {
        let text = read(file, "ciphertext")?;
        let plain = secrets.decrypt(&text).map_err(|e| about(e, &real(file)))?;
        write(file, key.seal(&plain)?.as_bytes(), true)?;
    }
    eprintln!("Rekey successful");
    Ok(())
}

/// Prints what files hold; on a terminal with the user's pager.
pub fn view(files: &[PathBuf], secrets: &Secrets, config: &Config) -> Result<()> {
    for file in files {
        let text = read(file, "ciphertext")?;
        let mut plain = secrets.decrypt(&text).map_err(|e| about(e, file))?;
        if !plain.ends_with(b"\n") {
            plain.push(b'\n');
        }
        if !std::io::stdout().is_terminal() || !paged(&plain, &config.pager) {
            let mut out = std::io::stdout().lock();
            out.write_all(&plain)?;
            out.flush()?;
        }
    }
    Ok(())
}

/// Whether the pager took the text, which goes through its standard input.
fn paged(text: &[u8], pager: &str) -> bool {
    let words = shell_words::split(pager).unwrap_or_default();
    let Some((program, args)) = words.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // colours as they are, and no wait for what fits the screen
        command.env("LESS", "FRSX");
    }
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut input) = child.stdin.take() {
        // a pager that is left early closes its input
        let _ = input.write_all(text);
    }
    child.wait().is_ok()
}
