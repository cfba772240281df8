//! Whether the target is a guest, and of what.

use super::Facts;
use crate::value::Value;

pub fn gather(facts: &mut Facts<'_>) {
    let (guest, host) = (guests(facts), hosts(facts));
    let (kind, role) = match (guest.first(), host.first()) {
        (Some(kind), _) => (kind.clone(), "guest"),
        (None, Some(kind)) => (kind.clone(), "host"),
        (None, None) => ("NA".to_string(), "NA"),
    };
    let list = |names: Vec<String>| Value::list(names.into_iter().map(Value::from).collect());
    facts.set("virtualization_type", kind);
    facts.set("virtualization_role", role);
    facts.set("virtualization_tech_guest", list(guest));
    facts.set("virtualization_tech_host", list(host));
}

/// All that it may be a guest of, the nearest first.
fn guests(facts: &Facts<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !out.iter().any(|o| o == name) {
            out.push(name.to_string());
        }
    };
    let cgroup = facts.file("/proc/1/cgroup").unwrap_or_default();
    let environment = facts.file("/proc/1/environ").unwrap_or_default();
    if cgroup.contains("/docker/")
        || cgroup.contains("/docker-")
        || facts.exists("/.dockerenv")
        || facts.exists("/.dockerinit")
    {
        add("docker");
        add("container");
    }
    if environment.contains("container=podman") {
        add("podman");
        add("container");
    }
    if cgroup.contains("/lxc/") || environment.contains("container=lxc") {
        add("lxc");
        add("container");
    }
    // whatever it is called: systemd-nspawn, oci, other
    let mut variables = environment.split('\0');
    if variables.any(|v| v.strip_prefix("container=").is_some_and(|v| !v.is_empty())) {
        add("container");
    }
    if facts.exists("/proc/vz") && !facts.exists("/proc/lve") && !facts.exists("/proc/bc") {
        add("openvz");
    }
    if facts.exists("/proc/xen")
        && !facts
            .file("/proc/xen/capabilities")
            .unwrap_or_default()
            .contains("control_d")
    {
        add("xen");
    }
    let dmi = |name: &str| {
        facts
            .file(&format!("/sys/class/dmi/id/{name}"))
            .unwrap_or_default()
    };
    let (product, vendor, bios, family) = (
        dmi("product_name"),
        dmi("sys_vendor"),
        dmi("bios_vendor"),
        dmi("product_family"),
    );
    match product.as_str() {
        "KVM" | "KVM Server" | "Bochs" | "AHV" => add("kvm"),
        "RHEV Hypervisor" | "oVirt" | "oVirt Node" => add("RHEV"),
        "VirtualBox" => add("virtualbox"),
        "OpenStack Nova" | "OpenStack Compute" => add("openstack"),
        p if p.starts_with("VMware") => add("VMware"),
        _ => {}
    }
    match vendor.as_str() {
        "QEMU" | "Amazon EC2" | "Google" | "Hetzner" | "linode" | "Vultr" | "DigitalOcean"
        | "Scaleway" | "Nutanix" => add("kvm"),
        "oVirt" => add("RHEV"),
        "Microsoft Corporation" if product == "Virtual Machine" => add("VirtualPC"),
        "Parallels Software International Inc." | "Parallels International GmbH." => {
            add("parallels")
        }
        "OpenStack Foundation" => add("openstack"),
        "Apple Inc." if product.contains("Virtual") => add("VirtualApple"),
        _ => {}
    }
    match bios.as_str() {
        "Xen" => add("xen"),
        "innotek GmbH" => add("virtualbox"),
        "Amazon EC2" | "Hetzner" => add("kvm"),
        _ => {}
    }
    if family == "RHV" {
        add("RHEV");
    }
    let cpu = facts.file("/proc/cpuinfo").unwrap_or_default();
    if cpu.contains("QEMU Virtual CPU") {
        add("kvm");
    }
    if cpu.contains("User Mode Linux") {
        add("uml");
    }
    out
}

/// All that it is ready to be a host of.
fn hosts(facts: &Facts<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if facts
        .file("/proc/xen/capabilities")
        .unwrap_or_default()
        .contains("control_d")
    {
        out.push("xen".to_string());
    }
    if facts.exists("/dev/kvm") {
        out.push("kvm".to_string());
    }
    let modules = facts.file("/proc/modules").unwrap_or_default();
    let has = |name: &str| modules.lines().any(|l| l.split(' ').next() == Some(name));
    if has("vboxdrv") {
        out.push("virtualbox".to_string());
    }
    out
}
