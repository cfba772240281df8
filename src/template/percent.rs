//! `'%s %03d' % values`: Python's printf.

use super::ops::failure;
use super::python;
use crate::Result;
use crate::value::Value;
use num_bigint::BigInt;

/// What stands right of `%`.
pub enum Values {
    /// A tuple: one value for each conversion.
    Many(Vec<Value>),
    /// Anything else: a single value, which a mapping's `%(key)s` looks into.
    One(Value),
}

/// Flags, width and precision of one conversion.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats `text` with `values`. Errors in Python's words.
pub fn format(text: &str, values: &Values) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut next = 0;
    let mut by_key = false;
    let mut take = |next: &mut usize| -> Result<Value> {
        let found = match values {
            Values::Many(v) => v.get(*next).cloned(),
            Values::One(v) => (*next == 0).then(|| v.clone()),
        };
        *next += 1;
        found.ok_or_else(|| failure("not enough arguments for format string"))
    };
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            out.push('%');
            continue;
        }
        let mut keyed = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            let mut key = String::new();
            loop {
                match chars.next() {
                    Some(')') => break,
                    Some(c) => key.push(c),
                    None => return Err(failure("incomplete format key")),
                }
            }
            let Values::One(map @ (Value::Map(_) | Value::Dynamic(_))) = values else {
                return Err(failure("format requires a mapping"));
            };
            let found = match map {
                Value::Map(m) => m.get(&*key).cloned(),
                Value::Dynamic(d) => d.get(&key)?,
                _ => None,
            };
            keyed = Some(found.ok_or_else(|| failure(python::quote(&key)))?);
            by_key = true;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+ 0#".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '0' => spec.zero = true,
                _ => spec.alternate = true,
            }
        }
        let star =
            |next: &mut usize, take: &mut dyn FnMut(&mut usize) -> Result<Value>| match take(next)?
            {
                Value::Int(i) => Ok(i),
                _ => Err(failure("* wants int")),
            };
        if chars.next_if_eq(&'*').is_some() {
            let width = star(&mut next, &mut take)?;
            spec.left |= width < 0;
            spec.width = (width.unsigned_abs() as usize).min(1 << 20);
        } else {
            while let Some(d) = chars.next_if(char::is_ascii_digit) {
                spec.width = (spec.width * 10 + d as usize - '0' as usize).min(1 << 20);
            }
        }
        if chars.next_if_eq(&'.').is_some() {
            let mut precision = 0;
            if chars.next_if_eq(&'*').is_some() {
                precision = star(&mut next, &mut take)?.max(0) as usize;
            } else {
                while let Some(d) = chars.next_if(char::is_ascii_digit) {
                    precision = precision * 10 + d as usize - '0' as usize;
                }
            }
            spec.precision = Some(precision.min(1 << 20));
        }
        while chars.next_if(|c| "lLh".contains(*c)).is_some() {}
        let Some(kind) = chars.next() else {
            return Err(failure("incomplete format"));
        };
        let value = match keyed {
            Some(v) => v,
            None => take(&mut next)?,
        };
        let at = text.chars().count() - chars.clone().count() - 1;
        convert(kind, at, &spec, &value, &mut out)?;
    }
    let left_over = match values {
        Values::Many(v) => next < v.len(),
        Values::One(Value::Map(_) | Value::Dynamic(_) | Value::List(_)) => false,
        Values::One(_) => next == 0 && !by_key,
    };
    if left_over {
        return Err(failure(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(out)
}

fn convert(kind: char, at: usize, spec: &Spec, value: &Value, out: &mut String) -> Result<()> {
    let cut = |text: String| match spec.precision {
        Some(p) => text.chars().take(p).collect(),
        None => text,
    };
    let (sign, digits, numeric) = match kind {
        's' => (String::new(), cut(python::str(value)), false),
        'r' | 'a' => (String::new(), cut(python::repr(value)), false),
        'c' => match value {
            Value::Int(i) => {
                let c = u32::try_from(*i)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| failure("%c arg not in range(0x110000)"))?;
                (String::new(), c.to_string(), false)
            }
            Value::Str(s) if s.chars().count() == 1 => (String::new(), s.to_string(), false),
            _ => return Err(failure("%c requires int or char")),
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let number: BigInt = match value {
                Value::Bool(b) => BigInt::from(u8::from(*b)),
                Value::Int(i) => BigInt::from(*i),
                Value::BigInt(d) => d.parse().map_err(failure)?,
                Value::Float(f) if matches!(kind, 'd' | 'i' | 'u') => {
                    format!("{:.0}", f.trunc()).parse().map_err(failure)?
                }
                other => {
                    return Err(failure(if matches!(kind, 'd' | 'i' | 'u') {
                        format!(
                            "%{kind} format: a real number is required, not {}",
                            other.type_name()
                        )
                    } else {
                        format!(
                            "%{kind} format: an integer is required, not {}",
                            other.type_name()
                        )
                    }));
                }
            };
            let negative = number < BigInt::from(0);
            let radix = match kind {
                'x' | 'X' => 16,
                'o' => 8,
                _ => 10,
            };
            let mut digits = number.magnitude().to_str_radix(radix);
            if kind == 'X' {
                digits.make_ascii_uppercase();
            }
            if let Some(p) = spec.precision {
                digits = format!("{digits:0>p$}");
            }
            let prefix = match kind {
                'x' if spec.alternate => "0x",
                'X' if spec.alternate => "0X",
                'o' if spec.alternate => "0o",
                _ => "",
            };
            (sign_of(negative, spec) + prefix, digits, true)
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let f = match value {
                Value::Bool(b) => f64::from(u8::from(*b)),
                Value::Int(i) => *i as f64,
                Value::BigInt(d) => d.parse().map_err(failure)?,
                Value::Float(f) => *f,
                other => {
                    return Err(failure(format_args!(
                        "must be real number, not {}",
                        other.type_name()
                    )));
                }
            };
            let negative = f.is_sign_negative() && !f.is_nan();
            let digits = float_digits(kind, f.abs(), spec.precision.unwrap_or(6), spec.alternate);
            (sign_of(negative, spec), digits, true)
        }
        other => {
            return Err(failure(format_args!(
                "unsupported format character '{other}' (0x{:x}) at index {at}",
                other as u32
            )));
        }
    };
    let length = sign.chars().count() + digits.chars().count();
    let fill = spec.width.saturating_sub(length);
    if spec.left {
        out.push_str(&sign);
        out.push_str(&digits);
        out.extend(std::iter::repeat_n(' ', fill));
    } else if spec.zero && numeric {
        out.push_str(&sign);
        out.extend(std::iter::repeat_n('0', fill));
        out.push_str(&digits);
    } else {
        out.extend(std::iter::repeat_n(' ', fill));
        out.push_str(&sign);
        out.push_str(&digits);
    }
    Ok(())
}

fn sign_of(negative: bool, spec: &Spec) -> String {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
    .to_string()
}

/// The digits of a number that is not negative, as `f`, `e` or `g` write it.
pub fn float_digits(kind: char, f: f64, precision: usize, alternate: bool) -> String {
    if !f.is_finite() {
        let text = if f.is_nan() { "nan" } else { "inf" };
        return if kind.is_uppercase() {
            text.to_uppercase()
        } else {
            text.into()
        };
    }
    let exponential = |precision: usize| {
        let text = format!("{f:.precision$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        (mantissa.to_string(), exponent)
    };
    let join = |mantissa: &str, exponent: i32| {
        let e = if kind.is_uppercase() { 'E' } else { 'e' };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}{e}{sign}{:02}", exponent.abs())
    };
    match kind.to_ascii_lowercase() {
        'f' => format!("{f:.precision$}"),
        'e' => {
            let (mantissa, exponent) = exponential(precision);
            join(&mantissa, exponent)
        }
        _ => {
            let precision = precision.max(1);
            let (mantissa, exponent) = exponential(precision - 1);
            let trim = |text: String| {
                if alternate || !text.contains('.') {
                    text
                } else {
                    text.trim_end_matches('0').trim_end_matches('.').to_string()
                }
            };
            if exponent < -4 || exponent >= precision as i32 {
                join(&trim(mantissa), exponent)
            } else {
                let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
                trim(format!("{f:.decimals$}"))
            }
        }
    }
}

/// The integer that a value is for `%d` and `{:d}`; none if it is not a number.
pub fn as_integer(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Int(i) => Some(BigInt::from(*i)),
        Value::BigInt(d) => d.parse().ok(),
        _ => None,
    }
}
