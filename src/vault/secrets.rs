//! Vault passwords with their ids, and where they come from.

use super::format::{self, Envelope};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::notice;
use crate::search::expand_home;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A password. It is never shown.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(password: impl Into<Vec<u8>>) -> Secret {
        Secret(password.into())
    }
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Passwords by vault id, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    list: Vec<(String, Secret)>,
    /// Whether only the secrets of a text's own id are tried.
    match_ids: bool,
}

impl Secrets {
    /// Secrets from a list, all of which are tried.
    pub fn new(list: Vec<(String, Secret)>) -> Secrets {
        Secrets {
            list,
            match_ids: false,
        }
    }

    /// The secrets that the command line and the settings name.
    ///
    /// `ids` are `--vault-id` values (`source` or `label@source`, the source a file, a program or `prompt`),
    /// `files` are `--vault-password-file`s, `asked` is a password typed in already. A source that fails is a
    /// warning if another one works, an error if none does.
    pub fn load(
        ids: &[String],
        files: &[PathBuf],
        asked: Option<&str>,
        config: &Config,
    ) -> Result<Secrets> {
        let default = &config.vault_identity;
        let mut sources: Vec<(String, String)> = config
            .vault_identity_list
            .iter()
            .chain(ids)
            .map(|id| match id.split_once('@') {
                Some((label, source)) if !label.is_empty() => {
                    (label.to_string(), source.to_string())
                }
                Some((_, source)) => (default.clone(), source.to_string()),
                None => (default.clone(), id.clone()),
            })
            .collect();
        let settings_file = config
            .vault_password_file
            .iter()
            .filter(|_| files.is_empty());
        for file in files.iter().chain(settings_file) {
            sources.push((default.clone(), file.display().to_string()));
        }
        let mut list = Vec::new();
        let mut failed = Vec::new();
        for (label, source) in sources {
            let secret = match source.as_str() {
                "prompt" | "prompt_ask_vault_pass" => ask(&label, default),
                _ => from_file(&expand_home(&source), &label),
            };
            match secret {
                Ok(secret) => list.push((label, secret)),
                Err(error) => failed.push((label, error)),
            }
        }
        if let Some(password) = asked {
            list.push((default.clone(), Secret::new(password.trim())));
        }
        if list.is_empty()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        for (label, error) in failed {
            notice::warning(format!("Error getting vault password ({label}): {error}"));
        }
        Ok(Secrets {
            list,
            match_ids: config.vault_id_match,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The plain bytes of an encrypted text: secrets with the text's own id are tried first.
    ///
    /// Fails if the text is damaged, if there is no secret, or if none fits.
    pub fn decrypt(&self, text: &[u8]) -> Result<Vec<u8>> {
        if self.list.is_empty() {
            return Err(Error::general("Attempting to decrypt but no vault secrets found.")
                .hint("give the password with --vault-password-file, --vault-id or --ask-vault-password"));
        }
        let envelope = Envelope::parse(text)?;
        let own = |label: &str| envelope.id.as_deref() == Some(label);
        let (first, rest): (Vec<_>, Vec<_>) = self.list.iter().partition(|(label, _)| own(label));
        // texts without an id may have been written with any
        let only_own = self.match_ids && envelope.id.is_some();
        let rest = rest.into_iter().filter(|_| !only_own);
        first
            .into_iter()
            .chain(rest)
            .find_map(|(_, secret)| envelope.open(secret))
            .ok_or_else(|| {
                Error::general(
                    "Decryption failed (no vault secrets were found that could decrypt).",
                )
            })
    }

    /// `plain` encrypted with the secret of `id`, or with the first secret.
    ///
    /// The id goes into the text unless it is the default one. Fails if there is no such secret.
    pub fn encrypt(&self, plain: &[u8], id: Option<&str>) -> Result<String> {
        let found = match id {
            Some(id) => self.list.iter().find(|(label, _)| label == id),
            None => self.list.first(),
        };
        let Some((label, secret)) = found else {
            return Err(Error::general(match id {
                Some(id) => format!("Did not find a match for --encrypt-vault-id={id}."),
                None => "A vault password is required to use Ansible's Vault".to_string(),
            }));
        };
        let label = Some(label.as_str()).filter(|l| *l != "default");
        format::seal(plain, secret, label, None)
    }
}

fn ask(label: &str, default: &str) -> Result<Secret> {
    let prompt = if label == default {
        "Vault password: ".to_string()
    } else {
        format!("Vault password ({label}): ")
    };
    let typed = rpassword::prompt_password(prompt)
        .map_err(|e| Error::general(format!("The vault password could not be asked for: {e}")))?;
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Error::general("Invalid vault password was provided"));
    }
    Ok(Secret::new(typed))
}

/// The password in a file, or what a program prints.
fn from_file(path: &Path, label: &str) -> Result<Secret> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let shown = path.display();
    let Ok(meta) = std::fs::metadata(&path) else {
        return Err(Error::general(format!(
            "The vault password file {shown} was not found"
        )));
    };
    if meta.is_dir() {
        return Err(Error::general(format!(
            "The vault password file {shown} is a directory"
        )));
    }
    let output = if meta.permissions().mode() & 0o111 != 0 {
        from_program(&path, label)?
    } else {
        std::fs::read(&path).map_err(|e| {
            Error::general(format!("Could not read vault password file {shown}: {e}"))
        })?
    };
    let password = output.trim_ascii();
    if password.is_empty() {
        return Err(Error::general(format!(
            "Invalid vault password was provided from file ({shown})"
        )));
    }
    Ok(Secret::new(password))
}

fn from_program(path: &Path, label: &str) -> Result<Vec<u8>> {
    let shown = path.display();
    let mut command = Command::new(path);
    // a program with this ending knows several passwords
    if path
        .file_stem()
        .is_some_and(|n| n.to_string_lossy().ends_with("-client"))
    {
        command.args(["--vault-id", label]);
    }
    let output = command.stderr(Stdio::inherit()).output().map_err(|e| {
        Error::general(format!(
            "Problem running vault password script {shown}: {e}"
        ))
        .hint("if this is not a script, remove the executable bit from the file")
    })?;
    if !output.status.success() {
        return Err(Error::general(format!(
            "Vault password script {shown} returned non-zero ({})",
            output.status.code().unwrap_or(-1)
        )));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(list: &[(&str, &str)]) -> Secrets {
        let entry = |(id, password): &(&str, &str)| (id.to_string(), Secret::new(*password));
        Secrets::new(list.iter().map(entry).collect())
    }

    #[test]
    fn the_secret_that_fits_is_found() {
        let both = secrets(&[("dev", "a"), ("default", "b")]);
        let text = both.encrypt(b"x", Some("dev")).unwrap();
        assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        assert_eq!(both.decrypt(text.as_bytes()).unwrap(), b"x");
        // the label is a hint only
        let other = secrets(&[("default", "b"), ("prod", "a")]);
        assert_eq!(other.decrypt(text.as_bytes()).unwrap(), b"x");
        let strict = Secrets {
            match_ids: true,
            ..other
        };
        assert!(strict.decrypt(text.as_bytes()).is_err());
        let plain = both.encrypt(b"x", Some("default")).unwrap();
        assert!(plain.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        assert_eq!(strict.decrypt(plain.as_bytes()).unwrap(), b"x");
    }

    #[test]
    fn failures_are_said_in_ansibles_words() {
        let text = secrets(&[("default", "a")]).encrypt(b"x", None).unwrap();
        for (list, message) in [
            (&[][..], "Attempting to decrypt but no vault secrets found."),
            (
                &[("default", "b")][..],
                "Decryption failed (no vault secrets were found that could decrypt).",
            ),
        ] {
            let error = secrets(list).decrypt(text.as_bytes()).unwrap_err();
            assert_eq!(error.message(), message);
        }
        assert_eq!(format!("{:?}", Secret::new("a")), "Secret(***)");
    }

    #[test]
    fn passwords_come_from_files_and_programs() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let file = write("file", " pw\n", 0o600);
        assert_eq!(from_file(&file, "dev").unwrap().bytes(), b"pw");
        let program = write("x-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700);
        assert_eq!(
            from_file(&program, "dev").unwrap().bytes(),
            b"--vault-id dev"
        );
        for (path, message) in [
            (write("empty", "\n", 0o600), "Invalid vault password"),
            (
                write("fails", "#!/bin/sh\nexit 3\n", 0o700),
                "returned non-zero (3)",
            ),
            (folder.path().join("none"), "was not found"),
        ] {
            let error = from_file(&path, "dev").unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
