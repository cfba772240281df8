//! Dates: formatting now or an epoch, reading a date.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::number;
use crate::template::python;
use crate::template::times::Moment;
use crate::value::Value;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// C's `strftime` for a moment. Directives that C lacks stay as they are.
pub fn format(text: &str, at: &Zoned) -> Result<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = String::from("%");
        while let Some(flag @ ('-' | '_' | '0' | '^' | '#')) = chars.peek() {
            directive.push(*flag);
            chars.next();
        }
        let Some(kind) = chars.next() else {
            out.push('%');
            break;
        };
        directive.push(kind);
        match kind {
            '%' => out.push('%'),
            'c' => out.push_str(&format("%a %b %e %H:%M:%S %Y", at)?),
            'x' => out.push_str(&format("%m/%d/%y", at)?),
            'X' => out.push_str(&format("%H:%M:%S", at)?),
            'r' => out.push_str(&format("%I:%M:%S %p", at)?),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            // glibc writes UTC as GMT there
            'Z' if at.time_zone() == &TimeZone::UTC => out.push_str("GMT"),
            'a' | 'A' | 'b' | 'B' | 'C' | 'd' | 'D' | 'e' | 'F' | 'g' | 'G' | 'h' | 'H' | 'I'
            | 'j' | 'k' | 'l' | 'm' | 'M' | 'p' | 'P' | 'R' | 's' | 'S' | 'T' | 'u' | 'U' | 'V'
            | 'w' | 'W' | 'y' | 'Y' | 'z' | 'Z' => {
                let part = jiff::fmt::strtime::format(&directive, at)
                    .map_err(|e| error(format!("strftime: {directive}: {e}")))?;
                out.push_str(&part);
            }
            _ => out.push_str(&directive),
        }
    }
    Ok(out)
}

fn strftime(mut call: Call) -> Result<Value> {
    let args = call.bind(&["second", "utc"])?;
    let zone = if args.flag("utc", false) {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let timestamp = match args.given("second") {
        None => Timestamp::now(),
        Some(second) => {
            let text = python::str(second);
            number(second)
                .or_else(|| text.trim().parse().ok())
                .and_then(|f: f64| Timestamp::from_nanosecond((f * 1e9) as i128).ok())
                .ok_or_else(|| error(format!("Invalid value for epoch value ({text})")))?
        }
    };
    format(&call.text(), &timestamp.to_zoned(zone)).map(Value::from)
}

/// The date and time that a text names.
pub fn moment(mut call: Call) -> Result<Moment> {
    let args = call.bind(&["format"])?;
    let layout = args.text("format", "%Y-%m-%d %H:%M:%S");
    let text = call.text();
    let fail = || {
        error(format!(
            "time data {} does not match format {}",
            python::quote(&text),
            python::quote(&layout)
        ))
    };
    let parsed = jiff::fmt::strtime::parse(&layout, &text).map_err(|_| fail())?;
    let midnight = jiff::civil::Time::midnight();
    let time = parsed.to_time().unwrap_or(midnight);
    let date = match parsed.to_date() {
        Ok(date) => date,
        // Python fills what the layout leaves out with the first of January 1900
        Err(_) => jiff::civil::Date::new(
            parsed.year().unwrap_or(1900),
            parsed.month().unwrap_or(1),
            parsed.day().unwrap_or(1),
        )
        .map_err(|_| fail())?,
    };
    let at: DateTime = date.to_datetime(time);
    Ok(Moment {
        at,
        offset: parsed.offset(),
        date_only: false,
    })
}

/// [`moment`] for whoever takes plain values only, such as `map`.
fn to_datetime(call: Call) -> Result<Value> {
    moment(call).map(|m| Value::from(m.iso()))
}

pub static FILTERS: &[(&str, Filter)] = &[("strftime", strftime), ("to_datetime", to_datetime)];
