//! Changing the tags and attributes of instances that are there.

use super::groups::group_ids;
use super::state::await_state;
use super::{Args, Goal, state_of};
use crate::aws::plan::Plan;
use crate::aws::types::Tags;
use crate::modules::Failure;
use aws_sdk_ec2::types::{AttributeBooleanValue, AttributeValue, Instance};

/// Makes tags and attributes of existing instances the wanted ones.
pub(super) fn change(args: &Args, found: &[Instance], plan: &mut Plan) -> Result<(), Failure> {
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

pub(super) fn set_source_dest_check(id: &str, on: bool, plan: &mut Plan) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    let request = plan
        .ec2()
        .modify_instance_attribute()
        .instance_id(id)
        .source_dest_check(value);
    plan.change("ec2:ModifyInstanceAttribute", request.send())?;
    Ok(())
}
