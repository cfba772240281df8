//! The linear strategy: all hosts of a batch do one task, then the next.

use super::play::Batch;
use super::values::{number_of, truth, whole_number};
use super::{Ended, Runner};
use crate::playbook::Task;
use crate::report::Event;
use crate::template::Templar;
use crate::value::Value;
use crate::vars::TaskScope;
use crate::{Error, Result};
use std::sync::Arc;

impl Runner<'_> {
    /// Runs the task that comes next on the hosts that are at it. False when nothing is left.
    pub(super) fn step_batch(&mut self, batch: &mut Batch<'_>) -> Result<bool> {
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
                host.notified.shift_remove(&task.id);
                hosts.push(index);
            }
        }
        hosts.retain(|i| !batch.role_is_done(&task, *i));
        if hosts.is_empty() {
            return Ok(true);
        }
        if task.action.bare == "meta" {
            self.meta(batch, &task, &hosts)?;
        } else {
            self.run_task(batch, &task, &hosts)?;
        }
        Ok(true)
    }

    pub(super) fn run_task(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Arc<Task>,
        hosts: &[usize],
    ) -> Result<()> {
        let first_name = Arc::clone(&batch.hosts[hosts[0]].name);
        let templar = {
            let scope = Arc::new(TaskScope::for_task(&self.world, &first_name, task));
            let files = crate::playbook::search_path(&task.frame, &self.world.play.dir);
            Templar::new(&self.world.engine, scope, Arc::new(files))
        };
        let info = self.task_info(task, &templar);
        let run_once = match &task.resolved().run_once {
            Some(v) => truth(v, &templar).unwrap_or(false),
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
        let throttle = self.throttle(task, &templar)?;
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
            failed_now.extend(self.include(batch, task, inclusions)?);
        }
        if !failed_now.is_empty() {
            self.after_failures(batch, task, &failed_now, &templar, once)?;
        }
        self.refresh_active();
        Ok(())
    }

    /// How many hosts may do the task at a time; 0 for as many as there are.
    pub(super) fn throttle(&self, task: &Task, templar: &Templar) -> Result<usize> {
        let Some(value) = &task.resolved().throttle else {
            return Ok(0);
        };
        let number = templar.render(value).and_then(|v| whole_number(&v));
        let number = number.map_err(|e| {
            let at = task.keyword("throttle").map(|n| &n.at);
            let words = "Failed to convert the throttle value to an integer";
            Error::general(format!("{words}: {}", e.message())).at_opt(at)
        })?;
        Ok(number.max(0).unsigned_abs() as usize)
    }

    /// Check mode and diff as the play has them.
    pub(super) fn mode(&self) -> crate::machine::Mode {
        crate::machine::Mode {
            check: self.world.play.check,
            diff: self.world.play.diff,
        }
    }

    /// any_errors_fatal, max_fail_percentage, and the end when nobody is left.
    pub(super) fn after_failures(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Task,
        failed: &[usize],
        templar: &Templar,
        once: bool,
    ) -> Result<()> {
        let fatal = match &task.resolved().any_errors_fatal {
            Some(v) => truth(v, templar)?,
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
            let answered = failed
                .iter()
                .any(|i| !self.unreachable.contains(&batch.hosts[*i].name));
            if fatal && !answered {
                // a host that does not answer ends the play for all; the plays after it go on with the others
                batch.ended = Some(Ended::Play);
            } else if fatal && !batch.hosts.iter().any(|h| h.cursor.is_rescuing()) {
                // what stands in `always` still runs, and then nothing more
                batch.last = true;
            }
        }
        if let Some(value) = batch.play.keyword("max_fail_percentage") {
            let limit = number_of(&templar.render(&value)?).unwrap_or(100.0);
            let lost = batch
                .hosts
                .iter()
                .filter(|h| self.failed.contains(&h.name))
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
}

/// Tasks that only compute: they are over before a thread has started.
pub(super) fn is_instant(task: &Task) -> bool {
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
