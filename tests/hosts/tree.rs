//! The state of a host: every file that differs from the base root, with owner, mode and content.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// What differs from run to run, or is what a program keeps for itself. A `*` at the end stands for anything.
const NOISE: &[&str] = &[
    "boot/.id",
    "dev",
    "etc/.pwd.lock",
    "etc/hostname",
    "etc/hosts",
    // copies that passwd and its kin leave
    "etc/passwd-",
    "etc/shadow-",
    "etc/group-",
    "etc/gshadow-",
    "etc/subuid-",
    "etc/subgid-",
    // the caches of a shell and of a Python that ran
    "etc/ld.so.cache",
    "home/*/.ansible",
    "home/*/.ansible_async",
    "home/*/.cache",
    "proc",
    "root/.ansible",
    "root/.ansible_async",
    "root/.cache",
    "run",
    "sys",
    "tmp/ansible*",
    "tmp/.rplay*",
    "var/cache",
    "var/log",
    "var/lib/apt/lists",
    "var/lib/sudo",
    "var/tmp/ansible*",
    "var/tmp/.rplay*",
];

/// Path and description of every file below an overlay's upper folder that `base` does not have like that.
pub fn of(upper: &Path, base: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    list(upper, base, upper, &mut found);
    found
}

fn is_noise(name: &str) -> bool {
    let fits = |pattern: &&str| {
        let (mut patterns, mut parts) = (pattern.split('/'), name.split('/'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) => match pattern.strip_suffix('*') {
                    Some(start) if part.starts_with(start) => {}
                    None if part == pattern => {}
                    _ => return false,
                },
                _ => return false,
            }
        }
    };
    NOISE.iter().any(fits) || name.ends_with("__pycache__")
}

fn list(root: &Path, base: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|e| e.expect("an entry").path()) {
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let Ok(meta) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        if is_noise(&name) {
            continue;
        }
        let (mode, owner) = (
            meta.mode() & 0o7777,
            format!("{}:{}", meta.uid(), meta.gid()),
        );
        if meta.is_dir() {
            list(root, base, &path, found);
            // one that was there is copied up for what is below it
            let same = std::fs::symlink_metadata(base.join(&name)).is_ok_and(|old| {
                old.is_dir()
                    && (old.mode(), old.uid(), old.gid()) == (meta.mode(), meta.uid(), meta.gid())
            });
            if !same {
                found.insert(format!("{name}/"), format!("{mode:04o} {owner}"));
            }
            continue;
        }
        let what = if meta.is_symlink() {
            let to = std::fs::read_link(&path).unwrap_or_default();
            format!("-> {} {owner}", to.display())
        } else if meta.file_type().is_char_device() && meta.rdev() == 0 {
            "removed".into()
        } else if meta.is_file() {
            let content = std::fs::read(&path).unwrap_or_default();
            let content = match std::str::from_utf8(&content) {
                Ok(text) if text.len() < 2000 => format!("{text:?}"),
                _ => Sha256::digest(&content)
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect(),
            };
            let links = if meta.nlink() > 1 {
                format!(" {} links", meta.nlink())
            } else {
                String::new()
            };
            format!("{mode:04o} {owner}{links} {content}")
        } else {
            format!("special {mode:04o} {owner}")
        };
        found.insert(name, what);
    }
}
