//! `'{} {name:>5}'.format(...)`: Python's format language.

use super::super::interp::{Args, Interp};
use super::super::ops::failure;
use super::super::percent::{as_integer, float_digits};
use super::super::python;
use super::super::val::V;
use crate::Result;
use crate::value::Value;
use num_bigint::BigInt;
use std::sync::Arc;

/// How fields without a name take the arguments.
#[derive(PartialEq)]
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

/// Formats `text`. Errors in Python's words.
pub fn format(interp: &Interp<'_>, text: &str, args: &Args) -> Result<String> {
    let mut numbering = Numbering::Unknown;
    render(interp, text, args, &mut numbering, 0)
}

fn render(
    interp: &Interp<'_>,
    text: &str,
    args: &Args,
    numbering: &mut Numbering,
    depth: usize,
) -> Result<String> {
    if depth > 2 {
        return Err(failure("Max string recursion exceeded"));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find(['{', '}']) {
        out.push_str(&rest[..i]);
        let mark = &rest[i..=i];
        rest = &rest[i + 1..];
        if rest.starts_with(mark) {
            out.push_str(mark);
            rest = &rest[1..];
            continue;
        }
        if mark == "}" {
            return Err(failure("Single '}' encountered in format string"));
        }
        let mut level = 1;
        let end = rest.find(|c| {
            level += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            level == 0
        });
        let Some(end) = end else {
            return Err(failure(if rest.is_empty() {
                "Single '{' encountered in format string"
            } else {
                "expected '}' before end of string"
            }));
        };
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match head.rsplit_once('!') {
            Some((name, c)) => (name, Some(c)),
            None => (head, None),
        };
        let v = lookup(interp, name, args, numbering)?;
        let spec = if spec.contains('{') {
            render(interp, spec, args, numbering, depth + 1)?
        } else {
            spec.to_string()
        };
        match conversion {
            Some("r" | "a") => {
                let value = interp.defined_value(&v)?;
                out.push_str(&apply(&Value::from(python::repr(&value)), &spec)?);
            }
            Some("s") => out.push_str(&apply(&Value::from(interp.text(&v)?), &spec)?),
            Some(other) => {
                return Err(failure(format_args!(
                    "Unknown conversion specifier '{other}'"
                )));
            }
            None if spec.is_empty() => out.push_str(&interp.text(&v)?),
            None => out.push_str(&apply(&interp.defined_value(&v)?, &spec)?),
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn lookup(interp: &Interp<'_>, name: &str, args: &Args, numbering: &mut Numbering) -> Result<V> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut path) = name.split_at(end);
    let index = if first.is_empty() {
        match numbering {
            Numbering::Manual => {
                return Err(failure(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            Numbering::Unknown => {
                *numbering = Numbering::Automatic(1);
                Some(0)
            }
            Numbering::Automatic(n) => {
                *n += 1;
                Some(*n - 1)
            }
        }
    } else if let Ok(n) = first.parse::<usize>() {
        if matches!(numbering, Numbering::Automatic(_)) {
            return Err(failure(
                "cannot switch from automatic field numbering to manual field specification",
            ));
        }
        *numbering = Numbering::Manual;
        Some(n)
    } else {
        None
    };
    let mut v = match index {
        Some(i) => args.pos.get(i).cloned().ok_or_else(|| {
            failure(format_args!(
                "Replacement index {i} out of range for positional args tuple"
            ))
        })?,
        None => args
            .kw
            .iter()
            .find(|(k, _)| **k == *first)
            .map(|(_, v)| v.clone())
            .ok_or_else(|| failure(python::quote(first)))?,
    };
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            v = interp.attr(&v, &Arc::from(&rest[..end]))?;
            path = &rest[end..];
        } else if let Some((key, rest)) = path[1..].split_once(']') {
            let key = key
                .parse::<i64>()
                .map_or_else(|_| Value::str(key), Value::Int);
            v = interp.item(&v, &key)?;
            path = rest;
        } else {
            return Err(failure("Missing ']' in format string"));
        }
        if let V::Undefined(u) = &v {
            return Err(interp.undefined_error(u));
        }
    }
    Ok(v)
}

/// `format(value, spec)`.
pub fn apply(value: &Value, spec: &str) -> Result<String> {
    if spec.is_empty() {
        return Ok(python::str(value));
    }
    let wrong = || failure("Invalid format specifier");
    let mut chars: Vec<char> = spec.chars().collect();
    let mut fill = ' ';
    let mut align = None;
    if chars.len() > 1 && "<>=^".contains(chars[1]) {
        fill = chars[0];
        align = Some(chars[1]);
        chars.drain(..2);
    } else if chars.first().is_some_and(|c| "<>=^".contains(*c)) {
        align = Some(chars.remove(0));
    }
    let mut at = 0;
    let mut next_if = |set: &str| {
        let c = chars.get(at).copied().filter(|c| set.contains(*c));
        at += usize::from(c.is_some());
        c
    };
    let sign = next_if("+- ");
    let alternate = next_if("#").is_some();
    if next_if("0").is_some() && align.is_none() {
        fill = '0';
        align = Some('=');
    }
    let digits = |next_if: &mut dyn FnMut(&str) -> Option<char>| {
        let mut n: Option<usize> = None;
        while let Some(d) = next_if("0123456789") {
            n = Some((n.unwrap_or(0) * 10 + d as usize - '0' as usize).min(1 << 20));
        }
        n
    };
    let width = digits(&mut next_if).unwrap_or(0);
    let grouping = next_if(",_");
    let precision = if next_if(".").is_some() {
        Some(digits(&mut next_if).ok_or_else(|| failure("Format specifier missing precision"))?)
    } else {
        None
    };
    let kind = chars.get(at).copied();
    if at + usize::from(kind.is_some()) != chars.len() {
        return Err(wrong());
    }
    let unknown = |kind: char| {
        failure(format_args!(
            "Unknown format code '{kind}' for object of type '{}'",
            value.type_name()
        ))
    };
    let number_sign = |negative: bool| match (negative, sign) {
        (true, _) => "-",
        (_, Some('+')) => "+",
        (_, Some(' ')) => " ",
        _ => "",
    };
    let (prefix, body, default_align) = match (value, kind) {
        (Value::Str(s), None | Some('s')) => {
            let text = match precision {
                Some(p) => s.chars().take(p).collect(),
                None => s.to_string(),
            };
            (String::new(), text, '<')
        }
        (
            Value::Int(_) | Value::BigInt(_) | Value::Bool(_),
            None | Some('d' | 'x' | 'X' | 'o' | 'b' | 'n' | 'c'),
        ) => {
            let n = as_integer(value).unwrap_or_default();
            if kind == Some('c') {
                let c = u32::try_from(&n)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(wrong)?;
                (String::new(), c.to_string(), '<')
            } else {
                let (radix, lead) = match kind {
                    Some('x') => (16, "0x"),
                    Some('X') => (16, "0X"),
                    Some('o') => (8, "0o"),
                    Some('b') => (2, "0b"),
                    _ => (10, ""),
                };
                let mut text = n.magnitude().to_str_radix(radix);
                if kind == Some('X') {
                    text.make_ascii_uppercase();
                }
                if let Some(mark) = grouping {
                    text = grouped(&text, mark, if radix == 10 { 3 } else { 4 });
                }
                let mut prefix = number_sign(n < BigInt::from(0)).to_string();
                if alternate {
                    prefix.push_str(lead);
                }
                (prefix, text, '>')
            }
        }
        (
            Value::Int(_) | Value::BigInt(_) | Value::Bool(_) | Value::Float(_),
            kind @ (None | Some('f' | 'F' | 'e' | 'E' | 'g' | 'G' | '%' | 'n')),
        ) => {
            let f = match value {
                Value::Float(f) => *f,
                other => as_integer(other)
                    .and_then(|n| n.to_string().parse().ok())
                    .unwrap_or(0.0),
            };
            let magnitude = f.abs();
            let mut text = match kind {
                Some('%') => {
                    float_digits('f', magnitude * 100.0, precision.unwrap_or(6), false) + "%"
                }
                None if precision.is_none() => python::float(magnitude),
                None => float_digits('g', magnitude, precision.unwrap_or(6), alternate),
                Some('n') => float_digits('g', magnitude, precision.unwrap_or(6), alternate),
                Some(kind) => float_digits(kind, magnitude, precision.unwrap_or(6), alternate),
            };
            if let Some(mark) = grouping {
                let end = text
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(text.len());
                text = grouped(&text[..end], mark, 3) + &text[end..];
            }
            (
                number_sign(f.is_sign_negative() && !f.is_nan()).to_string(),
                text,
                '>',
            )
        }
        (_, Some(kind))
            if matches!(
                value,
                Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_)
            ) =>
        {
            return Err(unknown(kind));
        }
        (other, _) => {
            return Err(failure(format_args!(
                "unsupported format string passed to {}.__format__",
                other.type_name()
            )));
        }
    };
    let missing = width.saturating_sub(prefix.chars().count() + body.chars().count());
    let pad = |n: usize| std::iter::repeat_n(fill, n).collect::<String>();
    Ok(match align.unwrap_or(default_align) {
        '<' => format!("{prefix}{body}{}", pad(missing)),
        '^' => format!(
            "{}{prefix}{body}{}",
            pad(missing / 2),
            pad(missing - missing / 2)
        ),
        '=' => format!("{prefix}{}{body}", pad(missing)),
        _ => format!("{}{prefix}{body}", pad(missing)),
    })
}

fn grouped(digits: &str, mark: char, size: usize) -> String {
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(size) {
            out.push(mark);
        }
        out.push(c);
    }
    out
}
