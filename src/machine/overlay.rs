//! What check mode pretends to have written, laid over the real file system.

use super::stat::{Kind, Stat};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Where the content of an overlaid entry is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// In the real file at this path.
    Real(PathBuf),
    Bytes(Arc<[u8]>),
    Link(PathBuf),
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub stat: Stat,
    pub body: Body,
}

/// Entries by their location: a path whose folders are no links.
#[derive(Default)]
pub(super) struct Overlay {
    /// `None`: removed.
    nodes: HashMap<PathBuf, Option<Node>>,
    /// Folders made where something was removed: nothing real shows below them.
    opaque: HashSet<PathBuf>,
}

impl Overlay {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn put(&mut self, location: PathBuf, node: Node) {
        if matches!(self.nodes.get(&location), Some(None)) && node.stat.is_dir() {
            self.opaque.insert(location.clone());
        }
        self.nodes.insert(location, Some(node));
    }

    pub fn remove(&mut self, location: &Path) {
        self.nodes.retain(|path, _| !path.starts_with(location));
        self.nodes.insert(location.to_path_buf(), None);
    }

    /// The entry at a location.
    pub fn node(&self, location: &Path) -> io::Result<Node> {
        match self.nodes.get(location) {
            Some(Some(node)) => return Ok(node.clone()),
            Some(None) => return Err(not_found()),
            None => {}
        }
        let hidden = location.ancestors().skip(1).any(|above| {
            matches!(self.nodes.get(above), Some(None)) || self.opaque.contains(above)
        });
        if hidden {
            return Err(not_found());
        }
        let stat = Stat::from(std::fs::symlink_metadata(location)?);
        let body = match stat.kind {
            Kind::Link => Body::Link(std::fs::read_link(location)?),
            Kind::Directory => Body::Nothing,
            _ => Body::Real(location.to_path_buf()),
        };
        Ok(Node { stat, body })
    }

    /// The location of `path`, which need not exist itself; with `follow` that of the end of its links.
    pub fn locate(&self, path: &Path, follow: bool) -> io::Result<PathBuf> {
        let absolute = std::path::absolute(path)?;
        let mut todo: VecDeque<OsString> = parts(&absolute);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let last = todo.is_empty();
            if last && !follow {
                return Ok(next);
            }
            match self.node(&next) {
                Ok(Node {
                    body: Body::Link(target),
                    ..
                }) => {
                    links += 1;
                    if links > 40 {
                        return Err(io::Error::from_raw_os_error(
                            rustix::io::Errno::LOOP.raw_os_error(),
                        ));
                    }
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    for part in parts(&target).into_iter().rev() {
                        todo.push_front(part);
                    }
                }
                Ok(node) if !last && !node.stat.is_dir() => {
                    return Err(io::Error::from_raw_os_error(
                        rustix::io::Errno::NOTDIR.raw_os_error(),
                    ));
                }
                Err(e) if !last || e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => done = next,
            }
        }
        Ok(done)
    }

    /// Names in the folder at `location`.
    pub fn list(&self, location: &Path) -> io::Result<Vec<OsString>> {
        if !self.node(location)?.stat.is_dir() {
            return Err(io::Error::from_raw_os_error(
                rustix::io::Errno::NOTDIR.raw_os_error(),
            ));
        }
        let mut names: Vec<OsString> = match std::fs::read_dir(location) {
            Ok(entries) => entries.flatten().map(|e| e.file_name()).collect(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        names.retain(|name| self.node(&location.join(name)).is_ok());
        for (path, node) in &self.nodes {
            if path.parent() == Some(location)
                && node.is_some()
                && let Some(name) = path.file_name()
                && !names.iter().any(|n| n == name)
            {
                names.push(name.to_os_string());
            }
        }
        Ok(names)
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|c| match c {
            Component::Normal(p) => Some(p.to_os_string()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

fn not_found() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())
}
