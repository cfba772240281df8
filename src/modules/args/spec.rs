//! The options of a module, read from the JSON schema of its `Args`.

use super::types::TYPE;
use crate::value::Value;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;

/// Ansible's option types (<https://docs.ansible.com/ansible/latest/dev_guide/developing_program_flow_modules.html>).
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Str,
    Bool,
    Int,
    Float,
    Path,
    List(Box<Type>),
    Dict,
    Raw,
    Bytes,
    Json,
}

impl Type {
    /// The name that documentation and messages use.
    pub fn name(&self) -> &'static str {
        match self {
            Type::Str => "str",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Path => "path",
            Type::List(_) => "list",
            Type::Dict => "dict",
            Type::Raw => "raw",
            Type::Bytes => "bytes",
            Type::Json => "json",
        }
    }
}

/// One option.
#[derive(Clone, Debug)]
pub struct Opt {
    pub name: String,
    pub doc: String,
    pub kind: Type,
    pub required: bool,
    pub default: Value,
    /// Allowed values, each with its documentation; empty if anything goes.
    pub choices: Vec<(Value, String)>,
    pub aliases: Vec<String>,
    pub no_log: bool,
    /// Between rplay's own two sides only: in no documentation, message or result.
    pub hidden: bool,
    /// Options of a dictionary, or of the dictionaries in a list.
    pub options: Option<Spec>,
}

/// `[option, value, [needed], any]`
#[derive(Clone, Debug)]
pub struct RequiredIf {
    pub option: String,
    pub value: Value,
    pub needed: Vec<String>,
    /// One of `needed` is enough.
    pub any: bool,
}

/// All options of a module, and the rules between them.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub options: Vec<Opt>,
    /// Arguments that are accepted but that no user is told of.
    pub internal: Vec<String>,
    pub mutually_exclusive: Vec<Vec<String>>,
    pub required_together: Vec<Vec<String>>,
    pub required_one_of: Vec<Vec<String>>,
    pub required_if: Vec<RequiredIf>,
    pub required_by: Vec<(String, Vec<String>)>,
}

impl Spec {
    /// The options that the fields of `T` are.
    pub fn of<T: JsonSchema>() -> Spec {
        Spec::from_schema(whole_schema::<T>().as_value())
    }

    pub fn get(&self, name: &str) -> Option<&Opt> {
        self.options.iter().find(|o| o.name == name)
    }

    /// The option that `name` or alias `name` stands for.
    pub fn find(&self, name: &str) -> Option<&Opt> {
        self.get(name).or_else(|| {
            self.options
                .iter()
                .find(|o| o.aliases.iter().any(|a| a == name))
        })
    }

    /// The options that the properties of a JSON schema are.
    pub fn from_schema(schema: &Json) -> Spec {
        let required = texts(&schema["required"]);
        let options = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, property)| option(name, property, &required))
            .collect();
        Spec {
            options,
            internal: texts(&schema["internal"]),
            mutually_exclusive: lists(&schema["mutually_exclusive"]),
            required_together: lists(&schema["required_together"]),
            required_one_of: lists(&schema["required_one_of"]),
            required_if: array(&schema["required_if"])
                .iter()
                .map(|rule| RequiredIf {
                    option: rule[0].as_str().unwrap_or_default().to_string(),
                    value: Value::from_json(rule[1].clone()),
                    needed: texts(&rule[2]),
                    any: rule[3].as_bool().unwrap_or(false),
                })
                .collect(),
            required_by: schema["required_by"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), texts(v)))
                .collect(),
        }
    }
}

fn whole_schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    T::json_schema(&mut settings.into_generator())
}

/// What [`Spec::from_schema`] needs to know of `T`, and no documentation.
#[cfg(feature = "controller")]
pub(super) fn bare_schema<T: JsonSchema>() -> Json {
    fn strip(schema: &mut Json) {
        match schema {
            Json::Object(map) => {
                // an option that has such a name is no text
                map.retain(|key, value| {
                    !value.is_string()
                        || !matches!(key.as_str(), "description" | "title" | "format" | "$schema")
                });
                map.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut schema = whole_schema::<T>().to_value();
    strip(&mut schema);
    schema
}

fn option(name: &str, property: &Json, required: &[String]) -> Opt {
    let inner = strip_null(property);
    let element = strip_null(&inner["items"]);
    let kind = kind(inner);
    let (mut choices, options) = match &kind {
        Type::List(_) => (choices(element), suboptions(element)),
        _ => (choices(inner), suboptions(inner)),
    };
    // messages name choices in the documented order
    let order = texts(&property["order"]);
    choices.sort_by_key(|(choice, _)| {
        let at = order
            .iter()
            .position(|o| Some(o.as_str()) == choice.as_str());
        at.unwrap_or(order.len())
    });
    Opt {
        name: name.to_string(),
        doc: property["description"]
            .as_str()
            .or_else(|| inner["description"].as_str())
            .unwrap_or_default()
            .to_string(),
        kind,
        required: required.iter().any(|r| r == name),
        default: Value::from_json(property["default"].clone()),
        choices,
        aliases: texts(&property["aliases"]),
        no_log: property["no_log"] == Json::Bool(true),
        hidden: property["hidden"] == Json::Bool(true),
        options,
    }
}

/// The schema without the alternative `null`, which an `Option` adds.
fn strip_null(schema: &Json) -> &Json {
    schema["anyOf"]
        .as_array()
        .and_then(|any| any.iter().find(|s| s["type"] != "null"))
        .unwrap_or(schema)
}

fn kind(schema: &Json) -> Type {
    let name = schema[TYPE].as_str().or_else(|| match &schema["type"] {
        Json::String(s) => Some(s),
        Json::Array(a) => a.iter().filter_map(Json::as_str).find(|t| *t != "null"),
        _ => None,
    });
    match name {
        Some("path") => Type::Path,
        Some("bytes") => Type::Bytes,
        Some("json") => Type::Json,
        Some("dict" | "object") => Type::Dict,
        Some("string") => Type::Str,
        Some("boolean") => Type::Bool,
        Some("integer") => Type::Int,
        Some("number") => Type::Float,
        Some("array") => Type::List(Box::new(kind(strip_null(&schema["items"])))),
        // an enum whose variants have documentation
        _ if schema["oneOf"].is_array() => Type::Str,
        _ => Type::Raw,
    }
}

fn choices(schema: &Json) -> Vec<(Value, String)> {
    let plain = |s: &Json| {
        array(&s["enum"])
            .iter()
            .filter(|v| !v.is_null())
            .map(|v| (Value::from_json(v.clone()), String::new()))
            .collect::<Vec<_>>()
    };
    let mut out = plain(schema);
    for alternative in array(&schema["oneOf"]) {
        match alternative.get("const") {
            Some(value) => out.push((
                Value::from_json(value.clone()),
                alternative["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_string(),
            )),
            None => out.extend(plain(alternative)),
        }
    }
    out
}

fn suboptions(schema: &Json) -> Option<Spec> {
    schema["properties"]
        .as_object()
        .filter(|p| !p.is_empty())
        .map(|_| Spec::from_schema(schema))
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn texts(json: &Json) -> Vec<String> {
    array(json)
        .iter()
        .filter_map(|v| v.as_str().map(String::from))
        .collect()
}

fn lists(json: &Json) -> Vec<Vec<String>> {
    array(json).iter().map(texts).collect()
}
