//! Collections: folders `ansible_collections/NAMESPACE/NAME` with roles and playbooks, named `NAMESPACE.NAME.WHAT`.
//!
//! See <https://docs.ansible.com/ansible/latest/collections_guide/collections_using_playbooks.html>.

use super::keywords::is_variable_name;
use std::path::{Path, PathBuf};

/// Splits a fully qualified name into its collection and what is named in it; none for other names.
///
/// `a.b.c.d` names `d` in the subfolder `c`.
pub fn qualified(name: &str) -> Option<(String, PathBuf)> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() < 3 || !parts.iter().all(|p| is_variable_name(p)) {
        return None;
    }
    Some((parts[..2].join("."), parts[2..].iter().collect()))
}

/// The folders that a collection may be in: beside the playbook first.
pub fn folders(collection: &str, playbook_dir: &Path, paths: &[PathBuf]) -> Vec<PathBuf> {
    let Some((namespace, name)) = collection.split_once('.') else {
        return Vec::new();
    };
    // a playbook of a collection has its collection's neighbours beside it
    let around = playbook_dir
        .ancestors()
        .find(|p| p.ends_with("ansible_collections"))
        .map(Path::to_path_buf);
    std::iter::once(playbook_dir.join("collections"))
        .chain(around)
        .chain(paths.iter().cloned())
        .map(|path| match path.ends_with("ansible_collections") {
            true => path,
            false => path.join("ansible_collections"),
        })
        .map(|path| path.join(namespace).join(name))
        .collect()
}

/// The collection that a path is in, such as that of a role's folder.
pub fn of_path(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().filter_map(|p| p.to_str()).collect();
    let at = parts.iter().rposition(|p| *p == "ansible_collections")?;
    match parts.get(at + 1..at + 3) {
        Some([namespace, name]) => Some(format!("{namespace}.{name}")),
        _ => None,
    }
}

/// A role's folder, by its fully qualified name.
pub fn role(name: &str, playbook_dir: &Path, paths: &[PathBuf]) -> Option<PathBuf> {
    let (collection, role) = qualified(name)?;
    folders(&collection, playbook_dir, paths)
        .into_iter()
        .map(|folder| folder.join("roles").join(&role))
        .find(|path| path.is_dir())
}

/// A playbook's file, by its fully qualified name.
pub fn playbook(name: &str, playbook_dir: &Path, paths: &[PathBuf]) -> Option<PathBuf> {
    let bare = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"))
        .unwrap_or(name);
    let (collection, playbook) = qualified(bare)?;
    folders(&collection, playbook_dir, paths)
        .into_iter()
        .map(|folder| folder.join("playbooks").join(&playbook))
        .flat_map(|path| ["yml", "yaml"].map(|end| path.with_extension(end)))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        let split = |name| qualified(name).map(|(c, n)| format!("{c} {}", n.display()));
        assert_eq!(split("a.b.c").as_deref(), Some("a.b c"));
        assert_eq!(split("a.b.c.d").as_deref(), Some("a.b c/d"));
        for other in [
            "a.b",
            "a",
            "geerlingguy.docker",
            "../a.b.c",
            "a.b-c.d",
            "a.b.c/d",
        ] {
            assert_eq!(split(other), None, "{other}");
        }
        assert_eq!(
            of_path(Path::new("/x/ansible_collections/a/b/roles/c")).as_deref(),
            Some("a.b")
        );
        assert_eq!(of_path(Path::new("/x/roles/c")), None);
    }
}
