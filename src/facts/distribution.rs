//! Which distribution it is, in Ansible's names.

use super::Facts;
use std::collections::HashMap;

/// `ID` of os-release, Ansible's name, family.
const KNOWN: &[(&str, &str, &str)] = &[
    ("debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian"),
    ("raspbian", "Debian", "Debian"),
    ("linuxmint", "Linux Mint", "Debian"),
    ("kali", "Kali", "Debian"),
    ("pop", "Pop!_OS", "Debian"),
    ("devuan", "Devuan", "Debian"),
    ("rhel", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat"),
    ("fedora", "Fedora", "RedHat"),
    ("rocky", "Rocky", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat"),
    ("ol", "OracleLinux", "RedHat"),
    ("amzn", "Amazon", "RedHat"),
    ("scientific", "Scientific", "RedHat"),
    ("virtuozzo", "Virtuozzo", "RedHat"),
    ("opensuse-leap", "openSUSE Leap", "Suse"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse"),
    ("sles", "SLES", "Suse"),
    ("sles_sap", "SLES_SAP", "Suse"),
    ("arch", "Archlinux", "Archlinux"),
    ("manjaro", "Manjaro", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo"),
    ("alpine", "Alpine", "Alpine"),
    ("flatcar", "Flatcar", "Flatcar"),
    ("coreos", "Coreos", "Coreos"),
    ("clear-linux-os", "ClearLinux", "ClearLinux"),
];

pub fn gather(facts: &mut Facts<'_>) {
    let path = match facts.exists("/etc/os-release") {
        true => "/etc/os-release",
        false => "/usr/lib/os-release",
    };
    let Some(text) = facts.file(path) else {
        facts.set("distribution", "NA");
        facts.set(
            "os_family",
            facts.text("system").unwrap_or("Linux").to_string(),
        );
        return;
    };
    let release = parse(&text);
    let get = |name: &str| release.get(name).map_or("", String::as_str);
    let id = get("ID").to_lowercase();
    let known = KNOWN.iter().find(|(known, _, _)| *known == id).or_else(|| {
        let like: Vec<&str> = get("ID_LIKE").split_whitespace().collect();
        KNOWN.iter().find(|(known, _, _)| like.contains(known))
    });
    let exact = known.filter(|(known, _, _)| *known == id);
    let name = exact.map_or_else(|| get("NAME").to_string(), |(_, name, _)| name.to_string());
    let family = known.map_or_else(|| name.clone(), |(_, _, family)| family.to_string());
    let mut version = get("VERSION_ID").to_string();
    let mut codename = get("VERSION_CODENAME").to_string();
    let mut minor = None;
    let mut variety = family.clone();
    let mut file = path.to_string();
    match id.as_str() {
        "debian" => {
            if let Some(full) = facts.file("/etc/debian_version")
                && full.starts_with(|c: char| c.is_ascii_digit())
            {
                minor = full.split_once('.').map(|(_, m)| m.to_string());
                version = full;
            }
        }
        "centos" | "rhel" | "rocky" | "almalinux" | "ol" | "fedora" => {
            variety = if id == "centos" {
                "CentOS".to_string()
            } else {
                "RedHat".to_string()
            };
            let line = facts.file("/etc/redhat-release").unwrap_or_default();
            if let Some(found) = line
                .split_whitespace()
                .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))
            {
                let parts: Vec<&str> = found.split('.').take(2).collect();
                if !line.contains("Stream") {
                    version = parts.join(".");
                }
            }
            codename = match line.rsplit_once('(').and_then(|(_, c)| c.split_once(')')) {
                _ if line.contains("Stream") => "Stream".to_string(),
                Some((name, _)) => name.to_string(),
                None => codename,
            };
            if facts.exists("/etc/redhat-release") {
                file = "/etc/redhat-release".to_string();
            }
        }
        "alpine" => {
            version = facts.file("/etc/alpine-release").unwrap_or(version);
        }
        "arch" | "manjaro" => version = "NA".to_string(),
        _ => {}
    }
    if codename.is_empty() {
        codename = "NA".to_string();
    }
    if version.is_empty() {
        version = "NA".to_string();
    }
    let major = version.split('.').next().unwrap_or_default().to_string();
    if minor.is_none() && !matches!(id.as_str(), "debian" | "ubuntu") {
        minor = version.split('.').nth(1).map(String::from);
    }
    facts.set("distribution", name);
    facts.set("distribution_version", version);
    facts.set("distribution_major_version", major);
    facts.set("distribution_release", codename);
    if let Some(minor) = minor {
        facts.set("distribution_minor_version", minor);
    }
    facts.set("distribution_file_path", file);
    facts.set("distribution_file_parsed", true);
    facts.set("distribution_file_variety", variety);
    facts.set("os_family", family);
}

/// `NAME="value"` lines.
pub(super) fn parse(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter(|l| !l.trim_start().starts_with('#'))
        .filter_map(|l| {
            let (key, value) = l.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            Some((key.trim().to_string(), value.to_string()))
        })
        .collect()
}
