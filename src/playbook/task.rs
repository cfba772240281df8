//! A task: one module call with its keywords.

use super::action::{self, Action};
use super::keywords::{self, On};
use super::{Condition, Directives, Frame, FrameKind, conditions};
use crate::source::Location;
use crate::value::{Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

/// What a task repeats over.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The lookup of `with_X`; none for `loop`.
    pub lookup: Option<String>,
    pub terms: Value,
    pub at: Location,
}

/// A task as read, inside its frames.
#[derive(Debug)]
pub struct Task {
    /// Unique in the process.
    pub id: usize,
    pub directives: Directives,
    pub action: Action,
    pub looping: Option<Loop>,
    pub at: Location,
    pub frame: Arc<Frame>,
    pub handler: bool,
    /// Made by rplay, not written by the user (fact gathering, the end of a role): no entry in listings.
    pub implicit: bool,
    pub vars: Arc<Map>,
    resolved: OnceLock<Resolved>,
}

/// A task's keywords after inheritance, computed once.
#[derive(Debug)]
pub struct Resolved {
    /// Outermost first.
    pub when: Vec<Condition>,
    pub tags: Vec<Value>,
    /// Outermost first; later entries win.
    pub environment: Vec<Value>,
    /// Variables of the task, its blocks and includes, merged, innermost winning.
    pub vars: Arc<Map>,
    /// Variables given to dynamic includes around the task: they beat facts and registered variables.
    pub include_params: Arc<Map>,
    /// Outermost first.
    pub module_defaults: Vec<Value>,
    pub any_errors_fatal: Option<Value>,
    pub become_: Option<Value>,
    pub become_user: Option<Value>,
    pub become_method: Option<Value>,
    pub become_exe: Option<Value>,
    pub become_flags: Option<Value>,
    pub check_mode: Option<Value>,
    pub connection: Option<Value>,
    pub delegate_to: Option<Value>,
    pub delegate_facts: Option<Value>,
    pub diff: Option<Value>,
    pub ignore_errors: Option<Value>,
    pub ignore_unreachable: Option<Value>,
    pub no_log: Option<Value>,
    pub run_once: Option<Value>,
    pub throttle: Option<Value>,
    pub timeout: Option<Value>,
    pub remote_user: Option<Value>,
    pub port: Option<Value>,
    pub debugger: Option<Value>,
}

impl Task {
    /// Reads a task from its node.
    pub fn parse(node: &Node, frame: &Arc<Frame>, handler: bool) -> Result<Task> {
        let on = if handler { On::Handler } else { On::Task };
        let Some(entries) = node.as_map() else {
            return Err(Error::parse(format!(
                "A malformed block was encountered while loading tasks: {} is not a task",
                keywords::describe(node)
            ))
            .at(&node.at)
            .hint("a task is a dictionary such as '- command: uptime'"));
        };
        let action = action::parse(entries, on, &node.at)?;
        let mut directives = Directives::default();
        let mut looping: Option<Loop> = None;
        for (key, value) in entries {
            let name = key.as_str().unwrap_or("");
            let lookup = name.strip_prefix("with_");
            if lookup.is_some() || name == "loop" {
                if looping.is_some() {
                    return Err(Error::parse(
                        "duplicate loop in task: a task can have one loop only",
                    )
                    .at(&key.at));
                }
                if name == "loop" && value.is_null() {
                    return Err(
                        Error::parse("you must specify a value when using loop").at(&key.at)
                    );
                }
                looping = Some(Loop {
                    lookup: lookup.map(str::to_string),
                    terms: value.to_value(),
                    at: value.at.clone(),
                });
                continue;
            }
            if matches!(name, "action" | "local_action" | "args") {
                continue;
            }
            if keywords::find(on, name).is_some() {
                keywords::take(on, key, value, &mut directives)?;
            }
        }
        if let Some(node) = directives.get("first_available_file") {
            return Err(
                Error::parse("'first_available_file' is no longer supported")
                    .at(&node.at)
                    .hint("use 'with_first_found:'"),
            );
        }
        if let Some(register) = directives.get("register") {
            let good = register
                .as_str()
                .is_some_and(|n| keywords::is_variable_name(n) || crate::value::is_template(n));
            if !good {
                return Err(Error::parse(format!(
                    "Invalid variable name in 'register' specified: {}",
                    keywords::describe(register)
                ))
                .at(&register.at)
                .hint("a variable name has letters, digits and underscores only and does not start with a digit"));
            }
        }
        if action.local {
            let mut target = node.clone();
            target.data = crate::yaml::Data::Scalar("localhost".into());
            directives.set("delegate_to", target);
        }
        check_loop_control(&directives)?;
        Ok(Task::new(
            action,
            directives,
            looping,
            node.at.clone(),
            frame,
            handler,
        ))
    }

    fn new(
        action: Action,
        directives: Directives,
        looping: Option<Loop>,
        at: Location,
        frame: &Arc<Frame>,
        handler: bool,
    ) -> Task {
        Task {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            vars: Arc::new(directives.vars()),
            directives,
            action,
            looping,
            at,
            frame: Arc::clone(frame),
            handler,
            implicit: false,
            resolved: OnceLock::new(),
        }
    }

    /// A task that rplay itself puts into a play.
    pub fn implicit(
        module: &str,
        args: Map,
        name: Option<&str>,
        tags: &[&str],
        at: &Location,
        frame: &Arc<Frame>,
    ) -> Task {
        let node = |value: Value| Node {
            data: crate::yaml::Data::Scalar(value),
            at: at.clone(),
        };
        let mut directives = Directives::default();
        if let Some(name) = name {
            directives.set("name", node(name.into()));
        }
        if !tags.is_empty() {
            let tags = tags.iter().map(|t| node((*t).into())).collect();
            directives.set(
                "tags",
                Node {
                    data: crate::yaml::Data::Seq(tags),
                    at: at.clone(),
                },
            );
        }
        let action = Action {
            name: module.to_string(),
            bare: action::bare(module).to_string(),
            args,
            templates: Vec::new(),
            places: Vec::new(),
            item_places: Vec::new(),
            at: at.clone(),
            local: false,
            foreign: None,
        };
        Task {
            implicit: true,
            ..Task::new(action, directives, None, at.clone(), frame, false)
        }
    }

    /// As [`Task::implicit`], for a task that is shown as if the user had written it.
    pub fn added(
        module: &str,
        args: Map,
        name: Option<&str>,
        tags: &[&str],
        at: &Location,
        frame: &Arc<Frame>,
    ) -> Task {
        Task {
            implicit: false,
            ..Task::implicit(module, args, name, tags, at, frame)
        }
    }

    /// The same task with other keywords; used where an include turns out to be static or dynamic.
    pub fn with_action(&self, action: Action) -> Task {
        Task::new(
            action,
            self.directives.clone(),
            self.looping.clone(),
            self.at.clone(),
            &self.frame,
            self.handler,
        )
    }

    /// The task's own or inherited setting of a keyword.
    pub fn keyword(&self, name: &str) -> Option<&Node> {
        self.directives
            .get(name)
            .or_else(|| self.frame.inherited(name))
    }

    /// Text of the `name` keyword, if given.
    pub fn name(&self) -> Option<Value> {
        match self.directives.get("name").map(Node::to_value) {
            Some(Value::Null) | None => None,
            Some(v) => Some(v),
        }
    }

    /// The name of the role that the task is in.
    pub fn role_name(&self) -> Option<&str> {
        self.frame.role.as_ref().map(|r| r.name.as_str())
    }

    /// What a handler listens to besides its name.
    pub fn listen(&self) -> Vec<Value> {
        self.directives.list("listen")
    }

    pub fn resolved(&self) -> &Resolved {
        self.resolved.get_or_init(|| self.resolve())
    }

    fn resolve(&self) -> Resolved {
        let chain: Vec<&Arc<Frame>> = self.frame.chain().collect();
        let mut when = Vec::new();
        let mut tags = Vec::new();
        let mut environment = Vec::new();
        let mut module_defaults = Vec::new();
        let mut vars = Map::default();
        let mut include_params = Map::default();
        let mut add_tags = |directives: &Directives| {
            for tag in directives.tags() {
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
        };
        for frame in chain.iter().rev() {
            let d = &frame.directives;
            // an include's own keywords are for the include, not for what it brings
            let passes = frame.kind != FrameKind::Include;
            if passes {
                when.extend(d.get("when").map(conditions).unwrap_or_default());
                add_tags(d);
            }
            environment.extend(d.list("environment"));
            module_defaults.extend(d.list("module_defaults"));
            // the play's variables, and those of imports around it, are a layer of their own below the role's
            let in_play = chain.iter().position(|f| f.kind == FrameKind::Play);
            let inside =
                in_play.is_none_or(|play| chain[..play].iter().any(|f| Arc::ptr_eq(f, frame)));
            if inside {
                extend(&mut vars, &frame.vars);
            }
            if frame.kind == FrameKind::Include {
                extend(&mut include_params, &frame.vars);
            }
        }
        let d = &self.directives;
        when.extend(d.get("when").map(conditions).unwrap_or_default());
        add_tags(d);
        environment.extend(d.list("environment"));
        module_defaults.extend(d.list("module_defaults"));
        extend(&mut vars, &self.vars);
        let value = |name: &str| match self.keyword(name).map(Node::to_value) {
            Some(Value::Null) | None => None,
            Some(v) => Some(v),
        };
        Resolved {
            when,
            tags,
            environment,
            vars: Arc::new(vars),
            include_params: Arc::new(include_params),
            module_defaults,
            any_errors_fatal: value("any_errors_fatal"),
            become_: value("become"),
            become_user: value("become_user"),
            become_method: value("become_method"),
            become_exe: value("become_exe"),
            become_flags: value("become_flags"),
            check_mode: value("check_mode"),
            connection: value("connection"),
            delegate_to: value("delegate_to"),
            delegate_facts: value("delegate_facts"),
            diff: value("diff"),
            ignore_errors: value("ignore_errors"),
            ignore_unreachable: value("ignore_unreachable"),
            no_log: value("no_log"),
            run_once: value("run_once"),
            throttle: value("throttle"),
            timeout: value("timeout"),
            remote_user: value("remote_user"),
            port: value("port"),
            debugger: value("debugger"),
        }
    }
}

fn extend(into: &mut Map, from: &Map) {
    for (k, v) in from {
        into.insert(k.clone(), v.clone());
    }
}

fn check_loop_control(directives: &Directives) -> Result<()> {
    const KNOWN: &[&str] = &[
        "break_when",
        "extended",
        "extended_allitems",
        "index_var",
        "label",
        "loop_var",
        "pause",
    ];
    let Some(node) = directives.get("loop_control") else {
        return Ok(());
    };
    let Some(entries) = node.as_map() else {
        return Err(Error::parse(
            "the `loop_control` value must be specified as a dictionary and cannot be a variable itself \
             (though it can contain variables)",
        )
        .at(&node.at));
    };
    for (key, _) in entries {
        let name = key.as_str().unwrap_or("?");
        if !KNOWN.contains(&name) {
            let error = Error::parse(format!(
                "'{name}' is not a valid attribute for a LoopControl"
            ))
            .at(&key.at);
            return Err(
                match crate::error::did_you_mean(name, KNOWN.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint(format!("loop_control takes {}", KNOWN.join(", "))),
                },
            );
        }
    }
    Ok(())
}
