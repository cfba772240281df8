//! `rplay inventory`: what hosts, groups and variables there are, as ansible-inventory shows them.
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-inventory.html>

mod graph;
mod json;
mod list;

use super::extra_vars;
use super::options::{BaseDir, General, Hosts, Vars, Vault};
use crate::config::Config;
use crate::error::Kind;
use crate::inventory::{Group, Inventory, Options, Pattern};
use crate::value::{Map, Value};
use crate::vars::cache::FactCache;
use crate::yaml::{self, EmitOptions};
use crate::{Error, Result};
use clap::Parser;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Shows the inventory: hosts, groups and variables, in ansible-inventory's formats.
#[derive(Parser, Debug, Default)]
#[command(name = "rplay inventory", infer_long_args = true)]
pub struct InventoryArgs {
    /// The group that --graph starts at
    #[arg(value_name = "GROUP")]
    group: Option<String>,

    /// Show all hosts and groups, in the format of inventory scripts
    #[arg(long)]
    list: bool,

    /// Show the variables of one host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Show the groups as a tree
    #[arg(long)]
    graph: bool,

    /// Show YAML instead of JSON
    #[arg(short = 'y', long)]
    yaml: bool,

    /// Show TOML: not supported
    #[arg(long, hide = true)]
    toml: bool,

    /// Show variables in the tree
    #[arg(long = "vars")]
    with_vars: bool,

    /// With --list: variables where they are defined, not merged into the hosts
    #[arg(long)]
    export: bool,

    /// With --list: write to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    hosts: Hosts,

    #[command(flatten)]
    base: BaseDir,

    #[command(flatten)]
    vars: Vars,

    #[command(flatten)]
    vault: Vault,

    #[command(flatten)]
    general: General,
}

/// Runs the subcommand; `args` are those after its name. Returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args: InventoryArgs = match super::arguments("rplay inventory", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let config = Config::load()?;
    super::show_notices(&config, args.general.verbosity(&config));
    args.vault.provide(&config)?;
    let mut args = args;
    args.hosts.inventory = args.hosts.sources(&config);
    args.base.playbook_dir = args.base.named(&config);
    args.export |= config.inventory_export;
    let forget = match args.hosts.flush_cache {
        true => FactCache::open(&config),
        false => None,
    };
    let text = answer(&args, Options::from_config(&config)?, forget.as_ref())?;
    match &args.output {
        Some(path) if args.list => std::fs::write(path, &text).map_err(|e| {
            Error::from(e).context(format!(
                "Unable to write to destination file ({})",
                path.display()
            ))
        })?,
        _ => {
            use std::io::Write;
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            if !text.ends_with('\n') {
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(0)
}

/// What the subcommand prints for `args`, with the sources given there. Of a cache of facts, those of all hosts are
/// forgotten.
///
/// Fails with kind `Options` on options that do not fit together and on a host or group that is
/// not there.
pub fn answer(
    args: &InventoryArgs,
    options: Options,
    forget: Option<&FactCache>,
) -> Result<String> {
    let usage = |message: &str| Error::new(Kind::Options, message);
    match [args.list, args.host.is_some(), args.graph]
        .iter()
        .filter(|chosen| **chosen)
        .count()
    {
        0 => {
            return Err(usage(
                "No action selected, at least one of --host, --graph or --list needs to be specified.",
            ));
        }
        1 => {}
        _ => {
            return Err(usage(
                "Conflicting options used, only one of --host, --graph or --list can be used at the same time.",
            ));
        }
    }
    if args.toml {
        return Err(usage("--toml is not supported").hint("use --yaml, or JSON without an option"));
    }
    let view = View::new(args, options)?;
    if let Some(cache) = forget {
        let hosts = view.inventory.host_names();
        hosts.for_each(|host| cache.remove(host));
    }
    if let Some(host) = &args.host {
        let hosts = view
            .inventory
            .hosts_for(&Pattern::parse(host)?, view.limit.as_ref())?;
        let [host] = &hosts[..] else {
            return Err(usage(
                "You must pass a single valid host to --host parameter",
            ));
        };
        return view.dump(Value::map(view.host_vars(host)?));
    }
    if args.graph {
        let start = args.group.as_deref().unwrap_or("all");
        let group = view
            .inventory
            .group(start)
            .ok_or_else(|| usage("Pattern must be valid group name when using --graph"))?;
        return graph::draw(&view, group, args.with_vars);
    }
    let result = if args.yaml {
        list::as_tree(&view)?
    } else {
        list::as_script(&view)?
    };
    view.dump(result)
}

/// An inventory, and what of it is to be shown.
struct View {
    inventory: Inventory,
    limit: Option<Pattern>,
    playbook_dir: Option<PathBuf>,
    extra_vars: Map,
    yaml: bool,
    list: bool,
    /// Variables where they are defined, not merged into the hosts.
    export: bool,
}

/// Variables that rplay sets itself: no part of the inventory.
const INTERNAL: [&str; 19] = [
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "playbook_dir",
];

impl View {
    fn new(args: &InventoryArgs, options: Options) -> Result<View> {
        let playbook_dir = args.base.playbook_dir.as_deref();
        let extra_vars = extra_vars::load(&args.vars.extra_vars)?;
        let options = Options {
            extra_vars: Arc::new(extra_vars.clone()),
            ..options
        };
        Ok(View {
            inventory: Inventory::load(&args.hosts.inventory, options, playbook_dir)?,
            limit: args
                .hosts
                .limit
                .as_deref()
                .map(Pattern::limit)
                .transpose()?,
            // without a playbook, the folder that rplay was started in stands for its folder
            playbook_dir: match playbook_dir {
                Some(dir) => Some(dir.to_path_buf()),
                None => std::env::current_dir().ok(),
            },
            extra_vars,
            yaml: args.yaml,
            list: args.list,
            export: args.export,
        })
    }

    fn playbook_dir(&self) -> Option<&Path> {
        self.playbook_dir.as_deref()
    }

    fn host_vars(&self, name: &str) -> Result<Map> {
        let mut vars = match self.inventory.host(name) {
            Some(host) if self.export => self.inventory.own_host_vars(host, self.playbook_dir())?,
            _ => self.inventory.vars_of(name, self.playbook_dir())?,
        };
        if !self.export {
            for (key, value) in &self.extra_vars {
                vars.insert(key.clone(), value.clone());
            }
        }
        Ok(without_internal(vars))
    }

    fn group_vars(&self, group: &Group) -> Result<Map> {
        let mut vars = self.inventory.own_group_vars(group, self.playbook_dir())?;
        if group.priority != 1 {
            vars.insert("ansible_group_priority".into(), group.priority.into());
        }
        Ok(without_internal(vars))
    }

    fn dump(&self, value: Value) -> Result<String> {
        if !self.yaml {
            return Ok(json::pretty(&value, self.list));
        }
        yaml::emit(
            &value,
            &EmitOptions {
                default_flow_style: Some(false),
                ..EmitOptions::plain()
            },
        )
    }
}

fn without_internal(mut vars: Map) -> Map {
    vars.retain(|key, _| !key.as_str().is_some_and(|k| INTERNAL.contains(&k)));
    vars
}
