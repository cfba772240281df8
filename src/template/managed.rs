//! `ansible_managed`: the setting of that name for one template file.
//!
//! See <https://docs.ansible.com/ansible/latest/reference_appendices/config.html#default-managed-str>.

use super::{Templar, python};
use crate::error::Kind;
use crate::value::{Map, Template, Value};
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// The text for a template file, whose other variables are `own`.
///
/// Codes of `strftime` stand for when the file was changed; `{file}`, `{host}` and `{uid}` for the file's name, this
/// machine and the file's owner; `{{{{ }}}}` is a template. What those stand for is never rendered.
/// Errors on another name in braces, and where the template fails.
pub fn managed(setting: &str, path: &Path, own: &Map, templar: &Templar) -> Result<Value> {
    if !setting.contains(['%', '{', '}']) {
        return Ok(Value::str(setting));
    }
    let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let changed = changed.and_then(|t| jiff::Timestamp::try_from(t).ok());
    let text = match changed {
        Some(at) => {
            let zoned = at.to_zoned(jiff::tz::TimeZone::system());
            jiff::fmt::strtime::format(setting, &zoned).unwrap_or_else(|_| setting.to_string())
        }
        None => setting.to_string(),
    };
    let text = fields(&text)?;
    let mut extra = Map::default();
    let name = path.file_name().map(|n| n.to_string_lossy());
    extra.insert(
        "_managed_file".into(),
        Value::from(name.unwrap_or_default().into_owned()),
    );
    for (field, name) in [("host", "template_host"), ("uid", "template_uid")] {
        let value = own.get(name).cloned().unwrap_or_default();
        extra.insert(format!("_managed_{field}").into(), value);
    }
    let rendered = templar
        .with(extra)
        .render(&Value::Template(Arc::new(Template {
            text: text.into(),
            at: None,
            verbatim: false,
        })))?;
    Ok(Value::from(python::str(&rendered)))
}

/// The template that a format is: fields become variables, doubled braces single ones.
fn fields(format: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        let Some((name, after)) = rest.split_once('}').filter(|_| brace == "{") else {
            return Err(Error::new(
                Kind::Template,
                format!("Single '{brace}' encountered in format string"),
            ));
        };
        if !["file", "host", "uid"].contains(&name) {
            return Err(Error::new(Kind::Template, python::quote(name)));
        }
        out.push_str(&format!("{{{{ _managed_{name} }}}}"));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn fields_become_variables() {
        for (format, template) in [
            ("plain", "plain"),
            (
                "{file} by {uid}",
                "{{ _managed_file }} by {{ _managed_uid }}",
            ),
            ("{{{{ 1 + 1 }}}} {{}}", "{{ 1 + 1 }} {}"),
        ] {
            assert_eq!(fields(format).unwrap(), template);
        }
        assert_eq!(fields("{nope}").unwrap_err().message(), "'nope'");
        assert!(fields("}").is_err());
    }
}
