//! Kernel, names, and settings of the whole system.

use super::{Facts, dict};
use crate::machine::{Command, Machine};
use crate::value::{Map, Value};
use std::path::Path;

pub fn platform(facts: &mut Facts<'_>) {
    let uname = rustix::system::uname();
    let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
    let machine = text(uname.machine());
    let nodename = text(uname.nodename());
    let fqdn = fully_qualified(facts.machine, &nodename);
    let architecture = match machine.as_str() {
        "i686" | "i586" | "i486" | "i386" => "i386",
        other => other,
    };
    facts.set("system", text(uname.sysname()));
    facts.set("kernel", text(uname.release()));
    facts.set("kernel_version", text(uname.version()));
    facts.set("architecture", architecture);
    let bits = if facts.exists("/lib64") || machine.ends_with("64") {
        "64"
    } else {
        "32"
    };
    facts.set("userspace_bits", bits);
    facts.set("userspace_architecture", architecture);
    facts.set("machine", machine);
    let short = nodename.split('.').next().unwrap_or_default().to_string();
    facts.set("hostname", short);
    facts.set("nodename", nodename);
    facts.set("domain", fqdn.split_once('.').map_or("", |(_, d)| d));
    facts.set("fqdn", fqdn);
    let id = facts
        .file("/var/lib/dbus/machine-id")
        .or_else(|| facts.file("/etc/machine-id"));
    if let Some(id) = id {
        facts.set("machine_id", id);
    }
}

/// The first name with a dot among those of the host's address, or the address's main name.
pub fn fully_qualified(machine: &Machine, nodename: &str) -> String {
    if nodename.contains('.') {
        return nodename.to_string();
    }
    let lines = |table: &str| -> Vec<Vec<String>> {
        table
            .lines()
            .filter_map(|l| l.split('#').next())
            .map(|l| l.split_whitespace().map(String::from).collect())
            .collect()
    };
    // the names of the address, not those beside the host's own name, as a reverse lookup finds them
    let names_in = |table: Vec<Vec<String>>| {
        let own = table
            .iter()
            .find(|l| l.iter().skip(1).any(|n| n == nodename))?;
        let first = table.iter().find(|l| l.first() == own.first())?;
        Some(first[1..].to_vec())
    };
    let hosts = machine.read(Path::new("/etc/hosts")).unwrap_or_default();
    let names = names_in(lines(&String::from_utf8_lossy(&hosts))).or_else(|| {
        let asked = machine
            .probe(&Command::new(["getent", "hosts", nodename]))
            .ok()?;
        names_in(lines(&asked.stdout_text()))
    });
    let names = names.unwrap_or_default();
    let dotted = names.iter().find(|n| n.contains('.')).or(names.first());
    dotted.cloned().unwrap_or_else(|| nodename.to_string())
}

pub fn command_line(facts: &mut Facts<'_>) {
    let line = facts.file("/proc/cmdline").unwrap_or_default();
    let mut one = Map::default();
    let mut all = Map::default();
    for word in line.split_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Value::str(value)),
            None => (word, Value::Bool(true)),
        };
        one.insert(key.into(), value.clone());
        let merged = match all.get(key) {
            None => value,
            Some(Value::List(old)) => Value::list(old.iter().cloned().chain([value]).collect()),
            Some(old) => Value::list(vec![old.clone(), value]),
        };
        all.insert(key.into(), merged);
    }
    facts.set("cmdline", one);
    facts.set("proc_cmdline", all);
}

pub fn fips(facts: &mut Facts<'_>) {
    let fips = facts.file("/proc/sys/crypto/fips_enabled").as_deref() == Some("1");
    facts.set("fips", fips);
}

pub fn apparmor(facts: &mut Facts<'_>) {
    let apparmor = facts.exists("/sys/kernel/security/apparmor");
    let status = if apparmor { "enabled" } else { "disabled" };
    facts.set("apparmor", dict([("status", status.into())]));
}

/// The running systemd's version and features.
pub fn systemd(facts: &mut Facts<'_>) {
    if !facts.exists("/run/systemd/system") {
        return;
    }
    let Some(program) = facts.program("systemctl") else {
        return;
    };
    let output = facts
        .machine
        .probe(&Command::new([program.as_str(), "--version"]));
    let text = output.map_or(String::new(), |o| o.stdout_text());
    let mut lines = text.lines();
    let version = lines.next().and_then(|l| l.split_whitespace().nth(1));
    let Some(version) = version.and_then(|v| v.split(['.', '~', '-']).next()?.parse().ok()) else {
        return;
    };
    let features = lines.next().unwrap_or_default();
    facts.set(
        "systemd",
        dict([
            ("version", Value::Int(version)),
            ("features", features.into()),
        ]),
    );
}

pub fn chroot(facts: &mut Facts<'_>) {
    facts.set("is_chroot", is_chroot(facts));
}

fn is_chroot(facts: &Facts<'_>) -> bool {
    let named = facts.machine.variable("debian_chroot");
    if named.is_some_and(|name| !name.is_empty()) {
        return true;
    }
    let Ok(own) = facts.machine.stat(Path::new("/")) else {
        return false;
    };
    match facts.machine.stat(Path::new("/proc/1/root/.")) {
        Ok(init) => (own.ino, own.dev) != (init.ino, init.dev),
        // only root may look there; to others the folder is no root that has not a root's number in its file system
        Err(_) => {
            let mounts = facts.file("/proc/mounts").unwrap_or_default();
            let root = mounts
                .lines()
                .rev()
                .map(|line| line.split(' ').collect::<Vec<_>>())
                .find(|words| words.get(1) == Some(&"/"));
            let number = match root.as_ref().and_then(|words| words.get(2).copied()) {
                Some("btrfs") => 256,
                Some("xfs") => 128,
                _ => 2,
            };
            own.ino != number
        }
    }
}

pub fn selinux(facts: &mut Facts<'_>) {
    // with Ansible a library of Python; rplay needs none
    facts.set("selinux_python_present", true);
    if !facts.machine.has_selinux() {
        facts.set("selinux", dict([("status", "disabled".into())]));
        return;
    }
    let mode = match facts.file("/sys/fs/selinux/enforce").as_deref() {
        Some("1") => "enforcing",
        _ => "permissive",
    };
    let config = facts.file("/etc/selinux/config").unwrap_or_default();
    let setting = |name: &str| {
        let found = config
            .lines()
            .find_map(|l| l.trim().strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or("unknown").trim().to_string()
    };
    let version = facts.file("/sys/fs/selinux/policyvers").unwrap_or_default();
    facts.set(
        "selinux",
        dict([
            ("status", "enabled".into()),
            (
                "policyvers",
                version.parse().map_or(Value::from("unknown"), Value::Int),
            ),
            ("config_mode", setting("SELINUX").into()),
            ("mode", mode.into()),
            ("type", setting("SELINUXTYPE").into()),
        ]),
    );
}

pub fn dns(facts: &mut Facts<'_>) {
    let text = facts.file("/etc/resolv.conf").unwrap_or_default();
    let mut dns = Map::default();
    for line in text.lines() {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(key) = words.next() else { continue };
        let rest: Vec<Value> = words.map(Value::str).collect();
        match key {
            "nameserver" => {
                let old = dns
                    .get("nameservers")
                    .and_then(Value::as_list)
                    .unwrap_or_default();
                let all: Vec<Value> = old.iter().cloned().chain(rest).collect();
                dns.insert("nameservers".into(), all.into());
            }
            "domain" => {
                dns.insert("domain".into(), rest.into_iter().next().unwrap_or_default());
            }
            "search" | "sortlist" => {
                dns.insert(key.into(), rest.into());
            }
            "options" => {
                let options =
                    rest.iter()
                        .filter_map(Value::as_str)
                        .map(|o| match o.split_once(':') {
                            Some((name, value)) => (name.into(), Value::str(value)),
                            None => (o.into(), Value::Bool(true)),
                        });
                dns.insert("options".into(), Value::map(options.collect()));
            }
            _ => {}
        }
    }
    facts.set("dns", dns);
}

/// From `lsb_release`, or from `/etc/lsb-release`.
pub fn lsb(facts: &mut Facts<'_>) {
    let mut lsb = Map::default();
    let asked = facts.machine.probe(&Command::new(["lsb_release", "-a"]));
    let (text, separator) = match asked {
        Ok(output) if output.rc == 0 => (output.stdout_text(), ':'),
        _ => (facts.file("/etc/lsb-release").unwrap_or_default(), '='),
    };
    for line in text.lines() {
        let Some((key, value)) = line.split_once(separator) else {
            continue;
        };
        let name = match key.trim() {
            "Distributor ID" | "DISTRIB_ID" => "id",
            "Release" | "DISTRIB_RELEASE" => "release",
            "Description" | "DISTRIB_DESCRIPTION" => "description",
            "Codename" | "DISTRIB_CODENAME" => "codename",
            _ => continue,
        };
        lsb.insert(name.into(), value.trim().trim_matches('"').into());
    }
    if let Some(release) = lsb.get("release").and_then(Value::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_string();
        lsb.insert("major_release".into(), major.into());
    }
    facts.set("lsb", lsb);
}

pub fn package_manager(facts: &mut Facts<'_>) {
    let by_path = [
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/zypper", "zypper"),
        ("/usr/bin/pacman", "pacman"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/emerge", "portage"),
        ("/usr/bin/xbps-install", "xbps"),
        ("/usr/bin/rpm-ostree", "atomic_container"),
    ];
    let family = facts.text("os_family").unwrap_or_default();
    let own = match family {
        "RedHat" => ["dnf5", "dnf", "yum"].as_slice(),
        "Debian" => &["apt"],
        "Suse" => &["zypper"],
        "Archlinux" => &["pacman"],
        "Alpine" => &["apk"],
        _ => &[],
    };
    let there: Vec<&str> = by_path
        .iter()
        .filter(|(path, _)| facts.exists(path))
        .map(|(_, name)| *name)
        .collect();
    // on Fedora `dnf` is dnf5 in new releases; the link says so
    let dnf = facts.machine.real_path(Path::new("/usr/bin/dnf"));
    let mut chosen = there
        .iter()
        .find(|n| own.contains(n))
        .or(there.first())
        .copied();
    if chosen == Some("dnf5") && !dnf.ends_with("dnf5") && there.contains(&"dnf") {
        chosen = Some("dnf");
    }
    facts.set("pkg_mgr", chosen.unwrap_or("unknown"));
}

pub fn service_manager(facts: &mut Facts<'_>) {
    let init = facts.file("/proc/1/comm").unwrap_or_default();
    let link = facts
        .machine
        .read_link(Path::new("/sbin/init"))
        .unwrap_or_default();
    let systemd = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"];
    let manager = match init.as_str() {
        "systemd" => "systemd",
        "runit-init" | "runit" => "runit",
        "svscan" => "svc",
        "openrc-init" => "openrc",
        "init" | "" | "sh" | "bash" | "ash" | "dash" => match () {
            () if systemd.iter().any(|p| facts.exists(p)) || link.ends_with("systemd") => "systemd",
            () if facts.exists("/etc/init/") && facts.exists("/sbin/initctl") => "upstart",
            () if facts.exists("/sbin/openrc") => "openrc",
            () if facts.exists("/etc/init.d/") => "sysvinit",
            () => "service",
        },
        other => other,
    };
    let manager = manager.to_string();
    facts.set("service_mgr", manager);
}

pub fn ssh_keys(facts: &mut Facts<'_>) {
    for dir in ["/etc/ssh", "/etc/openssh", "/etc"] {
        let mut any = false;
        for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let Some(key) = facts.file(&format!("{dir}/ssh_host_{kind}_key.pub")) else {
                continue;
            };
            let mut words = key.split_whitespace().map(String::from);
            if let (Some(kind_text), Some(text)) = (words.next(), words.next()) {
                facts.set(&format!("ssh_host_key_{kind}_public"), text);
                facts.set(&format!("ssh_host_key_{kind}_public_keytype"), kind_text);
                any = true;
            }
        }
        if any {
            break;
        }
    }
}
