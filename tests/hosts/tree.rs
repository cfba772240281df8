//! The state of a host, as text: every file that differs from the base root, with owner, mode and content.

use sha2::{Digest, Sha256};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// What differs from run to run, or is what a program keeps for itself.
const NOISE: &[&str] = &[
    "boot/.id",
    "dev",
    "etc/.pwd.lock",
    "etc/hostname",
    "etc/hosts",
    "home/alice/.ansible",
    "home/alice/.cache",
    "home/ubuntu/.ansible",
    "home/ubuntu/.ansible_async",
    "home/ubuntu/.cache",
    "proc",
    "root/.ansible",
    "root/.ansible_async",
    "root/.cache",
    "run",
    "sys",
    "tmp",
    "var/cache",
    "var/log",
    "var/lib/apt/lists",
    "var/lib/apt/extended_states",
    "var/lib/sudo",
    "var/lib/systemd",
    "var/tmp",
];

pub fn of(upper: &Path) -> String {
    let mut out = String::new();
    list(upper, upper, &mut out);
    out
}

fn list(root: &Path, folder: &Path, out: &mut String) {
    let mut paths: Vec<_> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|e| e.expect("an entry").path()).collect(),
        Err(_) => return,
    };
    paths.sort();
    for path in paths {
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let noise =
            NOISE.contains(&name.as_str()) || name.contains("__pycache__") || name.ends_with('-');
        if noise {
            continue;
        }
        let Ok(meta) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
        if meta.is_dir() {
            let before = out.len();
            list(root, &path, out);
            // a folder that only leads to what is listed, or to noise, is none that was made
            let made = out.len() == before
                && std::fs::read_dir(&path).is_ok_and(|mut d| d.next().is_none());
            if made || mode != 0o755 || uid != 0 {
                out.push_str(&format!("{name}/ {mode:04o} {uid}:{gid}\n"));
            }
        } else if meta.is_symlink() {
            let to = std::fs::read_link(&path).unwrap_or_default();
            out.push_str(&format!("{name} -> {}\n", to.display()));
        } else if meta.file_type().is_char_device() && meta.rdev() == 0 {
            out.push_str(&format!("{name} removed\n"));
        } else if meta.is_file() {
            let content = std::fs::read(&path).unwrap_or_default();
            out.push_str(&format!("{name} {mode:04o} {uid}:{gid} "));
            match std::str::from_utf8(&content) {
                Ok(text) if text.len() < 2000 => out.push_str(&format!("{text:?}\n")),
                _ => {
                    let digest = Sha256::digest(&content);
                    out.extend(digest.iter().map(|b| format!("{b:02x}")));
                    out.push('\n');
                }
            }
        } else {
            out.push_str(&format!("{name} special {mode:04o}\n"));
        }
    }
}
