//! The options of `docker_container`.

use crate::modules::args;
use crate::modules::common::docker::{Connection, Options};
use crate::modules::yes;
use crate::value::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The options, as they are documented in [`Documented`].
pub struct Args(pub Options);

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Args, D::Error> {
        args::Dict::deserialize(d).map(|options| Args(Options(options.0)))
    }
}

impl JsonSchema for Args {
    fn schema_name() -> Cow<'static, str> {
        "docker_container".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Documented::json_schema(generator)
    }
}

fn wait() -> f64 {
    300.0
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
#[schemars(extend("required_if" = [["state", "present", ["image"]]], "required_by" = {"restart_retries": ["restart_policy"]}))]
struct Documented {
    /// The container: its name, or its number.
    name: String,
    #[serde(default)]
    state: State,
    /// The image that it is made of, by name or by number.
    image: Option<String>,
    /// Has the Engine remove the container when its process ends.
    auto_remove: Option<bool>,
    /// Its share of block I/O, 10 to 1000.
    blkio_weight: Option<i64>,
    /// Capabilities that it gets besides the usual ones.
    capabilities: Option<Vec<String>>,
    /// Capabilities that it does not get.
    cap_drop: Option<Vec<String>>,
    cgroupns_mode: Option<CgroupNamespace>,
    /// The group of processes that its own is below.
    cgroup_parent: Option<String>,
    /// With `detach: false`: removes it after it has run.
    #[serde(default)]
    cleanup: bool,
    /// What it runs, as a line or a list of words.
    command: Option<Value>,
    #[serde(default)]
    command_handling: Handling,
    /// How options are compared with the container that is there: `strict`, `ignore` or `allow_more_present`, by option; `*` for all others.
    comparisons: Option<args::Dict>,
    #[serde(default)]
    container_default_behavior: Defaults,
    /// The period of the CPU's time slices.
    cpu_period: Option<i64>,
    /// Its part of a period.
    cpu_quota: Option<i64>,
    /// The CPUs that it may use, such as `0-2,4`.
    cpuset_cpus: Option<String>,
    /// The memory nodes that it may use.
    cpuset_mems: Option<String>,
    /// Its share of CPU time.
    cpu_shares: Option<i64>,
    /// What is run in place of the image's entry point.
    entrypoint: Option<Vec<String>>,
    /// How many CPUs it may use, such as 1.5.
    cpus: Option<f64>,
    /// The address that ports are published at unless said; that of the network's bridge by itself.
    default_host_ip: Option<String>,
    /// Leaves it running; if false, its end is waited for.
    detach: Option<bool>,
    /// Devices of the host: `HOST:CONTAINER:rwm`.
    devices: Option<Vec<String>>,
    /// How many bytes a second may be read from devices.
    device_read_bps: Option<Vec<ByteRate>>,
    /// How many bytes a second may be written to devices.
    device_write_bps: Option<Vec<ByteRate>>,
    /// How often a second may be read from devices.
    device_read_iops: Option<Vec<Rate>>,
    /// How often a second may be written to devices.
    device_write_iops: Option<Vec<Rate>>,
    /// Devices that drivers provide, such as GPUs.
    device_requests: Option<Vec<DeviceRequest>>,
    /// Rules about devices: `c 1:3 mr`.
    device_cgroup_rules: Option<Vec<String>>,
    /// Name servers.
    dns_servers: Option<Vec<String>>,
    /// Options of its resolver.
    dns_opts: Option<Vec<String>>,
    /// Domains in which its resolver looks.
    dns_search_domains: Option<Vec<String>>,
    /// Its domain.
    domainname: Option<String>,
    /// Variables of its environment; values are text.
    env: Option<args::Dict>,
    /// A file on the target with variables, `NAME=VALUE` in each line.
    env_file: Option<args::Path>,
    /// Names of hosts and their addresses.
    etc_hosts: Option<args::Dict>,
    /// Ports that it listens on besides those of the image.
    #[schemars(extend("aliases" = ["exposed", "expose"]))]
    exposed_ports: Option<Vec<String>>,
    /// Kills it where it would be stopped.
    #[serde(default)]
    #[schemars(extend("aliases" = ["forcekill"]))]
    force_kill: bool,
    /// Further groups of its process.
    groups: Option<Vec<String>>,
    /// How it is found out whether the container is well.
    healthcheck: Option<Healthcheck>,
    /// Seconds that `state: healthy` waits; 0 for any time.
    #[serde(default = "wait")]
    healthy_wait_timeout: f64,
    /// Its host name.
    hostname: Option<String>,
    #[serde(default)]
    image_comparison: Compared,
    #[serde(default)]
    image_label_mismatch: Labels,
    #[serde(default)]
    image_name_mismatch: Names,
    /// Runs an init in it.
    init: Option<bool>,
    /// Keeps its standard input open.
    interactive: Option<bool>,
    /// Whose IPC it has: `host`, `container:NAME`.
    ipc_mode: Option<String>,
    /// Keeps the anonymous volumes of a container that is removed.
    #[serde(default = "yes")]
    keep_volumes: bool,
    /// The most memory of the kernel, such as `64M`.
    kernel_memory: Option<String>,
    /// The signal that kills it.
    kill_signal: Option<String>,
    /// Its labels.
    labels: Option<args::Dict>,
    /// Other containers that it knows: `NAME:ALIAS`.
    links: Option<Vec<String>>,
    /// What keeps its output.
    log_driver: Option<String>,
    /// Options of `log_driver`.
    #[schemars(extend("aliases" = ["log_opt"]))]
    log_options: Option<args::Dict>,
    /// Its MAC address.
    mac_address: Option<String>,
    /// The most memory, such as `64M`.
    memory: Option<String>,
    /// The memory that it is left with when memory is short.
    memory_reservation: Option<String>,
    /// The most memory and swap together; `unlimited`.
    memory_swap: Option<String>,
    /// How readily its memory is swapped out, 0 to 100.
    memory_swappiness: Option<i64>,
    /// What is mounted in it.
    mounts: Option<Vec<Mount>>,
    /// Its network: `bridge`, `host`, `none`, `container:NAME` or a name.
    network_mode: Option<String>,
    /// The networks that it is in.
    networks: Option<Vec<Network>>,
    /// The networks are those of `networks` alone, as with `docker run --network`.
    #[serde(default = "yes")]
    networks_cli_compatible: bool,
    /// Whether it is spared when memory is short.
    oom_killer: Option<bool>,
    /// How readily it is killed when memory is short.
    oom_score_adj: Option<i64>,
    /// Tells the output of a container that is not detached.
    #[serde(default)]
    output_logs: bool,
    /// Whether its processes are held.
    paused: Option<bool>,
    /// Whose processes it sees: `host`, `container:NAME`.
    pid_mode: Option<String>,
    /// The most processes; -1 for any number.
    pids_limit: Option<i64>,
    /// The platform: `os/arch/variant`.
    platform: Option<String>,
    /// Gives it all that the host may do.
    privileged: Option<bool>,
    /// Publishes all ports that it listens on.
    publish_all_ports: Option<bool>,
    /// Ports of the host that lead to it: `HOST:CONTAINER`, `ADDRESS:HOST:CONTAINER`, with ranges and `/udp`.
    #[schemars(extend("aliases" = ["ports"]))]
    published_ports: Option<Vec<String>>,
    #[serde(default)]
    pull: Pull,
    #[serde(default)]
    pull_check_mode_behavior: PullCheck,
    /// Mounts its root read-only.
    read_only: Option<bool>,
    /// Makes it anew in any case.
    #[serde(default)]
    recreate: bool,
    /// Seconds that its removal may take.
    removal_wait_timeout: Option<f64>,
    /// Restarts it if it runs.
    #[serde(default)]
    restart: bool,
    restart_policy: Option<RestartPolicy>,
    /// How often it is restarted, with `restart_policy: on-failure`.
    restart_retries: Option<i64>,
    /// What runs it.
    runtime: Option<String>,
    /// Options such as `label=disable`.
    security_opts: Option<Vec<String>>,
    /// The size of its `/dev/shm`.
    shm_size: Option<String>,
    /// The signal that stops it.
    stop_signal: Option<String>,
    /// Seconds until it is killed if it does not stop.
    stop_timeout: Option<i64>,
    /// Options of the storage driver.
    storage_opts: Option<args::Dict>,
    /// Settings of the kernel in it.
    sysctls: Option<args::Dict>,
    /// File systems in memory: `PATH` or `PATH:OPTIONS`.
    tmpfs: Option<Vec<String>>,
    /// Gives it a terminal.
    tty: Option<bool>,
    /// Limits: `nofile:SOFT:HARD`.
    ulimits: Option<Vec<String>>,
    /// The user, and group, of its process.
    user: Option<String>,
    /// Its namespace of users: `host`.
    userns_mode: Option<String>,
    /// Its namespace of host names: `host`.
    uts: Option<String>,
    /// What keeps its volumes.
    volume_driver: Option<String>,
    /// Folders and volumes: `HOST:CONTAINER:MODE`.
    volumes: Option<Vec<String>>,
    /// Containers whose volumes it has too.
    volumes_from: Option<Vec<String>>,
    /// The folder that its process starts in.
    working_dir: Option<String>,
    #[serde(flatten)]
    connection: Connection,
}

/// What is to be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum State {
    /// It is not there.
    Absent,
    /// It is there, and is as described.
    Present,
    /// It runs, and its health check says so.
    Healthy,
    /// It is there, and does not run.
    Stopped,
    /// It runs.
    #[default]
    Started,
}

/// Whose groups of processes it sees.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum CgroupNamespace {
    #[default]
    Host,
    Private,
}

/// How `command` and `entrypoint` are read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Handling {
    /// Lists are made one line, which is split into words.
    Compatibility,
    /// Lists are taken as they are.
    #[default]
    Correct,
}

/// Whether options have values that nobody gave them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "read by name")]
enum Defaults {
    /// Those that old versions had.
    Compatibility,
    #[default]
    NoDefaults,
}

/// Which image a container is compared with.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "read by name")]
enum Compared {
    /// That of the task.
    #[default]
    DesiredImage,
    /// Its own.
    CurrentImage,
}

/// What becomes of labels that the image has and `labels` does not.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Labels {
    #[default]
    Ignore,
    Fail,
}

/// Whether a container is made anew whose image is the same but for the name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Names {
    #[default]
    Recreate,
    Ignore,
}

/// What check mode says of an image that is always pulled.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "read by name")]
enum PullCheck {
    /// A change if it is not there.
    #[default]
    ImageNotPresent,
    /// A change.
    Always,
}

/// When it is restarted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "read by name")]
enum RestartPolicy {
    #[default]
    No,
    OnFailure,
    Always,
    UnlessStopped,
}

/// How soon both sides of a mount see the same.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Consistency {
    Cached,
    Consistent,
    #[default]
    Default,
    Delegated,
}

/// Whether later mounts show on the other side.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Propagation {
    Private,
    #[default]
    Rprivate,
    Shared,
    Rshared,
    Slave,
    Rslave,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum MountType {
    /// A folder or file of the host.
    Bind,
    /// A named pipe, on Windows.
    Npipe,
    /// A file system in memory.
    Tmpfs,
    #[default]
    Volume,
    /// A volume of a cluster.
    Cluster,
    Image,
}

/// When the image is pulled.
#[derive(Clone, Copy, Debug, Default)]
struct Pull;

impl Serialize for Pull {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("missing")
    }
}

impl JsonSchema for Pull {
    fn schema_name() -> Cow<'static, str> {
        "pull".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "ansible_type": "raw",
            "description": "When the image is pulled: `never`; `missing` or false, if it is not there; `always` or true.",
            "enum": ["never", "missing", "always", true, false],
        })
    }
}

/// How much of a device may be used.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct ByteRate {
    /// The device.
    path: String,
    /// Bytes a second, such as `20M`.
    rate: String,
}

/// How often a device may be used.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct Rate {
    /// The device.
    path: String,
    /// Times a second.
    rate: i64,
}

/// Devices that a driver provides.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct DeviceRequest {
    /// Lists of what the device can do: one of the lists is to fit.
    capabilities: Option<Vec<Value>>,
    /// How many; -1 for all.
    count: Option<i64>,
    /// Which.
    device_ids: Option<Vec<String>>,
    /// The driver.
    driver: Option<String>,
    /// Options of the driver.
    options: Option<args::Dict>,
}

/// How it is found out whether a container is well.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct Healthcheck {
    /// The command, as a line or as a list that begins with `CMD`, `CMD-SHELL` or `NONE`.
    test: Option<Value>,
    /// Time between two checks, such as `1m30s`.
    interval: Option<String>,
    /// The most time that a check may take.
    timeout: Option<String>,
    /// Time before failures count.
    start_period: Option<String>,
    /// Time between two checks before failures count.
    start_interval: Option<String>,
    /// Failures until it is unwell.
    retries: Option<i64>,
    /// Without `test`, the image's own is run.
    #[serde(default)]
    test_cli_compatible: bool,
}

/// Something that is mounted.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct Mount {
    /// Where in the container.
    target: String,
    /// What: a folder of the host, a volume.
    source: Option<String>,
    #[serde(default)]
    r#type: MountType,
    /// Whether it can only be read.
    read_only: Option<bool>,
    consistency: Option<Consistency>,
    propagation: Option<Propagation>,
    /// Leaves a new volume empty.
    no_copy: Option<bool>,
    /// Labels of a new volume.
    labels: Option<args::Dict>,
    /// What keeps the volume.
    volume_driver: Option<String>,
    /// Options of `volume_driver`.
    volume_options: Option<args::Dict>,
    /// Its size, such as `64M`.
    tmpfs_size: Option<String>,
    /// Its mode, such as `"1700"`.
    tmpfs_mode: Option<String>,
    /// Leaves out what is mounted below.
    non_recursive: Option<bool>,
    /// Makes the folder on the host if it is not there.
    create_mountpoint: Option<bool>,
    /// What is mounted below stays writable.
    read_only_non_recursive: Option<bool>,
    /// Fails if what is mounted below cannot be made read-only.
    read_only_force_recursive: Option<bool>,
    /// A folder in the volume or image.
    subpath: Option<String>,
    /// Options of the mount, each a dictionary with one entry.
    tmpfs_options: Option<Vec<args::Dict>>,
}

/// A network that the container is in.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct Network {
    /// The network.
    name: String,
    /// Its address there.
    ipv4_address: Option<String>,
    /// Its IPv6 address there.
    ipv6_address: Option<String>,
    /// Names that it has there.
    aliases: Option<Vec<String>>,
    /// Containers that it knows there: `NAME:ALIAS`.
    links: Option<Vec<String>>,
    /// Its MAC address there.
    mac_address: Option<String>,
}
