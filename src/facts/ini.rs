//! INI files as Python's `configparser` reads them: what facts.d holds that is not JSON.

use crate::value::{Map, Value};

/// Why a text is no INI file.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// A line that is no part of one, something given twice, or no section at all.
    Shape,
    /// A `%` that means nothing; the text says which.
    Interpolation(String),
}

/// Sections and their options, in order. Options of `[DEFAULT]` are in every section.
type Sections = Vec<(String, Vec<(String, String)>)>;

/// A dictionary of sections. Names of options are in lower case; `%(name)s` is the value of another option.
pub fn parse(text: &str) -> Result<Value, Problem> {
    let sections = read(text)?;
    let defaults = sections
        .iter()
        .find(|(name, _)| name == "DEFAULT")
        .map_or(&[][..], |(_, options)| options);
    let mut out = Map::default();
    for (section, own) in sections.iter().filter(|(name, _)| name != "DEFAULT") {
        let inherited = defaults
            .iter()
            .filter(|(key, _)| !own.iter().any(|(k, _)| k == key));
        let all: Vec<&(String, String)> = own.iter().chain(inherited).collect();
        let mut map = Map::default();
        for (key, value) in &all {
            let value = interpolate(section, key, value, &all, 0)?;
            map.insert(key.as_str().into(), value.into());
        }
        out.insert(section.as_str().into(), map.into());
    }
    Ok(Value::map(out))
}

fn read(text: &str) -> Result<Sections, Problem> {
    let mut sections: Sections = Vec::new();
    // how far the option's name is indented: lines further in go on with its value
    let mut indent = None;
    for line in text.lines() {
        let stripped = line.trim();
        if stripped.starts_with(['#', ';']) {
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let last = sections.last_mut().and_then(|(_, o)| o.last_mut());
        if let (Some(level), Some((_, value))) = (indent, last)
            && (stripped.is_empty() || depth > level)
        {
            value.push('\n');
            value.push_str(stripped);
            continue;
        }
        if stripped.is_empty() {
            continue;
        }
        if let Some(name) = stripped.strip_prefix('[').and_then(|l| l.rsplit_once(']')) {
            let name = name.0;
            if name.is_empty() || sections.iter().any(|(n, _)| n == name) {
                return Err(Problem::Shape);
            }
            sections.push((name.to_string(), Vec::new()));
            indent = None;
            continue;
        }
        let (key, value) = stripped.split_once(['=', ':']).ok_or(Problem::Shape)?;
        let (_, options) = sections.last_mut().ok_or(Problem::Shape)?;
        let key = key.trim().to_lowercase();
        if key.is_empty() || options.iter().any(|(k, _)| *k == key) {
            return Err(Problem::Shape);
        }
        options.push((key, value.trim().to_string()));
        indent = Some(depth);
    }
    for (_, value) in sections.iter_mut().flat_map(|(_, options)| options) {
        value.truncate(value.trim_end().len());
    }
    Ok(sections)
}

fn interpolate(
    section: &str,
    key: &str,
    value: &str,
    options: &[&(String, String)],
    depth: usize,
) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(more) = after.strip_prefix('%') {
            out.push('%');
            rest = more;
            continue;
        }
        let Some((name, more)) = after.strip_prefix('(').and_then(|a| a.split_once(")s")) else {
            return Err(Problem::Interpolation(match after.starts_with('(') {
                true => format!(
                    "bad interpolation variable reference {}",
                    crate::python::quote(&format!("%{after}"))
                ),
                false => format!(
                    "'%' must be followed by '%' or '(', found: {}",
                    crate::python::quote(&format!("%{after}"))
                ),
            }));
        };
        let name = name.to_lowercase();
        let Some((_, other)) = options.iter().find(|(k, _)| *k == name) else {
            return Err(Problem::Interpolation(format!(
                "Bad value substitution: option '{key}' in section '{section}' contains an interpolation key '{name}' which is not a valid option name. Raw value: {}",
                crate::python::quote(value)
            )));
        };
        if depth >= 10 {
            return Err(Problem::Interpolation(format!(
                "Recursion limit exceeded in value substitution: option '{key}' in section '{section}' contains an interpolation key which cannot be substituted in 10 steps. Raw value: {}",
                crate::python::quote(value)
            )));
        }
        out.push_str(&interpolate(section, key, other, options, depth + 1)?);
        rest = more;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_python_reads_them() {
        let cases = [
            ("", r#"{}"#),
            (
                "[a]\nK = v ; c\n# no\nB: x = y\n",
                r#"{"a":{"k":"v ; c","b":"x = y"}}"#,
            ),
            ("[a]\nk = 1\n  2\n\n\n[b]\n", r#"{"a":{"k":"1\n2"},"b":{}}"#),
            ("[DEFAULT]\nd=1\n[x]\ny=2\n", r#"{"x":{"y":"2","d":"1"}}"#),
            ("[a]\nk=%(h)s\nh=5%%\n", r#"{"a":{"k":"5%","h":"5%"}}"#),
            ("[a]\nk=\n", r#"{"a":{"k":""}}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse(text).unwrap().to_json().to_string(),
                expected,
                "{text}"
            );
        }
        for text in ["a=1", "[a]\nk\n", "[a]\nk=1\nK=2", "[a]\n[a]\n", "nonsense"] {
            assert_eq!(parse(text), Err(Problem::Shape), "{text}");
        }
        let bad = parse("[c]\nb = 50%\n").unwrap_err();
        let words = "'%' must be followed by '%' or '(', found: '%'";
        assert_eq!(bad, Problem::Interpolation(words.into()));
    }
}
