//! `ec2_vpc_igw`, `ec2_vpc_igw_info`: internet gateways.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, fail, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{InternetGateway, ResourceType};
use serde_json::json;

/// Creates and removes the internet gateway of a VPC. One that is attached already is adopted.
pub struct VpcIgw;

/// The options of `ec2_vpc_igw`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The VPC that the gateway is attached to.
    vpc_id: Option<String>,
    /// The gateway itself, instead of the one attached to `vpc_id`.
    internet_gateway_id: Option<String>,
    /// Attaches the gateway to `vpc_id` even if it is attached to another VPC.
    #[serde(default)]
    force_attach: bool,
    /// Only detaches the gateway from its VPC.
    #[serde(default)]
    detach_vpc: bool,
    /// Tags of the gateway.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    #[serde(default)]
    state: State,
}

impl AwsModule for VpcIgw {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_igw",
        "amazon.aws.ec2_vpc_igw",
        "community.aws.ec2_vpc_igw",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        if args.vpc_id.is_none() && args.internet_gateway_id.is_none() {
            return fail("ec2_vpc_igw needs vpc_id or internet_gateway_id");
        }
        let found = find(&args, plan)?;
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => {
                if let Some(gateway) = found {
                    let id = gateway.internet_gateway_id().unwrap_or_default();
                    detach(&gateway, plan)?;
                    let request = plan.ec2().delete_internet_gateway().internet_gateway_id(id);
                    plan.change("ec2:DeleteInternetGateway", request.send())?;
                }
                Ok(plan.result(json!({})))
            }
        }
    }
}

fn present(
    args: Args,
    found: Option<InternetGateway>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
    let ec2 = plan.ec2();
    let wanted = args.tags.clone().unwrap_or_default();
    let (id, attached, tags) = match &found {
        Some(gateway) => {
            let id = gateway
                .internet_gateway_id()
                .unwrap_or_default()
                .to_string();
            let current = Tags::from_ec2(gateway.tags());
            let tags = plan.sync_tags(&id, &current, args.tags.as_ref(), args.purge_tags)?;
            (id, vpc_of(gateway), tags)
        }
        None => {
            if let Some(id) = &args.internet_gateway_id {
                return fail(format!("There is no internet gateway {id}"));
            }
            let request = ec2
                .create_internet_gateway()
                .set_tag_specifications(wanted.specification(ResourceType::InternetGateway));
            let made = plan.change("ec2:CreateInternetGateway", request.send())?;
            let id = match made.and_then(|made| made.internet_gateway) {
                Some(gateway) => {
                    let id = gateway.internet_gateway_id.unwrap_or_default();
                    note_created(&id);
                    id
                }
                None => planned_id("igw"),
            };
            (id, None, wanted)
        }
    };
    let mut vpc = attached.clone();
    if args.detach_vpc {
        if let Some(gateway) = &found {
            detach(gateway, plan)?;
        }
        vpc = None;
    } else if let Some(wanted) = &args.vpc_id
        && attached.as_ref() != Some(wanted)
    {
        if let (Some(other), Some(gateway)) = (&attached, &found) {
            if !args.force_attach {
                return fail(format!(
                    "Internet gateway {id} is attached to {other}: set force_attach to move it"
                ));
            }
            detach(gateway, plan)?;
        }
        plan.change_fresh("ec2:AttachInternetGateway", || {
            ec2.attach_internet_gateway()
                .internet_gateway_id(&id)
                .vpc_id(wanted)
                .send()
        })?;
        if !plan.check() {
            plan.wait_visible(&format!("internet gateway {id} to be attached"), |plan| {
                let found = describe(plan, &id)?;
                Ok(found.filter(|g| vpc_of(g).as_ref() == Some(wanted)))
            })?;
        }
        vpc = Some(wanted.clone());
    }
    Ok(plan.result(json!({
        "gateway_id": id,
        "internet_gateway_id": id,
        "vpc_id": vpc,
        "tags": tags.to_json(),
    })))
}

fn detach(gateway: &InternetGateway, plan: &mut Plan) -> Result<(), Refusal> {
    let id = gateway.internet_gateway_id().unwrap_or_default();
    if let Some(vpc) = vpc_of(gateway) {
        let request = plan
            .ec2()
            .detach_internet_gateway()
            .internet_gateway_id(id)
            .vpc_id(vpc);
        plan.change("ec2:DetachInternetGateway", request.send())?;
    }
    Ok(())
}

fn vpc_of(gateway: &InternetGateway) -> Option<String> {
    gateway
        .attachments()
        .first()
        .and_then(|a| a.vpc_id())
        .map(str::to_string)
}

fn find(args: &Args, plan: &Plan) -> Result<Option<InternetGateway>, Failure> {
    if let Some(id) = &args.internet_gateway_id {
        return Ok(describe(plan, id)?);
    }
    Ok(of_vpc(plan, args.vpc_id.as_deref().unwrap_or_default())?)
}

fn describe(plan: &Plan, id: &str) -> Result<Option<InternetGateway>, Refusal> {
    Ok(list(plan, &Filters::by("internet-gateway-id", &[id]), &[])?.pop())
}

/// The internet gateway that is attached to a VPC: there can be only one.
pub fn of_vpc(plan: &Plan, vpc_id: &str) -> Result<Option<InternetGateway>, Refusal> {
    let filters = Filters::by("attachment.vpc-id", &[vpc_id]);
    Ok(list(plan, &filters, &[])?.pop())
}

fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<InternetGateway>, Refusal> {
    let request = plan
        .ec2()
        .describe_internet_gateways()
        .set_filters(filters.to_ec2())
        .set_internet_gateway_ids(given(ids));
    plan.read(
        "ec2:DescribeInternetGateways",
        request.into_paginator().items().send().try_collect(),
    )
}

/// Lists internet gateways.
pub struct VpcIgwInfo;

/// The options of `ec2_vpc_igw_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default)]
    internet_gateway_ids: TextList,
    /// Filters of DescribeInternetGateways.
    #[serde(default)]
    filters: Filters,
    /// Returns tags as a dictionary rather than as a list of keys and values.
    #[serde(default = "yes")]
    convert_tags: bool,
}

impl AwsModule for VpcIgwInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_igw_info",
        "ec2_vpc_igw_facts",
        "amazon.aws.ec2_vpc_igw_info",
        "amazon.aws.ec2_vpc_igw_facts",
        "community.aws.ec2_vpc_igw_info",
        "community.aws.ec2_vpc_igw_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found: Vec<Json> = list(plan, &args.filters, &args.internet_gateway_ids.0)?
            .iter()
            .map(|gateway| {
                let tags = if args.convert_tags {
                    Tags::from_ec2(gateway.tags()).to_json()
                } else {
                    gateway
                        .tags()
                        .iter()
                        .map(|t| json!({"key": t.key(), "value": t.value()}))
                        .collect()
                };
                compact(json!({
                    "internet_gateway_id": gateway.internet_gateway_id(),
                    "attachments": gateway.attachments().iter().map(|a| json!({
                        "state": a.state().map(|s| s.as_str()),
                        "vpc_id": a.vpc_id(),
                    })).collect::<Vec<_>>(),
                    "owner_id": gateway.owner_id(),
                    "tags": tags,
                }))
            })
            .collect();
        Ok(plan.result(json!({"internet_gateways": found})))
    }
}
