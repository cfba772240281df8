//! Packages of Debian and its kin.
//!
//! Everything is asked of and done by the system's own `apt-cache`, `dpkg-query`, `apt-get`, `aptitude` (for
//! upgrades, where it is there, as Ansible does) and `dpkg`; nothing of Python is needed. Check mode has them
//! simulate.

mod deb;
mod install;
mod policy_rc_d;
mod query;
mod request;
pub(in crate::modules) mod tool;
pub mod update;
mod upgrade;
mod version;

use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::value::Value;
use request::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/apt_module.html>
pub struct Apt;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["deb", "package", "upgrade"]]))]
pub struct Args {
    #[serde(default)]
    state: State,
    /// Updates the lists first.
    #[schemars(extend("aliases" = ["update-cache"]))]
    update_cache: Option<bool>,
    /// How often an update of the lists is tried.
    #[serde(default = "five")]
    update_cache_retries: i64,
    /// Seconds between two such attempts, at most.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: i64,
    /// Updates the lists if they are older than this many seconds.
    #[serde(default)]
    cache_valid_time: i64,
    /// Removes configuration too.
    #[serde(default)]
    purge: bool,
    /// Packages: names, with a version (`a=1.2`, `a=1.*`, `a>=1.2`), patterns (`lib*`), or `*` with `state: latest`.
    #[schemars(extend("aliases" = ["pkg", "name"]))]
    package: Option<Vec<String>>,
    /// A `.deb` file on the target, or its URL.
    deb: Option<Path>,
    /// The release that packages come from (`-t`).
    #[schemars(extend("aliases" = ["default-release"]))]
    default_release: Option<String>,
    /// Whether recommended packages are installed too; apt's own setting without it.
    #[schemars(extend("aliases" = ["install-recommends"]))]
    install_recommends: Option<bool>,
    /// Installs what is not signed, and goes back to older versions.
    #[serde(default)]
    force: bool,
    /// Upgrades the whole system.
    #[serde(default)]
    upgrade: Upgrade,
    /// Options for dpkg, with commas.
    #[serde(default = "dpkg_options")]
    dpkg_options: String,
    /// Removes packages that nothing needs any more.
    #[serde(default)]
    autoremove: bool,
    /// Removes downloaded files of packages that are in no list any more.
    #[serde(default)]
    autoclean: bool,
    /// Fails rather than remove a package.
    #[serde(default)]
    fail_on_autoremove: bool,
    /// The exit code of `/usr/sbin/policy-rc.d` meanwhile: 101 keeps services from being started.
    policy_rc_d: Option<i64>,
    /// Upgrades packages that are installed, and installs none.
    #[serde(default)]
    only_upgrade: bool,
    /// Takes `apt-get` for upgrades even where `aptitude` is there.
    #[serde(default)]
    force_apt_get: bool,
    /// Removes all downloaded files of packages.
    #[serde(default)]
    clean: bool,
    /// Installs packages whose signature cannot be checked.
    #[serde(default)]
    #[schemars(extend("aliases" = ["allow-unauthenticated"]))]
    allow_unauthenticated: bool,
    /// Goes back to an older version if that is asked for.
    #[serde(default)]
    #[schemars(extend("aliases" = ["allow-downgrade", "allow_downgrades", "allow-downgrades"]))]
    allow_downgrade: bool,
    /// Changes packages that are on hold.
    #[serde(default)]
    allow_change_held_packages: bool,
    /// Seconds to wait for another apt or dpkg.
    #[serde(default = "sixty")]
    lock_timeout: i64,
    /// Of no use here: rplay needs no Python package on the target.
    #[serde(default = "super::yes")]
    #[allow(dead_code)]
    auto_install_module_deps: bool,
}

fn five() -> i64 {
    5
}
fn twelve() -> i64 {
    12
}
fn sixty() -> i64 {
    60
}
fn dpkg_options() -> String {
    "force-confdef,force-confold".to_string()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Not installed.
    Absent,
    /// What is needed to build the package from its source is installed.
    BuildDep,
    /// Installed, with broken dependencies repaired.
    Fixed,
    /// Installed, in the newest version.
    Latest,
    /// Installed.
    #[default]
    Present,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Upgrade {
    /// With new packages, and without those that are in the way.
    Dist,
    /// As `dist`, by aptitude where it is there.
    Full,
    #[default]
    No,
    /// Without removing a package.
    Safe,
    /// As `safe`.
    Yes,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// Whether the lists were updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_updated: Option<bool>,
    /// When the lists were updated last, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_update_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    /// What apt said.
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Apt {
    const NAME: &'static str = "apt";
    const EXAMPLES: &'static str = "
- name: Install the web server and its tools, from lists that are not older than an hour
  ansible.builtin.apt:
    name: [nginx, nginx-extras]
    update_cache: true
    cache_valid_time: 3600
  when: ansible_facts.pkg_mgr == 'apt'

- name: Remove a package with its configuration
  ansible.builtin.apt:
    name: apache2
    state: absent
    purge: true
  when: ansible_facts.pkg_mgr == 'apt'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if args.clean {
            let cleaned = args.clean(machine)?;
            if args.package.is_none() && args.upgrade == Upgrade::No && args.deb.is_none() {
                return Ok(cleaned);
            }
        }
        let cache = args.update(machine)?;
        let nothing_more =
            args.package.is_none() && args.upgrade == Upgrade::No && args.deb.is_none();
        let mut done = match () {
            () if cache.asked && nothing_more => Returns {
                changed: cache.updated,
                cache_updated: Some(cache.updated),
                cache_update_time: Some(cache.time),
                ..Returns::default()
            },
            () => args.act(machine, &cache)?,
        };
        let mut warnings = cache.warnings;
        warnings.append(&mut done.warnings);
        done.warnings = warnings;
        Ok(done)
    }
}

/// apt's lists, after they were updated or not.
struct Cache {
    /// Whether the user spoke of them at all.
    asked: bool,
    updated: bool,
    time: i64,
    warnings: Vec<String>,
}

impl Args {
    /// Updates the lists if they are to be.
    fn update(&self, machine: &mut Machine) -> Result<Cache, Failure> {
        let before = update::time(machine);
        let mut cache = Cache {
            asked: self.update_cache == Some(true) || self.cache_valid_time != 0,
            updated: false,
            time: before.map_or(0, |time| time.secs),
            warnings: Vec::new(),
        };
        if !cache.asked || !update::is_stale(machine, self.cache_valid_time) {
            return Ok(cache);
        }
        let attempts = update::Attempts {
            retries: self.update_cache_retries,
            max_delay: self.update_cache_retry_max_delay,
            lock_timeout: self.lock_timeout,
        };
        cache.warnings = update::update(machine, &attempts)?;
        let after = update::time(machine);
        // to the nanosecond: two updates may well be within one second
        cache.updated = machine.mode.check || after != before;
        cache.time = after.map_or(0, |time| time.secs);
        Ok(cache)
    }

    /// All but the update of the lists.
    fn act(&self, machine: &mut Machine, cache: &Cache) -> Result<Returns, Failure> {
        if self.upgrade != Upgrade::No {
            return self.upgrade(machine, self.upgrade);
        }
        if let Some(deb) = &self.deb {
            if self.state != State::Present {
                return Err(Failure::new("deb only supports state=present"));
            }
            return self.install_deb(machine, deb.as_str());
        }
        let names = self.package.as_deref().unwrap_or_default();
        let everything = names.iter().any(|n| n == "*");
        let names: Vec<&str> = names
            .iter()
            .filter(|n| *n != "*")
            .map(|n| n.trim())
            .collect();
        if everything && self.state == State::Latest {
            return match names.is_empty() {
                true => self.upgrade(machine, Upgrade::Yes),
                false => Err(Failure::new(
                    "unable to install additional packages when upgrading all installed packages",
                )),
            };
        }
        let requests = names
            .into_iter()
            .map(Request::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(Failure::new)?;
        if requests.is_empty() {
            if self.autoclean {
                return self.tidy(machine, "autoclean");
            }
            if self.autoremove {
                return self.tidy(machine, "autoremove");
            }
        }
        match self.state {
            State::Absent => self.remove(machine, requests),
            _ => self.install(machine, requests, cache),
        }
    }
}
