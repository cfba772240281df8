//! SSH keys of users, made by `ssh-keygen`.

use super::args::Args;
use super::failure;
use crate::machine::users::User as Account;
use crate::machine::{Machine, errno_text};
use crate::modules::Failure;
use crate::modules::common::tool;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// The fingerprint of the SSH key, as `ssh-keygen -l` shows it.
    ssh_fingerprint: String,
    /// The file of the SSH key.
    ssh_key_file: String,
    /// The public key.
    ssh_public_key: Option<String>,
}

/// Makes the key if it is missing, or with `force`.
pub fn generate(
    args: &Args,
    account: &Account,
    machine: &mut Machine,
    warnings: &mut Vec<String>,
) -> Result<Returns, Failure> {
    let home = Path::new(&account.home);
    if !machine.exists(home) && !machine.mode.check {
        let msg = format!("User {} home directory does not exist", args.name);
        return Err(failure(args, msg, 1));
    }
    let key = match &args.ssh_key_file {
        Some(file) => home.join(file.as_str()),
        None => home.join(format!(".ssh/id_{}", args.ssh_key_type)),
    };
    let public = PathBuf::from(format!("{}.pub", key.display()));
    let files = [("private", &key), ("public", &public)];
    let there = files.iter().find(|(_, file)| machine.exists(file));
    if let Some((what, file)) = there
        && !args.force
    {
        warnings.push(format!(
            "Found existing ssh key {what} file \"{}\", no force, so skipping ssh-keygen generation",
            file.display()
        ));
    } else {
        folder(args, account, &key, machine)?;
        for (what, path) in files {
            if machine.exists(path) {
                warnings.push(format!(
                    "Overwriting existing ssh key {what} file \"{}\"",
                    path.display()
                ));
                let gone = machine.remove(path);
                gone.map_err(|e| failure(args, errno_text(&e), 1))?;
            }
        }
        keygen(args, &key, machine)?;
        for path in [&key, &public] {
            if machine.exists(path) {
                let owned = machine.chown(path, Some(account.uid), Some(account.gid));
                owned.map_err(|e| failure(args, errno_text(&e), 1))?;
            }
        }
    }
    let public_key = machine.read(&public).ok();
    Ok(Returns {
        ssh_fingerprint: fingerprint(&key, machine)?,
        ssh_key_file: key.to_string_lossy().into_owned(),
        ssh_public_key: public_key.map(|k| String::from_utf8_lossy(&k).trim().to_string()),
    })
}

/// Makes the folder of the key.
fn folder(
    args: &Args,
    account: &Account,
    key: &Path,
    machine: &mut Machine,
) -> Result<(), Failure> {
    let Some(folder) = key.parent().filter(|f| !machine.exists(f)) else {
        return Ok(());
    };
    if machine.mode.check {
        return Ok(());
    }
    let made = machine
        .mkdir(folder)
        .and_then(|()| machine.chmod(folder, 0o700))
        .and_then(|_| machine.chown(folder, Some(account.uid), Some(account.gid)));
    made.map(|_| ()).map_err(|e| {
        let path = folder.display();
        let msg = format!("Failed to create {path}: {}: '{path}'", errno_text(&e));
        failure(args, msg, 1)
    })
}

fn keygen(args: &Args, key: &Path, machine: &mut Machine) -> Result<(), Failure> {
    let comment = match &args.ssh_key_comment {
        Some(comment) => comment.clone(),
        None => {
            let name = rustix::system::uname();
            format!("ansible-generated on {}", name.nodename().to_string_lossy())
        }
    };
    let mut words = vec![tool::find(machine, "ssh-keygen")?];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|w| w.to_string()));
    add(&["-t", &args.ssh_key_type, "-C", &comment]);
    add(&["-f", &key.to_string_lossy()]);
    if let Some(bits) = args.ssh_key_bits.filter(|b| *b > 0) {
        add(&["-b", &bits.to_string()]);
    }
    let passphrase = args.ssh_key_passphrase.as_deref().unwrap_or_default();
    if passphrase.is_empty() {
        add(&["-N", ""]);
    } else {
        // with no terminal and no helper to ask, it reads the passphrase from its input
        words.splice(0..0, [tool::find(machine, "setsid")?, "-w".to_string()]);
    }
    let mut command = tool::command(words);
    command
        .env
        .extend([("SSH_ASKPASS_REQUIRE".into(), "never".into())]);
    command.env.push(("DISPLAY".into(), String::new()));
    if !passphrase.is_empty() {
        command.stdin = Some(format!("{passphrase}\n{passphrase}\n").into_bytes());
    }
    let output = tool::perform(machine, &command, "an SSH key is made")?;
    match output.rc {
        0 => Ok(()),
        rc => Err(failure(args, output.stderr_text(), rc)),
    }
}

/// What `ssh-keygen -l` says of the key; nothing if there is none.
fn fingerprint(key: &Path, machine: &Machine) -> Result<String, Failure> {
    if !machine.exists(key) {
        return Ok(String::new());
    }
    let ssh_keygen = tool::find(machine, "ssh-keygen")?;
    let key = key.to_string_lossy();
    let output = tool::probe(machine, [ssh_keygen.as_str(), "-l", "-f", &key])?;
    Ok(match output.rc {
        0 => output.stdout_text().trim().to_string(),
        _ => output.stderr_text().trim().to_string(),
    })
}
