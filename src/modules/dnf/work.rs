//! From what the user names to what dnf is to do, and the results of that.

use super::installed::{Installed, comparison, is_pattern};
use super::plan::{self, Kind, Row};
use super::program::{Generation, Program};
use super::{Args, Returns, State};
use crate::machine::{Machine, Output};
use crate::modules::Failure;
use crate::modules::common::package_file;
use crate::value::Value;
use std::path::{Path, PathBuf};

/// A run of the module.
pub struct Work {
    args: Args,
    program: Program,
    installed: Installed,
    returns: Returns,
    /// Files that were downloaded.
    scratch: Vec<PathBuf>,
}

/// The names of the task by what they are.
#[derive(Default)]
struct Names {
    everything: bool,
    groups: Vec<String>,
    files: Vec<String>,
    packages: Vec<String>,
}

/// A failure as all of this module are.
fn fail(msg: impl Into<String>) -> Failure {
    Failure::new(msg)
        .with("rc", 1)
        .with("results", Value::list(Vec::new()))
}

fn failures(list: Vec<String>) -> Value {
    Value::list(list.into_iter().map(Value::from).collect())
}

impl Work {
    pub fn begin(args: Args, machine: &Machine) -> Result<Work, Failure> {
        Ok(Work {
            program: Program::find(&args, machine)?,
            installed: Installed::ask(machine, &args.installroot)?,
            args,
            returns: Returns::default(),
            scratch: Vec::new(),
        })
    }

    pub fn run(mut self, machine: &mut Machine) -> Result<Returns, Failure> {
        let done = self.perform(machine);
        for file in &self.scratch {
            machine.drop_scratch(file);
        }
        done?;
        let changed = self.returns.changed;
        if !changed && self.returns.msg.is_empty() {
            self.returns.msg = "Nothing to do".to_string();
        } else if changed && machine.mode.check {
            self.returns.msg =
                "Check mode: No changes made, but would have if not in check mode".to_string();
        }
        Ok(self.returns)
    }

    fn perform(&mut self, machine: &mut Machine) -> Result<(), Failure> {
        let removes = match self.args.state {
            Some(State::Absent | State::Removed) => true,
            Some(_) => false,
            None => self.args.autoremove,
        };
        if self.args.update_cache && !removes {
            self.refresh(machine)?;
            if self.args.name.is_empty() {
                self.returns.msg = "Cache updated".to_string();
                return Ok(());
            }
        }
        let names = self.names(machine)?;
        if removes {
            return self.remove(machine, names);
        }
        if self.args.state == Some(State::Latest) {
            return self.latest(machine, names);
        }
        self.present(machine, names)
    }

    /// Fetches the repositories' metadata anew; in check mode too, as Ansible does: it changes no package.
    fn refresh(&mut self, machine: &mut Machine) -> Result<(), Failure> {
        let mut steps = vec![&["clean", "expire-cache"][..]];
        steps.extend((!self.args.cacheonly).then_some(&["makecache"][..]));
        for verb in steps {
            let output = self.program.look(machine, verb, &[])?;
            if output.rc != 0 {
                return Err(self.failed(&output));
            }
        }
        Ok(())
    }

    fn names(&mut self, machine: &Machine) -> Result<Names, Failure> {
        let mut names = Names::default();
        for name in self.args.name.clone() {
            let name = name.trim();
            if name == "*" {
                names.everything = true;
            } else if name.starts_with('@') {
                names.groups.push(name.to_string());
            } else if name.contains("://") {
                let file = self.download(machine, name)?;
                names.files.push(file);
            } else if name.ends_with(".rpm") && name.contains('/') {
                if !machine.is_file(Path::new(name)) {
                    let msg = "Error occurred attempting remote rpm operation: Could not open: ";
                    return Err(fail(format!("{msg}{name}")));
                }
                names.files.push(name.to_string());
            } else if !name.is_empty() {
                names.packages.push(name.to_string());
            }
        }
        Ok(names)
    }

    fn download(&mut self, machine: &Machine, url: &str) -> Result<String, Failure> {
        let file = package_file::download(machine, url, self.args.validate_certs, ".rpm")?;
        self.scratch.push(file.clone());
        Ok(file.to_string_lossy().into_owned())
    }

    /// What groups and files say of themselves in the results.
    fn announce(&mut self, names: &Names) {
        let groups = names.groups.iter().map(|g| {
            let group = g.trim_start_matches('@');
            format!("Group {group} installed.")
        });
        let files = names.files.iter().map(|f| format!("Installed {f}"));
        self.returns.results.extend(files.chain(groups));
    }

    fn present(&mut self, machine: &mut Machine, names: Names) -> Result<(), Failure> {
        let mut wanted = names.files.clone();
        wanted.extend(names.groups.iter().cloned());
        for name in &names.packages {
            let there = !is_pattern(name) && self.installed.has(machine, name)?;
            if !there && self.installs(name) {
                wanted.push(name.clone());
            }
        }
        self.announce(&names);
        self.step(machine, &["install"], wanted)
    }

    /// Whether what is not there is to be installed; with `update_only` the results say that it is not.
    fn installs(&mut self, name: &str) -> bool {
        if self.args.update_only {
            let left =
                format!("Packages providing {name} not installed due to update_only specified");
            self.returns.results.push(left);
        }
        !self.args.update_only
    }

    fn latest(&mut self, machine: &mut Machine, names: Names) -> Result<(), Failure> {
        let mut upgrade = match (
            self.args.security || self.args.bugfix,
            self.program.generation,
        ) {
            (false, _) => vec!["upgrade"],
            (true, Generation::Dnf5) => vec!["upgrade", "--minimal"],
            (true, Generation::Dnf4) => vec!["upgrade-minimal"],
            (true, Generation::Yum3) => vec!["update-minimal"],
        };
        upgrade.extend(self.args.security.then_some("--security"));
        upgrade.extend(self.args.bugfix.then_some("--bugfix"));
        self.announce(&names);
        let (mut new, mut old) = (names.files.clone(), Vec::new());
        new.extend(names.groups.iter().cloned());
        for name in &names.packages {
            // a comparison or a pattern is for both: dnf finds out
            let there = self.installed.has(machine, name)?;
            if there {
                old.push(name.clone());
            }
            let more = is_pattern(name) && !self.args.update_only;
            if (!there || more) && self.installs(name) {
                new.push(name.clone());
            }
        }
        self.step(machine, &["install"], new)?;
        if names.everything {
            return self.plan_and_do(machine, &upgrade, Vec::new());
        }
        self.step(machine, &upgrade, old)
    }

    fn remove(&mut self, machine: &mut Machine, names: Names) -> Result<(), Failure> {
        let mut wanted = names.groups.clone();
        for name in names.files.iter().chain(&names.packages) {
            match self.installed.has(machine, name)? {
                true => wanted.push(name.clone()),
                false => {
                    let found = self.installed.named(name);
                    wanted.extend(found.iter().map(|p| p.nevra()));
                    if found.is_empty() {
                        let missing = format!("No match for argument: {name}");
                        self.returns.results.push(missing);
                    }
                }
            }
        }
        self.step(machine, &["remove"], wanted)?;
        if self.args.autoremove {
            return self.plan_and_do(machine, &["autoremove"], Vec::new());
        }
        Ok(())
    }

    /// As [`Work::plan_and_do`], where there are names.
    fn step(
        &mut self,
        machine: &mut Machine,
        verb: &[&str],
        names: Vec<String>,
    ) -> Result<(), Failure> {
        match names.is_empty() {
            true => Ok(()),
            false => self.plan_and_do(machine, verb, names),
        }
    }

    /// Asks what would be done, does it outside of check mode, and notes the results.
    fn plan_and_do(
        &mut self,
        machine: &mut Machine,
        verb: &[&str],
        mut names: Vec<String>,
    ) -> Result<(), Failure> {
        let rows = loop {
            let output = self.program.look(machine, verb, &names)?;
            if let Some(repository) = unknown_repository(&output)
                && self.program.without_repository(&repository)
            {
                let warning = format!("There is no repository '{repository}' to enable");
                self.returns.warnings.push(warning);
                continue;
            }
            self.check(&output, verb, &names)?;
            let rows = plan::parse(&output.stdout_text());
            let back = |name: &String| rows.iter().any(|row| goes_back(row, name));
            if self.args.allow_downgrade || !names.iter().any(back) {
                break rows;
            }
            // an older version than what is there is not asked for in earnest
            names.retain(|name| !back(name));
            if names.is_empty() {
                break Vec::new();
            }
        };
        if rows.is_empty() {
            return Ok(());
        }
        if !machine.mode.check {
            let mut words = verb.to_vec();
            let folder = self.args.download_dir.iter();
            let folder: Vec<String> = folder.map(|f| format!("--downloaddir={f}")).collect();
            if self.args.download_only {
                words.push("--downloadonly");
                words.extend(folder.iter().map(String::as_str));
            }
            let output = self.program.run(machine, &words, &names)?;
            if output.rc != 0 {
                return Err(self.not_done(&output, &rows));
            }
        }
        self.note(&rows);
        Ok(())
    }

    fn note(&mut self, rows: &[Row]) {
        self.returns.changed = true;
        let comes = rows.iter().filter(|row| row.kind != Kind::Remove);
        if self.args.download_only {
            let downloaded = comes.map(|row| format!("Downloaded: {}", row.nevra()));
            self.returns.results.extend(downloaded);
            return;
        }
        let mut results: Vec<String> = comes.map(|r| format!("Installed: {}", r.nevra())).collect();
        for row in rows {
            match row.kind {
                Kind::Install => {}
                Kind::Remove => results.push(format!("Removed: {}", row.nevra())),
                Kind::Upgrade | Kind::Downgrade => {
                    let old = self
                        .installed
                        .packages
                        .iter()
                        .filter(|p| p.name == row.name);
                    results.extend(old.map(|p| format!("Removed: {}", p.nevra())));
                }
            }
        }
        self.returns.results.extend(results);
    }

    /// Fails with what dnf says is wrong with the request.
    fn check(&self, output: &Output, verb: &[&str], names: &[String]) -> Result<(), Failure> {
        let all = output.stdout_text() + &output.stderr_text();
        let aborted = all.contains("Operation aborted") || all.contains("Exiting on user command");
        let installs = verb == ["install"];
        let mut missing = Vec::new();
        for line in all.lines() {
            let filtered = "All matches were filtered out by exclude filtering for argument: ";
            if let Some(group) = line
                .strip_prefix("Module or Group '")
                .and_then(|rest| rest.split('\'').next())
                .filter(|_| installs)
            {
                let msg = format!("No group {group} available.");
                return Err(Failure::new(msg).with("results", Value::list(Vec::new())));
            }
            if let Some(name) = line.strip_prefix(filtered) {
                missing.push(format!("{name} {line}"));
            } else if let Some(name) = line.strip_prefix("No match for argument: ") {
                missing.extend(installs.then(|| format!("No package {name} available.")));
            } else if line.starts_with("No package ") && line.ends_with(" available.") {
                missing.extend(installs.then(|| line.to_string()));
            } else if line.contains("There are no enabled repositories") && installs {
                missing.extend(names.iter().map(|n| format!("No package {n} available.")));
            }
        }
        if !missing.is_empty() && !self.args.skip_broken && verb != ["remove"] {
            return Err(fail("Failed to install some of the specified packages")
                .with("failures", failures(missing)));
        }
        // what is not there need not be upgraded or removed
        let nothing = [
            "No packages marked for",
            "Nothing to do",
            "No match for argument",
        ]
        .iter()
        .any(|words| all.contains(words));
        if output.rc == 0 || aborted || nothing {
            return Ok(());
        }
        Err(self.failed(output))
    }

    fn failed(&self, output: &Output) -> Failure {
        let (stdout, stderr) = (output.stdout_text(), output.stderr_text());
        let error = match stderr.split_once("Error: ") {
            Some((_, error)) => error,
            None if stderr.is_empty() => &stdout,
            None => &stderr,
        };
        // what dnf's command line advises is not for a module
        let error = error.split("\n(try to ").next().unwrap_or(error).trim_end();
        let msg = match error.trim_start() {
            problem if problem.starts_with("Problem") => {
                format!("Depsolve Error occurred: {error}")
            }
            problem if problem.starts_with("Failed to download metadata") => problem.to_string(),
            problem => format!("Unknown Error occurred: {problem}"),
        };
        fail(msg).with("failures", failures(Vec::new()))
    }

    /// The failure for a transaction that broke off.
    fn not_done(&self, output: &Output, rows: &[Row]) -> Failure {
        let all = output.stdout_text() + &output.stderr_text();
        if all.contains("GPG check FAILED") || all.contains("is not signed") {
            let why = all.lines().find(|line| {
                line.contains("is not signed") || line.starts_with("Problem opening package")
            });
            let package = rows.first().map(Row::nevra).unwrap_or_default();
            return Failure::new(format!(
                "Failed to validate GPG signature for {package}: {}",
                why.unwrap_or("GPG check FAILED").trim()
            ));
        }
        self.failed(output)
    }
}

fn unknown_repository(output: &Output) -> Option<String> {
    let text = output.stderr_text();
    let (_, rest) = text.split_once("Unknown repo: '")?;
    rest.split('\'').next().map(str::to_string)
}

/// Whether the row puts an older version of what the name means in place of a newer one.
fn goes_back(row: &Row, name: &str) -> bool {
    if row.kind != Kind::Downgrade {
        return false;
    }
    match comparison(name) {
        Some((package, ..)) => package == row.name,
        None => name
            .strip_prefix(row.name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.'])),
    }
}
