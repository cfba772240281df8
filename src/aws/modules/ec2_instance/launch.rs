//! Launching instances.

use super::change::{change, set_source_dest_check};
use super::groups::group_ids;
use super::info::to_json;
use super::state::{await_goal, bring_to_state};
use super::{Args, Volume, default_subnet, ids_of};
use crate::aws::modules::instance::list;
use crate::aws::plan::{Plan, fail};
use crate::aws::types::Filters;
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, IamInstanceProfileSpecification, Instance,
    InstanceNetworkInterfaceSpecification, InstanceType, Placement, ResourceType,
    RunInstancesMonitoringEnabled, ShutdownBehavior, VolumeType,
};
use serde_json::json;

pub(super) fn launch(
    args: &Args,
    count: usize,
    existing: Vec<Instance>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
    let old_ids = ids_of(&existing);
    let Some(image) = args.image_id() else {
        return fail("image_id or image.id is needed to launch an instance");
    };
    let Some(kind) = &args.instance_type else {
        return fail("instance_type is needed to launch an instance");
    };
    let count32 = i32::try_from(count).map_err(|_| Failure::new("too many instances"))?;
    let subnet = match args.subnet() {
        Some(id) => id.to_string(),
        None => default_subnet(plan, args.availability_zone.as_deref())?,
    };
    let groups = group_ids(&args.groups(), &subnet, plan)?;
    let tags = args.wanted_tags().unwrap_or_default();
    let mut request = plan
        .ec2()
        .run_instances()
        .image_id(image)
        .instance_type(InstanceType::from(kind.as_str()))
        .min_count(count32)
        .max_count(count32)
        .set_key_name(args.key_name.clone())
        .set_tag_specifications(tags.specification(ResourceType::Instance))
        .set_ebs_optimized(args.ebs_optimized)
        .set_disable_api_termination(args.termination_protection)
        .set_ramdisk_id(args.image.as_ref().and_then(|i| i.ramdisk.clone()))
        .set_kernel_id(args.image.as_ref().and_then(|i| i.kernel.clone()))
        .set_block_device_mappings(
            (!args.volumes.is_empty()).then(|| args.volumes.iter().map(volume).collect()),
        );
    if args.interfaces().next().is_none() {
        request = request
            .subnet_id(&subnet)
            .set_security_group_ids((!groups.is_empty()).then_some(groups));
    } else {
        for interface in args.interfaces() {
            let own = if interface.groups.0.is_empty() {
                groups.clone()
            } else {
                let names: Vec<&str> = interface.groups.0.iter().map(String::as_str).collect();
                group_ids(&names, &subnet, plan)?
            };
            request = request.network_interfaces(
                InstanceNetworkInterfaceSpecification::builder()
                    .device_index(interface.device_index)
                    .subnet_id(interface.subnet_id.as_ref().unwrap_or(&subnet))
                    .set_associate_public_ip_address(interface.assign_public_ip)
                    .set_private_ip_address(interface.private_ip_address.clone())
                    .set_description(interface.description.clone())
                    .delete_on_termination(interface.delete_on_termination.unwrap_or(true))
                    .set_groups((!own.is_empty()).then_some(own))
                    .build(),
            );
        }
    }
    if let Some(text) = &args.user_data {
        use base64::Engine;
        request = request.user_data(base64::engine::general_purpose::STANDARD.encode(text));
    }
    if let Some(on) = args.detailed_monitoring {
        request = request.monitoring(RunInstancesMonitoringEnabled::builder().enabled(on).build());
    }
    if let Some(profile) = &args.iam_instance_profile {
        let builder = IamInstanceProfileSpecification::builder();
        request = request.iam_instance_profile(if profile.starts_with("arn:") {
            builder.arn(profile).build()
        } else {
            builder.name(profile).build()
        });
    }
    if let Some(text) = &args.instance_initiated_shutdown_behavior {
        request =
            request.instance_initiated_shutdown_behavior(ShutdownBehavior::from(text.as_str()));
    }
    if let Some(placement) = placement(args) {
        request = request.placement(placement);
    }
    let made = plan.change_fresh("ec2:RunInstances", || request.clone().send())?;
    let Some(made) = made else {
        return Ok(plan.result(json!({
            "msg": "Would have launched instances if not in check_mode.",
            "instance_ids": old_ids,
            "instances": existing.iter().map(to_json).collect::<Vec<_>>(),
        })));
    };
    let ids = ids_of(&made.instances.unwrap_or_default());
    plan.wait_visible("the new instances", |plan| {
        let seen = list(plan, &Filters::default(), &ids)?;
        Ok((seen.len() == ids.len()).then_some(()))
    })?;
    if let Some(check) = args.source_dest_check.filter(|on| !on) {
        for id in &ids {
            set_source_dest_check(id, check, plan)?;
        }
    }
    if args.wait {
        await_goal(args, &ids, plan)?;
    }
    let created = list(plan, &Filters::default(), &ids)?;
    let all: Vec<String> = old_ids.iter().chain(&ids).cloned().collect();
    let mut entries = json!({
        "instance_ids": all,
        "instances": existing.iter().chain(&created).map(to_json).collect::<Vec<_>>(),
    });
    if !existing.is_empty() {
        change(args, &existing, plan)?;
        bring_to_state(args, &existing, plan)?;
        entries["changed_ids"] = json!(ids);
    }
    Ok(plan.result(entries))
}

fn placement(args: &Args) -> Option<Placement> {
    let mut builder = Placement::builder();
    match (&args.placement, &args.tenancy, &args.availability_zone) {
        (None, None, None) => return None,
        (Some(place), ..) => {
            builder = builder
                .set_availability_zone(place.availability_zone.clone())
                .set_group_name(place.group_name.clone())
                .set_tenancy(place.tenancy.as_deref().map(Into::into))
                .set_host_id(place.host_id.clone())
                .set_affinity(place.affinity.clone());
        }
        (None, tenancy, zone) => {
            builder = builder
                .set_tenancy(tenancy.as_deref().map(Into::into))
                .set_availability_zone(zone.clone());
        }
    }
    Some(builder.build())
}

fn volume(volume: &Volume) -> BlockDeviceMapping {
    let ebs = volume.ebs.as_ref().map(|e| {
        EbsBlockDevice::builder()
            .set_volume_type(e.volume_type.as_deref().map(VolumeType::from))
            .set_volume_size(e.volume_size)
            .set_iops(e.iops)
            .set_throughput(e.throughput)
            .set_snapshot_id(e.snapshot_id.clone())
            .set_kms_key_id(e.kms_key_id.clone())
            .set_encrypted(e.encrypted)
            .set_delete_on_termination(e.delete_on_termination)
            .build()
    });
    BlockDeviceMapping::builder()
        .device_name(&volume.device_name)
        .set_virtual_name(volume.virtual_name.clone())
        .set_ebs(ebs)
        .build()
}
