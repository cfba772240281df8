//! What runs on the target: one module a file, each in the table below.
//!
//! A module's file holds its arguments, its documentation and what it does. It touches the target
//! through [`Machine`] alone, which computes `changed` and keeps check mode honest.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod args;
mod call;
pub mod common;

mod apt;
mod apt_key;
mod apt_repository;
#[cfg(feature = "rare-modules")]
pub mod assemble;
mod async_status;
mod blockinfile;
mod command;
mod copy;
mod cron;
#[cfg(feature = "rare-modules")]
mod deb822_repository;
#[cfg(feature = "rare-modules")]
mod debconf;
mod dnf;
#[cfg(feature = "rare-modules")]
mod docker_container;
#[cfg(feature = "rare-modules")]
mod docker_image;
#[cfg(feature = "rare-modules")]
mod dpkg_selections;
#[cfg(feature = "rare-modules")]
mod expect;
mod file;
mod find;
mod get_url;
mod getent;
mod git;
mod group;
mod hostname;
#[cfg(feature = "rare-modules")]
mod iptables;
#[cfg(feature = "rare-modules")]
mod known_hosts;
mod lineinfile;
#[cfg(feature = "rare-modules")]
mod modprobe;
#[cfg(feature = "rare-modules")]
mod mount_facts;
#[cfg(feature = "rare-modules")]
mod package_facts;
mod ping;
mod pip;
mod raw;
mod replace;
#[cfg(feature = "rare-modules")]
mod selinux;
mod service;
mod service_facts;
mod setup;
mod shell;
mod slurp;
mod stat;
#[cfg(feature = "rare-modules")]
mod subversion;
mod systemd;
mod sysvinit;
mod tempfile;
mod unarchive;
mod uri;
mod user;
mod wait_for;
mod yum_repository;

#[cfg(test)]
mod laws;

use crate::machine::Machine;
use crate::result::TaskResult;
use crate::value::Map;
#[cfg(feature = "controller")]
use std::sync::Arc;

/// A module: its arguments, its documentation and what it does.
pub trait Module {
    const NAME: &'static str;
    /// Collections that have it, where that is not Ansible itself: `community.docker`, its present home first.
    const COLLECTIONS: &'static [&'static str] = &[];
    /// YAML that shows how the module is used; a test runs it.
    const EXAMPLES: &'static str;
    /// The name that messages about arguments have, where it is not the one that the user wrote.
    const SHOWN_NAME: &'static str = Self::NAME;
    /// Whether it runs in check mode; if not, it is skipped there.
    const CHECK_MODE: bool = true;
    /// Doc comments are the options' documentation; Ansible's coercions happen before serde.
    type Args: serde::de::DeserializeOwned + schemars::JsonSchema + 'static;
    type Returns: serde::Serialize + schemars::JsonSchema;
    fn run(args: Self::Args, machine: &mut Machine) -> Result<Self::Returns, Failure>;
}

/// Why a module failed: a message, and further entries of the result (`rc`, `stderr`, ...).
#[derive(Debug, Default)]
pub struct Failure {
    pub msg: String,
    pub fields: Map,
    /// What reporters say of it, where that is more than `msg`.
    pub words: Option<String>,
}

impl Failure {
    pub fn new(msg: impl Into<String>) -> Failure {
        Failure {
            msg: msg.into(),
            ..Failure::default()
        }
    }

    /// With the cause that reporters name after the message, but the result does not.
    pub fn because(mut self, cause: impl std::fmt::Display) -> Failure {
        let msg = self.msg.trim_end_matches('.');
        self.words = Some(format!("Task failed: Module failed: {msg}: {cause}"));
        self
    }

    /// What Ansible's module does not catch: the message says that it is the module that failed.
    pub fn uncaught(msg: impl std::fmt::Display) -> Failure {
        Failure::new(format!("Task failed: Module failed: {msg}"))
    }

    /// As [`Failure::uncaught`], with the cause that reporters tell apart.
    pub fn uncaught_by(msg: impl std::fmt::Display, cause: impl std::fmt::Display) -> Failure {
        let words = format!("Task failed: Module failed: {msg}");
        Failure {
            msg: format!("{words}: {cause}"),
            words: Some(format!("{words}{}{cause}", crate::error::APART)),
            ..Failure::default()
        }
    }

    /// With a further entry of the result.
    pub fn with(mut self, key: &str, value: impl Into<crate::Value>) -> Failure {
        self.fields.insert(key.into(), value.into());
        self
    }
}

/// A module in the table.
pub struct Entry {
    pub name: &'static str,
    pub collections: &'static [&'static str],
    /// Whether the agent that every host gets is without it.
    #[cfg(feature = "rare-modules")]
    pub rare: bool,
    /// Checks and converts the arguments, runs, and makes the result (`changed`, `diff`, returns or `msg`).
    pub run: fn(&args::Spec, Map, &mut Machine) -> TaskResult,
    #[cfg(feature = "controller")]
    pub examples: &'static str,
    /// The options. The agent is told them: what makes them is too large for it.
    #[cfg(feature = "controller")]
    pub spec: fn() -> Arc<args::Spec>,
    /// The same in the form in which the agent is told.
    #[cfg(feature = "controller")]
    pub schema: fn() -> Arc<serde_json::Value>,
}

const fn entry<M: Module>() -> Entry {
    Entry {
        name: M::NAME,
        collections: M::COLLECTIONS,
        #[cfg(feature = "rare-modules")]
        rare: false,
        run: call::call::<M>,
        #[cfg(feature = "controller")]
        examples: M::EXAMPLES,
        #[cfg(feature = "controller")]
        spec: args::spec::<M::Args>,
        #[cfg(feature = "controller")]
        schema: args::schema::<M::Args>,
    }
}

impl Entry {
    /// The same module under another name.
    const fn also(self, name: &'static str) -> Entry {
        Entry { name, ..self }
    }

    /// A module that few playbooks use. Its line in the table and its `mod` need the feature `rare-modules`.
    #[cfg(feature = "rare-modules")]
    const fn rare(self) -> Entry {
        Entry { rare: true, ..self }
    }
}

/// All modules.
pub static MODULES: &[Entry] = &[
    entry::<apt::Apt>(),
    entry::<apt_key::AptKey>(),
    entry::<apt_repository::AptRepository>(),
    #[cfg(feature = "rare-modules")]
    entry::<assemble::Assemble>().rare(),
    entry::<async_status::AsyncStatus>(),
    entry::<blockinfile::Blockinfile>(),
    entry::<command::Command>(),
    entry::<copy::Copy>(),
    entry::<cron::Cron>(),
    #[cfg(feature = "rare-modules")]
    entry::<deb822_repository::Deb822Repository>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<debconf::Debconf>().rare(),
    entry::<dnf::Dnf>(),
    entry::<dnf::Dnf>().also("dnf5"),
    #[cfg(feature = "rare-modules")]
    entry::<docker_container::DockerContainer>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<docker_image::DockerImage>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<dpkg_selections::DpkgSelections>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<expect::Expect>().rare(),
    entry::<file::File>(),
    entry::<find::Find>(),
    entry::<get_url::GetUrl>(),
    entry::<getent::Getent>(),
    entry::<git::GitModule>(),
    entry::<group::Group>(),
    entry::<hostname::Hostname>(),
    #[cfg(feature = "rare-modules")]
    entry::<iptables::Iptables>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<known_hosts::KnownHosts>().rare(),
    entry::<lineinfile::Lineinfile>(),
    #[cfg(feature = "rare-modules")]
    entry::<modprobe::Modprobe>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<mount_facts::MountFacts>().rare(),
    #[cfg(feature = "rare-modules")]
    entry::<package_facts::PackageFacts>().rare(),
    entry::<ping::Ping>(),
    entry::<pip::Pip>(),
    entry::<raw::Raw>(),
    entry::<replace::Replace>(),
    #[cfg(feature = "rare-modules")]
    entry::<selinux::Selinux>().rare(),
    entry::<service::Service>(),
    entry::<service_facts::ServiceFacts>(),
    entry::<setup::Setup>(),
    entry::<shell::Shell>(),
    entry::<slurp::Slurp>(),
    entry::<stat::Stat>(),
    #[cfg(feature = "rare-modules")]
    entry::<subversion::Subversion>().rare(),
    entry::<systemd::Systemd>(),
    entry::<systemd::Systemd>().also("systemd_service"),
    entry::<sysvinit::Sysvinit>(),
    entry::<tempfile::Tempfile>(),
    entry::<unarchive::Unarchive>(),
    entry::<uri::Uri>(),
    entry::<user::User>(),
    entry::<wait_for::WaitFor>(),
    entry::<dnf::Dnf>().also("yum"),
    entry::<yum_repository::YumRepository>(),
];

/// The module with this name, bare or fully qualified (`ansible.builtin.`, `ansible.legacy.`, or its collection's).
pub fn find(name: &str) -> Option<&'static Entry> {
    let (collection, bare) = name.rsplit_once('.').unwrap_or(("", name));
    let module = MODULES.iter().find(|m| m.name == bare)?;
    let here = match collection {
        "" => true,
        "ansible.builtin" | "ansible.legacy" => module.collections.is_empty(),
        collection => module.collections.contains(&collection),
    };
    here.then_some(module)
}

/// Serde defaults of options that are true unless said otherwise.
fn yes() -> bool {
    true
}

/// Runs the module `name`; an unknown one is a failed result.
#[cfg(feature = "controller")]
pub fn run(name: &str, args: Map, machine: &mut Machine) -> TaskResult {
    match find(name) {
        Some(entry) => run_with(name, &(entry.spec)(), args, machine),
        None => unknown(name),
    }
}

/// Runs the module `name` with the options that the controller says it has; an unknown one is a failed result.
pub fn run_with(name: &str, spec: &args::Spec, args: Map, machine: &mut Machine) -> TaskResult {
    match find(name) {
        Some(entry) => {
            machine.called = name.to_string();
            (entry.run)(spec, args, machine)
        }
        None => unknown(name),
    }
}

fn unknown(name: &str) -> TaskResult {
    TaskResult::failed(format!("there is no module {name} that runs on the target"))
}
