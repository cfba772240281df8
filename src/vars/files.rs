//! `group_vars/` and `host_vars/`: variables of groups and hosts in files of their own.
//!
//! <https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#organizing-host-and-group-variables>

use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Endings that a file of variables may have, in the order in which they are tried; none is tried
/// first (`YAML_FILENAME_EXTENSIONS`).
const EXTENSIONS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Whose variables a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    Group,
    Host,
}

impl Owner {
    fn folder(self) -> &'static str {
        match self {
            Owner::Group => "group_vars",
            Owner::Host => "host_vars",
        }
    }
}

/// The files of variables beside inventories and playbooks, each read once, when first asked for.
#[derive(Debug, Default)]
pub struct VarFiles {
    merge: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is in a `group_vars` or `host_vars` folder.
    listings: HashMap<PathBuf, Arc<BTreeSet<String>>>,
    vars: HashMap<(PathBuf, Owner), HashMap<String, Arc<Map>>>,
    nothing: Arc<Map>,
}

impl VarFiles {
    /// `merge`: whether dictionaries of several files are merged instead of replaced.
    pub fn new(merge: bool) -> VarFiles {
        VarFiles {
            merge,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // what was inserted before a panic elsewhere is still whole
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The variables that files in `dir` give to a group or host; empty if there are none.
    ///
    /// Errors name the file that cannot be read, decrypted or understood.
    pub fn get(&self, dir: &Path, owner: Owner, name: &str) -> Result<Arc<Map>> {
        let mut state = self.state();
        let key = (dir.to_path_buf(), owner);
        if let Some(known) = state.vars.get(&key).and_then(|m| m.get(name)) {
            return Ok(Arc::clone(known));
        }
        let folder = dir.join(owner.folder());
        let listing = match state.listings.get(&folder) {
            Some(listing) => Arc::clone(listing),
            None => {
                let listing = Arc::new(list(&folder)?);
                state.listings.insert(folder.clone(), Arc::clone(&listing));
                listing
            }
        };
        let Some(path) = find(&folder, name, &listing) else {
            return Ok(Arc::clone(&state.nothing));
        };
        let mut vars = Map::default();
        for file in files(&path)? {
            for (key, value) in read(&file)? {
                combine(&mut vars, key, value, self.merge);
            }
        }
        let vars = Arc::new(vars);
        let entry = state.vars.entry(key).or_default();
        entry.insert(name.to_string(), Arc::clone(&vars));
        Ok(vars)
    }
}

/// The names in a folder; none if there is no such folder.
fn list(folder: &Path) -> Result<BTreeSet<String>> {
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|e| Ok(e?.file_name().to_string_lossy().into_owned()))
                .collect()
        })
        .map_err(|e| Error::from(e).context(format!("cannot read {}", folder.display())))
}

/// The file or folder for `name`: the first of `name`, `name.yml`, `name.yaml`, `name.json`.
fn find(folder: &Path, name: &str, listing: &BTreeSet<String>) -> Option<PathBuf> {
    if name.starts_with('/') {
        return None;
    }
    std::iter::once("")
        .chain(EXTENSIONS)
        .map(|extension| format!("{name}{extension}"))
        .find(|candidate| {
            if candidate.contains('/') {
                folder.join(candidate).exists()
            } else {
                listing.contains(candidate)
            }
        })
        .map(|found| folder.join(found))
}

/// A file itself, or all files of variables in a folder and the folders in it, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut out = Vec::new();
    for name in list(path)? {
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let entry = path.join(&name);
        if entry.is_dir() {
            out.extend(files(&entry)?);
        } else if !name.contains('.') || EXTENSIONS.iter().any(|e| name.ends_with(e)) {
            out.push(entry);
        }
    }
    Ok(out)
}

/// Reads a file of variables; an empty one has none.
pub fn read(path: &Path) -> Result<Map> {
    let root = crate::yaml::load_file(path)?;
    if root.is_null() {
        return Ok(Map::default());
    }
    match root.to_value() {
        Value::Map(map) => Ok(Arc::unwrap_or_clone(map)),
        other => Err(Error::parse(format!(
            "{}: a file of variables must be a dictionary, not {}",
            path.display(),
            match other.type_name() {
                "list" => "a list",
                _ => "a single value",
            }
        ))
        .at(&root.at)
        .hint("write each variable as `name: value`")),
    }
}

/// Sets `key`; with `merge`, dictionaries are merged into each other, all the way down
/// (`DEFAULT_HASH_BEHAVIOUR`).
pub fn combine(into: &mut Map, key: Key, value: Value, merge: bool) {
    if merge
        && let Value::Map(over) = &value
        && let Some(Value::Map(base)) = into.get_mut(&key)
    {
        let base = Arc::make_mut(base);
        for (key, value) in over.iter() {
            combine(base, key.clone(), value.clone(), merge);
        }
        return;
    }
    into.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_as_ansible_finds_them() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("group_vars/web", "a: 1");
        write("group_vars/web.yml", "a: 2");
        write("group_vars/db.yaml", "a: 3");
        write("group_vars/j.json", "{\"a\": 4}");
        write("group_vars/all/2.yml", "x: 2\nd: {k: 1}");
        write("group_vars/all/10.yml", "x: 10\nd: {l: 1}");
        write("group_vars/all/sub/z", "y: 1");
        for name in ["b~", "c.txt", ".d", "e.retry"] {
            write(&format!("group_vars/all/{name}"), "no: 1");
        }
        write("group_vars/empty.yml", "");
        write("group_vars/list.yml", "- a");
        let text = |files: &VarFiles, name| {
            let vars = files.get(dir.path(), Owner::Group, name).unwrap();
            Value::Map(vars).to_json().to_string()
        };
        let files = VarFiles::new(false);
        for (name, json) in [
            ("web", r#"{"a":1}"#),
            ("db", r#"{"a":3}"#),
            ("j", r#"{"a":4}"#),
            ("all", r#"{"x":2,"d":{"k":1},"y":1}"#),
            ("empty", "{}"),
            ("missing", "{}"),
        ] {
            assert_eq!(text(&files, name), json, "{name}");
        }
        let error = files.get(dir.path(), Owner::Group, "list").unwrap_err();
        assert!(error.message().contains("must be a dictionary, not a list"));
        assert_eq!(
            text(&VarFiles::new(true), "all"),
            r#"{"x":2,"d":{"l":1,"k":1},"y":1}"#
        );
    }
}
