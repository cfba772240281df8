//! `ec2.ini`: the settings of the EC2 inventory.

use super::ini::{Entry, Ini};
use super::instance::{ATTRIBUTES, Instance};
use crate::error::did_you_mean;
use crate::source::Source;
use crate::{Error, Result, notice};
use fancy_regex::Regex;
use std::path::{Path, PathBuf};

/// Which regions to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Regions {
    /// Every region that the account has enabled, but these.
    All {
        except: Vec<String>,
    },
    These(Vec<String>),
    /// The one that the AWS configuration names.
    Configured,
}

/// Which groups to make.
#[derive(Debug, Clone)]
pub struct GroupBy {
    pub instance_id: bool,
    pub region: bool,
    pub availability_zone: bool,
    pub ami_id: bool,
    pub instance_type: bool,
    pub instance_state: bool,
    pub platform: bool,
    pub key_pair: bool,
    pub vpc_id: bool,
    pub security_group: bool,
    pub tag_keys: bool,
    pub tag_none: bool,
    pub aws_account: bool,
}

/// The settings, with the script's defaults for what the file does not say.
#[derive(Debug)]
pub struct Settings {
    /// The file they were read from, if any.
    pub file: Option<PathBuf>,
    pub regions: Regions,
    pub destination_variable: String,
    pub vpc_destination_variable: String,
    pub hostname_variable: Option<String>,
    pub destination_format: Option<(String, Vec<String>)>,
    pub instance_states: Vec<String>,
    /// Filter names, each with the values of which one must match; an instance that any filter finds is listed.
    pub instance_filters: Vec<(String, Vec<String>)>,
    pub nested_groups: bool,
    pub replace_dash_in_groups: bool,
    pub expand_csv_tags: bool,
    pub group_by: GroupBy,
    pub pattern_include: Option<Regex>,
    pub pattern_exclude: Option<Regex>,
    pub profile: Option<String>,
    /// Access key, secret key and session token from `[credentials]`.
    pub credentials: Option<Credentials>,
    /// How many instances a request asks for; the most that EC2 allows.
    pub page_size: i32,
}

/// Keys written into `ec2.ini`.
#[derive(Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub token: Option<String>,
}

/// The keys never show.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Options that are understood here.
const KNOWN: &[&str] = &[
    "all_instances",
    "boto_profile",
    "cache_max_age",
    "cache_path",
    "destination_format",
    "destination_format_tags",
    "destination_variable",
    "elasticache",
    "eucalyptus",
    "eucalyptus_host",
    "expand_csv_tags",
    "group_by_ami_id",
    "group_by_availability_zone",
    "group_by_aws_account",
    "group_by_instance_id",
    "group_by_instance_state",
    "group_by_instance_type",
    "group_by_key_pair",
    "group_by_platform",
    "group_by_region",
    "group_by_security_group",
    "group_by_tag_keys",
    "group_by_tag_none",
    "group_by_vpc_id",
    "hostname_variable",
    "iam_role",
    "include_rds_clusters",
    "instance_filters",
    "instance_states",
    "nested_groups",
    "pattern_exclude",
    "pattern_include",
    "rds",
    "regions",
    "regions_exclude",
    "replace_dash_in_groups",
    "route53",
    "route53_excluded_zones",
    "route53_hostnames",
    "stack_filters",
    "vpc_destination_variable",
];

/// Options of the parts that list other services; without effect while those are off.
const OF_OTHER_SERVICES: &[&str] = &[
    "all_rds_instances",
    "all_elasticache_clusters",
    "all_elasticache_nodes",
    "all_elasticache_replication_groups",
    "group_by_route53_names",
    "group_by_rds_engine",
    "group_by_rds_parameter_group",
    "group_by_elasticache_engine",
    "group_by_elasticache_cluster",
    "group_by_elasticache_parameter_group",
    "group_by_elasticache_replication_group",
];

const STATES: &[&str] = &[
    "pending",
    "running",
    "shutting-down",
    "terminated",
    "stopping",
    "stopped",
];

impl Settings {
    /// The settings of the first of these files that exists; the defaults if none does.
    pub fn find(candidates: &[PathBuf]) -> Result<Settings> {
        match candidates.iter().find(|p| p.is_file()) {
            Some(path) => Settings::read(path),
            None => {
                notice::verbose(1, "ec2 inventory: no ec2.ini found, using the defaults");
                Settings::from_ini(&Ini::default(), None)
            }
        }
    }

    /// The settings of this file.
    pub fn read(path: &Path) -> Result<Settings> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::general(format!(
                "cannot read the settings of the EC2 inventory from {name}: {e}"
            ))
        })?;
        notice::verbose(1, format!("ec2 inventory: using {name}"));
        let ini = Ini::parse(&Source::new(&name, text))?;
        if !ini.has("ec2") {
            return Err(Error::general(format!("{name} has no [ec2] section")));
        }
        Settings::from_ini(&ini, Some(path.to_path_buf()))
    }

    fn from_ini(ini: &Ini, file: Option<PathBuf>) -> Result<Settings> {
        let get = |key: &str| -> Result<Option<Entry>> { ini.get("ec2", key) };
        let text = |key: &str| -> Result<Option<String>> {
            Ok(get(key)?.map(|e| e.text).filter(|t| !t.is_empty()))
        };
        let flag = |key: &str, default: bool| -> Result<bool> {
            get(key)?.map_or(Ok(default), |e| boolean(key, &e))
        };
        for (key, at) in ini.keys("ec2") {
            if !KNOWN.contains(&key) && !OF_OTHER_SERVICES.contains(&key) {
                let hint = did_you_mean(key, KNOWN.iter().copied())
                    .map(|w| format!(" Did you mean {w}?"))
                    .unwrap_or_default();
                notice::warning(format!(
                    "{at}: the EC2 inventory has no option '{key}'.{hint}"
                ));
            }
        }
        for (key, at) in ini.keys("credentials") {
            if !matches!(
                key,
                "aws_access_key_id" | "aws_secret_access_key" | "aws_security_token"
            ) {
                notice::warning(format!("{at}: [credentials] has no option '{key}'."));
            }
        }
        // What would change which hosts there are is refused; what would add other things is left out, and said.
        for (key, what) in [
            ("eucalyptus", "Eucalyptus clouds"),
            ("route53", "groups by Route 53 names"),
            ("stack_filters", "tags of CloudFormation stacks"),
        ] {
            if flag(key, false)? {
                let error = Error::general(format!(
                    "the EC2 inventory does not support {what}: '{key}'"
                ))
                .hint(format!("set {key} = False"));
                return Err(error.at_opt(get(key)?.as_ref().map(|e| &e.at)));
            }
        }
        for (key, what) in [
            ("rds", "RDS instances"),
            ("include_rds_clusters", "RDS clusters"),
            ("elasticache", "ElastiCache clusters"),
        ] {
            if flag(key, false)? {
                notice::warning(format!(
                    "The EC2 inventory lists no {what}: option '{key}' has no effect."
                ));
            }
        }
        for (key, what) in [
            ("route53_hostnames", "names from Route 53"),
            ("iam_role", "taking on a role of IAM"),
        ] {
            if let Some(entry) = get(key)?.filter(|e| !e.text.is_empty()) {
                return Err(Error::general(format!(
                    "the EC2 inventory does not support {what}: '{key}'"
                ))
                .at(&entry.at));
            }
        }
        if let Some(entry) = get("cache_max_age")?
            && entry.text.parse::<i64>().is_err()
        {
            return Err(Error::general(format!(
                "cache_max_age: '{}' is not a whole number",
                entry.text
            ))
            .at(&entry.at));
        }
        let hostname_variable = text("hostname_variable")?;
        if let Some(name) = &hostname_variable
            && !name.starts_with("tag_")
            && !Instance::is_attribute(name)
        {
            let mut error = Error::general(format!(
                "hostname_variable: instances have no attribute '{name}'"
            ));
            if let Some(near) = did_you_mean(name, ATTRIBUTES.iter().copied()) {
                error = error.hint(format!("did you mean {near}?"));
            }
            return Err(error.at_opt(get("hostname_variable")?.as_ref().map(|e| &e.at)));
        }
        let destination_format = match (
            text("destination_format")?,
            text("destination_format_tags")?,
        ) {
            (Some(format), Some(tags)) => Some((format, comma_list(&tags))),
            _ => None,
        };
        let pattern = |key: &str| -> Result<Option<Regex>> {
            let Some(entry) = get(key)?.filter(|e| !e.text.is_empty()) else {
                return Ok(None);
            };
            // Python's match: from the start, not to the end
            Regex::new(&format!("^(?:{})", entry.text))
                .map(Some)
                .map_err(|e| {
                    Error::general(format!(
                        "{key}: '{}' is not a regular expression: {e}",
                        entry.text
                    ))
                    .at(&entry.at)
                })
        };
        let regions = match text("regions")?.as_deref() {
            None if file.is_some() => Regions::All {
                except: excluded(&text("regions_exclude")?),
            },
            None | Some("auto") => Regions::Configured,
            Some("all") => Regions::All {
                except: excluded(&text("regions_exclude")?),
            },
            Some(list) => Regions::These(comma_list(list)),
        };
        Ok(Settings {
            regions,
            destination_variable: text("destination_variable")?
                .unwrap_or_else(|| "public_dns_name".into()),
            vpc_destination_variable: text("vpc_destination_variable")?
                .unwrap_or_else(|| "ip_address".into()),
            hostname_variable,
            destination_format,
            instance_states: if flag("all_instances", false)? {
                STATES.iter().map(ToString::to_string).collect()
            } else {
                states(get("instance_states")?)
            },
            instance_filters: filters(get("instance_filters")?),
            nested_groups: flag("nested_groups", false)?,
            replace_dash_in_groups: flag("replace_dash_in_groups", true)?,
            expand_csv_tags: flag("expand_csv_tags", false)?,
            group_by: GroupBy {
                instance_id: flag("group_by_instance_id", true)?,
                region: flag("group_by_region", true)?,
                availability_zone: flag("group_by_availability_zone", true)?,
                ami_id: flag("group_by_ami_id", true)?,
                instance_type: flag("group_by_instance_type", true)?,
                // groups of later versions of the script: only where the file asks for them
                instance_state: flag("group_by_instance_state", false)?,
                platform: flag("group_by_platform", false)?,
                aws_account: flag("group_by_aws_account", false)?,
                key_pair: flag("group_by_key_pair", true)?,
                vpc_id: flag("group_by_vpc_id", true)?,
                security_group: flag("group_by_security_group", true)?,
                tag_keys: flag("group_by_tag_keys", true)?,
                tag_none: flag("group_by_tag_none", true)?,
            },
            pattern_include: pattern("pattern_include")?,
            pattern_exclude: pattern("pattern_exclude")?,
            profile: text("boto_profile")?,
            credentials: credentials(ini)?,
            page_size: 1000,
            file,
        })
    }
}

fn credentials(ini: &Ini) -> Result<Option<Credentials>> {
    let get = |key: &str| -> Result<Option<String>> {
        Ok(ini
            .get("credentials", key)?
            .map(|e| e.text)
            .filter(|t| !t.is_empty()))
    };
    let Some(access_key) = get("aws_access_key_id")? else {
        return Ok(None);
    };
    let secret_key = get("aws_secret_access_key")?.ok_or_else(|| {
        Error::general("[credentials] has an aws_access_key_id and no aws_secret_access_key")
    })?;
    Ok(Some(Credentials {
        access_key,
        secret_key,
        token: get("aws_security_token")?,
    }))
}

fn comma_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_string)
        .collect()
}

fn excluded(text: &Option<String>) -> Vec<String> {
    comma_list(text.as_deref().unwrap_or("us-gov-west-1,cn-north-1"))
}

/// `running` if nothing is said; names that are no states are left out, and named.
fn states(entry: Option<Entry>) -> Vec<String> {
    let Some(entry) = entry else {
        return vec!["running".into()];
    };
    let (known, unknown): (Vec<_>, Vec<_>) = comma_list(&entry.text)
        .into_iter()
        .partition(|s| STATES.contains(&s.as_str()));
    for name in unknown {
        notice::warning(format!(
            "{}: '{name}' is not a state of an EC2 instance.",
            entry.at
        ));
    }
    known
}

/// `name=value,name=value`: values of one name are alternatives. What has no `=` is left out, and named.
fn filters(entry: Option<Entry>) -> Vec<(String, Vec<String>)> {
    let mut filters: Vec<(String, Vec<String>)> = Vec::new();
    let Some(entry) = entry else {
        return filters;
    };
    for part in comma_list(&entry.text) {
        match part.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                let (name, value) = (name.trim(), value.trim().to_string());
                match filters.iter_mut().find(|(n, _)| n == name) {
                    Some((_, values)) => values.push(value),
                    None => filters.push((name.to_string(), vec![value])),
                }
            }
            _ => notice::warning(format!(
                "{}: '{part}' is not a filter (name=value).",
                entry.at
            )),
        }
    }
    filters
}

fn boolean(key: &str, entry: &Entry) -> Result<bool> {
    match entry.text.to_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Ok(true),
        "0" | "no" | "false" | "off" => Ok(false),
        other => {
            Err(Error::general(format!("{key}: '{other}' is neither True nor False")).at(&entry.at))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings from the lines of an `[ec2]` section.
    pub fn settings(lines: &str) -> Result<Settings> {
        let ini = Ini::parse(&Source::new("ec2.ini", format!("[ec2]\n{lines}\n")))?;
        Settings::from_ini(&ini, Some("ec2.ini".into()))
    }

    #[test]
    fn defaults_are_the_script_s() {
        let s = settings("").unwrap();
        assert_eq!(
            s.regions,
            Regions::All {
                except: vec!["us-gov-west-1".into(), "cn-north-1".into()]
            }
        );
        assert_eq!(s.instance_states, ["running"]);
        assert!(s.replace_dash_in_groups && !s.nested_groups && s.group_by.tag_none);
        let none = Settings::from_ini(&Ini::default(), None).unwrap();
        assert_eq!(none.regions, Regions::Configured);
    }

    #[test]
    fn values_of_one_filter_are_alternatives() {
        let s =
            settings("instance_filters = tag:role=web, tag:env=a , tag:role=db,bad,=x").unwrap();
        assert_eq!(
            s.instance_filters,
            [
                (
                    "tag:role".to_string(),
                    vec!["web".to_string(), "db".to_string()]
                ),
                ("tag:env".to_string(), vec!["a".to_string()]),
            ]
        );
    }

    #[test]
    fn all_instances_wins_over_states() {
        assert_eq!(
            settings("instance_states = pending, odd,stopped")
                .unwrap()
                .instance_states,
            ["pending", "stopped"]
        );
        assert_eq!(
            settings("all_instances = yes\ninstance_states = pending")
                .unwrap()
                .instance_states
                .len(),
            6
        );
    }

    #[test]
    fn what_is_wrong_or_not_there_is_an_error_with_a_place() {
        for (lines, words) in [
            ("nested_groups = maybe", "nested_groups: 'maybe'"),
            ("route53 = True", "Route 53"),
            ("stack_filters = True", "CloudFormation"),
            ("eucalyptus = 1", "Eucalyptus"),
            ("route53_hostnames = .x.org", "'route53_hostnames'"),
            ("iam_role = arn:aws:iam::1:role/x", "'iam_role'"),
            (
                "hostname_variable = private_ip",
                "no attribute 'private_ip'",
            ),
            ("pattern_include = (", "regular expression"),
            ("cache_max_age = soon", "whole number"),
        ] {
            let error = settings(lines).unwrap_err();
            assert!(error.message().contains(words), "{}", error.message());
            assert_eq!(error.location().map(|l| l.line), Some(2), "{lines}");
        }
    }

    #[test]
    fn keys_of_credentials_never_show() {
        let text = "[ec2]\n[credentials]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n";
        let ini = Ini::parse(&Source::new("ec2.ini", text)).unwrap();
        let s = Settings::from_ini(&ini, None).unwrap();
        assert!(s.credentials.is_some());
        assert!(!format!("{s:?}").contains("hush"));
    }
}
