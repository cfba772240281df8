//! Options that are given as data: the argument specs of roles, and those of `validate_argument_spec`.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_reuse_roles.html#specification-format>.

use super::coerce::boolean;
use super::spec::{Opt, RequiredIf, Spec, Type};
use crate::value::{Map, Value};

impl Spec {
    /// The options that an argument spec has.
    ///
    /// Fails, in words for the user, for an entry that is no option.
    pub fn of_argument_spec(spec: &Map) -> Result<Spec, String> {
        let options = spec
            .iter()
            .map(|(name, option)| option_of(&name.to_string(), option))
            .collect::<Result<_, _>>()?;
        Ok(Spec {
            options,
            ..Spec::default()
        })
    }
}

fn option_of(name: &str, given: &Value) -> Result<Opt, String> {
    let empty = Map::default();
    let entries = match given {
        Value::Map(map) => &**map,
        Value::Null => &empty,
        other => {
            return Err(format!(
                "the option '{name}' must be a dictionary, not '{}'",
                other.type_name()
            ));
        }
    };
    let flag = |key: &str| {
        entries
            .get(key)
            .is_some_and(|v| boolean(v).unwrap_or(false))
    };
    let text = |key: &str| entries.get(key).and_then(Value::as_str);
    let unknown =
        |kind: &str| format!("the option '{name}' has the type '{kind}', which there is not");
    let element = match text("elements") {
        None => Type::Raw,
        Some(kind) => type_of(kind, Type::Raw).ok_or_else(|| unknown(kind))?,
    };
    let kind = text("type").unwrap_or("str");
    let kind = type_of(kind, element).ok_or_else(|| unknown(kind))?;
    let options = match entries.get("options").or_else(|| entries.get("suboptions")) {
        Some(Value::Map(options)) => Some(Spec {
            mutually_exclusive: groups(entries.get("mutually_exclusive")),
            required_together: groups(entries.get("required_together")),
            required_one_of: groups(entries.get("required_one_of")),
            required_if: rules(entries.get("required_if")),
            required_by: needs(entries.get("required_by")),
            ..Spec::of_argument_spec(options)?
        }),
        _ => None,
    };
    Ok(Opt {
        name: name.to_string(),
        doc: String::new(),
        kind,
        required: flag("required"),
        default: entries.get("default").cloned().unwrap_or_default(),
        choices: list(entries.get("choices"))
            .into_iter()
            .map(|choice| (choice, String::new()))
            .collect(),
        aliases: words(entries.get("aliases")),
        no_log: flag("no_log"),
        hidden: false,
        options,
    })
}

fn type_of(name: &str, element: Type) -> Option<Type> {
    Some(match name {
        "str" => Type::Str,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "path" => Type::Path,
        "list" => Type::List(Box::new(element)),
        "dict" => Type::Dict,
        "raw" => Type::Raw,
        "bytes" | "bits" => Type::Bytes,
        "json" | "jsonarg" => Type::Json,
        _ => return None,
    })
}

fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::List(items)) => items.to_vec(),
        None | Some(Value::Null) => Vec::new(),
        Some(one) => vec![one.clone()],
    }
}

fn words(value: Option<&Value>) -> Vec<String> {
    list(value).iter().map(crate::python::str).collect()
}

/// A list of lists; one list alone is one group.
fn groups(value: Option<&Value>) -> Vec<Vec<String>> {
    let items = list(value);
    match items.iter().all(|i| matches!(i, Value::Str(_))) && !items.is_empty() {
        true => vec![words(value)],
        false => items.iter().map(|group| words(Some(group))).collect(),
    }
}

fn rules(value: Option<&Value>) -> Vec<RequiredIf> {
    let rule = |rule: &Value| {
        let parts = rule.as_list()?;
        Some(RequiredIf {
            option: parts.first()?.as_str()?.to_string(),
            value: parts.get(1)?.clone(),
            needed: words(parts.get(2)),
            any: parts.get(3).is_some_and(|v| boolean(v).unwrap_or(false)),
        })
    };
    list(value).iter().filter_map(rule).collect()
}

fn needs(value: Option<&Value>) -> Vec<(String, Vec<String>)> {
    let map = value.and_then(Value::as_map);
    map.into_iter()
        .flatten()
        .map(|(name, needed)| (name.to_string(), words(Some(needed))))
        .collect()
}
