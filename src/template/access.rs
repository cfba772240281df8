//! Names, attributes and items: from what a template writes to the value it means.

use super::ast::Expr;
use super::convert::raw_to_v;
use super::env::Cx;
use super::interp::Interp;
use super::methods;
use super::ops::{self, failure};
use super::python;
use super::val::{Dict, Function, Obj, Undef, V, range_len};
use crate::error::Kind as ErrorKind;
use crate::value::{Key, Value};
use crate::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What is undefined because something that it needs is so. Other errors stay errors.
fn undefined_or(error: Error) -> Result<V> {
    if error.kind() != ErrorKind::Undefined {
        return Err(error);
    }
    Ok(V::Undefined(Rc::new(Undef {
        message: Arc::from(error.message()),
        error: Some(error),
        silent: false,
    })))
}

impl Interp<'_> {
    pub fn variable(&self, name: &Arc<str>, cx: &Cx) -> Result<V> {
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
            Err(error) => undefined_or(error),
        }
    }

    /// A template of the user's in an expression.
    pub fn settled(&self, template: &Value) -> Result<V> {
        self.templar
            .settle(template)
            .map(raw_to_v)
            .or_else(undefined_or)
    }

    pub fn builtin(&self, name: &str) -> V {
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
    pub fn settle(&self, raw: &Value) -> Result<V> {
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
    pub fn ready(&self, v: &V) -> Result<Option<V>> {
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

    pub fn list_item(&self, list: &RefCell<Vec<V>>, i: usize) -> Result<Option<V>> {
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

    pub fn missing(&self, v: &V, name: impl std::fmt::Display) -> V {
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

    pub fn global_variable(&self, name: &str) -> Result<Option<V>> {
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
                return self.obj_attr(v, obj, &name.shared());
            }
            if methods::exists(v, name) {
                return Ok(V::obj(Obj::Bound(v.clone(), name.shared())));
            }
        }
        Ok(match (v, key) {
            (V::Data(Value::Dynamic(d)), Value::Str(key)) => V::undefined(d.missing(key)),
            _ => self.missing(v, python::repr(key)),
        })
    }

    pub fn slice(&self, value: &Expr, parts: &[Option<Box<Expr>>; 3], cx: &Cx) -> Result<V> {
        let v = self.eval(value, cx)?;
        if matches!(&v, V::Undefined(u) if !u.silent) {
            return Ok(v);
        }
        let v = self.need(v, cx, value.at)?;
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
