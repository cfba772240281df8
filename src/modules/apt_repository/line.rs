//! A line of a list of sources.

use std::fmt;

/// A line as it was read; it is written the same, but for its blanks.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whether it is a source at all.
    pub valid: bool,
    /// Whether no `#` stands before it.
    pub enabled: bool,
    /// The source, with one blank between its words; of a line that is none, its text.
    pub source: String,
    comment: String,
}

impl Line {
    /// What a line says.
    pub fn parse(line: &str) -> Line {
        let line = line.trim();
        let (enabled, text) = match line.strip_prefix('#') {
            Some(rest) => (false, rest),
            None => (true, line),
        };
        // a second `#` begins a comment, but not where the text does
        let (text, comment) = match text.find('#').filter(|at| *at > 0) {
            Some(at) => (&text[..at], text[at + 1..].trim()),
            None => (text, ""),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let valid = words.len() > 1 && matches!(words[0], "deb" | "deb-src");
        let source = match valid {
            true => words.join(" "),
            false => text.trim().to_string(),
        };
        Line {
            valid,
            enabled,
            source,
            comment: comment.to_string(),
        }
    }

    /// A line that holds just this source.
    pub fn of(source: &str) -> Line {
        Line {
            valid: true,
            enabled: true,
            source: source.to_string(),
            comment: String::new(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.enabled {
            f.write_str("# ")?;
        }
        f.write_str(&self.source)?;
        if !self.comment.is_empty() {
            write!(f, " # {}", self.comment)?;
        }
        Ok(())
    }
}

/// The name that a file gets for its first source: the words of the source's URL.
pub fn file_name(source: &str) -> String {
    let plain = without_brackets(source);
    let url = plain.split_whitespace().nth(1).unwrap_or_default();
    // neither the scheme nor a login is a part of the name
    let url = match url.find("://") {
        Some(at) => {
            let scheme = url[..at]
                .trim_end_matches(|c: char| c.is_alphanumeric() || c == '_')
                .len();
            format!("{}{}", &url[..scheme], &url[at + 3..])
        }
        None => url.to_string(),
    };
    let url = url.rsplit('@').next().unwrap_or_default();
    let words: Vec<&str> = url
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    words.join("_")
}

/// The text without `[options]`.
fn without_brackets(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let Some(end) = rest[start..].find(']') else {
            break;
        };
        out += &rest[..start];
        rest = &rest[start + end + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_as_they_were_read() {
        for (line, enabled, valid, written) in [
            (
                "deb http://a/x   b  c # why  not ",
                true,
                true,
                "deb http://a/x b c # why  not",
            ),
            ("#deb http://a/x b c", false, true, "# deb http://a/x b c"),
            ("#   some   text", false, false, "# some   text"),
            ("## deb http://a/x b", false, false, "# # deb http://a/x b"),
            (
                "# # deb http://a/x b",
                false,
                false,
                "#  # deb http://a/x b",
            ),
            ("some   text  # x", true, false, "some   text # x"),
            ("deb", true, false, "deb"),
            ("deb http://a/x b #", true, true, "deb http://a/x b"),
            ("", true, false, ""),
            ("#", false, false, "# "),
        ] {
            let parsed = Line::parse(line);
            assert_eq!((parsed.enabled, parsed.valid), (enabled, valid), "{line}");
            assert_eq!(parsed.to_string(), written, "{line}");
        }
    }

    #[test]
    fn files_are_named_after_the_url() {
        for (source, name) in [
            (
                "deb [trusted=yes] http://10.0.0.1:8000/flat ./",
                "10_0_0_1_8000_flat",
            ),
            (
                "deb http://u:pw@h.example.com/a/p-a.th_x/ s m",
                "h_example_com_a_p_a_th_x",
            ),
            ("deb cdrom:[Debian 12 _B_]/ b main", "cdrom"),
            ("deb file:/srv/repo ./", "file_srv_repo"),
            ("deb file:///srv/repo2 ./", "srv_repo2"),
            (
                "deb mirror+http://a.example.com/m.txt s m",
                "mirror_a_example_com_m_txt",
            ),
            ("deb http://[::1]:8000/x s m", "8000_x"),
            ("deb http://h.example.com/a@b/c__d s m", "b_c_d"),
            ("deb http://h:80/%7Eo [x] s", "h_80_7Eo"),
        ] {
            assert_eq!(file_name(source), name, "{source}");
        }
    }
}
