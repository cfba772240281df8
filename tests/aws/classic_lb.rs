//! Classic load balancers.

use super::vpc::net;
use rplay::aws::modules::classic_lb::ElbClassicLb;
use rplay::aws::modules::ec2::Ec2;
use rplay::aws::modules::security_group::Ec2SecurityGroup;
use serde_json::{Value as Json, json};

#[test]
fn life_of_a_load_balancer() {
    let n = net("us-west-1");
    let a = &n.account;
    for name in ["web", "other"] {
        a.ok::<Ec2SecurityGroup>(json!({"name": name, "description": "d", "vpc_id": n.vpc}));
    }
    let made = a.ok::<Ec2>(
        json!({"image": "ami-12c6146b", "count": 2, "wait": true, "vpc_subnet_id": n.public}),
    );
    let nodes = made["instance_ids"].clone();
    let certificate = "arn:aws:iam::123456789012:server-certificate/x";
    let base = json!({
        "name": "lb", "scheme": "internet-facing", "state": "present",
        "instance_ids": nodes, "purge_instance_ids": true, "security_group_names": "web",
        "subnets": [n.public],
        "listeners": [
            {"protocol": "http", "load_balancer_port": 80, "instance_port": 80},
            {"protocol": "https", "load_balancer_port": 443, "instance_protocol": "http", "instance_port": 443, "ssl_certificate_id": certificate},
        ],
        "health_check": {"ping_protocol": "http", "ping_port": 9090, "ping_path": "/_haproxy_health_check", "response_timeout": 5, "interval": 30, "unhealthy_threshold": 2, "healthy_threshold": 10},
        "access_logs": {"interval": 5, "s3_location": "logs-bucket", "s3_prefix": "logs"},
        "tags": {"Name": "lb", "Environment": "Dev"},
    });
    let with = |more: Json| {
        let mut args = base.clone();
        for (key, value) in more.as_object().unwrap() {
            args[key] = value.clone();
        }
        args
    };
    let elb = a.change::<ElbClassicLb>(base.clone())["elb"].clone();
    assert_eq!(elb["status"], "created");
    assert_eq!(elb["scheme"], "internet-facing");
    assert_eq!(
        elb["listeners"],
        json!([
            [80, 80, "HTTP", "HTTP"],
            [443, 443, "HTTPS", "HTTP", certificate]
        ])
    );
    assert_eq!(elb["instances"], nodes);
    assert_eq!(
        elb["health_check"]["target"],
        "HTTP:9090/_haproxy_health_check"
    );
    assert_eq!(elb["access_log"]["s3_bucket_name"], "logs-bucket");
    assert_eq!(elb["tags"], json!({"Name": "lb", "Environment": "Dev"}));
    assert_eq!(elb["security_group_ids"].as_array().unwrap().len(), 1);
    assert_eq!(
        a.same::<ElbClassicLb>(base.clone())["elb"]["status"],
        "exists"
    );

    // one thing after the other
    let elb = a.change::<ElbClassicLb>(with(json!({"instance_ids": [nodes[0]]})));
    assert_eq!(elb["elb"]["instances"], json!([nodes[0]]));
    a.same::<ElbClassicLb>(with(json!({"instance_ids": null})));
    let elb = a.change::<ElbClassicLb>(with(json!({
        "instance_ids": null, "subnets": [n.public, n.private], "security_group_names": ["web", "other"], "tags": {"a": "b"},
        "listeners": [{"protocol": "tcp", "load_balancer_port": 80, "instance_port": 8080}],
        "cross_az_load_balancing": true, "idle_timeout": 30, "connection_draining_timeout": 60,
    })));
    let elb = &elb["elb"];
    assert_eq!(elb["listeners"], json!([[80, 8080, "TCP", "TCP"]]));
    assert_eq!(elb["cross_az_load_balancing"], "yes");
    assert_eq!(elb["idle_timeout"], 30);
    assert_eq!(elb["connection_draining_timeout"], 60);
    assert_eq!(elb["tags"], json!({"a": "b"}));
    assert_eq!(elb["subnets"].as_array().unwrap().len(), 2);
    assert_eq!(elb["security_group_ids"].as_array().unwrap().len(), 2);
    let elb = a.change::<ElbClassicLb>(
        json!({"name": "lb", "subnets": [n.private], "purge_subnets": true}),
    );
    assert_eq!(elb["elb"]["subnets"], json!([n.private]));

    // sticky, then not
    let http = json!([{"protocol": "http", "load_balancer_port": 80, "instance_port": 80}]);
    let sticky = |more: Json| json!({"name": "lb", "listeners": http, "stickiness": more});
    a.ok::<ElbClassicLb>(json!({"name": "lb", "listeners": http}));
    let elb = a.change::<ElbClassicLb>(sticky(json!({"type": "loadbalancer", "expiration": 300})));
    assert_eq!(
        elb["elb"]["lb_cookie_policy"],
        "LBCookieStickinessPolicyType-300"
    );
    a.change::<ElbClassicLb>(sticky(json!({"enabled": false, "expiration": 300})));

    // another scheme is another load balancer
    let internal = a.change::<ElbClassicLb>(with(json!({"scheme": "internal"})));
    assert_eq!(internal["elb"]["scheme"], "internal");
    a.change::<ElbClassicLb>(json!({"name": "lb", "state": "absent", "wait": true}));
    let gone = a.same::<ElbClassicLb>(json!({"name": "lb", "state": "absent"}));
    assert_eq!(gone["elb"]["status"], "gone");
}

#[test]
fn what_does_not_go() {
    let n = net("us-west-2");
    let a = &n.account;
    let listeners = json!([{"protocol": "http", "load_balancer_port": 80, "instance_port": 80}]);
    for (args, words) in [
        (
            json!({"name": "x"}),
            "A load balancer needs listeners to be created",
        ),
        (
            json!({"name": "x", "listeners": listeners}),
            "A load balancer needs subnets or zones to be created",
        ),
        (
            json!({"name": "x", "listeners": listeners, "subnets": [n.public], "security_group_names": "nobody"}),
            "security_group_names: there is no security group nobody in vpc-",
        ),
        (
            json!({"name": "x", "listeners": [{"protocol": "https", "load_balancer_port": 443, "instance_port": 443, "ssl_certificate_id": ""}], "subnets": [n.public]}),
            "listeners: protocol https on port 443 needs ssl_certificate_id",
        ),
    ] {
        let message = a.refused::<ElbClassicLb>(args);
        assert!(message.starts_with(words), "{message}");
    }
}
