//! The services of a host and their states, as facts.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::value::{Key, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/service_facts_module.html>
pub struct ServiceFacts;

#[derive(Deserialize, JsonSchema)]
pub struct Args {}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// `services`: each by its name, with `name`, `source`, `state` and what else its manager tells.
    #[schemars(with = "serde_json::Value")]
    ansible_facts: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

impl Module for ServiceFacts {
    const NAME: &'static str = "service_facts";
    const EXAMPLES: &'static str = "
- name: Which services there are
  ansible.builtin.service_facts:
";
    type Args = Args;
    type Returns = Returns;

    fn run(_: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut services = Map::default();
        for gather in [scripts, upstart, openrc, systemd] {
            gather(machine, &mut services)?;
        }
        let none = services.is_empty();
        let facts = Map::from_iter([(Key::from("services"), Value::map(services))]);
        Ok(Returns {
            ansible_facts: Value::map(if none { Map::default() } else { facts }),
            skipped: none,
            msg: none.then_some(
                "Failed to find any services. This can be due to privileges or some other configuration issue.",
            ),
        })
    }
}

/// Adds a service.
fn add(services: &mut Map, name: &str, source: &str, entries: &[(&str, Value)]) {
    let mut service = Map::default();
    service.insert("name".into(), name.into());
    service.insert("source".into(), source.into());
    for (key, value) in entries {
        service.insert(Key::from(*key), value.clone());
    }
    services.insert(Key::from(name), Value::map(service));
}

/// Init scripts: `service --status-all` of Debian, `chkconfig` of Red Hat.
fn scripts(machine: &Machine, services: &mut Map) -> Result<(), Failure> {
    let chkconfig = machine.program("chkconfig");
    if let Some(service) = machine.program("service")
        && chkconfig.is_none()
    {
        let answer = tool::probe(machine, [service.as_os_str(), "--status-all".as_ref()])?;
        for line in answer.stdout_text().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["[", sign @ ("+" | "-"), "]", name, ..] = words.as_slice() else {
                continue;
            };
            let state = if *sign == "+" { "running" } else { "stopped" };
            add(services, name, "sysv", &[("state", state.into())]);
        }
    } else if let Some(chkconfig) = chkconfig {
        let answer = tool::probe(machine, [chkconfig.as_os_str(), "--list".as_ref()])?;
        for line in answer.stdout_text().lines() {
            let Some((name, levels)) = line.split_once(char::is_whitespace) else {
                continue;
            };
            if !levels.contains("3:") {
                continue;
            }
            let on = levels.contains("3:on");
            let status = if on { "enabled" } else { "disabled" };
            let script = super::common::init::ask(machine, name).ok().flatten();
            let state = match script {
                Some(true) => "running",
                _ => "stopped",
            };
            let entries = [("state", state.into()), ("status", status.into())];
            add(services, name, "sysv", &entries);
        }
    }
    Ok(())
}

fn upstart(machine: &Machine, services: &mut Map) -> Result<(), Failure> {
    let Some(initctl) = machine.program("initctl") else {
        return Ok(());
    };
    let answer = tool::probe(machine, [initctl.as_os_str(), "list".as_ref()])?;
    for line in answer.stdout_text().lines() {
        let Some((name, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((goal, state)) = rest.split_once('/') else {
            continue;
        };
        let state = state.split([',', ' ']).next().unwrap_or_default();
        let goal = goal.rsplit(' ').next().unwrap_or_default();
        let entries = [("state", state.into()), ("goal", goal.into())];
        add(services, name, "upstart", &entries);
    }
    Ok(())
}

fn openrc(machine: &Machine, services: &mut Map) -> Result<(), Failure> {
    let (Some(status), Some(update)) = (machine.program("rc-status"), machine.program("rc-update"))
    else {
        return Ok(());
    };
    let levels = tool::probe(
        machine,
        [update.as_os_str(), "-v".as_ref(), "show".as_ref()],
    )?;
    let levels = levels.stdout_text();
    let answer = tool::probe(machine, [status.as_os_str(), "-a".as_ref(), "-s".as_ref()])?;
    for line in answer.stdout_text().lines() {
        let Some((name, state)) = line.split_once('[') else {
            continue;
        };
        let (name, state) = (name.trim(), state.trim_matches([' ', ']']));
        let of = levels
            .lines()
            .filter_map(|l| l.split_once('|'))
            .find(|(n, _)| n.trim() == name);
        let of = of.map_or("", |(_, levels)| levels);
        let of = of.split_whitespace().map(Value::str).collect();
        let state = state.split_whitespace().next().unwrap_or_default();
        let entries = [("state", state.into()), ("runlevels", Value::list(of))];
        add(services, name, "openrc", &entries);
    }
    Ok(())
}

/// Units that systemd has loaded, then those that it only has files of.
fn systemd(machine: &Machine, services: &mut Map) -> Result<(), Failure> {
    let (Some(systemctl), true) = (
        machine.program("systemctl"),
        machine.exists(Path::new("/run/systemd/system")),
    ) else {
        return Ok(());
    };
    let ask = |words: &[&str]| {
        let program = systemctl.as_os_str();
        tool::probe(
            machine,
            std::iter::once(program).chain(words.iter().map(|w| (*w).as_ref())),
        )
    };
    let common = ["--no-pager", "--type", "service", "--all", "--no-legend"];
    let loaded = ask(&[&["list-units", "--plain"], &common[..]].concat())?.stdout_text();
    let files = ask(&[&["list-unit-files"], &common[..]].concat())?.stdout_text();
    let mut idle = Vec::new();
    for line in loaded.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = words.as_slice() else {
            continue;
        };
        let state = if *sub == "running" {
            "running"
        } else {
            "stopped"
        };
        let status = match *load {
            "loaded" => active,
            load => load,
        };
        let entries = [("state", state.into()), ("status", (*status).into())];
        add(services, name, "systemd", &entries);
    }
    for line in files.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, status, ..] = words.as_slice() else {
            continue;
        };
        match services.get_mut(*name) {
            Some(Value::Map(service)) => {
                let service = std::sync::Arc::make_mut(service);
                service.insert("status".into(), (*status).into());
            }
            _ => idle.push((*name, *status)),
        }
    }
    // a template has no state; the others are asked for in one go
    let (templates, units): (Vec<_>, Vec<_>) =
        idle.into_iter().partition(|(name, _)| name.contains("@."));
    let mut states = Vec::new();
    if !units.is_empty() {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let shown = ask(&[&["show", "--property=ActiveState"], &names[..]].concat())?;
        let shown = shown.stdout_text();
        let values = shown.lines().filter_map(|l| l.strip_prefix("ActiveState="));
        states = values.map(String::from).collect();
    }
    for (at, (name, status)) in units.into_iter().enumerate() {
        let state = states.get(at).map_or("unknown", String::as_str);
        let entries = [("state", state.into()), ("status", status.into())];
        add(services, name, "systemd", &entries);
    }
    for (name, status) in templates {
        let entries = [("state", "unknown".into()), ("status", status.into())];
        add(services, name, "systemd", &entries);
    }
    Ok(())
}
