//! Interfaces, their addresses, and the default routes.

use super::netlink::{self, Address};
use super::{Facts, dict};
use crate::machine::Command;
use crate::value::{Map, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// Holds an interface's number while it is not told yet.
const INDEX: &str = "";

pub fn gather(facts: &mut Facts<'_>) {
    let addresses = netlink::addresses();
    let names: Vec<String> = facts
        .machine
        .list(Path::new("/sys/class/net"))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|n| n.into_string().ok())
        .filter(|n| facts.exists(&format!("/sys/class/net/{n}/address")))
        .collect();
    let ethtool = facts.program("ethtool");
    let mut interfaces: Vec<(String, Map)> = names
        .iter()
        .map(|name| {
            (
                name.clone(),
                interface(facts, name, &addresses, ethtool.as_deref()),
            )
        })
        .collect();
    let text = |ip: &Address| Value::from(ip.ip.to_string());
    let v4: Vec<Value> = addresses
        .iter()
        .filter(|a| a.ip.is_ipv4() && !a.ip.is_loopback())
        .map(text)
        .collect();
    let v6: Vec<Value> = addresses
        .iter()
        .filter(|a| a.ip.is_ipv6() && !a.ip.is_loopback())
        .map(text)
        .collect();
    let four = default_v4(&interfaces, &addresses);
    let six = default_v6(&interfaces, &addresses);
    facts.set("locally_reachable_ips", reachable());
    facts.set(
        "interfaces",
        Value::list(names.iter().map(Value::str).collect()),
    );
    facts.set("all_ipv4_addresses", v4);
    facts.set("all_ipv6_addresses", v6);
    facts.set("default_ipv4", four);
    facts.set("default_ipv6", six);
    for (name, mut entry) in interfaces.drain(..) {
        entry.shift_remove(INDEX);
        facts.set(&name.replace(['-', '.', ':'], "_"), entry);
    }
}

fn interface(facts: &Facts<'_>, name: &str, addresses: &[Address], ethtool: Option<&str>) -> Map {
    let sys = |file: &str| facts.file(&format!("/sys/class/net/{name}/{file}"));
    let number = |file: &str| sys(file).and_then(|t| t.parse::<i64>().ok());
    let flags = sys("flags")
        .and_then(|f| i64::from_str_radix(f.trim_start_matches("0x"), 16).ok())
        .unwrap_or(0);
    let kind = match number("type") {
        Some(1) => "ether",
        Some(32) => "infiniband",
        Some(512) => "ppp",
        Some(772) => "loopback",
        Some(65534) => "tunnel",
        _ => "unknown",
    };
    let kind = match () {
        () if facts.exists(&format!("/sys/class/net/{name}/bridge")) => "bridge",
        () if facts.exists(&format!("/sys/class/net/{name}/bonding")) => "bonding",
        () => kind,
    };
    let mut out = crate::modules::args::map([
        ("device", name.into()),
        ("type", kind.into()),
        (
            "active",
            (sys("operstate").as_deref() != Some("down")).into(),
        ),
        ("promisc", (flags & 0x100 != 0).into()),
    ]);
    if let Some(mtu) = number("mtu") {
        out.insert("mtu".into(), mtu.into());
    }
    if let Some(mac) = sys("address").filter(|m| !m.is_empty() && m != "00:00:00:00:00:00") {
        out.insert("macaddress".into(), mac.into());
    }
    if let Some(speed) = number("speed") {
        out.insert("speed".into(), speed.into());
    }
    if let Ok(device) = facts
        .machine
        .read_link(Path::new(&format!("/sys/class/net/{name}/device")))
        && let Some(id) = device.file_name()
    {
        out.insert("pciid".into(), id.to_string_lossy().as_ref().into());
    }
    if let Ok(module) = facts.machine.read_link(Path::new(&format!(
        "/sys/class/net/{name}/device/driver/module"
    ))) && let Some(id) = module.file_name()
    {
        out.insert("module".into(), id.to_string_lossy().as_ref().into());
    }
    match kind {
        "bridge" => bridge(facts, name, &mut out),
        "bonding" => bond(facts, name, &mut out),
        _ => {}
    }
    if let Some(ethtool) = ethtool {
        offloads(facts, ethtool, name, &mut out);
    }
    let index = number("ifindex").unwrap_or(-1);
    out.insert(INDEX.into(), index.into());
    let own = || addresses.iter().filter(|a| i64::from(a.index) == index);
    let mut secondary = Vec::new();
    for address in own() {
        let IpAddr::V4(ip) = address.ip else { continue };
        let entry = ipv4(ip, address);
        match out.contains_key("ipv4") {
            false => {
                out.insert("ipv4".into(), entry);
            }
            true => secondary.push(entry),
        }
    }
    if !secondary.is_empty() {
        out.insert("ipv4_secondaries".into(), secondary.into());
    }
    let v6: Vec<Value> = own()
        .filter(|a| a.ip.is_ipv6())
        .map(|a| {
            dict([
                ("address", a.ip.to_string().into()),
                ("prefix", a.prefix.to_string().into()),
                ("scope", a.scope.into()),
            ])
        })
        .collect();
    if !v6.is_empty() {
        out.insert("ipv6".into(), v6.into());
    }
    out
}

/// Names in a folder below the interface's, sorted.
fn folder(facts: &Facts<'_>, path: String) -> Vec<Value> {
    let names = facts.machine.list(Path::new(&path)).unwrap_or_default();
    let mut names: Vec<String> = names
        .into_iter()
        .map(|n| n.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.into_iter().map(Value::from).collect()
}

fn bridge(facts: &Facts<'_>, name: &str, out: &mut Map) {
    let dir = format!("/sys/class/net/{name}");
    out.insert(
        "interfaces".into(),
        folder(facts, format!("{dir}/brif")).into(),
    );
    if let Some(id) = facts.file(&format!("{dir}/bridge/bridge_id")) {
        out.insert("id".into(), id.into());
    }
    if let Some(stp) = facts.file(&format!("{dir}/bridge/stp_state")) {
        out.insert("stp".into(), (stp == "1").into());
    }
}

fn bond(facts: &Facts<'_>, name: &str, out: &mut Map) {
    let option = |file: &str| facts.file(&format!("/sys/class/net/{name}/bonding/{file}"));
    let slaves = option("slaves").unwrap_or_default();
    let slaves: Vec<Value> = slaves.split_whitespace().map(Value::str).collect();
    out.insert("slaves".into(), slaves.into());
    // some are a name and a number, of which the name is wanted
    for (key, file) in [("mode", "mode"), ("lacp_rate", "lacp_rate")] {
        let text = option(file).unwrap_or_default();
        let first = text.split_whitespace().next().unwrap_or_default();
        out.insert(key.into(), first.into());
    }
    out.insert("miimon".into(), option("miimon").unwrap_or_default().into());
    if let Some(primary) = option("primary") {
        out.insert("primary".into(), primary.as_str().into());
        let all = option("all_slaves_active").is_some_and(|v| v == "1");
        out.insert("all_slaves_active".into(), all.into());
        if let Some(active) = option("active_slave") {
            out.insert("active_slave".into(), active.into());
        }
    }
}

/// What the interface can do by itself, if there is a program to ask.
fn offloads(facts: &Facts<'_>, ethtool: &str, name: &str, out: &mut Map) {
    let ask = |option: &str| {
        let output = facts
            .machine
            .probe(&Command::new([ethtool, option, name]))
            .ok()?;
        (output.rc == 0).then(|| output.stdout_text())
    };
    let mut features = Map::default();
    for line in ask("-k").unwrap_or_default().lines() {
        if line.is_empty() || line.ends_with(':') {
            continue;
        }
        if let Some((key, value)) = line.split_once(": ") {
            let key = key.trim().replace('-', "_");
            features.insert(key.as_str().into(), value.trim().into());
        }
    }
    out.insert("features".into(), features.into());
    let stamps = ask("-T").unwrap_or_default();
    let words = |start: &str, stop: &str| -> Vec<Value> {
        let Some((_, rest)) = stamps.split_once(start) else {
            return Vec::new();
        };
        let part = rest.split_once(stop).map_or(rest, |(part, _)| part);
        part.lines()
            .filter_map(|l| l.split_whitespace().next())
            .map(|word| {
                let word = word.trim_start_matches("SOF_TIMESTAMPING_");
                Value::from(word.to_lowercase())
            })
            .collect()
    };
    let capabilities = words("Capabilities:", "PTP Hardware Clock:");
    out.insert("timestamping".into(), capabilities.into());
    let filters = words("Hardware Receive Filter Modes:", "\u{0}");
    let filters: Vec<Value> = filters
        .iter()
        .filter_map(Value::as_str)
        .map(|f| Value::str(f.trim_start_matches("hwtstamp_filter_")))
        .collect();
    out.insert("hw_timestamp_filters".into(), filters.into());
    let clock = stamps
        .split_once("PTP Hardware Clock: ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<i64>().ok());
    if let Some(clock) = clock {
        out.insert("phc_index".into(), clock.into());
    }
}

fn ipv4(ip: Ipv4Addr, address: &Address) -> Value {
    let mask = mask(address.prefix);
    let network = Ipv4Addr::from(u32::from(ip) & u32::from(mask));
    dict([
        ("address", ip.to_string().into()),
        (
            "broadcast",
            address
                .broadcast
                .map_or(String::new(), |b| b.to_string())
                .into(),
        ),
        ("netmask", mask.to_string().into()),
        ("network", network.to_string().into()),
        ("prefix", address.prefix.to_string().into()),
    ])
}

fn mask(prefix: u8) -> Ipv4Addr {
    let bits = u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0);
    Ipv4Addr::from(bits)
}

/// The address and the interface that lead to the world, by the way to a well-known address there. No
/// packet is sent.
fn default_v4(interfaces: &[(String, Map)], addresses: &[Address]) -> Map {
    let Some(route) = netlink::route_to(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))) else {
        return Map::default();
    };
    let Some((mut out, source)) = default_of(interfaces, &route) else {
        return Map::default();
    };
    let own = addresses.iter().find(|a| a.ip == source);
    if let (Some(address), IpAddr::V4(ip)) = (own, source) {
        if let Value::Map(entry) = ipv4(ip, address) {
            out.extend(entry.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        if let Some(label) = &address.label {
            out.insert("alias".into(), label.as_str().into());
        }
    }
    out
}

fn default_v6(interfaces: &[(String, Map)], addresses: &[Address]) -> Map {
    let world = Ipv6Addr::new(0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012);
    let Some(route) = netlink::route_to(IpAddr::V6(world)) else {
        return Map::default();
    };
    let Some((mut out, source)) = default_of(interfaces, &route) else {
        return Map::default();
    };
    if let Some(address) = addresses.iter().find(|a| a.ip == source) {
        out.insert("prefix".into(), address.prefix.to_string().into());
        out.insert("scope".into(), address.scope.into());
    }
    out
}

/// What both kinds of default entries have, and the source address.
fn default_of(interfaces: &[(String, Map)], route: &netlink::Route) -> Option<(Map, IpAddr)> {
    let source = route.source?;
    let index = Value::Int(route.index.into());
    let (name, interface) = interfaces
        .iter()
        .find(|(_, i)| i.get(INDEX) == Some(&index))?;
    let mut out = Map::default();
    out.insert("interface".into(), name.as_str().into());
    out.insert("address".into(), source.to_string().into());
    if let Some(gateway) = route.gateway {
        out.insert("gateway".into(), gateway.to_string().into());
    }
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = interface.get(key) {
            out.insert(key.into(), value.clone());
        }
    }
    Some((out, source))
}

/// Everything that the host answers to itself, networks too.
fn reachable() -> Value {
    let (mut four, mut six): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for (ip, prefix) in netlink::local_routes() {
        let (list, whole) = match ip {
            IpAddr::V4(_) => (&mut four, 32),
            IpAddr::V6(_) => (&mut six, 128),
        };
        let text = match prefix == whole {
            true => ip.to_string(),
            false => format!("{ip}/{prefix}"),
        };
        if !list.contains(&Value::from(text.as_str())) {
            list.push(text.into());
        }
    }
    dict([("ipv4", four.into()), ("ipv6", six.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_from_prefixes() {
        for (prefix, expected) in [
            (0, "0.0.0.0"),
            (8, "255.0.0.0"),
            (24, "255.255.255.0"),
            (32, "255.255.255.255"),
        ] {
            assert_eq!(mask(prefix).to_string(), expected);
        }
    }

    #[test]
    fn the_loopback_interface_is_known() {
        let addresses = netlink::addresses();
        assert!(
            addresses
                .iter()
                .any(|a| a.ip == IpAddr::from([127, 0, 0, 1]))
        );
    }
}
