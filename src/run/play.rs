//! Running a play: its hosts, its batches, and the order of its sections.

use super::cursor::{Cursor, Notified};
use super::executor::Outcome;
use super::keywords::{Type, flag_of_play, of_play};
use super::strategy::{self, Strategy};
use super::tags::TagFilter;
use super::values::text_of;
use super::{Ended, Runner, step};
use crate::config::Gathering;
use crate::error::Kind;
use crate::inventory::{Order, Pattern};
use crate::playbook::{Block, Item, Loader, Play, Task, one};
use crate::report::Event;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::vars::{PlayInfo, TaskScope};
use crate::{Error, Result};
use indexmap::IndexSet;
use std::collections::HashSet;
use std::sync::Arc;

/// Names of hosts, in the order in which they run.
type Names = Vec<Arc<str>>;

/// One host in the running batch.
pub struct HostRun {
    pub name: Arc<str>,
    pub cursor: Cursor,
    /// Names of handlers and topics that tasks have notified since handlers ran. Which handlers they mean is settled when
    /// these run: a role may bring its own until then.
    pub notifications: IndexSet<String>,
    /// The handlers that are to run.
    pub notified: Notified,
    /// Unreachable, or ended by a meta task: no more tasks.
    pub out: bool,
}

/// The running batch of a play.
pub struct Batch<'a> {
    pub play: &'a Play,
    pub loader: &'a Loader,
    pub hosts: Vec<HostRun>,
    /// All handlers, flattened, in order; those of included roles are added as they come.
    pub handlers: Vec<Arc<Task>>,
    /// (host, role use) pairs of which a task has run, and was not skipped.
    pub roles_ran: HashSet<(Arc<str>, String)>,
    /// (host, role use) pairs that have run to their end.
    pub roles_done: HashSet<(Arc<str>, String)>,
    pub filter: TagFilter,
    /// Nothing runs after this batch: an error was fatal.
    pub last: bool,
    /// Whether the debugger comes where a task fails and does not say.
    pub debugger: bool,
    /// Set by end_play and failures that stop everything.
    pub ended: Option<Ended>,
}

impl Batch<'_> {
    /// Whether the task's role has run to its end for the host: it does not run there again.
    pub(super) fn role_is_done(&self, task: &Task, index: usize) -> bool {
        let role = task.frame.role.as_ref().filter(|r| !r.allow_duplicates);
        let Some(role) = role.filter(|_| !task.handler) else {
            return false;
        };
        if task.implicit && task.action.bare == "meta" {
            return false;
        }
        let host = Arc::clone(&self.hosts[index].name);
        self.roles_done.contains(&(host, role.key.clone()))
    }
}

/// Patterns as one. Without any it is one that matches no host: an empty one would match all.
pub(super) fn joined(patterns: &[String]) -> String {
    match patterns {
        [] => "None".to_string(),
        patterns => patterns.join(","),
    }
}

/// The host patterns that a play names; none where `omit` leaves them out.
pub(super) fn hosts_patterns(play: &Play, templar: &Templar) -> Result<Vec<String>> {
    let at = play.directives.get("hosts").map_or(&play.at, |n| &n.at);
    let rendered = templar.render(&play.hosts).map_err(|e| {
        e.at(at)
            .within("Error processing keyword 'hosts'", Some(at))
            .with_kind(Kind::Parse)
    })?;
    let patterns: Vec<String> = match rendered {
        Value::List(items) => items.iter().map(text_of).collect(),
        Value::Omit => Vec::new(),
        other => vec![text_of(&other)],
    };
    // an empty pattern would match all hosts
    match patterns.iter().any(|pattern| pattern.trim().is_empty()) {
        true => Err(
            Error::parse("Keyword 'hosts' is required, and cannot have empty values.")
                .at(at)
                .within("Error processing keyword 'hosts'", Some(at)),
        ),
        false => Ok(patterns),
    }
}

impl Runner<'_> {
    /// Runs a play on all its batches.
    pub fn play(&mut self, play: &Play, loader: &Loader) -> Result<Ended> {
        let play_vars = self.play_vars(play)?;
        // a file that is not there ends the run when the play has been announced
        let missing = self.enter(play, loader, play_vars).err();
        let templar = self.play_templar(play, loader);
        let named = match play.keyword("strategy") {
            Some(named) => templar.render_str(&named)?,
            None => self.config.strategy.clone(),
        };
        let strategy = Strategy::named(&named);
        let pattern = joined(&hosts_patterns(play, &templar)?);
        let name = match play.keyword("name") {
            Some(name) => templar.render_str(&name).unwrap_or_else(|_| text_of(&name)),
            // a template that gives a list is shown as the list
            None => match &play.hosts {
                Value::Template(_) => templar.render_str(&play.hosts)?,
                _ => pattern.clone(),
            },
        };
        let (hosts, all) = self.hosts_of(play, &pattern, &templar)?;
        let lost = hosts.len() < all.len();
        let values = |names: &[Arc<str>]| {
            Arc::new(names.iter().map(|h| Value::from(Arc::clone(h))).collect())
        };
        for name in ["gather_facts", "force_handlers"] {
            flag_of_play(play, name, &templar)?;
        }
        of_play(play, "max_fail_percentage", Some(Type::Percent), &templar)?;
        let check = flag_of_play(play, "check_mode", &templar).ok().flatten();
        let check = check.unwrap_or(self.options.check);
        let diff = flag_of_play(play, "diff", &templar).ok().flatten();
        let diff = diff.unwrap_or(self.options.diff);
        {
            let info = self.world_mut().play_mut();
            info.name = name.clone();
            info.check = check;
            info.diff = diff;
            info.all_hosts = values(&all);
            info.active = values(&hosts);
        }
        if hosts.is_empty() {
            self.emit(Event::PlayStart {
                name,
                check_mode: check,
                free: strategy.is_some_and(Strategy::is_free),
                at: Some(play.at.clone()),
            });
            if !lost {
                self.emit(Event::NoHostsMatched);
            }
            return Ok(Ended::Normally);
        }
        let batches = self.batches(play, hosts, &templar)?;
        let filter = TagFilter::new(&self.options.tags, &self.options.skip_tags);
        for batch in batches {
            let batch: Vec<Arc<str>> = batch
                .into_iter()
                .filter(|h| !self.failed.contains(h) && !self.unreachable.contains(h))
                .collect();
            if batch.is_empty() {
                continue;
            }
            self.emit(Event::PlayStart {
                name: name.clone(),
                check_mode: check,
                free: strategy.is_some_and(Strategy::is_free),
                at: Some(play.at.clone()),
            });
            let Some(strategy) = strategy else {
                let at = play.directives.get("strategy").map_or(&play.at, |n| &n.at);
                return Err(strategy::unknown(&named).at(at));
            };
            if let Some(error) = missing {
                return Err(error);
            }
            let size = batch.len();
            let ended = self.batch(play, loader, batch, &filter, strategy)?;
            match ended {
                Ended::Normally => {}
                other => return Ok(other),
            }
            // a batch that failed as a whole stops the run
            let lost = self
                .batch_hosts
                .iter()
                .filter(|h| self.failed.contains(*h) || self.unreachable.contains(*h))
                .count();
            if lost == size {
                return Ok(Ended::Failed);
            }
        }
        Ok(Ended::Normally)
    }

    /// Makes `play` the one whose variables are seen, with `vars` for its own.
    ///
    /// Fails if one of its vars_files cannot be read; the play has its other variables all the same.
    pub(super) fn enter(&mut self, play: &Play, loader: &Loader, vars: Map) -> Result<()> {
        let public = play.role_list.iter().filter(|r| r.public);
        let top = play.role_list.iter();
        let top = top.filter(|r| is_top_role(play, &r.name));
        self.world_mut().play = Arc::new(PlayInfo {
            dir: loader.playbook_dir.clone(),
            vars: Arc::new(vars),
            roles: Arc::new(public.cloned().collect()),
            role_names: Arc::new(top.map(|r| Value::str(&r.name)).collect()),
            check: self.options.check,
            diff: self.options.diff,
            ..PlayInfo::default()
        });
        let files = self.shared_vars_files(play, loader)?;
        self.world_mut().play_mut().vars_files = Arc::new(files);
        Ok(())
    }

    pub(super) fn play_templar(&self, play: &Play, loader: &Loader) -> Templar {
        let scope = Arc::new(TaskScope::for_play(&self.world, &play.frame));
        Templar::new(
            &self.world.engine,
            scope,
            Arc::new(SearchPath::new(&loader.playbook_dir)),
        )
    }

    /// The play's variables with the answers to its prompts.
    fn play_vars(&mut self, play: &Play) -> Result<Map> {
        let mut vars = (*play.frame.vars).clone();
        if let Some(node) = play.directives.get("vars_prompt") {
            super::prompt::ask(
                node,
                &self.options.extra_vars,
                &mut vars,
                &self.world.engine,
            )?;
        }
        Ok(vars)
    }

    /// The vars_files that are the same for all hosts; others wait for a host.
    fn shared_vars_files(&self, play: &Play, loader: &Loader) -> Result<Map> {
        let templar = self.play_templar(play, loader);
        super::vars_files::load(play, loader, &templar, super::vars_files::Missing::Skip)
    }

    /// The hosts that the play is for, failed ones left out, in the order asked for; and all of them.
    fn hosts_of(
        &mut self,
        play: &Play,
        pattern: &str,
        templar: &Templar,
    ) -> Result<(Names, Names)> {
        let at = play.directives.get("hosts").map_or(&play.at, |n| &n.at);
        let order = of_play(play, "order", None, templar)?.map(|v| text_of(&v));
        let mut hosts = Pattern::parse(pattern)
            .and_then(|p| self.world.inventory().hosts_for(&p, self.limit.as_ref()))
            .map_err(|e| e.at(at))?;
        if let Some(order) = order {
            Order::parse(&order)
                .map_err(|e| e.at(play.directives.get("order").map_or(at, |n| &n.at)))?
                .apply(&mut hosts);
        }
        // whichever of its names came first is the name of the host that no inventory has
        for host in &mut hosts {
            if self
                .world
                .inventory()
                .host(host)
                .is_some_and(|h| h.implicit)
            {
                *host = Arc::clone(self.implicit_host.get_or_insert_with(|| Arc::clone(host)));
            }
        }
        let all = hosts.clone();
        hosts.retain(|h| !self.failed.contains(h) && !self.unreachable.contains(h));
        Ok((hosts, all))
    }

    /// The hosts in batches as `serial` says: numbers, percentages, or a list of both.
    fn batches(
        &self,
        play: &Play,
        hosts: Vec<Arc<str>>,
        templar: &Templar,
    ) -> Result<Vec<Vec<Arc<str>>>> {
        let Some(node) = play.directives.get("serial") else {
            return Ok(vec![hosts]);
        };
        let wanted = match of_play(play, "serial", None, templar)? {
            Some(Value::List(items)) => items.to_vec(),
            None => return Ok(vec![hosts]),
            Some(other) => vec![other],
        };
        let total = hosts.len();
        let mut sizes = Vec::new();
        for value in &wanted {
            let size = match value {
                Value::Int(n) => usize::try_from(*n).unwrap_or(0),
                other => {
                    let text = text_of(other);
                    let parsed = match text.strip_suffix('%') {
                        Some(percent) => percent
                            .trim()
                            .parse::<f64>()
                            .ok()
                            .map(|p| ((total as f64 * p / 100.0) as usize).max(1)),
                        None => text.trim().parse().ok(),
                    };
                    parsed.ok_or_else(|| {
                        Error::parse(format!(
                            "serial must be a number or a percentage, not '{text}'"
                        ))
                        .at(&node.at)
                    })?
                }
            };
            sizes.push(size);
        }
        let mut out = Vec::new();
        let mut rest = hosts.as_slice();
        let mut index = 0;
        while !rest.is_empty() {
            let size = sizes.get(index).or(sizes.last()).copied().unwrap_or(0);
            let size = if size == 0 {
                rest.len()
            } else {
                size.min(rest.len())
            };
            let (now, later) = rest.split_at(size);
            out.push(now.to_vec());
            rest = later;
            index += 1;
        }
        Ok(out)
    }

    fn batch(
        &mut self,
        play: &Play,
        loader: &Loader,
        names: Vec<Arc<str>>,
        filter: &TagFilter,
        strategy: Strategy,
    ) -> Result<Ended> {
        let values = Arc::new(
            names
                .iter()
                .map(|h| Value::from(Arc::clone(h)))
                .collect::<Vec<_>>(),
        );
        {
            self.world_mut().play_mut().batch = values;
        }
        self.batch_hosts = names.clone();
        for host in &names {
            self.world.view.layers(host, &loader.playbook_dir)?;
        }
        self.host_vars_files(play, loader, &names)?;
        let templar = self.play_templar(play, loader);
        self.load_facts(&names)?;
        let root = self.root_block(play, &templar, filter)?;
        let root = match self.start_at(&root, &templar) {
            Some(root) => Arc::new(root),
            None => return Ok(Ended::Normally),
        };
        let mut batch = Batch {
            play,
            loader,
            hosts: names
                .iter()
                .map(|name| HostRun {
                    name: Arc::clone(name),
                    cursor: self.first_step(&root, name),
                    notifications: IndexSet::new(),
                    notified: Notified::new(),
                    out: false,
                })
                .collect(),
            handlers: flatten(&play.handlers),
            roles_ran: HashSet::new(),
            roles_done: HashSet::new(),
            filter: filter.clone(),
            last: false,
            debugger: self.config.enable_task_debugger || strategy == Strategy::Debug,
            ended: None,
        };
        match strategy {
            Strategy::Linear | Strategy::Debug => {
                while batch.ended.is_none() && self.step_batch(&mut batch)? {}
            }
            Strategy::Free => self.run_free(&mut batch, None)?,
            Strategy::HostPinned => self.run_free(&mut batch, Some(self.options.forks.max(1)))?,
        }
        Ok(match (batch.ended, batch.last) {
            (Some(ended), _) => ended,
            (None, true) => Ended::Failed,
            (None, false) => Ended::Normally,
        })
    }

    /// Loads vars_files whose names depend on the host.
    fn host_vars_files(&mut self, play: &Play, loader: &Loader, names: &[Arc<str>]) -> Result<()> {
        if !super::vars_files::depends_on_host(play) {
            return Ok(());
        }
        for name in names {
            let scope = Arc::new(TaskScope::for_host_in_play(&self.world, name, &play.frame));
            let templar = Templar::new(
                &self.world.engine,
                scope,
                Arc::new(SearchPath::new(&loader.playbook_dir)),
            );
            let vars =
                super::vars_files::load(play, loader, &templar, super::vars_files::Missing::Error)?;
            self.world_mut().host_mut(name).vars_files = Some(Arc::new(vars));
        }
        Ok(())
    }

    /// The play's tasks in the order in which they run, handlers flushed between the sections.
    fn root_block(&self, play: &Play, templar: &Templar, filter: &TagFilter) -> Result<Block> {
        let frame = &play.frame;
        let flush = || {
            Item::Task(Arc::new(Task::implicit(
                "meta",
                one("_raw_params", "flush_handlers"),
                None,
                &["always"],
                &play.at,
                frame,
            )))
        };
        let force = self.force_handlers(play, templar)?;
        let mut body: Vec<Item> = Vec::new();
        if let Some(setup) = self.gather_task(play, templar)? {
            body.push(Item::Task(Arc::new(setup)));
        }
        let section = |items: Vec<Item>| -> Vec<Item> {
            match force {
                // handlers run even where a task has failed
                true => vec![Item::Block(Arc::new(Block {
                    body: items,
                    rescue: Vec::new(),
                    always: vec![flush()],
                    frame: Arc::clone(frame),
                }))],
                false => items.into_iter().chain([flush()]).collect(),
            }
        };
        body.extend(section(play.pre_tasks.clone()));
        body.extend(section(
            play.roles.iter().chain(&play.tasks).cloned().collect(),
        ));
        body.extend(section(play.post_tasks.clone()));
        let all = Block::plain(body, frame);
        Ok(filter
            .filter(&all, templar)
            .unwrap_or_else(|| Block::plain(Vec::new(), frame)))
    }

    fn force_handlers(&self, play: &Play, templar: &Templar) -> Result<bool> {
        let usual = self.options.force_handlers || self.config.force_handlers;
        Ok(flag_of_play(play, "force_handlers", templar)?.unwrap_or(usual))
    }

    /// The implicit setup task, unless the play does without.
    fn gather_task(&self, play: &Play, templar: &Templar) -> Result<Option<Task>> {
        let asked = flag_of_play(play, "gather_facts", templar)?;
        let gather = asked.unwrap_or(self.config.gathering != Gathering::Explicit);
        if !gather {
            return Ok(None);
        }
        let mut args = Map::default();
        for name in ["gather_subset", "gather_timeout", "fact_path"] {
            if let Some(value) = play.keyword(name) {
                args.insert(name.into(), value);
            }
        }
        let tags: &[&str] = match play.directives.get("tags") {
            None => &["always"],
            Some(_) => &[],
        };
        Ok(Some(Task::implicit(
            "gather_facts",
            args,
            Some("Gathering Facts"),
            tags,
            &play.at,
            &play.frame,
        )))
    }

    /// What is left of the block from `--start-at-task` on. Only the first play that has the task is cut.
    fn start_at(&mut self, root: &Block, templar: &Templar) -> Option<Block> {
        let Some(pattern) = self.start_at_task.clone() else {
            return Some(Block::plain(root.body.clone(), &root.frame));
        };
        let mut found = false;
        let passed_over = std::cell::RefCell::new(Vec::new());
        let out = cut_before(root, &mut found, &|task| {
            if task.implicit {
                return false;
            }
            let matches = step::name_matches(&pattern, task, templar);
            if !matches {
                passed_over.borrow_mut().push(step::own_name(task, templar));
            }
            matches
        });
        self.passed_over.extend(passed_over.into_inner());
        if found {
            self.start_at_task = None;
        }
        Some(out)
    }
}

/// Handlers in order, blocks opened.
pub fn flatten(items: &[Item]) -> Vec<Arc<Task>> {
    let mut out = Vec::new();
    for item in items {
        match item {
            Item::Task(task) => out.push(Arc::clone(task)),
            Item::Block(block) => block.each_task(&mut |t| {
                if !(t.implicit && t.action.bare == "meta") {
                    out.push(Arc::clone(t));
                }
            }),
        }
    }
    out
}

fn is_top_role(play: &Play, name: &str) -> bool {
    play.directives
        .get("roles")
        .and_then(|n| n.as_seq())
        .is_some_and(|list| {
            list.iter().any(|entry| {
                let named = entry.as_str().or_else(|| {
                    entry
                        .get("role")
                        .or_else(|| entry.get("name"))
                        .and_then(|n| n.as_str())
                });
                named.is_some_and(|n| {
                    n == name || n.starts_with('~') && n.rsplit('/').next() == Some(name)
                })
            })
        })
}

/// The block without the tasks before the first that `is_start` accepts. Flushes and fact gathering stay.
fn cut_before(block: &Block, found: &mut bool, is_start: &dyn Fn(&Task) -> bool) -> Block {
    let mut part = |items: &[Item]| -> Vec<Item> {
        let mut out = Vec::new();
        for item in items {
            match item {
                Item::Task(task) => {
                    if !*found && is_start(task) {
                        *found = true;
                    }
                    if *found || task.implicit {
                        out.push(item.clone());
                    }
                }
                Item::Block(inner) => {
                    out.push(Item::Block(Arc::new(cut_before(inner, found, is_start))))
                }
            }
        }
        out
    };
    Block {
        body: part(&block.body),
        rescue: part(&block.rescue),
        always: part(&block.always),
        frame: Arc::clone(&block.frame),
    }
}

impl Outcome {
    /// For a task whose thread panicked: a bug, shown as this host's failure.
    pub(super) fn crashed() -> Outcome {
        let result =
            TaskResult::failed("Unexpected failure during module execution: rplay has a bug here");
        Outcome {
            no_log: true,
            ..Outcome::of(result, crate::machine::Mode::default())
        }
    }
}
