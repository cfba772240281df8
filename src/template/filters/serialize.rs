//! JSON and YAML, out and in.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::json::{self, Style};
use crate::template::python;
use crate::value::Value;
use crate::yaml;
use crate::yaml::EmitOptions as Options;

/// Options of Ansible's own that change nothing here: rendered values hold no vault texts.
const IGNORED: &[&str] = &["vault_to_text", "preprocess_unsafe", "vault_behavior"];

fn json_style(call: &mut Call, mut style: Style) -> Result<Style> {
    for name in IGNORED {
        call.kwargs.shift_remove(*name);
    }
    let args = call.bind_kwargs(&[
        "indent",
        "sort_keys",
        "ensure_ascii",
        "separators",
        "skipkeys",
        "check_circular",
        "allow_nan",
    ])?;
    if let Some(first) = call.args.first() {
        // to_nice_json takes its indent by position too
        style.indent = Some(" ".repeat(first.as_i64().unwrap_or(0).max(0) as usize));
    }
    match args.get("indent") {
        None => {}
        Some(Value::Null) => style.indent = None,
        Some(text) if text.as_str().is_some() => style.indent = Some(python::str(text)),
        Some(_) => style.indent = Some(" ".repeat(args.int("indent", 0)?.max(0) as usize)),
    }
    style.item_separator = if style.indent.is_some() { "," } else { ", " }.into();
    style.sort_keys = args.flag("sort_keys", style.sort_keys);
    style.ensure_ascii = args.flag("ensure_ascii", true);
    match args.given("separators").map(|v| (v, v.as_list())) {
        None => {}
        Some((_, Some([item, key]))) => {
            style.item_separator = python::str(item);
            style.key_separator = python::str(key);
        }
        Some(_) => return Err(error("separators must be a pair of texts")),
    }
    Ok(style)
}

fn to_json(mut call: Call) -> Result<Value> {
    let style = json_style(&mut call, Style::default())?;
    json::dump(&call.value, &style).map(Value::from)
}

fn to_nice_json(mut call: Call) -> Result<Value> {
    let style = Style {
        sort_keys: true,
        ..Style::indented(4)
    };
    let style = json_style(&mut call, style)?;
    json::dump(&call.value, &style).map(Value::from)
}

fn from_json(mut call: Call) -> Result<Value> {
    call.bind(&["profile"])?;
    match call.value.as_str() {
        Some(text) => {
            let strict = call
                .templar
                .config()
                .is_none_or(|c| c.module_strict_utf8_response);
            json::load(text, strict)
        }
        None => Err(error(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            call.value.type_name()
        ))),
    }
}

fn documents(text: &str) -> Result<Vec<Value>> {
    let nodes = yaml::load_data("<unicode string>", text)?;
    Ok(nodes.iter().map(yaml::Node::to_value).collect())
}

fn from_yaml(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let Some(text) = call.value.as_str() else {
        return Ok(call.value);
    };
    let mut found = documents(text)?;
    match found.len() {
        0 => Ok(Value::Null),
        1 => Ok(found.remove(0)),
        _ => Err(error(
            "expected a single document in the stream, but found another document",
        )),
    }
}

fn from_yaml_all(mut call: Call) -> Result<Value> {
    call.no_args()?;
    match call.value.as_str() {
        Some(text) => documents(text).map(Value::list),
        None => Ok(call.value),
    }
}

fn dump_yaml(mut call: Call, mut style: Options) -> Result<Value> {
    for name in IGNORED {
        call.kwargs.shift_remove(*name);
    }
    let args = call.bind_kwargs(&[
        "indent",
        "width",
        "sort_keys",
        "default_flow_style",
        "default_style",
        "explicit_start",
        "explicit_end",
        "allow_unicode",
        "line_break",
        "canonical",
        "encoding",
        "version",
        "tags",
    ])?;
    if let Some(first) = call.args.first().and_then(Value::as_i64) {
        style.indent = i32::try_from(first).unwrap_or(2);
    }
    if args.given("indent").is_some() {
        style.indent = i32::try_from(args.int("indent", 2)?).unwrap_or(2);
    }
    if args.given("width").is_some() {
        let width = args.int("width", 80)?;
        style.width = i32::try_from(width).unwrap_or(i32::MAX);
    }
    style.sort_keys = args.flag("sort_keys", true);
    if let Some(flow) = args.get("default_flow_style") {
        style.default_flow_style = match flow {
            Value::Null => None,
            other => Some(other.is_truthy()),
        };
    }
    if let Some(quote) = args.given("default_style") {
        style.default_style = python::str(quote).chars().next();
    }
    style.explicit_start = args.flag("explicit_start", false);
    style.explicit_end = args.flag("explicit_end", false);
    for unsupported in ["line_break", "canonical", "encoding", "version", "tags"] {
        if args.given(unsupported).is_some() {
            return Err(error(format!(
                "{}: the option '{unsupported}' is not supported",
                call.name
            )));
        }
    }
    if !args.flag("allow_unicode", true) {
        return Err(error(format!(
            "{}: 'allow_unicode=false' is not supported",
            call.name
        )));
    }
    yaml::emit(&call.value, &style).map(Value::from)
}

fn to_yaml(call: Call) -> Result<Value> {
    dump_yaml(call, Options::plain())
}

fn to_nice_yaml(call: Call) -> Result<Value> {
    dump_yaml(call, Options::nice())
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("from_json", from_json),
    ("from_yaml", from_yaml),
    ("from_yaml_all", from_yaml_all),
    ("to_json", to_json),
    ("to_nice_json", to_nice_json),
    ("to_nice_yaml", to_nice_yaml),
    ("to_yaml", to_yaml),
];
