//! Names of storage networks, and what the process is allowed to do.

use super::Facts;
use crate::machine::Command;
use crate::value::Value;
use std::path::Path;

/// The iSCSI initiator's name.
pub fn iscsi(facts: &mut Facts<'_>) {
    let text = facts
        .file("/etc/iscsi/initiatorname.iscsi")
        .unwrap_or_default();
    let name = text.lines().find_map(|l| l.strip_prefix("InitiatorName="));
    facts.set("iscsi_iqn", name.unwrap_or_default());
}

/// The host's NVMe qualified name.
pub fn nvme(facts: &mut Facts<'_>) {
    let text = facts.file("/etc/nvme/hostnqn").unwrap_or_default();
    let name = text.lines().find(|l| l.starts_with("nqn."));
    facts.set("hostnqn", name.unwrap_or_default());
}

/// World wide names of the fibre channel ports.
pub fn fibre_channel(facts: &mut Facts<'_>) {
    let dir = Path::new("/sys/class/fc_host");
    let mut hosts = facts.machine.list(dir).unwrap_or_default();
    hosts.sort();
    let names: Vec<Value> = hosts
        .iter()
        .filter_map(|h| facts.file(&dir.join(h).join("port_name").to_string_lossy()))
        .map(|name| Value::from(name.strip_prefix("0x").unwrap_or(&name)))
        .collect();
    facts.set("fibre_channel_wwn", names);
}

/// In the words of `capsh`, whose form depends on its version; so there is no other source for them.
pub fn capabilities(facts: &mut Facts<'_>) {
    let said = facts.program("capsh").and_then(|capsh| {
        let output = facts
            .machine
            .probe(&Command::new([capsh.as_str(), "--print"]));
        let text = output.ok().filter(|o| o.rc == 0)?.stdout_text();
        let line = text.lines().find_map(|l| l.strip_prefix("Current:"))?;
        Some(line.trim().to_string())
    });
    let Some(said) = said else {
        facts.set("system_capabilities_enforced", "N/A");
        facts.set("system_capabilities", "N/A");
        return;
    };
    let limited = said != "=ep";
    let list: Vec<Value> = match limited {
        true => {
            let words = said.split('=').nth(1).unwrap_or_default();
            words.split(',').map(|w| Value::from(w.trim())).collect()
        }
        false => Vec::new(),
    };
    let enforced = if limited { "True" } else { "False" };
    facts.set("system_capabilities_enforced", enforced);
    facts.set("system_capabilities", list);
}
