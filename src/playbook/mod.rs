//! A playbook as data: plays, blocks, tasks and roles, read from YAML nodes.
//!
//! Every keyword is checked here, before any host is contacted. A keyword's value stays as the user
//! wrote it (it may hold templates); `run` renders it for each host.

mod action;
mod argument_spec;
mod block;
pub mod collections;
pub mod foreign;
pub mod groups;
pub mod keywords;
mod load;
mod not_yet;
mod play;
mod role;
mod task;

pub use action::{Action, FREE_FORM, bare};
pub use block::{Block, Item, included_file, load_items};
pub use load::{Build, Loader, not_found, search_path};
pub use play::Play;
pub use role::{Role, RoleUse, boolean};
pub use task::{Loop, Resolved, Task};

use crate::source::Location;
use crate::value::{Key, Map, Value};
use crate::yaml::Node;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The keywords set on one play, role, block, include or task, as written.
#[derive(Clone, Debug, Default)]
pub struct Directives {
    set: HashMap<&'static str, Node>,
}

impl Directives {
    pub fn get(&self, keyword: &str) -> Option<&Node> {
        self.set.get(keyword)
    }
    pub fn set(&mut self, keyword: &'static str, node: Node) {
        self.set.insert(keyword, node);
    }
    /// A keyword that takes one value or a list of them, as a list.
    pub fn list(&self, keyword: &str) -> Vec<Value> {
        match self.get(keyword).map(Node::to_value) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.to_vec(),
            Some(other) => vec![other],
        }
    }
    /// The `vars` of this object.
    pub fn vars(&self) -> Map {
        match self.get("vars").map(Node::to_value) {
            Some(Value::Map(map)) => (*map).clone(),
            // the old form: a list of dictionaries
            Some(Value::List(items)) => items
                .iter()
                .filter_map(Value::as_map)
                .flat_map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())))
                .collect(),
            _ => Map::default(),
        }
    }
    /// `tags`, with comma-separated text split.
    pub fn tags(&self) -> Vec<Value> {
        let mut out = Vec::new();
        for tag in self.list("tags") {
            match &tag {
                Value::Str(s) => out.extend(s.split(',').map(|t| Value::str(t.trim()))),
                _ => out.push(tag),
            }
        }
        out
    }
}

/// What a [`Frame`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    Play,
    Role,
    Block,
    /// `import_tasks`, `import_role`: keywords apply to every task inside.
    Import,
    /// `include_tasks`, `include_role`: variables are include parameters.
    Include,
}

/// Something that tasks are inside of; tasks inherit its keywords.
#[derive(Debug)]
pub struct Frame {
    pub kind: FrameKind,
    pub directives: Directives,
    pub vars: Arc<Map>,
    /// The variables of a play's `vars_files` that could be read with the play.
    pub files_vars: Arc<Map>,
    /// The role whose task files this frame holds.
    pub role: Option<Arc<Role>>,
    /// Parameters given where the role is used.
    pub role_params: Arc<Map>,
    /// Folder of the task file, where relative names are looked for first.
    pub dir: Option<PathBuf>,
    pub parent: Option<Arc<Frame>>,
}

impl Frame {
    pub fn new(kind: FrameKind, directives: Directives, parent: Option<&Arc<Frame>>) -> Frame {
        Frame {
            kind,
            vars: Arc::new(directives.vars()),
            files_vars: Arc::default(),
            directives,
            role: parent.and_then(|p| p.role.clone()),
            role_params: parent
                .map(|p| Arc::clone(&p.role_params))
                .unwrap_or_default(),
            dir: parent.and_then(|p| p.dir.clone()),
            parent: parent.cloned(),
        }
    }

    /// This frame and those around it, innermost first.
    pub fn chain(self: &Arc<Frame>) -> impl Iterator<Item = &Arc<Frame>> {
        std::iter::successors(Some(self), |f| f.parent.as_ref())
    }

    /// The innermost setting of a keyword.
    pub fn inherited(self: &Arc<Frame>, keyword: &str) -> Option<&Node> {
        self.chain().find_map(|f| f.directives.get(keyword))
    }

    /// The collections that roles are looked for in: that of the role around, and those that `collections` names.
    pub fn collections(self: &Arc<Frame>) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if let Some(role) = &self.role {
            out.extend(collections::of_path(&role.path));
            out.extend(role.collections.iter().cloned());
        }
        let named = self.inherited("collections").map(Node::to_value);
        let named = match named {
            Some(Value::List(items)) => items.to_vec(),
            Some(Value::Null) | None => Vec::new(),
            Some(one) => vec![one],
        };
        out.extend(named.iter().filter_map(Value::as_str).map(str::to_string));
        out
    }

    /// The roles around, innermost first, each once.
    pub fn roles(self: &Arc<Frame>) -> Vec<Arc<Role>> {
        let mut out: Vec<Arc<Role>> = Vec::new();
        for frame in self.chain() {
            if let Some(role) = &frame.role
                && !out.iter().any(|r| Arc::ptr_eq(r, role))
            {
                out.push(Arc::clone(role));
            }
        }
        out
    }
}

/// A condition as written, with its place.
#[derive(Clone, Debug)]
pub struct Condition {
    pub value: Value,
    pub at: Location,
}

/// The conditions in a `when`-like keyword: one, or a list that must all hold.
pub fn conditions(node: &Node) -> Vec<Condition> {
    match node.as_seq() {
        Some(items) => items.iter().flat_map(conditions).collect(),
        None => vec![Condition {
            value: node.to_value(),
            at: node.at.clone(),
        }],
    }
}

/// A one-entry dictionary, for building arguments.
pub fn one(key: &str, value: impl Into<Value>) -> Map {
    let mut map = Map::default();
    map.insert(Key::from(key), value.into());
    map
}
