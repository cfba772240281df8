//! Python's datetime and timedelta, as `now()` and `to_datetime` give them: parts, methods, arithmetic.

use super::ast::Op;
use super::interp::{Args, Interp};
use super::ops::failure;
use super::python;
use super::val::{Obj, V};
use crate::Result;
use crate::value::Value;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Zoned};
use std::rc::Rc;

/// A point in time: of no time zone, unless an offset was read with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    pub at: DateTime,
    pub offset: Option<Offset>,
    /// A `date`, which has no time of day.
    pub date_only: bool,
}

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span(pub i64);

const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;

/// What a moment can be called with.
pub const METHODS: &[&str] = &[
    "ctime",
    "date",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "time",
    "timestamp",
    "toordinal",
    "utcoffset",
    "weekday",
];

impl Moment {
    /// What the clock says at a time, to the microsecond; its time zone is forgotten.
    pub fn of(time: &Zoned) -> Moment {
        let exact = time.datetime();
        let micros = exact.subsec_nanosecond() / 1000;
        Moment {
            at: exact
                .with()
                .subsec_nanosecond(micros * 1000)
                .build()
                .unwrap_or(exact),
            offset: None,
            date_only: false,
        }
    }

    /// Python's `str()` with `between` date and time: a blank, or a `T` for ISO 8601.
    fn written(&self, between: char) -> String {
        let mut text = self.at.strftime("%Y-%m-%d").to_string();
        if self.date_only {
            return text;
        }
        text.push(between);
        text.push_str(&clock(self.at));
        if let Some(offset) = self.offset {
            text.push_str(&sign_and_time(offset));
        }
        text
    }

    /// Python's `str()`.
    pub fn text(&self) -> String {
        self.written(' ')
    }

    /// What is kept of it in variables and results.
    pub fn iso(&self) -> String {
        self.written('T')
    }

    /// The instant that it is; one of no time zone is of this machine's.
    fn zoned(&self) -> Result<Zoned> {
        let zone = match self.offset {
            Some(offset) => TimeZone::fixed(offset),
            None => TimeZone::system(),
        };
        self.at.to_zoned(zone).map_err(failure)
    }

    /// Formats it by Python's codes.
    pub fn strftime(&self, format: &str) -> Result<String> {
        let mut prepared = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                prepared.push(c);
                continue;
            }
            match (chars.next(), self.offset) {
                // jiff's %f drops zeros
                (Some('f'), _) => {
                    prepared.push_str(&format!("{:06}", self.at.subsec_nanosecond() / 1000));
                }
                (Some('z' | 'Z'), None) => {}
                (Some('Z'), Some(offset)) if offset == Offset::UTC => prepared.push_str("UTC"),
                (Some('Z'), Some(offset)) => {
                    prepared.push_str("UTC");
                    prepared.push_str(&sign_and_time(offset));
                }
                (Some('%') | None, _) => prepared.push_str("%%"),
                (Some(code), _) => {
                    prepared.push('%');
                    prepared.push(code);
                }
            }
        }
        super::filters::dates::format(&prepared, &self.zoned()?)
    }

    /// A part by its name in Python.
    pub fn part(&self, name: &str) -> Option<V> {
        Some(V::int(match name {
            "year" => i64::from(self.at.year()),
            "month" => i64::from(self.at.month()),
            "day" => i64::from(self.at.day()),
            "tzinfo" if self.offset.is_none() => return Some(V::null()),
            _ if self.date_only => return None,
            "hour" => i64::from(self.at.hour()),
            "minute" => i64::from(self.at.minute()),
            "second" => i64::from(self.at.second()),
            "microsecond" => i64::from(self.at.subsec_nanosecond() / 1000),
            _ => return None,
        }))
    }

    /// Calls one of [`METHODS`].
    pub fn method(&self, interp: &Interp<'_>, name: &str, args: &Args) -> Result<V> {
        Ok(match name {
            "strftime" => match args.pos.first() {
                Some(format) => V::str(self.strftime(&interp.text(format)?)?),
                None => return Err(failure("strftime() takes exactly 1 argument (0 given)")),
            },
            "isoformat" => V::str(self.iso()),
            "ctime" => V::str(self.at.strftime("%a %b %e %H:%M:%S %Y").to_string()),
            "timestamp" => {
                let micros = self.zoned()?.timestamp().as_microsecond();
                V::Data(Value::Float(micros as f64 / SECOND as f64))
            }
            "date" => V::obj(Obj::Time(Moment {
                at: self.at.date().into(),
                offset: None,
                date_only: true,
            })),
            "time" => V::str(clock(self.at)),
            "weekday" => V::int(i64::from(self.at.weekday().to_monday_zero_offset())),
            "isoweekday" => V::int(i64::from(self.at.weekday().to_monday_one_offset())),
            "toordinal" => {
                let first = jiff::civil::date(1, 1, 1);
                let days = self.at.date().duration_since(first).as_hours() / 24;
                V::int(days + 1)
            }
            "utcoffset" => match self.offset {
                None => V::null(),
                Some(offset) => V::obj(Obj::Span(Span(i64::from(offset.seconds()) * SECOND))),
            },
            "replace" => self.replaced(interp, args)?,
            other => {
                return Err(failure(format_args!(
                    "'datetime' object has no attribute '{other}'"
                )));
            }
        })
    }

    fn replaced(&self, interp: &Interp<'_>, args: &Args) -> Result<V> {
        const NAMES: &[&str] = &[
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "microsecond",
        ];
        let positional = NAMES.iter().copied().zip(&args.pos);
        let named = args.kw.iter().map(|(name, v)| (&**name, v));
        let mut with = self.at.with();
        for (name, value) in positional.chain(named) {
            let out_of_range = || failure(format_args!("{} must be in range", python::quote(name)));
            let Value::Int(n) = interp.to_value(value)? else {
                return Err(failure(format_args!("'{name}' must be an integer")));
            };
            let small = || i8::try_from(n).map_err(|_| out_of_range());
            with = match name {
                "year" => with.year(i16::try_from(n).map_err(|_| out_of_range())?),
                "month" => with.month(small()?),
                "day" => with.day(small()?),
                "hour" => with.hour(small()?),
                "minute" => with.minute(small()?),
                "second" => with.second(small()?),
                "microsecond" => {
                    let micros = i32::try_from(n).ok().filter(|n| (0..1_000_000).contains(n));
                    with.subsec_nanosecond(micros.ok_or_else(out_of_range)? * 1000)
                }
                _ => {
                    return Err(failure(format_args!(
                        "replace() got an unexpected keyword argument '{name}'"
                    )));
                }
            };
        }
        let at = with.build().map_err(failure)?;
        Ok(V::obj(Obj::Time(Moment { at, ..*self })))
    }

    fn plus(&self, span: Span) -> Result<V> {
        let mut at = self
            .at
            .checked_add(SignedDuration::from_micros(span.0))
            .map_err(|_| failure("date value out of range"))?;
        if self.date_only {
            at = at.date().into();
        }
        Ok(V::obj(Obj::Time(Moment { at, ..*self })))
    }

    fn since(&self, other: &Moment) -> Result<V> {
        let micros = |at: DateTime, offset: Offset| -> Result<i64> {
            let at = offset.to_timestamp(at).map_err(failure)?;
            Ok(at.as_microsecond())
        };
        let (here, there) = match (self.offset, other.offset) {
            (None, None) => (Offset::UTC, Offset::UTC),
            (Some(a), Some(b)) => (a, b),
            _ => {
                return Err(failure(
                    "can't subtract offset-naive and offset-aware datetimes",
                ));
            }
        };
        let span = micros(self.at, here)? - micros(other.at, there)?;
        Ok(V::obj(Obj::Span(Span(span))))
    }
}

impl Span {
    /// Python's `str()`: `1 day, 2:03:04`.
    pub fn text(&self) -> String {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (seconds, micros) = (rest / SECOND, rest % SECOND);
        let mut out = match days {
            0 => String::new(),
            1 | -1 => format!("{days} day, "),
            _ => format!("{days} days, "),
        };
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        out.push_str(&format!("{hours}:{minutes:02}:{:02}", seconds % 60));
        if micros != 0 {
            out.push_str(&format!(".{micros:06}"));
        }
        out
    }

    /// A part by its name in Python.
    pub fn part(&self, name: &str) -> Option<V> {
        Some(V::int(match name {
            "days" => self.0.div_euclid(DAY),
            "seconds" => self.0.rem_euclid(DAY) / SECOND,
            "microseconds" => self.0.rem_euclid(SECOND),
            _ => return None,
        }))
    }

    /// `total_seconds()`.
    pub fn seconds(&self) -> f64 {
        self.0 as f64 / SECOND as f64
    }
}

fn clock(at: DateTime) -> String {
    let mut text = at.strftime("%H:%M:%S").to_string();
    let micros = at.subsec_nanosecond() / 1000;
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    text
}

/// `+02:00`.
fn sign_and_time(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `left op right` where `left` is a moment or a span; none if it is neither.
pub fn binary(op: Op, left: &Rc<Obj>, right: &V) -> Option<Result<V>> {
    let span = |micros: f64| V::obj(Obj::Span(Span(micros.round_ties_even() as i64)));
    let number = match right {
        V::Data(Value::Int(i)) => Some(*i as f64),
        V::Data(Value::Float(f)) => Some(*f),
        _ => None,
    };
    let other = match right {
        V::Obj(obj) => Some(&**obj),
        _ => None,
    };
    let zero = || Err(failure("division by zero"));
    let result = match (&**left, op, other, number) {
        (Obj::Time(a), Op::Sub, Some(Obj::Time(b)), _) => a.since(b),
        (Obj::Time(a), Op::Sub, Some(Obj::Span(b)), _) => a.plus(Span(-b.0)),
        (Obj::Time(a), Op::Add, Some(Obj::Span(b)), _) => a.plus(*b),
        (Obj::Span(a), Op::Add, Some(Obj::Time(b)), _) => b.plus(*a),
        (Obj::Span(a), Op::Add, Some(Obj::Span(b)), _) => Ok(V::obj(Obj::Span(Span(a.0 + b.0)))),
        (Obj::Span(a), Op::Sub, Some(Obj::Span(b)), _) => Ok(V::obj(Obj::Span(Span(a.0 - b.0)))),
        (Obj::Span(_), Op::Div | Op::FloorDiv, Some(Obj::Span(Span(0))), _) => zero(),
        (Obj::Span(a), Op::Div, Some(Obj::Span(b)), _) => {
            Ok(V::Data(Value::Float(a.0 as f64 / b.0 as f64)))
        }
        (Obj::Span(a), Op::FloorDiv, Some(Obj::Span(b)), _) => {
            Ok(V::int((a.0 as f64 / b.0 as f64).floor() as i64))
        }
        (Obj::Span(a), Op::Mul, _, Some(n)) => Ok(span(a.0 as f64 * n)),
        (Obj::Span(_), Op::Div | Op::FloorDiv, _, Some(0.0)) => zero(),
        (Obj::Span(a), Op::Div, _, Some(n)) => Ok(span(a.0 as f64 / n)),
        (Obj::Span(a), Op::FloorDiv, _, Some(n)) => Ok(span((a.0 as f64 / n).floor())),
        (Obj::Time(_) | Obj::Span(_), ..) => Err(failure(format_args!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            super::ops::symbol(op),
            V::Obj(Rc::clone(left)).type_name(),
            right.type_name()
        ))),
        _ => return None,
    };
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_pythons() {
        for (micros, text) in [
            (0, "0:00:00"),
            (DAY + 3661 * SECOND, "1 day, 1:01:01"),
            (-SECOND, "-1 day, 23:59:59"),
            (-DAY * 2 + 5, "-2 days, 0:00:00.000005"),
        ] {
            assert_eq!(Span(micros).text(), text);
        }
    }
}
