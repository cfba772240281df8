//! Reading playbook files: the parts that need other files.

use super::block::{Block, Item, load_items};
use super::keywords::{self, On};
use super::role::{self, Role, RoleUse};
use super::{Directives, Frame, FrameKind, Task};
use crate::search::SearchPath;
use crate::source::Location;
use crate::template::{Engine, Scope, Templar};
use crate::value::{Map, Value};
use crate::vars::{Layers, magic};
use crate::yaml::{self, Node};
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// What reading a playbook needs: where roles are, and the values that names of imports may use.
pub struct Loader {
    pub engine: Arc<Engine>,
    /// `-e` variables: the only ones besides the play's that an import's name can use.
    pub extra_vars: Arc<Map>,
    /// Folder of the playbook file.
    pub playbook_dir: PathBuf,
    pub roles_path: Vec<PathBuf>,
    pub collections_path: Vec<PathBuf>,
    /// Folders of the user's own modules and actions.
    pub library: Vec<PathBuf>,
    /// The setting of that name, where it is set.
    pub private_role_vars: Option<bool>,
    /// Whether a task may name a module that there is not: it fails when it runs.
    pub any_module: bool,
    files: Mutex<HashMap<PathBuf, Arc<Node>>>,
}

impl Loader {
    pub fn new(
        engine: &Arc<Engine>,
        extra_vars: &Arc<Map>,
        playbook_dir: &Path,
        roles_path: &[PathBuf],
    ) -> Loader {
        Loader {
            engine: Arc::clone(engine),
            extra_vars: Arc::clone(extra_vars),
            playbook_dir: playbook_dir.to_path_buf(),
            roles_path: roles_path.to_vec(),
            collections_path: Vec::new(),
            library: Vec::new(),
            private_role_vars: None,
            any_module: false,
            files: Mutex::default(),
        }
    }

    /// The document in a file; each file is read once.
    pub fn file(&self, path: &Path) -> Result<Arc<Node>> {
        if let Some(node) = self
            .files
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .get(path)
        {
            return Ok(Arc::clone(node));
        }
        let node = Arc::new(yaml::load_file(path)?);
        self.files
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .insert(path.to_path_buf(), Arc::clone(&node));
        Ok(node)
    }

    /// The variables in a file or, for a folder, in all its files in order.
    pub fn vars(&self, path: &Path) -> Result<Map> {
        if path.is_dir() {
            let mut names: Vec<PathBuf> = std::fs::read_dir(path)
                .map_err(|e| Error::general(format!("{}: {e}", path.display())))?
                .flatten()
                .map(|e| e.path())
                .filter(|p| {
                    p.is_dir()
                        || matches!(
                            p.extension().and_then(|e| e.to_str()),
                            Some("yml" | "yaml" | "json") | None
                        )
                })
                .collect();
            names.sort();
            let mut all = Map::default();
            for name in names {
                all.extend(self.vars(&name)?);
            }
            return Ok(all);
        }
        let node = self.file(path)?;
        match node.to_value() {
            Value::Null => Ok(Map::default()),
            Value::Map(map) => Ok((*map).clone()),
            _ => Err(Error::parse(format!(
                "{} must be a dictionary of variables, not {}",
                path.display(),
                keywords::describe(&node)
            ))
            .at(&node.at)),
        }
    }

    /// As [`Loader::vars`], for a file of `vars_files`, which may be a list of dictionaries too: later ones win.
    pub fn vars_file(&self, path: &Path) -> Result<Map> {
        if path.is_dir() {
            return self.vars(path);
        }
        let node = self.file(path)?;
        let parts: Vec<&Node> = match node.as_seq() {
            Some(parts) => parts.iter().collect(),
            None => vec![&*node],
        };
        let mut all = Map::default();
        for part in parts {
            match part.to_value() {
                Value::Null => {}
                Value::Map(map) => {
                    all.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
                _ => {
                    return Err(Error::parse("Invalid variable file contents.")
                        .at(&part.at)
                        .hint("it must be a dictionary of variables, or a list of dictionaries"));
                }
            }
        }
        Ok(all)
    }

    /// Where a frame's files are looked for.
    pub fn search(&self, frame: &Arc<Frame>) -> SearchPath {
        search_path(frame, &self.playbook_dir)
    }

    /// A name that must be known while the playbook is read.
    pub fn static_text(&self, value: &Value, frame: &Arc<Frame>, at: &Location) -> Result<String> {
        if let Some(text) = match value {
            Value::Str(s) => Some(s),
            _ => None,
        } {
            return Ok(text.to_string());
        }
        let scope = StaticScope::new(self, frame);
        let templar = Templar::new(&self.engine, Arc::new(scope), Arc::new(self.search(frame)));
        templar.render_str(value).map_err(|e| {
            e.with_kind(crate::error::Kind::Parse)
                .at(at)
                .hint("the name of an import can use the variables of the play and its roles, and -e; an include can use all")
        })
    }
}

/// The variables that there are while a playbook is read.
struct StaticScope {
    layers: Layers,
    frame: Arc<Frame>,
    playbook_dir: PathBuf,
}

impl StaticScope {
    fn new(loader: &Loader, frame: &Arc<Frame>) -> StaticScope {
        let mut layers = vec![
            Arc::clone(&loader.extra_vars),
            Arc::clone(&frame.role_params),
        ];
        let (play, tasks): (Vec<_>, Vec<_>) =
            frame.chain().partition(|f| f.kind == FrameKind::Play);
        layers.extend(tasks.iter().map(|f| Arc::clone(&f.vars)));
        layers.extend(frame.roles().iter().map(|r| Arc::clone(&r.vars)));
        for play in play {
            layers.push(Arc::clone(&play.files_vars));
            layers.push(Arc::clone(&play.vars));
        }
        layers.extend(frame.roles().iter().map(|r| Arc::clone(&r.defaults)));
        StaticScope {
            layers: Layers::new(layers),
            frame: Arc::clone(frame),
            playbook_dir: loader.playbook_dir.clone(),
        }
    }
}

impl Scope for StaticScope {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "playbook_dir" => Some(Value::str(self.playbook_dir.to_string_lossy())),
            _ => magic::of_role(&self.frame, name)
                .or_else(|| magic::fixed(name))
                .or_else(|| self.layers.get(name)),
        }
    }
    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.layers.names();
        names.extend(["playbook_dir", "role_name", "role_path"].map(Arc::from));
        names
    }
}

/// Where the files of tasks in this frame are looked for.
pub fn search_path(frame: &Arc<Frame>, playbook_dir: &Path) -> SearchPath {
    let mut roots: Vec<PathBuf> = frame.roles().iter().map(|r| r.path.clone()).collect();
    roots.push(playbook_dir.to_path_buf());
    SearchPath {
        roots,
        task_dir: frame.dir.clone(),
    }
}

/// The error for a file that is nowhere.
pub fn not_found(name: &str, tried: &[PathBuf], at: &Location) -> Error {
    let error = Error::general(format!("Could not find or access '{name}'")).at(at);
    let near = tried.iter().find_map(|path| {
        let wanted = path.file_name()?.to_str()?;
        let names: Vec<String> = std::fs::read_dir(path.parent()?)
            .ok()?
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        crate::error::did_you_mean(wanted, names.iter().map(String::as_str)).map(str::to_string)
    });
    let list: Vec<String> = tried.iter().map(|p| p.display().to_string()).collect();
    match near {
        Some(near) => error.hint(format!(
            "did you mean '{near}'? Searched: {}",
            list.join(", ")
        )),
        None => error.hint(format!("searched: {}", list.join(", "))),
    }
}

/// Tasks being read, and what they bring along for the play.
pub struct Build<'a> {
    pub loader: &'a Loader,
    /// Handlers of roles, in the order in which the roles are met.
    pub handlers: Vec<Item>,
    pub roles: Vec<Arc<Role>>,
    open: Vec<PathBuf>,
    /// The role that is read and those that brought it as a dependency.
    chain: Vec<PathBuf>,
    /// How many roles are being read, one inside the other.
    depth: usize,
    /// The role that was read last.
    last: Option<Arc<Role>>,
}

/// How many roles may be inside one another.
const MOST_ROLES: usize = 100;

impl<'a> Build<'a> {
    pub fn new(loader: &'a Loader) -> Build<'a> {
        Build {
            loader,
            handlers: Vec::new(),
            roles: Vec::new(),
            open: Vec::new(),
            chain: Vec::new(),
            depth: 0,
            last: None,
        }
    }

    /// The tasks of a file, inside `frame`.
    pub fn load_task_file(
        &mut self,
        path: &Path,
        frame: &Arc<Frame>,
        handler: bool,
    ) -> Result<Block> {
        if self.open.iter().any(|p| p == path) {
            return Err(Error::parse(format!("{} imports itself", path.display())));
        }
        let node = self.loader.file(path)?;
        let mut inner = Frame::new(FrameKind::Block, Directives::default(), Some(frame));
        inner.dir = path.parent().map(Path::to_path_buf);
        let inner = Arc::new(inner);
        self.open.push(path.to_path_buf());
        let items = match plays_in_place(&node) {
            true => self.plays_as_tasks(&node, &inner),
            false if node.as_seq().is_none() && !node.is_null() => {
                Err(Error::general("included task files must contain a list of tasks").at(&node.at))
            }
            false => load_items(&node, &inner, handler, self),
        };
        self.open.pop();
        Ok(Block::plain(items?, &inner))
    }

    /// A task file that holds plays: their tasks run where the file was included.
    fn plays_as_tasks(&mut self, node: &Node, frame: &Arc<Frame>) -> Result<Vec<Item>> {
        crate::notice::warning(format!(
            "{} holds a play where tasks are expected: its tasks run on the current hosts, its 'hosts' is not used",
            node.at.source.name
        ));
        let mut out = Vec::new();
        for play in node.as_seq().unwrap_or_default() {
            let mut directives = Directives::default();
            for (key, value) in play.as_map().unwrap_or_default() {
                keywords::take(On::Play, key, value, &mut directives)?;
            }
            let sections: Vec<Node> = ["pre_tasks", "tasks", "post_tasks"]
                .iter()
                .filter_map(|s| directives.get(s).cloned())
                .collect();
            let inner = Arc::new(Frame::new(FrameKind::Block, directives, Some(frame)));
            for section in &sections {
                out.extend(load_items(section, &inner, false, self)?);
            }
        }
        Ok(out)
    }

    /// The tasks of a role and of those it depends on. Its handlers and itself are noted for the play.
    pub fn role(&mut self, use_: &RoleUse, parent: &Arc<Frame>) -> Result<Vec<Item>> {
        let loader = self.loader;
        let name = loader.static_text(&use_.name, parent, &use_.at)?;
        let beside = parent
            .role
            .as_ref()
            .and_then(|r| r.path.parent().map(Path::to_path_buf));
        let in_collections = || {
            let qualified = |name: &str| {
                super::collections::role(name, &loader.playbook_dir, &loader.collections_path)
            };
            match super::collections::qualified(&name) {
                Some(_) => qualified(&name),
                None => parent
                    .collections()
                    .into_iter()
                    .chain(super::collections::of_path(&loader.playbook_dir))
                    .find_map(|collection| qualified(&format!("{collection}.{name}"))),
            }
        };
        let path = match in_collections() {
            Some(path) => path,
            None => role::find(
                &name,
                &use_.at,
                &loader.playbook_dir,
                &loader.roles_path,
                beside.as_deref(),
            )?,
        };
        // a task may bring in the role that it is in: another file of it
        let outer = match use_.way {
            role::Way::Named => self.chain.clone(),
            _ => std::mem::take(&mut self.chain),
        };
        if self.chain.contains(&path) || self.depth > MOST_ROLES {
            return Err(Error::general("A recursion loop was detected with the roles specified. Make sure child roles do not have dependencies on parent roles").at(&use_.at));
        }
        let part = |part: &str, from: Option<&str>| -> Result<Option<PathBuf>> {
            role::part_file(&path, part, from).map_err(|e| e.at(&use_.at))
        };
        let vars_of = |name: &str, from: Option<&str>| -> Result<Map> {
            match part(name, from)? {
                Some(file) => loader.vars(&file),
                None => Ok(Map::default()),
            }
        };
        let meta = match part("meta", None)? {
            Some(file) => Some(loader.file(&file)?),
            None => None,
        };
        let dependencies = match meta.as_ref().and_then(|m| m.get("dependencies")) {
            Some(list) if !list.is_null() => list
                .as_seq()
                .ok_or_else(|| {
                    Error::parse("Expected role dependencies to be a list.").at(&list.at)
                })?
                .iter()
                .map(RoleUse::parse)
                .collect::<Result<Vec<_>>>()?,
            _ => Vec::new(),
        };
        let allow_duplicates = use_.allow_duplicates.unwrap_or_else(|| {
            meta.as_ref()
                .and_then(|m| m.get("allow_duplicates"))
                .and_then(|n| role::boolean(&n.to_value()))
                .unwrap_or(false)
        });
        let public = use_.is_public(loader.private_role_vars);
        let mut params = (*parent.role_params).clone();
        params.extend(use_.params.clone());
        let role = Arc::new(Role {
            name: match super::collections::of_path(&path) {
                Some(collection) => {
                    let short = path.file_name().unwrap_or_default().to_string_lossy();
                    format!("{collection}.{short}")
                }
                // as it is written, but for the home folder
                None if name.starts_with('~') => {
                    name.rsplit('/').next().unwrap_or(&name).to_string()
                }
                None => name.clone(),
            },
            collections: meta
                .as_ref()
                .and_then(|m| m.get("collections"))
                .and_then(|n| n.as_seq())
                .unwrap_or_default()
                .iter()
                .filter_map(|n| n.as_str().map(str::to_string))
                .collect(),
            defaults: Arc::new(vars_of("defaults", use_.defaults_from.as_deref())?),
            vars: Arc::new(vars_of("vars", use_.vars_from.as_deref())?),
            params: Arc::new(params.clone()),
            public,
            key: use_.key(&path),
            allow_duplicates,
            dependencies: dependencies
                .iter()
                .filter_map(|d| d.name.as_str().map(str::to_string))
                .collect(),
            path: path.clone(),
            inherited: OnceLock::new(),
        });
        let mut frame = Frame::new(FrameKind::Role, use_.directives.clone(), Some(parent));
        frame.role = Some(Arc::clone(&role));
        frame.role_params = Arc::new(params);
        frame.dir = Some(path.join("tasks"));
        let frame = Arc::new(frame);

        self.chain.push(path.clone());
        self.depth += 1;
        let mut out = Vec::new();
        let mut inherited = Vec::new();
        for dependency in &dependencies {
            let dependency = RoleUse {
                public: Some(public),
                ..dependency.clone()
            };
            out.extend(self.role(&dependency, &frame)?);
            inherited.extend(self.last.take());
        }
        // it is the first and only time that this is set
        let _ = role.inherited.set(inherited);
        self.roles.push(Arc::clone(&role));
        if let Some(file) = part("handlers", use_.handlers_from.as_deref())? {
            let node = loader.file(&file)?;
            let mut inner = Frame::new(FrameKind::Block, Directives::default(), Some(&frame));
            inner.dir = Some(path.join("handlers"));
            let items = load_items(&node, &Arc::new(inner), true, self)?;
            self.handlers.extend(items);
        }
        let mut body = match part("tasks", use_.tasks_from.as_deref())? {
            Some(file) => vec![Item::Block(Arc::new(
                self.load_task_file(&file, &frame, false)?,
            ))],
            None => Vec::new(),
        };
        if use_.validate
            && let Some(task) =
                super::argument_spec::task(loader, use_, &role, meta.as_deref(), &frame)?
        {
            body.insert(0, Item::Task(Arc::new(task)));
        }
        self.chain = outer;
        self.depth -= 1;
        self.last = Some(Arc::clone(&role));
        body.push(Item::Task(Arc::new(Task::implicit(
            "meta",
            super::one("_raw_params", "role_complete"),
            None,
            &["always"],
            &use_.at,
            &frame,
        ))));
        out.push(Item::Block(Arc::new(Block::plain(body, &frame))));
        Ok(out)
    }
}

/// Whether a file read for its tasks holds plays instead.
fn plays_in_place(node: &Node) -> bool {
    node.as_seq()
        .is_some_and(|items| !items.is_empty() && items.iter().all(|i| i.get("hosts").is_some()))
}
