//! `ec2_instance_info`: instances, and how results show them.

use crate::aws::modules::instance::list;
use crate::aws::plan::{AwsModule, Plan};
use crate::aws::types::{Filters, Json, Tags, TextList, compact, time};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::Instance;
use serde_json::json;

/// An instance as today's modules show it.
pub(super) fn to_json(i: &Instance) -> Json {
    let groups = |groups: &[aws_sdk_ec2::types::GroupIdentifier]| {
        groups
            .iter()
            .map(|g| json!({"group_id": g.group_id(), "group_name": g.group_name()}))
            .collect::<Vec<_>>()
    };
    let mut json = compact(json!({
        "ami_launch_index": i.ami_launch_index(),
        "architecture": i.architecture().map(|a| a.as_str()),
        "block_device_mappings": i.block_device_mappings().iter().map(|m| json!({
            "device_name": m.device_name(),
            "ebs": m.ebs().map(|e| json!({
                "attach_time": time(e.attach_time()),
                "delete_on_termination": e.delete_on_termination(),
                "status": e.status().map(|s| s.as_str()),
                "volume_id": e.volume_id(),
            })),
        })).collect::<Vec<_>>(),
        "client_token": i.client_token(),
        "ebs_optimized": i.ebs_optimized(),
        "ena_support": i.ena_support(),
        "hypervisor": i.hypervisor().map(|h| h.as_str()),
        "iam_instance_profile": i.iam_instance_profile().map(|p| json!({"arn": p.arn(), "id": p.id()})),
        "image_id": i.image_id(),
        "instance_id": i.instance_id(),
        "instance_lifecycle": i.instance_lifecycle().map(|l| l.as_str()),
        "instance_type": i.instance_type().map(|t| t.as_str()),
        "kernel_id": i.kernel_id(),
        "key_name": i.key_name(),
        "launch_time": time(i.launch_time()),
        "monitoring": i.monitoring().map(|m| json!({"state": m.state().map(|s| s.as_str())})),
        "network_interfaces": i.network_interfaces().iter().map(|n| json!({
            "network_interface_id": n.network_interface_id(),
            "description": n.description(),
            "groups": groups(n.groups()),
            "mac_address": n.mac_address(),
            "owner_id": n.owner_id(),
            "private_dns_name": n.private_dns_name(),
            "private_ip_address": n.private_ip_address(),
            "source_dest_check": n.source_dest_check(),
            "status": n.status().map(|s| s.as_str()),
            "subnet_id": n.subnet_id(),
            "vpc_id": n.vpc_id(),
            "association": n.association().map(|a| json!({
                "ip_owner_id": a.ip_owner_id(),
                "public_dns_name": a.public_dns_name(),
                "public_ip": a.public_ip(),
            })),
        })).collect::<Vec<_>>(),
        "placement": i.placement().map(|p| json!({
            "availability_zone": p.availability_zone(),
            "group_name": p.group_name(),
            "tenancy": p.tenancy().map(|t| t.as_str()),
        })),
        "platform": i.platform().map(|p| p.as_str()),
        "private_dns_name": i.private_dns_name(),
        "private_ip_address": i.private_ip_address(),
        "product_codes": i.product_codes().iter().map(|c| json!({
            "product_code_id": c.product_code_id(),
            "product_code_type": c.product_code_type().map(|t| t.as_str()),
        })).collect::<Vec<_>>(),
        "public_dns_name": i.public_dns_name(),
        "public_ip_address": i.public_ip_address(),
        "ramdisk_id": i.ramdisk_id(),
        "root_device_name": i.root_device_name(),
        "root_device_type": i.root_device_type().map(|t| t.as_str()),
        "security_groups": groups(i.security_groups()),
        "source_dest_check": i.source_dest_check(),
        "spot_instance_request_id": i.spot_instance_request_id(),
        "state": i.state().map(|s| json!({"code": s.code(), "name": s.name().map(|n| n.as_str())})),
        "state_transition_reason": i.state_transition_reason(),
        "subnet_id": i.subnet_id(),
        "virtualization_type": i.virtualization_type().map(|v| v.as_str()),
        "vpc_id": i.vpc_id(),
    }));
    json["tags"] = Tags::from_ec2(i.tags()).to_json();
    json
}

/// Lists instances.
pub struct Ec2InstanceInfo;

/// The options of `ec2_instance_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default)]
    instance_ids: TextList,
    /// Filters of DescribeInstances.
    #[serde(default)]
    filters: Filters,
    /// Only those that started at least this many minutes ago.
    #[serde(alias = "uptime")]
    #[schemars(extend("aliases" = ["uptime"]))]
    minimum_uptime: Option<i64>,
}

impl AwsModule for Ec2InstanceInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_instance_info",
        "ec2_instance_facts",
        "amazon.aws.ec2_instance_info",
        "amazon.aws.ec2_instance_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_secs() as i64);
        let found = list(plan, &args.filters, &args.instance_ids.0)?;
        let old_enough = |i: &&Instance| {
            args.minimum_uptime.is_none_or(|minutes| {
                i.launch_time()
                    .is_some_and(|t| t.secs() <= now - minutes * 60)
            })
        };
        let found: Vec<_> = found.iter().filter(old_enough).map(to_json).collect();
        Ok(plan.result(json!({"instances": found})))
    }
}
