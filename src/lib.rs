//! rplay runs Ansible playbooks.
//!
//! A map of the crate, in the order in which a run passes through it:
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | arguments to a [`run::Options`]; one file per subcommand |
//! | [`config`] | ansible.cfg, `ANSIBLE_*` and the defaults, each setting once |
//! | [`yaml`] | YAML text to [`yaml::Node`]s, each with its place in the file |
//! | [`playbook`] | nodes to plays, blocks, tasks and roles |
//! | [`inventory`] | hosts, groups, patterns, and where they come from |
//! | [`galaxy`] | roles and collections that are installed from elsewhere |
//! | [`vars`] | which definition of a variable wins |
//! | [`template`] | templates to values |
//! | [`run`] | the strategy: which task runs where, and what a result does |
//! | [`actions`] | what runs on the controller |
//! | [`modules`] | what runs on the target, through [`machine`] only |
//! | [`agent`] | how the controller asks a target to run a module |
//! | [`report`] | events to what the user sees |
//!
//! `run` decides and prints nothing; reporters print and decide nothing;
//! modules know neither templates nor connections.

// what only rare modules use is there for the agent that has them
#![cfg_attr(not(feature = "rare-modules"), allow(dead_code))]

pub mod agent;
pub mod clock;
pub mod error;
pub mod expand;
pub mod facts;
pub mod json;
pub mod kv;
pub mod machine;
pub mod modules;
pub mod notice;
pub mod python;
pub mod regex;
pub mod result;
pub mod secret;
pub mod source;
pub mod value;

#[cfg(feature = "controller")]
pub mod actions;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "controller")]
pub mod cli;
#[cfg(feature = "controller")]
pub mod config;
#[cfg(feature = "controller")]
pub mod connection;
#[cfg(feature = "controller")]
pub mod deadline;
#[cfg(feature = "controller")]
pub mod encoding;
#[cfg(feature = "controller")]
pub mod galaxy;
#[cfg(feature = "controller")]
pub mod inventory;
#[cfg(feature = "controller")]
pub mod playbook;
#[cfg(feature = "controller")]
pub mod report;
#[cfg(feature = "controller")]
pub mod run;
#[cfg(feature = "controller")]
pub mod search;
#[cfg(feature = "controller")]
pub mod template;
#[cfg(feature = "controller")]
pub mod terminal;
#[cfg(feature = "controller")]
pub mod vars;
#[cfg(feature = "controller")]
pub mod vault;
#[cfg(feature = "controller")]
pub mod yaml;

pub use error::{Error, Result};
pub use value::{Map, Value};
