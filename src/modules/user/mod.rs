//! Makes, changes and removes users, with the system's own programs; passwords go to them over their input.

mod args;
mod create;
mod home;
mod modify;
mod password;
mod ssh_key;

use super::common::tool;
use super::{Failure, Module};
use crate::machine::users::{self, User as Account};
use crate::machine::{Machine, Output};
use args::{Args, State};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/user_module.html>
pub struct User;

#[derive(Default, Serialize, JsonSchema)]
#[serde(default)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    /// Number of the primary group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
    /// The groups that were asked for, with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shell: Option<String>,
    /// That a password was given, not which.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'static str>,
    /// For a user that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    create_home: Option<bool>,
    /// For a user that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<bool>,
    /// For a user that was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    append: Option<bool>,
    /// For a user that was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    move_home: Option<bool>,
    /// For a user that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
    /// For a user that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    remove: Option<bool>,
    #[serde(flatten)]
    ssh_key: Option<ssh_key::Returns>,
    /// What the programs said.
    #[serde(skip_serializing_if = "String::is_empty")]
    stdout: String,
    /// What the programs said.
    #[serde(skip_serializing_if = "String::is_empty")]
    stderr: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Returns {
    /// Adds what a program said; fails with it if the program did.
    fn take(&mut self, args: &Args, output: &Output) -> Result<(), Failure> {
        self.stdout += &output.stdout_text();
        self.stderr += &output.stderr_text();
        match output.rc {
            0 => Ok(()),
            rc => Err(failure(args, output.stderr_text(), rc)),
        }
    }
}

impl Module for User {
    const NAME: &'static str = "user";
    const EXAMPLES: &'static str = "
- name: Keep a user
  ansible.builtin.user:
    name: root
    uid: 0
    group: root
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        args.check()?;
        let mut returns = Returns {
            warnings: args.warnings(),
            ..Returns::default()
        };
        match args.state {
            State::Present => present(&args, machine, &mut returns)?,
            State::Absent => absent(&args, machine, &mut returns)?,
        }
        Ok(returns)
    }
}

/// The account as the system, or with `local` its own file, knows it.
fn existing(args: &Args) -> Option<Account> {
    if args.local && !users::in_file("passwd", &args.name) {
        return None;
    }
    users::user_by_name(&args.name)
}

fn present(args: &Args, machine: &mut Machine, returns: &mut Returns) -> Result<(), Failure> {
    match existing(args) {
        None => {
            create::create(args, machine, returns)?;
            if machine.mode.check {
                return Ok(());
            }
            returns.system = Some(args.system);
            returns.create_home = Some(args.create_home);
        }
        Some(account) => {
            modify::modify(args, &account, machine, returns)?;
            returns.append = Some(args.append);
            returns.move_home = Some(args.move_home);
        }
    }
    let Some(account) = existing(args) else {
        let msg = format!("the user {} is not there after it was made", args.name);
        return Err(Failure::new(msg));
    };
    password::expire(args, machine, returns)?;
    let home = Path::new(&account.home);
    if args.create_home && !machine.exists(home) {
        home::make(args, home, machine)?;
        home::own(&account, home, machine)?;
    }
    if args.generate_ssh_key {
        let key = ssh_key::generate(args, &account, machine, &mut returns.warnings)?;
        returns.ssh_key = Some(key);
    }
    returns.name = Some(args.name.clone());
    returns.state = Some(args.state);
    returns.uid = Some(account.uid);
    returns.group = Some(account.gid);
    returns.groups = args.groups.as_ref().map(|g| g.join(","));
    returns.comment = Some(account.gecos);
    returns.home = Some(account.home);
    returns.shell = Some(account.shell);
    returns.password = args.password.as_ref().map(|_| "NOT_LOGGING_PASSWORD");
    Ok(())
}

fn absent(args: &Args, machine: &mut Machine, returns: &mut Returns) -> Result<(), Failure> {
    if existing(args).is_some() {
        let tool = if args.local { "luserdel" } else { "userdel" };
        let mut words = vec![tool::find(machine, tool)?];
        if args.force && !args.local {
            words.push("-f".to_string());
        }
        if args.remove {
            words.push("-r".to_string());
        }
        words.push(args.name.clone());
        let output = tool::run(machine, words, "the user is removed")?;
        if machine.mode.check {
            return Ok(());
        }
        returns.take(args, &output)?;
        returns.force = Some(args.force);
        returns.remove = Some(args.remove);
    }
    returns.name = Some(args.name.clone());
    returns.state = Some(args.state);
    Ok(())
}

fn failure(args: &Args, msg: impl Into<String>, rc: i64) -> Failure {
    Failure::new(msg)
        .with("name", args.name.as_str())
        .with("rc", rc)
}

/// A group by name or number. Fails in Ansible's words if there is none.
fn group(name: &str) -> Result<users::Group, Failure> {
    let by_number = || users::group_by_id(name.parse().ok()?);
    users::group_by_name(name)
        .or_else(by_number)
        .ok_or_else(|| Failure::new(format!("Group {name} does not exist")))
}
