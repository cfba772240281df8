//! `ansible_local`: what the target's own files in facts.d say.

use super::Facts;
use crate::machine::Command;
use crate::value::{Map, Value};
use rustix::fs::Access;

pub fn gather(facts: &mut Facts<'_>) {
    let dir = facts.fact_path.to_path_buf();
    let mut local = Map::default();
    for name in facts.machine.list(&dir).unwrap_or_default() {
        let path = dir.join(&name);
        let Some(stem) = name.to_str().and_then(|n| n.strip_suffix(".fact")) else {
            continue;
        };
        let text = if facts.machine.access(&path, Access::EXEC_OK) {
            match facts.machine.probe(&Command::new([path.as_os_str()])) {
                Ok(output) if output.rc == 0 => output.stdout_text(),
                Ok(output) => {
                    let what = format!(
                        "Failure executing fact script ({}), rc: {}, err: {}",
                        path.display(),
                        output.rc,
                        output.stderr_text()
                    );
                    local.insert(stem.into(), what.into());
                    continue;
                }
                Err(e) => {
                    let what = format!("Failure executing fact script ({}): {e}", path.display());
                    local.insert(stem.into(), what.into());
                    continue;
                }
            }
        } else {
            let bytes = facts.machine.read(&path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let value = match serde_json::from_str(&text) {
            Ok(json) => Value::from_json(json),
            Err(_) => ini(&text),
        };
        local.insert(stem.into(), value);
    }
    facts.set("local", local);
}

/// Sections of `name = value`; names in lower case.
fn ini(text: &str) -> Value {
    let mut sections = Map::default();
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_string();
            sections
                .entry(section.as_str().into())
                .or_insert(Value::map(Map::default()));
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        if let Some(Value::Map(map)) = sections.get_mut(section.as_str()) {
            let map = std::sync::Arc::make_mut(map);
            map.insert(key.trim().to_lowercase().into(), value.trim().into());
        }
    }
    Value::map(sections)
}
