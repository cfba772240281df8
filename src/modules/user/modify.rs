//! A user that is there.

use super::args::Args;
use super::{Returns, group, password};
use crate::machine::Machine;
use crate::machine::users::{self, User as Account};
use crate::modules::Failure;
use crate::modules::common::tool;

pub fn modify(
    args: &Args,
    account: &Account,
    machine: &mut Machine,
    returns: &mut Returns,
) -> Result<(), Failure> {
    let mut words = Vec::new();
    let mut add = |more: &[&str]| words.extend(more.iter().map(|w| w.to_string()));
    if let Some(uid) = args.uid.filter(|uid| *uid != i64::from(account.uid)) {
        add(&["-u", &uid.to_string()]);
        if args.non_unique {
            add(&["-o"]);
        }
    }
    if let Some(name) = &args.group {
        let wanted = group(name)?;
        if wanted.gid != account.gid {
            // libuser's program takes numbers only
            match args.local {
                true => add(&["-g", &wanted.gid.to_string()]),
                false => add(&["-g", &wanted.name]),
            }
        }
    }
    let groups = Groups::of(args, account)?;
    if !args.local && groups.change() {
        if args.append {
            add(&["-a"]);
        }
        add(&["-G", &groups.wanted.join(",")]);
    }
    if let Some(comment) = args.comment.as_ref().filter(|c| **c != account.gecos) {
        add(&["-c", comment]);
    }
    if let Some(home) = args.home.as_ref().filter(|h| h.as_str() != account.home) {
        add(&["-d", home.as_str()]);
        if args.move_home {
            add(&["-m"]);
        }
    }
    if let Some(shell) = args.shell.as_ref().filter(|s| s.as_str() != account.shell) {
        add(&["-s", shell.as_str()]);
    }
    // without a line in the shadow file there is something to set in any case
    let known = users::shadow_of(&account.name);
    let end = args.expiry_days().filter(|days| {
        let known = known.as_ref().map(|s| s.expires.unwrap_or(-1));
        known != Some(*days)
    });
    let shadow = known.unwrap_or_default();
    if let Some(date) = args.expiry_date().filter(|_| end.is_some() && !args.local) {
        add(&["-e", &date]);
    }
    let new_password = password::wanted(args, Some(&shadow.password));
    if new_password.is_none() {
        match args.password_lock {
            Some(true) if !shadow.password.starts_with('!') => add(&["-L"]),
            Some(false) if shadow.password.starts_with('!') => add(&["-U"]),
            _ => {}
        }
    }
    if !words.is_empty() {
        let usermod = if args.local { "lusermod" } else { "usermod" };
        words.insert(0, tool::find(machine, usermod)?);
        words.push(args.name.clone());
        let output = tool::run(machine, words, "the user is changed")?;
        returns.take(args, &output)?;
    }
    if args.local {
        let (lgroupmod, lchage) = (
            tool::find(machine, "lgroupmod")?,
            tool::find(machine, "lchage")?,
        );
        for (option, group) in groups.steps() {
            let words = [lgroupmod.as_str(), option, &args.name, group];
            let output = tool::run(machine, words, "the user's groups change")?;
            returns.take(args, &output)?;
        }
        if let Some(days) = end {
            let words = [lchage.as_str(), "-E", &days.to_string(), &args.name];
            let output = tool::run(machine, words, "the account's end is set")?;
            returns.take(args, &output)?;
        }
    }
    match new_password {
        Some(password) => password::set(args, &password, machine, returns),
        None => Ok(()),
    }
}

/// The groups that have a user as a member: as they are, and as they are to be.
struct Groups {
    now: Vec<String>,
    /// As they are, if nothing is asked for.
    wanted: Vec<String>,
    append: bool,
}

impl Groups {
    fn of(args: &Args, account: &Account) -> Result<Groups, Failure> {
        let member = |g: &users::Group| g.members.contains(&account.name);
        let asked = args.group_names();
        let now: Vec<String> = match asked {
            None => Vec::new(),
            Some(_) => {
                let all = users::groups().into_iter().filter(member);
                all.map(|g| g.name).collect()
            }
        };
        let mut wanted = Vec::new();
        for name in asked.into_iter().flatten() {
            let found = group(name)?;
            if !wanted.contains(&found.name) {
                wanted.push(found.name);
            }
        }
        if args.groups.is_none() {
            wanted.clone_from(&now);
        }
        Ok(Groups {
            now,
            wanted,
            append: args.append,
        })
    }

    fn change(&self) -> bool {
        self.steps().next().is_some()
    }

    /// Each group to join (`-M`) and to leave (`-m`).
    fn steps(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let join = self.wanted.iter().filter(|g| !self.now.contains(g));
        let leave = self
            .now
            .iter()
            .filter(|g| !self.append && !self.wanted.contains(g));
        join.map(|g| ("-M", g.as_str()))
            .chain(leave.map(|g| ("-m", g.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::Groups;

    #[test]
    fn groups_are_joined_and_left() {
        let names = |text: &str| text.split_whitespace().map(String::from).collect();
        let cases = [
            ("a b", "b c", false, "-M c -m a"),
            ("a b", "b c", true, "-M c"),
            ("a", "a", false, ""),
            ("a", "", false, "-m a"),
            ("a", "", true, ""),
        ];
        for (now, wanted, append, expected) in cases {
            let groups = Groups {
                now: names(now),
                wanted: names(wanted),
                append,
            };
            let steps: Vec<String> = groups.steps().map(|(o, g)| format!("{o} {g}")).collect();
            assert_eq!(steps.join(" "), expected, "{now} to {wanted}");
        }
    }
}
