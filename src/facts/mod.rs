//! Facts: what `setup` finds out about a target, one file per group.
//!
//! Names and values are Ansible's
//! (<https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_vars_facts.html>); `ansible_` is put
//! before every name by the module.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod clock;
mod distribution;
mod hardware;
mod local;
mod netlink;
mod network;
mod python;
mod system;
mod user;
mod virtualization;

use crate::machine::Machine;
use crate::value::Map;
use crate::value::Value;
use std::path::Path;

/// A group of facts, and the names under which `gather_subset` knows it.
struct Group {
    names: &'static [&'static str],
    /// Whether it belongs to `min`, which is gathered unless it is refused.
    min: bool,
    gather: fn(&mut Facts<'_>),
}

/// In the order in which they are gathered; some look at facts of those before.
static GROUPS: &[Group] = &[
    Group {
        names: &[
            "platform",
            "system",
            "architecture",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
        ],
        min: true,
        gather: system::platform,
    },
    Group {
        names: &[
            "distribution",
            "distribution_major_version",
            "distribution_release",
            "distribution_version",
            "os_family",
        ],
        min: true,
        gather: distribution::gather,
    },
    Group {
        names: &["date_time"],
        min: true,
        gather: clock::gather,
    },
    Group {
        names: &[
            "user",
            "user_id",
            "user_uid",
            "user_gid",
            "user_gecos",
            "user_dir",
            "user_shell",
            "real_user_id",
            "effective_user_id",
            "effective_group_ids",
        ],
        min: true,
        gather: user::gather,
    },
    Group {
        names: &["env"],
        min: true,
        gather: user::environment,
    },
    Group {
        names: &[
            "cmdline",
            "dns",
            "fips",
            "lsb",
            "selinux",
            "apparmor",
            "caps",
            "system_capabilities",
            "system_capabilities_enforced",
        ],
        min: true,
        gather: system::settings,
    },
    Group {
        names: &["python", "python_version"],
        min: true,
        gather: python::gather,
    },
    Group {
        names: &["chroot", "is_chroot"],
        min: false,
        gather: system::chroot,
    },
    Group {
        names: &["pkg_mgr"],
        min: true,
        gather: system::package_manager,
    },
    Group {
        names: &["service_mgr", "systemd"],
        min: true,
        gather: system::service_manager,
    },
    Group {
        names: &[
            "ssh_pub_keys",
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
            "ssh_host_key_rsa_public",
        ],
        min: true,
        gather: system::ssh_keys,
    },
    Group {
        names: &["local"],
        min: true,
        gather: local::gather,
    },
    Group {
        names: &[
            "hardware",
            "memory",
            "processor",
            "processor_cores",
            "processor_count",
            "uptime",
            "devices",
            "loadavg",
            "dmi",
        ],
        min: false,
        gather: hardware::gather,
    },
    Group {
        names: &["mounts", "hardware"],
        min: false,
        gather: hardware::mounts,
    },
    Group {
        names: &[
            "network",
            "interfaces",
            "default_ipv4",
            "default_ipv6",
            "all_ipv4_addresses",
            "all_ipv6_addresses",
        ],
        min: false,
        gather: network::gather,
    },
    Group {
        names: &[
            "virtual",
            "virtualization_type",
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        min: false,
        gather: virtualization::gather,
    },
];

/// Facts as they are gathered, and the machine that they are about.
pub struct Facts<'a> {
    machine: &'a Machine,
    fact_path: &'a Path,
    found: Map,
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
}

/// The facts of the subsets, as `gather_subset` names them: `all`, `min`, a group, or `!` before any.
///
/// Fails with the message for a subset that does not exist.
pub fn gather(machine: &Machine, subsets: &[String], fact_path: &Path) -> Result<Map, String> {
    let known = |name: &str| {
        matches!(name, "all" | "min" | "facter" | "ohai")
            || GROUPS.iter().any(|g| g.names.contains(&name))
    };
    for subset in subsets {
        if !known(subset.trim_start_matches('!')) {
            let mut names: Vec<&str> = GROUPS
                .iter()
                .flat_map(|g| g.names.iter().copied())
                .collect();
            names.extend(["all", "min"]);
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
    let positive = subsets.iter().any(|s| !s.starts_with('!'));
    let everything = says("all") || (!positive && !refused("all"));
    let mut facts = Facts {
        machine,
        fact_path,
        found: Map::default(),
    };
    for group in GROUPS {
        let named = group.names.iter().any(|n| says(n));
        let unwanted = group.names.iter().any(|n| refused(n));
        let by_min = group.min && !refused("min");
        let wanted = (named || by_min || (everything && !refused("all"))) && !unwanted;
        if wanted || named {
            (group.gather)(&mut facts);
        }
    }
    Ok(facts.found)
}

/// A dictionary from pairs.
fn dict<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::map(crate::modules::args::map(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(subsets: &[&str]) -> Map {
        let subsets: Vec<String> = subsets.iter().map(|s| s.to_string()).collect();
        gather(&Machine::default(), &subsets, Path::new("/nonexistent")).unwrap()
    }

    #[test]
    fn subsets_choose_facts() {
        let all = facts(&["all"]);
        for name in [
            "kernel",
            "distribution",
            "memtotal_mb",
            "default_ipv4",
            "virtualization_type",
        ] {
            assert!(all.contains_key(name), "{name}");
        }
        let min = facts(&["!all"]);
        assert!(min.contains_key("kernel") && !min.contains_key("memtotal_mb"));
        let none = facts(&["!all", "!min"]);
        assert!(none.is_empty());
        let network = facts(&["!all", "!min", "network"]);
        assert!(network.contains_key("interfaces") && !network.contains_key("kernel"));
        let bad = gather(&Machine::default(), &["nope".into()], Path::new("/"));
        assert!(bad.unwrap_err().starts_with("Bad subset 'nope'"));
    }
}
