//! `ec2_vpc_net`, `ec2_vpc_net_info`: virtual private clouds.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, answered, fail, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tenancy, Vpc, VpcAttributeName, VpcCidrBlockStateCode,
};
use serde_json::json;

/// Creates, changes and removes VPCs. A VPC is found by its Name tag and CIDR block.
pub struct VpcNet;

/// The options of `ec2_vpc_net`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The value of the VPC's Name tag; with `cidr_block` it identifies the VPC.
    name: Option<String>,
    /// The id of the VPC, instead of `name` and `cidr_block`.
    vpc_id: Option<String>,
    /// The primary CIDR block, and further ones to associate.
    cidr_block: Option<TextList>,
    /// Whether the VPC has an IPv6 block provided by Amazon.
    ipv6_cidr: Option<bool>,
    /// Removes CIDR blocks that `cidr_block` does not list.
    #[serde(default)]
    purge_cidrs: bool,
    /// Whether instances share hardware by default.
    #[serde(default)]
    tenancy: TenancyKind,
    /// DNS resolution within the VPC.
    #[serde(default = "yes")]
    dns_support: bool,
    /// DNS host names for instances with public addresses.
    #[serde(default = "yes")]
    dns_hostnames: bool,
    /// The id of the DHCP options to use.
    dhcp_opts_id: Option<String>,
    /// Tags of the VPC.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    /// Creates another VPC even if there is one with the same name and block.
    #[serde(default)]
    multi_ok: bool,
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TenancyKind {
    #[default]
    Default,
    Dedicated,
}

impl AwsModule for VpcNet {
    const NAMES: &'static [&'static str] = &["ec2_vpc_net", "amazon.aws.ec2_vpc_net"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        if args.vpc_id.is_none() && args.name.is_none() {
            return fail("ec2_vpc_net needs name and cidr_block, or vpc_id");
        }
        let found = find(&args, plan)?;
        match args.state {
            State::Absent => {
                if let Some(vpc) = found {
                    let id = vpc.vpc_id().unwrap_or_default();
                    plan.change("ec2:DeleteVpc", plan.ec2().delete_vpc().vpc_id(id).send())?;
                }
                Ok(plan.result(json!({"vpc": {}})))
            }
            State::Present => present(args, found, plan),
        }
    }
}

fn present(args: Args, found: Option<Vpc>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let ec2 = plan.ec2();
    let wanted_tags = wanted_tags(&args);
    let blocks = args.cidr_block.clone().unwrap_or_default().0;
    let created = found.is_none();
    let vpc = match found {
        Some(vpc) => vpc,
        None => {
            let Some(primary) = blocks.first() else {
                return fail("ec2_vpc_net needs cidr_block to create a VPC");
            };
            let request = ec2
                .create_vpc()
                .cidr_block(primary)
                .instance_tenancy(match args.tenancy {
                    TenancyKind::Default => Tenancy::Default,
                    TenancyKind::Dedicated => Tenancy::Dedicated,
                })
                .set_tag_specifications(wanted_tags.specification(ResourceType::Vpc));
            match plan.change("ec2:CreateVpc", request.send())? {
                Some(made) => answered("ec2:CreateVpc", made.vpc)?,
                None => return Ok(plan.result(json!({"vpc": predicted(primary, &wanted_tags)}))),
            }
        }
    };
    let id = vpc.vpc_id().unwrap_or_default().to_string();
    if created {
        note_created(&id);
        plan.wait_visible(&format!("VPC {id} to exist"), |plan| {
            let vpc = describe(plan, &id)?;
            Ok(vpc.filter(|v| v.state().is_some_and(|s| s.as_str() == "available")))
        })?;
    }

    if !created {
        let current = Tags::from_ec2(vpc.tags());
        // who says nothing of tags keeps those that are there
        let wanted = args.tags.is_some().then_some(&wanted_tags);
        plan.sync_tags(&id, &current, wanted, args.purge_tags)?;
    }
    sync_blocks(&args, &vpc, &blocks, plan)?;
    sync_dns(&args, &id, plan)?;
    if let Some(options) = &args.dhcp_opts_id
        && vpc.dhcp_options_id() != Some(options)
    {
        plan.change_fresh("ec2:AssociateDhcpOptions", || {
            ec2.associate_dhcp_options()
                .vpc_id(&id)
                .dhcp_options_id(options)
                .send()
        })?;
    }
    let now = if plan.changed() && !plan.check() {
        plan.wait_visible(&format!("VPC {id}"), |plan| describe(plan, &id))?
    } else {
        vpc
    };
    Ok(plan.result(json!({"vpc": to_json(&now)})))
}

/// The tags as asked for; the name is one of them.
fn wanted_tags(args: &Args) -> Tags {
    let mut tags = args.tags.clone().unwrap_or_default();
    if let Some(name) = &args.name {
        tags.0.insert("Name".into(), name.clone());
    }
    tags
}

fn find(args: &Args, plan: &Plan) -> Result<Option<Vpc>, Failure> {
    if let Some(id) = &args.vpc_id {
        return match describe(plan, id) {
            Err(refusal) if refusal.is_not_found() && args.state == State::Absent => Ok(None),
            other => Ok(other?),
        };
    }
    if args.multi_ok && args.state == State::Present {
        return Ok(None);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let named = Filters::by("tag:Name", &[name]);
    let mut vpcs = list(plan, &named, &[])?;
    if let Some(blocks) = &args.cidr_block {
        vpcs.retain(|vpc| {
            live_blocks(vpc)
                .iter()
                .any(|(_, block)| blocks.0.contains(block))
                || vpc
                    .cidr_block()
                    .is_some_and(|b| blocks.0.iter().any(|w| w == b))
        });
    }
    if vpcs.len() > 1 {
        let ids: Vec<_> = vpcs.iter().filter_map(Vpc::vpc_id).collect();
        return fail(format!(
            "{} VPCs have the name {name} and that CIDR block ({}): say which with vpc_id, or set multi_ok to create another",
            vpcs.len(),
            ids.join(", ")
        ));
    }
    Ok(vpcs.pop())
}

fn describe(plan: &Plan, id: &str) -> Result<Option<Vpc>, Refusal> {
    Ok(list(plan, &Filters::default(), &[id.to_string()])?.pop())
}

fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<Vpc>, Refusal> {
    let request = plan
        .ec2()
        .describe_vpcs()
        .set_filters(filters.to_ec2())
        .set_vpc_ids(given(ids));
    plan.read(
        "ec2:DescribeVpcs",
        request.into_paginator().items().send().try_collect(),
    )
}

/// The associated CIDR blocks with the ids of their associations.
fn live_blocks(vpc: &Vpc) -> Vec<(String, String)> {
    vpc.cidr_block_association_set()
        .iter()
        .filter(|a| {
            a.cidr_block_state()
                .and_then(|s| s.state())
                .is_none_or(|s| {
                    matches!(
                        s,
                        VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating
                    )
                })
        })
        .map(|a| {
            (
                a.association_id().unwrap_or_default().to_string(),
                a.cidr_block().unwrap_or_default().to_string(),
            )
        })
        .collect()
}

fn sync_blocks(args: &Args, vpc: &Vpc, wanted: &[String], plan: &mut Plan) -> Result<(), Failure> {
    let ec2 = plan.ec2();
    let id = vpc.vpc_id().unwrap_or_default();
    let current = live_blocks(vpc);
    for block in wanted {
        if vpc.cidr_block() != Some(block) && !current.iter().any(|(_, c)| c == block) {
            plan.change_fresh("ec2:AssociateVpcCidrBlock", || {
                ec2.associate_vpc_cidr_block()
                    .vpc_id(id)
                    .cidr_block(block)
                    .send()
            })?;
        }
    }
    if args.purge_cidrs {
        for (association, block) in &current {
            // the primary block cannot be taken away
            if !wanted.contains(block) && vpc.cidr_block() != Some(block) {
                plan.change(
                    "ec2:DisassociateVpcCidrBlock",
                    ec2.disassociate_vpc_cidr_block()
                        .association_id(association)
                        .send(),
                )?;
            }
        }
    }
    let ipv6: Vec<_> = vpc
        .ipv6_cidr_block_association_set()
        .iter()
        .filter(|a| {
            a.ipv6_cidr_block_state()
                .and_then(|s| s.state())
                .is_none_or(|s| matches!(s.as_str(), "associated" | "associating"))
        })
        .collect();
    match args.ipv6_cidr {
        Some(true) if ipv6.is_empty() => {
            plan.change_fresh("ec2:AssociateVpcCidrBlock", || {
                ec2.associate_vpc_cidr_block()
                    .vpc_id(id)
                    .amazon_provided_ipv6_cidr_block(true)
                    .send()
            })?;
        }
        Some(false) => {
            for association in ipv6 {
                plan.change(
                    "ec2:DisassociateVpcCidrBlock",
                    ec2.disassociate_vpc_cidr_block()
                        .association_id(association.association_id().unwrap_or_default())
                        .send(),
                )?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn sync_dns(args: &Args, id: &str, plan: &mut Plan) -> Result<(), Failure> {
    if args.dns_hostnames && !args.dns_support {
        return fail("dns_hostnames needs dns_support: AWS gives no names without resolution");
    }
    let ec2 = plan.ec2();
    let value = |on: bool| AttributeBooleanValue::builder().value(on).build();
    let attribute = |name: VpcAttributeName| {
        ec2.describe_vpc_attribute()
            .vpc_id(id)
            .attribute(name)
            .send()
    };
    let support = plan
        .wait_visible(&format!("VPC {id}"), |plan| {
            plan.read(
                "ec2:DescribeVpcAttribute",
                attribute(VpcAttributeName::EnableDnsSupport),
            )
            .map(Some)
        })?
        .enable_dns_support
        .and_then(|v| v.value);
    let hostnames = plan
        .read(
            "ec2:DescribeVpcAttribute",
            attribute(VpcAttributeName::EnableDnsHostnames),
        )?
        .enable_dns_hostnames
        .and_then(|v| v.value);
    // names need resolution: on in this order, off in the other
    let set_support = |plan: &mut Plan| -> Result<(), Failure> {
        if support != Some(args.dns_support) {
            plan.change(
                "ec2:ModifyVpcAttribute",
                ec2.modify_vpc_attribute()
                    .vpc_id(id)
                    .enable_dns_support(value(args.dns_support))
                    .send(),
            )?;
        }
        Ok(())
    };
    if args.dns_support {
        set_support(plan)?;
    }
    if hostnames != Some(args.dns_hostnames) {
        plan.change(
            "ec2:ModifyVpcAttribute",
            ec2.modify_vpc_attribute()
                .vpc_id(id)
                .enable_dns_hostnames(value(args.dns_hostnames))
                .send(),
        )?;
    }
    if !args.dns_support {
        set_support(plan)?;
    }
    Ok(())
}

fn predicted(block: &str, tags: &Tags) -> Json {
    let id = planned_id("vpc");
    json!({"id": id, "vpc_id": id, "cidr_block": block, "state": "pending", "is_default": false, "tags": tags.to_json()})
}

fn to_json(vpc: &Vpc) -> Json {
    compact(json!({
        "id": vpc.vpc_id(),
        "vpc_id": vpc.vpc_id(),
        "owner_id": vpc.owner_id(),
        "state": vpc.state().map(|s| s.as_str()),
        "cidr_block": vpc.cidr_block(),
        "cidr_block_association_set": vpc.cidr_block_association_set().iter().map(|a| json!({
            "association_id": a.association_id(),
            "cidr_block": a.cidr_block(),
            "cidr_block_state": {"state": a.cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str())},
        })).collect::<Vec<_>>(),
        "ipv6_cidr_block_association_set": vpc.ipv6_cidr_block_association_set().iter().map(|a| json!({
            "association_id": a.association_id(),
            "ipv6_cidr_block": a.ipv6_cidr_block(),
            "ipv6_cidr_block_state": {"state": a.ipv6_cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str())},
        })).collect::<Vec<_>>(),
        "dhcp_options_id": vpc.dhcp_options_id(),
        "instance_tenancy": vpc.instance_tenancy().map(|t| t.as_str()),
        "is_default": vpc.is_default(),
        "tags": Tags::from_ec2(vpc.tags()).to_json(),
    }))
}

/// Lists VPCs.
pub struct VpcNetInfo;

/// The options of `ec2_vpc_net_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default)]
    vpc_ids: TextList,
    /// Filters of DescribeVpcs.
    #[serde(default)]
    filters: Filters,
}

impl AwsModule for VpcNetInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_net_info",
        "ec2_vpc_net_facts",
        "amazon.aws.ec2_vpc_net_info",
        "amazon.aws.ec2_vpc_net_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let vpcs = list(plan, &args.filters, &args.vpc_ids.0)?;
        let mut found = Vec::new();
        for vpc in &vpcs {
            let id = vpc.vpc_id().unwrap_or_default();
            let ask = |name| {
                plan.ec2()
                    .describe_vpc_attribute()
                    .vpc_id(id)
                    .attribute(name)
                    .send()
            };
            let support = plan.read(
                "ec2:DescribeVpcAttribute",
                ask(VpcAttributeName::EnableDnsSupport),
            )?;
            let names = plan.read(
                "ec2:DescribeVpcAttribute",
                ask(VpcAttributeName::EnableDnsHostnames),
            )?;
            let mut json = to_json(vpc);
            json["enable_dns_support"] = json!(support.enable_dns_support.and_then(|v| v.value));
            json["enable_dns_hostnames"] = json!(names.enable_dns_hostnames.and_then(|v| v.value));
            found.push(json);
        }
        Ok(plan.result(json!({"vpcs": found})))
    }
}
