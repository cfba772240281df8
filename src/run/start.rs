//! What a run begins with: where files are looked for, the inventory, and what every task is told.

use super::options::Options;
use super::{Runner, defaults};
use crate::config::Config;
use crate::inventory::{self, Inventory, Pattern};
use crate::playbook::Loader;
use crate::report::Reporter;
use crate::template::Engine;
use crate::value::{Key, Map, Value};
use crate::vars::{InventoryView, PlayInfo, RunInfo, World};
use crate::{Error, Result};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A run before its inventory is read.
pub struct Start<'a> {
    options: &'a Options,
    config: &'a Config,
    engine: Arc<Engine>,
    extra_vars: Arc<Map>,
    /// Where collections are looked for: those beside what was named on the command line are for all of it.
    collections_path: Vec<PathBuf>,
}

impl<'a> Start<'a> {
    /// `dirs` are the folders of the playbooks.
    pub fn new(options: &'a Options, config: &'a Config, dirs: &[PathBuf]) -> Start<'a> {
        let beside = dirs.iter().map(|dir| dir.join("collections"));
        Start {
            options,
            config,
            engine: Engine::for_run(config),
            extra_vars: Arc::new(options.extra_vars.clone()),
            collections_path: beside
                .chain(config.collections_path.0.iter().cloned())
                .collect(),
        }
    }

    /// Reads the files of a playbook in this folder.
    pub fn loader(&self, dir: &Path) -> Loader {
        let mut loader = Loader::new(
            &self.engine,
            &self.extra_vars,
            dir,
            &self.config.roles_path.0,
        );
        loader.private_role_vars = self.config.private_role_vars;
        let (options, config) = (self.options, self.config);
        let own = [
            &options.module_path,
            &config.library.0,
            &config.action_plugins.0,
        ];
        loader.library = own.into_iter().flatten().cloned().collect();
        loader.collections_path = self.collections_path.clone();
        loader
    }

    /// Reads the inventory; `playbook_dir` is the folder whose `group_vars` and `host_vars` count.
    ///
    /// Fails if a source or the limit cannot be understood.
    pub fn runner(&self, playbook_dir: &Path, reporter: Box<dyn Reporter>) -> Result<Runner<'a>> {
        let (options, config) = (self.options, self.config);
        let sources = match options.inventory.is_empty() {
            true => config.inventory.0.clone(),
            false => options.inventory.clone(),
        };
        // plays run in their own folders: what was named relative to this one is still to be found
        let sources: Vec<String> = sources
            .into_iter()
            .map(|s| match Path::new(&s).exists() {
                true => std::path::absolute(&s).map_or(s, |p| p.display().to_string()),
                false => s,
            })
            .collect();
        let inventory = Arc::new(Inventory::load(
            &sources,
            inventory::Options {
                extra_vars: Arc::clone(&self.extra_vars),
                ..inventory::Options::from_config(config)?
            },
            Some(playbook_dir),
        )?);
        let limit = options.limit.as_deref().map(Pattern::limit).transpose()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.forks.max(1))
            .thread_name(|i| format!("host-{i}"))
            .build()
            .map_err(|e| Error::general(format!("cannot start {} threads: {e}", options.forks)))?;
        let world = Arc::new(World {
            engine: Arc::clone(&self.engine),
            run: Arc::new(run_info(options, config, &sources, &self.extra_vars)),
            view: Arc::new(InventoryView::new(inventory)),
            hosts: Arc::default(),
            play: Arc::new(PlayInfo::default()),
        });
        Ok(Runner {
            options,
            config,
            reporter,
            world,
            limit,
            sessions: Arc::default(),
            pool: Arc::new(pool),
            stats: IndexMap::new(),
            custom: Map::default(),
            failed: HashSet::new(),
            unreachable: HashSet::new(),
            batch_hosts: Vec::new(),
            implicit_host: None,
            broken: None,
            start_at_task: options.start_at_task.clone(),
            fact_cache: None,
            passed_over: Vec::new(),
            step_all: false,
        })
    }
}

/// What the command line and the configuration tell every task.
fn run_info(
    options: &Options,
    config: &Config,
    sources: &[String],
    extra_vars: &Arc<Map>,
) -> RunInfo {
    let mut cli = Map::default();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            cli.insert(Key::from(name), value);
        }
    };
    put(
        "ansible_user",
        options.remote_user.as_deref().map(Value::str),
    );
    RunInfo {
        extra_vars: Arc::clone(extra_vars),
        cli_vars: Arc::new(cli),
        poll_interval: config.poll_interval,
        task_timeout: config.task_timeout,
        no_log: config.no_log,
        connections: defaults::Defaults::new(options, config),
        forks: options.forks as i64,
        verbosity: i64::from(options.verbosity),
        limit: options.limit.clone(),
        tags: match options.tags.is_empty() {
            // only playbooks have tags to choose from
            true if options.playbooks.is_empty() => Vec::new(),
            true => vec!["all".into()],
            false => options.tags.clone(),
        },
        skip_tags: options.skip_tags.clone(),
        check: options.check,
        diff: options.diff,
        inventory_sources: sources
            .iter()
            .map(|s| match s.contains(',') {
                true => s.clone(),
                false => {
                    std::path::absolute(s).map_or_else(|_| s.clone(), |p| p.display().to_string())
                }
            })
            .collect(),
        config_file: config.file.as_ref().map(|p| p.display().to_string()),
        ansible_managed: config.ansible_managed.clone(),
        inject_facts: config.inject_facts_as_vars,
        facts_modules: config.facts_modules.clone(),
        merge_hashes: config.hash_behaviour == crate::config::HashBehaviour::Merge,
    }
}
