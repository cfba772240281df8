//! The keywords of plays, roles, blocks and tasks, and the check that nothing else is there.
//!
//! The lists are those of <https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html>,
//! with the old names that rplay still reads.

use super::Directives;
use crate::error::did_you_mean;
use crate::yaml::Node;
use crate::{Error, Result};

/// Which object a keyword is on, in the words of Ansible's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Play,
    Role,
    Block,
    Task,
    Handler,
    Include,
}

impl On {
    fn words(self) -> &'static str {
        match self {
            On::Play => "a Play",
            On::Role => "a RoleInclude",
            On::Block => "a Block",
            On::Task => "a Task",
            On::Handler => "a Handler",
            On::Include => "a TaskInclude",
        }
    }
    fn known(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            On::Play => PLAY,
            On::Role => ROLE,
            On::Block => BLOCK,
            On::Task | On::Include => TASK,
            On::Handler => HANDLER,
        };
        SHARED.iter().chain(own).copied().collect()
    }
}

/// Keywords that every object takes and tasks inherit.
pub static SHARED: &[&str] = &[
    "any_errors_fatal",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "diff",
    "environment",
    "ignore_errors",
    "ignore_unreachable",
    "module_defaults",
    "name",
    "no_log",
    "port",
    "remote_user",
    "run_once",
    "tags",
    "throttle",
    "timeout",
    "vars",
    // the 2016 dialect
    "always_run",
    "su",
    "su_user",
    "sudo",
    "sudo_user",
];

pub static PLAY: &[&str] = &[
    "fact_path",
    "force_handlers",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "handlers",
    "hosts",
    "max_fail_percentage",
    "order",
    "post_tasks",
    "pre_tasks",
    "roles",
    "serial",
    "strategy",
    "tasks",
    "user",
    "validate_argspec",
    "vars_files",
    "vars_prompt",
];

pub static ROLE: &[&str] = &["delegate_facts", "delegate_to", "role", "when"];

pub static BLOCK: &[&str] = &[
    "always",
    "block",
    "delegate_facts",
    "delegate_to",
    "notify",
    "rescue",
    "when",
];

pub static TASK: &[&str] = &[
    "action",
    "args",
    "async",
    "changed_when",
    "delay",
    "delegate_facts",
    "delegate_to",
    "failed_when",
    "local_action",
    "loop",
    "loop_control",
    "notify",
    "poll",
    "register",
    "retries",
    "until",
    "when",
    // the 2016 dialect
    "first_available_file",
    "static",
    // include_role and include_tasks read it from the task too
    "apply",
];

pub static HANDLER: &[&str] = &[
    "action",
    "args",
    "async",
    "changed_when",
    "delay",
    "delegate_facts",
    "delegate_to",
    "failed_when",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "notify",
    "poll",
    "register",
    "retries",
    "static",
    "until",
    "when",
];

/// The table's own copy of a keyword, if it is one for this object.
pub fn find(on: On, name: &str) -> Option<&'static str> {
    let own: &[&'static str] = match on {
        On::Play => PLAY,
        On::Role => ROLE,
        On::Block => BLOCK,
        On::Task | On::Include => TASK,
        On::Handler => HANDLER,
    };
    SHARED.iter().chain(own).find(|k| **k == name).copied()
}

/// The error for a keyword that the object does not have.
pub fn unknown(on: On, key: &Node) -> Error {
    let name = key.as_str().unwrap_or("?");
    let error = Error::parse(format!(
        "'{name}' is not a valid attribute for {}",
        on.words()
    ))
    .at(&key.at);
    if name.starts_with("accelerate") {
        return error.hint(
            "accelerated mode is gone from Ansible since 2.4; leave it out: rplay keeps one connection to a host for the whole run",
        );
    }
    match did_you_mean(name, on.known()) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint(format!("keywords of {}: {}", on.words(), {
            let mut names = on.known();
            names.sort_unstable();
            names.join(", ")
        })),
    }
}

/// What shape a keyword's value must have, checked when the playbook is read.
fn check_shape(on: On, name: &str, value: &Node) -> Result<()> {
    let wrong = || {
        Err(Error::parse(format!(
            "Vars in {} must be specified as a dictionary.",
            on.words()
        ))
        .at(&value.at))
    };
    match name {
        "vars" => {
            if let Some(items) = value.as_seq() {
                if items.iter().all(|i| i.as_map().is_some()) {
                    crate::notice::deprecated(format!(
                        "Specifying a list of dictionaries for vars is deprecated in favor of specifying a dictionary ({})",
                        value.at
                    ));
                    return Ok(());
                }
                return wrong();
            }
            if value.as_map().is_none() && !value.is_null() {
                return wrong();
            }
            for (key, _) in value.as_map().unwrap_or_default() {
                let good = key.as_str().is_some_and(is_variable_name);
                if !good {
                    return Err(Error::parse(format!(
                        "Invalid variable name in vars specified: {} is not a valid variable name",
                        key.as_str().map_or_else(|| describe(key), |k| format!("'{k}'"))
                    ))
                    .at(&key.at)
                    .hint("a variable name has letters, digits and underscores only and does not start with a digit"));
                }
            }
        }
        "tasks" | "pre_tasks" | "post_tasks" | "handlers"
            if value.as_seq().is_none() && !value.is_null() =>
        {
            return Err(Error::parse(format!(
                "A malformed block was encountered while loading {name}: {} should be a list or None but is {}",
                crate::python::str(&value.to_value()),
                class_of(value)
            ))
            .at(&value.at));
        }
        "roles" if value.as_seq().is_none() && !value.is_null() => {
            return Err(Error::parse(format!(
                "A malformed role declaration was encountered: ds ({}) should be a list but was a {}",
                crate::python::str(&value.to_value()),
                class_of(value)
            ))
            .at(&value.at));
        }
        "module_defaults" => super::groups::check(value)?,
        "block" | "rescue" | "always" if value.as_seq().is_none() && !value.is_null() => {
            return Err(Error::parse(format!(
                "A malformed block was encountered while loading a block: The ds ({}) should be a list but was a {}",
                crate::python::str(&value.to_value()),
                class_of(value)
            ))
            .at(&value.at));
        }
        "name" | "register" | "connection" | "strategy" | "order" | "remote_user"
        | "become_user" | "become_method"
            if value.as_seq().is_some() || value.as_map().is_some() =>
        {
            return Err(Error::parse(format!(
                "The field '{name}' is supposed to be a string type, however the incoming data structure is a {}",
                class_of(value)
            ))
            .at(&value.at));
        }
        _ => {}
    }
    Ok(())
}

/// What Python calls the type of a node.
pub fn class_of(node: &Node) -> String {
    format!("<class '{}'>", node.to_value().type_name())
}

/// Words for a node in messages: `a list`, `'text'`, ...
pub fn describe(node: &Node) -> String {
    match &node.data {
        crate::yaml::Data::Seq(_) => "a list".into(),
        crate::yaml::Data::Map(_) => "a dictionary".into(),
        crate::yaml::Data::Scalar(crate::Value::Null) => "empty".into(),
        crate::yaml::Data::Scalar(v) => match v.as_str() {
            Some(s) => format!("'{s}'"),
            None => v.to_json().to_string(),
        },
    }
}

/// Ansible's texts for booleans.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// Whether a text can name a variable: letters of ASCII, digits and underscores, and no constant or operator of Jinja's.
pub fn is_variable_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(
            name,
            "True" | "False" | "None" | "true" | "false" | "none" | "not"
        )
}

/// Takes a keyword into `directives`, or says that it is none.
pub fn take(on: On, key: &Node, value: &Node, directives: &mut Directives) -> Result<()> {
    let Some(name) = key.as_str().and_then(|n| find(on, n)) else {
        return Err(unknown(on, key));
    };
    check_shape(on, name, value)?;
    match name {
        "sudo" | "su" => {
            crate::notice::deprecated(format!(
                "'{name}' is deprecated, use 'become' instead ({})",
                key.at
            ));
            directives.set("become", value.clone());
            if name == "su" {
                let mut method = value.clone();
                method.data = crate::yaml::Data::Scalar("su".into());
                directives.set("become_method", method);
            }
        }
        "sudo_user" | "su_user" => {
            crate::notice::deprecated(format!(
                "'{name}' is deprecated, use 'become_user' instead ({})",
                key.at
            ));
            directives.set("become_user", value.clone());
        }
        "always_run" => {
            crate::notice::deprecated(format!(
                "'always_run' is deprecated, use 'check_mode: false' instead ({})",
                key.at
            ));
            let always = match value.to_value() {
                crate::Value::Bool(b) => b,
                crate::Value::Str(s) => parse_bool(&s).unwrap_or(false),
                _ => false,
            };
            if always {
                let mut off = value.clone();
                off.data = crate::yaml::Data::Scalar(crate::Value::Bool(false));
                directives.set("check_mode", off);
            }
        }
        "user" => directives.set("remote_user", value.clone()),
        _ => directives.set(name, value.clone()),
    }
    Ok(())
}
