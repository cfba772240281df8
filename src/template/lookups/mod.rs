//! Lookups: what `lookup`, `query` and `with_*` fetch on the controller.
//!
//! What they return is inert: never templated again.

use super::Templar;
use super::call::Call;
use super::registry::Registry;
use crate::Result;
use crate::value::{Map, Value};

mod commands;
mod files;
mod first_found;
mod ini;
mod loops;
mod password;
mod sequence;
mod settings;
mod tables;
mod terms;
mod url;
mod variables;

/// How a lookup is written: the terms are `args`, the options `kwargs`.
pub type Lookup = fn(Call) -> Result<Vec<Value>>;

/// All lookups by name, family after family.
pub static ALL: Registry<Lookup> = Registry(&[
    commands::LOOKUPS,
    files::LOOKUPS,
    first_found::LOOKUPS,
    ini::LOOKUPS,
    loops::LOOKUPS,
    password::LOOKUPS,
    sequence::LOOKUPS,
    settings::LOOKUPS,
    tables::LOOKUPS,
    url::LOOKUPS,
    variables::LOOKUPS,
]);

/// Calls a lookup. An undefined term or option is an error.
pub fn call(lookup: Lookup, call: Call) -> Result<Vec<Value>> {
    // what `env` falls back to may be undefined as long as it is not needed
    if call.name != "env" {
        super::call::refuse_undefined(&call)?;
    }
    lookup(call)
}

/// The items of `with_NAME: terms` of a task with that action; the terms are rendered here.
///
/// None if there is no such lookup.
pub fn with_lookup(
    name: &str,
    terms: &Value,
    action: &str,
    templar: &Templar,
) -> Option<Result<Vec<Value>>> {
    let lookup = ALL.find(name)?;
    let rendered = match name {
        "first_found" => defined_only(terms, templar),
        _ => match bare_variable(name, terms, templar) {
            Some(variable) => templar.render(&variable),
            None => templar.render(terms),
        },
    };
    let args = match rendered {
        Ok(Value::List(items)) => items.to_vec(),
        Ok(other) => vec![other],
        Err(e) => return Some(Err(e)),
    };
    let mut kwargs = Map::default();
    if name == "first_found" {
        let kind = match action.rsplit('.').next().unwrap_or("") {
            a if a.contains("template") => "templates",
            a if a.contains("var") => "vars",
            _ => "files",
        };
        kwargs.insert(first_found::KIND.into(), kind.into());
    }
    let found = call(
        lookup,
        Call {
            name,
            value: Value::Null,
            args,
            kwargs,
            templar,
        },
    );
    Some(found.map_err(|e| match e.kind() {
        crate::error::Kind::Undefined => e,
        _ if e.message().starts_with("The lookup plugin") => e,
        _ => e.context(format!("The lookup plugin '{name}' failed")),
    }))
}

/// The lookups that took a variable's name for its value.
const BARE: &[&str] = &[
    "dict",
    "flattened",
    "indexed_items",
    "items",
    "nested",
    "subelements",
    "together",
];

/// The variable that the oldest playbooks name without braces: `with_items: packages`. Text that names none is text.
fn bare_variable(name: &str, terms: &Value, templar: &Templar) -> Option<Value> {
    let Value::Str(text) = terms else { return None };
    let first = text.split(['.', '[', '|']).next()?.trim();
    let known = BARE.contains(&name)
        && text.is_trusted()
        && first.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(templar.variable(first), Ok(None));
    if !known {
        return None;
    }
    crate::notice::deprecated(format!(
        "A variable without braces is deprecated: write 'with_{name}: \"{{{{ {text} }}}}\"' instead of 'with_{name}: {text}'"
    ));
    Some(Value::user_text(&format!("{{{{ {text} }}}}"), None))
}

/// The terms without those that use an undefined variable: `with_first_found` falls through to the next.
fn defined_only(terms: &Value, templar: &Templar) -> Result<Value> {
    match terms {
        Value::List(items) => {
            let mut out = Vec::new();
            for item in items.iter() {
                match defined_only(item, templar) {
                    Ok(item) => out.push(item),
                    Err(e) if e.kind() == crate::error::Kind::Undefined => {}
                    Err(e) => return Err(e),
                }
            }
            Ok(Value::list(out))
        }
        Value::Map(map) => Ok(Value::map(
            map.iter()
                .map(|(k, v)| Ok((k.clone(), defined_only(v, templar)?)))
                .collect::<Result<Map>>()?,
        )),
        other => templar.render(other),
    }
}
