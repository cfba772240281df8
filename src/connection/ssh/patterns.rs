//! Patterns of ssh's configuration and of `known_hosts`: `*`, `?`, and `!` for what is left out.

/// Whether one of the patterns holds, and none that begins with `!`.
pub fn any_of(patterns: impl IntoIterator<Item = impl AsRef<str>>, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.as_ref().strip_prefix('!') {
            Some(pattern) if matches(pattern, name) => return false,
            Some(_) => {}
            None => found |= matches(pattern.as_ref(), name),
        }
    }
    found
}

/// Whether one pattern holds. Small and capital letters are the same.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // where the last `*` is, and how much of the text it has taken
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let cases = [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*b*c", "aXbbYc", true),
            ("a*b", "abc", false),
            ("?", "", false),
            ("10.0.0.?", "10.0.0.9", true),
            ("Web*", "wEB1", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(any_of(["*.x", "!b.x"], "c.x") && !any_of(["*.x", "!b.x"], "b.x"));
        assert!(!any_of(["!b.x"], "c.x"));
    }
}
