//! Which distribution it is, in Ansible's names.
//!
//! Release files are looked at in a fixed order, the special before the general: many distributions ship the
//! files of the one that they are made from. `distribution_cases.json` says what Ansible makes of which files.

use super::Facts;
use std::collections::HashMap;

/// Ansible's name of a family, and the distributions that are of it. Others are families of their own.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "RHEL",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "Linux Mint Debian Edition",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "SLES_SAP",
            "SUSE_LINUX",
            "openSUSE",
            "openSUSE Leap",
            "openSUSE Tumbleweed",
            "openSUSE MicroOS",
            "ALP-Dolomite",
            "SL-Micro",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro"]),
    ("Mandrake", &["Mandrake", "Mandriva"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("ClearLinux", &["Clear Linux OS", "Clear Linux Mix"]),
];

/// `ID` in os-release of the distributions that are read as Debian is, and their names.
const LIKE_DEBIAN: &[(&str, &str)] = &[
    ("debian", "Debian"),
    ("raspbian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("linuxmint", "Linux Mint"),
    ("devuan", "Devuan"),
    ("kali", "Kali"),
    ("parrot", "Parrot"),
    ("steamos", "SteamOS"),
    ("cumulus-linux", "Cumulus Linux"),
    ("uos", "Uos"),
    ("deepin", "Deepin"),
];

const OS_RELEASE: &str = "/etc/os-release";

pub fn gather(facts: &mut Facts<'_>) {
    let found = detect(&|path| facts.file(path));
    found.into_facts(facts);
}

/// What the files say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    name: String,
    version: String,
    release: String,
    minor: Option<String>,
    /// The file that decided, and the name of the way to read it.
    file: Option<(&'static str, &'static str)>,
    /// Whether the file said anything.
    parsed: bool,
    searched: Option<&'static str>,
}

impl Found {
    fn pairs(self) -> Vec<(&'static str, crate::Value)> {
        let family = FAMILIES
            .iter()
            .find(|(_, members)| members.contains(&self.name.as_str()))
            .map_or_else(|| self.name.clone(), |(family, _)| (*family).to_string());
        let major = self
            .version
            .split('.')
            .next()
            .unwrap_or_default()
            .to_string();
        let mut out: Vec<(&'static str, crate::Value)> = vec![
            ("distribution", self.name.into()),
            ("distribution_release", self.release.into()),
            ("distribution_version", self.version.into()),
            ("distribution_major_version", major.into()),
        ];
        if let Some((path, variety)) = self.file {
            out.push(("distribution_file_path", path.into()));
            out.push(("distribution_file_variety", variety.into()));
        }
        if self.parsed {
            out.push(("distribution_file_parsed", true.into()));
        }
        if let Some(text) = self.searched {
            out.push(("distribution_file_search_string", text.into()));
        }
        if let Some(minor) = self.minor {
            out.push(("distribution_minor_version", minor.into()));
        }
        out.push(("os_family", family.into()));
        out
    }

    fn into_facts(self, facts: &mut Facts<'_>) {
        for (name, value) in self.pairs() {
            facts.set(name, value);
        }
    }
}

/// Reads the release files through `read`, which gives a file's text without the blanks at its ends.
fn detect(read: &dyn Fn(&str) -> Option<String>) -> Found {
    let text = read(OS_RELEASE).or_else(|| read("/usr/lib/os-release"));
    let known = text.is_some();
    let release = parse(&text.unwrap_or_default());
    let get = |name: &str| release.get(name).map_or("", String::as_str);
    let or_na = |text: &str| match text {
        "" => "NA".to_string(),
        other => other.to_string(),
    };
    let id = get("ID").to_lowercase();
    let name = get("NAME");
    let mut found = Found {
        name: name.to_string(),
        version: or_na(get("VERSION_ID")),
        release: codename(&release).unwrap_or_else(|| "NA".to_string()),
        parsed: true,
        ..Found::default()
    };
    let mut decide = |path, variety| found.file = Some((path, variety));

    if let Some(line) = read("/etc/altlinux-release").filter(|l| l.contains("ALT")) {
        decide("/etc/altlinux-release", "Altlinux");
        found.name = "Altlinux".to_string();
        found.searched = Some("ALT");
        found.release = in_brackets(&line).map_or(found.release, String::from);
    } else if read("/etc/oracle-release").is_some_and(|l| l.contains("Oracle Linux")) {
        decide("/etc/oracle-release", "OracleLinux");
        found.name = "OracleLinux".to_string();
        found.searched = Some("Oracle Linux");
    } else if read("/etc/slackware-version").is_some_and(|l| l.contains("Slackware")) {
        decide("/etc/slackware-version", "Slackware");
        found.name = "Slackware".to_string();
    } else if read("/etc/centos-release").is_some_and(|l| l.contains("CentOS Stream")) {
        decide("/etc/centos-release", "CentOS");
        found.name = "CentOS".to_string();
        found.release = "Stream".to_string();
    } else if let Some(line) = read("/etc/redhat-release").filter(|l| !l.is_empty()) {
        decide("/etc/redhat-release", "RedHat");
        red_hat(&mut found, &line, known);
    } else if read("/etc/openwrt_release").is_some_and(|l| l.contains("OpenWrt")) {
        decide("/etc/openwrt_release", "OpenWrt");
        found.name = "OpenWrt".to_string();
        found.release = "NA".to_string();
    } else if id == "amzn" {
        decide(OS_RELEASE, "Amazon");
        found.name = "Amazon".to_string();
        found.release = "NA".to_string();
        let minor = found.version.split_once('.').map_or("NA", |(_, m)| m);
        found.minor = Some(minor.to_string());
    } else if let Some(version) = read("/etc/alpine-release") {
        decide("/etc/alpine-release", "Alpine");
        found.name = "Alpine".to_string();
        found.version = version;
    } else if read("/etc/arch-release").is_some() {
        decide("/etc/arch-release", "Archlinux");
        found.name = "Archlinux".to_string();
        found.parsed = false;
    } else if id == "arch" {
        decide(OS_RELEASE, "Archlinux");
        found.name = "Archlinux".to_string();
    } else if name.contains("openSUSE") || matches!(name, "SLES" | "SLED") {
        decide(OS_RELEASE, "SUSE");
        let minor = found.version.split_once('.').map(|(_, m)| m.to_string());
        found.release = minor.unwrap_or_else(|| match name.contains("openSUSE") {
            true => String::new(),
            false => "NA".to_string(),
        });
    } else if let Some((_, ours)) = LIKE_DEBIAN.iter().find(|(known, _)| *known == id) {
        decide(OS_RELEASE, "Debian");
        found.name = ours.to_string();
        let full = read("/etc/debian_version").unwrap_or_default();
        debian(&mut found, &id, name, &full);
        if id == "cumulus-linux" {
            found.release = or_na(get("VERSION"));
        }
    } else if name.contains("Clear Linux") {
        decide("/usr/lib/os-release", "ClearLinux");
        found.release = id;
    } else if id == "flatcar" {
        decide(OS_RELEASE, "Flatcar");
        found.name = "Flatcar".to_string();
    } else if known && !name.is_empty() {
        decide(OS_RELEASE, "NA");
    } else {
        found.name = "OtherLinux".to_string();
        found.parsed = false;
    }
    found
}

/// The line names the distribution first: `Rocky Linux release 9.3 (Blue Onyx)`.
fn red_hat(found: &mut Found, line: &str, has_os_release: bool) {
    if line.contains("Red Hat") {
        found.name = "RedHat".to_string();
        found.searched = Some("Red Hat");
    } else {
        let first = line.split_whitespace().next().unwrap_or_default();
        found.name = first.to_string();
    }
    let version = line
        .split_whitespace()
        .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))
        .map(|w| w.split('.').take(2).collect::<Vec<_>>().join("."));
    // CentOS' os-release has no minor version
    if let Some(version) = version
        && (found.name == "CentOS" || !has_os_release)
    {
        found.version = version;
    }
    if found.release == "NA"
        && let Some(name) = in_brackets(line)
    {
        found.release = name.to_string();
    }
}

/// `full` is Debian's own version, which some that are made from it have too.
fn debian(found: &mut Found, id: &str, name: &str, full: &str) {
    if name == "LMDE" {
        found.name = "Linux Mint Debian Edition".to_string();
    }
    if !matches!(id, "debian" | "raspbian") || full.is_empty() {
        return;
    }
    found.minor = full
        .split_once('.')
        .filter(|(major, _)| major.chars().all(|c| c.is_ascii_digit()))
        .map(|(_, minor)| minor.to_string());
    if id == "debian" {
        found.version = full.to_string();
    }
}

/// The name of the release: a field of its own, or a part of the version, as in `12 (bookworm)`.
fn codename(release: &HashMap<String, String>) -> Option<String> {
    for field in ["VERSION_CODENAME", "UBUNTU_CODENAME"] {
        if let Some(name) = release.get(field) {
            return Some(name.clone());
        }
    }
    let version = release.get("VERSION")?;
    let name = in_brackets(version).or_else(|| Some(version.split_once(',')?.1.trim()))?;
    Some(name.to_string())
}

fn in_brackets(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('(')?;
    Some(rest.split_once(')')?.0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    /// The files of a distribution, and the facts that ansible-core gives with these files.
    #[test]
    fn distributions_are_told_from_their_files() {
        let cases: Json = serde_json::from_str(include_str!("distribution_cases.json")).unwrap();
        for (name, case) in cases.as_object().unwrap() {
            let read = |path: &str| {
                let file = path.strip_prefix("/etc/")?;
                Some(case["files"][file].as_str()?.trim().to_string())
            };
            let found: serde_json::Map<String, Json> = detect(&read)
                .pairs()
                .into_iter()
                .map(|(k, v)| (k.to_string(), v.to_json()))
                .collect();
            let expected = case["facts"].as_object().unwrap();
            for key in expected.keys().chain(found.keys()) {
                assert_eq!(found.get(key), expected.get(key), "{name}: {key}");
            }
        }
    }
}
