//! The protocol that reads nothing: every octet is opaque. What a connection falls back to when its
//! reader fails.

use super::opaque::{Fate, Told, Untold, opaque};
use super::{Protocol, Verdict};
use crate::event::{Draft, Gate, Message, Micros, Peer, Secret};

/// Passes octets to the events as they come. A client's are masked, for they may hold a password
/// that nobody would recognise here; those of several reads in a row are one event, since their
/// number would tell how many octets were typed.
pub struct Blind {
    gate: Gate,
    client_spoke: bool,
    untold: Untold,
}

impl Blind {
    /// Masks through `gate`.
    pub fn new(gate: Gate) -> Self {
        Self {
            gate,
            client_spoke: false,
            untold: Untold::default(),
        }
    }

    /// Makes events of octets.
    pub(super) fn read(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) {
        if bytes.is_empty() {
            return;
        }
        match from {
            Peer::Client => self.client(bytes, at, out),
            Peer::Server => {
                let told = self.untold.read(bytes, Fate::Passed, at, &self.gate);
                out.extend(told.into_iter().map(|told| opaque(0, from, told)));
            }
        }
        self.client_spoke = from == Peer::Client;
    }

    fn client(&mut self, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) {
        if self.gate.masks() && self.client_spoke {
            return;
        }
        let all = [(0..bytes.len(), Secret::Unreadable)];
        let told = Told {
            wire: self.gate.seal(Message::text(bytes), &all),
            at,
            fate: Fate::Passed,
        };
        out.push(opaque(0, Peer::Client, told));
    }

    /// Makes an event of what is left.
    pub(super) fn end(&mut self, from: Peer, out: &mut Vec<Draft>) {
        if from == Peer::Server {
            let told = self.untold.end(&self.gate);
            out.extend(told.into_iter().map(|told| opaque(0, from, told)));
        }
    }
}

impl Protocol for Blind {
    fn observe(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) -> Verdict {
        self.read(from, bytes, at, out);
        Verdict::AsRead
    }

    fn ended(&mut self, from: Peer, _: Micros, out: &mut Vec<Draft>) -> Verdict {
        self.end(from, out);
        Verdict::AsRead
    }
}
