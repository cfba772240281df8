//! The options of modules that make HTTP requests.

use crate::machine::Machine;
use crate::machine::http::Settings;
use crate::modules::args::Path;
use crate::modules::{Failure, yes};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `get_url`, `uri` and others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct HttpArgs {
    /// User for basic authentication.
    #[schemars(extend("aliases" = ["username"]))]
    pub url_username: Option<String>,
    /// Password for basic authentication.
    #[schemars(extend("aliases" = ["password"], "no_log" = true))]
    pub url_password: Option<String>,
    /// Sends user and password with the first request, not when the server asks for them.
    #[serde(default)]
    pub force_basic_auth: bool,
    /// Whether proxies that the environment names are used.
    #[serde(default = "yes")]
    pub use_proxy: bool,
    /// Whether the server's certificate must be one that the system trusts.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    /// File with a certificate that the client shows, and perhaps its key.
    pub client_cert: Option<Path>,
    /// File with the key of `client_cert`.
    pub client_key: Option<Path>,
    /// What the client calls itself.
    #[serde(default = "agent")]
    pub http_agent: String,
    /// Kerberos authentication, which rplay does not have.
    #[serde(default)]
    pub use_gssapi: bool,
    /// Whether `~/.netrc` is asked for user and password.
    #[serde(default = "yes")]
    pub use_netrc: bool,
    /// Unpacks what the server sends compressed.
    #[serde(default = "yes")]
    pub decompress: bool,
    /// TLS ciphers, which rplay does not let one choose.
    pub ciphers: Option<Vec<String>>,
    /// Headers that are not sent on after a redirect.
    #[serde(default)]
    pub unredirected_headers: Vec<String>,
}

fn agent() -> String {
    "ansible-httpget".to_string()
}

impl HttpArgs {
    /// The settings that the options are. Fails if one asks for what rplay does not have.
    pub fn settings(
        &self,
        module: &str,
        machine: &Machine,
        timeout: i64,
    ) -> Result<Settings, Failure> {
        let refuse = |option: &str, why: &str| {
            Err(Failure::new(format!(
                "{module}: rplay does not support the option {option}: {why}"
            )))
        };
        if self.use_gssapi {
            return refuse("use_gssapi", "it has no Kerberos");
        }
        if self.ciphers.as_ref().is_some_and(|c| !c.is_empty()) {
            return refuse(
                "ciphers",
                "it offers those of TLS 1.2 and 1.3 that are safe",
            );
        }
        let path = |p: &Option<Path>| p.as_ref().map(|p| PathBuf::from(p.as_str()));
        Ok(Settings {
            user: self.url_username.clone(),
            password: self.url_password.clone(),
            force_basic_auth: self.force_basic_auth,
            use_netrc: self.use_netrc,
            use_proxy: self.use_proxy,
            validate_certs: self.validate_certs,
            client_cert: path(&self.client_cert),
            client_key: path(&self.client_key),
            agent: self.http_agent.clone(),
            decompress: self.decompress,
            unredirected: self.unredirected_headers.clone(),
            timeout: u64::try_from(timeout)
                .ok()
                .filter(|t| *t > 0)
                .map(Duration::from_secs),
            ..Settings::new(machine)
        })
    }
}
