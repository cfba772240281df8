//! `template`: renders a file on the controller and has the module on the target write it.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/template_module.html>.

use super::copy::{not_found, write};
use super::{Context, Entry, refused};
use crate::modules::args::{self, map};
use crate::result::TaskResult;
use crate::source::Source;
use crate::template::FileOptions;
use crate::value::{Map, Value};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

pub const ENTRY: Entry = Entry {
    names: &["template"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match render(args, context) {
        Ok(result) => result,
        Err(result) => *result,
    }
}

/// A failure on this side.
fn refuse(msg: impl AsRef<str>) -> Box<TaskResult> {
    Box::new(refused("", msg.as_ref()))
}

/// The failure of a template that is nowhere.
fn missing(src: &str, context: &Context<'_>) -> Box<TaskResult> {
    let msg = not_found(context.files, "templates", src);
    let mut result = refuse(&msg);
    let error = crate::Error::general(msg).within("Task failed", Some(&context.task.at));
    result.error = Some(error.apart());
    result
}

/// The result; a failure on this side is an error.
fn render(mut args: Map, context: &mut Context<'_>) -> Result<TaskResult, Box<TaskResult>> {
    let mut text = |name: &str| {
        let value = args.shift_remove(name).filter(|v| !v.is_null());
        value.map(|v| args::text(&v))
    };
    if text("state").is_some() {
        return Err(refuse("'state' cannot be specified on a template"));
    }
    let encoding = text("output_encoding")
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "utf-8".to_string());
    let (src, dest) = (text("src"), text("dest"));
    let mut options = FileOptions {
        keep_trailing_newline: false,
        ..FileOptions::default()
    };
    if let Some(newline) = text("newline_sequence") {
        // in plain YAML the backslash is one
        let newline = newline.replace("\\n", "\n").replace("\\r", "\r");
        if !["\n", "\r", "\r\n"].contains(&newline.as_str()) {
            return Err(refuse("newline_sequence needs to be one of: \n, \r or"));
        }
        options.newline_sequence = newline;
    }
    for (name, option) in [
        ("variable_start_string", &mut options.variable_start_string),
        ("variable_end_string", &mut options.variable_end_string),
        ("block_start_string", &mut options.block_start_string),
        ("block_end_string", &mut options.block_end_string),
        ("comment_start_string", &mut options.comment_start_string),
        ("comment_end_string", &mut options.comment_end_string),
    ] {
        if let Some(given) = text(name) {
            *option = given;
        }
    }
    for (name, option) in [
        ("trim_blocks", &mut options.trim_blocks),
        ("lstrip_blocks", &mut options.lstrip_blocks),
    ] {
        if let Some(given) = args.shift_remove(name).filter(|v| !v.is_null()) {
            // Ansible takes any other word for no
            *option = args::boolean(&given).unwrap_or_else(|why| {
                crate::notice::warning(format!("template: {name}: {why}; it is taken for no"));
                false
            });
        }
    }
    let (Some(src), Some(dest)) = (src, dest) else {
        return Err(refuse("src and dest are required"));
    };
    let path = context
        .files
        .find("templates", &src)
        .map_err(|_| missing(&src, context))?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let source = read(&path).map_err(refuse)?;
    let newline = options.newline_sequence.clone();
    let mut variables = variables(&path, &src, &dest);
    let own = context.templar.get("ansible_managed");
    let managed = own.and_then(|own| match own {
        Some(own) => Ok(own),
        None => {
            let setting = &context.world.run.ansible_managed;
            crate::template::managed(setting, &path, &variables, context.templar)
        }
    });
    let failed = |e| Box::new(crate::run::failure_of(e, &context.task.at));
    variables.insert("ansible_managed".into(), managed.map_err(failed)?);
    let mut rendered = context
        .templar
        .render_file(&source, options, variables)
        .map_err(failed)?;
    // the file's last line breaks are restored only as far as the rendered text has fewer
    let breaks = |text: &str| text.len() - text.trim_end_matches('\n').len();
    for _ in breaks(&rendered)..breaks(&source.text) {
        rendered.push_str(&newline);
    }
    let content = crate::encoding::encode(&rendered, &encoding)
        .map_err(|e| refuse(format!("Task failed: {e}")))?;

    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    args.extend(map([
        ("dest", dest.into()),
        ("_original_basename", name.into()),
        ("_header", path.to_string_lossy().as_ref().into()),
    ]));
    if let Ok(metadata) = std::fs::metadata(&path) {
        let mode = metadata.permissions().mode() & 0o7777;
        args.insert("_mode".into(), Value::Int(mode.into()));
    }
    Ok(write(args, &content, context))
}

/// The template's text, decrypted if need be.
fn read(path: &Path) -> Result<std::sync::Arc<Source>, String> {
    let shown = path.display().to_string();
    let mut bytes = std::fs::read(path)
        .map_err(|e| format!("could not read {shown}: {}", crate::machine::reason(&e)))?;
    let encrypted = crate::vault::is_encrypted(&bytes);
    if encrypted {
        bytes = crate::vault::secrets()
            .decrypt(&bytes)
            .map_err(|e| e.message().to_string())?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("Template source files must be utf-8 encoded: {shown}"))?;
    // as Jinja has it, every line break is read as one of a kind
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Ok(Source::new(shown, text))
}

/// What templates see of themselves.
fn variables(path: &Path, src: &str, dest: &str) -> Map {
    let metadata = std::fs::metadata(path).ok();
    let owner = metadata.as_ref().map(|m| {
        let user = crate::machine::users::user_by_id(m.uid());
        user.map_or_else(|| m.uid().to_string(), |u| u.name)
    });
    let time = |at: Option<jiff::Timestamp>| {
        let zoned = at.map(|t| t.to_zoned(jiff::tz::TimeZone::system()));
        zoned.map_or_else(String::new, |z| {
            z.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
        })
    };
    let changed = metadata
        .and_then(|m| m.modified().ok())
        .and_then(|t| t.try_into().ok());
    map([
        (
            "template_host",
            rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .as_ref()
                .into(),
        ),
        ("template_path", src.into()),
        ("template_mtime", time(changed).into()),
        ("template_uid", owner.unwrap_or_default().into()),
        (
            "template_run_date",
            time(Some(jiff::Timestamp::now())).into(),
        ),
        ("template_fullpath", path.to_string_lossy().as_ref().into()),
        ("template_destpath", dest.into()),
    ])
}
