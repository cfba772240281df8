//! One task on many hosts at once, and telling of it as results come.

use super::Runner;
use super::executor::{Outcome, Progress, TaskRun};
use super::linear::is_instant;
use super::play::Batch;
use super::told::causes;
use crate::playbook::Task;
use crate::report::{Delegate, Event, TaskInfo};
use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

impl Runner<'_> {
    /// Runs the task on all hosts at once, reporting as results come: in host order where they come
    /// quickly, so that output is steady, but a slow host never holds back the others for long.
    pub(super) fn outcomes(
        &mut self,
        batch: &Batch<'_>,
        task: &Arc<Task>,
        chosen: &[usize],
        info: &TaskInfo,
    ) -> Vec<(usize, Outcome)> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let mode = self.mode();
        let world = Arc::clone(&self.world);
        let verbosity = self.options.verbosity;
        let live = self.reporter.live();
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
                    live: live.as_ref(),
                    progress,
                    edits: None,
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
                out[slot] = Some(self.debugged(batch, task, info, name, outcome));
            }
            return chosen
                .iter()
                .copied()
                .zip(out.into_iter().flatten())
                .collect();
        }
        let (sender, receiver) = mpsc::channel::<Message>();
        let pool = Arc::clone(&self.pool);
        let sessions = Arc::clone(&self.sessions);
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
                                    let name = &names[slot];
                                    out[slot] =
                                        Some(self.debugged(batch, task, info, name, *outcome));
                                }
                            }
                            continue;
                        }
                        Err(mpsc::RecvTimeoutError::Disconnected) => None,
                    },
                };
                match message {
                    None => break,
                    Some(Message::Progress(
                        slot,
                        progress @ (Progress::Retry { .. } | Progress::Async { .. }),
                    )) => {
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
                    let name = &names[next];
                    out[next] = Some(self.debugged(batch, task, info, name, *outcome));
                    next += 1;
                    // the items of the host whose turn it is are shown as they come
                    for progress in waiting.remove(&next).into_iter().flatten() {
                        let event = progress_event(info, &names[next], progress);
                        self.reporter.event(&event);
                    }
                }
            }
        });
        chosen
            .iter()
            .copied()
            .zip(out.into_iter().flatten())
            .collect()
    }

    pub(super) fn show(
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

    pub(super) fn report(
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
            self.emit(Event::Including {
                task: with_log(info, outcome),
                host: host.to_string(),
                result: outcome.result.clone(),
            });
            return;
        }
        for handler in &outcome.notify {
            let handler = handler.trim().to_string();
            self.emit(Event::NotificationSaved { handler });
        }
        let event = Event::Result {
            task: with_log(info, outcome),
            host: host.to_string(),
            delegated: self
                .delegate(outcome.delegated.as_deref(), host)
                .map(|delegate| match outcome.result.is_unreachable() {
                    // nothing is known of it
                    true => Delegate {
                        address: None,
                        ..delegate
                    },
                    false => delegate,
                }),
            causes: causes(&outcome.result),
            result: outcome.result.clone(),
            ignore_errors: match outcome.result.is_unreachable() {
                true => outcome.ignore_unreachable,
                false => outcome.ignore_errors,
            },
        };
        self.reporter.event(&event);
    }
}

/// What became of the result of one host.
enum Message {
    Progress(usize, Progress),
    Final(usize, Box<Outcome>),
}

pub(super) fn with_log(info: &TaskInfo, outcome: &Outcome) -> TaskInfo {
    TaskInfo {
        no_log: outcome.no_log,
        check_mode: outcome.mode.check,
        diff: outcome.mode.diff,
        ..info.clone()
    }
}

pub(super) fn progress_event(info: &TaskInfo, host: &str, progress: Progress) -> Event {
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
        Progress::Async { job, told } => Event::Async {
            host: host.to_string(),
            job,
            told,
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
