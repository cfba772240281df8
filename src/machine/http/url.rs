//! The parts of a URL.

use std::fmt;

/// `scheme://user:password@host:port/path?query`; the fragment is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// In small letters.
    pub scheme: String,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: Option<u16>,
    /// Path and query; begins with a slash.
    pub path: String,
}

impl Url {
    /// Takes a URL apart. None if it has no scheme, or a port that is no number.
    pub fn parse(text: &str) -> Option<Url> {
        let (scheme, rest) = text.trim().split_once(':')?;
        if scheme.is_empty()
            || !scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        {
            return None;
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let mut url = Url {
            scheme: scheme.to_ascii_lowercase(),
            ..Url::default()
        };
        let path = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                url.set_authority(&rest[..end])?;
                &rest[end..]
            }
            None => rest,
        };
        url.path = escape(path);
        if !url.path.starts_with('/') {
            url.path.insert(0, '/');
        }
        Some(url)
    }

    fn set_authority(&mut self, text: &str) -> Option<()> {
        let mut address = text;
        if let Some((user, rest)) = text.rsplit_once('@') {
            address = rest;
            let (user, password) = match user.split_once(':') {
                Some((user, password)) => (user, Some(unescape(password))),
                None => (user, None),
            };
            (self.user, self.password) = (Some(unescape(user)), password);
        }
        let (host, port) = match address.strip_prefix('[').and_then(|a| a.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match address.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        self.host = host.to_string();
        self.port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok()?),
        };
        Some(())
    }

    /// The port, or the scheme's own.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme.as_str() {
            "https" => 443,
            _ => 80,
        })
    }

    /// Host and port as the header `Host` has them.
    pub fn host_header(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// Whether both are on the same server, which may see the same secrets.
    pub fn same_server(&self, other: &Url) -> bool {
        (&self.scheme, &self.host, self.port()) == (&other.scheme, &other.host, other.port())
    }

    /// What a link on this page leads to.
    pub fn join(&self, link: &str) -> Option<Url> {
        let link = link.trim();
        let has_scheme = link.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        });
        if has_scheme {
            // without a host after it, the scheme of this page is as good as none
            let (scheme, rest) = link.split_once(':').unwrap_or_default();
            let path = rest.strip_prefix("//").filter(|r| r.starts_with('/'));
            let path = path.or(Some(rest).filter(|r| !r.starts_with("//")));
            return match path.filter(|_| scheme.eq_ignore_ascii_case(&self.scheme)) {
                Some(path) => self.join(path),
                None => Url::parse(link),
            };
        }
        if link.starts_with("//") {
            return Url::parse(&format!("{}:{link}", self.scheme));
        }
        let link = escape(link.split('#').next().unwrap_or_default());
        let old = self.path.split('?').next().unwrap_or("/");
        let path = match link.chars().next() {
            None => self.path.clone(),
            Some('/') => link,
            Some('?') => format!("{old}{link}"),
            Some(_) => {
                let folder = &old[..=old.rfind('/').unwrap_or(0)];
                format!("{folder}{link}")
            }
        };
        Some(Url {
            path: without_dots(&path),
            user: None,
            password: None,
            ..self.clone()
        })
    }
}

impl fmt::Display for Url {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.host_header(), self.path)
    }
}

/// The text of a URL as it may be shown: without the user and password that it holds.
pub fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_string();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://****:****{}", &rest[at..]),
        None => text.to_string(),
    }
}

/// `.` and `..` resolved.
fn without_dots(path: &str) -> String {
    let (path, query) = match path.find('?') {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}{query}", parts.join("/"))
}

/// What may not stand in a request as it is, such as blanks, in its `%20` form.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// `%20` and the like resolved.
pub fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, shown, user, path) in [
            ("http://h", "http://h/", None, "/"),
            (
                "HTTPS://u:p%40@h:8443/a b?q#f",
                "https://h:8443/a%20b?q",
                Some("u"),
                "/a%20b?q",
            ),
            ("http://[::1]:80/x", "http://[::1]:80/x", None, "/x"),
            ("http://h?q=1", "http://h/?q=1", None, "/?q=1"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(url.to_string(), shown, "{text}");
            assert_eq!(
                (url.user.as_deref(), url.path.as_str()),
                (user, path),
                "{text}"
            );
        }
        for wrong in ["nothing", "", "http://h:port/", ":x"] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn logins_do_not_show() {
        for (text, seen) in [
            ("http://u:p@h/x", "http://****:****@h/x"),
            ("http://u@h", "http://****:****@h"),
            ("http://h/x@y", "http://h/x@y"),
            ("/x", "/x"),
        ] {
            assert_eq!(shown(text), seen);
        }
    }

    #[test]
    fn links_lead_on() {
        let page = Url::parse("http://u:p@h/a/b?q").unwrap();
        for (link, to) in [
            ("c", "http://h/a/c"),
            ("../c?x", "http://h/c?x"),
            ("/c/./d", "http://h/c/d"),
            ("?x", "http://h/a/b?x"),
            ("//other/c", "http://other/c"),
            ("https://other:1/c", "https://other:1/c"),
            ("http:c", "http://h/a/c"),
            ("http:///c", "http://h/c"),
        ] {
            assert_eq!(page.join(link).unwrap().to_string(), to, "{link}");
        }
    }
}
