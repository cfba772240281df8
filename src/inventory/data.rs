//! Hosts and groups, and how they belong together.

use super::options::{GroupChars, Options};
use crate::value::{Key, Map, Value};
use crate::vars::files::combine;
use crate::{Error, Result, notice};
use indexmap::{IndexMap, IndexSet};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

type Hasher = foldhash::fast::RandomState;
/// Names in their order of first mention.
pub type Names = IndexSet<Arc<str>, Hasher>;

/// The names that mean the machine rplay runs on, whether or not an inventory has them.
pub const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A host of the inventory.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Arc<str>,
    /// Variables given in inventory sources (not in `host_vars/`).
    pub vars: Arc<Map>,
    /// The groups that name this host themselves; ancestors and `all` not included.
    pub groups: Names,
    /// Whether it is the localhost that no inventory names.
    pub implicit: bool,
}

/// A group of the inventory.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: Arc<str>,
    /// Variables given in inventory sources (not in `group_vars/`).
    pub vars: Arc<Map>,
    pub hosts: Names,
    pub children: Names,
    pub parents: Names,
    /// Longest way down from `all`.
    pub depth: u32,
    /// `ansible_group_priority`: among groups of one depth, the higher one wins.
    pub priority: i64,
}

/// All hosts and groups, in their order of first mention; `all` and `ungrouped` always exist.
#[derive(Clone, Debug)]
pub struct Data {
    pub hosts: IndexMap<Arc<str>, Host, Hasher>,
    pub groups: IndexMap<Arc<str>, Group, Hasher>,
    /// The first host that has one of the names of [`LOCALHOST`].
    pub localhost: Option<Arc<str>>,
    /// Set while a source is read: `inventory_file` and `inventory_dir` of the hosts it brings.
    pub(super) origin: Option<Origin>,
    group_chars: GroupChars,
    merge: bool,
}

/// Which source a host was first found in.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    file: Value,
    dir: Value,
}

impl Origin {
    pub fn file(path: &Path) -> Origin {
        let dir = path.parent().unwrap_or(Path::new("/"));
        Origin {
            file: Value::str(path.to_string_lossy()),
            dir: Value::str(dir.to_string_lossy()),
        }
    }
    pub fn list(text: &str) -> Origin {
        Origin {
            file: Value::str(text),
            // the text, not the value: so Ansible has it
            dir: Value::str("None"),
        }
    }
}

impl Data {
    pub fn new(options: &Options) -> Data {
        let mut data = Data {
            hosts: IndexMap::default(),
            groups: IndexMap::default(),
            localhost: None,
            origin: None,
            group_chars: options.group_chars,
            merge: options.merge,
        };
        for name in ["all", "ungrouped"] {
            data.insert_group(Arc::from(name));
        }
        data.link("all", "ungrouped");
        data
    }

    fn insert_group(&mut self, name: Arc<str>) {
        let group = Group {
            name: Arc::clone(&name),
            vars: Arc::default(),
            hosts: Names::default(),
            children: Names::default(),
            parents: Names::default(),
            depth: 0,
            priority: 1,
        };
        self.groups.insert(name, group);
    }

    fn link(&mut self, parent: &str, child: &str) {
        let (Some(p), Some(c)) = (
            self.groups.get_index_of(parent),
            self.groups.get_index_of(child),
        ) else {
            return;
        };
        let (parent, child) = (
            Arc::clone(&self.groups[p].name),
            Arc::clone(&self.groups[c].name),
        );
        self.groups[p].children.insert(child);
        self.groups[c].parents.insert(parent);
    }

    /// Adds a group if it is new and gives the name it has got (invalid characters may be replaced).
    ///
    /// Fails if the name is empty.
    pub fn add_group(&mut self, name: &str) -> Result<Arc<str>> {
        if let Some(known) = self.groups.get(name) {
            return Ok(Arc::clone(&known.name));
        }
        if name.is_empty() {
            return Err(Error::parse("Invalid empty/false group name provided: ''"));
        }
        let name: Arc<str> = self.valid_name(name);
        if !self.groups.contains_key(&name) {
            self.insert_group(Arc::clone(&name));
        }
        Ok(name)
    }

    fn valid_name(&self, name: &str) -> Arc<str> {
        let bad = |c: char| !(c.is_alphanumeric() || c == '_');
        let starts_badly = name.starts_with(|c: char| bad(c) || c.is_ascii_digit());
        if !starts_badly && !name.contains(bad) {
            return Arc::from(name);
        }
        match self.group_chars {
            GroupChars::Ignore => Arc::from(name),
            GroupChars::Never => {
                notice::verbose(
                    4,
                    format!("Not replacing invalid character(s) in group name ({name})"),
                );
                notice::warning(
                    "Invalid characters were found in group names but not replaced, use -vvvv to see details",
                );
                Arc::from(name)
            }
            GroupChars::Always | GroupChars::Silently => {
                if self.group_chars == GroupChars::Always {
                    notice::verbose(
                        4,
                        format!("Replacing invalid character(s) in group name ({name})"),
                    );
                    notice::warning(
                        "Invalid characters were found in group names and automatically replaced, use -vvvv to see details",
                    );
                }
                name.chars()
                    .enumerate()
                    .map(|(i, c)| {
                        if bad(c) || (i == 0 && c.is_ascii_digit()) {
                            '_'
                        } else {
                            c
                        }
                    })
                    .collect::<String>()
                    .into()
            }
        }
    }

    /// Adds a host if it is new, and to `group` if given. A port becomes `ansible_port`.
    ///
    /// Fails if the name is empty or the group unknown.
    pub fn add_host(
        &mut self,
        name: &str,
        group: Option<&str>,
        port: Option<u32>,
    ) -> Result<Arc<str>> {
        if name.is_empty() {
            return Err(Error::parse("Invalid empty host name provided: ''"));
        }
        let name = match self.hosts.get(name) {
            Some(host) => Arc::clone(&host.name),
            None => self.insert_host(name),
        };
        if let Some(port) = port {
            self.set_host_var(&name, "ansible_port".into(), Value::Int(port.into()))?;
        }
        if let Some(group) = group {
            let group = self.groups.get_mut(group).ok_or_else(|| {
                Error::parse(format!("Could not find group {group} in inventory"))
            })?;
            group.hosts.insert(Arc::clone(&name));
            let group = Arc::clone(&group.name);
            if &*group != "all" {
                self.hosts[&name].groups.insert(group);
            }
        }
        Ok(name)
    }

    fn insert_host(&mut self, name: &str) -> Arc<str> {
        let name: Arc<str> = Arc::from(name);
        let mut vars = Map::default();
        if let Some(origin) = &self.origin {
            vars.insert("inventory_file".into(), origin.file.clone());
            vars.insert("inventory_dir".into(), origin.dir.clone());
        }
        if LOCALHOST.contains(&&*name) {
            match &self.localhost {
                None => self.localhost = Some(Arc::clone(&name)),
                Some(first) => notice::warning(format!(
                    "A duplicate localhost-like entry was found ({name}). First found localhost was {first}"
                )),
            }
        }
        let host = Host {
            name: Arc::clone(&name),
            vars: Arc::new(vars),
            groups: Names::default(),
            implicit: false,
        };
        self.hosts.insert(Arc::clone(&name), host);
        name
    }

    /// Makes `child` (a group, else a host) a member of `parent`.
    ///
    /// Fails if either is unknown or a loop would arise.
    pub fn add_child(&mut self, parent: &str, child: &str) -> Result<()> {
        if !self.groups.contains_key(parent) {
            return Err(Error::parse(format!("{parent} is not a known group")));
        }
        if !self.groups.contains_key(child) {
            if self.hosts.contains_key(child) {
                return self.add_host(child, Some(parent), None).map(|_| ());
            }
            return Err(Error::parse(format!(
                "{child} is not a known host nor group"
            )));
        }
        if parent == child {
            return Err(Error::parse(format!("can't add group '{child}' to itself")));
        }
        if self.groups[parent].children.contains(child) {
            return Ok(());
        }
        if self.tree(child).iter().any(|g| &*g.name == parent) {
            return Err(Error::parse(format!(
                "Adding group '{child}' as child to '{parent}' creates a recursive dependency loop."
            )));
        }
        self.link(parent, child);
        Ok(())
    }

    /// Sets a variable of a host; an existing dictionary is merged into if so configured.
    pub fn set_host_var(&mut self, host: &str, key: Key, value: Value) -> Result<()> {
        let merge = self.merge;
        let host = self
            .hosts
            .get_mut(host)
            .ok_or_else(|| Error::parse(format!("{host} is not a known host")))?;
        combine(Arc::make_mut(&mut host.vars), key, value, merge);
        Ok(())
    }

    /// Sets a variable of a group; `ansible_group_priority` sets its priority instead.
    ///
    /// Fails if the group is unknown or the priority no integer.
    pub fn set_group_var(&mut self, group: &str, key: Key, value: Value) -> Result<()> {
        let merge = self.merge;
        let group = self
            .groups
            .get_mut(group)
            .ok_or_else(|| Error::parse(format!("{group} is not a known group")))?;
        if key.as_str() == Some("ansible_group_priority") {
            let number = match &value {
                Value::Int(i) => Some(*i),
                Value::Bool(b) => Some((*b).into()),
                Value::Float(f) => Some(*f as i64),
                other => other.as_str().and_then(|s| s.trim().parse().ok()),
            };
            group.priority = number.ok_or_else(|| {
                Error::parse(format!(
                    "ansible_group_priority of group '{}' must be an integer",
                    group.name
                ))
            })?;
        } else {
            combine(Arc::make_mut(&mut group.vars), key, value, merge);
        }
        Ok(())
    }

    /// Takes a host out of the inventory and all groups.
    pub fn remove_host(&mut self, name: &str) {
        self.hosts.shift_remove(name);
        for group in self.groups.values_mut() {
            group.hosts.shift_remove(name);
        }
        if self.localhost.as_deref() == Some(name) {
            self.localhost = None;
        }
    }

    /// Restores what must hold after a source was read or a host added: every group is below
    /// `all`, `ungrouped` has exactly the hosts without a group, depths are right.
    pub fn reconcile(&mut self) {
        let tops: Vec<Arc<str>> = self
            .groups
            .values()
            .filter(|g| &*g.name != "all" && g.parents.is_empty())
            .map(|g| Arc::clone(&g.name))
            .collect();
        for name in tops {
            self.link("all", &name);
        }
        let ungrouped = self.groups["ungrouped"].name.clone();
        for host in self.hosts.values_mut() {
            let grouped = host.groups.iter().any(|g| *g != ungrouped);
            if grouped && host.groups.shift_remove(&ungrouped) {
                self.groups["ungrouped"].hosts.shift_remove(&host.name);
            } else if !grouped && host.groups.insert(Arc::clone(&ungrouped)) {
                self.groups["ungrouped"]
                    .hosts
                    .insert(Arc::clone(&host.name));
            }
        }
        self.compute_depths();
        for name in self.groups.keys() {
            if self.hosts.contains_key(name) {
                notice::warning(format!("Found both group and host with same name: {name}"));
            }
        }
    }

    /// Longest ways from `all`, by relaxing until nothing changes; loops cannot exist.
    fn compute_depths(&mut self) {
        let mut work = vec![self.groups["all"].name.clone()];
        while let Some(name) = work.pop() {
            let below = self.groups[&name].depth + 1;
            for child in self.groups[&name].children.clone() {
                let child = &mut self.groups[&child];
                if child.depth < below {
                    child.depth = below;
                    work.push(Arc::clone(&child.name));
                }
            }
        }
    }

    /// A group and all groups below it, level by level, each once.
    pub fn tree(&self, name: &str) -> Vec<&Group> {
        self.walk(self.groups.get(name).into_iter().collect(), |g| &g.children)
    }

    fn walk<'a>(
        &'a self,
        start: Vec<&'a Group>,
        next: impl Fn(&'a Group) -> &'a Names,
    ) -> Vec<&'a Group> {
        let mut seen: HashSet<&str, Hasher> = start.iter().map(|g| &*g.name).collect();
        let mut out = start;
        let mut at = 0;
        while at < out.len() {
            for name in next(out[at]) {
                if let Some(group) = self.groups.get(name)
                    && seen.insert(&group.name)
                {
                    out.push(group);
                }
            }
            at += 1;
        }
        out
    }

    /// The hosts of a group and all groups below it, each once, in Ansible's order.
    pub fn hosts_of(&self, group: &str) -> Names {
        self.tree(group)
            .into_iter()
            .flat_map(|g| g.hosts.iter().cloned())
            .collect()
    }

    /// All groups of a host with their ancestors, in the order in which their variables are
    /// merged: depth, priority, name.
    pub fn groups_of(&self, host: &Host) -> Vec<&Group> {
        let start = host
            .groups
            .iter()
            .filter_map(|g| self.groups.get(g))
            .collect();
        let mut groups = self.walk(start, |g| &g.parents);
        if !groups.iter().any(|g| &*g.name == "all") {
            groups.push(&self.groups["all"]);
        }
        groups.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        groups
    }
}
