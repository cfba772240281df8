//! An EC2 instance under the names that boto 2 gives to its attributes.
//!
//! The legacy `ec2.py` turns every attribute of boto's instance object into a host variable,
//! and the object takes up every element of the answer of EC2's API version 2014-10-01.
//! So the variables are those of that version: what later ones added is left out, as it was
//! for everyone who ran the script against AWS.

use super::safe_name;
use super::settings::Settings;
use aws_sdk_ec2::primitives::DateTimeFormat;
use aws_sdk_ec2::types;
use serde_json::{Map, Value, json};

/// An instance and the region that it was found in.
pub struct Instance<'a> {
    pub sdk: &'a types::Instance,
    pub region: &'a str,
}

impl Instance<'_> {
    pub fn id(&self) -> &str {
        self.sdk.instance_id().unwrap_or_default()
    }

    pub fn state(&self) -> &str {
        self.sdk
            .state()
            .and_then(|s| s.name())
            .map_or("", |n| n.as_str())
    }

    pub fn zone(&self) -> Option<&str> {
        self.sdk.placement()?.availability_zone()
    }

    /// Keys and values of the tags; a tag without a value has an empty one.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sdk
            .tags()
            .iter()
            .filter_map(|t| Some((t.key()?, t.value().unwrap_or_default())))
    }

    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// Whether there is an attribute of this name: what `destination_variable` and
    /// `hostname_variable` may name besides tags.
    pub fn is_attribute(name: &str) -> bool {
        ATTRIBUTES.contains(&name)
    }

    /// An attribute as text; none where EC2 said nothing.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let value = match name {
            "state" => json!(self.state()),
            "state_code" => json!(self.state_code()),
            "placement" => json!(self.zone()),
            "placement_group" => json!(self.sdk.placement().and_then(|p| p.group_name())),
            "placement_tenancy" => json!(
                self.sdk
                    .placement()
                    .and_then(|p| p.tenancy())
                    .map(|t| t.as_str())
            ),
            "region" => json!(self.region),
            other => self.attributes().into_iter().find(|(n, _)| *n == other)?.1,
        };
        match value {
            Value::Null => None,
            Value::String(s) => Some(s),
            Value::Bool(b) => Some(if b { "True" } else { "False" }.to_string()),
            other => Some(other.to_string()),
        }
    }

    fn state_code(&self) -> i32 {
        self.sdk.state().and_then(|s| s.code()).unwrap_or_default()
    }

    /// The plain attributes, in no particular order; null where EC2 said nothing.
    fn attributes(&self) -> Vec<(&'static str, Value)> {
        let i = self.sdk;
        let monitoring = i.monitoring().and_then(|m| m.state()).map(|s| s.as_str());
        let launch_time = i.launch_time().and_then(|t| {
            // EC2 always writes milliseconds, and always .000
            let text = t.fmt(DateTimeFormat::DateTime).ok()?;
            let seconds = text.trim_end_matches('Z').split('.').next()?.to_string();
            Some(format!("{seconds}.000Z"))
        });
        let mut all = vec![
            ("id", json!(i.instance_id())),
            ("dns_name", json!(i.public_dns_name())),
            ("public_dns_name", json!(i.public_dns_name())),
            ("private_dns_name", json!(i.private_dns_name())),
            ("key_name", json!(i.key_name())),
            (
                "instance_type",
                json!(i.instance_type().map(|t| t.as_str())),
            ),
            ("launch_time", json!(launch_time)),
            ("image_id", json!(i.image_id())),
            ("kernel", json!(i.kernel_id())),
            ("ramdisk", json!(i.ramdisk_id())),
            (
                "ami_launch_index",
                json!(i.ami_launch_index().map(|n| n.to_string())),
            ),
            ("monitored", json!(monitoring == Some("enabled"))),
            ("monitoring_state", json!(monitoring)),
            (
                "spot_instance_request_id",
                json!(i.spot_instance_request_id()),
            ),
            ("subnet_id", json!(i.subnet_id())),
            ("vpc_id", json!(i.vpc_id())),
            ("private_ip_address", json!(i.private_ip_address())),
            ("ip_address", json!(i.public_ip_address())),
            ("root_device_name", json!(i.root_device_name())),
            (
                "root_device_type",
                json!(i.root_device_type().map(|t| t.as_str())),
            ),
            ("client_token", json!(i.client_token())),
            ("platform", json!(i.platform().map(|p| p.as_str()))),
            ("hypervisor", json!(i.hypervisor().map(|h| h.as_str()))),
            (
                "virtualization_type",
                json!(i.virtualization_type().map(|t| t.as_str())),
            ),
            ("architecture", json!(i.architecture().map(|a| a.as_str()))),
            // what boto has for instances, and EC2 only says in other answers or not at all
            ("requester_id", Value::Null),
            ("group_name", Value::Null),
            ("eventsSet", Value::Null),
            ("persistent", json!(false)),
            ("_in_monitoring_element", json!(false)),
            // names of elements that boto takes up as empty text
            ("item", json!("")),
            ("monitoring", json!("")),
        ];
        // these are attributes only where EC2 says them
        if let Some(optimized) = i.ebs_optimized() {
            all.push(("ebs_optimized", json!(optimized)));
        }
        if let Some(check) = i.source_dest_check() {
            all.push(("sourceDestCheck", json!(check.to_string())));
        }
        if let Some(text) = i.sriov_net_support() {
            all.push(("sriovNetSupport", json!(text)));
        }
        if let Some(text) = i.instance_lifecycle() {
            all.push(("instanceLifecycle", json!(text.as_str())));
        }
        if let Some(text) = i.state_transition_reason() {
            all.push(("reason", json!(text)));
        }
        all
    }

    /// The host variables, without `ansible_ssh_host`.
    pub fn variables(&self, settings: &Settings) -> Map<String, Value> {
        let mut vars = Map::new();
        let safe = |name: &str| safe_name(&format!("ec2_{name}"), settings.replace_dash_in_groups);
        for (name, value) in self.attributes() {
            let value = match value {
                Value::Null => json!(""),
                Value::String(s) => json!(s.trim()),
                other => other,
            };
            vars.insert(safe(name), value);
        }
        vars.insert("ec2_state".into(), json!(self.state()));
        vars.insert("ec2_state_code".into(), json!(self.state_code()));
        // only the answer to starting or stopping an instance has these
        vars.insert("ec2_previous_state".into(), json!(""));
        vars.insert("ec2_previous_state_code".into(), json!(0));
        vars.insert("ec2_placement".into(), json!(self.zone()));
        vars.insert("ec2_region".into(), json!(self.region));
        let groups = self.sdk.security_groups();
        let joined = |field: fn(&types::GroupIdentifier) -> Option<&str>| {
            groups
                .iter()
                .filter_map(field)
                .collect::<Vec<_>>()
                .join(",")
        };
        vars.insert(
            "ec2_security_group_ids".into(),
            json!(joined(types::GroupIdentifier::group_id)),
        );
        vars.insert(
            "ec2_security_group_names".into(),
            json!(joined(types::GroupIdentifier::group_name)),
        );
        // boto makes objects of the next three, which the script drops; absent ones stay as empty text
        if self.sdk.state_reason.is_none() {
            vars.insert("ec2_state_reason".into(), json!(""));
        }
        if self.sdk.iam_instance_profile.is_none() {
            vars.insert("ec2_instance_profile".into(), json!(""));
        }
        match &self.sdk.block_device_mappings {
            None => vars.insert("ec2_block_device_mapping".into(), json!("")),
            Some(mappings) => {
                let devices = mappings.iter().filter_map(|m| {
                    let name = m.device_name()?;
                    let base = name.rsplit('/').next().unwrap_or(name);
                    Some((base.to_string(), json!(m.ebs().and_then(|e| e.volume_id()))))
                });
                vars.insert("ec2_block_devices".into(), Value::Object(devices.collect()))
            }
        };
        for (key, value) in self.tags() {
            let value = if settings.expand_csv_tags && value.contains(',') {
                json!(value.split(',').map(str::trim).collect::<Vec<_>>())
            } else {
                json!(value)
            };
            vars.insert(safe(&format!("tag_{key}")), value);
        }
        vars
    }
}

/// The attributes that can be asked for by name.
pub const ATTRIBUTES: &[&str] = &[
    "ami_launch_index",
    "architecture",
    "client_token",
    "dns_name",
    "ebs_optimized",
    "hypervisor",
    "id",
    "image_id",
    "instance_type",
    "ip_address",
    "kernel",
    "key_name",
    "launch_time",
    "monitored",
    "monitoring_state",
    "placement",
    "placement_group",
    "placement_tenancy",
    "platform",
    "private_dns_name",
    "private_ip_address",
    "public_dns_name",
    "ramdisk",
    "reason",
    "region",
    "root_device_name",
    "root_device_type",
    "spot_instance_request_id",
    "state",
    "state_code",
    "subnet_id",
    "virtualization_type",
    "vpc_id",
];
