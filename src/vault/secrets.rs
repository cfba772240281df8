//! Vault passwords with their ids, and where they come from.

use super::format::{self, Envelope};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::search::expand_home;
use crate::{notice, terminal};
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
    /// warning, and an error if none works.
    pub fn load(
        ids: &[String],
        files: &[PathBuf],
        asked: Option<&str>,
        config: &Config,
    ) -> Result<Secrets> {
        let sources = Sources {
            ids,
            files,
            ask: false,
            new: false,
        };
        let mut secrets = sources.load(sources.with_settings(config), asked.is_some(), config)?;
        if let Some(password) = asked {
            let secret = Secret::new(password.trim());
            secrets.list.push((config.vault_identity.clone(), secret));
        }
        Ok(secrets)
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
        Ok(self.open(text)?.plain)
    }

    /// As [`Secrets::decrypt`], with what decrypted it.
    pub fn open(&self, text: &[u8]) -> Result<Opened> {
        let envelope = Envelope::parse(text)?;
        let own = |label: &str| envelope.id.as_deref() == Some(label);
        let (first, rest): (Vec<_>, Vec<_>) = self.list.iter().partition(|(label, _)| own(label));
        // texts without an id may have been written with any
        let only_own = self.match_ids && envelope.id.is_some();
        let rest = rest.into_iter().filter(|_| !only_own);
        let opened = first
            .into_iter()
            .chain(rest)
            .find_map(|(_, secret)| Some((envelope.open(secret)?, secret.clone())));
        match opened {
            Some((plain, secret)) => Ok(Opened {
                plain,
                id: envelope.id,
                secret,
            }),
            None => Err(Error::general(
                "Decryption failed (no vault secrets were found that could decrypt).",
            )),
        }
    }

    /// The secret to encrypt with, and its label: that of `id`, or the only one.
    ///
    /// Errors if there are several and none is asked for, and if there is none with that label.
    pub fn to_encrypt(&self, id: Option<&str>) -> Result<(String, Secret)> {
        let labels = || self.list.iter().map(|(label, _)| label.as_str());
        let found = match id {
            Some(id) => self.list.iter().find(|(label, _)| label == id),
            None if self.list.len() > 1 => {
                return Err(Error::new(
                    Kind::Options,
                    format!(
                        "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with \
                         --encrypt-vault-id",
                        labels().collect::<Vec<_>>().join(",")
                    ),
                ));
            }
            None => self.list.first(),
        };
        found.cloned().ok_or_else(|| {
            Error::general(match id {
                Some(id) => format!(
                    "Did not find a match for --encrypt-vault-id={id} in the known vault-ids [{}]",
                    labels()
                        .map(crate::python::quote)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
                None => "A vault password is required to use Ansible's Vault".to_string(),
            })
        })
    }

    /// `plain` encrypted with the secret of `id`, or with the first secret.
    ///
    /// The id goes into the text unless it is the default one. Fails if there is no such secret.
    pub fn encrypt(&self, plain: &[u8], id: Option<&str>) -> Result<String> {
        let first = self.list.first().map(|(label, _)| label.as_str());
        let (label, secret) = self.to_encrypt(id.or(first))?;
        super::seal(plain, &secret, &label, None)
    }
}

/// A decrypted text, and with what.
pub struct Opened {
    pub plain: Vec<u8>,
    /// The vault id that the text names.
    pub id: Option<String>,
    pub secret: Secret,
}

/// What a source of a secret is: its label, none if it was given without one, and where it is.
type Source = (Option<String>, String);

/// Where secrets come from.
pub struct Sources<'a> {
    /// `--vault-id` values.
    pub ids: &'a [String],
    /// Password files and programs.
    pub files: &'a [PathBuf],
    /// Whether a password is asked for beside these.
    pub ask: bool,
    /// Whether a password that is typed is a new one, and typed twice.
    pub new: bool,
}

/// Stands for a question in the place of a file.
const PROMPTS: &[&str] = &["prompt", "prompt_ask_vault_pass"];

impl Sources<'_> {
    /// The secrets of these sources and of the settings; asked for if there is no source.
    pub fn load_or_ask(&self, config: &Config) -> Result<Secrets> {
        self.asking(self.with_settings(config), config)
    }

    /// The secrets of these sources alone; asked for if there is none.
    pub fn load_only(&self, config: &Config) -> Result<Secrets> {
        self.asking(self.own(config), config)
    }

    fn asking(&self, mut sources: Vec<Source>, config: &Config) -> Result<Secrets> {
        if self.ask || sources.is_empty() {
            let label = Some(config.vault_identity.clone());
            sources.push((label, "prompt".to_string()));
        }
        self.load(sources, false, config)
    }

    fn own(&self, config: &Config) -> Vec<Source> {
        let file = |file: &PathBuf| {
            let label = Some(config.vault_identity.clone());
            (label, file.display().to_string())
        };
        let ids = self.ids.iter().map(|id| labelled(id));
        ids.chain(self.files.iter().map(file)).collect()
    }

    fn with_settings(&self, config: &Config) -> Vec<Source> {
        let listed = config.vault_identity_list.iter().map(|id| labelled(id));
        let file = config.vault_password_file.iter().map(|file| {
            let label = Some(config.vault_identity.clone());
            (label, file.display().to_string())
        });
        listed.chain(self.own(config)).chain(file).collect()
    }

    /// The secrets of sources. One that fails is a warning; an error if none works and there is no `other`.
    fn load(&self, sources: Vec<Source>, other: bool, config: &Config) -> Result<Secrets> {
        let default = &config.vault_identity;
        let mut secrets = Secrets {
            list: Vec::new(),
            match_ids: config.vault_id_match,
        };
        let mut failed = None;
        for (label, source) in sources {
            let name = label.clone().unwrap_or_else(|| default.clone());
            let (what, secret) = if PROMPTS.contains(&source.as_str()) {
                (
                    "Error in vault password prompt",
                    ask(&name, default, self.new),
                )
            } else {
                let path = expand_home(&source);
                let what = match path.exists() {
                    true => "Error in vault password file loading",
                    false => "Error getting vault password file",
                };
                (what, from_file(&path, &name, &secrets))
            };
            match secret {
                Ok(secret) => secrets.list.push((name, secret)),
                Err(error) => {
                    let label = label.as_deref().unwrap_or("None");
                    notice::warning(format!("{what} ({label}): {error}"));
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if secrets.list.is_empty() && !other => Err(error),
            _ => Ok(secrets),
        }
    }
}

/// A `--vault-id`: its label, if it has one, and its source.
fn labelled(id: &str) -> Source {
    match id.split_once('@') {
        Some((label, source)) if !label.is_empty() => (Some(label.to_string()), source.to_string()),
        Some((_, source)) => (None, source.to_string()),
        None => (None, id.to_string()),
    }
}

/// A password that is typed; a new one twice.
fn ask(label: &str, default: &str, new: bool) -> Result<Secret> {
    let prompts = match (label == default, new) {
        (true, false) => vec!["Vault password: ".to_string()],
        (false, false) => vec![format!("Vault password ({label}): ")],
        (true, true) => vec![
            "New Vault password: ".to_string(),
            "Confirm New Vault password: ".to_string(),
        ],
        (false, true) => vec![
            format!("New vault password ({label}): "),
            format!("Confirm new vault password ({label}): "),
        ],
    };
    let mut typed: Option<String> = None;
    for prompt in prompts {
        let answer = terminal::secret(&prompt).map_err(|e| {
            Error::general(match e.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    format!("EOFError (ctrl-d) on prompt for ({label})")
                }
                _ => format!("The vault password could not be asked for: {e}"),
            })
        })?;
        if typed.is_some_and(|first| first != answer) {
            return Err(Error::general("Passwords do not match"));
        }
        typed = Some(answer);
    }
    let typed = typed.unwrap_or_default();
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Error::general("Invalid vault password was provided"));
    }
    Ok(Secret::new(typed))
}

/// The password in a file, or what a program prints. An encrypted file is decrypted with what is known already.
fn from_file(path: &Path, label: &str, known: &Secrets) -> Result<Secret> {
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
    let output = match format::is_encrypted(&output) {
        true => known.decrypt(output.trim_ascii())?,
        false => output,
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
        assert_eq!(
            from_file(&file, "dev", &Secrets::default())
                .unwrap()
                .bytes(),
            b"pw"
        );
        let program = write("x-client.sh", "#!/bin/sh\necho \"$1 $2\"\n", 0o700);
        assert_eq!(
            from_file(&program, "dev", &Secrets::default())
                .unwrap()
                .bytes(),
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
            let error = from_file(&path, "dev", &Secrets::default()).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
