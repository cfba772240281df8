"""Prints what the playbook created, as boto3 sees it."""

from account import Account, tags


def row(*columns):
    widths = (18, 26, 44)
    print("  " + "  ".join(str(c).ljust(w) for c, w in zip(columns, widths)).rstrip())


def rule(permission):
    protocol = permission["IpProtocol"]
    what = "everything" if protocol == "-1" else f"{protocol} {permission['FromPort']}"
    return f"{what} from " + ", ".join(r["CidrIp"] for r in permission["IpRanges"])


def main():
    account = Account()
    row("VPC", tags(account.vpc)["Name"], account.vpc["CidrBlock"])
    for subnet in account.subnets:
        row("subnet", tags(subnet).get("Name"), f"{subnet['CidrBlock']} in {subnet['AvailabilityZone']}")
    for gateway in account.internet_gateways:
        row("internet gateway", tags(gateway).get("Name", ""), gateway["InternetGatewayId"])
    for gateway in account.nat_gateways:
        row("NAT gateway", f"in {account.subnet_name(gateway['SubnetId'])}", gateway["NatGatewayId"])
    for table in account.route_tables:
        routes = [r for r in table["Routes"] if r.get("GatewayId") != "local"]
        targets = ", ".join(
            f"{r['DestinationCidrBlock']} to {r.get('NatGatewayId') or r.get('GatewayId')}" for r in routes
        )
        subnets = ", ".join(sorted(account.subnet_name(a["SubnetId"]) for a in table["Associations"]))
        row("route table", tags(table).get("Name"), targets)
        row("", "", f"for {subnets}")
    for group in account.security_groups:
        for n, permission in enumerate(sorted(group["IpPermissions"], key=lambda p: p.get("FromPort", 65536))):
            row("" if n else "security group", "" if n else group["GroupName"], rule(permission))
    print()
    row("instance", "address", "subnet")
    for instance in account.instances:
        public = instance.get("PublicIpAddress")
        address = instance["PrivateIpAddress"] + (f", {public}" if public else "")
        row(tags(instance).get("Name"), address, account.subnet_name(instance["SubnetId"]))
    print()
    for balancer in account.balancers:
        members = {i["InstanceId"] for i in balancer["Instances"]}
        names = [tags(i).get("Name") for i in account.instances if i["InstanceId"] in members]
        listeners = [listener["Listener"] for listener in balancer["ListenerDescriptions"]]
        row("load balancer", balancer["LoadBalancerName"], balancer["DNSName"])
        row("", "members", ", ".join(names))
        for one in sorted(listeners, key=lambda one: one["LoadBalancerPort"]):
            to = f"{one.get('InstanceProtocol', one['Protocol'])} {one['InstancePort']}"
            row("", "listener", f"{one['Protocol']} {one['LoadBalancerPort']} to {to}")
        row("", "health check", balancer["HealthCheck"]["Target"])


if __name__ == "__main__":
    main()
