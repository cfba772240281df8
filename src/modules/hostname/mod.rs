//! Sets the host's name, in the way of the host's distribution.

mod strategy;

use super::common::diff;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::value::{Key, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strategy::Strategy;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/hostname_module.html>
pub struct Hostname;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The name.
    name: String,
    /// The way to set it; by default that of the host's distribution.
    r#use: Option<Use>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Use {
    Alpine,
    Debian,
    Freebsd,
    Generic,
    Macos,
    Macosx,
    Darwin,
    Openbsd,
    Openrc,
    Redhat,
    Sles,
    Solaris,
    Systemd,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    name: String,
    /// What the facts of these names now are.
    #[schemars(with = "serde_json::Value")]
    ansible_facts: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    diff: Option<Value>,
}

impl Module for Hostname {
    const NAME: &'static str = "hostname";
    const EXAMPLES: &'static str = "
- name: The host's name
  ansible.builtin.hostname:
    name: web01
  when: inventory_hostname == 'web01'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let strategy = match args.r#use {
            None => Strategy::of(machine),
            Some(asked) => named(asked)?,
        };
        if strategy == Strategy::Systemd && args.name.len() > 64 {
            return Err(Failure::new(
                "name cannot be longer than 64 characters on systemd servers, try a shorter name",
            ));
        }
        let before = strategy.permanent(machine)?;
        let running = strategy.running(machine)?;
        if before != args.name {
            strategy.set_permanent(machine, &args.name)?;
        }
        if running.as_ref().is_some_and(|now| *now != args.name) {
            strategy.set_running(machine, &args.name)?;
        }
        let shown = |name: &str| format!("hostname = {name}\n");
        let diff = machine.changed().then(|| {
            let changed = if before == args.name {
                running.as_ref()
            } else {
                Some(&before)
            };
            let before = changed.unwrap_or(&before);
            diff::texts(&shown(before), &shown(&args.name))
        });
        Ok(Returns {
            ansible_facts: facts(&args.name, machine),
            name: args.name,
            diff,
        })
    }
}

fn named(asked: Use) -> Result<Strategy, Failure> {
    Ok(match asked {
        // Debian has systemd
        Use::Debian | Use::Systemd => Strategy::Systemd,
        Use::Alpine => Strategy::Alpine,
        Use::Generic => Strategy::Generic,
        Use::Openrc => Strategy::OpenRc,
        Use::Redhat => Strategy::RedHat,
        Use::Sles => Strategy::Sles,
        Use::Freebsd | Use::Macos | Use::Macosx | Use::Darwin | Use::Openbsd | Use::Solaris => {
            let name = serde_json::to_value(asked).unwrap_or_default();
            let name = name.as_str().unwrap_or_default().to_string();
            return Err(Failure::new(format!(
                "hostname: use={name} is for another system than Linux, which is all that rplay runs on"
            )));
        }
    })
}

/// The facts that are about the name.
fn facts(name: &str, machine: &Machine) -> Value {
    let uname = rustix::system::uname();
    let fqdn = crate::facts::fully_qualified(machine, &uname.nodename().to_string_lossy());
    let domain = fqdn.split_once('.').map_or("", |(_, domain)| domain);
    let short = name.split('.').next().unwrap_or_default();
    let mut facts = Map::default();
    for (key, value) in [
        ("ansible_hostname", short),
        ("ansible_nodename", name),
        ("ansible_fqdn", &fqdn),
        ("ansible_domain", domain),
    ] {
        facts.insert(Key::from(key), Value::str(value));
    }
    Value::map(facts)
}
