//! `include_vars`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/include_vars_module.html>

use super::{Context, Entry, texts};
use crate::playbook::boolean;
use crate::result::TaskResult;
use crate::value::{Key, Map, Value};
use crate::vars::files::combine;
use crate::{Error, Result, yaml};
use std::path::{Path, PathBuf};

pub const ENTRY: Entry = Entry {
    names: &["include_vars"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Some(raw) = args.shift_remove("_raw_params") {
        // text over several lines ends with a line break
        let raw = match &raw {
            Value::Str(text) => Value::str(text.trim_end_matches('\n')),
            _ => raw,
        };
        args.entry(Key::from("file")).or_insert(raw);
    }
    let known = [
        "depth",
        "dir",
        "extensions",
        "file",
        "files_matching",
        "hash_behaviour",
        "ignore_files",
        "ignore_unknown_extensions",
        "name",
    ];
    if let Some(other) = args.keys().find(|k| !known.contains(&&*k.to_string())) {
        let words = format!("{other} is not a valid option in include_vars");
        return crate::run::failure_of(Error::general(words), &context.task.at);
    }
    const OF_FOLDERS: &[&str] = &[
        "depth",
        "dir",
        "extensions",
        "files_matching",
        "ignore_files",
        "ignore_unknown_extensions",
    ];
    if args.contains_key("file") && OF_FOLDERS.iter().any(|o| args.contains_key(*o)) {
        let words = "You are mixing file only and dir only arguments, these are incompatible";
        return crate::run::failure_of(Error::general(words), &context.task.at);
    }
    let mut read = Vec::new();
    let loaded = load(&args, context, &mut read);
    let files = Value::list(
        read.iter()
            .map(|p| Value::str(p.to_string_lossy()))
            .collect(),
    );
    match loaded {
        Ok(vars) => {
            let vars = match args.get("hash_behaviour") {
                None | Some(Value::Null) if context.world.run.merge_hashes => {
                    over_known(vars, true, context)
                }
                None | Some(Value::Null) => vars,
                Some(how) => over_known(vars, crate::run::text_of(how) == "merge", context),
            };
            let facts = match args.get("name") {
                Some(name) => crate::playbook::one(&crate::run::text_of(name), Value::map(vars)),
                None => vars,
            };
            TaskResult::new()
                .with("changed", false)
                .with("ansible_facts", Value::map(facts))
                .with("ansible_included_var_files", files)
        }
        Err(e) => TaskResult::failed(e.message())
            .with("changed", false)
            .with("message", e.message())
            .with("ansible_facts", Value::map(Map::default()))
            .with("ansible_included_var_files", files),
    }
}

/// The variables with what is known of them already: dictionaries are merged where that is asked for.
fn over_known(vars: Map, merge: bool, context: &Context<'_>) -> Map {
    let mut out = Map::default();
    for key in vars.keys() {
        if let Ok(Some(known)) = context.templar.get(&key.to_string()) {
            out.insert(key.clone(), known);
        }
    }
    for (key, value) in vars {
        combine(&mut out, key, value, merge);
    }
    out
}

fn load(args: &Map, context: &Context<'_>, read: &mut Vec<PathBuf>) -> Result<Map> {
    if let Some(how) = args.get("hash_behaviour").map(crate::run::text_of)
        && !matches!(how.as_str(), "merge" | "replace")
    {
        return Err(Error::general(format!(
            "value of hash_behaviour must be one of: replace, merge, got: {how}"
        )));
    }
    if let Some(dir) = args.get("dir") {
        return load_folder(&crate::run::text_of(dir), args, context, read);
    }
    let Some(file) = args.get("file").filter(|f| f.is_truthy()) else {
        return Err(Error::general(
            "Could not find file on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option",
        ));
    };
    let name = crate::run::text_of(file);
    let path = context.files.find("vars", &name).map_err(|tried| {
        let searched: Vec<String> = tried.iter().map(|p| format!("\t{}", p.display())).collect();
        Error::general(format!(
            "Could not find or access '{name}'\nSearched in:\n{} on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option",
            searched.join("\n")
        ))
    })?;
    let vars = file_vars(&path)?;
    read.push(path);
    Ok(vars)
}

/// The variables of one file.
fn file_vars(path: &Path) -> Result<Map> {
    let node = yaml::load_file(path)?;
    match node.to_value() {
        Value::Map(map) => Ok((*map).clone()),
        Value::Null => Ok(Map::default()),
        _ => Err(Error::general(format!(
            "{} must be stored as a dictionary/hash",
            path.display()
        ))),
    }
}

fn load_folder(
    name: &str,
    args: &Map,
    context: &Context<'_>,
    read: &mut Vec<PathBuf>,
) -> Result<Map> {
    let dir = context
        .files
        .find("vars", name)
        .map_err(|_| Error::general(format!("{name} directory does not exist")))?;
    if !dir.is_dir() {
        return Err(Error::general(format!(
            "{} is not a directory",
            dir.display()
        )));
    }
    let depth = args
        .get("depth")
        .and_then(crate::run::number_of)
        .unwrap_or(0.0) as usize;
    let pattern = |text: &str| {
        fancy_regex::Regex::new(text)
            .map_err(|e| Error::general(format!("Invalid regular expression: {text}: {e}")))
    };
    let matching = match args.get("files_matching") {
        Some(text) => Some(pattern(&crate::run::text_of(text))?),
        None => None,
    };
    let ignored = texts(args.get("ignore_files"))
        .iter()
        .map(|t| pattern(&format!("{t}$")))
        .collect::<Result<Vec<_>>>()?;
    let extensions = match args.get("extensions") {
        None => vec!["yaml".into(), "yml".into(), "json".into()],
        given => texts(given),
    };
    let skip_unknown = args
        .get("ignore_unknown_extensions")
        .is_some_and(|v| boolean(v).unwrap_or(false));
    let mut files = Vec::new();
    walk(&dir, 1, depth, &mut files)?;
    let mut out = Map::default();
    for path in files {
        let file = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let hit = |r: &fancy_regex::Regex| r.is_match(&file).unwrap_or(false);
        if matching.as_ref().is_some_and(|m| !hit(m)) || ignored.iter().any(hit) {
            continue;
        }
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !extensions.contains(&extension) {
            if skip_unknown {
                continue;
            }
            return Err(Error::general(format!(
                "{} does not have a valid extension: {}",
                path.display(),
                extensions.join(", ")
            )));
        }
        // files of a folder replace what those before them say
        out.extend(file_vars(&path)?);
        read.push(path);
    }
    Ok(out)
}

/// Files below `dir` in order; `depth` 0 means all levels.
fn walk(dir: &Path, level: usize, depth: usize, out: &mut Vec<PathBuf>) -> Result<()> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(|e| Error::general(format!("{}: {e}", dir.display())))?
        .flatten()
        .map(|e| e.path())
        .collect();
    names.sort();
    out.extend(names.iter().filter(|p| p.is_file()).cloned());
    if depth == 0 || level < depth {
        for path in names.iter().filter(|p| p.is_dir()) {
            walk(path, level + 1, depth, out)?;
        }
    }
    Ok(())
}
