//! Makes, changes and removes groups.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::users::{self, Group as Entry};
use crate::machine::{Machine, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/group_module.html>
pub struct Group;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["non_unique", true, ["gid"]]]))]
pub struct Args {
    /// The group's name.
    name: String,
    #[serde(default)]
    state: State,
    /// The group's number.
    gid: Option<i64>,
    /// The least number that a new group gets by itself.
    gid_min: Option<i64>,
    /// The greatest number that a new group gets by itself.
    gid_max: Option<i64>,
    /// Removes a group that users still have as their own, too.
    #[serde(default)]
    force: bool,
    /// Makes a system group.
    #[serde(default)]
    system: bool,
    /// Works on the host's own files only, by the programs of libuser.
    #[serde(default)]
    local: bool,
    /// Lets `gid` be that of another group.
    #[serde(default)]
    non_unique: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The group's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    stderr: String,
}

impl Module for Group {
    const NAME: &'static str = "group";
    const EXAMPLES: &'static str = "
- name: Keep a group
  ansible.builtin.group:
    name: root
    gid: 0
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if args.force && args.local {
            return Err(Failure::new(
                "force is not a valid option for local, force=True and local=True are mutually exclusive",
            ));
        }
        for (option, value) in [("gid_min", args.gid_min), ("gid_max", args.gid_max)] {
            if args.local && value.is_some() {
                let msg = format!("'{option}' can not be used with 'local'");
                return Err(Failure::new(msg));
            }
        }
        match args.state {
            State::Present => present(&args, machine),
            State::Absent => absent(&args, machine),
        }
    }
}

/// The group as the system, or with `local` its own file, knows it.
fn existing(args: &Args) -> Option<Entry> {
    if args.local && !users::in_file("group", &args.name) {
        return None;
    }
    users::group_by_name(&args.name)
}

fn present(args: &Args, machine: &mut Machine) -> Result<Returns, Failure> {
    let before = existing(args);
    let changes = before
        .as_ref()
        .is_none_or(|g| args.gid.is_some_and(|gid| gid != i64::from(g.gid)));
    let mut output = Output::default();
    if changes {
        if before.is_none() {
            taken(args)?;
        }
        let tool = match (&before, args.local) {
            (None, false) => "groupadd",
            (None, true) => "lgroupadd",
            (Some(_), false) => "groupmod",
            (Some(_), true) => "lgroupmod",
        };
        let mut words = vec![tool::find(machine, tool)?];
        if let Some(gid) = args.gid {
            words.extend(["-g".to_string(), gid.to_string()]);
            if args.non_unique {
                words.push("-o".to_string());
            }
        }
        if before.is_none() {
            if args.system {
                words.push("-r".to_string());
            }
            for (name, value) in [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)] {
                if let Some(value) = value {
                    words.extend(["-K".to_string(), format!("{name}={value}")]);
                }
            }
        }
        words.push(args.name.clone());
        output = tool::run(machine, words, "the group is made or changed")?;
        if machine.mode.check && before.is_none() {
            return Ok(Returns::default());
        }
        checked(args, &output)?;
    }
    Ok(Returns {
        gid: existing(args).map(|g| g.gid),
        system: Some(args.system),
        ..returns(args, &output)
    })
}

/// With `local` the programs do not look for another group with the number.
fn taken(args: &Args) -> Result<(), Failure> {
    let Some(gid) = args.gid.filter(|_| args.local && !args.non_unique) else {
        return Ok(());
    };
    let other = u32::try_from(gid).ok().and_then(users::group_by_id);
    match other {
        Some(other) if other.name != args.name => Err(Failure::new(format!(
            "GID '{gid}' already exists with group '{}'",
            other.name
        ))),
        _ => Ok(()),
    }
}

fn absent(args: &Args, machine: &mut Machine) -> Result<Returns, Failure> {
    if existing(args).is_none() {
        return Ok(returns(args, &Output::default()));
    }
    let tool = if args.local { "lgroupdel" } else { "groupdel" };
    let mut words = vec![tool::find(machine, tool)?];
    if args.force {
        words.push("-f".to_string());
    }
    words.push(args.name.clone());
    let output = tool::run(machine, words, "the group is removed")?;
    if machine.mode.check {
        return Ok(Returns::default());
    }
    checked(args, &output)?;
    Ok(returns(args, &output))
}

fn checked(args: &Args, output: &Output) -> Result<(), Failure> {
    match output.rc {
        0 => Ok(()),
        _ => Err(Failure::new(output.stderr_text()).with("name", args.name.as_str())),
    }
}

fn returns(args: &Args, output: &Output) -> Returns {
    Returns {
        name: Some(args.name.clone()),
        state: Some(args.state),
        stdout: output.stdout_text(),
        stderr: output.stderr_text(),
        ..Returns::default()
    }
}
