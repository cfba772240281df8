//! Action groups: names under which `module_defaults` speaks of many modules at once.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_module_defaults.html#module-defaults-groups>.

use super::keywords;
use super::not_yet;
use crate::yaml::Node;
use crate::{Error, Result};

/// The groups that Ansible has under a short name, and the collections whose modules are in them. A group of those
/// collections has the same name behind the collection's.
static GROUPS: &[(&str, &[&str])] = &[
    ("acme", &["community.crypto"]),
    ("aws", &["amazon.aws", "community.aws"]),
    ("azure", &["azure.azcollection"]),
    ("cpm", &["wti.remote"]),
    ("docker", &["community.docker"]),
    ("gcp", &["google.cloud"]),
    (
        "k8s",
        &["kubernetes.core", "community.kubernetes", "community.okd"],
    ),
    ("os", &["openstack.cloud"]),
    ("ovirt", &["ovirt.ovirt"]),
    ("testgroup", &[]),
    ("testlegacy", &[]),
    ("vmware", &["community.vmware"]),
];

/// A group's short name and the collection that it is given with, if it is.
fn parts(group: &str) -> (&str, Option<&str>) {
    match group.rsplit_once('.') {
        Some(("ansible.builtin" | "ansible.legacy", name)) => (name, None),
        Some((collection, name)) => (name, Some(collection)),
        None => (group, None),
    }
}

/// The collection that a module of rplay's belongs to; none if it is built in.
fn collection_of(bare: &str) -> Option<&'static str> {
    #[cfg(feature = "aws")]
    if crate::aws::ACTIONS.iter().any(|e| e.names.contains(&bare)) {
        return Some("amazon.aws");
    }
    crate::modules::find(bare)
        .and_then(|m| m.collections.first().copied())
        .filter(|c| !matches!(*c, "ansible.builtin" | "ansible.legacy"))
}

/// Whether a module is in the group (what stands behind `group/`).
pub fn is_member(group: &str, bare: &str) -> bool {
    let (name, collection) = parts(group);
    let Some((_, collections)) = GROUPS.iter().find(|(n, _)| *n == name) else {
        return false;
    };
    match collection_of(bare) {
        // what Ansible keeps to try groups with
        None => name == "testgroup" && collection.is_none() && bare == "ping",
        Some(of_module) => {
            collections.contains(&of_module)
                && collection.is_none_or(|collection| collections.contains(&collection))
        }
    }
}

/// Refuses `module_defaults` for groups and modules that there are not. A module of a collection may be one that
/// rplay does not have.
pub(super) fn check(node: &Node) -> Result<()> {
    if let Some(items) = node.as_seq() {
        return items.iter().try_for_each(check);
    }
    for (key, _) in node.as_map().unwrap_or_default() {
        let Some(name) = key.as_str() else {
            return Err(Error::parse(format!(
                "{} cannot be a module in module_defaults",
                keywords::describe(key)
            ))
            .at(&key.at));
        };
        if let Some(group) = name.strip_prefix("group/") {
            let (short, collection) = parts(group);
            if collection.is_none() && !GROUPS.iter().any(|(n, _)| *n == short) {
                let names = GROUPS.iter().map(|(n, _)| *n);
                let error = Error::parse(format!(
                    "Error loading module_defaults: could not resolve the module_defaults group ansible.builtin.{short}"
                ))
                .at(&key.at);
                return Err(match crate::error::did_you_mean(short, names) {
                    Some(near) => error.hint(format!("did you mean 'group/{near}'?")),
                    None => error,
                });
            }
            continue;
        }
        let bare = super::bare(name);
        let known = bare.contains('.')
            || crate::value::is_template(name)
            || crate::run::is_known_module(bare)
            || not_yet::collection_of(bare).is_some();
        if !known {
            return Err(Error::parse(format!(
                "Could not resolve action ansible.legacy.{bare} in module_defaults"
            ))
            .at(&key.at));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_in_the_groups_of_their_collections() {
        for (group, module, is) in [
            ("docker", "docker_container", true),
            ("community.docker.docker", "docker_container", true),
            ("ansible.builtin.docker", "docker_image", true),
            ("docker", "copy", false),
            ("aws", "docker_container", false),
            ("testgroup", "ping", true),
            ("my.own.docker", "docker_container", false),
        ] {
            assert_eq!(is_member(group, module), is, "{group} {module}");
        }
    }
}
