//! A play's `vars_prompt`.

use super::values::text_of;
use crate::playbook::boolean;
use crate::value::{Key, Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};
use std::io::{BufRead, IsTerminal, Write};

/// Asks for each variable that `-e` does not give, and puts the answers into `vars`.
pub fn ask(node: &Node, extra_vars: &Map, vars: &mut Map) -> Result<()> {
    const KNOWN: &[&str] = &[
        "confirm",
        "default",
        "encrypt",
        "name",
        "private",
        "prompt",
        "salt",
        "salt_size",
        "unsafe",
    ];
    for entry in node.as_seq().unwrap_or_default() {
        let Some(name) = entry.get("name").and_then(Node::as_str) else {
            return Err(
                Error::parse("Invalid vars_prompt data structure, missing 'name' key")
                    .at(&entry.at),
            );
        };
        for (key, _) in entry.as_map().unwrap_or_default() {
            let key_name = key.as_str().unwrap_or("?");
            if !KNOWN.contains(&key_name) {
                return Err(Error::parse(format!(
                    "Invalid vars_prompt data structure, found unsupported key '{key_name}'"
                ))
                .at(&key.at));
            }
            if matches!(key_name, "encrypt" | "salt" | "salt_size") {
                return Err(Error::parse(format!(
                    "vars_prompt: '{key_name}' is not supported yet"
                ))
                .at(&key.at));
            }
        }
        if extra_vars.contains_key(name) {
            continue;
        }
        let flag = |key: &str, default: bool| {
            entry
                .get(key)
                .and_then(|n| boolean(&n.to_value()))
                .unwrap_or(default)
        };
        let default = entry
            .get("default")
            .map(Node::to_value)
            .filter(|v| !v.is_null());
        let prompt = match entry.get("prompt").and_then(Node::as_str) {
            Some(text) => text.to_string(),
            None => format!("input for {name}"),
        };
        let answer = read(
            &prompt,
            default.as_ref(),
            flag("private", true),
            flag("confirm", false),
        )?;
        vars.insert(Key::from(name), answer);
    }
    Ok(())
}

fn read(prompt: &str, default: Option<&Value>, private: bool, confirm: bool) -> Result<Value> {
    if !std::io::stdin().is_terminal() {
        crate::notice::warning("Not prompting as we are not in interactive mode");
        return Ok(default.cloned().unwrap_or_else(|| Value::str("")));
    }
    let shown = match default {
        Some(d) => format!("{prompt} [{}]: ", text_of(d)),
        None => format!("{prompt}: "),
    };
    let once = |shown: &str| -> Result<String> {
        print!("{shown}");
        std::io::stdout().flush()?;
        if private {
            return Ok(rpassword::read_password()?);
        }
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_string())
    };
    loop {
        let answer = once(&shown)?;
        if confirm && once(&format!("confirm {shown}"))? != answer {
            println!("***** VALUES ENTERED DO NOT MATCH ****");
            continue;
        }
        if answer.is_empty()
            && let Some(default) = default
        {
            return Ok(default.clone());
        }
        return Ok(Value::str(answer));
    }
}
