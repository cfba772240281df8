//! Which file systems are mounted, and which are to be.

mod parse;

use super::common::tool;
use super::{Failure, Module};
use crate::facts::mounts;
use crate::machine::{Command, Machine, glob};
use crate::modules::args::map;
use crate::python;
use crate::value::{Map, Value};
use parse::Mount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/mount_facts_module.html>
pub struct MountFacts;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// Patterns of devices; mounts of others are left out.
    devices: Option<Vec<String>>,
    /// Patterns of types of file systems; others are left out.
    fstypes: Option<Vec<String>>,
    /// Files and `mount`, in order; `dynamic` are the tables of what is mounted, `static` those of what is to be,
    /// `all` both.
    sources: Option<Vec<String>>,
    /// The program that is asked if there is no table of what is mounted; null for none.
    #[serde(default = "mount_program")]
    mount_binary: Value,
    /// Seconds that each mount may take to answer.
    timeout: Option<f64>,
    /// What follows from a mount that takes longer.
    #[serde(default)]
    on_timeout: OnTimeout,
    /// Whether all mounts are listed too, those at the same place as others included. If it is not said, such ones are
    /// warned about.
    include_aggregate_mounts: Option<bool>,
}

fn mount_program() -> Value {
    Value::str("mount")
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("order" = ["error", "warn", "ignore"]))]
enum OnTimeout {
    #[default]
    Error,
    Warn,
    Ignore,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// `mount_points`: the first mount at each place; `aggregate_mounts`: all of them, if asked for.
    #[schemars(with = "serde_json::Value")]
    ansible_facts: Value,
}

const DYNAMIC: &[&str] = &["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: &[&str] = &["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

impl Module for MountFacts {
    const NAME: &'static str = "mount_facts";
    const EXAMPLES: &'static str = "
- name: Which file systems are mounted
  ansible.builtin.mount_facts:
    sources: [dynamic]
    include_aggregate_mounts: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let search = Search::new(args)?;
        let mut points = Map::default();
        let mut all = Vec::new();
        let mut repeated = Vec::new();
        let uuids = search.uuids(machine)?;
        for (source, mounts) in search.mounts(machine)? {
            let (mut places, mut here, mut again) = (Vec::new(), HashSet::new(), false);
            for (text, mount) in mounts {
                let Some(mount) = search.described(&source, text, mount, &uuids, machine)? else {
                    continue;
                };
                let place = mount.get("mount").cloned().unwrap_or_default();
                let mount = Value::map(mount);
                let at = python::str(&place);
                if !points.contains_key(at.as_str()) {
                    points.insert(at.as_str().into(), mount.clone());
                }
                again |= !here.insert(at);
                places.push(place);
                all.push(mount);
            }
            if again {
                let places = python::repr(&Value::list(places));
                repeated.push(format!("{source} ({places})"));
            }
        }
        match search.args.include_aggregate_mounts {
            Some(true) => {}
            Some(false) => all.clear(),
            None => {
                all.clear();
                if !repeated.is_empty() {
                    machine.warnings.push(format!(
                        "mount_facts: ignoring repeat mounts in the following sources: {}. You can disable this \
                         warning by configuring the 'include_aggregate_mounts' option as True or False.",
                        repeated.join(", ")
                    ));
                }
            }
        }
        let facts = map([
            ("mount_points", Value::map(points)),
            ("aggregate_mounts", Value::list(all)),
        ]);
        Ok(Returns {
            changed: false,
            ansible_facts: Value::map(facts),
        })
    }
}

/// The options, checked.
struct Search {
    args: Args,
    /// The program that tells mounts.
    program: Option<String>,
    timeout: Option<Duration>,
}

impl Search {
    fn new(args: Args) -> Result<Search, Failure> {
        let program = match &args.mount_binary {
            Value::Null => None,
            Value::Str(program) => Some(program.to_string()),
            other => {
                let msg = "argument 'mount_binary' must be a string or null, not";
                return Err(Failure::new(format!("{msg} {}", python::repr(other))));
            }
        };
        let timeout = match args.timeout {
            None => None,
            Some(seconds) => match Duration::try_from_secs_f64(seconds) {
                Ok(time) if !time.is_zero() => Some(time),
                _ => {
                    let msg = "argument 'timeout' must be a positive number or null, not";
                    let shown = python::str(&Value::Float(seconds));
                    return Err(Failure::new(format!("{msg} {shown}")));
                }
            },
        };
        Ok(Search {
            args,
            program,
            timeout,
        })
    }

    /// The mounts of each source that has any.
    fn mounts(&self, machine: &mut Machine) -> Result<Vec<(String, Vec<Mount>)>, Failure> {
        let given = self.args.sources.clone().unwrap_or_default();
        let given = match given.is_empty() {
            true => vec!["all".to_string()],
            false => given,
        };
        let mut sources: Vec<&str> = Vec::new();
        for source in &given {
            match source.as_str() {
                "" => return Err(Failure::new("sources contains an empty string")),
                "all" => sources.extend(DYNAMIC.iter().chain(STATIC)),
                "dynamic" => sources.extend(DYNAMIC),
                "static" => sources.extend(STATIC),
                other => sources.push(other),
            }
        }
        // whether no table of what is mounted was found yet, although one is wanted
        let mut dynamic = sources.iter().any(|source| DYNAMIC.contains(source));
        if sources.iter().collect::<HashSet<_>>().len() < sources.len() {
            let shown = Value::list(sources.iter().copied().map(Value::str).collect());
            machine.warnings.push(format!(
                "mount_facts option 'sources' contains duplicate entries, repeat sources will be ignored: {}",
                python::repr(&shown)
            ));
        }
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for source in sources {
            let mounts = match source {
                "mount" if seen.insert("mount".into()) => self.ask_program(machine)?,
                "mount" => continue,
                path => {
                    let real = machine.real_path(Path::new(path));
                    let text = match seen.insert(real) {
                        true => machine.read(Path::new(path)).unwrap_or_default(),
                        false => continue,
                    };
                    let text = String::from_utf8_lossy(&text).into_owned();
                    // a table of what is mounted is never empty
                    if DYNAMIC.contains(&path) && !text.trim().is_empty() {
                        dynamic = false;
                    }
                    parse::file(path, &text)
                }
            };
            found.push((source.to_string(), mounts));
        }
        if dynamic && self.program.is_some() && seen.insert("mount".into()) {
            found.push(("mount".to_string(), self.ask_program(machine)?));
        }
        Ok(found)
    }

    fn ask_program(&self, machine: &mut Machine) -> Result<Vec<Mount>, Failure> {
        let Some(name) = &self.program else {
            return Err(Failure::new(
                "'mount' is one of the sources, but 'mount_binary' is null",
            ));
        };
        let program = tool::find(machine, name)?;
        let command = self.command([program.as_str()]);
        match machine.probe(&command) {
            Ok(output) if output.rc == 0 => Ok(parse::program(&output.stdout_text())),
            Ok(output) => Err(Failure::new(format!(
                "Failed to execute {program}: Command '{program}' returned non-zero exit status {}.",
                output.rc
            ))),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                self.late(machine, &format!("Command '{program}' timed out"))?;
                Ok(Vec::new())
            }
            Err(e) => Err(tool::cannot(&command, &e)),
        }
    }

    fn command<const N: usize>(&self, words: [&str; N]) -> Command {
        Command {
            timeout: self.timeout,
            ..tool::command(words)
        }
    }

    /// Something took longer than the timeout.
    fn late(&self, machine: &mut Machine, what: &str) -> Result<(), Failure> {
        let seconds = python::str(&Value::Float(self.args.timeout.unwrap_or_default()));
        let msg = format!("{what} after {seconds} seconds");
        match self.args.on_timeout {
            OnTimeout::Error => return Err(Failure::new(msg)),
            OnTimeout::Warn => machine.warnings.push(msg),
            OnTimeout::Ignore => {}
        }
        Ok(())
    }

    /// Devices and the UUIDs of their file systems, as `lsblk` knows them.
    fn uuids(&self, machine: &mut Machine) -> Result<HashMap<String, String>, Failure> {
        let Some(program) = machine.program("lsblk") else {
            return Ok(HashMap::new());
        };
        let program = program.to_string_lossy().into_owned();
        // 2 is the number of floppy disks: asking these takes its time
        let words = [
            program.as_str(),
            "--list",
            "--noheadings",
            "--paths",
            "--output",
            "NAME,UUID",
            "--exclude",
            "2",
        ];
        match machine.probe(&self.command(words)) {
            Ok(output) => {
                let text = output.stdout_text();
                let pairs = text.lines().filter_map(|line| {
                    let (device, uuid) = line.trim().split_once(char::is_whitespace)?;
                    Some((device.to_string(), uuid.trim().to_string()))
                });
                Ok(pairs.collect())
            }
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                let words = words.iter().copied().map(Value::str).collect();
                let words = python::repr(&Value::list(words));
                self.late(machine, &format!("Command '{words}' timed out"))?;
                Ok(HashMap::new())
            }
            Err(_) => Ok(HashMap::new()),
        }
    }

    /// The UUID as udev knows it.
    fn uuid_of_udev(&self, device: &str, machine: &Machine) -> Option<String> {
        let program = machine.program("udevadm")?;
        let program = program.to_string_lossy();
        let words = [&program, "info", "--query", "property", "--name", device];
        let output = machine.probe(&self.command(words)).ok()?;
        let text = output.stdout_text();
        let uuid = text
            .lines()
            .find_map(|line| line.strip_prefix("ID_FS_UUID="));
        uuid.map(String::from)
    }

    /// All that is known of a mount; nothing if it is none of those that the user wants.
    fn described(
        &self,
        source: &str,
        text: String,
        mut mount: Map,
        uuids: &HashMap<String, String>,
        machine: &mut Machine,
    ) -> Result<Option<Map>, Failure> {
        let field = |name: &str| mount.get(name).map(python::str).unwrap_or_default();
        let (device, fstype, place) = (field("device"), field("fstype"), field("mount"));
        let wanted = |patterns: &Option<Vec<String>>, text: &str| {
            let patterns = patterns.as_deref().unwrap_or_default();
            patterns.is_empty() || patterns.iter().any(|p| glob::text_matches(p, text))
        };
        if !wanted(&self.args.devices, &device) || !wanted(&self.args.fstypes, &fstype) {
            return Ok(None);
        }
        let sizes = match self.timeout {
            None => mounts::size(&place),
            Some(timeout) => match mounts::ask_aside(place.clone()).recv_timeout(timeout) {
                Ok(sizes) => sizes,
                Err(_) => {
                    let what =
                        format!("Timed out getting mount size for mount {place} (type {fstype})");
                    self.late(machine, &what)?;
                    Map::default()
                }
            },
        };
        mount.extend(sizes);
        let uuid = match device.strip_prefix("UUID=") {
            Some(uuid) => Some(uuid.to_string()),
            None => uuids
                .get(&device)
                .cloned()
                .or_else(|| self.uuid_of_udev(&device, machine)),
        };
        mount.insert("uuid".into(), uuid.map_or(Value::Null, Value::from));
        let context = map([
            ("source", Value::str(source)),
            ("source_data", Value::from(text)),
        ]);
        mount.insert("ansible_context".into(), Value::map(context));
        Ok(Some(mount))
    }
}
