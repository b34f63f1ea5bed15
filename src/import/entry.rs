//! A line of a log, told apart.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Log, Step, What};
use crate::event::Peer;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The line's number in its file.
    pub line: u64,
    /// Microseconds.
    pub at: u64,
    /// The connection's number.
    pub conn: u64,
    /// What it is.
    pub what: Heard<'a>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A peer said it; then this line end.
    Said(Peer, Cow<'a, [u8]>, &'static [u8]),
    /// A peer said it, and then this line end: octets of no message.
    Opaque(Peer, Cow<'a, [u8]>, &'static [u8]),
    /// It says nobody's; a literal's octets may stand so.
    Aside(Cow<'a, [u8]>),
    /// Another connection begins, to this address or URL.
    Connected(&'a [u8]),
    /// So many octets are left out.
    Missed(Peer, u64),
    /// The client goes on with its literal, having been told to or not.
    GoesOn,
    /// It does not: the server refused it.
    Refused,
    /// The next header announced so many octets instead.
    Mended(u64),
}

/// The end of each line on the wire.
pub const LINE_END: &[u8] = b"\r\n";

impl<'a> Entry<'a> {
    /// What a peer said, without its line end.
    pub fn said(&self) -> Option<(Peer, &[u8])> {
        match &self.what {
            Heard::Said(from, text, _) => Some((*from, text)),
            _ => None,
        }
    }

    /// What `from` said, without its line end.
    pub fn said_by(&self, from: Peer) -> Option<&[u8]> {
        let (peer, said) = self.said()?;
        (peer == from).then_some(said)
    }
}

impl Log {
    /// Adds lines, asides left out.
    pub fn take(&mut self, entries: Vec<Entry<'_>>) {
        let mut opaque = HashSet::new();
        for Entry { at, conn, what, .. } in entries {
            let what = match what {
                Heard::Said(from, text, end) => {
                    self.say(at, conn, from, [&text, end].concat());
                    continue;
                }
                Heard::Opaque(from, text, end) => {
                    if opaque.insert(conn) {
                        let what = What::Opaque;
                        self.steps.push(Step { at, conn, what });
                    }
                    self.say(at, conn, from, [&text, end].concat());
                    continue;
                }
                Heard::Connected(address) => {
                    self.connected(at, conn, address);
                    continue;
                }
                Heard::Missed(from, octets) => What::Missed(from, octets),
                Heard::Mended(announced) => What::Mended(announced),
                Heard::GoesOn => What::GoesOn,
                Heard::Refused => What::Refused,
                Heard::Aside(_) => continue,
            };
            self.steps.push(Step { at, conn, what });
        }
    }
}
