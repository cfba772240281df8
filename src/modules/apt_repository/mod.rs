//! Sources of apt's packages, in `/etc/apt/sources.list` and the files of `/etc/apt/sources.list.d`.

mod line;
mod sources;

use super::apt::update;
use super::common::attributes::FileArgs;
use super::common::diff;
use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::value::Value;
use line::Line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sources::{Sources, Texts};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/apt_repository_module.html>
pub struct AptRepository;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The source, as a line of `sources.list` has it: `deb http://example.com/debian bookworm main`.
    repo: String,
    #[serde(default)]
    state: State,
    /// Permissions of a new file.
    mode: Option<Value>,
    /// Updates apt's lists after a change. If that fails, the change is taken back.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["update-cache"]))]
    update_cache: bool,
    /// How often an update of the lists is tried.
    #[serde(default = "five")]
    update_cache_retries: i64,
    /// Seconds between two such attempts, at most.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: i64,
    /// The name of a new file, without `.list`; by default it is made of the source's URL.
    filename: Option<String>,
    /// Of use for PPAs only, which rplay refuses.
    #[allow(dead_code)]
    codename: Option<String>,
    /// Of no use here: rplay needs no Python package on the target.
    #[serde(default = "yes")]
    #[allow(dead_code)]
    install_python_apt: bool,
    /// Whether the certificate of the PPAs' site is checked; apt has its own setting for those of sources.
    #[serde(default = "yes")]
    #[allow(dead_code)]
    validate_certs: bool,
}

fn five() -> i64 {
    5
}
fn twelve() -> i64 {
    12
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    repo: String,
    state: State,
    /// Files that are new.
    sources_added: Vec<String>,
    /// Files that are there no more.
    sources_removed: Vec<String>,
    /// The files that are new or there no more, and what they hold.
    #[schemars(with = "Vec<serde_json::Value>")]
    diff: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for AptRepository {
    const NAME: &'static str = "apt_repository";
    const EXAMPLES: &'static str = "
- name: A source of packages in a file of its own
  ansible.builtin.apt_repository:
    repo: deb [signed-by=/etc/apt/keyrings/example.asc] https://apt.example.com/debian stable main
    filename: example
  when: ansible_facts.pkg_mgr == 'apt'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let source = source(&args.repo)?;
        let before = Sources::read(machine)?;
        let mut after = before.clone();
        match args.state {
            State::Present => after.add(&source, args.filename.as_deref()),
            State::Absent => after.remove(&source),
        }
        let mut returns = args.returns(machine, &before, &after);
        if returns.changed {
            let new = FileArgs {
                mode: args.mode.clone(),
                ..FileArgs::default()
            };
            after.write(machine, &new)?;
            if args.update_cache && !machine.mode.check {
                let updated = args.update(machine);
                if updated.is_err() {
                    after.undo_to(&before, machine)?;
                }
                returns.warnings = updated?;
            }
        }
        Ok(returns)
    }
}

/// The source that the user means, with one blank between its words.
fn source(repo: &str) -> Result<String, Failure> {
    if repo.is_empty() {
        return Err(Failure::new(
            "Please set argument 'repo' to a non-empty value",
        ));
    }
    if let Some(ppa) = repo.strip_prefix("ppa:") {
        let (owner, name) = ppa.split_once('/').unwrap_or((ppa, "ppa"));
        return Err(Failure::new(format!(
            "apt_repository: rplay does not look up PPAs; give the key of '{repo}' to apt_key, and its line to \
             apt_repository: deb https://ppa.launchpadcontent.net/{owner}/{name}/ubuntu CODENAME main"
        )));
    }
    let line = Line::parse(repo);
    if !(line.valid && line.enabled) {
        let shown = repo.strip_prefix('#').unwrap_or(repo);
        let msg = format!("Invalid repository string: {shown}");
        return Err(Failure::new(msg));
    }
    Ok(line.source)
}

/// The files that only the first has, with what they hold.
fn only_in(these: &Texts<'_>, those: &Texts<'_>) -> Vec<(String, String)> {
    these
        .iter()
        .filter(|(path, _)| !those.contains_key(*path))
        .map(|(path, text)| (path.to_string_lossy().into_owned(), text.clone()))
        .collect()
}

impl Args {
    fn returns(&self, machine: &Machine, before: &Sources, after: &Sources) -> Returns {
        let (old, new) = (before.texts(), after.texts());
        let added = only_in(&new, &old);
        let removed = only_in(&old, &new);
        let mut diffs = Vec::new();
        if machine.mode.diff {
            let nothing = "/dev/null";
            let of_new = added
                .iter()
                .map(|(path, text)| diff::content("", text, nothing, path));
            let of_old = removed
                .iter()
                .map(|(path, text)| diff::content(text, "", path, nothing));
            diffs = of_new.chain(of_old).collect();
        }
        let names =
            |files: Vec<(String, String)>| files.into_iter().map(|(path, _)| path).collect();
        Returns {
            changed: old != new,
            repo: self.repo.clone(),
            state: self.state,
            sources_added: names(added),
            sources_removed: names(removed),
            diff: diffs,
            warnings: Vec::new(),
        }
    }

    /// Updates apt's lists, with the warnings that this gave.
    fn update(&self, machine: &mut Machine) -> Result<Vec<String>, Failure> {
        let mut warnings = Vec::new();
        let mut problem = "unknown reason".to_string();
        for retry in 0..self.update_cache_retries {
            problem = match update::all_or_nothing(machine)? {
                None => return Ok(warnings),
                Some(problem) => problem,
            };
            warnings.push(format!(
                "Failed to update cache after {} due to {problem} retry, retrying",
                retry + 1
            ));
            let exponent = u32::try_from(retry).unwrap_or(30).min(30);
            let delay = 2_i64
                .pow(exponent)
                .min(self.update_cache_retry_max_delay)
                .max(0);
            warnings.push(format!(
                "Sleeping for {delay} seconds, before attempting to update the cache again"
            ));
            std::thread::sleep(std::time::Duration::from_secs(delay as u64));
        }
        let msg = format!(
            "Failed to update apt cache after {} retries: {problem}",
            self.update_cache_retries
        );
        let warnings = warnings.into_iter().map(Value::from).collect();
        Err(Failure::new(msg).with("warnings", Value::list(warnings)))
    }
}
