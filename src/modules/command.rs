//! Runs a program.

use super::common::command::{self, Returns};
use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::value::Value;
use schemars::JsonSchema;
use serde::Deserialize;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/command_module.html>
pub struct Command;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["_raw_params", "cmd", "argv"]],
    "required_one_of" = [["_raw_params", "cmd", "argv"]],
))]
pub struct Args {
    /// Runs the line by a shell.
    #[serde(default)]
    _uses_shell: bool,
    /// The command in one line, as free-form text.
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The command in one line.
    cmd: Option<String>,
    /// The command as a list of words, which need no quotes.
    argv: Option<Vec<String>>,
    /// A file name or pattern; if one exists, the command is not run.
    creates: Option<Path>,
    /// A file name or pattern; if none exists, the command is not run.
    removes: Option<Path>,
    /// The folder to run it in.
    chdir: Option<Path>,
    /// The shell to run the command with; for `shell` only.
    executable: Option<Path>,
    /// Text for the command's standard input.
    stdin: Option<String>,
    /// Adds a line break to `stdin`.
    #[serde(default = "yes")]
    stdin_add_newline: bool,
    /// Removes empty lines from the end of the output.
    #[serde(default = "yes")]
    strip_empty_ends: bool,
    /// Replaces `$NAME` and `~` in the words.
    #[serde(default = "yes")]
    expand_argument_vars: bool,
}

impl Module for Command {
    const NAME: &'static str = "command";
    const SHOWN_NAME: &'static str = "ansible.legacy.command";
    const EXAMPLES: &'static str = "
- name: Run a program in a folder
  ansible.builtin.command: cat passwd
  args:
    chdir: /etc

- name: Run a program once
  ansible.builtin.command:
    argv: [touch, a file]
    chdir: '{{ folder }}'
    creates: '{{ folder }}/a file'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let line = args.raw.or(args.cmd).unwrap_or_default();
        let listed = args.argv.is_some();
        let mut words = match args.argv {
            Some(words) => words,
            None if args._uses_shell => vec![line.clone()],
            None => command::split(&line)?,
        };
        if listed && words.is_empty() {
            return Err(Failure::new("Error executing command.")
                .because("list index out of range")
                .with("rc", 257)
                .with("cmd", "")
                .with("stdout", "")
                .with("stderr", ""));
        }
        if words.is_empty() {
            return Err(
                Failure::new("Argument 'args' to run_command must be list or string")
                    .with("rc", 257)
                    .with("cmd", Value::Null),
            );
        }
        if args._uses_shell {
            words = vec!["/bin/sh".into(), "-c".into(), words.join(" ")];
        }
        let run = command::Run {
            shown: match args._uses_shell {
                true => Value::from(line.as_str()),
                false => Value::list(words.iter().map(Value::str).collect()),
            },
            words,
            expand: args.expand_argument_vars && !args._uses_shell,
            line,
            creates: args.creates,
            removes: args.removes,
            chdir: args.chdir,
            stdin: args.stdin,
            stdin_add_newline: args.stdin_add_newline,
            strip_empty_ends: args.strip_empty_ends,
        };
        let mut returns = run.execute(machine)?;
        if let Some(shell) = args.executable {
            returns.warnings.push(format!(
                "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. \
                 Not using '{}'.",
                shell.as_str()
            ));
        }
        Ok(returns)
    }
}
