//! Network addresses: ansible.utils' `ipaddr` and its family.
//!
//! Follows <https://docs.ansible.com/ansible/latest/collections/ansible/utils/docsite/filters_ipaddr.html>.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::iterate;
use crate::template::python;
use crate::value::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Net {
    address: u128,
    prefix: u32,
    v6: bool,
}

impl Net {
    fn bits(self) -> u32 {
        if self.v6 { 128 } else { 32 }
    }

    /// `address`, `address/prefix`, `address/netmask`, or a number.
    fn parse(text: &str) -> Option<Net> {
        let (address, mask) = match text.split_once('/') {
            Some((a, m)) => (a, Some(m)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let (address, v6) = match address {
            IpAddr::V4(a) => (u128::from(u32::from(a)), false),
            IpAddr::V6(a) => (u128::from(a), true),
        };
        let bits = if v6 { 128 } else { 32 };
        let prefix = match mask {
            None => bits,
            Some(m) if !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit()) => m.parse().ok()?,
            Some(m) if !v6 => {
                let mask = u32::from(m.parse::<Ipv4Addr>().ok()?);
                // a hostmask is as good as a netmask
                let mask = if mask.leading_ones() == 0 && mask != 0 {
                    !mask
                } else {
                    mask
                };
                (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())?
            }
            Some(_) => return None,
        };
        (prefix <= bits).then_some(Net {
            address,
            prefix,
            v6,
        })
    }

    fn host_mask(self) -> u128 {
        let host = self.bits() - self.prefix;
        if host >= 128 {
            u128::MAX
        } else {
            (1 << host) - 1
        }
    }

    fn all(self) -> u128 {
        if self.v6 {
            u128::MAX
        } else {
            u128::from(u32::MAX)
        }
    }

    fn network(self) -> u128 {
        self.address & !self.host_mask()
    }

    fn last(self) -> u128 {
        self.network() | self.host_mask()
    }

    fn is_host(self) -> bool {
        self.prefix == self.bits()
    }

    /// The number of addresses; none for all of IPv6.
    fn size(self) -> Option<u128> {
        self.host_mask().checked_add(1)
    }

    fn show(self, address: u128) -> String {
        if self.v6 {
            Ipv6Addr::from(address).to_string()
        } else {
            Ipv4Addr::from(address as u32).to_string()
        }
    }

    fn contains(self, other: Net) -> bool {
        self.v6 == other.v6 && self.network() <= other.network() && other.last() <= self.last()
    }

    /// First and last address that a host can have.
    fn usable(self) -> (u128, u128) {
        if self.bits() - self.prefix <= 1 {
            (self.network(), self.last())
        } else if self.v6 {
            (self.network() + 1, self.last())
        } else {
            (self.network() + 1, self.last() - 1)
        }
    }

    fn within(self, blocks: &[&str]) -> bool {
        blocks
            .iter()
            .filter_map(|b| Net::parse(b))
            .any(|b| b.contains(self))
    }
}

/// Whether a text is an address or network, of that version if one is given.
pub fn is_address(text: &str, version: Option<u8>) -> bool {
    Net::parse(text).is_some_and(|n| version.is_none_or(|v| n.v6 == (v == 6)))
}

/// What a value says as an address: text or a number.
fn read(value: &Value, version: Option<u8>) -> Option<Net> {
    let net = match value {
        Value::Int(i) => {
            let number = u128::try_from(*i).ok()?;
            let v6 = version == Some(6) || number > u128::from(u32::MAX);
            Net {
                address: number,
                prefix: if v6 { 128 } else { 32 },
                v6,
            }
        }
        Value::BigInt(digits) => Net {
            address: digits.parse().ok()?,
            prefix: 128,
            v6: true,
        },
        other => Net::parse(other.as_str()?)?,
    };
    Some(net)
}

/// `ipaddr(query)` of one value: what was asked for, or false.
fn ask(call: &Call, value: &Value, query: &Value, version: Option<u8>) -> Result<Value> {
    // what is no address is false; an address that the question does not fit is null
    const NO: Value = Value::Null;
    let Some(net) = read(value, version) else {
        return Ok(Value::Bool(false));
    };
    if let Some(wanted) = version
        && net.v6 != (wanted == 6)
    {
        return Ok(Value::Bool(false));
    }
    let given = python::str(value);
    let has_prefix = given.contains('/');
    let text = |s: String| Ok(Value::from(s));
    let when = |b: bool| Ok(if b { Value::str(&given) } else { NO });
    let cidr = |a: u128| format!("{}/{}", net.show(a), net.prefix);
    let (first, last) = net.usable();
    let name = match query {
        Value::Int(i) => {
            // the address of that index, counted from the end if negative
            let base = if *i < 0 {
                net.last() + 1
            } else {
                net.network()
            };
            let at = base.checked_add_signed(i128::from(*i));
            return match at.filter(|a| (net.network()..=net.last()).contains(a)) {
                Some(a) => text(cidr(a)),
                None => Ok(Value::Bool(false)),
            };
        }
        other => python::str(other),
    };
    match name.as_str() {
        "" => text(if has_prefix {
            cidr(net.address)
        } else {
            net.show(net.address)
        }),
        "address" | "ip" => {
            if net.is_host() || net.address != net.network() || net.bits() - net.prefix <= 1 {
                text(net.show(net.address))
            } else {
                Ok(NO)
            }
        }
        "address/prefix" | "ip/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet"
        | "router" => {
            if net.bits() - net.prefix > 1 && net.address == net.network() {
                Ok(if name == "ip/prefix" {
                    NO
                } else {
                    Value::Bool(false)
                })
            } else {
                text(cidr(net.address))
            }
        }
        "host" => {
            if net.address != net.network() || net.bits() - net.prefix <= 1 {
                text(cidr(net.address))
            } else {
                Ok(NO)
            }
        }
        "network" | "network_id" => text(net.show(net.network())),
        "net" => {
            if !net.is_host() && net.address == net.network() {
                text(cidr(net.network()))
            } else {
                Ok(NO)
            }
        }
        "subnet" => text(cidr(net.network())),
        "network/prefix" => text(cidr(net.network())),
        "netmask" => text(net.show(!net.host_mask() & net.all())),
        "hostmask" | "wildcard" => text(net.show(net.host_mask())),
        "network_netmask" | "network_wildcard" | "ip_netmask" | "ip_wildcard" => {
            let address = if name.starts_with("network") {
                net.network()
            } else {
                net.address
            };
            let mask = if name.ends_with("netmask") {
                !net.host_mask() & net.all()
            } else {
                net.host_mask()
            };
            text(format!("{} {}", net.show(address), net.show(mask)))
        }
        "prefix" => Ok(Value::Int(i64::from(net.prefix))),
        "broadcast" => {
            if !net.v6 && net.bits() - net.prefix > 1 {
                text(net.show(net.last()))
            } else {
                Ok(NO)
            }
        }
        "size" => Ok(match net.size() {
            Some(n) => big(n),
            None => Value::BigInt("340282366920938463463374607431768211456".into()),
        }),
        "size_usable" => {
            let (size, host) = (net.size(), net.bits() - net.prefix);
            Ok(match (host, size) {
                (0, _) => Value::Int(0),
                (1, _) => Value::Int(2),
                (_, Some(n)) => big(n - if net.v6 { 1 } else { 2 }),
                (_, None) => big(u128::MAX),
            })
        }
        "first_usable" => usable(net, first),
        "last_usable" => usable(net, last),
        "range_usable" => match net.is_host() {
            true => Ok(NO),
            false => text(format!("{}-{}", net.show(first), net.show(last))),
        },
        "next_usable" | "previous_usable" => {
            let next = if name.starts_with("next") {
                net.address.checked_add(1)
            } else {
                net.address.checked_sub(1)
            };
            match next.filter(|a| !net.is_host() && (first..=last).contains(a)) {
                Some(a) => text(net.show(a)),
                None => Ok(NO),
            }
        }
        "peer" => {
            let peer = match net.bits() - net.prefix {
                1 => Some(net.address ^ 1),
                2 if net.address & 3 == 1 || net.address & 3 == 2 => Some(net.address ^ 3),
                _ => None,
            };
            match peer {
                Some(a) => text(net.show(a)),
                None => Err(call.error("Not a point-to-point network")),
            }
        }
        "version" => Ok(Value::Int(if net.v6 { 6 } else { 4 })),
        "type" => text(
            if net.is_host() || net.address != net.network() {
                "address"
            } else {
                "network"
            }
            .into(),
        ),
        "bool" => Ok(Value::Bool(true)),
        "int" => {
            if net.is_host() {
                Ok(big(net.address))
            } else {
                text(format!("{}/{}", net.address, net.prefix))
            }
        }
        "cidr" => text(cidr(net.address)),
        "ipv4" | "4" | "v4" => when(!net.v6),
        "ipv6" | "6" | "v6" => when(net.v6),
        "wrap" => text(wrapped(net, has_prefix)),
        "revdns" => text(reverse_name(net)),
        "private" => when(net.within(PRIVATE)),
        "public" => when(!net.within(PRIVATE) && !net.within(SPECIAL)),
        "loopback" | "lo" => when(net.within(&["127.0.0.0/8", "::1/128"])),
        "multicast" => when(net.within(MULTICAST)),
        "unicast" => when(!net.within(MULTICAST)),
        "link-local" | "lladdr" | "link" => when(net.within(&["169.254.0.0/16", "fe80::/10"])),
        _ => match Net::parse(&name) {
            // a network to be in
            Some(block) if name.contains('/') || block.is_host() => when(block.contains(net)),
            _ => match name.parse::<i64>() {
                Ok(i) => ask(call, value, &Value::Int(i), version),
                Err(_) => Err(call.error(format!("unknown filter type: {name}")).hint(
                    "see the queries of ansible.utils.ipaddr; this one may not be supported",
                )),
            },
        },
    }
}

fn usable(net: Net, address: u128) -> Result<Value> {
    Ok(if net.is_host() {
        Value::Bool(false)
    } else {
        Value::from(net.show(address))
    })
}

const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
const MULTICAST: &[&str] = &["224.0.0.0/4", "ff00::/8"];
/// Neither private nor public.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "fe80::/10",
    "ff00::/8",
];

fn big(number: u128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::BigInt(number.to_string().into()), Value::Int)
}

fn wrapped(net: Net, has_prefix: bool) -> String {
    let address = net.show(net.address);
    let address = if net.v6 {
        format!("[{address}]")
    } else {
        address
    };
    if has_prefix {
        format!("{address}/{}", net.prefix)
    } else {
        address
    }
}

fn reverse_name(net: Net) -> String {
    if net.v6 {
        let digits: Vec<String> = (0..32)
            .map(|i| format!("{:x}", net.address >> (4 * i) & 0xf))
            .collect();
        return format!("{}.ip6.arpa.", digits.join("."));
    }
    let [a, b, c, d] = (net.address as u32).to_be_bytes();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
}

/// A filter over one value or, where it is a list, over those of its items that fit.
fn family(mut call: Call, version: Option<u8>) -> Result<Value> {
    let args = call.bind(&["query", "version", "alias"])?;
    let query = args.get("query").cloned().unwrap_or_else(|| "".into());
    let version = match args.given("version") {
        Some(v) => v.as_i64().and_then(|v| u8::try_from(v).ok()),
        None => version,
    };
    match &call.value {
        Value::List(items) => {
            let mut out = Vec::new();
            for item in items.iter() {
                let found = ask(&call, item, &query, version)?;
                if found != Value::Bool(false) && !found.is_null() {
                    out.push(found);
                }
            }
            Ok(Value::list(out))
        }
        one => ask(&call, one, &query, version),
    }
}

fn ipaddr(call: Call) -> Result<Value> {
    family(call, None)
}
fn ipv4(call: Call) -> Result<Value> {
    family(call, Some(4))
}
fn ipv6(call: Call) -> Result<Value> {
    family(call, Some(6))
}

/// IPv6 addresses in brackets; anything else as it is.
fn ipwrap(mut call: Call) -> Result<Value> {
    let args = call.bind(&["query"])?;
    let _ = args;
    let wrap = |value: &Value| match read(value, None) {
        Some(net) if value.as_str().is_some() => {
            Value::from(wrapped(net, python::str(value).contains('/')))
        }
        _ => value.clone(),
    };
    Ok(match &call.value {
        Value::List(items) => Value::list(items.iter().map(wrap).collect()),
        one => wrap(one),
    })
}

/// An address some steps further on.
fn ipmath(mut call: Call) -> Result<Value> {
    let args = call.bind(&["amount"])?;
    let amount = match args.need("amount")? {
        Value::Int(i) => *i,
        other => {
            return Err(error(format!(
                "You must pass an integer for arithmetic; {} is not a valid integer",
                python::str(other)
            )));
        }
    };
    let text = call.text();
    let Some(net) = Net::parse(&text) else {
        return Err(error(format!(
            "You must pass a valid IP address; {text} is invalid"
        )));
    };
    match net.address.checked_add_signed(i128::from(amount)) {
        Some(a) if a <= net.all() => Ok(Value::from(net.show(a))),
        _ => Err(error(format!("{text} has no address at {amount}"))),
    }
}

/// `ipsubnet(size)`: how many networks of that size there are; `ipsubnet(size, i)`: that one.
fn ipsubnet(mut call: Call) -> Result<Value> {
    let args = call.bind(&["query", "index"])?;
    let text = call.text();
    let Some(net) = Net::parse(&text) else {
        return Ok(Value::Bool(false));
    };
    let query = args.text("query", "");
    if query.is_empty() {
        return Ok(Value::from(format!(
            "{}/{}",
            net.show(net.network()),
            net.prefix
        )));
    }
    let index = match args.given("index") {
        None => None,
        Some(v) => Some(
            v.as_i64()
                .or_else(|| python::str(v).parse().ok())
                .ok_or_else(|| error(format!("{} is not a valid index", python::str(v))))?,
        ),
    };
    let block = |address: u128, prefix: u32| Value::from(format!("{}/{prefix}", net.show(address)));
    if let Ok(prefix) = query.parse::<u32>() {
        if prefix > net.bits() {
            return Ok(Value::Bool(false));
        }
        if net.is_host()
            || net.address != net.network() && text.contains('/') && prefix <= net.prefix
        {
            // an address: the network of that size around it
            let around = Net { prefix, ..net };
            return Ok(match index {
                None | Some(0) => block(around.network(), prefix),
                Some(_) => Value::Bool(false),
            });
        }
        if prefix < net.prefix {
            return Ok(Value::Bool(false));
        }
        let count = 1u128.checked_shl(prefix - net.prefix).unwrap_or(u128::MAX);
        let Some(index) = index else {
            return Ok(Value::from(count.to_string()));
        };
        let at = if index < 0 {
            count.checked_add_signed(i128::from(index))
        } else {
            Some(index as u128)
        };
        return Ok(match at.filter(|i| *i < count) {
            Some(i) => block(
                net.network() + i.checked_shl(net.bits() - prefix).unwrap_or(0),
                prefix,
            ),
            None => Value::Bool(false),
        });
    }
    // the rank of an address's network among those of that size
    let Some(outer) = Net::parse(&query) else {
        return Err(error(format!(
            "You must pass a valid subnet or IP address; {query} is invalid"
        )));
    };
    if !outer.contains(net) {
        return Err(error(format!(
            "{} is not in the subnet {query}",
            net.show(net.address)
        )));
    }
    let shift = net.bits() - net.prefix;
    let rank = (net.network() - outer.network())
        .checked_shr(shift)
        .unwrap_or(0);
    Ok(Value::from((rank + 1).to_string()))
}

/// The nth address of a network.
fn nthhost(mut call: Call) -> Result<Value> {
    let args = call.bind(&["query"])?;
    let index = args.int("query", 0)?;
    let Some(net) = Net::parse(&call.text()) else {
        return Ok(Value::Bool(false));
    };
    let base = if index < 0 {
        net.last() + 1
    } else {
        net.network()
    };
    let at = base.checked_add_signed(i128::from(index));
    Ok(
        match at.filter(|a| (net.network()..=net.last()).contains(a)) {
            Some(a) => Value::from(net.show(a)),
            None => Value::Bool(false),
        },
    )
}

/// Whether an address or network is inside of the value.
fn network_in_network(mut call: Call) -> Result<Value> {
    let args = call.bind(&["test"])?;
    let (outer, inner) = (Net::parse(&call.text()), Net::parse(&args.text("test", "")));
    Ok(Value::Bool(match (outer, inner) {
        (Some(outer), Some(inner)) => outer.contains(inner),
        _ => false,
    }))
}

/// Whether an address is one that a host of the value's network can have.
fn network_in_usable(mut call: Call) -> Result<Value> {
    let args = call.bind(&["test"])?;
    let (outer, inner) = (Net::parse(&call.text()), Net::parse(&args.text("test", "")));
    Ok(Value::Bool(match (outer, inner) {
        (Some(outer), Some(inner)) => {
            let (first, last) = outer.usable();
            outer.v6 == inner.v6 && first <= inner.network() && inner.last() <= last
        }
        _ => false,
    }))
}

/// Those of a list that are inside of a network.
fn reduce_on_network(mut call: Call) -> Result<Value> {
    let args = call.bind(&["network"])?;
    let outer = Net::parse(&args.text("network", ""));
    let inside = |v: &Value| match (outer, read(v, None)) {
        (Some(outer), Some(inner)) => outer.contains(inner),
        _ => false,
    };
    Ok(Value::list(
        iterate(&call.value)?.into_iter().filter(inside).collect(),
    ))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("ipaddr", ipaddr),
    ("ipmath", ipmath),
    ("ipsubnet", ipsubnet),
    ("ipv4", ipv4),
    ("ipv6", ipv6),
    ("ipwrap", ipwrap),
    ("network_in_network", network_in_network),
    ("network_in_usable", network_in_usable),
    ("nthhost", nthhost),
    ("reduce_on_network", reduce_on_network),
];
