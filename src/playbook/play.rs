//! Plays, and reading a playbook with those it imports.

use super::block::{Item, load_items};
use super::keywords::{self, On};
use super::load::{Build, Loader};
use super::role::{Role, RoleUse};
use super::{Directives, Frame, FrameKind};
use crate::search::SearchPath;
use crate::source::Location;
use crate::value::{Key, Value};
use crate::yaml::{Data, Node};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A play as read.
#[derive(Debug)]
pub struct Play {
    pub at: Location,
    pub directives: Directives,
    pub frame: Arc<Frame>,
    pub hosts: Value,
    pub pre_tasks: Vec<Item>,
    pub roles: Vec<Item>,
    pub tasks: Vec<Item>,
    pub post_tasks: Vec<Item>,
    /// The play's own handlers, then those of its roles.
    pub handlers: Vec<Item>,
    /// The roles whose variables the whole play sees, in order.
    pub role_list: Vec<Arc<Role>>,
    /// Folder of the file that holds the play.
    pub dir: PathBuf,
}

impl Play {
    /// Reads all plays of a playbook file, imported ones in place. Paths in messages are as given.
    pub fn load_file(path: &Path, loader_for: &dyn Fn(&Path) -> Loader) -> Result<Vec<Play>> {
        load_file(path, None, loader_for, 0)
    }

    /// Reads a play that is in no file; `loader` is that of the folder that it runs in.
    pub fn of_node(node: &Node, loader: &Loader) -> Result<Play> {
        let entries = node.as_map().unwrap_or_default();
        load_play(node, entries, None, loader, &loader.playbook_dir)
    }

    /// A play keyword as a value.
    pub fn keyword(&self, name: &str) -> Option<Value> {
        match self.directives.get(name).map(Node::to_value) {
            Some(Value::Null) | None => None,
            Some(v) => Some(v),
        }
    }
}

fn load_file(
    path: &Path,
    parent: Option<&Arc<Frame>>,
    loader_for: &dyn Fn(&Path) -> Loader,
    depth: usize,
) -> Result<Vec<Play>> {
    if depth > 50 {
        return Err(Error::parse(format!(
            "{} imports itself without end",
            path.display()
        )));
    }
    let dir = match path.parent() {
        Some(p) if p.as_os_str().is_empty() => PathBuf::from("."),
        Some(p) => p.to_path_buf(),
        None => PathBuf::from("."),
    };
    let dir = std::path::absolute(&dir)
        .map(|p| crate::search::clean(&p))
        .unwrap_or(dir);
    let loader = loader_for(&dir);
    let node = loader.file(path)?;
    let plays = match &node.data {
        Data::Seq(items) => items,
        Data::Scalar(Value::Null) => {
            return Err(Error::parse("Empty playbook, nothing to do").at(&node.at));
        }
        Data::Map(_) => {
            return Err(Error::parse(
                "A playbook must be a list of plays, got a dictionary instead",
            )
            .at(&node.at)
            .hint("each play starts with '- '"));
        }
        Data::Scalar(_) => {
            return Err(Error::parse(format!(
                "A playbook must be a list of plays, got {} instead",
                keywords::describe(&node)
            ))
            .at(&node.at));
        }
    };
    if plays.is_empty() {
        return Err(Error::parse("A playbook must contain at least one play").at(&node.at));
    }
    let mut out = Vec::new();
    for entry in plays {
        let Some(entries) = entry.as_map() else {
            return Err(Error::parse(
                "playbook entries must be either valid plays or 'import_playbook' statements",
            )
            .at(&entry.at));
        };
        let import = entries.iter().find(|(k, _)| {
            matches!(
                k.as_str(),
                Some(
                    "import_playbook"
                        | "ansible.builtin.import_playbook"
                        | "ansible.legacy.import_playbook"
                        | "include"
                )
            )
        });
        match import {
            Some((key, file)) => out.extend(import_playbook(
                key, file, entries, parent, &loader, loader_for, depth,
            )?),
            None => out.push(load_play(entry, entries, parent, &loader, &dir)?),
        }
    }
    Ok(out)
}

fn import_playbook(
    key: &Node,
    file: &Node,
    entries: &[(Node, Node)],
    parent: Option<&Arc<Frame>>,
    loader: &Loader,
    loader_for: &dyn Fn(&Path) -> Loader,
    depth: usize,
) -> Result<Vec<Play>> {
    if key.as_str() == Some("include") {
        crate::notice::deprecated(format!(
            "'include' for playbook includes is deprecated, use 'import_playbook' instead ({})",
            key.at
        ));
    }
    let mut directives = Directives::default();
    for (k, v) in entries {
        if std::ptr::eq(k, key) {
            continue;
        }
        match k.as_str() {
            Some("name" | "tags" | "vars" | "when") => {
                keywords::take(On::Role, k, v, &mut directives)?
            }
            _ => return Err(keywords::unknown(On::Include, k)),
        }
    }
    let frame = Arc::new(Frame::new(FrameKind::Import, directives, parent));
    let Data::Scalar(value) = &file.data else {
        return Err(Error::parse(
            "playbook import parameter must be a string indicating a file path",
        )
        .at(&file.at));
    };
    let name = loader.static_text(value, &frame, &file.at)?;
    // the old form takes variables after the name
    let mut words = name.split_whitespace();
    let name = words.next().unwrap_or("").to_string();
    let mut frame = frame;
    for word in words {
        if let Some((k, v)) = word.split_once('=') {
            let inner = Arc::make_mut(
                Arc::get_mut(&mut frame)
                    .map_or_else(|| unreachable!("not shared yet"), |f| &mut f.vars),
            );
            inner.insert(Key::from(k), Value::user_text(v, Some(&file.at)));
        }
    }
    let path = crate::search::expand_home(&name);
    let in_collection =
        super::collections::playbook(&name, &loader.playbook_dir, &loader.collections_path);
    let path = if let Some(found) = in_collection {
        found
    } else if path.is_absolute() {
        path
    } else {
        loader.playbook_dir.join(path)
    };
    if !path.exists() {
        return Err(super::load::not_found(&name, &[path], &file.at));
    }
    load_file(&path, Some(&frame), loader_for, depth + 1)
}

fn load_play(
    node: &Node,
    entries: &[(Node, Node)],
    parent: Option<&Arc<Frame>>,
    loader: &Loader,
    dir: &Path,
) -> Result<Play> {
    if node.get("user").is_some() && node.get("remote_user").is_some() {
        return Err(Error::parse(
            "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be removed",
        )
        .at(&node.at));
    }
    let mut directives = Directives::default();
    for (key, value) in entries {
        keywords::take(On::Play, key, value, &mut directives)?;
    }
    let hosts = match directives.get("hosts") {
        None => {
            return Err(
                Error::parse("the field 'hosts' is required but was not set")
                    .at(&node.at)
                    .hint("a play says which hosts it is for: 'hosts: all'"),
            );
        }
        Some(hosts) => {
            let empty = |v: &Value| v.as_str().is_some_and(str::is_empty) || v.is_null();
            let value = hosts.to_value();
            if empty(&value) || value.as_list().is_some_and(|l| l.is_empty()) {
                return Err(
                    Error::parse("Hosts list cannot be empty. Please check your playbook")
                        .at(&hosts.at),
                );
            }
            if value.as_list().is_some_and(|l| l.iter().any(empty)) {
                return Err(Error::parse(
                    "Hosts list cannot contain values of 'None'. Please check your playbook",
                )
                .at(&hosts.at));
            }
            if value.as_map().is_some() {
                return Err(Error::parse(
                    "Hosts list must be a sequence or string. Please check your playbook.",
                )
                .at(&hosts.at));
            }
            value
        }
    };
    let mut frame = Frame::new(FrameKind::Play, directives.clone(), parent);
    // what an import gives is the play's own, and wins
    if let Some(parent) = parent {
        let outer: Vec<_> = parent.chain().collect();
        let vars = Arc::make_mut(&mut frame.vars);
        for import in outer.iter().rev() {
            vars.extend(import.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    frame.files_vars = files_vars(&directives, &frame, loader);
    let frame = Arc::new(frame);
    let mut build = Build::new(loader);
    let section = |name: &str, handler: bool, build: &mut Build<'_>| match directives.get(name) {
        Some(tasks) => load_items(tasks, &frame, handler, build),
        None => Ok(Vec::new()),
    };
    let mut roles = Vec::new();
    if let Some(list) = directives.get("roles") {
        for entry in list.as_seq().unwrap_or_default() {
            let use_ = RoleUse::parse(entry)?;
            roles.extend(build.role(&use_, &frame)?);
        }
    }
    // handlers of roles come first; notifications look from the end, so that the play's own win
    let mut handlers = std::mem::take(&mut build.handlers);
    handlers.extend(section("handlers", true, &mut build)?);
    let pre_tasks = section("pre_tasks", false, &mut build)?;
    let tasks = section("tasks", false, &mut build)?;
    let post_tasks = section("post_tasks", false, &mut build)?;
    handlers.append(&mut build.handlers);
    Ok(Play {
        at: node.at.clone(),
        hosts,
        pre_tasks,
        roles,
        tasks,
        post_tasks,
        handlers,
        role_list: build.roles,
        directives,
        frame,
        dir: dir.to_path_buf(),
    })
}

/// What can be known of `vars_files` before there is a host; what is wrong with them is said when the play runs.
fn files_vars(directives: &Directives, frame: &Frame, loader: &Loader) -> Arc<crate::Map> {
    let mut out = crate::Map::default();
    let Some(node) = directives.get("vars_files") else {
        return Arc::default();
    };
    let single = std::slice::from_ref(node);
    let search = SearchPath {
        roots: vec![loader.playbook_dir.clone()],
        task_dir: frame.dir.clone(),
    };
    for entry in node.as_seq().unwrap_or(single) {
        let choices = entry.as_seq().unwrap_or(std::slice::from_ref(entry));
        let found = choices.iter().find_map(|choice| match choice.to_value() {
            Value::Str(name) => search.find("vars", &name).ok(),
            _ => None,
        });
        if let Some(vars) = found.and_then(|path| loader.vars(&path).ok()) {
            out.extend(vars);
        }
    }
    Arc::new(out)
}
