//! The strategies `free` and `host_pinned`: a host goes on to its next task without waiting for the others.
//!
//! The world is shared with the hosts' threads as under the linear strategy: a result is applied by the one
//! thread that also starts tasks, and a task keeps seeing the world as it was when the task started.

use super::Runner;
use super::executor::{Outcome, Progress, TaskRun};
use super::inclusion::Inclusion;
use super::linear::is_instant;
use super::parallel::progress_event;
use super::play::Batch;
use super::values::truth;
use crate::playbook::Task;
use crate::report::{Event, TaskInfo};
use crate::template::Templar;
use crate::vars::TaskScope;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, mpsc};

/// What a host's thread says.
enum Message {
    Progress(usize, Progress),
    Final(usize, Box<Outcome>),
}

/// What hosts include with one task.
type Included = Vec<(Vec<usize>, Inclusion)>;

/// A task that a host is at.
struct Running {
    task: Arc<Task>,
    info: TaskInfo,
}

/// The hosts that are at a task, and how they are heard.
struct Hosts {
    running: HashMap<usize, Running>,
    sender: mpsc::Sender<Message>,
    receiver: mpsc::Receiver<Message>,
}

impl Runner<'_> {
    /// Runs the batch to its end. `pinned`: how many hosts may be in the middle of the play.
    pub(super) fn run_free(&mut self, batch: &mut Batch<'_>, pinned: Option<usize>) -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        let mut hosts = Hosts {
            running: HashMap::new(),
            sender,
            receiver,
        };
        let done = self.go_round(batch, pinned, &mut hosts);
        // what was started is told of, whatever ended the play
        while !hosts.running.is_empty() {
            let told = self.hear(batch, &mut hosts, true);
            let applied = self.take_results(batch, told);
            if done.is_ok() {
                applied?;
            }
        }
        done
    }

    /// Starts each idle host's next task and takes the results that have come, until nothing is left.
    fn go_round(
        &mut self,
        batch: &mut Batch<'_>,
        pinned: Option<usize>,
        hosts: &mut Hosts,
    ) -> Result<()> {
        let mut begun: Vec<usize> = Vec::new();
        while batch.ended.is_none() {
            let mut results = Vec::new();
            let mut moved = false;
            for index in 0..batch.hosts.len() {
                if hosts.running.contains_key(&index) {
                    continue;
                }
                let host = &mut batch.hosts[index];
                let next = match host.out {
                    true => None,
                    false => host.cursor.peek(&host.notified).map(Arc::clone),
                };
                let Some(task) = next else {
                    begun.retain(|i| *i != index);
                    continue;
                };
                if let Some(most) = pinned
                    && !begun.contains(&index)
                {
                    if begun.len() >= most {
                        continue;
                    }
                    begun.push(index);
                }
                moved |= self.start_next(batch, &task, index, hosts, &mut results)?;
                if batch.ended.is_some() {
                    break;
                }
            }
            results.extend(self.hear(batch, hosts, !moved));
            if !moved && results.is_empty() && hosts.running.is_empty() {
                break;
            }
            self.take_results(batch, results)?;
        }
        Ok(())
    }

    /// Starts a host's next task, or does it where that takes no time. False if it has to wait for others.
    fn start_next(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Arc<Task>,
        index: usize,
        hosts: &mut Hosts,
        results: &mut Vec<(usize, Arc<Task>, Outcome)>,
    ) -> Result<bool> {
        let name = Arc::clone(&batch.hosts[index].name);
        let templar = {
            let scope = Arc::new(TaskScope::for_task(&self.world, &name, task));
            let files = crate::playbook::search_path(&task.frame, &self.world.play.dir);
            Templar::new(&self.world.engine, scope, Arc::new(files))
        };
        let throttle = self.throttle(task, &templar)?;
        let at_it = hosts.running.values().filter(|r| r.task.id == task.id);
        if throttle > 0 && at_it.count() >= throttle {
            return Ok(false);
        }
        let host = &mut batch.hosts[index];
        host.cursor.advance();
        host.notified.shift_remove(&task.id);
        if batch.role_is_done(task, index) {
            return Ok(true);
        }
        if task.action.bare == "meta" {
            self.meta(batch, task, &[index])?;
            self.refresh_active();
            return Ok(true);
        }
        refuse_or_warn(task, &templar)?;
        let info = self.task_info(task, &templar);
        if self.options.step && !task.implicit && !self.step_over(&info.name)? {
            return Ok(true);
        }
        self.emit(Event::TaskStart(info.clone()));
        if self.config.show_per_host_start {
            self.emit(Event::HostStart {
                task: info.clone(),
                host: name.to_string(),
            });
        }
        if is_instant(task) {
            let outcome = {
                let world = Arc::clone(&self.world);
                let (mode, verbosity) = (self.mode(), self.options.verbosity);
                let sessions = Arc::clone(&self.sessions);
                let reporter = std::cell::RefCell::new(&mut self.reporter);
                let progress = |progress: Progress| {
                    let event = progress_event(&info, &name, progress);
                    reporter.borrow_mut().event(&event);
                };
                TaskRun {
                    world: &world,
                    task,
                    host: &name,
                    sessions: &sessions,
                    mode,
                    verbosity,
                    live: None,
                    progress: &progress,
                    edits: None,
                }
                .run()
            };
            self.report(batch, task, &info, &name, &outcome);
            let outcome = self.debugged(batch, task, &info, &name, outcome);
            results.push((index, Arc::clone(task), outcome));
            return Ok(true);
        }
        self.spawn(task, index, &name, &hosts.sender);
        let task = Arc::clone(task);
        hosts.running.insert(index, Running { task, info });
        Ok(true)
    }

    fn spawn(
        &self,
        task: &Arc<Task>,
        index: usize,
        name: &Arc<str>,
        sender: &mpsc::Sender<Message>,
    ) {
        let (world, sessions) = (Arc::clone(&self.world), Arc::clone(&self.sessions));
        let (task, name) = (Arc::clone(task), Arc::clone(name));
        let (mode, verbosity) = (self.mode(), self.options.verbosity);
        let live = self.reporter.live();
        let sender = sender.clone();
        self.pool.spawn(move || {
            let progress = |progress: Progress| {
                let _ = sender.send(Message::Progress(index, progress));
            };
            let run = || {
                TaskRun {
                    world: &world,
                    task: &task,
                    host: &name,
                    sessions: &sessions,
                    mode,
                    verbosity,
                    live: live.as_ref(),
                    progress: &progress,
                    edits: None,
                }
                .run()
            };
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
                .unwrap_or_else(|_| Outcome::crashed());
            // the world is to be the run's alone again before the run changes it
            drop((world, task));
            let _ = sender.send(Message::Final(index, Box::new(outcome)));
        });
    }

    /// What the hosts have said, told to the reporter. With `wait` it is not nothing, if anything runs.
    fn hear(
        &mut self,
        batch: &Batch<'_>,
        hosts: &mut Hosts,
        wait: bool,
    ) -> Vec<(usize, Arc<Task>, Outcome)> {
        let mut results = Vec::new();
        while !hosts.running.is_empty() {
            let message = match wait && results.is_empty() {
                true => hosts.receiver.recv().ok(),
                false => hosts.receiver.try_recv().ok(),
            };
            match message {
                None => break,
                Some(Message::Progress(index, progress)) => {
                    if let Some(running) = hosts.running.get(&index) {
                        let host = &batch.hosts[index].name;
                        let event = progress_event(&running.info, host, progress);
                        self.reporter.event(&event);
                    }
                }
                Some(Message::Final(index, outcome)) => {
                    if let Some(Running { task, info }) = hosts.running.remove(&index) {
                        let host = Arc::clone(&batch.hosts[index].name);
                        self.report(batch, &task, &info, &host, &outcome);
                        let outcome = self.debugged(batch, &task, &info, &host, *outcome);
                        results.push((index, task, outcome));
                    }
                }
            }
        }
        results
    }

    /// Applies results; what hosts include at the same time they are shown to include together.
    fn take_results(
        &mut self,
        batch: &mut Batch<'_>,
        results: Vec<(usize, Arc<Task>, Outcome)>,
    ) -> Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let mut including: Vec<(Arc<Task>, Included)> = Vec::new();
        for (index, task, outcome) in results {
            self.apply(batch, &task, index, &[index], &outcome)?;
            if outcome.inclusions.is_empty() {
                continue;
            }
            let inclusions = outcome.inclusions.into_iter().map(|i| (vec![index], i));
            match including.iter_mut().find(|(known, _)| known.id == task.id) {
                Some((_, all)) => all.extend(inclusions),
                None => including.push((task, inclusions.collect())),
            }
        }
        for (task, inclusions) in including {
            self.include(batch, &task, inclusions)?;
        }
        self.refresh_active();
        Ok(())
    }
}

/// What means all hosts at once has no meaning here.
fn refuse_or_warn(task: &Task, templar: &Templar) -> Result<()> {
    if matches!(task.action.bare.as_str(), "add_host" | "pause") {
        return Err(Error::general(format!(
            "The '{}' module bypasses the host loop, which is currently not supported in the free strategy and would instead execute for every host in the inventory list.",
            task.action.name
        ))
        .at(&task.at));
    }
    let resolved = task.resolved();
    let asked = |value: &Option<crate::value::Value>| {
        let value = value.as_ref();
        value.is_some_and(|v| truth(v, templar).unwrap_or(false))
    };
    if asked(&resolved.run_once) {
        crate::notice::warning(
            "Using run_once with the free strategy is not currently supported. This task will still be executed for every host in the inventory list.",
        );
    }
    if asked(&resolved.any_errors_fatal) {
        crate::notice::warning(
            "Using any_errors_fatal with the free strategy is not supported, as tasks are executed independently on each host",
        );
    }
    Ok(())
}
