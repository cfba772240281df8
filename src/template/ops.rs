//! Python's operators on our values.

use super::ast::{Cmp, Op};
use super::python;
use crate::error::Kind;
use crate::value::Value;
use crate::{Error, Result};
use num_bigint::BigInt;
use std::cmp::Ordering;
use std::sync::Arc;

/// An error of an operation, in the words that Ansible puts before Python's.
pub fn failure(message: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Template,
        format!("Error rendering template: {message}"),
    )
}

/// What a number is, once `True` is 1.
enum Number {
    Int(i64),
    Big(BigInt),
    Float(f64),
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Bool(b) => Number::Int(i64::from(*b)),
        Value::Int(i) => Number::Int(*i),
        Value::BigInt(digits) => Number::Big(digits.parse().ok()?),
        Value::Float(f) => Number::Float(*f),
        _ => return None,
    })
}

impl Number {
    fn big(&self) -> BigInt {
        match self {
            Number::Int(i) => BigInt::from(*i),
            Number::Big(b) => b.clone(),
            Number::Float(f) => BigInt::from(*f as i64),
        }
    }
    fn float(&self) -> f64 {
        match self {
            Number::Int(i) => *i as f64,
            // a decimal parse rounds correctly
            Number::Big(b) => b.to_string().parse().unwrap_or(f64::INFINITY),
            Number::Float(f) => *f,
        }
    }
}

/// An integer as a value, small if it fits.
pub fn integer(big: &BigInt) -> Value {
    i64::try_from(big).map_or_else(|_| Value::BigInt(Arc::from(big.to_string())), Value::Int)
}

pub fn symbol(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::Div => "/",
        Op::FloorDiv => "//",
        Op::Rem => "%",
        Op::Pow => "** or pow()",
        Op::Concat => "~",
    }
}

/// `a op b` on values without templates or undefined parts. `%` on text is not done here.
pub fn binary(op: Op, a: &Value, b: &Value) -> Result<Value> {
    if op == Op::Concat {
        return Ok(Value::from(python::str(a) + &python::str(b)));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return arithmetic(op, &x, &y);
    }
    match (op, a, b) {
        (Op::Add, Value::Str(x), Value::Str(y)) => {
            let mut text = String::with_capacity(x.len() + y.len());
            text.push_str(x);
            text.push_str(y);
            return Ok(Value::from(text));
        }
        (Op::Add, Value::List(x), Value::List(y)) => {
            return Ok(Value::list(x.iter().chain(y.iter()).cloned().collect()));
        }
        (Op::Add, Value::Str(_), other) => {
            return Err(failure(format_args!(
                "can only concatenate str (not \"{}\") to str",
                other.type_name()
            )));
        }
        (Op::Add, Value::List(_), other) => {
            return Err(failure(format_args!(
                "can only concatenate list (not \"{}\") to list",
                other.type_name()
            )));
        }
        (Op::Mul, Value::Str(_) | Value::List(_), n)
        | (Op::Mul, n, Value::Str(_) | Value::List(_))
            if matches!(n, Value::Int(_) | Value::Bool(_)) =>
        {
            let times = match n {
                Value::Int(i) => usize::try_from(*i).unwrap_or(0),
                other => usize::from(other.is_truthy()),
            };
            return repeat(
                if matches!(a, Value::Str(_) | Value::List(_)) {
                    a
                } else {
                    b
                },
                times,
            );
        }
        (Op::Mul, Value::Str(_) | Value::List(_), other)
        | (Op::Mul, other, Value::Str(_) | Value::List(_)) => {
            return Err(failure(format_args!(
                "can't multiply sequence by non-int of type '{}'",
                other.type_name()
            )));
        }
        _ => {}
    }
    Err(failure(format_args!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        symbol(op),
        a.type_name(),
        b.type_name()
    )))
}

/// Results beyond this are a mistake, not a configuration.
const LARGEST: usize = 1 << 28;

fn repeat(value: &Value, times: usize) -> Result<Value> {
    let size = match value {
        Value::Str(s) => s.len(),
        Value::List(l) => l.len(),
        _ => 0,
    };
    if size.saturating_mul(times) > LARGEST {
        return Err(failure("the result of * is too large"));
    }
    Ok(match value {
        Value::Str(s) => Value::from(s.repeat(times)),
        Value::List(l) => Value::list((0..times).flat_map(|_| l.iter().cloned()).collect()),
        other => other.clone(),
    })
}

fn arithmetic(op: Op, x: &Number, y: &Number) -> Result<Value> {
    if let (Number::Int(a), Number::Int(b)) = (x, y) {
        let fast = match op {
            Op::Add => a.checked_add(*b),
            Op::Sub => a.checked_sub(*b),
            Op::Mul => a.checked_mul(*b),
            Op::FloorDiv if *b > 0 => Some(a.div_euclid(*b)),
            Op::Rem if *b > 0 => Some(a.rem_euclid(*b)),
            _ => None,
        };
        if let Some(i) = fast {
            return Ok(Value::Int(i));
        }
    }
    let floats = matches!(x, Number::Float(_)) || matches!(y, Number::Float(_));
    if op == Op::Div || (floats && op != Op::Pow) {
        let (a, b) = (x.float(), y.float());
        let zero = |what: &str| {
            if b == 0.0 { Err(failure(what)) } else { Ok(()) }
        };
        return Ok(Value::Float(match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => {
                zero(if floats {
                    "float division by zero"
                } else {
                    "division by zero"
                })?;
                a / b
            }
            Op::FloorDiv => {
                zero("float floor division by zero")?;
                (a / b).floor()
            }
            _ => {
                zero("float modulo")?;
                let r = a % b;
                if r != 0.0 && (r < 0.0) != (b < 0.0) {
                    r + b
                } else {
                    r
                }
            }
        }));
    }
    if op == Op::Pow {
        return power(x, y, floats);
    }
    let (a, b) = (x.big(), y.big());
    let zero = BigInt::from(0);
    if matches!(op, Op::FloorDiv | Op::Rem) && b == zero {
        return Err(failure(if op == Op::Rem {
            "integer modulo by zero"
        } else {
            "integer division or modulo by zero"
        }));
    }
    Ok(integer(&match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::FloorDiv => {
            let q = &a / &b;
            let r = &a - &q * &b;
            if r != zero && (r < zero) != (b < zero) {
                q - 1
            } else {
                q
            }
        }
        _ => {
            let r = &a - (&a / &b) * &b;
            if r != zero && (r < zero) != (b < zero) {
                r + b
            } else {
                r
            }
        }
    }))
}

fn power(x: &Number, y: &Number, floats: bool) -> Result<Value> {
    let exponent = match y {
        Number::Int(i) if !floats => *i,
        _ => {
            return Ok(Value::Float(x.float().powf(y.float())));
        }
    };
    if exponent < 0 {
        if x.float() == 0.0 {
            return Err(failure("0.0 cannot be raised to a negative power"));
        }
        return Ok(Value::Float(x.float().powf(exponent as f64)));
    }
    let base = x.big();
    let bits = base.bits().saturating_mul(exponent.unsigned_abs());
    if bits > 1 << 22 {
        return Err(failure("the result of ** is too large"));
    }
    let exponent = u32::try_from(exponent).unwrap_or(u32::MAX);
    Ok(integer(&base.pow(exponent)))
}

/// `-a`.
pub fn negate(value: &Value) -> Result<Value> {
    match number(value) {
        Some(Number::Float(f)) => Ok(Value::Float(-f)),
        Some(n) => Ok(integer(&-n.big())),
        None => Err(failure(format_args!(
            "bad operand type for unary -: '{}'",
            value.type_name()
        ))),
    }
}

/// Python's order of two values; an error for types that have none.
pub fn order(a: &Value, b: &Value, symbol: &str) -> Result<Ordering> {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => return Ok(x.cmp(y)),
        (Value::Str(x), Value::Str(y)) => return Ok(x.cmp(y)),
        (Value::List(x), Value::List(y)) => {
            for (i, j) in x.iter().zip(y.iter()) {
                if i != j {
                    return order(i, j, symbol);
                }
            }
            return Ok(x.len().cmp(&y.len()));
        }
        _ => {}
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(match (&x, &y) {
            (Number::Float(_), _) | (_, Number::Float(_)) => {
                // a NaN is neither; Python then says False to everything
                x.float().partial_cmp(&y.float()).unwrap_or(Ordering::Less)
            }
            _ => x.big().cmp(&y.big()),
        });
    }
    Err(failure(format_args!(
        "'{symbol}' not supported between instances of '{}' and '{}'",
        a.type_name(),
        b.type_name()
    )))
}

/// `a cmp b`.
pub fn compare(cmp: Cmp, a: &Value, b: &Value) -> Result<bool> {
    Ok(match cmp {
        Cmp::Eq => a == b,
        Cmp::Ne => a != b,
        Cmp::Lt => order(a, b, "<")?.is_lt(),
        Cmp::Le => order(a, b, "<=")?.is_le(),
        Cmp::Gt => order(a, b, ">")?.is_gt(),
        Cmp::Ge => order(a, b, ">=")?.is_ge(),
        Cmp::In => contains(b, a)?,
        Cmp::NotIn => !contains(b, a)?,
    })
}

/// `item in container`.
pub fn contains(container: &Value, item: &Value) -> Result<bool> {
    Ok(match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(&**part),
            other => {
                return Err(failure(format_args!(
                    "'in <string>' requires string as left operand, not {}",
                    other.type_name()
                )));
            }
        },
        Value::List(items) => items.contains(item),
        Value::Map(map) => match item {
            Value::Str(key) => map.contains_key(&**key),
            other => map.contains_key(&crate::value::Key::from_value(other.clone())),
        },
        Value::Dynamic(d) => match item {
            Value::Str(key) => d.get(key)?.is_some(),
            _ => false,
        },
        other => {
            return Err(failure(format_args!(
                "argument of type '{}' is not iterable",
                other.type_name()
            )));
        }
    })
}

/// The positions that `[start:stop:step]` takes out of `len` items.
pub fn slice_positions(
    len: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
) -> Result<Vec<usize>> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(failure("slice step cannot be zero"));
    }
    let len = len as i64;
    let clamp = |i: i64, low: i64, high: i64| (if i < 0 { i + len } else { i }).clamp(low, high);
    let mut out = Vec::new();
    if step > 0 {
        let mut i = start.map_or(0, |i| clamp(i, 0, len));
        let end = stop.map_or(len, |i| clamp(i, 0, len));
        while i < end {
            out.push(i as usize);
            i = i.saturating_add(step);
        }
    } else {
        let mut i = start.map_or(len - 1, |i| clamp(i, -1, len - 1));
        let end = stop.map_or(-1, |i| clamp(i, -1, len - 1));
        while i > end {
            out.push(i as usize);
            i = i.saturating_add(step);
        }
    }
    Ok(out)
}
