//! Laws that hold for every case in `tests/modules/`: check mode predicts `changed` and performs nothing;
//! a second run changes nothing.

use super::*;
use crate::machine::Mode;
use crate::value::{Key, Value};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Path to content; `-> x` is a link; a number makes a folder (path with a slash) with that mode.
    #[serde(default)]
    before: BTreeMap<String, Value>,
    args: Value,
    #[serde(default)]
    changed: bool,
    /// Part of the message, if it is to fail.
    failed: Option<String>,
    /// A failure that comes after something was done.
    #[serde(default)]
    leaves: bool,
    /// Path to content afterwards; null for what is gone.
    #[serde(default)]
    after: BTreeMap<String, Value>,
    /// Whether a second run changes something again.
    #[serde(default)]
    again: bool,
}

#[test]
fn check_mode_predicts_and_a_second_run_changes_nothing() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let module = file.file_stem().unwrap().to_str().unwrap().to_string();
        let cases: Vec<Case> =
            serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for case in cases {
            hold(&module, &case);
        }
    }
}

fn hold(module: &str, case: &Case) {
    let title = format!("{module}: {}", case.name);
    let temporary = ::tempfile::tempdir().unwrap();
    let dir = temporary.path();
    prepare(dir, &case.before);
    let run = |check: bool| {
        let mode = Mode { check, diff: true };
        let mut machine = Machine::new(mode, Vec::new());
        super::run(module, in_dir(&case.args, dir), &mut machine)
    };
    let before = snapshot(dir);
    let predicted = run(true);
    assert_eq!(snapshot(dir), before, "{title}: check mode did something");
    let result = run(false);
    let message = result
        .get("msg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match &case.failed {
        Some(part) => {
            assert!(
                result.is_failed() && message.contains(part.as_str()),
                "{title}: {result:?}"
            );
            if !case.leaves {
                assert!(predicted.is_failed(), "{title}: check mode: {predicted:?}");
            }
        }
        None => {
            assert!(!result.is_failed(), "{title}: {message}");
            assert_eq!(result.is_changed(), case.changed, "{title}: {result:?}");
            assert_eq!(
                predicted.is_changed(),
                case.changed,
                "{title}: check mode: {predicted:?}"
            );
            let second = run(false);
            assert_eq!(
                second.is_changed(),
                case.again,
                "{title}: second run: {second:?}"
            );
        }
    }
    for (path, expected) in &case.after {
        let path = dir.join(path);
        let found = match std::fs::symlink_metadata(&path) {
            Err(_) => Value::Null,
            Ok(m) if m.is_dir() => Value::Int((m.mode() & 0o7777).into()),
            Ok(m) if m.is_symlink() => Value::from(format!(
                "-> {}",
                std::fs::read_link(&path).unwrap().display()
            )),
            Ok(_) => Value::from(std::fs::read_to_string(&path).unwrap()),
        };
        let expected = match expected {
            Value::Int(digits) => Value::Int(i64::from_str_radix(&digits.to_string(), 8).unwrap()),
            other => other.clone(),
        };
        assert_eq!(found, expected, "{title}: {}", path.display());
    }
}

/// The arguments with `DIR` replaced.
fn in_dir(value: &Value, dir: &Path) -> Map {
    fn deep(value: &Value, dir: &str) -> Value {
        match value {
            Value::Str(s) => Value::from(s.replace("DIR", dir)),
            Value::List(items) => Value::list(items.iter().map(|i| deep(i, dir)).collect()),
            other => other.clone(),
        }
    }
    let dir = dir.to_str().unwrap();
    let map = value.as_map().unwrap().iter();
    map.map(|(k, v): (&Key, _)| (k.clone(), deep(v, dir)))
        .collect()
}

fn prepare(dir: &Path, entries: &BTreeMap<String, Value>) {
    for (name, content) in entries {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Value::Int(mode) => {
                std::fs::create_dir_all(&path).unwrap();
                let mode = u32::from_str_radix(&mode.to_string(), 8).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            other => {
                let text = other.as_str().unwrap();
                match text.strip_prefix("-> ") {
                    Some(target) => std::os::unix::fs::symlink(target, &path).unwrap(),
                    None => std::fs::write(&path, text).unwrap(),
                }
            }
        }
    }
}

/// All that is in a folder: kind and mode, times, content.
fn snapshot(dir: &Path) -> BTreeMap<String, (u32, i64, i64, Vec<u8>)> {
    let mut out = BTreeMap::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let m = std::fs::symlink_metadata(&path).unwrap();
            let content = match () {
                () if m.is_dir() => {
                    todo.push(path.clone());
                    Vec::new()
                }
                () if m.is_symlink() => std::fs::read_link(&path)
                    .unwrap()
                    .to_string_lossy()
                    .as_bytes()
                    .to_vec(),
                () => std::fs::read(&path).unwrap(),
            };
            let entry = (m.mode(), m.mtime(), m.mtime_nsec(), content);
            out.insert(path.display().to_string(), entry);
        }
    }
    out
}

#[test]
fn examples_run() {
    for entry in MODULES {
        let temporary = ::tempfile::tempdir().unwrap();
        let text = entry
            .examples
            .replace("{{ folder }}", temporary.path().to_str().unwrap());
        let tasks: Vec<Value> = serde_yaml::from_str(&text)
            .unwrap_or_else(|e| panic!("the example of {} is no YAML: {e}", entry.name));
        for task in tasks {
            // what depends on the host says so
            if task.get("when").is_some() {
                continue;
            }
            let Some((module, given)) = task.as_map().into_iter().flatten().find_map(|(k, v)| {
                Some((
                    find(k.as_str().filter(|k| k.starts_with("ansible.builtin."))?)?,
                    v,
                ))
            }) else {
                continue;
            };
            let mut args = match given {
                Value::Map(map) => (**map).clone(),
                Value::Str(line) => args::map([("_raw_params", Value::from(line.as_ref()))]),
                _ => Map::default(),
            };
            if let Some(Value::Map(more)) = task.get("args") {
                args.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            // what only some hosts have is not done to this one
            if task.get("when").is_some() {
                if let Err(e) = args::checked(entry.name, &(entry.spec)(), args) {
                    panic!("{}: {}", entry.name, e.msg);
                }
                continue;
            }
            // a job that has ended, for the example that asks for one
            if module.name == "async_status" {
                let done = r#"{"ansible_job_id": "1.2", "started": 1, "finished": 1, "rc": 0}"#;
                std::fs::write(temporary.path().join("1.2"), done).unwrap();
                let dir = temporary.path().to_str().unwrap();
                args.extend(args::map([
                    ("jid", "1.2".into()),
                    ("_async_dir", dir.into()),
                ]));
            }
            let result = (module.run)(&(module.spec)(), args, &mut Machine::default());
            assert!(
                !result.is_failed(),
                "{}: {:?}",
                entry.name,
                result.get("msg")
            );
        }
    }
}

#[test]
fn every_option_has_documentation_and_names_are_unique() {
    for entry in MODULES {
        let spec = (entry.spec)();
        let mut names = std::collections::HashSet::new();
        for option in &spec.options {
            let documented = !option.doc.is_empty()
                || !option.choices.is_empty()
                || option.hidden
                || option.name.starts_with('_')
                || option.name.starts_with("marker_");
            assert!(
                documented,
                "{}: {} has no documentation",
                entry.name, option.name
            );
            for name in std::iter::once(&option.name).chain(&option.aliases) {
                assert!(
                    names.insert(name.clone()),
                    "{}: {name} is there twice",
                    entry.name
                );
            }
        }
    }
}
