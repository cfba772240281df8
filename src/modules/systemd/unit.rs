//! `systemctl`, and what it knows of a unit.

use super::show;
use crate::machine::{Machine, Output};
use crate::modules::Failure;
use crate::modules::common::{init, tool};
use crate::value::{Map, Value};

/// The program with the options that all its calls have.
pub struct Systemctl {
    words: Vec<String>,
}

/// A unit as it is found.
pub struct Unit {
    pub name: String,
    /// Its properties; none where systemd does not run.
    pub status: Map,
    /// Whether systemd has a file for it.
    known: bool,
    /// Whether there is an init script for it.
    script: bool,
}

impl Unit {
    pub fn property(&self, name: &str) -> Option<&str> {
        self.status.get(name).and_then(Value::as_str)
    }

    /// Fails if there is no such unit.
    pub fn needed(&self) -> Result<(), Failure> {
        match self.known || self.script {
            true => Ok(()),
            false => Err(init::missing(&self.name, "host")),
        }
    }
}

impl Systemctl {
    pub fn new(machine: &Machine, options: &[&str]) -> Result<Systemctl, Failure> {
        let mut words = vec![tool::find(machine, "systemctl")?];
        words.extend(options.iter().map(|o| o.to_string()));
        Ok(Systemctl { words })
    }

    fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let words = self.words.iter().map(String::as_str);
        words.chain(more.iter().copied()).collect()
    }

    /// Runs it in check mode too.
    pub fn look(&self, machine: &Machine, words: &[&str]) -> Result<Output, Failure> {
        tool::probe(machine, self.with(words))
    }

    /// Runs it to change a unit.
    pub fn act(&self, machine: &mut Machine, verb: &str, unit: &str) -> Result<Output, Failure> {
        tool::run(machine, self.with(&[verb, unit]), "a unit is changed")
    }

    /// What is known of the unit. Fails where systemd does not answer, or cannot read the unit's file.
    pub fn unit(&self, machine: &Machine, name: &str) -> Result<Unit, Failure> {
        let shown = self.look(machine, &["show", name])?;
        let mut unit = Unit {
            name: name.to_string(),
            status: Map::default(),
            known: false,
            script: init::has_script(machine, name.strip_suffix(".service").unwrap_or(name)),
        };
        if shown.rc == 0 && !shown.stdout.is_empty() {
            unit.status = show::parse(&shown.stdout_text());
            let load = unit
                .property("LoadState")
                .unwrap_or("not-found")
                .to_string();
            unit.known = load != "not-found";
            if unit.known
                && load != "masked"
                && let Some(error) = unit.property("LoadError").filter(|e| !e.is_empty())
            {
                return Err(Failure::new(format!(
                    "Error loading unit file '{name}': {error}"
                )));
            }
            return Ok(unit);
        }
        // systemd does not run; its files are known all the same
        let file = match name.contains('.') {
            true => name.to_string(),
            false => format!("{name}.service"),
        };
        let files = self.look(machine, &["list-unit-files", &file])?;
        unit.known = files
            .stdout_text()
            .lines()
            .any(|l| l.split_whitespace().next() == Some(&file));
        if !unit.known && !init::offline(machine) {
            let all = self.look(machine, &[])?;
            if all.rc != 0 {
                return Err(Failure::new(all.stderr_text().trim_end())
                    .with("cmd", self.words.join(" "))
                    .with("rc", all.rc)
                    .with("stdout", all.stdout_text())
                    .with("stderr", all.stderr_text()));
            }
        }
        Ok(unit)
    }

    pub fn is_masked(&self, machine: &Machine, unit: &Unit) -> Result<bool, Failure> {
        if let Some(load) = unit.property("LoadState") {
            return Ok(load == "masked");
        }
        let answer = self.look(machine, &["is-enabled", &unit.name])?;
        Ok(answer.stdout_text().trim().starts_with("masked"))
    }

    /// Whether the unit starts with the system. A name that only leads to another unit is not enabled itself.
    pub fn is_enabled(&self, machine: &Machine, unit: &Unit) -> Result<bool, Failure> {
        // after the word, the links that enable it are listed: those of another unit make an indirect one enabled
        let answer = self.look(machine, &["is-enabled", "-l", &unit.name])?;
        let said = answer.stdout_text();
        let said = said.trim();
        if answer.rc == 0 {
            let word = said.lines().next().unwrap_or_default();
            return Ok(said != "indirect" && !matches!(word, "alias" | "enabled-runtime"));
        }
        let by_link = answer.rc == 1 && unit.script && !said.ends_with("disabled");
        Ok(by_link && init::has_start_link(machine, &unit.name, None))
    }
}
