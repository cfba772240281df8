//! One task on one host: loop, condition, arguments, the module, and what its result means.

use super::sessions::{SessionPool, Target};
use crate::actions;
use crate::error::Kind;
use crate::machine::Mode;
use crate::modules;
use crate::playbook::{Condition, RoleUse, Task, boolean, included_file};
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::{Scope, Templar, lookups};
use crate::value::{Key, Map, Value};
use crate::vars::{TaskScope, World};
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a host's run of a task says before it is over.
pub enum Progress {
    Item {
        result: TaskResult,
        label: String,
        delegated: Option<String>,
        no_log: bool,
        mode: Mode,
    },
    Retry {
        result: TaskResult,
        left: u32,
        attempts: u32,
        delegated: Option<String>,
        no_log: bool,
    },
}

/// A file or role that a task includes for a host.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub what: Included,
    /// Variables for the included tasks.
    pub vars: Map,
    /// The loop item, as shown in `included: ... => (item=x)`.
    pub label: Option<String>,
    /// Keywords of `apply`, rendered.
    pub apply: Map,
    /// The file's name as the task gives it.
    pub name: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Included {
    Tasks(PathBuf),
    Role(Box<RoleUse>),
}

/// A host's result of a task, and what the run has to do with it.
pub struct Outcome {
    pub result: TaskResult,
    pub inclusions: Vec<Inclusion>,
    pub delegated: Option<String>,
    pub ignore_errors: bool,
    pub ignore_unreachable: bool,
    pub no_log: bool,
    pub mode: Mode,
    /// Rendered names of handlers to notify, if anything changed.
    pub notify: Vec<String>,
    /// Rendered `register`.
    pub register: Option<String>,
    pub delegate_facts: bool,
}

/// Everything one host needs to run one task.
pub struct TaskRun<'a> {
    pub world: &'a Arc<World>,
    pub task: &'a Task,
    pub host: &'a str,
    pub sessions: &'a SessionPool,
    pub mode: Mode,
    pub verbosity: u8,
    pub progress: &'a dyn Fn(Progress),
}

/// Settings of one evaluation: they may differ from loop item to loop item.
struct Once {
    result: TaskResult,
    inclusion: Option<Inclusion>,
    delegated: Option<String>,
    mode: Mode,
}

impl TaskRun<'_> {
    pub fn run(&self) -> Outcome {
        let scope: Arc<dyn Scope> = Arc::new(TaskScope::for_task(self.world, self.host, self.task));
        let files = Arc::new(crate::playbook::search_path(
            &self.task.frame,
            &self.world.play.dir,
        ));
        let templar = Templar::new(&self.world.engine, scope, Arc::clone(&files));
        let resolved = self.task.resolved();
        let flag = |value: &Option<Value>| match value {
            None => Ok(false),
            Some(v) => truth(v, &templar),
        };
        let mut outcome = Outcome {
            result: TaskResult::ok(),
            inclusions: Vec::new(),
            delegated: None,
            ignore_errors: false,
            ignore_unreachable: false,
            no_log: false,
            mode: self.mode,
            notify: Vec::new(),
            register: None,
            delegate_facts: false,
        };
        // a value that needs the loop's item is not known here; the task itself will say so
        outcome.no_log = flag(&resolved.no_log).unwrap_or(false);
        outcome.delegate_facts = flag(&resolved.delegate_facts).unwrap_or(false);
        outcome.register = self
            .task
            .directives
            .get("register")
            .and_then(|n| templar.render_str(&n.to_value()).ok());
        match self.attempt(&templar, &files, &mut outcome) {
            Ok(()) => {}
            Err(e) => outcome.result = self.failure(e),
        }
        match flag(&resolved.ignore_errors) {
            // an include that cannot be made fails in any case
            Ok(ignore) => outcome.ignore_errors = ignore,
            Err(e) => outcome.result = self.failure(keyword_error(e, "ignore_errors")),
        }
        outcome.ignore_unreachable = flag(&resolved.ignore_unreachable).unwrap_or(false);
        if outcome.result.is_changed() && !outcome.result.is_failed() {
            match self.notifications(&templar) {
                Ok(names) => outcome.notify = names,
                Err(e) => outcome.result = self.failure(e),
            }
        }
        outcome
    }

    fn failure(&self, error: Error) -> TaskResult {
        failure_of(error, &self.task.at)
    }

    fn notifications(&self, templar: &Templar) -> Result<Vec<String>> {
        let Some(node) = self.task.keyword("notify") else {
            return Ok(Vec::new());
        };
        let names = match templar.render(&node.to_value())? {
            Value::List(items) => items.iter().map(text_of).collect(),
            Value::Null => Vec::new(),
            other => vec![text_of(&other)],
        };
        Ok(names)
    }

    fn attempt(
        &self,
        templar: &Templar,
        files: &Arc<SearchPath>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let items = match self.items(templar) {
            Ok(items) => items,
            // a task that is not to run need not have a list to run over
            Err(e) if e.kind() == Kind::Undefined => match self.unmet(templar) {
                Ok(Some(skipped)) => {
                    outcome.result = skipped;
                    return Ok(());
                }
                _ => return Err(e),
            },
            Err(e) => return Err(e),
        };
        match items {
            None => {
                let once = self.once(templar, files)?;
                outcome.delegated = once.delegated;
                outcome.inclusions.extend(once.inclusion);
                outcome.mode = once.mode;
                outcome.result = once.result;
            }
            Some(items) => self.looped(items, templar, files, outcome)?,
        }
        Ok(())
    }

    /// The list that the task repeats over, if it does.
    fn items(&self, templar: &Templar) -> Result<Option<Vec<Value>>> {
        let Some(looping) = &self.task.looping else {
            return Ok(None);
        };
        let items = match &looping.lookup {
            Some(name) => {
                match lookups::with_lookup(name, &looping.terms, &self.task.action.bare, templar) {
                    Some(items) => items.map_err(|e| e.at(&looping.at))?,
                    None => {
                        return Err(Error::new(
                            Kind::Options,
                            format!("lookup plugin '{name}' not found"),
                        )
                        .at(&looping.at));
                    }
                }
            }
            None => {
                let value = templar
                    .render(&looping.terms)
                    .map_err(|e| e.at(&looping.at))?;
                match value {
                    Value::List(items) => items.to_vec(),
                    other => {
                        return Err(Error::new(
                            Kind::Options,
                            format!(
                                "The `loop` value must resolve to a 'list', not '{}'.",
                                other.type_name()
                            ),
                        )
                        .at(&looping.at)
                        .hint(
                            "Provide a list of items/templates, or a template resolving to a list.",
                        ));
                    }
                }
            }
        };
        Ok(Some(items))
    }

    fn looped(
        &self,
        items: Vec<Value>,
        templar: &Templar,
        files: &Arc<SearchPath>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let control = LoopControl::new(self.task, templar)?;
        if items.is_empty() {
            outcome.result = TaskResult::ok()
                .with("skipped", true)
                .with("skipped_reason", "No items in the list")
                .with("results", Value::list(Vec::new()));
            return Ok(());
        }
        if !items.is_empty() && templar.defines(&control.var) {
            crate::notice::warning(format!(
                "TASK: {}: The loop variable '{}' is already in use. You should set the `loop_var` value in the `loop_control` option for the task to something else to avoid variable collisions and unexpected behavior.",
                self.task.name().map(|n| text_of(&n)).unwrap_or_else(|| self
                    .task
                    .action
                    .name
                    .clone()),
                control.var
            ));
        }
        let total = items.len();
        let mut results: Vec<Value> = Vec::with_capacity(total);
        let (mut changed, mut failed, mut unreachable) = (false, false, false);
        let mut skipped_all = true;
        let mut carried = Map::default();
        for (index, item) in items.iter().enumerate() {
            if index > 0
                && let Some(pause) = control.pause
            {
                std::thread::sleep(pause);
            }
            let mut vars = carried.clone();
            control.item_vars(&mut vars, &items, index);
            let here = templar.with(vars.clone());
            let mut once = match self.once(&here, files) {
                Ok(once) => once,
                Err(e) => Once {
                    result: self.failure(e),
                    inclusion: None,
                    delegated: None,
                    mode: self.mode,
                },
            };
            let label = match control.label(&here, item) {
                Ok(label) => label,
                Err(e) => {
                    once.result = TaskResult::failed(format!(
                        "Failed to template loop_control.label: {}",
                        e.message()
                    ));
                    "None".into()
                }
            };
            let result = &mut once.result;
            result.set(&control.var, item.clone());
            result.set("ansible_loop_var", control.var.as_str());
            if let Some(name) = &control.index_var {
                result.set("ansible_index_var", name.as_str());
                result.set(name, index as i64);
            }
            if control.extended {
                result.set(
                    "ansible_loop",
                    vars.get("ansible_loop").cloned().unwrap_or_default(),
                );
            }
            if control.has_label {
                result.set("_ansible_item_label", label.as_str());
            }
            changed |= result.is_changed();
            failed |= result.is_failed();
            unreachable |= result.is_unreachable();
            skipped_all &= result.is_skipped();
            outcome.mode = once.mode;
            if let Some(mut inclusion) = once.inclusion {
                // included tasks see the item
                for (k, v) in &vars {
                    if !carried.contains_key(k) {
                        inclusion.vars.insert(k.clone(), v.clone());
                    }
                }
                inclusion.label = Some(label.clone());
                outcome.inclusions.push(inclusion);
            }
            outcome.delegated = once.delegated.clone().or(outcome.delegated.take());
            // what an item includes is told when it is read
            let includes = matches!(
                self.task.action.bare.as_str(),
                "include_tasks" | "include_role"
            );
            if !includes || once.result.is_failed() || once.result.is_skipped() {
                (self.progress)(Progress::Item {
                    result: once.result.clone(),
                    label,
                    delegated: once.delegated.clone(),
                    no_log: outcome.no_log,
                    mode: once.mode,
                });
            }
            // later items see what this one registered and set
            if let Some(name) = &outcome.register {
                carried.insert(Key::from(name.as_str()), once.result.to_value());
            }
            if let Some(Value::Map(facts)) = once.result.get("ansible_facts") {
                carried.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            let stop = unreachable
                || control.breaks(&templar.with({
                    let mut vars = vars;
                    vars.extend(carried.clone());
                    vars
                }))?;
            results.push(once.result.to_value());
            if stop {
                break;
            }
        }
        let mut all = TaskResult::new();
        all.set("results", Value::list(results));
        all.set("changed", changed);
        if skipped_all {
            all.set("skipped", true);
            all.set("msg", "All items skipped");
        } else if failed {
            all.set("failed", true);
            all.set("msg", "One or more items failed");
        } else {
            all.set("msg", "All items completed");
        }
        if unreachable {
            all.set("unreachable", true);
        }
        outcome.result = all;
        Ok(())
    }

    /// The skipped result if a condition does not hold.
    fn unmet(&self, templar: &Templar) -> Result<Option<TaskResult>> {
        for condition in &self.task.resolved().when {
            if !holds(condition, templar)? {
                return Ok(Some(
                    TaskResult::skipped("Conditional result was False")
                        .with("false_condition", condition.value.clone()),
                ));
            }
        }
        Ok(None)
    }

    /// The task without its loop.
    fn once(&self, templar: &Templar, files: &Arc<SearchPath>) -> Result<Once> {
        let task = self.task;
        let resolved = task.resolved();
        let mut once = Once {
            result: TaskResult::ok(),
            inclusion: None,
            delegated: None,
            mode: self.mode,
        };
        if let Some(skipped) = self.unmet(templar)? {
            once.result = skipped;
            return Ok(once);
        }
        match task.action.bare.as_str() {
            "include_tasks" => {
                once.inclusion = Some(self.include_tasks(templar, files)?);
                let file = match &once.inclusion.as_ref().map(|i| &i.what) {
                    Some(Included::Tasks(path)) => path.display().to_string(),
                    _ => String::new(),
                };
                once.result = TaskResult::ok()
                    .with("include", file)
                    .with("include_args", Map::default());
                return Ok(once);
            }
            "include_role" => {
                once.inclusion = Some(self.include_role(templar)?);
                once.result = TaskResult::ok().with("include_args", Map::default()).with(
                    "name",
                    text_of(task.action.args.get("name").unwrap_or(&Value::Null)),
                );
                return Ok(once);
            }
            _ => {}
        }
        if let Some(value) = &resolved.delegate_to {
            let name = templar.render_str(value)?;
            if name.is_empty() {
                return Err(Error::new(
                    Kind::Template,
                    "Empty hostname produced from delegate_to: \"\"",
                ));
            }
            once.delegated = Some(name);
        }
        if let Some(value) = &resolved.check_mode {
            once.mode.check = truth(value, templar).map_err(|e| keyword_error(e, "check_mode"))?;
        }
        if let Some(value) = &resolved.diff {
            once.mode.diff = truth(value, templar).map_err(|e| keyword_error(e, "diff"))?;
        }
        let environment = self.environment(templar)?;
        let args = self.arguments(templar)?;
        let target = Target::resolve(self, templar, once.delegated.as_deref())?;
        once.result = self.retried(templar, files, &args, &environment, &target, &once)?;
        Ok(once)
    }

    /// The module's result, repeated until `until` holds.
    fn retried(
        &self,
        templar: &Templar,
        files: &Arc<SearchPath>,
        args: &Map,
        environment: &[(String, String)],
        target: &Target,
        once: &Once,
    ) -> Result<TaskResult> {
        let directives = &self.task.directives;
        let until = directives.get("until").map(crate::playbook::conditions);
        let number = |name: &str, default: f64| -> Result<f64> {
            match directives.get(name) {
                None => Ok(default),
                Some(node) => {
                    let value = templar
                        .render(&node.to_value())
                        .map_err(|e| e.at(&node.at))?;
                    number_of(&value).ok_or_else(|| {
                        Error::new(
                            Kind::Template,
                            format!("the field '{name}' has an invalid value ({}), and could not be converted to a number", text_of(&value)),
                        )
                        .at(&node.at)
                    })
                }
            }
        };
        let wants_retry = until.is_some() || directives.get("retries").is_some();
        let attempts = match wants_retry {
            true => (number("retries", 3.0)? as i64).max(0) as u32 + 1,
            false => 1,
        };
        let delay = Duration::from_secs_f64(number("delay", 5.0)?.max(0.0));
        let mut attempt = 1;
        loop {
            let mut result =
                self.call(templar, files, args.clone(), environment, target, once.mode);
            if wants_retry {
                result.set("attempts", i64::from(attempt));
            }
            if result.is_unreachable() {
                return Ok(result);
            }
            self.judge(&mut result, templar)?;
            if attempts == 1 {
                if wants_retry
                    && let Some(until) = &until
                    && !self.all_hold(until, &result, templar)?
                {
                    result.set("failed", true);
                }
                return Ok(result);
            }
            let done = match &until {
                Some(until) => self.all_hold(until, &result, templar)?,
                None => !result.is_failed(),
            };
            if done {
                return Ok(result);
            }
            if attempt == attempts {
                result.set("attempts", i64::from(attempts - 1));
                if !result.is_failed() {
                    self.blame_action(&mut result);
                }
                result.set("failed", true);
                return Ok(result);
            }
            let left = attempts - attempt;
            let mut shown = result.clone();
            shown.set("retries", i64::from(attempts));
            (self.progress)(Progress::Retry {
                result: shown,
                left,
                attempts: attempt,
                delegated: once.delegated.clone(),
                no_log: self
                    .task
                    .resolved()
                    .no_log
                    .as_ref()
                    .is_some_and(|v| truth(v, templar).unwrap_or(true)),
            });
            std::thread::sleep(delay);
            attempt += 1;
        }
    }

    /// A templar that sees this result under the task's `register` name.
    fn with_result(&self, result: &TaskResult, templar: &Templar) -> Templar {
        let mut vars = Map::default();
        if let Some(Value::Map(facts)) = result.get("ansible_facts") {
            vars.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        let register = self
            .task
            .directives
            .get("register")
            .and_then(|n| n.as_str());
        if let Some(name) = register {
            vars.insert(Key::from(name), result.to_value());
        }
        templar.with(vars)
    }

    fn all_hold(
        &self,
        conditions: &[Condition],
        result: &TaskResult,
        templar: &Templar,
    ) -> Result<bool> {
        let here = self.with_result(result, templar);
        for condition in conditions {
            if !holds(condition, &here)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies `changed_when` and `failed_when`.
    fn judge(&self, result: &mut TaskResult, templar: &Templar) -> Result<()> {
        if !result.fields.contains_key("failed") {
            // a module that reports a return code other than zero has failed
            let bad = matches!(result.get("rc"), Some(Value::Int(rc)) if *rc != 0);
            if bad {
                result.set("failed", true);
            }
        }
        if !result.fields.contains_key("changed") {
            result.set("changed", false);
        }
        let directives = &self.task.directives;
        if result.is_skipped() {
            return Ok(());
        }
        if let Some(node) = directives.get("changed_when") {
            let list = crate::playbook::conditions(node);
            if !list.is_empty() {
                match self.all_hold(&list, result, templar) {
                    Ok(changed) => result.set("changed", changed),
                    Err(e) => {
                        result.set("failed", true);
                        result.set("changed_when_result", e.message());
                        self.blame_action(result);
                    }
                }
            }
        }
        if let Some(node) = directives.get("failed_when") {
            let list = crate::playbook::conditions(node);
            if !list.is_empty() {
                match self.all_hold(&list, result, templar) {
                    Ok(failed) => {
                        result.set("failed_when_result", failed);
                        if failed && !result.is_failed() {
                            self.blame_action(result);
                        }
                        result.set("failed", failed);
                    }
                    Err(e) => {
                        result.set("failed", true);
                        result.set("failed_when_result", e.message());
                        self.blame_action(result);
                    }
                }
            }
        }
        Ok(())
    }

    /// For a result that is a failure by the task's own words, not by what the module said.
    fn blame_action(&self, result: &mut TaskResult) {
        let msg = result.get("msg").map(text_of).unwrap_or_default();
        let words = match msg.is_empty() {
            true => "Task failed: Action failed.".to_string(),
            false => format!("Task failed: Action failed: {msg}"),
        };
        result.error = Some(Error::general(words).at(&self.task.at));
    }

    /// Hands the arguments to the action or module.
    fn call(
        &self,
        templar: &Templar,
        files: &Arc<SearchPath>,
        args: Map,
        environment: &[(String, String)],
        target: &Target,
        mode: Mode,
    ) -> TaskResult {
        let name = &self.task.action.bare;
        if let Some(entry) = actions::find(name) {
            let mut session = self.sessions.lazy(target);
            let mut context = actions::Context {
                host: self.host,
                templar,
                files,
                session: &mut session,
                mode,
                verbosity: self.verbosity,
                environment: environment.to_vec(),
                world: self.world,
                task: self.task,
            };
            return (entry.run)(args, &mut context);
        }
        if modules::find(name).is_none() {
            return TaskResult::failed(format!("couldn't resolve module/action '{name}'"));
        }
        let mut session = self.sessions.lazy(target);
        let request = crate::connection::Request {
            module: self.task.action.name.clone(),
            args,
            mode,
            environment: environment.to_vec(),
        };
        use crate::connection::Session;
        match session.call(request) {
            Ok(result) => result,
            Err(e) => TaskResult::unreachable(e.msg),
        }
    }

    /// The task's environment, rendered and merged.
    fn environment(&self, templar: &Templar) -> Result<Vec<(String, String)>> {
        let mut merged = Map::default();
        for value in &self.task.resolved().environment {
            match templar
                .render(value)
                .map_err(|e| keyword_error(e, "environment"))?
            {
                Value::Map(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
                Value::Null | Value::Omit => {}
                other => {
                    return Err(Error::new(
                        Kind::Template,
                        format!(
                            "environment must be a dictionary, received {} ({})",
                            text_of(&other),
                            other.type_name()
                        ),
                    ));
                }
            }
        }
        Ok(merged
            .iter()
            .map(|(k, v)| {
                let text = templar.render_str(v).unwrap_or_default();
                (k.to_string(), text)
            })
            .collect())
    }

    /// The module's arguments: defaults below, the task's own on top, all rendered.
    fn arguments(&self, templar: &Templar) -> Result<Map> {
        let action = &self.task.action;
        let mut merged = Map::default();
        for defaults in &self.task.resolved().module_defaults {
            let rendered = templar.render(defaults)?;
            for (module, values) in rendered.as_map().into_iter().flatten() {
                let matches = module.as_str().is_some_and(|m| {
                    let m = m
                        .strip_prefix("ansible.builtin.")
                        .or_else(|| m.strip_prefix("ansible.legacy."))
                        .unwrap_or(m);
                    m == action.bare
                });
                if module.as_str().is_some_and(|m| m.starts_with("group/")) {
                    return Err(Error::new(
                        Kind::Template,
                        format!("module_defaults: action groups ({module}) are not supported yet"),
                    ));
                }
                if matches {
                    merged.extend(
                        values
                            .as_map()
                            .into_iter()
                            .flatten()
                            .map(|(k, v)| (k.clone(), v.clone())),
                    );
                }
            }
        }
        if let Some(template) = &action.template {
            match templar.render(template)? {
                Value::Map(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
                Value::Null | Value::Omit => {}
                other => {
                    return Err(Error::new(
                        Kind::Template,
                        format!(
                            "the arguments of '{}' must be a dictionary, not {}",
                            action.name,
                            other.type_name()
                        ),
                    )
                    .at(&action.at));
                }
            }
        }
        for (key, value) in &action.args {
            // what these take are expressions, conditions and variables, not values
            if keeps_raw(&action.bare, key) {
                merged.insert(key.clone(), value.clone());
                continue;
            }
            let rendered = templar.render(value).map_err(|e| {
                e.within(
                    format!("Error while resolving value for '{key}'"),
                    Some(action.place_of(key)),
                )
                .within(
                    format!(
                        "Finalization of task args for '{}' failed",
                        full_name(&action.name)
                    ),
                    Some(&self.task.at),
                )
            })?;
            match rendered {
                Value::Omit => {
                    merged.shift_remove(key);
                }
                rendered => {
                    let key = match key {
                        Key::Other(k) => Key::from_value(templar.render(k)?),
                        key => key.clone(),
                    };
                    merged.insert(key, rendered);
                }
            }
        }
        Ok(merged)
    }

    fn include_tasks(&self, templar: &Templar, files: &SearchPath) -> Result<Inclusion> {
        let (file, more) = included_file(self.task)?;
        let name = templar.render_str(&file)?;
        // a file that is not there fails the host when the file is read, whatever ignore_errors says
        let path = files.find("tasks", &name).unwrap_or_else(|tried| {
            tried
                .last()
                .cloned()
                .unwrap_or_else(|| PathBuf::from(&name))
        });
        let mut vars = (*self.task.vars).clone();
        for (key, value) in more {
            vars.insert(key, templar.render(&value)?);
        }
        Ok(Inclusion {
            what: Included::Tasks(path),
            vars,
            label: None,
            apply: self.apply(templar)?,
            name: Some(name),
        })
    }

    fn include_role(&self, templar: &Templar) -> Result<Inclusion> {
        let mut task_args = Map::default();
        for (key, value) in &self.task.action.args {
            let value = match key.as_str() {
                Some("apply") => value.clone(),
                _ => templar.render(value)?,
            };
            if !matches!(value, Value::Omit) {
                task_args.insert(key.clone(), value);
            }
        }
        let mut action = self.task.action.clone();
        action.args = task_args;
        let use_ = RoleUse::from_task(&self.task.with_action(action))?;
        Ok(Inclusion {
            what: Included::Role(Box::new(use_)),
            vars: (*self.task.vars).clone(),
            label: None,
            apply: self.apply(templar)?,
            name: None,
        })
    }

    fn apply(&self, templar: &Templar) -> Result<Map> {
        let given = self
            .task
            .action
            .args
            .get("apply")
            .cloned()
            .or_else(|| self.task.directives.get("apply").map(|n| n.to_value()));
        match given {
            None => Ok(Map::default()),
            Some(value @ Value::Template(_)) => match templar.render(&value)? {
                Value::Map(map) => Ok((*map).clone()),
                _ => Err(Error::new(Kind::Template, "'apply' must be a dictionary")),
            },
            Some(Value::Map(map)) => Ok((*map).clone()),
            Some(_) => Err(Error::new(Kind::Template, "'apply' must be a dictionary")),
        }
    }
}

/// Arguments that an action renders itself, or that are expressions.
fn keeps_raw(module: &str, key: &Key) -> bool {
    let Some(key) = key.as_str() else {
        return false;
    };
    matches!(
        (module, key),
        ("assert", "that") | ("debug", "var") | ("assert", "msg" | "fail_msg" | "success_msg")
    )
}

/// What `loop_control` says, rendered as far as it does not depend on the item.
struct LoopControl {
    var: String,
    index_var: Option<String>,
    label: Value,
    has_label: bool,
    pause: Option<Duration>,
    extended: bool,
    allitems: bool,
    break_when: Vec<Condition>,
}

impl LoopControl {
    fn new(task: &Task, templar: &Templar) -> Result<LoopControl> {
        let node = task.directives.get("loop_control");
        let get = |name: &str| node.and_then(|n| n.get(name)).map(|n| n.to_value());
        let text = |name: &str| get(name).map(|v| templar.render_str(&v)).transpose();
        let flag = |name: &str, default: bool| -> Result<bool> {
            Ok(get(name)
                .map(|v| templar.render(&v))
                .transpose()?
                .and_then(|v| boolean(&v))
                .unwrap_or(default))
        };
        let pause = get("pause").map(|v| templar.render(&v)).transpose()?;
        Ok(LoopControl {
            var: text("loop_var")?.unwrap_or_else(|| "item".into()),
            index_var: text("index_var")?,
            has_label: get("label").is_some(),
            label: get("label").unwrap_or_default(),
            pause: pause
                .and_then(|v| number_of(&v))
                .filter(|s| *s > 0.0)
                .map(Duration::from_secs_f64),
            extended: flag("extended", false)?,
            allitems: flag("extended_allitems", true)?,
            break_when: node
                .and_then(|n| n.get("break_when"))
                .map(crate::playbook::conditions)
                .unwrap_or_default(),
        })
    }

    fn item_vars(&self, vars: &mut Map, items: &[Value], index: usize) {
        vars.insert(Key::from(self.var.as_str()), items[index].clone());
        vars.insert("ansible_loop_var".into(), self.var.as_str().into());
        if let Some(name) = &self.index_var {
            vars.insert(Key::from(name.as_str()), Value::Int(index as i64));
            vars.insert("ansible_index_var".into(), name.as_str().into());
        }
        if self.extended {
            let length = items.len();
            let mut info = Map::default();
            let mut put = |k: &str, v: Value| {
                info.insert(Key::from(k), v);
            };
            if self.allitems {
                put("allitems", Value::list(items.to_vec()));
            }
            put("index", Value::Int(index as i64 + 1));
            put("index0", Value::Int(index as i64));
            put("first", Value::Bool(index == 0));
            put("last", Value::Bool(index + 1 == length));
            put("length", Value::Int(length as i64));
            put("revindex", Value::Int((length - index) as i64));
            put("revindex0", Value::Int((length - index - 1) as i64));
            if index + 1 < length {
                put("nextitem", items[index + 1].clone());
            }
            if index > 0 {
                put("previtem", items[index - 1].clone());
            }
            vars.insert("ansible_loop".into(), Value::map(info));
        }
    }

    fn label(&self, templar: &Templar, item: &Value) -> Result<String> {
        match self.has_label {
            true => templar
                .render(&self.label)
                .map(|v| crate::template::python::str(&v)),
            false => Ok(crate::template::python::str(item)),
        }
    }

    fn breaks(&self, templar: &Templar) -> Result<bool> {
        for condition in &self.break_when {
            if !holds(condition, templar)? {
                return Ok(false);
            }
        }
        Ok(!self.break_when.is_empty())
    }
}

/// Whether a condition holds.
pub fn holds(condition: &Condition, templar: &Templar) -> Result<bool> {
    templar.condition(&condition.value).map_err(|e| {
        let e = e.at(&condition.at);
        match e.kind() {
            Kind::Undefined => e.within("Error while evaluating conditional", Some(&condition.at)),
            _ => e,
        }
    })
}

/// A keyword's boolean, rendered.
pub fn truth(value: &Value, templar: &Templar) -> Result<bool> {
    let rendered = templar.render(value)?;
    boolean(&rendered).ok_or_else(|| {
        Error::new(
            Kind::Template,
            format!("{} is not a boolean", text_of(&rendered)),
        )
    })
}

/// A text for showing: templates in it that cannot be rendered are replaced by words that say why.
pub fn lenient(templar: &Templar, value: &Value) -> String {
    let error = match templar.render(value) {
        Ok(value) => return crate::template::python::str(&value),
        Err(e) => e,
    };
    let Value::Template(template) = value else {
        return text_of(value);
    };
    let mut out = String::new();
    let mut rest: &str = &template.text;
    let mut count = 0;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        out.push_str(&rest[..start]);
        let part = Value::user_text(&rest[start..start + length + 2], template.at.as_ref());
        match templar.render(&part) {
            Ok(value) => out.push_str(&crate::template::python::str(&value)),
            Err(e) => {
                count += 1;
                out.push_str(&format!("<< error {count} - {} >>", e.message()));
            }
        }
        rest = &rest[start + length + 2..];
    }
    if count == 0 {
        return template.text.to_string();
    }
    let place = error
        .location()
        .map(|at| format!(" at {at}"))
        .unwrap_or_default();
    crate::notice::warning(format!(
        "Encountered {count} template error{}.\nerror 1 - {}{place}",
        if count == 1 { "" } else { "s" },
        error.message()
    ));
    out.push_str(rest);
    out
}

/// The fully qualified name of a module.
fn full_name(name: &str) -> String {
    match name.contains('.') {
        true => name.to_string(),
        false => format!("ansible.builtin.{name}"),
    }
}

/// A number as number or text.
pub fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        Value::Str(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// An error in the value of a keyword.
fn keyword_error(error: Error, keyword: &str) -> Error {
    error.context(format!("Error processing keyword '{keyword}'"))
}

/// The failed result that an error in the text of the task at `at` makes.
pub fn failure_of(error: Error, at: &crate::source::Location) -> TaskResult {
    // what is wrong with a setting is said as it is, what is wrong with a template with its task
    let error = match error.kind() {
        Kind::Options => error,
        _ => error.within("Task failed", Some(at)),
    };
    let mut result = TaskResult::failed(error.message()).with("changed", false);
    result.error = Some(error);
    result
}

/// A value as plain text in messages.
pub fn text_of(value: &Value) -> String {
    match value.as_str() {
        Some(s) => s.to_string(),
        None => value.to_json().to_string(),
    }
}
