//! The Docker Engine, asked over its socket.
//!
//! Questions are [`Docker::get`]; what changes something is [`Docker::change`], which check mode leaves out.
//! See <https://docs.docker.com/reference/api/engine/>.

use super::http::{self, Follow, Request, Response, Settings};
use super::{Change, Machine};
use serde_json::Value as Json;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

/// The newest version of the API that rplay asks for.
const NEWEST: (u32, u32) = (1, 47);
const OLDEST: (u32, u32) = (1, 21);

/// An Engine that answers.
pub struct Docker {
    settings: Settings,
    /// `http://localhost`, to connect to.
    base: String,
    /// The same as messages show it: `http+docker://localhost`.
    shown: String,
    version: (u32, u32),
    timeout: Duration,
}

/// Why the Engine did not do what it was asked for.
#[derive(Debug)]
pub struct Refusal {
    /// The status of its answer; none if there was no answer.
    pub status: Option<u16>,
    text: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the Engine listens, and how it is spoken to.
pub struct Address<'a> {
    /// `unix:///var/run/docker.sock`, `tcp://192.0.2.1:2375`
    pub host: &'a str,
    /// `auto` or a version such as `1.41`.
    pub version: &'a str,
    pub timeout: Duration,
}

impl Docker {
    /// Connects, and agrees on a version of the API. The error says why that is not possible.
    pub fn connect(machine: &Machine, address: &Address) -> Result<Docker, String> {
        let mut settings = Settings::new(machine);
        settings.timeout = Some(address.timeout);
        settings.follow = Follow::None;
        settings.use_netrc = false;
        settings.use_proxy = false;
        settings.agent = "rplay".to_string();
        let (base, shown) = if let Some(path) = socket(address.host) {
            settings.socket = Some(PathBuf::from(path));
            (
                "http://localhost".to_string(),
                "http+docker://localhost".to_string(),
            )
        } else if let Some(server) = address.host.strip_prefix("tcp://") {
            let server = server.trim_end_matches('/');
            let base = match server.rsplit_once(':') {
                Some((_, port)) if port.parse::<u16>().is_ok() => format!("http://{server}"),
                _ => format!("http://{server}:2375"),
            };
            (base.clone(), base)
        } else {
            return Err(format!(
                "docker_host '{}' is not supported: rplay reaches Docker by unix:// and by tcp:// without TLS",
                address.host
            ));
        };
        let mut docker = Docker {
            settings,
            base,
            shown,
            version: OLDEST,
            timeout: address.timeout,
        };
        docker.version = match address.version {
            "auto" => docker.newest()?,
            given => version(given).ok_or_else(|| format!("'{given}' is no version of the API"))?,
        };
        if docker.version < OLDEST {
            return Err(format!(
                "API versions below {}.{} are no longer supported by this library.",
                OLDEST.0, OLDEST.1
            ));
        }
        Ok(docker)
    }

    fn newest(&self) -> Result<(u32, u32), String> {
        let about = self
            .ask("GET", "/version", None, Some(self.timeout))
            .and_then(|r| self.json("/version", r))
            .map_err(|e| format!("Error while fetching server API version: {e}"))?;
        let theirs = about["ApiVersion"].as_str().and_then(version);
        Ok(theirs.unwrap_or(OLDEST).min(NEWEST))
    }

    /// The version of the API that is spoken.
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// A path below the version, with its query.
    fn target(&self, path: &str, query: &[(&str, &str)]) -> String {
        let (major, minor) = self.version;
        let mut out = format!("/v{major}.{minor}{path}");
        for (number, (name, value)) in query.iter().enumerate() {
            out.push(if number == 0 { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&quoted(value));
        }
        out
    }

    /// Asks for something that is as it is. A status of 404 is no error here: there is nothing.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Json>, Refusal> {
        let target = self.target(path, query);
        let response = self.ask("GET", &target, None, Some(self.timeout))?;
        if response.status == 404 {
            return Ok(None);
        }
        self.json(&target, response).map(Some)
    }

    /// Asks for bytes, such as logs.
    pub fn bytes(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, Refusal> {
        let target = self.target(path, query);
        let response = self.ask("GET", &target, None, Some(self.timeout))?;
        let mut response = self.checked(&target, response)?;
        let mut out = Vec::new();
        response.body.read_to_end(&mut out).map_err(cut)?;
        Ok(out)
    }

    /// Waits for an answer for as long as it takes.
    pub fn wait(&self, path: &str) -> Result<Json, Refusal> {
        let target = self.target(path, &[]);
        let response = self.ask("POST", &target, None, None)?;
        self.json(&target, response)
    }

    /// Has the Engine change something; in check mode it is only noted. The answer is null in check mode and where
    /// there is none.
    pub fn change(
        &self,
        machine: &mut Machine,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Json, Refusal> {
        let body = body.map(|b| ("application/json", b.to_string().into_bytes()));
        let patience = self.timeout + patience(query);
        self.send(machine, method, path, query, body, Some(patience))
    }

    /// As [`Docker::change`], for what takes its time and reports line by line (pull, push, load). Each line is
    /// one of the answer's list.
    pub fn stream(
        &self,
        machine: &mut Machine,
        path: &str,
        query: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
        login: Option<&str>,
    ) -> Result<Vec<Json>, Refusal> {
        machine.note(Change::Ran(format!("docker: POST {path}")));
        if machine.mode.check {
            return Ok(Vec::new());
        }
        let target = self.target(path, query);
        let mut request = self.request("POST", &target, body);
        if let Some(login) = login {
            request.headers.push("X-Registry-Auth", login);
        }
        let response = self.fetch(request, None)?;
        let mut response = self.checked(&target, response)?;
        let mut out = Vec::new();
        response.body.read_to_end(&mut out).map_err(cut)?;
        let lines = serde_json::Deserializer::from_slice(&out).into_iter();
        Ok(lines.map_while(Result::ok).collect())
    }

    fn send(
        &self,
        machine: &mut Machine,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
        timeout: Option<Duration>,
    ) -> Result<Json, Refusal> {
        machine.note(Change::Ran(format!("docker: {method} {path}")));
        if machine.mode.check {
            return Ok(Json::Null);
        }
        let target = self.target(path, query);
        let response = self.ask(method, &target, body, timeout)?;
        self.json(&target, response)
    }

    fn request(&self, method: &str, target: &str, body: Option<(&str, Vec<u8>)>) -> Request {
        let mut request = Request::new(method, &format!("{}{target}", self.base));
        match body {
            Some((kind, bytes)) => {
                request.headers.push("Content-Type", kind);
                request.body = Some(bytes);
            }
            None if method == "POST" => request.body = Some(Vec::new()),
            None => {}
        }
        request
    }

    fn ask(
        &self,
        method: &str,
        target: &str,
        body: Option<(&str, Vec<u8>)>,
        timeout: Option<Duration>,
    ) -> Result<Response, Refusal> {
        self.fetch(self.request(method, target, body), timeout)
    }

    fn fetch(&self, request: Request, timeout: Option<Duration>) -> Result<Response, Refusal> {
        let settings = Settings {
            timeout,
            ..self.settings.clone()
        };
        http::fetch(request, &settings).map_err(|e| Refusal {
            status: None,
            text: in_python(&e.to_string()),
        })
    }

    /// An answer that says that something is wrong, as an error with the Engine's words.
    fn checked(&self, target: &str, mut response: Response) -> Result<Response, Refusal> {
        let status = response.status;
        if status < 400 {
            return Ok(response);
        }
        let mut body = Vec::new();
        response.body.read_to_end(&mut body).map_err(cut)?;
        let said = String::from_utf8_lossy(&body).trim().to_string();
        let said = match serde_json::from_str::<Json>(&said) {
            Ok(json) => json["message"].as_str().map_or(said, String::from),
            Err(_) => said,
        };
        let side = if status < 500 { "Client" } else { "Server" };
        let mut text = format!(
            "{status} {side} Error for {}{target}: {}",
            self.shown, response.reason
        );
        if !said.is_empty() {
            text.push_str(&format!(" (\"{said}\")"));
        }
        Err(Refusal {
            status: Some(status),
            text,
        })
    }

    fn json(&self, target: &str, response: Response) -> Result<Json, Refusal> {
        let mut response = self.checked(target, response)?;
        let mut body = Vec::new();
        response.body.read_to_end(&mut body).map_err(cut)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&body).map_err(|e| Refusal {
            status: None,
            text: format!("the answer of {}{target} is no JSON: {e}", self.shown),
        })
    }
}

/// Stopping a container takes the seconds that its processes are given.
fn patience(query: &[(&str, &str)]) -> Duration {
    let seconds = query
        .iter()
        .find(|(name, _)| *name == "t")
        .and_then(|(_, seconds)| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(10))
}

fn socket(host: &str) -> Option<&str> {
    ["unix://", "http+unix://"]
        .iter()
        .find_map(|prefix| host.strip_prefix(prefix))
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn cut(e: std::io::Error) -> Refusal {
    Refusal {
        status: None,
        text: http::in_words(&e),
    }
}

/// A socket that cannot be connected to, as the requests library words it.
fn in_python(text: &str) -> String {
    let Some((number, words)) = text
        .strip_prefix("Request failed: <urlopen error [Errno ")
        .and_then(|t| t.strip_suffix('>'))
        .and_then(|t| t.split_once("] "))
    else {
        return text.to_string();
    };
    let class = match number {
        "2" => "FileNotFoundError",
        "13" => "PermissionError",
        "111" => "ConnectionRefusedError",
        _ => "OSError",
    };
    format!("('Connection aborted.', {class}({number}, '{words}'))")
}

/// As Python's `quote_plus`.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_connected_to_is_worded_as_in_python() {
        assert_eq!(
            in_python("Request failed: <urlopen error [Errno 13] Permission denied>"),
            "('Connection aborted.', PermissionError(13, 'Permission denied'))"
        );
        assert_eq!(in_python("other"), "other");
    }

    #[test]
    fn addresses_that_are_beyond_are_refused_by_name() {
        for host in ["ssh://box", "npipe:////./pipe/x", "/var/run/docker.sock"] {
            let address = Address {
                host,
                version: "auto",
                timeout: Duration::from_secs(1),
            };
            let refused = Docker::connect(&Machine::default(), &address);
            assert!(refused.is_err_and(|e| e.contains(host)), "{host}");
        }
    }
}
