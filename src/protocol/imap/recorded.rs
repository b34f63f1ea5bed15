//! A recording read again: messages that were framed and masked when they were recorded.
//!
//! Their meaning is found anew, with the same readings as a live connection's; what a recording alone
//! knows (which literal was refused, what was passed on instead) is taken from it.

use super::meaning::{Meaning, Missing};
use super::observer::{Observer, Source};
use super::{client, server};
use crate::event::{
    Draft, Message, Micros, Passed, Peer, Piece, Reading, RecordedMessage, Relation,
};
use crate::protocol::Protocol;

impl Observer {
    /// Reads a recorded message again. `n` is its event's number; numbers rise, and the drafts
    /// refer to others by them.
    pub fn read_again(
        &mut self,
        n: u64,
        at: Micros,
        recorded: RecordedMessage,
        out: &mut Vec<Draft>,
    ) {
        if self.source != Source::Shown {
            self.source = Source::Recording;
        }
        self.ordinal = n.saturating_sub(1);
        let from = recorded.from;
        let message = recorded.message.clone();
        match (recorded.kind.as_deref(), recorded.part) {
            (Some("opaque"), _) => {
                // As a message that cannot be read, it ends the wait for a greeting.
                self.greeted |= from == Peer::Server;
                let mut meaning = Meaning::new(self.next_ordinal(), Reading::Opaque);
                if from == Peer::Server {
                    meaning.relation = Relation::Unsolicited;
                }
                meaning.incomplete = recorded.incomplete;
                meaning.passed = self.passed_then(&recorded);
                let wire = self.gate.seal(message, &[]);
                self.emit(from, wire, Some(meaning), at, out);
            }
            (_, Some(place)) => {
                // Its response comes behind it, and cannot be asked yet.
                let among = match recorded.relation {
                    Relation::Answers(command) => self.tracker.tag_among(command),
                    _ => None,
                };
                let relation = (recorded.relation.clone(), among);
                let wire = self.gate.seal(message, &[]);
                self.emit_part(from, wire, at, place, relation, out);
            }
            _ => self.read_message_again(message, at, &recorded, out),
        }
    }

    /// Reads what a text says was said: octets that were masked, if at all, when it was written, and
    /// that nothing more is done to (TLS, compression). What becomes whole goes to `out`.
    pub fn hear_again(&mut self, from: Peer, octets: &[u8], at: Micros, out: &mut Vec<Draft>) {
        self.source = Source::Recording;
        let _ = self.observe(from, octets, at, out); // nobody waits for what may be passed on
    }

    /// What both peers say from here on is of no messages. Whether that is news.
    pub fn opaque_from_here(&mut self, at: Micros, out: &mut Vec<Draft>) -> bool {
        let is_news = !self.client.framer.is_opaque();
        if is_news {
            self.stop_framing(at, out);
        }
        is_news
    }

    pub(super) fn read_message_again(
        &mut self,
        message: Message,
        at: Micros,
        recorded: &RecordedMessage,
        out: &mut Vec<Draft>,
    ) {
        let missing = match recorded.incomplete {
            true => Missing::Rest,
            false => Missing::Nothing,
        };
        match recorded.from {
            Peer::Client => {
                let circumstances = client::Circumstances {
                    at,
                    missing,
                    refused: recorded.refused,
                    recorded: Some(recorded),
                    own: recorded.own,
                };
                self.client_message(message, &circumstances, out);
            }
            Peer::Server => {
                let circumstances = server::Circumstances {
                    at,
                    missing,
                    recorded: Some(recorded),
                    own: recorded.own,
                };
                self.server_message(message, &circumstances, out);
            }
        }
    }

    /// What was passed on when it was recorded.
    pub(super) fn passed_then(&self, recorded: &RecordedMessage) -> Passed {
        match &recorded.sent {
            _ if recorded.own => Passed::Own,
            Some(sent) => Passed::Instead(self.gate.seal(sent.clone(), &[])),
            None => Passed::AsRead,
        }
    }

    /// Whether nothing of a recorded message is to be masked: that was done, or was not wanted. A message
    /// with a mask in it was looked through when it was recorded.
    pub(super) fn is_masked(&self, message: &Message) -> bool {
        let is_mask = |piece: &Piece| matches!(piece, Piece::Secret(..));
        self.source != Source::Shown || message.pieces().iter().any(is_mask)
    }

    /// Whether messages come from a recording or a log, in which nothing is encrypted or compressed.
    pub(super) fn is_recorded(&self) -> bool {
        self.source != Source::Wire
    }
}
