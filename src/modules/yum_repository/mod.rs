//! Repositories of yum and dnf: sections of the files in `/etc/yum.repos.d`.

mod ini;
mod settings;

use super::args::Path;
use super::common::attributes::FileArgs;
use super::common::diff::{self, Attributes};
use super::common::text;
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text};
use crate::value::Value;
use ini::{DEFAULT, Ini};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use settings::Settings;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yum_repository_module.html>
pub struct YumRepository;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["state", "present", ["baseurl", "mirrorlist", "metalink"], true],
    ["state", "present", ["description"], false]
]))]
pub struct Args {
    /// The repository's id, which is its section in the file.
    name: String,
    /// What the repository is, for people.
    description: Option<String>,
    /// The file's name without `.repo`; by default the repository's.
    file: Option<String>,
    /// The folder of the files.
    #[serde(default = "reposdir")]
    reposdir: Path,
    #[serde(default)]
    state: State,
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    attributes: FileArgs,
}

fn reposdir() -> Path {
    Path("/etc/yum.repos.d".to_string())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Present,
    Absent,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// The repository's id.
    repo: String,
    state: State,
    /// What the file means, before and after.
    #[schemars(with = "serde_json::Value")]
    diff: Value,
}

impl Module for YumRepository {
    const NAME: &'static str = "yum_repository";
    const EXAMPLES: &'static str = "
- name: A repository in a file of its own
  ansible.builtin.yum_repository:
    name: epel
    description: Extra packages
    baseurl: https://mirror.example.com/epel/$releasever/$basearch/
    gpgcheck: true
    gpgkey: https://mirror.example.com/epel/key
  when: ansible_facts.os_family == 'RedHat'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let folder = args.reposdir.as_str();
        if !machine.is_dir(std::path::Path::new(folder)) {
            let msg = format!("Repo directory '{folder}' does not exist.");
            return Err(Failure::new(msg));
        }
        let name = args.file.as_deref().unwrap_or(&args.name);
        let file = format!("{}/{name}.repo", folder.trim_end_matches('/'));
        let before = read(machine, &file)?;
        let mut after = before.clone();
        match args.state {
            State::Present => args.put(&mut after)?,
            State::Absent => {
                after.sections.shift_remove(&args.name);
            }
        }
        let (old, new) = (before.meaning(), after.meaning());
        let mut changed = old != new;
        if changed {
            write(machine, &file, &after)?;
        }
        if !after.sections.is_empty() {
            let path = std::path::Path::new(&file);
            changed |= args
                .attributes
                .apply(machine, path, true, &mut Attributes::default())?;
        }
        Ok(Returns {
            changed,
            repo: args.name,
            state: args.state,
            diff: diff::content(&old, &new, &file, &file),
        })
    }
}

impl Args {
    /// Puts the repository into its file; a section that is another comes last.
    fn put(&self, ini: &mut Ini) -> Result<(), Failure> {
        if self.name == DEFAULT {
            return Err(Failure::uncaught("Invalid section name: 'DEFAULT'"));
        }
        let mut section = self.settings.entries();
        let description = self.description.clone().unwrap_or_default();
        section.insert("name".to_string(), description);
        section.sort_keys();
        let there = ini.sections.get(&self.name);
        if there.is_none_or(|there| {
            let mut there = there.clone();
            there.sort_keys();
            there.as_slice() != section.as_slice()
        }) {
            ini.sections.shift_remove(&self.name);
            ini.sections.insert(self.name.clone(), section);
        }
        Ok(())
    }
}

fn read(machine: &Machine, file: &str) -> Result<Ini, Failure> {
    let path = std::path::Path::new(file);
    if !machine.is_file(path) {
        return Ok(Ini::default());
    }
    let bytes = machine.read(path).map_err(|e| problem(file, &e))?;
    Ini::parse(file, &text::decode(&bytes)).map_err(Failure::uncaught)
}

/// Writes the file; one without a section is removed.
fn write(machine: &mut Machine, file: &str, ini: &Ini) -> Result<(), Failure> {
    let path = std::path::Path::new(file);
    if ini.sections.is_empty() {
        return machine.remove(path).map_err(|e| {
            let why = errno_text(&e);
            Failure::new(format!("Cannot remove empty repo file '{file}'.")).with("details", why)
        });
    }
    let bytes = text::encode(&ini.text());
    // a link is written through
    let real = match machine.is_link(path) {
        true => machine.real_path(path),
        false => path.to_path_buf(),
    };
    let written = machine.write(&real, Content::Bytes(&bytes), None, false);
    written.map(|_| ()).map_err(|e| problem(file, &e))
}

fn problem(file: &str, e: &std::io::Error) -> Failure {
    let why = format!("{}: {}", errno_text(e), crate::python::quote(file));
    Failure::new(format!("Problems handling file '{file}'."))
        .with("details", why.as_str())
        .because(why)
}
