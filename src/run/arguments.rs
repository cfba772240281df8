//! A task's arguments and environment, rendered.

use super::executor::TaskRun;
use super::values::keyword_error;
use crate::error::Kind;
use crate::playbook::Task;
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
        let mut merged = module_defaults(self.task, &action.bare, templar)?;
        if let Some(template) = &action.template {
            match templar.render(template)? {
                Value::Map(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
                Value::Null | Value::Omit => {}
                other => {
                    return Err(Error::new(
                        Kind::Template,
                        format!(
                            "the arguments of '{}' must be a dictionary, not {}",
                            action.name,
                            other.type_name()
                        ),
                    )
                    .at(&action.at));
                }
            }
        }
        for (key, value) in &action.args {
            // what these take are expressions, conditions and variables, not values
            if keeps_raw(&action.bare, key) {
                merged.insert(key.clone(), value.clone());
                continue;
            }
            let rendered = templar.render(value).map_err(|e| {
                e.within(
                    format!("Error while resolving value for '{key}'"),
                    Some(action.place_of(key)),
                )
                .within(
                    format!(
                        "Finalization of task args for '{}' failed",
                        full_name(&action.name)
                    ),
                    Some(&self.task.at),
                )
            })?;
            match rendered {
                Value::Omit => {
                    merged.shift_remove(key);
                }
                rendered => {
                    let key = match key {
                        Key::Other(k) => Key::from_value(templar.render(k)?),
                        key => key.clone(),
                    };
                    merged.insert(key, rendered);
                }
            }
        }
        Ok(merged)
    }
}

/// What the task's `module_defaults` say of a module, rendered.
pub(crate) fn module_defaults(task: &Task, bare: &str, templar: &Templar) -> Result<Map> {
    let mut merged = Map::default();
    for defaults in &task.resolved().module_defaults {
        let rendered = templar.render(defaults)?;
        for (module, values) in rendered.as_map().into_iter().flatten() {
            let module = module.as_str().unwrap_or_default();
            if module.starts_with("group/") {
                return Err(Error::new(
                    Kind::Template,
                    format!("module_defaults: action groups ({module}) are not supported yet"),
                ));
            }
            if crate::playbook::bare(module) == bare {
                let values = values.as_map().into_iter().flatten();
                merged.extend(values.map(|(k, v)| (k.clone(), v.clone())));
            }
        }
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
