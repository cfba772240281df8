//! Cloning, fetching, and going to a version.

use super::Work;
use super::program::is_sha;
use crate::machine::Machine;
use crate::modules::Failure;

impl Work<'_> {
    /// Whether the version is a branch or a tag of the remote repository.
    fn named(&self, machine: &Machine) -> Result<(bool, bool), Failure> {
        let branch = self
            .git
            .has_remote(self.args, &self.dest, "heads", machine)?;
        let tag = !branch
            && self
                .git
                .has_remote(self.args, &self.dest, "tags", machine)?;
        Ok((branch, tag))
    }

    pub(super) fn clone(&mut self, machine: &mut Machine) -> Result<(), Failure> {
        let args = self.args;
        let parent = self.parent().to_path_buf();
        let io = |e: std::io::Error| Failure::new(crate::machine::errno_text(&e));
        let missing: Vec<_> = parent
            .ancestors()
            .take_while(|p| !machine.exists(p))
            .collect();
        for dir in missing.into_iter().rev() {
            machine.mkdir(dir).map_err(io)?;
        }
        let (branch, tag) = self.named(machine)?;
        let dest = self.dest.to_string_lossy().into_owned();
        let mut words = vec!["clone".to_string()];
        match args.bare {
            true => words.push("--bare".to_string()),
            false => words.extend(["--origin".to_string(), args.remote.clone()]),
        }
        let named = branch || tag;
        if let Some(depth) = args.depth {
            if args.version == "HEAD" || args.refspec.is_some() {
                words.extend(["--depth".to_string(), depth.to_string()]);
            } else if named {
                words.extend(["--depth".to_string(), depth.to_string()]);
                words.extend(["--branch".to_string(), args.version.clone()]);
            } else {
                machine.warnings.push(
                    "Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in \
                     combination with refspec."
                        .to_string(),
                );
            }
        }
        if args.single_branch {
            words.push("--single-branch".to_string());
            if named && !words.contains(&"--branch".to_string()) {
                words.extend(["--branch".to_string(), args.version.clone()]);
            }
        }
        if let Some(reference) = &args.reference {
            words.extend(["--reference".to_string(), reference.clone()]);
        }
        if let Some(dir) = &args.separate_git_dir {
            words.push(format!("--separate-git-dir={}", dir.as_str()));
        }
        words.extend([args.repo.clone(), dest]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.git.must(&parent, &words, machine)?;
        if args.bare && args.remote != "origin" {
            let words = ["remote", "add", &args.remote, &args.repo];
            self.git.must(&self.dest, &words, machine)?;
        }
        if let Some(refspec) = &args.refspec {
            let depth = args.depth.map(|d| d.to_string());
            let mut words = vec!["fetch"];
            if let Some(depth) = &depth {
                words.extend(["--depth", depth]);
            }
            words.extend([args.remote.as_str(), refspec]);
            self.git.must(&self.dest, &words, machine)?;
        }
        if args.verify_commit {
            self.verify(machine)?;
        }
        Ok(())
    }

    pub(super) fn fetch(&self, machine: &mut Machine) -> Result<(), Failure> {
        let args = self.args;
        let depth = args.depth.map(|d| d.to_string());
        let mut refspecs: Vec<String> = Vec::new();
        if let Some(depth) = &depth {
            // only what is needed of a shallow history
            let (branch, tag) = match args.version.as_str() {
                "HEAD" => (false, false),
                _ => self.named(machine)?,
            };
            let repository = self.repository(machine);
            if args.version == "HEAD" {
                if let Some(name) = self
                    .git
                    .head_branch(args, &self.dest, &repository, machine)?
                {
                    refspecs.push(name);
                }
            } else if branch {
                let (version, remote) = (&args.version, &args.remote);
                refspecs.push(format!(
                    "+refs/heads/{version}:refs/remotes/{remote}/{version}"
                ));
            } else if tag {
                let version = &args.version;
                refspecs.push(format!("+refs/tags/{version}:refs/tags/{version}"));
            }
            if !refspecs.is_empty() {
                refspecs.extend(args.refspec.clone());
                let mut words = vec!["fetch", "--depth", depth];
                if args.force {
                    words.push("--force");
                }
                words.push(&args.remote);
                words.extend(refspecs.iter().map(String::as_str));
                return self.fetched(&words, machine);
            }
        }
        let mut words = vec!["fetch"];
        if args.bare {
            refspecs.extend([
                "+refs/heads/*:refs/heads/*".into(),
                "+refs/tags/*:refs/tags/*".into(),
            ]);
        } else {
            words.push("--tags");
        }
        refspecs.extend(args.refspec.clone());
        if args.force {
            words.push("--force");
        }
        words.push(&args.remote);
        let all: Vec<&str> = match args.bare || args.refspec.is_none() {
            true => refspecs.iter().map(String::as_str).collect(),
            false => {
                // a refspec would leave out what is fetched without one
                let plain: Vec<&str> = words.clone();
                self.fetched(&plain, machine)?;
                refspecs.iter().map(String::as_str).collect()
            }
        };
        words.extend(all);
        self.fetched(&words, machine)
    }

    /// What a difference needs: all that the remote repository has.
    pub(super) fn fetch_for_diff(&self, machine: &Machine) -> Result<(), Failure> {
        let words = ["fetch", "--tags", &self.args.remote];
        self.git.ask(&self.dest, &words, machine)?;
        Ok(())
    }

    fn fetched(&self, words: &[&str], machine: &mut Machine) -> Result<(), Failure> {
        let output = self.git.act(&self.dest, words, machine)?;
        let (said, more) = (output.stdout_text(), output.stderr_text());
        let msg = format!("Failed to download remote objects and refs:  {said} {more}");
        self.git.judged(words, output, Some(msg)).map(|_| ())
    }

    /// Goes to the version.
    pub(super) fn switch(&self, machine: &mut Machine) -> Result<(), Failure> {
        let args = self.args;
        let remote = &args.remote;
        let checkout = |words: &[&str], name: &str, machine: &mut Machine| {
            let output = self.git.act(&self.dest, words, machine)?;
            let msg = format!("Failed to checkout {name}");
            self.git.judged(words, output, Some(msg))
        };
        if args.version == "HEAD" {
            let repository = self.repository(machine);
            let named = self
                .git
                .branches(&self.dest, machine)?
                .into_iter()
                .find_map(|b| {
                    let lead = format!("remotes/{remote}/HEAD -> {remote}/");
                    b.strip_prefix(&lead).map(String::from)
                });
            let branch = match named {
                Some(branch) => Some(branch),
                None => self
                    .git
                    .head_branch(args, &self.dest, &repository, machine)?,
            };
            let Some(branch) = branch else {
                return Ok(());
            };
            checkout(&["checkout", "--force", &branch], &branch, machine)?;
            let to = format!("{remote}/{branch}");
            let words = ["reset", "--hard", &to, "--"];
            self.git.must(&self.dest, &words, machine)?;
        } else if self.git.has_remote(args, &self.dest, "heads", machine)? {
            let version = &args.version;
            let branches = self.git.branches(&self.dest, machine)?;
            // one that a shallow clone did not bring
            let tracked = branches
                .iter()
                .any(|b| *b == format!("remotes/{remote}/{version}"));
            if args.depth.is_some() && !tracked {
                let spec = format!("+refs/heads/{version}:refs/remotes/{remote}/{version}");
                let depth = args.depth.unwrap_or(1).to_string();
                self.fetched(&["fetch", "--depth", &depth, remote, &spec], machine)?;
            }
            let local = branches
                .iter()
                .any(|b| b.trim_start_matches("* ") == version);
            let to = format!("{remote}/{version}");
            match local {
                false => {
                    let words = ["checkout", "--track", "-b", version, &to];
                    checkout(&words, version, machine)?;
                }
                true => {
                    checkout(&["checkout", "--force", version], version, machine)?;
                    self.git
                        .must(&self.dest, &["reset", "--hard", &to], machine)?;
                }
            }
        } else {
            // a commit that no branch leads to has to be asked for
            let version = &args.version;
            let known = self
                .git
                .ask(&self.dest, &["cat-file", "-e", version], machine)?;
            if is_sha(version) && known.rc != 0 {
                let words = ["fetch", remote, version.as_str()];
                self.git.act(&self.dest, &words, machine)?;
            }
            checkout(&["checkout", "--force", version], version, machine)?;
        }
        if args.verify_commit {
            self.verify(machine)?;
        }
        Ok(())
    }

    /// Fails unless the version is signed.
    fn verify(&self, machine: &Machine) -> Result<(), Failure> {
        let version = &self.args.version;
        let format = "%(objecttype):%(refname:short)";
        let words = ["for-each-ref", "refs/tags/", "--format", format];
        let tags = self.git.ask(&self.dest, &words, machine)?.stdout_text();
        let tag = tags
            .lines()
            .any(|l| l.strip_prefix("tag:") == Some(version.as_str()));
        let verb = if tag { "verify-tag" } else { "verify-commit" };
        let listed = !self.args.gpg_allowlist.is_empty();
        let mut words = vec![verb];
        if listed {
            words.push("--raw");
        }
        words.push(version);
        let output = self.git.ask(&self.dest, &words, machine)?;
        let failed = |msg: String| {
            Failure::new(msg)
                .with("rc", output.rc)
                .with("stdout", output.stdout_text())
                .with("stderr", output.stderr_text())
        };
        if output.rc != 0 {
            return Err(failed(format!(
                "Failed to verify GPG signature of commit/tag \"{version}\""
            )));
        }
        if listed {
            let said = output.stderr_text() + &output.stdout_text();
            let print = said.lines().find_map(|l| {
                let rest = l.strip_prefix("[GNUPG:] VALIDSIG ")?;
                rest.split_whitespace().next_back().map(String::from)
            });
            let print = print.unwrap_or_default();
            if !self.args.gpg_allowlist.contains(&print) {
                return Err(failed(format!(
                    "The gpg_allowlist does not include the public key \"{print}\" for this commit"
                )));
            }
        }
        Ok(())
    }
}
