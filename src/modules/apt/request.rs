//! What the user asks for: `name`, `name=1.2*` and `name>=1.2`, with `*` in the name too.

use super::version;
use crate::machine::glob;
use std::cmp::Ordering;

/// A package as the user names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The whole text.
    pub text: String,
    pub name: String,
    pub version: Option<Wanted>,
}

/// Which versions will do.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A version, or a pattern for versions.
    Like(String),
    AtLeast(String),
}

impl Request {
    /// Fails with what is wrong with the text.
    pub fn parse(text: &str) -> Result<Request, String> {
        if text.matches('=').count() > 1 {
            return Err(format!("invalid package spec: {text}"));
        }
        let (name, version) = match text.split_once('=') {
            None => (text, None),
            Some((name, version)) => match name.strip_suffix('>') {
                Some(name) => (name, Some(Wanted::AtLeast(version.to_string()))),
                None => (name, Some(Wanted::Like(version.to_string()))),
            },
        };
        Ok(Request {
            text: text.to_string(),
            name: name.to_string(),
            version,
        })
    }

    /// Whether the name is a pattern for names.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '[', ']', '!'])
    }

    /// The same request for one package of the pattern.
    pub fn named(&self, name: &str) -> Request {
        let rest = &self.text[self.name.len()..];
        Request {
            text: format!("{name}{rest}"),
            name: name.to_string(),
            version: self.version.clone(),
        }
    }

    /// Whether this version will do.
    pub fn accepts(&self, found: &str) -> bool {
        match &self.version {
            None => true,
            Some(Wanted::Like(pattern)) => {
                pattern == found || glob::name_matches(pattern, found.as_ref())
            }
            Some(Wanted::AtLeast(least)) => version::compare(found, least) != Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_matched() {
        for (text, name, yes, no) in [
            ("a", "a", &["1"][..], &[][..]),
            ("a=1.2", "a", &["1.2"], &["1.20", "1"]),
            ("a=1.2*", "a", &["1.2", "1.20"], &["1.3"]),
            ("a>=1.9", "a", &["1.9", "1.10", "1:0"], &["1.9~rc1", "1.8"]),
            ("a:i386=2:1+b1", "a:i386", &["2:1+b1"], &["1+b1"]),
        ] {
            let request = Request::parse(text).unwrap();
            assert_eq!(request.name, name);
            for version in yes {
                assert!(request.accepts(version), "{text}: {version}");
            }
            for version in no {
                assert!(!request.accepts(version), "{text}: {version}");
            }
        }
        assert_eq!(
            Request::parse("a=1=2").unwrap_err(),
            "invalid package spec: a=1=2"
        );
        let pattern = Request::parse("lib*=1").unwrap();
        assert!(pattern.is_pattern());
        assert_eq!(pattern.named("libc6").text, "libc6=1");
    }
}
