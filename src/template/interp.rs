//! Evaluates expressions.
//!
//! A value is asked for as late as possible: a variable when its name is reached, an entry of a
//! user's map when it is looked into. Errors get the place of the innermost expression that knows one.

use super::ast::{Arg, Cmp, Expr, Kind, Op, TestCall};
use super::call::Call;
use super::compile::{Unit, bare};
use super::ops::{self, failure};
use super::percent;
use super::python;
use super::templar::{Raw, Templar};
use super::val::{Dict, Function, Obj, Undef, V, range_len};
use super::{filters, methods, tests};
use crate::error::Kind as ErrorKind;
use crate::source::Location;
use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Names of a block of statements, inside of those around it.
#[derive(Default)]
pub struct Env {
    pub vars: RefCell<Vec<(Arc<str>, V)>>,
    pub parent: Option<Rc<Env>>,
}

impl Env {
    pub fn child(parent: &Rc<Env>) -> Rc<Env> {
        Rc::new(Env {
            vars: RefCell::default(),
            parent: Some(Rc::clone(parent)),
        })
    }
    pub fn get(&self, name: &str) -> Option<V> {
        let mut env = Some(self);
        while let Some(e) = env {
            if let Some((_, v)) = e.vars.borrow().iter().rev().find(|(n, _)| **n == *name) {
                return Some(v.clone());
            }
            env = e.parent.as_deref();
        }
        None
    }
    pub fn set(&self, name: &Arc<str>, value: V) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = value,
            None => vars.push((Arc::clone(name), value)),
        }
    }
    /// Replaces a value where it is defined.
    fn replace(&self, name: &str, value: &V) {
        let mut env = Some(self);
        while let Some(e) = env {
            if let Some(slot) = e
                .vars
                .borrow_mut()
                .iter_mut()
                .rev()
                .find(|(n, _)| **n == *name)
            {
                slot.1 = value.clone();
                return;
            }
            env = e.parent.as_deref();
        }
    }
}

/// A text that is being evaluated, and where it starts in the user's file.
pub struct Here {
    pub unit: Arc<Unit>,
    pub at: Option<Location>,
    /// Whether places can be counted from the start.
    pub verbatim: bool,
    pub page: Rc<Page>,
}

/// A block's definition and the template that it is in.
pub type Definition = (Arc<super::ast::Block>, Rc<Here>);

/// What the templates of one inheritance chain share.
#[derive(Default)]
pub struct Page {
    /// Definitions of each block, the most derived first.
    pub blocks: RefCell<HashMap<Arc<str>, Vec<Definition>>>,
    /// The template that the one being run extends, once that is known.
    pub parent: RefCell<Option<Rc<Here>>>,
}

/// Where evaluation stands.
#[derive(Clone)]
pub struct Cx {
    pub env: Rc<Env>,
    pub here: Rc<Here>,
}

impl Here {
    /// The place of a byte of the text.
    pub fn location(&self, offset: u32) -> Option<Location> {
        let at = self.at.as_ref()?;
        if !self.verbatim {
            return Some(at.clone());
        }
        let before = self.unit.text.get(..offset as usize)?;
        let (line, column) = match before.rfind('\n') {
            None => (at.line, at.column + before.chars().count() as u32),
            Some(i) => (
                at.line + before.matches('\n').count() as u32,
                before[i + 1..].chars().count() as u32 + 1,
            ),
        };
        let scalar = at.scalar.or(Some((at.line, at.column)));
        Some(Location::new(&at.source, line, column).in_scalar(scalar))
    }
}

/// One evaluation of a template with all that it includes.
pub struct Interp<'t> {
    pub templar: &'t Templar,
    /// Whether containers are to be such that a template can change them.
    pub mutating: Cell<bool>,
    /// Variables that were made changeable.
    vars: RefCell<HashMap<Arc<str>, V>>,
    depth: Cell<u32>,
}

/// Macros calling macros, loops in loops: deeper than this is endless.
const DEEPEST: u32 = 60;

/// Positional and named arguments of a call inside a template.
#[derive(Default)]
pub struct Args {
    pub pos: Vec<V>,
    pub kw: Vec<(Arc<str>, V)>,
}

impl<'t> Interp<'t> {
    pub fn new(templar: &'t Templar) -> Interp<'t> {
        Interp {
            templar,
            mutating: Cell::new(false),
            vars: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// Runs `f` one level deeper.
    pub fn deeper<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.depth.get() >= DEEPEST {
            return Err(failure("maximum recursion depth exceeded"));
        }
        self.depth.set(self.depth.get() + 1);
        let result = f();
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn place(&self, error: Error, cx: &Cx, at: u32) -> Error {
        if error.location().is_some() {
            return error;
        }
        error.at_opt(cx.here.location(at).as_ref())
    }

    /// The error that using an undefined value is.
    pub fn undefined_error(&self, undef: &Undef) -> Error {
        if let Some(error) = &undef.error {
            return error.clone();
        }
        self.undefined_message(&undef.message)
    }

    pub fn undefined_message(&self, message: &str) -> Error {
        let error = Error::new(ErrorKind::Undefined, message);
        match message
            .strip_prefix('\'')
            .and_then(|m| m.strip_suffix("' is undefined"))
            .and_then(|name| self.templar.suggest(name))
        {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }

    /// Refuses an undefined value.
    pub fn need(&self, v: V, cx: &Cx, at: u32) -> Result<V> {
        match &v {
            V::Undefined(u) => Err(self.place(self.undefined_error(u), cx, at)),
            V::Data(Value::Undefined(message)) => {
                Err(self.place(self.undefined_message(message), cx, at))
            }
            _ => Ok(v),
        }
    }

    fn eval_needed(&self, e: &Expr, cx: &Cx) -> Result<V> {
        let v = self.eval(e, cx)?;
        self.need(v, cx, e.at)
    }

    /// The value of an operand: defined and rendered.
    fn operand(&self, e: &Expr, cx: &Cx) -> Result<Value> {
        match self.eval(e, cx)? {
            V::Data(v) if !matches!(v, Value::Undefined(_)) => Ok(v),
            other => {
                let v = self.need(other, cx, e.at)?;
                let value = self.to_value(&v).map_err(|err| self.place(err, cx, e.at))?;
                self.refuse_nested(&value)
                    .map_err(|err| self.place(err, cx, e.at))?;
                Ok(value)
            }
        }
    }

    /// The truth of a condition.
    pub fn truth(&self, e: &Expr, cx: &Cx) -> Result<bool> {
        Ok(self.eval_needed(e, cx)?.is_truthy())
    }

    /// Evaluates an expression. The result may be undefined.
    pub fn eval(&self, e: &Expr, cx: &Cx) -> Result<V> {
        match &e.kind {
            Kind::Const(v) => Ok(V::Data(v.clone())),
            Kind::Var(name) => self
                .variable(name, cx)
                .map_err(|err| self.place(err, cx, e.at)),
            Kind::Attr(value, name) => {
                let v = self.eval(value, cx)?;
                self.attr(&v, name).map_err(|err| self.place(err, cx, e.at))
            }
            Kind::Item(value, key) => {
                let v = self.eval(value, cx)?;
                if v.is_undefined() {
                    return Ok(v);
                }
                let key = self.operand(key, cx)?;
                self.item(&v, &key).map_err(|err| self.place(err, cx, e.at))
            }
            Kind::Slice(value, parts) => self.slice(value, parts, cx),
            Kind::Not(inner) => Ok(V::bool(!self.truth(inner, cx)?)),
            Kind::Neg(inner) => {
                let v = self.operand(inner, cx)?;
                ops::negate(&v)
                    .map(V::Data)
                    .map_err(|err| self.place(err, cx, e.at))
            }
            Kind::And(a, b) => {
                let left = self.eval_needed(a, cx)?;
                if left.is_truthy() {
                    self.eval(b, cx)
                } else {
                    Ok(left)
                }
            }
            Kind::Or(a, b) => {
                let left = self.eval_needed(a, cx)?;
                if left.is_truthy() {
                    Ok(left)
                } else {
                    self.eval(b, cx)
                }
            }
            Kind::Binary(op, a, b) => self.binary(*op, a, b, e.at, cx),
            Kind::Compare(first, rest) => self.compare(first, rest, e.at, cx),
            Kind::If(test, yes, no) => {
                if self.truth(test, cx)? {
                    self.eval(yes, cx)
                } else if let Some(no) = no {
                    self.eval(no, cx)
                } else {
                    Ok(V::Undefined(Rc::new(Undef {
                        message: Arc::from(
                            "the inline if-expression evaluated to false and no else section was defined.",
                        ),
                        error: None,
                        silent: true,
                    })))
                }
            }
            Kind::Filter(call) => {
                let value = match &call.value {
                    Some(value) => self.eval(value, cx)?,
                    None => V::null(),
                };
                self.filter(e, value, cx)
            }
            Kind::Test(call) => self
                .test(call, cx)
                .map(V::bool)
                .map_err(|err| self.place(err, cx, e.at)),
            Kind::Call(callee, args) => self.call_expr(e, callee, args, cx),
            Kind::List(items) => {
                let items = items
                    .iter()
                    .map(|i| self.eval(i, cx))
                    .collect::<Result<Vec<V>>>()?;
                if !self.mutating.get() && items.iter().all(|v| matches!(v, V::Data(_))) {
                    return Ok(V::Data(Value::list(
                        items
                            .into_iter()
                            .map(|v| match v {
                                V::Data(v) => v,
                                _ => Value::Null,
                            })
                            .collect(),
                    )));
                }
                Ok(V::list(items))
            }
            Kind::Tuple(items) => Ok(V::Tuple(Rc::new(
                items
                    .iter()
                    .map(|i| self.eval(i, cx))
                    .collect::<Result<_>>()?,
            ))),
            Kind::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    let name = self.operand(key, cx)?;
                    let name = self.key(name).map_err(|err| self.place(err, cx, key.at))?;
                    dict.insert(name, self.eval(value, cx)?);
                }
                if !self.mutating.get() && dict.values().all(|v| matches!(v, V::Data(_))) {
                    return Ok(V::Data(Value::map(
                        dict.into_iter()
                            .map(|(k, v)| match v {
                                V::Data(v) => (k, v),
                                _ => (k, Value::Null),
                            })
                            .collect(),
                    )));
                }
                Ok(V::dict(dict))
            }
        }
    }

    /// A value as a key of a dictionary.
    pub fn key(&self, value: Value) -> Result<Key> {
        match value {
            Value::List(_) | Value::Map(_) | Value::Dynamic(_) => Err(failure(format_args!(
                "unhashable type: '{}'",
                value.type_name()
            ))),
            other => Ok(Key::from_value(other)),
        }
    }

    // ---- names ----

    fn variable(&self, name: &Arc<str>, cx: &Cx) -> Result<V> {
        if let Some(v) = cx.env.get(name) {
            if self.mutating.get()
                && matches!(v, V::Data(Value::List(_) | Value::Map(_)) | V::Lazy(_))
            {
                let v = self.promote(v);
                cx.env.replace(name, &v);
                return Ok(v);
            }
            return Ok(v);
        }
        self.global(name)
    }

    /// A name that the template itself does not define.
    pub fn global(&self, name: &str) -> Result<V> {
        if self.mutating.get()
            && let Some(v) = self.vars.borrow().get(name)
        {
            return Ok(v.clone());
        }
        match self.templar.variable(name) {
            Ok(Some(raw)) => {
                let mut v = raw_to_v(raw);
                if self.mutating.get() {
                    v = self.promote(v);
                    self.vars.borrow_mut().insert(Arc::from(name), v.clone());
                }
                Ok(v)
            }
            Ok(None) => Ok(self.builtin(name)),
            Err(error) if error.kind() == ErrorKind::Undefined => {
                Ok(V::Undefined(Rc::new(Undef {
                    message: Arc::from(error.message()),
                    error: Some(error),
                    silent: false,
                })))
            }
            Err(error) => Err(error),
        }
    }

    fn builtin(&self, name: &str) -> V {
        V::obj(Obj::Function(match name {
            "range" => Function::Range,
            "dict" => Function::Dict,
            "namespace" => Function::Namespace,
            "lookup" => Function::Lookup,
            "query" | "q" => Function::Query,
            "now" => Function::Now,
            "undef" => Function::Undef,
            "cycler" => Function::Cycler,
            "joiner" => Function::Joiner,
            "lipsum" => Function::Lipsum,
            "omit" => return V::Data(Value::Omit),
            "vars" => return V::obj(Obj::Vars),
            "self" => return V::obj(Obj::SelfBlocks),
            // Python's spellings that minijinja's parser takes for names
            "TRUE" => return V::bool(true),
            "FALSE" => return V::bool(false),
            _ => return V::undefined(format!("'{name}' is undefined")),
        }))
    }

    /// A container that the template may change; other values as they are.
    pub fn promote(&self, v: V) -> V {
        match v {
            V::Data(Value::List(l)) => V::list(l.iter().cloned().map(V::Data).collect()),
            V::Data(Value::Map(m)) => V::dict(
                m.iter()
                    .map(|(k, v)| (k.clone(), V::Data(v.clone())))
                    .collect(),
            ),
            V::Lazy(Value::List(l)) => V::list(l.iter().cloned().map(V::Lazy).collect()),
            V::Lazy(Value::Map(m)) => V::dict(
                m.iter()
                    .map(|(k, v)| (k.clone(), V::Lazy(v.clone())))
                    .collect(),
            ),
            other => other,
        }
    }

    /// A part of a user's value, rendered as far as needed to look at it.
    fn settle(&self, raw: &Value) -> Result<V> {
        match self.templar.settle(raw) {
            Ok(raw) => Ok(raw_to_v(raw)),
            Err(error) if error.kind() == ErrorKind::Undefined => {
                Ok(V::Undefined(Rc::new(Undef {
                    message: Arc::from(error.message()),
                    error: Some(error),
                    silent: false,
                })))
            }
            Err(error) => Err(error),
        }
    }

    /// A part of a changeable container, made ready and put back.
    fn ready(&self, v: &V) -> Result<Option<V>> {
        let settled = match v {
            V::Lazy(raw) => self.settle(raw)?,
            V::Data(Value::List(_) | Value::Map(_)) if self.mutating.get() => v.clone(),
            _ => return Ok(None),
        };
        Ok(Some(if self.mutating.get() {
            self.promote(settled)
        } else {
            settled
        }))
    }

    fn list_item(&self, list: &RefCell<Vec<V>>, i: usize) -> Result<Option<V>> {
        let Some(v) = list.borrow().get(i).cloned() else {
            return Ok(None);
        };
        Ok(Some(match self.ready(&v)? {
            None => v,
            Some(ready) => {
                if let Some(slot) = list.borrow_mut().get_mut(i) {
                    *slot = ready.clone();
                }
                ready
            }
        }))
    }

    pub fn dict_entry(&self, dict: &RefCell<Dict>, key: &Key) -> Result<Option<V>> {
        let Some(v) = dict.borrow().get(key).cloned() else {
            return Ok(None);
        };
        Ok(Some(match self.ready(&v)? {
            None => v,
            Some(ready) => {
                if let Some(slot) = dict.borrow_mut().get_mut(key) {
                    *slot = ready.clone();
                }
                ready
            }
        }))
    }

    // ---- attributes and items ----

    fn missing(&self, v: &V, name: impl std::fmt::Display) -> V {
        V::undefined(format!(
            "object of type '{}' has no attribute {name}",
            v.type_name()
        ))
    }

    /// `value.name`: a method or attribute first, an entry second.
    pub fn attr(&self, v: &V, name: &Arc<str>) -> Result<V> {
        match v {
            V::Undefined(_) | V::Data(Value::Undefined(_)) => return Ok(v.clone()),
            V::Obj(obj) => return self.obj_attr(v, obj, name),
            _ => {}
        }
        if methods::exists(v, name) {
            return Ok(V::obj(Obj::Bound(v.clone(), Arc::clone(name))));
        }
        match self.entry(v, &Key::Str(Arc::clone(name)))? {
            Some(found) => Ok(found),
            None => Ok(match v {
                V::Data(Value::Dynamic(d)) => V::undefined(d.missing(name)),
                _ => self.missing(v, python::quote(name)),
            }),
        }
    }

    /// The entry of a map of any kind.
    pub fn entry(&self, v: &V, key: &Key) -> Result<Option<V>> {
        match v {
            V::Data(Value::Map(m)) => Ok(m.get(key).cloned().map(V::Data)),
            V::Data(Value::Dynamic(d)) => match key {
                Key::Str(k) => Ok(d.get(k)?.map(V::Data)),
                Key::Other(_) => Ok(None),
            },
            V::Lazy(Value::Map(m)) => m.get(key).map(|raw| self.settle(raw)).transpose(),
            V::Dict(d) => self.dict_entry(d, key),
            V::Obj(obj) => match (&**obj, key) {
                (Obj::Vars, Key::Str(name)) => {
                    let v = self.global_variable(name)?;
                    Ok(v)
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn global_variable(&self, name: &str) -> Result<Option<V>> {
        match self.templar.variable(name)? {
            Some(raw) => Ok(Some(raw_to_v(raw))),
            None => Ok(None),
        }
    }

    /// `value[key]`: an entry first, an attribute second.
    pub fn item(&self, v: &V, key: &Value) -> Result<V> {
        if v.is_undefined() {
            return Ok(v.clone());
        }
        let index = match key {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        };
        let found = match v {
            V::Data(Value::List(l)) => index
                .and_then(|i| position(i, l.len()))
                .map(|i| V::Data(l[i].clone())),
            V::Lazy(Value::List(l)) => match index.and_then(|i| position(i, l.len())) {
                Some(i) => Some(self.settle(&l[i])?),
                None => None,
            },
            V::Tuple(t) => index
                .and_then(|i| position(i, t.len()))
                .map(|i| t[i].clone()),
            V::List(l) => {
                let len = l.borrow().len();
                match index.and_then(|i| position(i, len)) {
                    Some(i) => self.list_item(l, i)?,
                    None => None,
                }
            }
            V::Data(Value::Str(s)) => index.and_then(|i| {
                let i = position(i, s.chars().count())?;
                Some(V::str(s.chars().nth(i)?.to_string()))
            }),
            V::Obj(obj) => match (&**obj, index) {
                (Obj::Range(start, stop, step), Some(i)) => {
                    position(i, range_len(*start, *stop, *step))
                        .map(|i| V::int(start + i as i64 * step))
                }
                _ => self.entry(v, &Key::from_value(key.clone()))?,
            },
            _ => self.entry(v, &self.key(key.clone())?)?,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if let Value::Str(name) = key {
            if let V::Obj(obj) = v {
                return self.obj_attr(v, obj, name);
            }
            if methods::exists(v, name) {
                return Ok(V::obj(Obj::Bound(v.clone(), Arc::clone(name))));
            }
        }
        Ok(match (v, key) {
            (V::Data(Value::Dynamic(d)), Value::Str(key)) => V::undefined(d.missing(key)),
            _ => self.missing(v, python::repr(key)),
        })
    }

    fn slice(&self, value: &Expr, parts: &[Option<Box<Expr>>; 3], cx: &Cx) -> Result<V> {
        let v = self.eval_needed(value, cx)?;
        let mut bounds = [None; 3];
        for (bound, part) in bounds.iter_mut().zip(parts) {
            if let Some(part) = part {
                *bound = match self.operand(part, cx)? {
                    Value::Int(i) => Some(i),
                    Value::Bool(b) => Some(i64::from(b)),
                    Value::Null => None,
                    _ => {
                        return Err(self.place(
                            failure("slice indices must be integers or None or have an __index__ method"),
                            cx,
                            part.at,
                        ));
                    }
                };
            }
        }
        let [start, stop, step] = bounds;
        let taken = |len| {
            ops::slice_positions(len, start, stop, step)
                .map_err(|err| self.place(err, cx, value.at))
        };
        match &v {
            V::Data(Value::Str(s)) => {
                let chars: Vec<char> = s.chars().collect();
                let text: String = taken(chars.len())?.into_iter().map(|i| chars[i]).collect();
                Ok(V::from(Value::from(text)))
            }
            V::Tuple(t) => Ok(V::Tuple(Rc::new(
                taken(t.len())?.into_iter().map(|i| t[i].clone()).collect(),
            ))),
            V::Data(Value::List(l)) => Ok(V::Data(Value::list(
                taken(l.len())?.into_iter().map(|i| l[i].clone()).collect(),
            ))),
            V::Lazy(Value::List(_)) | V::List(_) => {
                let items = self.iterate(&v)?;
                Ok(V::list(
                    taken(items.len())?
                        .into_iter()
                        .map(|i| items[i].clone())
                        .collect(),
                ))
            }
            V::Obj(o) if matches!(**o, Obj::Range(..)) => {
                let items = self.iterate(&v)?;
                Ok(V::list(
                    taken(items.len())?
                        .into_iter()
                        .map(|i| items[i].clone())
                        .collect(),
                ))
            }
            other => {
                let v = self.missing(other, "slice");
                self.need(v, cx, value.at)
            }
        }
    }

    // ---- operators ----

    fn binary(&self, op: Op, a: &Expr, b: &Expr, at: u32, cx: &Cx) -> Result<V> {
        if op == Op::Concat {
            let left = self.eval_needed(a, cx)?;
            let right = self.eval_needed(b, cx)?;
            return Ok(V::from(Value::from(
                self.text(&left)? + &self.text(&right)?,
            )));
        }
        if op == Op::Rem || op == Op::Add {
            let left = self.eval_needed(a, cx)?;
            if let (Op::Rem, V::Data(Value::Str(text))) = (op, &left) {
                let right = self.eval_needed(b, cx)?;
                let values = match &right {
                    V::Tuple(t) => percent::Values::Many(
                        t.iter()
                            .map(|v| self.defined_value(v))
                            .collect::<Result<_>>()?,
                    ),
                    other => percent::Values::One(self.defined_value(other)?),
                };
                return percent::format(text, &values)
                    .map(|text| V::from(Value::from(text)))
                    .map_err(|err| self.place(err, cx, at));
            }
            if let (V::Tuple(x), Kind::Tuple(_)) = (&left, &b.kind)
                && let V::Tuple(y) = self.eval(b, cx)?
            {
                return Ok(V::Tuple(Rc::new(
                    x.iter().chain(y.iter()).cloned().collect(),
                )));
            }
            let left = match left {
                V::Data(v) => v,
                other => self
                    .defined_value(&other)
                    .map_err(|err| self.place(err, cx, a.at))?,
            };
            let right = self.operand(b, cx)?;
            return ops::binary(op, &left, &right)
                .map(V::Data)
                .map_err(|err| self.place(err, cx, at));
        }
        let left = self.operand(a, cx)?;
        let right = self.operand(b, cx)?;
        ops::binary(op, &left, &right)
            .map(V::Data)
            .map_err(|err| self.place(err, cx, at))
    }

    fn compare(&self, first: &Expr, rest: &[(Cmp, Expr)], at: u32, cx: &Cx) -> Result<V> {
        let mut left = self.compared(first, cx)?;
        for (cmp, e) in rest {
            if matches!(cmp, Cmp::In | Cmp::NotIn) {
                let right = self.eval_needed(e, cx)?;
                let found = self
                    .contains(&right, &left)
                    .map_err(|err| self.place(err, cx, at))?;
                if found == (*cmp == Cmp::NotIn) {
                    return Ok(V::bool(false));
                }
                left = self.to_value(&right)?;
                continue;
            }
            let right = self.compared(e, cx)?;
            if !ops::compare(*cmp, &left, &right).map_err(|err| self.place(err, cx, at))? {
                return Ok(V::bool(false));
            }
            left = right;
        }
        Ok(V::bool(true))
    }

    fn compared(&self, e: &Expr, cx: &Cx) -> Result<Value> {
        self.operand(e, cx)
    }

    /// `item in container`, without rendering more of the container than needed.
    fn contains(&self, container: &V, item: &Value) -> Result<bool> {
        match container {
            V::Data(v) => ops::contains(v, item),
            V::Lazy(Value::Map(m)) => Ok(m.contains_key(&Key::from_value(item.clone()))),
            V::Dict(d) => Ok(d.borrow().contains_key(&Key::from_value(item.clone()))),
            V::Obj(obj) if matches!(**obj, Obj::Vars) => Ok(match item {
                Value::Str(name) => self.templar.defines(name),
                _ => false,
            }),
            V::Tuple(_) | V::List(_) | V::Lazy(_) => {
                for v in self.iterate(container)? {
                    if !v.is_undefined() && self.to_value(&v)? == *item {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            other => {
                let value = self.to_value(other)?;
                ops::contains(&value, item)
            }
        }
    }

    // ---- conversions ----

    /// The value with every template in it rendered. Undefined parts stay as `Value::Undefined`.
    pub fn to_value(&self, v: &V) -> Result<Value> {
        Ok(match v {
            V::Data(v) => v.clone(),
            V::Lazy(raw) => self.templar.deep(raw)?,
            V::Undefined(u) => Value::Undefined(Arc::clone(&u.message)),
            V::Tuple(t) => Value::list(t.iter().map(|v| self.to_value(v)).collect::<Result<_>>()?),
            V::List(l) => {
                let items = l.borrow().clone();
                self.deeper(|| {
                    Ok(Value::list(
                        items
                            .iter()
                            .map(|v| self.to_value(v))
                            .collect::<Result<_>>()?,
                    ))
                })?
            }
            V::Dict(d) => {
                let entries = d.borrow().clone();
                self.deeper(|| self.map_of(&entries))?
            }
            V::Obj(obj) => match &**obj {
                Obj::Range(..) => Value::list(
                    self.iterate(v)?
                        .iter()
                        .map(|v| self.to_value(v))
                        .collect::<Result<_>>()?,
                ),
                Obj::Namespace(d) => {
                    let entries = d.borrow().clone();
                    self.map_of(&entries)?
                }
                Obj::Vars => {
                    let mut map = Map::default();
                    for name in self.templar.names() {
                        if let Ok(Some(raw)) = self.templar.variable(&name)
                            && let Ok(value) = self.to_value(&raw_to_v(raw))
                        {
                            map.insert(Key::Str(name), value);
                        }
                    }
                    Value::map(map)
                }
                Obj::Time(time) => Value::from(super::globals::time_text(time)),
                Obj::Module(env) => {
                    let _ = env;
                    Value::str("")
                }
                _ => {
                    return Err(failure(format_args!(
                        "Type '{}' is unsupported for variable storage.",
                        v.type_name()
                    )));
                }
            },
        })
    }

    fn map_of(&self, entries: &Dict) -> Result<Value> {
        Ok(Value::map(
            entries
                .iter()
                .map(|(k, v)| Ok((k.clone(), self.to_value(v)?)))
                .collect::<Result<Map>>()?,
        ))
    }

    /// As [`Interp::to_value`]; an undefined part is an error.
    pub fn defined_value(&self, v: &V) -> Result<Value> {
        if let V::Undefined(u) = v {
            return Err(self.undefined_error(u));
        }
        let value = self.to_value(v)?;
        self.refuse_nested(&value)?;
        Ok(value)
    }

    pub fn refuse_nested(&self, value: &Value) -> Result<()> {
        match find_undefined(value) {
            Some(message) => Err(self.undefined_message(message)),
            None => Ok(()),
        }
    }

    /// Python's `str()`.
    pub fn text(&self, v: &V) -> Result<String> {
        match v {
            V::Data(Value::Str(s)) => Ok(s.to_string()),
            V::Tuple(t) => {
                let mut out = String::from("(");
                for (i, item) in t.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    match item {
                        V::Tuple(_) => out.push_str(&self.text(item)?),
                        other => out.push_str(&python::repr(&self.defined_value(other)?)),
                    }
                }
                out.push_str(if t.len() == 1 { ",)" } else { ")" });
                Ok(out)
            }
            V::Obj(obj) => match &**obj {
                Obj::Range(start, stop, 1) => Ok(format!("range({start}, {stop})")),
                Obj::Range(start, stop, step) => Ok(format!("range({start}, {stop}, {step})")),
                Obj::Time(time) => Ok(super::globals::time_text(time)),
                Obj::Module(_) => Ok(String::new()),
                _ => Ok(python::str(&self.defined_value(v)?)),
            },
            other => Ok(python::str(&self.defined_value(other)?)),
        }
    }

    /// The items that `for` and Python's `list()` see.
    pub fn iterate(&self, v: &V) -> Result<Vec<V>> {
        let keys = |map: &Map| map.keys().map(|k| V::Data(k.to_value())).collect();
        Ok(match v {
            V::Data(Value::List(l)) => l.iter().cloned().map(V::Data).collect(),
            V::Data(Value::Map(m)) => keys(m),
            V::Lazy(Value::Map(m)) => keys(m),
            V::Data(Value::Dynamic(d)) => d
                .keys()
                .into_iter()
                .map(|k| V::Data(Value::Str(k)))
                .collect(),
            V::Data(Value::Str(s)) => s
                .chars()
                .map(|c| V::str(c.encode_utf8(&mut [0; 4])))
                .collect(),
            V::Lazy(Value::List(l)) => l
                .iter()
                .map(|raw| self.settle(raw))
                .collect::<Result<_>>()?,
            V::Tuple(t) => t.to_vec(),
            V::List(l) => {
                let len = l.borrow().len();
                let mut items = Vec::with_capacity(len);
                for i in 0..len {
                    items.extend(self.list_item(l, i)?);
                }
                items
            }
            V::Dict(d) => d.borrow().keys().map(|k| V::Data(k.to_value())).collect(),
            V::Undefined(u) => return Err(self.undefined_error(u)),
            V::Data(Value::Undefined(m)) => return Err(self.undefined_message(m)),
            V::Obj(obj) => match &**obj {
                Obj::Range(start, stop, step) => (0..range_len(*start, *stop, *step))
                    .map(|i| V::int(start + i as i64 * step))
                    .collect(),
                Obj::Vars => self
                    .templar
                    .names()
                    .into_iter()
                    .map(|n| V::Data(Value::Str(n)))
                    .collect(),
                Obj::Loop(_) => {
                    return Err(failure("'LoopContext' object is not iterable"));
                }
                _ => {
                    return Err(failure(format_args!(
                        "'{}' object is not iterable",
                        v.type_name()
                    )));
                }
            },
            other => {
                return Err(failure(format_args!(
                    "'{}' object is not iterable",
                    other.type_name()
                )));
            }
        })
    }

    // ---- filters and tests ----

    /// Evaluates the arguments of a call.
    pub fn args(&self, args: &[Arg], cx: &Cx) -> Result<Args> {
        let mut out = Args::default();
        for arg in args {
            match arg {
                Arg::Pos(e) => out.pos.push(self.eval(e, cx)?),
                Arg::Kw(name, e) => out.kw.push((Arc::clone(name), self.eval(e, cx)?)),
                Arg::Splat(e) => {
                    let v = self.eval_needed(e, cx)?;
                    out.pos.extend(self.iterate(&v)?);
                }
                Arg::KwSplat(e) => {
                    let v = self.eval_needed(e, cx)?;
                    for name in self.iterate(&v)? {
                        if let V::Data(Value::Str(name)) = name
                            && let Some(value) = self.entry(&v, &Key::Str(Arc::clone(&name)))?
                        {
                            out.kw.push((name, value));
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    /// A value for a filter or test: what cannot be rendered because something in it is undefined is undefined.
    fn handed(&self, v: &V) -> Result<Value> {
        match self.to_value(v) {
            Err(error) if error.kind() == ErrorKind::Undefined && matches!(v, V::Lazy(_)) => {
                Ok(Value::Undefined(Arc::from(error.message())))
            }
            other => other,
        }
    }

    fn call_of<'a>(&'a self, name: &'a str, value: &V, args: &Args) -> Result<Call<'a>> {
        Ok(Call {
            name,
            value: self.handed(value)?,
            args: args
                .pos
                .iter()
                .map(|v| self.handed(v))
                .collect::<Result<_>>()?,
            kwargs: args
                .kw
                .iter()
                .map(|(k, v)| Ok((Key::Str(Arc::clone(k)), self.handed(v)?)))
                .collect::<Result<_>>()?,
            templar: self.templar,
        })
    }

    /// Applies the filter of a filter expression to `value`.
    pub fn filter(&self, e: &Expr, value: V, cx: &Cx) -> Result<V> {
        let Kind::Filter(call) = &e.kind else {
            return Err(failure("not a filter"));
        };
        // a filter chain over a block's text has its value at the inner end
        let value = match &call.value {
            Some(inner) if matches!(&inner.kind, Kind::Filter(f) if f.innermost_is_open()) => {
                self.filter(inner, value, cx)?
            }
            _ => value,
        };
        let name = bare(&call.name);
        if matches!(name, "default" | "d") {
            return self.default(&value, &call.args, cx);
        }
        let Some(filter) = call.filter else {
            return Err(self.place(unknown("filter", &call.name, filters::names()), cx, e.at));
        };
        let args = self.args(&call.args, cx)?;
        let undefined = std::iter::once(&value)
            .chain(&args.pos)
            .find_map(|v| match v {
                V::Undefined(u) if u.error.is_some() => u.error.clone(),
                _ => None,
            });
        let call_args = self
            .call_of(name, &value, &args)
            .map_err(|err| self.place(err, cx, e.at))?;
        let result = filters::call(filter, call_args).map_err(|err| {
            // the cause, with its own place, if it was only passed on
            if let Some(cause) = undefined.filter(|c| c.message() == err.message()) {
                return cause;
            }
            self.place(self.plugin_error("filter", name, err), cx, e.at)
        })?;
        Ok(self.made(V::Data(result)))
    }

    fn made(&self, v: V) -> V {
        if self.mutating.get() {
            self.promote(v)
        } else {
            v
        }
    }

    fn plugin_error(&self, kind: &str, name: &str, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Template
                if !error.message().starts_with("The ")
                    && !error.message().starts_with("Error rendering")
                    && !error.message().starts_with("Recursive loop") =>
            {
                error.context(format!("The {kind} plugin 'ansible.builtin.{name}' failed"))
            }
            ErrorKind::Undefined if error.hint_text().is_none() => {
                let plain = self.undefined_message(error.message());
                match error.location() {
                    Some(at) => plain.at(at),
                    None => plain,
                }
            }
            _ => error,
        }
    }

    /// `value | default(other, boolean)`: evaluates nothing that it need not.
    fn default(&self, value: &V, args: &[Arg], cx: &Cx) -> Result<V> {
        let args = self.args(args, cx)?;
        let named = |name: &str| args.kw.iter().find(|(k, _)| **k == *name).map(|(_, v)| v);
        let other = args.pos.first().or_else(|| named("default_value"));
        let boolean = args
            .pos
            .get(1)
            .or_else(|| named("boolean"))
            .is_some_and(V::is_truthy);
        if value.is_undefined() || (boolean && !value.is_truthy()) {
            return Ok(other.cloned().unwrap_or_else(|| V::str("")));
        }
        Ok(value.clone())
    }

    fn test(&self, call: &TestCall, cx: &Cx) -> Result<bool> {
        let value = self.eval(&call.value, cx)?;
        match bare(&call.name) {
            "defined" => return Ok(!value.is_undefined()),
            "undefined" => return Ok(value.is_undefined()),
            "callable" => {
                return Ok(matches!(&value, V::Obj(o) if matches!(**o,
                    Obj::Function(_) | Obj::Bound(..) | Obj::Macro(_) | Obj::Joiner(..))));
            }
            "sameas" => {
                let args = self.args(&call.args, cx)?;
                if let Some(other) = args.pos.first() {
                    match (&value, other) {
                        (V::List(a), V::List(b)) => return Ok(Rc::ptr_eq(a, b)),
                        (V::Dict(a), V::Dict(b)) => return Ok(Rc::ptr_eq(a, b)),
                        (V::Obj(a), V::Obj(b)) => return Ok(Rc::ptr_eq(a, b)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        let Some(test) = call.test else {
            return Err(unknown("test", &call.name, tests::names()));
        };
        let args = self.args(&call.args, cx)?;
        // the kinds of values that only a template knows
        if let V::Obj(obj) = &value {
            let range = matches!(**obj, Obj::Range(..));
            match bare(&call.name) {
                "iterable" | "sequence" => return Ok(range || matches!(**obj, Obj::Vars)),
                "mapping" => return Ok(matches!(**obj, Obj::Vars | Obj::Namespace(_))),
                "none" | "string" | "number" | "boolean" | "integer" | "float" => return Ok(false),
                _ => {}
            }
        }
        let cause = match &value {
            V::Undefined(u) => u.error.clone(),
            _ => None,
        };
        let name = bare(&call.name);
        let call_args = self.call_of(name, &value, &args)?;
        tests::call(test, call_args).map_err(|err| {
            cause
                .filter(|c| c.message() == err.message())
                .unwrap_or_else(|| self.plugin_error("test", name, err))
        })
    }

    // ---- calls ----

    fn call_expr(&self, e: &Expr, callee: &Expr, args: &[Arg], cx: &Cx) -> Result<V> {
        // a method is called without making an object of it
        if let Kind::Attr(receiver, name) = &callee.kind {
            let value = self.eval(receiver, cx)?;
            let value = self.need(value, cx, receiver.at)?;
            let args = self.args(args, cx)?;
            return self
                .call_method(&value, name, args, cx)
                .map_err(|err| self.place(err, cx, e.at));
        }
        let function = self.eval_needed(callee, cx)?;
        let args = self.args(args, cx)?;
        self.call_value(&function, args, cx)
            .map_err(|err| self.place(err, cx, e.at))
    }

    pub fn call_method(&self, value: &V, name: &Arc<str>, args: Args, cx: &Cx) -> Result<V> {
        if !matches!(value, V::Obj(_)) && methods::exists(value, name) {
            return methods::call(self, value, name, args).map(|v| self.made(v));
        }
        let function = self.attr(value, name)?;
        match &function {
            V::Undefined(u) => Err(self.undefined_error(u)),
            _ => self.call_value(&function, args, cx),
        }
    }

    /// Calls a function, method or macro.
    pub fn call_value(&self, function: &V, args: Args, cx: &Cx) -> Result<V> {
        let V::Obj(obj) = function else {
            return Err(failure(format_args!(
                "'{}' object is not callable",
                function.type_name()
            )));
        };
        match &**obj {
            Obj::Function(f) => self.function(*f, args).map(|v| self.made(v)),
            Obj::Bound(value, name) => {
                let (value, name) = (value.clone(), Arc::clone(name));
                if matches!(value, V::Obj(_)) {
                    self.obj_method(&value, &name, args, cx)
                } else {
                    methods::call(self, &value, &name, args).map(|v| self.made(v))
                }
            }
            Obj::Macro(m) => self.call_macro(m, args),
            Obj::Joiner(separator, used) => {
                if used.replace(true) {
                    Ok(V::str(separator))
                } else {
                    Ok(V::str(""))
                }
            }
            Obj::Loop(l) => self.recurse(l, args),
            Obj::Super(name, level) => self.call_block(name, *level, cx),
            _ => Err(failure(format_args!(
                "'{}' object is not callable",
                function.type_name()
            ))),
        }
    }
}

impl super::ast::FilterCall {
    fn innermost_is_open(&self) -> bool {
        match &self.value {
            None => true,
            Some(Expr {
                kind: Kind::Filter(inner),
                ..
            }) => inner.innermost_is_open(),
            Some(_) => false,
        }
    }
}

fn raw_to_v(raw: Raw) -> V {
    match raw {
        Raw::Clean(v) => V::Data(v),
        Raw::Lazy(v) => V::Lazy(v),
    }
}

/// Python's index: from the end if negative.
fn position(index: i64, len: usize) -> Option<usize> {
    let i = if index < 0 {
        index.checked_add(i64::try_from(len).ok()?)?
    } else {
        index
    };
    usize::try_from(i).ok().filter(|i| *i < len)
}

/// The words of the first undefined part.
pub fn find_undefined(value: &Value) -> Option<&Arc<str>> {
    match value {
        Value::Undefined(message) => Some(message),
        Value::List(l) => l.iter().find_map(find_undefined),
        Value::Map(m) => m.values().find_map(find_undefined),
        _ => None,
    }
}

/// The error for a filter or test that does not exist.
pub fn unknown(kind: &str, name: &str, names: impl Iterator<Item = &'static str>) -> Error {
    let error = Error::new(
        ErrorKind::Template,
        format!("Syntax error in template: No {kind} named '{name}'."),
    );
    match crate::error::did_you_mean(bare(name), names) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error,
    }
}
