//! HTTP for modules: what `get_url` and `uri` are made of, and the Docker Engine's socket.
//!
//! A client of HTTP/1.1 that opens a connection for each request: redirects, proxies, basic and digest
//! authentication, cookies, TLS and sockets of the local machine. Errors are worded as Python's urllib words them, because
//! Ansible's users know those.
//!
//! Its own rather than a crate's, since the agent must be small and the Engine's socket needs it anyway; TLS is rustls'.

mod cookies;
mod digest;
mod gzip;
mod netrc;
mod proxy;
mod tls;
mod url;
mod wire;

pub use url::{Url, shown, unescape};

use super::Machine;
use base64::Engine;
use std::collections::HashMap;
use std::io::{self, BufReader, Cursor, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use wire::{Body, Stream};

/// Names and values, in order; names are compared without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_string(), value.to_string()));
    }
    /// Puts a header in the place of others of this name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.push(name, value);
    }
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        let named = move |(n, _): &&'a (String, String)| n.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|(_, v)| v.as_str())
    }
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// As urllib does: of GET, of HEAD as a GET, and of POST as a GET.
    #[default]
    Usual,
    /// Of GET and HEAD requests.
    Safe,
    /// Of all requests.
    All,
    None,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Settings {
    pub user: Option<String>,
    pub password: Option<String>,
    /// Sends user and password at once, not when they are asked for.
    pub force_basic_auth: bool,
    pub use_netrc: bool,
    pub use_proxy: bool,
    pub validate_certs: bool,
    /// A file or folder of certificate authorities that are trusted beside the system's.
    pub ca_path: Option<PathBuf>,
    pub client_cert: Option<PathBuf>,
    /// Where the client's key is, if not with its certificate.
    pub client_key: Option<PathBuf>,
    /// For connecting, and for each wait for data.
    pub timeout: Option<Duration>,
    pub follow: Follow,
    /// Unpacks bodies that come compressed by gzip.
    pub decompress: bool,
    pub agent: String,
    /// Headers that are left out when a redirect is followed.
    pub unredirected: Vec<String>,
    /// A socket to connect to in place of the URL's host.
    pub socket: Option<PathBuf>,
    /// Variables that say where proxies, certificates and logins are.
    pub environment: HashMap<String, String>,
}

impl Settings {
    /// Settings with Ansible's defaults; proxies and the like are those that the task's commands would see.
    pub fn new(machine: &Machine) -> Settings {
        let mut environment: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        environment.extend(machine.environment.iter().cloned());
        Settings {
            user: None,
            password: None,
            force_basic_auth: false,
            use_netrc: true,
            use_proxy: true,
            validate_certs: true,
            ca_path: None,
            client_cert: None,
            client_key: None,
            timeout: Some(Duration::from_secs(10)),
            follow: Follow::Usual,
            decompress: true,
            agent: "ansible-httpget".to_string(),
            unredirected: Vec::new(),
            socket: None,
            environment,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}

/// What is asked for.
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Headers,
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn new(method: &str, url: &str) -> Request {
        Request {
            method: method.to_string(),
            url: url.to_string(),
            headers: Headers::default(),
            body: None,
        }
    }
}

/// What came, whatever its status; the body is yet to be read.
pub struct Response {
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    /// Where it came from after all redirects.
    pub url: Url,
    /// Why a redirect was not followed.
    pub refused: Option<String>,
    /// Cookies that were set on the way, names and values.
    pub cookies: Vec<(String, String)>,
    pub body: Box<dyn Read>,
}

impl Response {
    /// `OK (12 bytes)` or `HTTP Error 404: Not Found`, as Ansible's modules tell it.
    pub fn message(&self) -> String {
        match self.status {
            200..300 => {
                let length = self.headers.get("Content-Length").unwrap_or("unknown");
                format!("OK ({length} bytes)")
            }
            status => {
                let reason = self.refused.as_ref().unwrap_or(&self.reason);
                format!("HTTP Error {status}: {reason}")
            }
        }
    }
}

/// Why there is no response, in urllib's words.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    /// Before there was a connection.
    fn urlopen(why: impl std::fmt::Display) -> Error {
        Error(format!("Request failed: <urlopen error {why}>"))
    }

    fn connection(e: &io::Error) -> Error {
        Error(format!("Connection failure: {}", in_words(e)))
    }
}

/// An error as Python words it.
pub fn in_words(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timed out".to_string(),
        _ => super::errno_text(e),
    }
}

/// A redirect to the same place is followed so often, and this many redirects in all.
const MOST_REPEATS: usize = 4;
const MOST_REDIRECTS: usize = 10;

/// Makes the request, and those that its redirects lead to.
///
/// A response that says that something is wrong (404) is a response; an error is that there is none.
pub fn fetch(request: Request, settings: &Settings) -> Result<Response, Error> {
    let Request {
        mut method,
        url: text,
        mut headers,
        mut body,
    } = request;
    let mut url =
        Url::parse(&text).ok_or_else(|| Error(format!("unknown url type: '{}'", shown(&text))))?;
    let mut login = login(&url, settings);
    let mut sent_login = settings.force_basic_auth || login.as_ref().is_some_and(|l| l.1);
    let mut seen: Vec<String> = Vec::new();
    let mut jar = cookies::Jar::default();
    // digest authentication is answered for one request, and once
    let (mut answer, mut answered) = (None::<String>, false);
    loop {
        let mut sent = headers.clone();
        if sent.get("Cookie").is_none()
            && let Some(cookies) = jar.header(&url)
        {
            sent.push("Cookie", &cookies);
        }
        if let Some(answer) = answer.take() {
            sent.set("Authorization", &answer);
        }
        if let (true, Some(((user, password), from_netrc))) = (sent_login, &login)
            && (*from_netrc || sent.get("Authorization").is_none())
        {
            sent.set("Authorization", &basic(user, password));
        }
        let mut response = once(&method, &url, sent, body.as_deref(), settings)?;
        jar.take(&response.headers, &url);
        if response.status == 401
            && !sent_login
            && !answered
            && let Some(((user, password), _)) = &login
        {
            let mut asked = response.headers.all("WWW-Authenticate");
            let digest = |a: &str| {
                let challenge = digest::Challenge::parse(a)?;
                challenge.answer((user, password), &method, &url.path)
            };
            answer = asked.clone().find_map(digest);
            answered = answer.is_some();
            sent_login = !answered && asked.any(|a| a.to_ascii_lowercase().starts_with("basic"));
            if answered || sent_login {
                continue;
            }
        }
        let link = match response.status {
            301 | 302 | 303 | 307 | 308 => response.headers.get("Location"),
            _ => None,
        };
        let Some(link) = link else {
            response.cookies = jar.pairs();
            return Ok(response);
        };
        let safe = matches!(method.as_str(), "GET" | "HEAD");
        let keeps_method = matches!(response.status, 307 | 308);
        let follows = match settings.follow {
            Follow::None => false,
            Follow::Safe => safe,
            Follow::All => true,
            Follow::Usual => safe || (method == "POST" && !keeps_method),
        };
        if !follows {
            return Ok(response);
        }
        let next = url
            .join(link)
            .filter(|u| matches!(u.scheme.as_str(), "http" | "https"))
            .ok_or_else(|| Error::urlopen(format!("redirection to url '{link}' is not allowed")))?;
        let name = next.to_string();
        if seen.iter().filter(|s| **s == name).count() >= MOST_REPEATS
            || seen.len() >= MOST_REDIRECTS
        {
            response.refused = Some(format!(
                "The HTTP server returned a redirect error that would lead to an infinite loop.\n\
                 The last 30x error message was:\n{}",
                response.reason
            ));
            return Ok(response);
        }
        seen.push(name);
        answered = false;
        // the urllib of Python before 3.13 makes a GET of a HEAD, too
        let as_get = settings.follow == Follow::Usual && method == "HEAD";
        if as_get || (!safe && !keeps_method) {
            method = "GET".to_string();
            body = None;
        }
        for name in ["Content-Length", "Content-Type"] {
            if body.is_none() {
                headers.remove(name);
            }
        }
        for name in &settings.unredirected {
            headers.remove(name);
            if name.eq_ignore_ascii_case("Authorization") && settings.force_basic_auth {
                login = None;
            }
        }
        // what one server was trusted with is not for the next
        if !url.same_server(&next) {
            headers.remove("Authorization");
            headers.remove("Cookie");
            login = None;
        }
        url = next;
    }
}

/// User and password for the server, and whether they are sent unasked.
fn login(url: &Url, settings: &Settings) -> Option<((String, String), bool)> {
    let given = settings.user.clone().or_else(|| url.user.clone());
    if let Some(user) = given {
        let password = settings.password.clone().or_else(|| url.password.clone());
        return Some(((user, password.unwrap_or_default()), false));
    }
    if !settings.use_netrc {
        return None;
    }
    let file = settings.variable("NETRC").or_else(|| {
        let home = settings.variable("HOME")?;
        Some(format!("{home}/.netrc"))
    })?;
    let text = std::fs::read_to_string(file).ok()?;
    netrc::login(&text, &url.host).map(|found| (found, true))
}

fn basic(user: &str, password: &str) -> String {
    let both = format!("{user}:{password}");
    let coded = base64::engine::general_purpose::STANDARD.encode(both);
    format!("Basic {coded}")
}

fn once(
    method: &str,
    url: &Url,
    mut headers: Headers,
    body: Option<&[u8]>,
    settings: &Settings,
) -> Result<Response, Error> {
    if !matches!(url.scheme.as_str(), "http" | "https") {
        return Err(Error::urlopen(format!("unknown url type: {}", url.scheme)));
    }
    let proxy = match settings.use_proxy && settings.socket.is_none() {
        true => proxy::for_url(url, |name| settings.variable(name)),
        false => None,
    };
    for (name, value) in [
        ("Host", url.host_header().as_str()),
        ("User-Agent", &settings.agent),
    ] {
        if headers.get(name).is_none() {
            headers.push(name, value);
        }
    }
    if headers.get("Accept-Encoding").is_none() {
        headers.push("Accept-Encoding", "identity");
    }
    headers.set("Connection", "close");
    if let Some(body) = body {
        if headers.get("Content-Type").is_none() {
            headers.push("Content-Type", "application/x-www-form-urlencoded");
        }
        headers.set("Content-Length", &body.len().to_string());
    }
    let mut target = url.path.clone();
    if let Some(proxy) = proxy.as_ref().filter(|_| url.scheme == "http") {
        target = url.to_string();
        if let Some(user) = &proxy.user {
            let password = proxy.password.as_deref().unwrap_or_default();
            headers.set("Proxy-Authorization", &basic(user, password));
        }
    }
    let mut stream = connect(url, proxy.as_ref(), settings)?;
    let mut body = Cursor::new(body.unwrap_or_default());
    wire::send(&mut *stream, method, &target, &headers, &mut body)
        .map_err(|e| Error::connection(&e))?;
    let mut input = BufReader::with_capacity(64 * 1024, stream);
    let head = wire::receive(&mut input).map_err(|e| Error::connection(&e))?;
    let body = Body::new(input, method, &head).map_err(|e| Error::connection(&e))?;
    let packed = head
        .headers
        .get("Content-Encoding")
        .is_some_and(|e| e.eq_ignore_ascii_case("gzip"));
    let body: Box<dyn Read> = match packed && settings.decompress && method != "HEAD" {
        true => Box::new(gzip::Gzip::new(body)),
        false => Box::new(body),
    };
    Ok(Response {
        status: head.status,
        reason: head.reason,
        headers: head.headers,
        url: url.clone(),
        refused: None,
        cookies: Vec::new(),
        body,
    })
}

/// A connection to the server, through the proxy if there is one.
fn connect(url: &Url, proxy: Option<&Url>, settings: &Settings) -> Result<Box<dyn Stream>, Error> {
    let failed = |e: io::Error| Error::urlopen(in_words(&e));
    if let Some(path) = &settings.socket {
        let stream = UnixStream::connect(path).map_err(failed)?;
        stream.set_read_timeout(settings.timeout).map_err(failed)?;
        stream.set_write_timeout(settings.timeout).map_err(failed)?;
        return Ok(Box::new(stream));
    }
    let mut stream = dial(proxy.unwrap_or(url), settings)?;
    if url.scheme == "http" {
        return Ok(Box::new(stream));
    }
    if let Some(proxy) = proxy {
        let host = format!("{}:{}", url.host, url.port());
        let mut headers = Headers::default();
        headers.push("Host", &host);
        if let Some(user) = &proxy.user {
            let password = proxy.password.as_deref().unwrap_or_default();
            headers.push("Proxy-Authorization", &basic(user, password));
        }
        wire::send(&mut stream, "CONNECT", &host, &headers, &mut io::empty()).map_err(failed)?;
        // one byte at a time: what follows the answer belongs to TLS
        let mut answer = BufReader::with_capacity(1, &mut stream);
        let head = wire::receive(&mut answer).map_err(failed)?;
        if head.status != 200 {
            return Err(Error::urlopen(format!(
                "Tunnel connection failed: {} {}",
                head.status, head.reason
            )));
        }
    }
    let stream = tls::connect(stream, &url.host, settings).map_err(failed)?;
    Ok(Box::new(stream))
}

/// Python's words for a name that has no address. The C libraries have words of their own for each.
fn unresolved(why: &str) -> &'static str {
    match ["Temporary failure", "Try again"]
        .iter()
        .any(|t| why.contains(t))
    {
        true => "[Errno -3] Temporary failure in name resolution",
        false => "[Errno -2] Name or service not known",
    }
}

/// A TCP connection to the first of the host's addresses that takes it.
fn dial(url: &Url, settings: &Settings) -> Result<TcpStream, Error> {
    let addresses = (url.host.as_str(), url.port())
        .to_socket_addrs()
        .map_err(|e| Error::urlopen(unresolved(&e.to_string())))?;
    let mut last = None;
    for address in addresses {
        let connected = match settings.timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                let set = stream
                    .set_read_timeout(settings.timeout)
                    .and_then(|()| stream.set_write_timeout(settings.timeout));
                set.map_err(|e| Error::urlopen(in_words(&e)))?;
                return Ok(stream);
            }
            Err(e) => last = Some(e),
        }
    }
    Err(match last {
        Some(e) => Error::urlopen(in_words(&e)),
        None => Error::urlopen("[Errno -2] Name or service not known"),
    })
}
