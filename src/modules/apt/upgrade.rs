//! Upgrades the whole system, and removes what it does not need.

use super::install::with_output;
use super::tool::{diff, flag, path_of};
use super::{Args, Returns, Upgrade};
use crate::machine::{Command, Machine};
use crate::modules::Failure;

impl Args {
    /// Upgrades every package, with aptitude where Ansible would.
    pub(super) fn upgrade(
        &self,
        machine: &mut Machine,
        upgrade: Upgrade,
    ) -> Result<Returns, Failure> {
        let aptitude = match upgrade {
            Upgrade::Dist => None,
            _ if self.force_apt_get => None,
            _ => path_of(machine, "aptitude"),
        };
        let mut warnings = Vec::new();
        let nothing;
        let (program, force, verb) = match &aptitude {
            Some(path) => {
                nothing = "\n0 packages upgraded, 0 newly installed, 0 to remove";
                for (given, option, name) in [
                    (self.fail_on_autoremove, "--no-remove", "fail_on_autoremove"),
                    (
                        self.allow_downgrade,
                        "--allow-downgrades",
                        "allow_downgrade",
                    ),
                ] {
                    if given {
                        warnings.push(format!(
                            "APTITUDE does not support '{option}', ignoring the '{name}' parameter."
                        ));
                    }
                }
                let verb = match upgrade {
                    Upgrade::Full => "full-upgrade",
                    _ => "safe-upgrade",
                };
                let force = "--assume-yes --allow-untrusted";
                (path.clone(), force, verb.to_string())
            }
            None => {
                nothing = "\n0 upgraded, 0 newly installed, 0 to remove";
                let verb = match upgrade {
                    Upgrade::Dist | Upgrade::Full => "dist-upgrade",
                    _ => "upgrade --with-new-pkgs",
                };
                let autoremove = flag(self.autoremove, " --auto-remove");
                let path = path_of(machine, "apt-get").unwrap_or_else(|| "apt-get".to_string());
                (path, "--force-yes", format!("{verb}{autoremove}"))
            }
        };
        let by_apt_get = aptitude.is_none();
        let mut line = format!(
            "{program} -y {} {} {} {} {} {} {verb}",
            self.dpkg_options(),
            flag(self.force, force),
            flag(self.fail_on_autoremove && by_apt_get, "--no-remove"),
            flag(self.allow_unauthenticated, "--allow-unauthenticated"),
            flag(self.allow_downgrade && by_apt_get, "--allow-downgrades"),
            flag(machine.mode.check, "--simulate"),
        );
        if let Some(release) = &self.default_release {
            line += &format!(" -t '{release}'");
        }
        let output = self.execute(machine, &line)?;
        let stdout = output.stdout_text();
        if output.rc != 0 {
            let msg = format!("'{program} {verb}' failed: {}", output.stderr_text());
            return Err(Failure::new(msg)
                .with("stdout", stdout)
                .with("rc", output.rc));
        }
        Ok(Returns {
            changed: !stdout.contains(nothing),
            msg: Some(stdout.clone()),
            diff: diff(machine, &stdout),
            stdout: Some(stdout),
            stderr: Some(output.stderr_text()),
            warnings,
            ..Returns::default()
        })
    }

    /// `apt-get autoremove` or `autoclean`.
    pub(super) fn tidy(&self, machine: &mut Machine, verb: &str) -> Result<Returns, Failure> {
        let program = path_of(machine, "apt-get").unwrap_or_else(|| "apt-get".to_string());
        let line = format!(
            "{program} -y {} {} {} {verb} {}",
            self.dpkg_options(),
            flag(self.purge, "--purge"),
            flag(self.force, "--force-yes"),
            flag(machine.mode.check, "--simulate"),
        );
        let output = self.execute(machine, &line)?;
        if output.rc != 0 {
            let msg = format!("'apt-get {verb}' failed: {}", output.stderr_text());
            return Err(with_output(Failure::new(msg), &output));
        }
        let stdout = output.stdout_text();
        let mark = match verb {
            "autoremove" => "The following packages will be REMOVED",
            _ => "Del ",
        };
        Ok(Returns {
            changed: stdout.contains(mark),
            diff: diff(machine, &stdout),
            stdout: Some(stdout),
            stderr: Some(output.stderr_text()),
            ..Returns::default()
        })
    }

    /// `apt-get clean`.
    pub(super) fn clean(&self, machine: &mut Machine) -> Result<Returns, Failure> {
        let command = super::tool::quiet(machine, Command::new(["apt-get", "clean"]));
        let output = machine
            .run(&command, "apt-get clean")
            .map_err(super::tool::not_there)?
            .unwrap_or_default();
        if output.rc != 0 {
            let msg = format!("apt-get clean failed: {}", output.stderr_text());
            return Err(with_output(Failure::new(msg), &output));
        }
        let stdout = output.stdout_text();
        Ok(Returns {
            changed: true,
            msg: Some(stdout.clone()),
            diff: diff(machine, &stdout),
            stdout: Some(stdout),
            stderr: Some(output.stderr_text()),
            ..Returns::default()
        })
    }
}
