//! Which proxy a request goes through, as Python's urllib reads it from the environment.

use super::url::Url;

/// The proxy for `url`, if the environment names one and does not except the host.
pub fn for_url(url: &Url, variable: impl Fn(&str) -> Option<String>) -> Option<Url> {
    let set = |name: &str| {
        let value = variable(&name.to_lowercase()).or_else(|| variable(&name.to_uppercase()));
        value.filter(|v| !v.trim().is_empty())
    };
    let proxy = set(&format!("{}_proxy", url.scheme))?;
    if excepted(url, &set("no_proxy").unwrap_or_default()) {
        return None;
    }
    match proxy.contains("://") {
        true => Url::parse(&proxy),
        false => Url::parse(&format!("http://{proxy}")),
    }
}

fn excepted(url: &Url, list: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let host = url.host.to_lowercase();
    let with_port = format!("{host}:{}", url.port());
    list.split(',')
        .map(|name| name.trim().trim_start_matches('.').to_lowercase())
        .filter(|name| !name.is_empty())
        .any(|name| {
            [&host, &with_port].into_iter().any(|host| {
                host.strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_excepted_by_name_domain_and_port() {
        for (url, no_proxy, through) in [
            ("http://a.example.com/", "", Some("http://p:3128/")),
            ("http://a.example.com/", "example.com", None),
            ("http://a.example.com/", "b.com, .example.com", None),
            (
                "http://aexample.com/",
                "example.com",
                Some("http://p:3128/"),
            ),
            ("http://h:81/", "h:80", Some("http://p:3128/")),
            ("http://h:81/", "h:81", None),
            ("http://h/", "*", None),
            ("https://h/", "", None),
        ] {
            let found = for_url(&Url::parse(url).unwrap(), |name| match name {
                "http_proxy" => Some("p:3128".to_string()),
                "NO_PROXY" => Some(no_proxy.to_string()),
                _ => None,
            });
            assert_eq!(
                found.map(|p| p.to_string()).as_deref(),
                through,
                "{url} {no_proxy}"
            );
        }
    }
}
