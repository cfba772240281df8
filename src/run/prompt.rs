//! A play's `vars_prompt`.

use super::values::{number_of, text_of};
use crate::playbook::boolean;
use crate::template::filters::hash::{crypt, random_salt};
use crate::template::{Engine, Templar};
use crate::value::{Key, Map, Value};
use crate::vars::Layers;
use crate::yaml::Node;
use crate::{Error, Result};
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

/// Asks for each variable that `-e` does not give, and puts the answers into `vars`.
///
/// See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_prompts.html>. Fails for entries that are no
/// prompts, and for hashes that there are not.
pub fn ask(node: &Node, extra_vars: &Map, vars: &mut Map, engine: &Arc<Engine>) -> Result<()> {
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
        let default = match entry.get("default").map(Node::to_value) {
            Some(template @ Value::Template(_)) => {
                let layers = vec![Arc::new(extra_vars.clone()), Arc::new(vars.clone())];
                let templar = Templar::new(engine, Arc::new(Layers::new(layers)), Arc::default());
                Some(Value::str(templar.render_str(&template)?))
            }
            other => other.filter(|v| !v.is_null()),
        };
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
        let answer = match entry.get("encrypt").and_then(Node::as_str) {
            Some(kind) if !answer.is_null() => {
                Value::from(encrypted(entry, kind, &text_of(&answer)).map_err(|e| e.at(&entry.at))?)
            }
            // what was typed may be a template, unless it is said to be unsafe
            _ => match answer.as_str() {
                Some(text) if !flag("unsafe", false) => Value::user_text(text, Some(&entry.at)),
                _ => answer,
            },
        };
        vars.insert(Key::from(name), answer);
    }
    Ok(())
}

/// The answer as crypt(3) writes it, with the entry's `salt`, or one of `salt_size`.
fn encrypted(entry: &Node, kind: &str, answer: &str) -> Result<String> {
    let salt = match (entry.get("salt"), entry.get("salt_size")) {
        (Some(salt), _) if !salt.is_null() => Some(text_of(&salt.to_value())),
        (_, Some(size)) if !size.is_null() => {
            let size = number_of(&size.to_value())
                .filter(|n| *n >= 0.0)
                .ok_or_else(|| Error::parse("salt_size must be a number").at(&size.at))?;
            Some(random_salt(size as usize)?)
        }
        _ => None,
    };
    crypt(answer, kind, salt.as_deref(), None)
}

fn read(prompt: &str, default: Option<&Value>, private: bool, confirm: bool) -> Result<Value> {
    if !std::io::stdin().is_terminal() {
        crate::notice::warning("Not prompting as we are not in interactive mode");
        // as Ansible has it: the name of nothing
        return Ok(default.cloned().unwrap_or_else(|| "None".into()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_hashed_with_the_salt_that_is_asked_for() {
        let hashed = |entry: &str| {
            let entry = crate::yaml::load_str("p", entry).unwrap();
            let kind = entry.get("encrypt").and_then(Node::as_str).unwrap();
            encrypted(&entry, kind, "secret")
        };
        // as crypt(3) has it
        assert_eq!(
            hashed("{encrypt: md5_crypt, salt: abcdefgh}").unwrap(),
            "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"
        );
        let sized = hashed("{encrypt: md5_crypt, salt_size: 4}").unwrap();
        assert_eq!(sized.split('$').nth(2).map(str::len), Some(4));
        assert!(hashed("{encrypt: nosuch}").is_err());
        assert!(hashed("{encrypt: md5_crypt, salt_size: x}").is_err());
    }
}
