//! What the file of a repository can say of it.

use super::ini::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The options that become entries of the repository's section, each under its own name.
#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Settings {
    /// Whether packages are downloaded side by side.
    r#async: Option<bool>,
    /// Bytes a second that `throttle` is a part of.
    bandwidth: Option<String>,
    /// Where the repository's `repodata` is; several URLs for mirrors.
    pub baseurl: Option<Vec<String>>,
    /// How costly the repository is, compared with others.
    cost: Option<String>,
    /// Whether mirrors may count this host.
    countme: Option<bool>,
    /// How large metadata of delta packages may be, in percent.
    deltarpm_metadata_percentage: Option<String>,
    /// How large a delta package may be, in percent of the whole one.
    deltarpm_percentage: Option<String>,
    /// Whether the repository is used.
    enabled: Option<bool>,
    /// Whether groups of packages of the repository are used.
    enablegroups: Option<bool>,
    /// Packages that are left out.
    #[schemars(extend("aliases" = ["excludepkgs"]))]
    exclude: Option<Vec<String>>,
    /// How one of several URLs is chosen.
    failovermethod: Option<Failover>,
    /// Where the certificate of the keys' authority is.
    gpgcakey: Option<String>,
    /// Whether signatures of packages are checked.
    gpgcheck: Option<bool>,
    /// Where the keys are.
    gpgkey: Option<Vec<String>>,
    /// What proxies may keep.
    http_caching: Option<Caching>,
    /// A further file of settings.
    include: Option<String>,
    /// Packages that alone are used.
    includepkgs: Option<Vec<String>>,
    /// Which addresses of a host are used.
    ip_resolve: Option<Resolve>,
    /// Whether connections are kept open.
    keepalive: Option<bool>,
    /// Whether downloaded packages are kept.
    keepcache: Option<Keep>,
    /// How long metadata is valid.
    metadata_expire: Option<String>,
    /// Which commands mind how old metadata is.
    metadata_expire_filter: Option<Filter>,
    /// Where a list of mirrors in the metalink format is.
    metalink: Option<String>,
    /// Where a list of mirrors is.
    mirrorlist: Option<String>,
    /// How long the list of mirrors is valid, in seconds.
    mirrorlist_expire: Option<String>,
    /// Whether packages are used that modules hide.
    module_hotfixes: Option<bool>,
    /// Password for the repository.
    #[schemars(extend("no_log" = true))]
    password: Option<String>,
    /// Which repository goes first: 1 before 99.
    priority: Option<String>,
    /// Whether packages of the repository are kept from updates by others.
    protect: Option<bool>,
    /// The proxy, or `_none_`.
    proxy: Option<String>,
    /// Password for the proxy.
    #[schemars(extend("no_log" = true))]
    proxy_password: Option<String>,
    /// User for the proxy.
    proxy_username: Option<String>,
    /// Whether the signature of the metadata is checked.
    repo_gpgcheck: Option<bool>,
    /// How often a download is tried.
    retries: Option<String>,
    /// Whether the repository is one of S3.
    s3_enabled: Option<bool>,
    /// Whether all goes on if the repository cannot be reached.
    skip_if_unavailable: Option<bool>,
    /// Whether permissions of certificates are checked.
    ssl_check_cert_permissions: Option<bool>,
    /// Certificates of authorities.
    #[schemars(extend("aliases" = ["ca_cert"]))]
    sslcacert: Option<String>,
    /// The client's certificate.
    #[schemars(extend("aliases" = ["client_cert"]))]
    sslclientcert: Option<String>,
    /// The client's key.
    #[schemars(extend("aliases" = ["client_key"]))]
    sslclientkey: Option<String>,
    /// Whether the server's certificate is checked.
    #[schemars(extend("aliases" = ["validate_certs"]))]
    sslverify: Option<bool>,
    /// How fast downloads may be.
    throttle: Option<String>,
    /// Seconds to wait for a connection.
    timeout: Option<String>,
    /// Variables that are shown with the repository's name.
    ui_repoid_vars: Option<String>,
    /// User for the repository.
    username: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Failover {
    Roundrobin,
    Priority,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Caching {
    All,
    Packages,
    None,
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Resolve {
    #[serde(rename = "4")]
    Four,
    #[serde(rename = "6")]
    Six,
    IPv4,
    IPv6,
    #[serde(rename = "whatever")]
    Whatever,
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Keep {
    #[serde(rename = "0")]
    No,
    #[serde(rename = "1")]
    Yes,
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Filter {
    #[serde(rename = "never")]
    Never,
    #[serde(rename = "read-only:past")]
    Past,
    #[serde(rename = "read-only:present")]
    Present,
    #[serde(rename = "read-only:future")]
    Future,
}

impl Settings {
    /// The entries that the options are.
    pub fn entries(&self) -> Section {
        let all = serde_json::to_value(self).unwrap_or_default();
        let mut section = Section::new();
        for (key, value) in all.as_object().into_iter().flatten() {
            let text = match value {
                serde_json::Value::Bool(yes) => i32::from(*yes).to_string(),
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Array(items) => {
                    let items: Vec<&str> = items.iter().filter_map(|i| i.as_str()).collect();
                    // URLs are one a line
                    items.join(match key.as_str() {
                        "baseurl" | "gpgkey" => "\n",
                        _ => " ",
                    })
                }
                _ => continue,
            };
            section.insert(key.clone(), text);
        }
        section
    }
}
