//! COMPRESS=DEFLATE (RFC 4978): from the tagged OK on, both directions are read inflated.
//!
//! ```text
//! C: a COMPRESS DEFLATE
//! S: a OK on             the last octets that are not compressed; compressed ones may follow at once
//! ```
//!
//! The client's direction changes with the same OK: it may send nothing compressed before, and every
//! read is observed before it is passed on. Data that cannot be inflated ends the reading of both
//! directions, never their relaying.

use super::framer::Framer;
use super::observer::Observer;
use crate::event::{Body, Draft, Micros, Note, Peer};
use crate::limits;
use crate::protocol::inflate::Inflater;

/// One connection's inflaters, once it is compressed.
#[derive(Default)]
pub(super) struct Compression {
    client: Option<Inflater>,
    server: Option<Inflater>,
    /// The server's octets that are being framed end here; what follows is compressed.
    begins: bool,
    /// Octets of a line that is too long to hold.
    overlong: usize,
    /// What is not inflated yet of the last read, since too many events came of it.
    rest: Option<Rest>,
}

/// Octets from the wire.
struct Rest {
    from: Peer,
    octets: Vec<u8>,
    at: Micros,
}

impl Compression {
    fn inflater(&mut self, from: Peer) -> &mut Option<Inflater> {
        match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }

    /// Whether it is in use.
    pub(super) fn is_on(&self) -> bool {
        // One of them is away while it is in use.
        self.client.is_some() || self.server.is_some()
    }

    /// Whether what follows the server's octets read so far is compressed; asked once.
    pub(super) fn begins(&mut self) -> bool {
        std::mem::take(&mut self.begins)
    }

    /// A line has ended.
    pub(super) fn line_ended(&mut self) {
        self.overlong = 0;
    }

    /// So many octets of a line were too many to hold.
    pub(super) fn overflowed(&mut self, octets: usize) {
        self.overlong = self.overlong.saturating_add(octets);
    }
}

impl Observer {
    /// The server agreed to COMPRESS.
    pub(super) fn begin_compression(&mut self, at: Micros, out: &mut Vec<Draft>) {
        if self.is_recorded() || self.compression.is_on() {
            return;
        }
        // What the client has begun in plain octets will not go on in compressed ones.
        self.end_message(Peer::Client, at, out);
        self.client.framer = Framer::new(Peer::Client);
        let ordinal = self.next_ordinal();
        out.push(Draft::new(ordinal, at, Body::Compressed));
        if self.bridge.stop_hiding() {
            self.note(Note::HidingEnds, at, out);
        }
        if self.bridge.stop_striking() {
            self.note(Note::FaultsEnd, at, out);
        }
        self.compression = Compression {
            client: Some(Inflater::new()),
            server: Some(Inflater::new()),
            begins: true,
            overlong: 0,
            rest: None,
        };
    }

    /// Reads on where reading stopped because of the number of events; whether it had.
    pub(super) fn read_rest(&mut self, out: &mut Vec<Draft>) -> bool {
        let Some(Rest { from, octets, at }) = self.compression.rest.take() else {
            return false;
        };
        self.wire_octets(from, &octets, at, out);
        true
    }

    /// Gives up what [`read_rest`](Self::read_rest) would read.
    pub(super) fn forget_rest(&mut self) {
        self.compression.rest = None;
    }

    /// Reads octets as they came from the wire.
    pub(super) fn wire_octets(
        &mut self,
        from: Peer,
        mut input: &[u8],
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        let Some(mut inflater) = self.compression.inflater(from).take() else {
            return self.plain_octets(from, input, at, out);
        };
        let before = out.len();
        let damage = loop {
            if out.len() - before > limits::INFLATED_EVENTS {
                let octets = input.to_vec();
                self.compression.rest = Some(Rest { from, octets, at });
                break None;
            }
            match inflater.next(&mut input) {
                Ok(Some(octets)) => self.plain_octets(from, octets, at, out),
                Ok(None) => break None,
                Err(_) => break Some(Note::CompressDamaged { from }),
            }
            if self.compression.overlong > limits::INFLATED_LINE {
                break Some(Note::CompressEndless { from });
            }
        };
        match damage {
            None => *self.compression.inflater(from) = Some(inflater),
            Some(note) => self.end_compression(from, note, input, at, out),
        }
    }

    /// Inflates no more: what follows is opaque.
    fn end_compression(
        &mut self,
        from: Peer,
        note: Note,
        rest: &[u8],
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        self.compression = Compression::default();
        self.stop_framing(at, out);
        self.note(note, at, out);
        if !rest.is_empty() {
            self.plain_octets(from, rest, at, out);
        }
    }
}
