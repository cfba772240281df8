//! Memory, processors, mounted file systems, firmware.

use super::{Facts, dict};
use crate::value::Value;
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub fn gather(facts: &mut Facts<'_>) {
    memory(facts);
    processors(facts);
    firmware(facts);
    if let Some(up) = facts.file("/proc/uptime") {
        let seconds = up
            .split('.')
            .next()
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        facts.set("uptime_seconds", Value::Int(seconds));
    }
    if let Some(load) = facts.file("/proc/loadavg") {
        let mut numbers = load
            .split_whitespace()
            .map(|n| n.parse::<f64>().unwrap_or(0.0));
        let mut next = || Value::Float(numbers.next().unwrap_or(0.0));
        let load = dict([("1m", next()), ("5m", next()), ("15m", next())]);
        facts.set("loadavg", load);
    }
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
}

pub fn mounts(facts: &mut Facts<'_>) {
    let table = facts.file("/proc/self/mounts").unwrap_or_default();
    let uuids = uuids(facts);
    let mut mounts = Vec::new();
    for line in table.lines() {
        let fields: Vec<String> = line.split(' ').map(unescape).collect();
        let [device, mount, fstype, options, dump, pass] = fields.as_slice() else {
            continue;
        };
        let remote = device.contains(":/");
        if (!device.starts_with('/') && !remote) || fstype == "none" {
            continue;
        }
        if !remote && !facts.machine.is_dir(Path::new(mount)) {
            continue;
        }
        let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let mut entry = crate::modules::args::map([
            ("mount", mount.as_str().into()),
            ("device", device.as_str().into()),
            ("fstype", fstype.as_str().into()),
            ("options", options.as_str().into()),
            ("dump", Value::Int(dump.parse().unwrap_or(0))),
            ("passno", Value::Int(pass.parse().unwrap_or(0))),
            (
                "uuid",
                uuids.get(device).map_or("N/A", String::as_str).into(),
            ),
        ]);
        // a server that does not answer would hold everything up, so remote ones are not asked
        if !remote && let Ok(fs) = rustix::fs::statvfs(mount.as_str()) {
            for (key, value) in [
                ("size_total", fs.f_frsize * fs.f_blocks),
                ("size_available", fs.f_frsize * fs.f_bavail),
                ("block_size", fs.f_bsize),
                ("block_total", fs.f_blocks),
                ("block_available", fs.f_bavail),
                ("block_used", fs.f_blocks.saturating_sub(fs.f_bavail)),
                ("inode_total", fs.f_files),
                ("inode_available", fs.f_favail),
                ("inode_used", fs.f_files.saturating_sub(fs.f_favail)),
            ] {
                entry.insert(key.into(), number(value));
            }
        }
        mounts.push(Value::map(entry));
    }
    facts.set("mounts", mounts);
}

/// Device to the UUID of its file system.
fn uuids(facts: &Facts<'_>) -> HashMap<String, String> {
    let dir = Path::new("/dev/disk/by-uuid");
    let names = facts.machine.list(dir).unwrap_or_default();
    let entries = names.into_iter().map(|name| {
        let device = facts.machine.real_path(&dir.join(&name));
        (
            device.to_string_lossy().into_owned(),
            name.to_string_lossy().into_owned(),
        )
    });
    entries.collect()
}

/// Blanks in the kernel's table are octal numbers.
fn unescape(field: &str) -> String {
    let replacements = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    replacements
        .iter()
        .fold(field.to_string(), |text, (code, c)| text.replace(code, c))
}
