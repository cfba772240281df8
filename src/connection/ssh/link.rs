//! An open connection: a socket, or a proxy's, with a session of libssh2 that is logged in.

use super::hostkeys::KnownHost;
use super::login::{self, Refused};
use super::options::{Options, Strict};
use super::{algorithms, jump, proxy};
use crate::connection::Target;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, ErrorCode, HostKeyType, Session};
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a login, or the start of a command, may take: logins may ask other machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Least seconds between signs of life.
const SHORTEST: u64 = 3;

/// A connection. Its channels share it.
pub struct Link {
    pub session: Session,
    socket: OwnedFd,
    /// Its name, for messages.
    host: String,
    /// Time between signs of life.
    alive: Duration,
    /// How long one may be asked for in vain.
    silence: Duration,
    signs: Mutex<Signs>,
    via: Option<Mutex<Via>>,
}

/// Signs of life of a host.
struct Signs {
    /// When something last came. That may be long ago: a connection that nobody uses is not read.
    heard: Instant,
    /// Since when one is asked for in vain.
    asked: Option<Instant>,
}

/// What is between rplay and the host.
enum Via {
    Command(proxy::Proxy),
    Jump(jump::Jump),
}

impl Signs {
    fn now() -> Signs {
        Signs {
            heard: Instant::now(),
            asked: None,
        }
    }
}

impl Via {
    /// Why the connection through it has ended, if it knows.
    fn why(&mut self) -> Option<String> {
        match self {
            Via::Command(proxy) => proxy.why(),
            Via::Jump(jump) => jump.why(),
        }
    }
}

/// Why a connection could not be opened.
pub enum Failure {
    /// Another attempt may do better.
    Passing(String),
    Lasting(String),
    /// The system's ssh may do better.
    Beyond(String),
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
            self.heard(ready > 0)?;
            if ready > 0 {
                return Ok(true);
            }
        }
    }

    /// Notes whether something has come; if not for long, asks for a sign of life.
    ///
    /// Fails if none has come for too long.
    pub fn heard(&self, something: bool) -> io::Result<()> {
        let mut signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
        if something {
            *signs = Signs::now();
            return Ok(());
        }
        if signs.heard.elapsed() < self.alive {
            return Ok(());
        }
        let asked = *signs.asked.get_or_insert_with(Instant::now);
        drop(signs);
        if asked.elapsed() >= self.silence {
            let text = format!("Timeout, server {} not responding.", self.host);
            return Err(self.lost(io::Error::new(io::ErrorKind::TimedOut, text)));
        }
        // one that cannot be sent now is sent the next time
        let _ = self.session.keepalive_send();
        Ok(())
    }

    /// To be called before what has come is taken in: while a sign of life is asked for, anything is one.
    pub fn notice(&self) -> io::Result<()> {
        let signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = signs.asked.is_some();
        drop(signs);
        if asked {
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            let now = Timespec::default();
            if matches!(poll(&mut fds, Some(&now)), Ok(1..)) {
                self.heard(true)?;
            }
        }
        Ok(())
    }

    /// Whether the other side has not closed the connection, as far as that has come here.
    pub fn is_open(&self) -> bool {
        use rustix::net::{RecvFlags, recv};
        let mut byte = [0u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match recv(&self.socket, &mut byte, flags) {
            Ok((length, _)) => length > 0,
            Err(e) => matches!(e, rustix::io::Errno::AGAIN | rustix::io::Errno::INTR),
        }
    }

    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Time between signs of life.
    pub fn alive(&self) -> Duration {
        self.alive
    }

    /// An error of the connection, in words for the user: a proxy's own, if it has any.
    pub fn lost(&self, e: io::Error) -> io::Error {
        if let Some(via) = &self.via {
            let mut via = via.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(why) = via.why() {
                return io::Error::new(e.kind(), why);
            }
        }
        // libssh2's words for what the socket says
        let text = e.to_string();
        let cut = ["transport read", "socket", "draining incoming flow"];
        match cut.iter().any(|words| text.contains(words)) {
            true => io::Error::new(
                e.kind(),
                format!("Connection to {} closed by remote host.", self.host),
            ),
            false => e,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // one attempt: a host that does not listen will notice all the same
        self.session.set_blocking(false);
        let _ = self.session.disconnect(None, "disconnected by user", None);
    }
}

/// Connects and logs in, as often as is to be tried.
pub fn connect(target: &Target) -> Result<Link, Failure> {
    let options = Options::of(target).map_err(|e| Failure::Lasting(e.msg))?;
    establish(&options, target)
}

/// As [`connect`], with options that are known.
pub fn establish(options: &Options, target: &Target) -> Result<Link, Failure> {
    if let Some(beyond) = &options.beyond {
        return Err(Failure::Beyond(beyond.clone()));
    }
    let known = KnownHost::read(options);
    if known.has_authority() && options.strict != Strict::No {
        let reason = "a certificate authority for it in known_hosts".to_string();
        return Err(Failure::Beyond(reason));
    }
    let attempts = target.ssh.retries.saturating_add(options.attempts.max(1));
    let mut attempt = 1;
    loop {
        match open(options, &known, target) {
            Err(Failure::Passing(msg)) if attempt < attempts => {
                let text = format!("{}: attempt {attempt}: {msg}", target.host);
                crate::notice::verbose(2, text);
                // as Ansible waits between attempts
                let seconds = 2u64.saturating_pow(attempt - 1).saturating_sub(1).min(30);
                std::thread::sleep(Duration::from_secs(seconds));
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Connects and logs in, once.
fn open(options: &Options, known: &KnownHost, target: &Target) -> Result<Link, Failure> {
    let wait = Duration::from_secs(options.connect_timeout.max(1));
    let mut session = Session::new().map_err(|e| Failure::Passing(e.message().to_string()))?;
    session.set_timeout(milliseconds(wait));
    algorithms::choose(&session, &options.algorithms, &known.kinds()).map_err(Failure::Beyond)?;
    let (socket, mut via) = way(options, target, wait)?;
    let own = socket
        .try_clone()
        .map_err(|e| Failure::Passing(e.to_string()))?;
    session.set_tcp_stream(socket);
    if let Err(e) = session.handshake() {
        return Err(refused(options, &e, via.as_mut()));
    }
    let (key, kind) = session
        .host_key()
        .ok_or_else(|| Failure::Passing("the host showed no key".to_string()))?;
    let trust = known
        .check(options, key_name(kind), key)
        .map_err(Failure::Lasting)?;
    session.set_timeout(milliseconds(wait.max(PATIENCE)));
    login::login(&session, options, target, trust).map_err(|e| match e {
        Refused::Denied(msg) => Failure::Lasting(msg),
        Refused::Lost(msg) => Failure::Passing(msg),
        Refused::Beyond(what) => Failure::Beyond(what),
    })?;
    // libssh2 counts in whole seconds, by a clock that lags behind, and asks every two seconds at most: what it
    // is told must be less than what is waited here, or it does not ask at all
    let alive = options.alive_interval.max(SHORTEST);
    session.set_keepalive(true, (alive - 1).try_into().unwrap_or(15));
    session.set_blocking(false);
    Ok(Link {
        session,
        socket: own,
        host: options.hostname.clone(),
        alive: Duration::from_secs(alive),
        silence: Duration::from_secs(
            SHORTEST.max(
                options
                    .alive_interval
                    .saturating_mul(options.alive_count.into()),
            ),
        ),
        signs: Mutex::new(Signs::now()),
        via: via.map(Mutex::new),
    })
}

pub fn milliseconds(time: Duration) -> u32 {
    time.as_millis().try_into().unwrap_or(u32::MAX)
}

/// The socket of a connection, and what is between rplay and the host.
fn way(
    options: &Options,
    target: &Target,
    wait: Duration,
) -> Result<(OwnedFd, Option<Via>), Failure> {
    let Some(command) = &options.proxy_command else {
        return Ok((tcp(options, wait)?.into(), None));
    };
    if let Some(way) = jump::Way::of(command) {
        match jump::open(&way, target, options) {
            Ok((jump, stream)) => return Ok((stream.into(), Some(Via::Jump(jump)))),
            Err(Failure::Beyond(what)) => {
                let text = format!(
                    "{}: using the system's ssh for its ProxyCommand, because of {what}",
                    target.host
                );
                crate::notice::verbose(1, text);
            }
            Err(failure) => return Err(failure),
        }
    }
    let (proxy, stream) = proxy::start(command)
        .map_err(|e| Failure::Passing(format!("cannot start the ProxyCommand: {e}")))?;
    Ok((stream.into(), Some(Via::Command(proxy))))
}

/// Why a handshake failed.
fn refused(options: &Options, e: &ssh2::Error, via: Option<&mut Via>) -> Failure {
    let (host, port) = (&options.hostname, options.port);
    match e.code() {
        // nothing in common: key exchange, host key, cipher
        ErrorCode::Session(-5 | -8) => {
            return Failure::Beyond(format!("its algorithms ({})", e.message()));
        }
        ErrorCode::Session(-9) => {
            let text = format!("ssh: connect to host {host} port {port}: Connection timed out");
            return Failure::Passing(text);
        }
        _ => {}
    }
    if let Some(why) = via.and_then(Via::why) {
        return Failure::Passing(format!(
            "{why} (the way to {host} port {port} is the ProxyCommand \"{}\")",
            options.proxy_command.as_deref().unwrap_or_default()
        ));
    }
    Failure::Passing(match e.code() {
        // no banner, or the socket's end
        ErrorCode::Session(-2 | -13 | -43) => {
            format!("Connection closed by {host} port {port}")
        }
        _ => format!("ssh: connect to host {host} port {port}: {}", e.message()),
    })
}

fn tcp(options: &Options, wait: Duration) -> Result<TcpStream, Failure> {
    let (host, port) = (options.hostname.as_str(), options.port);
    let addresses: Vec<SocketAddr> = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .map(|found| {
            found
                .filter(|a| options.only_ipv6.is_none_or(|six| a.is_ipv6() == six))
                .collect()
        })
        .unwrap_or_default();
    if addresses.is_empty() {
        return Err(Failure::Passing(format!(
            "ssh: Could not resolve hostname {host}: Name or service not known"
        )));
    }
    let mut failure = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(stream) => {
                // what cannot be set is no reason not to connect
                let _ = stream.set_nodelay(true);
                let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true);
                let _ = rustix::net::sockopt::set_tcp_keepidle(&stream, Duration::from_secs(60));
                return Ok(stream);
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                failure = "Connection timed out".to_string();
            }
            Err(e) => failure = crate::machine::reason(&e),
        }
    }
    Err(Failure::Passing(format!(
        "ssh: connect to host {host} port {port}: {failure}"
    )))
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
