//! What a result does to the run: counts, variables, notified handlers, the inventory, failure.

use super::Runner;
use super::executor::Outcome;
use super::facts;
use super::play::Batch;
use super::values::text_of;
use crate::playbook::Task;
use crate::result::TaskResult;
use crate::value::{Key, Map, Text, Value};
use crate::{Error, Result};
use std::sync::Arc;

impl Runner<'_> {
    /// Applies one host's outcome; `targets` are the hosts that its variables go to (all of them for run_once).
    /// Returns whether the host failed.
    pub fn apply(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Arc<Task>,
        index: usize,
        targets: &[usize],
        outcome: &Outcome,
    ) -> Result<bool> {
        let host = Arc::clone(&batch.hosts[index].name);
        let result = &outcome.result;
        self.count(&host, outcome);
        if let Some(role) = &task.frame.role
            && !result.is_skipped()
            && !result.is_unreachable()
        {
            let ran = (Arc::clone(&host), role.key.clone());
            batch.roles_ran.insert(ran);
        }
        self.take_variables(batch, &host, targets, outcome);
        if result.is_unreachable() {
            if outcome.ignore_unreachable {
                return Ok(false);
            }
            batch.hosts[index].out = true;
            self.unreachable.insert(Arc::clone(&host));
            return Ok(true);
        }
        let failed = result.counts_as_failed() && !outcome.ignore_errors;
        if failed {
            self.fail_host(batch, index, Some((task, result)));
            return Ok(true);
        }
        for one in single_results(result) {
            self.inventory_changes(&outcome.module, &host, &one)?;
        }
        if outcome.module == "set_stats" {
            for one in single_results(result) {
                self.custom_stats(&host, &one);
            }
        }
        for name in &outcome.notify {
            self.notify(batch, task, name, index)?;
        }
        Ok(false)
    }

    fn count(&mut self, host: &str, outcome: &Outcome) {
        let stats = self.stats.entry(host.to_string()).or_default();
        let result = &outcome.result;
        if result.is_unreachable() {
            if outcome.ignore_unreachable {
                stats.ok += 1;
                stats.ignored += 1;
            } else {
                stats.unreachable += 1;
            }
        } else if result.counts_as_failed() {
            if outcome.ignore_errors {
                stats.ok += 1;
                stats.ignored += 1;
                stats.changed += u32::from(result.is_changed());
            }
            // a failure that counts is counted when it is known whether a rescue takes over
        } else if !outcome.inclusions.is_empty() {
            // counted when they are read, each
        } else if result.is_skipped() {
            stats.skipped += 1;
        } else {
            stats.ok += 1;
            stats.changed += u32::from(result.is_changed());
        }
    }

    /// Marks a host failed: it goes to its rescue, or is out of the play.
    pub fn fail_host(
        &mut self,
        batch: &mut Batch<'_>,
        index: usize,
        cause: Option<(&Task, &TaskResult)>,
    ) {
        let rescued = self.fall(batch, index, cause);
        if cause.is_some() {
            let name = batch.hosts[index].name.to_string();
            let stats = self.stats.entry(name).or_default();
            match rescued {
                true => stats.rescued += 1,
                false => stats.failures += 1,
            }
        }
    }

    /// [`Runner::fail_host`] without the counts. Returns whether a rescue takes over.
    pub(super) fn fall(
        &mut self,
        batch: &mut Batch<'_>,
        index: usize,
        cause: Option<(&Task, &TaskResult)>,
    ) -> bool {
        let name = Arc::clone(&batch.hosts[index].name);
        let rescued = batch.hosts[index].cursor.fail();
        if let Some((task, result)) = cause {
            let vars = self.world_mut().host_mut(&name);
            vars.set_var("ansible_failed_task", describe(task));
            vars.set_var("ansible_failed_result", Value::map(result.registered()));
        }
        if !rescued && batch.hosts[index].cursor.has_failed() {
            self.failed.insert(name);
        }
        if rescued {
            self.failed.remove(&batch.hosts[index].name);
        }
        rescued
    }

    /// Facts, set_fact, include_vars and register.
    fn take_variables(
        &mut self,
        batch: &Batch<'_>,
        host: &Arc<str>,
        targets: &[usize],
        outcome: &Outcome,
    ) {
        let names: Vec<Arc<str>> = targets
            .iter()
            .map(|i| Arc::clone(&batch.hosts[*i].name))
            .collect();
        for one in single_results(&outcome.result) {
            if one.is_failed() || one.is_skipped() {
                continue;
            }
            let Some(Value::Map(facts)) = one.get("ansible_facts") else {
                continue;
            };
            let receivers: Vec<Arc<str>> = match &outcome.delegated {
                Some(other) if outcome.delegate_facts => vec![Arc::from(other.as_str())],
                _ if names.contains(host) || names.len() > 1 => names.clone(),
                _ => vec![Arc::clone(host)],
            };
            for receiver in receivers {
                let data = self.world_mut().host_mut(&receiver);
                match outcome.module.as_str() {
                    "include_vars" => {
                        Arc::make_mut(&mut data.included)
                            .extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
                        continue;
                    }
                    "set_fact" => {
                        Arc::make_mut(&mut data.vars)
                            .extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
                        if !one.flag("_ansible_facts_cacheable") {
                            continue;
                        }
                        data.add_facts(facts);
                    }
                    _ => data.add_facts(facts),
                }
                if one.flag(facts::GATHERED) {
                    data.add_facts(&facts::gathered());
                }
                self.keep_facts(&receiver);
            }
        }
        if let Some(name) = &outcome.register {
            let value = clean(&outcome.result);
            for target in &names {
                self.world_mut()
                    .host_mut(target)
                    .set_var(name, value.clone());
            }
        }
    }

    /// add_host and group_by.
    fn inventory_changes(&mut self, module: &str, host: &str, result: &TaskResult) -> Result<()> {
        let text_list = |value: Option<&Value>| -> Vec<String> {
            match value {
                Some(Value::List(items)) => items.iter().map(text_of).collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(other) => vec![text_of(other)],
            }
        };
        match module {
            "add_host" => {
                let Some(Value::Map(new)) = result.get("add_host") else {
                    return Ok(());
                };
                let name = new.get("host_name").map(text_of).unwrap_or_default();
                let groups = text_list(new.get("groups"));
                let vars = match new.get("host_vars") {
                    Some(Value::Map(vars)) => (**vars).clone(),
                    _ => Map::default(),
                };
                self.inventory_mut(|inventory| inventory.add_host(&name, &groups, &vars))?;
            }
            "group_by" => {
                let Some(group) = result.get("add_group").map(text_of) else {
                    return Ok(());
                };
                let parents = text_list(result.get("parent_groups"));
                let host = host.to_string();
                self.inventory_mut(|inventory| inventory.group_by(&host, &group, &parents))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn custom_stats(&mut self, host: &str, result: &TaskResult) {
        let Some(Value::Map(stats)) = result.get("ansible_stats") else {
            return;
        };
        let per_host = stats.get("per_host").is_some_and(Value::is_truthy);
        let aggregate = stats.get("aggregate").is_none_or(Value::is_truthy);
        let Some(Value::Map(data)) = stats.get("data") else {
            return;
        };
        let owner = if per_host { host } else { "_run" };
        let mut all = match self.custom.get(owner) {
            Some(Value::Map(map)) => (**map).clone(),
            _ => Map::default(),
        };
        for (key, value) in data.iter() {
            let merged = match (all.get(key), aggregate) {
                (Some(old), true) => match add(old, value) {
                    Some(sum) => sum,
                    // values of two types are not put together: the first stays
                    None => continue,
                },
                _ => value.clone(),
            };
            all.insert(key.clone(), merged);
        }
        self.custom.insert(Key::from(owner), Value::map(all));
    }

    /// Notes that the handlers called `name`, or listening to it, are to run for the host.
    fn notify(
        &mut self,
        batch: &mut Batch<'_>,
        task: &Task,
        name: &str,
        index: usize,
    ) -> Result<()> {
        let found = self.handlers_called(&batch.handlers, task, name)?;
        match task.handler {
            // handlers run already
            true => batch.hosts[index].notified.extend(found),
            false if found.is_empty() => {}
            false => {
                batch.hosts[index].notifications.insert(name.to_string());
            }
        }
        Ok(())
    }

    /// Ids of the handlers that a notification means. An error if there are none and the
    /// configuration (error_on_missing_handler) has it so.
    pub fn handlers_called(
        &self,
        handlers: &[Arc<Task>],
        task: &Task,
        name: &str,
    ) -> Result<Vec<usize>> {
        let wanted = name.trim();
        let mut found = Vec::new();
        for handler in as_searched(handlers) {
            let own = self.handler_name(handler);
            if !own.is_empty() && is_called(handler, &own, wanted) {
                found.push(handler.id);
                break;
            }
        }
        // a role that is used several times brings its listeners several times: one of a name is enough
        let mut listeners: Vec<String> = Vec::new();
        for handler in as_searched(handlers) {
            let listens = handler
                .listen()
                .iter()
                .any(|topic| is_called(handler, &text_of(topic), wanted));
            let name = self.handler_name(handler);
            if !listens || (!name.is_empty() && listeners.contains(&name)) {
                continue;
            }
            if !found.contains(&handler.id) {
                found.push(handler.id);
            }
            listeners.push(name);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let known: Vec<String> = handlers.iter().map(|h| self.handler_name(h)).collect();
        let words = format!(
            "The requested handler '{wanted}' was not found in either the main handlers list nor in the listening handlers list"
        );
        if !self.config.error_on_missing_handler {
            crate::notice::warning(words);
            return Ok(found);
        }
        let error =
            Error::general(words).at(task.directives.get("notify").map_or(&task.at, |n| &n.at));
        Err(
            match crate::error::did_you_mean(wanted, known.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error,
            },
        )
    }

    /// A handler's name as notifications know it; nothing if it has none, or none that is known before hosts are.
    fn handler_name(&self, handler: &Task) -> String {
        match handler.name() {
            None => String::new(),
            Some(name @ Value::Template(_)) => {
                let scope = Arc::new(crate::vars::TaskScope::for_play(
                    &self.world,
                    &handler.frame,
                ));
                let templar = crate::template::Templar::new(
                    &self.world.engine,
                    scope,
                    Arc::new(crate::search::SearchPath::default()),
                );
                templar.render_str(&name).unwrap_or_else(|e| {
                    if handler.listen().is_empty() {
                        crate::notice::warning(format!(
                            "Handler '{}' is unusable: it listens to nothing, and its name cannot be rendered (variables of hosts are not known in names of handlers): {}",
                            text_of(&name),
                            e.message()
                        ));
                    }
                    String::new()
                })
            }
            Some(name) => text_of(&name),
        }
    }
}

/// The results of a loop's items, or the one result.
pub fn single_results(result: &TaskResult) -> Vec<TaskResult> {
    match result.get("results") {
        Some(Value::List(items))
            if !items.is_empty()
                && result.get("ansible_facts").is_none()
                && items.iter().all(|i| i.as_map().is_some()) =>
        {
            items
                .iter()
                .filter_map(|i| i.as_map().cloned())
                .map(TaskResult::from)
                .collect()
        }
        _ => vec![result.clone()],
    }
}

/// A result as playbooks see it: without the entries that are for rplay's own use.
///
/// As in Ansible, a loop's items keep their `invocation`, and what a condition has skipped has no `failed`.
pub fn clean(result: &TaskResult) -> Value {
    fn strip(map: &Map, more: &str) -> Map {
        map.iter()
            .filter(|(k, _)| {
                k.as_str()
                    .is_none_or(|k| !k.starts_with("_ansible_") && k != more)
            })
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }
    fn complete(fields: &mut Map) {
        let ran = ["failed", "false_condition", "include_args"]
            .iter()
            .all(|key| !fields.contains_key(*key));
        if ran {
            fields.insert("failed".into(), Value::Bool(false));
        }
    }
    let mut fields = strip(&result.registered(), "invocation");
    let items = match fields.get("results") {
        Some(Value::List(items)) => Some(items.clone()),
        _ => None,
    };
    let is_loop_item = |item: &Value| item.get("ansible_loop_var").is_some();
    let Some(items) = items else {
        complete(&mut fields);
        return Value::map(fields);
    };
    if !fields.contains_key("skipped") || !items.iter().all(is_loop_item) {
        complete(&mut fields);
    }
    let items = items.iter().map(|item| match item {
        Value::Map(m) => {
            let mut m = strip(m, "");
            if m.contains_key("ansible_loop_var") {
                complete(&mut m);
            } else {
                m.shift_remove("invocation");
            }
            Value::map(m)
        }
        other => other.clone(),
    });
    let items = Value::list(items.collect());
    fields.insert("results".into(), items);
    Value::map(fields)
}

/// `ansible_failed_task`: what rescue sections ask of the task that failed.
fn describe(task: &Task) -> Value {
    let mut map = Map::default();
    map.insert(
        "name".into(),
        task.name()
            .map_or(Value::str(""), |n| Value::str(text_of(&n))),
    );
    map.insert("action".into(), Value::str(&task.action.name));
    let args = task
        .action
        .args
        .iter()
        .map(|(k, v)| {
            (
                k.clone(),
                match v {
                    Value::Template(t) => Value::Str(Text::trusted(Arc::clone(&t.text))),
                    other => other.clone(),
                },
            )
        })
        .collect::<Map>();
    map.insert("args".into(), Value::map(args));
    Value::map(map)
}

/// Whether a notification means this name (or topic) of a handler. The role may stand before it, with its collection or
/// without.
fn is_called(handler: &Task, own: &str, wanted: &str) -> bool {
    let within = |role: &str| {
        let rest = wanted
            .strip_prefix(role)
            .and_then(|w| w.strip_prefix(" : "));
        rest == Some(own)
    };
    let role = handler.role_name();
    wanted == own
        || role.is_some_and(|role| within(role) || role.rsplit('.').next().is_some_and(within))
}

/// Handlers as a notification meets them: those that were read last come first, so that the play's own win over
/// those of its roles; of those that stand together in a file the first comes first.
fn as_searched(handlers: &[Arc<Task>]) -> impl Iterator<Item = &Arc<Task>> {
    let together = |a: &Arc<Task>, b: &Arc<Task>| Arc::ptr_eq(&a.frame, &b.frame);
    handlers.chunk_by(together).rev().flatten()
}

/// set_stats with aggregate: numbers add up, lists and dictionaries join, text is put together. None if the
/// values are of two types.
fn add(old: &Value, new: &Value) -> Option<Value> {
    Some(match (old, new) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b)?),
        (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
        (Value::List(a), Value::List(b)) => {
            Value::list(a.iter().chain(b.iter()).cloned().collect())
        }
        (Value::Map(a), Value::Map(b)) => {
            let mut all = (**a).clone();
            for (key, value) in b.iter() {
                let inner = match (all.get(key), value) {
                    (Some(old @ Value::Map(_)), Value::Map(_)) => add(old, value)?,
                    _ => value.clone(),
                };
                all.insert(key.clone(), inner);
            }
            Value::map(all)
        }
        (Value::Bool(a), Value::Bool(b)) => Value::Int(i64::from(*a) + i64::from(*b)),
        (Value::Str(a), Value::Str(b)) => Value::str(format!("{a}{b}")),
        _ => return None,
    })
}
