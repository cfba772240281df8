//! The checks of arguments against a [`Spec`], in the order in which Ansible reports what is wrong.

use super::coerce::{self, convert};
use super::secrets::Secrets;
use super::spec::{Opt, Spec, Type};
use crate::error::did_you_mean;
use crate::modules::Failure;
use crate::python;
use crate::value::{Key, Map, Value};

pub(super) struct Checked {
    /// Every option, aliases resolved, defaults filled; null where there is no value.
    pub values: Map,
    pub secrets: Secrets,
    pub warnings: Vec<String>,
}

/// Checks and converts the arguments of module `name`.
pub(super) fn check(name: &str, spec: &Spec, args: Map) -> Result<Checked, Failure> {
    let mut secrets = Secrets::default();
    collect_secrets(spec, &args, &mut secrets);
    let mut warnings = Vec::new();
    let mut unknown = Vec::new();
    let mut errors = Vec::new();
    let mut level = Level {
        warnings: &mut warnings,
        unknown: &mut unknown,
        errors: &mut errors,
    };
    let values = check_level(spec, args, &[], &mut level);
    if let Some(first) = errors.into_iter().next() {
        return Err(secrets_out(Failure::new(first), &secrets));
    }
    if let Some(first) = unknown.first() {
        return Err(unsupported(name, first));
    }
    Ok(Checked {
        values,
        secrets,
        warnings,
    })
}

/// Everything that is wrong with arguments, in the order in which Ansible tells it.
#[cfg(feature = "controller")]
pub(super) fn errors(spec: &Spec, args: Map) -> Vec<String> {
    let (mut warnings, mut unknown, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut level = Level {
        warnings: &mut warnings,
        unknown: &mut unknown,
        errors: &mut errors,
    };
    check_level(spec, args, &[], &mut level);
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().flat_map(Unknown::full_names).collect();
        let supported = unknown[0].supported.join(", ");
        errors.push(format!(
            "{}. Supported parameters include: {supported}.",
            names.join(", ")
        ));
    }
    errors
}

/// What is found on the way through the levels of options.
struct Level<'a> {
    warnings: &'a mut Vec<String>,
    unknown: &'a mut Vec<Unknown>,
    errors: &'a mut Vec<String>,
}

fn secrets_out(mut failure: Failure, secrets: &Secrets) -> Failure {
    failure.msg = secrets.scrub_text(&failure.msg);
    failure
}

/// Names that no option of a level has.
struct Unknown {
    path: Vec<String>,
    names: Vec<String>,
    supported: Vec<String>,
    aliases: Vec<String>,
}

impl Unknown {
    /// The names with those of the options around them.
    fn full_names(&self) -> Vec<String> {
        let prefix = self.prefix();
        self.names.iter().map(|n| format!("{prefix}{n}")).collect()
    }

    fn prefix(&self) -> String {
        self.path.iter().map(|p| format!("{p}.")).collect()
    }
}

fn unsupported(module: &str, unknown: &Unknown) -> Failure {
    let prefix = unknown.prefix();
    let names = unknown.full_names();
    let aliases = match unknown.aliases.is_empty() {
        true => String::new(),
        false => format!(" ({})", unknown.aliases.join(", ")),
    };
    let mut failure = Failure::new(format!(
        "Unsupported parameters for ({module}) module: {}. Supported parameters include: {}{aliases}.",
        names.join(", "),
        unknown.supported.join(", "),
    ));
    let candidates = || {
        let names = unknown.supported.iter().chain(&unknown.aliases);
        names.map(String::as_str).filter(|n| !n.starts_with('_'))
    };
    let hints = unknown.names.iter().filter_map(|name| {
        let near = did_you_mean(name, candidates())?;
        Some(Value::from(format!("{prefix}{name}: did you mean {near}?")))
    });
    let hints: Vec<Value> = hints.collect();
    if !hints.is_empty() {
        failure.fields.insert("warnings".into(), hints.into());
    }
    failure
}

/// One level of options: those of the module, or of a dictionary in them.
fn check_level(spec: &Spec, args: Map, path: &[String], level: &mut Level<'_>) -> Map {
    let found_in = match path.is_empty() {
        true => String::new(),
        false => format!(" found in {}", path.join(" -> ")),
    };
    let mut values = resolve_aliases(spec, args, path, level);
    let given = |values: &Map, name: &str| values.get(name).is_some_and(|v| !v.is_null());
    let count = |values: &Map, names: &[String]| names.iter().filter(|n| given(values, n)).count();

    let exclusive: Vec<String> = spec
        .mutually_exclusive
        .iter()
        .filter(|group| {
            group
                .iter()
                .filter(|n| values.contains_key(n.as_str()))
                .count()
                > 1
        })
        .map(|group| group.join("|"))
        .collect();
    if !exclusive.is_empty() {
        level.errors.push(format!(
            "parameters are mutually exclusive: {}{found_in}",
            exclusive.join(", ")
        ));
    }
    let mut missing: Vec<&str> = spec
        .options
        .iter()
        .filter(|o| o.required && !values.contains_key(o.name.as_str()))
        .map(|o| o.name.as_str())
        .collect();
    if !missing.is_empty() {
        missing.sort_unstable();
        level.errors.push(format!(
            "missing required arguments: {}{found_in}",
            missing.join(", ")
        ));
    }
    let mut wrong: Vec<&str> = Vec::new();
    for opt in &spec.options {
        if let Some(value) = values.get_mut(opt.name.as_str()) {
            if value.is_null() && !opt.required && opt.default.is_null() {
                continue;
            }
            match convert_option(opt, value.clone(), path) {
                Ok(converted) => *value = converted,
                Err(e) => {
                    level.errors.push(e);
                    wrong.push(opt.name.as_str());
                }
            }
        }
    }
    for opt in &spec.options {
        if let Some(value) = values.get_mut(opt.name.as_str())
            && let Err(e) = check_choice(opt, value)
        {
            level.errors.push(format!("{e}{found_in}"));
        }
    }
    for group in &spec.required_together {
        let n = count(&values, group);
        if n > 0 && n < group.len() {
            level.errors.push(format!(
                "parameters are required together: {}{found_in}",
                group.join(", ")
            ));
        }
    }
    for group in &spec.required_one_of {
        if count(&values, group) == 0 {
            level.errors.push(format!(
                "one of the following is required: {}{found_in}",
                group.join(", ")
            ));
        }
    }
    for opt in &spec.options {
        // null is a value where anything is
        let given = values.get(opt.name.as_str());
        if given.is_none_or(|value| value.is_null() && opt.kind != Type::Raw) {
            values.insert(Key::from(opt.name.as_str()), opt.default.clone());
        }
    }
    for rule in &spec.required_if {
        if values.get(rule.option.as_str()) != Some(&rule.value) {
            continue;
        }
        let missing: Vec<&str> = rule
            .needed
            .iter()
            .map(String::as_str)
            .filter(|n| !given(&values, n))
            .collect();
        if (rule.any && missing.len() == rule.needed.len()) || (!rule.any && !missing.is_empty()) {
            level.errors.push(format!(
                "{} is {} but {} of the following are missing: {}{found_in}",
                rule.option,
                python::str(&rule.value),
                if rule.any { "any" } else { "all" },
                missing.join(", "),
            ));
        }
    }
    for (name, needed) in &spec.required_by {
        let missing: Vec<&str> = needed
            .iter()
            .map(String::as_str)
            .filter(|n| !given(&values, n))
            .collect();
        if given(&values, name) && !missing.is_empty() {
            level.errors.push(format!(
                "missing parameter(s) required by '{name}': {}{found_in}",
                missing.join(", ")
            ));
        }
    }
    for opt in &spec.options {
        let (Some(sub), Some(value)) = (&opt.options, values.get_mut(opt.name.as_str())) else {
            continue;
        };
        if wrong.contains(&opt.name.as_str()) {
            continue;
        }
        let mut path = path.to_vec();
        path.push(opt.name.clone());
        *value = match std::mem::take(value) {
            Value::Map(map) => Value::map(check_level(sub, (*map).clone(), &path, level)),
            Value::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    let map = match item {
                        Value::Map(map) => (**map).clone(),
                        Value::Str(text) => match coerce::dict_from_text(text) {
                            Ok(map) => map,
                            Err(e) => {
                                level.errors.push(e);
                                continue;
                            }
                        },
                        other => {
                            level.errors.push(format!(
                                "Value '{}' in the sub parameter field '{}' must be a list, not '{}'",
                                python::str(other),
                                path.join(" -> "),
                                other.type_name()
                            ));
                            continue;
                        }
                    };
                    out.push(Value::map(check_level(sub, map, &path, level)));
                }
                Value::list(out)
            }
            other => other,
        };
    }
    values
}

/// The arguments under their options' own names; what is no option goes to `unknown`.
fn resolve_aliases(spec: &Spec, args: Map, path: &[String], level: &mut Level<'_>) -> Map {
    let mut values = Map::default();
    let mut strangers = Vec::new();
    let mut by_alias: Vec<(&Opt, String, Value)> = Vec::new();
    for (key, value) in args {
        let name = key.to_string();
        if matches!(value, Value::Omit) || spec.internal.contains(&name) {
            continue;
        }
        match spec.find(&name) {
            Some(opt) if opt.name == name => {
                values.insert(key, value);
            }
            Some(opt) => by_alias.push((opt, name, value)),
            None => strangers.push(name),
        }
    }
    for (opt, alias, value) in by_alias {
        if values.contains_key(opt.name.as_str()) {
            level.warnings.push(format!(
                "Both option {} and its alias {alias} are set.",
                opt.name
            ));
        }
        values.insert(Key::from(opt.name.as_str()), value);
    }
    if !strangers.is_empty() {
        strangers.sort();
        let mut supported: Vec<String> = spec
            .options
            .iter()
            .filter(|o| !o.hidden)
            .map(|o| o.name.clone())
            .collect();
        supported.extend(spec.internal.iter().cloned());
        supported.sort();
        let mut aliases: Vec<String> = spec
            .options
            .iter()
            .flat_map(|o| o.aliases.iter().cloned())
            .collect();
        aliases.sort();
        level.unknown.push(Unknown {
            path: path.to_vec(),
            names: strangers,
            supported,
            aliases,
        });
    }
    values
}

fn convert_option(opt: &Opt, value: Value, path: &[String]) -> Result<Value, String> {
    let found_in = match path.is_empty() {
        true => String::new(),
        false => format!(" found in '{}'.", path.join(" -> ")),
    };
    let given = value.type_name();
    let refuse = |subject: &str, given: &str, kind: &Type, why: String| {
        format!(
            "{subject} '{}' is of type {given}{found_in} and we were unable to convert to {}: {why}",
            opt.name,
            kind.name()
        )
    };
    let value =
        convert(&opt.kind, value).map_err(|why| refuse("argument", given, &opt.kind, why))?;
    match (&opt.kind, value) {
        // suboptions say themselves what is wrong with an element
        (Type::List(_), value @ Value::List(_)) if opt.options.is_some() => Ok(value),
        (Type::List(element), Value::List(items)) if **element != Type::Raw => {
            let mut out = Vec::with_capacity(items.len());
            for item in items.iter() {
                let given = item.type_name();
                out.push(
                    convert(element, item.clone())
                        .map_err(|why| refuse("Elements value for option", given, element, why))?,
                );
            }
            Ok(Value::list(out))
        }
        (_, value) => Ok(value),
    }
}

fn check_choice(opt: &Opt, value: &mut Value) -> Result<(), String> {
    if opt.choices.is_empty() || value.is_null() {
        return Ok(());
    }
    let allowed = || {
        let names: Vec<String> = opt.choices.iter().map(|(c, _)| python::str(c)).collect();
        names.join(", ")
    };
    let known = |v: &Value| opt.choices.iter().any(|(c, _)| c == v);
    if let Value::List(items) = value {
        let bad: Vec<String> = items
            .iter()
            .filter(|i| !known(i))
            .map(python::str)
            .collect();
        return match bad.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "value of {} must be one or more of: {}. Got no match for: {}",
                opt.name,
                allowed(),
                bad.join(", ")
            )),
        };
    }
    if known(value) {
        return Ok(());
    }
    // `state: no` is a boolean in YAML; it means the one choice that YAML takes for that boolean
    if let Some(truth) = match value.as_str() {
        Some("True") => Some(true),
        Some("False") => Some(false),
        _ => None,
    } {
        let mut same = opt
            .choices
            .iter()
            .filter(|(c, _)| boolean_word(c) == Some(truth));
        if let (Some((choice, _)), None) = (same.next(), same.next()) {
            *value = choice.clone();
            return Ok(());
        }
    }
    Err(format!(
        "value of {} must be one of: {}, got: {}",
        opt.name,
        allowed(),
        python::str(value)
    ))
}

fn boolean_word(value: &Value) -> Option<bool> {
    coerce::boolean(value).ok()
}

/// Every value of a `no_log` option, at any depth.
pub(super) fn collect_secrets(spec: &Spec, args: &Map, secrets: &mut Secrets) {
    for (key, value) in args {
        let Some(opt) = key.as_str().and_then(|k| spec.find(k)) else {
            continue;
        };
        if opt.no_log {
            secrets.add(value);
        }
        if let Some(sub) = &opt.options {
            let items = match value {
                Value::List(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            for map in items.iter().filter_map(Value::as_map) {
                collect_secrets(sub, map, secrets);
            }
        }
    }
}
