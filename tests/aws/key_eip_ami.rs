//! Key pairs, elastic IPs, images.

use super::Account;
use super::vpc::net;
use rplay::aws::modules::ami_info::Ec2AmiInfo;
use rplay::aws::modules::ec2::Ec2;
use rplay::aws::modules::eip::{Ec2Eip, Ec2EipInfo};
use rplay::aws::modules::key::{Ec2Key, Ec2KeyInfo};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCwoRxCy98XkZCjMMEsfC6Bq/mlv+viXplvTrd7sENKNB0hJe9Ov59i9HioII0Hyp9bsnQVplxYDqas3TSvTJx1qM+bEg/uQegOKwyzvbWYYIFcP7XQTPe+4P1sxHjeFnimJTmHCQ2OR9TPhZ25+teRCnFyIpDEmEYb5cpe/VfGX1b+VTmilvUQ/m71covZ8faPHuaSydzv0eI89E3pvM43i5Yyubm8/2rwsf02k7mw6hSeG9cPV7oAlSOeokclojVSdIL0CjZ1gCI87X2f/xdLLcv372/kZmw4O3FawMVj0qjinpYSl4ehUXgwrPrtkIyweuc2d/Wu39xaXBvYsLn5 test";

#[test]
fn key_pairs() {
    let a = Account::new("sa-east-1");
    let made = a.change::<Ec2Key>(json!({"name": "made", "tags": {"a": "b"}}));
    assert!(
        made["key"]["private_key"]
            .as_str()
            .unwrap()
            .contains("PRIVATE KEY")
    );
    a.change::<Ec2Key>(json!({"name": "made", "tags": {"a": "c"}}));

    let imported = a.change::<Ec2Key>(json!({"name": "mine", "key_material": RSA}));
    assert!(imported["key"].get("private_key").is_none());
    // another key under the same name
    a.change::<Ec2Key>(json!({"name": "made", "key_material": RSA, "tags": {"a": "c"}}));
    let info = a.ok::<Ec2KeyInfo>(json!({"names": ["made", "mine"]}));
    assert_eq!(info["keypairs"].as_array().unwrap().len(), 2);
    assert_eq!(
        info["keypairs"][0]["key_fingerprint"],
        info["keypairs"][1]["key_fingerprint"]
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let filed = a.ok::<Ec2Key>(json!({"name": "filed", "file_name": path}));
    assert!(filed["key"].get("private_key").is_none());
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let bad = a.refused::<Ec2Key>(json!({"name": "bad", "key_material": "hello"}));
    assert!(bad.starts_with("key_material is not a public key"), "{bad}");
    a.change::<Ec2Key>(json!({"name": "mine", "state": "absent"}));
}

#[test]
fn elastic_ips() {
    let n = net("us-east-2");
    let a = &n.account;
    let nodes = a.ok::<Ec2>(
        json!({"image": "ami-12c6146b", "count": 2, "wait": true, "vpc_subnet_id": n.public}),
    );
    let (one, two) = (&nodes["instance_ids"][0], &nodes["instance_ids"][1]);
    let given = a.change::<Ec2Eip>(json!({"device_id": one, "in_vpc": true, "tags": {"a": "b"}}));
    let ip = &given["public_ip"];
    let taken = a.refused::<Ec2Eip>(json!({"public_ip": ip, "device_id": two}));
    assert!(taken.contains("set allow_reassociation"), "{taken}");
    a.change::<Ec2Eip>(json!({"public_ip": ip, "device_id": two, "allow_reassociation": true}));
    let info = a.ok::<Ec2EipInfo>(json!({"filters": {"public-ip": ip}}));
    assert_eq!(&info["addresses"][0]["instance_id"], two);
    assert_eq!(info["addresses"][0]["tags"], json!({"a": "b"}));

    a.change::<Ec2Eip>(json!({"device_id": two, "state": "absent"}));
    // free now, so taken again
    let again = a.ok::<Ec2Eip>(
        json!({"device_id": one, "reuse_existing_ip_allowed": true, "tag_name": "a"}),
    );
    assert_eq!(again["allocation_id"], given["allocation_id"]);
    a.change::<Ec2Eip>(
        json!({"device_id": one, "state": "absent", "release_on_disassociation": true}),
    );
    let fresh = a.ok::<Ec2Eip>(json!({}));
    a.change::<Ec2Eip>(json!({"public_ip": fresh["public_ip"], "state": "absent"}));
    assert_eq!(a.ok::<Ec2EipInfo>(json!({}))["addresses"], json!([]));
}

#[test]
fn images() {
    let a = Account::new("us-east-1");
    let one = a.ok::<Ec2AmiInfo>(json!({"image_ids": "ami-12c6146b"}));
    assert_eq!(one["images"][0]["image_id"], "ami-12c6146b");
    let none =
        a.ok::<Ec2AmiInfo>(json!({"owners": ["self"], "filters": {"virtualization_type": "hvm"}}));
    assert_eq!(none["images"], json!([]));
    let many =
        a.ok::<Ec2AmiInfo>(json!({"owners": ["amazon"], "filters": {"architecture": "x86_64"}}));
    let dates: Vec<_> = many["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["creation_date"].as_str().unwrap())
        .collect();
    assert!(dates.len() > 1 && dates.is_sorted());
}
