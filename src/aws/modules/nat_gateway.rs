//! `ec2_vpc_nat_gateway`, `ec2_vpc_nat_gateway_info`: NAT gateways.

use crate::aws::Refusal;
use crate::aws::modules::eip;
use crate::aws::plan::{AwsModule, Plan, fail, is_planned, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, seconds, time, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{ConnectivityType, DomainType, NatGateway, NatGatewayState, ResourceType};
use serde_json::json;

/// Creates and removes NAT gateways.
pub struct VpcNatGateway;

fn default_timeout() -> i64 {
    320
}

/// The options of `ec2_vpc_nat_gateway`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The gateway to remove.
    nat_gateway_id: Option<String>,
    /// The subnet that the gateway is in.
    subnet_id: Option<String>,
    /// The elastic IP to use. Without it and `eip_address` a new one is allocated.
    allocation_id: Option<String>,
    /// The elastic IP to use, by its address.
    eip_address: Option<String>,
    /// Whether the gateway leads to the internet.
    #[serde(default)]
    connectivity_type: Connectivity,
    /// Takes a gateway that the subnet has already.
    #[serde(default)]
    if_exist_do_not_create: bool,
    /// With `allocation_id` or `eip_address`: allocates a new address if that one does not exist.
    #[serde(default)]
    default_create: bool,
    /// Releases the gateway's elastic IPs when it is removed. Waits until it is gone.
    #[serde(default)]
    release_eip: bool,
    /// Waits until the gateway is available, or gone.
    #[serde(default)]
    wait: bool,
    /// For how many seconds to wait.
    #[serde(default = "default_timeout")]
    wait_timeout: i64,
    /// Makes a repeated creation return the first one's gateway.
    client_token: Option<String>,
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

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Connectivity {
    #[default]
    Public,
    Private,
}

impl AwsModule for VpcNatGateway {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_nat_gateway",
        "amazon.aws.ec2_vpc_nat_gateway",
        "community.aws.ec2_vpc_nat_gateway",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        match args.state {
            State::Present => present(args, plan),
            State::Absent => absent(args, plan),
        }
    }
}

fn present(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let Some(subnet) = args.subnet_id.clone() else {
        return fail("state is present but all of the following are missing: subnet_id");
    };
    let mut allocation = args.allocation_id.clone();
    if allocation.is_none()
        && let Some(address) = &args.eip_address
    {
        allocation = allocation_of(plan, address)?;
        if allocation.is_none() && !args.default_create {
            return fail(format!("There is no elastic IP {address}"));
        }
    }
    let live = [NatGatewayState::Available, NatGatewayState::Pending];
    let existing = in_subnet(plan, &subnet, &live)?
        .into_iter()
        .find(|gateway| match &allocation {
            _ if args.if_exist_do_not_create => true,
            Some(wanted) => gateway
                .nat_gateway_addresses()
                .iter()
                .any(|a| a.allocation_id() == Some(wanted)),
            None => false,
        });
    let gateway = match existing {
        Some(gateway) => {
            let id = gateway.nat_gateway_id().unwrap_or_default();
            let current = Tags::from_ec2(gateway.tags());
            plan.sync_tags(id, &current, args.tags.as_ref(), args.purge_tags)?;
            gateway
        }
        None => match create(&args, &subnet, allocation, plan)? {
            Some(gateway) => gateway,
            None => return Ok(plan.result(predicted(&args, &subnet))),
        },
    };
    let id = gateway.nat_gateway_id().unwrap_or_default().to_string();
    let gateway = if args.wait && gateway.state() != Some(&NatGatewayState::Available) {
        plan.wait(
            &format!("NAT gateway {id} to be available"),
            seconds(args.wait_timeout),
            |plan| {
                let Some(gateway) = describe(plan, &id)? else {
                    return Ok(None);
                };
                match gateway.state() {
                    Some(NatGatewayState::Available) => Ok(Some(gateway)),
                    Some(NatGatewayState::Failed | NatGatewayState::Deleted) => fail(format!(
                        "NAT gateway {id} failed: {}: {}",
                        gateway.failure_code().unwrap_or("unknown"),
                        gateway.failure_message().unwrap_or("AWS gives no reason")
                    )),
                    _ => Ok(None),
                }
            },
        )?
    } else if plan.changed() && !plan.check() {
        plan.wait_visible(&format!("NAT gateway {id}"), |plan| describe(plan, &id))?
    } else {
        gateway
    };
    Ok(plan.result(to_json(&gateway)))
}

fn create(
    args: &Args,
    subnet: &str,
    allocation: Option<String>,
    plan: &mut Plan,
) -> Result<Option<NatGateway>, Failure> {
    let ec2 = plan.ec2();
    let public = args.connectivity_type == Connectivity::Public;
    let mut own_address = None;
    let allocation = match allocation {
        Some(id) => Some(id),
        None if public => {
            let request = ec2.allocate_address().domain(DomainType::Vpc);
            let made = plan.change("ec2:AllocateAddress", request.send())?;
            own_address = made.and_then(|made| made.allocation_id);
            if let Some(id) = &own_address {
                note_created(id);
            }
            own_address.clone()
        }
        None => None,
    };
    let request = ec2
        .create_nat_gateway()
        .subnet_id(subnet)
        .set_allocation_id(allocation)
        .connectivity_type(if public {
            ConnectivityType::Public
        } else {
            ConnectivityType::Private
        })
        .set_client_token(args.client_token.clone())
        .set_tag_specifications(
            args.tags
                .as_ref()
                .and_then(|tags| tags.specification(ResourceType::Natgateway)),
        );
    match plan.change_fresh("ec2:CreateNatGateway", || request.clone().send()) {
        Ok(made) => {
            let gateway = made.and_then(|made| made.nat_gateway);
            if let Some(id) = gateway.as_ref().and_then(|g| g.nat_gateway_id()) {
                note_created(id);
            }
            Ok(gateway)
        }
        Err(refusal) => {
            // an address that nothing uses costs money: give back the one made for this gateway
            if let Some(id) = own_address {
                let release = ec2.release_address().allocation_id(id);
                plan.change("ec2:ReleaseAddress", release.send())?;
            }
            Err(refusal.into())
        }
    }
}

fn absent(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let gateway = match (&args.nat_gateway_id, &args.subnet_id) {
        (Some(id), _) => describe(plan, id)?,
        (None, Some(subnet)) => {
            let live = [
                NatGatewayState::Available,
                NatGatewayState::Pending,
                NatGatewayState::Failed,
            ];
            let mut found = in_subnet(plan, subnet, &live)?;
            if found.len() > 1 {
                return fail(format!(
                    "Subnet {subnet} has {} NAT gateways: say which with nat_gateway_id",
                    found.len()
                ));
            }
            found.pop()
        }
        (None, None) => {
            return fail("state is absent but all of the following are missing: nat_gateway_id");
        }
    };
    let Some(gateway) = gateway.filter(|g| {
        !matches!(
            g.state(),
            Some(NatGatewayState::Deleting | NatGatewayState::Deleted)
        )
    }) else {
        return Ok(plan.result(json!({})));
    };
    let ec2 = plan.ec2();
    let id = gateway.nat_gateway_id().unwrap_or_default().to_string();
    plan.change(
        "ec2:DeleteNatGateway",
        ec2.delete_nat_gateway().nat_gateway_id(&id).send(),
    )?;
    if plan.check() {
        return Ok(plan.result(to_json(&gateway)));
    }
    let addresses: Vec<_> = gateway
        .nat_gateway_addresses()
        .iter()
        .filter_map(|a| a.allocation_id().map(str::to_string))
        .collect();
    if args.wait || args.release_eip {
        plan.wait(
            &format!("NAT gateway {id} to be deleted"),
            seconds(args.wait_timeout),
            |plan| {
                let gone = describe(plan, &id)?
                    .is_none_or(|g| g.state() == Some(&NatGatewayState::Deleted));
                Ok(gone.then_some(()))
            },
        )?;
    }
    if args.release_eip {
        for allocation in addresses {
            // the address is free a little later than the gateway is gone
            plan.wait(
                &format!("elastic IP {allocation} to be released"),
                seconds(args.wait_timeout),
                |plan| {
                    let release = plan.ec2().release_address().allocation_id(&allocation);
                    match plan.read("ec2:ReleaseAddress", release.send()) {
                        Err(r) if r.is("InvalidIPAddress.InUse") || r.is("AuthFailure") => Ok(None),
                        Err(r) if r.is_not_found() => Ok(Some(())),
                        other => Ok(other.map(|_| Some(()))?),
                    }
                },
            )?;
        }
    }
    let now = describe(plan, &id)?.unwrap_or(gateway);
    Ok(plan.result(to_json(&now)))
}

fn in_subnet(
    plan: &Plan,
    subnet: &str,
    states: &[NatGatewayState],
) -> Result<Vec<NatGateway>, Refusal> {
    if is_planned(subnet) {
        return Ok(Vec::new());
    }
    let states = states.iter().map(|s| s.as_str().to_string()).collect();
    let filters = Filters(vec![
        ("subnet-id".into(), vec![subnet.to_string()]),
        ("state".into(), states),
    ]);
    list(plan, &filters, &[])
}

fn describe(plan: &Plan, id: &str) -> Result<Option<NatGateway>, Refusal> {
    Ok(list(plan, &Filters::by("nat-gateway-id", &[id]), &[])?.pop())
}

fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<NatGateway>, Refusal> {
    let request = plan
        .ec2()
        .describe_nat_gateways()
        .set_filter(filters.to_ec2())
        .set_nat_gateway_ids(given(ids));
    plan.read(
        "ec2:DescribeNatGateways",
        request.into_paginator().items().send().try_collect(),
    )
}

fn allocation_of(plan: &Plan, address: &str) -> Result<Option<String>, Refusal> {
    let found = eip::list(plan, &Filters::by("public-ip", &[address]))?.pop();
    Ok(found.and_then(|a| a.allocation_id))
}

fn predicted(args: &Args, subnet: &str) -> Json {
    compact(json!({
        "nat_gateway_id": planned_id("nat"), "subnet_id": subnet, "state": "pending",
        "nat_gateway_addresses": [],
        "tags": args.tags.clone().unwrap_or_default().to_json(),
    }))
}

fn to_json(gateway: &NatGateway) -> Json {
    compact(json!({
        "nat_gateway_id": gateway.nat_gateway_id(),
        "subnet_id": gateway.subnet_id(),
        "vpc_id": gateway.vpc_id(),
        "state": gateway.state().map(|s| s.as_str()),
        "connectivity_type": gateway.connectivity_type().map(|s| s.as_str()),
        "create_time": time(gateway.create_time()),
        "delete_time": time(gateway.delete_time()),
        "failure_code": gateway.failure_code(),
        "failure_message": gateway.failure_message(),
        "nat_gateway_addresses": gateway.nat_gateway_addresses().iter().map(|a| json!({
            "allocation_id": a.allocation_id(),
            "association_id": a.association_id(),
            "is_primary": a.is_primary(),
            "network_interface_id": a.network_interface_id(),
            "private_ip": a.private_ip(),
            "public_ip": a.public_ip(),
            "status": a.status().map(|s| s.as_str()),
        })).collect::<Vec<_>>(),
        "tags": Tags::from_ec2(gateway.tags()).to_json(),
    }))
}

/// Lists NAT gateways.
pub struct VpcNatGatewayInfo;

/// The options of `ec2_vpc_nat_gateway_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default)]
    nat_gateway_ids: TextList,
    /// Filters of DescribeNatGateways.
    #[serde(default)]
    filters: Filters,
}

impl AwsModule for VpcNatGatewayInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_nat_gateway_info",
        "ec2_vpc_nat_gateway_facts",
        "amazon.aws.ec2_vpc_nat_gateway_info",
        "amazon.aws.ec2_vpc_nat_gateway_facts",
        "community.aws.ec2_vpc_nat_gateway_info",
        "community.aws.ec2_vpc_nat_gateway_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found: Vec<_> = list(plan, &args.filters, &args.nat_gateway_ids.0)?
            .iter()
            .map(to_json)
            .collect();
        Ok(plan.result(json!({"result": found})))
    }
}
