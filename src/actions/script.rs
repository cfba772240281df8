//! `script`: a file of the controller's, run at the host. It needs no agent there.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/script_module.html>.

use super::{Context, Entry, refused};
use crate::connection::quote;
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["script"],
    run,
};

const OPTIONS: &[&str] = &[
    "_raw_params",
    "cmd",
    "creates",
    "removes",
    "chdir",
    "executable",
    "decrypt",
];

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Err(refused) = super::only("script", &args, OPTIONS) {
        return refused;
    }
    let text = |name: &str| {
        args.get(name)
            .filter(|v| !v.is_null())
            .map(crate::run::text_of)
    };
    let Some(line) = text("_raw_params").or_else(|| text("cmd")) else {
        return refused("Action failed: ", "no script given");
    };
    let words = match shell_words::split(&line) {
        Ok(words) if !words.is_empty() => words,
        Ok(_) => return refused("Action failed: ", "no script given"),
        Err(e) => return refused("Action failed: ", &format!("{line}: {e}")),
    };
    for (option, wanted) in [("creates", true), ("removes", false)] {
        let Some(path) = text(option) else { continue };
        let there = match context
            .session
            .raw(&format!("test -e {}", quote(&path)), b"", false)
        {
            Ok(Ok(output)) => output.rc == 0,
            Ok(Err(msg)) => return TaskResult::failed(msg),
            Err(e) => return TaskResult::unreachable(e.msg),
        };
        if there == wanted {
            let state = if wanted { "exists" } else { "does not exist" };
            return TaskResult::new()
                .with("changed", false)
                .with("skipped", true)
                .with("msg", format!("{path} {state}, matching {option} option"));
        }
    }
    if context.mode.check {
        return TaskResult::new().with("changed", true);
    }
    let source = match context.files.find("files", &words[0]) {
        Ok(found) => found,
        Err(_) => {
            let msg = super::copy::not_found(context.files, "files", &words[0]);
            return refused("", &format!("Unexpected AnsibleActionFail error: {msg}"));
        }
    };
    let content = match std::fs::read(&source) {
        Ok(content) if crate::vault::is_encrypted(&content) => {
            match crate::vault::secrets().decrypt(&content) {
                Ok(plain) => plain,
                Err(e) => return refused("Action failed: ", e.message()),
            }
        }
        Ok(content) => content,
        Err(e) => {
            let why = crate::machine::reason(&e);
            return refused(
                "Action failed: ",
                &format!("could not read {}: {why}", source.display()),
            );
        }
    };
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let file = format!("\"$d\"/{}", quote(&name));
    let starter = text("executable").map_or(String::new(), |e| format!("{e} "));
    let dir = text("chdir").map_or(String::new(), |dir| format!("cd {} && ", quote(&dir)));
    let variables: String = context
        .environment
        .iter()
        .map(|(name, value)| format!("export {name}={}; ", quote(value)))
        .collect();
    let rest = line.trim_start();
    // the arguments go on as they were written, for the host's shell to split
    let arguments = rest.get(words[0].len()..).unwrap_or_default();
    let command = format!(
        "umask 077; d=$(mktemp -d \"${{TMPDIR:-/tmp}}/rplay-script-XXXXXX\") && cat >{file} && chmod 700 {file} && \
         {{ {variables}{dir}{starter}{file}{arguments} </dev/null; r=$?; rm -rf \"$d\"; exit $r; }}"
    );
    match context.session.raw(&command, &content, false) {
        Ok(Ok(output)) => super::raw::outcome(output),
        Ok(Err(msg)) => TaskResult::failed(msg),
        Err(e) => TaskResult::unreachable(e.msg),
    }
}
