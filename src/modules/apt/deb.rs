//! Installs a package from a file.

use super::query::in_c;
use super::tool::{diff, flag};
use super::{Args, Returns, version};
use crate::machine::{Command, Machine};
use crate::modules::Failure;
use crate::modules::args;
use crate::modules::common::package_file;
use crate::value::Value;
use std::cmp::Ordering;
use std::path::Path;

impl Args {
    /// Installs the file, which may be named by its URL, and what it needs from the lists before it.
    pub(super) fn install_deb(
        &self,
        machine: &mut Machine,
        file: &str,
    ) -> Result<Returns, Failure> {
        if !file.contains("://") {
            return self.install_file(machine, file);
        }
        let scratch = package_file::download(machine, file, true, ".deb")?;
        let done = self.install_file(machine, &scratch.to_string_lossy());
        machine.drop_scratch(&scratch);
        done
    }

    fn install_file(&self, machine: &mut Machine, file: &str) -> Result<Returns, Failure> {
        let nothing = Returns {
            stdout: Some(String::new()),
            stderr: Some(String::new()),
            ..Returns::default()
        };
        let (name, new) = described(machine, file)?;
        if let Some(old) = installed(machine, &name)? {
            match version::compare(&new, &old) {
                Ordering::Equal if !self.force => return Ok(nothing),
                Ordering::Less if !self.allow_downgrade && !self.force => {
                    return Err(Failure::new("A later version is already installed"));
                }
                _ => {}
            }
        }
        let mut returns = nothing;
        if !self.force {
            let path = match file.contains('/') {
                true => file.to_string(),
                // else apt-get takes it for the name of a package
                false => format!("./{file}"),
            };
            let mut needed = self.needed_by(machine, &path)?;
            needed.retain(|n| *n != name);
            if !needed.is_empty() {
                returns = self.install_names(machine, &needed)?;
            }
        }
        let options: Vec<String> = self
            .dpkg_options
            .split(',')
            .map(|o| format!("--{o}"))
            .collect();
        let mut options = options.join(" ");
        for (given, option) in [
            (machine.mode.check, " --simulate"),
            (self.force, " --force-all"),
        ] {
            options += flag(given, option);
        }
        let line = format!("dpkg {options} -i {file}");
        let output = self.execute(machine, &line)?;
        let all = |before: &Option<String>, now: String| match before {
            Some(before) => before.clone() + &now,
            None => now,
        };
        let stdout = all(&returns.stdout, output.stdout_text());
        let stderr = all(&returns.stderr, output.stderr_text());
        if output.rc != 0 {
            return Err(Failure::new(format!("{line} failed"))
                .with("stdout", stdout)
                .with("stderr", stderr));
        }
        Ok(Returns {
            changed: true,
            diff: both(returns.diff, diff(machine, &output.stdout_text())),
            stdout: Some(stdout),
            stderr: Some(stderr),
            ..Returns::default()
        })
    }
}

/// What is shown of two steps.
fn both(first: Option<Value>, second: Option<Value>) -> Option<Value> {
    let text = |shown: &Option<Value>| {
        let text = shown.as_ref()?.get("prepared")?.as_str()?;
        Some(text.to_string())
    };
    match (text(&first), text(&second)) {
        (Some(first), Some(second)) => {
            let all = Value::from(format!("{first}\n\n{second}"));
            Some(Value::map(args::map([("prepared", all)])))
        }
        _ => second.or(first),
    }
}

/// The name and version that a file says of itself.
fn described(machine: &Machine, file: &str) -> Result<(String, String), Failure> {
    if let Err(e) = machine.stat(Path::new(file)) {
        let msg = format!(
            "Unable to install package: E:Could not open file {file} - open ({}: {})",
            e.raw_os_error().unwrap_or_default(),
            crate::machine::reason(&e)
        );
        return Err(Failure::new(msg));
    }
    let words = ["dpkg-deb", "-f", file, "Package", "Version"];
    let output = machine
        .probe(&in_c(Command::new(words)))
        .map_err(super::tool::not_there)?;
    let text = output.stdout_text();
    let field = |name: &str| {
        text.lines()
            .find_map(|l| Some(l.strip_prefix(name)?.strip_prefix(": ")?.to_string()))
    };
    match (field("Package"), field("Version")) {
        (Some(name), Some(version)) if output.rc == 0 => Ok((name, version)),
        _ => Err(Failure::new(
            "Unable to install package: E:Invalid archive signature",
        )),
    }
}

/// The installed version of a package.
fn installed(machine: &Machine, name: &str) -> Result<Option<String>, Failure> {
    let format = "${db:Status-Abbrev}\t${Version}\n";
    let words = ["dpkg-query", "-W", "-f", format, "--", name];
    let output = machine
        .probe(&in_c(Command::new(words)))
        .map_err(super::tool::not_there)?;
    Ok(output.stdout_text().lines().find_map(|line| {
        let (state, version) = line.split_once('\t')?;
        (state.chars().nth(1) == Some('i')).then(|| version.to_string())
    }))
}
