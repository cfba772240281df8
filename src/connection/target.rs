//! What a connection needs to know: resolved once per task from variables, keywords and settings.

use crate::secret::Secret;
use std::path::PathBuf;

/// Which host to reach, how, and as whom. Tasks with equal targets share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Name in the inventory, for messages.
    pub host: String,
    /// Bare name of the connection: `local`, `ssh`, `ssh2`, `openssh`, `docker`, `podman`, `chroot`.
    pub connection: String,
    /// `ansible_host`, or the name. For containers the container, for `chroot` the folder.
    pub address: String,
    /// `ansible_port`; ssh's own configuration may say another default than 22.
    pub port: Option<u16>,
    /// `ansible_user`; without it ssh's configuration or the local user.
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub private_key: Option<PathBuf>,
    pub ssh: SshOptions,
    /// Seconds to wait for a connection, and for a prompt of `become`.
    pub timeout: u64,
    /// Where temporary files may go on the host (`ansible_remote_tmp`).
    pub remote_tmp: String,
    /// The shell that starts things there (`ansible_shell_executable`).
    pub shell: String,
    /// The program of `docker`, `podman` and `chroot` connections, and arguments for it.
    pub executable: Option<String>,
    pub extra_args: Option<String>,
    /// Whom to become there.
    pub become_: Option<Become>,
}

/// The settings that only `ssh` connections have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SshOptions {
    /// `ansible_ssh_args`: in place of the usual arguments.
    pub args: Option<String>,
    /// `ansible_ssh_common_args`
    pub common_args: String,
    /// `ansible_ssh_extra_args`
    pub extra_args: String,
    /// `ansible_ssh_executable`
    pub executable: String,
    pub host_key_checking: bool,
    /// Further attempts to connect.
    pub retries: u32,
    /// Prompt of a password that the server asks for by keyboard-interactive (`ansible_sshpass_prompt`).
    pub password_prompt: Option<String>,
    /// Whether to ask for a terminal where one is needed (`ansible_ssh_use_tty`).
    pub use_tty: bool,
    /// A private key itself, where it is in no file (`ansible_private_key`).
    pub key: Option<Secret>,
    /// The password of the key, or of key files (`ansible_private_key_passphrase`).
    pub passphrase: Option<Secret>,
    /// A library for keys on smart cards (`ansible_ssh_pkcs11_provider`).
    pub pkcs11: Option<String>,
}

/// How to become another user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Become {
    /// `sudo`, `su`, `doas`
    pub method: String,
    pub user: String,
    pub password: Option<Secret>,
    pub exe: Option<String>,
    pub flags: Option<String>,
    /// The folder to be in when that begins (`ansible_sudo_chdir`).
    pub folder: Option<String>,
    /// What the question for a password may be, in place of what is recognized (`ansible_su_prompt_l10n`).
    pub prompts: Vec<String>,
}

impl Target {
    /// This machine, as the user who runs rplay.
    pub fn local(host: &str) -> Target {
        Target {
            host: host.to_string(),
            connection: "local".to_string(),
            address: host.to_string(),
            port: None,
            user: None,
            password: None,
            private_key: None,
            ssh: SshOptions::default(),
            timeout: 10,
            remote_tmp: "~/.ansible/tmp".to_string(),
            shell: "/bin/sh".to_string(),
            executable: None,
            extra_args: None,
            become_: None,
        }
    }

    /// The connection that this target shares with those who become others there.
    pub fn base(&self) -> Target {
        Target {
            become_: None,
            ..self.clone()
        }
    }
}
