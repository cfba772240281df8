//! Security groups.

use super::vpc::net;
use rplay::aws::modules::security_group::{Ec2SecurityGroup, Ec2SecurityGroupInfo};
use serde_json::{Value as Json, json};

/// The rules of a result in short: `tcp 22-22 0.0.0.0/0`.
fn short(permissions: &Json) -> Vec<String> {
    let mut rules = Vec::new();
    for p in permissions.as_array().unwrap() {
        let head = format!(
            "{} {}-{}",
            p["ip_protocol"].as_str().unwrap(),
            p["from_port"],
            p["to_port"]
        );
        for (list, key) in [
            ("ip_ranges", "cidr_ip"),
            ("ipv6_ranges", "cidr_ipv6"),
            ("user_id_group_pairs", "group_id"),
        ] {
            for peer in p[list].as_array().unwrap() {
                rules.push(format!("{head} {}", peer[key].as_str().unwrap()));
            }
        }
    }
    rules.sort();
    rules
}

#[test]
fn rules() {
    let n = net("ca-central-1");
    let a = &n.account;
    let group = |more: Json| {
        let mut args = json!({"name": "g", "description": "A group", "vpc_id": n.vpc});
        for (key, value) in more.as_object().unwrap() {
            args[key] = value.clone();
        }
        args
    };
    let cluster = json!([
        {"proto": "tcp", "from_port": 22, "to_port": 22, "cidr_ip": "0.0.0.0/0"},
        {"proto": "tcp", "from_port": 80, "to_port": 80, "cidr_ip": "0.0.0.0/0"},
        {"proto": "all", "from_port": -1, "to_port": -1, "cidr_ip": "10.0.0.0/16"},
    ]);
    let made =
        a.change::<Ec2SecurityGroup>(group(json!({"rules": cluster, "tags": {"Name": "g"}})));
    let id = made["group_id"].as_str().unwrap().to_string();
    assert_eq!(
        short(&made["ip_permissions"]),
        [
            "-1 null-null 10.0.0.0/16",
            "tcp 22-22 0.0.0.0/0",
            "tcp 80-80 0.0.0.0/0"
        ]
    );
    assert_eq!(
        short(&made["ip_permissions_egress"]),
        ["-1 null-null 0.0.0.0/0"]
    );
    assert_eq!(made["tags"], json!({"Name": "g"}));
    assert_eq!(made["vpc_id"], n.vpc);

    // lists, ranges, other protocols, the group itself, descriptions
    let more = json!([
        {"proto": "tcp", "ports": [22, "8000-8100"], "cidr_ip": ["10.1.0.0/16", "10.2.0.0/16"]},
        {"proto": "icmp", "from_port": 8, "to_port": -1, "cidr_ip": "0.0.0.0/0"},
        {"proto": "udp", "ports": 53, "cidr_ipv6": "::/0"},
        {"proto": "tcp", "ports": 5432, "group_name": "g", "rule_desc": "own"},
    ]);
    let changed = a.change::<Ec2SecurityGroup>(group(json!({"rules": more})));
    assert_eq!(changed["group_id"], id.as_str());
    assert_eq!(
        short(&changed["ip_permissions"]),
        [
            "icmp 8--1 0.0.0.0/0".to_string(),
            "tcp 22-22 10.1.0.0/16".into(),
            "tcp 22-22 10.2.0.0/16".into(),
            format!("tcp 5432-5432 {id}"),
            "tcp 8000-8100 10.1.0.0/16".into(),
            "tcp 8000-8100 10.2.0.0/16".into(),
            "udp 53-53 ::/0".into(),
        ]
    );
    // nothing said of rules: nothing done
    a.same::<Ec2SecurityGroup>(group(json!({})));
    // kept when not purged
    let extra = json!([{"proto": "tcp", "ports": 443, "cidr_ip": "0.0.0.0/0"}]);
    let kept = a.change::<Ec2SecurityGroup>(group(json!({"rules": extra, "purge_rules": false})));
    assert_eq!(short(&kept["ip_permissions"]).len(), 8);
    // a description changes without the rule going away
    let said = json!([{"proto": "tcp", "ports": 443, "cidr_ip": "0.0.0.0/0", "rule_desc": "web"}]);
    let said = a.change::<Ec2SecurityGroup>(group(json!({"rules": said})));
    assert_eq!(
        said["ip_permissions"][0]["ip_ranges"][0]["description"],
        "web"
    );

    // egress: none, then some
    let closed = a.change::<Ec2SecurityGroup>(group(json!({"rules_egress": []})));
    assert_eq!(closed["ip_permissions_egress"], json!([]));
    let egress =
        json!([{"proto": "tcp", "ports": 443, "group_name": "other", "group_desc": "Another"}]);
    let opened = a.change::<Ec2SecurityGroup>(group(json!({"rules_egress": egress})));
    let other = a.ok::<Ec2SecurityGroupInfo>(json!({"filters": {"group_name": "other"}}));
    let other = other["security_groups"][0]["group_id"].as_str().unwrap();
    assert_eq!(
        short(&opened["ip_permissions_egress"]),
        [format!("tcp 443-443 {other}")]
    );

    let unknown = a.refused::<Ec2SecurityGroup>(group(
        json!({"rules": [{"ports": 1, "group_name": "nobody"}]}),
    ));
    assert!(
        unknown.starts_with("A rule names the security group nobody"),
        "{unknown}"
    );
    let nobody = a.refused::<Ec2SecurityGroup>(group(json!({"rules": [{"ports": 1}]})));
    assert!(
        nobody.starts_with("A rule must say whom it is for"),
        "{nobody}"
    );

    a.change::<Ec2SecurityGroup>(group(json!({"state": "absent"})));
    a.change::<Ec2SecurityGroup>(json!({"group_id": other, "state": "absent"}));
}

#[test]
fn check_mode_shows_a_difference() {
    let n = net("ap-southeast-1");
    let args = json!({"name": "g", "description": "d", "vpc_id": n.vpc, "rules": [{"ports": 22, "cidr_ip": "10.0.0.0/8"}]});
    let predicted = n.account.check::<Ec2SecurityGroup>(args);
    assert_eq!(predicted["group_id"], "sg-known-after-apply");
    assert_eq!(predicted["diff"]["before"], json!({}));
    assert_eq!(
        short(&predicted["diff"]["after"]["ip_permissions"]),
        ["tcp 22-22 10.0.0.0/8"]
    );
}
