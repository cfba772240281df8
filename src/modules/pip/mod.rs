//! Packages of Python, by the target's own pip.

mod program;
mod requirement;
mod version;

use super::args::Path;
use super::{Failure, Module};
use crate::machine::{Machine, Output};
use crate::modules::common::command;
use crate::value::Value;
use requirement::Requirement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/pip_module.html>
pub struct Pip;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["name", "requirements"]],
    "mutually_exclusive" = [["name", "requirements"], ["executable", "virtualenv"]]
))]
pub struct Args {
    #[serde(default)]
    state: State,
    /// Packages: names, with versions (`a>=1,<2`), URLs or paths.
    name: Option<Vec<String>>,
    /// The version of the one package that is named.
    version: Option<String>,
    /// A file that names packages.
    requirements: Option<String>,
    /// A virtual environment to work in; it is made if it is not there.
    virtualenv: Option<Path>,
    /// Whether a new environment sees the system's packages too.
    #[serde(default)]
    virtualenv_site_packages: bool,
    /// What makes environments, such as `virtualenv` or `python3 -m venv`.
    #[serde(default = "virtualenv")]
    virtualenv_command: Path,
    /// The interpreter of a new environment.
    virtualenv_python: Option<String>,
    /// Further words for pip.
    extra_args: Option<String>,
    /// Installs from a folder or a repository so that changes there take effect.
    #[serde(default)]
    editable: bool,
    /// The folder that pip is called in.
    chdir: Option<Path>,
    /// The pip to call; by default that of the system's Python.
    executable: Option<Path>,
    /// The umask of what is installed, in octal digits.
    umask: Option<String>,
    /// Lets pip change what the distribution manages.
    #[serde(default)]
    break_system_packages: bool,
}

fn virtualenv() -> Path {
    Path("virtualenv".to_string())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Not installed.
    Absent,
    /// Installed anew, in the newest version.
    Forcereinstall,
    /// Installed, in the newest version.
    Latest,
    /// Installed.
    #[default]
    Present,
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// The command that ran, as its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    cmd: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(flatten)]
    asked: Option<Asked>,
}

/// What was asked for.
#[derive(Serialize, JsonSchema)]
struct Asked {
    name: Option<Vec<String>>,
    version: Option<String>,
    state: State,
    requirements: Option<String>,
    virtualenv: Option<String>,
}

impl Module for Pip {
    const NAME: &'static str = "pip";
    const EXAMPLES: &'static str = "
- name: A package in an environment of its own
  ansible.builtin.pip:
    name: requests>=2,<3
    virtualenv: /opt/app/venv
    virtualenv_command: python3 -m venv
  when: false # it would ask the index

- name: The newest version for the whole system
  ansible.builtin.pip:
    name: docker
    state: latest
  when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if args.state == State::Latest && args.version.is_some() {
            return Err(Failure::new("version is incompatible with state=latest"));
        }
        let mut made = None;
        if let Some(environment) = &args.virtualenv
            && program::is_missing(environment.as_str(), machine)
        {
            if machine.mode.check {
                return Ok(Returns {
                    changed: true,
                    ..Returns::default()
                });
            }
            made = Some(program::make(&args, environment.as_str(), machine)?);
        }
        let pip = program::find(&args, machine)?;
        let wanted = args.wanted()?;
        if machine.mode.check {
            return args.predict(&pip, &wanted, machine);
        }
        let words = args.words(&pip, &wanted)?;
        // what a file or a repository leads to is known by what is there before and after
        let by_list = args.requirements.is_some() || wanted.iter().any(is_of_repository);
        let before = match by_list {
            true => installed(&args, &pip, machine)?.0,
            false => String::new(),
        };
        let output = program::run(&args, &words, machine)?;
        let stdout = output.stdout_text();
        let changed = match args.state {
            State::Absent => stdout.contains("Successfully uninstalled"),
            _ if by_list => {
                stdout.contains("Successfully installed")
                    && (args.state == State::Forcereinstall
                        || installed(&args, &pip, machine)?.0 != before)
            }
            _ => stdout.contains("Successfully installed"),
        };
        let words = words.iter().map(Value::str).collect();
        let before = made.as_ref();
        let said = |of: fn(&Output) -> String| before.map(of).unwrap_or_default() + &of(&output);
        Ok(Returns {
            changed: changed || made.is_some(),
            cmd: Some(Value::list(words)),
            stdout: Some(said(Output::stdout_text)),
            stderr: Some(said(Output::stderr_text)),
            asked: Some(Asked {
                name: args.name,
                version: args.version,
                state: args.state,
                requirements: args.requirements,
                virtualenv: args.virtualenv.map(|v| v.0),
            }),
        })
    }
}

/// Whether pip fetches it by a version control system.
fn is_of_repository(requirement: &Requirement) -> bool {
    ["git+", "hg+", "svn+", "bzr+"]
        .iter()
        .any(|kind| requirement.text.starts_with(kind))
}

impl Args {
    /// The packages that are asked for by name.
    fn wanted(&self) -> Result<Vec<Requirement>, Failure> {
        let items = requirement::joined(self.name.as_deref().unwrap_or_default());
        let mut wanted: Vec<Requirement> = items.iter().map(|i| Requirement::parse(i)).collect();
        let Some(version) = &self.version else {
            return Ok(wanted);
        };
        match wanted.as_mut_slice() {
            [] => Ok(wanted),
            [one] if one.specifiers.is_empty() => {
                let specifier = format!("=={version}");
                one.text += &specifier;
                one.specifiers.push(specifier);
                Ok(wanted)
            }
            [_] => Err(Failure::new(
                "The 'version' argument conflicts with any version specifier provided along with a package name. \
                 Please keep the version specifier, but remove the 'version' argument.",
            )),
            _ => Err(Failure::new(
                "'version' argument is ambiguous when installing multiple package distributions. \
                 Please specify version restrictions next to each package in 'name' argument.",
            )),
        }
    }

    /// The whole command.
    fn words(&self, pip: &[String], wanted: &[Requirement]) -> Result<Vec<String>, Failure> {
        let mut words = pip.to_vec();
        let state: &[&str] = match self.state {
            State::Present => &["install"],
            State::Latest => &["install", "-U"],
            State::Forcereinstall => &["install", "-U", "--force-reinstall"],
            State::Absent => &["uninstall", "-y"],
        };
        words.extend(state.iter().map(|w| w.to_string()));
        if let Some(extra) = &self.extra_args {
            words.extend(command::split(extra)?);
        }
        if self.editable && !words.iter().any(|w| w == "-e") {
            words.push("-e".to_string());
        }
        words.extend(wanted.iter().map(|r| r.text.clone()));
        if let Some(file) = &self.requirements {
            words.extend(["-r".to_string(), file.clone()]);
        }
        Ok(words)
    }

    /// Check mode: what pip would do, as far as a look at what is there tells it.
    fn predict(
        &self,
        pip: &[String],
        wanted: &[Requirement],
        machine: &Machine,
    ) -> Result<Returns, Failure> {
        let unknown = self.extra_args.is_some()
            || self.requirements.is_some()
            || matches!(self.state, State::Latest | State::Forcereinstall);
        if unknown || wanted.is_empty() {
            return Ok(Returns {
                changed: true,
                ..Returns::default()
            });
        }
        let (listed, stderr, cmd) = installed(self, pip, machine)?;
        let there = |wanted: &Requirement| {
            let Some(name) = &wanted.name else {
                return false;
            };
            let name = requirement::normal(name);
            listed.lines().any(|line| {
                line.split_once("==").is_some_and(|(n, version)| {
                    requirement::normal(n) == name && wanted.accepts(version.trim())
                })
            })
        };
        let changed = match self.state {
            State::Absent => wanted.iter().any(there),
            _ => !wanted.iter().all(there),
        };
        Ok(Returns {
            changed,
            cmd: Some(Value::str(cmd.as_str())),
            stdout: Some(listed),
            stderr: Some(stderr),
            asked: None,
        })
    }
}

/// What is installed, a line for each package, what pip said besides, and the command that told.
fn installed(
    args: &Args,
    pip: &[String],
    machine: &Machine,
) -> Result<(String, String, String), Failure> {
    let mut last = Output::default();
    let mut line = String::new();
    for verb in [&["list", "--format=freeze"][..], &["freeze"]] {
        let mut words = pip.to_vec();
        words.extend(verb.iter().map(|w| w.to_string()));
        last = program::look(args, &words, machine)?;
        line = words.join(" ");
        if last.rc == 0 {
            break;
        }
    }
    Ok((last.stdout_text(), last.stderr_text(), line))
}
