//! `copy`: the controller's side. Finds the source, walks through folders, decrypts; the module on the
//! target writes.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/copy_module.html>.

use super::{Context, Entry, refused};
use crate::modules::args::{self, map};
use crate::python;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::value::{Map, Value};
use base64::Engine;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub const ENTRY: Entry = Entry {
    names: &["copy"],
    run,
};

/// What the module says, too, where only it can see that `dest` is a folder.
const NO_FOLDER: &str = "can not use content with a dir as dest";

/// What the vault says where no password was given.
const NO_SECRETS: &str = "Attempting to decrypt but no vault secrets found.";

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    let given = |args: &Map, name: &str| args.get(name).is_some_and(|v| !v.is_null());
    let dest = args.get("dest").map(args::text).unwrap_or_default();
    let empty = |args: &Map| args.get("src").map(args::text).as_deref() == Some("");
    if (!given(&args, "src") || empty(&args)) && !given(&args, "content") {
        return refuse("src (or content) is required");
    }
    if dest.is_empty() {
        return refuse("dest is required");
    }
    if given(&args, "src") && given(&args, "content") {
        return refuse("src and content are mutually exclusive");
    }
    if given(&args, "content") {
        if dest.ends_with('/') {
            return refuse(NO_FOLDER);
        }
        let content = match args.shift_remove("content") {
            Some(value @ (Value::Map(_) | Value::List(_))) => args::spaced_json(&value.to_json()),
            Some(value) => python::str(&value),
            None => String::new(),
        };
        // the controller's copy of a content is a private file
        args.entry("_mode".into()).or_insert(Value::Int(0o600));
        args.shift_remove("remote_src");
        return write(args, content.as_bytes(), context);
    }
    if flag(&args, "remote_src", false) {
        return context.module("copy", args);
    }
    let name = args.get("src").map(args::text).unwrap_or_default();
    let source = match context.files.find("files", &name) {
        Ok(found) => found,
        Err(_) => {
            let msg = not_found(context.files, "files", &name);
            return refused("", &format!("Unexpected AnsibleActionFail error: {msg}"));
        }
    };
    if source.is_dir() {
        return copy_folder(&args, &source, name.ends_with('/'), &dest, context);
    }
    copy_file(args, &source, context)
}

fn refuse(msg: &str) -> TaskResult {
    refused("Action failed: ", msg)
}

/// A boolean among arguments that are not checked yet; what is none is refused by the module.
fn flag(args: &Map, name: &str, default: bool) -> bool {
    let value = args.get(name).filter(|v| !v.is_null());
    value.and_then(|v| args::boolean(v).ok()).unwrap_or(default)
}

/// The message for a source that is nowhere.
pub(super) fn not_found(files: &SearchPath, kind: &str, name: &str) -> String {
    let searched = files.searched(kind, name);
    let list = match Path::new(name).is_absolute() {
        true => String::new(),
        false => searched
            .iter()
            .fold("\nSearched in:".to_string(), |list, path| {
                format!("{list}\n\t{}", path.display())
            }),
    };
    format!(
        "Could not find or access '{name}'{list} on the Ansible Controller.\nIf you are using a module and \
         expect the file to exist on the remote, see the remote_src option"
    )
}

/// Has the module write `content`.
pub(super) fn write(mut args: Map, content: &[u8], context: &mut Context<'_>) -> TaskResult {
    let text = base64::engine::general_purpose::STANDARD.encode(content);
    args.insert("_content".into(), text.into());
    let sum = crate::machine::sha1_of(content);
    call(args, &sum, context)
}

/// Calls the module. What it says of arguments, and of a file that is left alone, is made what users know.
fn call(args: Map, sum: &str, context: &mut Context<'_>) -> TaskResult {
    let force = flag(&args, "force", true);
    let source = args.get("src").and(args.get("_header")).cloned();
    let dest = args.get("dest").map(args::text);
    let mut result = context.module("copy", args);
    let failure = match result.is_failed() {
        true => result.get("msg").and_then(Value::as_str),
        false => None,
    };
    match failure {
        Some(msg) if msg == NO_FOLDER => return refuse(NO_FOLDER),
        Some(msg) if msg.starts_with("Task failed") => {
            let words = msg.to_string();
            result
                .error
                .get_or_insert_with(|| crate::Error::general(words));
            return result;
        }
        Some(msg) => {
            let words = format!("Task failed: Module failed: {msg}");
            result
                .error
                .get_or_insert_with(|| crate::Error::general(words));
        }
        None => {}
    }
    if result.is_failed() && result.get("checksum").is_none() {
        result.set("checksum", sum);
    }
    if !force && !result.is_changed() && !result.is_failed() && result.get("checksum").is_none() {
        let shown = ["changed", "dest", "invocation"];
        result
            .fields
            .retain(|k, _| k.as_str().is_some_and(|k| shown.contains(&k)));
        // a file of the controller's, and the folder as it was written
        if let Some(source) = source {
            result.set("src", source);
            if let Some(dest) = dest.filter(|d| !d.starts_with('~') && !d.contains('$')) {
                result.set("dest", dest);
            }
        }
    }
    result
}

/// One file of the controller's.
fn copy_file(mut args: Map, source: &Path, context: &mut Context<'_>) -> TaskResult {
    let shown = source.display().to_string();
    let unreadable = |e: std::io::Error| {
        refuse(&format!(
            "could not read {shown}: {}",
            crate::machine::reason(&e)
        ))
    };
    let metadata = match std::fs::metadata(source) {
        Ok(metadata) => metadata,
        Err(e) => return unreadable(e),
    };
    if let Some(name) = source.file_name() {
        args.entry("_original_basename".into())
            .or_insert(Value::from(name.to_string_lossy().as_ref()));
    }
    args.insert("_header".into(), shown.as_str().into());
    args.insert(
        "_mode".into(),
        Value::Int((metadata.permissions().mode() & 0o7777).into()),
    );
    if flag(&args, "decrypt", true) && is_vault(source) {
        let encrypted = match std::fs::read(source) {
            Ok(encrypted) => encrypted,
            Err(e) => return unreadable(e),
        };
        return match crate::vault::secrets().decrypt(&encrypted) {
            Ok(plain) => {
                args.shift_remove("src");
                write(args, &plain, context)
            }
            Err(e) if e.message() == NO_SECRETS => refused(
                "",
                &format!(
                    "Task failed: A vault password or secret must be specified to decrypt {}",
                    source.display()
                ),
            ),
            Err(e) => undecryptable(e.message(), source, &context.task.at),
        };
    }
    let there = match context.session.upload(source) {
        Ok(path) => path,
        Err(e) => return e.result(),
    };
    args.insert("src".into(), there.to_string_lossy().as_ref().into());
    let result = match std::fs::File::open(source).and_then(crate::machine::sha1_of_reader) {
        Ok(sum) => call(args, &sum, context),
        Err(e) => unreadable(e),
    };
    context.session.discard(&there);
    result
}

/// The failure of a source that cannot be decrypted; it names the file.
fn undecryptable(msg: &str, source: &Path, task: &crate::source::Location) -> TaskResult {
    let file = crate::source::Source::new(source.display().to_string(), String::new());
    let mut result = refused("", &format!("Task failed: {msg}"));
    let error = crate::Error::general(msg).at(&crate::source::Location::new(&file, 0, 0));
    result.error = Some(error.within("Task failed", Some(task)).apart());
    result
}

/// What a file of the controller's holds, decrypted if need be. The error is words.
pub(super) fn plain(source: &Path) -> Result<Vec<u8>, String> {
    let content = std::fs::read(source).map_err(|e| {
        let why = crate::machine::reason(&e);
        format!("could not read {}: {why}", source.display())
    })?;
    match crate::vault::is_encrypted(&content) {
        true => crate::vault::secrets()
            .decrypt(&content)
            .map_err(|e| e.message().to_string()),
        false => Ok(content),
    }
}

/// Whether a file is encrypted.
pub(super) fn is_vault(path: &Path) -> bool {
    use std::io::Read;
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(64).read_to_end(&mut start));
    read.is_ok() && crate::vault::is_encrypted(&start)
}

/// What is in a folder of the controller's, in the order in which it is copied.
#[derive(Default)]
struct Walk {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    links: Vec<PathBuf>,
}

impl Walk {
    /// `above` are the folders that it is in, itself the last: a link back to one of them stays a link.
    fn level(&mut self, dir: &Path, follow: bool, above: &mut Vec<PathBuf>) -> std::io::Result<()> {
        above.push(std::fs::canonicalize(dir)?);
        let entries: std::io::Result<Vec<_>> = std::fs::read_dir(dir)?.collect();
        let mut paths: Vec<PathBuf> = entries?.into_iter().map(|e| e.path()).collect();
        // a folder's own files come before those of the folders in it
        paths.sort_by_key(|p| (p.is_dir(), p.clone()));
        for path in paths {
            // what leads nowhere stays a link
            let circle = || std::fs::canonicalize(&path).is_ok_and(|real| above.contains(&real));
            if path.is_symlink() && (!follow || !path.exists() || circle()) {
                self.links.push(path);
            } else if path.is_dir() {
                self.level(&path, follow, above)?;
                self.folders.push(path);
            } else {
                self.files.push(path);
            }
        }
        above.pop();
        Ok(())
    }
}

fn copy_folder(
    args: &Map,
    source: &Path,
    content_only: bool,
    dest: &str,
    context: &mut Context<'_>,
) -> TaskResult {
    let shown = match content_only {
        true => format!("{}/", source.display().to_string().trim_end_matches('/')),
        false => source.display().to_string(),
    };
    let mut walk = Walk::default();
    if let Err(e) = walk.level(source, flag(args, "local_follow", true), &mut Vec::new()) {
        return refuse(&format!(
            "could not read {shown}: {}",
            crate::machine::reason(&e)
        ));
    }
    // without the slash the folder itself is copied, so its name is part of the paths below `dest`
    let base = match content_only {
        true => source.to_path_buf(),
        false => source.parent().unwrap_or(source).to_path_buf(),
    };
    let dest = dest.trim_end_matches('/');
    let target = |path: &Path| match path.strip_prefix(&base) {
        Ok(below) => format!("{dest}/{}", below.display()),
        Err(_) => format!("{dest}/{}", path.display()),
    };
    let mut changed = false;
    let mut failed = None;
    let mut step = |result: TaskResult| {
        changed |= result.is_changed();
        if result.is_failed() || result.is_unreachable() {
            failed = Some(result);
        }
        failed.is_none()
    };
    let common = |args: &Map| -> Map {
        let kept = [
            "owner",
            "group",
            "seuser",
            "serole",
            "selevel",
            "setype",
            "attributes",
        ];
        args.iter()
            .filter(|(k, _)| k.as_str().is_some_and(|k| kept.contains(&k)))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let done = 'walk: {
        for file in &walk.files {
            let mut one = args.clone();
            let path = target(file);
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            // the slash has the folder made
            one.insert("dest".into(), format!("{folder}/").into());
            one.insert("_original_basename".into(), name.into());
            if !step(copy_file(one, file, context)) {
                break 'walk false;
            }
        }
        for folder in &walk.folders {
            let mut one = common(args);
            one.extend(map([
                ("path", target(folder).into()),
                ("state", "directory".into()),
            ]));
            if let Some(mode) = args.get("directory_mode") {
                one.insert("mode".into(), mode.clone());
            }
            if !step(context.module("file", one)) {
                break 'walk false;
            }
        }
        for link in &walk.links {
            let says = std::fs::read_link(link).unwrap_or_default();
            let mut one = common(args);
            one.extend(map([
                ("path", target(link).into()),
                ("src", says.to_string_lossy().as_ref().into()),
                ("state", "link".into()),
                ("force", true.into()),
                ("follow", false.into()),
            ]));
            if !step(context.module("file", one)) {
                break 'walk false;
            }
        }
        true
    };
    match failed {
        Some(result) if !done => result,
        _ => TaskResult::new()
            .with("changed", changed)
            .with("dest", format!("{dest}/"))
            .with("src", shown),
    }
}
