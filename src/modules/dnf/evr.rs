//! Versions of rpm packages, in the order that rpm has for them.

use std::cmp::Ordering;

/// Compares versions or releases as `rpmvercmp` does.
pub fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    let separator = |c: char| !(c.is_ascii_alphanumeric() || c == '~' || c == '^');
    loop {
        a = a.trim_start_matches(separator);
        b = b.trim_start_matches(separator);
        // a tilde is before the end, a caret after it but before all else
        for sign in ['~', '^'] {
            match (a.starts_with(sign), b.starts_with(sign)) {
                (true, true) => return compare_part(&a[1..], &b[1..]),
                (true, false) if sign == '^' && b.is_empty() => return Ordering::Greater,
                (false, true) if sign == '^' && a.is_empty() => return Ordering::Less,
                (true, false) => return Ordering::Less,
                (false, true) => return Ordering::Greater,
                (false, false) => {}
            }
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let digits = a.starts_with(|c: char| c.is_ascii_digit());
        let other = |c: char| match digits {
            true => !c.is_ascii_digit(),
            false => !c.is_ascii_alphabetic(),
        };
        let (left, after) = a.split_at(a.find(other).unwrap_or(a.len()));
        let (right, rest) = b.split_at(b.find(other).unwrap_or(b.len()));
        if right.is_empty() {
            // numbers are newer than letters
            return if digits {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = match digits {
            true => {
                let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
                left.len().cmp(&right.len()).then(left.cmp(right))
            }
            false => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (after, rest);
    }
}

/// Compares `[epoch:]version[-release]`; what one of them does not say is not compared.
pub fn compare(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> (&str, &str, Option<&str>) {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        match rest.split_once('-') {
            Some((version, release)) => (epoch, version, Some(release)),
            None => (epoch, rest, None),
        }
    }
    let ((epoch, version, release), (epoch2, version2, release2)) = (parts(a), parts(b));
    compare_part(epoch, epoch2)
        .then_with(|| compare_part(version, version2))
        .then_with(|| match (release, release2) {
            (Some(release), Some(other)) => compare_part(release, other),
            _ => Ordering::Equal,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_rpms_order() {
        for (a, b, order) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0", "1.1", Ordering::Less),
            ("1.10", "1.9", Ordering::Greater),
            ("1.0a", "1.0", Ordering::Greater),
            ("1.0.a", "1.0.1", Ordering::Less),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0^git1", "1.0", Ordering::Greater),
            ("1.0^git1", "1.0.1", Ordering::Less),
            ("007", "7", Ordering::Equal),
            ("1_0", "1.0", Ordering::Equal),
            ("5.5p10", "5.5p1", Ordering::Greater),
        ] {
            assert_eq!(compare_part(a, b), order, "{a} {b}");
            assert_eq!(compare_part(b, a), order.reverse(), "{b} {a}");
        }
        assert_eq!(compare("1:1.0-1", "2.0-1"), Ordering::Greater);
        assert_eq!(compare("1.0-2", "1.0"), Ordering::Equal);
        assert_eq!(compare("1.0-2", "1.0-10"), Ordering::Less);
    }
}
