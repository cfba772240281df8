//! Makes files, folders and links, sets their attributes, or removes them.

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::common::path_info;
use super::{Failure, Module, yes};
use crate::clock::{self, Zone};
use crate::machine::{Machine, Time, errno_text, python_error, users};
use crate::modules::args::Path;
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/file_module.html>
pub struct File;

#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(extend("internal" = ["_original_basename"]))]
pub struct Args {
    /// The file, folder or link.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    path: Path,
    /// What it is to be. Without it what is there is kept, and only its attributes are set.
    state: Option<State>,
    /// What a link leads to.
    src: Option<Path>,
    /// Sets the attributes of everything in a folder.
    #[serde(default)]
    recurse: bool,
    /// Makes links to what does not exist, and replaces files and empty folders by links.
    #[serde(default)]
    force: bool,
    /// Sets the attributes of what a link leads to, not those of the link.
    #[serde(default = "yes")]
    follow: bool,
    /// Time of the last change: `preserve`, `now`, or a time in `modification_time_format`.
    modification_time: Option<String>,
    /// How `modification_time` is written.
    #[serde(default = "time_format")]
    modification_time_format: String,
    /// Time of the last reading: `preserve`, `now`, or a time in `access_time_format`.
    access_time: Option<String>,
    /// How `access_time` is written.
    #[serde(default = "time_format")]
    access_time_format: String,
    /// Only tells whether the file is text.
    #[serde(rename = "_diff_peek")]
    diff_peek: Option<bool>,
    #[serde(flatten)]
    file: FileArgs,
}

fn time_format() -> String {
    "%Y%m%d%H%M.%S".to_string()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Removed, a folder with all that is in it.
    Absent,
    /// A folder; those above it are made too.
    Directory,
    /// A file that is there already.
    File,
    /// Another name of the file `src`.
    Hard,
    /// A symbolic link to `src`.
    Link,
    /// A file, made if it is missing; its times are set to now.
    Touch,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Absent => "absent",
            State::Directory => "directory",
            State::File => "file",
            State::Hard => "hard",
            State::Link => "link",
            State::Touch => "touch",
        }
    }
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// With `_diff_peek`: whether the file is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    appears_binary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

/// How much of a file tells whether it is text.
const PEEKED: u64 = 8192;

impl Module for File {
    const NAME: &'static str = "file";
    const EXAMPLES: &'static str = "
- name: Make a folder for the user alone
  ansible.builtin.file:
    path: '{{ folder }}/private/keys'
    state: directory
    mode: '0700'

- name: Make a link
  ansible.builtin.file:
    path: '{{ folder }}/current'
    src: private
    state: link
";
    type Args = Args;
    type Returns = Returns;

    fn run(mut args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if args.diff_peek.is_some() {
            let start = machine.read_start(&args.path, PEEKED).unwrap_or_default();
            return Ok(Returns {
                path: Some(args.path.0),
                appears_binary: Some(start.contains(&0)),
                ..Returns::default()
            });
        }
        // in a folder, what has a source gets the name of the source
        if !matches!(args.state, Some(State::Link | State::Absent))
            && machine.is_dir(&args.path)
            && let Some(name) = args.src.as_ref().and_then(|s| s.file_name())
        {
            args.path = Path(args.path.join(name).to_string_lossy().into_owned());
        }
        let given = args.path.0.clone();
        let fail = |msg: &str| Failure::new(msg).with("path", given.as_str());
        let mut previous = present(machine, &args.path);
        let kept = match previous {
            _ if args.recurse => State::Directory,
            "directory" => State::Directory,
            "hard" => State::Hard,
            "link" => State::Link,
            _ => State::File,
        };
        let state = args.state.unwrap_or(kept);
        // attributes go to what a link leads to, unless the link itself is meant
        if args.follow
            && previous == "link"
            && !matches!(state, State::Link | State::Absent | State::Hard)
        {
            args.path = Path(machine.real_path(&args.path).to_string_lossy().into_owned());
            previous = present(machine, &args.path);
            // a link that leads nowhere is not made to lead somewhere by touching it
            if state == State::Touch && previous == "absent" {
                let e = std::io::Error::from_raw_os_error(2);
                let what = python_error(&e, &args.path);
                return Err(refuse(
                    format!("Error while updating modification or access time: {what}"),
                    &args.path,
                ));
            }
        }
        if machine.mode.check && state != State::Absent {
            strangers(&args.file, machine);
        }
        if args.recurse && state != State::Directory {
            return Err(fail("recurse option requires state to be 'directory'"));
        }
        if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(fail("src option requires state to be 'link' or 'hard'"));
        }
        let mut diff = Attributes::of_path(args.path.as_str());
        if previous != state.name() {
            diff.set("state", previous, state.name());
        }
        let mut returns = match state {
            State::Absent => absent(&args, previous, diff, machine),
            State::Directory => directory(&args, previous, diff, machine),
            State::File => file(&args, previous, diff, machine),
            State::Touch => touch(&args, previous, diff, machine),
            State::Link => link(&args, previous, diff, machine),
            State::Hard => hard(&args, previous, diff, machine),
        }?;
        returns.diff = returns.diff.filter(|_| machine.mode.diff);
        Ok(returns)
    }
}

/// Warns of users and groups that check mode does not find: a real run may have made them by now.
fn strangers(file: &FileArgs, machine: &mut Machine) {
    let (mut warn, number) = (Vec::new(), |name: &str| name.parse::<u32>().ok());
    if let Some(owner) = &file.owner {
        match number(owner) {
            Some(uid) if users::user_by_id(uid).is_none() => {
                warn.push(("user", "with uid ", owner))
            }
            None if users::user_by_name(owner).is_none() => warn.push(("user", "", owner)),
            _ => {}
        }
    }
    if let Some(group) = &file.group {
        match number(group) {
            Some(gid) if users::group_by_id(gid).is_none() => {
                warn.push(("group", "with gid ", group));
            }
            None if users::group_by_name(group).is_none() => warn.push(("group", "", group)),
            _ => {}
        }
    }
    for (kind, with, name) in warn {
        let create = if kind == "user" {
            "Create user"
        } else {
            "Create group"
        };
        machine.warnings.push(format!(
            "failed to look up {kind} {with}{name}. {create} up to this point in real play"
        ));
    }
}

/// What is there now, in the words of `state`.
fn present(machine: &Machine, path: &StdPath) -> &'static str {
    machine
        .lstat(path)
        .map_or("absent", |stat| path_info::state(&stat))
}

fn refuse(msg: impl Into<String>, path: &Path) -> Failure {
    Failure::new(msg).with("path", path.as_str())
}

fn absent(
    args: &Args,
    previous: &str,
    diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let mut returns = Returns {
        path: Some(args.path.0.clone()),
        state: Some("absent".to_string()),
        ..Returns::default()
    };
    if previous == "absent" {
        return Ok(returns);
    }
    let mut diff = diff;
    if previous == "directory" && machine.mode.diff {
        diff.before
            .insert("path_content".into(), listing(machine, &args.path));
    }
    machine.remove(&args.path).map_err(|e| {
        let what = match previous {
            "directory" => "rmtree failed.",
            _ => "Unlinking failed.",
        };
        refuse(what, &args.path).because(python_error(&e, &args.path))
    })?;
    returns.changed = true;
    returns.diff = Some(diff.to_value());
    Ok(returns)
}

/// All that is in a folder, for the diff of its removal.
fn listing(machine: &Machine, top: &StdPath) -> Value {
    let (mut directories, mut files) = (Vec::new(), Vec::new());
    let mut todo = vec![top.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for name in machine.list(&dir).unwrap_or_default() {
            let path = dir.join(name);
            let text = Value::from(path.to_string_lossy().as_ref());
            if machine.lstat(&path).is_ok_and(|s| s.is_dir()) {
                directories.push(text);
                todo.push(path);
            } else {
                files.push(text);
            }
        }
    }
    Value::map(super::args::map([
        ("directories", directories.into()),
        ("files", files.into()),
    ]))
}

fn directory(
    args: &Args,
    previous: &str,
    mut diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let path: &StdPath = &args.path;
    match previous {
        "directory" => {}
        "absent" => {
            let issue = |e: std::io::Error, at: &StdPath| {
                let what = python_error(&e, at);
                let msg = format!(
                    "There was an issue creating {} as requested: {what}",
                    at.display()
                );
                refuse(msg, &args.path)
            };
            let mut missing: Vec<PathBuf> = Vec::new();
            for above in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
                match machine.stat(above) {
                    Ok(stat) if stat.is_dir() => break,
                    Ok(_) => {
                        let e = std::io::Error::from_raw_os_error(20);
                        return Err(issue(e, missing.last().map_or(path, |p| p)));
                    }
                    Err(_) => missing.push(above.to_path_buf()),
                }
            }
            for dir in missing.iter().rev() {
                machine.mkdir(dir).map_err(|e| issue(e, dir))?;
                // the diff of a check ends before attributes are looked at
                match machine.mode.check {
                    true => args
                        .file
                        .apply(machine, dir, args.follow, &mut Attributes::default()),
                    false => args.file.apply(machine, dir, args.follow, &mut diff),
                }?;
            }
        }
        other => {
            return Err(refuse(
                format!("{} already exists as a {other}", path.display()),
                &args.path,
            ));
        }
    }
    args.file.apply(machine, path, args.follow, &mut diff)?;
    set_times(args, "preserve", &mut diff, machine)?;
    if args.recurse {
        recurse(args, path, machine, 0)?;
    }
    Ok(Returns {
        changed: machine.changed(),
        path: Some(args.path.0.clone()),
        diff: Some(diff.to_value()),
        ..Returns::default()
    })
}

/// Sets the attributes of everything below `dir`; with `follow` also of what links there lead to.
fn recurse(args: &Args, dir: &StdPath, machine: &mut Machine, depth: u32) -> Result<(), Failure> {
    // links may lead in circles
    if depth > 100 {
        return Ok(());
    }
    let names = machine
        .list(dir)
        .map_err(|e| refuse(python_error(&e, dir), &args.path))?;
    for name in names {
        let path = dir.join(name);
        let Ok(stat) = machine.lstat(&path) else {
            continue;
        };
        args.file
            .apply(machine, &path, false, &mut Attributes::default())?;
        if stat.is_dir() {
            recurse(args, &path, machine, depth + 1)?;
        } else if stat.is_link() && args.follow && machine.exists(&path) {
            args.file
                .apply(machine, &path, true, &mut Attributes::default())?;
            if machine.is_dir(&path) {
                let target = machine.real_path(&path);
                recurse(args, &target, machine, depth + 1)?;
            }
        }
    }
    Ok(())
}

fn file(
    args: &Args,
    previous: &str,
    mut diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    if !matches!(previous, "file" | "hard") {
        let msg = format!(
            "file ({}) is {previous}, cannot continue",
            args.path.as_str()
        );
        return Err(refuse(msg, &args.path).with("state", previous));
    }
    args.file
        .apply(machine, &args.path, args.follow, &mut diff)?;
    set_times(args, "preserve", &mut diff, machine)?;
    Ok(Returns {
        changed: machine.changed(),
        path: Some(args.path.0.clone()),
        diff: Some(diff.to_value()),
        ..Returns::default()
    })
}

fn touch(
    args: &Args,
    previous: &str,
    mut diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    if previous == "absent" {
        machine
            .replace(&args.path, crate::machine::Content::Bytes(b""), None, false)
            .map_err(|e| {
                let cause = python_error(&e, &args.path);
                refuse("Error, could not touch target.", &args.path).because(cause)
            })?;
    }
    if !(machine.mode.check && previous == "absent") {
        let done = args
            .file
            .apply(machine, &args.path, args.follow, &mut diff)
            .and_then(|_| set_times(args, "now", &mut diff, machine));
        if let Err(failure) = done {
            // nothing is left of what was only just made
            if previous == "absent" {
                let _ = machine.remove(&args.path);
            }
            return Err(failure);
        }
    }
    let unseen = machine.mode.check && previous == "absent";
    Ok(Returns {
        changed: machine.changed(),
        dest: Some(args.path.0.clone()),
        diff: (!unseen).then(|| diff.to_value()),
        ..Returns::default()
    })
}

/// Sets the times that are asked for; `default` is what happens to those that are not.
fn set_times(
    args: &Args,
    default: &str,
    diff: &mut Attributes,
    machine: &mut Machine,
) -> Result<(), Failure> {
    let now = Time::now();
    let wanted = |text: &Option<String>, format: &str| match text.as_deref().unwrap_or(default) {
        "preserve" => Ok(None),
        "now" => Ok(Some(now)),
        time => parse_time(time, format).map(Some).ok_or_else(|| {
            Failure::new(format!(
                "Error while obtaining timestamp for time {time} using format {format}: \
                 time data {} does not match format {}",
                crate::python::quote(time),
                crate::python::quote(format)
            ))
        }),
    };
    let mtime = wanted(&args.modification_time, &args.modification_time_format)?;
    let atime = wanted(&args.access_time, &args.access_time_format)?;
    if mtime.is_none() && atime.is_none() {
        return Ok(());
    }
    let failed = |e: std::io::Error| {
        let what = python_error(&e, &args.path);
        let msg = format!("Error while updating modification or access time: {what}");
        refuse(msg, &args.path)
    };
    let stat = machine.stat(&args.path).map_err(failed)?;
    let (new_mtime, new_atime) = (mtime.unwrap_or(stat.mtime), atime.unwrap_or(stat.atime));
    let set = match machine.set_times(&args.path, new_atime, new_mtime) {
        // whoever may write to a file may say that it is of now, but of no other time
        Err(e)
            if e.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error())
                && (new_atime, new_mtime) == (now, now) =>
        {
            machine.set_times_now(&args.path)
        }
        set => set.map(|_| ()),
    };
    set.map_err(failed)?;
    if new_atime != stat.atime {
        diff.set("atime", stat.atime.as_f64(), new_atime.as_f64());
    }
    if new_mtime != stat.mtime {
        diff.set("mtime", stat.mtime.as_f64(), new_mtime.as_f64());
    }
    Ok(())
}

/// A local time.
fn parse_time(text: &str, format: &str) -> Option<Time> {
    let moment = clock::parse(text, format)?.within(&Zone::local());
    Some(Time {
        secs: moment.secs,
        nanos: 0,
    })
}

fn link(
    args: &Args,
    previous: &str,
    mut diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let path: &StdPath = &args.path;
    let src = match &args.src {
        Some(src) => src.0.clone(),
        // only the attributes of a link are asked for
        None if previous == "link" => {
            let target = machine.read_link(path).unwrap_or_default();
            target.to_string_lossy().into_owned()
        }
        None if previous != "absent" => {
            let e = std::io::Error::from_raw_os_error(22);
            return Err(Failure::uncaught(python_error(&e, path)));
        }
        None => {
            return Err(Failure::new("src is required for creating new symlinks"));
        }
    };
    let is_dir = !machine.is_link(path) && machine.is_dir(path);
    let from = match is_dir {
        true => path,
        false => path.parent().unwrap_or(StdPath::new("/")),
    };
    let source = from.join(&src);
    if args.src.is_some() && !args.force && !machine.exists(&source) {
        let msg = format!(
            "src file does not exist, use 'force=yes' if you really want to create the link: {}",
            source.display()
        );
        return Err(refuse(msg, &args.path).with("src", src));
    }
    match previous {
        "absent" | "link" => {}
        "directory" if args.force => {
            if machine.list(path).is_ok_and(|names| !names.is_empty()) {
                return Err(refuse(
                    format!(
                        "the directory {} is not empty, refusing to convert it",
                        path.display()
                    ),
                    &args.path,
                ));
            }
        }
        _ if args.force => {}
        other => {
            let msg = format!(
                "refusing to convert from {other} to symlink for {}",
                path.display()
            );
            return Err(refuse(msg, &args.path));
        }
    }
    if previous == "link" {
        let old = machine.read_link(path).unwrap_or_default();
        if old != StdPath::new(&src) {
            diff.set("src", old.to_string_lossy().as_ref(), src.as_str());
        }
    }
    let failed = |e: std::io::Error| {
        let quoted = |text: &str| crate::python::quote(text);
        let msg = format!(
            "Error while linking: {}: b{} -> b{}",
            errno_text(&e),
            quoted(&src),
            quoted(args.path.as_str())
        );
        refuse(msg, &args.path)
    };
    if previous == "directory" {
        machine.remove(path).map_err(failed)?;
    }
    let made = machine.symlink(StdPath::new(&src), path);
    // check mode does not ask for a folder that a task before this one would have made
    if !(machine.mode.check && previous == "absent") {
        made.map_err(failed)?;
    }
    let unseen = machine.mode.check && previous == "absent";
    if !unseen && (!args.follow || machine.exists(path)) {
        args.file.apply(machine, path, args.follow, &mut diff)?;
    }
    Ok(Returns {
        changed: unseen || machine.changed(),
        dest: Some(args.path.0.clone()),
        src: Some(match args.src {
            None if !args.follow || !machine.exists(path) => Value::Null,
            _ => Value::from(src),
        }),
        diff: Some(diff.to_value()),
        ..Returns::default()
    })
}

fn hard(
    args: &Args,
    previous: &str,
    mut diff: Attributes,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let path: &StdPath = &args.path;
    let both = |msg: String, src: &str| {
        Failure::new(msg)
            .with("dest", args.path.as_str())
            .with("src", src)
    };
    match &args.src {
        None if previous != "hard" => {
            let msg = "src is required for creating new hardlinks".to_string();
            return Err(Failure::new(msg));
        }
        None => {}
        Some(src) => {
            let Ok(source) = machine.stat(src) else {
                return Err(both("src does not exist".to_string(), src.as_str()));
            };
            let same = machine
                .lstat(path)
                .is_ok_and(|s| (s.dev, s.ino) == (source.dev, source.ino));
            match previous {
                "absent" => {}
                _ if same => {}
                "link" => {
                    let old = machine.read_link(path).unwrap_or_default();
                    diff.set("src", old.to_string_lossy().as_ref(), src.as_str());
                }
                "hard" | "file" if args.force => {}
                "hard" => {
                    let msg = "Cannot link, different hard link exists at destination".to_string();
                    return Err(both(msg, src.as_str()));
                }
                "file" => {
                    let msg = format!("Cannot link, {previous} exists at destination");
                    return Err(both(msg, src.as_str()));
                }
                _ => {
                    let msg = format!("Cannot link, {previous} exists at destination");
                    return Err(both(msg, src.as_str()));
                }
            }
            machine.hardlink(src, path).map_err(|e| {
                let quoted = crate::python::quote(args.path.as_str());
                let why = python_error(&e, src);
                let msg = format!("Error while linking: {why} -> b{quoted}");
                refuse(msg, &args.path)
            })?;
        }
    }
    args.file.apply(machine, path, args.follow, &mut diff)?;
    set_times(args, "preserve", &mut diff, machine)?;
    Ok(Returns {
        changed: machine.changed(),
        dest: Some(args.path.0.clone()),
        src: Some(
            args.src
                .as_ref()
                .map_or(Value::Null, |s| Value::str(s.as_str())),
        ),
        diff: Some(diff.to_value()),
        ..Returns::default()
    })
}
