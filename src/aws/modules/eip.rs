//! `ec2_eip`, `ec2_eip_info`: elastic IP addresses.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, fail, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, compact, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use serde_json::json;

/// Allocates, associates and releases elastic IP addresses.
pub struct Ec2Eip;

/// The options of `ec2_eip`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The instance or network interface that gets the address.
    #[serde(alias = "instance_id")]
    #[schemars(extend("aliases" = ["instance_id"]))]
    device_id: Option<String>,
    /// An address that is allocated already.
    #[serde(alias = "ip")]
    #[schemars(extend("aliases" = ["ip"]))]
    public_ip: Option<String>,
    /// Has no effect: all addresses are for VPCs since EC2-Classic is gone.
    #[serde(default)]
    #[allow(dead_code, reason = "playbooks give it")]
    in_vpc: bool,
    /// Takes an allocated address that nothing uses.
    #[serde(default)]
    reuse_existing_ip_allowed: bool,
    /// With `reuse_existing_ip_allowed`: only addresses with this tag.
    tag_name: Option<String>,
    /// The value of that tag.
    tag_value: Option<String>,
    /// Releases the address when it is taken from its device.
    #[serde(default)]
    release_on_disassociation: bool,
    /// Which private address of the device it belongs to.
    private_ip_address: Option<String>,
    /// Takes the address from another device.
    #[serde(default)]
    allow_reassociation: bool,
    /// Allocates from this pool of own addresses.
    public_ipv4_pool: Option<String>,
    /// Has no effect.
    #[allow(dead_code, reason = "playbooks of Ansible 2.x give it")]
    wait_timeout: Option<i64>,
    /// Tags of the address.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    #[serde(default)]
    state: State,
}

impl AwsModule for Ec2Eip {
    const NAMES: &'static [&'static str] =
        &["ec2_eip", "amazon.aws.ec2_eip", "community.aws.ec2_eip"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        if args.private_ip_address.is_some() && args.device_id.is_none() {
            return fail("private_ip_address needs device_id");
        }
        let found = find(&args, plan)?;
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => absent(args, found, plan),
        }
    }
}

/// The address meant, if it exists: that of `public_ip`, or else that of the device.
fn find(args: &Args, plan: &Plan) -> Result<Option<Address>, Failure> {
    if let Some(ip) = &args.public_ip {
        let filters = Filters::by("public-ip", &[ip]);
        let found = list(plan, &filters)?.pop();
        if found.is_none() && args.state == State::Present {
            return fail(format!(
                "There is no elastic IP {ip} in {}",
                plan.aws.region()
            ));
        }
        return Ok(found);
    }
    let Some(device) = &args.device_id else {
        return Ok(None);
    };
    let name = if device.starts_with("eni-") {
        "network-interface-id"
    } else {
        "instance-id"
    };
    let mut found = list(plan, &Filters(vec![(name.into(), vec![device.clone()])]))?;
    if let Some(private) = &args.private_ip_address {
        found.retain(|a| a.private_ip_address() == Some(private));
    }
    Ok(found.pop())
}

/// Whether the address is the device's.
fn is_at(address: &Address, device: &str) -> bool {
    address.instance_id() == Some(device) || address.network_interface_id() == Some(device)
}

fn present(args: Args, found: Option<Address>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let address = match found {
        Some(address) => address,
        None => match reusable(&args, plan)? {
            Some(address) => address,
            None => allocate(&args, plan)?,
        },
    };
    let id = address.allocation_id().unwrap_or_default().to_string();
    if let Some(tags) = &args.tags {
        let current = Tags::from_ec2(address.tags());
        plan.sync_tags(&id, &current, Some(tags), args.purge_tags)?;
    }
    if let Some(device) = &args.device_id
        && !is_at(&address, device)
    {
        if address.association_id().is_some() && !args.allow_reassociation {
            return fail(format!(
                "Elastic IP {} is associated with {}: set allow_reassociation to move it",
                address.public_ip().unwrap_or(&id),
                address
                    .instance_id()
                    .or(address.network_interface_id())
                    .unwrap_or("another device")
            ));
        }
        let mut request = plan
            .ec2()
            .associate_address()
            .allocation_id(&id)
            .allow_reassociation(args.allow_reassociation)
            .set_private_ip_address(args.private_ip_address.clone());
        request = if device.starts_with("eni-") {
            request.network_interface_id(device)
        } else {
            request.instance_id(device)
        };
        plan.change_fresh("ec2:AssociateAddress", || request.clone().send())?;
    }
    Ok(plan.result(json!({
        "public_ip": address.public_ip(),
        "allocation_id": id,
    })))
}

/// An address that nothing uses, if such may be taken.
fn reusable(args: &Args, plan: &Plan) -> Result<Option<Address>, Refusal> {
    if !args.reuse_existing_ip_allowed {
        return Ok(None);
    }
    let mut filters = vec![("domain".to_string(), vec!["vpc".to_string()])];
    match (&args.tag_name, &args.tag_value) {
        (Some(name), Some(value)) => filters.push((format!("tag:{name}"), vec![value.clone()])),
        (Some(name), None) => filters.push(("tag-key".into(), vec![name.clone()])),
        _ => {}
    }
    let found = list(plan, &Filters(filters))?;
    Ok(found.into_iter().find(|a| a.association_id().is_none()))
}

fn allocate(args: &Args, plan: &mut Plan) -> Result<Address, Failure> {
    let request = plan
        .ec2()
        .allocate_address()
        .domain(DomainType::Vpc)
        .set_public_ipv4_pool(args.public_ipv4_pool.clone())
        .set_tag_specifications(
            args.tags
                .as_ref()
                .and_then(|tags| tags.specification(ResourceType::ElasticIp)),
        );
    let made = plan.change("ec2:AllocateAddress", request.send())?;
    let address = Address::builder().set_tags(args.tags.as_ref().map(Tags::to_ec2));
    Ok(match made {
        Some(made) => {
            note_created(made.allocation_id().unwrap_or_default());
            address
                .set_allocation_id(made.allocation_id)
                .set_public_ip(made.public_ip)
        }
        None => address.allocation_id(planned_id("eipalloc")),
    }
    .build())
}

fn absent(args: Args, found: Option<Address>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let ec2 = plan.ec2();
    let mut entries = json!({"disassociated": false, "released": false});
    if let Some(address) = found {
        let id = address.allocation_id().unwrap_or_default();
        let association = address.association_id();
        if let (Some(device), Some(association)) = (&args.device_id, association) {
            if !is_at(&address, device) {
                return Ok(plan.result(entries));
            }
            let request = ec2.disassociate_address().association_id(association);
            plan.change("ec2:DisassociateAddress", request.send())?;
            entries["disassociated"] = json!(true);
        }
        if args.device_id.is_none() || args.release_on_disassociation {
            if let (None, Some(association)) = (&args.device_id, association) {
                let request = ec2.disassociate_address().association_id(association);
                plan.change("ec2:DisassociateAddress", request.send())?;
                entries["disassociated"] = json!(true);
            }
            let request = ec2.release_address().allocation_id(id);
            plan.change("ec2:ReleaseAddress", request.send())?;
            entries["released"] = json!(true);
        }
    } else if args.public_ip.is_none() && args.device_id.is_none() {
        return fail("ec2_eip with state absent needs public_ip or device_id");
    }
    Ok(plan.result(entries))
}

/// Elastic IP addresses by filters.
pub fn list(plan: &Plan, filters: &Filters) -> Result<Vec<Address>, Refusal> {
    let request = plan
        .ec2()
        .describe_addresses()
        .set_filters(filters.to_ec2());
    // this request has no pages
    let answer = plan.read("ec2:DescribeAddresses", request.send())?;
    Ok(answer.addresses.unwrap_or_default())
}

/// Lists elastic IP addresses.
pub struct Ec2EipInfo;

/// The options of `ec2_eip_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Filters of DescribeAddresses.
    #[serde(default)]
    filters: Filters,
}

impl AwsModule for Ec2EipInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_eip_info",
        "ec2_eip_facts",
        "amazon.aws.ec2_eip_info",
        "community.aws.ec2_eip_info",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found: Vec<Json> = list(plan, &args.filters)?
            .iter()
            .map(|a| {
                compact(json!({
                    "allocation_id": a.allocation_id(),
                    "association_id": a.association_id(),
                    "domain": a.domain().map(|d| d.as_str()),
                    "instance_id": a.instance_id(),
                    "network_interface_id": a.network_interface_id(),
                    "network_interface_owner_id": a.network_interface_owner_id(),
                    "network_border_group": a.network_border_group(),
                    "private_ip_address": a.private_ip_address(),
                    "public_ip": a.public_ip(),
                    "public_ipv4_pool": a.public_ipv4_pool(),
                    "tags": Tags::from_ec2(a.tags()).to_json(),
                }))
            })
            .collect();
        Ok(plan.result(json!({"addresses": found})))
    }
}
