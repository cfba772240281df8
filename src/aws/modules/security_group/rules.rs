//! The rules of a security group: as playbooks write them, and as a set that can be compared.

use super::{make, named};
use crate::aws::plan::{Plan, fail};
use crate::aws::types::{Tags, TextList};
use crate::modules::Failure;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A rule as a playbook writes it; it may stand for many.
#[derive(Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleArgs {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `all` (also `-1`).
    #[serde(default, alias = "protocol")]
    #[schemars(extend("aliases" = ["protocol"]))]
    proto: TextList,
    /// Ports and ranges of ports (`8000-8100`), instead of `from_port` and `to_port`.
    #[serde(default)]
    ports: TextList,
    /// The first port; for ICMP the type. -1 means all.
    #[serde(default)]
    from_port: TextList,
    /// The last port; for ICMP the code. -1 means all.
    #[serde(default)]
    to_port: TextList,
    /// The ICMP type.
    #[serde(default)]
    icmp_type: TextList,
    /// The ICMP code.
    #[serde(default)]
    icmp_code: TextList,
    /// IPv4 ranges.
    #[serde(default)]
    cidr_ip: TextList,
    /// IPv6 ranges.
    #[serde(default)]
    cidr_ipv6: TextList,
    /// Prefix lists.
    #[serde(default)]
    ip_prefix: TextList,
    /// Security groups by id; `owner/sg-id` for those of another account.
    #[serde(default)]
    group_id: TextList,
    /// Security groups by name, this one's included.
    #[serde(default)]
    group_name: TextList,
    /// Creates the group of `group_name` with this description if it does not exist.
    group_desc: Option<String>,
    /// What the rule is for.
    rule_desc: Option<String>,
}

/// Whom a rule lets through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Ipv4(String),
    Ipv6(String),
    /// A group's id, and its owner if that is another account.
    Group(String, Option<String>),
    PrefixList(String),
}

/// One protocol, one range of ports, one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    pub protocol: String,
    /// First and last port; none for protocols without ports, and for all.
    pub ports: Option<(i32, i32)>,
    pub peer: Peer,
    pub description: Option<String>,
}

impl Rule {
    /// Everything, to everywhere (IPv4).
    pub fn everything() -> Rule {
        Rule {
            protocol: "-1".into(),
            ports: None,
            peer: Peer::Ipv4("0.0.0.0/0".into()),
            description: None,
        }
    }

    /// Equal but for the description.
    pub fn is_same(&self, other: &Rule) -> bool {
        let peers = match (&self.peer, &other.peer) {
            // a playbook rarely names the owner
            (Peer::Group(a, x), Peer::Group(b, y)) => {
                a == b && (x == y || x.is_none() || y.is_none())
            }
            (a, b) => a == b,
        };
        peers && self.protocol == other.protocol && self.ports == other.ports
    }
}

/// The group that the rules are for.
pub struct Own<'a> {
    pub id: &'a str,
    pub name: Option<&'a str>,
    pub owner: Option<&'a str>,
    pub vpc_id: Option<&'a str>,
}

/// The rules that a playbook's rules stand for. Groups that they name are looked up, or created if the rule says so.
pub fn resolve(
    args: &[RuleArgs],
    own: &Own<'_>,
    plan: &mut Plan,
) -> Result<BTreeSet<Rule>, Failure> {
    let mut rules = BTreeSet::new();
    for arg in args {
        let protocol = arg.protocol()?;
        let mut peers = arg.ranges()?;
        for id in &arg.group_id.0 {
            peers.push(group_by_id(id, own));
        }
        for name in &arg.group_name.0 {
            peers.push(Peer::Group(group_by_name(name, arg, own, plan)?, None));
        }
        if peers.is_empty() {
            return fail(
                "A rule must say whom it is for: cidr_ip, cidr_ipv6, ip_prefix, group_id or group_name",
            );
        }
        for ports in arg.ports(&protocol)? {
            for peer in &peers {
                let rule = Rule {
                    protocol: protocol.clone(),
                    ports,
                    peer: peer.clone(),
                    description: arg.rule_desc.clone().filter(|d| !d.is_empty()),
                };
                // the same rule written twice is one
                if !rules.iter().any(|other: &Rule| other.is_same(&rule)) {
                    rules.insert(rule);
                }
            }
        }
    }
    Ok(rules)
}

/// `sg-1`, or `owner/sg-1`, or `owner/sg-1/name`.
fn group_by_id(text: &str, own: &Own<'_>) -> Peer {
    let mut parts = text.split('/');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(id) => Peer::Group(
            id.to_string(),
            Some(first.to_string()).filter(|owner| Some(owner.as_str()) != own.owner),
        ),
        None => Peer::Group(first.to_string(), None),
    }
}

fn group_by_name(
    name: &str,
    arg: &RuleArgs,
    own: &Own<'_>,
    plan: &mut Plan,
) -> Result<String, Failure> {
    if own.name == Some(name) {
        return Ok(own.id.to_string());
    }
    let mut found = named(plan, own.vpc_id, name)?;
    match found.len() {
        1 => Ok(found.remove(0).group_id.unwrap_or_default()),
        0 => match &arg.group_desc {
            Some(description) => {
                let made = make(plan, name, description, own.vpc_id, &Tags::default())?;
                Ok(made.group_id.unwrap_or_default())
            }
            None => fail(format!(
                "A rule names the security group {name}, which does not exist; with group_desc it would be created"
            )),
        },
        _ => fail(format!(
            "A rule names the security group {name}, and there are several: use group_id"
        )),
    }
}

impl RuleArgs {
    fn protocol(&self) -> Result<String, Failure> {
        let name = match &self.proto.0[..] {
            [] => "tcp".to_string(),
            [one] => one.to_lowercase(),
            _ => return fail("A rule has one proto"),
        };
        Ok(canonical_protocol(&name))
    }

    fn ranges(&self) -> Result<Vec<Peer>, Failure> {
        let mut peers = Vec::new();
        for range in &self.cidr_ip.0 {
            // playbooks put IPv6 ranges here too
            peers.push(if range.contains(':') {
                Peer::Ipv6(network6(range)?)
            } else {
                Peer::Ipv4(network4(range)?)
            });
        }
        for range in &self.cidr_ipv6.0 {
            peers.push(Peer::Ipv6(network6(range)?));
        }
        peers.extend(self.ip_prefix.0.iter().cloned().map(Peer::PrefixList));
        Ok(peers)
    }

    /// The ranges of ports; `None` among them means all.
    fn ports(&self, protocol: &str) -> Result<Vec<Option<(i32, i32)>>, Failure> {
        let number = |text: &str| -> Result<i32, Failure> {
            text.trim()
                .parse()
                .map_err(|_| Failure::new(format!("A rule's port is {text:?}: not a number")))
        };
        let one = |list: &TextList, name: &str| -> Result<Option<i32>, Failure> {
            match &list.0[..] {
                [] => Ok(None),
                [text] => number(text).map(Some),
                _ => fail(format!("A rule has one {name}")),
            }
        };
        let is_icmp = matches!(protocol, "icmp" | "icmpv6");
        if !is_icmp && !matches!(protocol, "tcp" | "udp") {
            // no ports, whatever is written
            return Ok(vec![None]);
        }
        if !self.ports.0.is_empty() {
            let mut ranges = Vec::new();
            for text in &self.ports.0 {
                let (first, last) = match text.split_once('-') {
                    Some((first, last)) if !first.is_empty() => (number(first)?, number(last)?),
                    _ => (number(text)?, number(text)?),
                };
                ranges.push(Some((first.min(last), first.max(last))));
            }
            return Ok(ranges);
        }
        let icmp = |own: &TextList, other: &TextList| {
            if own.0.is_empty() {
                other.clone()
            } else {
                own.clone()
            }
        };
        let (from, to) = if is_icmp {
            (
                one(&icmp(&self.icmp_type, &self.from_port), "icmp_type")?,
                one(&icmp(&self.icmp_code, &self.to_port), "icmp_code")?,
            )
        } else {
            (
                one(&self.from_port, "from_port")?,
                one(&self.to_port, "to_port")?,
            )
        };
        Ok(vec![match (from, to) {
            (None, None) if is_icmp => Some((-1, -1)),
            (Some(kind), None) if is_icmp => Some((kind, -1)),
            (None, None) => {
                return fail(format!(
                    "A rule for {protocol} needs ports, or from_port and to_port"
                ));
            }
            (Some(-1), None | Some(-1)) | (None, Some(-1)) if !is_icmp => Some((0, 65535)),
            (Some(from), Some(to)) => {
                if !is_icmp && from > to {
                    return fail(format!(
                        "A rule's from_port {from} is above its to_port {to}"
                    ));
                }
                Some((from, to))
            }
            (Some(port), None) | (None, Some(port)) => Some((port, port)),
        }])
    }
}

/// The name that AWS answers with.
fn canonical_protocol(name: &str) -> String {
    match name {
        "all" | "-1" => "-1",
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" | "icmp6" => "icmpv6",
        other => other,
    }
    .to_string()
}

/// An IPv4 range without host bits, as AWS stores it. A lone address is a range of one.
fn network4(text: &str) -> Result<String, Failure> {
    let bad = || Failure::new(format!("A rule's cidr_ip is {text:?}: not an IPv4 range"));
    let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
    let address: Ipv4Addr = address.trim().parse().map_err(|_| bad())?;
    let bits: u32 = bits
        .trim()
        .parse()
        .ok()
        .filter(|b| *b <= 32)
        .ok_or_else(bad)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let network = Ipv4Addr::from(u32::from(address) & mask);
    warn_of_host_bits(text, network != address, &format!("{network}/{bits}"));
    Ok(format!("{network}/{bits}"))
}

fn network6(text: &str) -> Result<String, Failure> {
    let bad = || Failure::new(format!("A rule's cidr_ipv6 is {text:?}: not an IPv6 range"));
    let (address, bits) = text.split_once('/').unwrap_or((text, "128"));
    let address: Ipv6Addr = address.trim().parse().map_err(|_| bad())?;
    let bits: u32 = bits
        .trim()
        .parse()
        .ok()
        .filter(|b| *b <= 128)
        .ok_or_else(bad)?;
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    let network = Ipv6Addr::from(u128::from(address) & mask);
    warn_of_host_bits(text, network != address, &format!("{network}/{bits}"));
    Ok(format!("{network}/{bits}"))
}

fn warn_of_host_bits(text: &str, has_them: bool, network: &str) {
    if has_them {
        crate::notice::warning(format!(
            "One of your CIDR addresses ({text}) has host bits set. To get rid of this warning, check the network mask and make sure that only network bits are set: {network}."
        ));
    }
}

/// AWS's permissions, which group peers, as single rules.
pub fn flatten(permissions: &[IpPermission]) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for permission in permissions {
        let protocol = canonical_protocol(permission.ip_protocol().unwrap_or("-1"));
        let ports = match (permission.from_port(), permission.to_port()) {
            _ if protocol == "-1" => None,
            (Some(from), Some(to)) => Some((from, to)),
            _ => None,
        };
        let mut add = |peer: Peer, description: Option<&str>| {
            rules.insert(Rule {
                protocol: protocol.clone(),
                ports,
                peer,
                description: description.filter(|d| !d.is_empty()).map(str::to_string),
            });
        };
        for range in permission.ip_ranges() {
            let cidr = range.cidr_ip().unwrap_or_default().to_string();
            add(Peer::Ipv4(cidr), range.description());
        }
        for range in permission.ipv6_ranges() {
            let cidr = range.cidr_ipv6().unwrap_or_default();
            let cidr = network6(cidr).unwrap_or_else(|_| cidr.to_string());
            add(Peer::Ipv6(cidr), range.description());
        }
        for list in permission.prefix_list_ids() {
            let id = list.prefix_list_id().unwrap_or_default().to_string();
            add(Peer::PrefixList(id), list.description());
        }
        for pair in permission.user_id_group_pairs() {
            let id = pair.group_id().unwrap_or_default().to_string();
            let owner = pair.user_id().map(str::to_string);
            add(Peer::Group(id, owner), pair.description());
        }
    }
    rules
}

/// Single rules as AWS's permissions: one per protocol and ports.
pub fn to_permissions(rules: &BTreeSet<Rule>) -> Vec<IpPermission> {
    type Key = (String, Option<(i32, i32)>);
    let mut grouped: BTreeMap<Key, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        grouped
            .entry((rule.protocol.clone(), rule.ports))
            .or_default()
            .push(rule);
    }
    grouped
        .into_iter()
        .map(|((protocol, ports), rules)| {
            let mut permission = IpPermission::builder()
                .ip_protocol(protocol)
                .set_from_port(ports.map(|(from, _)| from))
                .set_to_port(ports.map(|(_, to)| to));
            for rule in rules {
                let words = rule.description.clone();
                permission = match &rule.peer {
                    Peer::Ipv4(cidr) => permission.ip_ranges(
                        IpRange::builder()
                            .cidr_ip(cidr)
                            .set_description(words)
                            .build(),
                    ),
                    Peer::Ipv6(cidr) => permission.ipv6_ranges(
                        Ipv6Range::builder()
                            .cidr_ipv6(cidr)
                            .set_description(words)
                            .build(),
                    ),
                    Peer::PrefixList(id) => permission.prefix_list_ids(
                        PrefixListId::builder()
                            .prefix_list_id(id)
                            .set_description(words)
                            .build(),
                    ),
                    Peer::Group(id, owner) => permission.user_id_group_pairs(
                        UserIdGroupPair::builder()
                            .group_id(id)
                            .set_user_id(owner.clone())
                            .set_description(words)
                            .build(),
                    ),
                };
            }
            permission.build()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(json: serde_json::Value) -> RuleArgs {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn protocols_and_ports() {
        for (json, protocol, ports) in [
            (
                json!({"proto": "tcp", "from_port": 22, "to_port": 22}),
                "tcp",
                vec![Some((22, 22))],
            ),
            (
                json!({"proto": "all", "from_port": -1, "to_port": -1}),
                "-1",
                vec![None],
            ),
            (json!({"proto": -1}), "-1", vec![None]),
            (
                json!({"proto": 17, "ports": [53, "8000-8100"]}),
                "udp",
                vec![Some((53, 53)), Some((8000, 8100))],
            ),
            (json!({"ports": 80}), "tcp", vec![Some((80, 80))]),
            (
                json!({"proto": "tcp", "from_port": -1, "to_port": -1}),
                "tcp",
                vec![Some((0, 65535))],
            ),
            (
                json!({"proto": "icmp", "from_port": 8, "to_port": -1}),
                "icmp",
                vec![Some((8, -1))],
            ),
            (
                json!({"proto": "icmp", "icmp_type": 3, "icmp_code": 8}),
                "icmp",
                vec![Some((3, 8))],
            ),
            (json!({"proto": "50"}), "50", vec![None]),
        ] {
            let rule = rule(json);
            let found = rule.protocol().unwrap();
            assert_eq!(found, protocol);
            assert_eq!(rule.ports(&found).unwrap(), ports);
        }
        assert!(rule(json!({"proto": "tcp"})).ports("tcp").is_err());
        assert!(rule(json!({"ports": "http"})).ports("tcp").is_err());
        assert!(
            rule(json!({"from_port": 2, "to_port": 1}))
                .ports("tcp")
                .is_err()
        );
    }

    #[test]
    fn ranges_lose_their_host_bits() {
        assert_eq!(network4("10.0.0.5/16").unwrap(), "10.0.0.0/16");
        assert_eq!(network4("10.0.0.5").unwrap(), "10.0.0.5/32");
        assert_eq!(network4("1.2.3.4/0").unwrap(), "0.0.0.0/0");
        assert_eq!(network6("2001:DB8::1/32").unwrap(), "2001:db8::/32");
        assert!(network4("10.0.0.0/33").is_err());
        assert!(network4("anywhere").is_err());
    }

    #[test]
    fn permissions_go_there_and_back() {
        let peer = |cidr: &str| Peer::Ipv4(cidr.into());
        let one = Rule {
            protocol: "tcp".into(),
            ports: Some((80, 80)),
            peer: peer("10.0.0.0/8"),
            description: Some("x".into()),
        };
        let rules = BTreeSet::from([
            one.clone(),
            Rule {
                peer: peer("0.0.0.0/0"),
                description: None,
                ..one.clone()
            },
            Rule {
                peer: Peer::Group("sg-1".into(), None),
                ..one.clone()
            },
            Rule::everything(),
        ]);
        let permissions = to_permissions(&rules);
        assert_eq!(permissions.len(), 2);
        assert_eq!(flatten(&permissions), rules);
        assert!(one.is_same(&Rule {
            description: None,
            ..one.clone()
        }));
    }
}
