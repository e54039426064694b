//! Free ports on 127.0.0.1.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use super::intent::Ports;

/// Where the system begins to take ports for outgoing connections, if it does not say so.
const USUAL_FIRST_EPHEMERAL: u16 = 32_768;
const FIRST: u16 = 20_000;

/// Two ports that are free now and in none of `taken`.
///
/// Flink binds them seconds later. They are therefore looked for below the range from which the system takes ports for
/// outgoing connections: in that range, any connection made in these seconds could take one. `seed` says where to begin,
/// so that clusters launched one after the other do not meet.
pub(super) fn free(taken: &BTreeSet<u16>, seed: u64) -> io::Result<Ports> {
    let end = first_ephemeral();
    let count = u64::from(end.saturating_sub(FIRST)).max(1);
    let below = (0..count)
        .filter_map(|step| u16::try_from((seed % count + step) % count).ok())
        .map(|offset| FIRST.saturating_add(offset))
        .filter(|port| *port < end && !taken.contains(port) && is_free(*port));
    let mut found = below.take(2).collect::<Vec<_>>();
    while found.len() < 2 {
        // Nothing below: whatever the system gives.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if !taken.contains(&port) && !found.contains(&port) {
            found.push(port);
        }
    }
    match found.as_slice() {
        [rest, rpc, ..] => Ok(Ports {
            rest: *rest,
            rpc: *rpc,
        }),
        _ => Err(io::Error::from(io::ErrorKind::AddrNotAvailable)),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn first_ephemeral() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .unwrap_or(USUAL_FIRST_EPHEMERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_bound_or_promised_is_not_given_again() {
        let first = free(&BTreeSet::new(), 7).unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, first.rest)).unwrap();
        let second = free(&BTreeSet::from([first.rpc]), 7).unwrap();
        for port in [second.rest, second.rpc] {
            assert_ne!(port, first.rest);
            assert_ne!(port, first.rpc);
        }
        assert_ne!(second.rest, second.rpc);
    }
}
