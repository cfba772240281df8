//! `date_time`.

use super::{Facts, dict};
use crate::clock::{Moment, Zone};

pub fn gather(facts: &mut Facts<'_>) {
    let (now, zone) = (Moment::now(), Zone::local());
    let (there, utc) = (now.within(&zone), now.utc());
    let local = |format: &str| there.format(format).into();
    let utc = |format: &str| utc.format(format).into();
    let epoch = || now.secs.to_string().into();
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
            ("iso8601_micro", utc("%Y-%m-%dT%H:%M:%S.%fZ")),
            ("iso8601", utc("%Y-%m-%dT%H:%M:%SZ")),
            ("iso8601_basic", local("%Y%m%dT%H%M%S%f")),
            ("iso8601_basic_short", local("%Y%m%dT%H%M%S")),
            ("tz", local("%Z")),
            ("tz_dst", zone.names(now).1.into()),
            ("tz_offset", local("%z")),
        ]),
    );
}
