//! Connection `ssh`, in process, on libssh2.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ssh_connection.html> for the
//! options, `ssh_config(5)` for ssh's own configuration.

mod channel;
mod config;
mod hostkeys;
mod login;
mod options;
mod proxy;

pub use options::{Options, arguments};

use super::{Channel, Target, Transport, Unreachable};
use channel::SshChannel;
use hostkeys::KnownHost;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, HostKeyType, MethodType, Session};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// See the module's documentation.
pub struct Ssh {
    link: Arc<Link>,
}

/// Why there is no connection.
pub enum NoConnection {
    Unreachable(Unreachable),
    /// What is asked for only the system's ssh can do.
    Beyond(String),
}

impl Ssh {
    /// Connects and logs in.
    pub fn connect(target: &Target) -> Result<Ssh, NoConnection> {
        let options = Options::of(target).map_err(NoConnection::Unreachable)?;
        if let Some(beyond) = &options.beyond {
            return Err(NoConnection::Beyond(beyond.clone()));
        }
        let known = KnownHost::read(&options);
        if known.has_authority() {
            let reason = "known_hosts has a certificate authority for it".to_string();
            return Err(NoConnection::Beyond(reason));
        }
        let mut attempt = 0;
        loop {
            match connect(&options, &known, target) {
                Ok(link) => {
                    return Ok(Ssh {
                        link: Arc::new(link),
                    });
                }
                Err(Failure { last: false, .. }) if attempt < target.ssh.retries => {
                    // as Ansible waits between attempts
                    let seconds = 2u64.saturating_pow(attempt).saturating_sub(1).min(30);
                    std::thread::sleep(Duration::from_secs(seconds));
                    attempt += 1;
                }
                Err(failure) => {
                    return Err(NoConnection::Unreachable(Unreachable::new(format!(
                        "Failed to connect to the host via ssh: {}",
                        failure.msg
                    ))));
                }
            }
        }
    }
}

impl Transport for Ssh {
    fn start(&mut self, command: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let session = &self.link.session;
        session.set_blocking(true);
        let opened = session.channel_session().and_then(|mut channel| {
            if tty {
                let term = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_string());
                channel.request_pty(&term, None, Some((200, 50, 0, 0)))?;
            }
            channel.exec(command)?;
            Ok(channel)
        });
        session.set_blocking(false);
        match opened {
            Ok(channel) => Ok(Box::new(SshChannel::new(channel, Arc::clone(&self.link)))),
            Err(e) => Err(Unreachable::new(format!(
                "Failed to connect to the host via ssh: {}",
                e.message()
            ))),
        }
    }

    fn name(&self) -> &'static str {
        "ssh"
    }
}

/// A connection. Its channels share it.
pub struct Link {
    session: Session,
    socket: OwnedFd,
    alive: Duration,
    missed: u32,
    /// When something last came.
    heard: Mutex<Instant>,
    _proxy: Option<proxy::Proxy>,
}

impl Link {
    /// Waits until the connection can go on; false if that did not come before `end`.
    ///
    /// Sends signs of life meanwhile. Fails if the host has given none for too long.
    pub fn wait(&self, end: Option<Instant>) -> io::Result<bool> {
        loop {
            let now = Instant::now();
            if end.is_some_and(|end| end <= now) {
                return Ok(false);
            }
            let left = end.map_or(self.alive, |end| (end - now).min(self.alive));
            let flags = match self.session.block_directions() {
                BlockDirections::Outbound => PollFlags::OUT,
                BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
                BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
            };
            let mut fds = [PollFd::new(&self.socket, flags)];
            let wait = Timespec::try_from(left).map_err(io::Error::other)?;
            let ready = match poll(&mut fds, Some(&wait)) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if ready > 0 {
                *heard = Instant::now();
                return Ok(true);
            }
            let silent = heard.elapsed();
            drop(heard);
            if silent >= self.alive * self.missed.max(1) + self.alive {
                let text = format!("no sign of life from the host for {} s", silent.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            if silent >= self.alive {
                // one that cannot be sent now is sent the next time
                let _ = self.session.keepalive_send();
            }
        }
    }
}

struct Failure {
    msg: String,
    /// Whether another attempt would end the same.
    last: bool,
}

fn connect(options: &Options, known: &KnownHost, target: &Target) -> Result<Link, Failure> {
    let retry = |msg: String| Failure { msg, last: false };
    let wait = Duration::from_secs(options.connect_timeout.max(1));
    let mut session = Session::new().map_err(|e| retry(e.message().to_string()))?;
    session.set_timeout(wait.as_millis().try_into().unwrap_or(u32::MAX));
    // kinds of key that are known first: another would look like a changed one
    let kinds = known.kinds();
    let usual = [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ];
    let is_known = |name: &&str| {
        kinds.contains(name) || name.starts_with("rsa-") && kinds.contains(&"ssh-rsa")
    };
    let (first, others): (Vec<&str>, Vec<&str>) = usual.iter().partition(|name| is_known(name));
    let order: Vec<&str> = first.into_iter().chain(others).collect();
    let _ = session.method_pref(MethodType::HostKey, &order.join(","));

    let mut proxy = None;
    let socket: OwnedFd = match &options.proxy_command {
        Some(command) => {
            let (child, stream) = proxy::start(command)
                .map_err(|e| retry(format!("cannot start the ProxyCommand: {e}")))?;
            proxy = Some(child);
            stream.into()
        }
        None => tcp(options, wait).map_err(retry)?.into(),
    };
    let own = socket.try_clone().map_err(|e| retry(e.to_string()))?;
    session.set_tcp_stream(socket);
    if let Err(e) = session.handshake() {
        let ended = proxy.as_mut().and_then(proxy::Proxy::ended);
        let why = ended.unwrap_or_else(|| e.message().to_string());
        let via = match &options.proxy_command {
            Some(command) => format!(" through \"{command}\""),
            None => String::new(),
        };
        return Err(retry(format!(
            "ssh: connect to host {} port {}{via}: {why}",
            options.hostname, options.port
        )));
    }
    let last = |msg: String| Failure { msg, last: true };
    let (key, kind) = session
        .host_key()
        .ok_or_else(|| retry("the host showed no key".to_string()))?;
    known.check(options, key_name(kind), key).map_err(last)?;
    login::login(&session, options, target).map_err(last)?;
    session.set_keepalive(true, options.alive_interval.try_into().unwrap_or(15));
    session.set_blocking(false);
    Ok(Link {
        session,
        socket: own,
        alive: Duration::from_secs(options.alive_interval),
        missed: options.alive_count,
        heard: Mutex::new(Instant::now()),
        _proxy: proxy,
    })
}

fn tcp(options: &Options, wait: Duration) -> Result<TcpStream, String> {
    let (host, port) = (options.hostname.as_str(), options.port);
    let addresses = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .map_err(|_| {
            format!("ssh: Could not resolve hostname {host}: Name or service not known")
        })?;
    let mut failure = "Name or service not known".to_string();
    for address in addresses {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                failure = "Connection timed out".to_string();
            }
            Err(e) => failure = crate::machine::reason(&e),
        }
    }
    Err(format!(
        "ssh: connect to host {host} port {port}: {failure}"
    ))
}

fn key_name(kind: HostKeyType) -> &'static str {
    match kind {
        HostKeyType::Rsa => "ssh-rsa",
        HostKeyType::Dss => "ssh-dss",
        HostKeyType::Ecdsa256 => "ecdsa-sha2-nistp256",
        HostKeyType::Ecdsa384 => "ecdsa-sha2-nistp384",
        HostKeyType::Ecdsa521 => "ecdsa-sha2-nistp521",
        HostKeyType::Ed25519 => "ssh-ed25519",
        HostKeyType::Unknown => "unknown",
    }
}
