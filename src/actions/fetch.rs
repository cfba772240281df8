//! `fetch`: a file of the host's, brought to the controller.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/fetch_module.html>.

use super::{Context, Entry, refused};
use crate::modules::args::map;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use md5::{Digest, Md5};
use std::path::{Path, PathBuf};

pub const ENTRY: Entry = Entry {
    names: &["fetch"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let options = [
        "src",
        "dest",
        "flat",
        "fail_on_missing",
        "validate_checksum",
    ];
    if let Err(refused) = super::only("fetch", &args, &options) {
        return refused;
    }
    if context.mode.check {
        return TaskResult::new()
            .with("changed", false)
            .with("skipped", true)
            .with("msg", "check mode not (yet) supported for this module");
    }
    let text = |name: &str| {
        let value = args
            .get(name)
            .filter(|v| !v.is_null())
            .map(crate::run::text_of);
        value.filter(|v| !v.is_empty())
    };
    let flag = |name: &str, default: bool| {
        let value = args.get(name).filter(|v| !v.is_null());
        value.and_then(crate::playbook::boolean).unwrap_or(default)
    };
    let (Some(source), Some(dest)) = (text("src"), text("dest")) else {
        return refused("Action failed: ", "src and dest are required");
    };
    let found = context.module(
        "stat",
        map([
            ("path", source.as_str().into()),
            ("get_checksum", true.into()),
            ("follow", true.into()),
        ]),
    );
    if found.is_failed() || found.is_unreachable() {
        return found;
    }
    let stat = found.get("stat").cloned().unwrap_or(Value::Null);
    let is = |name: &str| stat.get(name) == Some(&Value::Bool(true));
    let ignored = "the remote file does not exist, not transferring, ignored";
    let lenient = !flag("fail_on_missing", true);
    match (is("exists"), is("isdir")) {
        (false, _) if lenient => {
            return TaskResult::new()
                .with("changed", false)
                .with("file", source)
                .with("msg", ignored);
        }
        (false, _) => {
            let mut result = TaskResult::failed(ignored).with("changed", false);
            result.error = Some(crate::Error::general(format!(
                "Task failed: Module failed: File not found: {source}: [Errno 2] No such file or directory: {}",
                crate::python::quote(&source)
            )));
            return result;
        }
        (true, true) => {
            let msg = "remote file is a directory, fetch cannot work on directories";
            return match lenient {
                true => TaskResult::new()
                    .with("changed", false)
                    .with("file", source)
                    .with("msg", format!("{msg}, not transferring, ignored")),
                false => TaskResult::failed(msg).with("changed", false),
            };
        }
        _ => {}
    }
    let checksum = stat
        .get("checksum")
        .map(crate::run::text_of)
        .unwrap_or_default();
    let dest = match place(&source, &dest, flag("flat", false), context) {
        Ok(dest) => dest,
        Err(msg) => return refused("Action failed: ", &msg),
    };
    let shown = dest.display().to_string();
    if let Ok((sha1, md5)) = sums(&dest)
        && sha1 == checksum
    {
        return TaskResult::new()
            .with("changed", false)
            .with("md5sum", md5)
            .with("file", source)
            .with("dest", shown)
            .with("checksum", sha1);
    }
    if let Err(e) = bring(&source, &dest, context) {
        return e;
    }
    match sums(&dest) {
        Ok((sha1, _)) if flag("validate_checksum", true) && sha1 != checksum => {
            TaskResult::failed("checksum mismatch")
                .with("file", source)
                .with("dest", shown)
                .with("checksum", sha1)
                .with("remote_checksum", checksum)
        }
        Ok((sha1, md5)) => TaskResult::new()
            .with("changed", true)
            .with("md5sum", md5)
            .with("dest", shown)
            .with("remote_md5sum", Value::Null)
            .with("checksum", sha1)
            .with("remote_checksum", checksum),
        Err(e) => refused("Action failed: ", &format!("could not read {shown}: {e}")),
    }
}

/// Where the file goes: below `dest` and the host's name, or `dest` itself with `flat`.
fn place(source: &str, dest: &str, flat: bool, context: &Context<'_>) -> Result<PathBuf, String> {
    let absolute = |path: &str| {
        let path = crate::expand::path(path);
        context.world.play.dir.join(path)
    };
    if !flat {
        let below = absolute(dest).join(context.host);
        return Ok(below.join(source.trim_start_matches('/')));
    }
    let path = absolute(dest);
    if dest.ends_with('/') {
        let name = Path::new(source).file_name().unwrap_or_default();
        return Ok(path.join(name));
    }
    match path.is_dir() {
        true => Err("dest is an existing directory, use a trailing slash if you want to fetch src into that directory".to_string()),
        false => Ok(path),
    }
}

/// Fetches into a temporary file beside the destination, so that no half file is ever there.
fn bring(source: &str, dest: &Path, context: &mut Context<'_>) -> Result<(), TaskResult> {
    let cannot = |e: std::io::Error| {
        let why = crate::machine::reason(&e);
        refused(
            "Action failed: ",
            &format!("could not write {}: {why}", dest.display()),
        )
    };
    let folder = dest.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    if let Err(e) = context.session.download(Path::new(source), file.path()) {
        return Err(TaskResult::unreachable(e.msg));
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let _ = file.as_file().set_permissions(mode);
    file.persist(dest).map(|_| ()).map_err(|e| cannot(e.error))
}

/// SHA-1 and MD5, in hexadecimal digits.
fn sums(path: &Path) -> std::io::Result<(String, String)> {
    use std::io::Read;
    let sha1 = crate::machine::sha1_of_reader(std::fs::File::open(path)?)?;
    let (mut file, mut md5, mut piece) = (std::fs::File::open(path)?, Md5::new(), vec![0; 65536]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            n => md5.update(&piece[..n]),
        }
    }
    Ok((
        sha1,
        md5.finalize().iter().map(|b| format!("{b:02x}")).collect(),
    ))
}
