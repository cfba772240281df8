//! The debugger's prompt and its commands.

use super::edits::Edits;
use super::pprint::pprint;
use super::statement::{Statement, Step, Target, parse};
use crate::error::Kind;
use crate::playbook::Task;
use crate::python::repr;
use crate::result::TaskResult;
use crate::run::executor::TaskRun;
use crate::search::SearchPath;
use crate::template::{Scope, Templar};
use crate::value::{Dynamic, Key, Map, Value};
use crate::vars::TaskScope;
use crate::{Error, Result};
use std::collections::HashSet;
use std::io::{BufRead, Write};
use std::sync::Arc;

/// What the user wants.
pub enum Next {
    Redo,
    Continue,
    Quit,
}

/// A debugger, for one task on one host.
pub struct Prompt {
    /// The task's name and the host's.
    name: String,
    host: String,
    edits: Edits,
    /// The task's arguments as they are seen, rendered as far as they could be.
    args: Option<Map>,
    /// Those that were assigned or deleted.
    edited: HashSet<Key>,
    /// Names that are the user's own.
    own: Map,
    last: String,
}

/// Commands, and what `help` says of them.
const COMMANDS: &[(&str, &str)] = &[
    ("EOF", "Quit"),
    ("c", "Continue to next result"),
    ("continue", "Continue to next result"),
    ("h", "Show the commands"),
    ("help", "Show the commands"),
    ("p", "Pretty print an expression"),
    ("pprint", "Pretty print an expression"),
    ("q", "Quit"),
    ("quit", "Quit"),
    ("r", "Run the task again"),
    ("redo", "Run the task again"),
    (
        "u",
        "Make the task's arguments anew, with the variables as they are now",
    ),
    (
        "update_task",
        "Make the task's arguments anew, with the variables as they are now",
    ),
];

impl Prompt {
    pub fn new(name: &str, host: &str) -> Prompt {
        Prompt {
            name: name.to_string(),
            host: host.to_string(),
            edits: Edits::default(),
            args: None,
            edited: HashSet::new(),
            own: Map::default(),
            last: String::new(),
        }
    }

    /// The changes to the task's variables.
    pub fn edits(&self) -> Arc<Edits> {
        Arc::new(self.edits.clone())
    }

    /// The task with the arguments that were assigned.
    pub fn task(&self, task: &Arc<Task>) -> Arc<Task> {
        let Some(args) = self.args.as_ref().filter(|_| !self.edited.is_empty()) else {
            return Arc::clone(task);
        };
        let mut action = task.action.clone();
        for key in &self.edited {
            match args.get(key) {
                Some(value) => action.args.insert(key.clone(), value.clone()),
                None => action.args.shift_remove(key),
            };
        }
        Arc::new(task.with_action(action))
    }

    /// Takes commands until one of them goes on.
    pub fn ask(&mut self, run: &TaskRun<'_>, result: &TaskResult) -> Next {
        loop {
            print!("[{}] TASK: {} (debug)> ", self.host, self.name);
            let _ = std::io::stdout().flush();
            let mut line = String::new();
            match std::io::stdin().lock().read_line(&mut line) {
                Ok(n) if n > 0 => {}
                _ => return Next::Quit,
            }
            // an empty line is the last one again
            let line = match line.trim() {
                "" => self.last.clone(),
                line => line.to_string(),
            };
            self.last.clone_from(&line);
            let (word, rest) = match line.find(|c: char| !c.is_alphanumeric() && c != '_') {
                Some(end) => (&line[..end], line[end..].trim()),
                None => (line.as_str(), ""),
            };
            let is_assignment = matches!(parse(&line), Some(Statement::Assign { .. }));
            match word {
                _ if line.is_empty() => {}
                _ if is_assignment => self.done(|s| s.execute(&line, run, result)),
                "c" | "continue" => return Next::Continue,
                "r" | "redo" => return Next::Redo,
                "q" | "quit" | "EOF" => return Next::Quit,
                "p" | "pprint" => self.done(|s| s.print(rest, run, result)),
                "u" | "update_task" => self.done(|s| s.update(run)),
                "h" | "help" => help(rest),
                _ if line.starts_with('?') => help(line[1..].trim()),
                _ => self.done(|s| s.execute(&line, run, result)),
            }
        }
    }

    /// Does something and says why it could not.
    fn done(&mut self, work: impl FnOnce(&mut Prompt) -> Result<()>) {
        if let Err(e) = work(self) {
            let (kind, words) = python_error(&e);
            println!("***{kind}:{kind}({})", repr(&Value::str(words)));
        }
    }

    fn print(&mut self, expression: &str, run: &TaskRun<'_>, result: &TaskResult) -> Result<()> {
        match expression {
            "task" => println!("TASK: {}", self.name),
            "host" => println!("{}", self.host),
            _ => {
                let value = self.evaluate(expression, run, result)?;
                println!("{}", pprint(&value));
            }
        }
        Ok(())
    }

    /// Makes the arguments anew from what the playbook says.
    fn update(&mut self, run: &TaskRun<'_>) -> Result<()> {
        self.edited.clear();
        let args = run.arguments(&self.templar(run))?;
        self.args = Some(args);
        Ok(())
    }

    fn execute(&mut self, line: &str, run: &TaskRun<'_>, result: &TaskResult) -> Result<()> {
        match parse(line) {
            Some(Statement::Assign { target, value }) => {
                let value = self.evaluate(value, run, result)?;
                self.change(&target, Some(value), run, result)
            }
            Some(Statement::Delete(target)) => self.change(&target, None, run, result),
            Some(Statement::Expression(expression)) => {
                self.evaluate(expression, run, result).map(|_| ())
            }
            None => Err(Error::parse("invalid syntax")),
        }
    }

    /// Sets what `target` names, or deletes it.
    fn change(
        &mut self,
        target: &Target<'_>,
        value: Option<Value>,
        run: &TaskRun<'_>,
        result: &TaskResult,
    ) -> Result<()> {
        let mut keys = Vec::new();
        for step in &target.steps {
            keys.push(match step {
                Step::Attribute(name) => Value::str(name),
                Step::Item(expression) => self.evaluate(expression, run, result)?,
            });
        }
        match (target.name, target.steps.as_slice()) {
            ("task", [Step::Attribute("args"), ..]) => {
                let before = self.args(run);
                let mut args = Value::map(before.clone());
                set(&mut args, &keys[1..], value)?;
                let Value::Map(args) = args else {
                    return Err(Error::general("task.args is to be a dictionary"));
                };
                let names: Vec<Key> = before.keys().chain(args.keys()).cloned().collect();
                let changed = names.into_iter().filter(|k| before.get(k) != args.get(k));
                self.edited.extend(changed);
                self.args = Some((*args).clone());
                Ok(())
            }
            ("task_vars", [_, ..]) => {
                let name = crate::run::text_of(&keys[0]);
                let templar = self.templar(run);
                match (value, &keys[1..]) {
                    (None, []) => match templar.defines(&name) {
                        true => self.edits.remove(&name),
                        false => return Err(missing(&keys[0])),
                    },
                    (Some(value), []) => self.edits.set(&name, value),
                    (value, inner) => {
                        let known = templar.get(&name)?;
                        let mut whole = known.ok_or_else(|| missing(&keys[0]))?;
                        set(&mut whole, inner, value)?;
                        self.edits.set(&name, whole);
                    }
                }
                Ok(())
            }
            ("task" | "task_vars" | "host" | "result", _) => Err(Error::general(
                "only task.args and what is in task_vars can be changed",
            )),
            (name, steps) => {
                if let (None, []) = (&value, steps) {
                    let known = self.own.shift_remove(name);
                    return known.map(|_| ()).ok_or_else(|| undefined(name));
                }
                let mut whole = match (steps, self.own.get(name)) {
                    ([], _) => Value::Null,
                    (_, Some(known)) => known.clone(),
                    (_, None) => return Err(undefined(name)),
                };
                set(&mut whole, &keys, value)?;
                self.own.insert(Key::from(name), whole);
                Ok(())
            }
        }
    }

    /// The arguments as they are seen.
    fn args(&mut self, run: &TaskRun<'_>) -> Map {
        let templar = self.templar(run);
        let task = run.task;
        let make = || {
            // a loop's are different for every item, and some cannot be rendered: as they are written then
            let rendered = run.arguments(&templar);
            rendered.unwrap_or_else(|_| {
                let written = task.action.args.iter();
                written.map(|(k, v)| (k.clone(), inert(v))).collect()
            })
        };
        let args = self.args.get_or_insert_with(make);
        args.iter().map(|(k, v)| (k.clone(), inert(v))).collect()
    }

    fn scope(&self, run: &TaskRun<'_>) -> Arc<dyn Scope> {
        let scope: Arc<dyn Scope> = Arc::new(TaskScope::for_task(run.world, run.host, run.task));
        self.edits().over(scope)
    }

    /// What renders with the task's variables.
    fn templar(&self, run: &TaskRun<'_>) -> Templar {
        let files = crate::playbook::search_path(&run.task.frame, &run.world.play.dir);
        Templar::new(&run.world.engine, self.scope(run), Arc::new(files))
    }

    /// The value of an expression over `task`, `task_vars`, `host`, `result` and the user's own names.
    fn evaluate(
        &mut self,
        expression: &str,
        run: &TaskRun<'_>,
        result: &TaskResult,
    ) -> Result<Value> {
        let task = [
            ("args", Value::map(self.args(run))),
            ("name", Value::str(&self.name)),
            ("action", Value::str(&run.task.action.name)),
        ];
        let host_vars = run.world.inventory().host(run.host);
        let host = [
            ("name", Value::str(&self.host)),
            (
                "vars",
                Value::map(host_vars.map(|h| (*h.vars).clone()).unwrap_or_default()),
            ),
        ];
        let fields = result.to_value();
        let result = [("_result", fields.clone()), ("_return_data", fields)];
        let object = |entries: &[(&str, Value)]| {
            let entries = entries.iter().map(|(k, v)| (Key::from(*k), v.clone()));
            Value::map(entries.collect::<Map>())
        };
        let mut names = self.own.clone();
        names.insert("task".into(), object(&task));
        names.insert("host".into(), object(&host));
        names.insert("result".into(), object(&result));
        let task_vars = TaskVars {
            scope: self.scope(run),
            templar: self.templar(run),
        };
        names.insert("task_vars".into(), Value::Dynamic(Arc::new(task_vars)));
        let templar = Templar::new(
            &run.world.engine,
            Arc::new(names),
            Arc::new(SearchPath::default()),
        );
        if expression.trim().is_empty() {
            return Err(Error::parse("invalid syntax"));
        }
        templar.render(&Value::user_text(&format!("{{{{ {expression} }}}}"), None))
    }
}

/// `task_vars`.
struct TaskVars {
    scope: Arc<dyn Scope>,
    templar: Templar,
}

impl std::fmt::Debug for TaskVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("task_vars")
    }
}

impl Dynamic for TaskVars {
    fn get(&self, key: &str) -> Result<Option<Value>> {
        self.templar.get(key)
    }
    fn keys(&self) -> Vec<Arc<str>> {
        self.scope.names()
    }
}

/// A value whose templates are shown as they are written.
fn inert(value: &Value) -> Value {
    match value {
        Value::Template(template) => Value::from(Arc::clone(&template.text)),
        Value::List(items) => Value::list(items.iter().map(inert).collect()),
        Value::Map(map) => {
            let entries = map.iter().map(|(k, v)| (k.clone(), inert(v)));
            Value::map(entries.collect::<Map>())
        }
        other => other.clone(),
    }
}

/// Sets or deletes what is at the end of `keys`; without keys, the whole.
fn set(whole: &mut Value, keys: &[Value], value: Option<Value>) -> Result<()> {
    let [key, rest @ ..] = keys else {
        *whole = value.unwrap_or_default();
        return Ok(());
    };
    match whole {
        Value::Map(map) => {
            let map = Arc::make_mut(map);
            let name = Key::from_value(key.clone());
            match (rest, value) {
                ([], Some(value)) => {
                    map.insert(name, value);
                }
                ([], None) => {
                    map.shift_remove(&name).ok_or_else(|| missing(key))?;
                }
                (rest, value) => {
                    let inner = map.get_mut(&name).ok_or_else(|| missing(key))?;
                    set(inner, rest, value)?;
                }
            }
            Ok(())
        }
        Value::List(items) => {
            let mut copy = items.to_vec();
            let length = copy.len() as i64;
            let index = match key {
                Value::Int(i) if *i < 0 => i + length,
                Value::Int(i) => *i,
                _ => return Err(Error::general("list indices must be integers or slices")),
            };
            if index < 0 || index >= length {
                return Err(Error::general("list assignment index out of range"));
            }
            let index = index as usize;
            match (rest, value) {
                ([], None) => {
                    copy.remove(index);
                }
                (rest, value) => set(&mut copy[index], rest, value)?,
            }
            *whole = Value::list(copy);
            Ok(())
        }
        other => Err(Error::general(format!(
            "'{}' object does not support item assignment",
            other.type_name()
        ))),
    }
}

fn missing(key: &Value) -> Error {
    Error::new(Kind::Undefined, crate::run::text_of(key))
}

fn undefined(name: &str) -> Error {
    Error::new(Kind::Undefined, format!("'{name}' is undefined"))
}

/// The kind and the words of an error as Python has them.
fn python_error(error: &Error) -> (&'static str, String) {
    let words = error.message();
    match error.kind() {
        Kind::Undefined => match words.strip_suffix(" is undefined") {
            Some(name) => ("NameError", format!("name {name} is not defined")),
            None => match words.rsplit_once("has no attribute ") {
                Some((_, key)) => ("KeyError", key.trim_matches('\'').to_string()),
                None => ("KeyError", words.to_string()),
            },
        },
        Kind::Parse | Kind::Template => ("SyntaxError", words.to_string()),
        _ => ("TypeError", words.to_string()),
    }
}

fn help(topic: &str) {
    if topic.is_empty() {
        let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
        let title = "Documented commands (type help <topic>):";
        println!(
            "\n{title}\n{}\n{}\n",
            "=".repeat(title.len()),
            names.join("  ")
        );
        return;
    }
    match COMMANDS.iter().find(|(name, _)| *name == topic) {
        Some((_, words)) => println!("{words}"),
        None => println!("*** No help on {topic}"),
    }
}
