//! The networks that a container is in.

use super::super::Failure;
use super::super::common::docker::{Options, failure};
use super::compare::{Mode, Modes};
use crate::machine::docker::Docker;
use serde_json::{Map, Value as Json, json};

/// A network of the option `networks`, with its number.
pub struct Wanted {
    options: Options,
    id: String,
}

/// A network that is not as it should be.
pub struct Difference {
    pub wanted: Json,
    /// Null if the container is not in it.
    pub there: Json,
    endpoint: Json,
    id: String,
}

impl Difference {
    pub fn name(&self) -> &str {
        self.wanted["name"].as_str().unwrap_or_default()
    }
    pub fn id(&self) -> &str {
        &self.id
    }
    /// What the Engine is told to connect a container.
    pub fn connection(&self, container: &str) -> Json {
        json!({"Container": container, "EndpointConfig": self.endpoint})
    }
}

/// The networks of the option, which must be there.
pub fn wanted(options: &Options, docker: &Docker) -> Result<Vec<Wanted>, Failure> {
    let mut out = Vec::new();
    for network in options.maps("networks").unwrap_or_default() {
        let name = network.text("name").unwrap_or_default();
        let id = match find(docker, name)? {
            Some(found) => found["Id"].as_str().unwrap_or_default().to_string(),
            None => {
                return Err(Failure::new(format!(
                    "Parameter error: network named {name} could not be found. Does it exist?"
                )));
            }
        };
        out.push(Wanted {
            options: network,
            id,
        });
    }
    Ok(out)
}

fn find(docker: &Docker, name: &str) -> Result<Option<Json>, Failure> {
    let path = format!("/networks/{name}");
    docker
        .get(&path, &[])
        .map_err(failure(&format!("Error getting network {name}")))
}

/// The address at which the networks' ports are published unless the user says so.
pub fn address(options: &Options, docker: &Docker) -> Result<String, Failure> {
    if let Some(address) = options.text("default_host_ip") {
        return Ok(address.to_string());
    }
    if options.list("published_ports").is_none_or(|p| p.is_empty()) {
        return Ok(String::new());
    }
    for network in options.maps("networks").unwrap_or_default() {
        let found = find(docker, network.text("name").unwrap_or_default())?;
        let found = found.unwrap_or_default();
        let bound = &found["Options"]["com.docker.network.bridge.host_binding_ipv4"];
        if let (Some("bridge"), Some(address)) = (found["Driver"].as_str(), bound.as_str()) {
            return Ok(address.to_string());
        }
    }
    Ok("0.0.0.0".to_string())
}

const PARAMETERS: &[&str] = &[
    "ipv4_address",
    "ipv6_address",
    "aliases",
    "links",
    "mac_address",
];

/// A network's options, those without a value too.
fn parameters(network: &Options) -> Map<String, Json> {
    let value = |name: &&str| (name.to_string(), network.json(name).unwrap_or(Json::Null));
    PARAMETERS.iter().map(value).collect()
}

/// A network's options in the Engine's terms.
fn endpoint(network: &Options) -> Json {
    let mut out = Map::new();
    if let Some(aliases) = network.json("aliases") {
        out.insert("Aliases".into(), aliases);
    }
    if let Some(links) = network.list("links") {
        let links = links.iter().map(|link| match link.contains(':') {
            true => json!(link),
            false => json!(format!("{link}:{link}")),
        });
        out.insert("Links".into(), links.collect());
    }
    let mut addresses = Map::new();
    for (option, key) in [
        ("ipv4_address", "IPv4Address"),
        ("ipv6_address", "IPv6Address"),
    ] {
        if let Some(address) = network.json(option) {
            addresses.insert(key.into(), address);
        }
    }
    if !addresses.is_empty() {
        out.insert("IPAMConfig".into(), Json::Object(addresses));
    }
    if let Some(address) = network.json("mac_address") {
        out.insert("MacAddress".into(), address);
    }
    Json::Object(out)
}

/// The networks that a container is made in, for the Engine and as the result tells it.
pub fn at_creation(options: &Options, docker: &Docker) -> (Json, Json) {
    let (mut sent, mut shown) = (Map::new(), Map::new());
    let all = options.maps("networks").unwrap_or_default();
    // older Engines take one
    let many = if docker.version() >= (1, 44) {
        all.len()
    } else {
        1
    };
    if options.is("networks_cli_compatible") {
        for network in all.iter().take(many) {
            let name = network.text("name").unwrap_or_default().to_string();
            sent.insert(name.clone(), endpoint(network));
            shown.insert(name, Json::Object(parameters(network)));
        }
    }
    (json!({"EndpointsConfig": sent}), Json::Object(shown))
}

/// The networks that are missing or are not as they should be.
pub fn differences(wanted: &[Wanted], container: &Json) -> Vec<Difference> {
    let mut out = Vec::new();
    for network in wanted {
        let options = &network.options;
        let name = options.text("name").unwrap_or_default();
        let there = &container["NetworkSettings"]["Networks"][name];
        if !there.is_null() && fits(options, there) {
            continue;
        }
        let mut shown = Map::from_iter([("name".to_string(), json!(name))]);
        shown.extend(parameters(options));
        shown.insert("id".into(), json!(network.id));
        out.push(Difference {
            wanted: Json::Object(shown),
            there: match there.is_null() {
                true => Json::Null,
                false => json!({
                    "name": name,
                    "ipv4_address": there["IPAMConfig"]["IPv4Address"],
                    "ipv6_address": there["IPAMConfig"]["IPv6Address"],
                    "aliases": there["Aliases"],
                    "links": there["Links"],
                    "mac_address": there["MacAddress"],
                }),
            },
            endpoint: endpoint(options),
            id: network.id.clone(),
        });
    }
    out
}

fn fits(network: &Options, there: &Json) -> bool {
    let address = |option: &str, key: &str| {
        network.text(option).is_none_or(|wanted| {
            let has = there["IPAMConfig"][key].as_str().unwrap_or_default();
            let same = wanted.parse::<std::net::IpAddr>().ok() == has.parse().ok();
            wanted == has || (same && !has.is_empty())
        })
    };
    let all = |option: &str, key: &str| {
        let sent = endpoint(network);
        let has = there[key].as_array().cloned().unwrap_or_default();
        network.get(option).is_none()
            || sent[key]
                .as_array()
                .into_iter()
                .flatten()
                .all(|x| has.contains(x))
    };
    address("ipv4_address", "IPv4Address")
        && address("ipv6_address", "IPv6Address")
        && all("aliases", "Aliases")
        && all("links", "Links")
        && network
            .text("mac_address")
            .is_none_or(|a| there["MacAddress"].as_str() == Some(a))
}

/// The networks that a container is in and should not be: name and number.
pub fn extra(options: &Options, modes: &Modes, container: &Json) -> Vec<Json> {
    let given = options.maps("networks");
    let strict = match given {
        Some(_) => modes.of("networks", super::compare::Kind::Dicts) == Mode::Strict,
        None => modes.said("networks") == Some(Mode::Strict),
    };
    if !strict {
        return Vec::new();
    }
    let given = given.unwrap_or_default();
    let named = |name: &str| given.iter().any(|n| n.text("name") == Some(name));
    let there = container["NetworkSettings"]["Networks"].as_object();
    there
        .into_iter()
        .flatten()
        .filter(|(name, _)| !named(name))
        .map(|(name, network)| json!({"name": name, "id": network["NetworkID"]}))
        .collect()
}
