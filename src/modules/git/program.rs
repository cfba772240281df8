//! The program `git`, and what it is asked.

use super::Args;
use crate::machine::{Command, Machine, Output};
use crate::modules::Failure;
use crate::modules::common::tool;
use crate::python;
use crate::value::Value;
use std::path::{Path, PathBuf};

/// The program, with what all its calls have.
pub struct Git {
    program: String,
    /// Has a shell set the umask first.
    umask: Option<String>,
    /// What git calls for SSH.
    ssh: String,
}

impl Git {
    pub fn new(args: &Args, machine: &Machine) -> Result<Git, Failure> {
        let program = match &args.executable {
            Some(path) => path.0.clone(),
            None => tool::find(machine, "git")?,
        };
        let umask = match &args.umask {
            None => None,
            Some(Value::Str(digits)) if digits.bytes().all(|b| matches!(b, b'0'..=b'7')) => {
                Some(digits.to_string())
            }
            Some(Value::Int(mask)) => Some(format!("{mask:o}")),
            Some(_) => return Err(Failure::new("umask must be an octal integer")),
        };
        let mut ssh = machine
            .variable("GIT_SSH_COMMAND")
            .or_else(|| machine.variable("GIT_SSH"))
            .unwrap_or_else(|| "ssh".to_string());
        let given = args.ssh_opts.clone().unwrap_or_default();
        let mut options = vec![given.clone()];
        if !given.contains("BatchMode") {
            options.push("-o BatchMode=yes".to_string());
        }
        let key = "StrictHostKeyChecking";
        if args.accept_hostkey && !given.contains(key) {
            options.push(format!("-o {key}=no"));
        }
        if args.accept_newhostkey && !given.contains(key) {
            options.push(format!("-o {key}=accept-new"));
        }
        if let Some(file) = &args.key_file {
            let file = crate::modules::common::command::quote(file.as_str());
            options.push(format!("-i {file}"));
            if !given.contains("IdentitiesOnly") {
                options.push("-o IdentitiesOnly=yes".to_string());
            }
        }
        for option in options.iter().filter(|o| !o.is_empty()) {
            ssh.push(' ');
            ssh.push_str(option);
        }
        Ok(Git {
            program,
            umask,
            ssh,
        })
    }

    fn command(&self, dir: &Path, words: &[&str]) -> Command {
        let mut argv: Vec<&str> = Vec::new();
        let script = self
            .umask
            .as_ref()
            .map(|mask| format!("umask {mask}; exec \"$@\""));
        if let Some(script) = &script {
            argv.extend(["/bin/sh", "-c", script.as_str(), "sh"]);
        }
        argv.push(&self.program);
        argv.extend(words);
        let mut command = tool::command(argv);
        command.dir = Some(PathBuf::from(dir)).filter(|d| !d.as_os_str().is_empty());
        command
            .env
            .push(("GIT_SSH_COMMAND".into(), self.ssh.clone()));
        command
    }

    /// Asks something, whatever the answer's status. Check mode asks too.
    pub fn ask(&self, dir: &Path, words: &[&str], machine: &Machine) -> Result<Output, Failure> {
        let command = self.command(dir, words);
        machine
            .probe(&command)
            .map_err(|e| tool::cannot(&command, &e))
    }

    /// Has git change something. Not for check mode.
    pub fn act(
        &self,
        dir: &Path,
        words: &[&str],
        machine: &mut Machine,
    ) -> Result<Output, Failure> {
        tool::perform(machine, &self.command(dir, words), "git works")
    }

    /// As [`Git::act`]; fails if git does.
    pub fn must(
        &self,
        dir: &Path,
        words: &[&str],
        machine: &mut Machine,
    ) -> Result<Output, Failure> {
        let output = self.act(dir, words, machine)?;
        self.judged(words, output, None)
    }

    /// The output of a success; the failure says `msg`, or what git says.
    pub fn judged(
        &self,
        words: &[&str],
        output: Output,
        msg: Option<String>,
    ) -> Result<Output, Failure> {
        if output.rc == 0 {
            return Ok(output);
        }
        let stderr = output.stderr_text();
        let said = msg.unwrap_or_else(|| stderr.trim_end().to_string());
        Err(Failure::new(said)
            .with("rc", output.rc)
            .with("cmd", format!("{} {}", self.program, words.join(" ")))
            .with("stdout", output.stdout_text())
            .with("stderr", stderr))
    }

    /// The commit that is checked out.
    pub fn head(&self, dir: &Path, machine: &Machine) -> Result<String, Failure> {
        let output = self.ask(dir, &["rev-parse", "HEAD"], machine)?;
        Ok(output.stdout_text().trim().to_string())
    }

    /// Whether files that git knows are changed.
    pub fn has_changes(&self, dir: &Path, machine: &Machine) -> Result<bool, Failure> {
        let output = self.ask(dir, &["status", "--porcelain"], machine)?;
        let text = output.stdout_text();
        Ok(text.lines().any(|l| !l.starts_with("??")))
    }

    /// Whether the remote repository has a branch or a tag of this name (`-h`, `-t`).
    pub fn has_remote(
        &self,
        args: &Args,
        dir: &Path,
        kind: &str,
        machine: &Machine,
    ) -> Result<bool, Failure> {
        let (flag, name) = match kind {
            "heads" => ("-h", format!("refs/heads/{}", args.version)),
            _ => ("-t", format!("refs/tags/{}", args.version)),
        };
        let remote = match machine.is_dir(dir) && kind == "heads" {
            true => &args.remote,
            false => &args.repo,
        };
        let words = ["ls-remote", remote, flag, &name];
        let output = self.ask(self.existing(dir, machine), &words, machine)?;
        let output = self.judged(&words, output, None)?;
        Ok(output.stdout_text().contains(&args.version))
    }

    fn existing<'d>(&self, dir: &'d Path, machine: &Machine) -> &'d Path {
        match machine.is_dir(dir) {
            true => dir,
            false => Path::new("/"),
        }
    }

    /// The branches of the checkout, those of remotes too.
    pub fn branches(&self, dir: &Path, machine: &Machine) -> Result<Vec<String>, Failure> {
        let words = ["branch", "--no-color", "-a"];
        let output = self.ask(dir, &words, machine)?;
        let output = self.judged(
            &words,
            output,
            Some("Could not determine branch data".into()),
        )?;
        Ok(output
            .stdout_text()
            .lines()
            .map(|l| l.trim().to_string())
            .collect())
    }

    /// The branch that the remote repository's HEAD is.
    pub fn head_branch(
        &self,
        args: &Args,
        dir: &Path,
        repository: &Path,
        machine: &Machine,
    ) -> Result<Option<String>, Failure> {
        let current = self.branches(dir, machine)?;
        let on = current.iter().find_map(|b| b.strip_prefix("* "));
        // a branch that is checked out tells itself; without one the remote's HEAD does
        if let Some(name) = on.filter(|b| !b.starts_with('(')) {
            return Ok(Some(name.to_string()));
        }
        let file = repository
            .join("refs/remotes")
            .join(&args.remote)
            .join("HEAD");
        let text = machine.read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let prefix = format!("refs/remotes/{}/", args.remote);
        Ok(text
            .trim()
            .split_once(&prefix)
            .map(|(_, name)| name.to_string()))
    }

    /// The commit that `version` is in the remote repository.
    pub fn remote_head(
        &self,
        args: &Args,
        dir: Option<&Path>,
        machine: &Machine,
    ) -> Result<String, Failure> {
        let there = dir.unwrap_or(Path::new(""));
        let version = match args.version.as_str() {
            "HEAD" if dir.is_some() && !args.bare => {
                let repository = there.join(".git");
                match self.head_branch(args, there, &repository, machine)? {
                    Some(branch) => format!("refs/heads/{branch}"),
                    None => "HEAD".to_string(),
                }
            }
            "HEAD" => "HEAD".to_string(),
            version if is_sha(version) => return Ok(version.to_string()),
            version => version.to_string(),
        };
        let remote = if dir.is_some() {
            &args.remote
        } else {
            &args.repo
        };
        let at = if dir.is_some() { there } else { Path::new("/") };
        let candidates = match version.as_str() {
            "HEAD" => vec![vec!["-h".to_string(), "HEAD".to_string()]],
            v if v.starts_with("refs/") => vec![vec!["-h".to_string(), v.to_string()]],
            v => vec![
                vec!["-h".to_string(), format!("refs/heads/{v}")],
                vec!["-t".to_string(), format!("refs/tags/{v}*")],
            ],
        };
        for more in candidates {
            let mut words = vec!["ls-remote", remote.as_str()];
            // of HEAD, `-h` would tell nothing
            words.extend(
                more.iter()
                    .map(String::as_str)
                    .filter(|w| !(version == "HEAD" && *w == "-h")),
            );
            let output = self.ask(at, &words, machine)?;
            let output = self.judged(&words, output, None)?;
            let text = output.stdout_text();
            // what a tag leads to counts, not the tag itself
            let line = text
                .lines()
                .find(|l| l.ends_with("^{}"))
                .or(text.lines().next());
            if let Some(sha) = line.and_then(|l| l.split_whitespace().next()) {
                return Ok(sha.to_string());
            }
        }
        Err(Failure::new(format!(
            "Could not determine remote revision for {}",
            python::str(&Value::str(args.repo.as_str()))
        )))
    }
}

/// Whether a version is the name of a commit, and nothing else.
pub fn is_sha(version: &str) -> bool {
    version.len() == 40 && version.bytes().all(|b| b.is_ascii_hexdigit())
}
