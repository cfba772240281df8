//! Installs and removes packages by name.

use super::query::{Lists, in_c};
use super::request::{Request, Wanted};
use super::tool::{diff, flag, path_of, quoted};
use super::{Args, Cache, Returns, State};
use crate::machine::{Machine, Output};
use crate::modules::Failure;

/// In the output of `apt-get` that had nothing to do.
const NOTHING: &str = "\n0 upgraded, 0 newly installed, 0 to remove";

impl Args {
    /// Installs what is asked for and not there.
    pub(super) fn install(
        &self,
        machine: &mut Machine,
        requests: Vec<Request>,
        cache: &Cache,
    ) -> Result<Returns, Failure> {
        let with_cache = |failure: Failure| {
            failure
                .with("cache_updated", cache.updated)
                .with("cache_update_time", cache.time)
        };
        let names = self.to_install(machine, requests, &with_cache)?;
        let mut returns = match names.is_empty() {
            true => Returns::default(),
            false => self.install_names(machine, &names).map_err(with_cache)?,
        };
        returns.cache_updated = Some(cache.updated);
        returns.cache_update_time = Some(cache.time);
        Ok(returns)
    }

    /// The names for the command line: with the version, where one is known.
    fn to_install(
        &self,
        machine: &Machine,
        requests: Vec<Request>,
        with_cache: &dyn Fn(Failure) -> Failure,
    ) -> Result<Vec<String>, Failure> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let mut lists = Lists::of(machine, self.default_release.as_deref(), &requests)?;
        let mut names = Vec::new();
        for request in lists.expand(requests)? {
            if self.state == State::BuildDep {
                // the name of a source package, which may have no package of that name
                names.push(request.text);
                continue;
            }
            let status = lists.status(&request)?;
            if !status.matches && request.version.is_some() && status.best.is_none() {
                let msg = format!("no available installation candidate for {}", request.text);
                return Err(with_cache(Failure::new(msg)));
            }
            let wanted = match status.installed {
                false => !self.only_upgrade,
                true => {
                    !status.matches
                        // of several versions that will do it is the newest
                        || matches!(request.version, Some(Wanted::Like(_))) && status.newer
                        || self.state == State::Latest && status.newer
                }
            };
            if wanted {
                names.push(match status.best {
                    Some(version) => format!("{}={version}", request.name),
                    None => request.text,
                });
            }
        }
        Ok(names)
    }

    /// Runs `apt-get install`.
    pub(super) fn install_names(
        &self,
        machine: &mut Machine,
        names: &[String],
    ) -> Result<Returns, Failure> {
        let apt_get = path_of(machine, "apt-get").unwrap_or_else(|| "apt-get".to_string());
        let options = self.dpkg_options();
        let fixed = flag(self.state == State::Fixed, "--fix-broken");
        let force = flag(self.force, "--force-yes");
        let no_remove = flag(self.fail_on_autoremove, "--no-remove");
        let check = flag(machine.mode.check, "--simulate");
        let names = quoted(names);
        let mut line = match self.state {
            State::BuildDep => {
                let only = flag(self.only_upgrade, "--only-upgrade");
                format!(
                    "{apt_get} -y {options} {only} {fixed} {force} {no_remove} {check} build-dep {names}"
                )
            }
            _ => {
                let only = flag(self.only_upgrade, "--only-upgrade");
                let autoremove = flag(self.autoremove, "--auto-remove");
                format!(
                    "{apt_get} -y {options} {only} {fixed} {force} {autoremove} {no_remove} {check} install {names}"
                )
            }
        };
        if let Some(release) = &self.default_release {
            line += &format!(" -t '{release}'");
        }
        line += match self.install_recommends {
            Some(true) => " -o APT::Install-Recommends=yes",
            Some(false) => " -o APT::Install-Recommends=no",
            None => "",
        };
        for (given, option) in [
            (self.allow_unauthenticated, " --allow-unauthenticated"),
            (self.allow_downgrade, " --allow-downgrades"),
            (
                self.allow_change_held_packages,
                " --allow-change-held-packages",
            ),
        ] {
            line += flag(given, option);
        }
        let output = self.execute(machine, &line)?;
        let stdout = output.stdout_text();
        if output.rc != 0 {
            let msg = format!("'{line}' failed: {}", output.stderr_text());
            return Err(with_output(Failure::new(msg), &output));
        }
        Ok(Returns {
            changed: !stdout.contains(NOTHING),
            diff: diff(machine, &stdout),
            stdout: Some(stdout),
            stderr: Some(output.stderr_text()),
            ..Returns::default()
        })
    }

    /// Removes what is there; with `purge` also the configuration of what was removed.
    pub(super) fn remove(
        &self,
        machine: &mut Machine,
        requests: Vec<Request>,
    ) -> Result<Returns, Failure> {
        let mut lists = Lists::of(machine, self.default_release.as_deref(), &requests)?;
        let names: Vec<String> = lists
            .expand(requests)?
            .into_iter()
            .filter(|request| {
                let status = lists.presence(request);
                status.installed && status.matches || status.has_files && self.purge
            })
            .map(|request| request.text)
            .collect();
        if names.is_empty() {
            return Ok(Returns::default());
        }
        let apt_get = path_of(machine, "apt-get").unwrap_or_else(|| "apt-get".to_string());
        let options = self.dpkg_options();
        let purge = flag(self.purge, "--purge");
        let force = flag(self.force, "--force-yes");
        let autoremove = flag(self.autoremove, "--auto-remove");
        let check = flag(machine.mode.check, "--simulate");
        let held = flag(
            self.allow_change_held_packages,
            "--allow-change-held-packages",
        );
        let names = quoted(&names);
        let line = format!(
            "{apt_get} -q -y {options} {purge} {force} {autoremove} {check} {held} remove {names}"
        );
        let output = self.execute(machine, &line)?;
        if output.rc != 0 {
            let msg = format!("'apt-get remove {names}' failed: {}", output.stderr_text());
            return Err(with_output(Failure::new(msg), &output));
        }
        let stdout = output.stdout_text();
        Ok(Returns {
            changed: true,
            diff: diff(machine, &stdout),
            stdout: Some(stdout),
            stderr: Some(output.stderr_text()),
            ..Returns::default()
        })
    }

    /// What a file would need besides itself; fails if that cannot be had.
    pub(super) fn needed_by(&self, machine: &Machine, file: &str) -> Result<Vec<String>, Failure> {
        let words = [
            "apt-get",
            "-s",
            "-o",
            "APT::Install-Recommends=no",
            "-o",
            "Debug::NoLocking=1",
            "--allow-downgrades",
            "--allow-change-held-packages",
            "install",
            file,
        ];
        let command = in_c(crate::machine::Command::new(words));
        let output = machine.probe(&command).map_err(super::tool::not_there)?;
        let text = output.stdout_text();
        if output.rc != 0 {
            let missing = text.lines().find_map(|l| {
                let (_, dependency) = l.split_once("Depends: ")?;
                Some(
                    dependency
                        .split_once(" but ")
                        .map_or(dependency, |(name, _)| name),
                )
            });
            let msg = match missing {
                Some(missing) => format!("Dependency is not satisfiable: {missing}\n"),
                None => format!(
                    "Unable to install package: {}",
                    output.stderr_text().trim_end()
                ),
            };
            return Err(Failure::new(msg));
        }
        let installed =
            |line: &str| Some(line.strip_prefix("Inst ")?.split(' ').next()?.to_string());
        Ok(text.lines().filter_map(installed).collect())
    }
}

/// With what a failed command said.
pub(super) fn with_output(failure: Failure, output: &Output) -> Failure {
    failure
        .with("rc", output.rc)
        .with("stdout", output.stdout_text())
        .with("stderr", output.stderr_text())
}
