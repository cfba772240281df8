//! The strategy: which task runs where, and what a result does.
//!
//! [`playbooks`] is the way in. A run reads everything first (so that bad input is refused before any host is
//! contacted), then goes play by play, batch by batch, task by task; after each task all hosts have had it
//! (the linear strategy's guarantee; under `free` they go on by themselves). The [`World`] that variables come from
//! is shared with the hosts' threads while a task runs and changed by one thread only: there are no locks on it.

mod adhoc;
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
mod start;
mod step;
mod strategy;
mod tags;
pub mod target;
mod timeout;
mod told;
mod values;
mod vars_files;

pub use adhoc::{AdHoc, adhoc};
pub(crate) use arguments::module_defaults;
pub use background::Told;
pub(crate) use background::folder as async_folder;
pub use values::{failure_of, holds, number_of, text_of, whole_number};

use crate::config::Config;
use crate::inventory::{Inventory, Pattern};
use crate::playbook::{Loader, Play};
use crate::report::{Event, HostStats, Reporter};
use crate::value::Map;
use crate::vars::cache::FactCache;
use crate::vars::{InventoryView, World};
use crate::{Error, Result};
use indexmap::IndexMap;
use options::Options;
use sessions::SessionPool;
use start::Start;
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
    let dirs: Vec<PathBuf> = options.playbooks.iter().map(|p| play_dir(p)).collect();
    let start = Start::new(options, config, &dirs);
    let mut loaded: Vec<(PathBuf, Vec<Play>)> = Vec::new();
    for path in &options.playbooks {
        let plays = Play::load_file(path, &|dir| start.loader(dir))?;
        loaded.push((path.clone(), plays));
    }
    if options.syntax_check && !options.list.any() {
        let listed: Vec<_> = loaded.iter().map(|(path, _)| list::named(path)).collect();
        print!("{}", crate::report::listing::text(&listed, options.list));
        return Ok(0);
    }
    let first = dirs.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let mut runner = start.runner(&first, reporter)?;
    runner
        .world
        .inventory()
        .targets("all", runner.limit.as_ref())?;
    if options.list.any() {
        let mut listed = Vec::new();
        for (path, plays) in &loaded {
            let loader = start.loader(&play_dir(path));
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
            let loader = start.loader(&play.dir);
            if runner.play_there(play, &loader)? == Ended::Failed {
                break;
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

impl Runner<'_> {
    /// Runs a play in its own folder: what runs on this machine runs there, as with Ansible.
    fn play_there(&mut self, play: &Play, loader: &Loader) -> Result<Ended> {
        std::env::set_current_dir(&play.dir)
            .map_err(|e| Error::general(format!("{}: {e}", play.dir.display())))?;
        self.play(play, loader)
    }

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
