//! The packets of a capture file, down to what TCP carries.
//!
//! Link layers: Ethernet (with VLAN tags), Linux "cooked" captures, raw IP, BSD loopback; and what
//! Wireshark exports decrypted, which has addresses and no TCP. Fragments of IP are put together; a
//! packet that the capture cut short has the octets that it has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::defrag::IpDefragPool;
use etherparse::{
    EtherType, IpNumber, LaxNetSlice, LaxSlicedPacket, SlicedPacket, TcpSlice, TransportSlice,
};
use pcap_file::pcap::PcapParser;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgParser};
use pcap_file::{DataLink, PcapError, TsResolution};

use crate::limits;

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
        let (mut packets, mut fragments) = (Self::default(), Fragments::default());
        let (mut rest, parser) = match PcapParser::new(content) {
            Ok(begun) => begun,
            Err(error) => return packets.damaged(&error, content, content),
        };
        let link = u32::from(parser.header().datalink);
        let per_micro = match parser.header().ts_resolution {
            TsResolution::MicroSecond => 1,
            TsResolution::NanoSecond => 1000,
        };
        while !rest.is_empty() {
            // The library's whole packets may not be longer than what was captured of each.
            match parser.next_raw_packet(rest) {
                Ok((behind, packet)) => {
                    rest = behind;
                    let at = u64::from(packet.ts_sec) * 1_000_000
                        + u64::from(packet.ts_frac / per_micro);
                    packets
                        .segments
                        .extend(segment(link, at, &packet.data, &mut fragments));
                }
                Err(error) => return packets.damaged(&error, content, rest),
            }
        }
        packets
    }

    /// Of a file in the pcapng form.
    pub fn of_pcapng(content: &[u8]) -> Self {
        let (mut packets, mut fragments) = (Self::default(), Fragments::default());
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
            packets.block(&block, parser.interfaces(), &mut last, &mut fragments);
        }
        packets
    }

    /// Takes in a block; `last` is when the packet before it came.
    fn block(
        &mut self,
        block: &Block<'_>,
        interfaces: &[InterfaceDescriptionBlock<'_>],
        last: &mut u64,
        fragments: &mut Fragments,
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
        self.segments.extend(segment(link, *last, data, fragments));
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

/// Octets before the protocol's number in a header, and before what it carries.
const LOOPBACK_HEADER: usize = 4;
const COOKED_HEADER: usize = 16;
const COOKED_PROTOCOL: usize = 14;
const COOKED_2_HEADER: usize = 20;

/// Where the packet of IP, or what an EtherType stands for, begins in a packet.
enum Begins<'a> {
    Ethernet(&'a [u8]),
    EtherType(EtherType, &'a [u8]),
    Ip(&'a [u8]),
}

fn begins(link: u32, data: &[u8]) -> Option<Begins<'_>> {
    const RAW: [u32; 2] = [12, 14];
    let cooked = |protocol: usize, header: usize| {
        let number = data.get(protocol..protocol + 2)?;
        let number = u16::from_be_bytes([number[0], number[1]]);
        Some(Begins::EtherType(EtherType(number), data.get(header..)?))
    };
    match DataLink::from(link) {
        DataLink::ETHERNET => Some(Begins::Ethernet(data)),
        DataLink::LINUX_SLL => cooked(COOKED_PROTOCOL, COOKED_HEADER),
        DataLink::LINUX_SLL2 => cooked(0, COOKED_2_HEADER),
        DataLink::NULL | DataLink::LOOP => Some(Begins::Ip(data.get(LOOPBACK_HEADER..)?)),
        DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 => Some(Begins::Ip(data)),
        _ if RAW.contains(&link) => Some(Begins::Ip(data)),
        _ => None,
    }
}

fn segment(link: u32, at: u64, data: &[u8], fragments: &mut Fragments) -> Option<Segment> {
    /// The upper bits of a file's link layer tell of checksums behind each packet.
    const LINK: u32 = 0xffff;
    let link = link & LINK;
    if DataLink::from(link) == DataLink::WIRESHARK_UPPER_PDU {
        return exported(at, data);
    }
    let begins = begins(link, data)?;
    let packet = match begins {
        Begins::Ethernet(data) => LaxSlicedPacket::from_ethernet(data).ok()?,
        Begins::EtherType(number, data) => LaxSlicedPacket::from_ether_type(number, data),
        Begins::Ip(data) => LaxSlicedPacket::from_ip(data).ok()?,
    };
    let (from, to, is_fragment): (IpAddr, IpAddr, bool) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().fragmented,
        ),
        LaxNetSlice::Ipv6(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().fragmented,
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    if is_fragment {
        let whole = fragments.add(&begins)?;
        let tcp = TcpSlice::from_slice(&whole).ok()?;
        return Some(carried(at, (from, to), &tcp));
    }
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Some(carried(at, (from, to), tcp)),
        _ => None,
    }
}

fn carried(at: u64, (from, to): (IpAddr, IpAddr), tcp: &TcpSlice<'_>) -> Segment {
    Segment {
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
    }
}

/// Fragments of IP that wait for the rest of their packets.
#[derive(Default)]
struct Fragments {
    /// Each with the number of fragments that came before its last one.
    pool: IpDefragPool<u64>,
    count: u64,
}

impl Fragments {
    /// Adds one; what TCP carries, once all of its packet is there.
    fn add(&mut self, begins: &Begins<'_>) -> Option<Vec<u8>> {
        let packet = match begins {
            Begins::Ethernet(data) => SlicedPacket::from_ethernet(data),
            Begins::EtherType(number, data) => SlicedPacket::from_ether_type(*number, data),
            Begins::Ip(data) => SlicedPacket::from_ip(data),
        };
        self.count += 1;
        let oldest = self.count.saturating_sub(limits::FRAGMENTS);
        self.pool.retain(|last| *last >= oldest);
        let whole = self
            .pool
            .process_sliced_packet(&packet.ok()?, self.count, ());
        let whole = whole.ok().flatten()?;
        (whole.ip_number == IpNumber::TCP).then_some(whole.payload)
    }
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
