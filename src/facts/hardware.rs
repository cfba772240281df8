//! Memory, processors, firmware, load.

use super::{Facts, dict};
use crate::value::Value;
use std::collections::{HashMap, HashSet};

pub fn gather(facts: &mut Facts<'_>) {
    memory(facts);
    processors(facts);
    firmware(facts);
    super::devices::gather(facts);
    super::mounts::gather(facts);
    if let Some(up) = facts.file("/proc/uptime") {
        let seconds = up
            .split('.')
            .next()
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        facts.set("uptime_seconds", Value::Int(seconds));
    }
}

/// Load averages, as exact as the kernel has them.
pub fn load(facts: &mut Facts<'_>) {
    let loads = rustix::system::sysinfo().loads;
    let load = |at: usize| Value::Float(loads.get(at).map_or(0.0, |l| *l as f64 / 65536.0));
    facts.set(
        "loadavg",
        dict([("1m", load(0)), ("5m", load(1)), ("15m", load(2))]),
    );
}

fn memory(facts: &mut Facts<'_>) {
    let text = facts.file("/proc/meminfo").unwrap_or_default();
    let sizes: HashMap<&str, i64> = text
        .lines()
        .filter_map(|l| {
            let (name, rest) = l.split_once(':')?;
            Some((name, rest.split_whitespace().next()?.parse().ok()?))
        })
        .collect();
    let kb = |name: &str| sizes.get(name).copied().unwrap_or(0);
    let mb = |name: &str| kb(name) / 1024;
    let (total, free) = (mb("MemTotal"), mb("MemFree"));
    let not_cached = (kb("MemFree") + kb("Cached") + kb("Buffers")) / 1024;
    for (fact, value) in [
        ("memtotal_mb", total),
        ("memfree_mb", free),
        ("swaptotal_mb", mb("SwapTotal")),
        ("swapfree_mb", mb("SwapFree")),
    ] {
        facts.set(fact, Value::Int(value));
    }
    let (swap, swap_free) = (mb("SwapTotal"), mb("SwapFree"));
    facts.set(
        "memory_mb",
        dict([
            (
                "real",
                dict([
                    ("total", total.into()),
                    ("used", (total - free).into()),
                    ("free", free.into()),
                ]),
            ),
            (
                "nocache",
                dict([
                    ("free", not_cached.into()),
                    ("used", (total - not_cached).into()),
                ]),
            ),
            (
                "swap",
                dict([
                    ("total", swap.into()),
                    ("free", swap_free.into()),
                    ("used", (swap - swap_free).into()),
                    ("cached", mb("SwapCached").into()),
                ]),
            ),
        ]),
    );
}

fn processors(facts: &mut Facts<'_>) {
    let text = facts.file("/proc/cpuinfo").unwrap_or_default();
    let mut listed = Vec::new();
    let mut sockets = HashSet::new();
    let (mut vcpus, mut cores, mut siblings) = (0, 1, 1);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "processor" => {
                vcpus += 1;
                listed.push(Value::str(value));
            }
            "vendor_id" | "model name" | "Processor" | "cpu" | "Vendor" => {
                listed.push(Value::str(value));
            }
            "physical id" => {
                sockets.insert(value.to_string());
            }
            "cpu cores" => cores = value.parse().unwrap_or(1),
            "siblings" => siblings = value.parse().unwrap_or(1),
            "flags" if facts.found.get("flags").is_none() => {
                let flags: Vec<Value> = value.split_whitespace().map(Value::str).collect();
                facts.set("flags", flags);
            }
            _ => {}
        }
    }
    // without sockets in the list every processor counts as one
    let count = match sockets.len() {
        0 => vcpus,
        n => n as i64,
    };
    let threads = (siblings / cores.max(1)).max(1);
    facts.set("processor", listed);
    facts.set("processor_count", Value::Int(count));
    facts.set("processor_cores", Value::Int(cores));
    facts.set("processor_threads_per_core", Value::Int(threads));
    facts.set(
        "processor_vcpus",
        Value::Int(match sockets.is_empty() {
            true => vcpus,
            false => count * threads * cores,
        }),
    );
    let usable = std::thread::available_parallelism().map_or(vcpus, |n| n.get() as i64);
    facts.set("processor_nproc", Value::Int(usable));
}

fn firmware(facts: &mut Facts<'_>) {
    for (fact, file) in [
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
    ] {
        let value = facts.file(&format!("/sys/class/dmi/id/{file}"));
        facts.set(
            fact,
            value
                .filter(|v| !v.is_empty())
                .unwrap_or_else(|| "NA".to_string()),
        );
    }
    let kind = facts.file("/sys/class/dmi/id/chassis_type");
    let kind = kind.and_then(|k| k.parse::<usize>().ok());
    let name = kind.and_then(|k| FORM_FACTORS.get(k)).copied();
    facts.set("form_factor", name.unwrap_or("NA"));
}

/// Kinds of chassis by their number in the SMBIOS specification.
const FORM_FACTORS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];
