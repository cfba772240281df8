//! Instances as `ec2` managed them.

use super::vpc::net;
use rplay::aws::modules::ec2::Ec2;
use rplay::aws::modules::ec2_instance::Ec2InstanceInfo;
use rplay::aws::modules::security_group::Ec2SecurityGroup;
use serde_json::{Value as Json, json};

const IMAGE: &str = "ami-12c6146b";

fn with(base: &Json, more: Json) -> Json {
    let mut args = base.clone();
    for (key, value) in more.as_object().unwrap() {
        args[key] = value.clone();
    }
    args
}

#[test]
fn exactly_so_many() {
    let n = net("ap-northeast-1");
    let a = &n.account;
    a.ok::<Ec2SecurityGroup>(json!({"name": "cluster", "description": "d", "vpc_id": n.vpc}));
    let masters = json!({
        "image": IMAGE, "instance_type": "t3.micro", "group": "cluster", "vpc_subnet_id": n.private,
        "assign_public_ip": false, "wait": true, "exact_count": 2, "count_tag": "master",
        "instance_tags": {"Name": "m", "master": ""},
    });
    let made = a.change::<Ec2>(masters.clone());
    assert_eq!(made["instance_ids"].as_array().unwrap().len(), 2);
    assert_eq!(made["tagged_instances"].as_array().unwrap().len(), 2);
    let one = &made["instances"][0];
    assert_eq!(one["state"], "running");
    assert_eq!(one["tags"], json!({"Name": "m", "master": ""}));
    assert_eq!(
        one["groups"].as_object().unwrap().values().next().unwrap(),
        "cluster"
    );
    assert!(
        one["private_ip"].as_str().unwrap().starts_with("10.0.1."),
        "{one}"
    );
    assert_eq!(one["public_ip"], Json::Null);
    assert_eq!(one["region"], "ap-northeast-1");

    // with a public address, where the subnet gives none
    let public = with(
        &masters,
        json!({
            "count_tag": {"role": "public"}, "instance_tags": {"role": "public"},
            "exact_count": 1, "assign_public_ip": true, "vpc_subnet_id": n.public,
        }),
    );
    let public = a.change::<Ec2>(public);
    assert!(public["instances"][0]["public_ip"].is_string(), "{public}");

    // fewer: the spare ones end
    let fewer = a.change::<Ec2>(with(&masters, json!({"exact_count": 1})));
    assert_eq!(fewer["instances"][0]["state"], "terminated");
    assert_eq!(fewer["tagged_instances"].as_array().unwrap().len(), 1);
    let left = a.ok::<Ec2InstanceInfo>(
        json!({"filters": {"tag-key": "master", "instance-state-name": "running"}}),
    );
    assert_eq!(left["instances"].as_array().unwrap().len(), 1);
    assert_eq!(
        left["instances"][0]["instance_id"],
        fewer["tagged_instances"][0]["id"]
    );
    a.change::<Ec2>(with(&masters, json!({"exact_count": 0})));
}

#[test]
fn start_stop_end() {
    let n = net("ap-northeast-2");
    let a = &n.account;
    let made = a.ok::<Ec2>(json!({
        "image": IMAGE, "count": 2, "wait": true, "vpc_subnet_id": n.public, "id": "once",
        "source_dest_check": false, "user_data": "#!/bin/sh\n",
        "volumes": [{"device_name": "/dev/sdf", "volume_size": 10, "delete_on_termination": true}],
    }));
    let ids = &made["instance_ids"];
    assert_eq!(ids.as_array().unwrap().len(), 2);
    assert!(
        made["instances"][0]["block_device_mapping"]["/dev/sdf"]["volume_id"].is_string(),
        "{made}"
    );
    let info = a.ok::<Ec2InstanceInfo>(json!({"instance_ids": ids}));
    assert_eq!(info["instances"][0]["source_dest_check"], false);

    let stopped = a.change::<Ec2>(json!({"instance_ids": ids, "state": "stopped", "wait": true}));
    assert_eq!(stopped["instances"][1]["state"], "stopped");
    a.change::<Ec2>(json!({"instance_ids": ids, "state": "running", "wait": true}));
    let again = a.ok::<Ec2>(json!({"instance_ids": ids, "state": "restarted"}));
    assert_eq!(again["changed"], true);
    a.change::<Ec2>(
        json!({"instance_ids": ids, "state": "running", "termination_protection": true}),
    );
    a.change::<Ec2>(
        json!({"instance_ids": ids, "state": "running", "termination_protection": false}),
    );
    let gone = a.change::<Ec2>(json!({"instance_ids": ids, "state": "absent", "wait": true}));
    assert_eq!(gone["instances"][0]["state"], "terminated");
}

#[test]
fn what_does_not_go() {
    let n = net("ap-northeast-3");
    let a = &n.account;
    for (args, words) in [
        (json!({}), "image parameter is required for new instance"),
        (
            json!({"exact_count": 1, "image": IMAGE}),
            "you must use the 'count_tag' option with 'exact_count'",
        ),
        (
            json!({"count_tag": "x", "image": IMAGE}),
            "you must use the 'exact_count' option with 'count_tag'",
        ),
        (
            json!({"state": "absent"}),
            "instance_ids list is required for absent state",
        ),
        (
            json!({"spot_price": "0.1", "image": IMAGE}),
            "ec2: spot_price: spot instances are not supported by rplay",
        ),
        (
            json!({"image": IMAGE, "group": "nobody", "vpc_subnet_id": n.public}),
            "The following group names are not valid: nobody: ",
        ),
        (
            json!({"image": IMAGE, "key_name": "nobody"}),
            "ec2:RunInstances failed: InvalidKeyPair.NotFound: ",
        ),
        (
            json!({"image": "ami-nothing"}),
            "ec2:RunInstances failed: InvalidAMIID.",
        ),
        (
            json!({"image": IMAGE, "vpc_subnet_id": "subnet-0"}),
            "ec2:DescribeSubnets failed: InvalidSubnetID.NotFound: ",
        ),
    ] {
        let message = a.refused::<Ec2>(args);
        assert!(message.starts_with(words), "{message}");
        assert!(!message.contains('\n'));
    }
}
