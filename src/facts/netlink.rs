//! Addresses of network interfaces and routes, asked of the kernel (rtnetlink(7)).

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's number.
    pub index: u32,
    pub ip: IpAddr,
    pub prefix: u8,
    pub broadcast: Option<Ipv4Addr>,
    /// Name with a suffix for further IPv4 addresses (`eth0:1`).
    pub label: Option<String>,
    /// `global`, `site`, `link` or `host`.
    pub scope: &'static str,
    pub secondary: bool,
}

const GET_ADDRESSES: u16 = 22;
const NEW_ADDRESS: u16 = 20;
const GET_ROUTE: u16 = 26;
const NEW_ROUTE: u16 = 24;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const REQUEST: u16 = 1;
const DUMP: u16 = 0x300;
const INET: u8 = 2;
const INET6: u8 = 10;

/// All addresses, in the kernel's order. Empty if it does not answer.
pub fn addresses() -> Vec<Address> {
    let mut found = Vec::new();
    // an ifaddrmsg of zeros: all families
    let asked = ask(GET_ADDRESSES, REQUEST | DUMP, &[0; 8], |kind, body| {
        if kind == NEW_ADDRESS {
            found.extend(address(body));
        }
    });
    asked.map(|()| found).unwrap_or_default()
}

/// The way that packets to an address take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Number of the interface that they leave by.
    pub index: u32,
    pub gateway: Option<IpAddr>,
    /// The address that they leave with.
    pub source: Option<IpAddr>,
}

/// The route to `to`, as `ip route get` finds it. None if there is no way there.
pub fn route_to(to: IpAddr) -> Option<Route> {
    let (family, bits, bytes) = match to {
        IpAddr::V4(ip) => (INET, 32, ip.octets().to_vec()),
        IpAddr::V6(ip) => (INET6, 128, ip.octets().to_vec()),
    };
    let mut body = vec![family, bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend((4 + bytes.len() as u16).to_ne_bytes());
    body.extend(RTA_DST.to_ne_bytes());
    body.extend(bytes);
    let mut found = None;
    ask(GET_ROUTE, REQUEST, &body, |kind, body| {
        if kind == NEW_ROUTE {
            found = Some(body.to_vec());
        }
    })
    .ok()?;
    let message = found?;
    // unreachable, prohibited and the like are answers too
    if *message.get(7)? != UNICAST && *message.get(7)? != LOCAL {
        return None;
    }
    let part = |wanted| attributes(message.get(12..)?).find(|(kind, _)| *kind == wanted);
    Some(Route {
        index: part(RTA_OIF).and_then(|(_, data)| u32_at(data, 0))?,
        gateway: part(RTA_GATEWAY).and_then(|(_, data)| ip(data)),
        source: part(RTA_PREFSRC).and_then(|(_, data)| ip(data)),
    })
}

/// What the host answers to itself: the destinations of the table `local`, with the length of their prefix.
pub fn local_routes() -> Vec<(IpAddr, u8)> {
    let mut found = Vec::new();
    for family in [INET, INET6] {
        let mut body = [0; 12];
        body[0] = family;
        let asked = ask(GET_ROUTE, REQUEST | DUMP, &body, |kind, body| {
            let (Some(&bits), Some(&table), Some(&way)) = (body.get(1), body.get(4), body.get(7))
            else {
                return;
            };
            if kind != NEW_ROUTE || table != TABLE_LOCAL || way != LOCAL {
                return;
            }
            let to = attributes(body.get(12..).unwrap_or_default())
                .find(|(kind, _)| *kind == RTA_DST)
                .and_then(|(_, data)| ip(data));
            found.extend(to.map(|to| (to, bits)));
        });
        if asked.is_err() {
            break;
        }
    }
    found
}

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const UNICAST: u8 = 1;
const LOCAL: u8 = 2;
const TABLE_LOCAL: u8 = 255;

/// Sends one request to the kernel and hands the messages of its answer to `take`: their kind and body.
fn ask(
    kind: u16,
    flags: u16,
    body: &[u8],
    mut take: impl FnMut(u16, &[u8]),
) -> rustix::io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    // no protocol means NETLINK_ROUTE; header: length, type, flags, sequence, port
    let mut request = Vec::new();
    request.extend((16 + body.len() as u32).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]);
    request.extend(body);
    rustix::net::sendto(
        &socket,
        &request,
        SendFlags::empty(),
        &SocketAddrNetlink::new(0, 0),
    )?;
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        let more = messages(&buffer[..length], &mut take);
        // without DUMP the answer is one message
        if length == 0 || !more || flags & DUMP == 0 {
            return Ok(());
        }
    }
}

/// Reads messages; says whether more are to come.
fn messages(mut rest: &[u8], take: &mut impl FnMut(u16, &[u8])) -> bool {
    while let (Some(length), Some(kind)) = (u32_at(rest, 0), u16_at(rest, 4)) {
        let length = length as usize;
        if length < 16 || length > rest.len() {
            return false;
        }
        match kind {
            DONE | ERROR => return false,
            _ => take(kind, &rest[16..length]),
        }
        rest = rest.get(aligned(length)..).unwrap_or_default();
    }
    true
}

/// The attributes after a message's fixed part: their kind and data.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let data = rest.get(4..length)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some((kind, data))
    })
}

fn address(body: &[u8]) -> Option<Address> {
    let prefix = *body.get(1)?;
    let flags = *body.get(2)?;
    let scope = match *body.get(3)? {
        0 => "global",
        200 => "site",
        253 => "link",
        254 => "host",
        _ => "global",
    };
    let index = u32_at(body, 4)?;
    let (mut far, mut own, mut broadcast, mut label) = (None, None, None, None);
    for (kind, data) in attributes(body.get(8..)?) {
        match kind {
            1 => far = ip(data),
            2 => own = ip(data),
            3 => {
                let text = String::from_utf8_lossy(data);
                label = Some(text.trim_end_matches('\0').to_string());
            }
            4 => broadcast = ip(data),
            _ => {}
        }
    }
    Some(Address {
        index,
        // the local one where the other is the far end of a point-to-point link
        ip: own.or(far)?,
        prefix,
        broadcast: match broadcast {
            Some(IpAddr::V4(ip)) => Some(ip),
            _ => None,
        },
        label,
        scope,
        secondary: flags & 1 != 0,
    })
}

fn ip(data: &[u8]) -> Option<IpAddr> {
    match data.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        _ => None,
    }
}

fn aligned(length: usize) -> usize {
    length.div_ceil(4) * 4
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(data.get(at..at + 2)?.try_into().ok()?))
}
