//! Interfaces, their addresses, and the default routes.

use super::netlink::{self, Address};
use super::{Facts, dict};
use crate::value::{Map, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

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
    let mut interfaces: Vec<(String, Map)> = names
        .iter()
        .map(|name| (name.clone(), interface(facts, name, &addresses)))
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
    let four = default_v4(facts, &interfaces, &addresses);
    let six = default_v6(facts, &interfaces);
    facts.set(
        "interfaces",
        Value::list(names.iter().map(Value::str).collect()),
    );
    facts.set("all_ipv4_addresses", v4);
    facts.set("all_ipv6_addresses", v6);
    facts.set("default_ipv4", four);
    facts.set("default_ipv6", six);
    for (name, entry) in interfaces.drain(..) {
        facts.set(&name.replace(['-', '.', ':'], "_"), entry);
    }
}

fn interface(facts: &Facts<'_>, name: &str, addresses: &[Address]) -> Map {
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
        ("active", (flags & 1 != 0).into()),
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
    let index = number("ifindex").unwrap_or(-1);
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

/// What an interface has that the default entries repeat.
fn link_of(interfaces: &[(String, Map)], name: &str) -> Map {
    let Some((_, interface)) = interfaces.iter().find(|(n, _)| n == name) else {
        return Map::default();
    };
    let kept = ["macaddress", "mtu", "type"];
    kept.iter()
        .filter_map(|k| Some(((*k).into(), interface.get(*k)?.clone())))
        .collect()
}

fn default_v4(facts: &Facts<'_>, interfaces: &[(String, Map)], addresses: &[Address]) -> Map {
    let table = facts.file("/proc/net/route").unwrap_or_default();
    let mut best: Option<(u32, String, Ipv4Addr)> = None;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [
            name,
            "00000000",
            gateway,
            flags,
            _,
            _,
            metric,
            "00000000",
            ..,
        ] = fields[..]
        else {
            continue;
        };
        let up = u32::from_str_radix(flags, 16).is_ok_and(|f| f & 1 != 0);
        let (Ok(gateway), Ok(metric)) = (u32::from_str_radix(gateway, 16), metric.parse()) else {
            continue;
        };
        if up && best.as_ref().is_none_or(|(m, _, _)| metric < *m) {
            best = Some((
                metric,
                name.to_string(),
                Ipv4Addr::from(gateway.to_ne_bytes()),
            ));
        }
    }
    let Some((_, name, gateway)) = best else {
        return Map::default();
    };
    let mut out = link_of(interfaces, &name);
    out.insert("interface".into(), name.as_str().into());
    out.insert("gateway".into(), gateway.to_string().into());
    let entry = interfaces
        .iter()
        .find(|(n, _)| *n == name)
        .and_then(|(_, i)| i.get("ipv4"));
    if let Some(Value::Map(entry)) = entry {
        out.extend(entry.iter().map(|(k, v)| (k.clone(), v.clone())));
        let ip = entry
            .get("address")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let label = addresses
            .iter()
            .find(|a| a.ip.to_string() == ip)
            .and_then(|a| a.label.clone())
            .unwrap_or(name);
        out.insert("alias".into(), label.into());
    }
    out
}

fn default_v6(facts: &Facts<'_>, interfaces: &[(String, Map)]) -> Map {
    let table = facts.file("/proc/net/ipv6_route").unwrap_or_default();
    let mut best: Option<(u32, String, Ipv6Addr)> = None;
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [to, "00", _, _, gateway, metric, _, _, _, name] = fields[..] else {
            continue;
        };
        let (Ok(gateway), Ok(metric)) = (
            u128::from_str_radix(gateway, 16),
            u32::from_str_radix(metric, 16),
        ) else {
            continue;
        };
        let usable = to.chars().all(|c| c == '0') && name != "lo" && gateway != 0;
        if usable && best.as_ref().is_none_or(|(m, _, _)| metric < *m) {
            best = Some((metric, name.to_string(), Ipv6Addr::from(gateway)));
        }
    }
    let Some((_, name, gateway)) = best else {
        return Map::default();
    };
    let mut out = link_of(interfaces, &name);
    let all = interfaces
        .iter()
        .find(|(n, _)| *n == name)
        .and_then(|(_, i)| i.get("ipv6"));
    let list = all.and_then(Value::as_list).unwrap_or_default();
    let scope = |v: &&Value| v.get("scope").and_then(Value::as_str) == Some("global");
    if let Some(Value::Map(entry)) = list.iter().find(scope).or(list.first()) {
        out.extend(entry.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    out.insert("interface".into(), name.into());
    out.insert("gateway".into(), gateway.to_string().into());
    out
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
