//! `fetch`: brings a file of the host's to the controller.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/fetch_module.html>.

use super::{Context, Entry, refused};
use crate::modules::args::{self, map};
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub const ENTRY: Entry = Entry {
    names: &["fetch"],
    run,
};

const OPTIONS: &[&str] = &[
    "dest",
    "fail_on_missing",
    "flat",
    "src",
    "validate_checksum",
];
const FOLDER: &str = "remote file is a directory, fetch cannot work on directories";
const IGNORED: &str = ", not transferring, ignored";

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match fetch(&args, context) {
        Ok(result) => result,
        Err(result) => *result,
    }
}

/// How the message about a file begins that the user may not read.
const UNREADABLE: &str = "File is not readable: ";

/// The result; what is wrong on this side is an error.
fn fetch(args: &Map, context: &mut Context<'_>) -> Result<TaskResult, Box<TaskResult>> {
    super::only("fetch", args, OPTIONS)?;
    if context.mode.check {
        return Ok(TaskResult::ok()
            .with("skipped", true)
            .with("msg", "check mode not (yet) supported for this module"));
    }
    let refuse = |msg: &str| Box::new(refused("", msg));
    let text = |name: &str| {
        let value = args.get(name).filter(|v| !v.is_null());
        value.map(args::text).filter(|t| !t.is_empty())
    };
    let flag = |name: &str, default: bool| {
        let value = args.get(name).filter(|v| !v.is_null());
        value.map_or(Ok(default), args::boolean)
    };
    let strange = |value: &Value| !matches!(value, Value::Str(_) | Value::Null);
    if args.get("src").is_some_and(strange) {
        return Err(refuse(
            "Invalid type supplied for source option, it must be a string",
        ));
    }
    let (Some(src), Some(dest)) = (text("src"), text("dest")) else {
        return Err(refuse("src and dest are required"));
    };
    let flat = flag("flat", false).map_err(|e| refuse(&e))?;
    let must_be = flag("fail_on_missing", true).map_err(|e| refuse(&e))?;
    let validate = flag("validate_checksum", true).map_err(|e| refuse(&e))?;

    let found = context.module(
        "stat",
        map([
            ("path", src.as_str().into()),
            ("follow", true.into()),
            ("get_mime", false.into()),
            ("get_attributes", false.into()),
        ]),
    );
    // that the other user could not be become is no matter of the file
    let refused_at_host = found
        .get("msg")
        .and_then(Value::as_str)
        .is_some_and(|msg| msg.starts_with("Task failed: "));
    if found.is_unreachable() || (found.is_failed() && refused_at_host) {
        return Ok(found);
    }
    if found.is_failed() && !context.session.becomes() {
        let why = found.get("msg").map(crate::run::text_of);
        let msg = format!(
            "Failed to get information on remote file ({src}): {}",
            why.unwrap_or_default()
        );
        let result = match must_be {
            true => refused("Action failed: ", &msg),
            false => TaskResult::ok().with("msg", format!("{msg}, ignored")),
        };
        return Ok(result.with("file", src));
    }
    let stat = found.get("stat").cloned().unwrap_or_default();
    let is = |what: &str| stat.get(what).is_some_and(Value::is_truthy);
    let unreadable = format!(
        "Module failed: {UNREADABLE}{src}: [Errno 13] Permission denied: {}",
        crate::python::quote(&src)
    );
    let missing = match (is("exists"), is("isdir"), is("readable")) {
        // who reads it as another user learns no more than that
        _ if found.is_failed() => Some((UNREADABLE, unreadable)),
        (false, ..) => Some((
            "the remote file does not exist",
            format!(
                "Module failed: File not found: {src}: [Errno 2] No such file or directory: {}",
                crate::python::quote(&src)
            ),
        )),
        (_, true, _) => Some((FOLDER, format!("Action failed: {FOLDER}"))),
        (_, _, false) => Some((UNREADABLE, unreadable)),
        _ => None,
    };
    if let Some((msg, words)) = missing {
        let ignored = format!("{msg}{IGNORED}");
        let mut result = match (must_be, msg == FOLDER) {
            (true, true) => TaskResult::failed(msg),
            (true, false) if msg == UNREADABLE => TaskResult::failed(format!("{msg}{src}")),
            (true, false) => TaskResult::failed(ignored),
            (false, _) if msg == UNREADABLE => return Ok(TaskResult::ok().with("file", src)),
            (false, folder) => {
                let result = TaskResult::ok().with("msg", ignored);
                return Ok(if folder {
                    result
                } else {
                    result.with("file", src)
                });
            }
        };
        result.set("changed", false);
        result.error = Some(crate::Error::general(format!("Task failed: {words}")));
        return Ok(result);
    }
    // the module has expanded the path, as the host sees it
    let there = stat.get("path").map_or(src.clone(), crate::run::text_of);
    let dest = place(&dest, &there, flat, context).map_err(|e| refuse(&e))?;
    let shown = dest.to_string_lossy().into_owned();
    let remote = stat
        .get("checksum")
        .map(crate::run::text_of)
        .unwrap_or_default();
    let result = |changed: bool, sums: &Sums| {
        TaskResult::new()
            .with("changed", changed)
            .with("dest", shown.as_str())
            .with("md5sum", sums.md5.as_str())
            .with("checksum", sums.sha1.as_str())
    };
    if dest.is_dir() {
        return Err(refuse(&format!(
            "calculated dest '{shown}' is an existing directory, use another path that does not point to an \
             existing directory"
        )));
    }
    if let Ok(sums) = Sums::of(&dest)
        && sums.sha1 == remote
    {
        return Ok(result(false, &sums).with("file", src));
    }
    let local = |e: std::io::Error| refuse(&format!("{shown}: {}", crate::machine::reason(&e)));
    let folder = dest.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(local)?;
    // whoever reads the file meanwhile sees what was there before
    let partial = folder.join(format!(".rplay-{}", crate::secret::random_name()));
    let brought = context.session.download(Path::new(&there), &partial);
    let done = match brought {
        Ok(()) => std::fs::rename(&partial, &dest).map_err(local),
        Err(e) => Err(Box::new(e.result())),
    };
    if let Err(result) = done {
        let _ = std::fs::remove_file(&partial);
        return Err(result);
    }
    let sums = Sums::of(&dest).map_err(local)?;
    if validate && sums.sha1 != remote {
        let mut failed = refused("Action failed: ", "checksum mismatch");
        for (key, value) in result(false, &sums).fields {
            failed.fields.insert(key, value);
        }
        return Ok(failed
            .with("file", src)
            .with("remote_checksum", remote)
            .with("remote_md5sum", Value::Null));
    }
    Ok(result(true, &sums)
        .with("remote_checksum", remote)
        .with("remote_md5sum", Value::Null))
}

/// Where the file goes. The error is words.
fn place(dest: &str, src: &str, flat: bool, context: &Context<'_>) -> Result<PathBuf, String> {
    let into_folder = dest.ends_with('/');
    let playbook = &context.world.play.dir;
    let base = std::path::absolute(playbook).unwrap_or_else(|_| playbook.clone());
    let dest = base.join(crate::expand::home(dest));
    if !flat {
        // the tree below the host's name is the host's own
        return Ok(tidy(
            &dest.join(context.host).join(src.trim_start_matches('/')),
        ));
    }
    match (dest.is_dir(), into_folder) {
        (true, false) => Err(
            "dest is an existing directory, use a trailing slash if you want to fetch src into that directory"
                .to_string(),
        ),
        (_, true) => Ok(tidy(&dest.join(Path::new(src).file_name().unwrap_or_default()))),
        (_, false) => Ok(tidy(&dest)),
    }
}

/// Without `.` and doubled slashes; `..` goes up, but never above the root.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// The sums that the result shows.
struct Sums {
    md5: String,
    sha1: String,
}

impl Sums {
    fn of(path: &Path) -> std::io::Result<Sums> {
        use md5::{Digest, Md5};
        let sha1 = crate::machine::sha1_of_reader(File::open(path)?)?;
        let mut hash = Md5::new();
        let (mut file, mut piece) = (File::open(path)?, vec![0; 64 * 1024]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                n => hash.update(&piece[..n]),
            }
        }
        let md5 = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Sums { md5, sha1 })
    }
}
