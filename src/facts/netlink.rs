//! Addresses of network interfaces, asked of the kernel (rtnetlink(7)).

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
const DONE: u16 = 3;
const ERROR: u16 = 2;
const REQUEST_DUMP: u16 = 0x301;

/// All addresses, in the kernel's order. Empty if it does not answer.
pub fn addresses() -> Vec<Address> {
    dump().unwrap_or_default()
}

fn dump() -> rustix::io::Result<Vec<Address>> {
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    // no protocol means NETLINK_ROUTE; header: length, type, flags, sequence, port; then an ifaddrmsg of zeros: all families
    let mut request = Vec::new();
    request.extend(24u32.to_ne_bytes());
    request.extend(GET_ADDRESSES.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 16]);
    rustix::net::sendto(
        &socket,
        &request,
        SendFlags::empty(),
        &SocketAddrNetlink::new(0, 0),
    )?;
    let mut found = Vec::new();
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if length == 0 || !messages(&buffer[..length], &mut found) {
            return Ok(found);
        }
    }
}

/// Reads messages; says whether more are to come.
fn messages(mut rest: &[u8], found: &mut Vec<Address>) -> bool {
    while let (Some(length), Some(kind)) = (u32_at(rest, 0), u16_at(rest, 4)) {
        let length = length as usize;
        if length < 16 || length > rest.len() {
            return false;
        }
        match kind {
            DONE | ERROR => return false,
            NEW_ADDRESS => found.extend(address(&rest[16..length])),
            _ => {}
        }
        rest = rest.get(aligned(length)..).unwrap_or_default();
    }
    true
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
    let mut rest = body.get(8..)?;
    while let (Some(length), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let length = usize::from(length);
        let Some(data) = rest.get(4..length) else {
            break;
        };
        match kind {
            1 => far = ip(data),
            2 => own = ip(data),
            3 => {
                label = Some(
                    String::from_utf8_lossy(data)
                        .trim_end_matches('\0')
                        .to_string(),
                )
            }
            4 => broadcast = ip(data),
            _ => {}
        }
        rest = rest.get(aligned(length)..).unwrap_or_default();
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
