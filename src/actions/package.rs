//! `package`: runs the module of the host's package manager.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/package_module.html>.

use super::{Context, Entry, fact, refused};
use crate::playbook::bare;
use crate::result::TaskResult;
use crate::run::text_of;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["package"],
    run,
};

/// Package managers that rplay has a module for.
const MANAGERS: &[&str] = &["apt", "dnf", "dnf5", "yum"];

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let asked = match asked(&mut args, context) {
        Ok(asked) => asked,
        Err(result) => return *result,
    };
    let manager = match asked {
        Some(asked) => asked,
        None => match fact(context, "pkg_mgr") {
            Ok(Some(manager)) => manager,
            Ok(None) => {
                return refused(
                    "",
                    "Could not detect which package manager to use. \
                     Try gathering facts or setting the \"use\" option.",
                );
            }
            Err(result) => return *result,
        },
    };
    if !MANAGERS.contains(&bare(&manager)) || crate::modules::find(&manager).is_none() {
        let msg =
            format!("Could not find a matching action for the \"{manager}\" package manager.");
        return refused("", &msg);
    }
    let mut merged = match context.module_defaults(bare(&manager)) {
        Ok(defaults) => defaults,
        Err(e) => return refused("", e.message()),
    };
    merged.extend(args);
    let name = match manager.contains('.') {
        true => manager,
        false => format!("ansible.legacy.{manager}"),
    };
    let mut result = context.module(&name, merged);
    if result.is_failed() && !result.is_unreachable() {
        let msg = result.get("msg").map(text_of).unwrap_or_default();
        let words = match msg.starts_with("Task failed") {
            true => msg,
            false => format!("Task failed: Module failed: {msg}"),
        };
        result
            .error
            .get_or_insert_with(|| crate::Error::general(words));
    }
    result
}

/// The manager that the task asks for, or else the variable `ansible_package_use`; none for `auto`.
fn asked(args: &mut Map, context: &Context<'_>) -> Result<Option<String>, Box<TaskResult>> {
    let mut asked = args.shift_remove("use").map(|v| text_of(&v));
    if asked.as_deref().is_none_or(|a| a == "auto") {
        let variable = context.templar.get("ansible_package_use");
        asked = variable
            .map_err(|e| Box::new(refused("", e.message())))?
            .map(|v| text_of(&v));
    }
    Ok(asked.filter(|a| !a.is_empty() && a != "auto"))
}
