//! `ec2_tag`, `ec2_tag_info`: tags of any EC2 resource.

use crate::aws::plan::{AwsModule, Plan, fail, is_planned};
use crate::aws::types::{Tags, filter};
use crate::modules::Failure;
use crate::result::TaskResult;
use crate::value::Value;
use serde_json::json;

/// Sets and removes tags of an EC2 resource.
pub struct Ec2Tag;

/// The options of `ec2_tag`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The id of the resource.
    resource: String,
    /// The tags. With `state: absent` those to remove: with this value, or with any if it is null.
    #[schemars(extend("type" = "object"))]
    tags: Option<Value>,
    /// Removes tags that `tags` does not list.
    #[serde(default)]
    purge_tags: bool,
    /// `list` only returns the tags; `ec2_tag_info` is the module for that.
    #[serde(default)]
    state: TagState,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TagState {
    #[default]
    Present,
    Absent,
    List,
}

impl AwsModule for Ec2Tag {
    const NAMES: &'static [&'static str] = &["ec2_tag", "amazon.aws.ec2_tag"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let current = tags_of(plan, &args.resource)?;
        if args.state == TagState::List {
            return Ok(plan.result(json!({"tags": current.to_json()})));
        }
        let Some(given) = args.tags else {
            return fail("state is present but all of the following are missing: tags");
        };
        let given_tags: Tags =
            serde_json::from_value(given.to_json()).map_err(|e| Failure::new(e.to_string()))?;
        let (wanted, purge) = match args.state {
            TagState::Absent => {
                let mut left = current.clone();
                left.0.retain(|key, value| match given_tags.0.get(key) {
                    None => true,
                    Some(wanted) => wanted != value && !given.get(key).is_some_and(Value::is_null),
                });
                (left, true)
            }
            _ => (given_tags, args.purge_tags),
        };
        let (added, removed) = current.difference(&wanted, purge);
        let now = plan.sync_tags(&args.resource, &current, Some(&wanted), purge)?;
        plan.note_diff(current.to_json(), now.to_json());
        let mut entries = json!({"tags": now.to_json()});
        if !added.0.is_empty() {
            entries["added_tags"] = added.to_json();
        }
        if !removed.is_empty() {
            entries["removed_tags"] = removed
                .iter()
                .map(|key| (key.clone(), json!(current.0[key])))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        Ok(plan.result(entries))
    }
}

/// The tags of a resource.
pub fn tags_of(plan: &Plan, resource: &str) -> Result<Tags, Failure> {
    if is_planned(resource) {
        return Ok(Tags::default());
    }
    let request = plan
        .ec2()
        .describe_tags()
        .filters(filter("resource-id", &[resource]));
    let found = plan.read(
        "ec2:DescribeTags",
        request.into_paginator().items().send().try_collect(),
    )?;
    Ok(Tags(
        found
            .into_iter()
            .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
            .collect(),
    ))
}

/// Returns the tags of an EC2 resource.
pub struct Ec2TagInfo;

/// The options of `ec2_tag_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// The id of the resource.
    resource: String,
}

impl AwsModule for Ec2TagInfo {
    const NAMES: &'static [&'static str] =
        &["ec2_tag_info", "ec2_tag_facts", "amazon.aws.ec2_tag_info"];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let tags = tags_of(plan, &args.resource)?;
        Ok(plan.result(json!({"tags": tags.to_json()})))
    }
}
