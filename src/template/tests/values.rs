//! Tests on types, and comparisons.

use super::Test;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::filters::logic::to_bool;
use crate::template::protocol::{compare, integer, iterate, length, number};
use crate::template::{filters, python, tests};
use crate::value::{Key, Value};
use num_bigint::BigInt;
use std::cmp::Ordering;

fn boolean(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Bool(_)))
}

/// Nothing that a variable can hold can be called.
fn callable(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(false)
}

fn defined(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(!matches!(call.value, Value::Undefined(_)))
}

fn undefined(call: Call) -> Result<bool> {
    defined(call).map(|b| !b)
}

fn escaped(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(false)
}

fn false_(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Bool(false)))
}

fn true_(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Bool(true)))
}

fn float(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Float(_)))
}

fn integer_(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Int(_) | Value::BigInt(_)))
}

fn number_(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(number(&call.value).is_some())
}

fn none(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(call.value.is_null())
}

fn string(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(call.value.as_str().is_some())
}

fn mapping(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Map(_) | Value::Dynamic(_)))
}

fn iterable(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Undefined(_)) || iterate(&call.value).is_ok())
}

fn sequence(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Undefined(_)) || length(&call.value).is_ok())
}

fn filter(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(filters::ALL.find(filters::bare(&call.text())).is_some())
}

fn test(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(tests::ALL.find(filters::bare(&call.text())).is_some())
}

fn lower(mut call: Call) -> Result<bool> {
    call.no_args()?;
    let text = call.text();
    Ok(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
}

fn upper(mut call: Call) -> Result<bool> {
    call.no_args()?;
    let text = call.text();
    Ok(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
}

/// The remainder of a division by `by`, as Python's `%` has it.
fn modulo(value: &Value, by: &BigInt) -> Result<bool> {
    let zero = BigInt::from(0);
    if *by == zero {
        return Err(error("integer modulo by zero"));
    }
    if let Some(i) = integer(value) {
        return Ok(i % by == zero);
    }
    match (value, number(value)) {
        (_, Some(f)) => Ok(f % by.to_string().parse::<f64>().unwrap_or(1.0) == 0.0),
        (Value::Str(_), None) => Err(error(
            "not all arguments converted during string formatting",
        )),
        (other, None) => Err(error(format!(
            "unsupported operand type(s) for %: '{}' and 'int'",
            other.type_name()
        ))),
    }
}

fn even(mut call: Call) -> Result<bool> {
    call.no_args()?;
    modulo(&call.value, &2.into())
}

fn odd(mut call: Call) -> Result<bool> {
    call.no_args()?;
    modulo(&call.value, &2.into()).map(|even| !even)
}

fn divisibleby(mut call: Call) -> Result<bool> {
    let args = call.bind(&["num"])?;
    let by = args.need("num")?;
    match integer(by) {
        Some(by) => modulo(&call.value, &by),
        None => Err(error(format!(
            "unsupported operand type(s) for %: '{}' and '{}'",
            call.value.type_name(),
            by.type_name()
        ))),
    }
}

/// The one thing compared with.
fn other(call: &mut Call) -> Result<Value> {
    let args = call.bind(&["other"])?;
    args.need("other").cloned()
}

fn eq(mut call: Call) -> Result<bool> {
    let other = other(&mut call)?;
    Ok(call.value == other)
}

fn ne(call: Call) -> Result<bool> {
    eq(call).map(|b| !b)
}

fn order(call: &mut Call) -> Result<Ordering> {
    let other = other(call)?;
    compare(&call.value, &other)
}

fn lt(mut call: Call) -> Result<bool> {
    order(&mut call).map(Ordering::is_lt)
}
fn le(mut call: Call) -> Result<bool> {
    order(&mut call).map(Ordering::is_le)
}
fn gt(mut call: Call) -> Result<bool> {
    order(&mut call).map(Ordering::is_gt)
}
fn ge(mut call: Call) -> Result<bool> {
    order(&mut call).map(Ordering::is_ge)
}

/// `item in container`.
fn is_in(item: &Value, container: &Value) -> Result<bool> {
    if let Some(text) = container.as_str() {
        return match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => Err(error(format!(
                "'in <string>' requires string as left operand, not {}",
                item.type_name()
            ))),
        };
    }
    match container {
        Value::Map(map) => Ok(map.contains_key(&Key::from_value(item.clone()))),
        Value::List(items) => Ok(items.contains(item)),
        Value::Dynamic(d) => Ok(item
            .as_str()
            .is_some_and(|name| d.keys().iter().any(|k| **k == *name))),
        other => Err(error(format!(
            "argument of type '{}' is not iterable",
            other.type_name()
        ))),
    }
}

fn in_(mut call: Call) -> Result<bool> {
    let container = other(&mut call)?;
    is_in(&call.value, &container)
}

fn contains(mut call: Call) -> Result<bool> {
    let item = other(&mut call)?;
    is_in(&item, &call.value)
}

/// The same object in Python; here: the same type and the same value.
fn sameas(mut call: Call) -> Result<bool> {
    let other = other(&mut call)?;
    Ok(call.value.type_name() == other.type_name() && call.value == other)
}

fn subset(mut call: Call) -> Result<bool> {
    let other = iterate(&other(&mut call)?)?;
    Ok(iterate(&call.value)?.iter().all(|v| other.contains(v)))
}

fn superset(mut call: Call) -> Result<bool> {
    let other = iterate(&other(&mut call)?)?;
    let items = iterate(&call.value)?;
    Ok(other.iter().all(|v| items.contains(v)))
}

fn all(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(iterate(&call.value)?.iter().all(Value::is_truthy))
}

fn any(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(iterate(&call.value)?.iter().any(Value::is_truthy))
}

fn nan(mut call: Call) -> Result<bool> {
    call.no_args()?;
    Ok(matches!(call.value, Value::Float(f) if f.is_nan()))
}

fn truthy(mut call: Call) -> Result<bool> {
    let args = call.bind(&["convert_bool"])?;
    if args.flag("convert_bool", false)
        && let Some(b) = to_bool(&call.value)
    {
        return Ok(b);
    }
    Ok(call.value.is_truthy())
}

fn falsy(call: Call) -> Result<bool> {
    truthy(call).map(|b| !b)
}

/// Whether an address test of ansible.utils holds: what the filter of that name gives.
fn address(mut call: Call, version: Option<u8>) -> Result<bool> {
    call.no_args()?;
    let text = python::str(&call.value);
    Ok(filters::net::is_address(&text, version))
}

fn ip(call: Call) -> Result<bool> {
    address(call, None)
}
fn ipv4(call: Call) -> Result<bool> {
    address(call, Some(4))
}
fn ipv6(call: Call) -> Result<bool> {
    address(call, Some(6))
}

pub static TESTS: &[(&str, Test)] = &[
    ("!=", ne),
    ("<", lt),
    ("<=", le),
    ("==", eq),
    (">", gt),
    (">=", ge),
    ("all", all),
    ("any", any),
    ("boolean", boolean),
    ("callable", callable),
    ("contains", contains),
    ("defined", defined),
    ("divisibleby", divisibleby),
    ("eq", eq),
    ("equalto", eq),
    ("escaped", escaped),
    ("even", even),
    ("false", false_),
    ("falsy", falsy),
    ("filter", filter),
    ("float", float),
    ("ge", ge),
    ("greaterthan", gt),
    ("gt", gt),
    ("in", in_),
    ("integer", integer_),
    ("ip", ip),
    ("ip_address", ip),
    ("ipv4", ipv4),
    ("ipv4_address", ipv4),
    ("ipv6", ipv6),
    ("ipv6_address", ipv6),
    ("isnan", nan),
    ("issubset", subset),
    ("issuperset", superset),
    ("iterable", iterable),
    ("le", le),
    ("lessthan", lt),
    ("lower", lower),
    ("lt", lt),
    ("mapping", mapping),
    ("nan", nan),
    ("ne", ne),
    ("none", none),
    ("number", number_),
    ("odd", odd),
    ("sameas", sameas),
    ("sequence", sequence),
    ("string", string),
    ("subset", subset),
    ("superset", superset),
    ("test", test),
    ("true", true_),
    ("truthy", truthy),
    ("undefined", undefined),
    ("upper", upper),
];
