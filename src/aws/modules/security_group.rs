//! `ec2_security_group` (`ec2_group`), `ec2_security_group_info`: security groups and their rules.

mod rules;

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, answered, fail, is_planned, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{IpPermission, ResourceType, SecurityGroup};
use rules::{Rule, RuleArgs, flatten, to_permissions};
use serde_json::json;
use std::collections::BTreeSet;

/// Creates, changes and removes security groups.
pub struct Ec2SecurityGroup;

/// The options of `ec2_security_group`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The group's name; with `vpc_id` it identifies the group.
    name: Option<String>,
    /// The group's id, to find it by.
    group_id: Option<String>,
    /// What the group is for; needed to create it, fixed afterwards.
    description: Option<String>,
    /// The VPC that the group is in; the default VPC otherwise.
    vpc_id: Option<String>,
    /// Who may reach the members. None given: the rules stay as they are.
    rules: Option<Vec<RuleArgs>>,
    /// Whom the members may reach. None given: everyone, besides the rules that are there.
    #[serde(alias = "egress_rules")]
    #[schemars(extend("aliases" = ["egress_rules"]))]
    rules_egress: Option<Vec<RuleArgs>>,
    /// Removes rules that `rules` does not list.
    #[serde(default = "yes")]
    purge_rules: bool,
    /// Removes rules that `rules_egress` does not list.
    #[serde(default = "yes", alias = "purge_egress_rules")]
    #[schemars(extend("aliases" = ["purge_egress_rules"]))]
    purge_rules_egress: bool,
    /// Tags of the group.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    #[serde(default)]
    state: State,
}

impl AwsModule for Ec2SecurityGroup {
    const NAMES: &'static [&'static str] = &[
        "ec2_security_group",
        "ec2_group",
        "amazon.aws.ec2_security_group",
        "amazon.aws.ec2_group",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        if args.name.is_none() && args.group_id.is_none() {
            return fail("ec2_security_group needs name or group_id");
        }
        let found = find(&args, plan)?;
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => {
                if let Some(group) = found {
                    let id = group.group_id().unwrap_or_default();
                    let request = plan.ec2().delete_security_group().group_id(id);
                    plan.change("ec2:DeleteSecurityGroup", request.send())?;
                    plan.note_diff(to_json(&group), json!({}));
                }
                Ok(plan.result(json!({"group_id": null})))
            }
        }
    }
}

fn find(args: &Args, plan: &Plan) -> Result<Option<SecurityGroup>, Failure> {
    if let Some(id) = &args.group_id {
        let filters = Filters::by("group-id", &[id]);
        let found = list(plan, &filters)?.pop();
        if found.is_none() && args.state == State::Present {
            return fail(format!("There is no security group {id}"));
        }
        return Ok(found);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let mut found = named(plan, args.vpc_id.as_deref(), name)?;
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().filter_map(SecurityGroup::group_id).collect();
        return fail(format!(
            "Several security groups are called {name} ({}): say which with vpc_id or group_id",
            ids.join(", ")
        ));
    }
    Ok(found.pop())
}

/// The security groups of this name in a VPC; in the default VPC, or else anywhere, if none is given.
pub fn named(plan: &Plan, vpc_id: Option<&str>, name: &str) -> Result<Vec<SecurityGroup>, Refusal> {
    let mut filters = vec![("group-name".to_string(), vec![name.to_string()])];
    match vpc_id {
        Some(id) if is_planned(id) => return Ok(Vec::new()),
        Some(id) => filters.push(("vpc-id".into(), vec![id.to_string()])),
        None => {}
    }
    let found = list(plan, &Filters(filters))?;
    if vpc_id.is_none() && found.len() > 1 {
        let request = plan
            .ec2()
            .describe_vpcs()
            .filters(crate::aws::types::filter("is-default", &["true"]));
        let vpcs = plan.read("ec2:DescribeVpcs", request.send())?;
        let default = vpcs.vpcs().first().and_then(|v| v.vpc_id());
        let of_default: Vec<_> = found
            .iter()
            .filter(|g| g.vpc_id().is_some() && g.vpc_id() == default)
            .cloned()
            .collect();
        if !of_default.is_empty() {
            return Ok(of_default);
        }
    }
    Ok(found)
}

/// Security groups by filters.
pub fn list(plan: &Plan, filters: &Filters) -> Result<Vec<SecurityGroup>, Refusal> {
    let request = plan
        .ec2()
        .describe_security_groups()
        .set_filters(filters.to_ec2());
    plan.read(
        "ec2:DescribeSecurityGroups",
        request.into_paginator().items().send().try_collect(),
    )
}

fn present(
    args: Args,
    found: Option<SecurityGroup>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
    let created = found.is_none();
    let group = match found {
        Some(group) => {
            if let Some(description) = &args.description
                && group.description() != Some(description)
            {
                crate::notice::warning(
                    "Group description does not match existing group. Descriptions cannot be changed without deleting and re-creating the security group. Try using state=absent to delete, then rerunning this task.",
                );
            }
            let id = group.group_id().unwrap_or_default();
            let current = Tags::from_ec2(group.tags());
            plan.sync_tags(id, &current, args.tags.as_ref(), args.purge_tags)?;
            group
        }
        None => create(&args, plan)?,
    };
    let before = to_json(&group);
    let id = group.group_id().unwrap_or_default().to_string();
    // groups that rules refer to are looked for in the VPC that this one is in
    let vpc_id = group
        .vpc_id()
        .or(args.vpc_id.as_deref())
        .map(str::to_string);
    let own = rules::Own {
        id: &id,
        name: group.group_name(),
        owner: group.owner_id(),
        vpc_id: vpc_id.as_deref(),
    };

    let ingress = flatten(group.ip_permissions());
    let mut ingress_after = ingress.clone();
    if let Some(wanted) = &args.rules {
        let wanted = rules::resolve(wanted, &own, plan)?;
        ingress_after = sync(Way::In, &id, &ingress, &wanted, args.purge_rules, plan)?;
    }
    let egress = flatten(group.ip_permissions_egress());
    let mut egress_after = egress.clone();
    if let Some(wanted) = &args.rules_egress {
        let wanted = rules::resolve(wanted, &own, plan)?;
        egress_after = sync(
            Way::Out,
            &id,
            &egress,
            &wanted,
            args.purge_rules_egress,
            plan,
        )?;
    } else if vpc_id.is_some() {
        // without rules everything may leave, as AWS sets it up; what is there stays
        let everything = BTreeSet::from([Rule::everything()]);
        egress_after = sync(Way::Out, &id, &egress, &everything, false, plan)?;
    }
    let predicted = |group: &SecurityGroup| {
        let mut group = group.clone();
        group.ip_permissions = Some(to_permissions(&ingress_after));
        group.ip_permissions_egress = Some(to_permissions(&egress_after));
        if let Some(tags) = &args.tags {
            let (set, unset) = Tags::from_ec2(group.tags()).difference(tags, args.purge_tags);
            let mut now = Tags::from_ec2(group.tags());
            now.0.extend(set.0);
            now.0.retain(|key, _| !unset.contains(key));
            group.tags = Some(now.to_ec2());
        }
        group
    };
    let now = if plan.changed() && !plan.check() {
        let id = vec![id.clone()];
        plan.wait_visible(&format!("security group {}", id[0]), |plan| {
            let found = list(plan, &Filters::by("group-id", &id))?;
            Ok(found.into_iter().next())
        })?
    } else {
        predicted(&group)
    };
    let after = to_json(&predicted(&group));
    plan.note_diff(if created { json!({}) } else { before }, after);
    Ok(plan.result(to_json(&now)))
}

fn create(args: &Args, plan: &mut Plan) -> Result<SecurityGroup, Failure> {
    let name = args.name.as_deref().unwrap_or_default();
    let Some(description) = &args.description else {
        return fail("Must provide description when state is present.");
    };
    let tags = args.tags.clone().unwrap_or_default();
    make(plan, name, description, args.vpc_id.as_deref(), &tags)
}

/// Creates a group; in check mode gives the one that would be.
fn make(
    plan: &mut Plan,
    name: &str,
    description: &str,
    vpc_id: Option<&str>,
    tags: &Tags,
) -> Result<SecurityGroup, Failure> {
    let request = plan
        .ec2()
        .create_security_group()
        .group_name(name)
        .description(description)
        .set_vpc_id(vpc_id.map(str::to_string))
        .set_tag_specifications(tags.specification(ResourceType::SecurityGroup));
    let made = plan.change_fresh("ec2:CreateSecurityGroup", || request.clone().send())?;
    let Some(made) = made else {
        let mut builder = SecurityGroup::builder()
            .group_id(planned_id("sg"))
            .group_name(name)
            .description(description)
            .set_tags(Some(tags.to_ec2()));
        if let Some(vpc_id) = vpc_id {
            builder = builder
                .vpc_id(vpc_id)
                .set_ip_permissions_egress(Some(to_permissions(&BTreeSet::from([
                    Rule::everything(),
                ]))));
        }
        return Ok(builder.build());
    };
    let id = answered("ec2:CreateSecurityGroup", made.group_id)?;
    note_created(&id);
    let vpc = vpc_id.is_some();
    plan.wait_visible(&format!("security group {id}"), |plan| {
        let filters = Filters::by("group-id", &[&id]);
        let group = list(plan, &filters)?.into_iter().next();
        // a group in a VPC is born with a rule that lets everything out
        Ok(group.filter(|g| !vpc || !g.ip_permissions_egress().is_empty()))
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    In,
    Out,
}

/// Makes the rules of one direction the wanted ones. Gives the rules as they are then.
fn sync(
    way: Way,
    id: &str,
    current: &BTreeSet<Rule>,
    wanted: &BTreeSet<Rule>,
    purge: bool,
    plan: &mut Plan,
) -> Result<BTreeSet<Rule>, Failure> {
    let ec2 = plan.ec2();
    let same_apart_from_words = |rule: &Rule| current.iter().find(|c| c.is_same(rule));
    let mut now = current.clone();
    let mut described = BTreeSet::new();
    let mut added = BTreeSet::new();
    for rule in wanted {
        match same_apart_from_words(rule) {
            None => {
                added.insert(rule.clone());
            }
            // who gives no description leaves the one there is
            Some(old) if rule.description.is_some() && rule.description != old.description => {
                described.insert(rule.clone());
                now.remove(old);
            }
            Some(_) => {}
        }
    }
    let removed: BTreeSet<Rule> = current
        .iter()
        .filter(|rule| purge && !wanted.iter().any(|w| w.is_same(rule)))
        .cloned()
        .collect();
    if !removed.is_empty() {
        let permissions = to_permissions(&removed);
        if way == Way::In {
            let request = ec2
                .revoke_security_group_ingress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change("ec2:RevokeSecurityGroupIngress", request.send())?;
        } else {
            let request = ec2
                .revoke_security_group_egress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change("ec2:RevokeSecurityGroupEgress", request.send())?;
        }
        now.retain(|rule| !removed.contains(rule));
    }
    if !described.is_empty() {
        let permissions = to_permissions(&described);
        if way == Way::In {
            let request = ec2
                .update_security_group_rule_descriptions_ingress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change(
                "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
                request.send(),
            )?;
        } else {
            let request = ec2
                .update_security_group_rule_descriptions_egress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change(
                "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
                request.send(),
            )?;
        }
        now.extend(described);
    }
    if !added.is_empty() {
        let permissions = to_permissions(&added);
        if way == Way::In {
            let request = ec2
                .authorize_security_group_ingress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change_fresh("ec2:AuthorizeSecurityGroupIngress", || {
                request.clone().send()
            })?;
        } else {
            let request = ec2
                .authorize_security_group_egress()
                .group_id(id)
                .set_ip_permissions(Some(permissions));
            plan.change_fresh("ec2:AuthorizeSecurityGroupEgress", || {
                request.clone().send()
            })?;
        }
        now.extend(added);
    }
    Ok(now)
}

fn permission_json(permission: &IpPermission) -> Json {
    json!({
        "ip_protocol": permission.ip_protocol(),
        "from_port": permission.from_port(),
        "to_port": permission.to_port(),
        "ip_ranges": permission.ip_ranges().iter().map(|r| json!({
            "cidr_ip": r.cidr_ip(), "description": r.description(),
        })).collect::<Vec<_>>(),
        "ipv6_ranges": permission.ipv6_ranges().iter().map(|r| json!({
            "cidr_ipv6": r.cidr_ipv6(), "description": r.description(),
        })).collect::<Vec<_>>(),
        "prefix_list_ids": permission.prefix_list_ids().iter().map(|p| json!({
            "prefix_list_id": p.prefix_list_id(), "description": p.description(),
        })).collect::<Vec<_>>(),
        "user_id_group_pairs": permission.user_id_group_pairs().iter().map(|p| json!({
            "group_id": p.group_id(), "group_name": p.group_name(), "user_id": p.user_id(),
            "vpc_id": p.vpc_id(), "vpc_peering_connection_id": p.vpc_peering_connection_id(),
            "peering_status": p.peering_status(), "description": p.description(),
        })).collect::<Vec<_>>(),
    })
}

fn to_json(group: &SecurityGroup) -> Json {
    let permissions =
        |list: &[IpPermission]| list.iter().map(permission_json).collect::<Vec<Json>>();
    compact(json!({
        "group_id": group.group_id(),
        "group_name": group.group_name(),
        "description": group.description(),
        "vpc_id": group.vpc_id(),
        "owner_id": group.owner_id(),
        "security_group_arn": group.security_group_arn(),
        "ip_permissions": permissions(group.ip_permissions()),
        "ip_permissions_egress": permissions(group.ip_permissions_egress()),
        "tags": Tags::from_ec2(group.tags()).to_json(),
    }))
}

/// Lists security groups.
pub struct Ec2SecurityGroupInfo;

/// The options of `ec2_security_group_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Filters of DescribeSecurityGroups; underscores in names stand for hyphens.
    #[serde(default)]
    filters: Filters,
    /// Only these.
    #[serde(default)]
    group_ids: TextList,
}

impl AwsModule for Ec2SecurityGroupInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_security_group_info",
        "ec2_group_info",
        "ec2_group_facts",
        "amazon.aws.ec2_security_group_info",
        "amazon.aws.ec2_group_info",
        "amazon.aws.ec2_group_facts",
    ];
    type Args = InfoArgs;

    fn run(mut args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        for (name, _) in &mut args.filters.0 {
            if !name.starts_with("tag") {
                *name = name.replace('_', "-");
            }
        }
        if !args.group_ids.0.is_empty() {
            args.filters.0.push(("group-id".into(), args.group_ids.0));
        }
        let found: Vec<_> = list(plan, &args.filters)?.iter().map(to_json).collect();
        Ok(plan.result(json!({"security_groups": found})))
    }
}
