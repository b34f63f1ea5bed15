//! What is to become of octets that were observed: instructions of a protocol's reader to the relay.
//!
//! The relay holds the octets; a reader only says how many of those that wait may go on, and what
//! goes in their place (law 1: every such edit is a named one). If the reader fails, all that waits
//! goes on as it was read, so that nothing can be lost by it.
//!
//! ```text
//! read 100 octets -> AsRead                          all go on
//!                 -> Acts [Pass 60]                  40 wait
//! read 20 octets  -> Acts [Replace 60 with 50]       50 others go on in place of all that waited
//! ```

use std::sync::Arc;

use crate::event::{Note, Peer};

/// What is to become of octets that were just observed.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They go on as they are, and so does all that waited of both directions.
    AsRead,
    /// What these say; what they do not speak of waits.
    Acts(Vec<Act>),
}

/// One instruction; they are carried out in their order.
#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    /// The next octets of `from` go on.
    Pass {
        /// Who said them.
        from: Peer,
        /// How many.
        octets: usize,
    },
    /// The next octets of `from` do not go on, but `with` does.
    Replace {
        /// Who said them.
        from: Peer,
        /// How many.
        octets: usize,
        /// Empty for nothing.
        with: Vec<u8>,
    },
    /// Octets that nobody but mailscope says.
    Say {
        /// Whom to.
        to: Peer,
        /// What.
        octets: Vec<u8>,
    },
    /// When all of the above is written, TLS begins; then the reader is told
    /// ([`Protocol::secured`](super::Protocol::secured)).
    Secure(Upgrade),
    /// The connection ends, for this reason. What waits is dropped.
    End(Box<Note>),
    /// The connection is broken off on purpose, for this fault. What is to be said before it, is.
    Break(Break, Arc<str>),
}

/// How a connection is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// It is closed.
    Close,
    /// It is reset (RFC 9293, section 3.5.2).
    Reset,
}

/// Which legs TLS begins on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The leg to the app.
    App,
    /// The leg to the server.
    Server,
    /// Both.
    Both,
}

impl Upgrade {
    /// Whether the leg to this peer is among them.
    pub fn includes(self, leg: Peer) -> bool {
        match self {
            Self::App => leg == Peer::Client,
            Self::Server => leg == Peer::Server,
            Self::Both => true,
        }
    }
}
