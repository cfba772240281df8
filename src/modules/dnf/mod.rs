//! Packages of Red Hat's kin, by the target's own `dnf` or `yum`.
//!
//! The program is asked first what it would do, which is what check mode says and what is done without it.

mod evr;
mod installed;
mod plan;
mod program;
mod work;

use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/dnf_module.html>
pub struct Dnf;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["name", "list"], ["best", "nobest"]]))]
pub struct Args {
    /// Packages: names, with versions (`a-1.0`, `a >= 1.0`), patterns, groups (`@group`), files, URLs, or `*` with
    /// `state: latest`.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pkg"]))]
    name: Vec<String>,
    /// `present` without it, or `absent` with `autoremove`.
    state: Option<State>,
    /// Removes what was installed for other packages only and is needed no more.
    #[serde(default)]
    autoremove: bool,
    /// Goes back to an older version if that is asked for.
    #[serde(default)]
    allow_downgrade: bool,
    /// Removes packages that are in the way.
    #[serde(default)]
    allowerasing: bool,
    /// Takes the newest version or fails.
    best: Option<bool>,
    /// The contrary of `best`.
    nobest: Option<bool>,
    /// With `state: latest`, takes updates that repair bugs only.
    #[serde(default)]
    bugfix: bool,
    /// With `state: latest`, takes updates that are for security only.
    #[serde(default)]
    security: bool,
    /// Downloads no metadata.
    #[serde(default)]
    cacheonly: bool,
    /// Another file of settings.
    conf_file: Option<String>,
    /// Whose excludes do not count: `all`, `main` or a repository.
    disable_excludes: Option<String>,
    /// Does not check signatures of packages.
    #[serde(default)]
    disable_gpg_check: bool,
    /// Plugins that are off.
    #[serde(default)]
    disable_plugin: Vec<String>,
    /// Plugins that are on.
    #[serde(default)]
    enable_plugin: Vec<String>,
    /// Repositories that are off.
    #[serde(default)]
    disablerepo: Vec<String>,
    /// Repositories that are on.
    #[serde(default)]
    enablerepo: Vec<String>,
    /// Packages that are left out.
    #[serde(default)]
    exclude: Vec<String>,
    /// Where downloaded packages go.
    download_dir: Option<String>,
    /// Only downloads the packages.
    #[serde(default)]
    download_only: bool,
    /// Of no use, as with Ansible's.
    #[serde(default = "yes")]
    #[allow(dead_code)]
    install_repoquery: bool,
    /// Whether packages that others recommend are installed too.
    #[serde(default = "yes")]
    install_weak_deps: bool,
    /// Another root to install into.
    #[serde(default = "root")]
    installroot: String,
    /// Tells of packages, which rplay leaves to `package_facts`.
    list: Option<String>,
    /// Seconds to wait for another dnf or yum.
    #[serde(default = "thirty")]
    lock_timeout: i64,
    /// The release that packages come from.
    releasever: Option<String>,
    /// Leaves out packages that cannot be installed.
    #[serde(default)]
    skip_broken: bool,
    /// Whether certificates of repositories are checked.
    #[serde(default = "yes")]
    sslverify: bool,
    /// Fetches the metadata anew.
    #[serde(default)]
    #[schemars(extend("aliases" = ["expire-cache"]))]
    update_cache: bool,
    /// With `state: latest`, installs nothing that is not there.
    #[serde(default)]
    update_only: bool,
    /// The program; by default the newest that is there.
    #[serde(default)]
    #[schemars(extend("aliases" = ["use"]))]
    use_backend: Backend,
    /// Whether certificates of servers of files are checked.
    #[serde(default = "yes")]
    validate_certs: bool,
}

fn root() -> String {
    "/".to_string()
}
fn thirty() -> i64 {
    30
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    Installed,
    Latest,
    Present,
    Removed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Backend {
    #[default]
    Auto,
    Dnf,
    Dnf4,
    Dnf5,
    Yum,
    Yum4,
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    msg: String,
    rc: i64,
    /// What happened to packages: `Installed: a-1.0-1.noarch`.
    results: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Dnf {
    const NAME: &'static str = "dnf";
    const EXAMPLES: &'static str = "
- name: Install the web server
  ansible.builtin.dnf:
    name: httpd >= 2.4
  when: ansible_facts.os_family == 'RedHat'

- name: Upgrade everything
  ansible.builtin.dnf:
    name: '*'
    state: latest
  when: ansible_facts.os_family == 'RedHat'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let refuse = |msg: &str| Err(Failure::new(msg).with("results", Value::list(Vec::new())));
        if args.list.is_some() {
            return refuse("rplay does not support the option list: use the command `dnf list`");
        }
        if let Some(file) = &args.conf_file
            && !machine.is_file(std::path::Path::new(file))
        {
            return Err(Failure::new("cannot read configuration file")
                .with("conf_file", file.as_str())
                .with("results", Value::list(Vec::new())));
        }
        let installs = !matches!(args.state, None | Some(State::Absent | State::Removed));
        if args.autoremove && installs {
            return refuse("Autoremove should be used alone or with state=absent");
        }
        work::Work::begin(args, machine)?.run(machine)
    }
}
