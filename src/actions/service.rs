//! `service`: runs the module of the host's service manager.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/service_module.html>.

use super::{Context, Entry, fact};
use crate::result::TaskResult;
use crate::run::text_of;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["service"],
    run,
};

/// Options of `service` that systemd's module has no use for.
const NOT_OF_SYSTEMD: &[&str] = &["pattern", "runlevel", "sleep", "arguments", "args"];

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let asked = args.shift_remove("use").map(|v| text_of(&v).to_lowercase());
    let manager = match asked.as_deref() {
        None | Some("" | "auto") => match fact(context, "service_mgr") {
            Ok(manager) => manager.unwrap_or_default(),
            Err(result) => return *result,
        },
        Some(asked) => asked.rsplit('.').next().unwrap_or(asked).to_string(),
    };
    let module = match manager.as_str() {
        "systemd" | "systemd_service" | "sysvinit" => manager.as_str(),
        // those without a module of their own
        _ => "service",
    };
    let mut args = match context.module_defaults(module) {
        Ok(mut merged) => {
            merged.extend(args);
            merged
        }
        Err(e) => return super::refused("", e.message()),
    };
    let mut warnings = Vec::new();
    if module.starts_with("systemd") {
        for name in NOT_OF_SYSTEMD {
            if args.shift_remove(*name).is_some() {
                warnings.push(Value::from(format!(
                    "Ignoring \"{name}\" as it is not used in \"{module}\""
                )));
            }
        }
    }
    let mut result = context.module(&format!("ansible.legacy.{module}"), args);
    if let Some(Value::List(more)) = result.get("warnings") {
        warnings.extend(more.iter().cloned());
    }
    if !warnings.is_empty() {
        result.set("warnings", warnings);
    }
    result
}
