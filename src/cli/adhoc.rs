//! `rplay adhoc`: one task on hosts, without a playbook: the command `ansible`.
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible.html>

use super::options::{BaseDir, Run};
use super::start;
use crate::config::Config;
use crate::report::callbacks;
use crate::run::AdHoc;
use crate::source::Location;
use crate::{Result, notice};
use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs a single task on hosts, without a playbook.
#[derive(Parser, Debug)]
#[command(name = "rplay adhoc", infer_long_args = true)]
struct Args {
    /// Which hosts
    #[arg(required = true, value_name = "PATTERN")]
    pattern: String,

    /// The module to run [default: command]
    #[arg(
        short = 'm',
        long,
        value_name = "MODULE",
        overrides_with = "module_name"
    )]
    module_name: Option<String>,

    /// Its arguments: key=value ..., a dictionary in JSON, or a command line
    #[arg(
        short = 'a',
        long = "args",
        value_name = "ARGS",
        allow_hyphen_values = true,
        overrides_with = "module_args"
    )]
    module_args: Option<String>,

    /// Run in the background, for at most so many seconds
    #[arg(
        short = 'B',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    background: Option<i64>,

    /// With -B: seconds between two looks at the task; 0 for none [default: 15]
    #[arg(
        short = 'P',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    poll: Option<i64>,

    /// Stop the task after so many seconds
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    task_timeout: Option<i64>,

    /// One line for each result
    #[arg(short = 'o', long)]
    one_line: bool,

    /// Write each host's result into a file in this folder
    #[arg(short = 't', long, value_name = "FOLDER")]
    tree: Option<PathBuf>,

    #[command(flatten)]
    base: BaseDir,

    #[command(flatten)]
    run: Run,
}

/// Runs the subcommand; `args` are those after its name. Returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args: Args = match super::arguments("rplay adhoc", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let mut config = start::settings(&args.run)?;
    args.choose_reports(&mut config);
    let options = args.run.options(&config)?;
    let (screen, settings) = start::screen(&options, &config);
    args.run.warn_of_no_effect();
    let reporter = callbacks::configured(&config, &screen, &settings)?;
    start::on_interrupt();
    crate::run::adhoc(&args.command(&config), &options, &config, reporter)
}

impl Args {
    /// Who reports: `minimal`, unless something else is asked for.
    fn choose_reports(&self, config: &mut Config) {
        // what is set for playbooks counts only where that is asked for
        if !config.bin_ansible_callbacks || config.stdout_callback == "default" {
            config.stdout_callback = "minimal".into();
        }
        if !config.bin_ansible_callbacks {
            config.callbacks_enabled.clear();
            config.callbacks_whitelist.clear();
        }
        if let Some(folder) = &self.tree {
            deprecated("-t", "tree");
            config.callbacks_enabled.push("tree".into());
            config.tree_directory = crate::search::expand_home(&folder.to_string_lossy());
        }
        if self.one_line {
            deprecated("-o", "oneline");
            config.stdout_callback = "oneline".into();
        }
    }

    fn command(&self, config: &Config) -> AdHoc {
        let dir = self.base.named(config).unwrap_or_else(|| ".".into());
        AdHoc {
            pattern: self.pattern.clone(),
            module: self
                .module_name
                .clone()
                .unwrap_or_else(|| config.module_name.clone()),
            module_at: match &self.module_name {
                Some(name) => Location::loose("<CLI option '-m'>", name.as_str()),
                None => place_of_setting("module_name", &config.module_name, config),
            },
            args: self
                .module_args
                .as_ref()
                .or(config.module_args.as_ref())
                .cloned(),
            args_from: match &self.module_args {
                Some(_) => "<CLI option '-a'>".into(),
                None => place_of_setting("module_args", "", config)
                    .source
                    .name
                    .clone(),
            },
            background: self.background.unwrap_or(0),
            poll: self.poll.unwrap_or_else(|| config.poll_interval.into()),
            timeout: self
                .task_timeout
                .unwrap_or_else(|| config.task_timeout.into()),
            dir: dir.canonicalize().unwrap_or(dir),
        }
    }
}

/// Says that ansible-core is going to drop an option.
fn deprecated(option: &str, callback: &str) {
    notice::deprecated(format!(
        "The '{option}' argument is deprecated. This feature will be removed from ansible-core version 2.23. \
         Use callback configuration to enable the {callback} callback instead."
    ));
}

/// Where the value of a setting is from, in the words of Ansible.
fn place_of_setting(field: &str, value: &str, config: &Config) -> Location {
    let origin = config.origin_of_field(field);
    match origin.starts_with('/') {
        true => Location::loose(
            format!("{origin} (section 'defaults' option '{field}')"),
            "",
        ),
        false => Location::loose(format!("<Config {origin}>"), value),
    }
}
