//! Running a play: its hosts, batches, facts, sections and the linear strategy.

use super::cursor::{Cursor, Notified};
use super::executor::{self, Outcome, Progress, TaskRun};
use super::tags::TagFilter;
use super::{Ended, Runner, step};
use crate::config::Gathering;
use crate::inventory::{Order, Pattern};
use crate::playbook::{Block, Build, Item, Loader, Play, Task, one};
use crate::report::{Cause, Delegate, Event, TaskInfo};
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::vars::{PlayInfo, TaskScope};
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// One host in the running batch.
pub struct HostRun {
    pub name: Arc<str>,
    pub cursor: Cursor,
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
    /// (host, role use) pairs that have run to their end.
    pub roles_done: HashSet<(Arc<str>, String)>,
    pub filter: TagFilter,
    /// Nothing runs after this batch: an error was fatal.
    pub last: bool,
    /// Set by end_play and failures that stop everything.
    pub ended: Option<Ended>,
}

/// What became of the result of one host.
enum Message {
    Progress(usize, Progress),
    Final(usize, Box<Outcome>),
}

impl Runner<'_> {
    /// Runs a play on all its batches.
    pub fn play(&mut self, play: &Play, loader: &Loader) -> Result<Ended> {
        {
            let play_vars = self.play_vars(play)?;
            let world = Arc::make_mut(&mut self.world);
            world.play = Arc::new(PlayInfo {
                dir: loader.playbook_dir.clone(),
                vars: Arc::new(play_vars),
                roles: Arc::new(
                    play.role_list
                        .iter()
                        .filter(|r| r.public)
                        .cloned()
                        .collect(),
                ),
                role_names: Arc::new(
                    play.role_list
                        .iter()
                        .filter(|r| is_top_role(play, &r.name))
                        .map(|r| Value::str(&r.name))
                        .collect(),
                ),
                check: self.options.check,
                diff: self.options.diff,
                ..PlayInfo::default()
            });
        }
        // a file that is not there ends the run when the play has been announced
        let mut missing = None;
        match self.shared_vars_files(play, loader) {
            Ok(vars) => self.world_mut().play_mut().vars_files = Arc::new(vars),
            Err(e) => missing = Some(e),
        }
        let templar = self.play_templar(play, loader);
        if let Some(strategy) = play
            .keyword("strategy")
            .or_else(|| Some(self.config.strategy.as_str().into()))
        {
            let name = templar.render_str(&strategy)?;
            let bare = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
            if bare != "linear" {
                return Err(
                    Error::parse(format!("the strategy '{name}' is not supported yet"))
                        .at_opt(play.directives.get("strategy").map(|n| &n.at))
                        .hint("rplay runs plays with the strategy 'linear'"),
                );
            }
        }
        let pattern = match templar
            .render(&play.hosts)
            .map_err(|e| e.at(play.directives.get("hosts").map_or(&play.at, |n| &n.at)))?
        {
            Value::List(items) => items
                .iter()
                .map(executor::text_of)
                .collect::<Vec<_>>()
                .join(","),
            other => executor::text_of(&other),
        };
        let name = match play.keyword("name") {
            Some(name) => templar
                .render_str(&name)
                .unwrap_or_else(|_| executor::text_of(&name)),
            // a template that gives a list is shown as the list
            None => match &play.hosts {
                Value::Template(_) => templar.render_str(&play.hosts)?,
                _ => pattern.clone(),
            },
        };
        let hosts = self.hosts_of(play, &pattern, &templar)?;
        let check = match play.keyword("check_mode") {
            Some(v) => executor::truth(&v, &templar)?,
            None => self.options.check,
        };
        let diff = match play.keyword("diff") {
            Some(v) => executor::truth(&v, &templar)?,
            None => self.options.diff,
        };
        {
            let info = self.world_mut().play_mut();
            info.name = name.clone();
            info.check = check;
            info.diff = diff;
            info.all_hosts = Arc::new(hosts.iter().map(|h| Value::Str(Arc::clone(h))).collect());
            info.active = Arc::clone(&info.all_hosts);
        }
        if hosts.is_empty() {
            self.emit(Event::PlayStart {
                name,
                check_mode: check,
            });
            self.emit(Event::NoHostsMatched);
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
            });
            if let Some(error) = missing {
                return Err(error);
            }
            let size = batch.len();
            let ended = self.batch(play, loader, batch, &filter)?;
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

    fn play_templar(&self, play: &Play, loader: &Loader) -> Templar {
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
            super::prompt::ask(node, &self.options.extra_vars, &mut vars)?;
        }
        Ok(vars)
    }

    /// The vars_files that are the same for all hosts; others wait for a host.
    fn shared_vars_files(&self, play: &Play, loader: &Loader) -> Result<Map> {
        let templar = self.play_templar(play, loader);
        super::vars_files::load(play, loader, &templar, super::vars_files::Missing::Skip)
    }

    /// The hosts that the play is for, failed ones left out, in the order asked for.
    fn hosts_of(&mut self, play: &Play, pattern: &str, templar: &Templar) -> Result<Vec<Arc<str>>> {
        let at = play.directives.get("hosts").map_or(&play.at, |n| &n.at);
        let order = match play.keyword("order") {
            Some(v) => Some(templar.render_str(&v)?),
            None => None,
        };
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
        Ok(hosts
            .into_iter()
            .filter(|h| !self.failed.contains(h) && !self.unreachable.contains(h))
            .collect())
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
        let wanted = match templar.render(&node.to_value())? {
            Value::List(items) => items.to_vec(),
            Value::Null => return Ok(vec![hosts]),
            other => vec![other],
        };
        let total = hosts.len();
        let mut sizes = Vec::new();
        for value in &wanted {
            let size = match value {
                Value::Int(n) => usize::try_from(*n).unwrap_or(0),
                other => {
                    let text = executor::text_of(other);
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
    ) -> Result<Ended> {
        let values = Arc::new(
            names
                .iter()
                .map(|h| Value::Str(Arc::clone(h)))
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
                    cursor: Cursor::new(&root),
                    notified: Notified::new(),
                    out: false,
                })
                .collect(),
            handlers: flatten(&play.handlers),
            roles_done: HashSet::new(),
            filter: filter.clone(),
            last: false,
            ended: None,
        };
        while batch.ended.is_none() {
            if !self.step_batch(&mut batch)? {
                break;
            }
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
        match play.keyword("force_handlers") {
            Some(v) => executor::truth(&v, templar),
            None => Ok(self.options.force_handlers || self.config.force_handlers),
        }
    }

    /// The implicit setup task, unless the play does without.
    fn gather_task(&self, play: &Play, templar: &Templar) -> Result<Option<Task>> {
        let asked = match play.keyword("gather_facts") {
            Some(v) => Some(executor::truth(&v, templar)?),
            None => None,
        };
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
        let out = cut_before(root, &mut found, &|task| {
            !task.implicit && step::name_matches(&pattern, task, templar)
        });
        if found {
            self.start_at_task = None;
        }
        Some(out)
    }

    /// Runs the task that comes next on the hosts that are at it. False when nothing is left.
    fn step_batch(&mut self, batch: &mut Batch<'_>) -> Result<bool> {
        let mut first: Option<usize> = None;
        for index in 0..batch.hosts.len() {
            let host = &mut batch.hosts[index];
            if host.out || host.cursor.peek(&host.notified).is_none() {
                continue;
            }
            first = Some(match first {
                Some(best)
                    if batch.hosts[best]
                        .cursor
                        .order(&batch.hosts[index].cursor)
                        .is_le() =>
                {
                    best
                }
                _ => index,
            });
        }
        let Some(first) = first else { return Ok(false) };
        let leader = batch.hosts[first].cursor.clone();
        let task = {
            let host = &mut batch.hosts[first];
            match host.cursor.peek(&host.notified) {
                Some(task) => Arc::clone(task),
                None => return Ok(false),
            }
        };
        let mut hosts: Vec<usize> = Vec::new();
        for (index, host) in batch.hosts.iter_mut().enumerate() {
            if !host.out
                && host.cursor.peek(&host.notified).is_some()
                && host.cursor.order(&leader).is_eq()
            {
                host.cursor.advance();
                host.notified.remove(&task.id);
                hosts.push(index);
            }
        }
        // a role that has run to its end for a host does not run there again
        if let Some(role) = task.frame.role.as_ref().filter(|r| !r.allow_duplicates)
            && !(task.implicit && task.action.bare == "meta")
            && !task.handler
        {
            hosts.retain(|i| {
                !batch
                    .roles_done
                    .contains(&(Arc::clone(&batch.hosts[*i].name), role.key.clone()))
            });
            if hosts.is_empty() {
                return Ok(true);
            }
        }
        if task.action.bare == "meta" {
            self.meta(batch, &task, &hosts)?;
        } else {
            self.run_task(batch, &task, &hosts)?;
        }
        Ok(true)
    }

    /// What reporters are told of the task, its name rendered for `host`.
    pub fn task_info(&self, task: &Task, templar: &Templar) -> TaskInfo {
        let own = match task.name() {
            Some(name) => executor::lenient(templar, &name),
            None => match task.action.bare.as_str() {
                "gather_facts" => "Gathering Facts".into(),
                "include_role" | "import_role" => match task
                    .action
                    .args
                    .get("name")
                    .or_else(|| task.action.args.get("role"))
                {
                    Some(role) => {
                        let role = templar
                            .render_str(role)
                            .unwrap_or_else(|_| executor::text_of(role));
                        format!("{} : {role}", task.action.name)
                    }
                    None => task.action.name.clone(),
                },
                _ => task.action.name.clone(),
            },
        };
        let name = match task.role_name() {
            Some(role) if !task.implicit => format!("{role} : {own}"),
            _ => own,
        };
        TaskInfo {
            id: task.id as u64,
            name,
            action: task.action.name.clone(),
            on_controller: crate::actions::is_on_controller(&task.action.bare),
            at: Some(task.at.clone()),
            handler: task.handler,
            no_log: false,
            check_mode: match &task.resolved().check_mode {
                Some(v) => executor::truth(v, templar).unwrap_or(self.world.play.check),
                None => self.world.play.check,
            },
            diff: self.world.play.diff,
            tags: super::tags::rendered(task, templar),
            args: match self.config.display_args_to_stdout {
                true => arguments_text(task),
                false => String::new(),
            },
        }
    }

    fn run_task(&mut self, batch: &mut Batch<'_>, task: &Arc<Task>, hosts: &[usize]) -> Result<()> {
        let first_name = Arc::clone(&batch.hosts[hosts[0]].name);
        let templar = {
            let scope = Arc::new(TaskScope::for_task(&self.world, &first_name, task));
            let files = crate::playbook::search_path(&task.frame, &self.world.play.dir);
            Templar::new(&self.world.engine, scope, Arc::new(files))
        };
        let info = self.task_info(task, &templar);
        let run_once = match &task.resolved().run_once {
            Some(v) => executor::truth(v, &templar).unwrap_or(false),
            None => false,
        };
        let once = run_once || matches!(task.action.bare.as_str(), "add_host" | "pause");
        if self.options.step && !task.implicit && !self.step_over(&info.name)? {
            return Ok(());
        }
        self.emit(Event::TaskStart(info.clone()));
        let chosen: Vec<usize> = match once {
            true => vec![hosts[0]],
            false => hosts.to_vec(),
        };
        let throttle = match &task.resolved().throttle {
            Some(v) => executor::number_of(&templar.render(v)?).unwrap_or(0.0) as usize,
            None => 0,
        };
        let mut outcomes = Vec::new();
        for some in chosen.chunks(if throttle == 0 {
            chosen.len()
        } else {
            throttle
        }) {
            outcomes.extend(self.outcomes(batch, task, some, &info));
        }
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let mut failed_now = Vec::new();
        let mut inclusions = Vec::new();
        for (index, outcome) in outcomes {
            let targets: Vec<usize> = match once {
                true => (0..batch.hosts.len())
                    .filter(|i| !batch.hosts[*i].out)
                    .collect(),
                false => vec![index],
            };
            let host_failed = self.apply(batch, task, index, &targets, &outcome)?;
            if host_failed {
                failed_now.push(index);
            }
            let include_targets = match once {
                true => hosts.to_vec(),
                false => vec![index],
            };
            for inclusion in outcome.inclusions {
                inclusions.push((include_targets.clone(), inclusion));
            }
        }
        if !inclusions.is_empty() {
            self.include(batch, task, inclusions)?;
        }
        if !failed_now.is_empty() {
            self.after_failures(batch, task, &failed_now, &templar, once)?;
        }
        self.refresh_active();
        Ok(())
    }

    /// Runs the task on all hosts at once, reporting as results come: in host order where they come
    /// quickly, so that output is steady, but a slow host never holds back the others for long.
    fn outcomes(
        &mut self,
        batch: &Batch<'_>,
        task: &Arc<Task>,
        chosen: &[usize],
        info: &TaskInfo,
    ) -> Vec<(usize, Outcome)> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let mode = crate::machine::Mode {
            check: self.world.play.check,
            diff: self.world.play.diff,
        };
        let world = Arc::clone(&self.world);
        let verbosity = self.options.verbosity;
        let names: Vec<Arc<str>> = chosen
            .iter()
            .map(|i| Arc::clone(&batch.hosts[*i].name))
            .collect();
        let run_one =
            |sessions: &super::sessions::SessionPool, host: &str, progress: &dyn Fn(Progress)| {
                TaskRun {
                    world: &world,
                    task,
                    host,
                    sessions,
                    mode,
                    verbosity,
                    progress,
                }
                .run()
            };
        if self.config.show_per_host_start {
            for name in &names {
                self.reporter.event(&Event::HostStart {
                    task: info.clone(),
                    host: name.to_string(),
                });
            }
        }
        let mut out: Vec<Option<Outcome>> = Vec::new();
        out.resize_with(chosen.len(), || None);
        // one host, or nothing that leaves this process: threads would cost more than they bring
        if chosen.len() == 1 || is_instant(task) {
            for (slot, name) in names.iter().enumerate() {
                let outcome = {
                    let reporter = std::cell::RefCell::new(&mut self.reporter);
                    let show = |progress: Progress| {
                        let event = progress_event(info, name, progress);
                        reporter.borrow_mut().event(&event);
                    };
                    run_one(&self.sessions, name, &show)
                };
                self.report(batch, task, info, name, &outcome);
                out[slot] = Some(outcome);
            }
            return chosen
                .iter()
                .copied()
                .zip(out.into_iter().flatten())
                .collect();
        }
        let (sender, receiver) = mpsc::channel::<Message>();
        let pool = Arc::clone(&self.pool);
        let sessions = std::mem::take(&mut self.sessions);
        pool.in_place_scope(|scope| {
            for (slot, name) in names.iter().enumerate() {
                let sender = sender.clone();
                let (run_one, sessions) = (&run_one, &sessions);
                scope.spawn(move |_| {
                    let progress = |p: Progress| {
                        let _ = sender.send(Message::Progress(slot, p));
                    };
                    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        run_one(sessions, name, &progress)
                    }))
                    .unwrap_or_else(|_| Outcome::crashed());
                    let _ = sender.send(Message::Final(slot, Box::new(outcome)));
                });
            }
            drop(sender);
            let mut waiting: HashMap<usize, Vec<Progress>> = HashMap::new();
            let mut ready: HashMap<usize, Box<Outcome>> = HashMap::new();
            let mut done = vec![false; names.len()];
            let mut next = 0;
            loop {
                let message = match ready.is_empty() {
                    true => receiver.recv().ok(),
                    false => match receiver.recv_timeout(PATIENCE) {
                        Ok(message) => Some(message),
                        Err(mpsc::RecvTimeoutError::Timeout) => {
                            // someone is slow: show what is there
                            let mut slots: Vec<usize> = ready.keys().copied().collect();
                            slots.sort_unstable();
                            for slot in slots {
                                if let Some(outcome) = ready.remove(&slot) {
                                    self.show(
                                        batch,
                                        task,
                                        info,
                                        &names[slot],
                                        waiting.remove(&slot),
                                        &outcome,
                                    );
                                    done[slot] = true;
                                    out[slot] = Some(*outcome);
                                }
                            }
                            continue;
                        }
                        Err(mpsc::RecvTimeoutError::Disconnected) => None,
                    },
                };
                match message {
                    None => break,
                    Some(Message::Progress(slot, progress @ Progress::Retry { .. })) => {
                        let event = progress_event(info, &names[slot], progress);
                        self.reporter.event(&event);
                    }
                    Some(Message::Progress(slot, progress)) if slot == next => {
                        let event = progress_event(info, &names[slot], progress);
                        self.reporter.event(&event);
                    }
                    Some(Message::Progress(slot, progress)) => {
                        waiting.entry(slot).or_default().push(progress)
                    }
                    Some(Message::Final(slot, outcome)) => {
                        ready.insert(slot, outcome);
                    }
                }
                while next < names.len() {
                    if done[next] {
                        next += 1;
                        continue;
                    }
                    let Some(outcome) = ready.remove(&next) else {
                        break;
                    };
                    self.show(
                        batch,
                        task,
                        info,
                        &names[next],
                        waiting.remove(&next),
                        &outcome,
                    );
                    done[next] = true;
                    out[next] = Some(*outcome);
                    next += 1;
                    // the items of the host whose turn it is are shown as they come
                    for progress in waiting.remove(&next).into_iter().flatten() {
                        let event = progress_event(info, &names[next], progress);
                        self.reporter.event(&event);
                    }
                }
            }
        });
        self.sessions = sessions;
        chosen
            .iter()
            .copied()
            .zip(out.into_iter().flatten())
            .collect()
    }

    fn show(
        &mut self,
        batch: &Batch<'_>,
        task: &Task,
        info: &TaskInfo,
        host: &str,
        items: Option<Vec<Progress>>,
        outcome: &Outcome,
    ) {
        for progress in items.into_iter().flatten() {
            let event = progress_event(info, host, progress);
            self.reporter.event(&event);
        }
        self.report(batch, task, info, host, outcome);
    }

    fn report(
        &mut self,
        batch: &Batch<'_>,
        task: &Task,
        info: &TaskInfo,
        host: &str,
        outcome: &Outcome,
    ) {
        for name in &outcome.notify {
            if self.broken.is_none() {
                self.broken = self.handlers_called(&batch.handlers, task, name).err();
            }
        }
        if self.broken.is_some() {
            return;
        }
        // what was included is told when it is read
        if !outcome.inclusions.is_empty() && !outcome.result.is_failed() {
            return;
        }
        for handler in &outcome.notify {
            let handler = handler.trim().to_string();
            self.emit(Event::NotificationSaved { handler });
        }
        let event = Event::Result {
            task: with_log(info, outcome),
            host: host.to_string(),
            delegated: self.delegate(outcome.delegated.as_deref(), host),
            causes: causes(&outcome.result),
            result: outcome.result.clone(),
            ignore_errors: match outcome.result.is_unreachable() {
                true => outcome.ignore_unreachable,
                false => outcome.ignore_errors,
            },
        };
        self.reporter.event(&event);
    }

    /// The host that a task was delegated to, with its address where it has one of its own.
    fn delegate(&self, name: Option<&str>, host: &str) -> Option<Delegate> {
        let name = name.filter(|n| *n != host)?;
        let layers = self
            .world
            .view
            .layers(name, &self.world.play.dir)
            .unwrap_or_default();
        let address = layers
            .iter()
            .rev()
            .find_map(|layer| layer.get("ansible_host").map(executor::text_of));
        Some(Delegate {
            name: name.to_string(),
            address,
        })
    }

    /// any_errors_fatal, max_fail_percentage, and the end when nobody is left.
    fn after_failures(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Task,
        failed: &[usize],
        templar: &Templar,
        once: bool,
    ) -> Result<()> {
        let fatal = match &task.resolved().any_errors_fatal {
            Some(v) => executor::truth(v, templar)?,
            None => self.config.any_errors_fatal,
        };
        let mut stop = false;
        if fatal || once {
            for index in 0..batch.hosts.len() {
                if failed.contains(&index) || batch.hosts[index].out {
                    continue;
                }
                self.fail_host(batch, index, None);
            }
            if fatal && !batch.hosts.iter().any(|h| h.cursor.is_rescuing()) {
                // what stands in `always` still runs, and then nothing more
                batch.last = true;
            }
        }
        if let Some(value) = batch.play.keyword("max_fail_percentage") {
            let limit = executor::number_of(&templar.render(&value)?).unwrap_or(100.0);
            let lost = batch
                .hosts
                .iter()
                .filter(|h| self.failed.contains(&h.name) || self.unreachable.contains(&h.name))
                .count();
            if lost as f64 * 100.0 / batch.hosts.len() as f64 > limit {
                for index in 0..batch.hosts.len() {
                    if !batch.hosts[index].out {
                        batch.hosts[index].cursor.end();
                        let name = Arc::clone(&batch.hosts[index].name);
                        self.failed.insert(name);
                    }
                }
                stop = true;
            }
        }
        if stop {
            let left = batch.hosts.iter().any(|h| {
                !h.out && !self.failed.contains(&h.name) && !self.unreachable.contains(&h.name)
            });
            if !left {
                // said by the limit and by the end of the hosts
                self.emit(Event::NoHostsRemaining);
                self.emit(Event::NoHostsRemaining);
                batch.ended = Some(Ended::Failed);
            }
        }
        Ok(())
    }

    /// Keeps `ansible_play_hosts` and `ansible_play_batch` true: hosts that failed are not in them.
    pub fn refresh_active(&mut self) {
        let lost = |name: &str| self.failed.contains(name) || self.unreachable.contains(name);
        let keep = |list: &[Value]| -> Option<Vec<Value>> {
            let kept: Vec<Value> = list
                .iter()
                .filter(|h| !lost(h.as_str().unwrap_or("")))
                .cloned()
                .collect();
            (kept.len() != list.len()).then_some(kept)
        };
        let active = keep(&self.world.play.active);
        let in_batch = keep(&self.world.play.batch);
        if let Some(active) = active {
            self.world_mut().play_mut().active = Arc::new(active);
        }
        if let Some(in_batch) = in_batch {
            self.world_mut().play_mut().batch = Arc::new(in_batch);
        }
    }

    fn include(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Arc<Task>,
        inclusions: Vec<(Vec<usize>, executor::Inclusion)>,
    ) -> Result<()> {
        // hosts that include the same thing with the same variables share it
        let mut groups: Vec<(executor::Inclusion, Vec<usize>)> = Vec::new();
        for (hosts, inclusion) in inclusions {
            let same = groups
                .iter_mut()
                .find(|(known, _)| super::include::is_same(known, &inclusion));
            match same {
                Some((_, members)) => members.extend(hosts),
                None => groups.push((inclusion, hosts)),
            }
        }
        let mut per_host: HashMap<usize, Vec<Item>> = HashMap::new();
        let members: Vec<usize> = {
            let mut all: Vec<usize> = groups
                .iter()
                .flat_map(|(_, hosts)| hosts.iter().copied())
                .collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let total = groups.len();
        for (position, (inclusion, mut hosts)) in groups.into_iter().enumerate() {
            hosts.sort_unstable();
            hosts.dedup();
            let mut build = Build::new(batch.loader);
            let read = super::include::read(&inclusion, task, &mut build);
            let (roles, handlers) = (
                std::mem::take(&mut build.roles),
                std::mem::take(&mut build.handlers),
            );
            match read {
                Ok(block) => {
                    let names: Vec<String> = hosts
                        .iter()
                        .map(|i| batch.hosts[*i].name.to_string())
                        .collect();
                    for name in &names {
                        self.stats.entry(name.clone()).or_default().ok += 1;
                    }
                    self.emit(Event::Included {
                        file: super::include::shown_name(&inclusion),
                        hosts: names,
                        label: inclusion.label.clone(),
                    });
                    batch.handlers.extend(flatten(&handlers));
                    self.add_public_roles(roles);
                    let templar = self.play_templar(batch.play, batch.loader);
                    let block = Arc::new(
                        batch
                            .filter
                            .filter(&block, &templar)
                            .unwrap_or_else(|| Block::plain(Vec::new(), &task.frame)),
                    );
                    for host in &members {
                        let slot = per_host
                            .entry(*host)
                            .or_insert_with(|| empty_slots(total, &task.frame));
                        if hosts.contains(host) {
                            slot[position] = Item::Block(Arc::clone(&block));
                        }
                    }
                }
                Err(e) => {
                    for host in &hosts {
                        let mut result = TaskResult::new()
                            .with("changed", false)
                            .with("failed", true);
                        if let executor::Included::Tasks(path) = &inclusion.what {
                            let name = inclusion
                                .name
                                .clone()
                                .unwrap_or_else(|| path.display().to_string());
                            result.set("include", name);
                        }
                        result.set("reason", e.message());
                        self.include_failed(batch, task, *host, result);
                    }
                }
            }
        }
        for (host, items) in per_host {
            if !batch.hosts[host].out && !self.failed.contains(&batch.hosts[host].name) {
                let block = Arc::new(Block::plain(items, &task.frame));
                batch.hosts[host].cursor.insert(block, false);
            }
        }
        Ok(())
    }

    fn include_failed(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Task,
        index: usize,
        result: TaskResult,
    ) {
        let name = Arc::clone(&batch.hosts[index].name);
        let scope = Arc::new(TaskScope::for_task(&self.world, &name, task));
        let templar = Templar::new(&self.world.engine, scope, Arc::new(SearchPath::default()));
        let info = self.task_info(task, &templar);
        self.emit(Event::Result {
            task: info,
            host: name.to_string(),
            delegated: None,
            causes: causes(&result),
            result: result.clone(),
            ignore_errors: false,
        });
        self.fail_host(batch, index, Some((task, &result)));
    }
}

/// Empty places for blocks that other hosts include at the same task, so that hosts stay in step.
fn empty_slots(count: usize, frame: &Arc<crate::playbook::Frame>) -> Vec<Item> {
    (0..count)
        .map(|_| Item::Block(Arc::new(Block::plain(Vec::new(), frame))))
        .collect()
}

fn with_log(info: &TaskInfo, outcome: &Outcome) -> TaskInfo {
    TaskInfo {
        no_log: outcome.no_log,
        check_mode: outcome.mode.check,
        diff: outcome.mode.diff,
        ..info.clone()
    }
}

fn progress_event(info: &TaskInfo, host: &str, progress: Progress) -> Event {
    match progress {
        Progress::Item {
            result,
            label,
            delegated,
            no_log,
            mode,
        } => Event::ItemResult {
            task: TaskInfo {
                no_log,
                check_mode: mode.check,
                diff: mode.diff,
                ..info.clone()
            },
            host: host.to_string(),
            delegated: delegated.filter(|name| name != host).map(|name| Delegate {
                name,
                address: None,
            }),
            causes: causes(&result),
            result,
            label,
            ignore_errors: false,
        },
        Progress::Retry {
            result,
            left,
            attempts,
            delegated,
            no_log,
        } => Event::Retry {
            task: TaskInfo {
                no_log,
                ..info.clone()
            },
            host: host.to_string(),
            delegated: delegated.filter(|name| name != host).map(|name| Delegate {
                name,
                address: None,
            }),
            result,
            retries_left: left,
            attempts,
        },
    }
}

/// A task's arguments as written, for display_args_to_stdout.
fn arguments_text(task: &Task) -> String {
    let args: Vec<String> = task
        .action
        .args
        .iter()
        .map(|(k, v)| {
            let v = match v {
                Value::Template(t) => t.text.to_string(),
                other => crate::template::python::str(other),
            };
            format!("{k}={v}")
        })
        .collect();
    args.join(", ")
}

/// What a failed result says of its causes, for the reporter.
fn causes(result: &TaskResult) -> Vec<Cause> {
    result.error.as_ref().map(Cause::all).unwrap_or_default()
}

/// Tasks that only compute: they are over before a thread has started.
fn is_instant(task: &Task) -> bool {
    task.directives.get("until").is_none()
        && matches!(
            task.action.bare.as_str(),
            "debug"
                | "set_fact"
                | "assert"
                | "fail"
                | "group_by"
                | "add_host"
                | "include_tasks"
                | "include_role"
                | "set_stats"
        )
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
                named.is_some_and(|n| n.rsplit('/').next() == Some(name))
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
    fn crashed() -> Outcome {
        Outcome {
            result: TaskResult::failed(
                "Unexpected failure during module execution: rplay has a bug here",
            ),
            inclusions: Vec::new(),
            delegated: None,
            ignore_errors: false,
            ignore_unreachable: false,
            no_log: true,
            mode: crate::machine::Mode::default(),
            notify: Vec::new(),
            register: None,
            delegate_facts: false,
        }
    }
}
