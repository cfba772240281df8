//! Values of a running template to values, text and items.

use super::interp::Interp;
use super::ops::failure;
use super::python;
use super::templar::Raw;
use super::val::{Dict, Obj, V, range_len};
use crate::Result;
use crate::value::{Key, Map, Value};
use std::sync::Arc;

impl Interp<'_> {
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
                Obj::Time(time) => Value::from(time.iso()),
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

    pub fn map_of(&self, entries: &Dict) -> Result<Value> {
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
                Obj::Time(time) => Ok(time.text()),
                Obj::Span(span) => Ok(span.text()),
                Obj::Module(_) => Ok(String::new()),
                _ => Ok(python::str(&self.defined_value(v)?)),
            },
            other => {
                let value = whole(&self.defined_value(other)?)?;
                Ok(python::str(&value))
            }
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
                .map(|k| V::Data(Value::from(k)))
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
                    .map(|n| V::Data(Value::from(n)))
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
}

/// The value with what is made when it is asked for. Errors where that fails.
pub fn whole(value: &Value) -> Result<Value> {
    let Value::Dynamic(d) = value else {
        return Ok(value.clone());
    };
    let entry = |key: Arc<str>| {
        let value = d.get(&key)?.unwrap_or_default();
        Ok((Key::Str(key), whole(&value)?))
    };
    d.keys()
        .into_iter()
        .map(entry)
        .collect::<Result<Map>>()
        .map(Value::map)
}

pub fn raw_to_v(raw: Raw) -> V {
    match raw {
        Raw::Clean(v) => V::Data(v),
        Raw::Lazy(v) => V::Lazy(v),
        Raw::Time(moment) => V::obj(Obj::Time(moment)),
    }
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
