//! Modules that the user brings: files in `library` and `action_plugins`, beside the playbook, in a role or a collection, or where the settings
//! of these names point.
//!
//! rplay does not run them (they are written in Python, nearly all), but a playbook that holds one can be listed
//! and checked, and runs as far as it can without it. See
//! <https://docs.ansible.com/ansible/latest/dev_guide/developing_locally.html>.

use super::collections;
use super::{Frame, load::Build};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file of a module called `name`, seen from a task in `frame`. What a role brings is there for all that is read after it.
pub fn find(name: &str, frame: &Arc<Frame>, build: &Build<'_>) -> Option<PathBuf> {
    let loader = build.loader;
    let of_collection = |collection: &str, module: &Path| -> Option<PathBuf> {
        collections::folders(collection, &loader.playbook_dir, &loader.collections_path)
            .iter()
            .flat_map(|folder| ["plugins/modules", "plugins/action"].map(|part| folder.join(part)))
            .find_map(|folder| named(&folder, &module.to_string_lossy()))
    };
    if let Some((collection, module)) = collections::qualified(name) {
        return of_collection(&collection, &module);
    }
    let role = frame.role.as_ref().map(|role| role.path.as_path());
    let folders = role
        .into_iter()
        .chain(build.roles.iter().map(|role| role.path.as_path()))
        .chain([loader.playbook_dir.as_path()])
        .flat_map(|place| ["library", "action_plugins"].map(|part| place.join(part)));
    folders
        .into_iter()
        .find_map(|folder| named(&folder, name))
        .or_else(|| {
            let configured = loader.library.iter();
            configured
                .flat_map(|folder| with_folders(folder))
                .find_map(|folder| named(&folder, name))
        })
        .or_else(|| {
            let collections = frame.collections();
            collections
                .iter()
                .find_map(|collection| of_collection(collection, Path::new(name)))
        })
}

/// A file of this name, with whatever ending, in a folder.
fn named(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem == name) && path.is_file())
        .collect();
    found.sort();
    found.into_iter().next()
}

/// A folder that a setting names, and those in it.
fn with_folders(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_path_buf()];
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|p| p.is_dir()) {
        all.extend(with_folders(&path));
    }
    all
}

/// Says once what a task that uses the module will come to.
pub fn warn(name: &str, file: &Path) {
    crate::notice::warning(format!(
        "The module '{name}' ({}) is not one of rplay's own, which are all that it runs: a task that uses it fails.",
        file.display()
    ));
}
