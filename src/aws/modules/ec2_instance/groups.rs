//! The security groups that instances are to have.

use crate::aws::modules::{security_group, subnet};
use crate::aws::plan::{Plan, fail, is_planned, planned_id};
use crate::aws::types::Filters;
use crate::modules::Failure;

/// The IDs of security groups given by name or ID, in the VPC of the subnet.
pub(super) fn group_ids(names: &[&str], subnet: &str, plan: &Plan) -> Result<Vec<String>, Failure> {
    let (mut ids, names): (Vec<String>, Vec<String>) = names
        .iter()
        .map(ToString::to_string)
        .partition(|n| n.starts_with("sg-"));
    // in check mode the subnet's VPC, and so its groups, may be yet to come
    if names.is_empty() || is_planned(subnet) {
        return Ok(ids);
    }
    let subnets = subnet::list(plan, &Filters::default(), &[subnet.to_string()])?;
    let vpc = subnets
        .first()
        .and_then(|s| s.vpc_id())
        .unwrap_or_default()
        .to_string();
    let mut filters = subnet::in_vpc(&vpc);
    filters.0.push(("group-name".into(), names.clone()));
    let found = security_group::list(plan, &filters)?;
    for name in names {
        let group = found.iter().find(|g| g.group_name() == Some(&name));
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
