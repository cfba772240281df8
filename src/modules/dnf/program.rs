//! The program: which one, its options, and running it.

use super::{Args, Backend};
use crate::machine::{Machine, Output};
use crate::modules::Failure;
use crate::modules::common::tool;
use std::time::{Duration, Instant};

/// Which of the programs it is; they differ in options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    Dnf5,
    Dnf4,
    Yum3,
}

/// dnf or yum, with the options of the task.
pub struct Program {
    pub generation: Generation,
    words: Vec<String>,
    lock_timeout: i64,
}

impl Program {
    /// The program that the task asks for, else the newest that is there.
    ///
    /// Fails if it is not there, or does not have an option that was asked for.
    pub fn find(args: &Args, machine: &Machine) -> Result<Program, Failure> {
        let candidates: &[&str] = match args.use_backend {
            Backend::Dnf5 => &["dnf5"],
            Backend::Dnf4 => &["dnf-3", "dnf"],
            Backend::Dnf | Backend::Yum4 => &["dnf"],
            Backend::Auto | Backend::Yum => &["dnf", "dnf5", "yum"],
        };
        let found = candidates.iter().find_map(|name| machine.program(name));
        let path = match found {
            Some(path) => path.to_string_lossy().into_owned(),
            None => tool::find(machine, candidates[0])?,
        };
        // `dnf` and `yum` are links to what they are
        let real = machine.real_path(std::path::Path::new(&path));
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        let generation = match &*name {
            "dnf5" => Generation::Dnf5,
            "yum" => Generation::Yum3,
            _ => Generation::Dnf4,
        };
        let mut program = Program {
            generation,
            words: vec![path],
            lock_timeout: args.lock_timeout,
        };
        program.add_options(args)?;
        Ok(program)
    }

    fn add_options(&mut self, args: &Args) -> Result<(), Failure> {
        let old = self.generation == Generation::Yum3;
        let with = |option: &str, values: &[String]| -> Vec<String> {
            let values = values.iter().filter(|v| !v.is_empty());
            values.map(|v| format!("--{option}={v}")).collect()
        };
        let mut words = Vec::new();
        // the order counts: all off, then some on
        words.extend(with("disablerepo", &args.disablerepo));
        words.extend(with("enablerepo", &args.enablerepo));
        words.extend(with("exclude", &args.exclude));
        words.extend(with("disableplugin", &args.disable_plugin));
        words.extend(with("enableplugin", &args.enable_plugin));
        for (option, value) in [
            ("config", &args.conf_file),
            ("disableexcludes", &args.disable_excludes),
            ("releasever", &args.releasever),
        ] {
            words.extend(value.iter().map(|v| format!("--{option}={v}")));
        }
        if args.installroot != "/" {
            words.push(format!("--installroot={}", args.installroot));
        }
        for (given, word) in [
            (args.disable_gpg_check, "--nogpgcheck"),
            (!args.disable_gpg_check, "--setopt=localpkg_gpgcheck=1"),
            (!args.sslverify, "--setopt=sslverify=0"),
            (args.cacheonly, "-C"),
            (args.skip_broken, "--skip-broken"),
            (!old, "--setopt=exit_on_lock=1"),
        ] {
            words.extend(given.then(|| word.to_string()));
        }
        for (given, option, word) in [
            (args.allowerasing, "allowerasing", "--allowerasing"),
            (
                !args.install_weak_deps,
                "install_weak_deps",
                "--setopt=install_weak_deps=0",
            ),
            (
                args.best == Some(true) || args.nobest == Some(false),
                "best",
                "--best",
            ),
            (
                args.best == Some(false) || args.nobest == Some(true),
                "nobest",
                "--nobest",
            ),
        ] {
            if given && old {
                let msg = format!("the option {option} is not supported by this target's yum");
                return Err(Failure::new(msg));
            }
            words.extend(given.then(|| word.to_string()));
        }
        let clean = i32::from(args.autoremove);
        words.push(format!("--setopt=clean_requirements_on_remove={clean}"));
        self.words.extend(words);
        Ok(())
    }

    /// Leaves out a repository that the target does not have.
    pub fn without_repository(&mut self, name: &str) -> bool {
        let before = self.words.len();
        let option = format!("--enablerepo={name}");
        self.words.retain(|w| *w != option);
        self.words.len() < before
    }

    fn line(&self, mode: &str, verb: &[&str], names: &[String]) -> Vec<String> {
        let mut words = self.words.clone();
        words.push(mode.to_string());
        words.extend(verb.iter().map(|v| v.to_string()));
        words.extend(names.iter().cloned());
        words
    }

    /// What it would do.
    pub fn look(
        &self,
        machine: &Machine,
        verb: &[&str],
        names: &[String],
    ) -> Result<Output, Failure> {
        let words = self.line("--assumeno", verb, names);
        self.wait(|| tool::probe(machine, words.iter().cloned()))
    }

    /// Does it.
    pub fn run(
        &self,
        machine: &mut Machine,
        verb: &[&str],
        names: &[String],
    ) -> Result<Output, Failure> {
        let words = self.line("-y", verb, names);
        self.wait(|| tool::run(machine, words.iter().cloned(), "packages change"))
    }

    /// Tries again while another has the lock, for so long as the task allows.
    fn wait(&self, mut call: impl FnMut() -> Result<Output, Failure>) -> Result<Output, Failure> {
        let seconds = u64::try_from(self.lock_timeout).unwrap_or(u64::MAX / 4);
        let deadline = Instant::now().checked_add(Duration::from_secs(seconds));
        loop {
            let output = call()?;
            let locked = output.rc != 0
                && ["Failed to obtain the", "holding the yum lock"]
                    .iter()
                    .any(|words| output.stderr_text().contains(words));
            if !locked {
                return Ok(output);
            }
            if deadline.is_some_and(|d| Instant::now() >= d) {
                let name = match self.generation {
                    Generation::Yum3 => "yum",
                    _ => "dnf",
                };
                let msg = format!("{name} lockfile is held by another process");
                return Err(Failure::new(msg));
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}
