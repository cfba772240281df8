//! `-e`: variables from the command line.
//!
//! `@file`, JSON, YAML or `key=value ...`; values of `key=value` are text, the others keep their types.
//! <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#defining-variables-at-runtime>

use crate::error::Kind;
use crate::search::expand_home;
use crate::source::Source;
use crate::value::{Key, Map, Value};
use crate::vars::files;
use crate::yaml::Node;
use crate::{Error, Result, kv, yaml};

/// What messages call the option.
const NAME: &str = "<CLI option '-e'>";

const FORMS: &str = "write -e key=value, -e '{\"key\": \"value\"}' or -e @file.yml";

/// All `-e` options together; a later one wins over an earlier one.
///
/// Errors name the option's text and what it should look like.
pub fn load(options: &[String]) -> Result<Map> {
    let mut all = Map::default();
    for option in options {
        all.extend(load_one(option.trim())?);
    }
    Ok(all)
}

fn load_one(text: &str) -> Result<Map> {
    let value = if let Some(path) = text.strip_prefix('@') {
        return files::read(&expand_home(path));
    } else if text.starts_with(['/', '.']) {
        return Err(Error::new(
            Kind::Options,
            format!("extra vars given as a file name without `@`: {text}"),
        )
        .hint(format!("write -e @{text}")));
    } else if text.starts_with(['{', '[']) {
        structured(text)?
    } else {
        key_values(text)?
    };
    match value {
        Value::Map(map) => Ok(map.as_ref().clone()),
        other => Err(Error::new(
            Kind::Options,
            format!(
                "extra vars must be a dictionary, {text} is a {}",
                other.type_name()
            ),
        )
        .hint(FORMS)),
    }
}

/// JSON first, then YAML: `1e3` is a number in the one and text in the other.
fn structured(text: &str) -> Result<Value> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Ok(Node::from_option(json, NAME).to_value()),
        Err(_) => Ok(yaml::load(&Source::new(NAME, text))?.to_value()),
    }
}

fn key_values(text: &str) -> Result<Value> {
    let mut map = Map::default();
    for (key, value) in kv::parse(text, false).map_err(|e| e.with_kind(Kind::Options))? {
        if key == kv::RAW {
            return Err(Error::new(
                Kind::Options,
                format!("extra vars without a value: {value}"),
            )
            .hint(FORMS));
        }
        map.insert(
            Key::from(key),
            Node::text_of_option(&value, NAME).to_value(),
        );
    }
    Ok(Value::map(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json;

    fn loaded(options: &[&str]) -> String {
        let options: Vec<String> = options.iter().map(|o| o.to_string()).collect();
        load(&options).map_or_else(
            |e| e.message().to_string(),
            |map| json::dumps(&Value::map(map), None),
        )
    }

    #[test]
    fn forms_and_types() {
        for (options, json) in [
            (&["a=1 b='x y'"][..], r#"{"a": "1", "b": "x y"}"#),
            (
                &[r#"{"a": 1, "b": [true, 1.5]}"#],
                r#"{"a": 1, "b": [true, 1.5]}"#,
            ),
            (&["{a: yes, b: 0644}"], r#"{"a": true, "b": 420}"#),
            (&["a=1", "a=2"], r#"{"a": "2"}"#),
            (&["a"], "extra vars without a value: a"),
            (
                &["/etc/vars.yml"],
                "extra vars given as a file name without `@`: /etc/vars.yml",
            ),
            (&["[1]"], "extra vars must be a dictionary, [1] is a list"),
        ] {
            assert_eq!(loaded(options), json, "{options:?}");
        }
        let text = load(&["a={{ b }}".to_string()]);
        assert!(text.is_ok_and(|m| m["a"].needs_render()));
    }
}
