//! `strptime` in the C locale: <https://docs.python.org/3/library/time.html#time.strptime>.

use super::{Civil, MONTHS, Moment, WEEKDAYS, Zone, date_of, day_of, days_in};

/// What clocks show, read from text by a format with Python's directives. None if the text does not match.
pub fn parse(text: &str, format: &str) -> Option<Civil> {
    let mut found = Found {
        year: 1900,
        month: 1,
        day: 1,
        ..Found::default()
    };
    let rest = found.read(text, format)?;
    if !rest.is_empty() {
        return None;
    }
    found.civil()
}

#[derive(Default)]
struct Found {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    day_of_year: Option<u32>,
    /// From 0, which is Sunday.
    weekday: Option<u32>,
    /// A week's number, and the weekday on which weeks begin.
    week: Option<(u32, u32)>,
    afternoon: Option<bool>,
    hour_of_12: bool,
}

impl Found {
    /// Returns what is left of the text.
    fn read<'a>(&mut self, text: &'a str, format: &str) -> Option<&'a str> {
        let mut rest = text;
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c.is_whitespace() {
                // any amount of blanks stands for one, but there has to be one
                let after = rest.trim_start();
                let more = chars.as_str().trim_start();
                if after.len() == rest.len() {
                    return None;
                }
                rest = after;
                chars = more.chars();
            } else if c == '%' {
                rest = self.directive(chars.next()?, rest)?;
            } else {
                let mut there = rest.chars();
                let same = there.next()?.to_lowercase().eq(c.to_lowercase());
                rest = same.then_some(there.as_str())?;
            }
        }
        Some(rest)
    }

    fn directive<'a>(&mut self, directive: char, text: &'a str) -> Option<&'a str> {
        let (n, rest) = match directive {
            'Y' => {
                let (year, rest) =
                    digits(text, 4).filter(|(_, rest)| text.len() - rest.len() == 4)?;
                self.year = year.into();
                return Some(rest);
            }
            'y' => {
                let (year, rest) =
                    digits(text, 2).filter(|(_, rest)| text.len() - rest.len() == 2)?;
                self.year = i64::from(year) + if year < 69 { 2000 } else { 1900 };
                return Some(rest);
            }
            'f' => {
                let (n, rest) = digits(text, 6)?;
                self.micros = n * 10_u32.pow(6 - (text.len() - rest.len()) as u32);
                return Some(rest);
            }
            'b' | 'B' => {
                let (n, rest) = name(text, &MONTHS, directive == 'b')?;
                self.month = n + 1;
                return Some(rest);
            }
            'a' | 'A' => {
                let (n, rest) = name(text, &WEEKDAYS, directive == 'a')?;
                self.weekday = Some(n);
                return Some(rest);
            }
            'p' => {
                let (n, rest) = name(text, &["AM", "PM"], false)?;
                self.afternoon = Some(n == 1);
                return Some(rest);
            }
            'z' => return offset(text),
            'Z' => {
                let (standard, summer) = Zone::local().names(Moment::now());
                let (_, rest) = name(text, &["UTC", "GMT", &standard, &summer], false)?;
                return Some(rest);
            }
            'c' => return self.read(text, "%a %b %d %H:%M:%S %Y"),
            'x' => return self.read(text, "%m/%d/%y"),
            'X' => return self.read(text, "%H:%M:%S"),
            '%' => return text.strip_prefix('%'),
            'j' => digits(text, 3)?,
            'w' | 'u' => digits(text, 1)?,
            'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'U' | 'W' => digits(text, 2)?,
            _ => return None,
        };
        let (least, most) = match directive {
            'm' | 'I' => (1, 12),
            'd' => (1, 31),
            'H' => (0, 23),
            'M' => (0, 59),
            'S' => (0, 61),
            'j' => (1, 366),
            'w' => (0, 6),
            'u' => (1, 7),
            _ => (0, 53),
        };
        if !(least..=most).contains(&n) {
            // the first digit alone may be what is meant
            return match n > most && (10..100).contains(&n) {
                true => {
                    let (first, _) = text.split_at_checked(1)?;
                    self.set(directive, first.parse().ok().filter(|n| *n >= least)?);
                    text.get(1..)
                }
                false => None,
            };
        }
        self.set(directive, n);
        Some(rest)
    }

    fn set(&mut self, directive: char, n: u32) {
        match directive {
            'm' => self.month = n,
            'd' => self.day = n,
            'M' => self.minute = n,
            'S' => self.second = n,
            'j' => self.day_of_year = Some(n),
            'w' | 'u' => self.weekday = Some(n % 7),
            'U' => self.week = Some((n, 0)),
            'W' => self.week = Some((n, 1)),
            'I' => {
                self.hour = n;
                self.hour_of_12 = true;
            }
            _ => self.hour = n,
        }
    }

    fn civil(self) -> Option<Civil> {
        let hour = match (self.hour_of_12, self.afternoon) {
            (true, Some(afternoon)) => self.hour % 12 + if afternoon { 12 } else { 0 },
            _ => self.hour,
        };
        let first = day_of(self.year, 1, 1);
        let (year, month, day) = match (self.day_of_year, self.week, self.weekday) {
            (Some(day), ..) => date_of(first + i64::from(day) - 1),
            (None, Some((week, begin)), Some(weekday)) => {
                let of_week = (weekday + 7 - begin) % 7;
                let ahead = (begin + 7 - super::weekday(first)) % 7;
                // week 1 begins with the first day that weeks begin with
                date_of(first + i64::from(ahead) + 7 * (i64::from(week) - 1) + i64::from(of_week))
            }
            _ => (self.year, self.month, self.day),
        };
        (day <= days_in(year, month)).then(|| Civil {
            year,
            month,
            day,
            hour,
            minute: self.minute,
            second: self.second,
            nanos: self.micros * 1000,
            ..Civil::default()
        })
    }
}

/// A number of up to `most` digits.
fn digits(text: &str, most: usize) -> Option<(u32, &str)> {
    let length = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let (number, rest) = text.split_at(length);
    Some((number.parse().ok()?, rest))
}

/// Which of the names the text begins with, in any case.
fn name<'a>(text: &'a str, names: &[&str], short: bool) -> Option<(u32, &'a str)> {
    names.iter().enumerate().find_map(|(n, name)| {
        let name = if short { &name[..3] } else { name };
        let (start, rest) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((n as u32, rest))
    })
}

/// `Z`, `+0100` or `+01:00`, which changes nothing: `mktime` does not look at it.
fn offset(text: &str) -> Option<&str> {
    let Some(rest) = text.strip_prefix(['+', '-']) else {
        return text.strip_prefix(['Z', 'z']);
    };
    let (_, rest) = digits(rest, 2)?;
    let (_, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    Some(rest)
}
