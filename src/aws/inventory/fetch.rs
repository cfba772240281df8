//! Asks EC2 for its instances: every page, all regions at once.

use super::settings::{Regions, Settings};
use crate::aws::settings::Env;
use crate::aws::{Aws, Refusal, block_on};
use crate::{Error, Result};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance};
use std::collections::HashSet;
use std::sync::Arc;

/// An instance as EC2 describes it.
pub struct Found {
    pub instance: Instance,
    pub region: String,
    /// The account that owns it.
    pub account: Option<String>,
}

/// The instances of all regions that the settings name, in the order of the regions.
///
/// # Errors
/// No credentials, no region, or AWS refusing; then nothing is listed, as part of an inventory is worse than none.
pub fn instances(settings: &Settings, env: Env) -> Result<Vec<Found>> {
    let aws = connect(settings, env)?;
    block_on(async {
        let mut asked = Vec::new();
        for region in regions(settings, &aws).await? {
            let client = if region == aws.region() {
                aws.ec2().clone()
            } else {
                aws.in_region(&region).ec2().clone()
            };
            let queries = queries(settings);
            asked.push(tokio::spawn(in_region(
                client,
                region,
                queries,
                settings.page_size,
            )));
        }
        let mut found = Vec::new();
        for task in asked {
            found.extend(
                task.await
                    .map_err(|e| Error::general(format!("listing instances: {e}")))??,
            );
        }
        Ok(found)
    })
}

fn connect(settings: &Settings, env: Env) -> Result<Arc<Aws>> {
    let mut connection = crate::aws::Settings {
        profile: settings.profile.clone(),
        ..Default::default()
    };
    // the script takes keys from its file only where the environment has none
    let in_env = |name: &str| env(name).is_some_and(|v| !v.is_empty());
    if connection.profile.is_none()
        && !in_env("AWS_ACCESS_KEY_ID")
        && !in_env("AWS_PROFILE")
        && let Some(keys) = &settings.credentials
    {
        connection.access_key = Some(keys.access_key.clone());
        connection.secret_key = Some(keys.secret_key.clone());
        connection.session_token = keys.token.clone();
    }
    match &settings.regions {
        Regions::These(names) => connection.region = names.first().cloned(),
        // any region can list all regions
        Regions::All { .. } => {
            connection.region = ["AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION"]
                .iter()
                .find_map(|name| env(name).filter(|v| !v.is_empty()))
                .or_else(|| Some("us-east-1".into()));
        }
        Regions::Configured => {}
    }
    Aws::connect(connection, env)
}

async fn regions(settings: &Settings, aws: &Aws) -> Result<Vec<String>> {
    match &settings.regions {
        Regions::These(names) => Ok(names.clone()),
        Regions::Configured => Ok(vec![aws.region().to_string()]),
        Regions::All { except } => {
            let answer = aws
                .ec2()
                .describe_regions()
                .send()
                .await
                .map_err(|e| refused("ec2:DescribeRegions", e, aws.region()))?;
            Ok(answer
                .regions()
                .iter()
                .filter_map(|r| r.region_name())
                .filter(|name| !except.iter().any(|e| e == name))
                .map(str::to_string)
                .collect())
        }
    }
}

/// The filters of each request: one request per kind of filter, as any of them suffices.
fn queries(settings: &Settings) -> Vec<Vec<Filter>> {
    let filter = |name: &str, values: &[String]| {
        Filter::builder()
            .name(name)
            .set_values(Some(values.to_vec()))
            .build()
    };
    let states = filter("instance-state-name", &settings.instance_states);
    if settings.instance_filters.is_empty() {
        return vec![vec![states]];
    }
    settings
        .instance_filters
        .iter()
        .map(|(name, values)| {
            if name == "instance-state-name" {
                vec![filter(name, values)]
            } else {
                vec![filter(name, values), states.clone()]
            }
        })
        .collect()
}

async fn in_region(
    client: Client,
    region: String,
    queries: Vec<Vec<Filter>>,
    page_size: i32,
) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for filters in queries {
        let mut pages = client
            .describe_instances()
            .set_filters(Some(filters))
            .max_results(page_size)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| refused("ec2:DescribeInstances", e, &region))?;
            for reservation in page.reservations.unwrap_or_default() {
                for instance in reservation.instances.unwrap_or_default() {
                    if seen.insert(instance.instance_id().unwrap_or_default().to_string()) {
                        found.push(Found {
                            instance,
                            region: region.clone(),
                            account: reservation.owner_id.clone(),
                        });
                    }
                }
            }
        }
    }
    Ok(found)
}

fn refused<E>(request: &str, error: aws_sdk_ec2::error::SdkError<E>, region: &str) -> Error
where
    E: aws_sdk_ec2::error::ProvideErrorMetadata
        + aws_sdk_ec2::operation::RequestId
        + std::error::Error
        + 'static,
    aws_sdk_ec2::error::SdkError<E>: aws_sdk_ec2::operation::RequestId,
{
    Error::general(format!(
        "the EC2 inventory of {region}: {}",
        Refusal::new(request, error)
    ))
}
