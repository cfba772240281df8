//! Instances as `ec2_instance` manages them.

use super::Account;
use rplay::aws::modules::ec2_instance::{Ec2Instance, Ec2InstanceInfo};
use serde_json::{Value as Json, json};

fn states(result: &Json) -> Vec<&str> {
    let instances = result["instances"].as_array().expect("a list");
    instances
        .iter()
        .filter_map(|i| i["state"]["name"].as_str())
        .collect()
}

#[test]
fn as_many_as_exact_count_says() {
    let a = Account::new("ap-south-1");
    let wanted = |count: usize, key: &str| {
        json!({
            "exact_count": count, "image_id": "ami-12c6146b", "instance_type": "m3.large", "state": "running",
            "filters": {"tag-key": key, "instance_state_name": ["pending", "running", "stopping", "stopped"]},
            "tags": {"Name": "node", key: ""},
        })
    };
    let two = a.change::<Ec2Instance>(wanted(2, "master"));
    assert_eq!(states(&two), ["running", "running"]);
    assert_eq!(
        two["instances"][0]["tags"],
        json!({"Name": "node", "master": ""})
    );
    // another kind of instance is not counted
    a.change::<Ec2Instance>(wanted(1, "slave"));
    let three = a.change::<Ec2Instance>(wanted(3, "master"));
    assert_eq!(three["instance_ids"].as_array().map(Vec::len), Some(3));
    assert_eq!(three["changed_ids"].as_array().map(Vec::len), Some(1));
    let one = a.change::<Ec2Instance>(wanted(1, "master"));
    assert_eq!(one["terminated_ids"].as_array().map(Vec::len), Some(2));
    let rest = json!({"filters": {"instance-state-name": "running"}});
    assert_eq!(
        a.ok::<Ec2InstanceInfo>(rest)["instances"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn one_instance_by_its_name() {
    let a = Account::new("ap-south-2");
    let args = json!({"name": "web", "image_id": "ami-12c6146b", "instance_type": "t2.micro", "state": "running", "security_group": "default"});
    let with = |key: &str, value: Json| {
        let mut args = args.clone();
        args[key] = value;
        args
    };
    let id = a.change::<Ec2Instance>(args.clone())["instance_ids"][0].clone();
    // a name says nothing of other tags
    a.change::<Ec2Instance>(with("tags", json!({"env": "dev"})));
    a.same::<Ec2Instance>(args.clone());
    let stopped = a.change::<Ec2Instance>(with("state", json!("stopped")));
    assert_eq!(states(&stopped), ["stopped"]);
    let larger = a.change::<Ec2Instance>(with("instance_type", json!("m3.large")));
    assert_eq!(larger["instances"][0]["instance_type"], "m3.large");
    assert_eq!(states(&larger), ["running"]);
    assert_eq!(larger["instance_ids"], json!([id]));
    a.change::<Ec2Instance>(json!({"instance_ids": [id], "state": "absent"}));
}

#[test]
fn check_mode_before_the_network_is_there() {
    let a = Account::new("ap-south-1");
    let planned = a.check::<Ec2Instance>(json!({
        "exact_count": 1, "filters": {"tag-key": "planned"}, "image_id": "ami-1", "instance_type": "t2.micro",
        "vpc_subnet_id": "subnet-known-after-apply", "security_group": "to-come",
    }));
    assert_eq!(planned["changed"], true);
}

#[test]
fn options_that_do_not_go_together_are_named() {
    let a = Account::new("ap-south-1");
    for (args, words) in [
        (
            json!({"exact_count": 1, "count": 1}),
            "mutually exclusive: exact_count|count",
        ),
        (
            json!({"image_id": "ami-12c6146b", "name": "none"}),
            "instance_type is needed",
        ),
        (
            json!({"instance_type": "t2.micro", "name": "none"}),
            "image_id",
        ),
        (
            json!({"image_id": "ami-12c6146b", "name": "none", "instance_type": "t2.micro", "security_group": "nope"}),
            "The security group nope could not be found",
        ),
    ] {
        let message = a.refused::<Ec2Instance>(args);
        assert!(message.contains(words), "{message}");
    }
}
