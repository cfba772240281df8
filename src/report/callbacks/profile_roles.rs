//! The callback `profile_roles`: how long roles took, and the modules of tasks that are in none.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/posix/profile_roles_callback.html>

use super::profile::{Clock, filled, line};
use crate::report::screen::{Screen, Stream};
use crate::report::settings::Settings;
use crate::report::{Event, Reporter};
use indexmap::IndexMap;
use std::time::{Duration, Instant};

/// Measures roles.
pub struct ProfileRoles {
    screen: Screen,
    clock: Clock,
    summary_only: bool,
    times: IndexMap<String, Duration>,
    /// What runs, and since when.
    current: Option<(String, Instant)>,
}

impl ProfileRoles {
    pub fn new(screen: Screen, settings: &Settings) -> ProfileRoles {
        ProfileRoles {
            screen,
            clock: Clock::start(),
            summary_only: settings.profile_roles_summary_only,
            times: IndexMap::new(),
            current: None,
        }
    }

    fn stop(&mut self) {
        if let Some((name, since)) = self.current.take() {
            *self.times.entry(name).or_default() += since.elapsed();
        }
    }
}

impl Reporter for ProfileRoles {
    fn event(&mut self, event: &Event) {
        match event {
            Event::TaskStart(task) => {
                if !self.summary_only {
                    self.clock.print(&self.screen);
                }
                self.stop();
                let name = task.role.as_ref().unwrap_or(&task.action);
                self.current = Some((name.clone(), Instant::now()));
            }
            Event::Stats { .. } => {
                self.screen.banner("ROLES RECAP");
                self.clock.print(&self.screen);
                let say = |text: &str| self.screen.print(Stream::Out, text, None);
                say(&filled("", '='));
                self.stop();
                let say = |text: &str| self.screen.print(Stream::Out, text, None);
                let mut times: Vec<(&String, &Duration)> = self.times.iter().collect();
                times.sort_by_key(|(_, time)| std::cmp::Reverse(**time));
                for (name, time) in &times {
                    say(&line(name, **time));
                }
                say(&filled("", '~'));
                say(&line("total", times.iter().map(|(_, time)| **time).sum()));
            }
            _ => {}
        }
    }
}
