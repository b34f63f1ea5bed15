//! The packets of a capture file, down to what TCP carries.
//!
//! Link layers: Ethernet (with VLAN tags), Linux "cooked" captures, raw IP, BSD loopback; and what
//! Wireshark exports decrypted, which has addresses and no TCP. Fragments of IP are passed over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_file::pcap::PcapParser;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgParser};
use pcap_file::{DataLink, PcapError};

/// What TCP carried in one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Microseconds since 1970.
    pub at: u64,
    pub from: SocketAddr,
    pub to: SocketAddr,
    /// `None` for octets that were exported without their packets.
    pub tcp: Option<Tcp>,
    pub octets: Vec<u8>,
}

/// What TCP's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    pub sequence: u32,
    pub acknowledges: Option<u32>,
    pub is_syn: bool,
    pub is_fin: bool,
    pub is_reset: bool,
}

/// All that could be read.
#[derive(Default)]
pub struct Packets {
    pub segments: Vec<Segment>,
    pub damage: Option<Damage>,
    /// Octets of the file that could not be read.
    pub left: u64,
    /// It has keys for its TLS sessions.
    pub has_secrets: bool,
}

/// What is wrong in the file.
#[derive(Debug)]
pub struct Damage {
    pub place: String,
    pub why: String,
}

impl Packets {
    /// Of a file in libpcap's form.
    pub fn of_pcap(content: &[u8]) -> Self {
        let mut packets = Self::default();
        let (mut rest, parser) = match PcapParser::new(content) {
            Ok(begun) => begun,
            Err(error) => return packets.damaged(&error, content, content),
        };
        let link = u32::from(parser.header().datalink);
        while !rest.is_empty() {
            match parser.next_packet(rest) {
                Ok((behind, packet)) => {
                    rest = behind;
                    let at = u64::try_from(packet.timestamp.as_micros()).unwrap_or_default();
                    packets.segments.extend(segment(link, at, &packet.data));
                }
                Err(error) => return packets.damaged(&error, content, rest),
            }
        }
        packets
    }

    /// Of a file in the pcapng form.
    pub fn of_pcapng(content: &[u8]) -> Self {
        let mut packets = Self::default();
        let (mut rest, mut parser) = match PcapNgParser::new(content) {
            Ok(begun) => begun,
            Err(error) => return packets.damaged(&error, content, content),
        };
        let mut last = 0;
        while !rest.is_empty() {
            let (behind, block) = match parser.next_block(rest) {
                Ok(read) => read,
                Err(error) => return packets.damaged(&error, content, rest),
            };
            rest = behind;
            packets.block(&block, parser.interfaces(), &mut last);
        }
        packets
    }

    /// Takes in a block; `last` is when the packet before it came.
    fn block(
        &mut self,
        block: &Block<'_>,
        interfaces: &[InterfaceDescriptionBlock<'_>],
        last: &mut u64,
    ) {
        /// Keys of TLS sessions, in the block of that name.
        const DECRYPTION_SECRETS: u32 = 10;
        let (units, interface, data) = match block {
            // The library does not ask in which units they are.
            Block::EnhancedPacket(packet) => (
                Some(packet.timestamp.as_nanos()),
                packet.interface_id,
                &packet.data,
            ),
            Block::SimplePacket(packet) => (None, 0, &packet.data),
            Block::Unknown(block) => {
                self.has_secrets |= block.type_ == DECRYPTION_SECRETS;
                return;
            }
            _ => return,
        };
        let Some(interface) = interfaces.get(interface as usize) else {
            return;
        };
        *last = units.map_or(*last, |units| micros(units, interface));
        let link = u32::from(interface.linktype);
        self.segments.extend(segment(link, *last, data));
    }

    /// Nothing of `left`, the end of `content`, can be read.
    fn damaged(mut self, error: &PcapError, content: &[u8], left: &[u8]) -> Self {
        let why = match error {
            PcapError::IncompleteBuffer => "the file is cut short".to_owned(),
            other => other.to_string(),
        };
        let place = format!("octet {}", content.len() - left.len());
        self.damage = Some(Damage { place, why });
        self.left = left.len() as u64;
        self
    }
}

/// A time in the interface's own units (draft-ietf-opsawg-pcapng, section 4.2, `if_tsresol`).
fn micros(units: u128, interface: &InterfaceDescriptionBlock<'_>) -> u64 {
    const MICROSECONDS: u8 = 6;
    const BINARY: u8 = 0x80;
    let resolution = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfTsResol(resolution) => Some(*resolution),
        _ => None,
    });
    let resolution = resolution.unwrap_or(MICROSECONDS);
    let exponent = u32::from(resolution & !BINARY);
    let base: u128 = if resolution & BINARY == 0 { 10 } else { 2 };
    let per_second = base.checked_pow(exponent).unwrap_or(u128::MAX);
    let micros = units.saturating_mul(1_000_000) / per_second;
    u64::try_from(micros).unwrap_or_default()
}

fn segment(link: u32, at: u64, data: &[u8]) -> Option<Segment> {
    const LOOPBACK_HEADER: usize = 4;
    const COOKED_HEADER: usize = 16;
    const COOKED_2_HEADER: usize = 20;
    const RAW: [u32; 2] = [12, 14];
    let packet = match DataLink::from(link) {
        DataLink::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok()?,
        DataLink::LINUX_SLL => cooked(data.get(14..16)?, data.get(COOKED_HEADER..)?),
        DataLink::LINUX_SLL2 => cooked(data.get(..2)?, data.get(COOKED_2_HEADER..)?),
        DataLink::NULL | DataLink::LOOP => {
            LaxSlicedPacket::from_ip(data.get(LOOPBACK_HEADER..)?).ok()?
        }
        DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 => LaxSlicedPacket::from_ip(data).ok()?,
        DataLink::WIRESHARK_UPPER_PDU => return exported(at, data),
        _ if RAW.contains(&link) => LaxSlicedPacket::from_ip(data).ok()?,
        _ => return None,
    };
    let (from, to): (IpAddr, IpAddr) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        LaxNetSlice::Ipv6(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
        return None;
    };
    Some(Segment {
        at,
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        tcp: Some(Tcp {
            sequence: tcp.sequence_number(),
            acknowledges: tcp.ack().then(|| tcp.acknowledgment_number()),
            is_syn: tcp.syn(),
            is_fin: tcp.fin(),
            is_reset: tcp.rst(),
        }),
        octets: tcp.payload().to_vec(),
    })
}

fn cooked<'a>(protocol: &[u8], data: &'a [u8]) -> LaxSlicedPacket<'a> {
    let protocol = u16::from_be_bytes([protocol[0], protocol[1]]);
    LaxSlicedPacket::from_ether_type(EtherType(protocol), data)
}

/// What `tshark -U` exports: tags (number, length, value, to four octets) up to one with the number 0,
/// then the octets (Wireshark's `epan/exported_pdu.h`).
fn exported(at: u64, mut data: &[u8]) -> Option<Segment> {
    let (mut from, mut to): (Option<IpAddr>, Option<IpAddr>) = (None, None);
    let mut ports = [0; 2];
    loop {
        let (head, rest) = data.split_at_checked(4)?;
        let [number, length] =
            [0, 2].map(|place| u16::from_be_bytes([head[place], head[place + 1]]));
        let length = usize::from(length);
        let value = rest.get(..length)?;
        data = rest.get(length..)?;
        match number {
            0 => break,
            20 => from = Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
            21 => to = Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
            22 => from = Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
            23 => to = Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
            25 | 26 => {
                let port = u32::from_be_bytes(value.try_into().ok()?);
                ports[usize::from(number - 25)] = u16::try_from(port).ok()?;
            }
            _ => {}
        }
    }
    Some(Segment {
        at,
        from: SocketAddr::new(from?, ports[0]),
        to: SocketAddr::new(to?, ports[1]),
        tcp: None,
        octets: data.to_vec(),
    })
}
