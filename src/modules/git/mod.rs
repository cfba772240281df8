//! Keeps a checkout of a git repository.

mod archive;
mod program;
mod submodules;
mod version;

use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::modules::args::{self, Path};
use crate::value::{Map, Value};
use program::Git;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/git_module.html>
pub struct GitModule;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["separate_git_dir", "bare"], ["accept_hostkey", "accept_newhostkey"]],
    "required_by" = {"archive_prefix": ["archive"]},
))]
pub struct Args {
    /// Where the repository is.
    #[schemars(extend("aliases" = ["name"]))]
    repo: String,
    /// Where the checkout is to be.
    dest: Option<Path>,
    /// The commit, branch or tag to check out.
    #[serde(default = "head")]
    version: String,
    /// Takes keys of SSH hosts that are not known.
    #[serde(default)]
    accept_hostkey: bool,
    /// Takes keys of SSH hosts that are new, but no changed ones.
    #[serde(default)]
    accept_newhostkey: bool,
    /// Options of ssh.
    ssh_opts: Option<String>,
    /// The private key that ssh is to use.
    key_file: Option<Path>,
    /// Another repository whose objects are used.
    reference: Option<String>,
    /// What the repository that is cloned is called.
    #[serde(default = "origin")]
    remote: String,
    /// What is fetched beside that.
    refspec: Option<String>,
    /// Throws changed files away.
    #[serde(default)]
    force: bool,
    /// How many commits the history has at most.
    depth: Option<i64>,
    /// Whether a repository that is not there is cloned.
    #[serde(default = "yes")]
    clone: bool,
    /// Whether new commits are fetched.
    #[serde(default = "yes")]
    update: bool,
    /// The git to use.
    executable: Option<Path>,
    /// Whether it is a repository without a checkout.
    #[serde(default)]
    bare: bool,
    /// Whether submodules are kept too.
    #[serde(default = "yes")]
    recursive: bool,
    /// Clones the history of `version` alone.
    #[serde(default)]
    single_branch: bool,
    /// Whether submodules follow their branches.
    #[serde(default)]
    track_submodules: bool,
    /// Fails if the commit is not signed by a key that is known.
    #[serde(default)]
    verify_commit: bool,
    /// Fingerprints of the keys that may have signed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["gpg_whitelist"]))]
    gpg_allowlist: Vec<String>,
    /// The umask of what is made.
    umask: Option<Value>,
    /// A file to put an archive of the checkout in.
    archive: Option<Path>,
    /// What stands before the names in the archive.
    archive_prefix: Option<String>,
    /// Where the repository itself is, if not in the checkout.
    separate_git_dir: Option<Path>,
}

fn head() -> String {
    "HEAD".to_string()
}
fn origin() -> String {
    "origin".to_string()
}

impl Module for GitModule {
    const NAME: &'static str = "git";
    const EXAMPLES: &'static str = "
- name: Check a project out
  ansible.builtin.git:
    repo: https://git.example.com/project.git
    dest: '{{ folder }}/project'
    version: main
  when: false
";
    type Args = Args;
    type Returns = args::Dict;

    fn run(mut args: Args, machine: &mut Machine) -> Result<args::Dict, Failure> {
        if args.dest.is_none() && args.clone {
            return Err(Failure::new(
                "the destination directory must be specified unless clone=no",
            ));
        }
        // a path becomes a URL, so that a clone of it can be shallow
        if args.repo.starts_with('/') {
            args.repo = format!("file://{}", args.repo);
        }
        if let Some(archive) = &args.archive {
            archive::format(archive)?;
        }
        let git = Git::new(&args, machine)?;
        let dest = args
            .dest
            .as_ref()
            .map(|d| std::path::absolute(d).unwrap_or_else(|_| d.to_path_buf()));
        Work {
            git,
            dest: dest.unwrap_or_default(),
            args: &args,
            out: Map::default(),
        }
        .run(machine)
        .map(args::Dict)
    }
}

/// One call of the module.
struct Work<'a> {
    git: Git,
    dest: PathBuf,
    args: &'a Args,
    /// The result as far as it is known.
    out: Map,
}

impl Work<'_> {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.out.insert(key.into(), value.into());
    }

    /// Where the repository itself is.
    fn repository(&self, machine: &Machine) -> PathBuf {
        if self.args.bare {
            return self.dest.clone();
        }
        let inside = self.dest.join(".git");
        if machine.is_dir(&inside) {
            return inside;
        }
        // a file says where it is
        let text = machine.read(&inside).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        match text.trim().strip_prefix("gitdir:") {
            Some(path) => self.dest.join(path.trim()),
            None => inside,
        }
    }

    fn run(mut self, machine: &mut Machine) -> Result<Map, Failure> {
        self.set("changed", false);
        let there =
            self.args.dest.is_some() && machine.exists(&self.repository(machine).join("config"));
        let mut before = None;
        let mut local = false;
        let mut moved = false;
        if !there {
            self.set("before", Value::Null);
            if machine.mode.check || !self.args.clone {
                let after = self.git.remote_head(self.args, None, machine)?;
                self.set("changed", true);
                self.set("after", after);
                return Ok(self.out);
            }
            self.clone(machine)?;
        } else if !self.args.update {
            let now = self.git.head(&self.dest, machine)?;
            self.set("before", now.as_str());
            self.set("after", now);
            if self.args.archive.is_some() {
                if machine.mode.check {
                    self.set("changed", true);
                    return Ok(self.out);
                }
                self.archive(machine)?;
            }
            return Ok(self.out);
        } else {
            moved = self.separate(machine)?;
            local = !self.args.bare && self.git.has_changes(&self.dest, machine)?;
            let now = self.git.head(&self.dest, machine)?;
            self.set("before", now.as_str());
            if local {
                let msg = format!(
                    "Local modifications exist in the destination: {}",
                    self.dest.display()
                );
                if !self.args.force {
                    return Err(Failure::new(format!("{msg} (force=no).")).with("before", now));
                }
                if !machine.mode.check {
                    self.git
                        .must(&self.dest, &["reset", "--hard", "HEAD"], machine)?;
                }
                self.set("changed", true);
                self.set("msg", msg);
            }
            before = Some(now);
            let other = self.set_url(machine)?;
            self.set("remote_url_changed", other);
            moved |= other;
            if machine.mode.check {
                let after = self.git.remote_head(self.args, Some(&self.dest), machine)?;
                let changed = local || moved || before.as_ref() != Some(&after);
                self.set("changed", changed);
                if let Some(before) = before.as_ref().filter(|b| **b != after) {
                    self.diff(before, &after, machine)?;
                }
                self.set("after", after);
                return Ok(self.out);
            }
            self.fetch(machine)?;
        }
        if !self.args.bare {
            self.switch(machine)?;
        }
        let mut submodules = false;
        if self.args.recursive && !self.args.bare {
            submodules = self.submodules(machine)?;
            if submodules {
                self.set("submodules_changed", true);
            }
        }
        let after = self.git.head(&self.dest, machine)?;
        if before.as_ref() != Some(&after) || local || submodules || moved {
            self.set("changed", true);
            self.diff(before.as_deref().unwrap_or_default(), &after, machine)?;
        }
        self.set("after", after);
        if self.args.archive.is_some() {
            self.archive(machine)?;
        }
        Ok(self.out)
    }

    /// What is different between two commits, for `--diff`.
    fn diff(&mut self, before: &str, after: &str, machine: &mut Machine) -> Result<(), Failure> {
        if !machine.mode.diff || before == after {
            return Ok(());
        }
        let prepared = match before.is_empty() {
            true => format!(">> Newly checked out {after}"),
            false => {
                // check mode fetches too, or there would be nothing to compare with
                self.fetch_for_diff(machine)?;
                let ran = self
                    .git
                    .ask(&self.dest, &["diff", before, after], machine)?;
                match (ran.rc, ran.stdout_text()) {
                    (0, text) if text.is_empty() => {
                        format!(">> No visual differences between {before} and {after}")
                    }
                    (0, text) => text,
                    _ => format!(
                        ">> Failed to get proper diff between {before} and {after}:\n>> {}",
                        ran.stderr_text()
                    ),
                }
            }
        };
        let diff = args::map([("prepared", prepared.into())]);
        self.set("diff", Value::map(diff));
        Ok(())
    }

    /// Moves the repository to `separate_git_dir`, if it is elsewhere.
    fn separate(&mut self, machine: &mut Machine) -> Result<bool, Failure> {
        let Some(wanted) = &self.args.separate_git_dir else {
            return Ok(false);
        };
        let now = self.repository(machine);
        let wanted = std::path::absolute(wanted).unwrap_or_else(|_| wanted.to_path_buf());
        if now == wanted {
            return Ok(false);
        }
        self.set("git_dir_before", now.to_string_lossy().as_ref());
        self.set("git_dir_now", wanted.to_string_lossy().as_ref());
        if !machine.mode.check {
            if machine.exists(&wanted) {
                return Err(Failure::new(format!(
                    "Separate-git-dir path {} already exists.",
                    wanted.display()
                )));
            }
            let io = |e: std::io::Error| {
                let why = crate::machine::errno_text(&e);
                Failure::new(format!("Unable to move git dir. {why}"))
            };
            machine.rename(&now, &wanted).map_err(io)?;
            let says = format!("gitdir: {}", wanted.display());
            let file = self.dest.join(".git");
            let content = crate::machine::Content::Bytes(says.as_bytes());
            machine.replace(&file, content, None, false).map_err(io)?;
        }
        Ok(true)
    }

    /// Has the remote lead to `repo`. Says whether it led elsewhere.
    fn set_url(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let now = self.git.ask(
            &self.dest,
            &["ls-remote", "--get-url", &self.args.remote],
            machine,
        )?;
        let now = now.stdout_text().trim().to_string();
        let plain = |url: &str| url.strip_prefix("file://").unwrap_or(url).to_string();
        if plain(&now) == plain(&self.args.repo) {
            return Ok(false);
        }
        if !machine.mode.check {
            let verb = if now == self.args.remote || now.is_empty() {
                "add"
            } else {
                "set-url"
            };
            let words = ["remote", verb, &self.args.remote, &self.args.repo];
            self.git.must(&self.dest, &words, machine)?;
        }
        // a remote that was not there is none that was changed
        Ok(!(now == self.args.remote || now.is_empty()))
    }

    fn parent(&self) -> &StdPath {
        self.dest.parent().unwrap_or(StdPath::new("/"))
    }
}
