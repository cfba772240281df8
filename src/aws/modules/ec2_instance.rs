//! `ec2_instance`, `ec2_instance_info`: EC2 instances, as today's collection manages them.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, fail, is_planned, planned_id};
use crate::aws::types::{Filters, Json, Tags, TextList, compact, filter, seconds, time, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, BlockDeviceMapping, EbsBlockDevice,
    IamInstanceProfileSpecification, Instance, InstanceNetworkInterfaceSpecification, InstanceType,
    Placement, ResourceType, RunInstancesMonitoringEnabled, ShutdownBehavior, VolumeType,
};
use serde_json::json;

/// Launches, changes, starts, stops and terminates instances.
///
/// Which instances are meant: `instance_ids`, `filters`, or else those with the same Name tag, image and subnet.
/// See <https://docs.ansible.com/ansible/latest/collections/amazon/aws/ec2_instance_module.html>.
pub struct Ec2Instance;

/// What is to become of the instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    #[default]
    Present,
    Running,
    Started,
    Stopped,
    Restarted,
    Rebooted,
    Terminated,
    Absent,
}

fn default_timeout() -> i64 {
    600
}

/// The options of `ec2_instance`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// `present` and `running` differ in that `running` starts what is stopped; `started` also waits for the status checks.
    #[serde(default)]
    state: Goal,
    /// These instances.
    #[serde(default)]
    instance_ids: TextList,
    /// The instances that match; see DescribeInstances.
    filters: Option<Filters>,
    /// How many instances are to match; the oldest ones are terminated if there are more.
    exact_count: Option<usize>,
    /// How many to launch, whatever there is.
    count: Option<usize>,
    /// The Name tag.
    name: Option<String>,
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    image_id: Option<String>,
    /// The image as a dictionary.
    image: Option<Image>,
    /// An instance of another type is stopped and changed.
    instance_type: Option<String>,
    key_name: Option<String>,
    #[serde(alias = "subnet_id")]
    #[schemars(extend("aliases" = ["subnet_id"]))]
    vpc_subnet_id: Option<String>,
    /// A security group by name or ID.
    security_group: Option<String>,
    /// Security groups by name or ID.
    #[serde(default)]
    security_groups: TextList,
    #[serde(default)]
    network_interfaces: Vec<Interface>,
    /// The old form of `network_interfaces`: one of them.
    network: Option<Interface>,
    availability_zone: Option<String>,
    user_data: Option<String>,
    ebs_optimized: Option<bool>,
    detailed_monitoring: Option<bool>,
    /// Name or ARN.
    #[serde(alias = "instance_role")]
    #[schemars(extend("aliases" = ["instance_role"]))]
    iam_instance_profile: Option<String>,
    #[serde(default)]
    volumes: Vec<Volume>,
    termination_protection: Option<bool>,
    source_dest_check: Option<bool>,
    instance_initiated_shutdown_behavior: Option<String>,
    placement: Option<Place>,
    tenancy: Option<String>,
    #[serde(default = "yes")]
    wait: bool,
    /// For how many seconds to wait.
    #[serde(default = "default_timeout")]
    wait_timeout: i64,
}

/// An image in its dictionary form.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    id: Option<String>,
    ramdisk: Option<String>,
    kernel: Option<String>,
}

/// A network interface to create with the instance.
#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    assign_public_ip: Option<bool>,
    private_ip_address: Option<String>,
    description: Option<String>,
    subnet_id: Option<String>,
    delete_on_termination: Option<bool>,
    #[serde(default)]
    device_index: i32,
    /// Security groups by name or ID.
    #[serde(default)]
    groups: TextList,
}

/// A volume to create with the instance.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    device_name: String,
    virtual_name: Option<String>,
    ebs: Option<Ebs>,
}

/// The properties of a volume.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ebs {
    volume_type: Option<String>,
    volume_size: Option<i32>,
    iops: Option<i32>,
    throughput: Option<i32>,
    snapshot_id: Option<String>,
    kms_key_id: Option<String>,
    encrypted: Option<bool>,
    delete_on_termination: Option<bool>,
}

/// Where the instance is placed.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    availability_zone: Option<String>,
    group_name: Option<String>,
    tenancy: Option<String>,
    host_id: Option<String>,
    affinity: Option<String>,
}

impl Args {
    fn image_id(&self) -> Option<&str> {
        self.image_id
            .as_deref()
            .or_else(|| self.image.as_ref()?.id.as_deref())
    }

    fn subnet(&self) -> Option<&str> {
        self.vpc_subnet_id.as_deref().or_else(|| {
            self.interfaces()
                .next()
                .and_then(|i| i.subnet_id.as_deref())
        })
    }

    fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.network_interfaces.iter().chain(&self.network)
    }

    fn groups(&self) -> Vec<&str> {
        let first = self.interfaces().next().map(|i| &i.groups.0[..]);
        match first {
            Some(groups) if !groups.is_empty() => groups.iter().map(String::as_str).collect(),
            _ => (self.security_group.iter())
                .chain(&self.security_groups.0)
                .map(String::as_str)
                .collect(),
        }
    }

    /// The tags that new instances get; `name` is one of them.
    fn wanted_tags(&self) -> Option<Tags> {
        let mut tags = self.tags.clone();
        if let Some(name) = &self.name {
            tags.get_or_insert_default()
                .0
                .insert("Name".into(), name.clone());
        }
        tags
    }

    /// Errors where two options exclude each other.
    fn consistent(&self) -> Result<(), Failure> {
        let both = [
            (
                self.security_group.is_some() && !self.security_groups.0.is_empty(),
                "security_groups|security_group",
            ),
            (
                self.availability_zone.is_some() && self.vpc_subnet_id.is_some(),
                "availability_zone|vpc_subnet_id",
            ),
            (
                self.image_id.is_some() && self.image.is_some(),
                "image_id|image",
            ),
            (
                self.exact_count.is_some() && self.count.is_some(),
                "exact_count|count",
            ),
            (
                self.exact_count.is_some() && !self.instance_ids.0.is_empty(),
                "exact_count|instance_ids",
            ),
            (
                self.tenancy.is_some() && self.placement.is_some(),
                "tenancy|placement",
            ),
            (
                self.network.is_some() && !self.network_interfaces.is_empty(),
                "network|network_interfaces",
            ),
        ];
        match both.iter().find(|(given, _)| *given) {
            Some((_, names)) => fail(format!("parameters are mutually exclusive: {names}")),
            None => Ok(()),
        }
    }
}

impl AwsModule for Ec2Instance {
    const NAMES: &'static [&'static str] = &["ec2_instance", "amazon.aws.ec2_instance"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        args.consistent()?;
        let filters = match &args.filters {
            Some(filters) => dashed(filters),
            None => default_filters(&args, plan)?,
        };
        let found = if filters.0.is_empty() {
            Vec::new()
        } else {
            list(plan, &filters, &[])?
        };
        match (args.state, args.exact_count, args.count) {
            (Goal::Terminated | Goal::Absent, ..) => terminate(&args, found, plan),
            (_, Some(count), _) => exactly(&args, count, found, plan),
            (_, None, None) if !found.is_empty() => keep(&args, found, plan),
            (_, None, count) => launch(&args, count.unwrap_or(1), found, plan),
        }
    }
}

/// Filter names may be written with underscores.
fn dashed(filters: &Filters) -> Filters {
    let name = |name: &String| {
        if name.starts_with("tag:") {
            name.clone()
        } else {
            name.replace('_', "-")
        }
    };
    Filters(
        filters
            .0
            .iter()
            .map(|(n, v)| (name(n), v.clone()))
            .collect(),
    )
}

/// The instances that the options describe.
fn default_filters(args: &Args, plan: &Plan) -> Result<Filters, Failure> {
    let mut filters = Vec::new();
    let mut by = |name: &str, values: Vec<String>| filters.push((name.to_string(), values));
    if !args.instance_ids.0.is_empty() {
        by("instance-id", args.instance_ids.0.clone());
    } else {
        let subnet = match args.subnet() {
            Some(id) => id.to_string(),
            None => default_subnet(plan, args.availability_zone.as_deref())?,
        };
        by("subnet-id", vec![subnet]);
        let tags = args.wanted_tags().unwrap_or_default();
        if let Some(name) = tags.0.get("Name") {
            by("tag:Name", vec![name.clone()]);
        }
        if let Some(image) = args.image_id() {
            by("image-id", vec![image.to_string()]);
        }
    }
    let alive = ["pending", "running", "stopping", "stopped"];
    by("instance-state-name", alive.map(str::to_string).to_vec());
    Ok(Filters(filters))
}

/// The default VPC's subnet in the first zone, or in this one.
fn default_subnet(plan: &Plan, zone: Option<&str>) -> Result<String, Failure> {
    let mut request = plan
        .ec2()
        .describe_subnets()
        .filters(filter("default-for-az", &["true"]));
    if let Some(zone) = zone {
        request = request.filters(filter("availability-zone", &[zone]));
    }
    let answer = plan.read("ec2:DescribeSubnets", request.send())?;
    let mut subnets = answer.subnets.unwrap_or_default();
    subnets.sort_by(|a, b| a.availability_zone().cmp(&b.availability_zone()));
    match subnets.first().and_then(|s| s.subnet_id()) {
        Some(id) => Ok(id.to_string()),
        None => fail(
            "No default subnet could be found - you must include a VPC subnet ID (vpc_subnet_id parameter) to modify security groups or to launch an instance",
        ),
    }
}

/// As many as `count`: launches what is missing, terminates the oldest of what is too much.
fn exactly(
    args: &Args,
    count: usize,
    mut found: Vec<Instance>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
    if found.len() < count {
        let missing = count - found.len();
        return launch(args, missing, found, plan);
    }
    if found.len() == count {
        return keep(args, found, plan);
    }
    found.sort_by_key(|i| i.launch_time().map(|t| t.secs()));
    let ids = ids_of(&found);
    let rest = found.split_off(found.len() - count);
    let gone = ids_of(&found);
    stop_for_good(args, &found, plan)?;
    change(args, &rest, plan)?;
    Ok(plan.result(json!({
        "msg": if plan.check() { format!("Would have terminated following instances if not in check mode {gone:?}") }
               else { "Successfully terminated instances.".to_string() },
        "terminated_ids": gone,
        "instance_ids": ids,
        "instances": found.iter().chain(&rest).map(to_json).collect::<Vec<_>>(),
    })))
}

/// Existing instances: tags, attributes, then running or stopped.
fn keep(args: &Args, found: Vec<Instance>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    change(args, &found, plan)?;
    let ids = ids_of(&found);
    let moved = bring_to_state(args, &found, plan)?;
    let now = if plan.changed() && !plan.check() {
        list(plan, &Filters::default(), &ids)?
    } else {
        found
    };
    let mut entries = json!({
        "instance_ids": ids,
        "instances": now.iter().map(to_json).collect::<Vec<_>>(),
    });
    match args.state {
        Goal::Running | Goal::Started => {
            entries["start_success"] = json!(moved);
            entries["start_failed"] = json!([]);
        }
        Goal::Stopped => {
            entries["stop_success"] = json!(moved);
            entries["stop_failed"] = json!([]);
        }
        Goal::Restarted | Goal::Rebooted => {
            entries["reboot_success"] = json!(moved);
            entries["reboot_failed"] = json!([]);
        }
        _ => {}
    }
    Ok(plan.result(entries))
}

fn launch(
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

/// Makes tags and attributes of existing instances the wanted ones.
fn change(args: &Args, found: &[Instance], plan: &mut Plan) -> Result<(), Failure> {
    let tags = args.wanted_tags();
    // a name alone says nothing about other tags
    let purge = args.purge_tags && args.tags.is_some();
    for instance in found {
        let id = instance.instance_id().unwrap_or_default();
        let current = Tags::from_ec2(instance.tags());
        let now = plan.sync_tags(id, &current, tags.as_ref(), purge)?;
        plan.note_diff(current.to_json(), now.to_json());
        change_type(args, instance, plan)?;
        let ec2 = plan.ec2();
        if let Some(on) = args
            .ebs_optimized
            .filter(|on| instance.ebs_optimized() != Some(*on))
        {
            let value = AttributeBooleanValue::builder().value(on).build();
            let request = ec2
                .modify_instance_attribute()
                .instance_id(id)
                .ebs_optimized(value);
            plan.change("ec2:ModifyInstanceAttribute", request.send())?;
        }
        if let Some(on) = args.termination_protection
            && protected(id, plan)? != on
        {
            let value = AttributeBooleanValue::builder().value(on).build();
            let request = ec2
                .modify_instance_attribute()
                .instance_id(id)
                .disable_api_termination(value);
            plan.change("ec2:ModifyInstanceAttribute", request.send())?;
        }
        if let Some(on) = args
            .source_dest_check
            .filter(|on| instance.source_dest_check() != Some(*on))
        {
            set_source_dest_check(id, on, plan)?;
        }
        change_groups(args, instance, plan)?;
    }
    Ok(())
}

fn change_groups(args: &Args, instance: &Instance, plan: &mut Plan) -> Result<(), Failure> {
    let names = args.groups();
    if names.is_empty() {
        return Ok(());
    }
    let id = instance.instance_id().unwrap_or_default();
    if instance.network_interfaces().len() > 1 {
        crate::notice::warning(format!(
            "The security groups of {id} are left as they are: it has several network interfaces."
        ));
        return Ok(());
    }
    let subnet = args
        .subnet()
        .or(instance.subnet_id())
        .unwrap_or_default()
        .to_string();
    let mut wanted = group_ids(&names, &subnet, plan)?;
    wanted.sort();
    let mut current: Vec<&str> = match instance.network_interfaces() {
        [one] => one.groups().iter().filter_map(|g| g.group_id()).collect(),
        _ => instance
            .security_groups()
            .iter()
            .filter_map(|g| g.group_id())
            .collect(),
    };
    current.sort_unstable();
    if current != wanted {
        let request = plan
            .ec2()
            .modify_instance_attribute()
            .instance_id(id)
            .set_groups(Some(wanted));
        plan.change("ec2:ModifyInstanceAttribute", request.send())?;
    }
    Ok(())
}

/// Another type needs the instance stopped; it is started again if it ran.
fn change_type(args: &Args, instance: &Instance, plan: &mut Plan) -> Result<(), Failure> {
    let Some(wanted) = &args.instance_type else {
        return Ok(());
    };
    if instance.instance_type().map(|t| t.as_str()) == Some(wanted) {
        return Ok(());
    }
    let id = instance.instance_id().unwrap_or_default().to_string();
    let ids = [id.clone()];
    let ran = matches!(state_of(instance), "running" | "pending");
    let ec2 = plan.ec2();
    if ran {
        plan.change(
            "ec2:StopInstances",
            ec2.stop_instances().instance_ids(&id).send(),
        )?;
        await_state(&ids, "stopped", args.wait_timeout, plan)?;
    }
    let value = AttributeValue::builder().value(wanted).build();
    let request = ec2
        .modify_instance_attribute()
        .instance_id(&id)
        .instance_type(value);
    plan.change("ec2:ModifyInstanceAttribute", request.send())?;
    if ran && args.state != Goal::Stopped {
        plan.change(
            "ec2:StartInstances",
            ec2.start_instances().instance_ids(&id).send(),
        )?;
        await_state(&ids, "running", args.wait_timeout, plan)?;
    }
    Ok(())
}

fn protected(id: &str, plan: &Plan) -> Result<bool, Failure> {
    let request = plan
        .ec2()
        .describe_instance_attribute()
        .instance_id(id)
        .attribute(aws_sdk_ec2::types::InstanceAttributeName::DisableApiTermination);
    let answer = plan.read("ec2:DescribeInstanceAttribute", request.send())?;
    Ok(answer
        .disable_api_termination()
        .and_then(|v| v.value())
        .unwrap_or(false))
}

fn set_source_dest_check(id: &str, on: bool, plan: &mut Plan) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    let request = plan
        .ec2()
        .modify_instance_attribute()
        .instance_id(id)
        .source_dest_check(value);
    plan.change("ec2:ModifyInstanceAttribute", request.send())?;
    Ok(())
}

/// Starts or stops what is not as wanted. Gives the IDs of those.
fn bring_to_state(
    args: &Args,
    found: &[Instance],
    plan: &mut Plan,
) -> Result<Vec<String>, Failure> {
    let ec2 = plan.ec2();
    let with = |wanted: &[&str]| {
        let some = found.iter().filter(|i| wanted.contains(&state_of(i)));
        some.filter_map(|i| i.instance_id().map(str::to_string))
            .collect::<Vec<_>>()
    };
    let start = match args.state {
        Goal::Running | Goal::Started => with(&["stopped", "stopping"]),
        Goal::Restarted | Goal::Rebooted => ids_of(found),
        _ => Vec::new(),
    };
    let stop = match args.state {
        Goal::Stopped | Goal::Restarted | Goal::Rebooted => with(&["running", "pending"]),
        _ => Vec::new(),
    };
    if !stop.is_empty() {
        await_state(&with(&["pending"]), "running", args.wait_timeout, plan)?;
        let request = ec2.stop_instances().set_instance_ids(Some(stop.clone()));
        plan.change("ec2:StopInstances", request.send())?;
        if args.wait || !start.is_empty() {
            await_state(&stop, "stopped", args.wait_timeout, plan)?;
        }
    }
    if !start.is_empty() {
        await_state(&with(&["stopping"]), "stopped", args.wait_timeout, plan)?;
        let request = ec2.start_instances().set_instance_ids(Some(start.clone()));
        plan.change("ec2:StartInstances", request.send())?;
        if args.wait {
            await_goal(args, &start, plan)?;
        }
    }
    Ok(if start.is_empty() { stop } else { start })
}

fn terminate(args: &Args, found: Vec<Instance>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    if found.is_empty() {
        return Ok(plan.result(json!({"msg": "No matching instances found"})));
    }
    let ids = ids_of(&found);
    stop_for_good(args, &found, plan)?;
    Ok(plan.result(json!({
        "msg": "Instances terminated",
        "terminate_success": ids,
        "terminate_failed": [],
        "instance_ids": ids,
        "instances": found.iter().map(to_json).collect::<Vec<_>>(),
    })))
}

fn stop_for_good(args: &Args, found: &[Instance], plan: &mut Plan) -> Result<(), Failure> {
    let alive: Vec<String> = found
        .iter()
        .filter(|i| !matches!(state_of(i), "terminated" | "shutting-down"))
        .filter_map(|i| i.instance_id().map(str::to_string))
        .collect();
    if alive.is_empty() {
        return Ok(());
    }
    let request = plan
        .ec2()
        .terminate_instances()
        .set_instance_ids(Some(alive.clone()));
    plan.change("ec2:TerminateInstances", request.send())?;
    if args.wait {
        await_state(&alive, "terminated", args.wait_timeout, plan)?;
    }
    Ok(())
}

/// Waits for what `state` asks of instances that run.
fn await_goal(args: &Args, ids: &[String], plan: &Plan) -> Result<(), Failure> {
    match args.state {
        // `present` waits only until they are there
        Goal::Present => Ok(()),
        Goal::Started | Goal::Restarted => {
            await_state(ids, "running", args.wait_timeout, plan)?;
            await_checks(ids, args.wait_timeout, plan)
        }
        _ => await_state(ids, "running", args.wait_timeout, plan),
    }
}

/// Waits until all are in this state.
fn await_state(ids: &[String], state: &str, timeout: i64, plan: &Plan) -> Result<(), Failure> {
    if ids.is_empty() || plan.check() {
        return Ok(());
    }
    plan.wait(
        &format!("{} to be {state}", ids.join(", ")),
        seconds(timeout),
        |plan| {
            let found = match list(plan, &Filters::default(), ids) {
                // terminated instances are forgotten after a while
                Err(refusal) if refusal.is_not_found() => {
                    return Ok((state == "terminated").then_some(()));
                }
                other => other?,
            };
            if state == "running"
                && let Some(dead) = found
                    .iter()
                    .find(|i| matches!(state_of(i), "terminated" | "shutting-down"))
            {
                let reason = dead
                    .state_reason()
                    .and_then(|r| r.message())
                    .unwrap_or("no reason given");
                return fail(format!(
                    "{} was terminated: {reason}",
                    dead.instance_id().unwrap_or_default()
                ));
            }
            Ok(found.iter().all(|i| state_of(i) == state).then_some(()))
        },
    )
}

/// Waits until the status checks of all are passed.
fn await_checks(ids: &[String], timeout: i64, plan: &Plan) -> Result<(), Failure> {
    if plan.check() {
        return Ok(());
    }
    plan.wait(
        &format!("the status checks of {}", ids.join(", ")),
        seconds(timeout),
        |plan| {
            let request = plan
                .ec2()
                .describe_instance_status()
                .set_instance_ids(Some(ids.to_vec()));
            let answer = plan.read("ec2:DescribeInstanceStatus", request.send())?;
            let ok = answer.instance_statuses().iter().filter(|s| {
                let passed = |status: Option<&str>| status == Some("ok");
                passed(
                    s.instance_status()
                        .and_then(|s| s.status())
                        .map(|s| s.as_str()),
                ) && passed(
                    s.system_status()
                        .and_then(|s| s.status())
                        .map(|s| s.as_str()),
                )
            });
            Ok((ok.count() == ids.len()).then_some(()))
        },
    )
}

/// The IDs of security groups given by name or ID, in the VPC of the subnet.
fn group_ids(names: &[&str], subnet: &str, plan: &Plan) -> Result<Vec<String>, Failure> {
    let (mut ids, names): (Vec<String>, Vec<String>) = names
        .iter()
        .map(ToString::to_string)
        .partition(|n| n.starts_with("sg-"));
    // in check mode the subnet's VPC, and so its groups, may be yet to come
    if names.is_empty() || is_planned(subnet) {
        return Ok(ids);
    }
    let request = plan.ec2().describe_subnets().subnet_ids(subnet);
    let subnets = plan.read("ec2:DescribeSubnets", request.send())?;
    let vpc = subnets
        .subnets()
        .first()
        .and_then(|s| s.vpc_id())
        .unwrap_or_default()
        .to_string();
    let request = plan
        .ec2()
        .describe_security_groups()
        .filters(filter("group-name", &names))
        .filters(filter("vpc-id", &[&vpc]));
    let found = plan.read("ec2:DescribeSecurityGroups", request.send())?;
    for name in names {
        let group = found
            .security_groups()
            .iter()
            .find(|g| g.group_name() == Some(&name));
        match group.and_then(|g| g.group_id()) {
            Some(id) => ids.push(id.to_string()),
            None if plan.check() => ids.push(planned_id("sg")),
            None => {
                return fail(format!(
                    "The security group {name} could not be found in {vpc}"
                ));
            }
        }
    }
    Ok(ids)
}

/// Instances by filters, or by IDs.
fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<Instance>, Refusal> {
    let request = plan
        .ec2()
        .describe_instances()
        .set_filters(filters.to_ec2())
        .set_instance_ids((!ids.is_empty()).then(|| ids.to_vec()));
    let reservations = plan.read(
        "ec2:DescribeInstances",
        request
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
    )?;
    Ok(reservations
        .into_iter()
        .flat_map(|r| r.instances.unwrap_or_default())
        .collect())
}

fn ids_of(instances: &[Instance]) -> Vec<String> {
    instances
        .iter()
        .filter_map(|i| i.instance_id().map(str::to_string))
        .collect()
}

fn state_of(instance: &Instance) -> &str {
    instance
        .state()
        .and_then(|s| s.name())
        .map_or("", |n| n.as_str())
}

fn to_json(i: &Instance) -> Json {
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
