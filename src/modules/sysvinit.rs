//! Controls services by their init scripts in `/etc/init.d`.

use super::common::{init, tool};
use super::systemd::State;
use super::{Failure, Module};
use crate::machine::{Machine, Output};
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/sysvinit_module.html>
pub struct Sysvinit;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// The service.
    #[schemars(extend("aliases" = ["service"]))]
    name: String,
    /// `started` and `stopped` act only where it is not so; `restarted` and `reloaded` always do.
    #[schemars(extend("order" = ["started", "stopped", "restarted", "reloaded"]))]
    state: Option<State>,
    /// Whether it starts with the system.
    enabled: Option<bool>,
    /// Seconds between the stop and the start of a restart.
    #[serde(default = "one")]
    sleep: i64,
    /// It runs if a process has this text in its command line; the script is not asked.
    pattern: Option<String>,
    /// Runlevels that `enabled` is about.
    runlevels: Option<Vec<String>>,
    /// Further words for the script.
    #[schemars(extend("aliases" = ["args"]))]
    arguments: Option<String>,
    /// Runs the script in a session of its own, for scripts that do not do it right themselves.
    #[serde(default)]
    daemonize: bool,
}

fn one() -> i64 {
    1
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    name: String,
    /// What was done about `enabled` and about the state, each with what the program said.
    #[schemars(with = "serde_json::Value")]
    status: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Sysvinit {
    const NAME: &'static str = "sysvinit";
    const EXAMPLES: &'static str = "
- name: A service runs, now and after a restart
  ansible.builtin.sysvinit:
    name: cron
    state: started
    enabled: true
  when: ansible_service_mgr == 'sysvinit'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if !init::has_script(machine, &args.name) {
            return Err(init::missing(&args.name, ""));
        }
        let mut warnings = Vec::new();
        let mut status = Map::default();
        let enabled = enable(&args, machine)?;
        status.insert("enabled".into(), enabled.shown(args.runlevels.as_deref()));
        let state = args.state.map_or("null", State::word);
        let done = control(&args, machine, &mut warnings)?;
        status.insert(state.into(), done.shown(None));
        Ok(Returns {
            name: args.name,
            status: Value::map(status),
            warnings,
        })
    }
}

/// What was done, and what came of it outside of check mode.
#[derive(Default)]
struct Step {
    changed: bool,
    output: Option<Output>,
}

impl Step {
    fn shown(&self, runlevels: Option<&[String]>) -> Value {
        let mut map = Map::default();
        map.insert("changed".into(), self.changed.into());
        let output = self.output.as_ref();
        map.insert("rc".into(), output.map_or(Value::Null, |o| o.rc.into()));
        for (key, text) in [
            ("stdout", output.map(Output::stdout_text)),
            ("stderr", output.map(Output::stderr_text)),
        ] {
            map.insert(key.into(), text.map_or(Value::Null, Value::from));
        }
        if let Some(levels) = runlevels.filter(|_| self.changed) {
            let levels = levels.iter().map(Value::str).collect();
            map.insert("runlevels".into(), Value::list(levels));
        }
        Value::map(map)
    }

    fn done(machine: &Machine, output: Output) -> Step {
        Step {
            changed: true,
            output: (!machine.mode.check).then_some(output),
        }
    }
}

fn enable(args: &Args, machine: &mut Machine) -> Result<Step, Failure> {
    let Some(wanted) = args.enabled else {
        return Ok(Step::default());
    };
    let on = |level: Option<&str>| init::has_start_link(machine, &args.name, level);
    let levels = args.runlevels.as_deref().unwrap_or_default();
    let right = match levels {
        [] => on(None) == wanted,
        levels => levels.iter().all(|l| on(Some(l)) == wanted),
    };
    if right {
        return Ok(Step::default());
    }
    let output = set_links(machine, &args.name, wanted, levels)?;
    if output.rc != 0 {
        let verb = if wanted { "enable" } else { "disable" };
        return Err(failed(verb, &args.name, &output));
    }
    Ok(Step::done(machine, output))
}

/// Makes or removes the links that start a service, with the tool that the system has for it.
pub fn set_links(
    machine: &mut Machine,
    name: &str,
    wanted: bool,
    levels: &[String],
) -> Result<Output, Failure> {
    const REASON: &str = "the service is to start with the system or not";
    if let Some(tool) = machine.program("update-rc.d") {
        let tool = tool.to_string_lossy().into_owned();
        if wanted {
            let defaults = tool::run(machine, [&*tool, name, "defaults"], REASON)?;
            if defaults.rc != 0 {
                return Ok(defaults);
            }
        }
        let verb = if wanted { "enable" } else { "disable" };
        let mut words = vec![tool.as_str(), name, verb];
        words.extend(levels.iter().map(String::as_str));
        return tool::run(machine, words, REASON);
    }
    if let Some(tool) = machine.program("chkconfig") {
        let tool = tool.to_string_lossy().into_owned();
        if wanted {
            let added = tool::run(machine, [&*tool, "--add", name], REASON)?;
            if added.rc != 0 {
                return Ok(added);
            }
        }
        let levels = levels.concat();
        let mut words = vec![tool.as_str()];
        if !levels.is_empty() {
            words.extend(["--level", &levels]);
        }
        words.extend([name, if wanted { "on" } else { "off" }]);
        return tool::run(machine, words, REASON);
    }
    let tool = tool::find(machine, "insserv")?;
    match wanted {
        true => tool::run(machine, [&*tool, name], REASON),
        false => tool::run(machine, [&*tool, "-r", name], REASON),
    }
}

fn control(
    args: &Args,
    machine: &mut Machine,
    warnings: &mut Vec<String>,
) -> Result<Step, Failure> {
    let Some(state) = args.state else {
        return Ok(Step::default());
    };
    let running = match running(args, machine)? {
        Some(running) => running,
        None => {
            warnings.push("Unable to determine if service is up, assuming it is down".to_string());
            false
        }
    };
    let steps: &[&str] = match state {
        State::Started if running => &[],
        State::Stopped if !running => &[],
        State::Restarted => &["stop", "start"],
        state => &[state.action()],
    };
    let mut step = Step::default();
    for (at, verb) in steps.iter().enumerate() {
        if at > 0 && !machine.mode.check {
            let seconds = u64::try_from(args.sleep).unwrap_or(0);
            std::thread::sleep(Duration::from_secs(seconds));
        }
        let output = script(args, verb, machine)?;
        // a service that does not run cannot be stopped; it is started all the same
        if output.rc != 0 && !(*verb == "stop" && steps.len() > 1) {
            return Err(failed(state.action(), &args.name, &output));
        }
        step = Step::done(machine, output);
    }
    Ok(step)
}

fn running(args: &Args, machine: &Machine) -> Result<Option<bool>, Failure> {
    if let Some(pattern) = &args.pattern {
        return Ok(init::has_process(machine, pattern).then_some(true));
    }
    if let Some(answer) = init::ask(machine, &args.name)? {
        return Ok(Some(answer));
    }
    Ok(init::has_process(machine, &args.name).then_some(true))
}

fn script(args: &Args, verb: &str, machine: &mut Machine) -> Result<Output, Failure> {
    let mut words = Vec::new();
    if args.daemonize {
        words.extend([tool::find(machine, "setsid")?, "-w".to_string()]);
    }
    words.push(init::script(&args.name).to_string_lossy().into_owned());
    words.push(verb.to_string());
    if let Some(more) = &args.arguments {
        words.extend(super::common::command::split(more)?);
    }
    tool::run(machine, words, "the service's state changes")
}

fn failed(verb: &str, name: &str, output: &Output) -> Failure {
    Failure::new(format!("Failed to {verb} service: {name}"))
        .with("rc", output.rc)
        .with("stdout", output.stdout_text())
        .with("stderr", output.stderr_text())
}
