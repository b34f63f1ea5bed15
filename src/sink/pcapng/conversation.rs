//! One TCP connection (RFC 9293) that carries what two peers said: packets with right sequence
//! numbers and checksums. None is lost, and each peer acknowledges what it got.

use std::net::{IpAddr, SocketAddr};

use etherparse::{PacketBuilder, TcpOptionElement};

use crate::event::Peer;

/// Octets of data in a segment: an Ethernet packet's, with room for IPv6.
const SEGMENT: usize = 1440;
/// Octets that may be on their way before they are acknowledged.
const UNACKNOWLEDGED: u32 = 32 * 1024;
const WINDOW: u16 = u16::MAX;

/// One connection.
pub struct Conversation {
    client: End,
    server: End,
}

struct End {
    address: SocketAddr,
    /// The next octet's sequence number.
    next: u32,
    /// What the other end has acknowledged.
    acknowledged: u32,
    is_finished: bool,
}

/// What a packet says besides its data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Syn,
    SynAck,
    Ack,
    /// The last one of a message.
    Push,
    Fin,
}

impl Conversation {
    /// A connection of these two, and the handshake's packets.
    pub fn open(client: SocketAddr, server: SocketAddr) -> (Self, Vec<Vec<u8>>) {
        let end = |address| End {
            address,
            next: 0,
            acknowledged: 0,
            is_finished: false,
        };
        let mut opened = Self {
            client: end(client),
            server: end(server),
        };
        let handshake = vec![
            opened.packet(Peer::Client, Flag::Syn, &[]),
            opened.packet(Peer::Server, Flag::SynAck, &[]),
            opened.packet(Peer::Client, Flag::Ack, &[]),
        ];
        (opened, handshake)
    }

    fn end(&mut self, peer: Peer) -> &mut End {
        match peer {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }

    /// The packets in which `from` says this; `is_last`: and nothing more of the same message.
    pub fn say(&mut self, from: Peer, octets: &[u8], is_last: bool) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut rest = octets;
        while !rest.is_empty() {
            let (segment, behind) = rest.split_at(rest.len().min(SEGMENT));
            rest = behind;
            let end = self.end(from);
            if end.next.wrapping_sub(end.acknowledged) > UNACKNOWLEDGED {
                packets.push(self.packet(from.other(), Flag::Ack, &[]));
            }
            let flag = match is_last && rest.is_empty() {
                true => Flag::Push,
                false => Flag::Ack,
            };
            packets.push(self.packet(from, flag, segment));
        }
        packets
    }

    /// A packet without data.
    pub fn acknowledge(&mut self) -> Vec<u8> {
        self.packet(Peer::Client, Flag::Ack, &[])
    }

    /// The packets by which `from` ends its direction; none if it has. Behind the second end the other
    /// peer acknowledges it.
    pub fn finish(&mut self, from: Peer) -> Vec<Vec<u8>> {
        if std::mem::replace(&mut self.end(from).is_finished, true) {
            return Vec::new();
        }
        let mut packets = vec![self.packet(from, Flag::Fin, &[])];
        if self.end(from.other()).is_finished {
            packets.push(self.packet(from.other(), Flag::Ack, &[]));
        }
        packets
    }

    fn packet(&mut self, from: Peer, flag: Flag, data: &[u8]) -> Vec<u8> {
        const HOPS: u8 = 64;
        let other = self.end(from.other());
        let (to, acknowledges) = (other.address, other.next);
        if flag != Flag::Syn {
            other.acknowledged = acknowledges;
        }
        let end = self.end(from);
        let (source, sequence) = (end.address, end.next);
        let counts_one = matches!(flag, Flag::Syn | Flag::SynAck | Flag::Fin);
        // A segment has at most `SEGMENT` octets.
        let length = data.len() as u32 + u32::from(counts_one);
        end.next = end.next.wrapping_add(length);
        let ip = match (source.ip(), to.ip()) {
            (IpAddr::V4(source), IpAddr::V4(to)) => {
                PacketBuilder::ipv4(source.octets(), to.octets(), HOPS)
            }
            (source, to) => PacketBuilder::ipv6(as_ipv6(source), as_ipv6(to), HOPS),
        };
        let mut tcp = ip.tcp(source.port(), to.port(), sequence, WINDOW);
        if matches!(flag, Flag::Syn | Flag::SynAck) {
            let size = TcpOptionElement::MaximumSegmentSize(SEGMENT as u16);
            tcp = tcp.syn().options(&[size]).expect("four octets fit");
        }
        tcp = match flag {
            Flag::Syn => tcp,
            Flag::SynAck | Flag::Ack => tcp.ack(acknowledges),
            Flag::Push => tcp.ack(acknowledges).psh(),
            Flag::Fin => tcp.ack(acknowledges).fin(),
        };
        let mut packet = Vec::with_capacity(tcp.size(data.len()));
        tcp.write(&mut packet, data)
            .expect("it fits, and memory takes it");
        packet
    }
}

fn as_ipv6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
