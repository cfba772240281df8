//! The option `mounts`.

use super::super::Failure;
use super::super::common::docker::Options;
use super::read;
use crate::machine::docker::Docker;
use serde_json::{Map, Value as Json, json};

/// A suboption, the types of mounts that have it, its place and the version of the API.
type Special = (
    &'static str,
    &'static [&'static str],
    &'static str,
    (u32, u32),
);

/// The suboptions that only mounts of some types have, where the Engine keeps them, and since which version.
const SPECIAL: &[Special] = &[
    ("propagation", &["bind"], "BindOptions.Propagation", (0, 0)),
    (
        "non_recursive",
        &["bind"],
        "BindOptions.NonRecursive",
        (1, 40),
    ),
    (
        "create_mountpoint",
        &["bind"],
        "BindOptions.CreateMountpoint",
        (1, 42),
    ),
    (
        "read_only_non_recursive",
        &["bind"],
        "BindOptions.ReadOnlyNonRecursive",
        (1, 44),
    ),
    (
        "read_only_force_recursive",
        &["bind"],
        "BindOptions.ReadOnlyForceRecursive",
        (1, 44),
    ),
    ("no_copy", &["volume"], "VolumeOptions.NoCopy", (0, 0)),
    ("labels", &["volume"], "VolumeOptions.Labels", (0, 0)),
    (
        "volume_driver",
        &["volume"],
        "VolumeOptions.DriverConfig.Name",
        (0, 0),
    ),
    (
        "volume_options",
        &["volume"],
        "VolumeOptions.DriverConfig.Options",
        (0, 0),
    ),
    ("tmpfs_size", &["tmpfs"], "TmpfsOptions.SizeBytes", (0, 0)),
    ("tmpfs_mode", &["tmpfs"], "TmpfsOptions.Mode", (0, 0)),
    ("tmpfs_options", &["tmpfs"], "TmpfsOptions.Options", (1, 46)),
    (
        "subpath",
        &["volume", "image"],
        "VolumeOptions.Subpath",
        (1, 45),
    ),
];

/// Each mount as it is compared: its options, converted.
pub fn wanted(mounts: &[Options], docker: &Docker) -> Result<Vec<Map<String, Json>>, Failure> {
    let mut out = Vec::new();
    for mount in mounts {
        let mut entry = Map::new();
        let (target, kind) = (
            mount.text("target").unwrap_or_default(),
            mount.text("type").unwrap_or("volume"),
        );
        if mount.get("source").is_none()
            && !matches!(kind, "tmpfs" | "volume" | "image" | "cluster")
        {
            return Err(Failure::new(format!(
                "source must be specified for mount \"{target}\" of type \"{kind}\""
            )));
        }
        for (name, kinds, _, since) in SPECIAL {
            if mount.get(name).is_none() {
                continue;
            }
            if !kinds.contains(&kind) {
                return Err(Failure::new(format!(
                    "{name} cannot be specified for mount \"{target}\" of type \"{kind}\" (needs type \"{}\")",
                    kinds.join("\" or \"")
                )));
            }
            if docker.version() < *since {
                let (major, minor) = docker.version();
                return Err(Failure::new(format!(
                    "Docker API version is {major}.{minor}. Minimum version required is {}.{} to set mounts.{name} option.",
                    since.0, since.1
                )));
            }
        }
        for (key, value) in &mount.0 {
            let name = key.to_string();
            let value = match (name.as_str(), value.as_str()) {
                (_, _) if value.is_null() => continue,
                ("tmpfs_size", Some(text)) => json!(read::size("mounts.tmpfs_size", text)?),
                ("tmpfs_mode", Some(text)) => match i64::from_str_radix(text, 8) {
                    Ok(mode) => json!(mode),
                    Err(_) => {
                        let msg =
                            format!("tmp_fs mode of mount \"{target}\" is not an octal string!");
                        return Err(Failure::new(msg));
                    }
                },
                ("tmpfs_options", _) => flags(value),
                _ => value.to_json(),
            };
            entry.insert(name, value);
        }
        out.push(entry);
    }
    Ok(out)
}

/// `[{size: 1m}, {ro: null}]` as the Engine's lists of one or two words.
fn flags(options: &crate::Value) -> Json {
    let options = options.as_list().unwrap_or_default();
    let pairs = options.iter().filter_map(crate::Value::as_map).flatten();
    let lists = pairs.map(|(key, value)| match value.is_null() {
        true => json!([key.to_string()]),
        false => json!([key.to_string(), crate::modules::args::text(value)]),
    });
    Json::Array(lists.collect())
}

/// What the Engine is told of mounts.
pub fn sent(wanted: &[Map<String, Json>]) -> Json {
    let mount = |entry: &Map<String, Json>| {
        let of = |name: &str| entry.get(name).cloned().unwrap_or(Json::Null);
        let mut out = json!({
            "Target": of("target"),
            "Source": of("source"),
            "Type": of("type"),
            "ReadOnly": of("read_only"),
        });
        if entry.contains_key("consistency") {
            out["Consistency"] = of("consistency");
        }
        for (name, _, path, _) in SPECIAL {
            match entry.get(*name) {
                None => {}
                // what is usual goes without saying
                Some(Json::Bool(false)) if *name == "no_copy" => {}
                Some(value) if *name == "subpath" && of("type") == "image" => {
                    super::super::common::docker::put(
                        &mut out,
                        "ImageOptions.Subpath",
                        value.clone(),
                    );
                }
                Some(value) => super::super::common::docker::put(&mut out, path, value.clone()),
            }
        }
        out
    };
    Json::Array(wanted.iter().map(mount).collect())
}

/// What a container has, in the terms of the option.
pub fn there(container: &Json) -> Json {
    let mounts = container["HostConfig"]["Mounts"].as_array();
    let mount = |mount: &Json| {
        let mut out = json!({
            "type": mount["Type"],
            "source": match &mount["Source"] {
                Json::String(s) if s.is_empty() => &Json::Null,
                other => other,
            },
            "target": mount["Target"],
            "read_only": mount["ReadOnly"].as_bool().unwrap_or(false),
            "consistency": mount["Consistency"],
        });
        for (name, _, path, _) in SPECIAL {
            let value = super::super::common::docker::at(mount, path).clone();
            out[*name] = match (*name, value) {
                ("no_copy", Json::Null) => Json::Bool(false),
                ("labels" | "volume_options", Json::Null) => json!({}),
                (_, value) => value,
            };
        }
        out
    };
    match mounts {
        None => Json::Null,
        Some(mounts) => Json::Array(mounts.iter().map(mount).collect()),
    }
}
