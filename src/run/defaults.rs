//! What the command line and the settings say of connections: below keywords and variables.

use crate::config::Config;
use crate::connection::{Become, SshOptions, Target};
use crate::secret::Secret;
use std::path::PathBuf;

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct Defaults {
    pub connection: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub port: Option<u16>,
    pub private_key: Option<PathBuf>,
    pub timeout: u64,
    pub remote_tmp: String,
    pub shell: String,
    pub ssh: SshOptions,
    pub become_: bool,
    pub become_allow_same_user: bool,
    pub become_method: String,
    /// What each method has that rplay has.
    escalations: Vec<Become>,
}

impl Default for Defaults {
    fn default() -> Defaults {
        let local = Target::local("localhost");
        Defaults {
            connection: "ssh".to_string(),
            user: None,
            password: None,
            port: None,
            private_key: None,
            timeout: local.timeout,
            remote_tmp: local.remote_tmp,
            shell: local.shell,
            ssh: local.ssh,
            become_: false,
            become_allow_same_user: false,
            become_method: "sudo".to_string(),
            escalations: Vec::new(),
        }
    }
}

impl Defaults {
    pub fn new(options: &super::Options, config: &Config) -> Defaults {
        Defaults {
            connection: options
                .connection
                .clone()
                .unwrap_or_else(|| config.transport.clone()),
            user: options
                .remote_user
                .clone()
                .or_else(|| config.remote_user.clone()),
            password: options.connection_password.clone(),
            port: config.remote_port.and_then(|n| n.try_into().ok()),
            private_key: options
                .private_key
                .clone()
                .or_else(|| config.private_key_file.clone()),
            timeout: options
                .timeout
                .or(config.ssh_timeout)
                .unwrap_or(config.timeout)
                .into(),
            remote_tmp: config.remote_tmp.clone(),
            shell: config.executable.clone(),
            ssh: SshOptions {
                args: config.ssh_args.clone(),
                common_args: options
                    .ssh_common_args
                    .clone()
                    .or_else(|| config.ssh_common_args.clone())
                    .unwrap_or_default(),
                extra_args: options
                    .ssh_extra_args
                    .clone()
                    .or_else(|| config.ssh_extra_args.clone())
                    .unwrap_or_default(),
                executable: config.ssh_executable.clone(),
                host_key_checking: config
                    .ssh_host_key_checking
                    .unwrap_or(config.host_key_checking),
                retries: config.ssh_retries,
                password_prompt: config.sshpass_prompt.clone(),
                use_tty: config.ssh_use_tty,
                key: config.private_key.clone(),
                passphrase: config.private_key_passphrase.clone(),
                pkcs11: config.pkcs11_provider.clone(),
            },
            become_: options.become_ || config.r#become,
            become_allow_same_user: config.become_allow_same_user,
            become_method: options
                .become_method
                .clone()
                .unwrap_or_else(|| config.become_method.clone()),
            escalations: escalations(options, config),
        }
    }

    /// What is said of a method where neither variables nor keywords do.
    pub fn escalation(&self, method: &str) -> Become {
        let known = self.escalations.iter().find(|b| b.method == method);
        known.cloned().unwrap_or_else(|| Become {
            method: method.to_string(),
            user: "root".to_string(),
            ..Become::default()
        })
    }
}

/// The command line wins over what is said of one method, and that over what is said of all.
fn escalations(options: &super::Options, config: &Config) -> Vec<Become> {
    let method = |method: &str,
                  user: &Option<String>,
                  password: &Option<Secret>,
                  exe: &Option<String>,
                  flags: &Option<String>| Become {
        method: method.to_string(),
        user: options
            .become_user
            .clone()
            .or_else(|| user.clone())
            .unwrap_or_else(|| config.become_user.clone()),
        password: options
            .become_password
            .clone()
            .or_else(|| password.clone())
            .or_else(|| config.become_password.clone()),
        exe: exe.clone().or_else(|| config.become_exe.clone()),
        flags: flags.clone().or_else(|| config.become_flags.clone()),
        folder: None,
        prompts: Vec::new(),
    };
    let c = config;
    let sudo = method(
        "sudo",
        &c.sudo_user,
        &c.sudo_password,
        &c.sudo_exe,
        &c.sudo_flags,
    );
    let su = method("su", &c.su_user, &c.su_password, &c.su_exe, &c.su_flags);
    let doas = method(
        "doas",
        &c.doas_user,
        &c.doas_password,
        &c.doas_exe,
        &c.doas_flags,
    );
    vec![
        Become {
            folder: c.sudo_chdir.clone(),
            ..sudo
        },
        Become {
            prompts: c.su_prompts.clone(),
            ..su
        },
        Become {
            prompts: c.doas_prompts.clone(),
            ..doas
        },
    ]
}
