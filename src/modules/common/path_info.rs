//! What every result tells of the file that it is about.

use crate::machine::{Kind, Machine, Stat, users};
use crate::value::{Key, Map, Value};
use std::path::Path;

/// Adds `uid`, `gid`, `owner`, `group`, `mode`, `size` and `state` of the result's `path` or `dest`.
///
/// Nothing is added if that leads nowhere.
pub fn add(fields: &mut Map, machine: &Machine) {
    let Some(path) = fields.get("path").or_else(|| fields.get("dest")) else {
        return;
    };
    let Some(path) = path.as_str().map(|p| Path::new(p).to_path_buf()) else {
        return;
    };
    // in check mode too it is told what is there, not what would be
    let Some(stat) = machine.actual(&path) else {
        return;
    };
    let mut set = |key: &str, value: Value| {
        fields.insert(Key::from(key), value);
    };
    set("uid", Value::Int(stat.uid.into()));
    set("gid", Value::Int(stat.gid.into()));
    set("owner", Value::from(owner_name(stat.uid)));
    set("group", Value::from(group_name(stat.gid)));
    set("mode", Value::from(mode_text(stat.mode)));
    set("state", Value::str(state(&stat)));
    set(
        "size",
        Value::Int(i64::try_from(stat.size).unwrap_or(i64::MAX)),
    );
}

/// Ansible's word for what an entry is: `file`, `directory`, `link` or `hard`.
pub fn state(stat: &Stat) -> &'static str {
    match stat.kind {
        Kind::Link => "link",
        Kind::Directory => "directory",
        _ if stat.nlink > 1 => "hard",
        _ => "file",
    }
}

/// `0644`, as results show a mode.
pub fn mode_text(mode: u32) -> String {
    format!("0{mode:03o}")
}

/// The user's name, or its number if it has none.
pub fn owner_name(uid: u32) -> String {
    users::user_by_id(uid).map_or_else(|| uid.to_string(), |u| u.name)
}

/// The group's name, or its number if it has none.
pub fn group_name(gid: u32) -> String {
    users::group_by_id(gid).map_or_else(|| gid.to_string(), |g| g.name)
}

/// What `stat` and `find` tell of every entry: mode and kind, numbers, times, permissions, owner and group.
pub fn stat_facts(out: &mut Map, stat: &Stat) {
    let mut set = |key: &str, value: Value| {
        out.insert(key.into(), value);
    };
    set("mode", format!("{:04o}", stat.mode).into());
    for (name, kind) in [
        ("isdir", Kind::Directory),
        ("ischr", Kind::Char),
        ("isblk", Kind::Block),
        ("isreg", Kind::File),
        ("isfifo", Kind::Fifo),
        ("islnk", Kind::Link),
        ("issock", Kind::Socket),
    ] {
        set(name, (stat.kind == kind).into());
    }
    set("uid", i64::from(stat.uid).into());
    set("gid", i64::from(stat.gid).into());
    set("size", number(stat.size));
    set("inode", number(stat.ino));
    set("dev", number(stat.dev));
    set("nlink", number(stat.nlink));
    set("atime", stat.atime.as_f64().into());
    set("mtime", stat.mtime.as_f64().into());
    set("ctime", stat.ctime.as_f64().into());
    for (name, bit) in [
        ("wusr", 0o200),
        ("rusr", 0o400),
        ("xusr", 0o100),
        ("wgrp", 0o020),
        ("rgrp", 0o040),
        ("xgrp", 0o010),
        ("woth", 0o002),
        ("roth", 0o004),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        set(name, (stat.mode & bit != 0).into());
    }
    if let Some(user) = users::user_by_id(stat.uid) {
        set("pw_name", user.name.into());
    }
    if let Some(group) = users::group_by_id(stat.gid) {
        set("gr_name", group.name.into());
    }
}

/// A number of the system's as a value.
pub fn number(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}
