//! `ec2_instance`, `ec2_instance_info`: EC2 instances, as today's collection manages them.

mod change;
mod groups;
mod info;
mod launch;
mod state;

pub use info::Ec2InstanceInfo;

use super::instance::list;
use super::subnet;
use crate::aws::plan::{AwsModule, Plan, fail};
use crate::aws::types::{Filters, Tags, TextList, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::Instance;
use change::change;
use info::to_json;
use launch::launch;
use serde_json::json;
use state::{bring_to_state, stop_for_good, terminate};

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
    let mut filters = Filters::by("default-for-az", &["true"]);
    if let Some(zone) = zone {
        filters
            .0
            .push(("availability-zone".into(), vec![zone.to_string()]));
    }
    let mut subnets = subnet::list(plan, &filters, &[])?;
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
