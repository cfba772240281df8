//! `unarchive`: the controller's side, which sends the archive.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/unarchive_module.html>.

use super::{Context, Entry, copy, flag, refused, text};
use crate::modules::args::map;
use crate::result::TaskResult;
use crate::value::{Map, Value};

pub const ENTRY: Entry = Entry {
    names: &["unarchive"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match unarchive(args, context) {
        Ok(result) => result,
        Err(result) => *result,
    }
}

fn unarchive(mut args: Map, context: &mut Context<'_>) -> Result<TaskResult, Box<TaskResult>> {
    let refuse = |msg: &str| Box::new(refused("", msg));
    let flag = |args: &Map, name: &str| flag(args, name).map_err(|e| refuse(&e));
    let (remote, copied) = (flag(&args, "remote_src")?, flag(&args, "copy")?);
    if args.contains_key("copy") && args.contains_key("remote_src") {
        return Err(refuse(
            "parameters are mutually exclusive: ('copy', 'remote_src')",
        ));
    }
    let remote = remote.unwrap_or(!copied.unwrap_or(true));
    let (Some(src), Some(dest)) = (text(&args, "src"), text(&args, "dest")) else {
        return Err(refuse("src (or content) and dest are required"));
    };
    let look = |context: &mut Context<'_>, path: &str| {
        let asked = [
            ("path", Value::str(path)),
            ("follow", true.into()),
            ("get_checksum", false.into()),
            ("get_mime", false.into()),
            ("get_attributes", false.into()),
        ];
        let found = context.module("stat", map(asked));
        match found.is_unreachable() || found.is_failed() {
            true => Err(Box::new(found)),
            false => Ok(found.get("stat").cloned().unwrap_or_default()),
        }
    };
    let is = |stat: &Value, what: &str| stat.get(what).is_some_and(Value::is_truthy);
    if let Some(creates) = text(&args, "creates")
        && is(&look(context, &creates)?, "exists")
    {
        return Ok(TaskResult::ok()
            .with("skipped", true)
            .with("msg", format!("skipped, since {creates} exists")));
    }
    let there = match remote {
        true => None,
        false => {
            let source = context.files.find("files", &src).map_err(|_| {
                let msg = copy::not_found(context.files, "files", &src);
                refuse(&format!("Task failed: {msg}"))
            })?;
            Some(source)
        }
    };
    let stat = look(context, &dest)?;
    if !is(&stat, "exists") || !is(&stat, "isdir") {
        return Err(refuse(&format!("dest '{dest}' must be an existing dir")));
    }
    let given = args.clone();
    for name in ["copy", "decrypt", "creates"] {
        args.shift_remove(name);
    }
    args.insert("remote_src".into(), true.into());
    let Some(source) = there else {
        return Ok(context.module("unarchive", args));
    };
    // an archive that is encrypted is sent as what it holds
    let decrypt = flag(&given, "decrypt")?.unwrap_or(true) && copy::is_vault(&source);
    let private = match decrypt {
        false => None,
        true => {
            let content = copy::plain(&source).map_err(|e| refuse(&format!("Task failed: {e}")))?;
            let io = |e: std::io::Error| refuse(&crate::machine::reason(&e));
            let mut file = tempfile::NamedTempFile::new().map_err(io)?;
            std::io::Write::write_all(&mut file, &content).map_err(io)?;
            Some(file)
        }
    };
    let local = private.as_ref().map_or(source.as_path(), |f| f.path());
    let sent = context
        .session
        .upload(local)
        .map_err(|e| Box::new(e.result()))?;
    args.insert("src".into(), sent.to_string_lossy().as_ref().into());
    let result = context.module("unarchive", args);
    context.session.discard(&sent);
    Ok(result)
}
