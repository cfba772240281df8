use super::*;

fn zone(rule: &str) -> Zone {
    Zone::from_rule(rule).unwrap()
}

fn civil(text: &str) -> Civil {
    parse(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

#[test]
fn dates_are_those_of_the_calendar() {
    let mut day = day_of(1599, 12, 31);
    for year in 1600..2401 {
        for month in 1..=12 {
            for date in 1..=days_in(year, month) {
                day += 1;
                assert_eq!(day_of(year, month, date), day);
                assert_eq!(date_of(day), (year, month, date));
            }
        }
    }
    assert_eq!(day_of(1970, 1, 1), 0);
}

#[test]
fn formats() {
    let at = Moment {
        secs: 1_709_197_506,
        nanos: 4_567_890,
    };
    let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for (format, expected) in [
        ("%Y-%m-%d %H:%M:%S.%f", "2024-02-29 10:05:06.004567"),
        ("%a %A %b %B", "Thu Thursday Feb February"),
        ("%j %w %W", "060 4 09"),
        ("%Z%z", "CET+0100"),
        ("100% %q %", "100% %q %"),
    ] {
        assert_eq!(at.within(&berlin).format(format), expected);
    }
    let early = Moment::from_secs(-1).within(&zone("<-0330>3:30"));
    let shown = early.format("%Y-%m-%dT%H:%M:%S %Z %z");
    assert_eq!(shown, "1969-12-31T20:29:59 -0330 -0330");
}

/// A rule, and moments in UTC with the offset and the abbreviation that hold then.
#[test]
fn rules() {
    let cases = [
        ("UTC0", "2024-07-01 00:00:00", 0, "UTC"),
        ("JST-9", "2024-07-01 00:00:00", 9 * 3600, "JST"),
        (
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "2024-03-31 00:59:59",
            3600,
            "CET",
        ),
        (
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "2024-03-31 01:00:00",
            7200,
            "CEST",
        ),
        (
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "2024-10-27 00:59:59",
            7200,
            "CEST",
        ),
        (
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "2024-10-27 01:00:00",
            3600,
            "CET",
        ),
        ("EST5EDT", "2024-07-01 00:00:00", -4 * 3600, "EDT"),
        (
            "EST5EDT,M3.2.0,M11.1.0",
            "2024-03-10 06:59:59",
            -5 * 3600,
            "EST",
        ),
        (
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "2024-01-01 00:00:00",
            11 * 3600,
            "AEDT",
        ),
        (
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "2024-07-01 00:00:00",
            10 * 3600,
            "AEST",
        ),
        (
            "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
            "2024-07-01 00:00:00",
            37800,
            "+1030",
        ),
        (
            "AAA3BBB,J60/0,J300",
            "2024-03-01 03:00:00",
            -2 * 3600,
            "BBB",
        ),
        ("AAA3BBB,59/0,300", "2024-02-29 03:00:00", -2 * 3600, "BBB"),
    ];
    for (rule, at, offset, name) in cases {
        let zone = zone(rule);
        let kind = zone.at(civil(at).within(&Zone::utc()).secs);
        assert_eq!(
            (kind.offset, kind.name.as_str()),
            (offset, name),
            "{rule} {at}"
        );
    }
    for bad in [
        "",
        "CE",
        "CET",
        "CET-1CEST,M3.5",
        "CET-1CEST,M13.5.0,M10.5.0",
        "12",
        "CET-1CEST;",
    ] {
        assert_eq!(Zone::from_rule(bad), None, "{bad}");
    }
}

#[test]
fn what_clocks_show_twice_or_never() {
    let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for (shown, utc) in [
        ("2024-07-01 12:00:00", "2024-07-01 10:00:00"),
        ("2024-10-27 02:30:00", "2024-10-27 00:30:00"),
        ("2024-03-31 02:30:00", "2024-03-31 01:30:00"),
    ] {
        let moment = civil(shown).within(&berlin);
        assert_eq!(moment.utc().format("%Y-%m-%d %H:%M:%S"), utc);
    }
    let names = |rule: &str| zone(rule).names(Moment::from_secs(1_700_000_000));
    assert_eq!(
        names("CET-1CEST,M3.5.0,M10.5.0/3"),
        ("CET".into(), "CEST".into())
    );
    assert_eq!(
        names("AEST-10AEDT,M10.1.0,M4.1.0/3"),
        ("AEST".into(), "AEDT".into())
    );
    assert_eq!(names("UTC0"), ("UTC".into(), "UTC".into()));
}

/// Text, format, and what Python makes of it; nothing where it finds that they do not match.
#[test]
fn parses() {
    let cases = [
        ("202402291005.06", "%Y%m%d%H%M.%S", "2024-02-29 10:05:06"),
        ("2023-02-29", "%Y-%m-%d", ""),
        ("2024-1-2", "%Y-%m-%d", "2024-01-02 00:00:00"),
        ("24", "%y", "2024-01-01 00:00:00"),
        ("69", "%y", "1969-01-01 00:00:00"),
        ("12:30 am", "%I:%M %p", "1900-01-01 00:30:00"),
        ("12:30 PM", "%I:%M %p", "1900-01-01 12:30:00"),
        ("feb 3 2024", "%b %d %Y", "2024-02-03 00:00:00"),
        ("February  3  2024", "%B %d %Y", "2024-02-03 00:00:00"),
        ("2024 060", "%Y %j", "2024-02-29 00:00:00"),
        ("2024 09 4", "%Y %W %w", "2024-02-29 00:00:00"),
        ("2024 08 Thursday", "%Y %U %A", "2024-02-29 00:00:00"),
        ("Thu Feb 29 10:05:06 2024", "%c", "2024-02-29 10:05:06"),
        (
            "2024-02-29T10:05:06.25+01:00",
            "%Y-%m-%dT%H:%M:%S.%f%z",
            "2024-02-29 10:05:06",
        ),
        ("10 UTC", "%H %Z", "1900-01-01 10:00:00"),
        ("100%", "%y0%%", "2010-01-01 00:00:00"),
        ("2024-02-29 ", "%Y-%m-%d", ""),
        ("24-02-29", "%Y-%m-%d", ""),
        ("25", "%H", ""),
        ("2024", "%q", ""),
        ("2024", "%Y %", ""),
        ("20240101", "%Y %m%d", ""),
    ];
    for (text, format, expected) in cases {
        let found = parse(text, format).map(|c| c.format("%Y-%m-%d %H:%M:%S"));
        assert_eq!(found.unwrap_or_default(), expected, "{text} {format}");
    }
}

/// The zones of this machine's database, beside another program's reading of them.
#[test]
fn files_say_what_jiff_finds_in_them() {
    for name in [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "UTC",
    ] {
        let path = std::path::Path::new("/usr/share/zoneinfo").join(name);
        let (Ok(file), Ok(theirs)) = (std::fs::read(&path), jiff::tz::TimeZone::get(name)) else {
            continue;
        };
        let ours = Zone::from_file(&file).unwrap();
        for secs in (-5_000_000_000_i64..5_000_000_000).step_by(1_000_003) {
            let at = jiff::Timestamp::from_second(secs).unwrap();
            let info = theirs.to_offset_info(at);
            let kind = ours.at(secs);
            assert_eq!(
                (kind.offset, kind.name.as_str()),
                (info.offset().seconds(), info.abbreviation()),
                "{name} {secs}"
            );
        }
    }
    assert_eq!(Zone::from_file(b"TZif"), None);
    assert_eq!(Zone::from_file(b"no zone"), None);
}
