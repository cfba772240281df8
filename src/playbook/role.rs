//! Roles: where they are found, and what their folders hold.

use super::keywords::{self, On};
use super::{Directives, Task};
use crate::source::Location;
use crate::value::{Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A use of a role: in a play's `roles`, as a dependency, by `import_role` or `include_role`.
#[derive(Clone, Debug)]
pub struct RoleUse {
    pub name: Value,
    pub directives: Directives,
    /// Entries that are no keywords: the role's parameters.
    pub params: Map,
    pub tasks_from: Option<String>,
    pub vars_from: Option<String>,
    pub defaults_from: Option<String>,
    pub handlers_from: Option<String>,
    pub allow_duplicates: Option<bool>,
    /// Whether the role's variables are seen by the other tasks of the play, if that is said.
    pub public: Option<bool>,
    pub way: Way,
    /// Whether the role's arguments are checked where it says what they are.
    pub validate: bool,
    pub at: Location,
}

/// How a role comes into a play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is named in the play's `roles`, or by a role that depends on it.
    Named,
    Imported,
    Included,
}

/// A role as read for one use.
#[derive(Debug)]
pub struct Role {
    pub name: String,
    pub path: PathBuf,
    pub defaults: Arc<Map>,
    pub vars: Arc<Map>,
    pub params: Arc<Map>,
    pub public: bool,
    /// Uses with the same key run once per host and play, unless duplicates are allowed.
    pub key: String,
    pub allow_duplicates: bool,
    /// Names of the roles that this one depends on.
    pub dependencies: Vec<String>,
    /// Collections that the role's `meta/main.yml` names.
    pub collections: Vec<String>,
    /// These roles; their variables are this one's too, where it does not set them itself.
    pub inherited: OnceLock<Vec<Arc<Role>>>,
}

impl Role {
    /// This role and those that it depends on, the strongest first.
    pub fn family(self: &Arc<Role>) -> Vec<Arc<Role>> {
        let mut out = vec![Arc::clone(self)];
        for role in self.inherited.get().into_iter().flatten().rev() {
            out.extend(role.family());
        }
        out
    }
}

impl RoleUse {
    /// A use that says nothing yet but its place.
    fn new(at: &Location) -> RoleUse {
        RoleUse {
            name: Value::Null,
            directives: Directives::default(),
            params: Map::default(),
            tasks_from: None,
            vars_from: None,
            defaults_from: None,
            handlers_from: None,
            allow_duplicates: None,
            public: None,
            way: Way::Named,
            validate: true,
            at: at.clone(),
        }
    }

    /// An entry of `roles:` or of a role's `dependencies:`.
    pub fn parse(node: &Node) -> Result<RoleUse> {
        let mut use_ = RoleUse::new(&node.at);
        if let Some(text) = node.as_str() {
            if text.contains(',') && !crate::value::is_template(text) {
                return Err(
                    Error::general(format!("Invalid old style role requirement: {text}"))
                        .at(&node.at),
                );
            }
            use_.name = match node.to_value() {
                v @ Value::Template(_) => v,
                _ => text.trim().into(),
            };
            return Ok(use_);
        }
        let Some(entries) = node.as_map() else {
            return Err(Error::parse("Invalid role definition.")
                .at(&node.at)
                .hint("a role is given by its name, or as a dictionary with the entry 'role'"));
        };
        // `name` means the role only where `role` is not given
        let has_role = node.get("role").is_some();
        for (key, value) in entries {
            match key.as_str() {
                Some("role") => use_.name = value.to_value(),
                Some("name") if !has_role => use_.name = value.to_value(),
                Some(name) if keywords::find(On::Role, name).is_some() => {
                    keywords::take(On::Role, key, value, &mut use_.directives)?;
                }
                Some("src" | "scm" | "version") => {}
                _ => {
                    use_.params.insert(
                        crate::value::Key::from_value(key.to_value()),
                        value.to_value(),
                    );
                }
            }
        }
        if use_.name.as_str().is_none_or(str::is_empty) {
            return Err(Error::parse("role definitions must contain a role name")
                .at(&node.at)
                .hint("write '- role: NAME'"));
        }
        Ok(use_)
    }

    /// The role that `import_role` or `include_role` names.
    pub fn from_task(task: &Task) -> Result<RoleUse> {
        const KNOWN: &[&str] = &[
            "allow_duplicates",
            "apply",
            "defaults_from",
            "handlers_from",
            "name",
            "public",
            "role",
            "rolespec_validate",
            "tasks_from",
            "vars_from",
        ];
        let mut use_ = RoleUse::new(&task.at);
        // what a task asks for is done as often as it is asked for
        use_.allow_duplicates = Some(true);
        use_.way = match task.action.bare.as_str() {
            "import_role" => Way::Imported,
            _ => Way::Included,
        };
        let named = |key: &str| task.action.args.get(key).and_then(Value::as_str);
        if named("name")
            .or_else(|| named("role"))
            .is_none_or(str::is_empty)
        {
            return Err(Error::parse(format!(
                "'name' is a required field for {}.",
                task.action.name
            ))
            .at(&task.at));
        }
        for (key, value) in &task.action.args {
            let text = || value.as_str().map(str::to_string);
            match key.as_str().unwrap_or("?") {
                "name" | "role" => use_.name = value.clone(),
                "tasks_from" => use_.tasks_from = text(),
                "vars_from" => use_.vars_from = text(),
                "defaults_from" => use_.defaults_from = text(),
                "handlers_from" => use_.handlers_from = text(),
                "allow_duplicates" => use_.allow_duplicates = boolean(value),
                "public" => use_.public = boolean(value),
                "rolespec_validate" => use_.validate = boolean(value).unwrap_or(true),
                "apply" => {}
                other => {
                    let error =
                        Error::parse(format!("Invalid options for {}: {other}", task.action.name))
                            .at(&task.at);
                    return Err(
                        match crate::error::did_you_mean(other, KNOWN.iter().copied()) {
                            Some(near) => error.hint(format!("did you mean '{near}'?")),
                            None => error.hint(format!("it takes {}", KNOWN.join(", "))),
                        },
                    );
                }
            }
        }
        Ok(use_)
    }

    /// Whether the play sees the role's variables, where `private` is the setting, if there is one.
    pub fn is_public(&self, private: Option<bool>) -> bool {
        let usual = match self.way {
            Way::Named | Way::Imported => !private.unwrap_or(false),
            Way::Included => private.is_some_and(|private| !private),
        };
        self.public.unwrap_or(usual)
    }

    /// What makes two uses the same use.
    pub fn key(&self, path: &Path) -> String {
        let part = |name: &str| {
            self.directives
                .get(name)
                .map(|n| n.to_value().to_json().to_string())
                .unwrap_or_default()
        };
        format!(
            "{}|{:?}|{:?}|{:?}|{}|{}|{}|{}",
            path.display(),
            self.tasks_from,
            self.vars_from,
            self.defaults_from,
            Value::map(self.params.clone()).to_json(),
            part("when"),
            part("tags"),
            part("vars"),
        )
    }
}

/// A boolean as text or boolean.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Str(s) => keywords::parse_bool(s),
        Value::Int(i) => Some(*i != 0),
        _ => None,
    }
}

/// The folder of the role called `name`: beside the playbook, in roles_path, beside other roles.
pub fn find(
    name: &str,
    at: &Location,
    playbook_dir: &Path,
    roles_path: &[PathBuf],
    beside: Option<&Path>,
) -> Result<PathBuf> {
    let mut dirs = vec![playbook_dir.join("roles")];
    dirs.extend(roles_path.iter().cloned());
    dirs.extend(beside.map(Path::to_path_buf));
    dirs.push(playbook_dir.to_path_buf());
    let wanted = crate::search::expand_home(name);
    for dir in &dirs {
        // `..` takes back folders that need not be there
        let path = crate::search::clean(&dir.join(&wanted));
        if path.is_dir() {
            return Ok(path);
        }
    }
    let mut seen = Vec::new();
    for dir in &dirs {
        let text = dir.display().to_string();
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    let error = Error::general(format!(
        "the role '{name}' was not found in {}",
        seen.join(":")
    ))
    .at(at);
    let mut near: Vec<String> = Vec::new();
    for dir in dirs.iter().take(dirs.len() - 1) {
        if let Ok(entries) = std::fs::read_dir(dir) {
            near.extend(
                entries
                    .flatten()
                    .filter_map(|e| e.file_name().into_string().ok()),
            );
        }
    }
    Err(
        match crate::error::did_you_mean(name, near.iter().map(String::as_str)) {
            Some(found) => error.hint(format!("did you mean '{found}'?")),
            None => error,
        },
    )
}

/// The main file of a role's folder part (`tasks`, `vars`, ...), or the one asked for.
///
/// Fails if the one asked for is not there, or is outside of the folder.
pub fn part_file(role: &Path, part: &str, from: Option<&str>) -> Result<Option<PathBuf>> {
    let Some(from) = from else {
        return Ok(main_file(role, part, "main"));
    };
    let Some(found) = main_file(role, part, from) else {
        return Err(Error::parse(format!(
            "Could not find specified file in role: {part}/{from}"
        )));
    };
    let dir = role.join(part);
    let inside = crate::search::clean(&found).starts_with(crate::search::clean(&dir));
    match inside {
        true => Ok(Some(found)),
        false => {
            let name = role.file_name().unwrap_or_default().to_string_lossy();
            Err(Error::parse(format!(
                "Failed loading '{}' for role ({name}) as it is not inside the expected role path: '{}'",
                found.display(),
                dir.display()
            )))
        }
    }
}

/// The file called `stem`, with whatever ending, or else the folder of that name.
pub fn main_file(role: &Path, part: &str, stem: &str) -> Option<PathBuf> {
    let dir = role.join(part);
    let named = dir.join(stem);
    [".yml", ".yaml", ".json", ""]
        .iter()
        .map(|ext| dir.join(format!("{stem}{ext}")))
        .find(|p| p.is_file())
        .or_else(|| named.is_dir().then_some(named))
}
