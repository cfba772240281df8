//! The argument specs of roles: a task at the head of the role that checks what it is given.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_reuse_roles.html#role-argument-validation>.

use super::load::Loader;
use super::role::{self, Role, RoleUse};
use super::{Frame, Task, one};
use crate::value::{Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::sync::Arc;

/// The task that checks the arguments of a use of a role; none if the role has no spec for that.
///
/// The specs are in `meta/argument_specs.yml`, or else in `meta/main.yml`; there is one for each file of tasks.
pub(super) fn task(
    loader: &Loader,
    use_: &RoleUse,
    role: &Role,
    meta: Option<&Node>,
    frame: &Arc<Frame>,
) -> Result<Option<Task>> {
    let own = match role::main_file(&role.path, "meta", "argument_specs") {
        Some(file) => Some(loader.file(&file)?),
        None => None,
    };
    let Some(specs) = own
        .as_deref()
        .and_then(|n| n.get("argument_specs"))
        .or_else(|| meta.and_then(|n| n.get("argument_specs")))
    else {
        return Ok(None);
    };
    let entry = use_.tasks_from.as_deref().unwrap_or("main");
    let spec = match specs.to_value() {
        Value::Null => return Ok(None),
        Value::Map(map) => map.get(entry).cloned().unwrap_or_default(),
        _ => {
            return Err(Error::parse(format!(
                "the argument specs of the role '{}' must be a dictionary",
                role.name
            ))
            .at(&specs.at));
        }
    };
    if !spec.is_truthy() {
        return Ok(None);
    }
    let mut name = format!("Validating arguments against arg spec '{entry}'");
    if let Some(about) = spec.get("short_description").filter(|v| v.is_truthy()) {
        name.push_str(&format!(" - {}", crate::python::str(about)));
    }
    let options = match spec.get("options") {
        Some(options @ Value::Map(_)) => options.clone(),
        _ => Value::map(Map::default()),
    };
    let mut about = one("type", "role");
    let short = role.path.file_name().unwrap_or_default().to_string_lossy();
    about.insert("name".into(), Value::str(short));
    about.insert("argument_spec_name".into(), entry.into());
    about.insert("path".into(), Value::str(role.path.to_string_lossy()));
    let mut args = one("argument_spec", options);
    args.insert("provided_arguments".into(), Value::map(Map::default()));
    args.insert("validate_args_context".into(), Value::map(about));
    Ok(Some(Task::added(
        "ansible.builtin.validate_argument_spec",
        args,
        Some(&name),
        &["always"],
        &use_.at,
        frame,
    )))
}
