//! Protocols, sans-io: octets in, event drafts out. No sockets, no clock, no runtime; time is
//! passed in, and a conversation is a test's plain bytes.
//!
//! A reader of a protocol cannot fail. What it cannot read is labelled or noted, and a panic in it
//! ends the reading ([`Blind`]), never the connection.

mod blind;
pub mod imap;
mod inflate;
mod opaque;
mod passage;

pub use blind::Blind;
pub use passage::{Act, Break, Upgrade, Verdict};

use crate::event::{Draft, Micros, Peer};
use crate::limits;

/// Reads both directions of one connection.
pub trait Protocol: Send {
    /// Reads octets that `from` sent and that are about to be passed on; says what of them may be.
    /// `at` is when they were read. What became whole goes to `out`, in order.
    fn observe(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) -> Verdict;

    /// `from` will send no more: what it left unfinished goes to `out`, marked as incomplete.
    fn ended(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) -> Verdict;

    /// Reads on, where the octets observed last were not all read since they stand for too many
    /// events at once; `false` if there was nothing left. To be called until then, before anything
    /// else is.
    fn read_on(&mut self, out: &mut Vec<Draft>) -> bool {
        let _ = out;
        false
    }

    /// Octets that are best read at once: fewer where each may stand for many.
    fn read_size(&self) -> usize {
        limits::READ
    }

    /// Whether octets may go on that nobody reads: not, if some are to be kept from going on in
    /// cleartext.
    fn may_go_unread(&self) -> bool {
        true
    }

    /// TLS has begun on the legs that [`Act::Secure`] named.
    fn secured(&mut self, out: &mut Vec<Draft>) -> Verdict {
        let _ = out;
        Verdict::AsRead
    }
}
