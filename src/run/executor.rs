//! One task on one host: condition, module, and what its result means.

use super::background::Told;
use super::debugger::{DebuggerWhen, Edits};
use super::inclusion::Inclusion;
use super::sessions::SessionPool;
use super::target;
use super::values::{failure_of, holds, text_of};
use crate::actions;
use crate::connection::{Lines, Target};
use crate::error::Kind;
use crate::machine::Mode;
use crate::modules;
use crate::notice::{self, Level};
use crate::playbook::Task;
use crate::report::live::Live;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::{Scope, Templar};
use crate::value::{Dynamic, Key, Map, Value};
use crate::vars::{TaskScope, World};
use crate::{Error, Result};
use std::sync::Arc;

/// What a host's run of a task says before it is over.
pub enum Progress {
    Item {
        result: TaskResult,
        label: String,
        delegated: Option<String>,
        no_log: bool,
        mode: Mode,
    },
    /// A job that the task waits for.
    Async { job: String, told: Told },
    Retry {
        result: TaskResult,
        left: u32,
        attempts: u32,
        delegated: Option<String>,
        no_log: bool,
    },
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
    /// The bare name of the module that ran.
    pub module: String,
    /// What the task's `debugger` says, valid values only.
    pub debugger: Option<DebuggerWhen>,
}

impl Outcome {
    /// A result that asks nothing of the run.
    pub(super) fn of(result: TaskResult, mode: Mode) -> Outcome {
        Outcome {
            result,
            inclusions: Vec::new(),
            delegated: None,
            ignore_errors: false,
            ignore_unreachable: false,
            no_log: false,
            mode,
            notify: Vec::new(),
            register: None,
            delegate_facts: false,
            module: String::new(),
            debugger: None,
        }
    }
}

/// Everything one host needs to run one task.
pub struct TaskRun<'a> {
    pub world: &'a Arc<World>,
    pub task: &'a Task,
    pub host: &'a str,
    pub sessions: &'a SessionPool,
    pub mode: Mode,
    pub verbosity: u8,
    /// Takes the lines of commands while they run.
    pub live: Option<&'a Live>,
    pub progress: &'a dyn Fn(Progress),
    /// What the debugger has changed of the task's variables.
    pub edits: Option<&'a Arc<Edits>>,
}

/// A failed result has the key `exception`, as in Ansible, which keeps tracebacks where it is so configured.
pub(super) fn note_exception(result: &mut TaskResult) {
    let of_loop = result.get("results").is_some() && result.error.is_none();
    let failed = result.is_failed() && !of_loop;
    if failed && result.get("exception").is_none() {
        result.set("exception", "(traceback unavailable)");
    }
}

/// The variables of the host that a task is delegated to: all of them its own, but the name of the task's host.
#[derive(Debug)]
struct OfDelegate {
    vars: Value,
    host: Arc<str>,
}

impl Dynamic for OfDelegate {
    fn get(&self, key: &str) -> Result<Option<Value>> {
        match (&self.vars, key) {
            (_, "inventory_hostname") => Ok(Some(Value::from(Arc::clone(&self.host)))),
            (Value::Dynamic(vars), _) => vars.get(key),
            _ => Ok(None),
        }
    }
    fn keys(&self) -> Vec<Arc<str>> {
        match &self.vars {
            Value::Dynamic(vars) => vars.keys(),
            _ => Vec::new(),
        }
    }
}

/// A keyword's value as the user wrote it.
fn written(value: &Value) -> String {
    match value {
        Value::Template(template) => template.text.to_string(),
        other => text_of(other),
    }
}

/// The modules whose commands are the user's own: their lines are shown while they run.
const LIVE: &[&str] = &["command", "raw", "script", "shell"];

/// Puts the warnings and deprecations that a task met into its result, from where they are shown and can be asked for.
fn keep_notices(said: Vec<(Level, String)>, no_log: bool, result: &mut TaskResult) {
    for (level, text) in said {
        let (key, value) = match level {
            // the report shows nothing of a result that is hidden
            _ if no_log => {
                notice::say(level, text);
                continue;
            }
            Level::Warning => ("warnings", Value::from(text)),
            Level::Deprecated => {
                let words = [(Key::from("msg"), Value::from(text))];
                ("deprecations", Value::map(words.into_iter().collect()))
            }
            Level::Verbose(_) | Level::Debug => {
                notice::say(level, text);
                continue;
            }
        };
        let mut all = match result.get(key) {
            Some(Value::List(items)) => items.to_vec(),
            _ => Vec::new(),
        };
        all.push(value);
        result.set(key, Value::list(all));
    }
}

/// Settings of one evaluation: they may differ from loop item to loop item.
pub(super) struct Once {
    pub(super) result: TaskResult,
    pub(super) inclusion: Option<Inclusion>,
    pub(super) delegated: Option<String>,
    pub(super) mode: Mode,
}

impl TaskRun<'_> {
    pub fn run(&self) -> Outcome {
        notice::debug(|| format!("running {} for {}", self.task.action.name, self.host));
        let scope: Arc<dyn Scope> = Arc::new(TaskScope::for_task(self.world, self.host, self.task));
        let scope = match self.edits {
            Some(edits) => edits.over(scope),
            None => scope,
        };
        let files = Arc::new(crate::playbook::search_path(
            &self.task.frame,
            &self.world.play.dir,
        ));
        let templar = Templar::new(&self.world.engine, scope, Arc::clone(&files));
        let action = &self.task.action;
        let unknown = action.foreign.is_none() && !super::is_known_module(&action.name);
        if action.is_templated() || unknown {
            return match self.with_module(&templar) {
                Ok(task) => TaskRun {
                    task: &task,
                    ..*self
                }
                .run(),
                Err(e) => Outcome {
                    ignore_errors: self.flag("ignore_errors", &templar).ok().flatten()
                        == Some(true),
                    ..Outcome::of(self.failure(e), self.mode)
                },
            };
        }
        let flag = |name| self.flag(name, &templar).map(Option::unwrap_or_default);
        let mut outcome = Outcome {
            module: self.task.action.bare.clone(),
            ..Outcome::of(TaskResult::ok(), self.mode)
        };
        // a value that needs the loop's item is not known here; the task itself will say so
        outcome.no_log = match self.flag("no_log", &templar) {
            Ok(no_log) => no_log.unwrap_or(self.world.run.no_log),
            Err(_) => false,
        };
        outcome.delegate_facts = flag("delegate_facts").unwrap_or(false);
        outcome.register = self
            .task
            .directives
            .get("register")
            .and_then(|n| templar.render_str(&n.to_value()).ok());
        let (attempt, said) = crate::notice::capture(|| {
            self.debugger_when(&templar).and_then(|when| {
                outcome.debugger = when;
                self.attempt(&templar, &files, &mut outcome)
            })
        });
        match attempt {
            Ok(()) => {}
            Err(e) => outcome.result = self.failure(e),
        }
        keep_notices(said, outcome.no_log, &mut outcome.result);
        match flag("ignore_errors") {
            // an include that cannot be made fails in any case
            Ok(ignore) => outcome.ignore_errors = ignore,
            Err(e) => {
                // what cannot be understood is no empty text
                outcome.ignore_errors = true;
                outcome.result = self.failure(e);
            }
        }
        note_exception(&mut outcome.result);
        outcome.ignore_unreachable = flag("ignore_unreachable").unwrap_or(false);
        if outcome.result.is_changed() && !outcome.result.counts_as_failed() {
            match self.notifications(&templar) {
                Ok(names) => outcome.notify = names,
                Err(e) => outcome.result = self.failure(e),
            }
        }
        outcome
    }

    /// The task with the module that its template names.
    fn with_module(&self, templar: &Templar) -> Result<Task> {
        let mut action = self.task.action.clone();
        let name = Value::user_text(&action.name, Some(&action.at));
        action.name = templar.render_str(&name)?.trim().to_string();
        action.bare = crate::playbook::bare(&action.name).to_string();
        if super::is_known_module(&action.name) {
            return Ok(self.task.with_action(action));
        }
        let words = format!("Cannot resolve '{}' to an action or module.", action.name);
        Err(Error::new(Kind::Template, words).at(&action.at))
    }

    pub(super) fn failure(&self, error: Error) -> TaskResult {
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

    pub(super) fn attempt(
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
                if outcome.result.get("changed").is_none() {
                    outcome.result.set("changed", false);
                }
            }
            Some(items) => self.looped(items, templar, files, outcome)?,
        }
        Ok(())
    }

    /// The skipped result if a condition does not hold.
    pub(super) fn unmet(&self, templar: &Templar) -> Result<Option<TaskResult>> {
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
    pub(super) fn once(&self, templar: &Templar, files: &Arc<SearchPath>) -> Result<Once> {
        let task = self.task;
        let mut once = Once {
            result: TaskResult::ok(),
            inclusion: None,
            delegated: None,
            mode: self.mode,
        };
        once.delegated = match self.delegate(templar) {
            Ok(name) => name,
            Err(e) => {
                // as Ansible shows it: under what is written
                once.delegated = self.task.resolved().delegate_to.as_ref().map(written);
                once.result = self.failure(e);
                return Ok(once);
            }
        };
        let of_delegate;
        let templar = match &once.delegated {
            Some(name) => {
                of_delegate = templar.with(self.delegated_vars(name)?);
                &of_delegate
            }
            None => templar,
        };
        if let Some(skipped) = self.unmet(templar)? {
            once.result = skipped;
            return Ok(once);
        }
        match task.action.bare.as_str() {
            "include_tasks" => {
                let inclusion = self.include_tasks(templar, files)?;
                once.result = inclusion.result();
                once.inclusion = Some(inclusion);
                return Ok(once);
            }
            "include_role" => {
                let inclusion = self.include_role(templar)?;
                once.result = inclusion.result();
                once.inclusion = Some(inclusion);
                return Ok(once);
            }
            _ => {}
        }
        self.check_keywords(templar)?;
        if let Some(check) = self.flag("check_mode", templar)? {
            once.mode.check = check;
        }
        if let Some(diff) = self.flag("diff", templar)? {
            once.mode.diff = diff;
        }
        let environment = self.environment(templar)?;
        let args = self.arguments(templar)?;
        let target = target::resolve(self, templar, once.delegated.as_deref())?;
        once.result = self.retried(templar, files, &args, &environment, &target, &once)?;
        Ok(once)
    }

    /// `ansible_delegated_vars`: the variables of the host that the task is delegated to, under its name.
    fn delegated_vars(&self, name: &str) -> Result<Map> {
        let vars = crate::vars::HostVars {
            world: Arc::clone(self.world),
            // one that no inventory has has variables too
            asked_by: name.into(),
        };
        let mut hosts = Map::default();
        if let Some(vars) = vars.get(name)? {
            let vars = OfDelegate {
                vars,
                host: self.host.into(),
            };
            hosts.insert(name.into(), Value::Dynamic(Arc::new(vars)));
        }
        let mut out = Map::default();
        out.insert("ansible_delegated_vars".into(), Value::map(hosts));
        Ok(out)
    }

    /// The host that the task is delegated to.
    fn delegate(&self, templar: &Templar) -> Result<Option<String>> {
        let Some(written) = &self.task.resolved().delegate_to else {
            return Ok(None);
        };
        if written.as_str().is_some_and(str::is_empty) {
            return Ok(None);
        }
        match templar.render(written)? {
            Value::Omit => Ok(None),
            value if value.is_null() || value.as_str().is_some_and(str::is_empty) => {
                let raw = self::written(written);
                let words = format!("Empty hostname produced from delegate_to: \"{raw}\"");
                Err(Error::new(Kind::Template, words))
            }
            value => Ok(Some(text_of(&value))),
        }
    }

    /// Whether nothing of the task may be shown; also where that cannot be found out.
    pub(super) fn hides(&self, templar: &Templar) -> bool {
        match self.flag("no_log", templar) {
            Ok(no_log) => no_log.unwrap_or(self.world.run.no_log),
            Err(_) => true,
        }
    }

    /// What takes the lines of the task's command; none if nobody is to see them.
    fn lines(&self, templar: &Templar) -> Option<Lines> {
        let live = self.live?;
        if self.hides(templar) || !LIVE.contains(&self.task.action.bare.as_str()) {
            return None;
        }
        let (live, host) = (Arc::clone(live), self.host.to_string());
        Some(Arc::new(move |stream, line: &str| {
            live(&host, stream, line)
        }))
    }

    /// Hands the arguments to the action or module.
    pub(super) fn call(
        &self,
        templar: &Templar,
        files: &Arc<SearchPath>,
        args: Map,
        environment: &[(String, String)],
        target: &Target,
        mode: Mode,
    ) -> TaskResult {
        let name = &self.task.action.bare;
        match self.background(templar) {
            Ok(None) => {}
            Ok(Some(job)) => {
                return self.in_background(&job, templar, args, environment, target, mode);
            }
            Err(e) => return self.failure(e),
        }
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
                lines: self.lines(templar),
                world: self.world,
                task: self.task,
            };
            return (entry.run)(args, &mut context);
        }
        if modules::find(name).is_none() {
            return match &self.task.action.foreign {
                Some(file) => TaskResult::failed(format!(
                    "rplay runs its own modules only, and '{name}' ({}) is none of them.",
                    file.display()
                )),
                None => TaskResult::failed(format!("couldn't resolve module/action '{name}'")),
            };
        }
        let mut session = self.sessions.lazy(target);
        let request = crate::connection::Request {
            module: self.task.action.name.clone(),
            args,
            mode,
            environment: environment.to_vec(),
            lines: self.lines(templar),
            ..Default::default()
        };
        use crate::connection::Session;
        match session.call(request) {
            Ok(result) => result,
            Err(e) => e.result(),
        }
    }
}
