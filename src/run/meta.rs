//! `meta` tasks: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/meta_module.html>.

use super::play::Batch;
use super::values::holds;
use super::{Ended, Runner};
use crate::playbook::{Block, Item, Role, Task};
use crate::report::Event;
use crate::result::TaskResult;
use crate::template::Templar;
use crate::value::Value;
use crate::vars::TaskScope;
use crate::{Error, Result};
use std::sync::Arc;

static KNOWN: &[&str] = &[
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "refresh_inventory",
    "reset_connection",
    "role_complete",
];

/// The name of a meta task's action.
pub fn action_of(task: &Task) -> &str {
    task.action
        .args
        .get("_raw_params")
        .or_else(|| task.action.args.get("free_form"))
        .and_then(Value::as_str)
        .unwrap_or("")
}

/// Notes that a role has run to its end for hosts, if any of its tasks did run.
fn complete(batch: &mut Batch<'_>, role: &Role, hosts: &[usize]) {
    for index in hosts {
        let done = (Arc::clone(&batch.hosts[*index].name), role.key.clone());
        if batch.roles_ran.contains(&done) {
            batch.roles_done.insert(done);
        }
    }
}

/// What a meta task did for a host, in words.
fn done(action: &str, host: &str) -> Option<String> {
    Some(match action {
        "noop" => "noop".into(),
        "flush_handlers" => format!("triggered running handlers for {host}"),
        "refresh_inventory" => "inventory successfully refreshed".into(),
        "clear_facts" => "facts cleared".into(),
        "clear_host_errors" => "cleared host errors".into(),
        "reset_connection" => "reset connection".into(),
        "end_host" => format!("ending play for {host}"),
        "end_batch" => "ending batch".into(),
        "end_play" => "ending play".into(),
        _ => return None,
    })
}

/// What happens for a host whose meta task is skipped.
fn instead(action: &str, host: &str) -> String {
    match action {
        "flush_handlers" => format!("not running handlers for {host}"),
        "clear_facts" => format!("not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!("not clearing host error state for {host}"),
        "end_host" => format!("continuing execution for {host}"),
        "end_batch" => "continuing current batch".into(),
        "end_play" => "continuing play".into(),
        "end_role" => format!("continuing the role for {host}"),
        other => format!("no {other} for {host}"),
    }
}

impl Runner<'_> {
    pub fn meta(&mut self, batch: &mut Batch<'_>, task: &Arc<Task>, hosts: &[usize]) -> Result<()> {
        let action = action_of(task).to_string();
        if !KNOWN.contains(&action.as_str()) {
            let error =
                Error::general(format!("invalid meta action requested: {action}")).at(&task.at);
            return Err(
                match crate::error::did_you_mean(&action, KNOWN[..KNOWN.len() - 1].iter().copied())
                {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint(format!(
                        "meta takes {}",
                        KNOWN[..KNOWN.len() - 1].join(", ")
                    )),
                },
            );
        }
        if task.handler && action == "flush_handlers" {
            return Err(Error::general("flush_handlers cannot be used as a handler").at(&task.at));
        }
        // some are for each host, the others for all of them, decided by the first
        let per_host = matches!(
            action.as_str(),
            "noop"
                | "reset_connection"
                | "end_host"
                | "role_complete"
                | "flush_handlers"
                | "end_role"
        );
        let asked = if per_host { hosts } else { &hosts[..1] };
        let mut chosen = Vec::new();
        for index in asked {
            let name = Arc::clone(&batch.hosts[*index].name);
            if task.implicit {
                if action == "flush_handlers" {
                    self.settle_notifications(batch, task, *index)?;
                    self.announce_handlers(batch, *index);
                }
                let idle = action == "flush_handlers" && batch.hosts[*index].notified.is_empty();
                if let (false, Some(message)) = (idle, done(&action, &name)) {
                    crate::notice::debug(|| format!("META: {message}"));
                }
                chosen.push(*index);
                continue;
            }
            let templar = self.templar_for(task, &name);
            let info = self.task_info(task, &templar);
            self.emit(Event::TaskStart(info.clone()));
            let mut met = true;
            for condition in &task.resolved().when {
                met = met && holds(condition, &templar)?;
            }
            if met {
                if action == "flush_handlers" {
                    self.settle_notifications(batch, task, *index)?;
                    self.announce_handlers(batch, *index);
                }
                if let Some(message) = done(&action, &name) {
                    self.emit(Event::Meta { message });
                }
                chosen.push(*index);
            } else {
                let reason = format!(
                    "{action} conditional evaluated to False, {}",
                    instead(&action, &name)
                );
                self.emit(Event::Meta {
                    message: reason.clone(),
                });
                let msg = match action.as_str() {
                    "end_host" => reason.replacen("False", "false", 1),
                    _ => action.clone(),
                };
                self.emit(Event::Result {
                    task: info,
                    host: name.to_string(),
                    delegated: None,
                    result: TaskResult::new()
                        .with("skipped", true)
                        .with("msg", msg)
                        .with("skip_reason", reason),
                    ignore_errors: false,
                    causes: Vec::new(),
                });
            }
        }
        if chosen.is_empty() {
            return Ok(());
        }
        match action.as_str() {
            "flush_handlers" => self.flush_handlers(batch, task, &chosen),
            "role_complete" => {
                if let Some(role) = &task.frame.role {
                    complete(batch, role, &chosen);
                }
            }
            "clear_facts" => {
                for index in &chosen {
                    let name = Arc::clone(&batch.hosts[*index].name);
                    self.world_mut().host_mut(&name).clear_facts();
                    if let Some(cache) = &self.fact_cache {
                        cache.remove(&name);
                    }
                }
            }
            "clear_host_errors" => {
                batch.last = false;
                for host in &mut batch.hosts {
                    self.failed.remove(&host.name);
                    if self.unreachable.remove(&host.name) {
                        host.out = false;
                    }
                    host.cursor.clear_failure();
                }
            }
            "end_host" => {
                for index in &chosen {
                    batch.hosts[*index].cursor.end();
                }
            }
            "end_batch" => batch.hosts.iter_mut().for_each(|h| h.cursor.end()),
            "end_play" => {
                batch.hosts.iter_mut().for_each(|h| h.cursor.end());
                batch.ended = Some(Ended::Play);
            }
            "end_role" => {
                if task.handler {
                    return Err(
                        Error::general("Cannot execute 'end_role' from a handler").at(&task.at)
                    );
                }
                let Some(role) = task.frame.role.clone() else {
                    return Err(
                        Error::general("Cannot execute 'end_role' from outside of a role")
                            .at(&task.at),
                    );
                };
                for index in &chosen {
                    let inside =
                        |b: &Block| b.frame.role.as_ref().is_some_and(|r| Arc::ptr_eq(r, &role));
                    batch.hosts[*index].cursor.end_while(inside);
                }
                complete(batch, &role, &chosen);
            }
            "refresh_inventory" => self.refresh_inventory()?,
            "reset_connection" => {
                for index in &chosen {
                    self.sessions.reset(&batch.hosts[*index].name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Finds the handlers that the host's notifications mean now.
    fn settle_notifications(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Task,
        index: usize,
    ) -> Result<()> {
        for name in std::mem::take(&mut batch.hosts[index].notifications) {
            let found = self.handlers_called(&batch.handlers, task, &name)?;
            batch.hosts[index].notified.extend(found);
        }
        Ok(())
    }

    /// Tells which handlers are about to run for a host.
    fn announce_handlers(&mut self, batch: &Batch<'_>, index: usize) {
        let host = &batch.hosts[index];
        for id in &host.notified {
            let Some(handler) = batch.handlers.iter().find(|h| h.id == *id) else {
                continue;
            };
            let templar = self.templar_for(handler, &host.name);
            let handler = self.task_info(handler, &templar).name;
            let host = host.name.to_string();
            self.emit(Event::Notified { handler, host });
        }
    }

    fn flush_handlers(&mut self, batch: &mut Batch<'_>, task: &Task, hosts: &[usize]) {
        let pending = hosts.iter().any(|i| !batch.hosts[*i].notified.is_empty());
        if !pending {
            return;
        }
        let items = batch
            .handlers
            .iter()
            .map(|h| Item::Task(Arc::clone(h)))
            .collect();
        let block = Arc::new(Block::plain(items, &task.frame));
        for index in hosts {
            if !batch.hosts[*index].notified.is_empty() {
                batch.hosts[*index].cursor.insert(Arc::clone(&block), true);
            }
        }
    }

    pub(super) fn templar_for(&self, task: &Task, host: &str) -> Templar {
        let scope = Arc::new(TaskScope::for_task(&self.world, host, task));
        let files = crate::playbook::search_path(&task.frame, &self.world.play.dir);
        Templar::new(&self.world.engine, scope, Arc::new(files))
    }
}
