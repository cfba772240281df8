//! What the modules of Docker share: the options of the connection, and images.

use crate::machine::Machine;
use crate::machine::docker::{Address, Docker, Refusal};
use crate::modules::{Failure, args};
use crate::value::{Map, Value};
use base64::Engine;
use schemars::JsonSchema;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::Duration;

/// The options of the connection, for the documentation: they are read by name from [`Options`].
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
pub struct Connection {
    /// Where the Engine listens: `unix://` and a path, or `tcp://` and a server, without TLS.
    #[schemars(extend("aliases" = ["docker_url"]))]
    docker_host: Option<String>,
    /// The version of the API that is spoken; the newest that both sides know, unless said.
    #[schemars(extend("aliases" = ["docker_api_version"]))]
    api_version: Option<String>,
    /// Seconds that the Engine may take for an answer.
    timeout: Option<i64>,
    /// TLS without checking the server, which rplay does not speak to Docker.
    tls: Option<bool>,
    /// TLS with checking the server, which rplay does not speak to Docker.
    #[schemars(extend("aliases" = ["tls_verify"]))]
    validate_certs: Option<bool>,
    /// For TLS, which rplay does not speak to Docker.
    tls_hostname: Option<String>,
    /// For TLS, which rplay does not speak to Docker.
    #[schemars(extend("aliases" = ["ca_cert", "tls_ca_cert", "cacert_path"]))]
    ca_path: Option<args::Path>,
    /// For TLS, which rplay does not speak to Docker.
    #[schemars(extend("aliases" = ["tls_client_cert", "cert_path"]))]
    client_cert: Option<args::Path>,
    /// For TLS, which rplay does not speak to Docker.
    #[schemars(extend("aliases" = ["tls_client_key", "key_path"]))]
    client_key: Option<args::Path>,
    /// For SSH, by which rplay does not reach Docker.
    #[serde(default)]
    use_ssh_client: bool,
    /// Has the result say more.
    #[serde(default)]
    debug: bool,
}

/// Options by name. Docker's modules have so many, which they all treat alike, that a table says what becomes of
/// each, rather than a struct's fields.
#[derive(Clone, Debug, Default)]
pub struct Options(pub Map);

impl Options {
    /// An option; none if it has no value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|v| !v.is_null())
    }
    pub fn json(&self, name: &str) -> Option<Json> {
        self.get(name).map(Value::to_json)
    }
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }
    pub fn is(&self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Float(f) => Some(*f),
            other => other.as_i64().map(|i| i as f64),
        }
    }
    /// The elements of a list, as text.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let items = self.get(name)?.as_list()?;
        Some(items.iter().map(args::text).collect())
    }
    pub fn map(&self, name: &str) -> Option<&Map> {
        self.get(name).and_then(Value::as_map)
    }
    /// Each dictionary of a list.
    pub fn maps(&self, name: &str) -> Option<Vec<Options>> {
        let items = self.get(name)?.as_list()?;
        let maps = items.iter().filter_map(Value::as_map);
        Some(maps.map(|m| Options(m.clone())).collect())
    }
}

/// Connects to the Engine that the options, or else the environment, name.
pub fn connect(options: &Options, machine: &Machine) -> Result<Docker, Failure> {
    let failed = |e: String| Failure::new(format!("Error connecting: {e}"));
    let variable = |name: &str| machine.variable(name).filter(|v| !v.is_empty());
    let flag = |option: &str, name: &str| {
        options.flag(option).unwrap_or_else(|| {
            let said = variable(name).map(Value::from);
            said.is_some_and(|v| args::boolean(&v).unwrap_or(true))
        })
    };
    for (option, name) in [
        ("tls", "DOCKER_TLS"),
        ("validate_certs", "DOCKER_TLS_VERIFY"),
    ] {
        if flag(option, name) {
            let msg = format!("{option} is not supported: rplay does not speak TLS to Docker");
            return Err(failed(msg));
        }
    }
    let said = options.text("docker_host").map(String::from);
    let host = said.or_else(|| variable("DOCKER_HOST"));
    let said = options.text("api_version").map(String::from);
    let version = said.or_else(|| variable("DOCKER_API_VERSION"));
    let seconds = match (options.int("timeout"), variable("DOCKER_TIMEOUT")) {
        (Some(seconds), _) => seconds,
        (None, Some(text)) => text
            .parse()
            .map_err(|_| failed(format!("DOCKER_TIMEOUT '{text}' is no number")))?,
        (None, None) => 60,
    };
    let address = Address {
        host: host.as_deref().unwrap_or("unix:///var/run/docker.sock"),
        version: version.as_deref().unwrap_or("auto"),
        timeout: Duration::from_secs(u64::try_from(seconds).unwrap_or(60).max(1)),
    };
    Docker::connect(machine, &address).map_err(failed)
}

/// `Error pulling image x: ` and the like before what the Engine said.
pub fn failure(what: &str) -> impl Fn(Refusal) -> Failure {
    let what = what.to_string();
    move |refusal| Failure::new(format!("{what}: {refusal}"))
}

/// An image's name, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub repository: String,
    /// A tag, or a digest such as `sha256:...`.
    pub tag: String,
}

impl Name {
    /// `registry:5000/name:tag` or `name@sha256:...`; the tag is `otherwise` if there is none.
    pub fn parse(text: &str, otherwise: &str) -> Name {
        if let Some((repository, digest)) = text.split_once('@') {
            return Name {
                repository: repository.to_string(),
                tag: digest.to_string(),
            };
        }
        // a colon before a slash is that of a registry's port
        match text.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => Name {
                repository: repository.to_string(),
                tag: tag.to_string(),
            },
            _ => Name {
                repository: text.to_string(),
                tag: otherwise.to_string(),
            },
        }
    }

    /// The part of the name that says which registry it is in.
    fn registry(&self) -> &str {
        match self.repository.split_once('/') {
            Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
            _ => "https://index.docker.io/v1/",
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.tag.contains(':') { '@' } else { ':' };
        write!(f, "{}{sign}{}", self.repository, self.tag)
    }
}

/// Whether a name is that of an image by its content: `sha256:` and 64 digits, or these alone.
pub fn is_id(name: &str) -> bool {
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What the Engine knows of an image; none if it does not have it.
pub fn image(docker: &Docker, name: &str) -> Result<Option<Json>, Failure> {
    // a name that cannot be one is refused with 400, and is told when it is to be pulled
    match docker.get(&format!("/images/{name}/json"), &[]) {
        Err(e) if e.status == Some(400) => Ok(None),
        done => done.map_err(failure(&format!("Error inspecting image {name}"))),
    }
}

/// What Docker's own file says to log in with at the registry of an image.
pub fn login(machine: &Machine, name: &Name) -> Option<String> {
    let folder = machine.variable("DOCKER_CONFIG").or_else(|| {
        let home = machine.variable("HOME")?;
        Some(format!("{home}/.docker"))
    })?;
    let file = machine.read(&Path::new(&folder).join("config.json")).ok()?;
    let config: Json = serde_json::from_slice(&file).ok()?;
    let coded = config["auths"][name.registry()]["auth"].as_str()?;
    let coder = &base64::engine::general_purpose::STANDARD;
    let plain = String::from_utf8(coder.decode(coded).ok()?).ok()?;
    let (user, password) = plain.split_once(':')?;
    let login = json!({
        "username": user,
        "password": password,
        "serveraddress": name.registry(),
    });
    Some(base64::engine::general_purpose::URL_SAFE.encode(login.to_string()))
}

/// Pulls an image from its registry. Not for check mode.
pub fn pull(
    docker: &Docker,
    machine: &mut Machine,
    name: &Name,
    platform: Option<&str>,
) -> Result<(), Failure> {
    let what = format!("Error pulling image {name}");
    // a name with two tags has one too many, which the Engine is not told
    let repository = Name::parse(&name.repository, "").repository;
    let mut query = vec![
        ("tag", name.tag.as_str()),
        ("fromImage", repository.as_str()),
    ];
    if let Some(platform) = platform {
        query.push(("platform", platform));
    }
    let login = login(machine, name);
    let lines = docker
        .stream(machine, "/images/create", &query, None, login.as_deref())
        .map_err(|e| Failure::new(format!("{what} - {e}")))?;
    match trouble(&lines) {
        Some(said) => Err(Failure::new(format!(
            "Error pulling {} - {said}",
            name.repository
        ))),
        None => Ok(()),
    }
}

/// What went wrong after the Engine had begun to answer.
pub fn trouble(lines: &[Json]) -> Option<String> {
    let line = lines.iter().find(|l| l.get("error").is_some())?;
    let detail = &line["errorDetail"];
    let said = detail["message"].as_str().or(line["error"].as_str());
    let said = said.unwrap_or("no reason was given");
    Some(match &detail["code"] {
        Json::Null => said.to_string(),
        code => format!("code: {code} message: {said}"),
    })
}

/// What is behind keys that are separated by points; null if there is nothing.
pub fn at<'a>(json: &'a Json, path: &str) -> &'a Json {
    path.split('.').fold(json, |json, key| &json[key])
}

/// Puts a value behind keys that are separated by points.
pub fn put(json: &mut Json, path: &str, value: Json) {
    let place = path.split('.').fold(json, |json, key| {
        if !json.is_object() {
            *json = json!({});
        }
        &mut json[key]
    });
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_have_a_repository_and_a_tag() {
        for (text, repository, tag, shown) in [
            ("nginx", "nginx", "latest", "nginx:latest"),
            ("h:5000/a/b", "h:5000/a/b", "latest", "h:5000/a/b:latest"),
            ("h:5000/a:1", "h:5000/a", "1", "h:5000/a:1"),
            ("a@sha256:12", "a", "sha256:12", "a@sha256:12"),
        ] {
            let name = Name::parse(text, "latest");
            assert_eq!(
                (name.repository.as_str(), name.tag.as_str()),
                (repository, tag)
            );
            assert_eq!(name.to_string(), shown);
        }
        assert_eq!(Name::parse("h:5000/a", "latest").registry(), "h:5000");
        assert!(is_id(&"a".repeat(64)) && !is_id("sha256:1234"));
    }

    #[test]
    fn values_are_put_where_the_path_leads() {
        let mut json = json!({});
        put(&mut json, "HostConfig.Memory", json!(1));
        put(&mut json, "HostConfig.LogConfig.Type", json!("local"));
        assert_eq!(at(&json, "HostConfig.LogConfig.Type"), "local");
        assert_eq!(at(&json, "HostConfig.Memory"), 1);
        assert!(at(&json, "None.Of.These").is_null());
    }
}
