//! From instances to groups and host variables: the dynamic inventory that `ec2.py` prints.

use super::instance::Instance;
use super::safe_name;
use super::settings::Settings;
use crate::{Error, Result};
use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value, json};

/// The inventory while it is put together.
#[derive(Default)]
pub struct Listing {
    groups: IndexMap<String, Group>,
    hosts: IndexMap<String, Map<String, Value>>,
    /// Host name to instance ID.
    ids: IndexMap<String, String>,
}

/// Printed as a list of hosts, or as a dictionary once it has groups below it.
#[derive(Default)]
struct Group {
    hosts: IndexSet<String>,
    children: IndexSet<String>,
}

impl Listing {
    /// Adds an instance, unless its state, its lack of an address or a pattern keeps it out.
    ///
    /// # Errors
    /// A `destination_format` that cannot be filled in.
    pub fn add(
        &mut self,
        instance: &Instance,
        account: Option<&str>,
        settings: &Settings,
    ) -> Result<()> {
        if !settings
            .instance_states
            .iter()
            .any(|s| s == instance.state())
        {
            return Ok(());
        }
        let Some(address) = address(instance, settings)?.filter(|a| !a.is_empty()) else {
            return Ok(());
        };
        let host = host_name(instance, settings).unwrap_or_else(|| address.clone());
        let matches = |pattern: &fancy_regex::Regex| pattern.is_match(&host).unwrap_or(false);
        if settings
            .pattern_include
            .as_ref()
            .is_some_and(|p| !matches(p))
            || settings.pattern_exclude.as_ref().is_some_and(matches)
        {
            return Ok(());
        }
        self.ids.insert(host.clone(), instance.id().to_string());
        self.group(instance, account, &host, settings);
        let mut vars = instance.variables(settings);
        vars.insert("ansible_ssh_host".into(), json!(address));
        self.hosts.insert(host, vars);
        Ok(())
    }

    fn group(
        &mut self,
        instance: &Instance,
        account: Option<&str>,
        host: &str,
        settings: &Settings,
    ) {
        let by = &settings.group_by;
        let sdk = instance.sdk;
        let safe = |name: String| safe_name(&name, settings.replace_dash_in_groups);
        // a group, and the one that it goes under where groups are nested
        let mut put = |wanted: bool, name: Option<String>, parent: &str| {
            if let Some(name) = name.filter(|_| wanted) {
                self.push(&name, host);
                if settings.nested_groups {
                    self.push_group(parent, &name);
                }
            }
        };
        put(by.instance_id, Some(instance.id().to_string()), "instances");
        put(by.region, Some(instance.region.to_string()), "regions");
        put(
            by.availability_zone,
            instance.zone().map(str::to_string),
            "zones",
        );
        put(
            by.ami_id,
            sdk.image_id().map(|i| safe(i.to_string())),
            "images",
        );
        put(
            by.instance_type,
            sdk.instance_type().map(|t| safe(format!("type_{t}"))),
            "types",
        );
        put(
            by.instance_state,
            Some(safe(format!("instance_state_{}", instance.state()))),
            "instance_states",
        );
        let platform = sdk.platform().map_or("undefined", |p| p.as_str());
        put(
            by.platform,
            Some(safe(format!("platform_{platform}"))),
            "platforms",
        );
        let key = sdk.key_name().filter(|k| !k.is_empty());
        put(by.key_pair, key.map(|k| safe(format!("key_{k}"))), "keys");
        let vpc = sdk.vpc_id().filter(|v| !v.is_empty());
        put(by.vpc_id, vpc.map(|v| safe(format!("vpc_id_{v}"))), "vpcs");
        for group in sdk.security_groups() {
            let name = group
                .group_name()
                .map(|n| safe(format!("security_group_{n}")));
            put(by.security_group, name, "security_groups");
        }
        put(by.aws_account, account.map(str::to_string), "accounts");
        if settings.nested_groups
            && by.region
            && by.availability_zone
            && let Some(zone) = instance.zone()
        {
            self.push_group(instance.region, zone);
        }
        if by.tag_keys {
            for (key, value) in instance.tags() {
                let values: Vec<&str> = if settings.expand_csv_tags && value.contains(',') {
                    value.split(',').map(str::trim).collect()
                } else {
                    vec![value]
                };
                let whole = safe(format!("tag_{key}"));
                for value in values {
                    let name = if value.is_empty() {
                        whole.clone()
                    } else {
                        safe(format!("tag_{key}={value}"))
                    };
                    self.push(&name, host);
                    if settings.nested_groups {
                        self.push_group("tags", &whole);
                        if !value.is_empty() {
                            self.push_group(&whole, &name);
                        }
                    }
                }
            }
        }
        if by.tag_none && instance.tags().next().is_none() {
            self.push("tag_none", host);
            if settings.nested_groups {
                self.push_group("tags", "tag_none");
            }
        }
        self.push("ec2", host);
    }

    fn push(&mut self, group: &str, host: &str) {
        let group = self.groups.entry(group.to_string()).or_default();
        group.hosts.insert(host.to_string());
    }

    fn push_group(&mut self, parent: &str, child: &str) {
        let parent = self.groups.entry(parent.to_string()).or_default();
        parent.children.insert(child.to_string());
    }

    /// The ID of the instance behind a host name.
    pub fn instance_id(&self, host: &str) -> Option<&str> {
        self.ids.get(host).map(String::as_str)
    }

    /// The whole inventory, as an inventory script prints it for `--list`.
    pub fn into_json(self) -> Value {
        let mut all = Map::new();
        let hosts: Map<String, Value> = self
            .hosts
            .into_iter()
            .map(|(k, v)| (k, Value::Object(v)))
            .collect();
        all.insert("_meta".into(), json!({ "hostvars": hosts }));
        for (name, group) in self.groups {
            let value = if group.children.is_empty() {
                json!(group.hosts)
            } else if group.hosts.is_empty() {
                json!({ "children": group.children })
            } else {
                json!({ "children": group.children, "hosts": group.hosts })
            };
            all.insert(name, value);
        }
        Value::Object(all)
    }
}

/// Where the instance is reached: the format, or the variable for instances with or without a VPC.
fn address(instance: &Instance, settings: &Settings) -> Result<Option<String>> {
    if let Some((format, tags)) = &settings.destination_format {
        let values: Vec<&str> = tags
            .iter()
            .map(|t| instance.tag(t).unwrap_or_default())
            .collect();
        return fill(format, &values).map(Some);
    }
    let in_vpc = instance.sdk.subnet_id().is_some_and(|s| !s.is_empty());
    let variable = if in_vpc {
        &settings.vpc_destination_variable
    } else {
        &settings.destination_variable
    };
    Ok(instance
        .attribute(variable)
        .or_else(|| instance.tag(variable).map(str::to_string)))
}

/// The name that `hostname_variable` gives; none where it has no value.
fn host_name(instance: &Instance, settings: &Settings) -> Option<String> {
    let variable = settings.hostname_variable.as_ref()?;
    let name = match variable.strip_prefix("tag_") {
        Some(tag) => instance.tag(tag).map(str::to_string),
        None => instance.attribute(variable),
    };
    let name = name.filter(|n| !n.is_empty())?;
    Some(safe_name(&name, settings.replace_dash_in_groups).to_lowercase())
}

/// Python's `format` with values by position: `{0}.{1}.example.com`, `{}`, `{{`, `}}`.
fn fill(format: &str, values: &[&str]) -> Result<String> {
    let fail = |what: &str| {
        Err(Error::general(format!(
            "destination_format: '{format}': {what}"
        )))
    };
    let mut out = String::new();
    let mut next = 0;
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => out.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.push('}'),
            '}' => return fail("a '}' without its '{'"),
            '{' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return fail("a '{' without its '}'"),
                    }
                }
                let index = if name.is_empty() {
                    next += 1;
                    next - 1
                } else {
                    match name.parse() {
                        Ok(index) => index,
                        Err(_) => return fail("only numbers can stand between '{' and '}'"),
                    }
                };
                match values.get(index) {
                    Some(value) => out.push_str(value),
                    None => return fail("destination_format_tags has fewer tags"),
                }
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::settings;
    use super::*;
    use aws_sdk_ec2::types::{
        GroupIdentifier, Instance as Sdk, InstanceState, InstanceStateName, InstanceType,
        Placement, Tag,
    };

    fn instance(tags: &[(&str, &str)]) -> Sdk {
        let mut builder = Sdk::builder()
            .instance_id("i-0a")
            .image_id("ami-1")
            .instance_type(InstanceType::M3Large)
            .key_name("my key")
            .subnet_id("subnet-1")
            .vpc_id("vpc-1")
            .private_ip_address("10.0.0.4")
            .ami_launch_index(0)
            .source_dest_check(true)
            .placement(Placement::builder().availability_zone("eu-west-1a").build())
            .state(
                InstanceState::builder()
                    .code(16)
                    .name(InstanceStateName::Running)
                    .build(),
            )
            .security_groups(
                GroupIdentifier::builder()
                    .group_id("sg-1")
                    .group_name("a b")
                    .build(),
            )
            .security_groups(
                GroupIdentifier::builder()
                    .group_id("sg-2")
                    .group_name("c")
                    .build(),
            );
        for (key, value) in tags {
            builder = builder.tags(Tag::builder().key(*key).value(*value).build());
        }
        builder.build()
    }

    fn list(lines: &str, tags: &[(&str, &str)]) -> Value {
        let settings = settings(lines).unwrap();
        let sdk = instance(tags);
        let mut listing = Listing::default();
        let region = "eu-west-1";
        listing
            .add(
                &Instance { sdk: &sdk, region },
                Some("123456789012"),
                &settings,
            )
            .unwrap();
        listing.into_json()
    }

    fn groups(all: &Value) -> Vec<&str> {
        let mut names: Vec<&str> = all
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names
    }

    const PRIVATE: &str = "vpc_destination_variable = private_ip_address";

    #[test]
    fn groups_have_the_script_s_names() {
        let all = list(PRIVATE, &[("Name", "dcos-master"), ("dcos-controller", "")]);
        assert_eq!(
            groups(&all),
            [
                "_meta",
                "ami_1",
                "ec2",
                "eu-west-1",
                "eu-west-1a",
                "i-0a",
                "key_my_key",
                "security_group_a_b",
                "security_group_c",
                "tag_Name_dcos_master",
                "tag_dcos_controller",
                "type_m3_large",
                "vpc_id_vpc_1",
            ]
        );
        assert_eq!(all["ec2"], json!(["10.0.0.4"]));
        let keep = list(
            &format!("{PRIVATE}\nreplace_dash_in_groups = no"),
            &[("a-b", "c d")],
        );
        assert!(groups(&keep).contains(&"tag_a-b_c_d") && groups(&keep).contains(&"vpc_id_vpc-1"));
        assert!(groups(&list(PRIVATE, &[])).contains(&"tag_none"));
    }

    #[test]
    fn variables_have_the_script_s_names_and_types() {
        let all = list(PRIVATE, &[("a b", " x ")]);
        let vars = &all["_meta"]["hostvars"]["10.0.0.4"];
        for (name, value) in [
            ("ansible_ssh_host", json!("10.0.0.4")),
            ("ec2__in_monitoring_element", json!(false)),
            ("ec2_ami_launch_index", json!("0")),
            ("ec2_monitored", json!(false)),
            ("ec2_sourceDestCheck", json!("true")),
            ("ec2_state", json!("running")),
            ("ec2_state_code", json!(16)),
            ("ec2_previous_state_code", json!(0)),
            ("ec2_security_group_ids", json!("sg-1,sg-2")),
            ("ec2_security_group_names", json!("a b,c")),
            ("ec2_public_dns_name", json!("")),
            ("ec2_tag_a_b", json!(" x ")),
            ("ec2_region", json!("eu-west-1")),
        ] {
            assert_eq!(vars[name], value, "{name}");
        }
        assert!(vars.get("ec2_ebs_optimized").is_none());
    }

    #[test]
    fn options_decide_names_addresses_and_groups() {
        let tags = [("Name", "Web One"), ("env", "dev"), ("roles", "a, b")];
        for (lines, host, address) in [
            (
                "vpc_destination_variable = private_ip_address\nhostname_variable = tag_Name",
                "web_one",
                "10.0.0.4",
            ),
            (
                "vpc_destination_variable = private_ip_address\nhostname_variable = tag_nope",
                "10.0.0.4",
                "10.0.0.4",
            ),
            ("vpc_destination_variable = env", "dev", "dev"),
            (
                "destination_format = {1}.{0}.{{x}}\ndestination_format_tags = env,none",
                ".dev.{x}",
                ".dev.{x}",
            ),
        ] {
            let all = list(lines, &tags);
            assert_eq!(
                all["_meta"]["hostvars"][host]["ansible_ssh_host"],
                json!(address),
                "{lines}"
            );
        }
        for lines in [
            "vpc_destination_variable = ip_address",
            &format!("{PRIVATE}\npattern_include = 192"),
            &format!("{PRIVATE}\npattern_exclude = 10"),
            &format!("{PRIVATE}\ninstance_states = stopped"),
        ] {
            assert_eq!(
                list(lines, &tags),
                json!({"_meta": {"hostvars": {}}}),
                "{lines}"
            );
        }
        let all = list(&format!("{PRIVATE}\nexpand_csv_tags = yes"), &tags);
        assert!(groups(&all).contains(&"tag_roles_a") && groups(&all).contains(&"tag_roles_b"));
        assert_eq!(
            all["_meta"]["hostvars"]["10.0.0.4"]["ec2_tag_roles"],
            json!(["a", "b"])
        );
        let all = list(
            &format!("{PRIVATE}\nnested_groups = yes\ngroup_by_platform = yes"),
            &tags,
        );
        assert_eq!(all["regions"], json!({"children": ["eu-west-1"]}));
        assert_eq!(
            all["eu-west-1"],
            json!({"children": ["eu-west-1a"], "hosts": ["10.0.0.4"]})
        );
        assert_eq!(all["tag_env"], json!({"children": ["tag_env_dev"]}));
        assert_eq!(
            all["platforms"],
            json!({"children": ["platform_undefined"]})
        );
    }
}
