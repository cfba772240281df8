//! What `loop`, namespaces, cyclers and other objects of templates answer.

use super::env::Cx;
use super::interp::{Args, Interp};
use super::ops::failure;
use super::python;
use super::val::{LoopObj, Obj, V};
use crate::Result;
use crate::value::{Key, Value};
use std::rc::Rc;
use std::sync::Arc;

impl Interp<'_> {
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
            Obj::Time(time) => time.part(name).or_else(|| bound(super::times::METHODS)),
            Obj::Span(span) => span.part(name).or_else(|| bound(&["total_seconds"])),
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
            (Obj::Time(time), _) => time.method(self, name, &args),
            (Obj::Span(span), "total_seconds") => Ok(V::Data(Value::Float(span.seconds()))),
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
}
