//! `mounts`: file systems of devices and servers.

use super::Facts;
use super::devices::udev_property;
use crate::value::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub fn gather(facts: &mut Facts<'_>) {
    let table = facts.file("/proc/self/mounts").unwrap_or_default();
    let uuids = uuids(facts);
    let parts = parts_of_others(facts);
    let mut entries: Vec<(String, Map)> = Vec::new();
    let mut sizes = Vec::new();
    for line in table.lines() {
        let fields: Vec<String> = line.split(' ').map(unescape).collect();
        let [device, mount, fstype, options, dump, pass] = fields.as_slice() else {
            continue;
        };
        let remote = device.contains(":/");
        if (!device.starts_with(['/', '\\']) && !remote) || fstype == "none" {
            continue;
        }
        let mut options = options.clone();
        if parts.contains(mount) && !options.split(',').any(|o| o == "bind") {
            options.push_str(",bind");
        }
        let entry = crate::modules::args::map([
            ("mount", mount.as_str().into()),
            ("device", device.as_str().into()),
            ("fstype", fstype.as_str().into()),
            ("options", options.into()),
            ("dump", Value::Int(dump.parse().unwrap_or(0))),
            ("passno", Value::Int(pass.parse().unwrap_or(0))),
        ]);
        let uuid = uuid_of(facts, &uuids, device);
        entries.push((uuid, entry));
        sizes.push(match remote {
            // a server that does not answer must not hold up the rest
            true => Asked::Later(ask_aside(mount.clone())),
            false => Asked::Now(size(mount)),
        });
    }
    let deadline = Instant::now() + facts.timeout;
    let mut mounts = Vec::new();
    for ((uuid, mut entry), asked) in entries.into_iter().zip(sizes) {
        match asked {
            Asked::Now(found) => entry.extend(found),
            Asked::Later(answer) => {
                let left = deadline.saturating_duration_since(Instant::now());
                match answer.recv_timeout(left.max(Duration::from_millis(1))) {
                    Ok(found) => entry.extend(found),
                    Err(_) => {
                        let note = "no size: the file system did not answer within gather_timeout";
                        entry.insert("note".into(), note.into());
                    }
                }
            }
        }
        entry.insert("uuid".into(), uuid.into());
        mounts.push(Value::map(entry));
    }
    facts.set("mounts", mounts);
}

/// The size of a file system, known or still to come.
enum Asked {
    Now(Map),
    Later(mpsc::Receiver<Map>),
}

/// Asks for the sizes in a thread of its own: a server that does not answer holds it up for ever.
pub fn ask_aside(mount: String) -> mpsc::Receiver<Map> {
    let (tell, answer) = mpsc::channel();
    std::thread::spawn(move || tell.send(size(&mount)));
    answer
}

/// The sizes of the file system at a path; nothing if there is none.
pub fn size(mount: &str) -> Map {
    let Ok(fs) = rustix::fs::statvfs(mount) else {
        return Map::default();
    };
    let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    crate::modules::args::map([
        ("size_total", number(fs.f_frsize * fs.f_blocks)),
        ("size_available", number(fs.f_frsize * fs.f_bavail)),
        ("block_size", number(fs.f_bsize)),
        ("block_total", number(fs.f_blocks)),
        ("block_available", number(fs.f_bavail)),
        (
            "block_used",
            number(fs.f_blocks.saturating_sub(fs.f_bavail)),
        ),
        ("inode_total", number(fs.f_files)),
        ("inode_available", number(fs.f_favail)),
        ("inode_used", number(fs.f_files.saturating_sub(fs.f_favail))),
    ])
}

/// Where a part of a file system is mounted that is not its root (`bind`).
fn parts_of_others(facts: &Facts<'_>) -> HashSet<String> {
    let table = facts.file("/proc/self/mountinfo").unwrap_or_default();
    let mut out = HashSet::new();
    for line in table.lines() {
        let mut fields = line.split(' ').skip(3);
        if let (Some(root), Some(mount)) = (fields.next(), fields.next()) {
            match root {
                "/" => out.remove(&unescape(mount)),
                _ => out.insert(unescape(mount)),
            };
        }
    }
    out
}

fn uuid_of(facts: &Facts<'_>, uuids: &HashMap<String, String>, device: &str) -> String {
    uuids
        .get(device)
        .cloned()
        .or_else(|| {
            let device = facts.machine.real_path(Path::new(device));
            uuids
                .get(&*device.to_string_lossy())
                .cloned()
                .or_else(|| udev_property(facts, device.file_name()?.to_str()?, "ID_FS_UUID"))
        })
        .unwrap_or_else(|| "N/A".to_string())
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
pub fn unescape(field: &str) -> String {
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
