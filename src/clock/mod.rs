//! Dates and times of the machine, as Python's `time` gives them.
//!
//! Small on purpose: it is part of the agent. The controller has `jiff`, which can do more.

mod format;
mod parse;
mod rule;
mod zone;

pub use parse::parse;
pub use zone::Zone;

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970 in UTC.
    pub secs: i64,
    pub nanos: u32,
}

impl Moment {
    pub fn now() -> Moment {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Moment {
            secs: since.as_secs() as i64,
            nanos: since.subsec_nanos(),
        }
    }

    pub fn from_secs(secs: i64) -> Moment {
        Moment { secs, nanos: 0 }
    }

    /// What clocks show in UTC.
    pub fn utc(self) -> Civil {
        Civil::at(self, 0, "UTC")
    }

    /// What clocks show in the time zone of this process.
    pub fn local(self) -> Civil {
        self.within(&Zone::local())
    }

    pub fn within(self, zone: &Zone) -> Civil {
        let kind = zone.at(self.secs);
        Civil::at(self, kind.offset, &kind.name)
    }
}

/// What calendars and clocks show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub nanos: u32,
    /// Seconds east of UTC.
    pub offset: i32,
    /// The zone's abbreviation.
    pub zone: String,
}

impl Civil {
    fn at(moment: Moment, offset: i32, zone: &str) -> Civil {
        let secs = moment.secs.saturating_add(offset.into());
        let (year, month, day) = date_of(secs.div_euclid(DAY));
        let rest = secs.rem_euclid(DAY) as u32;
        Civil {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            nanos: moment.nanos,
            offset,
            zone: zone.to_string(),
        }
    }

    /// Seconds since 1970, if clocks showed UTC.
    fn as_utc(&self) -> i64 {
        let clock = self.hour * 3600 + self.minute * 60 + self.second;
        day_of(self.year, self.month, self.day) * DAY + i64::from(clock)
    }

    /// When clocks in this zone show it, as `mktime` finds it: the first time if they do so twice, and
    /// with the offset before, if they leave it out.
    pub fn within(&self, zone: &Zone) -> Moment {
        let clock = self.as_utc();
        let fits = |offset: i32| {
            let secs = clock - i64::from(offset);
            (zone.at(secs).offset == offset).then_some(secs)
        };
        let before = zone.at(clock - DAY).offset;
        let secs = fits(before)
            .or_else(|| fits(zone.at(clock + DAY).offset))
            .unwrap_or(clock - i64::from(before));
        Moment {
            secs,
            nanos: self.nanos,
        }
    }

    /// From 0, which is Sunday.
    fn weekday(&self) -> u32 {
        weekday(day_of(self.year, self.month, self.day))
    }

    /// From 0.
    fn day_of_year(&self) -> u32 {
        (day_of(self.year, self.month, self.day) - day_of(self.year, 1, 1)) as u32
    }
}

fn weekday(day: i64) -> u32 {
    // 1970 began on a Thursday
    (day + 4).rem_euclid(7) as u32
}

/// Days from the first of 1970 to a date of the Gregorian calendar.
fn day_of(year: i64, month: u32, day: u32) -> i64 {
    // years from March, so that the day that leap years have is their last
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The other way round: year, month, day.
fn date_of(day: i64) -> (i64, u32, u32) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

#[cfg(test)]
mod tests;
