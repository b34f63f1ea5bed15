//! The protocol that reads nothing: every octet is opaque. What a connection falls back to when its
//! reader fails.

use super::{Protocol, Verdict};
use crate::event::{
    Body, Draft, Gate, Message, Micros, Passed, Peer, Reading, Relation, Said, Sealed, Secret,
};

/// Passes octets to the events as they come. A client's are masked, for they may hold a password
/// that nobody would recognise here; those of several reads in a row are one event, since their
/// number would tell how many octets were typed.
pub struct Blind {
    gate: Gate,
    client_spoke: bool,
}

impl Blind {
    /// Masks through `gate`.
    pub fn new(gate: Gate) -> Self {
        Self {
            gate,
            client_spoke: false,
        }
    }
}

impl Blind {
    /// Makes events of octets.
    pub(super) fn read(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) {
        if bytes.is_empty() {
            return;
        }
        let goes_on = from == Peer::Client && self.gate.masks() && self.client_spoke;
        self.client_spoke = from == Peer::Client;
        if goes_on {
            return;
        }
        let message = Message::text(bytes);
        let secret: Vec<_> = match from {
            Peer::Client => vec![(0..bytes.len(), Secret::Unreadable)],
            Peer::Server => self
                .gate
                .occurrences(bytes)
                .into_iter()
                .map(|range| (range, Secret::Password))
                .collect(),
        };
        let sealed = self.gate.seal(message, &secret);
        out.push(opaque(0, from, sealed, at));
    }
}

impl Protocol for Blind {
    fn observe(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) -> Verdict {
        self.read(from, bytes, at, out);
        Verdict::AsRead
    }

    fn ended(&mut self, _: Peer, _: Micros, _: &mut Vec<Draft>) -> Verdict {
        Verdict::AsRead
    }
}

/// An event of octets that no message can be made of.
pub(super) fn opaque(ordinal: u64, from: Peer, wire: Sealed, at: Micros) -> Draft {
    let relation = match from {
        Peer::Client => Relation::None,
        Peer::Server => Relation::Unsolicited,
    };
    Draft::new(
        ordinal,
        at,
        Body::Said(Box::new(Said {
            from,
            wire,
            spans: Vec::new(),
            reading: Reading::Opaque,
            relation,
            among: None,
            capabilities: None,
            incomplete: false,
            passed: Passed::AsRead,
        })),
    )
}
