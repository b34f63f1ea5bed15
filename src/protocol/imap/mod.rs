//! IMAP4rev2 and IMAP4rev1 (RFC 9051, RFC 3501) and their extensions, read from both directions of
//! one connection.
//!
//! ```text
//! octets -> framer -> assembler -> secrets, gate -> lexer -> command | response -> tracker -> draft
//! ```
//!
//! [`Observer`] holds them together. What a message is depends on what came before it in both
//! directions; the tracker knows that, everything else looks at one message.

mod assembler;
mod bridge;
mod canonical;
mod capability;
mod client;
mod command;
mod compress;
mod context;
mod doubt;
mod fragments;
pub mod framer;
mod lexer;
mod meaning;
mod missed;
mod observer;
mod readings;
mod recorded;
mod response;
pub mod sameness;
mod sasl;
mod search;
mod secrets;
mod server;
mod solicit;
mod struck;
mod tampered;
mod telling;
mod tracker;
mod undecided;
mod upgrade;

pub use bridge::{AppLeg, ServerLeg, Setting};
pub use capability::Hidden;
pub use command::is_command;
pub use observer::Observer;
pub use sasl::is_base64;
pub use tracker::State;

use crate::event::{Message, Peer, Span};

/// What stands in a client's command, or a server's response, that is no part of a session here.
pub fn spans(from: Peer, message: &Message) -> Vec<Span> {
    match from {
        Peer::Client => lexer::command(message),
        Peer::Server => lexer::response(message),
    }
}

#[cfg(test)]
pub(crate) mod conversations;
