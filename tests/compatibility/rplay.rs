//! What rplay has, by its own tables.

use rplay::playbook::keywords;
use rplay::{actions, config, modules, template};
use std::collections::BTreeSet;
use std::process::Command;

/// Settings that mean nothing to rplay, and why.
pub const SETTINGS_NEVER: &[(&str, &str)] = &[];

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(String::from).collect()
}

pub fn keywords() -> BTreeSet<String> {
    let tables = [
        keywords::SHARED,
        keywords::PLAY,
        keywords::ROLE,
        keywords::BLOCK,
        keywords::TASK,
        keywords::HANDLER,
    ];
    let mut found = names(tables.into_iter().flatten().copied());
    found.extend(names(["roles", "tasks", "with_"]));
    found
}

pub fn options() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_rplay"))
        .args(["playbook", "--help"])
        .env("COLUMNS", "200")
        .output()
        .expect("rplay's help");
    super::ansible::options(&String::from_utf8_lossy(&help.stdout))
}

pub fn modules() -> BTreeSet<String> {
    let on_hosts = modules::MODULES.iter().map(|m| m.name);
    let by_engine = actions::all().flat_map(|a| a.names).copied();
    let language = [
        "import_playbook",
        "import_role",
        "import_tasks",
        "include_role",
        "include_tasks",
        "meta",
    ];
    names(on_hosts.chain(by_engine).chain(language))
}

pub fn filters() -> BTreeSet<String> {
    names(template::filters::ALL.names())
}

pub fn tests() -> BTreeSet<String> {
    names(template::tests::ALL.names())
}

pub fn lookups() -> BTreeSet<String> {
    names(template::lookups::ALL.names())
}

pub fn become_methods() -> BTreeSet<String> {
    names(rplay::connection::METHODS.iter().copied())
}

/// The variables of the environment and the keys of ansible.cfg, as `section.key`.
pub fn settings() -> BTreeSet<String> {
    let all = config::SETTINGS.iter();
    names(all.flat_map(|s| s.ini.iter().chain(s.env).copied()))
}
