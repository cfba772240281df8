//! Starting, stopping and terminating instances, and waiting for it.

use super::info::to_json;
use super::{Args, Goal, ids_of, state_of};
use crate::aws::modules::instance::list;
use crate::aws::plan::{Plan, fail};
use crate::aws::types::{Filters, seconds};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::Instance;
use serde_json::json;

/// Starts or stops what is not as wanted. Gives the IDs of those.
pub(super) fn bring_to_state(
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

pub(super) fn terminate(
    args: &Args,
    found: Vec<Instance>,
    plan: &mut Plan,
) -> Result<TaskResult, Failure> {
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

pub(super) fn stop_for_good(
    args: &Args,
    found: &[Instance],
    plan: &mut Plan,
) -> Result<(), Failure> {
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
pub(super) fn await_goal(args: &Args, ids: &[String], plan: &Plan) -> Result<(), Failure> {
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
pub(super) fn await_state(
    ids: &[String],
    state: &str,
    timeout: i64,
    plan: &Plan,
) -> Result<(), Failure> {
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
