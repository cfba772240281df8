//! What a scalar's text means in YAML 1.1, as PyYAML and so Ansible reads it.
//!
//! Booleans are `yes`, `no`, `on`, `off`, `true`, `false` in lower, upper or title case; integers may be
//! octal with a leading 0, hexadecimal, binary, sexagesimal (`1:30`) and hold underscores; an exponent
//! needs a point and a sign (`1.0e+3`). See <https://yaml.org/type/>. Timestamps stay text.

use crate::value::Value;
use num_bigint::BigInt;
use std::sync::Arc;

/// The value of a plain scalar; `None` if it is text.
pub(super) fn resolve(text: &str) -> Option<Value> {
    match text.as_bytes().first() {
        None => Some(Value::Null),
        Some(b'~' | b'n' | b'N') if is_null(text) => Some(Value::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => {
            boolean(text).map(Value::Bool)
        }
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        _ => None,
    }
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The value of an implicit boolean.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// The value of a scalar tagged `!!bool`: any case is fine there.
pub(super) fn tagged_bool(text: &str) -> Option<bool> {
    boolean(&text.to_ascii_lowercase())
}

fn number(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = body.as_bytes();
    let of = |class: fn(&u8) -> bool, s: &[u8]| !s.is_empty() && s.iter().all(class);
    let decimal: fn(&u8) -> bool = |b| b.is_ascii_digit() || *b == b'_';
    let integer = match bytes {
        [b'0', b'b', rest @ ..] => of(|b| matches!(b, b'0' | b'1' | b'_'), rest),
        [b'0', b'x', rest @ ..] => of(|b| b.is_ascii_hexdigit() || *b == b'_', rest),
        [b'0'] => true,
        [b'0', rest @ ..] => of(|b| matches!(b, b'0'..=b'7' | b'_'), rest),
        [b'1'..=b'9', ..] => {
            let mut parts = body.split(':');
            let head = parts.next().unwrap_or("");
            of(decimal, head.as_bytes()) && parts.all(is_sixtieth)
        }
        _ => false,
    };
    if integer {
        return tagged_int(text);
    }
    if is_float(body, body.len() != text.len()) {
        return tagged_float(text).map(Value::Float);
    }
    None
}

/// Whether `part` is one or two digits below 60.
fn is_sixtieth(part: &str) -> bool {
    matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
}

/// Whether `body`, a text without its sign, is written as an implicit float.
fn is_float(body: &str, signed: bool) -> bool {
    if matches!(body, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    if matches!(body, ".nan" | ".NaN" | ".NAN") {
        return !signed;
    }
    let Some((whole, fraction)) = body.split_once('.') else {
        return false;
    };
    let underscored = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let starts_with_digit = |s: &str| s.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if whole.contains(':') {
        let mut parts = whole.split(':');
        let head = parts.next().unwrap_or("");
        return starts_with_digit(head)
            && underscored(head)
            && parts.all(is_sixtieth)
            && underscored(fraction);
    }
    let (digits, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        e.strip_prefix(['+', '-'])
            .is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    });
    let mantissa_fits = if whole.is_empty() {
        !signed && starts_with_digit(digits)
    } else {
        starts_with_digit(whole) && underscored(whole)
    };
    mantissa_fits && underscored(digits) && exponent_fits
}

/// The value of a scalar tagged `!!int`, or resolved as an integer.
pub(super) fn tagged_int(text: &str) -> Option<Value> {
    let plain = text.trim().replace('_', "");
    let negative = plain.starts_with('-');
    let body = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let (digits, radix) = match body.as_bytes() {
        [b'0', b'b', ..] => (&body[2..], 2),
        [b'0', b'x', ..] => (&body[2..], 16),
        [b'0', _, ..] => (&body[1..], 8),
        _ => (body, 10),
    };
    let magnitude = if radix == 10 && digits.contains(':') {
        let mut sum = BigInt::from(0);
        for part in digits.split(':') {
            sum = sum * 60 + unsigned(part, 10)?;
        }
        sum
    } else if let Ok(small) = i64::from_str_radix(digits, radix)
        && digits.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Some(Value::Int(if negative { -small } else { small }));
    } else {
        unsigned(digits, radix)?
    };
    Some(integer(if negative { -magnitude } else { magnitude }))
}

fn unsigned(digits: &str, radix: u32) -> Option<BigInt> {
    digits
        .bytes()
        .all(|b| b.is_ascii_alphanumeric())
        .then(|| BigInt::parse_bytes(digits.as_bytes(), radix))?
}

fn integer(number: BigInt) -> Value {
    match i64::try_from(&number) {
        Ok(small) => Value::Int(small),
        Err(_) => Value::BigInt(Arc::from(number.to_string())),
    }
}

/// The value of a scalar tagged `!!float`, or resolved as one.
pub(super) fn tagged_float(text: &str) -> Option<f64> {
    let plain = text.trim().replace('_', "").to_ascii_lowercase();
    let negative = plain.starts_with('-');
    let body = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let magnitude = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ if body.contains(':') => body.split(':').try_fold(0.0, |sum, part| {
            Some(sum * 60.0 + part.parse::<f64>().ok()?)
        })?,
        _ => body.parse().ok()?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line was compared with what PyYAML's SafeLoader makes of it.
    #[test]
    fn plain_scalars_mean_what_pyyaml_says() {
        let int = |i| Some(Value::Int(i));
        let float = |f| Some(Value::Float(f));
        let cases: &[(&str, Option<Value>)] = &[
            ("yes", Some(Value::Bool(true))),
            ("Off", Some(Value::Bool(false))),
            ("yEs", None),
            ("y", None),
            ("n", None),
            ("", Some(Value::Null)),
            ("~", Some(Value::Null)),
            ("NULL", Some(Value::Null)),
            ("0644", int(0o644)),
            ("0o644", None),
            ("089", None),
            ("0_7", int(7)),
            ("-0", int(0)),
            ("+5", int(5)),
            ("0x1F", int(31)),
            ("-0x10", int(-16)),
            ("0b101", int(5)),
            ("1_000", int(1000)),
            ("1_", int(1)),
            ("_1", None),
            ("1:30", int(90)),
            ("-1:30", int(-90)),
            ("190:20:30", int(685_230)),
            ("1:60", None),
            ("08:10", None),
            ("0:0:1", None),
            ("12:30:45.5", float(45045.5)),
            ("1.5e+3", float(1500.0)),
            ("1.0e3", None),
            ("1e3", None),
            ("1e+5", None),
            (".5", float(0.5)),
            ("-.5", None),
            ("1.", float(1.0)),
            ("1_000.5", float(1000.5)),
            ("685.230_15e+03", float(685_230.15)),
            ("-.INF", float(f64::NEG_INFINITY)),
            ("1.2.3", None),
            ("10.0.0.1", None),
            ("-", None),
            (".", None),
            ("2020-01-01", None),
            (
                "18446744073709551616",
                Some(Value::BigInt(Arc::from("18446744073709551616"))),
            ),
            (
                "0xFFFFFFFFFFFFFFFFFFFFF",
                Some(Value::BigInt(Arc::from("19342813113834066795298815"))),
            ),
        ];
        for (text, want) in cases {
            let got = resolve(text);
            assert_eq!(&got, want, "{text}");
            // equality is Python's, so the types are compared apart
            let kind = |v: &Option<Value>| v.as_ref().map(Value::type_name);
            assert_eq!(kind(&got), kind(want), "{text}");
        }
        assert!(matches!(resolve(".nan"), Some(Value::Float(f)) if f.is_nan()));
    }
}
