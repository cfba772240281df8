//! Loads and unloads modules of the kernel, now and at every start.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Content, Machine, python_error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/community/general/modprobe_module.html>
pub struct Modprobe;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The module.
    name: String,
    /// Parameters for the module.
    #[serde(default)]
    params: String,
    #[serde(default)]
    persistent: Persistent,
    #[serde(default)]
    state: State,
}

/// Whether the module is loaded when the system starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Persistent {
    /// As it is.
    #[default]
    Disabled,
    /// It is loaded.
    Present,
    /// What would load it is commented out.
    Absent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    name: String,
    params: String,
    state: State,
}

const LOADED: &str = "/etc/modules-load.d";
const OPTIONS: &str = "/etc/modprobe.d";

impl Module for Modprobe {
    const NAME: &'static str = "modprobe";
    const COLLECTIONS: &'static [&'static str] = &["community.general"];
    const EXAMPLES: &'static str = "
- name: A module, now and after a restart
  community.general.modprobe:
    name: dummy
    params: numdummies=2
    persistent: present
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let modprobe = tool::find(machine, "modprobe")?;
        let done = change(&args, modprobe, machine);
        if let Err(mut failure) = done {
            let state = serde_json::to_value(args.state).unwrap_or_default();
            let entries = [
                ("name", args.name.into()),
                ("params", args.params.into()),
                ("state", crate::Value::from_json(state)),
            ];
            for (key, value) in entries {
                failure.fields.insert(key.into(), value);
            }
            return Err(failure);
        }
        Ok(Returns {
            name: args.name,
            params: args.params,
            state: args.state,
        })
    }
}

fn change(args: &Args, modprobe: String, machine: &mut Machine) -> Result<(), Failure> {
    let loaded = is_loaded(&args.name, machine)?;
    let words = match (args.state, loaded) {
        (State::Present, false) => {
            let mut words = vec![modprobe, args.name.clone()];
            words.extend(super::common::command::split(&args.params)?);
            Some(words)
        }
        (State::Absent, true) => Some(vec![modprobe, "-r".to_string(), args.name.clone()]),
        _ => None,
    };
    if let Some(words) = words {
        let output = tool::run(machine, words, "a module of the kernel")?;
        if output.rc != 0 {
            return Err(Failure::new(output.stderr_text())
                .with("rc", output.rc)
                .with("stdout", output.stdout_text())
                .with("stderr", output.stderr_text()));
        }
    }
    match args.persistent {
        Persistent::Disabled => Ok(()),
        Persistent::Present => keep(args, machine),
        Persistent::Absent => drop_all(args, machine),
    }
}

/// Whether the module is loaded, or part of the kernel itself.
fn is_loaded(name: &str, machine: &Machine) -> Result<bool, Failure> {
    let underlined = name.replace('-', "_");
    let path = Path::new("/proc/modules");
    let text = machine.read(path).map_err(|e| {
        let text = python_error(&e, path);
        Failure::new(text.replacen("b'", "'", 1))
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut names = text.lines().filter_map(|l| l.split(' ').next());
    if names.any(|n| n == underlined) {
        return Ok(true);
    }
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let built_in = Path::new("/lib/modules")
        .join(release)
        .join("modules.builtin");
    let text = machine.read(&built_in).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.lines().any(|l| {
        let file = l.rsplit('/').next().unwrap_or(l);
        file.strip_suffix(".ko")
            .is_some_and(|m| m.replace('-', "_") == underlined)
    }))
}

/// Has the module loaded at every start, with its parameters.
fn keep(args: &Args, machine: &mut Machine) -> Result<(), Failure> {
    let name = args.name.as_str();
    let lines = matching(LOADED, machine, |l| l.trim() == name)?;
    if lines.is_empty() {
        put(LOADED, name, &format!("{name}\n"), machine)?;
    }
    if args.params.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = args.params.split_whitespace().collect();
    let options = matching(OPTIONS, machine, |l| params(l, name).is_some())?;
    let mut now: Vec<&str> = Vec::new();
    for (_, line) in &options {
        now.extend(params(line, name).unwrap_or_default());
    }
    let (mut before, mut after) = (now.clone(), wanted.clone());
    before.sort_unstable();
    after.sort_unstable();
    if before != after {
        comment_out(&options, machine)?;
        let line = format!("options {name} {}\n", wanted.join(" "));
        put(OPTIONS, name, &line, machine)?;
    }
    Ok(())
}

/// Keeps the module from being loaded at a start.
fn drop_all(args: &Args, machine: &mut Machine) -> Result<(), Failure> {
    let name = args.name.as_str();
    let mut lines = matching(LOADED, machine, |l| l.trim() == name)?;
    lines.extend(matching(OPTIONS, machine, |l| params(l, name).is_some())?);
    comment_out(&lines, machine)
}

/// The parameters of a line `options NAME a=1 b=2`; none if it is another line.
fn params<'a>(line: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let mut words = line.split_whitespace();
    (words.next() == Some("options") && words.next() == Some(name)).then(|| words.collect())
}

/// Lines of the folder's `*.conf` files, each with its file.
fn matching(
    folder: &str,
    machine: &Machine,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(PathBuf, String)>, Failure> {
    let folder = Path::new(folder);
    let mut out = Vec::new();
    for name in machine.list(folder).unwrap_or_default() {
        let path = folder.join(&name);
        if path.extension().is_none_or(|e| e != "conf") || !machine.is_file(&path) {
            continue;
        }
        let text = machine.read(&path);
        let text = text.map_err(|e| Failure::new(python_error(&e, &path)))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().filter(|l| wanted(l));
        out.extend(lines.map(|l| (path.clone(), l.to_string())));
    }
    Ok(out)
}

fn comment_out(lines: &[(PathBuf, String)], machine: &mut Machine) -> Result<(), Failure> {
    for (path, line) in lines {
        let fail = |e: std::io::Error| Failure::new(python_error(&e, path));
        let text = machine.read(path).map_err(fail)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let new: String = text
            .split_inclusive('\n')
            .map(|l| match l.trim_end_matches('\n') == line {
                true => format!("#{l}"),
                false => l.to_string(),
            })
            .collect();
        let written = machine.write(path, Content::Bytes(new.as_bytes()), None, false);
        written.map_err(fail)?;
    }
    Ok(())
}

/// Writes the module's own file in the folder.
fn put(folder: &str, name: &str, text: &str, machine: &mut Machine) -> Result<(), Failure> {
    let folder = Path::new(folder);
    let path = folder.join(format!("{name}.conf"));
    let fail = |e: std::io::Error| Failure::new(python_error(&e, &path));
    if !machine.exists(folder) {
        machine.mkdir(folder).map_err(fail)?;
    }
    let old = machine.read(&path).unwrap_or_default();
    let new = [old.as_slice(), text.as_bytes()].concat();
    machine
        .write(&path, Content::Bytes(&new), Some(0o644), false)
        .map(|_| ())
        .map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::params;

    #[test]
    fn parameters_of_a_module_are_found() {
        assert_eq!(params("options a x=1  y=2", "a"), Some(vec!["x=1", "y=2"]));
        assert_eq!(params("options ab x=1", "a"), None);
        assert_eq!(params("# options a x=1", "a"), None);
    }
}
