"""What an AWS account holds in the cluster's region, read with boto3: a client that is not rplay's."""

from functools import cached_property

import boto3

REGION = "eu-west-1"
VPC_NAME = "dcos-cluster-vpc"


def tags(thing):
    return {t["Key"]: t["Value"] for t in thing.get("Tags", [])}


class Account:
    def __init__(self):
        self.ec2 = boto3.client("ec2", region_name=REGION)
        self.elb = boto3.client("elb", region_name=REGION)

    def _all(self, operation, key, **arguments):
        pages = self.ec2.get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page[key]]

    def _in_vpc(self, operation, key, name="vpc-id"):
        return self._all(operation, key, Filters=[{"Name": name, "Values": [self.vpc["VpcId"]]}])

    @cached_property
    def vpcs(self):
        return [v for v in self._all("describe_vpcs", "Vpcs") if not v["IsDefault"]]

    @cached_property
    def vpc(self):
        found = [v for v in self.vpcs if tags(v).get("Name") == VPC_NAME]
        if len(found) != 1:
            raise SystemExit(f"{len(found)} VPCs are named {VPC_NAME}; there should be one")
        return found[0]

    @cached_property
    def subnets(self):
        return sorted(self._in_vpc("describe_subnets", "Subnets"), key=lambda s: s["CidrBlock"])

    @cached_property
    def internet_gateways(self):
        return self._in_vpc("describe_internet_gateways", "InternetGateways", "attachment.vpc-id")

    @cached_property
    def nat_gateways(self):
        return [g for g in self._in_vpc("describe_nat_gateways", "NatGateways") if g["State"] != "deleted"]

    @cached_property
    def route_tables(self):
        """Without the main one, which comes with the VPC."""
        tables = self._in_vpc("describe_route_tables", "RouteTables")
        return [t for t in tables if not any(a["Main"] for a in t["Associations"])]

    @cached_property
    def security_groups(self):
        return [g for g in self._in_vpc("describe_security_groups", "SecurityGroups") if g["GroupName"] != "default"]

    @cached_property
    def instances(self):
        """Of the whole region, so that one outside of the VPC is noticed."""
        states = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        reservations = self._all("describe_instances", "Reservations", Filters=states)
        found = [i for r in reservations for i in r["Instances"]]
        return sorted(found, key=lambda i: (tags(i).get("Name", ""), i["PrivateIpAddress"]))

    @cached_property
    def balancers(self):
        return self.elb.describe_load_balancers()["LoadBalancerDescriptions"]

    def balancer_attributes(self, name):
        return self.elb.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"]

    def balancer_tags(self, name):
        return tags(self.elb.describe_tags(LoadBalancerNames=[name])["TagDescriptions"][0])

    def subnet_name(self, subnet_id):
        return next((tags(s).get("Name", subnet_id) for s in self.subnets if s["SubnetId"] == subnet_id), subnet_id)
