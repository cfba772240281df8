//! Waits for a port, a file, a text in either, or just some time.

use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::modules::common::{edit, text};
use crate::regex::{self, Regex};
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/wait_for_module.html>
pub struct WaitFor;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The host whose port is tried.
    #[serde(default = "localhost")]
    host: String,
    /// Seconds to wait at most, all in all.
    #[serde(default = "five_minutes")]
    timeout: i64,
    /// Seconds to wait at most for one connection.
    #[serde(default = "five")]
    connect_timeout: i64,
    /// Seconds to wait before the first try.
    #[serde(default)]
    delay: i64,
    /// The port.
    port: Option<u16>,
    /// States in which a connection counts as active.
    #[serde(default = "active_states")]
    active_connection_states: Vec<String>,
    /// The file.
    path: Option<Path>,
    /// A pattern in Python's syntax that is to be in the file, or in what the port sends.
    search_regex: Option<String>,
    #[serde(default)]
    state: State,
    /// Hosts whose connections do not count.
    exclude_hosts: Option<Vec<String>>,
    /// Seconds between tries.
    #[serde(default = "one")]
    sleep: i64,
    /// What to say when time is up.
    msg: Option<String>,
}

fn localhost() -> String {
    "127.0.0.1".to_string()
}
fn five_minutes() -> i64 {
    300
}
fn five() -> i64 {
    5
}
fn one() -> i64 {
    1
}
fn active_states() -> Vec<String> {
    let states = [
        "ESTABLISHED",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "SYN_RECV",
        "SYN_SENT",
        "TIME_WAIT",
    ];
    states.map(String::from).to_vec()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The file is gone, or the port closed.
    Absent,
    /// The port has no active connections.
    Drained,
    /// The file is there.
    Present,
    /// The port is open.
    #[default]
    Started,
    /// The port is closed.
    Stopped,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// Seconds that it took.
    elapsed: i64,
    state: State,
    port: Option<u16>,
    search_regex: Option<String>,
    match_groups: Value,
    match_groupdict: Value,
    path: Option<String>,
}

impl Module for WaitFor {
    const NAME: &'static str = "wait_for";
    const CHECK_MODE: bool = false;
    const EXAMPLES: &'static str = "
- name: Wait for a file
  ansible.builtin.wait_for:
    path: /etc/passwd
    search_regex: '^root:'
    timeout: 10
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let refuse = |msg: &str| Err(Failure::new(msg).with("elapsed", 0));
        if args.port.is_some() && args.path.is_some() {
            return refuse("port and path parameter can not both be passed to wait_for");
        }
        if args.path.is_some() && args.state == State::Stopped {
            return refuse(
                "state=stopped should only be used for checking a port in the wait_for module",
            );
        }
        if args.path.is_some() && args.state == State::Drained {
            return refuse(
                "state=drained should only be used for checking a port in the wait_for module",
            );
        }
        if args.exclude_hosts.is_some() && args.state != State::Drained {
            return refuse("exclude_hosts should only be with state=drained");
        }
        for state in &args.active_connection_states {
            if tcp_state(state).is_none() {
                return refuse(&format!(
                    "unknown active_connection_state ({state}) defined"
                ));
            }
        }
        let flags = regex::Flags {
            multiline: true,
            ..Default::default()
        };
        let regex = args
            .search_regex
            .as_deref()
            .map(|r| edit::pattern(r, flags))
            .transpose()?;
        let start = Instant::now();
        std::thread::sleep(seconds(args.delay));
        let end = start + seconds(args.timeout).max(seconds(args.delay));
        let mut found = Found::default();
        let waiter = Waiter {
            args: &args,
            regex,
            machine,
        };
        if args.port.is_none() && args.path.is_none() && args.state != State::Drained {
            std::thread::sleep(seconds(args.timeout));
        } else {
            loop {
                let elapsed = || start.elapsed().as_secs() as i64;
                let reached = waiter.reached(&mut found);
                if reached.map_err(|failure| failure.with("elapsed", elapsed()))? {
                    break;
                }
                let now = Instant::now();
                if now >= end {
                    let msg = args.msg.clone().unwrap_or_else(|| waiter.timeout_message());
                    return Err(Failure::new(msg).with("elapsed", elapsed()));
                }
                std::thread::sleep(seconds(args.sleep).min(end - now));
            }
        }
        Ok(Returns {
            elapsed: start.elapsed().as_secs() as i64,
            state: args.state,
            port: args.port,
            search_regex: args.search_regex,
            match_groups: Value::list(found.groups),
            match_groupdict: Value::map(found.named),
            path: args.path.map(|p| p.0),
        })
    }
}

fn seconds(n: i64) -> Duration {
    Duration::from_secs(u64::try_from(n).unwrap_or(0))
}

/// The groups of the match that was waited for.
#[derive(Default)]
struct Found {
    groups: Vec<Value>,
    named: Map,
}

struct Waiter<'a> {
    args: &'a Args,
    regex: Option<Arc<Regex>>,
    machine: &'a Machine,
}

impl Waiter<'_> {
    /// Whether it is as wished now.
    fn reached(&self, found: &mut Found) -> Result<bool, Failure> {
        let gone = matches!(self.args.state, State::Absent | State::Stopped);
        match (&self.args.path, self.args.port) {
            _ if self.args.state == State::Drained => self.drained(),
            (Some(path), _) if gone => Ok(!self.machine.exists(path)),
            (Some(path), _) => {
                match self.machine.stat(path) {
                    Ok(_) => {}
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
                    Err(e) => {
                        let why = crate::machine::reason(&e);
                        let msg = format!("Failed to stat {}, {why}", path.as_str());
                        return Err(Failure::new(msg));
                    }
                }
                match &self.regex {
                    None => Ok(true),
                    Some(_) => Ok(self
                        .machine
                        .read(path)
                        .is_ok_and(|bytes| self.matches(&text::decode(&bytes), found))),
                }
            }
            (None, Some(_)) if gone => Ok(self.connect().is_none()),
            (None, Some(_)) => Ok(match self.connect() {
                None => false,
                Some(stream) if self.regex.is_some() => self.read_port(stream, found),
                Some(_) => true,
            }),
            (None, None) => Ok(true),
        }
    }

    fn connect(&self) -> Option<TcpStream> {
        let address = (self.args.host.as_str(), self.args.port?);
        let limit = seconds(self.args.connect_timeout.max(1));
        let mut addresses = address.to_socket_addrs().ok()?;
        addresses.find_map(|a| TcpStream::connect_timeout(&a, limit).ok())
    }

    /// Whether the port sends the text within `connect_timeout`.
    fn read_port(&self, mut stream: TcpStream, found: &mut Found) -> bool {
        let end = Instant::now() + seconds(self.args.connect_timeout.max(1));
        let mut data = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
                return false;
            }
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return false,
                Ok(n) => data.extend_from_slice(&buffer[..n]),
            }
            if self.matches(&text::decode(&data), found) {
                return true;
            }
        }
    }

    fn matches(&self, text: &str, found: &mut Found) -> bool {
        let Some(regex) = &self.regex else {
            return true;
        };
        let Ok(Some(captures)) = regex::search(regex, text) else {
            return false;
        };
        let value = |m: Option<&str>| m.map_or(Value::Null, Value::str);
        found.groups = (1..captures.len())
            .map(|i| value(captures.get(i).map(|m| m.as_str())))
            .collect();
        found.named = regex
            .capture_names()
            .flatten()
            .map(|n| (n.into(), value(captures.name(n).map(|m| m.as_str()))))
            .collect();
        true
    }

    /// Whether nobody but `exclude_hosts` is connected to the port.
    fn drained(&self) -> Result<bool, Failure> {
        let Some(port) = self.args.port else {
            return Ok(true);
        };
        let resolve = |host: &str| -> Vec<IpAddr> {
            let found = (host, 0).to_socket_addrs();
            found
                .map(|a| a.map(|a| a.ip()).collect())
                .unwrap_or_default()
        };
        let excluded: Vec<IpAddr> = self
            .args
            .exclude_hosts
            .iter()
            .flatten()
            .flat_map(|host| resolve(host))
            .collect();
        let own = resolve(&self.args.host);
        let any = own.iter().any(IpAddr::is_unspecified);
        let states: Vec<u8> = self
            .args
            .active_connection_states
            .iter()
            .filter_map(|s| tcp_state(s))
            .collect();
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let table = self
                .machine
                .read(std::path::Path::new(file))
                .unwrap_or_default();
            for line in String::from_utf8_lossy(&table).lines().skip(1) {
                let mut fields = line.split_whitespace().skip(1);
                let (Some(local), Some(remote), Some(state)) =
                    (fields.next(), fields.next(), fields.next())
                else {
                    continue;
                };
                let (Some((local, local_port)), Some((remote, _))) =
                    (socket_address(local), socket_address(remote))
                else {
                    continue;
                };
                let active = u8::from_str_radix(state, 16).is_ok_and(|s| states.contains(&s));
                if local_port == port
                    && active
                    && (any || own.contains(&local))
                    && !excluded.contains(&remote)
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn timeout_message(&self) -> String {
        let args = self.args;
        let port = args
            .port
            .map_or(String::new(), |p| format!("{}:{p}", args.host));
        match (args.state, &args.path, &args.search_regex) {
            (State::Drained, _, _) => format!("Timeout when waiting for {port} to drain"),
            (State::Absent | State::Stopped, Some(path), _) => {
                format!("Timeout when waiting for {} to be absent.", path.as_str())
            }
            (State::Absent | State::Stopped, None, _) => {
                format!("Timeout when waiting for {port} to stop.")
            }
            (_, Some(path), Some(regex)) => {
                format!(
                    "Timeout when waiting for search string {regex} in {}",
                    path.as_str()
                )
            }
            (_, Some(path), None) => format!("Timeout when waiting for file {}", path.as_str()),
            (_, None, Some(regex)) => {
                format!("Timeout when waiting for search string {regex} in {port}")
            }
            (_, None, None) => format!("Timeout when waiting for {port}"),
        }
    }
}

/// The kernel's number of a TCP state.
fn tcp_state(name: &str) -> Option<u8> {
    let names = [
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
    ];
    let at = names.iter().position(|n| *n == name)?;
    u8::try_from(at + 1).ok()
}

/// `0100007F:0050`: words in the machine's own byte order, then the port.
fn socket_address(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<u32>> = (0..address.len() / 8)
        .map(|i| u32::from_str_radix(address.get(i * 8..i * 8 + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => {
            let v6 = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
            v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
        }
        _ => return None,
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let (ip, port) = socket_address("0100007F:0050").unwrap();
        assert_eq!(port, 80);
        if cfg!(target_endian = "little") {
            assert_eq!(ip.to_string(), "127.0.0.1");
            let mapped = "0000000000000000FFFF00000100007F:1F90";
            assert_eq!(socket_address(mapped).unwrap().0.to_string(), "127.0.0.1");
        }
        assert!(socket_address("x").is_none());
    }
}
