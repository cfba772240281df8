//! Arguments: what the user wrote to a module's typed `Args`.
//!
//! The options come from the JSON schema of `Args`, so that a struct is the only definition:
//!
//! - the field's type is the option's type (see [`types`] for those that Rust lacks); `Option<T>` is
//!   optional, `#[serde(default)]` gives a default, all else is required;
//! - doc comments are the documentation;
//! - `#[schemars(extend("aliases" = ["dest"]))]` and `#[schemars(extend("no_log" = true))]` on a field;
//! - `#[schemars(extend("mutually_exclusive" = [["a", "b"]]))]` and likewise `required_together`,
//!   `required_one_of`, `required_if` (`[option, value, [needed], any]`), `required_by`
//!   (`{"a": ["b"]}`) on the struct; `"internal" = ["_x"]` names arguments that only rplay itself gives.
//!
//! The agent has no schemas: with the first call of a module the controller sends it the options ([`schema`]).
//!
//! Aliases are resolved and values converted before serde sees them. Behaviour and messages follow what
//! Ansible's modules do with their argument specification
//! (<https://docs.ansible.com/ansible/latest/dev_guide/developing_program_flow_modules.html#argument-spec>).

mod check;
mod coerce;
mod de;
#[cfg(feature = "controller")]
mod given_spec;
mod secrets;
mod spec;
pub mod types;

pub(crate) use coerce::spaced_json;
pub use coerce::{boolean, text};
pub use de::from_value;
pub use secrets::Secrets;
pub use spec::{Opt, Spec, Type};
pub use types::{Bytes, Dict, JsonText, Path};

use super::Failure;
use crate::value::{Key, Map, Value};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// Arguments after all checks.
pub struct Parsed<T> {
    pub args: T,
    /// All options with their values or defaults, as `invocation.module_args` shows them.
    pub invocation: Map,
    /// Values that must not be shown.
    pub secrets: Secrets,
    /// What the user should know, such as an option given twice under two names.
    pub warnings: Vec<String>,
}

/// The typed arguments of the module or action `name`.
///
/// Fails with Ansible's message for the first thing that is wrong; a likely typo is named in `warnings`.
pub fn parse<T: DeserializeOwned + JsonSchema + 'static>(
    name: &str,
    args: Map,
) -> Result<T, Failure> {
    parse_all(name, args).map(|parsed| parsed.args)
}

/// As [`parse`], with what the result of a module shows of its arguments.
pub fn parse_all<T: DeserializeOwned + JsonSchema + 'static>(
    name: &str,
    args: Map,
) -> Result<Parsed<T>, Failure> {
    let (value, rest) = checked(name, &spec::<T>(), args)?;
    Ok(Parsed {
        args: typed(name, &value)?,
        invocation: rest.invocation,
        secrets: rest.secrets,
        warnings: rest.warnings,
    })
}

/// Everything that is wrong with arguments, in Ansible's words.
#[cfg(feature = "controller")]
pub fn errors(spec: &Spec, args: Map) -> Vec<String> {
    check::errors(spec, args)
}

/// A value that passed the checks as a module's `Args`.
pub(super) fn typed<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Failure> {
    from_value(value).map_err(|e| Failure::new(format!("arguments of {name}: {e}")))
}

/// What the type of the arguments is made of, and all else that is known of them.
pub(super) fn checked(name: &str, spec: &Spec, args: Map) -> Result<(Value, Parsed<()>), Failure> {
    let checked = check::check(name, spec, args)?;
    let value = Value::map(given(&checked.values, spec));
    let mut invocation = checked.values;
    invocation.retain(|k, _| {
        k.as_str()
            .and_then(|k| spec.get(k))
            .is_none_or(|o| !o.hidden)
    });
    let rest = Parsed {
        args: (),
        invocation,
        secrets: checked.secrets,
        warnings: checked.warnings,
    };
    Ok((value, rest))
}

/// The values that are not null, in suboptions too: an option without a value is for serde one not given.
fn given(values: &Map, spec: &Spec) -> Map {
    values
        .iter()
        .filter(|(key, value)| !value.is_null() || keeps_null(key, spec))
        .map(|(key, value)| {
            let options = key
                .as_str()
                .and_then(|name| spec.get(name))
                .and_then(|option| option.options.as_ref());
            let inner = |value: &Value| match (value, options) {
                (Value::Map(map), Some(options)) => Value::map(given(map, options)),
                _ => value.clone(),
            };
            let value = match value {
                Value::List(items) => Value::list(items.iter().map(inner).collect()),
                other => inner(other),
            };
            (key.clone(), value)
        })
        .collect()
}

/// Whether null says something else than that the option was not given: there is a default, and it may be anything.
fn keeps_null(key: &Key, spec: &Spec) -> bool {
    let option = key.as_str().and_then(|name| spec.get(name));
    option.is_some_and(|option| option.kind == Type::Raw && !option.default.is_null())
}

/// The options of `T`; made once per type.
pub fn spec<T: JsonSchema + 'static>() -> Arc<Spec> {
    static SPECS: Made<Spec> = LazyLock::new(Mutex::default);
    made_once(&SPECS, TypeId::of::<T>(), Spec::of::<T>)
}

/// The options of `T` as the agent is told them, without their documentation; made once per type.
#[cfg(feature = "controller")]
pub fn schema<T: JsonSchema + 'static>() -> Arc<serde_json::Value> {
    static SCHEMAS: Made<serde_json::Value> = LazyLock::new(Mutex::default);
    made_once(&SCHEMAS, TypeId::of::<T>(), spec::bare_schema::<T>)
}

type Made<V> = LazyLock<Mutex<HashMap<TypeId, Arc<V>>>>;

fn made_once<V>(all: &Made<V>, of: TypeId, make: fn() -> V) -> Arc<V> {
    let mut all = all.lock().unwrap_or_else(|e| e.into_inner());
    Arc::clone(all.entry(of).or_insert_with(|| Arc::new(make())))
}

/// The secrets among arguments that did not pass the checks, so that a failure does not show them.
pub fn secrets_of(spec: &Spec, args: &Map) -> Secrets {
    let mut secrets = Secrets::default();
    check::collect_secrets(spec, args, &mut secrets);
    secrets
}

/// A map from pairs, where the pairs are known to be text.
pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Map {
    pairs.into_iter().map(|(k, v)| (Key::from(k), v)).collect()
}

#[cfg(test)]
mod tests;
