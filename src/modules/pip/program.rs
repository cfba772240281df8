//! The pip to call, and the virtual environments that it is in.

use super::Args;
use crate::machine::{Command, Machine, Output};
use crate::modules::Failure;
use crate::modules::common::{command, tool};
use std::path::{Path, PathBuf};

/// Programs that are pip, the first that is there being taken.
const NAMES: &[&str] = &["pip3", "pip", "pip2"];

/// Interpreters that may have pip as a module.
const INTERPRETERS: &[&str] = &[
    "/usr/bin/python3",
    "python3",
    "/usr/libexec/platform-python",
    "python",
    "python2",
];

/// The words that call pip. Fails in Ansible's words if the target has none.
pub fn find(args: &Args, machine: &Machine) -> Result<Vec<String>, Failure> {
    let missing = |names: &[&str], folder: Option<PathBuf>| {
        let of = folder.map_or(String::new(), |folder| {
            format!(" in '{}'", folder.display())
        });
        Failure::new(format!(
            "Unable to find any of {} to use{of}.  pip needs to be installed.",
            names.join(", ")
        ))
    };
    if let Some(executable) = &args.executable {
        if Path::new(executable.as_str()).is_absolute() {
            return Ok(vec![executable.0.clone()]);
        }
        return match machine.program(executable.as_str()) {
            Some(path) => Ok(vec![path.to_string_lossy().into_owned()]),
            None => Err(missing(&[executable.as_str()], None)),
        };
    }
    if let Some(environment) = &args.virtualenv {
        let folder = Path::new(environment.as_str()).join("bin");
        let mut paths = NAMES.iter().map(|name| folder.join(name));
        return match paths.find(|path| machine.is_file(path)) {
            Some(path) => Ok(vec![path.to_string_lossy().into_owned()]),
            None => Err(missing(NAMES, Some(folder))),
        };
    }
    for name in INTERPRETERS {
        let path = match name.starts_with('/') {
            true => Some(PathBuf::from(name)).filter(|p| machine.is_file(p)),
            false => machine.program(name),
        };
        let Some(path) = path.map(|p| p.to_string_lossy().into_owned()) else {
            continue;
        };
        if tool::probe(machine, [path.as_str(), "-c", "import pip"])?.rc == 0 {
            return Ok([path.as_str(), "-m", "pip"].map(String::from).into());
        }
    }
    match NAMES.iter().find_map(|name| machine.program(name)) {
        Some(path) => Ok(vec![path.to_string_lossy().into_owned()]),
        None => Err(missing(NAMES, None)),
    }
}

/// Whether the virtual environment is still to be made.
pub fn is_missing(environment: &str, machine: &Machine) -> bool {
    !machine.exists(&Path::new(environment).join("bin/activate"))
}

/// Makes the virtual environment.
pub fn make(args: &Args, environment: &str, machine: &mut Machine) -> Result<Output, Failure> {
    let mut words = command::split(args.virtualenv_command.as_str())?;
    let first = words.first().cloned().unwrap_or_default();
    let by_venv = words.iter().any(|w| w == "venv") || first.ends_with("pyvenv");
    if !first.contains('/') {
        words[0] = tool::find(machine, &first)?;
    }
    if args.virtualenv_site_packages {
        words.push("--system-site-packages".to_string());
    }
    match &args.virtualenv_python {
        Some(_) if by_venv => {
            return Err(Failure::new(
                "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command",
            ));
        }
        Some(python) => words.push(format!("-p{python}")),
        None if by_venv => {}
        None => {
            // else that of a program virtualenv, which may be another's
            if machine.is_file(Path::new("/usr/bin/python3")) {
                words.push("-p/usr/bin/python3".to_string());
            }
        }
    }
    words.push(environment.to_string());
    run(args, &words, machine)
}

/// Runs pip or what makes environments, as the options say. Fails with all that it said.
pub fn run(args: &Args, words: &[String], machine: &mut Machine) -> Result<Output, Failure> {
    let mut all = Vec::new();
    if let Some(umask) = &args.umask {
        if u32::from_str_radix(umask, 8).is_err() {
            let why = format!(
                "invalid literal for int() with base 8: {}",
                crate::python::quote(umask)
            );
            return Err(Failure::new("umask must be an octal integer").with("details", why));
        }
        let script = format!("umask {umask} && exec \"$@\"");
        all.extend(["/bin/sh", "-c", &script, "sh"].map(String::from));
    }
    all.extend(words.iter().cloned());
    let command = prepared(args, &all, machine);
    let output = tool::perform(machine, &command, "pip changes packages")?;
    failed(words, &output)?;
    Ok(output)
}

/// Runs pip to look at what there is.
pub fn look(args: &Args, words: &[String], machine: &Machine) -> Result<Output, Failure> {
    let command = prepared(args, words, machine);
    machine
        .probe(&command)
        .map_err(|e| Failure::new(crate::machine::errno_text(&e)))
}

fn prepared(args: &Args, words: &[String], machine: &Machine) -> Command {
    let mut command = tool::command(words);
    // in English, but with all letters
    for (_, value) in &mut command.env {
        *value = crate::modules::apt::tool::locale(machine).to_string();
    }
    // where nothing lies that pip would take for a package
    let folder = match &args.chdir {
        Some(folder) => folder.0.clone(),
        None => machine.variable("TMPDIR").unwrap_or_else(|| "/tmp".into()),
    };
    command.dir = Some(PathBuf::from(folder)).filter(|d| machine.is_dir(d));
    if args.break_system_packages {
        let variable = ("PIP_BREAK_SYSTEM_PACKAGES".to_string(), "1".to_string());
        command.env.push(variable);
    }
    command
}

fn failed(words: &[String], output: &Output) -> Result<(), Failure> {
    let (stdout, stderr) = (output.stdout_text(), output.stderr_text());
    // one that uninstalls says so of what is not there, and fails in old versions
    if output.rc == 0 || output.rc == 1 && stderr.contains("not installed") {
        return Ok(());
    }
    let stdout = match stdout.is_empty() {
        true => stdout,
        false => format!("stdout: {stdout}"),
    };
    let words = words.iter().map(crate::Value::str).collect();
    Err(Failure::new(format!("{stdout}\n:stderr: {stderr}")).with("cmd", crate::Value::list(words)))
}
