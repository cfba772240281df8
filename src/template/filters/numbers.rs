//! Numbers: conversions, rounding, powers, and sizes for people.

use super::Filter;
use crate::Result;
use crate::template::call::{Args, Call, error};
use crate::template::protocol::{attribute, from_integer, integer, iterate, number, undefined};
use crate::template::python;
use crate::value::Value;
use num_bigint::BigInt;

fn abs(mut call: Call) -> Result<Value> {
    call.no_args()?;
    match (&call.value, integer(&call.value)) {
        (_, Some(i)) if i < BigInt::from(0) => Ok(from_integer(&-i)),
        (_, Some(i)) => Ok(from_integer(&i)),
        (Value::Float(f), _) => Ok(Value::Float(f.abs())),
        (other, _) => Err(error(format!(
            "bad operand type for abs(): '{}'",
            other.type_name()
        ))),
    }
}

/// `int(text, base)`: digits with underscores between them, a sign, a prefix as the base allows.
fn parse_int(text: &str, base: u32) -> Option<Value> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = |p: &str| lower.strip_prefix(p).map(str::to_string);
    let (digits, base) = match base {
        0 => {
            if let Some(d) = prefixed("0x") {
                (d, 16)
            } else if let Some(d) = prefixed("0o") {
                (d, 8)
            } else if let Some(d) = prefixed("0b") {
                (d, 2)
            } else {
                (lower.clone(), 10)
            }
        }
        16 => (prefixed("0x").unwrap_or(lower.clone()), 16),
        8 => (prefixed("0o").unwrap_or(lower.clone()), 8),
        2 => (prefixed("0b").unwrap_or(lower.clone()), 2),
        n @ 2..=36 => (lower.clone(), n),
        _ => return None,
    };
    if digits.is_empty()
        || digits.starts_with('_')
        || digits.ends_with('_')
        || digits.contains("__")
        || !digits.chars().all(|c| c == '_' || c.is_digit(base))
    {
        return None;
    }
    let number = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), base)?;
    Some(from_integer(&if negative { -number } else { number }))
}

/// `float(text)`.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.replace('_', "");
    let fits = plain
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    match text.trim_start_matches(['+', '-']).to_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "infinity" if text.starts_with('-') => Some(f64::NEG_INFINITY),
        "inf" | "infinity" => Some(f64::INFINITY),
        _ if fits => plain.parse().ok(),
        _ => None,
    }
}

/// A float cut to a whole number of any size.
fn truncate(f: f64) -> Option<Value> {
    if !f.is_finite() {
        return None;
    }
    if f.abs() < 9e18 {
        return Some(Value::Int(f as i64));
    }
    format!("{:.0}", f.trunc())
        .parse()
        .ok()
        .map(|i| from_integer(&i))
}

fn int(mut call: Call) -> Result<Value> {
    let args = call.bind(&["default", "base"])?;
    let base = args.int("base", 10)?;
    let value = match &call.value {
        Value::Float(f) => truncate(*f),
        other => match (integer(other), other.as_str()) {
            (Some(i), _) => Some(from_integer(&i)),
            (None, Some(text)) => u32::try_from(base)
                .ok()
                .and_then(|base| parse_int(text, base))
                .or_else(|| parse_float(text).and_then(truncate)),
            _ => None,
        },
    };
    Ok(value.unwrap_or_else(|| args.get("default").cloned().unwrap_or(Value::Int(0))))
}

fn float(mut call: Call) -> Result<Value> {
    let args = call.bind(&["default"])?;
    let value = number(&call.value).or_else(|| parse_float(call.value.as_str()?));
    Ok(match value {
        Some(f) => Value::Float(f),
        None => args.get("default").cloned().unwrap_or(Value::Float(0.0)),
    })
}

/// Python's `round(float, digits)`: to the nearest decimal, halves to even.
fn round_float(f: f64, digits: i64) -> f64 {
    if !f.is_finite() {
        return f;
    }
    if digits >= 0 {
        let digits = usize::try_from(digits).unwrap_or(0).min(330);
        return format!("{f:.digits$}").parse().unwrap_or(f);
    }
    let scale = 10f64.powi(i32::try_from(-digits).unwrap_or(400).min(400));
    (f / scale).round_ties_even() * scale
}

fn round(mut call: Call) -> Result<Value> {
    let args = call.bind(&["precision", "method"])?;
    let precision = args.int("precision", 0)?;
    let method = args.text("method", "common");
    let Some(f) = number(&call.value) else {
        return Err(error(format!(
            "type {} doesn't define __round__ method",
            call.value.type_name()
        )));
    };
    let scale = 10f64.powi(i32::try_from(precision).unwrap_or(0));
    match method.as_str() {
        "common" => match integer(&call.value) {
            Some(i) if precision >= 0 => Ok(from_integer(&i)),
            Some(_) => Ok(truncate(round_float(f, precision)).unwrap_or(Value::Float(f))),
            None => Ok(Value::Float(round_float(f, precision))),
        },
        "ceil" => Ok(Value::Float((f * scale).ceil() / scale)),
        "floor" => Ok(Value::Float((f * scale).floor() / scale)),
        _ => Err(error("method must be common, ceil or floor")),
    }
}

/// `a + b` as `sum` needs it: numbers, and lists after a list.
fn add(a: &Value, b: &Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (integer(a), integer(b)) {
        return Ok(from_integer(&(x + y)));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(Value::Float(x + y));
    }
    match (a, b) {
        (Value::List(x), Value::List(y)) => Ok(Value::list([&x[..], &y[..]].concat())),
        (Value::Str(_), Value::Str(_)) => {
            Err(error("sum() can't sum strings [use ''.join(seq) instead]"))
        }
        (_, Value::Undefined(message)) => Err(undefined(message)),
        _ => Err(error(format!(
            "unsupported operand type(s) for +: '{}' and '{}'",
            a.type_name(),
            b.type_name()
        ))),
    }
}

fn sum(mut call: Call) -> Result<Value> {
    let args = call.bind(&["attribute", "start"])?;
    let mut total = args.get("start").cloned().unwrap_or(Value::Int(0));
    for item in iterate(&call.value)? {
        let part = match args.given("attribute") {
            Some(path) => attribute(&item, path)?,
            None => item,
        };
        total = add(&total, &part)?;
    }
    Ok(total)
}

fn real(call: &Call, value: &Value) -> Result<f64> {
    number(value).ok_or_else(|| {
        error(format!(
            "{}() can only be used on numbers: must be real number, not {}",
            call.name,
            value.type_name()
        ))
    })
}

fn log(mut call: Call) -> Result<Value> {
    let args = call.bind(&["base"])?;
    let x = real(&call, &call.value)?;
    if x <= 0.0 {
        return Err(error(
            "log() can only be used on numbers: math domain error",
        ));
    }
    Ok(Value::Float(match args.get("base") {
        None => x.ln(),
        Some(base) => {
            let base = real(&call, base)?;
            if base == 10.0 {
                x.log10()
            } else {
                x.ln() / base.ln()
            }
        }
    }))
}

fn pow(mut call: Call) -> Result<Value> {
    let args = call.bind(&["y"])?;
    let (x, y) = (real(&call, &call.value)?, real(&call, args.need("y")?)?);
    let power = x.powf(y);
    if power.is_nan() && !x.is_nan() && !y.is_nan() || power.is_infinite() && x == 0.0 {
        return Err(error(
            "pow() can only be used on numbers: math domain error",
        ));
    }
    if power.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(error("math range error"));
    }
    Ok(Value::Float(power))
}

fn root(mut call: Call) -> Result<Value> {
    let args = call.bind(&["base"])?;
    let x = real(&call, &call.value)?;
    let base = args.get("base").map_or(Ok(2.0), |b| real(&call, b))?;
    if base == 0.0 {
        return Err(error("float division by zero"));
    }
    if x < 0.0 {
        return Err(error(
            "root() can only be used on numbers: math domain error",
        ));
    }
    Ok(Value::Float(if base == 2.0 {
        x.sqrt()
    } else {
        x.powf(1.0 / base)
    }))
}

/// The units of sizes, largest first, with their powers of 1024.
const UNITS: [(char, u32); 9] = [
    ('Y', 8),
    ('Z', 7),
    ('E', 6),
    ('P', 5),
    ('T', 4),
    ('G', 3),
    ('M', 2),
    ('K', 1),
    ('B', 0),
];

/// A number of bytes as people read it: `1.00 MB`.
fn human_readable(mut call: Call) -> Result<Value> {
    let args = call.bind(&["isbits", "unit"])?;
    let bits = args.flag("isbits", false);
    let Some(size) = number(&call.value) else {
        return Err(error(format!(
            "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
            call.value.type_name()
        )));
    };
    let unit = args.given("unit").map(|u| python::str(u).to_uppercase());
    let base = if bits { "bits" } else { "Bytes" };
    let mut chosen = (1.0, base.to_string());
    for (letter, power) in UNITS {
        let limit = 1024f64.powi(power as i32);
        let wanted = match &unit {
            None => size >= limit,
            Some(unit) => unit.starts_with(letter),
        };
        if wanted {
            if power > 0 {
                chosen = (limit, format!("{letter}{}", if bits { 'b' } else { 'B' }));
            }
            break;
        }
    }
    Ok(Value::str(format!("{:.2} {}", size / chosen.0, chosen.1)))
}

/// `10M`, `1.5 GB`, `8 Kb` with `isbits`: the number of bytes or bits.
///
/// # Errors
/// On text that is no number with a unit, and on a unit of the other kind.
pub fn to_bytes(text: &str, default_unit: Option<&str>, bits: bool) -> Result<i64> {
    let trimmed = text.trim_start();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (amount, rest) = trimmed.split_at(digits);
    let fail = |words: String| {
        Err(error(format!(
            "human_to_bytes() can't interpret the input: human_to_bytes() failed to convert {words}"
        )))
    };
    let rest = rest.trim_start();
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let unit = &rest[..letters];
    let Ok(amount) = amount.parse::<f64>() else {
        return Err(error(format!(
            "human_to_bytes() can't interpret the input: human_to_bytes() can't interpret following string: {text}"
        )));
    };
    let unit = if unit.is_empty() {
        match default_unit {
            Some(unit) => unit,
            None => return Ok(amount.round_ties_even() as i64),
        }
    } else {
        unit
    };
    let letter = unit.chars().next().unwrap_or(' ').to_ascii_uppercase();
    let Some((_, power)) = UNITS.iter().find(|(l, _)| *l == letter) else {
        return fail(format!(
            "{text} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
        ));
    };
    let (sign, word) = if bits { ('b', "bit") } else { ('B', "byte") };
    if unit.len() > 1 {
        let whole = unit.to_lowercase();
        let names = [
            "yotta", "zetta", "exa", "peta", "tera", "giga", "mega", "kilo", "",
        ];
        let long = names
            .iter()
            .any(|prefix| whole.strip_prefix(prefix) == Some(word));
        let short =
            letter != 'B' && unit.len() == 2 && unit.starts_with(letter) && unit.ends_with(sign);
        if !(long || short) {
            return fail(if letter == 'B' {
                format!("{text}. Value is not a valid string (expect {letter} or {word})")
            } else {
                format!("{text}. Value is not a valid string (expect {letter}{sign} or {letter})")
            });
        }
    }
    Ok((amount * 1024f64.powi(*power as i32)).round_ties_even() as i64)
}

fn human_to_bytes(mut call: Call) -> Result<Value> {
    let args: Args = call.bind(&["default_unit", "isbits"])?;
    let unit = args.given("default_unit").map(python::str);
    to_bytes(&call.text(), unit.as_deref(), args.flag("isbits", false)).map(Value::Int)
}

fn filesizeformat(mut call: Call) -> Result<Value> {
    let args = call.bind(&["binary"])?;
    let binary = args.flag("binary", false);
    let bytes = number(&call.value).or_else(|| parse_float(call.value.as_str()?));
    let Some(bytes) = bytes else {
        return Err(error(format!(
            "could not convert string to float: {}",
            python::repr(&call.value)
        )));
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let prefixes = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if bytes == 1.0 {
        return Ok("1 Byte".into());
    }
    if bytes < base {
        return Ok(Value::str(format!("{} Bytes", bytes.trunc())));
    }
    let mut power = 1;
    while power < prefixes.len() as i32 && bytes >= base.powi(power + 1) {
        power += 1;
    }
    let shown = bytes / base.powi(power);
    Ok(Value::str(format!(
        "{shown:.1} {}",
        prefixes[power as usize - 1]
    )))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("abs", abs),
    ("filesizeformat", filesizeformat),
    ("float", float),
    ("human_readable", human_readable),
    ("human_to_bytes", human_to_bytes),
    ("int", int),
    ("log", log),
    ("pow", pow),
    ("root", root),
    ("round", round),
    ("sum", sum),
];
