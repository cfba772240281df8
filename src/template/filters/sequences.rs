//! Lists: taking, ordering, joining, combining them.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::{
    attribute, attribute_or, compare, fold_case, iterate, length as len, missing, sort_by_key,
    undefined,
};
use crate::template::python;
use crate::value::{Key, Map, Value};
use indexmap::IndexSet;
use std::cmp::Ordering;
use std::sync::Arc;

type Set = IndexSet<Key, foldhash::fast::RandomState>;

fn set(items: impl IntoIterator<Item = Value>) -> Set {
    items.into_iter().map(Key::from_value).collect()
}

/// What a set operation gives: in order of appearance, whole numbers in their own order.
///
/// Python's sets order text by chance, but small whole numbers always ascend, and playbooks rely on it.
fn values(set: impl IntoIterator<Item = Key>) -> Value {
    let mut items: Vec<Value> = set.into_iter().map(|k| k.to_value()).collect();
    if items.iter().all(|v| matches!(v, Value::Int(_))) {
        items.sort_by_key(Value::as_i64);
    }
    Value::list(items)
}

fn first(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(iterate(&call.value)?
        .into_iter()
        .next()
        .unwrap_or_else(|| empty("No first item, sequence was empty.")))
}

fn last(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(iterate(&call.value)?
        .pop()
        .unwrap_or_else(|| empty("No last item, sequence was empty.")))
}

fn empty(message: &str) -> Value {
    Value::Undefined(Arc::from(message))
}

fn length(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::Int(len(&call.value)? as i64))
}

fn list(mut call: Call) -> Result<Value> {
    call.no_args()?;
    match call.value {
        list @ Value::List(_) => Ok(list),
        other => Ok(Value::list(iterate(&other)?)),
    }
}

fn reverse(mut call: Call) -> Result<Value> {
    call.no_args()?;
    if let Some(text) = call.value.as_str() {
        return Ok(Value::str(text.chars().rev().collect::<String>()));
    }
    let mut items = match iterate(&call.value) {
        Ok(items) => items,
        Err(e) => return Err(e.context("argument must be iterable")),
    };
    items.reverse();
    Ok(Value::list(items))
}

/// What to sort or compare by: the item or its attributes, without case unless asked.
fn sort_key(item: &Value, path: Option<&Value>, case_sensitive: bool) -> Result<Value> {
    let fold = |v: Value| if case_sensitive { v } else { fold_case(&v) };
    match path {
        None => Ok(fold(item.clone())),
        Some(path) => match path.as_str() {
            // several attributes: "surname,name"
            Some(text) if text.contains(',') => Ok(Value::list(
                text.split(',')
                    .map(|part| attribute(item, &Value::str(part)).map(fold))
                    .collect::<Result<_>>()?,
            )),
            _ => Ok(fold(attribute(item, path)?)),
        },
    }
}

fn sort(mut call: Call) -> Result<Value> {
    let args = call.bind(&["reverse", "case_sensitive", "attribute"])?;
    let case_sensitive = args.flag("case_sensitive", false);
    let mut keyed = iterate(&call.value)?
        .into_iter()
        .map(|item| {
            Ok((
                sort_key(&item, args.given("attribute"), case_sensitive)?,
                item,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    sort_by_key(&mut keyed, args.flag("reverse", false))?;
    Ok(Value::list(keyed.into_iter().map(|(_, v)| v).collect()))
}

fn min_or_max(mut call: Call, wanted: Ordering) -> Result<Value> {
    let args = call.bind(&["case_sensitive", "attribute"])?;
    let case_sensitive = args.flag("case_sensitive", false);
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(&call.value)? {
        let key = sort_key(&item, args.given("attribute"), case_sensitive)?;
        match &best {
            Some((k, _)) if compare(&key, k)? != wanted => {}
            _ => best = Some((key, item)),
        }
    }
    Ok(best.map_or_else(
        || empty("No aggregated item, sequence was empty."),
        |(_, v)| v,
    ))
}

fn min(call: Call) -> Result<Value> {
    min_or_max(call, Ordering::Less)
}

fn max(call: Call) -> Result<Value> {
    min_or_max(call, Ordering::Greater)
}

/// Ansible's `unique`: without case unless told otherwise; the first of equals stays.
fn unique(mut call: Call) -> Result<Value> {
    let args = call.bind(&["case_sensitive", "attribute"])?;
    let case_sensitive = args.flag("case_sensitive", false);
    let particular = args.given("attribute").is_some()
        || (args.given("case_sensitive").is_some() && !case_sensitive);
    let mut seen = Set::default();
    let mut out = Vec::new();
    for item in iterate(&call.value)? {
        let key = sort_key(&item, args.given("attribute"), case_sensitive)?;
        if let Value::Undefined(message) = &key {
            return Err(undefined(message));
        }
        // lists and dictionaries are compared as they are, and only so
        if particular && matches!(key, Value::List(_) | Value::Map(_)) {
            return Err(error(format!(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support the parameters supplied: unhashable type: '{}'",
                key.type_name()
            )));
        }
        if seen.insert(Key::from_value(key)) {
            out.push(item);
        }
    }
    Ok(Value::list(out))
}

/// Groups as pairs of the attribute's value and the items that have it, in order of the values.
fn groupby(mut call: Call) -> Result<Value> {
    let args = call.bind(&["attribute", "default", "case_sensitive"])?;
    let path = args.need("attribute")?;
    let case_sensitive = args.flag("case_sensitive", false);
    let mut keyed = Vec::new();
    for item in iterate(&call.value)? {
        let key = attribute_or(&item, path, args.given("default"))?;
        let sort = if case_sensitive {
            key.clone()
        } else {
            fold_case(&key)
        };
        keyed.push((sort, Value::list(vec![key, item])));
    }
    sort_by_key(&mut keyed, false)?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (sort, pair) in keyed {
        let (key, item) = match pair.as_list() {
            Some([key, item]) => (key.clone(), item.clone()),
            _ => continue,
        };
        match groups.last_mut() {
            Some((last, _, items)) if *last == sort => items.push(item),
            _ => groups.push((sort, key, vec![item])),
        }
    }
    let group = |(_, key, items)| Value::list(vec![key, Value::list(items)]);
    Ok(Value::list(groups.into_iter().map(group).collect()))
}

fn batch(mut call: Call) -> Result<Value> {
    let args = call.bind(&["linecount", "fill_with"])?;
    args.need("linecount")?;
    let size = args.int("linecount", 1)?.max(1) as usize;
    let mut rows: Vec<Vec<Value>> = iterate(&call.value)?
        .chunks(size)
        .map(<[Value]>::to_vec)
        .collect();
    if let (Some(fill), Some(row)) = (args.given("fill_with"), rows.last_mut()) {
        row.resize(size, fill.clone());
    }
    Ok(Value::list(rows.into_iter().map(Value::list).collect()))
}

fn slice(mut call: Call) -> Result<Value> {
    let args = call.bind(&["slices", "fill_with"])?;
    args.need("slices")?;
    let slices = args.int("slices", 1)?;
    if slices < 1 {
        return Err(error("integer division or modulo by zero"));
    }
    let slices = slices as usize;
    let items = iterate(&call.value)?;
    let (per, extra) = (items.len() / slices, items.len() % slices);
    let mut out = Vec::with_capacity(slices);
    let mut start = 0;
    for i in 0..slices {
        let end = start + per + usize::from(i < extra);
        let mut column = items[start..end].to_vec();
        if let Some(fill) = args.given("fill_with")
            && extra > 0
            && i >= extra
        {
            column.push(fill.clone());
        }
        out.push(Value::list(column));
        start = end;
    }
    Ok(Value::list(out))
}

fn join(mut call: Call) -> Result<Value> {
    let args = call.bind(&["d", "attribute"])?;
    let separator = args.text("d", "");
    let mut out = String::new();
    for (i, item) in iterate(&call.value)?.iter().enumerate() {
        if i > 0 {
            out.push_str(&separator);
        }
        let part = match args.given("attribute") {
            Some(path) => attribute(item, path)?,
            None => item.clone(),
        };
        if let Value::Undefined(message) = &part {
            return Err(undefined(message));
        }
        out.push_str(&python::str(&part));
    }
    Ok(Value::str(out))
}

/// Nested lists in one; nulls are dropped unless `skip_nulls=false`.
fn flatten(mut call: Call) -> Result<Value> {
    let args = call.bind(&["levels", "skip_nulls"])?;
    let levels = args.given("levels").map(|_| args.int("levels", 0));
    let levels = levels.transpose()?;
    let skip = args.flag("skip_nulls", true);
    let mut out = Vec::new();
    flatten_into(&mut out, iterate(&call.value)?, levels, skip);
    Ok(Value::list(out))
}

fn flatten_into(out: &mut Vec<Value>, items: Vec<Value>, levels: Option<i64>, skip: bool) {
    for item in items {
        match item {
            Value::Null if skip => {}
            Value::Str(s) if skip && (&*s == "None" || &*s == "null") => {}
            Value::List(inner) => match levels {
                None => flatten_into(out, inner.to_vec(), None, skip),
                Some(n) if n >= 1 => flatten_into(out, inner.to_vec(), Some(n - 1), skip),
                Some(_) => out.push(Value::List(inner)),
            },
            other => out.push(other),
        }
    }
}

/// The one other list of a set operation.
fn other(call: &mut Call) -> Result<(Vec<Value>, Vec<Value>)> {
    let args = call.bind(&["b"])?;
    let b = args.need("b")?;
    Ok((iterate(&call.value)?, iterate(b)?))
}

fn union(mut call: Call) -> Result<Value> {
    let (a, b) = other(&mut call)?;
    Ok(values(set(a.into_iter().chain(b))))
}

fn intersect(mut call: Call) -> Result<Value> {
    let (a, b) = other(&mut call)?;
    let b = set(b);
    Ok(values(set(a).into_iter().filter(|k| b.contains(k))))
}

fn difference(mut call: Call) -> Result<Value> {
    let (a, b) = other(&mut call)?;
    let b = set(b);
    Ok(values(set(a).into_iter().filter(|k| !b.contains(k))))
}

fn symmetric_difference(mut call: Call) -> Result<Value> {
    let (a, b) = other(&mut call)?;
    let (a, b) = (set(a), set(b));
    let both: Set = a.iter().chain(&b).cloned().collect();
    Ok(values(
        both.into_iter().filter(|k| a.contains(k) != b.contains(k)),
    ))
}

fn zip(mut call: Call) -> Result<Value> {
    if !call.kwargs.is_empty() {
        let strict = call.kwargs.shift_remove("strict");
        if let Some(key) = call.kwargs.keys().next() {
            return Err(error(format!(
                "zip() got an unexpected keyword argument '{key}'"
            )));
        }
        if strict.is_some_and(|s| s.is_truthy()) {
            let length = len(&call.value)?;
            for (i, arg) in call.args.iter().enumerate() {
                let other = len(arg)?;
                if other != length {
                    let word = if other < length { "shorter" } else { "longer" };
                    let before = match i {
                        0 => "argument 1".to_string(),
                        _ => format!("arguments 1-{}", i + 1),
                    };
                    return Err(error(format!(
                        "zip() argument {} is {word} than {before}",
                        i + 2
                    )));
                }
            }
        }
    }
    let lists = all_lists(&call)?;
    let length = lists.iter().map(Vec::len).min().unwrap_or(0);
    Ok(transpose(&lists, length, &Value::Null))
}

fn zip_longest(mut call: Call) -> Result<Value> {
    let fill = call.kwargs.shift_remove("fillvalue").unwrap_or(Value::Null);
    if !call.kwargs.is_empty() {
        return Err(error("zip_longest() got an unexpected keyword argument"));
    }
    let lists = all_lists(&call)?;
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok(transpose(&lists, length, &fill))
}

fn all_lists(call: &Call) -> Result<Vec<Vec<Value>>> {
    std::iter::once(&call.value)
        .chain(&call.args)
        .map(iterate)
        .collect()
}

fn transpose(lists: &[Vec<Value>], length: usize, fill: &Value) -> Value {
    let row = |i: usize| {
        let cell = |l: &Vec<Value>| l.get(i).unwrap_or(fill).clone();
        Value::list(lists.iter().map(cell).collect())
    };
    Value::list((0..length).map(row).collect())
}

fn product(mut call: Call) -> Result<Value> {
    let repeat = call.kwargs.shift_remove("repeat");
    if let Some(key) = call.kwargs.keys().next() {
        return Err(error(format!(
            "'{key}' is an invalid keyword argument for product()"
        )));
    }
    let lists = all_lists(&call)?;
    let times = repeat.and_then(|r| r.as_i64()).unwrap_or(1).max(0) as usize;
    let columns = lists.len() * times;
    let lists: Vec<_> = lists.iter().cycle().take(columns).collect();
    Ok(Value::list(
        cartesian(&lists).into_iter().map(Value::list).collect(),
    ))
}

/// Every choice of one item per list, the last list varying fastest.
pub fn cartesian(lists: &[&Vec<Value>]) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        let mut next = Vec::with_capacity(rows.len() * list.len());
        for row in &rows {
            for item in *list {
                let mut row = row.clone();
                row.push(item.clone());
                next.push(row);
            }
        }
        rows = next;
    }
    rows
}

fn permutations(mut call: Call) -> Result<Value> {
    let args = call.bind(&["r"])?;
    let items = iterate(&call.value)?;
    let r = args.given("r").map(|_| args.int("r", 0)).transpose()?;
    let r = r.map_or(items.len(), |r| r.max(0) as usize);
    let mut out = Vec::new();
    if r <= items.len() {
        arrange(&items, r, &mut Vec::new(), &mut out);
    }
    Ok(Value::list(out))
}

fn arrange(items: &[Value], r: usize, chosen: &mut Vec<usize>, out: &mut Vec<Value>) {
    if chosen.len() == r {
        let row = chosen.iter().map(|i| items[*i].clone()).collect();
        out.push(Value::list(row));
        return;
    }
    for i in 0..items.len() {
        if !chosen.contains(&i) {
            chosen.push(i);
            arrange(items, r, chosen, out);
            chosen.pop();
        }
    }
}

fn combinations(mut call: Call) -> Result<Value> {
    let args = call.bind(&["r"])?;
    args.need("r")?;
    let r = args.int("r", 0)?.max(0) as usize;
    let items = iterate(&call.value)?;
    let mut out = Vec::new();
    choose(&items, r, 0, &mut Vec::new(), &mut out);
    Ok(Value::list(out))
}

fn choose(items: &[Value], r: usize, from: usize, chosen: &mut Vec<Value>, out: &mut Vec<Value>) {
    if chosen.len() == r {
        out.push(Value::list(chosen.clone()));
        return;
    }
    for i in from..items.len() {
        chosen.push(items[i].clone());
        choose(items, r, i + 1, chosen, out);
        chosen.pop();
    }
}

/// `key | extract(container, morekeys)`: `container[key][morekeys...]`.
fn extract(mut call: Call) -> Result<Value> {
    let args = call.bind(&["container", "morekeys"])?;
    let container = args.need("container")?;
    let mut keys = vec![call.value.clone()];
    match args.given("morekeys") {
        Some(Value::List(more)) => keys.extend(more.iter().cloned()),
        Some(one) => keys.push(one.clone()),
        None => {}
    }
    let mut value = container.clone();
    for key in keys {
        if matches!(key, Value::List(_) | Value::Map(_)) {
            return Ok(missing(&value, &key));
        }
        value = crate::template::protocol::get_item(&value, &key)?;
    }
    Ok(value)
}

/// `[[obj, sub], ...]` for each item of the list at `subelements` of each object.
fn subelements(mut call: Call) -> Result<Value> {
    let args = call.bind(&["subelements", "skip_missing"])?;
    let path = match args.need("subelements")? {
        Value::List(keys) => keys.to_vec(),
        text if text.as_str().is_some() => {
            let text = text.as_str().unwrap_or("");
            text.split('.').map(Value::str).collect()
        }
        _ => return Err(error("subelements must be a list or a string")),
    };
    let skip = args.flag("skip_missing", false);
    let objects = match &call.value {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => items.to_vec(),
        _ => return Err(error("obj must be a list of dicts or a nested dict")),
    };
    let mut out = Vec::new();
    for object in objects {
        let mut values = object.clone();
        for key in &path {
            let Some(map) = values.as_map() else {
                return Err(error(format!(
                    "the key {} should point to a dictionary, got '{}': '{}' object is not subscriptable",
                    python::str(key),
                    python::str(&values),
                    values.type_name()
                )));
            };
            match map.get(&Key::from_value(key.clone())) {
                Some(v) => values = v.clone(),
                None if skip => {
                    values = Value::list(Vec::new());
                    break;
                }
                None => {
                    return Err(error(format!(
                        "could not find {} key in iterated item {}",
                        python::repr(key),
                        python::repr(&values)
                    )));
                }
            }
        }
        let Value::List(values) = values else {
            return Err(error(format!(
                "the key {} should point to a list, got {}",
                python::repr(path.last().unwrap_or(&Value::Null)),
                python::repr(&values)
            )));
        };
        for value in values.iter() {
            out.push(Value::list(vec![object.clone(), value.clone()]));
        }
    }
    Ok(Value::list(out))
}

/// community.general's `counter`: how often each item occurs.
fn counter(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let mut counts = Map::default();
    for item in iterate(&call.value)? {
        let count = counts.entry(Key::from_value(item)).or_insert(Value::Int(0));
        if let Value::Int(n) = count {
            *n += 1;
        }
    }
    Ok(Value::map(counts))
}

/// The lists of community.general's `lists_*` filters, in their order; a list of lists with `flatten=true`.
fn many_lists(call: &mut Call) -> Result<Vec<Vec<Value>>> {
    let flatten = call.kwargs.shift_remove("flatten");
    if let Some(key) = call.kwargs.keys().next() {
        return Err(error(format!(
            "{}() got an unexpected keyword argument '{key}'",
            call.name
        )));
    }
    let lists = all_lists(call)?;
    if flatten.is_some_and(|f| f.is_truthy()) {
        return lists.into_iter().flatten().map(|l| iterate(&l)).collect();
    }
    Ok(lists)
}

fn lists_union(mut call: Call) -> Result<Value> {
    Ok(values(set(many_lists(&mut call)?.into_iter().flatten())))
}

fn lists_mergeless(mut call: Call, step: fn(Set, Set) -> Set) -> Result<Value> {
    let lists = many_lists(&mut call)?;
    let merged = lists.into_iter().map(set).reduce(step);
    Ok(values(merged.unwrap_or_default()))
}

fn lists_intersect(call: Call) -> Result<Value> {
    lists_mergeless(call, |a, b| {
        a.into_iter().filter(|k| b.contains(k)).collect()
    })
}

fn lists_difference(call: Call) -> Result<Value> {
    lists_mergeless(call, |a, b| {
        a.into_iter().filter(|k| !b.contains(k)).collect()
    })
}

fn lists_symmetric_difference(call: Call) -> Result<Value> {
    lists_mergeless(call, |a, b| {
        let both: Set = a.iter().chain(&b).cloned().collect();
        both.into_iter()
            .filter(|k| a.contains(k) != b.contains(k))
            .collect()
    })
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("batch", batch),
    ("combinations", combinations),
    ("count", length),
    ("counter", counter),
    ("difference", difference),
    ("extract", extract),
    ("first", first),
    ("flatten", flatten),
    ("groupby", groupby),
    ("intersect", intersect),
    ("join", join),
    ("last", last),
    ("length", length),
    ("list", list),
    ("lists_difference", lists_difference),
    ("lists_intersect", lists_intersect),
    ("lists_symmetric_difference", lists_symmetric_difference),
    ("lists_union", lists_union),
    ("max", max),
    ("min", min),
    ("permutations", permutations),
    ("product", product),
    ("reverse", reverse),
    ("slice", slice),
    ("sort", sort),
    ("subelements", subelements),
    ("symmetric_difference", symmetric_difference),
    ("union", union),
    ("unique", unique),
    ("zip", zip),
    ("zip_longest", zip_longest),
];
