//! Where files named in a playbook are looked for.

use crate::expand;
use std::path::{Path, PathBuf};

/// The folders that a task's files are looked for in, nearest first.
///
/// Follows <https://docs.ansible.com/ansible/latest/playbook_guide/playbook_pathing.html>: the role,
/// the folder of the task file, the play's folder; in each first its `files/`, `templates/`, ... folder.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    /// Roots in order: the role's folder and those of the roles that included it, then the playbook's.
    pub roots: Vec<PathBuf>,
    /// Folder of the file that holds the task.
    pub task_dir: Option<PathBuf>,
}

impl SearchPath {
    pub fn new(playbook_dir: &Path) -> SearchPath {
        SearchPath {
            roots: vec![playbook_dir.to_path_buf()],
            task_dir: None,
        }
    }

    /// Every path that `name` may mean, in order; `kind` is `files`, `templates`, `vars` or `tasks`.
    pub fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let mut out: Vec<PathBuf> = Vec::new();
        for path in self.searched(kind, name) {
            if !out.contains(&path) {
                out.push(path);
            }
        }
        out
    }

    /// As [`SearchPath::candidates`], with the repetitions that Ansible's messages show.
    pub fn searched(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let expanded = expand_home(name);
        if expanded.is_absolute() {
            return vec![expanded];
        }
        let mut out: Vec<PathBuf> = Vec::new();
        let mut push = |p: PathBuf| out.push(p);
        let playbook = self.roots.len().saturating_sub(1);
        for root in &self.roots[..playbook] {
            push(root.join(kind).join(&expanded));
            push(root.join(&expanded));
            if kind != "tasks" {
                push(root.join("tasks").join(kind).join(&expanded));
                push(root.join("tasks").join(&expanded));
            }
        }
        // a task that is in no role has a folder of its own, if only the playbook's
        let own = match playbook {
            0 => self.task_dir.as_ref().or(self.roots.last()),
            _ => self.task_dir.as_ref(),
        };
        if let Some(dir) = own {
            push(dir.join(kind).join(&expanded));
            push(dir.join(&expanded));
        }
        if let Some(root) = self.roots.last() {
            push(root.join(kind).join(&expanded));
            push(root.join(&expanded));
        }
        out
    }

    /// The first candidate that exists, or all that were tried.
    pub fn find(&self, kind: &str, name: &str) -> Result<PathBuf, Vec<PathBuf>> {
        let candidates = self.candidates(kind, name);
        match candidates.iter().find(|p| p.exists()) {
            Some(found) => Ok(found.clone()),
            None => Err(candidates),
        }
    }
}

/// [`expand::home`] as a path.
pub fn expand_home(name: &str) -> PathBuf {
    PathBuf::from(expand::home(name))
}

/// `a/./b/../c` as `a/c`, by the text alone.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}
