//! `ec2_vpc_subnet`, `ec2_vpc_subnet_info`: subnets of VPCs.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, answered, fail, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, seconds, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Subnet};
use serde_json::json;

/// Creates, changes and removes subnets. A subnet is found by VPC and CIDR block.
pub struct VpcSubnet;

fn default_timeout() -> i64 {
    300
}

/// The options of `ec2_vpc_subnet`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The VPC that the subnet is in.
    vpc_id: String,
    /// The subnet's IPv4 range.
    cidr: String,
    /// The availability zone; AWS chooses one otherwise. Cannot be changed later.
    az: Option<String>,
    /// The subnet's IPv6 range, a /64 of the VPC's.
    ipv6_cidr: Option<String>,
    /// Tags of the subnet.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    /// Whether instances get a public address by default.
    #[serde(default)]
    map_public: bool,
    /// Whether instances get an IPv6 address by default.
    #[serde(default)]
    assign_instances_ipv6: bool,
    /// Waits until the subnet is available, or gone.
    #[serde(default = "yes")]
    wait: bool,
    /// For how many seconds to wait.
    #[serde(default = "default_timeout")]
    wait_timeout: i64,
    #[serde(default)]
    state: State,
}

impl AwsModule for VpcSubnet {
    const NAMES: &'static [&'static str] = &["ec2_vpc_subnet", "amazon.aws.ec2_vpc_subnet"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        if args.assign_instances_ipv6 && args.ipv6_cidr.is_none() {
            return fail("assign_instances_ipv6 is True but ipv6_cidr is None or an empty string");
        }
        let found = list(plan, &in_vpc(&args.vpc_id), &[])?
            .into_iter()
            .find(|s| s.cidr_block() == Some(&args.cidr));
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => absent(args, found, plan),
        }
    }
}

fn present(args: Args, found: Option<Subnet>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let ec2 = plan.ec2();
    let tags = args.tags.clone().unwrap_or_default();
    let created = found.is_none();
    let subnet = match found {
        Some(subnet) => subnet,
        None => {
            let request = ec2
                .create_subnet()
                .vpc_id(&args.vpc_id)
                .cidr_block(&args.cidr)
                .set_availability_zone(args.az.clone())
                .set_ipv6_cidr_block(args.ipv6_cidr.clone())
                .set_tag_specifications(tags.specification(ResourceType::Subnet));
            let made = plan.change_fresh("ec2:CreateSubnet", || request.clone().send())?;
            match made {
                Some(made) => answered("ec2:CreateSubnet", made.subnet)?,
                None => return Ok(plan.result(json!({"subnet": predicted(&args, &tags)}))),
            }
        }
    };
    let id = subnet.subnet_id().unwrap_or_default().to_string();
    if created {
        note_created(&id);
    }
    if created && args.wait {
        plan.wait(
            &format!("subnet {id} to be available"),
            seconds(args.wait_timeout),
            |plan| {
                Ok(visible(plan, &id)?
                    .filter(|s| s.state().is_some_and(|s| s.as_str() == "available")))
            },
        )?;
    }
    if !created {
        if let Some(az) = &args.az
            && subnet.availability_zone() != Some(az)
        {
            crate::notice::warning(format!(
                "Subnet {id} ({}) is in {}, not in {az}: the zone of a subnet cannot be changed.",
                args.cidr,
                subnet.availability_zone().unwrap_or_default()
            ));
        }
        let current = Tags::from_ec2(subnet.tags());
        plan.sync_tags(&id, &current, args.tags.as_ref(), args.purge_tags)?;
        sync_ipv6_range(&args, &subnet, plan)?;
    }
    let flag = |on: bool| AttributeBooleanValue::builder().value(on).build();
    if subnet.map_public_ip_on_launch().unwrap_or(false) != args.map_public {
        plan.change_fresh("ec2:ModifySubnetAttribute", || {
            ec2.modify_subnet_attribute()
                .subnet_id(&id)
                .map_public_ip_on_launch(flag(args.map_public))
                .send()
        })?;
    }
    if subnet.assign_ipv6_address_on_creation().unwrap_or(false) != args.assign_instances_ipv6 {
        plan.change_fresh("ec2:ModifySubnetAttribute", || {
            ec2.modify_subnet_attribute()
                .subnet_id(&id)
                .assign_ipv6_address_on_creation(flag(args.assign_instances_ipv6))
                .send()
        })?;
    }
    let now = if plan.changed() && !plan.check() {
        plan.wait_visible(&format!("subnet {id}"), |plan| visible(plan, &id))?
    } else {
        subnet
    };
    Ok(plan.result(json!({"subnet": to_json(&now)})))
}

fn absent(args: Args, found: Option<Subnet>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    if let Some(subnet) = found {
        let id = subnet.subnet_id().unwrap_or_default().to_string();
        let request = plan.ec2().delete_subnet().subnet_id(&id);
        plan.change("ec2:DeleteSubnet", request.send())?;
        if args.wait && !plan.check() {
            plan.wait(
                &format!("subnet {id} to be gone"),
                seconds(args.wait_timeout),
                |plan| Ok(visible(plan, &id)?.is_none().then_some(())),
            )?;
        }
    }
    Ok(plan.result(json!({"subnet": {}})))
}

/// The IPv6 range that is associated, and the association's id.
fn ipv6_range(subnet: &Subnet) -> Option<(&str, &str)> {
    subnet
        .ipv6_cidr_block_association_set()
        .iter()
        .find(|a| {
            a.ipv6_cidr_block_state()
                .and_then(|s| s.state())
                .is_some_and(|s| matches!(s.as_str(), "associated" | "associating"))
        })
        .map(|a| {
            (
                a.ipv6_cidr_block().unwrap_or_default(),
                a.association_id().unwrap_or_default(),
            )
        })
}

fn sync_ipv6_range(args: &Args, subnet: &Subnet, plan: &mut Plan) -> Result<(), Failure> {
    let current = ipv6_range(subnet);
    if current.map(|(range, _)| range) == args.ipv6_cidr.as_deref() {
        return Ok(());
    }
    let ec2 = plan.ec2();
    if let Some((_, association)) = current {
        plan.change(
            "ec2:DisassociateSubnetCidrBlock",
            ec2.disassociate_subnet_cidr_block()
                .association_id(association)
                .send(),
        )?;
    }
    if let Some(range) = &args.ipv6_cidr {
        plan.change(
            "ec2:AssociateSubnetCidrBlock",
            ec2.associate_subnet_cidr_block()
                .subnet_id(subnet.subnet_id().unwrap_or_default())
                .ipv6_cidr_block(range)
                .send(),
        )?;
    }
    Ok(())
}

/// The subnets of a VPC.
pub fn in_vpc(vpc_id: &str) -> Filters {
    Filters::by("vpc-id", &[vpc_id])
}

/// Subnets by filters and ids.
pub fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<Subnet>, Refusal> {
    let request = plan
        .ec2()
        .describe_subnets()
        .set_filters(filters.to_ec2())
        .set_subnet_ids(given(ids));
    plan.read(
        "ec2:DescribeSubnets",
        request.into_paginator().items().send().try_collect(),
    )
}

/// A subnet by id; none if AWS does not know it (yet, or any more).
fn visible(plan: &Plan, id: &str) -> Result<Option<Subnet>, Refusal> {
    Ok(list(plan, &Filters::by("subnet-id", &[id]), &[])?.pop())
}

fn predicted(args: &Args, tags: &Tags) -> Json {
    let id = planned_id("subnet");
    compact(json!({
        "id": id, "subnet_id": id, "vpc_id": args.vpc_id, "cidr_block": args.cidr,
        "availability_zone": args.az, "map_public_ip_on_launch": args.map_public,
        "state": "pending", "tags": tags.to_json(),
    }))
}

fn to_json(subnet: &Subnet) -> Json {
    let range = ipv6_range(subnet);
    let mut json = compact(json!({
        "id": subnet.subnet_id(),
        "subnet_id": subnet.subnet_id(),
        "subnet_arn": subnet.subnet_arn(),
        "vpc_id": subnet.vpc_id(),
        "owner_id": subnet.owner_id(),
        "state": subnet.state().map(|s| s.as_str()),
        "cidr_block": subnet.cidr_block(),
        "availability_zone": subnet.availability_zone(),
        "availability_zone_id": subnet.availability_zone_id(),
        "available_ip_address_count": subnet.available_ip_address_count(),
        "default_for_az": subnet.default_for_az(),
        "map_public_ip_on_launch": subnet.map_public_ip_on_launch(),
        "map_customer_owned_ip_on_launch": subnet.map_customer_owned_ip_on_launch(),
        "assign_ipv6_address_on_creation": subnet.assign_ipv6_address_on_creation(),
        "enable_dns64": subnet.enable_dns64(),
        "ipv6_native": subnet.ipv6_native(),
        "ipv6_cidr_block_association_set": subnet.ipv6_cidr_block_association_set().iter().map(|a| json!({
            "association_id": a.association_id(),
            "ipv6_cidr_block": a.ipv6_cidr_block(),
            "ipv6_cidr_block_state": {"state": a.ipv6_cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str())},
        })).collect::<Vec<_>>(),
        "tags": Tags::from_ec2(subnet.tags()).to_json(),
    }));
    json["ipv6_cidr_block"] = json!(range.map_or("", |(range, _)| range));
    json["ipv6_association_id"] = json!(range.map_or("", |(_, id)| id));
    json
}

/// Lists subnets.
pub struct VpcSubnetInfo;

/// The options of `ec2_vpc_subnet_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default, alias = "subnet_id")]
    #[schemars(extend("aliases" = ["subnet_id"]))]
    subnet_ids: TextList,
    /// Filters of DescribeSubnets.
    #[serde(default)]
    filters: Filters,
}

impl AwsModule for VpcSubnetInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_subnet_info",
        "ec2_vpc_subnet_facts",
        "amazon.aws.ec2_vpc_subnet_info",
        "amazon.aws.ec2_vpc_subnet_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let subnets = list(plan, &args.filters, &args.subnet_ids.0)?;
        let found: Vec<_> = subnets.iter().map(to_json).collect();
        Ok(plan.result(json!({"subnets": found})))
    }
}
