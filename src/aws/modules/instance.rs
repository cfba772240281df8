//! Instances: listing them, waiting for them, and how results of the `ec2` module show them.

use crate::aws::Refusal;
use crate::aws::plan::{Plan, fail};
use crate::aws::types::{Filters, Json, Tags, given, legacy_time};
use crate::modules::Failure;
use aws_sdk_ec2::types::{Instance, InstanceStateName};
use serde_json::json;
use std::time::Duration;

/// The name of an instance's state; `pending` until AWS says.
pub fn state(instance: &Instance) -> InstanceStateName {
    instance
        .state()
        .and_then(|s| s.name())
        .cloned()
        .unwrap_or(InstanceStateName::Pending)
}

/// Instances by filters and ids.
pub fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<Instance>, Refusal> {
    let request = plan
        .ec2()
        .describe_instances()
        .set_filters(filters.to_ec2())
        .set_instance_ids(given(ids));
    let reservations = plan.read(
        "ec2:DescribeInstances",
        request.into_paginator().items().send().try_collect(),
    )?;
    Ok(reservations
        .into_iter()
        .flat_map(|r| r.instances.unwrap_or_default())
        .collect())
}

/// Instances by id, those AWS knows (yet, or still), in the order of the ids.
pub fn known(plan: &Plan, ids: &[String]) -> Result<Vec<Instance>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let filters = Filters::by("instance-id", ids);
    let mut found = list(plan, &filters, &[])?;
    found.sort_by_key(|i| {
        ids.iter()
            .position(|id| i.instance_id() == Some(id))
            .unwrap_or(usize::MAX)
    });
    Ok(found)
}

/// Waits until all of `ids` are in the state. Errors if one ends up where it cannot get there from.
pub fn wait_for(
    plan: &Plan,
    ids: &[String],
    wanted: &InstanceStateName,
    timeout: Duration,
) -> Result<Vec<Instance>, Failure> {
    use InstanceStateName::{Running, ShuttingDown, Terminated};
    let what = format!("instances {} to be {}", ids.join(", "), wanted.as_str());
    plan.wait(&what, timeout, |plan| {
        let found = known(plan, ids)?;
        if *wanted != Terminated
            && let Some(lost) = found
                .iter()
                .find(|i| matches!(state(i), Terminated | ShuttingDown))
        {
            let reason = lost
                .state_reason()
                .and_then(|r| r.message())
                .or(lost.state_transition_reason())
                .filter(|r| !r.is_empty())
                .unwrap_or("AWS gives no reason");
            return fail(format!(
                "instance {} was terminated: {reason}",
                lost.instance_id().unwrap_or_default()
            ));
        }
        // a terminated instance is forgotten after a while
        let all_there = found.len() == ids.len() || *wanted == Terminated;
        let settled = found.iter().all(|i| state(i) == *wanted);
        // an address in the VPC comes with the state
        let addressed =
            *wanted != Running || found.iter().all(|i| i.private_ip_address().is_some());
        Ok((all_there && settled && addressed).then_some(found))
    })
}

/// An instance as the module `ec2` of Ansible 2.x showed it.
pub fn to_legacy_json(instance: &Instance, region: &str) -> Json {
    let placement = instance.placement();
    let groups: serde_json::Map<String, Json> = instance
        .security_groups()
        .iter()
        .map(|g| {
            (
                g.group_id().unwrap_or_default().to_string(),
                json!(g.group_name()),
            )
        })
        .collect();
    let devices: serde_json::Map<String, Json> = instance
        .block_device_mappings()
        .iter()
        .map(|d| {
            let ebs = d.ebs();
            (
                d.device_name().unwrap_or_default().to_string(),
                json!({
                    "status": ebs.and_then(|e| e.status()).map(|s| s.as_str()),
                    "volume_id": ebs.and_then(|e| e.volume_id()),
                    "delete_on_termination": ebs.and_then(|e| e.delete_on_termination()),
                }),
            )
        })
        .collect();
    json!({
        "id": instance.instance_id(),
        "ami_launch_index": instance.ami_launch_index().map(|i| i.to_string()),
        "private_ip": instance.private_ip_address(),
        "private_dns_name": instance.private_dns_name(),
        "public_ip": instance.public_ip_address(),
        "dns_name": instance.public_dns_name().unwrap_or_default(),
        "public_dns_name": instance.public_dns_name().unwrap_or_default(),
        "state_code": instance.state().and_then(|s| s.code()),
        "architecture": instance.architecture().map(|a| a.as_str()),
        "image_id": instance.image_id(),
        "key_name": instance.key_name(),
        "placement": placement.and_then(|p| p.availability_zone()),
        "region": region,
        "kernel": instance.kernel_id(),
        "ramdisk": instance.ramdisk_id(),
        "launch_time": legacy_time(instance.launch_time()),
        "instance_type": instance.instance_type().map(|t| t.as_str()),
        "root_device_type": instance.root_device_type().map(|t| t.as_str()),
        "root_device_name": instance.root_device_name(),
        "state": state(instance).as_str(),
        "hypervisor": instance.hypervisor().map(|h| h.as_str()),
        "virtualization_type": instance.virtualization_type().map(|v| v.as_str()),
        "ebs_optimized": instance.ebs_optimized(),
        "tenancy": placement.and_then(|p| p.tenancy()).map_or("default", |t| t.as_str()),
        "tags": Tags::from_ec2(instance.tags()).to_json(),
        "groups": groups,
        "block_device_mapping": devices,
        "vpc_id": instance.vpc_id(),
        "subnet_id": instance.subnet_id(),
    })
}
