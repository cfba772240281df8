//! Users and groups by name and number.
//!
//! `/etc/passwd` and `/etc/group` are read as they are; who is not there is asked of `getent`, since a
//! static binary knows no directory services.

use std::process::{Command, Stdio};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub gecos: String,
    pub home: String,
    pub shell: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub gid: u32,
    pub members: Vec<String>,
}

/// A user's line of `/etc/shadow`; days count from 1970.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Shadow {
    /// The hash; with `!` before it the account is locked.
    pub password: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub warn: Option<i64>,
    pub inactive: Option<i64>,
    pub expires: Option<i64>,
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shadow { .. }")
    }
}

pub fn user_by_name(name: &str) -> Option<User> {
    find("passwd", name, parse_user, |u| u.name == name)
}

pub fn user_by_id(uid: u32) -> Option<User> {
    find("passwd", &uid.to_string(), parse_user, |u| u.uid == uid)
}

pub fn group_by_name(name: &str) -> Option<Group> {
    find("group", name, parse_group, |g| g.name == name)
}

pub fn group_by_id(gid: u32) -> Option<Group> {
    find("group", &gid.to_string(), parse_group, |g| g.gid == gid)
}

/// The user's line of `/etc/shadow`; none if it may not be read.
pub fn shadow_of(name: &str) -> Option<Shadow> {
    let text = std::fs::read_to_string("/etc/shadow").ok()?;
    let line = text
        .lines()
        .find(|l| l.split(':').next() == Some(name))?
        .to_string();
    let fields: Vec<&str> = line.split(':').collect();
    let days = |at: usize| fields.get(at)?.parse().ok();
    Some(Shadow {
        password: fields.get(1)?.to_string(),
        min: days(3),
        max: days(4),
        warn: days(5),
        inactive: days(6),
        expires: days(7),
    })
}

/// Whether the file `/etc/<database>` itself has an entry with this name.
pub fn in_file(database: &str, name: &str) -> bool {
    let text = std::fs::read(format!("/etc/{database}")).unwrap_or_default();
    text.split(|b| *b == b'\n')
        .any(|line| line.split(|b| *b == b':').next() == Some(name.as_bytes()))
}

/// All groups, those of directories too where these tell all.
pub fn groups() -> Vec<Group> {
    let answer = Command::new("getent")
        .arg("group")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let text = match answer {
        Ok(answer) if answer.status.success() => answer.stdout,
        _ => std::fs::read("/etc/group").unwrap_or_default(),
    };
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(parse_group)
        .collect()
}

/// The name of the user who runs this process.
pub fn name_of_self() -> Option<String> {
    user_by_id(rustix::process::getuid().as_raw()).map(|u| u.name)
}

/// The home folder of the user who runs this process.
pub fn home_of_self() -> Option<String> {
    user_by_id(rustix::process::getuid().as_raw()).map(|u| u.home)
}

fn find<T>(
    database: &str,
    key: &str,
    parse: fn(&str) -> Option<T>,
    wanted: impl Fn(&T) -> bool,
) -> Option<T> {
    let text = std::fs::read_to_string(format!("/etc/{database}")).unwrap_or_default();
    if let Some(found) = text.lines().filter_map(parse).find(&wanted) {
        return Some(found);
    }
    if key.is_empty() || key.starts_with('-') {
        return None;
    }
    let answer = Command::new("getent")
        .args([database, key])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(parse)
        .find(wanted)
}

fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_string();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let mut text = || Some(fields.next()?.to_string());
    Some(User {
        name,
        uid,
        gid,
        gecos: text()?,
        home: text()?,
        shell: text()?,
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    Some(Group {
        name: fields.next()?.to_string(),
        gid: fields.nth(1)?.parse().ok()?,
        members: fields
            .next()
            .unwrap_or_default()
            .split(',')
            .filter(|m| !m.is_empty())
            .map(String::from)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_number() {
        let root = user_by_name("root").unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(user_by_id(0), Some(root));
        assert_eq!(group_by_id(0).unwrap().name, "root");
        assert_eq!(user_by_name("no such user"), None);
    }
}
