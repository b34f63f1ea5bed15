//! A session as a capture for Wireshark: what both peers said, decrypted, as TCP segments that
//! nobody sent, in the pcapng format (draft-ietf-opsawg-pcapng).
//!
//! ```text
//! connected -> SYN, SYN ACK, ACK      what a peer said -> segments from it, on port 143
//! a note    -> a comment on the packet of what it is about
//! ```
//!
//! The octets of a direction are those of the transcript's wires, in order; where a secret is masked
//! there are eight `*`. What mailscope said itself is nobody's octets, and a comment. A server that
//! is known by its name alone gets an address set aside for documentation (RFC 5737, RFC 3849), and a
//! record of the name.

mod addresses;
mod conversation;
mod file;
mod spool;
mod waiting;

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
use pcap_file::{DataLink, PcapError};

use crate::event::{Body, Event, Message, Micros, Passed, Peer, Piece, Said};
use addresses::Addresses;
use conversation::Conversation;
use spool::Spool;
use waiting::{Waiting, Waits};

pub use file::CaptureFile;

/// Writes a capture.
pub struct Capture<W: Write> {
    writer: PcapNgWriter<W>,
    /// Since 1970, of the run.
    started: Duration,
    /// No packet is earlier than the one before it.
    last: Micros,
    addresses: Addresses,
    conversations: HashMap<u64, Conversation>,
    spool: Spool,
    /// What is to come behind a literal's header, by connection.
    waiting: HashMap<u64, Waiting>,
    /// The last packet, until it is clear that nothing more is to be said of it.
    held: Option<Held>,
}

struct Held {
    conn: u64,
    packet: Vec<u8>,
    comments: Vec<String>,
}

impl<W: Write> Capture<W> {
    /// A capture of a run that started so long after 1970.
    ///
    /// # Errors
    ///
    /// `out` cannot be written to.
    pub fn new(out: W, started: Duration) -> io::Result<Self> {
        /// Nanoseconds, in which this library writes times.
        const NANOSECONDS: u8 = 9;
        let mut writer = PcapNgWriter::new(out).map_err(io_error)?;
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::RAW,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName("mailscope".into()),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        let block = interface.into_block();
        writer.write_block(&block).map_err(io_error)?;
        Ok(Self {
            writer,
            started,
            last: Micros::default(),
            addresses: Addresses::default(),
            conversations: HashMap::new(),
            spool: Spool::default(),
            waiting: HashMap::new(),
            held: None,
        })
    }

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// The capture cannot be written, or the system has no room for a literal that is too large to
    /// hold.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        match &event.body {
            Body::Connected { client, server } => self.connected(event, client, server),
            Body::Secured(secured) => {
                let leg = match secured.leg {
                    Peer::Client => "app's",
                    Peer::Server => "server's",
                };
                let (version, cipher) = (&secured.version, &secured.cipher);
                self.comment(
                    event,
                    format!("the {leg} leg is secured: {version}, {cipher}"),
                )
            }
            Body::Compressed => {
                self.comment(event, "compressed from here on; shown inflated".into())
            }
            Body::Said(said) => self.said(event, said),
            Body::Note(note) => self.comment(event, format!("{}: {}", note.id, note.text)),
            Body::Gap { octets, .. } => {
                self.comment(event, format!("{octets} octets are missing here"))
            }
            Body::HalfClosed { from } => {
                self.wait_no_more(event.conn)?;
                let packets = self.conversation(event)?.finish(*from);
                self.hold(event, packets)
            }
            Body::Closed { reason } => {
                self.wait_no_more(event.conn)?;
                self.waiting.remove(&event.conn);
                let conversation = self.conversation(event)?;
                let mut packets = conversation.finish(Peer::Client);
                packets.extend(conversation.finish(Peer::Server));
                self.hold(event, packets)?;
                self.conversations.remove(&event.conn);
                match reason {
                    Some(reason) => self.comment(event, format!("closed: {reason}")),
                    None => Ok(()),
                }
            }
        }
    }

    /// Writes everything: there are no more events.
    ///
    /// # Errors
    ///
    /// The capture cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        let mut waiting: Vec<u64> = self.waiting.keys().copied().collect();
        waiting.sort_unstable();
        for conn in waiting {
            self.wait_no_more(conn)?;
        }
        self.flush()
    }

    /// Writes what is held back, but for what waits for a command.
    ///
    /// # Errors
    ///
    /// The capture cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.release()?;
        self.writer.get_mut().flush()
    }

    /// What it is written to.
    fn out_mut(&mut self) -> &mut W {
        self.writer.get_mut()
    }

    fn connected(&mut self, event: &Event, client: &str, server: &str) -> io::Result<()> {
        let (client, server, name) = self.addresses.of(event.conn, client, server);
        self.release()?;
        if let Some(name) = name {
            let block = name.into_block();
            self.writer.write_block(&block).map_err(io_error)?;
        }
        let (conversation, packets) = Conversation::open(client, server);
        self.conversations.insert(event.conn, conversation);
        self.hold(event, packets)
    }

    /// The event's conversation; one whose beginning was not recorded begins here.
    fn conversation(&mut self, event: &Event) -> io::Result<&mut Conversation> {
        if !self.conversations.contains_key(&event.conn) {
            self.connected(event, "", "")?;
        }
        self.conversations
            .get_mut(&event.conn)
            .ok_or_else(|| io::Error::other("a connection that was just made"))
    }

    fn said(&mut self, event: &Event, said: &Said) -> io::Result<()> {
        if let crate::event::Reading::LiteralPart { .. } = said.reading {
            return self.spool.keep(event.n, said.wire.bytes());
        }
        let waiting = self.waiting.entry(event.conn).or_default();
        if !matches!(said.passed, Passed::Own) && waiting.takes(event, said) {
            return match waiting.is_full() {
                true => self.wait_no_more(event.conn),
                false => Ok(()),
            };
        }
        self.say_now(event, said)
    }

    /// Writes what waits for the connection's client.
    fn wait_no_more(&mut self, conn: u64) -> io::Result<()> {
        let all = self.waiting.get_mut(&conn).map(Waiting::all);
        self.write_waiting(all.unwrap_or_default())
    }

    fn write_waiting(&mut self, waiting: Vec<Waits>) -> io::Result<()> {
        for Waits {
            event, comments, ..
        } in waiting
        {
            if let Body::Said(said) = &event.body {
                self.say_now(&event, said)?;
            }
            for text in comments {
                self.comment_now(&event, text)?;
            }
        }
        Ok(())
    }

    fn say_now(&mut self, event: &Event, said: &Said) -> io::Result<()> {
        let whose = match said.from {
            Peer::Client => "server",
            Peer::Server => "app",
        };
        let text = |message: &Message| {
            String::from_utf8_lossy(message.bytes())
                .trim_end()
                .to_owned()
        };
        if let Passed::Own = said.passed {
            let words = format!("mailscope said to the {whose}: {}", text(&said.wire));
            return self.comment(event, words);
        }
        self.say(event, said)?;
        match &said.passed {
            Passed::Instead(sent) if sent.is_empty() => {
                self.comment_now(event, format!("not passed on to the {whose}"))
            }
            Passed::Instead(sent) => self.comment_now(
                event,
                format!("passed on to the {whose} as: {}", text(sent)),
            ),
            Passed::AsRead | Passed::Own => Ok(()),
        }
    }

    /// The message's octets, the parts of its large literals put in their place; and the go-aheads that
    /// its client waited for.
    fn say(&mut self, event: &Event, said: &Said) -> io::Result<()> {
        let bytes = said.wire.bytes();
        let waiting = self
            .waiting
            .get(&event.conn)
            .filter(|_| said.from == Peer::Client);
        let places = waiting::places(&said.wire, waiting.map_or(0, Waiting::go_aheads));
        let mut stops: Vec<(usize, &[u64])> =
            places.into_iter().map(|place| (place, &[][..])).collect();
        for piece in said.wire.pieces() {
            if let Piece::Streamed { parts, .. } = piece {
                stops.push((piece.range().end, parts));
            }
        }
        stops.sort_by_key(|(place, _)| *place); // a go-ahead stays before the literal's parts
        let mut start = 0;
        for (place, parts) in stops {
            self.segments(event, said.from, &bytes[start..place], parts.is_empty())?;
            start = place;
            if parts.is_empty() {
                let next = self.waiting.get_mut(&event.conn).map(Waiting::next);
                self.write_waiting(next.unwrap_or_default())?;
            }
            for part in parts {
                let octets = self.spool.take(*part)?;
                self.segments(event, said.from, &octets, false)?;
            }
        }
        self.segments(event, said.from, &bytes[start..], true)?;
        match said.from {
            // One that was not of a literal after all.
            Peer::Client => self.wait_no_more(event.conn),
            Peer::Server => Ok(()),
        }
    }

    fn segments(
        &mut self,
        event: &Event,
        from: Peer,
        octets: &[u8],
        is_last: bool,
    ) -> io::Result<()> {
        let packets = self.conversation(event)?.say(from, octets, is_last);
        self.hold(event, packets)
    }

    /// Holds the last of these packets back, for what may be said of them.
    fn hold(&mut self, event: &Event, packets: Vec<Vec<u8>>) -> io::Result<()> {
        for packet in packets {
            self.release()?;
            self.last = self.last.max(event.at);
            self.held = Some(Held {
                conn: event.conn,
                packet,
                comments: Vec::new(),
            });
        }
        Ok(())
    }

    /// Says this of the event before it.
    fn comment(&mut self, event: &Event, text: String) -> io::Result<()> {
        let text = match self.waiting.get_mut(&event.conn) {
            Some(waiting) => waiting.comment(text),
            None => Some(text),
        };
        text.map_or(Ok(()), |text| self.comment_now(event, text))
    }

    /// Says this of the packet before it, or of an acknowledgement where that was another connection's.
    fn comment_now(&mut self, event: &Event, text: String) -> io::Result<()> {
        let is_about_it = self
            .held
            .as_ref()
            .is_some_and(|held| held.conn == event.conn);
        if !is_about_it {
            let packet = match self.conversations.get_mut(&event.conn) {
                Some(conversation) => conversation.acknowledge(),
                None => return Ok(()),
            };
            self.hold(event, vec![packet])?;
        }
        if let Some(held) = &mut self.held {
            held.comments.push(text);
        }
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        let Some(Held {
            packet, comments, ..
        }) = self.held.take()
        else {
            return Ok(());
        };
        let comments = comments.into_iter();
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: self.started + Duration::from_micros(self.last.0),
            original_len: u32::try_from(packet.len()).unwrap_or(u32::MAX),
            data: packet.into(),
            options: comments
                .map(|text| EnhancedPacketOption::Comment(text.into()))
                .collect(),
        };
        let block = block.into_block();
        self.writer.write_block(&block).map_err(io_error)?;
        Ok(())
    }
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
