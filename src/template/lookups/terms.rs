//! What several lookups do with their terms.

use crate::Result;
use crate::kv;
use crate::notice;
use crate::template::call::Call;
use crate::template::python;
use crate::value::Value;

/// `word key=value ...` of a term, added to the options of the call, which come first.
pub struct Term {
    /// The words without `=`, joined.
    pub word: String,
    pub pairs: Vec<(String, String)>,
}

/// Takes a term apart as Ansible does it for the lookups that have options in their terms.
pub fn split(term: &Value) -> Result<Term> {
    let text = python::str(term);
    let mut pairs = Vec::new();
    let mut words = Vec::new();
    for part in kv::split(&text)? {
        match part.split_once('=') {
            Some((key, value)) if is_name(key) => {
                pairs.push((key.to_string(), kv::unquote(value).to_string()));
            }
            _ => words.push(part.to_string()),
        }
    }
    Ok(Term {
        word: words.join(" "),
        pairs,
    })
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Lists in lists, made into one.
pub fn flatten(out: &mut Vec<Value>, value: &Value) {
    match value {
        Value::List(items) => items.iter().for_each(|v| flatten(out, v)),
        other => out.push(other.clone()),
    }
}

/// One level of lists taken away.
pub fn flatten_once(items: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for item in items {
        match item {
            Value::List(inner) => out.extend(inner.iter().cloned()),
            other => out.push(other.clone()),
        }
    }
    out
}

/// An option of the call, taken out of it.
pub fn take(call: &mut Call, name: &str) -> Option<Value> {
    call.kwargs.shift_remove(name)
}

/// Says which options the lookup does not have: Ansible takes no notice of them.
pub fn no_more_options(call: &Call) -> Result<()> {
    for key in call.kwargs.keys() {
        notice::warning(format!(
            "The lookup plugin '{}' has no option '{key}': it has no effect.",
            call.name
        ));
    }
    Ok(())
}

/// Ansible's reading of a boolean option.
pub fn truth(value: &Value) -> bool {
    crate::template::filters::logic::to_bool(value).unwrap_or_else(|| value.is_truthy())
}

/// As [`truth`] for options that are boolean by their documentation: what means nothing is no.
pub fn boolean(value: &Value) -> bool {
    crate::template::filters::logic::to_bool(value).unwrap_or(false)
}
