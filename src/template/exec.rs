//! Runs statements: loops, conditions, macros, blocks, includes.

use super::ast::{Block, For, Stmt, Target};
use super::compile::Body;
use super::interp::{Args, Cx, Env, Here, Interp, Page};
use super::ops::failure;
use super::python;
use super::val::{Dict, LoopObj, MacroObj, Obj, V};
use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// What a statement does to the loop around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Next,
    Break,
    Continue,
}

/// What a template has printed: one piece for each text and expression.
pub type Out = Vec<Value>;

/// A single piece keeps its type, several become text, none is `None`.
pub fn concat(mut out: Out) -> Value {
    match out.len() {
        0 => Value::Null,
        1 => out.pop().unwrap_or_default(),
        _ => {
            let mut text = String::new();
            for piece in &out {
                match piece {
                    Value::Str(s) => text.push_str(s),
                    other => text.push_str(&python::str(other)),
                }
            }
            Value::from(text)
        }
    }
}

/// The value without entries and items that are `omit`.
fn without_omitted(value: Value) -> Value {
    fn any(value: &Value) -> bool {
        match value {
            Value::Omit => true,
            Value::List(l) => l.iter().any(any),
            Value::Map(m) => m.values().any(any),
            _ => false,
        }
    }
    match value {
        Value::List(l) if l.iter().any(any) => Value::list(
            l.iter()
                .filter(|v| !matches!(v, Value::Omit))
                .cloned()
                .map(without_omitted)
                .collect(),
        ),
        Value::Map(m) if m.values().any(any) => Value::map(
            m.iter()
                .filter(|(_, v)| !matches!(v, Value::Omit))
                .map(|(k, v)| (k.clone(), without_omitted(v.clone())))
                .collect::<Map>(),
        ),
        other => other,
    }
}

impl Interp<'_> {
    /// A value ready to leave the template: rendered, defined, without `omit` inside.
    pub fn finish(&self, v: &V) -> Result<Value> {
        let value = self.defined_value(v)?;
        Ok(match value {
            Value::List(_) | Value::Map(_) => without_omitted(value),
            other => other,
        })
    }

    /// Evaluates a whole template or expression.
    pub fn run(&self, here: &Rc<Here>) -> Result<Value> {
        self.mutating.set(here.unit.mutates);
        let cx = Cx {
            env: Rc::new(Env::default()),
            here: Rc::clone(here),
        };
        match &here.unit.body {
            Body::Expr(e) => {
                let v = self.eval(e, &cx)?;
                let v = self.need(v, &cx, e.at)?;
                self.finish(&v).map_err(|err| placed(err, &cx, e.at))
            }
            Body::Template(stmts) => {
                let mut out = Out::new();
                // nearly every template is one expression
                if let [Stmt::Emit(e)] = &stmts[..] {
                    let v = self.eval(e, &cx)?;
                    let v = self.need(v, &cx, e.at)?;
                    return self.finish(&v).map_err(|err| placed(err, &cx, e.at));
                }
                self.template(stmts, &cx, &mut out)?;
                Ok(concat(out))
            }
        }
    }

    /// A template's statements, and then those of the template that it extends.
    fn template(&self, stmts: &[Stmt], cx: &Cx, out: &mut Out) -> Result<()> {
        self.register_blocks(stmts, cx);
        let start = out.len();
        self.body(stmts, cx, out)?;
        let parent = cx.here.page.parent.borrow_mut().take();
        if let Some(parent) = parent {
            out.truncate(start);
            let parent_cx = Cx {
                env: Rc::clone(&cx.env),
                here: Rc::clone(&parent),
            };
            if let Body::Template(stmts) = &parent.unit.body {
                self.deeper(|| self.template(stmts, &parent_cx, out))?;
            }
        }
        Ok(())
    }

    fn register_blocks(&self, stmts: &[Stmt], cx: &Cx) {
        for stmt in stmts {
            match stmt {
                Stmt::Block(block) => {
                    cx.here
                        .page
                        .blocks
                        .borrow_mut()
                        .entry(Arc::clone(&block.name))
                        .or_default()
                        .push((Arc::clone(block), Rc::clone(&cx.here)));
                    self.register_blocks(&block.body, cx);
                }
                Stmt::If(_, a, b) => {
                    self.register_blocks(a, cx);
                    self.register_blocks(b, cx);
                }
                Stmt::For(f) => {
                    self.register_blocks(&f.body, cx);
                    self.register_blocks(&f.otherwise, cx);
                }
                Stmt::With(_, body) | Stmt::Group(body) | Stmt::FilterBlock(_, body) => {
                    self.register_blocks(body, cx);
                }
                _ => {}
            }
        }
    }

    fn body(&self, stmts: &[Stmt], cx: &Cx, out: &mut Out) -> Result<Flow> {
        for stmt in stmts {
            let flow = self.stmt(stmt, cx, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// What a body prints, as one value.
    fn captured(&self, stmts: &[Stmt], cx: &Cx) -> Result<Value> {
        let mut out = Out::new();
        self.body(stmts, cx, &mut out)?;
        Ok(concat(out))
    }

    fn emit(&self, v: &V, out: &mut Out) -> Result<()> {
        if matches!(v, V::Undefined(u) if u.silent) {
            return Ok(());
        }
        if matches!(v, V::Obj(o) if matches!(**o, Obj::Range(..))) {
            out.push(Value::from(self.text(v)?));
            return Ok(());
        }
        match self.finish(v)? {
            Value::Null | Value::Omit => {}
            value => out.push(value),
        }
        Ok(())
    }

    fn stmt(&self, stmt: &Stmt, cx: &Cx, out: &mut Out) -> Result<Flow> {
        match stmt {
            Stmt::Raw(text) => out.push(Value::Str(Arc::clone(text))),
            Stmt::Emit(e) => {
                let v = self.eval(e, cx)?;
                self.emit(&v, out).map_err(|err| placed(err, cx, e.at))?;
            }
            Stmt::For(f) => return self.for_loop(f, cx, out),
            Stmt::If(test, yes, no) => {
                let body = if self.truth(test, cx)? { yes } else { no };
                return self.body(body, cx, out);
            }
            Stmt::With(assignments, body) => {
                let inner = inner(cx);
                for (target, e) in assignments {
                    let v = self.eval(e, cx)?;
                    self.assign(target, v, &inner)
                        .map_err(|err| placed(err, cx, e.at))?;
                }
                return self.body(body, &inner, out);
            }
            Stmt::Set(target, e) => {
                let mut v = self.eval(e, cx)?;
                if self.mutating.get() {
                    v = self.promote(v);
                }
                self.assign(target, v, cx)
                    .map_err(|err| placed(err, cx, e.at))?;
            }
            Stmt::SetBlock(target, filter, body) => {
                let inner = inner(cx);
                let mut v = V::Data(self.captured(body, &inner)?);
                if let Some(filter) = filter {
                    v = self.filter(filter, v, cx)?;
                }
                self.assign(target, v, cx)?;
            }
            Stmt::FilterBlock(filter, body) => {
                let inner = inner(cx);
                let text = self.captured(body, &inner)?;
                let v = self.filter(filter, V::Data(text), cx)?;
                self.emit(&v, out)
                    .map_err(|err| placed(err, cx, filter.at))?;
            }
            Stmt::Group(body) => return self.body(body, cx, out),
            Stmt::Block(block) => {
                if cx.here.page.parent.borrow().is_none() {
                    let v = self.call_block(&block.name, 0, cx)?;
                    self.emit(&v, out)?;
                }
            }
            Stmt::Extends(e) => {
                let here = self
                    .load(e, cx, &cx.here.page)?
                    .ok_or_else(|| failure("no template to extend"))?;
                *cx.here.page.parent.borrow_mut() = Some(here);
            }
            Stmt::Include(e, ignore_missing) => {
                let page = Rc::new(Page::default());
                match self.load(e, cx, &page) {
                    Ok(Some(here)) => {
                        let included = Cx {
                            env: Env::child(&cx.env),
                            here,
                        };
                        if let Body::Template(stmts) = &included.here.unit.body {
                            self.deeper(|| self.template(stmts, &included, out))?;
                        }
                    }
                    Ok(None) if *ignore_missing => {}
                    Ok(None) => return Err(placed(failure("no template to include"), cx, e.at)),
                    Err(_) if *ignore_missing && !self.exists(e, cx)? => {}
                    Err(error) => return Err(error),
                }
            }
            Stmt::Import(e, name) => {
                let module = self.import(e, cx)?;
                cx.env.set(name, V::obj(Obj::Module(module)));
            }
            Stmt::FromImport(e, names) => {
                let module = self.import(e, cx)?;
                for (name, alias) in names {
                    let v = module.get(name).unwrap_or_else(|| {
                        V::undefined(format!(
                            "the template does not export the requested name '{name}'"
                        ))
                    });
                    cx.env.set(alias, v);
                }
            }
            Stmt::Macro(decl) => {
                let v = V::obj(Obj::Macro(MacroObj {
                    decl: Arc::clone(decl),
                    cx: cx.clone(),
                }));
                cx.env.set(&decl.name, v);
            }
            Stmt::CallBlock(callee, args, decl, at) => {
                let function = self.eval(callee, cx)?;
                let function = self.need(function, cx, callee.at)?;
                let mut args = self.args(args, cx)?;
                let caller = V::obj(Obj::Macro(MacroObj {
                    decl: Arc::clone(decl),
                    cx: cx.clone(),
                }));
                args.kw.push((Arc::from("caller"), caller));
                let v = self
                    .call_value(&function, args, cx)
                    .map_err(|err| placed(err, cx, *at))?;
                self.emit(&v, out).map_err(|err| placed(err, cx, *at))?;
            }
            Stmt::Do(e) => {
                let v = self.eval(e, cx)?;
                self.need(v, cx, e.at)?;
            }
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Break => return Ok(Flow::Break),
        }
        Ok(Flow::Next)
    }

    fn assign(&self, target: &Target, v: V, cx: &Cx) -> Result<()> {
        match target {
            Target::Name(name) => cx.env.set(name, v),
            Target::Attr(object, attribute) => {
                let object = match cx.env.get(object) {
                    Some(v) => v,
                    None => self.global(object)?,
                };
                match &object {
                    V::Obj(obj) => match &**obj {
                        Obj::Namespace(entries) => {
                            entries
                                .borrow_mut()
                                .insert(Key::Str(Arc::clone(attribute)), v);
                        }
                        _ => {
                            return Err(failure("cannot assign attribute on non-namespace object"));
                        }
                    },
                    _ => return Err(failure("cannot assign attribute on non-namespace object")),
                }
            }
            Target::Tuple(targets) => {
                let items = self.iterate(&v).map_err(|_| {
                    failure(format_args!(
                        "cannot unpack non-iterable {} object",
                        v.type_name()
                    ))
                })?;
                match items.len() {
                    n if n < targets.len() => {
                        return Err(failure(format_args!(
                            "not enough values to unpack (expected {}, got {n})",
                            targets.len()
                        )));
                    }
                    n if n > targets.len() => {
                        return Err(failure(format_args!(
                            "too many values to unpack (expected {})",
                            targets.len()
                        )));
                    }
                    _ => {}
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, cx)?;
                }
            }
        }
        Ok(())
    }

    // ---- loops ----

    fn for_loop(&self, f: &Arc<For>, cx: &Cx, out: &mut Out) -> Result<Flow> {
        let v = self.eval(&f.iter, cx)?;
        let v = self.need(v, cx, f.iter.at)?;
        let items = self.iterate(&v).map_err(|err| placed(err, cx, f.iter.at))?;
        self.loop_over(f, items, cx, 0, out)?;
        Ok(Flow::Next)
    }

    fn loop_over(
        &self,
        f: &Arc<For>,
        items: Vec<V>,
        cx: &Cx,
        depth: usize,
        out: &mut Out,
    ) -> Result<()> {
        let mut kept = items;
        if let Some(filter) = &f.filter {
            let mut passing = Vec::new();
            for item in kept {
                let inner = inner(cx);
                self.assign(&f.target, item.clone(), &inner)
                    .map_err(|err| placed(err, cx, f.iter.at))?;
                if self.truth(filter, &inner)? {
                    passing.push(item);
                }
            }
            kept = passing;
        }
        if kept.is_empty() {
            self.body(&f.otherwise, &inner(cx), out)?;
            return Ok(());
        }
        let object = Rc::new(Obj::Loop(LoopObj {
            items: kept,
            index: Cell::new(0),
            depth,
            last_changed: RefCell::new(None),
            recurse: f.recursive.then(|| (Arc::clone(f), cx.clone())),
        }));
        let Obj::Loop(state) = &*object else {
            return Ok(());
        };
        let name: Arc<str> = Arc::from("loop");
        for (i, item) in state.items.iter().enumerate() {
            state.index.set(i);
            let inner = inner(cx);
            inner.env.set(&name, V::Obj(Rc::clone(&object)));
            self.assign(&f.target, item.clone(), &inner)
                .map_err(|err| placed(err, cx, f.iter.at))?;
            if self.body(&f.body, &inner, out)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// `loop(items)` in a recursive loop.
    pub fn recurse(&self, l: &LoopObj, args: Args) -> Result<V> {
        let Some((f, cx)) = &l.recurse else {
            return Err(failure(
                "The loop must have the 'recursive' marker to be called recursively.",
            ));
        };
        let [v] = &args.pos[..] else {
            return Err(failure("loop() takes one argument"));
        };
        let items = self.iterate(v)?;
        let mut out = Out::new();
        self.deeper(|| self.loop_over(f, items, cx, l.depth + 1, &mut out))?;
        Ok(V::Data(concat(out)))
    }

    fn loop_attr(&self, l: &LoopObj, name: &str) -> Option<V> {
        let (i, len) = (l.index.get(), l.items.len());
        Some(match name {
            "index" => V::int(i as i64 + 1),
            "index0" => V::int(i as i64),
            "revindex" => V::int((len - i) as i64),
            "revindex0" => V::int((len - i - 1) as i64),
            "first" => V::bool(i == 0),
            "last" => V::bool(i + 1 == len),
            "length" => V::int(len as i64),
            "depth" => V::int(l.depth as i64 + 1),
            "depth0" => V::int(l.depth as i64),
            "previtem" => match i.checked_sub(1) {
                Some(i) => l.items[i].clone(),
                None => V::undefined("there is no previous item"),
            },
            "nextitem" => match l.items.get(i + 1) {
                Some(v) => v.clone(),
                None => V::undefined("there is no next item"),
            },
            _ => return None,
        })
    }

    // ---- objects ----

    pub fn obj_attr(&self, v: &V, obj: &Rc<Obj>, name: &Arc<str>) -> Result<V> {
        let bound = |names: &[&str]| {
            names
                .contains(&&**name)
                .then(|| V::obj(Obj::Bound(v.clone(), Arc::clone(name))))
        };
        let found = match &**obj {
            Obj::Loop(l) => self
                .loop_attr(l, name)
                .or_else(|| bound(&["cycle", "changed"])),
            Obj::Namespace(entries) => self.dict_entry(entries, &Key::Str(Arc::clone(name)))?,
            Obj::Module(env) => env.get(name),
            Obj::Vars => match self.entry(v, &Key::Str(Arc::clone(name)))? {
                Some(found) => Some(found),
                None => bound(&["get", "keys", "items", "values"]),
            },
            Obj::Cycler(items, index) => match &**name {
                "current" => items.get(index.get()).cloned(),
                _ => bound(&["next", "reset"]),
            },
            Obj::Time(time) => super::globals::time_attr(time, name)
                .or_else(|| bound(super::globals::TIME_METHODS)),
            Obj::SelfBlocks => Some(V::obj(Obj::Super(Arc::clone(name), 0))),
            Obj::Macro(m) => match &**name {
                "name" => Some(V::str(&m.decl.name)),
                "arguments" => Some(V::list(m.decl.params.iter().map(V::str).collect())),
                _ => None,
            },
            Obj::Range(..) => None,
            _ => None,
        };
        Ok(found.unwrap_or_else(|| {
            V::undefined(format!(
                "object of type '{}' has no attribute {}",
                v.type_name(),
                python::quote(name)
            ))
        }))
    }

    /// A method of an object that only templates know.
    pub fn obj_method(&self, v: &V, name: &str, args: Args, _cx: &Cx) -> Result<V> {
        let V::Obj(obj) = v else {
            return Err(failure("not callable"));
        };
        match (&**obj, name) {
            (Obj::Loop(l), "cycle") => {
                if args.pos.is_empty() {
                    return Err(failure("no items for cycling given"));
                }
                Ok(args.pos[l.index.get() % args.pos.len()].clone())
            }
            (Obj::Loop(l), "changed") => {
                let now = V::Tuple(Rc::new(args.pos));
                let value = self.to_value(&now)?;
                let changed = match &*l.last_changed.borrow() {
                    Some(before) => self.to_value(before)? != value,
                    None => true,
                };
                if changed {
                    *l.last_changed.borrow_mut() = Some(V::Data(value));
                }
                Ok(V::bool(changed))
            }
            (Obj::Cycler(items, index), "next") => {
                let i = index.get();
                index.set((i + 1) % items.len().max(1));
                Ok(items.get(i).cloned().unwrap_or_else(V::null))
            }
            (Obj::Cycler(_, index), "reset") => {
                index.set(0);
                Ok(V::null())
            }
            (Obj::Time(time), _) => super::globals::time_method(self, time, name, &args),
            (Obj::Vars, "get") => {
                let key = match args.pos.first() {
                    Some(key) => self.defined_value(key)?,
                    None => return Err(failure("get expected at least 1 argument, got 0")),
                };
                let found = self.entry(v, &self.key(key)?)?;
                Ok(found
                    .or_else(|| args.pos.get(1).cloned())
                    .unwrap_or_else(V::null))
            }
            (Obj::Vars, _) => {
                let all = V::Data(self.to_value(v)?);
                super::methods::call(self, &all, name, args)
            }
            _ => Err(failure(format_args!(
                "'{}' object is not callable",
                v.type_name()
            ))),
        }
    }

    // ---- macros and blocks ----

    pub fn call_macro(&self, m: &MacroObj, args: Args) -> Result<V> {
        let decl = &m.decl;
        let inner = inner(&m.cx);
        let mut pos = args.pos.into_iter();
        let mut kw = args.kw;
        let named = |kw: &mut Vec<(Arc<str>, V)>, name: &str| {
            kw.iter()
                .position(|(k, _)| **k == *name)
                .map(|i| kw.remove(i).1)
        };
        let caller = named(&mut kw, "caller");
        let first_default = decl.params.len() - decl.defaults.len();
        for (i, param) in decl.params.iter().enumerate() {
            let given = pos.next();
            let v = match (given, named(&mut kw, param)) {
                (Some(_), Some(_)) => {
                    return Err(failure(format_args!(
                        "macro '{}' got multiple values for argument '{param}'",
                        decl.name
                    )));
                }
                (Some(v), None) | (None, Some(v)) => v,
                (None, None) => match i.checked_sub(first_default) {
                    Some(d) => self.eval(&decl.defaults[d], &inner)?,
                    None => V::undefined(format!("parameter '{param}' was not provided")),
                },
            };
            inner.env.set(param, v);
        }
        let rest: Vec<V> = pos.collect();
        if decl.uses_varargs {
            inner
                .env
                .set(&Arc::from("varargs"), V::Tuple(Rc::new(rest)));
        } else if !rest.is_empty() {
            return Err(failure(format_args!(
                "macro '{}' takes not more than {} argument(s)",
                decl.name,
                decl.params.len()
            )));
        }
        if decl.uses_kwargs {
            let entries: Dict = kw.into_iter().map(|(k, v)| (Key::Str(k), v)).collect();
            inner.env.set(&Arc::from("kwargs"), V::dict(entries));
        } else if let Some((name, _)) = kw.first() {
            return Err(failure(format_args!(
                "macro '{}' takes no keyword argument '{name}'",
                decl.name
            )));
        }
        if decl.uses_caller {
            let caller = caller.unwrap_or_else(|| V::undefined("No caller defined"));
            inner.env.set(&Arc::from("caller"), caller);
        } else if caller.is_some() {
            return Err(failure(format_args!(
                "macro '{}' was invoked with two values for the special caller argument. This is most likely a bug.",
                decl.name
            )));
        }
        let value = self.deeper(|| self.captured(&decl.body, &inner))?;
        Ok(V::Data(value))
    }

    /// The output of a block's definition, `level` steps up from the most derived.
    pub fn call_block(&self, name: &Arc<str>, level: usize, cx: &Cx) -> Result<V> {
        let found: Option<(Arc<Block>, Rc<Here>)> = cx
            .here
            .page
            .blocks
            .borrow()
            .get(name)
            .and_then(|b| b.get(level))
            .cloned();
        let Some((block, here)) = found else {
            return Ok(V::undefined(if level > 0 {
                format!("there is no parent block called '{name}'.")
            } else {
                format!("'self' has no block '{name}'")
            }));
        };
        let inner = Cx {
            env: Env::child(&cx.env),
            here,
        };
        inner.env.set(
            &Arc::from("super"),
            V::obj(Obj::Super(Arc::clone(name), level + 1)),
        );
        self.deeper(|| self.captured(&block.body, &inner))
            .map(V::Data)
    }

    // ---- other templates ----

    fn names_of(&self, e: &super::ast::Expr, cx: &Cx) -> Result<Vec<String>> {
        let v = self.eval(e, cx)?;
        let v = self.need(v, cx, e.at)?;
        match &v {
            V::Data(Value::Str(s)) => Ok(vec![s.to_string()]),
            other => self
                .iterate(other)?
                .iter()
                .map(|v| self.text(v))
                .collect::<Result<_>>(),
        }
    }

    fn exists(&self, e: &super::ast::Expr, cx: &Cx) -> Result<bool> {
        let names = self.names_of(e, cx)?;
        Ok(names
            .iter()
            .any(|n| self.templar.find_template(n, &cx.here).is_ok()))
    }

    /// The first of the named templates that there is.
    fn load(&self, e: &super::ast::Expr, cx: &Cx, page: &Rc<Page>) -> Result<Option<Rc<Here>>> {
        let names = self.names_of(e, cx)?;
        let mut missing = None;
        for name in &names {
            match self.templar.find_template(name, &cx.here) {
                Ok(path) => {
                    let here = self.templar.load_template(&path, &cx.here, page)?;
                    if here.unit.mutates {
                        self.mutating.set(true);
                    }
                    return Ok(Some(Rc::new(here)));
                }
                Err(error) => missing = missing.or(Some(error)),
            }
        }
        match missing {
            Some(error) => Err(placed(error, cx, e.at)),
            None => Ok(None),
        }
    }

    fn import(&self, e: &super::ast::Expr, cx: &Cx) -> Result<Rc<Env>> {
        let page = Rc::new(Page::default());
        let here = self
            .load(e, cx, &page)?
            .ok_or_else(|| failure("no template to import"))?;
        let module = Cx {
            env: Rc::new(Env::default()),
            here,
        };
        if let Body::Template(stmts) = &module.here.unit.body {
            self.deeper(|| self.template(stmts, &module, &mut Out::new()))?;
        }
        Ok(module.env)
    }
}

fn inner(cx: &Cx) -> Cx {
    Cx {
        env: Env::child(&cx.env),
        here: Rc::clone(&cx.here),
    }
}

fn placed(error: Error, cx: &Cx, at: u32) -> Error {
    if error.location().is_some() {
        return error;
    }
    error.at_opt(cx.here.location(at).as_ref())
}
