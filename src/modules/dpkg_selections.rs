//! What dpkg is to do with a package when it is next asked to install, upgrade or remove.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Command, Machine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/dpkg_selections_module.html>
pub struct DpkgSelections;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The package.
    name: String,
    /// What is selected for it; the package itself is left as it is.
    selection: Selection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("order" = ["install", "hold", "deinstall", "purge"]))]
enum Selection {
    Install,
    Hold,
    Deinstall,
    Purge,
}

impl Selection {
    fn word(self) -> &'static str {
        match self {
            Selection::Install => "install",
            Selection::Hold => "hold",
            Selection::Deinstall => "deinstall",
            Selection::Purge => "purge",
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    before: String,
    after: Selection,
}

impl Module for DpkgSelections {
    const NAME: &'static str = "dpkg_selections";
    const EXAMPLES: &'static str = "
- name: Keep a package at its version
  ansible.builtin.dpkg_selections:
    name: nginx
    selection: hold
  when: ansible_os_family == 'Debian'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let dpkg = tool::find(machine, "dpkg")?;
        let wanted = args.selection.word();
        let ask = tool::command([dpkg.as_str(), "--get-selections", &args.name]);
        let answer = machine.probe(&ask).map_err(|e| tool::cannot(&ask, &e))?;
        let answer = tool::succeeded(&ask, answer)?.stdout_text();
        let Some(before) = answer.split_whitespace().nth(1) else {
            return Err(Failure::new(format!(
                "Failed to find package '{}' to perform selection '{wanted}'.",
                args.name
            )));
        };
        if before != wanted {
            let set = Command {
                stdin: Some(format!("{} {wanted}", args.name).into_bytes()),
                ..tool::command([dpkg.as_str(), "--set-selections"])
            };
            let output = tool::perform(machine, &set, "a selection is made")?;
            tool::succeeded(&set, output)?;
        }
        Ok(Returns {
            changed: before != wanted,
            before: before.to_string(),
            after: args.selection,
        })
    }
}
