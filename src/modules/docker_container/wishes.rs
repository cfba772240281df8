//! What a container should be like: each option with its place in the Engine's terms.

use super::super::Failure;
use super::super::common::docker::{self, Options, at, put};
use super::compare::Kind;
use super::{mounts, read};
use crate::machine::Machine;
use crate::machine::docker::Docker;
use crate::modules::args;
use serde_json::{Map, Value as Json, json};

/// Where a container's description holds that of its image, while it is compared.
pub const OWN_IMAGE: &str = "image of the container";

/// One property of a container that is compared.
pub struct Wish {
    /// As differences name it.
    pub name: &'static str,
    /// The option that `comparisons` names.
    pub option: &'static str,
    pub kind: Kind,
    pub want: Json,
    pub have: fn(&Json, &str) -> Json,
    /// Where it is kept.
    pub path: &'static str,
    /// It can be changed while the container is there.
    pub update: bool,
}

/// How an option's value is made the Engine's.
#[derive(Clone, Copy)]
enum Make {
    /// As it is.
    Same,
    /// Values of a dictionary as text.
    Texts,
    Size,
    /// A dictionary as `key:value`.
    Pairs,
    /// Names a container whose namespace it is.
    Other,
    Swap,
    Cpus,
    Devices,
    Rates,
    Requests,
    Tmpfs,
    Ulimits,
    Links,
    Command,
    Health,
    /// Not of this table.
    Special,
}

/// An option, in the order in which differences are shown.
struct Row(&'static str, Kind, &'static str, Make, bool);

const TABLE: &[Row] = {
    use Kind::*;
    use Make::*;
    &[
        Row("auto_remove", Value, "HostConfig.AutoRemove", Same, false),
        Row("blkio_weight", Value, "HostConfig.BlkioWeight", Same, true),
        Row("capabilities", Set, "HostConfig.CapAdd", Same, false),
        Row("cap_drop", Set, "HostConfig.CapDrop", Same, false),
        Row(
            "cgroupns_mode",
            Value,
            "HostConfig.CgroupnsMode",
            Same,
            false,
        ),
        Row(
            "cgroup_parent",
            Value,
            "HostConfig.CgroupParent",
            Same,
            false,
        ),
        Row("command", List, "Cmd", Command, false),
        Row("cpu_period", Value, "HostConfig.CpuPeriod", Same, true),
        Row("cpu_quota", Value, "HostConfig.CpuQuota", Same, true),
        Row("cpuset_cpus", Value, "HostConfig.CpusetCpus", Same, true),
        Row("cpuset_mems", Value, "HostConfig.CpusetMems", Same, true),
        Row("cpu_shares", Value, "HostConfig.CpuShares", Same, true),
        Row("entrypoint", List, "Entrypoint", Command, false),
        Row("cpus", Value, "HostConfig.NanoCpus", Cpus, false),
        Row("detach", Value, "", Special, false),
        Row("interactive", Value, "OpenStdin", Special, false),
        Row("devices", Dicts, "HostConfig.Devices", Devices, false),
        Row(
            "device_read_bps",
            Dicts,
            "HostConfig.BlkioDeviceReadBps",
            Rates,
            false,
        ),
        Row(
            "device_write_bps",
            Dicts,
            "HostConfig.BlkioDeviceWriteBps",
            Rates,
            false,
        ),
        Row(
            "device_read_iops",
            Dicts,
            "HostConfig.BlkioDeviceReadIOps",
            Rates,
            false,
        ),
        Row(
            "device_write_iops",
            Dicts,
            "HostConfig.BlkioDeviceWriteIOps",
            Rates,
            false,
        ),
        Row(
            "device_requests",
            Dicts,
            "HostConfig.DeviceRequests",
            Requests,
            false,
        ),
        Row(
            "device_cgroup_rules",
            List,
            "HostConfig.DeviceCgroupRules",
            Same,
            false,
        ),
        Row("dns_servers", List, "HostConfig.Dns", Same, false),
        Row("dns_opts", Set, "HostConfig.DnsOptions", Same, false),
        Row(
            "dns_search_domains",
            List,
            "HostConfig.DnsSearch",
            Same,
            false,
        ),
        Row("domainname", Value, "Domainname", Same, false),
        Row("env", Set, "Env", Special, false),
        Row("etc_hosts", Set, "HostConfig.ExtraHosts", Pairs, false),
        Row("groups", Set, "HostConfig.GroupAdd", Same, false),
        Row("healthcheck", Dict, "Healthcheck", Health, false),
        Row("hostname", Value, "Hostname", Same, false),
        Row("init", Value, "HostConfig.Init", Same, false),
        Row("ipc_mode", Value, "HostConfig.IpcMode", Other, false),
        Row(
            "kernel_memory",
            Value,
            "HostConfig.KernelMemory",
            Size,
            true,
        ),
        Row("labels", Dict, "Labels", Special, false),
        Row("links", Set, "HostConfig.Links", Links, false),
        Row(
            "log_driver",
            Value,
            "HostConfig.LogConfig.Type",
            Special,
            false,
        ),
        Row(
            "log_options",
            Dict,
            "HostConfig.LogConfig.Config",
            Special,
            false,
        ),
        Row("mac_address", Value, "MacAddress", Same, false),
        Row("memory", Value, "HostConfig.Memory", Size, true),
        Row(
            "memory_reservation",
            Value,
            "HostConfig.MemoryReservation",
            Size,
            true,
        ),
        Row("memory_swap", Value, "HostConfig.MemorySwap", Swap, true),
        Row(
            "memory_swappiness",
            Value,
            "HostConfig.MemorySwappiness",
            Same,
            false,
        ),
        Row(
            "network_mode",
            Value,
            "HostConfig.NetworkMode",
            Other,
            false,
        ),
        Row(
            "oom_killer",
            Value,
            "HostConfig.OomKillDisable",
            Same,
            false,
        ),
        Row(
            "oom_score_adj",
            Value,
            "HostConfig.OomScoreAdj",
            Same,
            false,
        ),
        Row("pid_mode", Value, "HostConfig.PidMode", Other, false),
        Row("pids_limit", Value, "HostConfig.PidsLimit", Same, false),
        Row("platform", Value, "platform", Special, false),
        Row("privileged", Value, "HostConfig.Privileged", Same, false),
        Row("read_only", Value, "HostConfig.ReadonlyRootfs", Same, false),
        Row(
            "restart_policy",
            Value,
            "HostConfig.RestartPolicy.Name",
            Special,
            true,
        ),
        Row(
            "restart_retries",
            Value,
            "HostConfig.RestartPolicy.MaximumRetryCount",
            Same,
            true,
        ),
        Row("runtime", Value, "HostConfig.Runtime", Same, false),
        Row("security_opts", Set, "HostConfig.SecurityOpt", Same, false),
        Row("shm_size", Value, "HostConfig.ShmSize", Size, false),
        Row("stop_signal", Value, "StopSignal", Same, false),
        Row("storage_opts", Dict, "HostConfig.StorageOpt", Same, false),
        Row("sysctls", Dict, "HostConfig.Sysctls", Texts, false),
        Row("tmpfs", Dict, "HostConfig.Tmpfs", Tmpfs, false),
        Row("tty", Value, "Tty", Same, false),
        Row("ulimits", Dicts, "HostConfig.Ulimits", Ulimits, false),
        Row("user", Value, "User", Same, false),
        Row("userns_mode", Value, "HostConfig.UsernsMode", Same, false),
        Row("uts", Value, "HostConfig.UTSMode", Same, false),
        Row(
            "volume_driver",
            Value,
            "HostConfig.VolumeDriver",
            Same,
            false,
        ),
        Row("volumes_from", Set, "HostConfig.VolumesFrom", Same, false),
        Row("working_dir", Value, "WorkingDir", Same, false),
        Row("mounts", Dicts, "HostConfig.Mounts", Special, false),
        Row("volumes", Set, "Volumes", Special, false),
        Row("exposed_ports", Set, "ExposedPorts", Special, false),
        Row(
            "published_ports",
            Dict,
            "HostConfig.PortBindings",
            Special,
            false,
        ),
        Row(
            "publish_all_ports",
            Value,
            "HostConfig.PublishAllPorts",
            Same,
            false,
        ),
    ]
};

/// The kind of an option that can be compared; none for one that cannot.
pub fn kind(option: &str) -> Option<Option<Kind>> {
    if matches!(option, "image" | "networks" | "stop_timeout" | "env_file") {
        let set = (option == "networks").then_some(Kind::Dicts);
        return Some(set);
    }
    let row = TABLE.iter().find(|row| row.0 == option)?;
    Some(Some(row.1))
}

/// What options and an image make of a container.
pub struct Wishes {
    pub all: Vec<Wish>,
    /// What the Engine is told to make.
    pub create: Json,
}

/// What the wishes are made from.
pub struct Source<'a> {
    pub options: &'a Options,
    pub name: &'a str,
    pub docker: &'a Docker,
    pub machine: &'a Machine,
    /// What the Engine knows of the image that is compared with; null if it does not know it.
    pub image: &'a Json,
    /// The address that ports are published at.
    pub address: &'a str,
}

fn kept(container: &Json, path: &str) -> Json {
    match path.starts_with("HostConfig.") {
        true => at(container, path).clone(),
        false => at(&container["Config"], path).clone(),
    }
}

fn keys(json: &Json) -> Vec<Json> {
    let map = json.as_object();
    let keys = map.into_iter().flatten().map(|(k, _)| json!(k));
    keys.collect()
}

fn kept_keys(container: &Json, path: &str) -> Json {
    match kept(container, path) {
        Json::Null if path == "Volumes" => Json::Null,
        map => Json::Array(keys(&map)),
    }
}

impl Wishes {
    pub fn of(source: &Source, warnings: &mut Vec<String>) -> Result<Wishes, Failure> {
        let mut wishes = Wishes {
            all: Vec::new(),
            create: json!({}),
        };
        for Row(name, kind, path, make, update) in TABLE {
            let wish = |want: Json| Wish {
                name,
                option: name,
                kind: *kind,
                want,
                have: kept,
                path,
                update: *update,
            };
            if let Make::Special = make {
                wishes.special(name, source, wish, warnings)?;
                continue;
            }
            let Some(value) = source.options.json(name) else {
                continue;
            };
            let Some(want) = made(name, value, *make, source, warnings)? else {
                continue;
            };
            put(&mut wishes.create, path, want.clone());
            let mut wish = wish(want);
            if *name == "mac_address" {
                wish.have = |container, _| match &container["Config"]["MacAddress"] {
                    Json::Null => container["NetworkSettings"]["MacAddress"].clone(),
                    address => address.clone(),
                };
            }
            wishes.all.push(wish);
        }
        if let Some(seconds) = source.options.json("stop_timeout") {
            wishes.create["StopTimeout"] = seconds;
        }
        // changes that need no new container are shown after the others
        wishes.all.sort_by_key(|wish| wish.update);
        Ok(wishes)
    }

    /// The options that are more than a value in a place.
    fn special(
        &mut self,
        name: &str,
        source: &Source,
        wish: impl Fn(Json) -> Wish,
        warnings: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let options = source.options;
        let image = &source.image["Config"];
        match name {
            "detach" => {
                let detach = options.is("detach");
                let interactive = options.is("interactive");
                self.create["AttachStdout"] = json!(!detach);
                self.create["AttachStderr"] = json!(!detach);
                self.create["AttachStdin"] = json!(interactive && !detach);
                self.create["StdinOnce"] = json!(interactive && !detach);
                self.create["OpenStdin"] = json!(options.flag("interactive"));
                if let Some(detach) = options.flag("detach") {
                    let mut wish = wish(json!(detach));
                    wish.have = |container, _| {
                        let on = |name: &str| container["Config"][name].as_bool() == Some(true);
                        json!(!(on("AttachStdout") && on("AttachStderr")))
                    };
                    self.all.push(wish);
                }
            }
            "interactive" => {
                if let Some(interactive) = options.flag("interactive") {
                    self.all.push(wish(json!(interactive)));
                }
            }
            "env" => self.environment(source, wish)?,
            "labels" => {
                let Some(labels) = options.map("labels") else {
                    return Ok(());
                };
                let own = texts(labels);
                self.create["Labels"] = own.clone();
                let mut all = image["Labels"].as_object().cloned().unwrap_or_default();
                all.extend(own.as_object().cloned().unwrap_or_default());
                self.all.push(wish(Json::Object(all)));
            }
            "log_driver" => {
                if let Some(driver) = options.json("log_driver") {
                    put(
                        &mut self.create,
                        "HostConfig.LogConfig.Type",
                        driver.clone(),
                    );
                    put(&mut self.create, "HostConfig.LogConfig.Config", json!({}));
                    self.all.push(wish(driver));
                }
            }
            "log_options" => {
                let given = options.map("log_options");
                let (Some(given), Some(_)) = (given, options.get("log_driver")) else {
                    return Ok(());
                };
                for (key, value) in given {
                    if value.as_str().is_none() {
                        warnings.push(format!(
                            "Non-string value found for log_options option '{key}'. The value is automatically converted to '{}'. \
                             If this is not correct, or you want to avoid such warnings, please quote the value.",
                            args::text(value)
                        ));
                    }
                }
                let want = texts(given);
                put(
                    &mut self.create,
                    "HostConfig.LogConfig.Config",
                    want.clone(),
                );
                self.all.push(wish(want));
            }
            "platform" => {
                if let Some(platform) = options.text("platform") {
                    self.platform(platform, source, wish);
                }
            }
            "restart_policy" => {
                if let Some(policy) = options.json("restart_policy") {
                    let retries = options.json("restart_retries");
                    let retries = retries.unwrap_or(Json::Null);
                    put(
                        &mut self.create,
                        "HostConfig.RestartPolicy",
                        json!({"Name": policy, "MaximumRetryCount": retries}),
                    );
                    self.all.push(wish(policy));
                }
            }
            "mounts" => {
                if let Some(given) = options.maps("mounts") {
                    let wanted = mounts::wanted(&given, source.docker)?;
                    put(&mut self.create, "HostConfig.Mounts", mounts::sent(&wanted));
                    let mut wish = wish(wanted.into_iter().map(Json::Object).collect());
                    wish.have = |container, _| mounts::there(container);
                    self.all.push(wish);
                }
            }
            "volumes" => self.volumes(source, wish)?,
            "exposed_ports" => {
                let given = options.list("exposed_ports").unwrap_or_default();
                let mut ports = read::exposed(&given)?;
                if let Some(published) = options.list("published_ports") {
                    let bindings = read::published(&published, source.address)?;
                    ports.extend(bindings.into_iter().map(|(port, _)| port));
                }
                let sent: Map<String, Json> =
                    ports.iter().map(|p| (p.clone(), json!({}))).collect();
                self.create["ExposedPorts"] = Json::Object(sent.clone());
                let mut want: Vec<Json> = sent.keys().map(|k| json!(k)).collect();
                for key in keys(&image["ExposedPorts"]) {
                    if !want.contains(&key) {
                        want.push(key);
                    }
                }
                let mut wish = wish(Json::Array(want));
                wish.have = kept_keys;
                self.all.push(wish);
            }
            _ => {
                if let Some(published) = options.list("published_ports") {
                    let bindings = Json::Object(read::published(&published, source.address)?);
                    put(
                        &mut self.create,
                        "HostConfig.PortBindings",
                        bindings.clone(),
                    );
                    self.all.push(wish(bindings));
                }
            }
        }
        Ok(())
    }

    fn environment(&mut self, source: &Source, wish: impl Fn(Json) -> Wish) -> Result<(), Failure> {
        let mut given: Map<String, Json> = Map::new();
        let file = source.options.text("env_file");
        if let Some(path) = file {
            given = variables(path, source.machine)?;
        }
        let own = source.options.map("env");
        for (key, value) in own.into_iter().flatten() {
            let Some(text) = value.as_str() else {
                return Err(Failure::new(format!(
                    "Non-string value found for env option. Ambiguous env options must be wrapped in quotes to avoid \
                     them being interpreted. Key: {key}"
                )));
            };
            given.insert(key.to_string(), json!(text));
        }
        let line = |(key, value): (&String, &Json)| {
            let value = value.as_str().unwrap_or_default();
            json!(format!("{key}={value}"))
        };
        if file.is_some() || own.is_some() {
            self.create["Env"] = given.iter().map(line).collect();
        }
        let mut all: Map<String, Json> = Map::new();
        let lines = source.image["Config"]["Env"].as_array();
        for text in lines.into_iter().flatten().filter_map(Json::as_str) {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            all.insert(key.to_string(), json!(value));
        }
        all.extend(given);
        self.all.push(wish(all.iter().map(line).collect()));
        Ok(())
    }

    fn volumes(&mut self, source: &Source, wish: impl Fn(Json) -> Wish) -> Result<(), Failure> {
        let given = source.options.list("volumes");
        let (mut anonymous, mut binds) = (Vec::new(), Vec::new());
        let mut targets: Vec<(String, &str)> = Vec::new();
        for mount in source.options.maps("mounts").unwrap_or_default() {
            let target = mount.text("target").unwrap_or_default();
            targets.push((target.to_string(), "mounts"));
        }
        for text in given.iter().flatten() {
            let target = match read::volume(text)? {
                read::Volume::Anonymous(path) => {
                    anonymous.push(json!(path));
                    path
                }
                read::Volume::Bind(from, to, mode) => {
                    binds.push(json!(format!("{from}:{to}:{mode}")));
                    to
                }
            };
            targets.push((target, "volumes"));
        }
        for (number, (target, option)) in targets.iter().enumerate() {
            let before = targets[..number].iter().find(|(t, _)| t == target);
            if let Some((_, other)) = before {
                return Err(Failure::new(match other == option {
                    true => {
                        format!("The mount point \"{target}\" appears twice in the {option} option")
                    }
                    false => format!(
                        "The mount point \"{target}\" appears both in the volumes and mounts option"
                    ),
                }));
            }
        }
        if given.is_some() {
            let map: Map<String, Json> = anonymous
                .iter()
                .filter_map(Json::as_str)
                .map(|path| (path.to_string(), json!({})))
                .collect();
            self.create["Volumes"] = Json::Object(map);
            put(
                &mut self.create,
                "HostConfig.Binds",
                Json::Array(binds.clone()),
            );
        }
        for key in keys(&source.image["Config"]["Volumes"]) {
            if !anonymous.contains(&key) {
                anonymous.push(key);
            }
        }
        // where none is wished for, those that are there do not matter
        if !anonymous.is_empty() {
            let mut volumes = wish(Json::Array(anonymous));
            volumes.have = kept_keys;
            self.all.push(volumes);
        }
        let mut bound = wish(Json::Array(binds));
        bound.name = "volume_binds";
        bound.path = "HostConfig.Binds";
        self.all.push(bound);
        Ok(())
    }

    fn platform(&mut self, platform: &str, source: &Source, wish: impl Fn(Json) -> Wish) {
        let wanted = normal_platform(platform);
        let image = platform_of(source.image);
        if source.image.is_null() || image != wanted {
            self.create["platform"] = json!(wanted);
        }
        let mut wish = wish(json!(wanted));
        wish.have = |container, _| json!(platform_of(&container[OWN_IMAGE]));
        self.all.push(wish);
    }
}

/// `linux/x86_64` as Docker writes it.
fn normal_platform(text: &str) -> String {
    let mut parts: Vec<&str> = text.split('/').collect();
    if let [one] = parts.as_slice() {
        match *one {
            os @ ("linux" | "windows") => parts = vec![os, std::env::consts::ARCH],
            architecture => parts = vec!["linux", architecture],
        }
    }
    let parts = parts.iter().map(|part| match *part {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" | "i686" => "386",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn platform_of(image: &Json) -> String {
    let of = |key: &str| image[key].as_str().unwrap_or_default();
    let variant = of("Variant");
    let base = format!("{}/{}", of("Os"), of("Architecture"));
    match variant {
        "" => base,
        variant => format!("{base}/{variant}"),
    }
}

/// A dictionary with its values as text.
fn texts(map: &crate::value::Map) -> Json {
    let entries = map
        .iter()
        .map(|(k, v)| (k.to_string(), json!(args::text(v))));
    Json::Object(entries.collect())
}

/// The variables of a file.
fn variables(path: &str, machine: &Machine) -> Result<Map<String, Json>, Failure> {
    let file = std::path::Path::new(path);
    let text = machine.read(file).map_err(|e| {
        Failure::uncaught(crate::machine::python_error(&e, file).replacen("b'", "'", 1))
    })?;
    let mut out = Map::new();
    for line in String::from_utf8_lossy(&text).lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(Failure::new(format!(
                "An unexpected Docker error occurred: Invalid line in environment file {path}:\n{line}"
            )));
        };
        out.insert(key.to_string(), json!(value));
    }
    Ok(out)
}

fn made(
    name: &str,
    value: Json,
    make: Make,
    source: &Source,
    warnings: &mut Vec<String>,
) -> Result<Option<Json>, Failure> {
    let text = || value.as_str().unwrap_or_default();
    let list = || source.options.list(name).unwrap_or_default();
    let map = || source.options.map(name).cloned().unwrap_or_default();
    let maps = || source.options.maps(name).unwrap_or_default();
    let made = match make {
        Make::Same | Make::Special => value,
        Make::Texts => texts(&map()),
        Make::Size => json!(read::size(name, text())?),
        Make::Swap if matches!(text(), "unlimited" | "-1") => json!(-1),
        Make::Swap => json!(read::size(name, text())?),
        Make::Pairs => {
            let pairs = map().into_iter();
            pairs
                .map(|(k, v)| json!(format!("{k}:{}", args::text(&v))))
                .collect()
        }
        Make::Other => match text().strip_prefix("container:") {
            None => value,
            Some(other) => {
                let found = source.docker.get(&format!("/containers/{other}/json"), &[]);
                match found.map_err(docker::failure(&format!(
                    "Error inspecting container {other}"
                )))? {
                    Some(found) => json!(format!(
                        "container:{}",
                        found["Id"].as_str().unwrap_or_default()
                    )),
                    None => {
                        warnings.push(format!(
                            "Cannot find a container with name or ID \"{other}\""
                        ));
                        value
                    }
                }
            }
        },
        Make::Cpus => {
            let cpus = source.options.float(name).unwrap_or_default();
            json!((cpus * 1e9).round() as i64)
        }
        Make::Devices => list().iter().map(|d| device(d)).collect(),
        Make::Rates => {
            let mut out = Vec::new();
            for rate in maps() {
                let each = match (rate.int("rate"), rate.text("rate")) {
                    (Some(number), _) => number,
                    (None, text) => read::size(&format!("{name}.rate"), text.unwrap_or_default())?,
                };
                out.push(json!({"Path": rate.text("path"), "Rate": each}));
            }
            Json::Array(out)
        }
        Make::Requests => {
            let request = |r: Options| {
                json!({
                    "Driver": r.text("driver").unwrap_or_default(),
                    "Count": r.int("count").unwrap_or_default(),
                    "DeviceIDs": r.json("device_ids"),
                    "Capabilities": r.json("capabilities"),
                    "Options": r.map("options").map(texts),
                })
            };
            maps().into_iter().map(request).collect()
        }
        Make::Tmpfs => {
            let entries = list().into_iter().map(|entry| match entry.split_once(':') {
                Some((path, options)) => (path.to_string(), json!(options)),
                None => (entry, json!("")),
            });
            Json::Object(entries.collect())
        }
        Make::Ulimits => {
            let mut out = Vec::new();
            for entry in list() {
                out.push(limit(&entry)?);
            }
            Json::Array(out)
        }
        Make::Links => {
            let link = |entry: String| {
                let (other, alias) = entry.split_once(':').unwrap_or((&entry, &entry));
                json!(format!("/{other}:/{}/{alias}", source.name))
            };
            list().into_iter().map(link).collect()
        }
        Make::Command => {
            let compatible = source.options.text("command_handling") == Some("compatibility");
            match &value {
                Json::Array(_) if !compatible => json!(list()),
                Json::Array(_) => {
                    let line = list().join(" ");
                    match line.is_empty() {
                        true => return Ok(None),
                        false => json!(super::super::common::command::split(&line)?),
                    }
                }
                _ => {
                    let line = source.options.get(name).map(args::text);
                    json!(super::super::common::command::split(
                        &line.unwrap_or_default()
                    )?)
                }
            }
        }
        Make::Health => health(&Options(map()))?,
    };
    Ok(Some(made))
}

fn device(text: &str) -> Json {
    let parts: Vec<&str> = text.split(':').collect();
    let (host, inside) = (parts[0], parts.get(1).copied().unwrap_or(parts[0]));
    json!({
        "CgroupPermissions": parts.get(2).copied().unwrap_or("rwm"),
        "PathInContainer": inside,
        "PathOnHost": host,
    })
}

fn limit(text: &str) -> Result<Json, Failure> {
    let failed = || {
        Failure::new(format!(
            "ulimits: '{text}' is not NAME:SOFT or NAME:SOFT:HARD"
        ))
    };
    let (name, rest) = text.split_once(':').ok_or_else(failed)?;
    let (soft, hard) = rest.split_once(':').unwrap_or((rest, rest));
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| failed());
    Ok(json!({"Name": name, "Soft": number(soft)?, "Hard": number(hard)?}))
}

fn health(options: &Options) -> Result<Json, Failure> {
    let mut out = Map::new();
    match options.json("test") {
        Some(Json::Array(words)) => {
            let words: Vec<Json> = words.into_iter().collect();
            let first = words.first().and_then(Json::as_str).unwrap_or_default();
            if first == "NONE" {
                return Ok(json!({"Test": ["NONE"]}));
            }
            out.insert("Test".into(), Json::Array(words));
        }
        Some(line) => {
            let line = args::text(&crate::Value::from_json(line));
            out.insert("Test".into(), json!(["CMD-SHELL", line]));
        }
        None if options.is("test_cli_compatible") => {}
        None => return Ok(json!({"Test": ["NONE"]})),
    }
    for (option, key) in [
        ("interval", "Interval"),
        ("timeout", "Timeout"),
        ("start_period", "StartPeriod"),
        ("start_interval", "StartInterval"),
    ] {
        if let Some(text) = options.text(option) {
            out.insert(key.into(), json!(read::duration(text)?));
        }
    }
    if let Some(retries) = options.json("retries") {
        out.insert("Retries".into(), retries);
    }
    Ok(Json::Object(out))
}
