//! What `include_tasks` and `include_role` bring into a running play.

use super::Runner;
use super::inclusion::{Included, Inclusion};
use super::play::{Batch, flatten};
use super::told::causes;
use super::values::text_of;
use crate::Result;
use crate::playbook::{Block, Build, Directives, Frame, FrameKind, Item, Task};
use crate::report::Event;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::Value;
use crate::vars::TaskScope;
use crate::yaml::{Data, Node};
use std::collections::HashMap;
use std::sync::Arc;

/// Whether two hosts include the same thing: they then run it in step.
pub fn is_same(a: &Inclusion, b: &Inclusion) -> bool {
    let what = match (&a.what, &b.what) {
        (Included::Tasks(a), Included::Tasks(b)) => a == b,
        (Included::Role(a), Included::Role(b)) => {
            a.name == b.name
                && a.tasks_from == b.tasks_from
                && a.vars_from == b.vars_from
                && a.defaults_from == b.defaults_from
        }
        _ => false,
    };
    what && a.vars == b.vars && a.label == b.label && a.apply == b.apply
}

/// The name shown after `included:`.
pub fn shown_name(inclusion: &Inclusion) -> String {
    match &inclusion.what {
        Included::Tasks(path) => path.display().to_string(),
        Included::Role(use_) => text_of(&use_.name),
    }
}

/// Reads the tasks. Errors are those of reading any playbook file; they fail the host, not the run.
pub fn read(inclusion: &Inclusion, task: &Task, build: &mut Build<'_>) -> Result<Block> {
    // the include's own keywords were for the include; only its variables go on
    let mut frame = Frame::new(FrameKind::Include, Directives::default(), Some(&task.frame));
    frame.vars = Arc::new(inclusion.vars.clone());
    let mut frame = Arc::new(frame);
    if !inclusion.apply.is_empty() {
        let mut directives = Directives::default();
        for (key, value) in &inclusion.apply {
            let node = |value: &Value| to_node(value, &task.at);
            let key = node(&key.to_value());
            crate::playbook::keywords::take(
                crate::playbook::keywords::On::Block,
                &key,
                &node(value),
                &mut directives,
            )?;
        }
        frame = Arc::new(Frame::new(FrameKind::Import, directives, Some(&frame)));
    }
    match &inclusion.what {
        Included::Tasks(path) => build.load_task_file(path, &frame, task.handler),
        Included::Role(use_) => {
            let items = build.role(use_, &frame)?;
            Ok(Block::plain(items, &frame))
        }
    }
}

/// Whether there is something to read.
fn is_there(inclusion: &Inclusion) -> bool {
    match &inclusion.what {
        Included::Tasks(path) => path.exists(),
        Included::Role(_) => true,
    }
}

/// A value as a node at one place, for keywords that come from a variable.
pub fn to_node(value: &Value, at: &crate::source::Location) -> Node {
    let data = match value {
        Value::List(items) => Data::Seq(items.iter().map(|v| to_node(v, at)).collect()),
        Value::Map(map) => Data::Map(
            map.iter()
                .map(|(k, v)| (to_node(&k.to_value(), at), to_node(v, at)))
                .collect(),
        ),
        scalar => Data::Scalar(scalar.clone()),
    };
    Node {
        data,
        at: at.clone(),
    }
}

impl Runner<'_> {
    /// Reads what hosts include and puts it before what comes next for them. Gives the hosts whose include
    /// could not be read: they have failed.
    pub(super) fn include(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Arc<Task>,
        inclusions: Vec<(Vec<usize>, super::inclusion::Inclusion)>,
    ) -> Result<Vec<usize>> {
        // hosts that include the same thing with the same variables share it
        let mut groups: Vec<(super::inclusion::Inclusion, Vec<usize>)> = Vec::new();
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
        let mut failed: HashMap<usize, TaskResult> = HashMap::new();
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
                    let first = hosts.first().map(|i| Arc::clone(&batch.hosts[*i].name));
                    let templar = self.templar_for(task, first.as_deref().unwrap_or_default());
                    let info = self.task_info(task, &templar);
                    self.emit(Event::Included {
                        task: info,
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
                // as ansible-playbook: what cannot be understood ends the run, what is not there fails the host
                Err(e) if e.kind() == crate::error::Kind::Parse && is_there(&inclusion) => {
                    return Err(e);
                }
                Err(e) => {
                    for host in &hosts {
                        let mut result = TaskResult::new()
                            .with("changed", false)
                            .with("failed", true);
                        if let super::inclusion::Included::Tasks(path) = &inclusion.what {
                            let name = inclusion
                                .name
                                .clone()
                                .unwrap_or_else(|| path.display().to_string());
                            result.set("include", name);
                        }
                        result.set("reason", e.message());
                        if task.looping.is_some() {
                            result.set("results", Value::list(Vec::new()));
                        }
                        result.error = Some(e.clone());
                        self.include_failed(batch, task, *host, &result);
                        failed.insert(*host, result);
                    }
                }
            }
        }
        for (host, result) in &failed {
            self.fall(batch, *host, Some((task, result)));
        }
        for (host, items) in per_host {
            if batch.hosts[host].out {
                continue;
            }
            let block = Arc::new(Block::plain(items, &task.frame));
            match failed.contains_key(&host) {
                // what could be read still runs: first of all in the rescue or `always` that the host fell to
                true => batch.hosts[host].cursor.insert_here(block),
                false => batch.hosts[host].cursor.insert(block, false),
            }
        }
        Ok(failed.into_keys().collect())
    }

    pub(super) fn include_failed(
        &mut self,
        batch: &Batch<'_>,
        task: &Task,
        index: usize,
        result: &TaskResult,
    ) {
        let name = Arc::clone(&batch.hosts[index].name);
        self.stats.entry(name.to_string()).or_default().failures += 1;
        let scope = Arc::new(TaskScope::for_task(&self.world, &name, task));
        let templar = Templar::new(&self.world.engine, scope, Arc::new(SearchPath::default()));
        let info = self.task_info(task, &templar);
        self.emit(Event::Result {
            task: info,
            host: name.to_string(),
            delegated: None,
            causes: causes(result),
            result: result.clone(),
            ignore_errors: false,
        });
    }
}

/// Empty places for blocks that other hosts include at the same task, so that hosts stay in step.
pub(super) fn empty_slots(count: usize, frame: &Arc<crate::playbook::Frame>) -> Vec<Item> {
    (0..count)
        .map(|_| Item::Block(Arc::new(Block::plain(Vec::new(), frame))))
        .collect()
}
