//! Addresses for peers whose names are all that is known.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pcap_file::pcapng::blocks::name_resolution::{
    Ipv4Record, Ipv6Record, NameResolutionBlock, Record,
};

/// IMAP's port, by which a dissector knows it.
const IMAP: u16 = 143;

/// The addresses of a capture.
#[derive(Default)]
pub struct Addresses {
    hosts: HashMap<String, u16>,
}

impl Addresses {
    /// The addresses of the two ends of the connection with this number, and a record of the server's
    /// name where it has one that is new.
    pub fn of(
        &mut self,
        conn: u64,
        client: &str,
        server: &str,
    ) -> (SocketAddr, SocketAddr, Option<NameResolutionBlock<'static>>) {
        let client = client.parse().unwrap_or_else(|_| {
            /// The first of the ports that nobody registers (RFC 6335, section 6).
            const DYNAMIC: u16 = 49_152;
            let port = DYNAMIC + (conn % u64::from(u16::MAX - DYNAMIC)) as u16;
            SocketAddr::from((Ipv4Addr::LOCALHOST, port))
        });
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return (client, SocketAddr::new(address, IMAP), None);
        }
        let known = self.hosts.len();
        let number = *self
            .hosts
            .entry(host.to_owned())
            .or_insert_with(|| u16::try_from(known + 1).unwrap_or(u16::MAX));
        let address = documentation(number, client.is_ipv4());
        let is_new = self.hosts.len() > known && !host.is_empty();
        let record = is_new.then(|| record(address, host));
        (client, SocketAddr::new(address, IMAP), record)
    }
}

/// An address that belongs to nobody (RFC 5737; RFC 3849).
fn documentation(number: u16, is_ipv4: bool) -> IpAddr {
    /// Those of 192.0.2.0/24.
    const HOSTS: u16 = 254;
    match is_ipv4 {
        true => {
            let last = (number.wrapping_sub(1) % HOSTS + 1) as u8;
            Ipv4Addr::new(192, 0, 2, last).into()
        }
        false => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number).into(),
    }
}

fn record(address: IpAddr, host: &str) -> NameResolutionBlock<'static> {
    let names = vec![host.to_owned().into()];
    let record = match address {
        IpAddr::V4(address) => Record::Ipv4(Ipv4Record {
            ip_addr: address.octets().to_vec().into(),
            names,
        }),
        IpAddr::V6(address) => Record::Ipv6(Ipv6Record {
            ip_addr: address.octets().to_vec().into(),
            names,
        }),
    };
    NameResolutionBlock {
        records: vec![record],
        options: Vec::new(),
    }
}
