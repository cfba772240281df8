//! One module call: arguments in, result out.

use super::{Failure, Module, args, common};
use crate::error::Error;
use crate::machine::Machine;
use crate::result::TaskResult;
use crate::value::{Map, Value};

/// Checks the arguments, runs `M`, and makes the result that Ansible's modules give: the returns,
/// `changed`, what is known of the result's `path` or `dest`, and `invocation`. Secrets are removed from it.
pub(super) fn call<M: Module>(spec: &args::Spec, given: Map, machine: &mut Machine) -> TaskResult {
    let about = About {
        name: M::NAME,
        shown_name: M::SHOWN_NAME,
        check_mode: M::CHECK_MODE,
        run: run::<M>,
    };
    call_any(&about, spec, given, machine)
}

/// What of a module is its own; all the rest is compiled once for all of them.
struct About {
    name: &'static str,
    shown_name: &'static str,
    check_mode: bool,
    run: fn(&str, &Value, &mut Machine) -> Result<Value, Failure>,
}

fn run<M: Module>(shown: &str, args: &Value, machine: &mut Machine) -> Result<Value, Failure> {
    let returns = M::run(args::typed(shown, args)?, machine)?;
    serde_json::to_value(returns)
        .map(Value::from_json)
        .map_err(|e| Failure::new(format!("the result of {}: {e}", M::NAME)))
}

fn call_any(module: &About, spec: &args::Spec, given: Map, machine: &mut Machine) -> TaskResult {
    let called = machine.called.clone();
    let shown = match module.shown_name == module.name && !called.is_empty() {
        true => called.as_str(),
        false => module.shown_name,
    };
    let checked = crate::expand::with_variables(&machine.environment, || {
        args::checked(shown, spec, given.clone())
    });
    let (value, parsed) = match checked {
        Ok(parsed) => parsed,
        Err(failure) => {
            let secrets = args::secrets_of(spec, &given);
            let shown = given
                .into_iter()
                .filter(|(k, _)| k.as_str() != Some("_raw_params"));
            let invocation = args::map([("module_args", Value::map(shown.collect()))]);
            let result = failed(failure).with("invocation", invocation);
            return scrubbed(result, &secrets);
        }
    };
    if machine.mode.check && !module.check_mode {
        let msg = format!("remote module ({shown}) does not support check mode");
        return TaskResult::ok().with("skipped", true).with("msg", msg);
    }
    let returns = (module.run)(shown, &value, machine);
    let mut result = match returns {
        Ok(Value::Map(fields)) => {
            let mut result = TaskResult::from((*fields).clone());
            if result.get("changed").is_none() {
                result.set("changed", machine.changed());
            }
            result
        }
        Ok(_) => TaskResult::new().with("changed", machine.changed()),
        Err(failure) => failed(failure),
    };
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let Some(Value::Str(all)) = result.get(text)
            && result.get(lines).is_none()
        {
            let split = common::command::lines(all).into_iter().map(Value::from);
            result.set(lines, Value::list(split.collect()));
        }
    }
    common::path_info::add(&mut result.fields, machine);
    let mut warnings = parsed.warnings;
    warnings.append(&mut machine.warnings);
    if !warnings.is_empty() {
        let old = result
            .get("warnings")
            .and_then(Value::as_list)
            .unwrap_or_default();
        let new = warnings.into_iter().map(Value::from);
        let all: Vec<Value> = old.iter().cloned().chain(new).collect();
        result.set("warnings", all);
    }
    let mut invocation = parsed.invocation;
    for value in invocation.values_mut() {
        if let Value::Str(text) = value {
            *value = Value::from(crate::machine::http::shown(text));
        }
    }
    result.set(
        "invocation",
        args::map([("module_args", Value::map(invocation))]),
    );
    match parsed.secrets.is_empty() {
        true => result,
        false => scrubbed(result, &parsed.secrets),
    }
}

fn scrubbed(result: TaskResult, secrets: &args::Secrets) -> TaskResult {
    TaskResult {
        fields: secrets.scrub_map(&result.fields),
        error: result
            .error
            .map(|e| Error::of_words(&secrets.scrub_text(&e.words()))),
    }
}

fn failed(failure: Failure) -> TaskResult {
    let mut result = TaskResult::failed(failure.msg);
    result.error = failure.words.as_deref().map(Error::of_words);
    result.set("changed", false);
    for (key, value) in failure.fields {
        result.fields.insert(key, value);
    }
    result
}
