//! Runs a line of shell.

use super::common::command::{Returns, Run, quote};
use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::value::Value;
use schemars::JsonSchema;
use serde::Deserialize;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/shell_module.html>
pub struct Shell;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "internal" = ["_uses_shell"],
    "mutually_exclusive" = [["_raw_params", "cmd", "argv"]],
    "required_one_of" = [["_raw_params", "cmd", "argv"]],
))]
pub struct Args {
    /// The line, as free-form text.
    #[serde(rename = "_raw_params")]
    raw: Option<String>,
    /// The line.
    cmd: Option<String>,
    /// The words of the line, which need no quotes.
    argv: Option<Vec<String>>,
    /// A file name or pattern; if one exists, the line is not run.
    creates: Option<Path>,
    /// A file name or pattern; if none exists, the line is not run.
    removes: Option<Path>,
    /// The folder to run it in.
    chdir: Option<Path>,
    /// The shell to use instead of `/bin/sh`; an absolute path.
    executable: Option<Path>,
    /// Text for its standard input.
    stdin: Option<String>,
    /// Adds a line break to `stdin`.
    #[serde(default = "yes")]
    stdin_add_newline: bool,
    /// Removes empty lines from the end of the output.
    #[serde(default = "yes")]
    strip_empty_ends: bool,
    /// Of `command` only.
    expand_argument_vars: Option<Value>,
}

impl Module for Shell {
    const NAME: &'static str = "shell";
    const SHOWN_NAME: &'static str = "ansible.legacy.command";
    const EXAMPLES: &'static str = "
- name: Use a pipe
  ansible.builtin.shell: cut -d ':' -f1 /etc/passwd | sort | head -n 1
  changed_when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if args.expand_argument_vars.is_some() {
            let msg = "Unsupported parameters for (shell) module: expand_argument_vars";
            let mut failure = Failure::new(msg);
            failure.words = Some(format!("Task failed: {msg}"));
            return Err(failure);
        }
        let (line, shown) = match args.argv {
            Some(words) => {
                let quoted: Vec<String> = words.iter().map(|w| quote(w)).collect();
                let shown = Value::list(words.iter().map(Value::str).collect());
                (quoted.join(" "), shown)
            }
            None => {
                let line = args.raw.or(args.cmd).unwrap_or_default();
                (line.clone(), Value::from(line))
            }
        };
        if line.trim().is_empty() {
            return Err(Failure::new("no command given")
                .with("rc", 257)
                .with("cmd", ""));
        }
        let shell = args
            .executable
            .map_or_else(|| "/bin/sh".to_string(), |e| e.0);
        Run {
            words: vec![shell, "-c".to_string(), line.clone()],
            shown,
            expand: false,
            line,
            creates: args.creates,
            removes: args.removes,
            chdir: args.chdir,
            stdin: args.stdin,
            stdin_add_newline: args.stdin_add_newline,
            strip_empty_ends: args.strip_empty_ends,
        }
        .execute(machine)
    }
}
