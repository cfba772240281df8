//! Makes an HTTP request.

mod body;

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::common::encoding;
use super::common::http::HttpArgs;
use super::common::text;
use super::get_url::{name_in_disposition, name_in_url};
use super::{Failure, Module};
use crate::clock::Moment;
use crate::machine::http::{self, Follow, Request, Response, Url};
use crate::machine::{Content, Machine};
use crate::modules::args::{self, Dict, Path};
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/uri_module.html>
pub struct Uri;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["body", "src"]]), transform = user_alias)]
pub struct Args {
    /// What to ask: `http://` or `https://`.
    url: String,
    /// Where to put what comes: a file, or a folder, where the server or the URL says the name.
    dest: Option<Path>,
    /// What is sent.
    body: Option<Value>,
    /// How the body is written.
    #[serde(default)]
    body_format: BodyFormat,
    /// A file that is sent, in place of a body.
    src: Option<Path>,
    /// Whether files that are sent are on the target.
    #[serde(default)]
    #[allow(dead_code)] // the controller's side has looked at it
    remote_src: bool,
    /// The request's method.
    #[serde(default = "get")]
    method: String,
    /// Whether the body that came is in the result.
    #[serde(default)]
    return_content: bool,
    /// Does nothing if this exists.
    creates: Option<Path>,
    /// Does nothing if this does not exist.
    removes: Option<Path>,
    /// Which redirects are followed.
    #[serde(default)]
    follow_redirects: Redirects,
    /// Answers that are a success.
    #[serde(default = "ok")]
    status_code: Vec<i64>,
    /// Seconds that connecting may take, and each wait for data.
    #[serde(default = "thirty")]
    timeout: i64,
    /// Headers of the request.
    #[serde(default)]
    headers: Dict,
    /// Asks again, even if the server says that nothing has changed since.
    #[serde(default)]
    force: bool,
    /// A socket to connect to in place of the URL's host.
    unix_socket: Option<Path>,
    /// File of certificate authorities that are trusted.
    ca_path: Option<Path>,
    #[serde(flatten)]
    http: HttpArgs,
    #[serde(flatten)]
    file: FileArgs,
}

/// The option that other modules call `username` too is here called `user`.
fn user_alias(schema: &mut schemars::Schema) {
    if let Some(option) = schema.pointer_mut("/properties/url_username") {
        option["aliases"] = serde_json::json!(["user"]);
    }
}

fn get() -> String {
    "GET".to_string()
}
fn ok() -> Vec<i64> {
    vec![200]
}
fn thirty() -> i64 {
    30
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("order" = ["form-urlencoded", "json", "raw", "form-multipart"]))]
enum BodyFormat {
    FormUrlencoded,
    Json,
    #[default]
    Raw,
    FormMultipart,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Redirects {
    /// All.
    All,
    /// None; its old name.
    No,
    /// None.
    None,
    /// Those of GET and HEAD requests.
    #[default]
    Safe,
    /// Those that Python follows.
    Urllib2,
    /// All; its old name.
    Yes,
}

impl Module for Uri {
    const NAME: &'static str = "uri";
    const SHOWN_NAME: &'static str = "ansible.legacy.uri";
    const CHECK_MODE: bool = false;
    const EXAMPLES: &'static str = "
- name: Ask a service how it is
  ansible.builtin.uri:
    url: http://127.0.0.1:1/status
    status_code: [200, -1]
  register: answer

- ansible.builtin.assert:
    that: answer.status == -1
";
    type Args = Args;
    type Returns = Dict;

    fn run(args: Args, machine: &mut Machine) -> Result<Dict, Failure> {
        if args.method.is_empty() || !args.method.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Failure::new(
                "Parameter 'method' needs to be a single word in uppercase, like GET or POST.",
            ));
        }
        if matches!(args.follow_redirects, Redirects::Yes | Redirects::No) {
            machine.warnings.push(
                "Using 'yes' or 'no' for 'follow_redirects' parameter is deprecated.".to_string(),
            );
        }
        for (path, wanted, what) in [
            (&args.creates, true, "exists"),
            (&args.removes, false, "does not exist"),
        ] {
            let Some(path) = path else { continue };
            if machine.exists(path) == wanted {
                let mut skipped = Map::default();
                let why = format!("skipped, since '{}' {what}", path.as_str());
                skipped.insert("stdout".into(), why.into());
                skipped.insert("changed".into(), false.into());
                return Ok(Dict(skipped));
            }
        }
        Call {
            dest: args.dest.as_ref().map(|d| PathBuf::from(d.as_str())),
            args: &args,
            out: Map::default(),
        }
        .make(machine)
        .map(Dict)
    }
}

struct Call<'a> {
    args: &'a Args,
    dest: Option<PathBuf>,
    /// The result as far as it is known.
    out: Map,
}

impl Call<'_> {
    fn make(mut self, machine: &mut Machine) -> Result<Map, Failure> {
        let request = self.request(machine)?;
        let mut settings = self.args.http.settings("uri", machine, self.args.timeout)?;
        settings.follow = match self.args.follow_redirects {
            Redirects::All | Redirects::Yes => Follow::All,
            Redirects::No | Redirects::None => Follow::None,
            Redirects::Safe => Follow::Safe,
            Redirects::Urllib2 => Follow::Usual,
        };
        settings.ca_path = self.args.ca_path.as_ref().map(|p| p.to_path_buf());
        settings.socket = self.args.unix_socket.as_ref().map(|p| p.to_path_buf());
        if Url::parse(&self.args.url).is_none() {
            let shown = http::shown(&self.args.url);
            return Err(Failure::new(format!("unknown url type: '{shown}'"))
                .with("url", shown)
                .with("status", -1));
        }
        let began = Instant::now();
        let answer = http::fetch(request, &settings);
        let elapsed = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.set("elapsed", elapsed);
        self.set("changed", false);
        let mut response = match answer {
            Ok(response) => response,
            Err(e) => {
                let mut msg = e.to_string();
                if let Some(socket) = &settings.socket
                    && !machine.exists(socket)
                {
                    let path = socket.display();
                    msg = msg.replace(
                        "urlopen error ",
                        &format!("urlopen error Invalid Socket File ({path}): "),
                    );
                }
                self.set("redirected", false);
                self.set("url", http::shown(&self.args.url));
                self.set("status", -1);
                if self.args.return_content {
                    self.set("content", "");
                }
                return self.judged(-1, &msg);
            }
        };
        self.describe(&response);
        let mut bytes = Vec::new();
        response.body.read_to_end(&mut bytes).map_err(|e| {
            let url = http::shown(&self.args.url);
            Failure::new(format!(
                "HTTP Error while fetching {url}: {}",
                http::in_words(&e)
            ))
        })?;
        let status = i64::from(response.status);
        // a redirect that is not followed and says nothing says so
        if bytes.is_empty() && status != 304 && (300..400).contains(&status) {
            self.set("body", "");
        }
        if let Some(mut dest) = self.dest.take().filter(|_| response.status != 304) {
            if machine.is_dir(&dest) {
                let named = response.headers.get("Content-Disposition");
                let named = named.and_then(name_in_disposition);
                dest.push(named.unwrap_or_else(|| name_in_url(&response.url.to_string())));
            }
            self.keep(&dest, &bytes, &response, machine)?;
        }
        self.content(bytes, &response, machine)?;
        self.judged(status, &response.message())
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.out.insert(key.into(), value.into());
    }

    fn request(&self, machine: &Machine) -> Result<Request, Failure> {
        let asked = self.args;
        let mut request = Request::new(&asked.method.to_uppercase(), &asked.url);
        for (name, value) in asked.headers.iter() {
            request.headers.push(&name.to_string(), &args::text(value));
        }
        let (body, kind) = body::encode(asked, machine)?;
        request.body = body;
        if let Some(kind) = kind
            && (request.headers.get("Content-Type").is_none()
                || asked.body_format == BodyFormat::FormMultipart)
        {
            request.headers.set("Content-Type", &kind);
        }
        if let Some(src) = &asked.src {
            let bytes = machine.read(src).map_err(|_| {
                Failure::new(format!("Unable to open source file {}", src.as_str()))
                    .with("elapsed", 0)
            })?;
            request.body = Some(bytes);
        }
        if asked.force {
            request.headers.set("Cache-Control", "no-cache");
        } else if let Some(dest) = self.dest.as_ref().filter(|d| !machine.is_dir(d))
            && let Ok(stat) = machine.stat(dest)
        {
            let since = Moment::from_secs(stat.mtime.secs).utc();
            let since = since.format("%a, %d %b %Y %H:%M:%S GMT");
            request.headers.set("If-Modified-Since", &since);
        }
        Ok(request)
    }

    /// What is known before the body: headers, where it came from, cookies.
    fn describe(&mut self, response: &Response) {
        // of an error the last header of a name is told, and no cookies
        let fine = (200..300).contains(&response.status);
        for (name, value) in response.headers.iter() {
            let name = name.to_ascii_lowercase().replace('-', "_");
            let value = match self.out.get(name.as_str()).and_then(Value::as_str) {
                Some(before) if fine => format!("{before}, {value}"),
                _ => value.to_string(),
            };
            self.out.insert(name.as_str().into(), value.into());
        }
        if let Some(link) = response.headers.get("Location")
            && let Some(next) = response.url.join(link)
        {
            self.set("location", next.to_string());
        }
        let asked = Url::parse(&self.args.url).map(|u| u.to_string());
        let url = response.url.to_string();
        self.set("redirected", asked.is_some_and(|asked| asked != url));
        self.set("url", http::shown(&url));
        self.set("status", i64::from(response.status));
        if fine {
            let pairs = response.cookies.iter();
            let line: Vec<String> = pairs.map(|(n, v)| format!("{n}={v}")).collect();
            let all = response.cookies.iter();
            let all = all.map(|(n, v)| (n.as_str().into(), v.as_str().into()));
            self.set("cookies", Value::map(all.collect()));
            self.set("cookies_string", line.join("; "));
        }
    }

    /// The body as text and as what its JSON means.
    fn content(
        &mut self,
        bytes: Vec<u8>,
        response: &Response,
        machine: &Machine,
    ) -> Result<(), Failure> {
        let kind = response.headers.get("Content-Type").unwrap_or_default();
        let mut parts = kind.split(';').map(str::trim);
        let subtype = parts
            .next()
            .and_then(|k| k.split_once('/'))
            .map_or("", |k| k.1);
        let subtype = subtype.to_ascii_lowercase();
        let charset = parts.find_map(|p| {
            let (name, value) = p.split_once('=')?;
            name.eq_ignore_ascii_case("charset")
                .then(|| value.trim_matches('"'))
        });
        let json = ["json", "javascript"].iter().any(|k| subtype.contains(k));
        if !json && !self.args.return_content {
            return Ok(());
        }
        let encoded = bytes.clone();
        let text = match charset {
            Some(charset) => encoding::decode(machine, bytes, charset).ok(),
            None => String::from_utf8(bytes).ok(),
        };
        let text = match text {
            Some(text) => text,
            None if self.args.return_content => {
                return Err(Failure::new(text::refusal(&encoded).unwrap_or_default()));
            }
            None => return Ok(()),
        };
        if json && let Ok(value) = serde_json::from_str(&text) {
            // a secret may come back as the name of a value, too
            let json = match self.args.http.url_password.as_deref() {
                Some(secret) if !secret.is_empty() => {
                    without_secret(Value::from_json(value), secret)
                }
                _ => Value::from_json(value),
            };
            self.set("json", json);
        }
        if self.args.return_content {
            self.set("content", text);
        }
        Ok(())
    }

    fn keep(
        &mut self,
        dest: &std::path::Path,
        bytes: &[u8],
        response: &Response,
        machine: &mut Machine,
    ) -> Result<(), Failure> {
        let shown = dest.to_string_lossy().into_owned();
        let fine = self.args.status_code.contains(&i64::from(response.status));
        if !fine {
            return Ok(());
        }
        machine
            .replace(dest, Content::Bytes(bytes), None, self.args.file.unsafe_writes)
            .map_err(|e| {
                let why = crate::machine::errno_text(&e);
                let msg = format!(
                    "failed to copy what was received to {shown}: Could not replace '{shown}': {why}. {}",
                    response.message()
                );
                let mut failure = Failure::new(msg);
                failure.fields = std::mem::take(&mut self.out);
                failure
            })?;
        self.set("path", shown);
        self.set("changed", true);
        let file = &self.args.file;
        file.apply(machine, dest, true, &mut Attributes::default())?;
        Ok(())
    }

    /// The result: a failure if the status is not one that is wanted.
    fn judged(mut self, status: i64, msg: &str) -> Result<Map, Failure> {
        if self.args.status_code.contains(&status) {
            self.set("msg", msg);
            return Ok(self.out);
        }
        let wanted: Vec<String> = self.args.status_code.iter().map(i64::to_string).collect();
        let mut failure = Failure::new(format!(
            "Status code was {status} and not [{}]: {msg}",
            wanted.join(", ")
        ));
        failure.fields = self.out;
        Err(failure)
    }
}

/// A value without a secret in its keys; those that are values are removed from every result.
fn without_secret(value: Value, secret: &str) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, value)| {
                    let key = key.to_string().replace(secret, "********");
                    (key.as_str().into(), without_secret(value.clone(), secret))
                })
                .collect(),
        ),
        Value::List(items) => Value::list(
            items
                .iter()
                .map(|item| without_secret(item.clone(), secret))
                .collect(),
        ),
        other => other,
    }
}
