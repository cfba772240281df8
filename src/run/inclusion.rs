//! What a task includes for a host.

use super::executor::TaskRun;
use crate::error::Kind;
use crate::playbook::{RoleUse, included_file};
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::{Key, Map, Value};
use crate::{Error, Result, kv};
use std::path::PathBuf;

impl TaskRun<'_> {
    pub(super) fn include_tasks(&self, templar: &Templar, files: &SearchPath) -> Result<Inclusion> {
        let (file, more) = included_file(self.task)?;
        // its name for messages, however it was given
        let raw = Key::from(kv::RAW);
        let action = &self.task.action;
        let at = match action.args.contains_key(&raw) {
            true => action.place_of(&raw),
            false => action.place_of(&"file".into()),
        };
        let name = super::text_of(&self.argument(&raw, at, &file, templar)?);
        // a file that is not there fails the host when the file is read, whatever ignore_errors says
        let path = files.find("tasks", &name).unwrap_or_else(|tried| {
            tried
                .last()
                .cloned()
                .unwrap_or_else(|| PathBuf::from(&name))
        });
        let mut vars = (*self.task.vars).clone();
        for (key, value) in more {
            vars.insert(key, templar.render(&value)?);
        }
        Ok(Inclusion {
            what: Included::Tasks(path),
            vars,
            label: None,
            apply: self.apply(templar)?,
            name: Some(name),
            args: self.included_args(templar, &["_raw_params", "file"])?,
        })
    }

    pub(super) fn include_role(&self, templar: &Templar) -> Result<Inclusion> {
        let mut task_args = Map::default();
        for (key, value) in &self.task.action.args {
            let value = match key.as_str() {
                Some("apply") => value.clone(),
                _ => self.argument(key, self.task.action.place_of(key), value, templar)?,
            };
            if !matches!(value, Value::Omit) {
                task_args.insert(key.clone(), value);
            }
        }
        let mut action = self.task.action.clone();
        action.args = task_args;
        let use_ = RoleUse::from_task(&self.task.with_action(action))?;
        Ok(Inclusion {
            what: Included::Role(Box::new(use_)),
            vars: (*self.task.vars).clone(),
            label: None,
            apply: self.apply(templar)?,
            name: None,
            args: self.included_args(templar, &[])?,
        })
    }

    /// The task's arguments for its result, without some.
    fn included_args(&self, templar: &Templar, without: &[&str]) -> Result<Map> {
        let mut args = Map::default();
        for (key, value) in &self.task.action.args {
            if key.as_str().is_some_and(|k| without.contains(&k)) {
                continue;
            }
            let rendered = match templar.render(value) {
                // what is applied may be for the included tasks to render
                Err(_) if key.as_str() == Some("apply") => value.clone(),
                rendered => rendered?,
            };
            match rendered {
                Value::Omit => {}
                value => {
                    args.insert(key.clone(), value);
                }
            }
        }
        Ok(args)
    }

    pub(super) fn apply(&self, templar: &Templar) -> Result<Map> {
        let given = self
            .task
            .action
            .args
            .get("apply")
            .cloned()
            .or_else(|| self.task.directives.get("apply").map(|n| n.to_value()));
        match given {
            None => Ok(Map::default()),
            Some(value @ Value::Template(_)) => match templar.render(&value)? {
                Value::Map(map) => Ok((*map).clone()),
                _ => Err(Error::new(Kind::Template, "'apply' must be a dictionary")),
            },
            Some(Value::Map(map)) => Ok((*map).clone()),
            Some(_) => Err(Error::new(Kind::Template, "'apply' must be a dictionary")),
        }
    }
}

/// A file or role that a task includes for a host.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub what: Included,
    /// Variables for the included tasks.
    pub vars: Map,
    /// The loop item, as shown in `included: ... => (item=x)`.
    pub label: Option<String>,
    /// Keywords of `apply`, rendered.
    pub apply: Map,
    /// The file's name as the task gives it.
    pub name: Option<String>,
    /// The task's other arguments.
    pub args: Map,
}

impl Inclusion {
    /// The result of the task that includes it.
    pub fn result(&self) -> TaskResult {
        let mut result = TaskResult::new();
        if let Some(name) = &self.name {
            result.set("include", name.as_str());
        }
        result.set("include_args", Value::map(self.args.clone()));
        result
    }
}

#[derive(Clone, Debug)]
pub enum Included {
    Tasks(PathBuf),
    Role(Box<RoleUse>),
}
