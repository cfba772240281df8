//! The managers of services.

use crate::machine::{Content, Machine, Output, errno_text};
use crate::modules::Failure;
use crate::modules::common::{command, init, tool};
use crate::modules::systemd::Systemctl;
use crate::modules::sysvinit;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    Systemd,
    OpenRc,
    Upstart,
    /// Init scripts.
    Scripts,
}

const REASON: &str = "the service's state changes";

impl Manager {
    /// The manager that has the service; none if there is no such service.
    pub fn of(machine: &Machine, name: &str) -> Option<Manager> {
        let there = |path: &str| machine.exists(Path::new(path));
        if there("/run/systemd/system") && machine.program("systemctl").is_some() {
            let systemctl = Systemctl::new(machine, &[]).ok()?;
            let unit = systemctl.unit(machine, name).ok()?;
            return unit.needed().is_ok().then_some(Manager::Systemd);
        }
        if machine.program("initctl").is_some() && machine.exists(&upstart_file(name, "conf")) {
            return Some(Manager::Upstart);
        }
        if !init::has_script(machine, name) {
            return None;
        }
        match machine.program("rc-service") {
            Some(_) => Some(Manager::OpenRc),
            None => Some(Manager::Scripts),
        }
    }

    /// Whether its own `restart` can be relied on.
    pub fn restarts(self) -> bool {
        matches!(self, Manager::Systemd | Manager::OpenRc)
    }

    /// Whether the service runs; none where the manager does not know.
    pub fn is_running(self, machine: &Machine, name: &str) -> Result<Option<bool>, Failure> {
        match self {
            Manager::Systemd => {
                let unit = Systemctl::new(machine, &[])?.unit(machine, name)?;
                let state = unit.property("ActiveState");
                Ok(state.map(|s| matches!(s, "active" | "activating")))
            }
            Manager::OpenRc => {
                let tool = tool::find(machine, "rc-service")?;
                let answer = tool::probe(machine, [tool.as_str(), name, "status"])?;
                let said = answer.stdout_text() + &answer.stderr_text();
                Ok(match said.contains("crashed") {
                    true => Some(false),
                    false => init::status(answer.rc, &said),
                })
            }
            Manager::Upstart => {
                let tool = tool::find(machine, "initctl")?;
                let answer = tool::probe(machine, [tool.as_str(), "status", name])?;
                Ok(Some(answer.stdout_text().contains("start/running")))
            }
            Manager::Scripts => init::ask(machine, name),
        }
    }

    pub fn act(
        self,
        machine: &mut Machine,
        name: &str,
        verb: &str,
        arguments: &str,
    ) -> Result<Output, Failure> {
        let mut words = match self {
            Manager::Systemd => vec![tool::find(machine, "systemctl")?, verb.into(), name.into()],
            Manager::Upstart => vec![tool::find(machine, "initctl")?, verb.into(), name.into()],
            Manager::OpenRc => {
                let tool = tool::find(machine, "rc-service")?;
                if verb == "start" && self.has_crashed(machine, &tool, name)? {
                    // as long as it counts as started it cannot be started
                    tool::run(machine, [tool.as_str(), name, "zap"], REASON)?;
                }
                vec![tool, name.into(), verb.into()]
            }
            Manager::Scripts => match machine.program("service") {
                Some(tool) => vec![tool.to_string_lossy().into(), name.into(), verb.into()],
                None => vec![init::script(name).to_string_lossy().into(), verb.into()],
            },
        };
        if self != Manager::Systemd {
            words.extend(command::split(arguments)?);
        }
        tool::run(machine, words, REASON)
    }

    fn has_crashed(self, machine: &Machine, tool: &str, name: &str) -> Result<bool, Failure> {
        let answer = tool::probe(machine, [tool, name, "status"])?;
        Ok((answer.stdout_text() + &answer.stderr_text()).contains("crashed"))
    }

    /// Whether the service starts with the system.
    pub fn is_enabled(
        self,
        machine: &Machine,
        name: &str,
        runlevel: &str,
    ) -> Result<bool, Failure> {
        match self {
            Manager::Systemd => {
                let systemctl = Systemctl::new(machine, &[])?;
                let unit = systemctl.unit(machine, name)?;
                systemctl.is_enabled(machine, &unit)
            }
            Manager::OpenRc => {
                let tool = tool::find(machine, "rc-update")?;
                let answer = tool::probe(machine, [tool.as_str(), "show"])?;
                Ok(in_runlevel(&answer.stdout_text(), name, runlevel))
            }
            Manager::Upstart => {
                let text = machine.read(&upstart_file(name, "override"));
                let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
                Ok(!text.lines().any(|l| l.trim() == "manual"))
            }
            Manager::Scripts => Ok(init::has_start_link(machine, name, None)),
        }
    }

    pub fn enable(
        self,
        machine: &mut Machine,
        name: &str,
        runlevel: &str,
        wanted: bool,
    ) -> Result<(), Failure> {
        let verb = if wanted { "enable" } else { "disable" };
        let output = match self {
            Manager::Systemd => Systemctl::new(machine, &[])?.act(machine, verb, name)?,
            Manager::OpenRc => {
                let tool = tool::find(machine, "rc-update")?;
                let verb = if wanted { "add" } else { "delete" };
                tool::run(machine, [tool.as_str(), verb, name, runlevel], REASON)?
            }
            Manager::Upstart => return upstart_enable(machine, name, wanted),
            Manager::Scripts => sysvinit::set_links(machine, name, wanted, &[])?,
        };
        match output.rc {
            0 => Ok(()),
            rc => Err(Failure::new(format!(
                "Failure for {name}: rc={rc}, out={}, err={}",
                output.stdout_text(),
                output.stderr_text()
            ))),
        }
    }
}

fn upstart_file(name: &str, suffix: &str) -> PathBuf {
    Path::new("/etc/init").join(format!("{name}.{suffix}"))
}

/// A job with `manual` in its override file does not start by itself.
fn upstart_enable(machine: &mut Machine, name: &str, wanted: bool) -> Result<(), Failure> {
    let file = upstart_file(name, "override");
    let old = machine.read(&file).unwrap_or_default();
    let old = String::from_utf8_lossy(&old).into_owned();
    let mut new: String = old
        .split_inclusive('\n')
        .filter(|l| l.trim() != "manual")
        .collect();
    if !wanted {
        new += "manual\n";
    }
    let written = match new.is_empty() {
        true => machine.remove(&file),
        false => machine
            .write(&file, Content::Bytes(new.as_bytes()), Some(0o644), false)
            .map(|_| ()),
    };
    written.map_err(|e| Failure::new(errno_text(&e)))
}

/// Whether a line of `rc-update show` has the service in the runlevel: `  sshd | default boot`.
fn in_runlevel(shown: &str, name: &str, runlevel: &str) -> bool {
    shown.lines().any(|line| {
        line.split_once('|').is_some_and(|(service, levels)| {
            service.trim() == name && levels.split_whitespace().any(|l| l == runlevel)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::in_runlevel;

    #[test]
    fn runlevels_of_openrc() {
        let shown = "               sshd | default nonetwork\n            hwclock | boot\n";
        for (name, level, expected) in [
            ("sshd", "default", true),
            ("sshd", "boot", false),
            ("ssh", "default", false),
            ("hwclock", "boot", true),
        ] {
            assert_eq!(in_runlevel(shown, name, level), expected, "{name} {level}");
        }
    }
}
