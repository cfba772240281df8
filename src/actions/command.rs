//! `command`: handed to the module, but for the legacy EC2 inventory script, which rplay answers itself.

use super::{Context, Entry};
use crate::result::TaskResult;
use crate::value::Map;

pub const ENTRY: Entry = Entry {
    names: &["command"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    #[cfg(feature = "aws")]
    if let Some(result) = ec2_script::answer(&args, context) {
        return result;
    }
    context.module("command", args)
}

/// `command: ./ec2.py --refresh-cache` on the controller. The script needs Python 2 and boto.
#[cfg(feature = "aws")]
mod ec2_script {
    use super::Context;
    use crate::aws::inventory;
    use crate::modules::common::command::{Returns, split};
    use crate::result::TaskResult;
    use crate::value::{Map, Value};
    use std::path::{Path, PathBuf};

    /// The result; none where the module is to act: on other hosts, in check mode, for other commands, and
    /// where `creates` or `removes` say that there is nothing to do.
    pub fn answer(args: &Map, context: &Context<'_>) -> Option<TaskResult> {
        let words = words(args)?;
        if context.mode.check || !context.session.is_local() {
            return None;
        }
        let dir = folder(args, context);
        let there = |name: &str| {
            args.get(name)
                .and_then(Value::as_str)
                .map(|p| dir.join(p).exists())
        };
        if there("creates") == Some(true) || there("removes") == Some(false) {
            return None;
        }
        let env = |name: &str| {
            let given = context.environment.iter().find(|(key, _)| key == name);
            given
                .map(|(_, v)| v.clone())
                .or_else(|| std::env::var(name).ok())
        };
        let start = crate::clock::Moment::now();
        let result = match inventory::answer(&words, &dir, &env)? {
            Ok(stdout) => Value::from_serialize(Returns::answered(&words, &stdout, start)),
            Err(e) => Err(e),
        };
        Some(match result {
            Ok(Value::Map(fields)) => TaskResult::from((*fields).clone()),
            Ok(_) => TaskResult::changed(),
            Err(e) => {
                let hint = e.hint_text().map(|h| format!(" ({h})")).unwrap_or_default();
                TaskResult::failed(format!("{}{hint}", e.message())).with("changed", false)
            }
        })
    }

    fn words(args: &Map) -> Option<Vec<String>> {
        if let Some(list) = args.get("argv").and_then(Value::as_list) {
            return list
                .iter()
                .map(|w| w.as_str().map(str::to_string))
                .collect();
        }
        let line = args
            .get("_raw_params")
            .or_else(|| args.get("cmd"))?
            .as_str()?;
        // nearly every command is another one: look before splitting
        line.contains("ec2.py").then(|| split(line).ok())?
    }

    /// Where the command would run: `chdir`, from the playbook's folder.
    fn folder(args: &Map, context: &Context<'_>) -> PathBuf {
        let playbook = &context.world.play.dir;
        let base = std::path::absolute(playbook).unwrap_or_else(|_| playbook.clone());
        match args.get("chdir").and_then(Value::as_str) {
            Some(dir) => base.join(Path::new(dir)),
            None => base,
        }
    }
}
