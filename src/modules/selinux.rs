//! Sets SELinux's mode and policy, now and after a restart, through the kernel's own files.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text};
use crate::modules::args::Path as PathArg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/posix/selinux_module.html>
pub struct Selinux;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    state: State,
    /// The policy, such as `targeted`; needed unless SELinux is to be disabled.
    policy: Option<String>,
    /// The file of SELinux's settings.
    #[serde(default = "config")]
    #[schemars(extend("aliases" = ["conf", "file"]))]
    configfile: PathArg,
    /// Has the kernel started with or without SELinux, by `grubby`.
    #[serde(default)]
    update_kernel_param: bool,
}

fn config() -> PathArg {
    PathArg("/etc/selinux/config".to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The policy is enforced.
    Enforcing,
    /// What the policy forbids is logged only.
    Permissive,
    /// SELinux is off; that takes a restart.
    Disabled,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Enforcing => "enforcing",
            State::Permissive => "permissive",
            State::Disabled => "disabled",
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    configfile: String,
    /// What changed.
    msg: String,
    policy: Option<String>,
    state: &'static str,
    /// Whether it takes a restart.
    reboot_required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

const ENFORCE: &str = "/sys/fs/selinux/enforce";

impl Module for Selinux {
    const NAME: &'static str = "selinux";
    const COLLECTIONS: &'static [&'static str] = &["ansible.posix"];
    const EXAMPLES: &'static str = "
- name: SELinux logs only
  ansible.posix.selinux:
    policy: targeted
    state: permissive
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let file = &args.configfile;
        let Some(text) = read(machine, file) else {
            let msg = format!("Unable to find file {}", file.as_str());
            return Err(Failure::new(msg).with(
                "details",
                "Please install SELinux-policy package, if this package is not installed previously.",
            ));
        };
        let mut settings = Settings { text };
        let policy = match &args.policy {
            Some(policy) => Some(policy.clone()),
            None if args.state == State::Disabled => settings.get("SELINUXTYPE"),
            None => {
                return Err(Failure::new(
                    "Policy is required if state is not 'disabled'",
                ));
            }
        };
        let mut done = Done::default();
        let loaded = read(machine, Path::new("/etc/selinux/config"))
            .and_then(|text| Settings { text }.get("SELINUXTYPE"));
        if policy != loaded {
            done.say(format!(
                "Running SELinux policy changed from {} to {}",
                shown(loaded.as_deref()),
                shown(policy.as_deref())
            ));
        }
        let set = settings.get("SELINUXTYPE");
        if let Some(policy) = policy.as_ref().filter(|p| Some(*p) != set.as_ref()) {
            let folder = format!("/etc/selinux/{policy}/policy");
            if !machine.exists(Path::new(&folder)) {
                return Err(Failure::new(format!(
                    "Policy {policy} does not exist in /etc/selinux/"
                )));
            }
            done.say(format!(
                "SELinux policy configuration in '{}' changed from {} to '{policy}'",
                file.as_str(),
                shown(set.as_deref())
            ));
            settings.set("SELINUXTYPE", policy);
        }
        running(&args, machine, &mut done)?;
        let set = settings.get("SELINUX");
        if set.as_deref() != Some(args.state.word()) {
            done.say(format!(
                "Config SELinux state changed from {} to '{}'",
                shown(set.as_deref()),
                args.state.word()
            ));
            settings.set("SELINUX", args.state.word());
        }
        machine
            .write(
                file,
                Content::Bytes(settings.text.as_bytes()),
                Some(0o644),
                false,
            )
            .map_err(|e| Failure::new(format!("{}: {}", errno_text(&e), file.as_str())))?;
        if args.update_kernel_param {
            kernel(&args, machine, &mut done)?;
        }
        Ok(Returns {
            configfile: file.as_str().to_string(),
            msg: done.msgs.join(", "),
            policy,
            state: args.state.word(),
            reboot_required: done.reboot,
            warnings: done.warnings,
        })
    }
}

#[derive(Default)]
struct Done {
    msgs: Vec<String>,
    warnings: Vec<String>,
    reboot: bool,
}

impl Done {
    fn say(&mut self, msg: String) {
        self.msgs.push(msg);
    }
}

fn read(machine: &Machine, path: &Path) -> Option<String> {
    let bytes = machine.read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// As Python shows a text that may be missing.
fn shown(text: Option<&str>) -> String {
    format!("'{}'", text.unwrap_or("None"))
}

/// Sets the mode of the running kernel as far as that is possible.
fn running(args: &Args, machine: &mut Machine, done: &mut Done) -> Result<(), Failure> {
    let wanted = args.state.word();
    let now = match read(machine, Path::new(ENFORCE)).as_deref().map(str::trim) {
        Some("1") => State::Enforcing,
        Some(_) => State::Permissive,
        None => State::Disabled,
    };
    if now == args.state {
        return Ok(());
    }
    if now == State::Disabled {
        done.warnings.push(format!(
            "Reboot is required to set SELinux state to '{wanted}'"
        ));
        done.reboot = true;
        return Ok(());
    }
    if args.state != State::Disabled {
        enforce(machine, args.state == State::Enforcing)?;
        done.say(format!(
            "SELinux state changed from '{}' to '{wanted}'",
            now.word()
        ));
        return Ok(());
    }
    done.reboot = true;
    if now == State::Enforcing {
        enforce(machine, false)?;
        done.say(
            "SELinux state temporarily changed from 'enforcing' to 'permissive'. State change will take effect next reboot."
                .to_string(),
        );
    } else {
        done.say("SELinux state change will take effect next reboot".to_string());
    }
    Ok(())
}

fn enforce(machine: &mut Machine, on: bool) -> Result<(), Failure> {
    let content: &[u8] = if on { b"1" } else { b"0" };
    let written = machine.write_kernel(Path::new(ENFORCE), content);
    written.map_err(|e| Failure::new(format!("Failed to set SELinux's mode: {}", errno_text(&e))))
}

/// Changes the kernel's command line, where `grubby` keeps it.
fn kernel(args: &Args, machine: &mut Machine, done: &mut Done) -> Result<(), Failure> {
    let Some(grubby) = machine.program("grubby") else {
        return Err(Failure::new("'grubby' command not found on host").with(
            "details",
            "In order to update the kernel command line\
             enabled/disabled setting, the grubby package\
             needs to be present on the system.",
        ));
    };
    let grubby = grubby.to_string_lossy().into_owned();
    let info = tool::probe(machine, [grubby.as_str(), "--info=ALL"])?;
    let info = info.stdout_text();
    let lines: Vec<&str> = info.lines().filter(|l| l.starts_with("args=")).collect();
    let off = lines.iter().filter(|l| l.contains("selinux=0")).count();
    let (right, option) = match args.state {
        State::Disabled => (off == lines.len() && off > 0, "--args=selinux=0"),
        _ => (off == 0, "--remove-args=selinux=0"),
    };
    if right {
        return Ok(());
    }
    let words = [grubby.as_str(), "--update-kernel=ALL", option];
    let output = tool::run(machine, words, "the kernel's command line")?;
    if output.rc != 0 {
        return Err(Failure::new(format!(
            "unable to update the kernel's command line: {}",
            output.stderr_text()
        )));
    }
    done.reboot = true;
    done.say(format!(
        "SELinux {} on the kernel's command line",
        match args.state {
            State::Disabled => "disabled",
            _ => "enabled",
        }
    ));
    Ok(())
}

/// The text of a settings file.
struct Settings {
    text: String,
}

impl Settings {
    fn get(&self, name: &str) -> Option<String> {
        let value = |l: &str| Some(l.strip_prefix(name)?.strip_prefix('=')?.trim().to_string());
        self.text.lines().find_map(value)
    }

    fn set(&mut self, name: &str, value: &str) {
        let line = format!("{name}={value}\n");
        let is = |l: &str| l.strip_prefix(name).is_some_and(|l| l.starts_with('='));
        let mut found = false;
        let mut new = String::new();
        for old in self.text.split_inclusive('\n') {
            found |= is(old);
            new += if is(old) { &line } else { old };
        }
        if !found {
            if !new.is_empty() && !new.ends_with('\n') {
                new.push('\n');
            }
            new += &line;
        }
        self.text = new;
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn settings_are_replaced_or_added() {
        let mut settings = Settings {
            text: "# SELINUX=x\nSELINUX=permissive\nSELINUXTYPE=targeted".to_string(),
        };
        assert_eq!(settings.get("SELINUX").as_deref(), Some("permissive"));
        settings.set("SELINUX", "disabled");
        settings.set("OTHER", "1");
        assert_eq!(
            settings.text,
            "# SELINUX=x\nSELINUX=disabled\nSELINUXTYPE=targeted\nOTHER=1\n"
        );
    }
}
