//! `assemble`: puts a folder of the controller's together; one of the target's is left to the module there.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/assemble_module.html>.

use super::{Context, Entry, copy, flag, refused, text};
use crate::modules::assemble::{Choice, join};
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::path::Path;

pub const ENTRY: Entry = Entry {
    names: &["assemble"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match assemble(args, context) {
        Ok(result) => result,
        Err(msg) => refused("", &msg),
    }
}

/// The error is words.
fn assemble(mut args: Map, context: &mut Context<'_>) -> Result<TaskResult, String> {
    let (Some(src), Some(_)) = (text(&args, "src"), text(&args, "dest")) else {
        return Err("src and dest are required".to_string());
    };
    if flag(&args, "remote_src")?.unwrap_or(true) {
        return Ok(context.module("assemble", args));
    }
    let folder = context.files.find("files", &src).map_err(|_| {
        let msg = copy::not_found(context.files, "files", &src);
        format!("Task failed: {msg}")
    })?;
    if !folder.is_dir() {
        return Err(format!("Source ({}) is not a directory", folder.display()));
    }
    let choice = Choice::new(
        text(&args, "regexp").as_deref(),
        flag(&args, "ignore_hidden")?.unwrap_or(false),
    )?;
    let content = join(
        &pieces(&folder, &choice, flag(&args, "decrypt")?.unwrap_or(true))?,
        text(&args, "delimiter").as_deref(),
    );
    // what is left are the options of copy
    for name in [
        "src",
        "remote_src",
        "regexp",
        "delimiter",
        "ignore_hidden",
        "decrypt",
    ] {
        args.shift_remove(name);
    }
    let mut result = copy::write(args, &content, context);
    if let Some([diff]) = result.get("diff").and_then(Value::as_list) {
        let diff = diff.clone();
        result.set("diff", diff);
    }
    if result.is_failed() {
        result.fields.shift_remove("checksum");
    } else if result.fields.shift_remove("path").is_some() {
        result.set("md5sum", crate::machine::md5_of(&content));
    }
    Ok(result)
}

/// The contents of the folder's files that are taken, in order.
fn pieces(folder: &Path, choice: &Choice, decrypt: bool) -> Result<Vec<Vec<u8>>, String> {
    let unreadable = |e: std::io::Error| {
        let why = crate::machine::reason(&e);
        format!("could not read {}: {why}", folder.display())
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
        .iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default();
            choice.takes(&name.to_string_lossy())
        })
        .map(|path| match decrypt {
            true => copy::plain(path),
            false => std::fs::read(path).map_err(unreadable),
        })
        .collect()
}
