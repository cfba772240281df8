//! `ec2`: the module of Ansible 2.x that creates, ends, starts and stops instances.
//!
//! Today's `ec2_instance` replaced it, with other options; playbooks of its time use it for everything.

mod launch;

use super::instance::{self, state};
use crate::aws::plan::{AwsModule, Plan, fail};
use crate::aws::types::{Filters, Json, Tags, TextList, seconds};
use crate::modules::Failure;
use crate::result::TaskResult;
use crate::value::Value;
use aws_sdk_ec2::types::{AttributeBooleanValue, Instance, InstanceStateName};
use serde_json::json;

/// Creates, ends, starts and stops instances.
pub struct Ec2;

fn default_timeout() -> i64 {
    300
}

fn one() -> i64 {
    1
}

/// The options of `ec2`.
#[derive(Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image to start.
    image: Option<String>,
    /// The type of the instances, such as `t3.micro`.
    #[serde(alias = "type")]
    #[schemars(extend("aliases" = ["type"]))]
    instance_type: Option<String>,
    /// The key pair to log in with.
    #[serde(alias = "keypair")]
    #[schemars(extend("aliases" = ["keypair"]))]
    key_name: Option<String>,
    /// How many to create.
    #[serde(default = "one")]
    count: i64,
    /// How many with `count_tag` are to run: missing ones are created, spare ones ended.
    exact_count: Option<i64>,
    /// Which instances `exact_count` counts: the key of a tag, a dictionary of tags, or a list of both.
    count_tag: Option<Value>,
    /// Tags of the new instances. With `state: running` or `stopped`: the instances meant.
    instance_tags: Option<Tags>,
    /// The security groups, by name.
    #[serde(default, alias = "groups")]
    #[schemars(extend("aliases" = ["groups"]))]
    group: TextList,
    /// The security groups, by id.
    #[serde(default)]
    group_id: TextList,
    /// The subnet to start in.
    vpc_subnet_id: Option<String>,
    /// Whether the instances get a public address; the subnet decides otherwise.
    assign_public_ip: Option<bool>,
    /// The private address of the instance.
    private_ip: Option<String>,
    /// The availability zone.
    #[serde(alias = "aws_zone", alias = "ec2_zone")]
    #[schemars(extend("aliases" = ["aws_zone", "ec2_zone"]))]
    zone: Option<String>,
    /// A text or script for the instance's first start.
    user_data: Option<String>,
    /// Volumes: `device_name`, and `volume_size`, `volume_type`, `iops`, `snapshot`, `encrypted`,
    /// `delete_on_termination`, `ephemeral`, `no_device`.
    #[serde(default)]
    volumes: Vec<launch::VolumeArgs>,
    /// Detailed monitoring.
    #[serde(default)]
    monitoring: bool,
    /// Bandwidth reserved for volumes.
    #[serde(default)]
    ebs_optimized: bool,
    /// `default` or `dedicated` hardware.
    tenancy: Option<String>,
    /// Whether traffic must be from or to the instance itself. Off for routers.
    source_dest_check: Option<bool>,
    /// Refuses to end the instance until it is turned off.
    termination_protection: Option<bool>,
    /// What happens if the instance shuts itself down: `stop` or `terminate`.
    instance_initiated_shutdown_behavior: Option<String>,
    /// The name of the IAM instance profile.
    instance_profile_name: Option<String>,
    /// The placement group.
    placement_group: Option<String>,
    kernel: Option<String>,
    ramdisk: Option<String>,
    /// Network interfaces that exist already, in the order of their devices.
    #[serde(default, alias = "network_interface")]
    #[schemars(extend("aliases" = ["network_interface"]))]
    network_interfaces: TextList,
    /// A token that makes a repeated creation harmless.
    id: Option<String>,
    /// The instances to end, start, stop or restart.
    #[serde(default, alias = "instance_id")]
    #[schemars(extend("aliases" = ["instance_id"]))]
    instance_ids: TextList,
    /// Waits until the instances are in the state.
    #[serde(default)]
    wait: bool,
    /// For how many seconds to wait.
    #[serde(default = "default_timeout")]
    wait_timeout: i64,
    #[serde(default)]
    state: Ec2State,
    /// Spot instances are not supported.
    spot_price: Option<Value>,
    /// Spot instances are not supported.
    spot_type: Option<Value>,
    /// Spot instances are not supported.
    spot_launch_group: Option<Value>,
    /// Spot instances are not supported.
    spot_wait_timeout: Option<Value>,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Ec2State {
    #[default]
    Present,
    Absent,
    Running,
    Restarted,
    Stopped,
}

impl AwsModule for Ec2 {
    const NAMES: &'static [&'static str] = &["ec2", "amazon.aws.ec2"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        for (name, value) in [
            ("spot_price", &args.spot_price),
            ("spot_type", &args.spot_type),
            ("spot_launch_group", &args.spot_launch_group),
            ("spot_wait_timeout", &args.spot_wait_timeout),
        ] {
            if value.as_ref().is_some_and(Value::is_truthy) {
                return fail(format!(
                    "ec2: {name}: spot instances are not supported by rplay"
                ));
            }
        }
        match (args.state, args.exact_count) {
            (Ec2State::Present, None) if args.count_tag.is_some() => {
                fail("you must use the 'exact_count' option with 'count_tag'")
            }
            (Ec2State::Present, None) => present(args, plan),
            (Ec2State::Present, Some(count)) => exact(args, count, plan),
            (Ec2State::Absent, _) => absent(args, plan),
            (Ec2State::Running | Ec2State::Stopped, _) => start_or_stop(args, plan),
            (Ec2State::Restarted, _) => restart(args, plan),
        }
    }
}

/// What all results of the module have.
fn result(plan: &Plan, changed: &[Json], ids: &[String], tagged: Option<&[Json]>) -> TaskResult {
    let mut entries = json!({"instance_ids": ids, "instances": changed});
    if let Some(tagged) = tagged {
        entries["tagged_instances"] = json!(tagged);
    }
    plan.result(entries)
}

fn legacy(plan: &Plan, instances: &[Instance]) -> Vec<Json> {
    instances
        .iter()
        .map(|i| instance::to_legacy_json(i, plan.aws.region()))
        .collect()
}

fn ids_of(instances: &[Instance]) -> Vec<String> {
    instances
        .iter()
        .filter_map(|i| i.instance_id().map(str::to_string))
        .collect()
}

/// Creates `count` instances; with a token only those that an earlier run did not.
fn present(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let mut there = Vec::new();
    if let Some(token) = &args.id {
        let filters = Filters(vec![
            ("client-token".into(), vec![token.clone()]),
            (
                "instance-state-name".into(),
                vec!["pending".into(), "running".into()],
            ),
        ]);
        there = instance::list(plan, &filters, &[])?;
    }
    let missing = args.count - there.len() as i64;
    let made = if missing > 0 {
        launch::launch(&args, missing, plan)?
    } else {
        Vec::new()
    };
    let all: Vec<_> = there.into_iter().chain(made).collect();
    let ids = ids_of(&all);
    Ok(result(plan, &legacy(plan, &all), &ids, Some(&[])))
}

/// Which instances `exact_count` counts.
#[derive(Debug, PartialEq)]
enum CountTag {
    /// Has a tag with this key.
    Key(String),
    /// Has this tag.
    Tag(String, String),
}

impl CountTag {
    fn parse(value: &Value) -> Result<Vec<CountTag>, Failure> {
        match value {
            Value::List(items) => {
                let mut all = Vec::new();
                for item in items.iter() {
                    all.extend(CountTag::parse(item)?);
                }
                Ok(all)
            }
            Value::Map(_) => {
                let tags: Tags = serde_json::from_value(value.to_json())
                    .map_err(|e| Failure::new(format!("count_tag: {e}")))?;
                Ok(tags
                    .0
                    .into_iter()
                    .map(|(k, v)| CountTag::Tag(k, v))
                    .collect())
            }
            Value::Str(text) => {
                // a dictionary or list that a template has made text of
                let text = text.trim();
                if text.starts_with(['{', '['])
                    && let Ok(json) = serde_json::from_str(&text.replace('\'', "\""))
                {
                    return CountTag::parse(&Value::from_json(json));
                }
                Ok(vec![CountTag::Key(text.to_string())])
            }
            other => {
                let text: TextList = serde_json::from_value(other.to_json())
                    .map_err(|e| Failure::new(format!("count_tag: {e}")))?;
                Ok(text.0.into_iter().map(CountTag::Key).collect())
            }
        }
    }

    fn matches(&self, tags: &Tags) -> bool {
        match self {
            CountTag::Key(key) => tags.0.contains_key(key),
            CountTag::Tag(key, value) => tags.0.get(key) == Some(value),
        }
    }

    /// As AWS filters. It matches `*` and `?` as wildcards: escaped here, for tags are plain text.
    fn filter(&self) -> (String, Vec<String>) {
        let plain = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('*', "\\*")
                .replace('?', "\\?")
        };
        match self {
            CountTag::Key(key) => ("tag-key".into(), vec![plain(key)]),
            CountTag::Tag(key, value) => (format!("tag:{key}"), vec![plain(value)]),
        }
    }
}

/// Makes exactly `count` instances run.
fn exact(args: Args, count: i64, plan: &mut Plan) -> Result<TaskResult, Failure> {
    if count < 0 {
        return fail(format!("exact_count is {count}: it cannot be negative"));
    }
    let Some(tag) = &args.count_tag else {
        return fail("you must use the 'count_tag' option with 'exact_count'");
    };
    let tags = CountTag::parse(tag)?;
    if tags.is_empty() {
        return fail("count_tag is empty: it would count all instances");
    }
    let mut filters = vec![(
        "instance-state-name".to_string(),
        vec!["pending".to_string(), "running".to_string()],
    )];
    // the first narrows what AWS sends, all are checked below: two filters of one name would not both count
    filters.push(tags[0].filter());
    if let Some(zone) = &args.zone {
        filters.push(("availability-zone".into(), vec![zone.clone()]));
    }
    let mut there = instance::list(plan, &Filters(filters), &[])?;
    there.retain(|i| {
        let own = Tags::from_ec2(i.tags());
        tags.iter().all(|tag| tag.matches(&own))
    });
    let have = there.len() as i64;
    let mut done = Vec::new();
    if have < count {
        if let Some(own) = &args.instance_tags
            && !tags.iter().all(|tag| tag.matches(own))
        {
            crate::notice::warning(
                "ec2: instance_tags do not have what count_tag counts: every run will create instances.",
            );
        }
        done = launch::launch(&args, count - have, plan)?;
        there.extend(done.iter().cloned());
    } else if have > count {
        let mut ids = ids_of(&there);
        ids.sort();
        ids.truncate((have - count) as usize);
        done = terminate(&args, &ids, plan)?;
        there.retain(|i| !ids.iter().any(|id| i.instance_id() == Some(id)));
    }
    let ids = ids_of(&done);
    Ok(result(
        plan,
        &legacy(plan, &done),
        &ids,
        Some(&legacy(plan, &there)),
    ))
}

fn absent(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    if args.instance_ids.0.is_empty() {
        return fail("instance_ids list is required for absent state");
    }
    let found = instance::known(plan, &args.instance_ids.0)?;
    let live: Vec<_> = found
        .into_iter()
        .filter(|i| {
            !matches!(
                state(i),
                InstanceStateName::Terminated | InstanceStateName::ShuttingDown
            )
        })
        .collect();
    let done = terminate(&args, &ids_of(&live), plan)?;
    let ids = ids_of(&done);
    Ok(result(plan, &legacy(plan, &done), &ids, Some(&[])))
}

/// Ends instances. Gives them as they are then.
fn terminate(args: &Args, ids: &[String], plan: &mut Plan) -> Result<Vec<Instance>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let request = plan
        .ec2()
        .terminate_instances()
        .set_instance_ids(Some(ids.to_vec()));
    plan.change("ec2:TerminateInstances", request.send())?;
    if args.wait && !plan.check() {
        let timeout = seconds(args.wait_timeout);
        instance::wait_for(plan, ids, &InstanceStateName::Terminated, timeout)?;
    }
    Ok(instance::known(plan, ids)?)
}

/// The instances that `instance_ids` or `instance_tags` mean.
fn meant(args: &Args, verb: &str, plan: &Plan) -> Result<Vec<Instance>, Failure> {
    let found = if !args.instance_ids.0.is_empty() {
        instance::list(plan, &Filters::default(), &args.instance_ids.0)?
    } else if let Some(tags) = args.instance_tags.as_ref().filter(|t| !t.0.is_empty()) {
        let filters = tags
            .0
            .iter()
            .map(|(key, value)| (format!("tag:{key}"), vec![value.clone()]))
            .collect();
        instance::list(plan, &Filters(filters), &[])?
    } else {
        return fail(format!(
            "instance_ids or instance_tags is required to {verb} instances"
        ));
    };
    Ok(found
        .into_iter()
        .filter(|i| {
            !matches!(
                state(i),
                InstanceStateName::Terminated | InstanceStateName::ShuttingDown
            )
        })
        .collect())
}

fn start_or_stop(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let running = args.state == Ec2State::Running;
    let found = meant(&args, if running { "start" } else { "stop" }, plan)?;
    let ec2 = plan.ec2();
    for one in &found {
        set_attributes(&args, one, plan)?;
    }
    let (there, almost) = if running {
        (InstanceStateName::Running, InstanceStateName::Pending)
    } else {
        (InstanceStateName::Stopped, InstanceStateName::Stopping)
    };
    let ids: Vec<String> = ids_of(
        &found
            .iter()
            .filter(|i| state(i) != there && state(i) != almost)
            .cloned()
            .collect::<Vec<_>>(),
    );
    if !ids.is_empty() {
        if running {
            let request = ec2.start_instances().set_instance_ids(Some(ids.clone()));
            plan.change("ec2:StartInstances", request.send())?;
        } else {
            let request = ec2.stop_instances().set_instance_ids(Some(ids.clone()));
            plan.change("ec2:StopInstances", request.send())?;
        }
    }
    let all = ids_of(&found);
    if args.wait && !plan.check() && !all.is_empty() {
        instance::wait_for(plan, &all, &there, seconds(args.wait_timeout))?;
    }
    let now = instance::known(plan, &all)?;
    Ok(result(plan, &legacy(plan, &now), &all, Some(&[])))
}

fn restart(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let found = meant(&args, "restart", plan)?;
    for one in &found {
        set_attributes(&args, one, plan)?;
    }
    let ids = ids_of(&found);
    if !ids.is_empty() {
        let request = plan
            .ec2()
            .reboot_instances()
            .set_instance_ids(Some(ids.clone()));
        plan.change("ec2:RebootInstances", request.send())?;
    }
    Ok(result(plan, &legacy(plan, &found), &ids, Some(&[])))
}

/// Attributes that can change while the instance exists.
fn set_attributes(args: &Args, one: &Instance, plan: &mut Plan) -> Result<(), Failure> {
    let ec2 = plan.ec2();
    let id = one.instance_id().unwrap_or_default();
    let flag = |on: bool| AttributeBooleanValue::builder().value(on).build();
    if let Some(check) = args.source_dest_check
        && one.vpc_id().is_some()
        && one.source_dest_check() != Some(check)
    {
        plan.change_fresh("ec2:ModifyInstanceAttribute", || {
            ec2.modify_instance_attribute()
                .instance_id(id)
                .source_dest_check(flag(check))
                .send()
        })?;
    }
    if let Some(protect) = args.termination_protection {
        let request = ec2
            .describe_instance_attribute()
            .instance_id(id)
            .attribute(aws_sdk_ec2::types::InstanceAttributeName::DisableApiTermination);
        let answer = plan.read("ec2:DescribeInstanceAttribute", request.send())?;
        let is = answer
            .disable_api_termination
            .and_then(|v| v.value)
            .unwrap_or(false);
        if is != protect {
            plan.change_fresh("ec2:ModifyInstanceAttribute", || {
                ec2.modify_instance_attribute()
                    .instance_id(id)
                    .disable_api_termination(flag(protect))
                    .send()
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_tags_in_all_their_forms() {
        let key = |k: &str| CountTag::Key(k.into());
        let tag = |k: &str, v: &str| CountTag::Tag(k.into(), v.into());
        for (json, wanted) in [
            (json!("web"), vec![key("web")]),
            (
                json!({"role": "web", "n": 1}),
                vec![tag("n", "1"), tag("role", "web")],
            ),
            (
                json!(["web", {"env": "dev"}]),
                vec![key("web"), tag("env", "dev")],
            ),
            (json!("{'role': 'web'}"), vec![tag("role", "web")]),
            (json!(""), vec![key("")]),
        ] {
            assert_eq!(CountTag::parse(&Value::from_json(json)).unwrap(), wanted);
        }
        assert_eq!(
            tag("a", "x*?\\").filter(),
            ("tag:a".to_string(), vec!["x\\*\\?\\\\".to_string()])
        );
    }
}
