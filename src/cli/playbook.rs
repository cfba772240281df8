//! `rplay playbook`: ansible-playbook's options to a [`Options`].
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-playbook.html>

use super::extra_vars;
use crate::config::Config;
use crate::error::Kind;
use crate::report::screen::Screen;
use crate::report::settings::Settings;
use crate::report::{self, NoticeSettings, callbacks, colour};
use crate::run::options::{Listing, Options};
use crate::secret::Secret;
use crate::vars::cache;
use crate::vault::{self, Secrets};
use crate::{Error, Result, notice};
use clap::{ArgAction, Parser};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Runs Ansible playbooks: ansible-playbook's options, files and output, in one binary without Python.
#[derive(Parser, Debug)]
#[command(
    name = "rplay",
    infer_long_args = true,
    override_usage = "rplay [OPTIONS] PLAYBOOK...",
    disable_version_flag = true,
    after_help = "Also: rplay inventory --list|--graph|--host HOST (as ansible-inventory)."
)]
pub struct Args {
    /// Playbook(s)
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,

    /// Show rplay's version and what it is compatible with
    #[arg(long)]
    version: bool,

    /// Say more; up to -vvvvvv
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    verbose: u8,

    /// Show the lines of commands while they run, on standard error
    #[arg(long)]
    live: bool,

    /// Inventory: a file, a folder, a plugin (ec2), or hosts with commas; can be repeated
    #[arg(
        short = 'i',
        long,
        visible_alias = "inventory-file",
        value_name = "INVENTORY"
    )]
    inventory: Vec<String>,

    /// Only hosts that match this pattern too
    #[arg(
        short = 'l',
        long = "limit",
        value_name = "PATTERN",
        allow_hyphen_values = true
    )]
    limit: Option<String>,

    /// Variables: key=value, JSON, YAML or @file; can be repeated
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    extra_vars: Vec<String>,

    /// Only plays and tasks with these tags
    #[arg(short = 't', long, value_name = "TAGS")]
    tags: Vec<String>,

    /// Only plays and tasks without these tags
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,

    /// Change nothing; predict what would change
    #[arg(short = 'C', long)]
    check: bool,

    /// Show the differences in changed files
    #[arg(short = 'D', long)]
    diff: bool,

    /// Ask before each task
    #[arg(long)]
    step: bool,

    /// Start at the task of this name
    #[arg(long, value_name = "TASK")]
    start_at_task: Option<String>,

    /// Hosts worked on at the same time [default: 5]
    #[arg(short = 'f', long, value_name = "N")]
    forks: Option<usize>,

    /// Run handlers even if a task fails
    #[arg(long)]
    force_handlers: bool,

    /// Forget the cached facts of every host
    #[arg(long)]
    flush_cache: bool,

    /// Folder(s) with modules, separated by colons; can be repeated
    #[arg(short = 'M', long = "module-path", value_name = "PATH")]
    module_path: Vec<String>,

    /// Check the playbook's syntax; run nothing
    #[arg(long)]
    syntax_check: bool,

    /// List the matching hosts; run nothing
    #[arg(long)]
    list_hosts: bool,

    /// List the tasks; run nothing
    #[arg(long)]
    list_tasks: bool,

    /// List the tags; run nothing
    #[arg(long)]
    list_tags: bool,

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
        alias = "conn-pass-file",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    connection_password_file: Option<PathBuf>,

    /// Private key to log in with
    #[arg(
        long,
        alias = "key-file",
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
        alias = "become-pass-file",
        value_name = "FILE",
        help_heading = "Privilege escalation"
    )]
    become_password_file: Option<PathBuf>,

    /// A vault identity, label@source; can be repeated
    #[arg(long, value_name = "ID", help_heading = "Vault")]
    vault_id: Vec<String>,

    /// File with a vault password; can be repeated
    #[arg(
        long,
        alias = "vault-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_vault_password",
        help_heading = "Vault"
    )]
    vault_password_file: Vec<PathBuf>,

    /// Ask for the vault password
    #[arg(short = 'J', long, alias = "ask-vault-pass", help_heading = "Vault")]
    ask_vault_password: bool,
}

/// The file of a playbook that is named by its collection.
fn in_collection(name: &Path, config: &Config) -> Option<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let paths = &config.collections_path.0;
    crate::playbook::collections::playbook(name.to_str()?, &here, paths)
}

/// Runs playbooks; `args` are those after the program's (or subcommand's) name.
///
/// Returns the exit code: 2 for a command line that cannot be understood.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args = std::iter::once(OsString::from("rplay")).chain(args);
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(e) => {
            let code = e.exit_code();
            // a closed pipe is no reason for another exit code
            let _ = e.print();
            return Ok(code);
        }
    };
    if args.version {
        print!("{}", super::version::text());
        return Ok(0);
    }
    let screen = Screen::standard(colour::wanted_by_environment());
    let notices = NoticeSettings {
        verbosity: args.verbose,
        ..NoticeSettings::default()
    };
    report::show_notices(&screen, notices);
    report::log::expect();
    if args.verbose >= 2 {
        notice::verbose(2, super::version::text().trim_end());
    }
    let config = Config::load()?;
    report::log::open(&config);
    notice::verbose(
        1,
        match &config.file {
            Some(path) => format!("Using {} as config file", path.display()),
            None => "No config file found; using defaults".to_string(),
        },
    );
    refuse_settings(&config)?;
    let vault_password = password(
        args.ask_vault_password || config.ask_vault_pass,
        "Vault password: ",
        None,
    )?;
    crate::yaml::set_duplicates(config.duplicate_dict_key);
    vault::set(Secrets::load(
        &args.vault_id,
        &args.vault_password_file,
        vault_password.as_ref().map(Secret::reveal),
        &config,
    )?);
    let options = options(&args, &config)?;
    let screen = Screen::standard(match (config.force_color, config.nocolor) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    });
    let settings = Settings::new(&options, &config);
    let notices = NoticeSettings {
        palette: settings.palette.clone(),
        verbosity: options.verbosity,
        hide_warnings: !config.system_warnings,
        hide_deprecations: !config.deprecation_warnings,
        verbose_to_stderr: config.verbose_to_stderr,
    };
    report::show_notices(&screen, notices);
    warn_of_no_effect(&args);
    for playbook in &options.playbooks {
        if !playbook.exists() {
            return Err(Error::general(format!(
                "the playbook: {} could not be found",
                playbook.display()
            )));
        }
        if !playbook.is_file() {
            return Err(Error::general(format!(
                "the playbook: {} does not appear to be a file",
                playbook.display()
            )));
        }
    }
    on_interrupt();
    let reporter = callbacks::configured(&config, &screen, &settings)?;
    crate::run::playbooks(&options, &config, reporter)
}

/// Ctrl-C ends the run with ansible-playbook's exit code.
fn on_interrupt() {
    // fails only if something else listens already, which then decides
    let _ = ctrlc::set_handler(|| {
        report::print_error(&Error::new(Kind::Interrupted, "User interrupted execution"));
        std::process::exit(Kind::Interrupted.exit_code());
    });
}

/// Settings that would change what the user sees and that nothing here obeys yet.
fn refuse_settings(config: &Config) -> Result<()> {
    let refused = |what: String| {
        Err(Error::new(Kind::Options, what).hint("remove the setting or use its default"))
    };
    if !matches!(config.result_format.as_str(), "json" | "yaml") {
        return refused(format!(
            "callback_result_format = {}: it must be json or yaml",
            config.result_format
        ));
    }
    if !cache::is_json_file(&config.fact_caching) && !cache::is_memory(&config.fact_caching) {
        return refused(format!(
            "fact_caching = {}: rplay can keep facts in files of JSON only (`jsonfile`), or in memory (`memory`)",
            config.fact_caching
        ));
    }
    Ok(())
}

/// The options that `args` ask for over what `config` says; asks for passwords where told to.
pub fn options(args: &Args, config: &Config) -> Result<Options> {
    if args.forks == Some(0) {
        return Err(usage(
            "the number of processes (--forks) must be at least 1",
        ));
    }
    let files = (&args.connection_password_file, &args.become_password_file);
    let ask_pass = args.ask_pass || config.ask_pass && files.0.is_none();
    let ask_become_pass = args.ask_become_pass || config.become_ask_pass && files.1.is_none();
    let connection_password = password(
        ask_pass,
        "SSH password: ",
        files
            .0
            .as_ref()
            .or(config.connection_password_file.as_ref()),
    )?;
    let prompt = if ask_pass {
        "BECOME password[defaults to SSH password]: "
    } else {
        "BECOME password: "
    };
    let mut become_password = password(
        ask_become_pass,
        prompt,
        files.1.as_ref().or(config.become_password_file.as_ref()),
    )?;
    if ask_become_pass
        && become_password
            .as_ref()
            .is_some_and(|p| p.reveal().is_empty())
    {
        become_password = connection_password.clone();
    }
    let or_default = |given: Vec<String>, default: &[String]| {
        if given.is_empty() {
            default.to_vec()
        } else {
            given
        }
    };
    Ok(Options {
        playbooks: args
            .playbooks
            .iter()
            .map(|name| match name.exists() {
                true => name.clone(),
                false => in_collection(name, config).unwrap_or_else(|| name.clone()),
            })
            .collect(),
        inventory: or_default(args.inventory.clone(), &config.inventory.0),
        limit: args.limit.clone(),
        extra_vars: extra_vars::load(&args.extra_vars)?,
        tags: or_default(comma_separated(&args.tags), &config.run_tags),
        skip_tags: or_default(comma_separated(&args.skip_tags), &config.skip_tags),
        check: args.check,
        diff: args.diff || config.diff_always,
        step: args.step,
        start_at_task: args.start_at_task.clone(),
        forks: args.forks.unwrap_or(config.forks),
        force_handlers: args.force_handlers || config.force_handlers,
        flush_cache: args.flush_cache,
        module_path: args
            .module_path
            .iter()
            .flat_map(|p| p.split(':'))
            .filter(|p| !p.is_empty())
            .map(PathBuf::from)
            .collect(),
        verbosity: if args.verbose > 0 {
            args.verbose
        } else {
            u8::try_from(config.verbosity).unwrap_or(u8::MAX)
        },
        live: match args.live {
            true => crate::config::Live::Lines,
            false => config.live,
        },
        syntax_check: args.syntax_check,
        list: Listing {
            hosts: args.list_hosts,
            tasks: args.list_tasks,
            tags: args.list_tags,
        },
        connection: args.connection.clone(),
        remote_user: args.remote_user.clone(),
        private_key: args.private_key.clone(),
        timeout: args.timeout,
        ssh_common_args: args.ssh_common_args.clone(),
        ssh_extra_args: args.ssh_extra_args.clone(),
        sftp_extra_args: args.sftp_extra_args.clone(),
        scp_extra_args: args.scp_extra_args.clone(),
        connection_password,
        become_: args.become_,
        become_method: args.become_method.clone(),
        become_user: args.become_user.clone(),
        become_password,
    })
}

/// Says which of the given options nothing listens to yet.
fn warn_of_no_effect(args: &Args) {
    for (given, option) in [
        (args.sftp_extra_args.is_some(), "--sftp-extra-args"),
        (args.scp_extra_args.is_some(), "--scp-extra-args"),
    ] {
        if given {
            notice::warning(format!(
                "{option} has no effect: rplay sends files over its own channel"
            ));
        }
    }
}

fn usage(message: &str) -> Error {
    Error::new(Kind::Usage, message)
}

/// `-t a,b -t c` is a, b and c.
fn comma_separated(options: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in options.iter().flat_map(|o| o.split(',')) {
        let part = part.trim();
        if !part.is_empty() && !all.iter().any(|a| a == part) {
            all.push(part.to_string());
        }
    }
    all
}

/// A password asked for on the terminal, or the contents of a file; an executable file is run for it.
fn password(ask: bool, prompt: &str, file: Option<&PathBuf>) -> Result<Option<Secret>> {
    if ask {
        let text = crate::terminal::secret(prompt).map_err(|e| {
            Error::new(Kind::Options, format!("cannot ask for a password: {e}"))
                .hint("without a terminal use --connection-password-file or --become-password-file")
        })?;
        return Ok(Some(Secret::new(&text)));
    }
    let Some(path) = file else { return Ok(None) };
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Options,
            format!("cannot read the password file {}: {e}", path.display()),
        )
    };
    use std::os::unix::fs::PermissionsExt;
    let meta = std::fs::metadata(path).map_err(failed)?;
    let text = if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        let output = std::process::Command::new(path.canonicalize().map_err(failed)?)
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(failed)?;
        if !output.status.success() {
            return Err(Error::new(
                Kind::Options,
                format!(
                    "the password script {} failed: {}",
                    path.display(),
                    output.status
                ),
            ));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        std::fs::read_to_string(path).map_err(failed)?
    };
    let text = text.trim_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Error::new(
            Kind::Options,
            format!("the password file {} is empty", path.display()),
        ));
    }
    Ok(Some(Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Options, String> {
        let words = std::iter::once("rplay").chain(words.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|e| e.to_string())?;
        options(&args, &Config::load().map_err(|e| e.to_string())?).map_err(|e| e.to_string())
    }

    #[test]
    fn options_are_ansible_playbooks() {
        let options = parsed(
            "-i a,b, --inventory-file hosts -l !x -t a,b --tags b,c --skip-tags=d -CD -vvv -f 7 \
             --start-at T -e a=1 -M /m:/n -u bob -b --become-user eve --list-ta --list-ho p.yml q.yml",
        );
        // `--list-ta` could be two options
        assert!(options.is_err_and(|e| e.contains("--list-ta")));
        let options = parsed(
            "-i a,b, --inventory-file hosts -l !x -t a,b --tags b,c --skip-tags=d -CD -vvv -f 7 \
             --start-at T -e a=1 -M /m:/n -u bob -b --become-user eve --list-tas --list-ho p.yml q.yml",
        )
        .unwrap();
        assert_eq!(
            options.playbooks,
            [PathBuf::from("p.yml"), PathBuf::from("q.yml")]
        );
        assert_eq!(options.inventory, ["a,b,", "hosts"]);
        assert_eq!(options.limit.as_deref(), Some("!x"));
        assert_eq!(options.tags, ["a", "b", "c"]);
        assert_eq!(options.skip_tags, ["d"]);
        assert!(options.check && options.diff && options.become_);
        assert_eq!((options.verbosity, options.forks), (3, 7));
        assert_eq!(options.start_at_task.as_deref(), Some("T"));
        assert_eq!(
            options.module_path,
            [PathBuf::from("/m"), PathBuf::from("/n")]
        );
        assert!(options.list.tasks && options.list.hosts && !options.list.tags);
    }

    #[test]
    fn a_wrong_command_line_is_told_in_clear_words() {
        for (words, said) in [
            ("", "required"),
            ("--nope p.yml", "'--nope'"),
            ("-f x p.yml", "invalid value 'x'"),
            ("-f 0 p.yml", "must be at least 1"),
            ("-K --become-pass-file f p.yml", "cannot be used with"),
            ("-e /x p.yml", "without `@`"),
        ] {
            let error = parsed(words).expect_err(words);
            assert!(error.contains(said), "{words}: {error}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }
}
