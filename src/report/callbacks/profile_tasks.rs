//! The callback `profile_tasks`: when each task began, and at the end which took longest.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/posix/profile_tasks_callback.html>

use super::profile::{Clock, filled, line, rest};
use crate::report::screen::{Screen, Stream};
use crate::report::settings::Settings;
use crate::report::{Event, Reporter, TaskInfo, failure};
use crate::{Error, Result};
use indexmap::IndexMap;
use std::time::{Duration, Instant};

/// Measures tasks.
pub struct ProfileTasks {
    screen: Screen,
    clock: Clock,
    verbosity: u8,
    summary_only: bool,
    order: Order,
    limit: Limit,
    tasks: IndexMap<u64, Measured>,
    /// The task that runs, and since when.
    current: Option<(u64, Instant)>,
}

struct Measured {
    name: String,
    path: Option<String>,
    time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Descending,
    Ascending,
    AsRun,
}

/// How many tasks are shown, as Python counts: a negative number leaves that many out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    All,
    Number(i64),
}

impl Limit {
    fn of(self, count: usize) -> usize {
        match self {
            Limit::All => count,
            Limit::Number(n) if n < 0 => {
                count.saturating_sub(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX))
            }
            Limit::Number(n) => count.min(usize::try_from(n).unwrap_or(usize::MAX)),
        }
    }
}

impl ProfileTasks {
    /// Fails if an option has a value that it cannot have.
    pub fn new(screen: Screen, settings: &Settings) -> Result<ProfileTasks> {
        let options = &settings.profile_tasks;
        let order = match options.sort_order.as_str() {
            "descending" => Order::Descending,
            "ascending" => Order::Ascending,
            "none" => Order::AsRun,
            other => {
                return Err(Error::general(format!(
                    "Invalid value '{other}' for sort_order. Valid values are: descending, ascending, none"
                )));
            }
        };
        let limit = match options.output_limit.as_str() {
            "all" => Limit::All,
            number => Limit::Number(number.trim().parse().map_err(|_| {
                Error::general(format!(
                    "Invalid value '{number}' for task_output_limit: it must be a whole number, or all"
                ))
            })?),
        };
        Ok(ProfileTasks {
            screen,
            clock: Clock::start(),
            verbosity: settings.verbosity,
            summary_only: options.summary_only,
            order,
            limit,
            tasks: IndexMap::new(),
            current: None,
        })
    }

    /// Takes the time of the task that ran until now.
    fn stop(&mut self) {
        if let Some((id, since)) = self.current.take()
            && let Some(task) = self.tasks.get_mut(&id)
        {
            task.time += since.elapsed();
        }
    }

    fn begin(&mut self, task: &TaskInfo) {
        if !self.summary_only {
            self.clock.print(&self.screen);
        }
        self.stop();
        self.tasks.entry(task.id).or_insert_with(|| Measured {
            name: task.name.clone(),
            path: task
                .at
                .as_ref()
                .map(|at| format!("{}:{}", failure::absolute(&at.source.name), at.line)),
            time: Duration::ZERO,
        });
        self.current = Some((task.id, Instant::now()));
    }

    fn recap(&mut self) {
        self.screen.banner("TASKS RECAP");
        self.clock.print(&self.screen);
        self.screen.print(Stream::Out, &filled("", '='), None);
        self.stop();
        let mut tasks: Vec<&Measured> = self.tasks.values().collect();
        match self.order {
            Order::Descending => tasks.sort_by_key(|task| std::cmp::Reverse(task.time)),
            Order::Ascending => tasks.sort_by_key(|task| task.time),
            Order::AsRun => {}
        }
        for task in tasks.iter().take(self.limit.of(tasks.len())) {
            let mut text = line(&task.name, task.time);
            if let Some(path) = task.path.as_ref().filter(|_| self.verbosity >= 2) {
                text.push('\n');
                text.push_str(&rest(path));
            }
            self.screen.print(Stream::Out, &text, None);
        }
    }
}

impl Reporter for ProfileTasks {
    fn event(&mut self, event: &Event) {
        match event {
            Event::TaskStart(task) => self.begin(task),
            Event::Stats { .. } => self.recap(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_as_python_does() {
        for (limit, count, shown) in [
            (Limit::All, 30, 30),
            (Limit::Number(20), 30, 20),
            (Limit::Number(20), 3, 3),
            (Limit::Number(0), 3, 0),
            (Limit::Number(-1), 3, 2),
            (Limit::Number(-5), 3, 0),
        ] {
            assert_eq!(limit.of(count), shown, "{limit:?} of {count}");
        }
    }
}
