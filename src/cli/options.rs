//! Options that several subcommands have, each written once: the subcommands flatten these groups into their own.
//!
//! The groups are those of Ansible's programs, see <https://docs.ansible.com/ansible/latest/command_guide/command_line_tools.html>.

use super::{extra_vars, password};
use crate::config::{Config, Live};
use crate::error::Kind;
use crate::run::options::Options;
use crate::secret::Secret;
use crate::vault::{self, Secrets};
use crate::{Error, Result, notice};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// What every subcommand has.
#[derive(Args, Debug, Default)]
pub struct General {
    /// Say more; up to -vvvvvv
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Show rplay's version and what it is compatible with
    // looked for before the arguments are read, some of which may be missing
    #[arg(long = "version")]
    _version: bool,
}

impl General {
    /// How much is to be said.
    pub fn verbosity(&self, config: &Config) -> u8 {
        match self.verbose {
            0 => u8::try_from(config.verbosity).unwrap_or(u8::MAX),
            given => given,
        }
    }
}

/// Which hosts there are, and which of them are meant.
#[derive(Args, Debug, Default)]
pub struct Hosts {
    /// Inventory: a file, a folder, a plugin (ec2), or hosts with commas; can be repeated
    #[arg(
        short = 'i',
        long,
        visible_alias = "inventory-file",
        value_name = "INVENTORY"
    )]
    pub inventory: Vec<String>,

    /// Only hosts that match this pattern too
    #[arg(
        short = 'l',
        long = "limit",
        value_name = "PATTERN",
        allow_hyphen_values = true
    )]
    pub limit: Option<String>,

    /// Forget the cached facts of every host
    #[arg(long)]
    pub flush_cache: bool,
}

impl Hosts {
    /// The sources of the inventory: those of the settings where the command line names none.
    pub fn sources(&self, config: &Config) -> Vec<String> {
        match self.inventory.is_empty() {
            true => config.inventory.0.clone(),
            false => self.inventory.clone(),
        }
    }
}

/// Variables of the command line.
#[derive(Args, Debug, Default)]
pub struct Vars {
    /// Variables: key=value, JSON, YAML or @file; can be repeated
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    pub extra_vars: Vec<String>,
}

/// The folder that stands for the playbook's.
#[derive(Args, Debug, Default)]
pub struct BaseDir {
    /// The folder that stands for the playbook's: its group_vars, host_vars and roles count
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<PathBuf>,
}

impl BaseDir {
    /// The folder, of the settings where the command line names none.
    pub fn named(&self, config: &Config) -> Option<PathBuf> {
        self.playbook_dir
            .clone()
            .or_else(|| config.playbook_dir.clone())
    }
}

/// Where vault passwords come from.
#[derive(Args, Debug, Default)]
pub struct Vault {
    /// Vault password source: file, program or prompt, with a label before it: label@source; can be repeated
    #[arg(long, value_name = "ID", help_heading = "Vault")]
    pub vault_id: Vec<String>,

    /// Vault password file; an executable one is run; can be repeated
    #[arg(
        long,
        visible_alias = "vault-pass-file",
        value_name = "FILE",
        help_heading = "Vault"
    )]
    pub vault_password_file: Vec<PathBuf>,

    /// Ask for the vault password
    #[arg(
        short = 'J',
        long,
        visible_alias = "ask-vault-pass",
        conflicts_with = "vault_password_file",
        help_heading = "Vault"
    )]
    pub ask_vault_password: bool,
}

impl Vault {
    /// Makes the passwords known to all that reads files. Asks for one where told to.
    pub fn provide(&self, config: &Config) -> Result<()> {
        let typed = match self.ask_vault_password || config.ask_vault_pass {
            true => Some(password::ask("Vault password: ", "--vault-password-file")?),
            false => None,
        };
        vault::set(Secrets::load(
            &self.vault_id,
            &self.vault_password_file,
            typed.as_ref().map(Secret::reveal),
            config,
        )?);
        Ok(())
    }
}

/// How to reach hosts.
#[derive(Args, Debug, Default)]
pub struct Connection {
    /// How to reach hosts: ssh, local
    #[arg(
        short = 'c',
        long,
        value_name = "CONNECTION",
        help_heading = "Connection"
    )]
    connection: Option<String>,

    /// Connect as this user
    #[arg(
        short = 'u',
        long = "user",
        value_name = "USER",
        help_heading = "Connection"
    )]
    remote_user: Option<String>,

    /// Ask for the connection's password
    #[arg(
        short = 'k',
        long,
        conflicts_with = "connection_password_file",
        help_heading = "Connection"
    )]
    ask_pass: bool,

    /// File with the connection's password
    #[arg(
        long,
        visible_alias = "conn-pass-file",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    connection_password_file: Option<PathBuf>,

    /// Private key to log in with
    #[arg(
        long,
        visible_alias = "key-file",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    private_key: Option<PathBuf>,

    /// Seconds to wait for a connection
    #[arg(short = 'T', long, value_name = "SECONDS", help_heading = "Connection")]
    timeout: Option<u32>,

    /// Arguments for ssh, sftp and scp
    #[arg(
        long,
        value_name = "ARGS",
        allow_hyphen_values = true,
        help_heading = "Connection"
    )]
    ssh_common_args: Option<String>,

    /// Arguments for ssh alone
    #[arg(
        long,
        value_name = "ARGS",
        allow_hyphen_values = true,
        help_heading = "Connection"
    )]
    ssh_extra_args: Option<String>,

    /// Arguments for sftp alone
    #[arg(
        long,
        value_name = "ARGS",
        allow_hyphen_values = true,
        help_heading = "Connection"
    )]
    sftp_extra_args: Option<String>,

    /// Arguments for scp alone
    #[arg(
        long,
        value_name = "ARGS",
        allow_hyphen_values = true,
        help_heading = "Connection"
    )]
    scp_extra_args: Option<String>,
}

/// Whom to become on hosts.
#[derive(Args, Debug, Default)]
pub struct Become {
    /// Run tasks as another user
    #[arg(short = 'b', long = "become", help_heading = "Privilege escalation")]
    become_: bool,

    /// How to become that user [default: sudo]
    #[arg(long, value_name = "METHOD", help_heading = "Privilege escalation")]
    become_method: Option<String>,

    /// The user to become [default: root]
    #[arg(long, value_name = "USER", help_heading = "Privilege escalation")]
    become_user: Option<String>,

    /// Ask for the password to become that user
    #[arg(
        short = 'K',
        long,
        conflicts_with = "become_password_file",
        help_heading = "Privilege escalation"
    )]
    ask_become_pass: bool,

    /// File with the password to become that user
    #[arg(
        long,
        visible_alias = "become-pass-file",
        value_name = "FILE",
        help_heading = "Privilege escalation"
    )]
    become_password_file: Option<PathBuf>,
}

/// All that runs tasks has these: on which hosts, as whom, and how.
#[derive(Args, Debug, Default)]
pub struct Run {
    #[command(flatten)]
    pub general: General,

    /// Show the lines of commands while they run, on standard error
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    hosts: Hosts,

    #[command(flatten)]
    vars: Vars,

    /// Change nothing; predict what would change
    #[arg(short = 'C', long)]
    check: bool,

    /// Show the differences in changed files
    #[arg(short = 'D', long)]
    diff: bool,

    /// Hosts worked on at the same time [default: 5]
    #[arg(short = 'f', long, value_name = "N", allow_negative_numbers = true)]
    forks: Option<i64>,

    /// Folder(s) with modules, separated by colons; can be repeated
    #[arg(short = 'M', long = "module-path", value_name = "PATH")]
    module_path: Vec<String>,

    /// List the matching hosts; run nothing
    #[arg(long)]
    list_hosts: bool,

    #[command(flatten)]
    connection: Connection,

    #[command(flatten)]
    escalation: Become,

    #[command(flatten)]
    pub vault: Vault,
}

impl Run {
    /// What these options ask for over what `config` says; asks for passwords where told to.
    pub fn options(&self, config: &Config) -> Result<Options> {
        let forks = match self.forks.map(usize::try_from) {
            None => config.forks,
            Some(Ok(forks)) if forks > 0 => forks,
            Some(_) => {
                let words = "The number of processes (--forks) must be >= 1";
                return Err(Error::new(Kind::Usage, words));
            }
        };
        let (connection_password, become_password) = self.passwords(config)?;
        let mut options = Options {
            inventory: self.hosts.sources(config),
            limit: self.hosts.limit.clone(),
            flush_cache: self.hosts.flush_cache,
            extra_vars: extra_vars::load(&self.vars.extra_vars)?,
            check: self.check,
            diff: self.diff || config.diff_always,
            forks,
            force_handlers: config.force_handlers,
            module_path: self
                .module_path
                .iter()
                .flat_map(|p| p.split(':'))
                .filter(|p| !p.is_empty())
                .map(PathBuf::from)
                .collect(),
            verbosity: self.general.verbosity(config),
            live: match self.live {
                true => Live::Lines,
                false => config.live,
            },
            connection: self.connection.connection.clone(),
            remote_user: self.connection.remote_user.clone(),
            private_key: self.connection.private_key.clone(),
            timeout: self.connection.timeout,
            ssh_common_args: self.connection.ssh_common_args.clone(),
            ssh_extra_args: self.connection.ssh_extra_args.clone(),
            sftp_extra_args: self.connection.sftp_extra_args.clone(),
            scp_extra_args: self.connection.scp_extra_args.clone(),
            connection_password,
            become_: self.escalation.become_,
            become_method: self.escalation.become_method.clone(),
            become_user: self.escalation.become_user.clone(),
            become_password,
            ..Options::default()
        };
        options.list.hosts = self.list_hosts;
        Ok(options)
    }

    /// The passwords to log in with and to become another user with.
    fn passwords(&self, config: &Config) -> Result<(Option<Secret>, Option<Secret>)> {
        let files = (
            &self.connection.connection_password_file,
            &self.escalation.become_password_file,
        );
        let ask_pass = self.connection.ask_pass || config.ask_pass && files.0.is_none();
        let ask_become_pass =
            self.escalation.ask_become_pass || config.become_ask_pass && files.1.is_none();
        let login = match ask_pass {
            true => Some(password::ask(
                "SSH password: ",
                "--connection-password-file",
            )?),
            false => password::from_file(
                files
                    .0
                    .as_ref()
                    .or(config.connection_password_file.as_ref()),
            )?,
        };
        let prompt = match ask_pass {
            true => "BECOME password[defaults to SSH password]: ",
            false => "BECOME password: ",
        };
        let escalation = match ask_become_pass {
            true => Some(password::ask(prompt, "--become-password-file")?),
            false => {
                password::from_file(files.1.as_ref().or(config.become_password_file.as_ref()))?
            }
        };
        match &escalation {
            Some(typed) if ask_become_pass && typed.reveal().is_empty() => {
                Ok((login.clone(), login))
            }
            _ => Ok((login, escalation)),
        }
    }

    /// Says which of the given options nothing listens to.
    pub fn warn_of_no_effect(&self) {
        for (given, option) in [
            (
                self.connection.sftp_extra_args.is_some(),
                "--sftp-extra-args",
            ),
            (self.connection.scp_extra_args.is_some(), "--scp-extra-args"),
        ] {
            if given {
                notice::warning(format!(
                    "{option} has no effect: rplay sends files over its own channel"
                ));
            }
        }
    }
}
