//! Calls of macros and of blocks.

use super::ast::Block;
use super::env::{Cx, Env, Here};
use super::exec::inner;
use super::interp::{Args, Interp};
use super::ops::failure;
use super::val::{Dict, MacroObj, Obj, V};
use crate::Result;
use crate::value::Key;
use std::rc::Rc;
use std::sync::Arc;

impl Interp<'_> {
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
}
