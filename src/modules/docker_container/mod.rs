//! Makes, changes, starts, stops and removes Docker's containers.
//!
//! What a container should be like is a list of [`wishes`], each compared with what the Engine says of the container. One that
//! cannot be changed while the container is there has it made anew.

mod args;
mod compare;
mod mounts;
mod networks;
mod read;
mod steps;
mod wishes;

use super::common::docker::{self, Options};
use super::{Failure, Module};
use crate::machine::Machine;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// <https://docs.ansible.com/ansible/latest/collections/community/docker/docker_container_module.html>
pub struct DockerContainer;

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// What the Engine says of the container; not there if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Json>,
    /// The exit code of a container that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// What was done, in check mode and with `debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for DockerContainer {
    const NAME: &'static str = "docker_container";
    const COLLECTIONS: &'static [&'static str] = &["community.docker", "community.general"];
    const EXAMPLES: &'static str = "
- name: A web server that serves a folder of the host
  community.docker.docker_container:
    name: web
    image: nginx
    state: started
    restart_policy: unless-stopped
    published_ports:
      - 9000:80
    volumes:
      - /srv/www:/usr/share/nginx/html:ro
";
    type Args = args::Args;
    type Returns = Returns;

    fn run(args: args::Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut options = args.0;
        let state = options.text("state").unwrap_or("started").to_string();
        if options.text("container_default_behavior") == Some("compatibility") {
            fill(&mut options);
        }
        join_first(&mut options);
        let engine = docker::connect(&options, machine)?;
        let modes = compare::Modes::read(&options, wishes::kind)?;
        steps::Steps::new(&options, &engine, &modes, machine)?.run(&state)
    }
}

/// As with `docker run --network`, the first network is the one that a container is made in.
fn join_first(options: &mut Options) {
    let networks = options.maps("networks").unwrap_or_default();
    let first = networks.first().and_then(|n| n.get("name").cloned());
    if let Some(first) = first
        && options.is("networks_cli_compatible")
        && options.get("network_mode").is_none()
    {
        options.0.insert("network_mode".into(), first);
    }
}

/// The defaults of old versions.
fn fill(options: &mut Options) {
    use crate::Value;
    let defaults = [
        ("auto_remove", Value::Bool(false)),
        ("detach", Value::Bool(true)),
        ("init", Value::Bool(false)),
        ("interactive", Value::Bool(false)),
        ("memory", Value::str("0")),
        ("paused", Value::Bool(false)),
        ("privileged", Value::Bool(false)),
        ("read_only", Value::Bool(false)),
        ("tty", Value::Bool(false)),
    ];
    for (name, value) in defaults {
        if options.get(name).is_none() {
            options.0.insert(name.into(), value);
        }
    }
}
