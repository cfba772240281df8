//! A task's arguments and environment, rendered.

use super::executor::TaskRun;
use super::values::keyword_error;
use crate::error::Kind;
use crate::playbook::Task;
use crate::source::Location;
use crate::template::Templar;
use crate::value::{Key, Map, Value};
use crate::{Error, Result};

impl TaskRun<'_> {
    /// The task's environment, rendered and merged.
    ///
    /// See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_environment.html>.
    pub(super) fn environment(&self, templar: &Templar) -> Result<Vec<(String, String)>> {
        let mut merged = Map::default();
        for value in &self.task.resolved().environment {
            let entries = match value {
                Value::Map(map) => self.entries(map, templar)?,
                value => match templar
                    .render(value)
                    .map_err(|e| keyword_error(e, "environment"))?
                {
                    Value::Map(map) => (*map).clone(),
                    Value::Null | Value::Omit => continue,
                    _ => {
                        let whole = Value::list(self.task.resolved().environment.clone());
                        crate::notice::warning(format!(
                            "could not parse environment value, skipping: {}",
                            crate::python::repr(&whole)
                        ));
                        continue;
                    }
                },
            };
            merged.extend(entries);
        }
        Ok(merged
            .iter()
            .filter(|(_, v)| !matches!(v, Value::Omit))
            .map(|(k, v)| (k.to_string(), crate::python::str(v)))
            .collect())
    }

    /// The entries of a dictionary, rendered one by one: what needs facts of the host's environment is left out
    /// where there are none, since these may be only just gathered.
    fn entries(&self, map: &Map, templar: &Templar) -> Result<Map> {
        let mut out = Map::default();
        for (key, value) in map {
            match templar.render(value) {
                Ok(value) => {
                    out.insert(key.clone(), value);
                }
                Err(e) if e.message() == "'ansible_env' is undefined" => {}
                Err(e) => return Err(keyword_error(e, "environment")),
            }
        }
        Ok(out)
    }

    /// The module's arguments: defaults below, the task's own on top, all rendered.
    pub(super) fn arguments(&self, templar: &Templar) -> Result<Map> {
        let action = &self.task.action;
        if action.has_stray_text() {
            let name = full_name(&action.name);
            let words = format!("Action '{name}' does not support raw params.");
            return Err(Error::new(Kind::Template, words)
                .at(&action.at)
                .hint("arguments are written key=value, or one a line as a dictionary"));
        }
        let mut merged = module_defaults(self.task, &action.bare, templar)?;
        for template in &action.templates {
            merged.extend(self.splat(template, templar)?);
        }
        for (key, value) in &action.args {
            // what these take are expressions, conditions and variables, not values
            if keeps_raw(&action.bare, key) {
                merged.insert(key.clone(), value.clone());
                continue;
            }
            match self.argument(key, action.place_of(key), value, templar)? {
                Value::Omit => {
                    merged.shift_remove(key);
                }
                rendered => {
                    merged.insert(key.clone(), rendered);
                }
            }
        }
        Ok(merged)
    }

    /// One of the task's arguments, rendered; `at` is where it stands.
    pub(super) fn argument(
        &self,
        key: &Key,
        at: &Location,
        value: &Value,
        templar: &Templar,
    ) -> Result<Value> {
        templar.render(value).map_err(|e| {
            let name = match key {
                Key::Other(key) => key.as_str().map(str::to_string),
                Key::Str(key) => Some(key.to_string()),
            };
            let name = name.map_or_else(|| key.to_string(), |n| crate::python::quote(&n));
            let resolving = format!("Error while resolving value for {name}");
            self.not_final(e.within(resolving, Some(at)))
        })
    }

    /// The arguments that a template gives as a dictionary.
    fn splat(&self, template: &Value, templar: &Templar) -> Result<Map> {
        let at = match template {
            Value::Template(t) => t.at.as_ref(),
            _ => None,
        };
        let rendered = templar
            .render(template)
            .map_err(|e| self.not_final(e.at_opt(at)))?;
        match rendered {
            Value::Map(map) => Ok((*map).clone()),
            Value::Omit => Ok(Map::default()),
            other => {
                let words = format!(
                    "Task args must resolve to a 'dict' not '{}'.",
                    other.type_name()
                );
                Err(self.not_final(Error::new(Kind::Template, words).at_opt(at)))
            }
        }
    }

    /// An error in the making of the arguments.
    fn not_final(&self, error: Error) -> Error {
        let name = full_name(&self.task.action.name);
        let words = format!("Finalization of task args for '{name}' failed");
        error.within(words, Some(&self.task.action.at))
    }
}

/// What the task's `module_defaults` say of a module, rendered.
pub(crate) fn module_defaults(task: &Task, bare: &str, templar: &Templar) -> Result<Map> {
    // the innermost that speaks of a module or a group is all that is said of it
    let (mut groups, mut own) = (Map::default(), None);
    for defaults in &task.resolved().module_defaults {
        let entries = match defaults {
            Value::Template(_) => templar.render(defaults)?,
            other => other.clone(),
        };
        for (module, values) in entries.as_map().into_iter().flatten() {
            let module = module.as_str().unwrap_or_default();
            match module.strip_prefix("group/") {
                Some(group) if crate::playbook::groups::is_member(group, bare) => {
                    groups.insert(group.into(), values.clone());
                }
                None if crate::playbook::bare(module) == bare => own = Some(values.clone()),
                _ => {}
            }
        }
    }
    let mut merged = Map::default();
    for values in groups.values().chain(&own) {
        let values = templar.render(values)?;
        let values = values.as_map().into_iter().flatten();
        merged.extend(values.map(|(k, v)| (k.clone(), v.clone())));
    }
    Ok(merged)
}

/// Arguments that an action renders itself, or that are expressions.
pub(super) fn keeps_raw(module: &str, key: &Key) -> bool {
    let Some(key) = key.as_str() else {
        return false;
    };
    matches!(
        (module, key),
        ("assert", "that") | ("debug", "var") | ("assert", "msg" | "fail_msg" | "success_msg")
    )
}

/// The fully qualified name of a module.
pub(super) fn full_name(name: &str) -> String {
    if name.contains('.') {
        return name.to_string();
    }
    let collection = crate::modules::find(name).and_then(|m| m.collections.first());
    format!("{}.{name}", collection.unwrap_or(&"ansible.builtin"))
}
