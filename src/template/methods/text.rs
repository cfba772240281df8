//! Methods of text.

use super::super::interp::{Args, Interp};
use super::super::ops::failure;
use super::super::val::V;
use super::expect;
use crate::Result;
use crate::value::Value;
use std::rc::Rc;

pub const METHODS: &[&str] = &[
    "split",
    "rsplit",
    "splitlines",
    "strip",
    "lstrip",
    "rstrip",
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "replace",
    "format",
    "format_map",
    "join",
    "upper",
    "lower",
    "title",
    "capitalize",
    "swapcase",
    "casefold",
    "zfill",
    "ljust",
    "rjust",
    "center",
    "partition",
    "rpartition",
    "isdigit",
    "isnumeric",
    "isdecimal",
    "isalpha",
    "isalnum",
    "islower",
    "isupper",
    "isspace",
    "istitle",
    "isidentifier",
    "isascii",
    "isprintable",
    "expandtabs",
    "removeprefix",
    "removesuffix",
    "translate",
    "encode",
    "maketrans",
];

/// Arguments of a method, by position or name.
struct Given<'a> {
    interp: &'a Interp<'a>,
    args: &'a Args,
}

impl Given<'_> {
    fn value(&self, i: usize, name: &str) -> Result<Option<Value>> {
        let v = self.args.pos.get(i).or_else(|| {
            self.args
                .kw
                .iter()
                .find(|(k, _)| **k == *name)
                .map(|(_, v)| v)
        });
        v.map(|v| self.interp.defined_value(v)).transpose()
    }
    fn text(&self, i: usize, name: &str) -> Result<Option<String>> {
        match self.value(i, name)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Str(s)) => Ok(Some(s.to_string())),
            Some(other) => Err(failure(format_args!(
                "must be str, not {}",
                other.type_name()
            ))),
        }
    }
    fn need_text(&self, i: usize) -> Result<String> {
        self.text(i, "")?
            .ok_or_else(|| failure("must be str, not NoneType"))
    }
    fn int(&self, i: usize, name: &str) -> Result<Option<i64>> {
        match self.value(i, name)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Int(i)) => Ok(Some(i)),
            Some(Value::Bool(b)) => Ok(Some(i64::from(b))),
            Some(other) => Err(failure(format_args!(
                "'{}' object cannot be interpreted as an integer",
                other.type_name()
            ))),
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> V {
    V::Data(Value::list(items.map(Value::from).collect()))
}

pub fn call(interp: &Interp<'_>, s: &str, name: &str, args: &Args) -> Result<V> {
    let given = Given { interp, args };
    let plain = name.starts_with("is")
        || matches!(
            name,
            "upper" | "lower" | "casefold" | "swapcase" | "capitalize" | "title"
        );
    let single = matches!(
        name,
        "zfill"
            | "join"
            | "partition"
            | "rpartition"
            | "removeprefix"
            | "removesuffix"
            | "format_map"
    );
    match args.pos.len() {
        0 if single => {
            return Err(failure(format_args!(
                "str.{name}() takes exactly one argument (0 given)"
            )));
        }
        n if n > 1 && single => {
            return Err(failure(format_args!(
                "str.{name}() takes exactly one argument ({n} given)"
            )));
        }
        n if n > 0 && plain => {
            return Err(failure(format_args!(
                "str.{name}() takes no arguments ({n} given)"
            )));
        }
        _ => {}
    }
    Ok(match name {
        "upper" => V::str(s.to_uppercase()),
        "lower" | "casefold" => V::str(s.to_lowercase()),
        "swapcase" => V::str(
            s.chars()
                .flat_map(|c| {
                    if c.is_uppercase() {
                        c.to_lowercase().collect::<Vec<_>>()
                    } else {
                        c.to_uppercase().collect()
                    }
                })
                .collect::<String>(),
        ),
        "capitalize" => {
            let mut chars = s.chars();
            match chars.next() {
                Some(c) => {
                    V::str(c.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase())
                }
                None => V::str(""),
            }
        }
        "title" => V::str(title(s)),
        "strip" | "lstrip" | "rstrip" => {
            expect(name, args, 0, 1)?;
            let set = given.text(0, "chars")?;
            let drop = |c: char| match &set {
                Some(set) => set.contains(c),
                None => c.is_whitespace(),
            };
            V::str(match name {
                "strip" => s.trim_matches(drop),
                "lstrip" => s.trim_start_matches(drop),
                _ => s.trim_end_matches(drop),
            })
        }
        "split" | "rsplit" => {
            expect(name, args, 0, 2)?;
            let separator = match given.value(0, "sep")? {
                None | Some(Value::Null) => None,
                Some(Value::Str(s)) => Some(s),
                Some(other) => {
                    return Err(failure(format_args!(
                        "must be str or None, not {}",
                        other.type_name()
                    )));
                }
            };
            let limit = given
                .int(1, "maxsplit")?
                .and_then(|n| usize::try_from(n).ok());
            match separator {
                None => list(split_white(s, limit, name == "rsplit").into_iter()),
                Some(sep) if sep.is_empty() => return Err(failure("empty separator")),
                Some(sep) => match (limit, name) {
                    (None, _) => list(s.split(&*sep).map(String::from)),
                    (Some(n), "split") => list(s.splitn(n + 1, &*sep).map(String::from)),
                    (Some(n), _) => {
                        let mut parts: Vec<String> =
                            s.rsplitn(n + 1, &*sep).map(String::from).collect();
                        parts.reverse();
                        list(parts.into_iter())
                    }
                },
            }
        }
        "splitlines" => {
            let keep = given.value(0, "keepends")?.is_some_and(|v| v.is_truthy());
            list(split_lines(s, keep).into_iter())
        }
        "startswith" | "endswith" => {
            expect(name, args, 1, 3)?;
            let from = window(s, given.int(1, "")?, given.int(2, "")?);
            let hit = |part: &str| match from {
                None => false,
                Some((from, _)) if name == "startswith" => from.starts_with(part),
                Some((from, _)) => from.ends_with(part),
            };
            let wrong = |v: &Value| {
                failure(format_args!(
                    "{name} first arg must be str or a tuple of str, not {}",
                    v.type_name()
                ))
            };
            let first = &args.pos[0];
            V::bool(match (first, interp.defined_value(first)?) {
                (_, Value::Str(part)) => hit(&part),
                (V::Tuple(_), Value::List(parts)) => {
                    let mut any = false;
                    for part in parts.iter() {
                        match part {
                            Value::Str(part) => any |= hit(part),
                            other => return Err(wrong(other)),
                        }
                    }
                    any
                }
                (_, other) => return Err(wrong(&other)),
            })
        }
        "find" | "rfind" | "index" | "rindex" | "count" => {
            expect(name, args, 1, 3)?;
            let part = given.need_text(0)?;
            let Some((within, offset)) = window(s, given.int(1, "")?, given.int(2, "")?) else {
                return match name {
                    "index" | "rindex" => Err(failure("substring not found")),
                    "count" => Ok(V::int(0)),
                    _ => Ok(V::int(-1)),
                };
            };
            if name == "count" {
                return Ok(V::int(if part.is_empty() {
                    within.chars().count() as i64 + 1
                } else {
                    within.matches(&*part).count() as i64
                }));
            }
            let found = if name.starts_with('r') {
                within.rfind(&*part)
            } else {
                within.find(&*part)
            };
            match found {
                Some(byte) => V::int((offset + within[..byte].chars().count()) as i64),
                None if name.ends_with("index") => return Err(failure("substring not found")),
                None => V::int(-1),
            }
        }
        "replace" => {
            expect(name, args, 2, 3)?;
            let (old, new) = (given.need_text(0)?, given.need_text(1)?);
            match given.int(2, "count")? {
                Some(n) if n >= 0 => V::str(s.replacen(&*old, &new, n as usize)),
                _ => V::str(s.replace(&*old, &new)),
            }
        }
        "join" => {
            expect(name, args, 1, 1)?;
            let mut out = String::new();
            for (i, item) in interp.iterate(&args.pos[0])?.iter().enumerate() {
                match interp.defined_value(item)? {
                    Value::Str(part) => {
                        if i > 0 {
                            out.push_str(s);
                        }
                        out.push_str(&part);
                    }
                    other => {
                        return Err(failure(format_args!(
                            "sequence item {i}: expected str instance, {} found",
                            other.type_name()
                        )));
                    }
                }
            }
            V::str(out)
        }
        "format" => V::str(super::format::format(interp, s, args)?),
        "format_map" => {
            expect(name, args, 1, 1)?;
            let kw = interp
                .entries_of(&args.pos[0])?
                .into_iter()
                .filter_map(|(k, v)| Some((std::sync::Arc::from(k.as_str()?), v)))
                .collect();
            V::str(super::format::format(
                interp,
                s,
                &Args {
                    pos: Vec::new(),
                    kw,
                },
            )?)
        }
        "zfill" => {
            expect(name, args, 1, 1)?;
            let width = given.int(0, "")?.unwrap_or(0).clamp(0, 1 << 20) as usize;
            let fill = width.saturating_sub(s.chars().count());
            let (sign, rest) = match s.strip_prefix(['-', '+']) {
                Some(rest) => (&s[..1], rest),
                None => ("", s),
            };
            V::str(format!("{sign}{}{rest}", "0".repeat(fill)))
        }
        "ljust" | "rjust" | "center" => {
            expect(name, args, 1, 2)?;
            let width = given.int(0, "")?.unwrap_or(0).clamp(0, 1 << 20) as usize;
            let fill = given.text(1, "")?.unwrap_or_else(|| " ".into());
            if fill.chars().count() != 1 {
                return Err(failure(
                    "The fill character must be exactly one character long",
                ));
            }
            let missing = width.saturating_sub(s.chars().count());
            let left = match name {
                "ljust" => 0,
                "rjust" => missing,
                // Python puts the odd one left when the width is odd
                _ => missing / 2 + (missing & width & 1),
            };
            V::str(format!(
                "{}{s}{}",
                fill.repeat(left),
                fill.repeat(missing - left)
            ))
        }
        "partition" | "rpartition" => {
            expect(name, args, 1, 1)?;
            let sep = given.need_text(0)?;
            if sep.is_empty() {
                return Err(failure("empty separator"));
            }
            let found = if name == "partition" {
                s.split_once(&*sep)
            } else {
                s.rsplit_once(&*sep)
            };
            let parts = match (found, name) {
                (Some((a, b)), _) => [a, &*sep, b],
                (None, "partition") => [s, "", ""],
                (None, _) => ["", "", s],
            };
            V::Tuple(Rc::new(parts.iter().map(V::str).collect()))
        }
        "isdigit" | "isdecimal" | "isnumeric" => {
            V::bool(!s.is_empty() && s.chars().all(char::is_numeric))
        }
        "isalpha" => V::bool(!s.is_empty() && s.chars().all(char::is_alphabetic)),
        "isalnum" => V::bool(!s.is_empty() && s.chars().all(char::is_alphanumeric)),
        "isspace" => V::bool(!s.is_empty() && s.chars().all(char::is_whitespace)),
        "isascii" => V::bool(s.is_ascii()),
        "isprintable" => V::bool(!s.chars().any(char::is_control)),
        "islower" => {
            V::bool(s.chars().any(char::is_lowercase) && !s.chars().any(char::is_uppercase))
        }
        "isupper" => {
            V::bool(s.chars().any(char::is_uppercase) && !s.chars().any(char::is_lowercase))
        }
        "istitle" => V::bool(s.chars().any(char::is_alphabetic) && title(s) == s),
        "isidentifier" => V::bool(
            s.chars()
                .next()
                .is_some_and(|c| c == '_' || c.is_alphabetic())
                && s.chars().all(|c| c == '_' || c.is_alphanumeric()),
        ),
        "expandtabs" => {
            let size = given.int(0, "tabsize")?.unwrap_or(8).clamp(0, 64) as usize;
            let mut out = String::new();
            let mut column = 0;
            for c in s.chars() {
                match c {
                    '\t' if size > 0 => {
                        let fill = size - column % size;
                        out.extend(std::iter::repeat_n(' ', fill));
                        column += fill;
                    }
                    '\t' => {}
                    c => {
                        column = if matches!(c, '\n' | '\r') {
                            0
                        } else {
                            column + 1
                        };
                        out.push(c);
                    }
                }
            }
            V::str(out)
        }
        "removeprefix" => V::str(s.strip_prefix(&*given.need_text(0)?).unwrap_or(s)),
        "removesuffix" => V::str(s.strip_suffix(&*given.need_text(0)?).unwrap_or(s)),
        other => {
            return Err(failure(format_args!(
                "the method str.{other}() is not supported by rplay"
            )));
        }
    })
}

fn title(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut inside = false;
    for c in s.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// The part of `s` that `[start:end]` is, and how many characters are before it. None if start is beyond the end.
fn window(s: &str, start: Option<i64>, end: Option<i64>) -> Option<(&str, usize)> {
    if start.is_none() && end.is_none() {
        return Some((s, 0));
    }
    let len = s.chars().count() as i64;
    let fix = |i: i64| if i < 0 { (i + len).max(0) } else { i };
    let start = fix(start.unwrap_or(0));
    let end = fix(end.unwrap_or(len)).min(len);
    if start > end {
        return None;
    }
    let byte = |n: i64| s.char_indices().nth(n as usize).map_or(s.len(), |(i, _)| i);
    Some((&s[byte(start)..byte(end)], start as usize))
}

fn split_white(s: &str, limit: Option<usize>, from_right: bool) -> Vec<String> {
    let Some(limit) = limit else {
        return s.split_whitespace().map(String::from).collect();
    };
    let mut out = Vec::new();
    let mut rest = s.trim();
    while !rest.is_empty() {
        let cut = if out.len() == limit {
            None
        } else if from_right {
            rest.rfind(char::is_whitespace)
        } else {
            rest.find(char::is_whitespace)
        };
        let Some(cut) = cut else {
            out.push(
                if from_right {
                    s_until(rest, s)
                } else {
                    s_from(rest, s)
                }
                .to_string(),
            );
            break;
        };
        if from_right {
            let after = &rest[cut..];
            out.push(after.trim_start().to_string());
            rest = rest[..cut].trim_end();
        } else {
            out.push(rest[..cut].to_string());
            rest = rest[cut..].trim_start();
        }
    }
    if from_right {
        out.reverse();
    }
    out
}

/// The last piece keeps the blanks at the end of the text.
fn s_from<'s>(rest: &str, s: &'s str) -> &'s str {
    let blanks = s.len() - s.trim_end().len();
    &s[s.len() - blanks - rest.len()..]
}

/// As [`s_from`], from the right.
fn s_until<'s>(rest: &str, s: &'s str) -> &'s str {
    let blanks = s.len() - s.trim_start().len();
    &s[..blanks + rest.len()]
}

fn split_lines(s: &str, keep: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = s;
    while !rest.is_empty() {
        let end = rest.find(|c| {
            matches!(
                c,
                '\n' | '\r'
                    | '\x0b'
                    | '\x0c'
                    | '\x1c'
                    | '\x1d'
                    | '\x1e'
                    | '\u{85}'
                    | '\u{2028}'
                    | '\u{2029}'
            )
        });
        let Some(end) = end else {
            out.push(rest.to_string());
            break;
        };
        let width = if rest[end..].starts_with("\r\n") {
            2
        } else {
            rest[end..].chars().next().map_or(1, char::len_utf8)
        };
        out.push(rest[..if keep { end + width } else { end }].to_string());
        rest = &rest[end + width..];
    }
    out
}
