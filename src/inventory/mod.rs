//! Hosts, groups, patterns, and where they come from.
//!
//! [`Inventory::load`] reads what `-i` names; [`Inventory::hosts_for`] matches a [`Pattern`];
//! [`layers`] gives the variables of a host in Ansible's order of precedence.
//! <https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html>
//!
//! A source that cannot be understood is warned about and adds nothing (Ansible keeps the part
//! before the mistake).

pub mod address;
mod builtin;
pub mod data;
mod dynamic;
mod ini;
pub mod layers;
pub mod literal;
pub mod options;
mod order;
pub mod pattern;
mod plugins;
mod script;
mod sources;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

pub use builtin::{BUILTIN, Builtin, BuiltinRequest};
pub use data::{Group, Host, LOCALHOST};
pub use layers::{Layer, LayerKind};
pub use options::Options;
pub use order::Order;
pub use pattern::Pattern;

use crate::value::{Map, Value};
use crate::vars::files::VarFiles;
use crate::{Error, Result, notice};
use data::{Data, Names};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NO_HOSTS: &str = "No hosts matched, nothing to do";

/// All hosts and groups that a run knows.
#[derive(Clone, Debug)]
pub struct Inventory {
    data: Data,
    sources: Vec<String>,
    source_dirs: Vec<PathBuf>,
    options: Arc<Options>,
    /// Folder of the playbook, where built-in inventories look for their configuration.
    playbook_dir: Option<PathBuf>,
    /// One host for each name that means this machine, for when no source has it.
    implicit: Vec<Host>,
    files: Arc<VarFiles>,
    /// What tasks added: no source has it, and it outlives a refresh.
    added: Vec<Addition>,
}

/// What a task has added to the inventory.
#[derive(Clone, Debug, PartialEq)]
enum Addition {
    Host {
        name: String,
        groups: Vec<String>,
        vars: Map,
    },
    Member {
        host: String,
        group: String,
        parents: Vec<String>,
    },
}

impl Inventory {
    /// Reads `sources` in order, as `-i` names them: files, folders, scripts, `host,` lists, `ec2`.
    ///
    /// A source that cannot be read is warned about; it is an error only where so configured, or
    /// if it is a built-in inventory.
    pub fn load(
        sources: &[String],
        options: Options,
        playbook_dir: Option<&Path>,
    ) -> Result<Inventory> {
        let implicit = LOCALHOST
            .iter()
            .map(|name| {
                let mut vars = Map::default();
                vars.insert("ansible_connection".into(), "local".into());
                Host {
                    name: Arc::from(*name),
                    vars: Arc::new(vars),
                    groups: Names::default(),
                    implicit: true,
                }
            })
            .collect();
        let mut inventory = Inventory {
            data: Data::new(&options),
            sources: sources.to_vec(),
            source_dirs: dirs_of(sources),
            files: Arc::new(VarFiles::new(options.merge)),
            options: Arc::new(options),
            playbook_dir: playbook_dir.map(Path::to_path_buf),
            implicit,
            added: Vec::new(),
        };
        sources::read_all(&mut inventory, false)?;
        Ok(inventory)
    }

    /// An inventory without sources: implicit localhost only, and no warning about it.
    pub fn empty() -> Inventory {
        let options = Options {
            unparsed_warning: false,
            ..Options::default()
        };
        Inventory::load(&[], options, None).expect("no source can fail")
    }

    /// Reads all sources anew (`meta: refresh_inventory`), and adds again what `add_host` and `group_by`
    /// added, as far as its hosts are still there. Variable files are read anew too.
    pub fn refresh(&mut self) -> Result<()> {
        self.data = Data::new(&self.options);
        self.files = Arc::new(VarFiles::new(self.options.merge));
        self.source_dirs = dirs_of(&self.sources);
        sources::read_all(self, true)?;
        for addition in self.added.clone() {
            match addition {
                Addition::Host { name, groups, vars } => {
                    self.add_host(&name, &groups, &vars)?;
                }
                Addition::Member {
                    host,
                    group,
                    parents,
                } => {
                    if self.data.hosts.contains_key(host.as_str()) {
                        self.group_by(&host, &group, &parents)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, addition: Addition) {
        if !self.added.contains(&addition) {
            self.added.push(addition);
        }
    }

    /// The names of all hosts in their order of first mention, without the implicit localhost.
    pub fn host_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.data.hosts.keys()
    }

    /// A host by name; for `localhost`, `127.0.0.1` and `::1` one always exists.
    pub fn host(&self, name: &str) -> Option<&Host> {
        if let Some(host) = self.data.hosts.get(name) {
            return Some(host);
        }
        let implicit = self.implicit.iter().find(|h| &*h.name == name)?;
        match &self.data.localhost {
            Some(localhost) => self.data.hosts.get(localhost),
            None => Some(implicit),
        }
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.data.groups.get(name)
    }

    /// All groups in their order of first mention; `all` and `ungrouped` come first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.data.groups.values()
    }

    /// The hosts of a group and the groups below it, in Ansible's order.
    pub fn hosts_of(&self, group: &str) -> Vec<Arc<str>> {
        self.data.hosts_of(group).into_iter().collect()
    }

    /// The hosts that `pattern` means and `limit` admits, in the inventory's order.
    ///
    /// Parts that name nothing are warned about.
    pub fn hosts_for(&self, pattern: &Pattern, limit: Option<&Pattern>) -> Result<Vec<Arc<str>>> {
        let mut hosts = pattern.hosts(self)?;
        if let Some(limit) = limit {
            let admitted = limit.hosts(self)?;
            hosts.retain(|h| admitted.contains(h));
        }
        Ok(hosts.into_iter().collect())
    }

    /// The hosts of a run, with the warnings that it begins with.
    ///
    /// `pattern` is what is targeted (`all` for playbooks). Fails if the pattern cannot be understood, and if the
    /// inventory has hosts but the limit leaves none.
    pub fn targets(&self, pattern: &str, limit: Option<&Pattern>) -> Result<Vec<Arc<str>>> {
        let none = self.data.hosts.is_empty();
        if none && self.options.localhost_warning && !data::LOCALHOST.contains(&pattern) {
            notice::warning(
                "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'",
            );
        }
        let hosts = self.hosts_for(&Pattern::parse(pattern)?, limit)?;
        match limit {
            _ if none || !hosts.is_empty() => {}
            Some(_) => {
                return Err(Error::general(
                    "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.",
                ));
            }
            None => notice::warning(NO_HOSTS),
        }
        Ok(hosts)
    }

    /// As [`Inventory::targets`], for a list that is shown: without a limit, what is wrong with the pattern is a warning.
    pub fn listed(&self, pattern: &str, limit: Option<&Pattern>) -> Result<Vec<Arc<str>>> {
        match self.targets(pattern, limit) {
            Err(e) if limit.is_none() => {
                notice::warning(format!("{NO_HOSTS}\n{e}"));
                Ok(Vec::new())
            }
            found => found,
        }
    }

    /// All groups of a host, ancestors and `all` included, in the order in which their variables
    /// are merged: depth, priority, name.
    pub fn groups_of(&self, host: &str) -> Vec<&Group> {
        match self.host(host) {
            Some(host) => self.data.groups_of(host),
            None => Vec::new(),
        }
    }

    /// The magic variable `group_names`: sorted, without `all`.
    pub fn group_names(&self, host: &str) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self
            .groups_of(host)
            .into_iter()
            .map(|g| Arc::clone(&g.name))
            .filter(|n| &**n != "all")
            .collect();
        names.sort();
        names
    }

    /// The magic variable `groups`: each group with all its hosts.
    pub fn groups_value(&self) -> Map {
        self.data
            .groups
            .keys()
            .map(|name| {
                let hosts = self.data.hosts_of(name);
                let hosts = hosts.into_iter().map(Value::from).collect();
                (Arc::clone(name).into(), Value::list(hosts))
            })
            .collect()
    }

    /// Adds a host, as the `add_host` action does: to `groups`, which are created where needed,
    /// with `vars`. Gives whether anything is new.
    pub fn add_host(&mut self, name: &str, groups: &[String], vars: &Map) -> Result<bool> {
        let (host, port) = address::split_port(name, false).unwrap_or((name, None));
        let mut changed = !self.data.hosts.contains_key(host);
        let host = self.data.add_host(host, None, port)?;
        for group in groups {
            let group = self.data.add_group(group)?;
            if !self.data.groups[&group].hosts.contains(&host) {
                changed = true;
                self.data.add_host(&host, Some(&group), None)?;
            }
        }
        for (key, value) in vars {
            let known = self.data.hosts[&host]
                .vars
                .get(key)
                .is_some_and(|v| v == value);
            if !known {
                changed = true;
                self.data.set_host_var(&host, key.clone(), value.clone())?;
            }
        }
        if changed {
            self.data.reconcile();
        }
        self.note(Addition::Host {
            name: name.to_string(),
            groups: groups.to_vec(),
            vars: vars.clone(),
        });
        Ok(changed)
    }

    /// Puts a host into a group below `parents`, as the `group_by` action does; groups are created
    /// where needed. Gives whether anything is new.
    pub fn group_by(&mut self, host: &str, group: &str, parents: &[String]) -> Result<bool> {
        let mut changed = !self.data.groups.contains_key(group);
        let group = self.data.add_group(group)?;
        for parent in parents {
            let parent = self.data.add_group(parent)?;
            if !self.data.groups[&parent].children.contains(&group) {
                changed = true;
                self.data.add_child(&parent, &group)?;
            }
        }
        // the implicit localhost is a member of no group
        if self.data.hosts.contains_key(host) && !self.data.groups[&group].hosts.contains(host) {
            changed = true;
            self.data.add_host(host, Some(&group), None)?;
        }
        if changed {
            self.data.reconcile();
        }
        self.note(Addition::Member {
            host: host.to_string(),
            group: group.to_string(),
            parents: parents.to_vec(),
        });
        Ok(changed)
    }

    /// Takes a host out of the inventory and all groups.
    pub fn remove_host(&mut self, name: &str) {
        self.data.remove_host(name);
    }

    /// The sources as the user named them.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Folders beside which `group_vars/` and `host_vars/` are looked for: those of the sources,
    /// in the order in which they take effect.
    pub fn source_dirs(&self) -> &[PathBuf] {
        &self.source_dirs
    }
}

fn dirs_of(sources: &[String]) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in sources.iter().filter_map(|s| sources::dir_of(s)) {
        // the last mention decides
        dirs.retain(|d| *d != dir);
        dirs.push(dir);
    }
    dirs
}

/// The magic variable `inventory_hostname_short`: the name up to its first dot.
pub fn short_name(host: &str) -> &str {
    match host.split_once('.') {
        Some((short, _)) => short,
        None => host,
    }
}
