//! A zone's rule in the form of the variable `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`.
//!
//! <https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_03>

use super::zone::Kind;
use super::{DAY, date_of, day_of, days_in, is_leap, weekday};

/// See the module's documentation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    standard: Kind,
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq)]
struct Summer {
    kind: Kind,
    begin: Change,
    end: Change,
}

/// When clocks are changed in a year.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    day: Day,
    /// Seconds from midnight, as clocks show them until then.
    time: i64,
}

#[derive(Clone, Debug, PartialEq)]
enum Day {
    /// From 1; no year has a 29th of February.
    Julian(i64),
    /// From 0, leap days counted.
    Counted(i64),
    /// A weekday's occurrence in a month; the fifth is the last.
    Weekday { month: u32, week: u32, weekday: u32 },
}

impl Rule {
    /// None if the text is no rule.
    pub(super) fn parse(text: &str) -> Option<Rule> {
        let mut rest = text;
        let standard = Kind {
            name: name(&mut rest)?,
            offset: -time(&mut rest)? as i32,
        };
        if rest.is_empty() {
            return Some(Rule {
                standard,
                summer: None,
            });
        }
        let kind = Kind {
            name: name(&mut rest)?,
            offset: match rest.is_empty() || rest.starts_with(',') {
                true => standard.offset + 3600,
                false => -time(&mut rest)? as i32,
            },
        };
        // what is left out is the rule of the United States
        let (begin, end) = match rest.strip_prefix(',') {
            None if rest.is_empty() => ("M3.2.0", "M11.1.0"),
            None => return None,
            Some(changes) => changes.split_once(',')?,
        };
        Some(Rule {
            standard,
            summer: Some(Summer {
                kind,
                begin: Change::parse(begin)?,
                end: Change::parse(end)?,
            }),
        })
    }

    pub(super) fn at(&self, secs: i64) -> &Kind {
        let Some(summer) = &self.summer else {
            return &self.standard;
        };
        let standard = i64::from(self.standard.offset);
        let (year, ..) = date_of((secs + standard).div_euclid(DAY));
        let begin = summer.begin.of(year) - standard;
        let end = summer.end.of(year) - i64::from(summer.kind.offset);
        let is_summer = match begin < end {
            true => (begin..end).contains(&secs),
            // south of the equator
            false => !(end..begin).contains(&secs),
        };
        match is_summer {
            true => &summer.kind,
            false => &self.standard,
        }
    }
}

impl Change {
    fn parse(text: &str) -> Option<Change> {
        let (day, at) = text.split_once('/').unwrap_or((text, "2"));
        let mut rest = at;
        let time = time(&mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        let number = |text: &str| text.parse::<u32>().ok();
        let day = if let Some(date) = day.strip_prefix('M') {
            let mut parts = date.splitn(3, '.').map(number);
            let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
            let valid =
                (1..=12).contains(&month) && (1..=5).contains(&week) && (0..=6).contains(&weekday);
            valid.then_some(Day::Weekday {
                month,
                week,
                weekday,
            })?
        } else if let Some(day) = day.strip_prefix('J') {
            Day::Julian(number(day)?.into())
        } else {
            Day::Counted(number(day)?.into())
        };
        Some(Change { day, time })
    }

    /// Seconds from 1970 by the clock that is changed.
    fn of(&self, year: i64) -> i64 {
        let first = day_of(year, 1, 1);
        let day = match self.day {
            Day::Counted(day) => first + day,
            Day::Julian(day) => first + day - 1 + i64::from(day >= 60 && is_leap(year)),
            Day::Weekday {
                month,
                week,
                weekday: wanted,
            } => {
                let first = day_of(year, month, 1);
                let ahead = (wanted + 7 - weekday(first)) % 7;
                let mut day = ahead + 7 * (week - 1);
                if day >= days_in(year, month) {
                    day -= 7;
                }
                first + i64::from(day)
            }
        };
        day * DAY + self.time
    }
}

/// An abbreviation: letters, or anything between `<` and `>`.
fn name(rest: &mut &str) -> Option<String> {
    let (name, after) = match rest.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?,
        None => {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic());
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    *rest = after;
    (name.len() >= 3).then(|| name.to_string())
}

/// `[+-]hours[:minutes[:seconds]]` in seconds.
fn time(rest: &mut &str) -> Option<i64> {
    let sign = match rest.chars().next()? {
        '-' => -1,
        _ => 1,
    };
    *rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let end = rest.find(|c: char| c != ':' && !c.is_ascii_digit());
    let (time, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    let mut secs = 0;
    let mut unit = 3600;
    for part in time.split(':') {
        secs += part.parse::<i64>().ok().filter(|n| *n < 1000)? * unit;
        unit /= 60;
    }
    Some(sign * secs)
}
