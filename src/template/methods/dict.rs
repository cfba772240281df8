//! Methods of dictionaries.

use super::super::interp::{Args, Interp};
use super::super::ops::failure;
use super::super::python;
use super::super::val::{Dict, V};
use super::expect;
use crate::Result;
use crate::value::Key;
use std::cell::RefCell;
use std::rc::Rc;

pub const METHODS: &[&str] = &[
    "get",
    "keys",
    "values",
    "items",
    "update",
    "pop",
    "popitem",
    "setdefault",
    "copy",
    "clear",
    "fromkeys",
];

pub fn call(interp: &Interp<'_>, v: &V, name: &str, mut args: Args) -> Result<V> {
    let key = |v: &V| interp.key(interp.defined_value(v)?);
    let entry = |k: &Key| interp.entry(v, k);
    match name {
        "get" => {
            expect(name, &args, 1, 2)?;
            let k = key(&args.pos[0])?;
            return Ok(match entry(&k)? {
                Some(found) => found,
                None if args.pos.len() > 1 => args.pos.remove(1),
                None => V::null(),
            });
        }
        "keys" => {
            expect(name, &args, 0, 0)?;
            return Ok(V::list(interp.iterate(v)?));
        }
        "values" | "items" => {
            expect(name, &args, 0, 0)?;
            let mut out = Vec::new();
            for k in interp.iterate(v)? {
                if let Some(found) = entry(&key(&k)?)? {
                    out.push(if name == "values" {
                        found
                    } else {
                        V::Tuple(Rc::new(vec![k, found]))
                    });
                }
            }
            return Ok(V::list(out));
        }
        "copy" => return Ok(V::dict(interp.entries_of(v)?)),
        "fromkeys" => {
            expect(name, &args, 1, 2)?;
            let value = args.pos.get(1).cloned().unwrap_or_else(V::null);
            let mut out = Dict::default();
            for k in interp.iterate(&args.pos[0])? {
                out.insert(key(&k)?, value.clone());
            }
            return Ok(V::dict(out));
        }
        _ => {}
    }
    let dict: Rc<RefCell<Dict>> = match v {
        V::Dict(d) => Rc::clone(d),
        other => Rc::new(RefCell::new(interp.entries_of(other)?)),
    };
    match name {
        "update" => {
            expect(name, &args, 0, 1)?;
            if let Some(from) = args.pos.first() {
                let more = interp.entries_of(from)?;
                dict.borrow_mut().extend(more);
            }
            for (name, v) in args.kw {
                dict.borrow_mut().insert(Key::Str(name), v);
            }
        }
        "pop" => {
            expect(name, &args, 1, 2)?;
            let k = key(&args.pos[0])?;
            let found = interp.dict_entry(&dict, &k)?;
            return match found {
                Some(found) => {
                    dict.borrow_mut().shift_remove(&k);
                    Ok(found)
                }
                None if args.pos.len() > 1 => Ok(args.pos.remove(1)),
                None => Err(failure(python::repr(&k.to_value()))),
            };
        }
        "popitem" => {
            expect(name, &args, 0, 0)?;
            let Some((k, v)) = dict.borrow_mut().pop() else {
                return Err(failure("'popitem(): dictionary is empty'"));
            };
            return Ok(V::Tuple(Rc::new(vec![V::Data(k.to_value()), v])));
        }
        "setdefault" => {
            expect(name, &args, 1, 2)?;
            let k = key(&args.pos[0])?;
            if let Some(found) = interp.dict_entry(&dict, &k)? {
                return Ok(found);
            }
            let value = interp.promote(args.pos.get(1).cloned().unwrap_or_else(V::null));
            dict.borrow_mut().insert(k, value.clone());
            return Ok(value);
        }
        _ => dict.borrow_mut().clear(),
    }
    Ok(V::null())
}
