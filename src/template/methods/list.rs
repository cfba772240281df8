//! Methods of lists.

use super::super::ast::Cmp;
use super::super::interp::{Args, Interp};
use super::super::ops::{self, failure};
use super::super::val::V;
use super::expect;
use crate::Result;
use crate::value::Value;
use std::cell::RefCell;
use std::rc::Rc;

pub const METHODS: &[&str] = &[
    "append", "extend", "insert", "pop", "remove", "index", "count", "sort", "reverse", "copy",
    "clear",
];

pub fn call(interp: &Interp<'_>, v: &V, name: &str, mut args: Args) -> Result<V> {
    let int = |v: &V| match interp.defined_value(v)? {
        Value::Int(i) => Ok(i),
        other => Err(failure(format_args!(
            "'{}' object cannot be interpreted as an integer",
            other.type_name()
        ))),
    };
    match name {
        "index" => {
            expect(name, &args, 1, 3)?;
            let wanted = interp.defined_value(&args.pos[0])?;
            for (i, item) in interp.iterate(v)?.iter().enumerate() {
                if interp.to_value(item)? == wanted {
                    return Ok(V::int(i as i64));
                }
            }
            return Err(failure(format_args!(
                "{} is not in list",
                super::super::python::repr(&wanted)
            )));
        }
        "count" => {
            expect(name, &args, 1, 1)?;
            let wanted = interp.defined_value(&args.pos[0])?;
            let mut n = 0;
            for item in interp.iterate(v)? {
                n += i64::from(interp.to_value(&item)? == wanted);
            }
            return Ok(V::int(n));
        }
        "copy" => return Ok(V::list(interp.iterate(v)?)),
        _ => {}
    }
    // a list that is not held by any name: the change is seen by nobody, the result is
    let list: Rc<RefCell<Vec<V>>> = match v {
        V::List(l) => Rc::clone(l),
        other => Rc::new(RefCell::new(interp.iterate(other)?)),
    };
    match name {
        "append" => {
            expect(name, &args, 1, 1)?;
            list.borrow_mut().push(args.pos.remove(0));
        }
        "extend" => {
            expect(name, &args, 1, 1)?;
            let more = interp.iterate(&args.pos[0])?;
            list.borrow_mut().extend(more);
        }
        "insert" => {
            expect(name, &args, 2, 2)?;
            let i = int(&args.pos[0])?;
            let mut list = list.borrow_mut();
            let len = list.len() as i64;
            let at = (if i < 0 { i + len } else { i }).clamp(0, len);
            list.insert(at as usize, args.pos.remove(1));
        }
        "pop" => {
            expect(name, &args, 0, 1)?;
            let i = args.pos.first().map_or(Ok(-1), int)?;
            let mut list = list.borrow_mut();
            if list.is_empty() {
                return Err(failure("pop from empty list"));
            }
            let len = list.len() as i64;
            let at = if i < 0 { i + len } else { i };
            if !(0..len).contains(&at) {
                return Err(failure("pop index out of range"));
            }
            return Ok(list.remove(at as usize));
        }
        "remove" => {
            expect(name, &args, 1, 1)?;
            let wanted = interp.defined_value(&args.pos[0])?;
            let items = list.borrow().clone();
            for (i, item) in items.iter().enumerate() {
                if interp.to_value(item)? == wanted {
                    list.borrow_mut().remove(i);
                    return Ok(V::null());
                }
            }
            return Err(failure("list.remove(x): x not in list"));
        }
        "reverse" => list.borrow_mut().reverse(),
        "clear" => list.borrow_mut().clear(),
        _ => {
            // sort: keys as values, then by Python's order
            let reverse = args
                .kw
                .iter()
                .any(|(k, v)| &**k == "reverse" && v.is_truthy());
            let items = list.borrow().clone();
            let mut keyed = items
                .into_iter()
                .map(|v| Ok((interp.defined_value(&v)?, v)))
                .collect::<Result<Vec<_>>>()?;
            for pair in keyed.windows(2) {
                ops::compare(Cmp::Lt, &pair[0].0, &pair[1].0)?;
            }
            keyed.sort_by(|a, b| {
                let order = ops::order(&a.0, &b.0, "<").unwrap_or(std::cmp::Ordering::Equal);
                if reverse { order.reverse() } else { order }
            });
            *list.borrow_mut() = keyed.into_iter().map(|(_, v)| v).collect();
        }
    }
    Ok(V::null())
}
