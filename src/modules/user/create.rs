//! A user that is not there yet.

use super::args::Args;
use super::{Returns, existing, group, home, password};
use crate::machine::{Machine, users};
use crate::modules::Failure;
use crate::modules::common::tool;
use std::path::Path;

pub fn create(args: &Args, machine: &mut Machine, returns: &mut Returns) -> Result<(), Failure> {
    let mut words = Vec::new();
    let mut add = |more: &[&str]| words.extend(more.iter().map(|w| w.to_string()));
    if let Some(uid) = args.uid {
        add(&["-u", &uid.to_string()]);
        if args.non_unique {
            add(&["-o"]);
        }
    }
    if let Some(seuser) = &args.seuser {
        add(&["-Z", seuser]);
    }
    if let Some(name) = &args.group {
        group(name)?;
        add(&["-g", name]);
    } else if users::group_by_name(&args.name).is_some() {
        // a group of the user's name cannot be made again
        add(&[if args.local { "-n" } else { "-N" }]);
    }
    let groups = args.group_names().unwrap_or_default();
    for name in &groups {
        group(name)?;
    }
    if !groups.is_empty() && !args.local {
        add(&["-G", &groups.join(",")]);
    }
    if let Some(comment) = &args.comment {
        add(&["-c", comment]);
    }
    let mut made = None;
    if let Some(path) = &args.home {
        if args.create_home && !path.parent().is_some_and(|p| machine.is_dir(p)) {
            home::make(args, path, machine)?;
            made = Some(path);
        }
        add(&["-d", path.as_str()]);
    }
    if let Some(shell) = &args.shell {
        add(&["-s", shell.as_str()]);
    }
    if let Some(date) = args.expiry_date().filter(|_| !args.local) {
        add(&["-e", &date]);
    }
    if args.create_home {
        if !args.local {
            add(&["-m"]);
        }
        if let Some(skeleton) = &args.skeleton {
            add(&["-k", skeleton]);
        }
        if let Some(umask) = &args.umask {
            add(&["-K", &format!("UMASK={umask}")]);
        }
    } else {
        add(&["-M"]);
    }
    if args.system {
        add(&["-r"]);
    }
    for (name, value) in [("UID_MIN", args.uid_min), ("UID_MAX", args.uid_max)] {
        if let Some(value) = value {
            add(&["-K", &format!("{name}={value}")]);
        }
    }
    add(&[&args.name]);
    let (lgroupmod, lchage) = match args.local {
        true => (
            tool::find(machine, "lgroupmod")?,
            tool::find(machine, "lchage")?,
        ),
        false => Default::default(),
    };
    let useradd = if args.local { "luseradd" } else { "useradd" };
    words.insert(0, tool::find(machine, useradd)?);
    let output = tool::run(machine, words, "the user is made")?;
    returns.take(args, &output)?;
    if let Some(path) = made
        && let Some(account) = existing(args)
    {
        home::own(&account, Path::new(path.as_str()), machine)?;
    }
    if args.local {
        for group in &groups {
            let words = [lgroupmod.as_str(), "-M", &args.name, group];
            let output = tool::run(machine, words, "the user joins a group")?;
            returns.take(args, &output)?;
        }
        if let Some(days) = args.expiry_days().filter(|d| *d >= 0) {
            let words = [lchage.as_str(), "-E", &days.to_string(), &args.name];
            let output = tool::run(machine, words, "the account's end is set")?;
            returns.take(args, &output)?;
        }
    }
    let first = password::wanted(args, None);
    if let Some(password) = first.or_else(|| args.password_lock.filter(|l| *l).map(|_| "!".into()))
    {
        password::set(args, &password, machine, returns)?;
    }
    Ok(())
}
