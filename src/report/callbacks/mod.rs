//! The callbacks: who shows the events of a run. One prints on the screen, any number of others run beside it.
//!
//! <https://docs.ansible.com/ansible/latest/plugins/callback.html>

mod by_host;
mod command;
pub mod default;
pub mod json;
pub mod junit;
pub mod minimal;
pub mod oneline;
mod profile;
pub mod profile_roles;
pub mod profile_tasks;
pub mod timer;
pub mod tree;

use super::screen::Screen;
use super::settings::Settings;
use super::{Event, Reporter, live};
use crate::config::Config;
use crate::error::did_you_mean;
use crate::{Error, Result, notice};

/// A callback's name, where Ansible has it, and how it is made.
struct Callback {
    name: &'static str,
    collection: &'static str,
    place: Place,
    make: fn(Screen, Settings) -> Result<Box<dyn Reporter>>,
}

/// What a callback is made for. Any can be on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The screen.
    Screen,
    /// Beside the one on the screen.
    Beside,
}

/// All there are.
static CALLBACKS: &[Callback] = &[
    Callback {
        name: "default",
        collection: "ansible.builtin",
        place: Place::Screen,
        make: |screen, settings| Ok(Box::new(default::DefaultReporter::new(screen, settings))),
    },
    Callback {
        name: "minimal",
        collection: "ansible.builtin",
        place: Place::Screen,
        make: |screen, settings| Ok(Box::new(minimal::Minimal::new(screen, settings))),
    },
    Callback {
        name: "oneline",
        collection: "ansible.builtin",
        place: Place::Screen,
        make: |screen, settings| Ok(Box::new(oneline::Oneline::new(screen, settings))),
    },
    Callback {
        name: "junit",
        collection: "ansible.builtin",
        place: Place::Beside,
        make: |screen, settings| Ok(Box::new(junit::Junit::new(screen, settings))),
    },
    Callback {
        name: "tree",
        collection: "ansible.builtin",
        place: Place::Beside,
        make: |screen, settings| Ok(Box::new(tree::Tree::new(screen, settings))),
    },
    Callback {
        name: "json",
        collection: "ansible.posix",
        place: Place::Screen,
        make: |screen, settings| Ok(Box::new(json::Json::new(screen, &settings))),
    },
    Callback {
        name: "profile_roles",
        collection: "ansible.posix",
        place: Place::Beside,
        make: |screen, settings| {
            Ok(Box::new(profile_roles::ProfileRoles::new(
                screen, &settings,
            )))
        },
    },
    Callback {
        name: "profile_tasks",
        collection: "ansible.posix",
        place: Place::Beside,
        make: |screen, settings| {
            Ok(Box::new(profile_tasks::ProfileTasks::new(
                screen, &settings,
            )?))
        },
    },
    Callback {
        name: "timer",
        collection: "ansible.posix",
        place: Place::Beside,
        make: |screen, _| Ok(Box::new(timer::Timer::new(screen))),
    },
];

/// The callback of this name, bare or with its collection.
fn find(name: &str) -> Option<&'static Callback> {
    CALLBACKS.iter().find(|callback| {
        let bare = match name.strip_suffix(callback.name) {
            Some("") => return true,
            Some(rest) => rest.strip_suffix('.'),
            None => None,
        };
        match (bare, callback.collection) {
            (Some("ansible.legacy"), "ansible.builtin") => true,
            (bare, collection) => bare == Some(collection),
        }
    })
}

/// The names of all callbacks, for the list of what there is.
pub fn names() -> impl Iterator<Item = String> {
    CALLBACKS
        .iter()
        .map(|callback| format!("{}.{}", callback.collection, callback.name))
}

/// The callback for the screen, by its name (`stdout_callback`).
///
/// Fails if there is none of that name.
pub fn on_screen(name: &str, screen: &Screen, settings: &Settings) -> Result<Box<dyn Reporter>> {
    match find(name) {
        Some(callback) => (callback.make)(screen.clone(), settings.clone()),
        None => Err(unknown(name)),
    }
}

/// The callbacks beside the one on the screen (`callbacks_enabled`), in the order of their names there.
///
/// As with Ansible, one that cannot be had is warned about.
pub fn beside(names: &[String], screen: &Screen, settings: &Settings) -> Vec<Box<dyn Reporter>> {
    let mut made: Vec<(&'static str, Box<dyn Reporter>)> = Vec::new();
    for name in names {
        let Some(callback) = find(name) else {
            let why = match unknown(name).hint_text() {
                Some(hint) => format!("; {hint}"),
                None => String::new(),
            };
            notice::warning(format!(
                "Skipping callback plugin '{name}', unable to load{why}"
            ));
            continue;
        };
        if callback.place == Place::Screen {
            notice::verbose(
                2,
                format!("Skipping callback '{name}', as we already have a stdout callback."),
            );
        } else if !made.iter().any(|(known, _)| *known == callback.name) {
            match (callback.make)(screen.clone(), settings.clone()) {
                Ok(reporter) => made.push((callback.name, reporter)),
                Err(e) => notice::warning(format!(
                    "Failed to load callback plugin '{name}': {}",
                    e.message()
                )),
            }
        }
    }
    made.into_iter().map(|(_, reporter)| reporter).collect()
}

/// The callback on the screen and those beside it, as ansible.cfg and the environment name them.
///
/// Fails as [`on_screen`] does.
pub fn configured(
    config: &Config,
    screen: &Screen,
    settings: &Settings,
) -> Result<Box<dyn Reporter>> {
    let on_screen = on_screen(&config.stdout_callback, screen, settings)?;
    if !config.callbacks_whitelist.is_empty() {
        notice::deprecated(
            "callback_whitelist was renamed: use callbacks_enabled (ANSIBLE_CALLBACKS_ENABLED). ansible-core 2.15 and newer ignore it.",
        );
    }
    let names = match config.callbacks_enabled.is_empty() {
        true => &config.callbacks_whitelist,
        false => &config.callbacks_enabled,
    };
    let others = beside(names, screen, settings);
    Ok(match others.is_empty() {
        true => on_screen,
        false => Box::new(Callbacks::new(on_screen, others)),
    })
}

fn unknown(name: &str) -> Error {
    let known: Vec<&str> = CALLBACKS.iter().map(|callback| callback.name).collect();
    let error = Error::general(format!("Could not load '{name}' callback plugin."));
    if let Some(hint) = of_collections(name) {
        return error.hint(hint);
    }
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!(
            "callbacks that rplay has: {}; it runs none that are written in Python",
            known.join(", ")
        )),
    }
}

/// What is said of callbacks that Ansible's collections have, and rplay has not.
fn of_collections(name: &str) -> Option<String> {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let instead = match bare {
        "debug" => {
            "`stdout_callback = default` with `callback_result_format = yaml` shows lines as lines"
        }
        "yaml" => {
            "community.general 12 dropped it; set `callback_result_format = yaml` with `stdout_callback = default`"
        }
        "dense" | "diy" | "selective" | "unixy" => "use `default`, `minimal` or `oneline`",
        _ => return None,
    };
    Some(format!("there is no callback {bare}: {instead}"))
}

/// Says that ansible-core is going to drop a callback.
fn deprecated(name: &str) {
    notice::deprecated(format!(
        "The {name} callback plugin is deprecated. This feature will be removed from ansible-core version 2.23."
    ));
}

/// Several callbacks side by side: the one on the screen comes first.
pub struct Callbacks {
    screen: Box<dyn Reporter>,
    others: Vec<Box<dyn Reporter>>,
}

impl Callbacks {
    pub fn new(screen: Box<dyn Reporter>, others: Vec<Box<dyn Reporter>>) -> Callbacks {
        Callbacks { screen, others }
    }
}

impl Reporter for Callbacks {
    fn event(&mut self, event: &Event) {
        self.screen.event(event);
        for other in &mut self.others {
            other.event(event);
        }
    }

    fn live(&self) -> Option<live::Live> {
        self.screen.live()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bare_or_with_their_collection() {
        for (name, found) in [
            ("minimal", Some("minimal")),
            ("ansible.builtin.minimal", Some("minimal")),
            ("ansible.legacy.oneline", Some("oneline")),
            ("ansible.posix.minimal", None),
            ("xminimal", None),
            ("", None),
        ] {
            assert_eq!(find(name).map(|c| c.name), found, "{name}");
        }
        assert_eq!(
            unknown("minimul").hint_text(),
            Some("did you mean minimal?")
        );
    }
}
