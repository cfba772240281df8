//! Cookies: what servers set while a request and its redirects go on.

use super::{Headers, Url};

/// A cookie, and where it goes.
struct Cookie {
    name: String,
    value: String,
    host: String,
    path: String,
}

/// All cookies of one request, in the order in which they came.
#[derive(Default)]
pub struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes what a response from `url` sets.
    pub fn take(&mut self, headers: &Headers, url: &Url) {
        let set = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"));
        for (_, text) in set {
            let mut parts = text.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|p| p.split_once('=')) else {
                continue;
            };
            let (mut path, mut over) = ("/".to_string(), false);
            for (key, said) in parts.filter_map(|p| p.split_once('=')) {
                match key.to_ascii_lowercase().as_str() {
                    "path" if said.starts_with('/') => path = said.to_string(),
                    "max-age" => over = said.parse::<i64>().is_ok_and(|left| left <= 0),
                    _ => {}
                }
            }
            self.0
                .retain(|c| (c.name.as_str(), &c.path, &c.host) != (name, &path, &url.host));
            if !over {
                self.0.push(Cookie {
                    name: name.trim().to_string(),
                    value: value.trim().to_string(),
                    host: url.host.clone(),
                    path,
                });
            }
        }
    }

    /// The `Cookie` of a request to `url`; none if there is nothing for it.
    pub fn header(&self, url: &Url) -> Option<String> {
        let fits = |c: &&Cookie| c.host == url.host && url.path.starts_with(&c.path);
        let pairs: Vec<String> = self
            .0
            .iter()
            .filter(fits)
            .map(|c| format!("{}={}", c.name, c.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Names and values.
    pub fn pairs(self) -> Vec<(String, String)> {
        self.0.into_iter().map(|c| (c.name, c.value)).collect()
    }
}
