//! Searching and replacing with Python's regular expressions.

use super::Filter;
use crate::Result;
use crate::regex::{self, Flags};
use crate::template::call::{Args, Call, error};
use crate::template::python;
use crate::value::Value;

fn flags(args: &Args) -> Flags {
    Flags {
        ignorecase: args.flag("ignorecase", false),
        multiline: args.flag("multiline", false),
        dotall: false,
        ..Flags::default()
    }
}

fn regex_replace(mut call: Call) -> Result<Value> {
    let args = call.bind(&[
        "pattern",
        "replacement",
        "ignorecase",
        "multiline",
        "count",
        "mandatory_count",
    ])?;
    let text = call.text();
    let pattern = args.text("pattern", "");
    let regex = regex::compile(&pattern, flags(&args))?;
    let count = args.int("count", 0)?.max(0) as usize;
    let (new, replaced) = regex::replace(&regex, &text, &args.text("replacement", ""), count)?;
    let wanted = args.int("mandatory_count", 0)?;
    if wanted != 0 && wanted != replaced as i64 {
        return Err(error(format!(
            "'{pattern}' should match {wanted} times, but matches {replaced} times in '{text}'"
        )));
    }
    Ok(Value::str(new))
}

/// `\1` and `\g<name>` pick groups; they follow the pattern.
fn regex_search(mut call: Call) -> Result<Value> {
    let picks = if call.args.len() > 1 {
        call.args.split_off(1)
    } else {
        Vec::new()
    };
    let args = call.bind(&["regex", "ignorecase", "multiline"])?;
    args.need("regex")?;
    let text = call.text();
    let regex = regex::compile(&args.text("regex", ""), flags(&args))?;
    let mut groups = Vec::new();
    for pick in picks {
        let pick = python::str(&pick);
        let number = if let Some(name) = pick.strip_prefix("\\g") {
            let name = name.trim_start_matches('<').trim_end_matches('>');
            match name.parse() {
                Ok(n) => Some(n),
                Err(_) => regex::group_number(&regex, name),
            }
        } else if let Some(number) = pick.strip_prefix('\\') {
            number.parse().ok()
        } else {
            return Err(error("Unknown argument"));
        };
        match number {
            Some(n) if n < regex.captures_len() => groups.push(n),
            _ => return Err(error("no such group")),
        }
    }
    let Some(found) = regex::search(&regex, &text)? else {
        return Ok(Value::Null);
    };
    let group = |i: usize| match found.get(i) {
        Some(m) => Value::str(m.as_str()),
        None => Value::Null,
    };
    if groups.is_empty() {
        return Ok(group(0));
    }
    Ok(Value::list(groups.into_iter().map(group).collect()))
}

fn regex_findall(mut call: Call) -> Result<Value> {
    let args = call.bind(&["regex", "multiline", "ignorecase"])?;
    args.need("regex")?;
    let text = call.text();
    let regex = regex::compile(&args.text("regex", ""), flags(&args))?;
    let mut out = Vec::new();
    for found in regex::find_all(&regex, &text, usize::MAX)? {
        let group = |i: usize| Value::str(found.get(i).map_or("", |m| m.as_str()));
        out.push(match found.len() {
            1 => group(0),
            2 => group(1),
            n => Value::list((1..n).map(group).collect()),
        });
    }
    Ok(Value::list(out))
}

fn regex_escape(mut call: Call) -> Result<Value> {
    let args = call.bind(&["re_type"])?;
    let special = match args.text("re_type", "python").as_str() {
        "python" => "\t\n\u{b}\u{c}\r #$&()*+-.?[\\]^{|}~",
        "posix_basic" => ".^$*[]\\",
        other @ "posix_extended" => {
            return Err(error(format!("Regex type ({other}) not yet implemented")));
        }
        other => return Err(error(format!("Invalid regex type ({other})"))),
    };
    let text = call.text();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Value::str(out))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("regex_escape", regex_escape),
    ("regex_findall", regex_findall),
    ("regex_replace", regex_replace),
    ("regex_search", regex_search),
];
