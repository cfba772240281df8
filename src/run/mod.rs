//! The strategy: which task runs where, and what a result does.
//!
//! [`playbooks`] is the way in. A run reads everything first (so that bad input is refused before any host is
//! contacted), then goes play by play, batch by batch, task by task; after each task all hosts have had it
//! (the linear strategy's guarantee; under `free` they go on by themselves). The [`World`] that variables come from
//! is shared with the hosts' threads while a task runs and changed by one thread only: there are no locks on it.

mod apply;
mod arguments;
mod background;
mod cursor;
mod debugger;
pub mod defaults;
mod executor;
pub mod facts;
mod free;
mod include;
mod inclusion;
mod judge;
mod keywords;
mod linear;
mod list;
mod looping;
mod meta;
pub mod options;
mod parallel;
mod play;
mod prompt;
mod sessions;
mod step;
mod strategy;
mod tags;
pub mod target;
mod timeout;
mod told;
mod values;
mod vars_files;

pub(crate) use arguments::module_defaults;
pub use background::Told;
pub(crate) use background::folder as async_folder;
pub use values::{failure_of, holds, number_of, text_of, whole_number};

use crate::config::Config;
use crate::inventory::{self, Inventory, Pattern};
use crate::playbook::{Loader, Play};
use crate::report::{Event, HostStats, Reporter};
use crate::template::Engine;
use crate::value::{Key, Map, Value};
use crate::vars::cache::FactCache;
use crate::vars::{InventoryView, PlayInfo, RunInfo, World};
use crate::{Error, Result};
use indexmap::IndexMap;
use options::Options;
use sessions::SessionPool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a play came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Normally,
    /// `meta: end_play`
    Play,
    /// So much failed that nothing more is to run.
    Failed,
}

/// Modules that the engine itself runs.
static BUILT_IN: &[&str] = &[
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "meta",
];

/// Whether rplay has a module or action of this name (bare or fully qualified).
pub fn is_known_module(name: &str) -> bool {
    let bare = crate::playbook::bare(name);
    BUILT_IN.contains(&bare)
        || crate::actions::find(bare).is_some()
        || crate::modules::find(bare).is_some()
}

/// All names that [`is_known_module`] knows, for suggestions.
pub fn module_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN
        .iter()
        .copied()
        .chain(crate::actions::all().flat_map(|e| e.names.iter().copied()))
        .chain(crate::modules::MODULES.iter().map(|m| m.name))
}

/// A run in progress.
pub struct Runner<'a> {
    pub options: &'a Options,
    pub config: &'a Config,
    reporter: Box<dyn Reporter>,
    world: Arc<World>,
    limit: Option<Pattern>,
    sessions: Arc<SessionPool>,
    pool: Arc<rayon::ThreadPool>,
    stats: IndexMap<String, HostStats>,
    custom: Map,
    failed: HashSet<Arc<str>>,
    unreachable: HashSet<Arc<str>>,
    batch_hosts: Vec<Arc<str>>,
    /// The name under which plays know the localhost that no inventory has.
    implicit_host: Option<Arc<str>>,
    /// What ends the run as soon as the task at hand is over.
    broken: Option<Error>,
    start_at_task: Option<String>,
    /// Where facts are kept between runs, if at all.
    fact_cache: Option<FactCache>,
    /// The tasks that were looked at for it, for "did you mean".
    passed_over: Vec<String>,
    step_all: bool,
}

/// Runs the playbooks of `options`; returns the exit code (0 ok, 2 failed hosts, 4 unreachable hosts).
///
/// Errors are those that end the run: playbooks that cannot be read, a bad inventory, a handler that is not there.
pub fn playbooks(options: &Options, config: &Config, reporter: Box<dyn Reporter>) -> Result<i32> {
    let extra_vars = Arc::new(options.extra_vars.clone());
    let engine = Engine::for_run(config);
    let mut loaded: Vec<(PathBuf, Vec<Play>)> = Vec::new();
    let loader_for = |dir: &Path| {
        let mut loader = Loader::new(&engine, &extra_vars, dir, &config.roles_path.0);
        loader.private_role_vars = config.private_role_vars;
        let own = [
            &options.module_path,
            &config.library.0,
            &config.action_plugins.0,
        ];
        loader.library = own.into_iter().flatten().cloned().collect();
        // those beside the playbooks of the command line are for all that they import
        let beside = options
            .playbooks
            .iter()
            .map(|p| play_dir(p).join("collections"));
        loader.collections_path = beside
            .chain(config.collections_path.0.iter().cloned())
            .collect();
        loader
    };
    for path in &options.playbooks {
        let plays = Play::load_file(path, &loader_for)?;
        loaded.push((path.clone(), plays));
    }
    if options.syntax_check && !options.list.any() {
        let listed: Vec<_> = loaded.iter().map(|(path, _)| list::named(path)).collect();
        print!("{}", crate::report::listing::text(&listed, options.list));
        return Ok(0);
    }
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
    let playbook_dir = options
        .playbooks
        .first()
        .map(|p| play_dir(p))
        .unwrap_or_else(|| PathBuf::from("."));
    let inventory = Arc::new(Inventory::load(
        &sources,
        inventory::Options {
            extra_vars: Arc::clone(&extra_vars),
            ..inventory::Options::from_config(config)?
        },
        Some(&playbook_dir),
    )?);
    let limit = options.limit.as_deref().map(Pattern::limit).transpose()?;
    inventory.check_hosts(&Pattern::parse("all")?, limit.as_ref())?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.forks.max(1))
        .thread_name(|i| format!("host-{i}"))
        .build()
        .map_err(|e| Error::general(format!("cannot start {} threads: {e}", options.forks)))?;
    let world = Arc::new(World {
        engine: Arc::clone(&engine),
        run: Arc::new(run_info(options, config, &sources, &extra_vars)),
        view: Arc::new(InventoryView::new(inventory)),
        hosts: Arc::default(),
        play: Arc::new(PlayInfo::default()),
    });
    let mut runner = Runner {
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
    };
    if options.list.any() {
        let mut listed = Vec::new();
        for (path, plays) in &loaded {
            let loader = loader_for(&play_dir(path));
            listed.push(runner.listing(path, plays, &loader)?);
        }
        print!("{}", crate::report::listing::text(&listed, options.list));
        return Ok(0);
    }
    runner.open_fact_cache();
    for (path, plays) in &loaded {
        runner.emit(Event::PlaybookStart {
            file: path.file_name().map_or_else(
                || path.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            ),
            plays: plays.len(),
        });
        for play in plays {
            let loader = loader_for(&play.dir);
            // as with Ansible, what runs on this machine runs in the play's folder
            std::env::set_current_dir(&play.dir)
                .map_err(|e| Error::general(format!("{}: {e}", play.dir.display())))?;
            match runner.play(play, &loader) {
                Ok(Ended::Failed) => break,
                Ok(_) => {}
                Err(e) => return Err(e),
            }
        }
        // each playbook has its recap, which counts those before it; a failure ends the list of playbooks
        runner.finish();
        if runner.exit_code() != 0 {
            break;
        }
    }
    if let Some(name) = &runner.start_at_task {
        crate::report::print_error(&step::not_found(name, &runner.passed_over));
    }
    Ok(runner.exit_code())
}

/// The folder of a playbook file, absolute.
pub fn play_dir(path: &Path) -> PathBuf {
    let dir = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    dir.canonicalize().unwrap_or(dir)
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

impl Runner<'_> {
    fn emit(&mut self, event: Event) {
        self.reporter.event(&event);
    }

    /// The world, to be changed. Copied first if a value of an earlier task still holds on to it.
    fn world_mut(&mut self) -> &mut World {
        Arc::make_mut(&mut self.world)
    }

    /// Changes the inventory.
    fn inventory_mut<T>(&mut self, change: impl FnOnce(&mut Inventory) -> Result<T>) -> Result<T> {
        let mut inventory = Arc::clone(&self.world.view.inventory);
        let out = change(Arc::make_mut(&mut inventory))?;
        self.world_mut().view = Arc::new(InventoryView::new(inventory));
        Ok(out)
    }

    /// Reads all inventory sources again; facts and set variables stay.
    fn refresh_inventory(&mut self) -> Result<()> {
        self.inventory_mut(Inventory::refresh)
    }

    /// Roles of an include that the rest of the play sees.
    fn add_public_roles(&mut self, roles: Vec<Arc<crate::playbook::Role>>) {
        let public: Vec<_> = roles.into_iter().filter(|r| r.public).collect();
        if !public.is_empty() {
            let info = self.world_mut().play_mut();
            Arc::make_mut(&mut info.roles).extend(public);
        }
    }

    fn finish(&mut self) {
        let hosts = std::mem::take(&mut self.stats);
        let custom = std::mem::take(&mut self.custom);
        self.emit(Event::Stats { hosts, custom });
    }

    fn exit_code(&self) -> i32 {
        match (self.unreachable.is_empty(), self.failed.is_empty()) {
            (false, _) => 4,
            (true, false) => 2,
            (true, true) => 0,
        }
    }
}
