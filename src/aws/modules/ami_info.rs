//! `ec2_ami_info`: images.

use crate::aws::plan::{AwsModule, Plan};
use crate::aws::types::{Filters, Json, Tags, TextList, compact, given};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::Image;
use serde_json::json;

/// Lists images, the oldest first.
pub struct Ec2AmiInfo;

/// The options of `ec2_ami_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Only these.
    #[serde(default, alias = "image_id")]
    #[schemars(extend("aliases" = ["image_id"]))]
    image_ids: TextList,
    /// Whose: account numbers, `self`, `amazon`, `aws-marketplace`, or other aliases.
    #[serde(default, alias = "owner")]
    #[schemars(extend("aliases" = ["owner"]))]
    owners: TextList,
    /// Who may start them.
    #[serde(default, alias = "executable_user")]
    #[schemars(extend("aliases" = ["executable_user"]))]
    executable_users: TextList,
    /// Filters of DescribeImages; underscores in names stand for hyphens.
    #[serde(default)]
    filters: Filters,
    /// Asks for the launch permissions of each image too, which only its owner may.
    #[serde(default)]
    describe_image_attributes: bool,
}

impl AwsModule for Ec2AmiInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_ami_info",
        "ec2_ami_facts",
        "amazon.aws.ec2_ami_info",
        "amazon.aws.ec2_ami_facts",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let mut filters = args.filters;
        for (name, _) in &mut filters.0 {
            if !name.starts_with("tag") {
                *name = name.replace('_', "-");
            }
        }
        // other aliases than these two are known to the filter only
        let mut owners = Vec::new();
        for owner in args.owners.0 {
            if owner.bytes().all(|b| b.is_ascii_digit()) || owner == "self" || owner == "amazon" {
                owners.push(owner);
            } else {
                match filters.0.iter_mut().find(|(name, _)| name == "owner-alias") {
                    Some((_, values)) => values.push(owner),
                    None => filters.0.push(("owner-alias".into(), vec![owner])),
                }
            }
        }
        let request = plan
            .ec2()
            .describe_images()
            .set_image_ids(given(&args.image_ids.0))
            .set_owners(given(&owners))
            .set_executable_users(given(&args.executable_users.0))
            .set_filters(filters.to_ec2());
        let mut images = plan.read(
            "ec2:DescribeImages",
            request.into_paginator().items().send().try_collect(),
        )?;
        images.sort_by(|a, b| a.creation_date().cmp(&b.creation_date()));
        let mut found = Vec::new();
        for image in &images {
            let mut json = to_json(image);
            if args.describe_image_attributes {
                json["launch_permissions"] = launch_permissions(image, plan)?;
            }
            found.push(json);
        }
        Ok(plan.result(json!({"images": found})))
    }
}

fn launch_permissions(image: &Image, plan: &Plan) -> Result<Json, Failure> {
    let request = plan
        .ec2()
        .describe_image_attribute()
        .image_id(image.image_id().unwrap_or_default())
        .attribute(aws_sdk_ec2::types::ImageAttributeName::LaunchPermission);
    match plan.read("ec2:DescribeImageAttribute", request.send()) {
        Ok(answer) => Ok(answer
            .launch_permissions()
            .iter()
            .map(|p| {
                compact(json!({"group": p.group().map(|g| g.as_str()), "user_id": p.user_id()}))
            })
            .collect()),
        // images of others do not show theirs
        Err(refusal) if refusal.is("AuthFailure") => Ok(json!([])),
        Err(refusal) => Err(refusal.into()),
    }
}

fn to_json(image: &Image) -> Json {
    compact(json!({
        "architecture": image.architecture().map(|a| a.as_str()),
        "block_device_mappings": image.block_device_mappings().iter().map(|d| json!({
            "device_name": d.device_name(),
            "virtual_name": d.virtual_name(),
            "ebs": d.ebs().map(|e| json!({
                "delete_on_termination": e.delete_on_termination(),
                "encrypted": e.encrypted(),
                "iops": e.iops(),
                "snapshot_id": e.snapshot_id(),
                "throughput": e.throughput(),
                "volume_size": e.volume_size(),
                "volume_type": e.volume_type().map(|t| t.as_str()),
            })),
        })).collect::<Vec<_>>(),
        "boot_mode": image.boot_mode().map(|b| b.as_str()),
        "creation_date": image.creation_date(),
        "deprecation_time": image.deprecation_time(),
        "description": image.description(),
        "ena_support": image.ena_support(),
        "hypervisor": image.hypervisor().map(|h| h.as_str()),
        "image_id": image.image_id(),
        "image_location": image.image_location(),
        "image_owner_alias": image.image_owner_alias(),
        "image_type": image.image_type().map(|t| t.as_str()),
        "imds_support": image.imds_support().map(|t| t.as_str()),
        "is_public": image.public(),
        "kernel_id": image.kernel_id(),
        "name": image.name(),
        "owner_id": image.owner_id(),
        "platform": image.platform().map(|p| p.as_str()),
        "platform_details": image.platform_details(),
        "public": image.public(),
        "ramdisk_id": image.ramdisk_id(),
        "root_device_name": image.root_device_name(),
        "root_device_type": image.root_device_type().map(|t| t.as_str()),
        "sriov_net_support": image.sriov_net_support(),
        "state": image.state().map(|s| s.as_str()),
        "tags": Tags::from_ec2(image.tags()).to_json(),
        "usage_operation": image.usage_operation(),
        "virtualization_type": image.virtualization_type().map(|v| v.as_str()),
    }))
}
