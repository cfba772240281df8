//! Names of modules that Ansible's users know, for the words about one that rplay does not have.
//!
//! The names are those of the collections, whether rplay has the module or not: only names that it does not know
//! are looked up here.

/// A collection, and the bare names of its modules.
type Collection = (&'static str, &'static [&'static str]);

static COLLECTIONS: &[Collection] = &[
    (
        "ansible.builtin",
        &[
            "add_host",
            "apt",
            "apt_key",
            "apt_repository",
            "assemble",
            "assert",
            "async_status",
            "blockinfile",
            "command",
            "copy",
            "cron",
            "deb822_repository",
            "debconf",
            "debug",
            "dnf",
            "dnf5",
            "dpkg_selections",
            "expect",
            "fail",
            "file",
            "find",
            "gather_facts",
            "get_url",
            "getent",
            "git",
            "group",
            "group_by",
            "hostname",
            "import_playbook",
            "import_role",
            "import_tasks",
            "include_role",
            "include_tasks",
            "include_vars",
            "iptables",
            "known_hosts",
            "lineinfile",
            "meta",
            "mount_facts",
            "package",
            "package_facts",
            "pause",
            "ping",
            "pip",
            "raw",
            "replace",
            "rpm_key",
            "service",
            "service_facts",
            "set_fact",
            "set_stats",
            "setup",
            "shell",
            "slurp",
            "stat",
            "subversion",
            "systemd",
            "systemd_service",
            "sysvinit",
            "tempfile",
            "template",
            "unarchive",
            "uri",
            "user",
            "validate_argument_spec",
            "wait_for",
            "yum",
            "yum_repository",
        ],
    ),
    (
        "amazon.aws",
        &[
            "autoscaling_group",
            "autoscaling_group_info",
            "aws_az_info",
            "aws_caller_info",
            "cloudformation",
            "cloudformation_info",
            "cloudtrail",
            "cloudwatchlogs_log_group",
            "ec2_ami",
            "ec2_ami_info",
            "ec2_eip",
            "ec2_eip_info",
            "ec2_eni",
            "ec2_eni_info",
            "ec2_instance",
            "ec2_instance_info",
            "ec2_key",
            "ec2_key_info",
            "ec2_launch_template",
            "ec2_metadata_facts",
            "ec2_placement_group",
            "ec2_security_group",
            "ec2_security_group_info",
            "ec2_snapshot",
            "ec2_snapshot_info",
            "ec2_spot_instance",
            "ec2_tag",
            "ec2_tag_info",
            "ec2_vol",
            "ec2_vol_info",
            "ec2_vpc_dhcp_option",
            "ec2_vpc_endpoint",
            "ec2_vpc_igw",
            "ec2_vpc_igw_info",
            "ec2_vpc_nacl",
            "ec2_vpc_nat_gateway",
            "ec2_vpc_nat_gateway_info",
            "ec2_vpc_net",
            "ec2_vpc_net_info",
            "ec2_vpc_peering",
            "ec2_vpc_route_table",
            "ec2_vpc_route_table_info",
            "ec2_vpc_subnet",
            "ec2_vpc_subnet_info",
            "ec2_vpc_vgw",
            "ec2_vpc_vpn",
            "elb_application_lb",
            "elb_application_lb_info",
            "elb_classic_lb",
            "elb_classic_lb_info",
            "iam_group",
            "iam_instance_profile",
            "iam_policy",
            "iam_role",
            "iam_role_info",
            "iam_user",
            "kms_key",
            "lambda",
            "rds_instance",
            "rds_instance_info",
            "route53",
            "route53_info",
            "route53_zone",
            "s3_bucket",
            "s3_bucket_info",
            "s3_object",
            "s3_object_info",
            "sts_assume_role",
        ],
    ),
];

/// The collection that has a module of this name, which is bare or has the collection's name in front.
pub(super) fn collection_of(name: &str) -> Option<&'static str> {
    COLLECTIONS.iter().find_map(|(collection, modules)| {
        let bare = name
            .strip_prefix(collection)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(name);
        modules.contains(&bare).then_some(*collection)
    })
}

/// All bare names, for "did you mean".
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COLLECTIONS.iter().flat_map(|(_, names)| *names).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_bare_and_with_its_collection_only() {
        for (name, collection) in [
            ("apt", Some("ansible.builtin")),
            ("ansible.builtin.apt", Some("ansible.builtin")),
            ("amazon.aws.s3_bucket", Some("amazon.aws")),
            ("amazon.aws.apt", None),
            ("community.general.apt", None),
            ("ap", None),
        ] {
            assert_eq!(collection_of(name), collection, "{name}");
        }
    }
}
