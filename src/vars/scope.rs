//! The variables that one task on one host sees, by precedence.
//!
//! The order is that of
//! <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence>.

use super::files::combine;
use super::magic;
use super::world::World;
use crate::playbook::{Frame, Task};
use crate::template::Scope;
use crate::value::{Key, Map, Value};
use std::sync::Arc;

/// Plain layers, the strongest first.
pub struct Layers {
    layers: Vec<Arc<Map>>,
}

impl Layers {
    pub fn new(layers: Vec<Arc<Map>>) -> Layers {
        Layers { layers }
    }
}

impl Scope for Layers {
    fn get(&self, name: &str) -> Option<Value> {
        self.layers.iter().find_map(|l| l.get(name).cloned())
    }
    fn names(&self) -> Vec<Arc<str>> {
        names_of(&self.layers)
    }
}

fn names_of(layers: &[Arc<Map>]) -> Vec<Arc<str>> {
    let mut out: indexmap::IndexSet<Arc<str>> = indexmap::IndexSet::new();
    for layer in layers {
        for key in layer.keys() {
            if let Key::Str(name) = key {
                out.insert(Arc::clone(name));
            }
        }
    }
    out.into_iter().collect()
}

/// The variables of a task on a host.
pub struct TaskScope {
    world: Arc<World>,
    host: Arc<str>,
    frame: Option<Arc<Frame>>,
    /// Strongest first; facts are among them at their place.
    layers: Vec<Arc<Map>>,
    /// The keyword `connection` of the task, under which there is no variable of that name.
    connection: Option<Value>,
}

impl TaskScope {
    /// What `task` sees on `host`.
    pub fn for_task(world: &Arc<World>, host: &str, task: &Task) -> TaskScope {
        TaskScope::build(world, host, Some(&task.frame), Some(task))
    }

    /// What a play's keywords see: no task, no host of their own.
    pub fn for_play(world: &Arc<World>, frame: &Arc<Frame>) -> TaskScope {
        TaskScope::build(world, "localhost", Some(frame), None)
    }

    /// What a play's keywords see for one host.
    pub fn for_host_in_play(world: &Arc<World>, host: &str, frame: &Arc<Frame>) -> TaskScope {
        TaskScope::build(world, host, Some(frame), None)
    }

    /// What `hostvars` shows of a host: nothing of the play.
    pub fn for_host(world: &Arc<World>, host: &str) -> TaskScope {
        TaskScope::build(world, host, None, None)
    }

    fn build(
        world: &Arc<World>,
        host: &str,
        frame: Option<&Arc<Frame>>,
        task: Option<&Task>,
    ) -> TaskScope {
        let data = world.host(host);
        let mut layers: Vec<Arc<Map>> = Vec::with_capacity(24);
        let mut push = |layer: &Arc<Map>| {
            if !layer.is_empty() {
                layers.push(Arc::clone(layer));
            }
        };
        push(&world.run.extra_vars);
        if let Some(task) = task {
            push(&task.resolved().include_params);
        }
        if let Some(frame) = frame {
            push(&frame.role_params);
        }
        if let Some(data) = data {
            push(&data.vars);
            push(&data.included);
        }
        if let Some(task) = task {
            push(&task.resolved().vars);
        }
        if let Some(frame) = frame {
            let own = frame.roles();
            for role in own.iter().chain(world.play.roles.iter().rev()) {
                role.family().iter().for_each(|r| push(&r.vars));
            }
            if let Some(files) = data.and_then(|d| d.vars_files.as_ref()) {
                push(files);
            }
            push(&world.play.vars_files);
            push(&world.play.vars);
        }
        if let Some(data) = data
            && world.run.inject_facts
        {
            push(&data.facts);
        }
        // what cannot be read has ended the play before its first task
        if let Ok(inventory) = world.view.layers(host, &world.play.dir) {
            inventory.iter().rev().for_each(&mut push);
        }
        if let Some(frame) = frame {
            for role in frame.roles().iter().chain(world.play.roles.iter().rev()) {
                role.family().iter().for_each(|r| push(&r.defaults));
            }
        }
        push(&world.run.cli_vars);
        TaskScope {
            world: Arc::clone(world),
            host: Arc::from(host),
            frame: frame.cloned(),
            layers,
            connection: task.and_then(|t| t.resolved().connection.clone()),
        }
    }

    /// What the variables of a connection are for a task where nothing sets them.
    fn of_connection(&self, name: &str) -> Option<Value> {
        self.frame.as_ref()?;
        let implicit = || {
            let inventory = self.world.inventory();
            crate::inventory::LOCALHOST.contains(&&*self.host)
                && inventory.host(&self.host).is_none_or(|h| h.implicit)
        };
        let defaults = &self.world.run.connections;
        match name {
            "ansible_host" if implicit() => Some("127.0.0.1".into()),
            "ansible_host" => Some(Value::from(Arc::clone(&self.host))),
            "ansible_connection" => Some(match &self.connection {
                Some(keyword) => keyword.clone(),
                None if implicit() => "local".into(),
                None => Value::str(&defaults.connection),
            }),
            _ => None,
        }
    }
}

impl Scope for TaskScope {
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = magic::get(&self.world, &self.host, self.frame.as_ref(), name) {
            return Some(value);
        }
        let mut found: Option<Value> = None;
        for layer in &self.layers {
            let Some(value) = layer.get(name) else {
                continue;
            };
            if !self.world.run.merge_hashes {
                return Some(value.clone());
            }
            found = match (found, value) {
                (None, value) => Some(value.clone()),
                (Some(Value::Map(strong)), Value::Map(weak)) => {
                    Some(Value::map(merge(weak, &strong)))
                }
                (strong, _) => return strong,
            };
        }
        found.or_else(|| self.of_connection(name))
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = names_of(&self.layers);
        let (world, frame) = (&self.world, self.frame.as_ref());
        // `hostvars` shows hosts without itself: it would have no end
        let shown = |name: &&str| {
            *name != "omit"
                && (*name != "hostvars" || frame.is_some())
                && magic::get(world, &self.host, frame, name).is_some()
        };
        names.extend(magic::NAMES.iter().copied().filter(shown).map(Arc::from));
        names
    }
}

/// hash_behaviour = merge: entries of `strong` over those of `weak`, dictionaries within likewise.
fn merge(weak: &Map, strong: &Map) -> Map {
    let mut out = weak.clone();
    for (key, value) in strong {
        combine(&mut out, key.clone(), value.clone(), true);
    }
    out
}
