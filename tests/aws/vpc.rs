//! VPCs and what is in them.

use super::Account;
use rplay::aws::modules::{igw, nat_gateway, route_table, subnet, tag, vpc};
use serde_json::{Value as Json, json};

/// A VPC with a public and a private subnet.
pub struct Net {
    pub account: Account,
    pub vpc: Json,
    pub public: Json,
    pub private: Json,
}

pub fn net(region: &'static str) -> Net {
    let account = Account::new(region);
    let vpc = account.ok::<vpc::VpcNet>(json!({"name": "net", "cidr_block": "10.0.0.0/16"}));
    let vpc = vpc["vpc"]["id"].clone();
    let subnet = |cidr: &str, name: &str| {
        let made = account.ok::<subnet::VpcSubnet>(
            json!({"vpc_id": vpc, "cidr": cidr, "resource_tags": {"Name": name}}),
        );
        made["subnet"]["id"].clone()
    };
    let public = subnet("10.0.0.0/24", "public");
    let private = subnet("10.0.1.0/24", "private");
    Net {
        public,
        private,
        vpc,
        account,
    }
}

#[test]
fn vpc_net() {
    let a = Account::new("eu-west-1");
    let args = json!({"name": "v", "cidr_block": "10.0.0.0/16", "tags": {"Name": "v", "Environment": "Dev"}, "tenancy": "default"});
    let made = a.change::<vpc::VpcNet>(args);
    let id = made["vpc"]["id"].clone();
    assert_eq!(made["vpc"]["cidr_block"], "10.0.0.0/16");
    assert_eq!(
        made["vpc"]["tags"],
        json!({"Name": "v", "Environment": "Dev"})
    );

    let changed = a.change::<vpc::VpcNet>(
        json!({"name": "v", "cidr_block": ["10.0.0.0/16", "10.1.0.0/16"], "tags": {"a": 1}, "dns_hostnames": false}),
    );
    assert_eq!(changed["vpc"]["id"], id);
    assert_eq!(changed["vpc"]["tags"], json!({"Name": "v", "a": "1"}));
    let info = a.ok::<vpc::VpcNetInfo>(json!({"filters": {"tag:Name": "v"}}));
    assert_eq!(info["vpcs"][0]["enable_dns_hostnames"], false);
    assert_eq!(
        info["vpcs"][0]["cidr_block_association_set"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // who says nothing of tags keeps them
    a.same::<vpc::VpcNet>(
        json!({"name": "v", "cidr_block": "10.0.0.0/16", "dns_hostnames": false}),
    );

    a.ok::<vpc::VpcNet>(json!({"name": "v", "cidr_block": "10.0.0.0/16", "multi_ok": true}));
    let two = a.refused::<vpc::VpcNet>(json!({"name": "v", "cidr_block": "10.0.0.0/16"}));
    assert!(two.starts_with("2 VPCs have the name v"), "{two}");

    a.change::<vpc::VpcNet>(json!({"vpc_id": id, "state": "absent"}));
    a.change::<vpc::VpcNet>(json!({"name": "v", "cidr_block": "10.0.0.0/16", "state": "absent"}));
    assert_eq!(
        a.ok::<vpc::VpcNetInfo>(json!({"filters": {"tag:Name": "v"}}))["vpcs"],
        json!([])
    );
}

#[test]
fn subnets() {
    let a = Account::new("eu-west-2");
    let vpc = a.ok::<vpc::VpcNet>(json!({"name": "v", "cidr_block": "10.0.0.0/16"}));
    let vpc = &vpc["vpc"]["id"];
    let args = json!({"vpc_id": vpc, "cidr": "10.0.0.0/24", "az": "eu-west-2a", "resource_tags": {"Name": "s"}});
    let made = a.change::<subnet::VpcSubnet>(args);
    assert_eq!(made["subnet"]["availability_zone"], "eu-west-2a");
    assert_eq!(made["subnet"]["tags"], json!({"Name": "s"}));
    let changed = a.change::<subnet::VpcSubnet>(
        json!({"vpc_id": vpc, "cidr": "10.0.0.0/24", "map_public": true, "tags": {"b": "2"}}),
    );
    assert_eq!(changed["subnet"]["map_public_ip_on_launch"], true);
    assert_eq!(changed["subnet"]["tags"], json!({"b": "2"}));
    let kept = json!({"vpc_id": vpc, "cidr": "10.0.0.0/24", "map_public": true, "tags": {"c": ""}, "purge_tags": false});
    assert_eq!(
        a.change::<subnet::VpcSubnet>(kept)["subnet"]["tags"],
        json!({"b": "2", "c": ""})
    );
    let info = a.ok::<subnet::VpcSubnetInfo>(json!({"filters": {"vpc-id": vpc}}));
    assert_eq!(info["subnets"].as_array().unwrap().len(), 1);
    assert_eq!(info["subnets"][0]["id"], made["subnet"]["id"]);
    let outside = a.refused::<subnet::VpcSubnet>(json!({"vpc_id": vpc, "cidr": "10.9.0.0/24"}));
    assert!(
        outside.starts_with("ec2:CreateSubnet failed: InvalidSubnet.Range: "),
        "{outside}"
    );
    a.change::<subnet::VpcSubnet>(json!({"vpc_id": vpc, "cidr": "10.0.0.0/24", "state": "absent"}));
}

#[test]
fn internet_gateway_and_tags() {
    let n = net("eu-west-3");
    let a = &n.account;
    let made = a.change::<igw::VpcIgw>(json!({"vpc_id": n.vpc, "state": "present"}));
    let id = &made["gateway_id"];
    assert_eq!(made["vpc_id"], n.vpc);

    a.change::<tag::Ec2Tag>(
        json!({"resource": id, "tags": {"Name": "g", "x": "1"}, "state": "present"}),
    );
    a.same::<tag::Ec2Tag>(json!({"resource": id, "tags": {"x": 1}}));
    // a gateway that is there is taken as it is
    assert_eq!(
        &a.same::<igw::VpcIgw>(json!({"vpc_id": n.vpc}))["gateway_id"],
        id
    );
    a.same::<tag::Ec2Tag>(json!({"resource": id, "tags": {"x": "other"}, "state": "absent"}));
    let gone =
        a.change::<tag::Ec2Tag>(json!({"resource": id, "tags": {"x": null}, "state": "absent"}));
    assert_eq!(gone["removed_tags"], json!({"x": "1"}));
    let purged =
        a.change::<tag::Ec2Tag>(json!({"resource": id, "tags": {"y": true}, "purge_tags": true}));
    assert_eq!(purged["tags"], json!({"y": "True"}));
    assert_eq!(
        a.ok::<tag::Ec2TagInfo>(json!({"resource": id}))["tags"],
        json!({"y": "True"})
    );

    let info = a.ok::<igw::VpcIgwInfo>(json!({"filters": {"attachment.vpc-id": n.vpc}}));
    assert_eq!(&info["internet_gateways"][0]["internet_gateway_id"], id);
    a.change::<igw::VpcIgw>(json!({"vpc_id": n.vpc, "state": "absent"}));
}

#[test]
fn nat_gateway() {
    let n = net("eu-central-1");
    let a = &n.account;
    let args = json!({"subnet_id": n.public, "wait": true, "if_exist_do_not_create": true, "tags": {"Name": "nat"}});
    let made = a.change::<nat_gateway::VpcNatGateway>(args.clone());
    let id = made["nat_gateway_id"].clone();
    assert_eq!(made["state"], "available");
    assert_eq!(made["tags"], json!({"Name": "nat"}));
    assert_eq!(
        a.same::<nat_gateway::VpcNatGateway>(args)["nat_gateway_id"],
        id
    );
    let address = &made["nat_gateway_addresses"][0];
    let by_address = json!({"subnet_id": n.public, "allocation_id": address["allocation_id"]});
    assert_eq!(
        a.same::<nat_gateway::VpcNatGateway>(by_address)["nat_gateway_id"],
        id
    );
    let info = a.ok::<nat_gateway::VpcNatGatewayInfo>(json!({"nat_gateway_ids": [id]}));
    assert_eq!(info["result"][0]["subnet_id"], n.public);
    a.change::<nat_gateway::VpcNatGateway>(
        json!({"nat_gateway_id": id, "state": "absent", "release_eip": true, "wait": true}),
    );
    let nowhere = a.refused::<nat_gateway::VpcNatGateway>(json!({"state": "present"}));
    assert_eq!(
        nowhere,
        "state is present but all of the following are missing: subnet_id"
    );
}

#[test]
fn route_tables() {
    let n = net("eu-north-1");
    let a = &n.account;
    let gateway = a.ok::<igw::VpcIgw>(json!({"vpc_id": n.vpc}));
    let nat = a.ok::<nat_gateway::VpcNatGateway>(json!({"subnet_id": n.public, "wait": true}));
    let table = |more: Json| {
        let mut args = json!({"vpc_id": n.vpc, "tags": {"Name": "t"}});
        for (key, value) in more.as_object().unwrap() {
            args[key] = value.clone();
        }
        args
    };
    let args = table(
        json!({"subnets": [n.private], "routes": [{"dest": "0.0.0.0/0", "gateway_id": nat["nat_gateway_id"]}]}),
    );
    let made = a.change::<route_table::VpcRouteTable>(args);
    let made = &made["route_table"];
    assert_eq!(made["associations"][0]["subnet_id"], n.private);
    assert!(
        made["routes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|r| r["nat_gateway_id"] == nat["nat_gateway_id"]),
        "{made}"
    );

    // another target, subnets by name and range, the VPC's own internet gateway
    let args = table(
        json!({"subnets": ["public", "10.0.1.0/24"], "routes": [{"dest": "0.0.0.0/0", "gateway_id": "igw"}]}),
    );
    let changed = a.change::<route_table::VpcRouteTable>(args);
    let changed = &changed["route_table"];
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["associations"].as_array().unwrap().len(), 2);
    assert!(
        changed["routes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|r| r["gateway_id"] == gateway["gateway_id"]),
        "{changed}"
    );

    // a subnet moves to another table
    let other = json!({"vpc_id": n.vpc, "tags": {"Name": "other"}, "subnets": ["public"], "propagating_vgw_ids": []});
    let moved = a.change::<route_table::VpcRouteTable>(other);
    assert_eq!(
        moved["route_table"]["associations"][0]["subnet_id"],
        n.public
    );

    let purged = a.change::<route_table::VpcRouteTable>(table(json!({"subnets": []})));
    assert_eq!(purged["route_table"]["associations"], json!([]));
    assert_eq!(purged["route_table"]["routes"].as_array().unwrap().len(), 1);

    let info = a.ok::<route_table::VpcRouteTableInfo>(json!({"filters": {"vpc-id": n.vpc}}));
    assert_eq!(info["route_tables"].as_array().unwrap().len(), 3);
    let unknown = a.refused::<route_table::VpcRouteTable>(table(json!({"subnets": ["nowhere"]})));
    assert!(
        unknown.starts_with("Unable to find the subnet nowhere in VPC "),
        "{unknown}"
    );
    a.change::<route_table::VpcRouteTable>(table(json!({"state": "absent"})));
    a.change::<route_table::VpcRouteTable>(
        json!({"route_table_id": moved["route_table"]["id"], "lookup": "id", "state": "absent"}),
    );
}
