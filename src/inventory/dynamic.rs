//! The JSON that inventory scripts print.
//!
//! <https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html#inventory-script-conventions>

use super::data::Data;
use crate::value::{Map, Value};
use crate::{Error, Result};
use indexmap::IndexMap;

/// Whether text in the JSON may be a template: a script is the user's own, a cloud's answer is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Templates,
    Inert,
}

/// Adds the groups of a `--list` answer to `data`.
///
/// Gives the names of hosts whose variables are still to be asked for with `--host`: those of all
/// groups if the answer has no `_meta.hostvars`, else none.
pub fn parse(json: serde_json::Value, trust: Trust, data: &mut Data) -> Result<Vec<String>> {
    let serde_json::Value::Object(groups) = json else {
        return Err(Error::parse(format!(
            "Value is '{}' instead of 'dict'.",
            json_type(&json)
        )));
    };
    let mut meta = None;
    let mut hosts: IndexMap<String, ()> = IndexMap::new();
    for (name, content) in groups {
        if name == "_meta" {
            meta = Some(content);
        } else {
            group(&name, content, trust, data, &mut hosts)?;
        }
    }
    let Some(mut hostvars) = meta
        .as_mut()
        .and_then(|m| m.get_mut("hostvars"))
        .map(serde_json::Value::take)
    else {
        return Ok(hosts.into_keys().collect());
    };
    if !hostvars.is_object() {
        return Err(Error::parse(format!(
            "Value contains '_meta.hostvars' which is '{}' instead of 'dict'.",
            json_type(&hostvars)
        )));
    }
    for host in hosts.keys() {
        if let Some(vars) = hostvars.get_mut(host).map(serde_json::Value::take) {
            host_vars(host, vars, trust, data)?;
        }
    }
    Ok(Vec::new())
}

/// Sets the variables of a host, an entry of `_meta.hostvars` or a `--host` answer.
pub fn host_vars(host: &str, vars: serde_json::Value, trust: Trust, data: &mut Data) -> Result<()> {
    match convert(vars, trust) {
        Value::Map(vars) => {
            for (key, value) in vars.iter() {
                data.set_host_var(host, key.clone(), value.clone())?;
            }
            Ok(())
        }
        other => Err(Error::parse(format!(
            "the variables of host '{host}' are a '{}' instead of a 'dict'.",
            other.type_name()
        ))),
    }
}

fn group(
    name: &str,
    content: serde_json::Value,
    trust: Trust,
    data: &mut Data,
    hosts: &mut IndexMap<String, ()>,
) -> Result<()> {
    use serde_json::Value as J;
    let group = data.add_group(name)?;
    let mut entries = match content {
        J::Object(entries) => entries,
        // the old short form: the hosts alone
        other => serde_json::Map::from_iter([("hosts".to_string(), other)]),
    };
    if !["hosts", "vars", "children"]
        .iter()
        .any(|k| entries.contains_key(*k))
    {
        // an older form still: the group is a host, and these are its variables
        let vars = std::mem::take(&mut entries);
        entries.insert("hosts".into(), J::Array(vec![J::String(name.into())]));
        entries.insert("vars".into(), J::Object(vars));
    }
    let wrong = |key: &str, found: &J, wanted: &str| {
        Error::parse(format!(
            "Value contains '{name}.{key}' which is '{}' instead of '{wanted}'.",
            json_type(found)
        ))
    };
    let names = |key: &str, value: Option<J>| -> Result<Vec<String>> {
        match value {
            None | Some(J::Null) => Ok(Vec::new()),
            Some(J::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    J::String(s) => Ok(s),
                    other => Err(wrong(&format!("{key}[]"), &other, "str")),
                })
                .collect(),
            Some(other) => Err(wrong(key, &other, "list")),
        }
    };
    for host in names("hosts", entries.shift_remove("hosts"))? {
        data.add_host(&host, Some(&group), None)?;
        hosts.insert(host, ());
    }
    match entries.shift_remove("vars") {
        None | Some(J::Null) => {}
        Some(vars @ J::Object(_)) => {
            if let Value::Map(vars) = convert(vars, trust) {
                for (key, value) in vars.iter() {
                    data.set_group_var(&group, key.clone(), value.clone())?;
                }
            }
        }
        Some(other) => return Err(wrong("vars", &other, "dict")),
    }
    for child in names("children", entries.shift_remove("children"))? {
        let child = data.add_group(&child)?;
        data.add_child(&group, &child)?;
    }
    Ok(())
}

fn convert(json: serde_json::Value, trust: Trust) -> Value {
    match (json, trust) {
        (json, Trust::Inert) => Value::from_json(json),
        (serde_json::Value::String(s), Trust::Templates) => Value::user_text(&s, None),
        (serde_json::Value::Array(a), _) => {
            Value::list(a.into_iter().map(|v| convert(v, trust)).collect())
        }
        (serde_json::Value::Object(o), _) => Value::map(
            o.into_iter()
                .map(|(k, v)| (k.into(), convert(v, trust)))
                .collect::<Map>(),
        ),
        (other, _) => Value::from_json(other),
    }
}

fn json_type(json: &serde_json::Value) -> &'static str {
    use serde_json::Value as J;
    match json {
        J::Null => "NoneType",
        J::Bool(_) => "bool",
        J::Number(n) if n.is_f64() => "float",
        J::Number(_) => "int",
        J::String(_) => "str",
        J::Array(_) => "list",
        J::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_of_the_wrong_shape_are_refused() {
        for (answer, part) in [
            (json!([1]), "'list' instead of 'dict'"),
            (json!({"g": 5}), "'g.hosts' which is 'int'"),
            (json!({"g": {"hosts": "a"}}), "'g.hosts' which is 'str'"),
            (json!({"g": {"hosts": [1]}}), "'g.hosts[]' which is 'int'"),
            (json!({"g": {"vars": []}}), "'g.vars' which is 'list'"),
            (
                json!({"g": {"children": {}}}),
                "'g.children' which is 'dict'",
            ),
            (
                json!({"a": {"children": ["b"]}, "b": {"children": ["a"]}}),
                "loop",
            ),
            (json!({"_meta": {"hostvars": 1}}), "_meta.hostvars"),
        ] {
            let mut data = Data::new(&Options::default());
            let error = parse(answer.clone(), Trust::Templates, &mut data).unwrap_err();
            assert!(error.message().contains(part), "{answer}: {error}");
        }
    }

    #[test]
    fn hosts_are_asked_for_only_without_meta() {
        let mut data = Data::new(&Options::default());
        let ask = parse(json!({"g": ["a", "b"]}), Trust::Inert, &mut data).unwrap();
        assert_eq!(ask, ["a", "b"]);
        let answer = json!({"g": ["c"], "_meta": {"hostvars": {"c": {"x": "{{ y }}"}, "zz": {}}}});
        let ask = parse(answer, Trust::Inert, &mut data).unwrap();
        assert!(ask.is_empty());
        assert!(matches!(data.hosts["c"].vars.get("x"), Some(Value::Str(_))));
        assert!(!data.hosts.contains_key("zz"));
    }
}
