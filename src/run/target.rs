//! Where a task's module runs, and as whom: variables over keywords over the command line over settings.
//!
//! See <https://docs.ansible.com/ansible/latest/reference_appendices/special_variables.html> and the pages of
//! the connection plugins for the variables' names.

use super::defaults::Defaults;
use super::executor::TaskRun;
use super::values::{number_of, text_of};
use crate::connection::{Become, SshOptions, Target};
use crate::error::Kind;
use crate::secret::Secret;
use crate::template::Templar;
use crate::value::{Dynamic, Value};
use crate::{Error, Result};
use std::path::PathBuf;

/// Where a task's module runs. A delegated task goes to the other host by that host's own variables.
pub fn resolve(run: &TaskRun<'_>, templar: &Templar, delegated: Option<&str>) -> Result<Target> {
    Resolver {
        run,
        templar,
        delegated,
        defaults: &run.world.run.connections,
    }
    .target()
}

/// Variables of connections that rplay accepts and needs not: it shares connections by itself, copies nothing
/// by other programs, and has no shell between itself and a module.
const WITHOUT_EFFECT: &[&str] = &[
    "ansible_control_path",
    "ansible_control_path_dir",
    "ansible_pipelining",
    "ansible_scp_executable",
    "ansible_scp_extra_args",
    "ansible_sftp_batch_mode",
    "ansible_sftp_executable",
    "ansible_sftp_extra_args",
    "ansible_shell_type",
    "ansible_ssh_password_mechanism",
    "ansible_ssh_pipelining",
    "ansible_ssh_transfer_method",
    "ansible_ssh_verbosity",
];

/// Seconds that becoming another user may take on this machine, without `ansible_local_become_success_timeout`.
const BECOME_TIMEOUT: u64 = 10;

struct Resolver<'a> {
    run: &'a TaskRun<'a>,
    templar: &'a Templar,
    delegated: Option<&'a str>,
    defaults: &'a Defaults,
}

impl Resolver<'_> {
    fn target(&self) -> Result<Target> {
        let defaults = self.defaults;
        let host = self.delegated.unwrap_or(self.run.host);
        let connection = self.connection(host)?;
        crate::connection::check(&connection).map_err(crate::Error::general)?;
        let local = connection == "local";
        let become_ = self.become_(&connection)?;
        let timeout = match local {
            // nothing but becoming another user takes time here
            true => match self.number(&["ansible_local_become_success_timeout"])? {
                Some(0) | None => BECOME_TIMEOUT,
                Some(seconds) => seconds,
            },
            false => match self.number(&["ansible_ssh_timeout", "ansible_timeout"])? {
                Some(seconds) => seconds,
                None => defaults.timeout,
            },
        };
        let mut target = Target {
            host: host.to_string(),
            address: host.to_string(),
            remote_tmp: match self.text(&["ansible_remote_tmp"])? {
                Some(tmp) => tmp,
                None => defaults.remote_tmp.clone(),
            },
            shell: match self.text(&["ansible_shell_executable"])? {
                Some(shell) => shell,
                None => defaults.shell.clone(),
            },
            timeout,
            become_,
            ..Target::local(host)
        };
        if !local {
            self.reach(&mut target, &connection)?;
        }
        if self.run.verbosity >= 2 {
            self.name_without_effect()?;
        }
        target.connection = connection;
        Ok(target)
    }

    fn connection(&self, host: &str) -> Result<String> {
        if let Some(named) = self.text(&["ansible_connection"])? {
            return Ok(named);
        }
        let keyword = self.keyword("connection", &self.run.task.resolved().connection)?;
        if let (Some(named), None) = (keyword, self.delegated) {
            return Ok(named);
        }
        let inventory = self.run.world.inventory();
        let implicit = crate::inventory::LOCALHOST.contains(&host)
            && inventory.host(host).is_none_or(|h| h.implicit);
        Ok(match implicit {
            true => "local".to_string(),
            false => self.defaults.connection.clone(),
        })
    }

    /// What only a connection to another machine needs.
    fn reach(&self, target: &mut Target, connection: &str) -> Result<()> {
        let (defaults, resolved) = (self.defaults, self.run.task.resolved());
        let bare = match connection.rsplit('.').next().unwrap_or_default() {
            "docker_api" => "docker",
            "paramiko_ssh" => "paramiko",
            bare => bare,
        };
        if let Some(address) = self.text(&[
            &format!("ansible_{bare}_host"),
            "ansible_ssh_host",
            "ansible_host",
        ])? {
            target.address = address;
        }
        target.port = match self.number(&["ansible_ssh_port", "ansible_port"])? {
            Some(port) => Some(port.try_into().map_err(|_| {
                Error::general(format!("{port} is no port of the host {}", target.host))
            })?),
            None => match self.keyword("port", &resolved.port)? {
                Some(port) => Some(port.trim().parse().map_err(|_| {
                    Error::general(format!(
                        "the keyword 'port' has the value '{port}', which is no port"
                    ))
                })?),
                None => defaults.port,
            },
        };
        let user = self.text(&[
            &format!("ansible_{bare}_user"),
            "ansible_ssh_user",
            "ansible_user",
        ])?;
        target.user = match user {
            Some(user) => Some(user),
            None => match self.delegated {
                None => self.keyword("remote_user", &resolved.remote_user)?,
                Some(_) => None,
            }
            .or_else(|| defaults.user.clone()),
        };
        let password = self.secret(&[
            "ansible_ssh_password",
            "ansible_ssh_pass",
            "ansible_password",
        ])?;
        target.password = password.or_else(|| defaults.password.clone());
        let key = self.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?;
        target.private_key = key
            .map(|path| PathBuf::from(crate::expand::path(&path)))
            .or_else(|| defaults.private_key.clone())
            .filter(|path| !path.as_os_str().is_empty());
        let ssh = &defaults.ssh;
        target.ssh = SshOptions {
            args: self
                .text(&["ansible_ssh_args"])?
                .or_else(|| ssh.args.clone()),
            common_args: self
                .text(&["ansible_ssh_common_args"])?
                .unwrap_or_else(|| ssh.common_args.clone()),
            extra_args: self
                .text(&["ansible_ssh_extra_args"])?
                .unwrap_or_else(|| ssh.extra_args.clone()),
            executable: self
                .text(&["ansible_ssh_executable"])?
                .unwrap_or_else(|| ssh.executable.clone()),
            host_key_checking: self
                .flag(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])?
                .unwrap_or(ssh.host_key_checking),
            retries: match self.number(&["ansible_ssh_retries"])? {
                Some(retries) => retries.try_into().unwrap_or(u32::MAX),
                None => ssh.retries,
            },
            password_prompt: self
                .text(&["ansible_sshpass_prompt"])?
                .or_else(|| ssh.password_prompt.clone()),
            use_tty: self.flag(&["ansible_ssh_use_tty"])?.unwrap_or(ssh.use_tty),
            key: self
                .secret(&["ansible_ssh_private_key", "ansible_private_key"])?
                .or_else(|| ssh.key.clone()),
            passphrase: self
                .secret(&[
                    "ansible_ssh_private_key_passphrase",
                    "ansible_private_key_passphrase",
                ])?
                .or_else(|| ssh.passphrase.clone()),
            pkcs11: self
                .text(&["ansible_ssh_pkcs11_provider"])?
                .or_else(|| ssh.pkcs11.clone())
                .filter(|p| !p.is_empty()),
        };
        target.executable = self.text(&[
            &format!("ansible_{bare}_exe"),
            &format!("ansible_{bare}_executable"),
        ])?;
        target.extra_args = self.text(&[&format!("ansible_{bare}_extra_args")])?;
        Ok(())
    }

    /// Says which variables of connections are set that rplay has no use for.
    fn name_without_effect(&self) -> Result<()> {
        for name in WITHOUT_EFFECT {
            if self.variable(&[name])?.is_some() {
                let text = format!("rplay does without the variable {name}");
                crate::notice::verbose(2, text);
            }
        }
        Ok(())
    }

    fn become_(&self, connection: &str) -> Result<Option<Become>> {
        let (defaults, resolved) = (self.defaults, self.run.task.resolved());
        let wanted = match self.flag(&["ansible_become"])? {
            Some(wanted) => wanted,
            None => self
                .run
                .flag("become", self.templar)?
                .unwrap_or(defaults.become_),
        };
        if !wanted {
            return Ok(None);
        }
        let method = match self.text(&["ansible_become_method"])? {
            Some(method) => method,
            None => self
                .keyword("become_method", &resolved.become_method)?
                .unwrap_or_else(|| defaults.become_method.clone()),
        };
        let method = method.rsplit('.').next().unwrap_or_default().to_string();
        let usual = defaults.escalation(&method);
        // `ansible_sudo_user` speaks of one method, `ansible_become_user` of all
        let own = |what: &str| format!("ansible_{method}_{what}");
        let user = match self.text(&[&own("user"), "ansible_become_user"])? {
            Some(user) => user,
            None => self
                .keyword("become_user", &resolved.become_user)?
                .unwrap_or(usual.user),
        };
        if !defaults.become_allow_same_user && connection == "local" {
            let known = crate::machine::users::user_by_name(&user);
            if known.is_some_and(|u| u.uid == rustix::process::geteuid().as_raw()) {
                return Ok(None);
            }
        }
        let password = self.secret(&[
            &own("pass"),
            "ansible_become_pass",
            "ansible_become_password",
        ])?;
        let exe = match self.text(&[&own("exe"), "ansible_become_exe"])? {
            Some(exe) => Some(exe),
            None => match &resolved.become_exe {
                Some(_) => self.keyword("become_exe", &resolved.become_exe)?,
                None => usual.exe,
            },
        };
        let flags = match self.text(&[&own("flags"), "ansible_become_flags"])? {
            Some(flags) => Some(flags),
            None => match &resolved.become_flags {
                Some(_) => self.keyword("become_flags", &resolved.become_flags)?,
                None => usual.flags,
            },
        };
        let folder = self.text(&[&own("chdir")])?.or(usual.folder);
        let prompts = match self.variable(&[&own("prompt_l10n")])? {
            Some(prompts) => texts_of(&prompts),
            None => usual.prompts,
        };
        Ok(Some(Become {
            password: password.or(usual.password),
            method,
            user,
            exe: exe.filter(|e| !e.is_empty()),
            flags,
            folder: folder.filter(|f| !f.is_empty()),
            prompts,
        }))
    }

    fn keyword(&self, name: &str, value: &Option<Value>) -> Result<Option<String>> {
        match value {
            Some(_) => {
                let value = self.run.keyword(name, self.templar)?;
                Ok(value.map(|(v, _)| text_of(&v)))
            }
            None => Ok(None),
        }
    }

    /// The first of the variables that is set.
    fn variable(&self, names: &[&str]) -> Result<Option<Value>> {
        for name in names {
            let value = match self.delegated {
                None => self.templar.get(name)?,
                Some(host) => {
                    let vars = crate::vars::HostVars {
                        world: self.run.world.clone(),
                        asked_by: self.run.host.into(),
                    };
                    match vars.get(host)? {
                        Some(Value::Dynamic(vars)) => vars.get(name)?,
                        _ => None,
                    }
                }
            };
            if let Some(value) = value.filter(|v| !v.is_null()) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>> {
        Ok(self.variable(names)?.map(|v| text_of(&v)))
    }

    fn secret(&self, names: &[&str]) -> Result<Option<Secret>> {
        Ok(self.text(names)?.map(|text| Secret::new(&text)))
    }

    fn flag(&self, names: &[&str]) -> Result<Option<bool>> {
        let value = self.variable(names)?;
        Ok(value.map(|v| crate::playbook::boolean(&v).unwrap_or(false)))
    }

    fn number(&self, names: &[&str]) -> Result<Option<u64>> {
        let Some(value) = self.variable(names)? else {
            return Ok(None);
        };
        match number_of(&value) {
            Some(n) if n >= 0.0 => Ok(Some(n as u64)),
            _ => Err(Error::new(
                Kind::General,
                format!(
                    "the variable {} is '{}', which is no number",
                    names[0],
                    text_of(&value)
                ),
            )),
        }
    }
}

/// Words of a list, or of a text with commas.
fn texts_of(value: &Value) -> Vec<String> {
    match value.as_list() {
        Some(items) => items.iter().map(text_of).collect(),
        None => {
            let text = text_of(value);
            let words = text.split(',').map(|w| w.trim().to_string());
            words.filter(|w| !w.is_empty()).collect()
        }
    }
}
