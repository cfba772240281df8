//! Working copies and exports of Subversion repositories, by the host's own `svn`.

use super::args::Path;
use super::common::tool;
use super::{Failure, Module, yes};
use crate::machine::{Command, Machine, Output};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/subversion_module.html>
pub struct Subversion;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The folder of the working copy.
    dest: Option<Path>,
    /// The URL of the repository.
    #[schemars(extend("aliases" = ["name", "repository"]))]
    repo: String,
    /// The revision.
    #[serde(default = "newest")]
    #[schemars(extend("aliases" = ["rev", "version"]))]
    revision: String,
    /// Throws local changes away; without it they are an error.
    #[serde(default)]
    force: bool,
    /// The name to log in with.
    username: Option<String>,
    /// The password: on the command line for svn before 1.10, on its standard input after that.
    #[schemars(extend("no_log" = true))]
    password: Option<String>,
    /// The program.
    executable: Option<Path>,
    /// Exports the files, without what makes a working copy of them.
    #[serde(default)]
    export: bool,
    /// Whether the working copy is made if it is missing.
    #[serde(default = "yes")]
    checkout: bool,
    /// Whether a working copy is brought to the revision.
    #[serde(default = "yes")]
    update: bool,
    /// Whether a working copy of another URL is made one of this URL.
    #[serde(default = "yes")]
    switch: bool,
    /// Makes a working copy of a folder that is there.
    #[serde(default)]
    in_place: bool,
    /// Whether the server's certificate has to be known.
    #[serde(default)]
    validate_certs: bool,
}

fn newest() -> String {
    "HEAD".to_string()
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// Revision and URL before; in check mode, the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// Revision and URL after it; in check mode, or if only asked for, the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl Module for Subversion {
    const NAME: &'static str = "subversion";
    const EXAMPLES: &'static str = "
- name: The sources at a revision
  ansible.builtin.subversion:
    repo: https://svn.example.com/project/trunk
    dest: /srv/project
    revision: '1234'
  when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let Some(dest) = &args.dest else {
            if args.checkout || args.update || args.export {
                return Err(Failure::new(
                    "the destination directory must be specified unless checkout=no, update=no, and export=no",
                ));
            }
            return Svn::new(&args, "", machine)?.newest_of_repository(machine);
        };
        let svn = Svn::new(&args, dest.as_str(), machine)?;
        if !args.checkout && !args.update && !args.export {
            return svn.newest_of_repository(machine);
        }
        let changed = |changed| Returns {
            changed,
            ..Returns::default()
        };
        if args.export || !machine.exists(dest) {
            if machine.mode.check {
                return Ok(changed(true));
            }
            if args.export {
                svn.export(machine)?;
                return Ok(changed(true));
            }
            if !args.checkout {
                return Ok(changed(false));
            }
            svn.check_out(&[], machine)?;
            return svn.new_copy(machine);
        }
        if svn.ask(&["info", dest.as_str()], machine)?.rc == 0 {
            return match args.update {
                true => svn.update(machine),
                false => Ok(changed(false)),
            };
        }
        if !args.in_place {
            return Err(Failure::new(format!(
                "ERROR: {} folder already exists, but its not a subversion repository.",
                dest.as_str()
            )));
        }
        if machine.mode.check {
            return Ok(changed(true));
        }
        svn.check_out(&["--force"], machine)?;
        if svn.is_modified(machine)? && args.force {
            svn.revert(machine)?;
        }
        svn.new_copy(machine)
    }
}

/// The program, with what all its calls have.
struct Svn<'a> {
    args: &'a Args,
    dest: &'a str,
    words: Vec<String>,
    stdin: Option<Vec<u8>>,
}

impl<'a> Svn<'a> {
    fn new(args: &'a Args, dest: &'a str, machine: &mut Machine) -> Result<Svn<'a>, Failure> {
        let program = match &args.executable {
            Some(path) => path.0.clone(),
            None => tool::find(machine, "svn")?,
        };
        let mut svn = Svn {
            args,
            dest,
            words: vec![program],
            stdin: None,
        };
        let takes_password = match &args.password {
            Some(_) => svn.takes_password(machine)?,
            None => false,
        };
        let mut add = |words: &[&str]| svn.words.extend(words.iter().map(|w| w.to_string()));
        add(&["--non-interactive", "--no-auth-cache"]);
        if !args.validate_certs {
            add(&["--trust-server-cert"]);
        }
        if let Some(name) = &args.username {
            add(&["--username", name]);
        }
        match &args.password {
            Some(password) if takes_password => {
                add(&["--password-from-stdin"]);
                svn.stdin = Some(password.clone().into_bytes());
            }
            Some(password) => {
                add(&["--password", password]);
                machine.warnings.push(
                    "The authentication provided will be used on the svn command line and is not secure. To securely \
                     pass credentials, upgrade svn to version 1.10.0 or greater."
                        .to_string(),
                );
            }
            None => {}
        }
        Ok(svn)
    }

    /// Whether it reads a password: since 1.10.
    fn takes_password(&self, machine: &Machine) -> Result<bool, Failure> {
        let output = self.ask(&["--version", "--quiet"], machine)?;
        let text = output.stdout_text();
        let mut numbers = text.trim().split('.').map(|n| n.parse::<u32>());
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
        Ok((next(), next()) >= (1, 10))
    }

    fn command(&self, words: &[&str]) -> Command {
        let words = self
            .words
            .iter()
            .map(String::as_str)
            .chain(words.iter().copied());
        Command {
            stdin: self.stdin.clone(),
            ..tool::command(words)
        }
    }

    /// What it answers, also if it fails.
    fn ask(&self, words: &[&str], machine: &Machine) -> Result<Output, Failure> {
        let command = self.command(words);
        machine.probe(&command).map_err(|e| cannot(&command, &e))
    }

    /// What it says where it has to succeed.
    fn told(&self, words: &[&str], machine: &Machine) -> Result<String, Failure> {
        let output = self.ask(words, machine)?;
        tool::succeeded(&self.command(words), output).map(|output| output.stdout_text())
    }

    /// Has it change something. Not for check mode.
    fn act(&self, words: &[&str], machine: &mut Machine) -> Result<String, Failure> {
        let command = self.command(words);
        let ran = machine.run(&command, "svn works");
        let output = ran.map_err(|e| cannot(&command, &e))?.unwrap_or_default();
        tool::succeeded(&command, output).map(|output| output.stdout_text())
    }

    fn export(&self, machine: &mut Machine) -> Result<String, Failure> {
        let mut words = vec!["export"];
        if self.args.force {
            words.push("--force");
        }
        words.extend(["-r", &self.args.revision, &self.args.repo, self.dest]);
        self.act(&words, machine)
    }

    fn check_out(&self, options: &[&str], machine: &mut Machine) -> Result<String, Failure> {
        let what = ["-r", &self.args.revision, &self.args.repo, self.dest];
        self.act(&[&["checkout"], options, &what].concat(), machine)
    }

    /// Whether tracked files differ from what was checked out. What is of other repositories does not count.
    fn is_modified(&self, machine: &Machine) -> Result<bool, Failure> {
        let words = ["status", "--quiet", "--ignore-externals", self.dest];
        let text = self.told(&words, machine)?;
        Ok(text
            .lines()
            .any(|line| !line.is_empty() && !line.starts_with(['?', 'X'])))
    }

    fn revert(&self, machine: &mut Machine) -> Result<String, Failure> {
        self.act(&["revert", "-R", self.dest], machine)
    }

    /// Brings the working copy to the revision.
    fn update(&self, machine: &mut Machine) -> Result<Returns, Failure> {
        if machine.mode.check {
            self.refuse_modified(machine)?;
            let before = line_of(&self.told(&["info", self.dest], machine)?, "Revision: ");
            let newer = ["info", "-r", &self.args.revision, self.dest];
            let after = line_of(&self.told(&newer, machine)?, "Revision: ");
            let number = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
            return Ok(Returns {
                changed: number(&after) > number(&before),
                before: Some(Value::from(before)),
                after: Some(Value::from(after)),
            });
        }
        let before = self.state(machine)?;
        // whether it is modified is asked before a switch merges what is there with what comes
        let modified = self.is_modified(machine)?;
        let (revision, repo) = (self.args.revision.as_str(), self.args.repo.as_str());
        let mut said = String::new();
        if self.args.switch {
            said = self.act(
                &["switch", "--revision", revision, repo, self.dest],
                machine,
            )?;
        }
        if modified {
            if !self.args.force {
                return Err(modified_files());
            }
            said += &self.revert(machine)?;
        }
        said += &self.act(&["update", "-r", revision, self.dest], machine)?;
        let after = self.state(machine)?;
        Ok(Returns {
            // what counts is files: another revision or URL may have the same
            changed: said.lines().any(tells_change),
            before: Some(before),
            after: Some(after),
        })
    }

    fn refuse_modified(&self, machine: &Machine) -> Result<(), Failure> {
        match self.is_modified(machine)? && !self.args.force {
            true => Err(modified_files()),
            false => Ok(()),
        }
    }

    /// Revision and URL of the working copy.
    fn state(&self, machine: &Machine) -> Result<Value, Failure> {
        let text = self.told(&["info", self.dest], machine)?;
        let lines = ["Revision: ", "URL: "].map(|start| Value::from(line_of(&text, start)));
        Ok(Value::list(lines.into()))
    }

    /// What is returned of a working copy that was not there.
    fn new_copy(&self, machine: &Machine) -> Result<Returns, Failure> {
        Ok(Returns {
            changed: true,
            before: Some(Value::Null),
            after: Some(self.state(machine)?),
        })
    }

    fn newest_of_repository(&self, machine: &Machine) -> Result<Returns, Failure> {
        let text = self.told(&["info", &self.args.repo], machine)?;
        Ok(Returns {
            after: Some(Value::from(line_of(&text, "Revision: "))),
            ..Returns::default()
        })
    }
}

fn modified_files() -> Failure {
    Failure::new("ERROR: modified files exist in the repository.")
}

/// Whether a line of svn's says that a file is another one now: `U    a`, `Reverted 'a'`.
fn tells_change(line: &str) -> bool {
    let signs = line.get(..5).unwrap_or_default();
    let change = signs.ends_with(' ')
        && !signs.trim().is_empty()
        && signs.chars().all(|c| "ABDUCGER ".contains(c));
    change || line.starts_with("Reverted ")
}

/// The line that begins so.
fn line_of(text: &str, start: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(start));
    line.map_or_else(
        || {
            format!(
                "Unable to get {}",
                start.trim_end_matches(": ").to_lowercase()
            )
        },
        str::to_string,
    )
}

/// Why it could not be started.
fn cannot(command: &Command, e: &std::io::Error) -> Failure {
    let program = std::path::Path::new(command.argv.first().map_or("".as_ref(), |w| w.as_os_str()));
    let words = command.argv.iter().map(|w| w.to_string_lossy());
    let words: Vec<String> = words.map(|w| super::common::command::quote(&w)).collect();
    Failure::new("Error executing command.")
        .because(crate::machine::python_error(e, program))
        .with("cmd", words.join(" "))
        .with("rc", i64::from(e.raw_os_error().unwrap_or(1)))
        .with("stdout", "")
        .with("stderr", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_from_other_lines() {
        for line in ["U    a/b", "A    x", " U   .", "Reverted 'a'", "UU   c"] {
            assert!(tells_change(line), "{line}");
        }
        for line in [
            "Updated to revision 3.",
            "At revision 3.",
            "Restored 'a'",
            "",
            "Updating '.':",
        ] {
            assert!(!tells_change(line), "{line}");
        }
        assert_eq!(
            line_of("Path: .\nURL: x\nRelative URL: y\n", "URL: "),
            "URL: x"
        );
    }
}
