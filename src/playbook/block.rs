//! Blocks, and reading a list of tasks with its static imports.

use super::keywords::{self, On};
use super::load::Build;
use super::role::RoleUse;
use super::{Directives, Frame, FrameKind, Task};
use super::{action, foreign};
use crate::source::Location;
use crate::value::Value;
use crate::yaml::{Data, Node};
use crate::{Error, Result};
use std::sync::Arc;

/// An entry of a task list.
#[derive(Clone, Debug)]
pub enum Item {
    Task(Arc<Task>),
    Block(Arc<Block>),
}

/// Tasks that belong together, with what to do when one fails.
#[derive(Debug)]
pub struct Block {
    pub body: Vec<Item>,
    pub rescue: Vec<Item>,
    pub always: Vec<Item>,
    pub frame: Arc<Frame>,
}

impl Block {
    /// Tasks without rescue and always.
    pub fn plain(body: Vec<Item>, frame: &Arc<Frame>) -> Block {
        Block {
            body,
            rescue: Vec::new(),
            always: Vec::new(),
            frame: Arc::clone(frame),
        }
    }

    /// Calls `f` for each task inside, in order.
    pub fn each_task(&self, f: &mut impl FnMut(&Arc<Task>)) {
        for item in self.body.iter().chain(&self.rescue).chain(&self.always) {
            match item {
                Item::Task(task) => f(task),
                Item::Block(block) => block.each_task(f),
            }
        }
    }
}

/// Reads a list of tasks and blocks. Imports are read with it.
///
/// Errors of kind `Parse` for anything that is no task.
pub fn load_items(
    node: &Node,
    frame: &Arc<Frame>,
    handler: bool,
    build: &mut Build<'_>,
) -> Result<Vec<Item>> {
    let items = match &node.data {
        Data::Scalar(Value::Null) => return Ok(Vec::new()),
        Data::Seq(items) => items,
        _ => {
            return Err(Error::parse(format!(
                "a list of tasks is expected here, not {}",
                keywords::describe(node)
            ))
            .at(&node.at)
            .hint("each task starts with '- '"));
        }
    };
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        load_item(item, frame, handler, build, &mut out)?;
    }
    Ok(out)
}

fn load_item(
    node: &Node,
    frame: &Arc<Frame>,
    handler: bool,
    build: &mut Build<'_>,
    out: &mut Vec<Item>,
) -> Result<()> {
    if node.is_null() {
        return Err(Error::parse("an empty entry where a task is expected").at(&node.at));
    }
    if node.get("block").is_some() {
        let block = load_block(node, frame, handler, build)?;
        out.push(Item::Block(Arc::new(block)));
        return Ok(());
    }
    for keyword in ["rescue", "always"] {
        if let (Some(found), None) = (node.get(keyword), node.get("block")) {
            return Err(
                Error::parse(format!("Invalid use of '{keyword}': it needs a 'block'"))
                    .at(&found.at),
            );
        }
    }
    let mut task = Task::parse(node, frame, handler)?;
    match task.action.bare.as_str() {
        "import_tasks" => out.push(Item::Block(Arc::new(import_tasks(&task, handler, build)?))),
        "include_role" | "import_role" if handler => {
            return Err(
                no_handler(&format!("'{}'", task.action.name), &task.at).hint(
                    "handlers of a role are notified by their names, once a task uses the role",
                ),
            );
        }
        "import_role" => out.push(Item::Block(Arc::new(import_role(&task, build)?))),
        "include" => {
            crate::notice::deprecated(format!(
                "'include' is deprecated, use 'include_tasks', 'import_tasks' or 'import_playbook' instead ({})",
                task.at
            ));
            if is_static_include(&task) {
                out.push(Item::Block(Arc::new(import_tasks(&task, handler, build)?)));
            } else {
                let mut action = task.action.clone();
                action.bare = "include_tasks".into();
                out.push(Item::Task(Arc::new(task.with_action(action))));
            }
        }
        "include_role" => {
            RoleUse::from_task(&task)?;
            out.push(Item::Task(Arc::new(task)));
        }
        "include_tasks" => {
            let (_, more) = included_file(&task)?;
            if !more.is_empty() {
                let names: Vec<String> = more.keys().map(ToString::to_string).collect();
                return Err(Error::parse(format!(
                    "Invalid options for {}: {}",
                    task.action.name,
                    names.join(",")
                ))
                .at(&task.at)
                .hint("variables for the included tasks go under the task's 'vars:'"));
            }
            out.push(Item::Task(Arc::new(task)));
        }
        "import_playbook" => {
            return Err(Error::parse(
                "import_playbook can only be used at the top of a playbook, not as a task",
            )
            .at(&task.at));
        }
        name => {
            if !task.action.is_templated() && !crate::run::is_known_module(name) {
                match foreign::find(&task.action.name, frame, build) {
                    Some(file) => {
                        foreign::warn(name, &file);
                        task.action.foreign = Some(file);
                    }
                    None if build.loader.any_module => {}
                    None => return Err(action::unknown_module(&task.action)),
                }
            }
            out.push(Item::Task(Arc::new(task)));
        }
    }
    Ok(())
}

fn no_handler(what: &str, at: &Location) -> Error {
    Error::parse(format!("Using {what} as a handler is not supported.")).at(at)
}

/// The old `include` is read with the playbook when its file is known then.
fn is_static_include(task: &Task) -> bool {
    let asked = match task.directives.get("static").map(Node::to_value) {
        Some(Value::Bool(b)) => Some(b),
        Some(Value::Str(s)) => keywords::parse_bool(&s),
        _ => None,
    };
    let named = task
        .action
        .args
        .get("_raw_params")
        .or_else(|| task.action.args.get("file"));
    asked.unwrap_or(task.looping.is_none() && !matches!(named, Some(Value::Template(_))))
}

fn load_block(
    node: &Node,
    frame: &Arc<Frame>,
    handler: bool,
    build: &mut Build<'_>,
) -> Result<Block> {
    let mut directives = Directives::default();
    for (key, value) in node.as_map().unwrap_or_default() {
        keywords::take(On::Block, key, value, &mut directives)?;
    }
    let body = directives.get("block").cloned();
    let rescue = directives.get("rescue").cloned();
    let always = directives.get("always").cloned();
    let inner = Arc::new(Frame::new(FrameKind::Block, directives, Some(frame)));
    let mut read = |part: Option<Node>| match part {
        Some(part) if handler => {
            // a block at the top is nothing but its handlers
            let mut items = part.as_seq().unwrap_or_default().iter();
            match items.find(|item| item.get("block").is_some()) {
                Some(nested) => Err(no_handler("a block", &nested.at)),
                None => load_items(&part, &inner, handler, build),
            }
        }
        Some(part) => load_items(&part, &inner, handler, build),
        None => Ok(Vec::new()),
    };
    Ok(Block {
        body: read(body)?,
        rescue: read(rescue)?,
        always: read(always)?,
        frame: inner,
    })
}

/// The file that an include or import names, and the variables given with it in `key=value` form.
pub fn included_file(task: &Task) -> Result<(Value, crate::Map)> {
    let mut args = task.action.args.clone();
    let raw = args.shift_remove("_raw_params");
    let file = match raw.or_else(|| args.shift_remove("file")) {
        Some(Value::Null) | None => {
            return Err(
                Error::parse(format!("No file specified for {}", task.action.name)).at(&task.at),
            );
        }
        Some(value) => value,
    };
    args.shift_remove("apply");
    Ok((file, args))
}

fn import_tasks(task: &Task, handler: bool, build: &mut Build<'_>) -> Result<Block> {
    if let Some(looping) = &task.looping {
        return Err(Error::parse(format!(
            "You cannot use loops on '{}' statements.",
            task.action.name
        ))
        .at(&looping.at)
        .hint("use include_tasks instead"));
    }
    let (file, more) = included_file(task)?;
    let mut frame = Frame::new(
        FrameKind::Import,
        task.directives.clone(),
        Some(&task.frame),
    );
    if !more.is_empty() {
        let mut vars = (*frame.vars).clone();
        vars.extend(more);
        frame.vars = Arc::new(vars);
    }
    let frame = Arc::new(frame);
    let name = build.loader.static_text(&file, &frame, &task.at)?;
    let path = build
        .loader
        .search(&frame)
        .find("tasks", &name)
        .map_err(|tried| super::load::not_found(&name, &tried, &task.at))?;
    crate::notice::verbose(2, format!("statically imported: {}", path.display()));
    build.load_task_file(&path, &frame, handler)
}

fn import_role(task: &Task, build: &mut Build<'_>) -> Result<Block> {
    if let Some(looping) = &task.looping {
        return Err(
            Error::parse("You cannot use loops on 'import_role' statements.")
                .at(&looping.at)
                .hint("use include_role instead"),
        );
    }
    let frame = Arc::new(Frame::new(
        FrameKind::Import,
        task.directives.clone(),
        Some(&task.frame),
    ));
    let mut use_ = RoleUse::from_task(task)?;
    if let Value::Template(_) = use_.name {
        use_.name = build
            .loader
            .static_text(&use_.name, &frame, &task.at)?
            .into();
    }
    let body = build.role(&use_, &frame)?;
    Ok(Block::plain(body, &frame))
}
