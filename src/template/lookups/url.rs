//! `url`: what the web says, fetched by the controller.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/url_lookup.html>

use super::Lookup;
use super::terms::{boolean, no_more_options, take};
use crate::Result;
use crate::machine::http::{self, Follow, Request, Settings};
use crate::machine::{Machine, Mode};
use crate::template::call::{Call, error};
use crate::template::python;
use crate::value::Value;
use std::io::Read;
use std::time::Duration;

pub static LOOKUPS: &[(&str, Lookup)] = &[("url", url)];

/// An option: as it is given, else by its variable, else by the environment.
fn option(call: &mut Call, name: &str, elsewhere: Option<&str>) -> Result<Option<Value>> {
    let given = take(call, name).filter(|v| !v.is_null());
    let (Some(elsewhere), None) = (elsewhere, &given) else {
        return Ok(given);
    };
    let variable = format!("ansible_lookup_url_{elsewhere}");
    if let Some(value) = call.templar.get(&variable)? {
        return Ok(Some(value));
    }
    let variable = format!("ANSIBLE_LOOKUP_URL_{}", elsewhere.to_uppercase());
    Ok(std::env::var(variable).ok().map(Value::from))
}

fn flag(call: &mut Call, name: &str, elsewhere: Option<&str>, default: bool) -> Result<bool> {
    Ok(option(call, name, elsewhere)?.map_or(default, |v| boolean(&v)))
}

fn text(call: &mut Call, name: &str, elsewhere: Option<&str>) -> Result<Option<String>> {
    Ok(option(call, name, elsewhere)?.map(|v| python::str(&v)))
}

/// Names as a list, or with commas between them.
fn names(value: Option<Value>) -> Vec<String> {
    match value {
        None => Vec::new(),
        Some(Value::List(items)) => items.iter().map(python::str).collect(),
        Some(other) => {
            let text = python::str(&other);
            let names = text.split(',').map(|n| n.trim().to_string());
            names.filter(|n| !n.is_empty()).collect()
        }
    }
}

fn url(mut call: Call) -> Result<Vec<Value>> {
    let call = &mut call;
    let machine = Machine::new(Mode::default(), Vec::new());
    let seconds = option(call, "timeout", Some("timeout"))?;
    let seconds = match &seconds {
        None => 10.0,
        Some(value) => python::str(value).trim().parse::<f64>().map_err(|_| {
            let value = python::str(value);
            error(format!("the timeout '{value}' is no number of seconds"))
        })?,
    };
    let follow = text(call, "follow_redirects", Some("follow_redirects"))?;
    let follow = match follow.as_deref().unwrap_or("urllib2") {
        "all" | "yes" | "True" | "true" => Follow::All,
        "safe" => Follow::Safe,
        "none" | "no" | "False" | "false" => Follow::None,
        "urllib2" => Follow::Usual,
        other => {
            return Err(error(format!(
                "follow_redirects cannot be '{other}': use all, none, safe or urllib2"
            )));
        }
    };
    if flag(call, "use_gssapi", Some("use_gssapi"), false)? {
        return Err(error(
            "rplay does not support the option use_gssapi: it has no Kerberos",
        ));
    }
    if !names(option(call, "ciphers", Some("ciphers"))?).is_empty() {
        return Err(error(
            "rplay does not support the option ciphers: it offers those of TLS 1.2 and 1.3 that are safe",
        ));
    }
    let settings = Settings {
        user: text(call, "username", None)?,
        password: text(call, "password", None)?,
        force_basic_auth: flag(call, "force_basic_auth", Some("force_basic_auth"), false)?,
        use_netrc: flag(call, "use_netrc", Some("use_netrc"), true)?,
        use_proxy: flag(call, "use_proxy", None, true)?,
        validate_certs: flag(call, "validate_certs", None, true)?,
        ca_path: text(call, "ca_path", Some("ca_path"))?.map(Into::into),
        timeout: (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(1e9))),
        follow,
        agent: text(call, "http_agent", Some("agent"))?.unwrap_or_else(|| "ansible-httpget".into()),
        unredirected: names(option(
            call,
            "unredirected_headers",
            Some("unredir_headers"),
        )?),
        socket: text(call, "unix_socket", Some("unix_socket"))?.map(Into::into),
        ..Settings::new(&machine)
    };
    let force = flag(call, "force", Some("force"), false)?;
    let split = flag(call, "split_lines", None, true)?;
    let headers = take(call, "headers").filter(|v| !v.is_null());
    no_more_options(call)?;
    let mut found = Vec::new();
    for term in &call.args {
        let place = python::str(term);
        let mut request = Request::new("GET", &place);
        if force {
            request.headers.set("cache-control", "no-cache");
        }
        if let Some(Value::Map(headers)) = &headers {
            for (name, value) in headers.iter() {
                request.headers.set(&name.to_string(), &python::str(value));
            }
        }
        let text = get(request, &settings, &place)?;
        match split {
            true => found.extend(text.lines().map(Value::str)),
            false => found.push(Value::from(text)),
        }
    }
    Ok(found)
}

fn get(request: Request, settings: &Settings, place: &str) -> Result<String> {
    let shown = http::shown(place);
    let mut response = http::fetch(request, settings).map_err(|e| {
        let words = e.to_string();
        let words = words.strip_prefix("Request failed: ").unwrap_or(&words);
        error(
            match words.contains("CERTIFICATE") || words.contains("ostname") {
                true => format!("Error validating the server's certificate for {shown}: {words}"),
                false => format!("Failed lookup url for {shown} : {words}"),
            },
        )
    })?;
    if response.status >= 300 {
        let message = response.message();
        return Err(error(format!(
            "Received HTTP error for {shown} : {message}"
        )));
    }
    let mut body = Vec::new();
    let read = response.body.read_to_end(&mut body);
    read.map_err(|e| {
        error(format!(
            "Failed lookup url for {shown} : {}",
            http::in_words(&e)
        ))
    })?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Engine, Templar};
    use crate::value::Map;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    /// Answers requests with what they were, line by line; those for `/missing` with 404.
    fn serve() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let lines: Vec<String> = lines
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let status = match lines[0].contains("/missing") {
                    true => "404 Not Found",
                    false => "200 OK",
                };
                let body = lines.join("\n");
                let length = body.len();
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        place
    }

    #[test]
    fn pages_are_fetched_with_the_options_that_are_given() {
        let vars = Map::from_iter([
            ("place".into(), Value::from(serve())),
            ("ansible_lookup_url_agent".into(), Value::str("by-variable")),
        ]);
        let templar = Templar::new(&Engine::new(), Arc::new(vars), Arc::default());
        let one = |text: &str| templar.expression(text).map(|v| python::str(&v));
        let text =
            one("lookup('url', place ~ '/a', split_lines=false, headers={'X-A': 1}, force=true)");
        let text = text.unwrap();
        assert!(text.starts_with("GET /a HTTP/1.1\n"), "{text}");
        for part in ["by-variable", "X-A: 1", "no-cache"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let lines = templar
            .expression("query('url', place, place ~ '/b')")
            .unwrap();
        let Value::List(lines) = lines else {
            panic!("{lines:?}")
        };
        assert_eq!(lines[0].as_str(), Some("GET / HTTP/1.1"));
        assert!(lines.iter().any(|l| l.as_str() == Some("GET /b HTTP/1.1")));
        for (text, part) in [
            (
                "lookup('url', place ~ '/missing')",
                "HTTP Error 404: Not Found",
            ),
            ("lookup('url', 'http://127.0.0.1:1/')", "Connection refused"),
            (
                "lookup('url', place, follow_redirects='maybe')",
                "cannot be 'maybe'",
            ),
            (
                "lookup('url', place, ciphers='x')",
                "does not support the option ciphers",
            ),
        ] {
            let error = one(text).unwrap_err().to_string();
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}
