//! Python's methods of text, numbers, lists and dictionaries.

mod dict;
mod format;
mod list;
mod text;

use super::interp::{Args, Interp};
use super::ops::failure;
use super::val::V;
use crate::Result;
use crate::value::Value;

/// Whether the value has a method of that name.
pub fn exists(v: &V, name: &str) -> bool {
    match v {
        V::Data(Value::Str(_)) => text::METHODS.contains(&name),
        V::Data(Value::List(_)) | V::Lazy(Value::List(_)) | V::List(_) => {
            list::METHODS.contains(&name)
        }
        V::Tuple(_) => matches!(name, "count" | "index"),
        V::Data(Value::Map(_) | Value::Dynamic(_)) | V::Lazy(Value::Map(_)) | V::Dict(_) => {
            dict::METHODS.contains(&name)
        }
        V::Data(Value::Int(_) | Value::BigInt(_) | Value::Bool(_)) => name == "bit_length",
        V::Data(Value::Float(_)) => matches!(name, "is_integer"),
        _ => false,
    }
}

/// Calls a method that [`exists`].
pub fn call(interp: &Interp<'_>, v: &V, name: &str, args: Args) -> Result<V> {
    match v {
        V::Data(Value::Str(s)) => text::call(interp, s, name, &args),
        V::Data(Value::List(_)) | V::Lazy(Value::List(_)) | V::List(_) | V::Tuple(_) => {
            list::call(interp, v, name, args)
        }
        V::Data(Value::Map(_) | Value::Dynamic(_)) | V::Lazy(Value::Map(_)) | V::Dict(_) => {
            dict::call(interp, v, name, args)
        }
        V::Data(Value::Float(f)) => Ok(V::bool(f.fract() == 0.0)),
        V::Data(number) => {
            let bits = super::percent::as_integer(number).map_or(0, |n| n.bits());
            Ok(V::int(i64::try_from(bits).unwrap_or(i64::MAX)))
        }
        other => Err(failure(format_args!(
            "'{}' object has no attribute '{name}'",
            other.type_name()
        ))),
    }
}

/// Refuses a number of positional arguments that Python would refuse.
fn expect(name: &str, args: &Args, least: usize, most: usize) -> Result<()> {
    let n = args.pos.len();
    if n < least {
        return Err(failure(format_args!(
            "{name} expected at least {least} argument{}, got {n}",
            if least == 1 { "" } else { "s" }
        )));
    }
    if n > most {
        return Err(failure(format_args!(
            "{name} expected at most {most} argument{}, got {n}",
            if most == 1 { "" } else { "s" }
        )));
    }
    Ok(())
}
