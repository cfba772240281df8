//! `date_time`.

use super::{Facts, dict};
use jiff::Zoned;

pub fn gather(facts: &mut Facts<'_>) {
    let now = Zoned::now();
    let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
    let local = |format: &str| now.strftime(format).to_string().into();
    let utc = |format: &str| utc.strftime(format).to_string().into();
    let epoch = || now.timestamp().as_second().to_string().into();
    facts.set(
        "date_time",
        dict([
            ("year", local("%Y")),
            ("month", local("%m")),
            ("weekday", local("%A")),
            ("weekday_number", local("%w")),
            ("weeknumber", local("%W")),
            ("day", local("%d")),
            ("hour", local("%H")),
            ("minute", local("%M")),
            ("second", local("%S")),
            ("epoch", epoch()),
            ("epoch_int", epoch()),
            ("date", local("%Y-%m-%d")),
            ("time", local("%H:%M:%S")),
            ("iso8601_micro", utc("%Y-%m-%dT%H:%M:%S%.6fZ")),
            ("iso8601", utc("%Y-%m-%dT%H:%M:%SZ")),
            ("iso8601_basic", local("%Y%m%dT%H%M%S%6f")),
            ("iso8601_basic_short", local("%Y%m%dT%H%M%S")),
            ("tz", local("%Z")),
            ("tz_dst", local("%Z")),
            ("tz_offset", local("%z")),
        ]),
    );
}
