//! Starting new instances.

use super::{Args, ids_of, set_attributes};
use crate::aws::modules::{instance, security_group, subnet};
use crate::aws::plan::{Plan, answered, fail, is_planned, note_created, planned_id};
use crate::aws::types::{Filters, Tags, TextList, seconds};
use crate::modules::Failure;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, IamInstanceProfileSpecification, Instance,
    InstanceNetworkInterfaceSpecification, InstanceState, InstanceStateName, InstanceType,
    Placement, ResourceType, ShutdownBehavior, Subnet, Tenancy, VolumeType,
};
use base64::Engine as _;

/// A volume of a new instance.
#[derive(Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeArgs {
    /// The device, such as `/dev/sda1`.
    device_name: String,
    /// The size in GiB.
    #[serde(default)]
    volume_size: TextList,
    #[serde(alias = "device_type")]
    #[schemars(extend("aliases" = ["device_type"]))]
    volume_type: Option<String>,
    #[serde(default)]
    iops: TextList,
    #[serde(alias = "snapshot_id")]
    #[schemars(extend("aliases" = ["snapshot_id"]))]
    snapshot: Option<String>,
    encrypted: Option<bool>,
    kms_key_id: Option<String>,
    delete_on_termination: Option<bool>,
    /// An instance store volume: `ephemeral0` and so on.
    ephemeral: Option<String>,
    /// Leaves out a device of the image.
    no_device: Option<bool>,
}

impl VolumeArgs {
    fn mapping(&self) -> Result<BlockDeviceMapping, Failure> {
        let device = BlockDeviceMapping::builder().device_name(&self.device_name);
        if self.no_device == Some(true) {
            return Ok(device.no_device("").build());
        }
        if let Some(name) = &self.ephemeral {
            if self.snapshot.is_some() {
                return fail(format!(
                    "volumes: {}: cannot set both ephemeral and snapshot",
                    self.device_name
                ));
            }
            return Ok(device.virtual_name(name).build());
        }
        let number = |list: &TextList, name: &str| -> Result<Option<i32>, Failure> {
            match list.0.first() {
                None => Ok(None),
                Some(text) => text.parse().map(Some).map_err(|_| {
                    Failure::new(format!(
                        "volumes: {}: {name} is {text:?}: not a number",
                        self.device_name
                    ))
                }),
            }
        };
        let size = number(&self.volume_size, "volume_size")?;
        if size.is_none() && self.snapshot.is_none() {
            return fail(format!(
                "volumes: {}: Size or snapshot must be specified for the volume",
                self.device_name
            ));
        }
        let ebs = EbsBlockDevice::builder()
            .set_volume_size(size)
            .set_volume_type(self.volume_type.as_deref().map(VolumeType::from))
            .set_iops(number(&self.iops, "iops")?)
            .set_snapshot_id(self.snapshot.clone())
            .set_encrypted(self.encrypted)
            .set_kms_key_id(self.kms_key_id.clone())
            // as the module has always done: a volume outlives its instance unless told otherwise
            .delete_on_termination(self.delete_on_termination.unwrap_or(false));
        Ok(device.ebs(ebs.build()).build())
    }
}

/// Starts `count` instances, and waits for them if asked to. In check mode gives what would be.
pub fn launch(args: &Args, count: i64, plan: &mut Plan) -> Result<Vec<Instance>, Failure> {
    let Some(image) = &args.image else {
        return fail("image parameter is required for new instance");
    };
    if args.assign_public_ip == Some(true) && args.vpc_subnet_id.is_none() {
        return fail("assign_public_ip only available with vpc_subnet_id");
    }
    if !args.group.0.is_empty() && !args.group_id.0.is_empty() {
        return fail("Use only one type of parameter (group_name) or (group_id)");
    }
    let count = i32::try_from(count)
        .map_err(|_| Failure::new(format!("{count} instances are too many for one request")))?;
    let subnet = match &args.vpc_subnet_id {
        Some(id) if !is_planned(id) => {
            let found = subnet::list(plan, &Filters::default(), &[id.to_string()])?;
            Some(answered("ec2:DescribeSubnets", found.into_iter().next())?)
        }
        _ => None,
    };
    let groups = groups(args, subnet.as_ref(), plan)?;
    let tags = args.instance_tags.clone().unwrap_or_default();

    let mut request = plan
        .ec2()
        .run_instances()
        .image_id(image)
        .min_count(count)
        .max_count(count)
        .set_key_name(args.key_name.clone().filter(|name| !name.is_empty()))
        .set_instance_type(args.instance_type.as_deref().map(InstanceType::from))
        .set_client_token(args.id.clone())
        .set_kernel_id(args.kernel.clone())
        .set_ramdisk_id(args.ramdisk.clone())
        .set_tag_specifications(tags.specification(ResourceType::Instance));
    if args.monitoring {
        request = request.monitoring(
            aws_sdk_ec2::types::RunInstancesMonitoringEnabled::builder()
                .enabled(true)
                .build(),
        );
    }
    if args.ebs_optimized {
        request = request.ebs_optimized(true);
    }
    if args.termination_protection == Some(true) {
        request = request.disable_api_termination(true);
    }
    if let Some(behavior) = &args.instance_initiated_shutdown_behavior {
        request =
            request.instance_initiated_shutdown_behavior(ShutdownBehavior::from(behavior.as_str()));
    }
    if let Some(name) = &args.instance_profile_name {
        let profile = IamInstanceProfileSpecification::builder();
        request = request.iam_instance_profile(if name.starts_with("arn:") {
            profile.arn(name).build()
        } else {
            profile.name(name).build()
        });
    }
    if args.zone.is_some() || args.tenancy.is_some() || args.placement_group.is_some() {
        request = request.placement(
            Placement::builder()
                .set_availability_zone(args.zone.clone())
                .set_tenancy(args.tenancy.as_deref().map(Tenancy::from))
                .set_group_name(args.placement_group.clone())
                .build(),
        );
    }
    if let Some(text) = &args.user_data {
        request = request.user_data(base64::engine::general_purpose::STANDARD.encode(text));
    }
    for volume in &args.volumes {
        request = request.block_device_mappings(volume.mapping()?);
    }
    if !args.network_interfaces.0.is_empty() {
        for (index, id) in args.network_interfaces.0.iter().enumerate() {
            request = request.network_interfaces(
                InstanceNetworkInterfaceSpecification::builder()
                    .device_index(index as i32)
                    .network_interface_id(id)
                    .delete_on_termination(false)
                    .build(),
            );
        }
    } else if let Some(public) = unusual_address(args, subnet.as_ref()) {
        request = request.network_interfaces(
            InstanceNetworkInterfaceSpecification::builder()
                .device_index(0)
                .set_subnet_id(args.vpc_subnet_id.clone())
                .set_private_ip_address(args.private_ip.clone())
                .set_groups((!groups.is_empty()).then_some(groups))
                .associate_public_ip_address(public)
                .delete_on_termination(true)
                .build(),
        );
    } else {
        request = request
            .set_subnet_id(args.vpc_subnet_id.clone())
            .set_private_ip_address(args.private_ip.clone())
            .set_security_group_ids((!groups.is_empty()).then_some(groups));
    }

    let made = plan.change_fresh("ec2:RunInstances", || request.clone().send())?;
    let Some(made) = made else {
        return Ok(predicted(args, count, &tags));
    };
    let mut instances = made.instances.unwrap_or_default();
    let ids = ids_of(&instances);
    for id in &ids {
        note_created(id);
    }
    let running = InstanceStateName::Running;
    if args.wait {
        instances = instance::wait_for(plan, &ids, &running, seconds(args.wait_timeout))?;
    }
    if args.source_dest_check == Some(false) {
        for one in &instances {
            set_attributes(
                &Args {
                    termination_protection: None,
                    ..args.clone()
                },
                one,
                plan,
            )?;
        }
    }
    Ok(instances)
}

/// Whether the instances get a public address, if that is not what the subnet does by itself.
///
/// Only then must the request describe the network interface, which leaves less to AWS's defaults.
fn unusual_address(args: &Args, subnet: Option<&Subnet>) -> Option<bool> {
    let wanted = args.assign_public_ip?;
    match subnet {
        Some(subnet) => (subnet.map_public_ip_on_launch() != Some(wanted)).then_some(wanted),
        None => args.vpc_subnet_id.is_some().then_some(wanted),
    }
}

/// The ids of the security groups.
fn groups(args: &Args, subnet: Option<&Subnet>, plan: &Plan) -> Result<Vec<String>, Failure> {
    let mut ids = args.group_id.0.clone();
    let vpc_id = subnet.and_then(|s| s.vpc_id());
    for name in &args.group.0 {
        if name.starts_with("sg-") {
            ids.push(name.clone());
            continue;
        }
        // in check mode, neither subnet nor group may be there yet
        if plan.check() && args.vpc_subnet_id.as_deref().is_some_and(is_planned) {
            continue;
        }
        let found = security_group::named(plan, vpc_id, name)?;
        match &found[..] {
            [group] => ids.push(group.group_id().unwrap_or_default().to_string()),
            [] if plan.check() => {}
            [] => {
                let place = vpc_id.map_or_else(
                    || format!("in {}", plan.aws.region()),
                    |id| format!("in VPC {id}"),
                );
                return fail(format!(
                    "The following group names are not valid: {name}: there is no such security group {place}"
                ));
            }
            _ => {
                return fail(format!(
                    "Several security groups are called {name}: use group_id"
                ));
            }
        }
    }
    Ok(ids)
}

fn predicted(args: &Args, count: i32, tags: &Tags) -> Vec<Instance> {
    (0..count)
        .map(|_| {
            Instance::builder()
                .instance_id(planned_id("i"))
                .set_image_id(args.image.clone())
                .set_instance_type(args.instance_type.as_deref().map(InstanceType::from))
                .set_key_name(args.key_name.clone())
                .set_subnet_id(args.vpc_subnet_id.clone())
                .set_tags(Some(tags.to_ec2()))
                .state(
                    InstanceState::builder()
                        .name(InstanceStateName::Pending)
                        .code(0)
                        .build(),
                )
                .build()
        })
        .collect()
}
