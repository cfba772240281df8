//! Filters and tests: how a template's call reaches them and what their errors become.

use super::ast::{Arg, Expr, Kind, TestCall};
use super::call::Call;
use super::compile::bare;
use super::env::Cx;
use super::interp::{Args, Interp};
use super::ops::failure;
use super::val::{Obj, V};
use super::{filters, tests};
use crate::error::Kind as ErrorKind;
use crate::value::{Key, Map, Value};
use crate::{Error, Result};
use std::rc::Rc;
use std::sync::Arc;

/// Filters that look at items or entries one by one: an undefined one is no error until it is looked at.
const LOOKS_AT_PARTS: &[&str] = &[
    "map",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "first",
    "last",
    "list",
    "length",
    "count",
    "reverse",
    "zip",
];

/// Tests of a value's type, which no part of it changes.
const LOOKS_AT_TYPE: &[&str] = &[
    "string", "mapping", "iterable", "sequence", "number", "none", "boolean", "integer", "float",
];

impl Interp<'_> {
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
                            && let Some(value) = self.entry(&v, &Key::Str(name.shared()))?
                        {
                            out.kw.push((name.shared(), value));
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    /// A value for a filter or test. Errors if something in it is undefined, unless `parts` may be.
    pub fn handed(&self, v: &V, parts: bool) -> Result<Value> {
        if matches!(v, V::Undefined(u) if u.silent) {
            return Ok(Value::str(""));
        }
        match self.to_value(v) {
            Err(error) if parts && error.kind() == ErrorKind::Undefined => self.with_undefined(v),
            other => other,
        }
    }

    /// The value with undefined parts where they are.
    fn with_undefined(&self, v: &V) -> Result<Value> {
        Ok(match v {
            V::Lazy(raw) => self.templar.deep_with_undefined(raw)?,
            V::List(l) => {
                let items = l.borrow().clone();
                Value::list(
                    items
                        .iter()
                        .map(|v| self.with_undefined(v))
                        .collect::<Result<_>>()?,
                )
            }
            V::Dict(d) => {
                let entries = d.borrow().clone();
                Value::map(
                    entries
                        .iter()
                        .map(|(k, v)| Ok((k.clone(), self.with_undefined(v)?)))
                        .collect::<Result<_>>()?,
                )
            }
            other => self.to_value(other)?,
        })
    }

    fn call_of<'a>(&'a self, name: &'a str, value: &V, args: &Args) -> Result<Call<'a>> {
        let parts = LOOKS_AT_PARTS.contains(&name);
        Ok(Call {
            name,
            value: self.handed(value, parts)?,
            args: args
                .pos
                .iter()
                .map(|v| self.handed(v, parts))
                .collect::<Result<_>>()?,
            kwargs: args
                .kw
                .iter()
                .map(|(k, v)| Ok((Key::Str(Arc::clone(k)), self.handed(v, parts)?)))
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
            return Err(self.place(
                unknown("filter", &call.name, filters::ALL.names()),
                cx,
                e.at,
            ));
        };
        let args = self.args(&call.args, cx)?;
        // what only a template knows: as a value it is text in another form
        let value = match &value {
            V::Obj(obj) => match (&**obj, name) {
                (Obj::Time(_) | Obj::Span(_), "string") => V::str(self.text(&value)?),
                (Obj::Time(_) | Obj::Span(_), "type_debug") => {
                    return Ok(V::str(value.type_name()));
                }
                _ => value,
            },
            _ => value,
        };
        let undefined = std::iter::once(&value)
            .chain(&args.pos)
            .find_map(|v| match v {
                V::Undefined(u) if u.error.is_some() => u.error.clone(),
                _ => None,
            });
        let call_args = match self.call_of(name, &value, &args) {
            Ok(call_args) => call_args,
            Err(err) => return self.passed_on(Err(self.place(err, cx, e.at))),
        };
        let result = match name {
            "to_datetime" => filters::dates::moment(call_args).map(|m| V::obj(Obj::Time(m))),
            _ => filters::call(filter, call_args).map(V::Data),
        };
        let result = result.map_err(|err| {
            // the cause, with its own place, if it was only passed on
            if let Some(cause) = undefined.filter(|c| c.message() == err.message()) {
                return cause;
            }
            self.place(self.plugin_error("filter", name, err), cx, e.at)
        });
        Ok(self.made(self.passed_on(result)?))
    }

    pub fn made(&self, v: V) -> V {
        if self.mutating.get() {
            self.promote(v)
        } else {
            v
        }
    }

    pub fn plugin_error(&self, kind: &str, name: &str, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Template
                if !["The filter plugin", "The test plugin", "The lookup plugin"]
                    .iter()
                    .any(|known| error.message().starts_with(known))
                    && !error.message().starts_with("Error rendering")
                    && !error.message().starts_with("Recursive loop") =>
            {
                let name = filters::full_name(name);
                error.context(format!("The {kind} plugin '{name}' failed"))
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
    pub fn default(&self, value: &V, args: &[Arg], cx: &Cx) -> Result<V> {
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

    pub fn test(&self, call: &TestCall, cx: &Cx) -> Result<bool> {
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
            return Err(unknown("test", &call.name, tests::ALL.names()));
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
        let call_args = match &value {
            V::Lazy(raw) if LOOKS_AT_TYPE.contains(&name) => {
                self.call_of(name, &V::Data(raw.clone()), &args)?
            }
            V::List(_) if LOOKS_AT_TYPE.contains(&name) => {
                self.call_of(name, &V::Data(Value::list(Vec::new())), &args)?
            }
            V::Dict(_) if LOOKS_AT_TYPE.contains(&name) => {
                self.call_of(name, &V::Data(Value::map(Map::default())), &args)?
            }
            _ => self.call_of(name, &value, &args)?,
        };
        tests::call(test, call_args).map_err(|err| {
            cause
                .filter(|c| c.message() == err.message())
                .unwrap_or_else(|| self.plugin_error("test", name, err))
        })
    }
}

impl super::ast::FilterCall {
    pub fn innermost_is_open(&self) -> bool {
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
