//! A play's `vars_files`.

use super::values::text_of;
use crate::error::Kind;
use crate::playbook::{Loader, Play};
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::yaml::Node;
use crate::{Error, Result};

/// What to do about a name that cannot be rendered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Leave it for when a host's variables are there.
    Skip,
    Error,
}

/// Whether a name may be different for different hosts.
pub fn depends_on_host(play: &Play) -> bool {
    play.directives
        .get("vars_files")
        .is_some_and(|node| node.to_value().needs_render())
}

/// The variables of all files, later ones winning. An entry that is a list means its first file that exists.
pub fn load(play: &Play, loader: &Loader, templar: &Templar, missing: Missing) -> Result<Map> {
    let mut out = Map::default();
    let Some(node) = play.directives.get("vars_files") else {
        return Ok(out);
    };
    let single = std::slice::from_ref(node);
    let entries: &[Node] = match node.as_seq() {
        Some(items) => items,
        None if node.is_null() => &[],
        None => single,
    };
    for entry in entries {
        let choices: Vec<&Node> = match entry.as_seq() {
            Some(items) => items.iter().collect(),
            None => vec![entry],
        };
        let mut tried = Vec::new();
        let mut found = false;
        for choice in &choices {
            let name = match templar.render(&choice.to_value()) {
                Ok(Value::Null) => continue,
                Ok(name) => text_of(&name),
                Err(e) if e.kind() == Kind::Undefined && missing == Missing::Skip => {
                    found = true;
                    break;
                }
                Err(e) => return Err(e.at(&choice.at)),
            };
            match loader.search(&play.frame).find("vars", &name) {
                Ok(path) => {
                    out.extend(loader.vars_file(&path)?);
                    found = true;
                    break;
                }
                Err(paths) => tried.push((name, paths)),
            }
        }
        if !found && !tried.is_empty() {
            if choices.len() == 1 {
                let (name, paths) = &tried[0];
                return Err(crate::playbook::not_found(name, paths, &entry.at));
            }
            let names: Vec<&str> = tried.iter().map(|(n, _)| n.as_str()).collect();
            return Err(
                Error::general(format!("vars file {} was not found", names.join(", ")))
                    .at(&entry.at),
            );
        }
    }
    Ok(out)
}
