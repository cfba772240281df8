//! Controls systemd's units, by `systemctl`.

mod show;
mod unit;

use super::common::init;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use unit::Systemctl;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/systemd_service_module.html>
pub struct Systemd;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "required_by" = {"state": ["name"], "enabled": ["name"], "masked": ["name"]},
))]
pub struct Args {
    /// The unit; without a suffix it is a service.
    #[schemars(extend("aliases" = ["service", "unit"]))]
    name: Option<String>,
    /// `started` and `stopped` act only where it is not so; `restarted` and `reloaded` always do.
    state: Option<State>,
    /// Whether it starts with the system.
    enabled: Option<bool>,
    /// Overrides links that are in the way.
    #[serde(default)]
    force: bool,
    /// Whether it cannot be started at all.
    masked: Option<bool>,
    /// Has systemd read its configuration again, before anything else.
    #[serde(default)]
    #[schemars(extend("aliases" = ["daemon-reload"]))]
    daemon_reload: bool,
    /// Has systemd start itself again, before anything else.
    #[serde(default)]
    #[schemars(extend("aliases" = ["daemon-reexec"]))]
    daemon_reexec: bool,
    #[serde(default)]
    scope: Scope,
    /// Does not wait for what was asked for.
    #[serde(default)]
    no_block: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Reloaded,
    Restarted,
    Started,
    Stopped,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Reloaded => "reloaded",
            State::Restarted => "restarted",
            State::Started => "started",
            State::Stopped => "stopped",
        }
    }
    /// What is done to get there.
    pub fn action(self) -> &'static str {
        match self {
            State::Reloaded => "reload",
            State::Restarted => "restart",
            State::Started => "start",
            State::Stopped => "stop",
        }
    }
}

/// Whose units are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Scope {
    /// The system's.
    #[default]
    System,
    /// Those of the user who runs the module.
    User,
    /// Those of all users.
    Global,
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// The unit's properties as they were before.
    #[schemars(with = "serde_json::Value")]
    status: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Systemd {
    const NAME: &'static str = "systemd";
    const EXAMPLES: &'static str = "
- name: A service runs, now and after a restart
  ansible.builtin.systemd_service:
    name: cron
    state: started
    enabled: true
  when: ansible_service_mgr == 'systemd'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if let Some(name) = &args.name
            && let Some(c) = name.chars().find(|c| "*?[".contains(*c))
        {
            return Err(Failure::new(format!(
                "This module does not currently support using glob patterns, found '{c}' in service name: {name}"
            )));
        }
        let systemctl = systemctl(&args, machine)?;
        let mut returns = Returns {
            name: args.name.clone(),
            status: Value::map(Map::default()),
            ..Returns::default()
        };
        for (verb, asked) in [
            ("daemon-reload", args.daemon_reload),
            ("daemon-reexec", args.daemon_reexec),
        ] {
            if asked {
                daemon(verb, &systemctl, machine, &mut returns)?;
            }
        }
        if let Some(name) = &args.name {
            control(&args, name, &systemctl, machine, &mut returns)?;
        }
        Ok(returns)
    }
}

fn systemctl(args: &Args, machine: &mut Machine) -> Result<Systemctl, Failure> {
    let mut options = Vec::new();
    match args.scope {
        Scope::System => {}
        Scope::User => options.push("--user"),
        Scope::Global => options.push("--global"),
    }
    if args.no_block {
        options.push("--no-block");
    }
    if args.force {
        options.push("--force");
    }
    if machine.variable("XDG_RUNTIME_DIR").is_none() {
        let uid = rustix::process::geteuid().as_raw();
        let folder = format!("/run/user/{uid}");
        machine.environment.push(("XDG_RUNTIME_DIR".into(), folder));
    }
    Systemctl::new(machine, &options)
}

/// `daemon-reload` and `daemon-reexec` are no changes.
fn daemon(
    verb: &str,
    systemctl: &Systemctl,
    machine: &mut Machine,
    returns: &mut Returns,
) -> Result<(), Failure> {
    if machine.mode.check {
        return Ok(());
    }
    let output = systemctl.look(machine, &[verb])?;
    match output.rc {
        0 => Ok(()),
        rc if init::offline(machine) => {
            returns.warnings.push(format!(
                "{verb} failed, but target is a chroot or systemd is offline. Continuing. Error was: {rc} / {}",
                output.stderr_text()
            ));
            Ok(())
        }
        rc => Err(Failure::new(format!(
            "failure {rc} during {verb}: {}",
            output.stderr_text()
        ))),
    }
}

fn control(
    args: &Args,
    name: &str,
    systemctl: &Systemctl,
    machine: &mut Machine,
    returns: &mut Returns,
) -> Result<(), Failure> {
    let unit = systemctl.unit(machine, name)?;
    returns.status = Value::map(unit.status.clone());
    if let Some(masked) = args.masked
        && masked != systemctl.is_masked(machine, &unit)?
    {
        let verb = if masked { "mask" } else { "unmask" };
        let output = systemctl.act(machine, verb, name)?;
        if output.rc != 0 {
            unit.needed()?;
            let said = output.stderr_text();
            return Err(Failure::new(format!(
                "Failed to {verb} the service ({name}): {}",
                said.trim()
            )));
        }
    }
    if let Some(wanted) = args.enabled {
        unit.needed()?;
        if wanted != systemctl.is_enabled(machine, &unit)? {
            let verb = if wanted { "enable" } else { "disable" };
            let output = systemctl.act(machine, verb, name)?;
            if output.rc != 0 {
                let said = output.stdout_text() + &output.stderr_text();
                return Err(Failure::new(format!(
                    "Unable to {verb} service {name}: {said}"
                )));
            }
        }
        returns.enabled = Some(wanted);
    }
    let Some(state) = args.state else {
        return Ok(());
    };
    unit.needed()?;
    returns.state = Some(state.word().to_string());
    let Some(active) = unit.property("ActiveState") else {
        if !init::offline(machine) {
            return Err(
                Failure::new("Service is in unknown state").with("status", unit.status.clone())
            );
        }
        returns.warnings.push(
            "Target is a chroot or systemd is offline. This can lead to false positives or prevent the init \
             system tools from working."
                .to_string(),
        );
        return Ok(());
    };
    let running = matches!(active, "active" | "activating");
    let action = match state {
        State::Started => (!running).then_some("start"),
        State::Stopped => (running || active == "deactivating").then_some("stop"),
        _ => {
            returns.state = Some("started".to_string());
            Some(if running { state.action() } else { "start" })
        }
    };
    if let Some(action) = action {
        let output = systemctl.act(machine, action, name)?;
        if output.rc != 0 {
            let said = output.stderr_text();
            return Err(Failure::new(format!(
                "Unable to {action} service {name}: {said}"
            )));
        }
    }
    Ok(())
}
