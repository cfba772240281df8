//! The callbacks: who shows the events of a run. One prints on the screen, any number of others run beside it.
//!
//! <https://docs.ansible.com/ansible/latest/plugins/callback.html>

mod command;
pub mod default;
pub mod minimal;
pub mod oneline;

use super::screen::Screen;
use super::settings::Settings;
use super::{Event, Reporter, live};
use crate::error::did_you_mean;
use crate::{Error, Result, notice};

/// A callback's name, where Ansible has it, and how it is made.
struct Callback {
    name: &'static str,
    collection: &'static str,
    make: fn(Screen, Settings) -> Result<Box<dyn Reporter>>,
}

/// All there are.
static CALLBACKS: &[Callback] = &[
    Callback {
        name: "default",
        collection: "ansible.builtin",
        make: |screen, settings| Ok(Box::new(default::DefaultReporter::new(screen, settings))),
    },
    Callback {
        name: "minimal",
        collection: "ansible.builtin",
        make: |screen, settings| Ok(Box::new(minimal::Minimal::new(screen, settings))),
    },
    Callback {
        name: "oneline",
        collection: "ansible.builtin",
        make: |screen, settings| Ok(Box::new(oneline::Oneline::new(screen, settings))),
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

fn unknown(name: &str) -> Error {
    let known: Vec<&str> = CALLBACKS.iter().map(|callback| callback.name).collect();
    let error = Error::general(format!("Could not load '{name}' callback plugin."));
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!(
            "callbacks that rplay has: {}; it runs none that are written in Python",
            known.join(", ")
        )),
    }
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
