//! Controls services on hosts whose manager has no module of its own: OpenRC, Upstart, init scripts.
//!
//! The action of this name takes the module of the host's manager where there is one.

mod manager;

use super::common::init;
use super::systemd::State;
use super::{Failure, Module};
use crate::machine::Machine;
use manager::Manager;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/service_module.html>
pub struct Service;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// The service.
    name: String,
    /// `started` and `stopped` act only where it is not so; `restarted` and `reloaded` always do.
    #[schemars(extend("order" = ["started", "stopped", "reloaded", "restarted"]))]
    state: Option<State>,
    /// Whether it starts with the system.
    enabled: Option<bool>,
    /// Seconds between the stop and the start of a restart.
    sleep: Option<i64>,
    /// It runs if a process has this text in its command line; the manager is not asked.
    pattern: Option<String>,
    /// OpenRC's runlevel that `enabled` is about.
    #[serde(default = "default_runlevel")]
    runlevel: String,
    /// Further words for the service's script.
    #[serde(default)]
    #[schemars(extend("aliases" = ["args"]))]
    arguments: String,
}

fn default_runlevel() -> String {
    "default".to_string()
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// What check mode says of the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

impl Module for Service {
    const NAME: &'static str = "service";
    const EXAMPLES: &'static str = "
- name: A service runs, now and after a restart
  ansible.builtin.service:
    name: cron
    state: started
    enabled: true
  when: ansible_service_mgr == 'openrc'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let Some(manager) = Manager::of(machine, &args.name) else {
            return Err(init::missing(&args.name, "host"));
        };
        let running = match args.state {
            None => None,
            Some(_) => Some(running(&args, manager, machine)?),
        };
        if let Some(wanted) = args.enabled
            && manager.is_enabled(machine, &args.name, &args.runlevel)? != wanted
        {
            manager.enable(machine, &args.name, &args.runlevel, wanted)?;
        }
        if let (Some(state), Some(running)) = (args.state, running) {
            let acted = control(&args, state, running, manager, machine)?;
            if acted && machine.mode.check {
                return Ok(Returns {
                    msg: Some("service state changed"),
                    ..Returns::default()
                });
            }
        }
        Ok(Returns {
            name: Some(args.name),
            enabled: args.enabled,
            state: args.state.map(|s| match s {
                State::Stopped => "stopped",
                _ => "started",
            }),
            msg: None,
        })
    }
}

fn running(args: &Args, manager: Manager, machine: &Machine) -> Result<bool, Failure> {
    if let Some(pattern) = &args.pattern {
        return Ok(init::has_process(machine, pattern));
    }
    if let Some(answer) = manager.is_running(machine, &args.name)? {
        return Ok(answer);
    }
    Ok(init::has_process(machine, &args.name))
}

/// Says whether there was anything to do.
fn control(
    args: &Args,
    state: State,
    running: bool,
    manager: Manager,
    machine: &mut Machine,
) -> Result<bool, Failure> {
    let steps: &[&str] = match (state, running) {
        (State::Started, true) | (State::Stopped, false) => return Ok(false),
        (State::Reloaded, false) => &["start"],
        (State::Restarted, _) if manager.restarts() => &["restart"],
        (State::Restarted, _) => &["stop", "start"],
        (state, _) => &[state.action()],
    };
    let mut before = String::new();
    for (at, verb) in steps.iter().enumerate() {
        if at > 0 && !machine.mode.check {
            let seconds = args.sleep.and_then(|s| u64::try_from(s).ok());
            std::thread::sleep(Duration::from_secs(seconds.unwrap_or(0)));
        }
        let output = manager.act(machine, &args.name, verb, &args.arguments)?;
        if *verb == "stop" && steps.len() > 1 {
            before = output.stderr_text();
        } else if output.rc != 0 {
            let said = before + &output.stderr_text();
            return Err(Failure::new(match said.trim() {
                "" => output.stdout_text(),
                _ => said,
            }));
        }
    }
    Ok(true)
}
