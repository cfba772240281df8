//! `strftime` in the C locale, as far as rplay's own formats need it.

use super::{Civil, MONTHS, WEEKDAYS};
use std::fmt::Write;

impl Civil {
    /// `%Y %m %d %H %M %S %j %a %A %b %B %w %W %Z %z`, and `%f` for microseconds; anything else stays as it is.
    pub fn format(&self, format: &str) -> String {
        let mut out = String::with_capacity(format.len() * 2);
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match (c, chars.as_str().chars().next()) {
                ('%', Some(directive)) if self.directive(directive, &mut out) => {
                    chars.next();
                }
                _ => out.push(c),
            }
        }
        out
    }

    fn directive(&self, directive: char, out: &mut String) -> bool {
        let weekday = self.weekday();
        let (number, width) = match directive {
            'Y' => (self.year, 4),
            'm' => (self.month.into(), 2),
            'd' => (self.day.into(), 2),
            'H' => (self.hour.into(), 2),
            'M' => (self.minute.into(), 2),
            'S' => (self.second.into(), 2),
            'f' => ((self.nanos / 1000).into(), 6),
            'j' => ((self.day_of_year() + 1).into(), 3),
            'w' => (weekday.into(), 1),
            // weeks begin on Mondays; the days before the first one are week 0
            'W' => (((self.day_of_year() + 7 - (weekday + 6) % 7) / 7).into(), 2),
            _ => {
                match directive {
                    'a' => out.push_str(&WEEKDAYS[weekday as usize][..3]),
                    'A' => out.push_str(WEEKDAYS[weekday as usize]),
                    'b' => out.push_str(&self.month_name()[..3]),
                    'B' => out.push_str(self.month_name()),
                    'Z' => out.push_str(&self.zone),
                    'z' => {
                        let sign = if self.offset < 0 { '-' } else { '+' };
                        let minutes = self.offset.abs() / 60;
                        let _ = write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60);
                    }
                    _ => return false,
                }
                return true;
            }
        };
        let _ = write!(out, "{number:0width$}");
        true
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month.saturating_sub(1).min(11) as usize]
    }
}
