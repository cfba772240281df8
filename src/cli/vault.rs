//! `rplay vault`: encrypts and decrypts files and variables, as ansible-vault does.
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-vault.html>. Passwords and plain text are in no argument
//! list but the one that the user typed, and in no file that others can read; a file is replaced as a whole or not at all.

mod edit;
mod files;
mod strings;

use super::options;
use crate::config::Config;
use crate::error::Kind;
use crate::vault::{self, Secret, Secrets};
use crate::{Error, Result};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Encrypts and decrypts files and variables, interchangeably with ansible-vault.
#[derive(Parser, Debug)]
#[command(name = "rplay vault", infer_long_args = true)]
struct VaultArgs {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    general: options::General,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Create a new encrypted file with an editor
    Create {
        #[command(flatten)]
        secrets: options::Vault,
        #[command(flatten)]
        encrypt: EncryptArgs,
        /// Open the editor without a terminal too
        #[arg(long)]
        skip_tty_check: bool,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Decrypt files
    Decrypt {
        #[command(flatten)]
        secrets: options::Vault,
        /// Write to this file; - is the standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Edit encrypted files
    Edit {
        #[command(flatten)]
        secrets: options::Vault,
        #[command(flatten)]
        encrypt: EncryptArgs,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show what encrypted files hold
    View {
        #[command(flatten)]
        secrets: options::Vault,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Encrypt files
    Encrypt {
        #[command(flatten)]
        secrets: options::Vault,
        #[command(flatten)]
        encrypt: EncryptArgs,
        /// Write to this file; - is the standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Encrypt texts as values of variables
    #[command(name = "encrypt_string", alias = "encrypt-string")]
    EncryptString {
        #[command(flatten)]
        secrets: options::Vault,
        #[command(flatten)]
        encrypt: EncryptArgs,
        #[command(flatten)]
        strings: strings::StringArgs,
    },
    /// Encrypt files with another password
    Rekey {
        #[command(flatten)]
        secrets: options::Vault,
        #[command(flatten)]
        encrypt: EncryptArgs,
        /// The file or program that gives the new password
        #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
        new_vault_password_file: Option<PathBuf>,
        /// The new vault id: label@source
        #[arg(long, value_name = "ID")]
        new_vault_id: Option<String>,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Which password encrypts.
#[derive(Args, Debug)]
struct EncryptArgs {
    /// The vault id to encrypt with, needed where there are several
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
}

/// The passwords; asked for if nothing names any. With `new` one that is typed is typed twice.
fn load(args: &options::Vault, new: bool, config: &Config) -> Result<Secrets> {
    vault::Sources {
        ids: &args.vault_id,
        files: &args.vault_password_file,
        ask: args.ask_vault_password || config.ask_vault_pass,
        new,
    }
    .load_or_ask(config)
}

/// What encrypts: the vault id that goes into the text, and the password.
struct Key {
    label: String,
    secret: Secret,
    salt: Option<String>,
}

impl Key {
    fn of(secrets: &Secrets, args: &EncryptArgs, config: &Config) -> Result<Key> {
        let wanted = args.encrypt_vault_id.clone();
        let wanted = wanted.or_else(|| config.vault_encrypt_identity.clone());
        let (label, secret) = secrets.to_encrypt(wanted.as_deref())?;
        Ok(Key {
            label,
            secret,
            salt: config.vault_encrypt_salt.clone(),
        })
    }

    fn seal(&self, plain: &[u8]) -> Result<String> {
        let salt = self.salt.as_deref().map(str::as_bytes);
        vault::seal(plain, &self.secret, &self.label, salt)
    }
}

/// Runs the subcommand; `args` are those after its name. Returns the exit code.
///
/// Fails if a file cannot be read, decrypted or written, and on options that do not fit together.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args: VaultArgs = match super::arguments("rplay vault", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let config = Config::load()?;
    super::show_notices(&config, args.general.verbosity(&config));
    act(args.action, &config)?;
    Ok(0)
}

fn act(action: Action, config: &Config) -> Result<()> {
    match action {
        Action::Encrypt {
            secrets,
            encrypt,
            output,
            files,
        } => {
            one_file(&output, files.len())?;
            let secrets = load(&secrets, true, config)?;
            let key = Key::of(&secrets, &encrypt, config)?;
            files::encrypt(&files, output.as_deref(), &key)
        }
        Action::Decrypt {
            secrets,
            output,
            files,
        } => {
            one_file(&output, files.len())?;
            let secrets = load(&secrets, false, config)?;
            files::decrypt(&files, output.as_deref(), &secrets)
        }
        Action::View { secrets, files } => {
            let secrets = load(&secrets, false, config)?;
            files::view(&files, &secrets, config)
        }
        Action::Edit {
            secrets,
            encrypt: _,
            files,
        } => {
            let secrets = load(&secrets, false, config)?;
            edit::edit(&files, &secrets, config)
        }
        Action::Create {
            secrets,
            encrypt,
            skip_tty_check,
            files,
        } => {
            let [file] = &files[..] else {
                let msg = "ansible-vault create can take only one filename argument";
                return Err(Error::new(Kind::Options, msg));
            };
            let secrets = load(&secrets, true, config)?;
            let key = Key::of(&secrets, &encrypt, config)?;
            edit::create(file, skip_tty_check, &key, config)
        }
        Action::EncryptString {
            secrets,
            encrypt,
            strings,
        } => {
            one_file(&strings.output, strings.texts.len())?;
            let secrets = load(&secrets, true, config)?;
            let key = Key::of(&secrets, &encrypt, config)?;
            strings::encrypt(strings, &key)
        }
        Action::Rekey {
            secrets,
            encrypt,
            new_vault_password_file,
            new_vault_id,
            files,
        } => {
            let secrets = load(&secrets, false, config)?;
            let new = vault::Sources {
                ids: new_vault_id.as_slice(),
                files: new_vault_password_file.as_slice(),
                ask: false,
                new: true,
            }
            .load_only(config)?;
            let key = Key::of(&new, &encrypt, config)?;
            files::rekey(&files, &secrets, &key)
        }
    }
}

fn one_file(output: &Option<PathBuf>, files: usize) -> Result<()> {
    match output {
        Some(_) if files > 1 => Err(Error::new(
            Kind::Options,
            "At most one input file may be used with the --output option",
        )),
        _ => Ok(()),
    }
}
