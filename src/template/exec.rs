//! Runs statements: loops, conditions, macros, blocks, includes.

use super::ast::{For, Stmt, Target};
use super::compile::Body;
use super::env::{Cx, Env, Here, Page};
use super::interp::{Args, Interp};
use super::ops::failure;
use super::python;
use super::templar::Raw;
use super::val::{LoopObj, MacroObj, Obj, V};
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
    ///
    /// A lone expression that is a user's container keeps the templates in it: they are rendered when
    /// they are asked for, so that an entry nobody looks at cannot fail.
    pub fn run(&self, here: &Rc<Here>) -> Result<Raw> {
        self.mutating.set(here.unit.mutates);
        let cx = Cx {
            env: Rc::new(Env::default()),
            here: Rc::clone(here),
        };
        let expr = match &here.unit.body {
            Body::Expr(e) => e,
            // nearly every template is one expression
            Body::Template(stmts) => match &stmts[..] {
                [Stmt::Emit(e)] => e,
                _ => {
                    let mut out = Out::new();
                    self.template(stmts, &cx, &mut out)?;
                    return Ok(Raw::Clean(concat(out)));
                }
            },
        };
        let v = self.eval(expr, &cx)?;
        if let V::Undefined(u) = &v {
            return Err(placed(self.undefined_error(u), &cx, expr.at));
        }
        if let V::Lazy(raw) = v {
            return Ok(Raw::Lazy(raw));
        }
        if let V::Obj(obj) = &v
            && let super::val::Obj::Time(moment) = &**obj
        {
            return Ok(Raw::Time(*moment));
        }
        self.finish(&v)
            .map(Raw::Clean)
            .map_err(|err| placed(err, &cx, expr.at))
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
    pub fn captured(&self, stmts: &[Stmt], cx: &Cx) -> Result<Value> {
        let mut out = Out::new();
        self.body(stmts, cx, &mut out)?;
        Ok(concat(out))
    }

    fn emit(&self, v: &V, out: &mut Out) -> Result<()> {
        if matches!(v, V::Undefined(u) if u.silent) {
            return Ok(());
        }
        if matches!(v, V::Obj(o) if matches!(**o, Obj::Range(..) | Obj::Time(_) | Obj::Span(_))) {
            out.push(Value::from(self.text(v)?));
            return Ok(());
        }
        match self.finish(v)? {
            Value::Null | Value::Omit => {}
            value => out.push(super::convert::whole(&value)?),
        }
        Ok(())
    }

    fn stmt(&self, stmt: &Stmt, cx: &Cx, out: &mut Out) -> Result<Flow> {
        match stmt {
            Stmt::Raw(text) => out.push(Value::from(Arc::clone(text))),
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

/// A scope inside of the one given.
pub fn inner(cx: &Cx) -> Cx {
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
