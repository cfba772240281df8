//! `devices`, `device_links`, `lvm`: block devices, their names and partitions.

use super::{Facts, dict};
use crate::machine::Command;
use crate::value::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Names in a folder, sorted.
fn names(facts: &Facts<'_>, path: &str) -> Vec<String> {
    let list = facts.machine.list(Path::new(path)).unwrap_or_default();
    let mut names: Vec<String> = list
        .into_iter()
        .filter_map(|n| n.into_string().ok())
        .collect();
    names.sort();
    names
}

/// What is known of a device by other names: kind of name, device, names.
type Links = [(&'static str, BTreeMap<String, Vec<String>>); 4];

fn links(facts: &Facts<'_>) -> Links {
    let by = |kind: &str| {
        let dir = format!("/dev/disk/{kind}");
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names(facts, &dir) {
            let target = facts.machine.read_link(Path::new(&format!("{dir}/{name}")));
            if let Some(device) = target.ok().as_deref().and_then(Path::file_name) {
                let device = device.to_string_lossy().into_owned();
                out.entry(device).or_default().push(name);
            }
        }
        out
    };
    let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for master in names(facts, "/sys/block") {
        for slave in names(facts, &format!("/sys/block/{master}/slaves")) {
            masters.entry(slave).or_default().push(master.clone());
        }
    }
    [
        ("ids", by("by-id")),
        ("uuids", by("by-uuid")),
        ("labels", by("by-label")),
        ("masters", masters),
    ]
}

fn texts(names: &[String]) -> Value {
    names.iter().map(Value::str).collect::<Vec<_>>().into()
}

/// The other names of one device.
fn links_of(links: &Links, device: &str) -> Value {
    let one = links.iter().map(|(kind, all)| {
        let names = all.get(device).map_or(&[][..], Vec::as_slice);
        ((*kind).into(), texts(names))
    });
    Value::map(one.collect())
}

pub fn gather(facts: &mut Facts<'_>) {
    let links = links(facts);
    let all = links.iter().map(|(kind, all)| {
        let map: Map = all
            .iter()
            .map(|(device, names)| (device.as_str().into(), texts(names)))
            .collect();
        ((*kind).into(), Value::map(map))
    });
    let all: Map = all.collect();
    let mut pci = Pci::default();
    let mut devices = Map::default();
    for name in names(facts, "/sys/block") {
        let device = device(facts, &name, &links, &mut pci);
        devices.insert(name.as_str().into(), device);
    }
    facts.set("device_links", all);
    facts.set("devices", devices);
    lvm(facts);
}

fn device(facts: &Facts<'_>, name: &str, links: &Links, pci: &mut Pci) -> Value {
    let dir = format!("/sys/block/{name}");
    let file = |path: &str| {
        let found = facts.file(&format!("{dir}/{path}"));
        found.filter(|t| !t.is_empty())
    };
    let text = |path: &str| file(path).map_or(Value::Null, Value::from);
    let mut out = crate::modules::args::map([
        ("virtual", Value::Int(1)),
        ("links", links_of(links, name)),
        ("vendor", text("device/vendor")),
        ("model", text("device/model")),
        ("sas_address", text("device/sas_address")),
        ("sas_device_handle", text("device/sas_device_handle")),
        ("removable", text("removable")),
        ("support_discard", text("queue/discard_granularity")),
    ]);
    if let Some(serial) = serial(facts, name) {
        out.insert("serial".into(), serial.into());
    }
    let ids = links[0].1.get(name).map_or(&[][..], Vec::as_slice);
    if let Some(wwn) = ids.iter().find_map(|id| id.strip_prefix("wwn-")) {
        out.insert("wwn".into(), wwn.into());
    }
    let mut partitions = Map::default();
    for part in names(facts, &dir) {
        if facts.exists(&format!("{dir}/{part}/partition")) {
            partitions.insert(part.as_str().into(), partition(facts, name, &part, links));
        }
    }
    let sector_size = file("queue/logical_block_size")
        .or_else(|| file("queue/hw_sector_size"))
        .unwrap_or_else(|| "512".to_string());
    // the kernel counts in units of 512 bytes whatever the sector's size
    let sectors: i64 = file("size").and_then(|t| t.parse().ok()).unwrap_or(0);
    out.insert("partitions".into(), partitions.into());
    out.insert("rotational".into(), text("queue/rotational"));
    out.insert(
        "scheduler_mode".into(),
        chosen(&file("queue/scheduler").unwrap_or_default()).into(),
    );
    out.insert("sectors".into(), sectors.into());
    out.insert("sectorsize".into(), sector_size.into());
    out.insert("size".into(), human(sectors as f64 * 512.0).into());
    let host = pci.host_of(facts, &dir);
    out.insert("host".into(), host.into());
    out.insert("holders".into(), holders(facts, &dir));
    Value::map(out)
}

fn partition(facts: &Facts<'_>, device: &str, name: &str, links: &Links) -> Value {
    let dir = format!("/sys/block/{device}/{name}");
    let number = |path: &str| -> i64 {
        let text = facts.file(&format!("{dir}/{path}"));
        text.and_then(|t| t.parse().ok()).unwrap_or(0)
    };
    let sectors = number("size");
    let size: i64 = facts
        .file(&format!("/sys/block/{device}/queue/logical_block_size"))
        .and_then(|t| t.parse().ok())
        .unwrap_or(512);
    let uuid = links[1]
        .1
        .get(name)
        .and_then(|names| names.first().cloned())
        .or_else(|| udev_property(facts, name, "ID_FS_UUID"));
    dict([
        ("links", links_of(links, name)),
        ("start", number("start").to_string().into()),
        ("sectors", sectors.to_string().into()),
        ("sectorsize", size.into()),
        ("size", human(sectors as f64 * 512.0).into()),
        ("uuid", uuid.map_or(Value::Null, Value::from)),
        ("holders", holders(facts, &dir)),
    ])
}

/// The device mapper's devices that are made of this one, by their own names.
fn holders(facts: &Facts<'_>, dir: &str) -> Value {
    let list = names(facts, &format!("{dir}/holders"))
        .into_iter()
        .filter(|n| n.starts_with("dm-"))
        .map(|n| facts.file(&format!("/sys/block/{n}/dm/name")).unwrap_or(n));
    texts(&list.collect::<Vec<_>>())
}

/// A property that udev noted of a block device.
pub(super) fn udev_property(facts: &Facts<'_>, device: &str, name: &str) -> Option<String> {
    let number = facts.file(&format!("/sys/class/block/{device}/dev"))?;
    let text = facts.file(&format!("/run/udev/data/b{number}"))?;
    let line = text.lines().find_map(|l| {
        let property = l.strip_prefix("E:")?;
        property.strip_prefix(name)?.strip_prefix('=')
    })?;
    Some(line.to_string())
}

/// As `sg_inq` tells it, if it is there.
fn serial(facts: &Facts<'_>, name: &str) -> Option<String> {
    let program = facts.program("sg_inq")?;
    let device = format!("/dev/{name}");
    let output = facts.machine.probe(&Command::new([program, device])).ok()?;
    let text = output.stdout_text();
    let (_, rest) = text.split_once("Unit serial number:")?;
    Some(rest.split_whitespace().next()?.to_string())
}

/// The scheduler in brackets.
fn chosen(text: &str) -> &str {
    let rest = text.split_once('[').map_or("", |(_, rest)| rest);
    rest.split_once(']').map_or("", |(name, _)| name)
}

/// Names of the controllers on the PCI bus, asked once and only where a device sits on it.
#[derive(Default)]
struct Pci {
    listed: Option<String>,
}

impl Pci {
    fn host_of(&mut self, facts: &Facts<'_>, dir: &str) -> String {
        let path = facts.machine.real_path(Path::new(dir));
        let path = path.to_string_lossy();
        // 0000:00:1f.2
        let address = path.split('/').rev().find(|part| {
            let b = part.as_bytes();
            b.len() == 12 && b[4] == b':' && b[7] == b':' && b[10] == b'.'
        });
        let Some(address) = address else {
            return String::new();
        };
        let listed = self.listed.get_or_insert_with(|| {
            let output = facts
                .program("lspci")
                .and_then(|p| facts.machine.probe(&Command::new([p.as_str(), "-D"])).ok());
            output.map_or(String::new(), |o| o.stdout_text())
        });
        let line = listed.lines().find_map(|l| l.strip_prefix(address));
        line.unwrap_or_default().trim().to_string()
    }
}

/// A size as people read it: `8.00 GB`.
fn human(bytes: f64) -> String {
    let units = [
        ("YB", 80),
        ("ZB", 70),
        ("EB", 60),
        ("PB", 50),
        ("TB", 40),
        ("GB", 30),
        ("MB", 20),
        ("KB", 10),
    ];
    let found = units
        .iter()
        .map(|(name, power)| (name, bytes / 2f64.powi(*power)))
        .find(|(_, size)| *size >= 1.0);
    match found {
        Some((name, size)) => format!("{size:.2} {name}"),
        None => format!("{bytes:.2} Bytes"),
    }
}

/// Volume groups and volumes; only root may ask for them.
fn lvm(facts: &mut Facts<'_>) {
    let root = rustix::process::geteuid().is_root();
    if !root || facts.program("vgs").is_none() {
        facts.set("lvm", "N/A");
        return;
    }
    let rows = |name: &str| -> Vec<Vec<String>> {
        let Some(program) = facts.program(name) else {
            return Vec::new();
        };
        let options = [
            "--noheadings",
            "--nosuffix",
            "--units",
            "g",
            "--separator",
            ",",
        ];
        let words = std::iter::once(program.as_str()).chain(options);
        let output = facts.machine.probe(&Command::new(words));
        let text = output.map_or(String::new(), |o| o.stdout_text());
        text.lines()
            .map(|l| l.trim().split(',').map(String::from).collect())
            .collect()
    };
    // the columns of a row that are wanted, and their names
    let table = |rows: Vec<Vec<String>>, columns: &[(&str, usize)]| -> Value {
        let entries = rows.iter().filter_map(|row| {
            let values = columns
                .iter()
                .map(|(name, at)| Some(((*name).into(), row.get(*at)?.as_str().into())));
            Some((
                row.first()?.as_str().into(),
                Value::map(values.collect::<Option<_>>()?),
            ))
        });
        Value::map(entries.collect())
    };
    let vgs = table(
        rows("vgs"),
        &[("size_g", 5), ("free_g", 6), ("num_lvs", 2), ("num_pvs", 1)],
    );
    let lvs = table(rows("lvs"), &[("size_g", 3), ("vg", 1)]);
    let pvs = table(rows("pvs"), &[("size_g", 4), ("free_g", 5), ("vg", 1)]);
    facts.set("lvm", dict([("lvs", lvs), ("vgs", vgs), ("pvs", pvs)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_schedulers() {
        for (bytes, shown) in [
            (0.0, "0.00 Bytes"),
            (1024.0, "1.00 KB"),
            (8589934592.0, "8.00 GB"),
            (270582939648.0, "252.00 GB"),
        ] {
            assert_eq!(human(bytes), shown);
        }
        assert_eq!(chosen("mq-deadline [none]"), "none");
        assert_eq!(chosen("none"), "");
    }
}
