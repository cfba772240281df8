//! Time zones: what `TZ` or `/etc/localtime` say.
//!
//! The format of the files is that of RFC 9636.

use super::Moment;
use super::rule::Rule;
use std::path::Path;

/// What clocks are set to for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Seconds east of UTC.
    pub offset: i32,
    /// The abbreviation, such as `CEST`.
    pub name: String,
}

impl Kind {
    fn utc() -> Kind {
        Kind {
            offset: 0,
            name: "UTC".to_string(),
        }
    }
}

/// A time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// What holds before the first change.
    first: Kind,
    /// Moments, in order, with what holds from then on.
    changes: Vec<(i64, Kind)>,
    /// What holds after the last change.
    rule: Option<Rule>,
}

impl Zone {
    pub fn utc() -> Zone {
        Zone {
            first: Kind::utc(),
            changes: Vec::new(),
            rule: None,
        }
    }

    /// The zone of this process; UTC where none is known.
    pub fn local() -> Zone {
        let read = |path: &Path| std::fs::read(path).ok().and_then(|f| Zone::from_file(&f));
        let Ok(name) = std::env::var("TZ") else {
            return read(Path::new("/etc/localtime")).unwrap_or_else(Zone::utc);
        };
        let name = name.strip_prefix(':').unwrap_or(&name);
        // an absolute name is a path, and stays one when joined
        let file = (!name.is_empty())
            .then(|| read(&Path::new("/usr/share/zoneinfo").join(name)))
            .flatten();
        file.or_else(|| Zone::from_rule(name))
            .unwrap_or_else(Zone::utc)
    }

    /// A zone by its rule, `CET-1CEST,M3.5.0,M10.5.0/3`. None if the text is no rule.
    pub fn from_rule(rule: &str) -> Option<Zone> {
        Some(Zone {
            rule: Some(Rule::parse(rule)?),
            ..Zone::utc()
        })
    }

    /// A zone by a file of the zone database. None if the file is something else.
    pub fn from_file(file: &[u8]) -> Option<Zone> {
        let header = Header::read(file)?;
        // the first part, for old programs, has times of 32 bits
        let (body, width) = match header.version {
            0 => (file.get(Header::SIZE..)?, 4),
            _ => (file.get(Header::SIZE + header.size(4)..)?, 8),
        };
        let (header, body) = match width {
            4 => (header, body),
            _ => (Header::read(body)?, body.get(Header::SIZE..)?),
        };
        let mut rest = body;
        let times = take(&mut rest, header.times * width)?;
        let which = take(&mut rest, header.times)?;
        let kinds = take(&mut rest, header.kinds * 6)?;
        let names = take(&mut rest, header.names)?;
        let kind = |index: usize| {
            let kind = kinds.get(index * 6..index * 6 + 6)?;
            let name = names
                .get(usize::from(kind[5])..)?
                .split(|b| *b == 0)
                .next()?;
            Some(Kind {
                offset: integer(&kind[..4]) as i32,
                name: String::from_utf8_lossy(name).into_owned(),
            })
        };
        let changes: Option<Vec<(i64, Kind)>> = times
            .chunks(width)
            .zip(which)
            .map(|(at, index)| Some((integer(at), kind((*index).into())?)))
            .collect();
        let footer = body.get(header.size(width)..).unwrap_or_default();
        let rule = String::from_utf8_lossy(footer);
        Some(Zone {
            first: kind(0)?,
            changes: changes?,
            rule: Rule::parse(rule.trim_matches('\n')),
        })
    }

    /// What holds at a moment.
    pub fn at(&self, secs: i64) -> &Kind {
        let past = self.changes.partition_point(|(at, _)| *at <= secs);
        match (&self.rule, past.checked_sub(1)) {
            (Some(rule), _) if past == self.changes.len() => rule.at(secs),
            (_, Some(last)) => &self.changes[last].1,
            (_, None) => &self.first,
        }
    }

    /// The abbreviations of standard and summer time, which are the same where there is none: Python's `time.tzname`.
    pub fn names(&self, now: Moment) -> (String, String) {
        const YEAR: i64 = 365 * 86_400 + 6 * 3600;
        let january = self.at(now.secs / YEAR * YEAR);
        let july = self.at(now.secs / YEAR * YEAR + YEAR / 2);
        let (standard, summer) = match january.offset <= july.offset {
            true => (january, july),
            false => (july, january),
        };
        (standard.name.clone(), summer.name.clone())
    }
}

/// How much of what a part of a file holds.
struct Header {
    version: u8,
    /// Two counts of flags, then leap seconds.
    flags: usize,
    leaps: usize,
    times: usize,
    kinds: usize,
    names: usize,
}

impl Header {
    const SIZE: usize = 44;

    fn read(file: &[u8]) -> Option<Header> {
        let header = file.get(..Header::SIZE)?.strip_prefix(b"TZif")?;
        let count = |n: usize| integer(&header[16 + 4 * n..20 + 4 * n]) as usize;
        Some(Header {
            version: header[0],
            flags: count(0) + count(1),
            leaps: count(2),
            times: count(3),
            kinds: count(4),
            names: count(5),
        })
    }

    /// The size of the part behind the header, where times have this many bytes.
    fn size(&self, width: usize) -> usize {
        self.times * (width + 1)
            + self.kinds * 6
            + self.names
            + self.leaps * (width + 4)
            + self.flags
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// A signed number of four or eight bytes, the first of which counts most.
fn integer(bytes: &[u8]) -> i64 {
    let first = if bytes.first().is_some_and(|b| *b >= 128) {
        -1
    } else {
        0
    };
    bytes.iter().fold(first, |n, b| (n << 8) | i64::from(*b))
}
