//! Evaluates expressions.
//!
//! A value is asked for as late as possible: a variable when its name is reached, an entry of a
//! user's map when it is looked into. Errors get the place of the innermost expression that knows one.

use super::ast::{Arg, Cmp, Expr, Kind, Op};
use super::compile::bare;
use super::env::Cx;
use super::methods;
use super::ops::{self, failure};
use super::percent;
use super::templar::Templar;
use super::val::{Dict, Function, Obj, Undef, V};
use crate::error::Kind as ErrorKind;
use crate::value::{Key, Value};
use crate::{Error, Result};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// One evaluation of a template with all that it includes.
pub struct Interp<'t> {
    pub templar: &'t Templar,
    /// Whether containers are to be such that a template can change them.
    pub mutating: Cell<bool>,
    /// Variables that were made changeable.
    pub vars: RefCell<HashMap<Arc<str>, V>>,
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

impl Args {
    /// The first undefined argument: what a call with it is.
    fn undefined(&self) -> Option<V> {
        self.pos
            .iter()
            .chain(self.kw.iter().map(|(_, v)| v))
            .find(|v| matches!(v, V::Undefined(u) if !u.silent))
            .cloned()
    }

    /// Whether this is the lookup `env`, whose default may be undefined.
    fn of_env(&self, function: Function) -> bool {
        let name = match self.pos.first() {
            Some(V::Data(Value::Str(name))) => bare(name),
            _ => return false,
        };
        name == "env" && matches!(function, Function::Lookup | Function::Query)
    }
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

    pub fn place(&self, error: Error, cx: &Cx, at: u32) -> Error {
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
    ///
    /// What `a if false` is counts as empty text, as Jinja2 has it.
    pub fn need(&self, v: V, cx: &Cx, at: u32) -> Result<V> {
        match &v {
            V::Undefined(u) if u.silent => Ok(V::str("")),
            V::Undefined(u) => Err(self.place(self.undefined_error(u), cx, at)),
            V::Data(Value::Undefined(message)) => {
                Err(self.place(self.undefined_message(message), cx, at))
            }
            _ => Ok(v),
        }
    }

    pub fn eval_needed(&self, e: &Expr, cx: &Cx) -> Result<V> {
        let v = self.eval(e, cx)?;
        self.need(v, cx, e.at)
    }

    /// The value of an operand: defined and rendered.
    pub fn operand(&self, e: &Expr, cx: &Cx) -> Result<Value> {
        let v = self.eval(e, cx)?;
        self.operand_of(v, e, cx)
    }

    /// As [`Interp::operand`], for the value that `e` gave.
    fn operand_of(&self, v: V, e: &Expr, cx: &Cx) -> Result<Value> {
        match v {
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
            Kind::Const(v @ Value::Template(t)) => {
                crate::notice::deprecated(format!(
                    "Templates in the text of a lookup are deprecated, use an expression instead: {}",
                    t.text
                ));
                self.settled(v).map_err(|err| self.place(err, cx, e.at))
            }
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
                let v = self.eval_needed(inner, cx)?;
                if let V::Obj(obj) = &v
                    && let Obj::Span(span) = &**obj
                {
                    return Ok(V::obj(Obj::Span(super::times::Span(-span.0))));
                }
                let v = self.operand_of(v, inner, cx)?;
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
            Kind::Test(call) => {
                let result = self.test(call, cx).map(V::bool);
                self.passed_on(result.map_err(|err| self.place(err, cx, e.at)))
            }
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

    fn binary(&self, op: Op, a: &Expr, b: &Expr, at: u32, cx: &Cx) -> Result<V> {
        if op == Op::Concat {
            let left = self.eval_needed(a, cx)?;
            let right = self.eval_needed(b, cx)?;
            return Ok(V::from(Value::from(
                self.text(&left)? + &self.text(&right)?,
            )));
        }
        let left = self.eval_needed(a, cx)?;
        if let V::Obj(obj) = &left
            && matches!(**obj, Obj::Time(_) | Obj::Span(_))
        {
            let right = self.eval_needed(b, cx)?;
            if let Some(result) = super::times::binary(op, obj, &right) {
                return result.map_err(|err| self.place(err, cx, at));
            }
        }
        if op == Op::Rem || op == Op::Add {
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
            if let (Op::Add, V::Lazy(Value::List(_)) | V::Data(Value::List(_)), false) =
                (op, &left, self.mutating.get())
            {
                let right = self.eval_needed(b, cx)?;
                if let (
                    V::Lazy(Value::List(x)) | V::Data(Value::List(x)),
                    V::Lazy(Value::List(y)) | V::Data(Value::List(y)),
                ) = (&left, &right)
                {
                    let items = Value::list(x.iter().chain(y.iter()).cloned().collect());
                    // templates in the items wait until they are asked for
                    return Ok(match (&left, &right) {
                        (V::Data(_), V::Data(_)) => V::Data(items),
                        _ => V::Lazy(items),
                    });
                }
                let (left, right) = (self.defined_value(&left)?, self.defined_value(&right)?);
                return ops::binary(op, &left, &right)
                    .map(V::Data)
                    .map_err(|err| self.place(err, cx, at));
            }
            if matches!(left, V::List(_)) && op == Op::Add {
                // items stay as they are, undefined ones too
                let right = self.eval_needed(b, cx)?;
                if matches!(
                    right,
                    V::List(_) | V::Data(Value::List(_)) | V::Lazy(Value::List(_))
                ) {
                    let mut items = self.iterate(&left)?;
                    items.extend(self.iterate(&right)?);
                    return Ok(V::list(items));
                }
                let (left, right) = (self.defined_value(&left)?, self.defined_value(&right)?);
                return ops::binary(op, &left, &right)
                    .map(V::Data)
                    .map_err(|err| self.place(err, cx, at));
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
        let left = self.operand_of(left, a, cx)?;
        let right = self.operand(b, cx)?;
        ops::binary(op, &left, &right)
            .map(V::Data)
            .map_err(|err| self.place(err, cx, at))
    }

    fn compare(&self, first: &Expr, rest: &[(Cmp, Expr)], at: u32, cx: &Cx) -> Result<V> {
        let (mut left, mut span) = self.compared(first, cx)?;
        for (cmp, e) in rest {
            if matches!(cmp, Cmp::In | Cmp::NotIn) {
                let right = self.eval_needed(e, cx)?;
                let found = self
                    .contains(&right, &left)
                    .map_err(|err| self.place(err, cx, at))?;
                if found == (*cmp == Cmp::NotIn) {
                    return Ok(V::bool(false));
                }
                (left, span) = (self.to_value(&right)?, false);
                continue;
            }
            let (right, right_span) = self.compared(e, cx)?;
            if span != right_span {
                // a length of time is comparable to its own kind only
                match cmp {
                    Cmp::Eq => return Ok(V::bool(false)),
                    Cmp::Ne => {}
                    _ => {
                        let what = "'timedelta' is only comparable to another 'timedelta'";
                        return Err(self.place(failure(what), cx, at));
                    }
                }
                (left, span) = (right, right_span);
                continue;
            }
            if !ops::compare(*cmp, &left, &right).map_err(|err| self.place(err, cx, at))? {
                return Ok(V::bool(false));
            }
            left = right;
        }
        Ok(V::bool(true))
    }

    /// A value to compare, and whether it is a length of time.
    fn compared(&self, e: &Expr, cx: &Cx) -> Result<(Value, bool)> {
        let v = self.eval(e, cx)?;
        if let V::Obj(obj) = &v
            && let Obj::Span(span) = &**obj
        {
            return Ok((Value::Int(span.0), true));
        }
        Ok((self.operand_of(v, e, cx)?, false))
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
                    if let V::Undefined(u) = &v {
                        return Err(self.undefined_error(u));
                    }
                    if self.to_value(&v)? == *item {
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

    fn call_expr(&self, e: &Expr, callee: &Expr, args: &[Arg], cx: &Cx) -> Result<V> {
        // a method is called without making an object of it
        if let Kind::Attr(receiver, name) = &callee.kind {
            let value = self.eval(receiver, cx)?;
            if matches!(&value, V::Undefined(u) if !u.silent) {
                return Ok(value);
            }
            let value = self.need(value, cx, receiver.at)?;
            let args = self.args(args, cx)?;
            return self
                .call_method(&value, name, args, cx)
                .map_err(|err| self.place(err, cx, e.at));
        }
        let function = self.eval(callee, cx)?;
        if matches!(&function, V::Undefined(u) if !u.silent) {
            return Ok(function);
        }
        let args = self.args(args, cx)?;
        self.call_value(&function, args, cx)
            .map_err(|err| self.place(err, cx, e.at))
    }

    pub fn call_method(&self, value: &V, name: &Arc<str>, args: Args, cx: &Cx) -> Result<V> {
        if !matches!(value, V::Obj(_)) && methods::exists(value, name) {
            if let Some(v) = args.undefined() {
                return Ok(v);
            }
            let result = methods::call(self, value, name, args).map(|v| self.made(v));
            return self.passed_on(result);
        }
        let function = self.attr(value, name)?;
        match &function {
            V::Undefined(_) => Ok(function),
            _ => self.call_value(&function, args, cx),
        }
    }

    /// A call that fails because something is undefined is itself undefined: an error only if it is used.
    pub fn passed_on(&self, result: Result<V>) -> Result<V> {
        match result {
            Err(error) if error.kind() == ErrorKind::Undefined => {
                Ok(V::Undefined(Rc::new(Undef {
                    message: Arc::from(error.message()),
                    error: Some(error),
                    silent: false,
                })))
            }
            other => other,
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
            Obj::Function(f) => {
                if let Some(v) = args.undefined()
                    && !args.of_env(*f)
                {
                    return Ok(v);
                }
                let result = self.function(*f, args).map(|v| self.made(v));
                self.passed_on(result)
            }
            Obj::Bound(value, name) => {
                let (value, name) = (value.clone(), Arc::clone(name));
                if let Some(v) = args.undefined() {
                    return Ok(v);
                }
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
