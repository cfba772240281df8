//! The engine that all templates share, and the templar of one host and task.

use super::Scope;
use super::compile::{self, Syntax, Unit};
use super::env::{Here, Page};
use super::exec::concat;
use super::interp::Interp;
use super::ops::failure;
use super::python;
use super::times::Moment;
use crate::config::Config;
use crate::error::Kind;
use crate::search::SearchPath;
use crate::source::{Location, Source};
use crate::value::{Key, Map, Template, Value};
use crate::{Error, Result, vault};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::{self, ThreadId};

type Hashed<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

type Cache<K> = RwLock<Hashed<K, Arc<Unit>>>;

/// A value of a variable, and whether anything in it is still to be rendered.
#[derive(Clone, Debug)]
pub enum Raw {
    Clean(Value),
    Lazy(Value),
    /// A datetime: variables pass it on as such, results hold its text.
    Time(Moment),
}

/// What all templates of a run share: compiled templates, by their text.
///
/// Cheap to share; one per run.
#[derive(Default)]
pub struct Engine {
    /// The run's settings, for the lookup `config`; none outside of a run.
    config: Option<Arc<Config>>,
    yaml: Cache<Arc<str>>,
    expressions: Cache<Arc<str>>,
    files: Cache<(Arc<str>, Syntax)>,
}

/// Which cache a text belongs to.
enum As<'a> {
    Template,
    Expression,
    File(&'a Syntax),
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub fn new() -> Arc<Engine> {
        Arc::new(Engine::default())
    }

    /// The engine of a run with these settings.
    pub fn for_run(config: &Config) -> Arc<Engine> {
        Arc::new(Engine {
            config: Some(Arc::new(config.clone())),
            ..Engine::default()
        })
    }

    fn compile(&self, text: &Arc<str>, what: As<'_>) -> Result<Arc<Unit>, compile::SyntaxError> {
        fn cached<K: std::hash::Hash + Eq>(
            cache: &Cache<K>,
            key: K,
            make: impl FnOnce() -> Result<Unit, compile::SyntaxError>,
        ) -> Result<Arc<Unit>, compile::SyntaxError> {
            if let Some(unit) = cache.read().unwrap_or_else(|e| e.into_inner()).get(&key) {
                return Ok(Arc::clone(unit));
            }
            let unit = Arc::new(make()?);
            cache
                .write()
                .unwrap_or_else(|e| e.into_inner())
                .insert(key, Arc::clone(&unit));
            Ok(unit)
        }
        match what {
            As::Template => cached(&self.yaml, Arc::clone(text), || {
                compile::template(text, &Syntax::YAML)
            }),
            As::Expression => cached(&self.expressions, Arc::clone(text), || {
                compile::expression(text)
            }),
            As::File(syntax) => cached(&self.files, (Arc::clone(text), syntax.clone()), || {
                compile::template(text, syntax)
            }),
        }
    }
}

/// Renders values for one host and task. Resolves each variable once.
pub struct Templar {
    engine: Arc<Engine>,
    scope: Arc<dyn Scope>,
    files: Arc<SearchPath>,
    memo: Mutex<Memo>,
}

#[derive(Default)]
struct Memo {
    /// Variables by name.
    vars: Hashed<Arc<str>, Raw>,
    /// Rendered templates and containers by address; the key's owner is kept so that it stays theirs.
    parts: Hashed<usize, (Value, Raw)>,
    /// Variables being resolved, innermost last, to find one that needs itself.
    active: Vec<(ThreadId, Needed)>,
}

/// What is being resolved.
#[derive(PartialEq)]
enum Needed {
    Variable(Arc<str>),
    /// A part of a variable, by address.
    Part(usize),
}

/// More variables on top of a scope.
struct Layer {
    extra: Map,
    base: Arc<dyn Scope>,
}

impl Scope for Layer {
    fn get(&self, name: &str) -> Option<Value> {
        match self.extra.get(name) {
            Some(v) => Some(v.clone()),
            None => self.base.get(name),
        }
    }
    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.base.names();
        for key in self.extra.keys() {
            if let Key::Str(name) = key
                && self.base.get(name).is_none()
            {
                names.push(Arc::clone(name));
            }
        }
        names
    }
}

thread_local! {
    /// Templates inside of templates, over all templars of the thread: hostvars may come back to where they began.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// No honest playbook nests this deep; a smaller number than what the stack of a thread bears.
const DEEPEST: u32 = 50;

/// Runs `f` one template deeper. Errors where only an endless loop can be.
fn deeper<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let depth = DEPTH.get();
    if depth >= DEEPEST {
        return Err(Error::new(
            Kind::Template,
            "Recursive loop detected in template: maximum recursion depth exceeded",
        ));
    }
    DEPTH.set(depth + 1);
    let result = f();
    DEPTH.set(depth);
    result
}

impl Templar {
    /// A templar over `scope`; `files` is where lookups and template includes look.
    pub fn new(engine: &Arc<Engine>, scope: Arc<dyn Scope>, files: Arc<SearchPath>) -> Templar {
        Templar {
            engine: Arc::clone(engine),
            scope,
            files,
            memo: Mutex::default(),
        }
    }

    /// A templar with more variables on top, such as the loop's `item`. Resolved variables are not shared.
    pub fn with(&self, extra: Map) -> Templar {
        let layer = Layer {
            extra,
            base: Arc::clone(&self.scope),
        };
        Templar::new(&self.engine, Arc::new(layer), Arc::clone(&self.files))
    }

    /// The settings of the run, if this is one.
    pub(super) fn config(&self) -> Option<&Config> {
        self.engine.config.as_deref()
    }

    /// Whether conditions that only older versions of Ansible took are refused.
    pub(super) fn strict_conditions(&self) -> bool {
        self.config()
            .is_some_and(|c| c.allow_broken_conditionals == Some(false))
    }

    /// Where files are looked for.
    pub fn files(&self) -> &SearchPath {
        &self.files
    }

    /// All names of variables.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.scope.names()
    }

    /// Whether there is a variable of that name.
    pub fn defines(&self, name: &str) -> bool {
        self.scope.get(name).is_some()
    }

    /// The variable, fully rendered; none if there is no such variable.
    pub fn get(&self, name: &str) -> Result<Option<Value>> {
        match self.variable(name)? {
            None => Ok(None),
            Some(Raw::Clean(v)) => Ok(Some(v)),
            Some(Raw::Lazy(v)) => self.render(&v).map(Some),
            Some(Raw::Time(moment)) => Ok(Some(Value::from(moment.iso()))),
        }
    }

    /// The name that a mistyped one most likely meant.
    pub fn suggest(&self, name: &str) -> Option<String> {
        let names = self.names();
        crate::error::did_you_mean(name, names.iter().map(|n| &**n).filter(|n| *n != name))
            .map(str::to_string)
    }

    fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The value with every template in it rendered and every vault text decrypted.
    ///
    /// Map entries and list items that render to `omit` are dropped; a value that is itself `omit` stays.
    /// A lone `{{ expression }}` keeps its type. The result holds no template.
    pub fn render(&self, value: &Value) -> Result<Value> {
        if !value.needs_render() {
            return Ok(value.clone());
        }
        self.deep_dropping(value, true)
    }

    /// As [`Templar::render`], to text: what Python's `str()` would give.
    pub fn render_str(&self, value: &Value) -> Result<String> {
        Ok(match self.render(value)? {
            Value::Null => String::new(),
            other => python::str(&other),
        })
    }

    /// The value of an expression without braces, as `debug: var=` takes it.
    pub fn expression(&self, text: &str) -> Result<Value> {
        self.expression_at(&Arc::from(text), None, false)
    }

    /// As [`Templar::expression`], with the place where the text starts.
    pub fn expression_at(
        &self,
        text: &Arc<str>,
        at: Option<&Location>,
        verbatim: bool,
    ) -> Result<Value> {
        let unit = self
            .engine
            .compile(text, As::Expression)
            .map_err(|e| self.syntax_error(e, "expression", text, at, verbatim, &Syntax::YAML))?;
        self.evaluate(unit, at, verbatim)
    }

    fn syntax_error(
        &self,
        error: compile::SyntaxError,
        what: &str,
        text: &Arc<str>,
        at: Option<&Location>,
        verbatim: bool,
        syntax: &Syntax,
    ) -> Error {
        let offset = error.offset as u32;
        let unit = Unit {
            text: Arc::clone(text),
            body: compile::Body::Template(Vec::new()),
            mutates: false,
            trailing: 0,
            syntax: syntax.clone(),
        };
        let here = Here {
            unit: Arc::new(unit),
            at: at.cloned(),
            verbatim,
            page: Rc::default(),
        };
        error
            .into_error(what)
            .at_opt(here.location(offset).as_ref())
    }

    fn evaluate(&self, unit: Arc<Unit>, at: Option<&Location>, verbatim: bool) -> Result<Value> {
        match self.evaluate_raw(unit, at, verbatim)? {
            Raw::Clean(value) => Ok(value),
            Raw::Lazy(value) => self.deep_dropping(&value, true),
            Raw::Time(moment) => Ok(Value::from(moment.iso())),
        }
    }

    fn evaluate_raw(&self, unit: Arc<Unit>, at: Option<&Location>, verbatim: bool) -> Result<Raw> {
        let trailing = unit.trailing;
        let here = Rc::new(Here {
            unit,
            at: at.cloned(),
            verbatim,
            page: Rc::new(Page::default()),
        });
        match deeper(|| Interp::new(self).run(&here))? {
            Raw::Clean(Value::Str(text)) if trailing > 0 => {
                let there = text.len() - text.trim_end_matches('\n').len();
                Ok(Raw::Clean(if there >= trailing {
                    Value::Str(text)
                } else {
                    Value::from(text.to_string() + &"\n".repeat(trailing - there))
                }))
            }
            value => Ok(value),
        }
    }

    /// The value of a template, without looking whether it was rendered before.
    fn template_raw(&self, template: &Template) -> Result<Raw> {
        let unit = self
            .engine
            .compile(&template.text, As::Template)
            .map_err(|e| {
                self.syntax_error(
                    e,
                    "template",
                    &template.text,
                    template.at.as_ref(),
                    template.verbatim,
                    &Syntax::YAML,
                )
            })?;
        self.evaluate_raw(unit, template.at.as_ref(), template.verbatim)
            .map_err(|e| match e.message().starts_with(vault::UNDECRYPTABLE) {
                // the place of the encrypted text is known; this is the place of its use
                true => e.within("Error rendering template", template.at.as_ref()),
                false => e.at_opt(template.at.as_ref()),
            })
    }

    /// A variable, rendered as far as its outermost part.
    pub fn variable(&self, name: &str) -> Result<Option<Raw>> {
        if let Some(raw) = self.memo().vars.get(name) {
            return Ok(Some(raw.clone()));
        }
        let Some(value) = self.scope.get(name) else {
            return Ok(None);
        };
        let name: Arc<str> = Arc::from(name);
        let raw = match &value {
            Value::Template(_) => {
                let me = (thread::current().id(), Needed::Variable(Arc::clone(&name)));
                {
                    let mut memo = self.memo();
                    if memo.active.contains(&me) {
                        let error = Error::new(
                            Kind::Template,
                            format!(
                                "Recursive loop detected in template: variable '{name}' needs its own value"
                            ),
                        );
                        return Err(match &value {
                            Value::Template(t) => error.at_opt(t.at.as_ref()),
                            _ => error,
                        });
                    }
                    memo.active.push(me);
                }
                let result = self.settle(&value);
                self.memo().active.pop();
                result?
            }
            _ => self.settle(&value)?,
        };
        self.memo().vars.insert(name, raw.clone());
        Ok(Some(raw))
    }

    /// A value of the user's, rendered as far as its outermost part.
    pub fn settle(&self, value: &Value) -> Result<Raw> {
        match value {
            Value::Template(t) => {
                self.part(value, Arc::as_ptr(t) as usize, || self.template_raw(t))
            }
            Value::Vault(v) => self.part(value, Arc::as_ptr(v) as usize, || self.decrypt(v)),
            Value::List(_) | Value::Map(_) if value.needs_render() => Ok(Raw::Lazy(value.clone())),
            other => Ok(Raw::Clean(other.clone())),
        }
    }

    fn decrypt(&self, v: &crate::value::Vault) -> Result<Raw> {
        // what was encrypted is a secret's text, braces and all, and never a template
        vault::decrypt_variable(v).map(|text| Raw::Clean(Value::from(text)))
    }

    /// What `make` gives for a part of a variable; made once.
    fn part(
        &self,
        value: &Value,
        address: usize,
        make: impl FnOnce() -> Result<Raw>,
    ) -> Result<Raw> {
        if let Some((_, made)) = self.memo().parts.get(&address) {
            return Ok(made.clone());
        }
        let me = (thread::current().id(), Needed::Part(address));
        {
            let mut memo = self.memo();
            if memo.active.contains(&me) {
                let (what, at) = match value {
                    Value::Template(t) => (format!("'{}'", t.text.trim()), t.at.as_ref()),
                    _ => ("a value".into(), None),
                };
                return Err(Error::new(
                    Kind::Template,
                    format!("Recursive loop detected in template: {what} needs its own value"),
                )
                .at_opt(at));
            }
            memo.active.push(me);
        }
        let result = make();
        let mut memo = self.memo();
        memo.active.pop();
        let made = result?;
        memo.parts.insert(address, (value.clone(), made.clone()));
        Ok(made)
    }

    /// The value with everything in it rendered; `omit` stays where it is.
    pub fn deep(&self, value: &Value) -> Result<Value> {
        self.deep_dropping(value, false)
    }

    fn deep_dropping(&self, value: &Value, drop: bool) -> Result<Value> {
        if !value.needs_render() {
            return Ok(value.clone());
        }
        match value {
            Value::List(items) => {
                let make = || {
                    let mut out = Vec::with_capacity(items.len());
                    for item in items.iter() {
                        match self.deep_dropping(item, drop)? {
                            Value::Omit if drop => {}
                            item => out.push(item),
                        }
                    }
                    Ok(Value::list(out))
                };
                if drop {
                    make()
                } else {
                    self.deep_part(value, Arc::as_ptr(items) as usize, make)
                }
            }
            Value::Map(entries) => {
                let make = || {
                    let mut out = Map::default();
                    for (key, item) in entries.iter() {
                        let key = match key {
                            Key::Other(k) if k.needs_render() => Key::from_value(self.deep(k)?),
                            other => other.clone(),
                        };
                        match self.deep_dropping(item, drop)? {
                            Value::Omit if drop => {}
                            item => {
                                out.insert(key, item);
                            }
                        }
                    }
                    Ok(Value::map(out))
                };
                if drop {
                    make()
                } else {
                    self.deep_part(value, Arc::as_ptr(entries) as usize, make)
                }
            }
            _ => match self.settle(value)? {
                Raw::Clean(v) => Ok(v),
                // a container may hold a template that is the container again
                Raw::Lazy(v) => deeper(|| self.deep_dropping(&v, drop)),
                Raw::Time(moment) => Ok(Value::from(moment.iso())),
            },
        }
    }

    /// As [`Templar::deep`], with undefined parts where they are.
    pub fn deep_with_undefined(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::List(items) => Value::list(
                items
                    .iter()
                    .map(|v| self.deep_with_undefined(v))
                    .collect::<Result<_>>()?,
            ),
            Value::Map(entries) => {
                let mut out = Map::default();
                for (key, item) in entries.iter() {
                    let key = match key {
                        Key::Other(k) if k.needs_render() => Key::from_value(self.deep(k)?),
                        other => other.clone(),
                    };
                    out.insert(key, self.deep_with_undefined(item)?);
                }
                Value::map(out)
            }
            other => match self.settle(other) {
                Ok(Raw::Clean(v)) => v,
                Ok(Raw::Lazy(v)) => deeper(|| self.deep_with_undefined(&v))?,
                Ok(Raw::Time(moment)) => Value::from(moment.iso()),
                Err(e) if e.kind() == Kind::Undefined => Value::Undefined(Arc::from(e.message())),
                Err(e) => return Err(e),
            },
        })
    }

    fn deep_part(
        &self,
        value: &Value,
        address: usize,
        make: impl FnOnce() -> Result<Value>,
    ) -> Result<Value> {
        match self.part(value, address, || make().map(Raw::Clean))? {
            Raw::Clean(v) | Raw::Lazy(v) => Ok(v),
            Raw::Time(moment) => Ok(Value::from(moment.iso())),
        }
    }

    // ---- files ----

    /// Renders the text of a whole file; `extra` are more variables on top.
    ///
    /// What is printed is always text, and nothing of it is templated again.
    pub fn render_file(
        &self,
        source: &Arc<Source>,
        options: super::FileOptions,
        extra: Map,
    ) -> Result<String> {
        Ok(match self.file_value(source, options, extra)? {
            Value::Null => String::new(),
            other => python::str(&concat(vec![other])),
        })
    }

    /// As [`Templar::render_file`], to a value: a file that is a lone `{{ expression }}` keeps its type, and one
    /// that prints nothing is `None`.
    pub fn file_value(
        &self,
        source: &Arc<Source>,
        options: super::FileOptions,
        extra: Map,
    ) -> Result<Value> {
        let (text, options, skipped) = options
            .header(&source.text)
            .map_err(|e| e.at(&Location::new(source, 0, 0)))?;
        let syntax = options.syntax();
        let text: Arc<str> = Arc::from(text);
        let at = Location::new(source, skipped + 1, 1);
        let unit = self
            .engine
            .compile(&text, As::File(&syntax))
            .map_err(|e| self.syntax_error(e, "template", &text, Some(&at), true, &syntax))?;
        let value = self.with(extra).evaluate(unit, Some(&at), true)?;
        Ok(match (value, &*options.newline_sequence) {
            (Value::Str(text), newline) if newline != "\n" => {
                Value::from(text.replace("\r\n", "\n").replace('\n', newline))
            }
            (value, _) => value,
        })
    }

    /// The file of a template that another one names.
    pub fn find_template(&self, name: &str, from: &Here) -> Result<PathBuf> {
        let near = from
            .at
            .as_ref()
            .and_then(|at| {
                Path::new(&at.source.name)
                    .parent()
                    .map(|dir| dir.join(name))
            })
            .filter(|p| p.is_file());
        if let Some(path) = near {
            return Ok(path);
        }
        self.files.find("templates", name).map_err(|_| {
            let searched = self.files.searched("templates", name);
            let mut folders: Vec<String> = searched
                .iter()
                .map(|p| p.display().to_string())
                .map(|p| {
                    p.strip_suffix(&format!("/{name}"))
                        .map_or(p.clone(), str::to_string)
                })
                .collect();
            // the folder of the file itself counts too
            let own = from.at.as_ref().filter(|_| from.unit.syntax.escapes);
            if let Some(own) = own.and_then(|at| Path::new(&at.source.name).parent()) {
                folders.push(own.join("templates").display().to_string());
                folders.push(own.display().to_string());
            }
            let quoted: Vec<String> = folders.iter().map(|f| python::quote(f)).collect();
            failure(format_args!(
                "'{name}' not found in search path{}: {}",
                if quoted.len() == 1 { "" } else { "s" },
                quoted.join(", ")
            ))
        })
    }

    /// Reads and compiles a template that another one names.
    pub fn load_template(&self, path: &Path, from: &Here, page: &Rc<Page>) -> Result<Here> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| failure(format_args!("{}: {e}", path.display())))?;
        let source = Source::new(path.display().to_string(), text);
        let syntax = Syntax {
            escapes: true,
            keep_trailing_newline: false,
            ..from.unit.syntax.clone()
        };
        let text: Arc<str> = Arc::from(&*source.text);
        let at = Location::new(&source, 1, 1);
        let unit = self
            .engine
            .compile(&text, As::File(&syntax))
            .map_err(|e| self.syntax_error(e, "template", &text, Some(&at), true, &syntax))?;
        Ok(Here {
            unit,
            at: Some(at),
            verbatim: true,
            page: Rc::clone(page),
        })
    }
}
