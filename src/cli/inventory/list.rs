//! `--list`: the whole inventory, as scripts print it and as YAML inventories have it.

use super::View;
use crate::Result;
use crate::inventory::{Group, Pattern};
use crate::value::{Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// Names seen so far, and the hosts that are to be shown.
struct Walk {
    shown: HashSet<Arc<str>>,
    groups: HashSet<Arc<str>>,
    hosts: HashSet<Arc<str>>,
}

impl Walk {
    fn new(view: &View) -> Result<(Walk, Vec<Arc<str>>)> {
        let hosts = view
            .inventory
            .hosts_for(&Pattern::parse("all")?, view.limit.as_ref())?;
        let walk = Walk {
            shown: hosts.iter().cloned().collect(),
            groups: HashSet::new(),
            hosts: HashSet::new(),
        };
        Ok((walk, hosts))
    }
}

/// The format of inventory scripts: groups side by side, host variables under `_meta`.
pub(super) fn as_script(view: &View) -> Result<Value> {
    let (mut walk, hosts) = Walk::new(view)?;
    let mut out = Map::default();
    if let Some(all) = view.inventory.group("all") {
        script_group(view, all, &mut walk, &mut out)?;
    }
    let mut hostvars = Map::default();
    for host in hosts {
        let vars = view.host_vars(&host)?;
        if !vars.is_empty() {
            hostvars.insert(host.into(), vars.into());
        }
    }
    let mut meta = Map::default();
    meta.insert("hostvars".into(), hostvars.into());
    meta.insert("profile".into(), "inventory_legacy".into());
    out.insert("_meta".into(), meta.into());
    Ok(out.into())
}

fn script_group(view: &View, group: &Group, walk: &mut Walk, out: &mut Map) -> Result<()> {
    let mut entry = Map::default();
    if &*group.name != "all" {
        let hosts = group.hosts.iter().filter(|h| walk.shown.contains(*h));
        insert_list(&mut entry, "hosts", hosts.cloned());
    }
    insert_list(&mut entry, "children", group.children.iter().cloned());
    if view.export {
        let vars = view.group_vars(group)?;
        if !vars.is_empty() {
            entry.insert("vars".into(), vars.into());
        }
    }
    if !entry.is_empty() {
        out.insert(Arc::clone(&group.name).into(), entry.into());
    }
    for child in &group.children {
        if walk.groups.insert(Arc::clone(child))
            && let Some(child) = view.inventory.group(child)
        {
            script_group(view, child, walk, out)?;
        }
    }
    Ok(())
}

fn insert_list(entry: &mut Map, key: &str, names: impl Iterator<Item = Arc<str>>) {
    let names: Vec<Value> = names.map(Value::from).collect();
    if !names.is_empty() {
        entry.insert(key.into(), Value::list(names));
    }
}

/// The format of YAML inventories: groups within groups. A host has its variables, and a group
/// its members, where it is mentioned first.
pub(super) fn as_tree(view: &View) -> Result<Value> {
    let (mut walk, _) = Walk::new(view)?;
    let mut out = Map::default();
    if let Some(all) = view.inventory.group("all") {
        tree_group(view, all, &mut walk, &mut out)?;
    }
    Ok(out.into())
}

fn tree_group(view: &View, group: &Group, walk: &mut Walk, out: &mut Map) -> Result<()> {
    let mut children = Map::default();
    for name in &group.children {
        if !walk.groups.insert(Arc::clone(name)) {
            children.insert(Arc::clone(name).into(), Map::default().into());
        } else if let Some(child) = view.inventory.group(name) {
            tree_group(view, child, walk, &mut children)?;
        }
    }
    let mut hosts = Map::default();
    if &*group.name != "all" {
        for host in group.hosts.iter().filter(|h| walk.shown.contains(*h)) {
            let vars = if walk.hosts.insert(Arc::clone(host)) {
                view.host_vars(host)?
            } else {
                Map::default()
            };
            hosts.insert(Arc::clone(host).into(), vars.into());
        }
    }
    let vars = if view.export {
        view.group_vars(group)?
    } else {
        Map::default()
    };
    let mut entry = Map::default();
    for (key, content) in [("children", children), ("hosts", hosts), ("vars", vars)] {
        if !content.is_empty() {
            entry.insert(key.into(), content.into());
        }
    }
    if !entry.is_empty() {
        out.insert(Arc::clone(&group.name).into(), entry.into());
    }
    Ok(())
}
