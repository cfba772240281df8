//! `--graph`: groups and hosts as a tree.

use super::View;
use crate::Result;
use crate::inventory::Group;
use crate::template::python;
use crate::value::{Map, Value};
use crate::vault::decrypt_variable;

/// The tree below `group`; with `vars`, hosts and groups are followed by their variables.
pub(super) fn draw(view: &View, group: &Group, vars: bool) -> Result<String> {
    let mut out = String::new();
    draw_group(view, group, vars, 0, &mut out)?;
    Ok(out)
}

fn draw_group(
    view: &View,
    group: &Group,
    vars: bool,
    depth: usize,
    out: &mut String,
) -> Result<()> {
    line(out, &format!("@{}:", group.name), depth);
    for child in &group.children {
        if let Some(child) = view.inventory.group(child) {
            draw_group(view, child, vars, depth + 1, out)?;
        }
    }
    if &*group.name != "all" {
        for host in &group.hosts {
            line(out, host, depth + 1);
            if vars {
                draw_vars(view.host_vars(host)?, depth + 2, out)?;
            }
        }
    }
    if vars {
        draw_vars(view.group_vars(group)?, depth + 1, out)?;
    }
    Ok(())
}

fn draw_vars(vars: Map, depth: usize, out: &mut String) -> Result<()> {
    let mut lines = Vec::with_capacity(vars.len());
    for (key, value) in vars {
        let value = match value {
            Value::Vault(vault) => decrypt_variable(&vault)?.to_string(),
            other => python::str(&other),
        };
        lines.push(format!("{{{} = {value}}}", python::str(&key.to_value())));
    }
    lines.sort();
    for text in lines {
        line(out, &text, depth);
    }
    Ok(())
}

fn line(out: &mut String, text: &str, depth: usize) {
    if depth > 0 {
        out.push_str(&"  |".repeat(depth));
        out.push_str("--");
    }
    out.push_str(text);
    out.push('\n');
}
