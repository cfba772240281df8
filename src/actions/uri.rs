//! `uri`: the controller's side, which sends the files that the request is made of.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/uri_module.html>.

use super::{Context, Entry, copy, refused};
use crate::modules::args;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use base64::Engine;
use std::path::PathBuf;
use std::sync::Arc;

pub const ENTRY: Entry = Entry {
    names: &["uri"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    match uri(args, context) {
        Ok(result) => result,
        Err(result) => *result,
    }
}

fn uri(mut args: Map, context: &mut Context<'_>) -> Result<TaskResult, Box<TaskResult>> {
    if context.mode.check {
        return Ok(TaskResult::ok()
            .with("skipped", true)
            .with("msg", "This action (uri) does not support check mode."));
    }
    let refuse = |msg: &str| Box::new(refused("", msg));
    let remote = match args.get("remote_src").filter(|v| !v.is_null()) {
        Some(value) => args::boolean(value).map_err(|e| refuse(&e))?,
        None => false,
    };
    let src = args.get("src").filter(|v| !v.is_null()).map(args::text);
    if let Some(src) = src.filter(|_| !remote) {
        let source = find(&src, context)?;
        let there = context
            .session
            .upload(&source)
            .map_err(|e| Box::new(e.result()))?;
        args.insert("src".into(), there.to_string_lossy().as_ref().into());
        let result = context.module("uri", args);
        context.session.discard(&there);
        return Ok(result);
    }
    let format = args.get("body_format").map(args::text).unwrap_or_default();
    if format == "form-multipart" && !remote {
        let body = match args.get_mut("body") {
            Some(Value::Map(body)) => Arc::make_mut(body),
            other => {
                let kind = other.map_or("NoneType", |v| v.type_name());
                return Err(refuse(&format!(
                    "body must be mapping, cannot be type {kind}"
                )));
            }
        };
        for part in body.values_mut() {
            let Value::Map(part) = part else { continue };
            let given = |name: &str| part.get(name).filter(|v| v.is_truthy()).map(args::text);
            let (Some(name), None) = (given("filename"), given("content")) else {
                continue;
            };
            let source = find(&name, context)?;
            let bytes = std::fs::read(&source).map_err(|e| {
                refuse(&format!(
                    "could not read {}: {}",
                    source.display(),
                    crate::machine::reason(&e)
                ))
            })?;
            let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
            Arc::make_mut(part).insert("_content".into(), coded.into());
        }
    }
    Ok(context.module("uri", args))
}

fn find(name: &str, context: &Context<'_>) -> Result<PathBuf, Box<TaskResult>> {
    context.files.find("files", name).map_err(|_| {
        let msg = copy::not_found(context.files, "files", name);
        Box::new(refused("", &format!("Task failed: {msg}")))
    })
}
