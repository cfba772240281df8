//! The editor: on a copy that nobody else can read and that is overwritten when it is done with.

use super::Key;
use super::files::{about, read, real, write};
use crate::config::Config;
use crate::error::Kind;
use crate::vault::{self, Secrets};
use crate::{Error, Result, notice};
use std::io::{IsTerminal, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A plain text in a folder of its own; gone with this.
struct Copy {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Copy {
    fn new(plain: &[u8], name: &Path, config: &Config) -> Result<Copy> {
        let base = &config.local_tmp;
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(base);
        made.map_err(|e| {
            Error::general(format!("cannot create the folder {}: {e}", base.display()))
        })?;
        let folder = tempfile::Builder::new()
            .prefix("rplay-vault-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(base)?;
        // the ending tells the editor what kind of text it is
        let ending = name.extension().map(|e| format!(".{}", e.display()));
        let file = tempfile::Builder::new()
            .suffix(&ending.unwrap_or_default())
            .tempfile_in(folder.path())?;
        let (mut file, path) = file.keep().map_err(|e| Error::from(e.error))?;
        let copy = Copy { folder, path };
        file.write_all(plain)?;
        Ok(copy)
    }

    /// What it holds when the editor has been left.
    fn edited(&self, config: &Config) -> Result<Vec<u8>> {
        let words = shell_words::split(&config.editor).unwrap_or_default();
        let Some((program, args)) = words.split_first() else {
            return Err(Error::new(Kind::Options, "there is no editor"));
        };
        // how the editor ends says nothing about the text
        Command::new(program)
            .args(args)
            .arg(&self.path)
            .status()
            .map_err(|e| {
                Error::general(format!(
                    "Unable to execute the command \"{} {}\": {}",
                    config.editor,
                    self.path.display(),
                    super::files::errno(&e, Path::new(program))
                ))
            })?;
        Ok(std::fs::read(&self.path)?)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // also what the editor has left beside it
        let entries = std::fs::read_dir(self.folder.path()).into_iter().flatten();
        for entry in entries.flatten() {
            let _ = overwrite(&entry.path());
        }
    }
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), length),
        &mut file,
    )?;
    file.sync_all()
}

/// Edits encrypted files; each stays with its own vault id and password, owner and mode.
pub fn edit(files: &[PathBuf], secrets: &Secrets, config: &Config) -> Result<()> {
    for file in files {
        let text = read(file, "ciphertext")?;
        let opened = secrets.open(&text).map_err(|e| about(e, &real(file)))?;
        let copy = Copy::new(&opened.plain, file, config)?;
        let after = copy.edited(config)?;
        if after != opened.plain {
            let id = opened.id.as_deref().unwrap_or("default");
            let salt = config.vault_encrypt_salt.as_deref().map(str::as_bytes);
            let sealed = vault::seal(&after, &opened.secret, id, salt)?;
            write(file, sealed.as_bytes(), true)?;
        }
    }
    Ok(())
}

/// Makes a new encrypted file of what is written in the editor.
pub fn create(file: &Path, anywhere: bool, key: &Key, config: &Config) -> Result<()> {
    if !anywhere && !std::io::stdout().is_terminal() {
        return Err(Error::new(
            Kind::Options,
            "not a tty, editor cannot be opened",
        ));
    }
    if file.exists() {
        return Err(Error::general(format!(
            "{} exists, please use 'edit' instead",
            file.display()
        )));
    }
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty())
        && !folder.exists()
    {
        notice::warning(format!("{} does not exist, creating...", folder.display()));
        std::fs::create_dir_all(folder)?;
    }
    let copy = Copy::new(b"", file, config)?;
    let plain = copy.edited(config)?;
    write(file, key.seal(&plain)?.as_bytes(), false)
}
