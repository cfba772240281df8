//! Facts: what `setup` finds out about a target, one file per group.
//!
//! Names and values are Ansible's
//! (<https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_vars_facts.html>); `ansible_` is put
//! before every name by the module.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod clock;
mod devices;
mod distribution;
mod hardware;
mod identity;
mod ini;
mod local;
pub mod mounts;
mod netlink;
mod network;
mod python;
mod system;
mod user;
mod virtualization;

pub use system::fully_qualified;

use crate::machine::Machine;
use crate::modules::Failure;
use crate::value::{Map, Value};
use std::path::Path;
use std::time::Duration;

/// A group of facts, and how `gather_subset` asks for it.
struct Group {
    name: &'static str,
    /// Facts of the group that stand for it.
    also: &'static [&'static str],
    /// Whether it belongs to `min`, which is gathered unless it is refused.
    min: bool,
    /// Groups whose facts it looks at: they are gathered with it.
    needs: &'static [&'static str],
    gather: fn(&mut Facts<'_>),
}

const fn group(name: &'static str, min: bool, gather: fn(&mut Facts<'_>)) -> Group {
    Group {
        name,
        also: &[],
        min,
        needs: &[],
        gather,
    }
}

impl Group {
    const fn also(self, also: &'static [&'static str]) -> Group {
        Group { also, ..self }
    }
    const fn needs(self, needs: &'static [&'static str]) -> Group {
        Group { needs, ..self }
    }
    fn is(&self, name: &str) -> bool {
        self.name == name || self.also.contains(&name)
    }
}

const MIN: bool = true;
const MORE: bool = false;

/// In the order in which they are gathered; some look at facts of those before.
static GROUPS: &[Group] = &[
    group("platform", MIN, system::platform).also(&[
        "architecture",
        "kernel",
        "kernel_version",
        "machine",
        "machine_id",
        "python_version",
        "system",
    ]),
    group("distribution", MIN, distribution::gather).also(&[
        "distribution_major_version",
        "distribution_release",
        "distribution_version",
        "os_family",
    ]),
    group("lsb", MIN, system::lsb),
    group("selinux", MIN, system::selinux),
    group("apparmor", MIN, system::apparmor),
    group("chroot", MORE, system::chroot).also(&["is_chroot"]),
    group("fips", MIN, system::fips),
    group("python", MIN, python::gather),
    group("caps", MIN, identity::capabilities)
        .also(&["system_capabilities", "system_capabilities_enforced"]),
    group("pkg_mgr", MIN, system::package_manager).needs(&["distribution"]),
    group("service_mgr", MIN, system::service_manager).needs(&["distribution", "platform"]),
    group("cmdline", MIN, system::command_line),
    group("date_time", MIN, clock::gather),
    group("env", MIN, user::environment),
    group("loadavg", MORE, hardware::load),
    group("ssh_pub_keys", MIN, system::ssh_keys).also(&[
        "ssh_host_key_dsa_public",
        "ssh_host_key_ecdsa_public",
        "ssh_host_key_ed25519_public",
        "ssh_host_key_rsa_public",
        "ssh_host_pub_keys",
    ]),
    group("user", MIN, user::gather).also(&[
        "effective_group_ids",
        "effective_user_id",
        "real_user_id",
        "user_dir",
        "user_gecos",
        "user_gid",
        "user_id",
        "user_shell",
        "user_uid",
    ]),
    group("systemd", MORE, system::systemd),
    group("virtual", MORE, virtualization::gather).also(&[
        "virtualization_role",
        "virtualization_tech_guest",
        "virtualization_tech_host",
        "virtualization_type",
    ]),
    group("hardware", MORE, hardware::gather)
        .also(&[
            "devices",
            "mounts",
            "processor",
            "processor_cores",
            "processor_count",
        ])
        .needs(&["platform"]),
    group("dns", MIN, system::dns),
    group("fibre_channel_wwn", MORE, identity::fibre_channel),
    group("network", MORE, network::gather)
        .also(&[
            "all_ipv4_addresses",
            "all_ipv6_addresses",
            "default_ipv4",
            "default_ipv6",
            "interfaces",
        ])
        .needs(&["platform", "distribution"]),
    group("iscsi", MORE, identity::iscsi),
    group("nvme", MORE, identity::nvme),
    group("local", MIN, local::gather),
];

/// Facts as they are gathered, and the machine that they are about.
pub struct Facts<'a> {
    machine: &'a Machine,
    fact_path: &'a Path,
    /// How long a slow group may take.
    timeout: Duration,
    found: Map,
    warnings: Vec<String>,
    failure: Option<Failure>,
}

impl Facts<'_> {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.found.insert(name.into(), value.into());
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.found.get(name)?.as_str()
    }

    /// A file's text without the blanks at its ends; none if it cannot be read.
    fn file(&self, path: &str) -> Option<String> {
        let bytes = self.machine.read(Path::new(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_string())
    }

    fn exists(&self, path: &str) -> bool {
        self.machine.exists(Path::new(path))
    }

    /// Where a program is: on the path, or where administrators' programs are.
    fn program(&self, name: &str) -> Option<String> {
        let path = self.machine.variable("PATH").unwrap_or_default();
        path.split(':')
            .chain(["/sbin", "/usr/sbin", "/usr/local/sbin"])
            .filter(|dir| !dir.is_empty())
            .map(|dir| format!("{dir}/{name}"))
            .find(|file| {
                let file = Path::new(file);
                self.machine.is_file(file) && self.machine.access(file, rustix::fs::Access::EXEC_OK)
            })
    }
}

/// What to find out.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// As `gather_subset` names them: `all`, `min`, a group, or `!` before any.
    pub subsets: &'a [String],
    /// The folder of the target's own facts.
    pub fact_path: Option<&'a Path>,
    /// How long a slow group may take.
    pub timeout: Duration,
}

/// What was found out, and what the user should know of it.
#[derive(Debug)]
pub struct Gathered {
    pub facts: Map,
    pub warnings: Vec<String>,
}

/// Gathers the facts of the subsets.
///
/// Fails with Ansible's message for a subset that does not exist, and for a program in facts.d that cannot be started.
pub fn gather(machine: &Machine, wanted: &Wanted<'_>) -> Result<Gathered, Failure> {
    let chosen = choose(wanted.subsets).map_err(Failure::new)?;
    let mut facts = Facts {
        machine,
        fact_path: wanted.fact_path.unwrap_or(Path::new("")),
        timeout: wanted.timeout,
        found: Map::default(),
        warnings: Vec::new(),
        failure: None,
    };
    for group in chosen {
        (group.gather)(&mut facts);
        if let Some(failure) = facts.failure {
            return Err(failure);
        }
    }
    Ok(Gathered {
        facts: facts.found,
        warnings: facts.warnings,
    })
}

/// The groups that the subsets ask for, those that they need included.
///
/// `min` comes with every choice. What is refused is not gathered unless it is also asked for by its own name.
fn choose(subsets: &[String]) -> Result<Vec<&'static Group>, String> {
    // facter and ohai are other programs' facts
    let others = ["all", "facter", "ohai"];
    for subset in subsets {
        let name = subset.trim_start_matches('!');
        if subset != name || name == "min" || others.contains(&name) {
            continue;
        }
        if !GROUPS.iter().any(|g| g.is(name)) {
            let names = GROUPS.iter().flat_map(|g| g.also.iter().chain([&g.name]));
            let mut names: Vec<&str> = names.copied().chain(others).collect();
            names.sort_unstable();
            names.dedup();
            return Err(format!(
                "Bad subset '{subset}' given to Ansible. gather_subset options allowed: {}",
                names.join(", ")
            ));
        }
    }
    let says = |name: &str| subsets.iter().any(|s| s == name);
    let refused = |name: &str| subsets.iter().any(|s| s.strip_prefix('!') == Some(name));
    let everything = says("all") || subsets.is_empty();
    let wanted = |group: &Group| {
        let named = group.also.iter().chain([&group.name]).any(|n| says(n));
        let general = group.min || everything;
        let no = group.also.iter().chain([&group.name]).any(|n| refused(n))
            || refused(if group.min { "min" } else { "all" });
        named || (general && !no)
    };
    let asked: Vec<&Group> = GROUPS.iter().filter(|g| wanted(g)).collect();
    let needed = |group: &&Group| asked.iter().any(|a| a.needs.contains(&group.name));
    Ok(GROUPS
        .iter()
        .filter(|g| asked.iter().any(|a| a.name == g.name) || needed(g))
        .collect())
}

/// A dictionary from pairs.
fn dict<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::map(crate::modules::args::map(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(subsets: &[&str]) -> Vec<&'static str> {
        let subsets: Vec<String> = subsets.iter().map(|s| s.to_string()).collect();
        choose(&subsets).unwrap().iter().map(|g| g.name).collect()
    }

    #[test]
    fn subsets_choose_groups() {
        let min: Vec<&str> = GROUPS.iter().filter(|g| g.min).map(|g| g.name).collect();
        let all: Vec<&str> = GROUPS.iter().map(|g| g.name).collect();
        assert_eq!(chosen(&["all"]), all);
        for only_min in [&["!all"][..], &["min"], &["!hardware"], &["!nope"]] {
            assert_eq!(chosen(only_min), min, "{only_min:?}");
        }
        let cases: &[(&[&str], &[&str])] = &[
            (&["!all", "!min"], &[]),
            (&["!all", "!min", "all"], &[]),
            (&["!min"], &[]),
            (
                &["!all", "!min", "network"],
                &["platform", "distribution", "network"],
            ),
            (&["!all", "pkg_mgr", "!min"], &["distribution", "pkg_mgr"]),
            (&["!all", "!min", "mounts"], &["platform", "hardware"]),
        ];
        for (subsets, groups) in cases {
            assert_eq!(chosen(subsets), *groups, "{subsets:?}");
        }
        assert!(!chosen(&["min", "!env"]).contains(&"env"));
        assert!(chosen(&["!network", "network"]).contains(&"network"));
        assert!(!chosen(&["all", "!network"]).contains(&"network"));
        assert!(chosen(&["hardware", "!all"]).contains(&"hardware"));
        let bad = choose(&["nope".to_string()]).err().unwrap();
        assert!(bad.starts_with(
            "Bad subset 'nope' given to Ansible. gather_subset options allowed: all, all_ipv4"
        ));
    }

    #[test]
    fn everything_is_gathered() {
        let subsets = ["all".to_string()];
        let wanted = Wanted {
            subsets: &subsets,
            ..Wanted::default()
        };
        let all = gather(&Machine::default(), &wanted).unwrap().facts;
        for name in [
            "kernel",
            "distribution",
            "memtotal_mb",
            "default_ipv4",
            "devices",
            "mounts",
        ] {
            assert!(all.contains_key(name), "{name}");
        }
    }
}
