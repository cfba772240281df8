//! Dictionaries: merging, and turning them into lists and back.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::{fold_case, get_item, iterate, missing, sort_by_key, undefined};
use crate::template::python;
use crate::value::{Key, Map, Value};
use std::sync::Arc;

/// A mapping's entries; a dynamic one is asked for each of its keys.
fn entries(value: &Value) -> Option<Result<Map>> {
    match value {
        Value::Map(map) => Some(Ok(Map::clone(map))),
        Value::Dynamic(d) => Some(
            d.keys()
                .into_iter()
                .map(|k| {
                    let value = d.get(&k)?.unwrap_or_default();
                    Ok((Key::Str(k), value))
                })
                .collect(),
        ),
        _ => None,
    }
}

fn pair(key: &Key, value: &Value) -> Value {
    Value::list(vec![key.to_value(), value.clone()])
}

fn items(mut call: Call) -> Result<Value> {
    call.no_args()?;
    if matches!(call.value, Value::Undefined(_)) {
        return Ok(Value::list(Vec::new()));
    }
    match entries(&call.value) {
        Some(map) => Ok(Value::list(map?.iter().map(|(k, v)| pair(k, v)).collect())),
        None => Err(error("Can only get item pairs from a mapping.")),
    }
}

fn dictsort(mut call: Call) -> Result<Value> {
    let args = call.bind(&["case_sensitive", "by", "reverse"])?;
    let by_value = match args.text("by", "key").as_str() {
        "key" => false,
        "value" => true,
        _ => return Err(error("You can only sort by either \"key\" or \"value\"")),
    };
    let case_sensitive = args.flag("case_sensitive", false);
    let Some(map) = entries(&call.value) else {
        return Err(error(format!(
            "'{}' object has no attribute 'items'",
            call.value.type_name()
        )));
    };
    let mut keyed: Vec<(Value, Value)> = map?
        .iter()
        .map(|(k, v)| {
            let key = if by_value { v.clone() } else { k.to_value() };
            let key = if case_sensitive { key } else { fold_case(&key) };
            (key, pair(k, v))
        })
        .collect();
    sort_by_key(&mut keyed, args.flag("reverse", false))?;
    Ok(Value::list(keyed.into_iter().map(|(_, v)| v).collect()))
}

fn attr(mut call: Call) -> Result<Value> {
    let args = call.bind(&["name"])?;
    let name = args.need("name")?;
    // attributes of Python objects: dictionaries have their entries elsewhere
    Ok(missing(&call.value, name))
}

fn dict2items(mut call: Call) -> Result<Value> {
    let args = call.bind(&["key_name", "value_name"])?;
    let (key, value) = (
        args.text("key_name", "key"),
        args.text("value_name", "value"),
    );
    let Some(map) = entries(&call.value) else {
        return Err(error(format!(
            "dict2items requires a dictionary, got {} instead.",
            class(&call.value)
        )));
    };
    let item = |(k, v): (Key, Value)| {
        let mut item = Map::default();
        item.insert(Key::from(key.as_str()), k.to_value());
        item.insert(Key::from(value.as_str()), v);
        Value::map(item)
    };
    Ok(Value::list(map?.into_iter().map(item).collect()))
}

/// `<class 'str'>`, for messages.
fn class(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

fn items2dict(mut call: Call) -> Result<Value> {
    let args = call.bind(&["key_name", "value_name"])?;
    let (key, value) = (
        args.text("key_name", "key"),
        args.text("value_name", "value"),
    );
    let Value::List(items) = &call.value else {
        return Err(error(format!(
            "items2dict requires a list, got {} instead.",
            class(&call.value)
        )));
    };
    let mut map = Map::default();
    for item in items.iter() {
        if !matches!(item, Value::Map(_)) {
            return Err(error(format!(
                "items2dict requires a list of dictionaries, got {} instead.",
                python::repr(&call.value)
            )));
        }
        match (item.get(&key), item.get(&value)) {
            (Some(k), Some(v)) => {
                map.insert(Key::from_value(k.clone()), v.clone());
            }
            _ => {
                return Err(error(format!(
                    "items2dict requires each dictionary in the list to contain the keys '{key}' and '{value}', got {} instead.",
                    python::repr(&call.value)
                )));
            }
        }
    }
    Ok(Value::map(map))
}

/// What `combine(list_merge=...)` does where both sides have a list.
#[derive(Clone, Copy)]
enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendRp,
    PrependRp,
}

impl ListMerge {
    fn parse(text: &str) -> Option<ListMerge> {
        Some(match text {
            "replace" => ListMerge::Replace,
            "keep" => ListMerge::Keep,
            "append" => ListMerge::Append,
            "prepend" => ListMerge::Prepend,
            "append_rp" => ListMerge::AppendRp,
            "prepend_rp" => ListMerge::PrependRp,
            _ => return None,
        })
    }
}

/// `base` overridden by `over`: as the `combine` filter and as hash behaviour `merge` do it.
///
/// `list_merge` is one of Ansible's words; unknown ones are an error.
pub fn merge(base: &Map, over: &Map, recursive: bool, list_merge: &str) -> Result<Map> {
    let lists = ListMerge::parse(list_merge).ok_or_else(|| {
        error(
            "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'",
        )
    })?;
    Ok(merge_maps(base, over, recursive, lists))
}

fn merge_maps(base: &Map, over: &Map, recursive: bool, lists: ListMerge) -> Map {
    let mut out = base.clone();
    for (key, new) in over {
        let merged = match (out.get(key), new) {
            (Some(Value::Map(a)), Value::Map(b)) if recursive => {
                Value::map(merge_maps(a, b, recursive, lists))
            }
            (Some(Value::List(a)), Value::List(b)) => merge_lists(a, b, lists),
            _ => new.clone(),
        };
        out.insert(key.clone(), merged);
    }
    out
}

fn merge_lists(old: &Arc<Vec<Value>>, new: &Arc<Vec<Value>>, lists: ListMerge) -> Value {
    let without = |list: &[Value], other: &[Value]| -> Vec<Value> {
        list.iter()
            .filter(|v| !other.contains(v))
            .cloned()
            .collect()
    };
    Value::list(match lists {
        ListMerge::Replace => return Value::List(Arc::clone(new)),
        ListMerge::Keep => return Value::List(Arc::clone(old)),
        ListMerge::Append => [&old[..], &new[..]].concat(),
        ListMerge::Prepend => [&new[..], &old[..]].concat(),
        ListMerge::AppendRp => [without(old, new), new.to_vec()].concat(),
        ListMerge::PrependRp => [new.to_vec(), without(old, new)].concat(),
    })
}

fn combine(mut call: Call) -> Result<Value> {
    let recursive = call.kwargs.shift_remove("recursive");
    let recursive = recursive.is_some_and(|v| v.is_truthy());
    let list_merge = call.kwargs.shift_remove("list_merge");
    let list_merge = list_merge.map_or("replace".into(), |v| python::str(&v));
    if !call.kwargs.is_empty() {
        return Err(error(
            "'recursive' and 'list_merge' are the only valid keyword arguments",
        ));
    }
    let mut terms = Vec::new();
    flatten(&mut terms, &call.value);
    call.args.iter().for_each(|a| flatten(&mut terms, a));
    let mut out = Map::default();
    for (i, term) in terms.iter().enumerate() {
        if let Value::Undefined(message) = term {
            return Err(undefined(message));
        }
        let Some(map) = entries(term) else {
            let other = if i == 0 { terms.last() } else { terms.first() };
            return Err(error(format!(
                "failed to combine variables, expected dicts but got a '{}' and a '{}'.",
                term.type_name(),
                other.unwrap_or(term).type_name()
            )));
        };
        out = merge(&out, &map?, recursive, &list_merge)?;
    }
    Ok(Value::map(out))
}

fn flatten(out: &mut Vec<Value>, value: &Value) {
    match value {
        Value::List(items) => items.iter().for_each(|v| flatten(out, v)),
        other => out.push(other.clone()),
    }
}

fn rekey_on_member(mut call: Call) -> Result<Value> {
    let args = call.bind(&["key", "duplicates"])?;
    let member = args.need("key")?;
    let duplicates = args.text("duplicates", "error");
    if !["error", "overwrite"].contains(&duplicates.as_str()) {
        return Err(error(format!(
            "duplicates parameter to rekey_on_member has unknown value: {duplicates}"
        )));
    }
    let items: Vec<Value> = match &call.value {
        Value::List(items) => items.to_vec(),
        Value::Map(map) => map.values().cloned().collect(),
        _ => return Err(error("Type is not a valid list, set, or dict")),
    };
    let mut out = Map::default();
    for item in items {
        let Some(map) = item.as_map() else {
            return Err(error("List item is not a valid dict"));
        };
        let Some(key) = map.get(&Key::from_value(member.clone())) else {
            return Err(error(format!(
                "Key {} was not found.",
                python::repr(member)
            )));
        };
        let key = Key::from_value(key.clone());
        if duplicates == "error" && out.contains_key(&key) {
            return Err(error(format!(
                "Key {} is not unique, cannot convert to dict.",
                python::repr(&key.to_value())
            )));
        }
        out.insert(key, item);
    }
    Ok(Value::map(out))
}

/// community.general's `dict`: a list of pairs as a dictionary.
fn dict(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let mut map = Map::default();
    for item in iterate(&call.value)? {
        match item.as_list() {
            Some([key, value]) => {
                map.insert(Key::from_value(key.clone()), value.clone());
            }
            _ => return Err(error("dict requires a list of pairs of key and value")),
        }
    }
    Ok(Value::map(map))
}

/// community.general's `dict_kv`: `{key: value}`.
fn dict_kv(mut call: Call) -> Result<Value> {
    let args = call.bind(&["key"])?;
    let mut map = Map::default();
    map.insert(Key::from_value(args.need("key")?.clone()), call.value);
    Ok(Value::map(map))
}

/// community.general's `groupby_as_dict`: items under the value of their attribute; no two alike.
fn groupby_as_dict(mut call: Call) -> Result<Value> {
    let args = call.bind(&["attribute"])?;
    let attribute = args.need("attribute")?;
    let mut map = Map::default();
    for (i, item) in iterate(&call.value)?.into_iter().enumerate() {
        let Some(key) = item
            .as_map()
            .map(|m| m.get(&Key::from_value(attribute.clone())))
        else {
            return Err(error(format!("Sequence element #{i} is not a mapping")));
        };
        let Some(key) = key.cloned() else {
            return Err(error(format!(
                "Attribute not contained in element #{i} of sequence"
            )));
        };
        if map.insert(Key::from_value(key.clone()), item).is_some() {
            return Err(error(format!(
                "Multiple sequence entries have attribute value {}",
                python::repr(&key)
            )));
        }
    }
    Ok(Value::map(map))
}

/// `hostvars | get_members(groups, 'tag_x')`: the variables of each member of a group, in order.
fn get_members(mut call: Call) -> Result<Value> {
    let args = call.bind(&["groups", "group"])?;
    let members = get_item(args.need("groups")?, args.need("group")?)?;
    let mut out = Vec::new();
    for host in iterate(&members)? {
        match get_item(&call.value, &host)? {
            Value::Undefined(message) => return Err(undefined(&message)),
            vars => out.push(vars),
        }
    }
    Ok(Value::list(out))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("attr", attr),
    ("combine", combine),
    ("dict", dict),
    ("dict2items", dict2items),
    ("dict_kv", dict_kv),
    ("dictsort", dictsort),
    ("get_members", get_members),
    ("groupby_as_dict", groupby_as_dict),
    ("items", items),
    ("items2dict", items2dict),
    ("rekey_on_member", rekey_on_member),
];
