//! `rplay playbook`: ansible-playbook's options to a [`Options`].
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-playbook.html>

use super::options::Run;
use super::start;
use crate::config::Config;
use crate::report::callbacks;
use crate::run::options::Options;
use crate::{Error, Result};
use clap::Parser;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Runs Ansible playbooks: ansible-playbook's options, files and output, in one binary without Python.
#[derive(Parser, Debug)]
#[command(
    name = "rplay",
    infer_long_args = true,
    override_usage = "rplay [OPTIONS] PLAYBOOK...",
    after_help = "Also: rplay adhoc, config, galaxy, inventory, vault, as Ansible's programs of those names."
)]
pub struct Args {
    /// Playbook(s)
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,

    #[command(flatten)]
    run: Run,

    /// Only plays and tasks with these tags
    #[arg(short = 't', long, value_name = "TAGS")]
    tags: Vec<String>,

    /// Only plays and tasks without these tags
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,

    /// Ask before each task
    #[arg(long)]
    step: bool,

    /// Start at the task of this name
    #[arg(long, value_name = "TASK")]
    start_at_task: Option<String>,

    /// Run handlers even if a task fails
    #[arg(long)]
    force_handlers: bool,

    /// Check the playbook's syntax; run nothing
    #[arg(long)]
    syntax_check: bool,

    /// List the tasks; run nothing
    #[arg(long)]
    list_tasks: bool,

    /// List the tags; run nothing
    #[arg(long)]
    list_tags: bool,
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
    let args: Args = match super::arguments("rplay", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let config = start::settings(&args.run)?;
    let options = options(&args, &config)?;
    let (screen, settings) = start::screen(&options, &config);
    args.run.warn_of_no_effect();
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
    start::on_interrupt();
    let reporter = callbacks::configured(&config, &screen, &settings)?;
    crate::run::playbooks(&options, &config, reporter)
}

/// The options that `args` ask for over what `config` says; asks for passwords where told to.
pub fn options(args: &Args, config: &Config) -> Result<Options> {
    let or_default = |given: Vec<String>, default: &[String]| {
        if given.is_empty() {
            default.to_vec()
        } else {
            given
        }
    };
    let mut options = args.run.options(config)?;
    options.playbooks = args
        .playbooks
        .iter()
        .map(|name| match name.exists() {
            true => name.clone(),
            false => in_collection(name, config).unwrap_or_else(|| name.clone()),
        })
        .collect();
    options.tags = or_default(comma_separated(&args.tags), &config.run_tags);
    options.skip_tags = or_default(comma_separated(&args.skip_tags), &config.skip_tags);
    options.step = args.step;
    options.start_at_task = args.start_at_task.clone();
    options.force_handlers |= args.force_handlers;
    options.syntax_check = args.syntax_check;
    options.list.tasks = args.list_tasks;
    options.list.tags = args.list_tags;
    Ok(options)
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
            ("-f 0 p.yml", "must be >= 1"),
            ("-K --become-pass-file f p.yml", "cannot be used with"),
            ("-e /x p.yml", "without `@`"),
        ] {
            let error = parsed(words).expect_err(words);
            assert!(error.contains(said), "{words}: {error}");
        }
    }
}
