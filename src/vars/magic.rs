//! The variables that Ansible itself defines; nothing can override them.
//!
//! <https://docs.ansible.com/ansible/latest/reference_appendices/special_variables.html>

use super::world::{HostVars, World};
use crate::playbook::{Frame, FrameKind, Role};
use crate::value::{Key, Map, Value};
use std::sync::Arc;

/// All names that [`get`] answers to.
pub static NAMES: &[&str] = &[
    "ansible_check_mode",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_search_path",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
];

/// The version of Ansible whose language rplay speaks: what `ansible_version` says.
pub const LANGUAGE_VERSION: (i64, i64, i64) = (2, 19, 0);

fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::list(items.into_iter().map(|s| Value::str(s.as_ref())).collect())
}

/// The value of a magic variable; none for other names, and for those that are not set here.
pub fn get(
    world: &Arc<World>,
    host: &Arc<str>,
    frame: Option<&Arc<Frame>>,
    name: &str,
) -> Option<Value> {
    // most names are the user's: decide without comparing with every name
    if !name.starts_with("ansible_")
        && !name.starts_with("inventory_")
        && !name.starts_with("role_")
        && !matches!(
            name,
            "group_names" | "groups" | "hostvars" | "omit" | "play_hosts" | "playbook_dir"
        )
    {
        return None;
    }
    let play = &world.play;
    let run = &world.run;
    Some(match name {
        "inventory_hostname" => Value::from(Arc::clone(host)),
        "inventory_hostname_short" => Value::str(crate::inventory::short_name(host)),
        "group_names" => texts(world.inventory().group_names(host)),
        "groups" => world.view.groups(),
        "hostvars" => Value::Dynamic(Arc::new(HostVars {
            world: Arc::clone(world),
            asked_by: Arc::clone(host),
        })),
        "playbook_dir" => Value::str(play.dir.to_string_lossy()),
        "play_hosts" | "ansible_play_batch" if frame.is_some() => {
            Value::List(Arc::clone(&play.batch))
        }
        "ansible_play_hosts" if frame.is_some() => Value::List(Arc::clone(&play.active)),
        "ansible_play_hosts_all" if frame.is_some() => Value::List(Arc::clone(&play.all_hosts)),
        "ansible_play_name" if frame.is_some() => Value::str(&play.name),
        "ansible_check_mode" => Value::Bool(run.check),
        "ansible_diff_mode" => Value::Bool(run.diff),
        "ansible_forks" => Value::Int(run.forks),
        "ansible_verbosity" => Value::Int(run.verbosity),
        "ansible_limit" => Value::str(run.limit.as_deref()?),
        "ansible_run_tags" if !run.tags.is_empty() => texts(&run.tags),
        "ansible_skip_tags" if !run.tags.is_empty() => texts(&run.skip_tags),
        "ansible_inventory_sources" => texts(&run.inventory_sources),
        "ansible_config_file" => run.config_file.as_deref().map_or(Value::Null, Value::from),
        "ansible_playbook_python" => Value::Null,
        "ansible_facts" => world.host(host).map_or_else(
            || Value::map(Map::default()),
            |h| Value::Map(Arc::clone(&h.namespaced)),
        ),
        "ansible_search_path" => texts(
            crate::playbook::search_path(frame?, &play.dir)
                .roots
                .iter()
                .map(|p| p.to_string_lossy().into_owned()),
        ),
        "ansible_play_role_names" if frame.is_some() => Value::List(Arc::clone(&play.role_names)),
        "ansible_dependent_role_names" if frame.is_some() => texts(dependents(world)),
        "role_names" if frame.is_some() => Value::List(Arc::clone(&play.role_names)),
        "ansible_role_names" if frame.is_some() => {
            let mut all = dependents(world);
            for name in play.role_names.iter().filter_map(Value::as_str) {
                if !all.iter().any(|n| n == name) {
                    all.push(name.to_string());
                }
            }
            texts(all)
        }
        "omit" | "ansible_version" => return fixed(name),
        name => return of_role(frame?, name),
    })
}

/// The magic variables that are the same everywhere.
pub fn fixed(name: &str) -> Option<Value> {
    match name {
        "omit" => Some(Value::Omit),
        "ansible_version" => Some(version()),
        _ => None,
    }
}

/// The magic variables that are about the role that tasks are in.
pub fn of_role(frame: &Arc<Frame>, name: &str) -> Option<Value> {
    let role = frame.role.as_ref()?;
    Some(match name {
        "ansible_role_name" => Value::str(&role.name),
        // without the collection
        "role_name" => match crate::playbook::collections::of_path(&role.path) {
            Some(_) => Value::str(role.name.rsplit('.').next().unwrap_or(&role.name)),
            None => Value::str(&role.name),
        },
        "ansible_collection_name" => Value::str(crate::playbook::collections::of_path(&role.path)?),
        "role_path" => Value::str(role.path.to_string_lossy()),
        "ansible_parent_role_names" | "ansible_parent_role_paths" => {
            let parents = parents(frame);
            if parents.is_empty() {
                return None;
            }
            match name {
                "ansible_parent_role_names" => texts(parents.iter().map(|r| r.name.clone())),
                _ => texts(
                    parents
                        .iter()
                        .map(|r| r.path.to_string_lossy().into_owned()),
                ),
            }
        }
        _ => return None,
    })
}

/// The roles whose tasks brought this one in, innermost first. A role that depends on another is no parent of it.
fn parents(frame: &Arc<Frame>) -> Vec<Arc<Role>> {
    let mut out: Vec<Arc<Role>> = Vec::new();
    for around in frame.chain().filter(|f| f.kind == FrameKind::Role) {
        out.extend(around.role.clone());
        if around
            .parent
            .as_ref()
            .is_some_and(|p| p.kind == FrameKind::Role)
        {
            break;
        }
    }
    out.drain(..out.len().min(1));
    out
}

fn dependents(world: &World) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for role in world.play.roles.iter() {
        for name in &role.dependencies {
            if !out.contains(name) {
                out.push(name.clone());
            }
        }
    }
    out
}

fn version() -> Value {
    let (major, minor, revision) = LANGUAGE_VERSION;
    let full = format!("{major}.{minor}.{revision}");
    let mut map = Map::default();
    for (key, value) in [
        ("full", Value::str(&full)),
        ("major", Value::Int(major)),
        ("minor", Value::Int(minor)),
        ("revision", Value::Int(revision)),
        ("string", Value::str(&full)),
    ] {
        map.insert(Key::from(key), value);
    }
    Value::map(map)
}
