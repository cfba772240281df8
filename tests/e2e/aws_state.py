"""Checks with boto3 that the account holds the cluster's infrastructure, and nothing else.

    aws_state.py [--original | --gone]

Exit code 1 and one line for each thing that is not as it should be. `--original` is for the playbook
that this project's own stands in for: the two differ in a tag or two. `--gone` is for after the teardown.
"""

import os
import sys

from account import Account, tags

SUBNETS = {
    "subnet-public": ("10.0.0.0/24", "eu-west-1a"),
    "subnet-private": ("10.0.1.0/24", "eu-west-1a"),
    "subnet-public2": ("10.0.2.0/24", "eu-west-1b"),
}
# name: how many, subnet, instance type, tags beside Name
INSTANCES = {
    "dcos-master": (3, "subnet-private", "m3.large", {"private_host", "python", "dcos_master"}),
    "dcos-slave": (3, "subnet-private", "m3.large", {"private_host", "python", "dcos_slave"}),
    "dcos-slave-public": (
        1, "subnet-public", "m3.large", {"private_host", "python", "dcos_slave_public", "dcos_slave_public1"},
    ),
    "dcos-slave-public2": (
        1, "subnet-public2", "m3.large", {"private_host", "python", "dcos_slave_public", "dcos_slave_public2"},
    ),
    "dcos-bootstrap": (1, "subnet-public", "m3.large", {"private_host", "python", "dcos_bootstrap"}),
    "dcos-ssh-jumphost": (
        1, "subnet-public", "t2.micro", {"private_host", "python", "ssh_jumphost", "dcos-controller"},
    ),
}
RULES = {
    ("tcp", 22, 22, "0.0.0.0/0"),
    ("tcp", 80, 80, "0.0.0.0/0"),
    ("tcp", 443, 443, "0.0.0.0/0"),
    ("-1", None, None, "10.0.0.0/16"),
}
HEALTH_CHECK = {
    "Target": "HTTP:9090/_haproxy_health_check",
    "Interval": 30,
    "Timeout": 5,
    "UnhealthyThreshold": 2,
    "HealthyThreshold": 10,
}


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, []

    def equal(self, what, found, expected):
        if found == expected:
            self.passed += 1
        else:
            self.failed.append(f"{what}: {found!r}, and not {expected!r}")


def network(check, account):
    check.equal("VPCs besides the default one", len(account.vpcs), 1)
    check.equal("the VPC's addresses", account.vpc["CidrBlock"], "10.0.0.0/16")
    check.equal("the VPC's Environment tag", tags(account.vpc).get("Environment"), "Development")
    check.equal("the VPC's tenancy", account.vpc["InstanceTenancy"], "default")
    subnets = {tags(s).get("Name"): (s["CidrBlock"], s["AvailabilityZone"]) for s in account.subnets}
    check.equal("subnets", subnets, SUBNETS)
    check.equal("how many subnets", len(account.subnets), len(SUBNETS))
    check.equal("internet gateways", [tags(g) for g in account.internet_gateways], [{"Name": "cluster-gateway"}])
    nat = [(account.subnet_name(g["SubnetId"]), g["State"]) for g in account.nat_gateways]
    check.equal("NAT gateways", nat, [("subnet-public", "available")])
    addresses = account.ec2.describe_addresses()["Addresses"]
    check.equal("elastic addresses", len(addresses), 1)


def routes(check, account):
    if not account.internet_gateways or not account.nat_gateways:
        return
    igw = account.internet_gateways[0]["InternetGatewayId"]
    nat = account.nat_gateways[0]["NatGatewayId"]
    found = {}
    for table in account.route_tables:
        others = [r for r in table["Routes"] if r.get("GatewayId") != "local"]
        found[tags(table).get("Name")] = (
            [(r["DestinationCidrBlock"], r.get("NatGatewayId") or r.get("GatewayId")) for r in others],
            sorted(account.subnet_name(a["SubnetId"]) for a in table["Associations"]),
        )
    check.equal("how many route tables", len(account.route_tables), 2)
    check.equal("the private route table", found.get("private-route-table"), ([("0.0.0.0/0", nat)], ["subnet-private"]))
    check.equal(
        "the public route table",
        found.get("public-route-table"),
        ([("0.0.0.0/0", igw)], ["subnet-public", "subnet-public2"]),
    )


def security_group(check, account):
    check.equal("security groups", [g["GroupName"] for g in account.security_groups], ["dcos-cluster"])
    if not account.security_groups:
        return
    group = account.security_groups[0]
    rules = {
        (p["IpProtocol"], p.get("FromPort"), p.get("ToPort"), r["CidrIp"])
        for p in group["IpPermissions"]
        for r in p["IpRanges"]
    }
    # AWS and its stand-in differ in whether "all" has ports
    rules = {(p, None, None, c) if p == "-1" else (p, f, t, c) for p, f, t, c in rules}
    check.equal("the security group's rules", rules, RULES)
    egress = [(p["IpProtocol"], [r["CidrIp"] for r in p["IpRanges"]]) for p in group["IpPermissionsEgress"]]
    check.equal("the security group's rules for going out", egress, [("-1", ["0.0.0.0/0"])])


def instances(check, account, original):
    check.equal("how many instances", len(account.instances), 10)
    group = account.security_groups[0]["GroupId"] if account.security_groups else None
    for name, (count, subnet, kind, keys) in INSTANCES.items():
        found = [i for i in account.instances if tags(i).get("Name") == name]
        check.equal(f"how many {name}", len(found), count)
        expected = {"Name": name} | dict.fromkeys(keys, "")
        if original and subnet != "subnet-private":
            expected["subnet"] = subnet
        for instance in found:
            what = f"{name} {instance['InstanceId']}"
            check.equal(f"{what}: state", instance["State"]["Name"], "running")
            check.equal(f"{what}: subnet", account.subnet_name(instance["SubnetId"]), subnet)
            check.equal(f"{what}: type", instance["InstanceType"], kind)
            check.equal(f"{what}: image", instance["ImageId"], "ami-c06b1eb3")
            check.equal(f"{what}: key pair", instance["KeyName"], os.environ["AWS_EC2_KEY_PAIR"])
            check.equal(f"{what}: tags", tags(instance), expected)
            check.equal(f"{what}: has a public address", "PublicIpAddress" in instance, subnet != "subnet-private")
            groups = [g["GroupId"] for i in instance["NetworkInterfaces"] for g in i["Groups"]]
            check.equal(f"{what}: security groups", groups, [group])


def balancer(check, account):
    check.equal("load balancers", [b["LoadBalancerName"] for b in account.balancers], ["dcos-cluster-elb"])
    if not account.balancers:
        return
    found = account.balancers[0]
    name = found["LoadBalancerName"]
    members = {i["InstanceId"] for i in found["Instances"]}
    public = {i["InstanceId"] for i in account.instances if "dcos_slave_public" in tags(i)}
    check.equal("the load balancer's members", members, public)
    check.equal("how many members", len(members), 2)
    check.equal("the load balancer's scheme", found["Scheme"], "internet-facing")
    check.equal(
        "the load balancer's subnets",
        sorted(account.subnet_name(s) for s in found["Subnets"]),
        ["subnet-public", "subnet-public2"],
    )
    check.equal("the load balancer's groups", found["SecurityGroups"], [g["GroupId"] for g in account.security_groups])
    listeners = {
        (
            one["Protocol"], one["LoadBalancerPort"], one["InstanceProtocol"], one["InstancePort"],
            one.get("SSLCertificateId") or None,
        )
        for one in (d["Listener"] for d in found["ListenerDescriptions"])
    }
    certificate = os.environ["AWS_EC2_LB_CERT"]
    check.equal("listeners", listeners, {("HTTP", 80, "HTTP", 80, None), ("HTTPS", 443, "HTTP", 443, certificate)})
    check.equal("the health check", found["HealthCheck"], HEALTH_CHECK)
    log = account.balancer_attributes(name)["AccessLog"]
    check.equal(
        "the access log",
        (log["Enabled"], log.get("S3BucketName"), log.get("S3BucketPrefix"), log.get("EmitInterval")),
        (True, os.environ["AWS_S3_ELB_LOGS_BUCKET_NAME"], "logs", 5),
    )
    check.equal("the load balancer's tags", account.balancer_tags(name), {"Name": "cluster-lb", "Environment": "Dev"})


def gone(check, account):
    check.equal("VPCs besides the default one", len(account.vpcs), 0)
    check.equal("instances", len(account.instances), 0)
    check.equal("load balancers", len(account.balancers), 0)
    check.equal("elastic addresses", account.ec2.describe_addresses()["Addresses"], [])
    gateways = account.ec2.describe_nat_gateways()["NatGateways"]
    check.equal("NAT gateways", [g["State"] for g in gateways if g["State"] != "deleted"], [])
    default = [v["VpcId"] for v in account.ec2.describe_vpcs()["Vpcs"]]
    for operation, key in (
        ("describe_subnets", "Subnets"), ("describe_route_tables", "RouteTables"),
        ("describe_security_groups", "SecurityGroups"),
    ):
        left = [one for one in getattr(account.ec2, operation)()[key] if one["VpcId"] not in default]
        check.equal(key, left, [])
    gateways = account.ec2.describe_internet_gateways()["InternetGateways"]
    check.equal("internet gateways", [g for g in gateways if not g["Attachments"]], [])


def main(arguments):
    account, check = Account(), Checks()
    if "--gone" in arguments:
        gone(check, account)
    else:
        network(check, account)
        routes(check, account)
        security_group(check, account)
        instances(check, account, "--original" in arguments)
        balancer(check, account)
    for line in check.failed:
        print(f"FAILED  {line}")
    print(f"{check.passed} checks of the account passed, {len(check.failed)} failed.")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
