//! A task's module and arguments, in every form that Ansible takes.

use super::keywords::{self, On};
use super::not_yet;
use crate::error::did_you_mean;
use crate::kv;
use crate::source::Location;
use crate::value::{Key, Map, Value};
use crate::yaml::{Data, Node};
use crate::{Error, Result};

/// Which module a task runs, and with what.
#[derive(Clone, Debug)]
pub struct Action {
    /// As the user wrote it.
    pub name: String,
    /// Without `ansible.builtin.` and `ansible.legacy.`.
    pub bare: String,
    /// Arguments as written; free-form text is under `_raw_params`.
    pub args: Map,
    /// Templates that give arguments (`args: "{{ x }}"`, `debug: "{{ x }}"`), lower in precedence than `args`;
    /// of two the second wins.
    pub templates: Vec<Value>,
    /// Where each argument's value starts, and where its name does.
    pub places: Vec<(Key, Location, Location)>,
    /// Where the items of arguments that are lists start.
    pub item_places: Vec<(Key, Vec<Location>)>,
    /// Where the module's name stands.
    pub at: Location,
    /// `local_action`: the task is delegated to localhost.
    pub local: bool,
    /// The file of a module that is none of rplay's.
    pub foreign: Option<std::path::PathBuf>,
}

impl Action {
    /// Where an argument's value starts; the module's name where that is not known.
    pub fn place_of(&self, key: &Key) -> &Location {
        self.places
            .iter()
            .find(|(k, ..)| k == key)
            .map_or(&self.at, |(_, at, _)| at)
    }

    /// Where an argument's name stands.
    pub fn place_of_name(&self, key: &Key) -> &Location {
        self.places
            .iter()
            .find(|(k, ..)| k == key)
            .map_or(&self.at, |(_, _, at)| at)
    }

    /// Where an item of an argument that is a list starts; the argument's place where that is not known.
    pub fn place_of_item(&self, key: &Key, index: usize) -> &Location {
        self.item_places
            .iter()
            .find(|(k, _)| k == key)
            .and_then(|(_, items)| items.get(index))
            .unwrap_or_else(|| self.place_of(key))
    }

    /// Whether there is text among the arguments that is no argument of the module.
    pub fn has_stray_text(&self) -> bool {
        let name = self.bare.as_str();
        self.args.contains_key(kv::RAW) && !FREE_FORM.contains(&name) && !RAW_PARAMS.contains(&name)
    }

    /// Whether the module is known only when the task runs.
    pub fn is_templated(&self) -> bool {
        crate::value::is_template(&self.name)
    }

    fn note_places(&mut self, node: &Node) {
        for (key, value) in node.as_map().unwrap_or_default() {
            self.note_place(key, value);
        }
    }

    fn note_place(&mut self, key: &Node, value: &Node) {
        let name = Key::from_value(key.to_value());
        if let Data::Seq(items) = &value.data {
            let items = items.iter().map(|i| i.at.clone()).collect();
            self.item_places.push((name.clone(), items));
        }
        self.places.push((name, value.at.clone(), key.at.clone()));
    }
}

/// Modules whose argument may be text that is not `key=value`.
pub static FREE_FORM: &[&str] = &[
    "command",
    "shell",
    "script",
    "raw",
    "win_command",
    "win_shell",
];

/// Modules that are given text that is not `key=value` (a file, a name) and make of it what they will.
static RAW_PARAMS: &[&str] = &[
    "add_host",
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "set_fact",
];

/// The module's name without the prefixes that mean `built in`, or its collection.
pub fn bare(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| crate::modules::find(name).map(|m| m.name))
        .unwrap_or(name)
}

/// Takes the entries of a task that are not keywords and makes the action of them.
pub fn parse(entries: &[(Node, Node)], on: On, at: &Location) -> Result<Action> {
    let mut found: Option<(String, &Node, &Node, bool)> = None;
    let mut args_node: Option<&Node> = None;
    let mut conflict: Option<(String, &Node)> = None;
    let mut note = |name: String, key, value, local| {
        if let Some((first, ..)) = &found {
            conflict.get_or_insert_with(|| (format!("{first}, {name}"), key));
        } else {
            found = Some((name, key, value, local));
        }
    };
    for (key, value) in entries {
        let Some(name) = key.as_str() else {
            return Err(Error::parse(format!(
                "{} cannot be a task keyword",
                keywords::describe(key)
            ))
            .at(&key.at));
        };
        match name {
            "action" => note("action".into(), key, value, false),
            "local_action" => note("local_action".into(), key, value, true),
            "args" => args_node = Some(value),
            _ if name.starts_with("with_") || keywords::find(on, name).is_some() => {}
            _ => note(name.to_string(), key, value, false),
        }
    }
    if let Some((names, key)) = conflict {
        return Err(mistyped_keyword(entries, on).unwrap_or_else(|| {
            Error::parse(format!("conflicting action statements: {names}")).at(&key.at)
        }));
    }
    let Some((name, key, value, local)) = found else {
        return Err(Error::parse("no module/action detected in task.")
            .at(at)
            .hint("a task needs a module, such as 'command: uptime'"));
    };
    let mut action = if matches!(name.as_str(), "action" | "local_action") {
        indirect(&name, value)?
    } else {
        let mut action = Action {
            bare: bare(&name).to_string(),
            name,
            args: Map::default(),
            templates: Vec::new(),
            places: Vec::new(),
            item_places: Vec::new(),
            at: key.at.clone(),
            local: false,
            foreign: None,
        };
        fill(&mut action, value)?;
        action
    };
    action.local = local;
    if let Some(node) = args_node {
        match &node.data {
            Data::Map(_) => {
                if let Value::Map(more) = node.to_value() {
                    action.note_places(node);
                    for (k, v) in more.iter() {
                        // what stands with the module wins
                        if !action.args.contains_key(k) {
                            action.args.insert(k.clone(), v.clone());
                        }
                    }
                }
            }
            Data::Scalar(Value::Null) => {}
            Data::Scalar(v @ Value::Template(_)) => {
                argsplat(v);
                action.templates.insert(0, v.clone());
            }
            _ => {
                return Err(Error::parse(format!(
                    "'args' must be a dictionary, not {}",
                    keywords::describe(node)
                ))
                .at(&node.at));
            }
        }
    }
    Ok(action)
}

/// Among several entries that are no keywords, the one that looks like a keyword with a slip.
fn mistyped_keyword(entries: &[(Node, Node)], on: On) -> Option<Error> {
    entries
        .iter()
        .filter(|(k, _)| {
            k.as_str().is_some_and(|n| {
                keywords::find(on, n).is_none()
                    && !n.starts_with("with_")
                    && !crate::run::is_known_module(n)
            })
        })
        .map(|(k, _)| k)
        .next()
        .map(|k| keywords::unknown(on, k))
}

/// `action: module k=v`, `action: {module: x, ...}` and the same for `local_action`.
fn indirect(keyword: &str, node: &Node) -> Result<Action> {
    let mut action = Action {
        name: String::new(),
        bare: String::new(),
        args: Map::default(),
        templates: Vec::new(),
        places: Vec::new(),
        item_places: Vec::new(),
        at: node.at.clone(),
        local: false,
        foreign: None,
    };
    let full = match &node.data {
        Data::Scalar(v) if v.as_str().is_some() => {
            let text = v.as_str().unwrap_or("").trim();
            let (module, rest) = first_word(text).map_err(|e| e.at(&node.at))?;
            action.name = module.to_string();
            action.bare = bare(module).to_string();
            return text_args(&mut action, rest, &node.at).map(|()| action);
        }
        Data::Map(entries) => entries,
        _ => {
            return Err(Error::parse(format!(
                "'{keyword}' takes a module and its arguments, not {}",
                keywords::describe(node)
            ))
            .at(&node.at));
        }
    };
    for (key, value) in full {
        match key.as_str() {
            Some("module") => {
                action.at = value.at.clone();
                let text = value.as_str().unwrap_or("").trim();
                let (module, rest) = first_word(text).map_err(|e| e.at(&value.at))?;
                action.name = module.to_string();
                action.bare = bare(module).to_string();
                if !rest.is_empty() {
                    text_args(&mut action, rest, &value.at)?;
                }
            }
            Some("args") => {
                if let Value::Map(more) = value.to_value() {
                    action.note_places(value);
                    action
                        .args
                        .extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
            }
            _ => {
                action.note_place(key, value);
                action
                    .args
                    .insert(Key::from_value(key.to_value()), value.to_value());
            }
        }
    }
    if action.name.is_empty() {
        return Err(Error::parse(format!("'{keyword}' names no module"))
            .at(&node.at)
            .hint(format!(
                "write '{keyword}: MODULE key=value' or '{keyword}: {{module: MODULE, ...}}'"
            )));
    }
    Ok(action)
}

/// The arguments that stand behind the module's name.
fn fill(action: &mut Action, node: &Node) -> Result<()> {
    match &node.data {
        Data::Map(_) => {
            if let Value::Map(map) = node.to_value() {
                action.args = (*map).clone();
            }
            action.note_places(node);
            Ok(())
        }
        Data::Scalar(Value::Null) => Ok(()),
        Data::Scalar(v) => match v.as_str() {
            Some(text) => {
                let text = text.to_string();
                text_args(action, &text, &node.at)
            }
            None => {
                action.args.insert("_raw_params".into(), v.clone());
                Ok(())
            }
        },
        Data::Seq(_) if matches!(action.bare.as_str(), "command" | "shell" | "raw" | "script") => {
            Err(
                Error::parse(format!("'{}' takes text, not a list", action.name))
                    .at(&node.at)
                    .hint("a list of words goes under 'argv:'"),
            )
        }
        Data::Seq(_) => Err(Error::parse("unexpected parameter type in action: list")
            .at(&node.at)
            .hint("arguments are a dictionary or 'key=value' text")),
    }
}

/// A module's name, which may be a template, and what stands behind it.
fn first_word(text: &str) -> Result<(&str, &str)> {
    let end = match crate::value::is_template(text) {
        false => text.find(char::is_whitespace).unwrap_or(text.len()),
        true => {
            let words = kv::split(text)?;
            words.first().map_or(0, |w| w.trim_end().len())
        }
    };
    Ok((&text[..end], text[end..].trim_start()))
}

/// Warns where a template gives arguments: it can give any.
fn argsplat(template: &Value) {
    let at = match template {
        Value::Template(t) => t.at.as_ref(),
        _ => None,
    };
    let place = at.map(|at| format!(" ({at})")).unwrap_or_default();
    crate::notice::warning(format!(
        "Using a template for task args is unsafe in some situations \
         (see https://docs.ansible.com/ansible/devel/reference_appendices/faq.html#argsplat-unsafe).{place}"
    ));
}

/// Modules whose lone word may be a template that is no dictionary: a file, a command, a name.
static LONE_WORD: &[&str] = &[
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "set_fact",
];

/// Arguments in `key=value` form; what is free-form goes to `_raw_params`.
fn text_args(action: &mut Action, text: &str, at: &Location) -> Result<()> {
    let free = FREE_FORM.contains(&action.bare.as_str());
    let pairs = kv::parse(text, free).map_err(|e| e.at(at))?;
    for (key, value) in pairs {
        let named = !crate::value::is_template(&action.name);
        if key == "_raw_params" && !free {
            // a lone template gives the whole dictionary
            let lone = value.trim_start().starts_with("{{");
            if lone && named && !LONE_WORD.contains(&action.bare.as_str()) {
                let template = relaxed(&value, at);
                argsplat(&template);
                action.templates.push(template);
                continue;
            }
        }
        let key = match action.bare.as_str() {
            // the only one whose names may be templates
            "set_fact" => Key::from_value(relaxed(&key, at)),
            _ => Key::from(key),
        };
        let place = (key.clone(), at.clone(), at.clone());
        action.places.push(place);
        action.args.insert(key, relaxed(&value, at));
    }
    Ok(())
}

/// Text that does not start where the source's scalar starts: templates in it have a place but no exact column.
fn relaxed(text: &str, at: &Location) -> Value {
    if crate::value::is_template(text) {
        Value::Template(std::sync::Arc::new(crate::value::Template {
            text: text.into(),
            at: Some(at.clone()),
            verbatim: false,
        }))
    } else {
        Value::Str(crate::value::Text::trusted(text))
    }
}

/// The error for a module that rplay does not have.
pub fn unknown_module(action: &Action) -> Error {
    let error = Error::parse(format!(
        "couldn't resolve module/action '{}'. This often indicates a misspelling, missing collection, or incorrect module path.",
        action.name
    ))
    .at(&action.at);
    if let Some(collection) = not_yet::collection_of(&action.bare) {
        return error.hint(format!(
            "'{}' is a module of {collection} that rplay does not have yet",
            action.name
        ));
    }
    let names = crate::run::module_names().chain(not_yet::names());
    match did_you_mean(&action.bare, names) {
        Some(near) if crate::run::is_known_module(near) => {
            error.hint(format!("did you mean '{near}'?"))
        }
        Some(near) => error.hint(format!("did you mean '{near}'? rplay does not have it yet")),
        None => error.hint("rplay runs its own modules only; README.md lists them"),
    }
}
