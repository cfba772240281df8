//! `elb_classic_lb` (`ec2_elb_lb`): classic load balancers.

mod listeners;
mod stickiness;

use super::security_group;
use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, fail, is_planned};
use crate::aws::types::{Filters, Json, State, Tags, TextList, filter, seconds, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_elasticloadbalancing::types::{
    AccessLog, ConnectionDraining, ConnectionSettings, CrossZoneLoadBalancing, HealthCheck,
    Instance, LoadBalancerAttributes, LoadBalancerDescription, Tag, TagKeyOnly,
};
use listeners::ListenerArgs;
use serde_json::json;

/// Creates, changes and removes classic load balancers.
pub struct ElbClassicLb;

fn default_timeout() -> i64 {
    180
}

/// The options of `elb_classic_lb`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name of the load balancer.
    name: String,
    /// What it listens on: `protocol`, `load_balancer_port`, `instance_port`, `instance_protocol`, `ssl_certificate_id`.
    listeners: Option<Vec<ListenerArgs>>,
    /// Removes listeners that `listeners` does not list.
    #[serde(default = "yes")]
    purge_listeners: bool,
    /// The instances behind it.
    instance_ids: Option<TextList>,
    /// Takes out instances that `instance_ids` does not list.
    #[serde(default)]
    purge_instance_ids: bool,
    /// The subnets it has addresses in.
    subnets: Option<TextList>,
    /// Takes it out of subnets that `subnets` does not list.
    #[serde(default)]
    purge_subnets: bool,
    /// The availability zones, for a load balancer outside of a VPC.
    zones: Option<TextList>,
    /// Takes it out of zones that `zones` does not list.
    #[serde(default)]
    purge_zones: bool,
    /// The security groups by id.
    security_group_ids: Option<TextList>,
    /// The security groups by name.
    security_group_names: Option<TextList>,
    /// Whether it is reached from the internet. A change replaces the load balancer.
    #[serde(default)]
    scheme: Scheme,
    /// How instances are probed: `ping_protocol`, `ping_port`, `ping_path`, `response_timeout`, `interval`,
    /// `unhealthy_threshold`, `healthy_threshold`.
    health_check: Option<HealthArgs>,
    /// Where requests are logged: `s3_location` (a bucket), `s3_prefix`, `interval` (5 or 60 minutes), `enabled`.
    access_logs: Option<LogArgs>,
    /// For how many seconds a connection may be idle.
    idle_timeout: Option<i32>,
    /// For how many seconds requests in flight may end when an instance is taken out; 0 turns it off.
    connection_draining_timeout: Option<i32>,
    /// Spreads requests over the instances of all zones alike.
    #[serde(alias = "cross_az_load_balancing_enabled")]
    #[schemars(extend("aliases" = ["cross_az_load_balancing_enabled"]))]
    cross_az_load_balancing: Option<bool>,
    /// Sends a client to the same instance: `type` (`loadbalancer` or `application`), `enabled`, `expiration`, `cookie`.
    stickiness: Option<stickiness::StickinessArgs>,
    /// Tags of the load balancer. An empty dictionary removes all.
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    /// Waits until the load balancer, with its network interfaces, is there or gone.
    #[serde(default)]
    wait: bool,
    /// For how many seconds to wait.
    #[serde(default = "default_timeout")]
    wait_timeout: i64,
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Scheme {
    #[default]
    InternetFacing,
    Internal,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Scheme::InternetFacing => "internet-facing",
            Scheme::Internal => "internal",
        }
    }
}

/// How instances are probed.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct HealthArgs {
    ping_protocol: String,
    ping_port: i32,
    /// The path, for HTTP and HTTPS.
    ping_path: Option<String>,
    #[serde(alias = "timeout")]
    #[schemars(extend("aliases" = ["timeout"]))]
    response_timeout: i32,
    interval: i32,
    unhealthy_threshold: i32,
    healthy_threshold: i32,
}

impl HealthArgs {
    fn target(&self) -> String {
        let protocol = self.ping_protocol.to_uppercase();
        let path = match protocol.as_str() {
            "HTTP" | "HTTPS" => self.ping_path.as_deref().unwrap_or("/"),
            _ => "",
        };
        format!("{protocol}:{}{path}", self.ping_port)
    }

    fn build(&self) -> Result<HealthCheck, Failure> {
        HealthCheck::builder()
            .target(self.target())
            .interval(self.interval)
            .timeout(self.response_timeout)
            .unhealthy_threshold(self.unhealthy_threshold)
            .healthy_threshold(self.healthy_threshold)
            .build()
            .map_err(|e| Failure::new(format!("health_check: {e}")))
    }
}

/// Where requests are logged.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogArgs {
    #[serde(default = "yes")]
    enabled: bool,
    s3_location: Option<String>,
    s3_prefix: Option<String>,
    /// Minutes between two logs.
    #[serde(default = "an_hour")]
    interval: i32,
}

fn an_hour() -> i32 {
    60
}

impl AwsModule for ElbClassicLb {
    const NAMES: &'static [&'static str] = &[
        "elb_classic_lb",
        "ec2_elb_lb",
        "amazon.aws.elb_classic_lb",
        "amazon.aws.ec2_elb_lb",
        "community.aws.elb_classic_lb",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found = describe(plan, &args.name)?;
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => {
                let status = if found.is_some() { "deleted" } else { "gone" };
                if found.is_some() {
                    delete(&args, args.wait, plan)?;
                }
                Ok(plan.result(json!({"elb": {
                    "name": args.name, "region": plan.aws.region(), "status": status,
                }})))
            }
        }
    }
}

fn present(
    args: Args,
    found: Option<LoadBalancerDescription>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
    if args.security_group_ids.is_some() && args.security_group_names.is_some() {
        return fail("parameters are mutually exclusive: security_group_ids|security_group_names");
    }
    let groups = groups(&args, found.as_ref(), plan)?;
    let found = match found {
        Some(old) if old.scheme().is_some_and(|s| s != args.scheme.as_str()) => {
            // fixed at creation: as documented, a change replaces it
            delete(&args, true, plan)?;
            None
        }
        other => other,
    };
    let created = found.is_none();
    let balancer = match found {
        Some(balancer) => balancer,
        None => match create(&args, groups.as_deref(), plan)? {
            Some(balancer) => balancer,
            None => return Ok(plan.result(json!({"elb": predicted(&args, plan)}))),
        },
    };
    if !created {
        sync_tags(&args, plan)?;
        sync_places(&args, &balancer, plan)?;
        if let Some(groups) = groups {
            sync_groups(&args, &balancer, groups, plan)?;
        }
        if let Some(wanted) = &args.listeners {
            let current = balancer.listener_descriptions();
            listeners::sync(&args.name, wanted, current, args.purge_listeners, plan)?;
        }
    }
    if let Some(wanted) = &args.health_check {
        sync_health_check(&args.name, wanted, balancer.health_check(), plan)?;
    }
    sync_attributes(&args, plan)?;
    if let Some(wanted) = &args.stickiness {
        // listeners may have changed just now
        let now = describe(plan, &args.name)?.unwrap_or_else(|| balancer.clone());
        stickiness::sync(&args.name, wanted, &now, plan)?;
    }
    if let Some(wanted) = &args.instance_ids {
        sync_instances(&args, &wanted.0, &balancer, plan)?;
    }
    let now = if plan.changed() && !plan.check() {
        plan.wait_visible(&format!("load balancer {}", args.name), |plan| {
            describe(plan, &args.name)
        })?
    } else {
        balancer
    };
    let status = match (created, plan.changed()) {
        (true, _) => "created",
        (false, true) => "ok",
        (false, false) => "exists",
    };
    let elb = to_json(&now, status, plan)?;
    Ok(plan.result(json!({"elb": elb})))
}

fn create(
    args: &Args,
    groups: Option<&[String]>,
    plan: &mut Plan,
) -> Result<Option<LoadBalancerDescription>, Failure> {
    let Some(wanted) = args.listeners.as_ref().filter(|l| !l.is_empty()) else {
        return fail("A load balancer needs listeners to be created");
    };
    if args.subnets.is_none() && args.zones.is_none() {
        return fail("A load balancer needs subnets or zones to be created");
    }
    let mut request = plan
        .elb()
        .create_load_balancer()
        .load_balancer_name(&args.name)
        .set_subnets(args.subnets.as_ref().map(|s| s.0.clone()))
        .set_availability_zones(args.zones.as_ref().map(|z| z.0.clone()))
        .set_security_groups(groups.map(<[_]>::to_vec));
    if args.scheme == Scheme::Internal {
        request = request.scheme("internal");
    }
    for listener in wanted {
        request = request.listeners(listener.build()?);
    }
    for (key, value) in args.tags.iter().flat_map(|tags| &tags.0) {
        request = request.tags(tag(key, value)?);
    }
    let made = plan.change_fresh("elasticloadbalancing:CreateLoadBalancer", || {
        request.clone().send()
    })?;
    if made.is_none() {
        return Ok(None);
    }
    let what = format!("load balancer {} to exist", args.name);
    plan.wait(&what, seconds(args.wait_timeout), |plan| {
        Ok(describe(plan, &args.name)?)
    })
    .map(Some)
}

fn delete(args: &Args, wait: bool, plan: &mut Plan) -> Result<(), Failure> {
    let request = plan
        .elb()
        .delete_load_balancer()
        .load_balancer_name(&args.name);
    plan.change("elasticloadbalancing:DeleteLoadBalancer", request.send())?;
    if wait && !plan.check() {
        let what = format!("load balancer {} to be gone", args.name);
        plan.wait(&what, seconds(args.wait_timeout), |plan| {
            // its network interfaces go last; until then subnets and groups are in use
            let interfaces = plan
                .ec2()
                .describe_network_interfaces()
                .filters(filter("requester-id", &["amazon-elb"]))
                .filters(filter("description", &[format!("ELB {}", args.name)]));
            let gone = describe(plan, &args.name)?.is_none()
                && plan
                    .read("ec2:DescribeNetworkInterfaces", interfaces.send())?
                    .network_interfaces()
                    .is_empty();
            Ok(gone.then_some(()))
        })?;
    }
    Ok(())
}

/// The ids of the security groups; none if nothing is said of them.
fn groups(
    args: &Args,
    found: Option<&LoadBalancerDescription>,
    plan: &Plan,
) -> Result<Option<Vec<String>>, Failure> {
    if let Some(ids) = &args.security_group_ids {
        return Ok(Some(ids.0.clone()));
    }
    let Some(names) = &args.security_group_names else {
        return Ok(None);
    };
    // names mean groups of the VPC that the load balancer is in
    let vpc_id = match (found.and_then(|f| f.vpc_id()), &args.subnets) {
        (Some(id), _) => Some(id.to_string()),
        (None, Some(subnets)) => match subnets.0.first() {
            Some(subnet) if is_planned(subnet) => return Ok(None),
            Some(subnet) => {
                let found =
                    super::subnet::list(plan, &Filters::default(), std::slice::from_ref(subnet))?;
                found.into_iter().next().and_then(|s| s.vpc_id)
            }
            None => None,
        },
        (None, None) => None,
    };
    let mut ids = Vec::new();
    for name in &names.0 {
        let found = security_group::named(plan, vpc_id.as_deref(), name)?;
        match &found[..] {
            [group] => ids.push(group.group_id().unwrap_or_default().to_string()),
            [] if plan.check() => {}
            [] => {
                let place = vpc_id.as_deref().unwrap_or(plan.aws.region());
                return fail(format!(
                    "security_group_names: there is no security group {name} in {place}"
                ));
            }
            _ => {
                return fail(format!(
                    "security_group_names: several groups are called {name}: use security_group_ids"
                ));
            }
        }
    }
    Ok(Some(ids))
}

/// What is in the first list and not in the second.
fn missing(from: &[String], these: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in from {
        if !these.contains(item) && !found.contains(item) {
            found.push(item.clone());
        }
    }
    found
}

/// Subnets and zones.
fn sync_places(
    args: &Args,
    balancer: &LoadBalancerDescription,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let elb = plan.elb();
    let name = &args.name;
    if let Some(wanted) = &args.subnets {
        let current = balancer.subnets();
        // detached first: two subnets of one zone exclude each other
        let spare = missing(current, &wanted.0);
        if args.purge_subnets && !spare.is_empty() {
            let request = elb
                .detach_load_balancer_from_subnets()
                .load_balancer_name(name)
                .set_subnets(Some(spare));
            plan.change(
                "elasticloadbalancing:DetachLoadBalancerFromSubnets",
                request.send(),
            )?;
        }
        let new = missing(&wanted.0, current);
        if !new.is_empty() {
            let request = elb
                .attach_load_balancer_to_subnets()
                .load_balancer_name(name)
                .set_subnets(Some(new));
            plan.change(
                "elasticloadbalancing:AttachLoadBalancerToSubnets",
                request.send(),
            )?;
        }
    }
    if let Some(wanted) = &args.zones {
        let current = balancer.availability_zones();
        let new = missing(&wanted.0, current);
        if !new.is_empty() {
            let request = elb
                .enable_availability_zones_for_load_balancer()
                .load_balancer_name(name)
                .set_availability_zones(Some(new));
            plan.change(
                "elasticloadbalancing:EnableAvailabilityZonesForLoadBalancer",
                request.send(),
            )?;
        }
        let spare = missing(current, &wanted.0);
        if args.purge_zones && !spare.is_empty() {
            let request = elb
                .disable_availability_zones_for_load_balancer()
                .load_balancer_name(name)
                .set_availability_zones(Some(spare));
            plan.change(
                "elasticloadbalancing:DisableAvailabilityZonesForLoadBalancer",
                request.send(),
            )?;
        }
    }
    Ok(())
}

fn sync_groups(
    args: &Args,
    balancer: &LoadBalancerDescription,
    mut wanted: Vec<String>,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let mut current = balancer.security_groups().to_vec();
    current.sort();
    wanted.sort();
    wanted.dedup();
    if current != wanted {
        let request = plan
            .elb()
            .apply_security_groups_to_load_balancer()
            .load_balancer_name(&args.name)
            .set_security_groups(Some(wanted));
        plan.change(
            "elasticloadbalancing:ApplySecurityGroupsToLoadBalancer",
            request.send(),
        )?;
    }
    Ok(())
}

fn sync_health_check(
    name: &str,
    wanted: &HealthArgs,
    current: Option<&HealthCheck>,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let check = wanted.build()?;
    if current != Some(&check) {
        let request = plan
            .elb()
            .configure_health_check()
            .load_balancer_name(name)
            .health_check(check);
        plan.change("elasticloadbalancing:ConfigureHealthCheck", request.send())?;
    }
    Ok(())
}

fn attributes(plan: &Plan, name: &str) -> Result<LoadBalancerAttributes, Refusal> {
    let request = plan
        .elb()
        .describe_load_balancer_attributes()
        .load_balancer_name(name);
    let answer = plan.read(
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        request.send(),
    )?;
    Ok(answer
        .load_balancer_attributes
        .unwrap_or_else(|| LoadBalancerAttributes::builder().build()))
}

fn sync_attributes(args: &Args, plan: &mut Plan) -> Result<(), Failure> {
    let wants_any = args.access_logs.is_some()
        || args.idle_timeout.is_some()
        || args.connection_draining_timeout.is_some()
        || args.cross_az_load_balancing.is_some();
    if !wants_any {
        return Ok(());
    }
    let current = attributes(plan, &args.name)?;
    let mut wanted = LoadBalancerAttributes::builder();
    let mut differs = false;
    if let Some(logs) = &args.access_logs {
        let mut log = AccessLog::builder().enabled(logs.enabled);
        if logs.enabled {
            let Some(bucket) = logs.s3_location.as_ref().filter(|b| !b.is_empty()) else {
                return fail("access_logs needs s3_location, the name of a bucket");
            };
            if logs.interval != 5 && logs.interval != 60 {
                return fail(format!(
                    "access_logs: interval is {}: AWS takes 5 or 60 minutes",
                    logs.interval
                ));
            }
            log = log
                .s3_bucket_name(bucket)
                .set_s3_bucket_prefix(logs.s3_prefix.clone())
                .emit_interval(logs.interval);
        }
        let log = log.build();
        let same = current.access_log().is_some_and(|now| {
            now.enabled() == log.enabled()
                && (!log.enabled()
                    || now.s3_bucket_name() == log.s3_bucket_name()
                        && now.emit_interval() == log.emit_interval()
                        && now.s3_bucket_prefix().unwrap_or_default()
                            == log.s3_bucket_prefix().unwrap_or_default())
        }) || (!log.enabled() && current.access_log().is_none());
        if !same {
            wanted = wanted.access_log(log);
            differs = true;
        }
    }
    if let Some(on) = args.cross_az_load_balancing
        && current
            .cross_zone_load_balancing()
            .is_some_and(|c| c.enabled())
            != on
    {
        wanted =
            wanted.cross_zone_load_balancing(CrossZoneLoadBalancing::builder().enabled(on).build());
        differs = true;
    }
    if let Some(timeout) = args.idle_timeout
        && current.connection_settings().map(|c| c.idle_timeout()) != Some(timeout)
    {
        let settings = ConnectionSettings::builder()
            .idle_timeout(timeout)
            .build()
            .map_err(|e| Failure::new(format!("idle_timeout: {e}")))?;
        wanted = wanted.connection_settings(settings);
        differs = true;
    }
    if let Some(timeout) = args.connection_draining_timeout {
        let on = timeout > 0;
        let now = current.connection_draining();
        let same = now.is_some_and(|c| c.enabled()) == on
            && (!on || now.and_then(|c| c.timeout()) == Some(timeout));
        if !same {
            wanted = wanted.connection_draining(
                ConnectionDraining::builder()
                    .enabled(on)
                    .set_timeout(on.then_some(timeout))
                    .build(),
            );
            differs = true;
        }
    }
    if differs {
        let request = plan
            .elb()
            .modify_load_balancer_attributes()
            .load_balancer_name(&args.name)
            .load_balancer_attributes(wanted.build());
        plan.change(
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            request.send(),
        )?;
    }
    Ok(())
}

fn sync_instances(
    args: &Args,
    wanted: &[String],
    balancer: &LoadBalancerDescription,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let elb = plan.elb();
    let current = instances_of(balancer);
    let build = |ids: Vec<String>| -> Vec<Instance> {
        ids.into_iter()
            .map(|id| Instance::builder().instance_id(id).build())
            .collect()
    };
    let new = missing(wanted, &current);
    if !new.is_empty() {
        let request = elb
            .register_instances_with_load_balancer()
            .load_balancer_name(&args.name)
            .set_instances(Some(build(new)));
        plan.change_fresh(
            "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
            || request.clone().send(),
        )?;
    }
    let spare = missing(&current, wanted);
    if args.purge_instance_ids && !spare.is_empty() {
        let request = elb
            .deregister_instances_from_load_balancer()
            .load_balancer_name(&args.name)
            .set_instances(Some(build(spare)));
        plan.change(
            "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
            request.send(),
        )?;
    }
    Ok(())
}

fn tag(key: &str, value: &str) -> Result<Tag, Failure> {
    Tag::builder()
        .key(key)
        .value(value)
        .build()
        .map_err(|e| Failure::new(format!("tags: {e}")))
}

fn tags_of(plan: &Plan, name: &str) -> Result<Tags, Refusal> {
    let request = plan.elb().describe_tags().load_balancer_names(name);
    let answer = plan.read("elasticloadbalancing:DescribeTags", request.send())?;
    Ok(Tags(
        answer
            .tag_descriptions()
            .iter()
            .flat_map(|d| d.tags())
            .map(|t| {
                (
                    t.key().to_string(),
                    t.value().unwrap_or_default().to_string(),
                )
            })
            .collect(),
    ))
}

fn sync_tags(args: &Args, plan: &mut Plan) -> Result<(), Failure> {
    let Some(wanted) = &args.tags else {
        return Ok(());
    };
    let elb = plan.elb();
    let (set, unset) = tags_of(plan, &args.name)?.difference(wanted, args.purge_tags);
    if !unset.is_empty() {
        let keys = unset
            .iter()
            .map(|key| TagKeyOnly::builder().key(key).build())
            .collect();
        let request = elb
            .remove_tags()
            .load_balancer_names(&args.name)
            .set_tags(Some(keys));
        plan.change("elasticloadbalancing:RemoveTags", request.send())?;
    }
    if !set.0.is_empty() {
        let mut request = elb.add_tags().load_balancer_names(&args.name);
        for (key, value) in &set.0 {
            request = request.tags(tag(key, value)?);
        }
        plan.change("elasticloadbalancing:AddTags", request.send())?;
    }
    Ok(())
}

/// The load balancer of this name, if there is one.
fn describe(plan: &Plan, name: &str) -> Result<Option<LoadBalancerDescription>, Refusal> {
    let request = plan
        .elb()
        .describe_load_balancers()
        .load_balancer_names(name);
    match plan.read("elasticloadbalancing:DescribeLoadBalancers", request.send()) {
        Ok(answer) => Ok(answer.load_balancer_descriptions.unwrap_or_default().pop()),
        Err(refusal) if refusal.is_not_found() => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

fn instances_of(balancer: &LoadBalancerDescription) -> Vec<String> {
    balancer
        .instances()
        .iter()
        .filter_map(|i| i.instance_id().map(str::to_string))
        .collect()
}

fn predicted(args: &Args, plan: &Plan) -> Json {
    let listeners: Vec<Json> = args
        .listeners
        .iter()
        .flatten()
        .filter_map(|l| l.build().ok())
        .map(|l| listeners::to_json(&l))
        .collect();
    json!({
        "name": args.name, "region": plan.aws.region(), "status": "created",
        "scheme": args.scheme.as_str(), "listeners": listeners,
        "instances": args.instance_ids.clone().unwrap_or_default().0,
        "subnets": args.subnets.clone().unwrap_or_default().0,
        "tags": args.tags.clone().unwrap_or_default().to_json(),
    })
}

/// The load balancer as the module has always shown it.
fn to_json(balancer: &LoadBalancerDescription, status: &str, plan: &Plan) -> Result<Json, Failure> {
    let name = balancer.load_balancer_name().unwrap_or_default();
    let attributes = attributes(plan, name)?;
    let tags = tags_of(plan, name)?;
    let request = plan
        .elb()
        .describe_instance_health()
        .load_balancer_name(name);
    let health = plan.read(
        "elasticloadbalancing:DescribeInstanceHealth",
        request.send(),
    )?;
    let count = |wanted: &str| {
        health
            .instance_states()
            .iter()
            .filter(|s| s.state() == Some(wanted))
            .count()
    };
    let policies = balancer.policies();
    let draining = attributes.connection_draining();
    let backends: serde_json::Map<String, Json> = balancer
        .backend_server_descriptions()
        .iter()
        .map(|b| {
            (
                b.instance_port().unwrap_or_default().to_string(),
                json!(b.policy_names()),
            )
        })
        .collect();
    Ok(json!({
        "name": name,
        "region": plan.aws.region(),
        "status": status,
        "dns_name": balancer.dns_name(),
        "scheme": balancer.scheme(),
        "vpc_id": balancer.vpc_id(),
        "subnets": balancer.subnets(),
        "zones": balancer.availability_zones(),
        "security_group_ids": balancer.security_groups(),
        "hosted_zone_name": balancer.canonical_hosted_zone_name(),
        "hosted_zone_id": balancer.canonical_hosted_zone_name_id(),
        "listeners": balancer.listener_descriptions().iter().filter_map(|d| d.listener()).map(listeners::to_json).collect::<Vec<_>>(),
        "backends": backends,
        "instances": instances_of(balancer),
        "instance_health": health.instance_states().iter().map(|s| json!({
            "instance_id": s.instance_id(), "state": s.state(),
            "reason_code": s.reason_code(), "description": s.description(),
        })).collect::<Vec<_>>(),
        "in_service_count": count("InService"),
        "out_of_service_count": count("OutOfService"),
        "unknown_instance_state_count": count("Unknown"),
        "health_check": balancer.health_check().map(|h| json!({
            "target": h.target(), "interval": h.interval(), "timeout": h.timeout(),
            "unhealthy_threshold": h.unhealthy_threshold(), "healthy_threshold": h.healthy_threshold(),
        })),
        "access_log": attributes.access_log().map(|l| json!({
            "enabled": l.enabled(), "s3_bucket_name": l.s3_bucket_name(),
            "s3_bucket_prefix": l.s3_bucket_prefix(), "emit_interval": l.emit_interval(),
        })),
        "cross_az_load_balancing": if attributes.cross_zone_load_balancing().is_some_and(|c| c.enabled()) { "yes" } else { "no" },
        "idle_timeout": attributes.connection_settings().map(|c| c.idle_timeout()),
        "connection_draining_timeout": draining.filter(|d| d.enabled()).and_then(|d| d.timeout()),
        "app_cookie_policy": policies.and_then(|p| p.app_cookie_stickiness_policies().first()).and_then(|p| p.policy_name()),
        "lb_cookie_policy": policies.and_then(|p| p.lb_cookie_stickiness_policies().first()).and_then(|p| p.policy_name()),
        "proxy_policy": policies.and_then(|p| p.other_policies().first()),
        "tags": tags.to_json(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_check_targets() {
        for (protocol, path, wanted) in [
            ("http", Some("/_health"), "HTTP:9090/_health"),
            ("https", None, "HTTPS:9090/"),
            ("tcp", Some("/ignored"), "TCP:9090"),
        ] {
            let mut json = json!({"ping_protocol": protocol, "ping_port": 9090, "response_timeout": 5, "interval": 30, "unhealthy_threshold": 2, "healthy_threshold": 10});
            json["ping_path"] = json!(path);
            let health: HealthArgs = serde_json::from_value(json).unwrap();
            assert_eq!(health.target(), wanted);
        }
    }
}
