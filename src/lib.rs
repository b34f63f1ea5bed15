//! An oscilloscope for mail protocols: a TLS-terminating man in the middle between a mail app and
//! its IMAP server that shows, explains and keeps what both say, octet for octet.
//!
//! The way of the data:
//!
//! ```text
//! socket -> pump -> tap -> observer: framer -> assembler -> gate -> lexer -> command/response -> tracker
//!             |      '-- drafts -> bus -> numbered events -> terminal | transcript | JSON lines
//!             '-- the same bytes -> other socket
//!
//! show:    transcript reader -> the same readings -> the same sinks
//! replay:  transcript reader -> script -> player <-> the same observer on the live app
//! import:  logs and captures of others -> the same observer -> a transcript
//! lint:    events, live or of a transcript -> session, rules -> findings
//! diff:    two transcript readers -> exchanges -> alignment -> differences
//! ```
//!
//! The map, from the bottom up; arrows point one way (`tests/it/arrows.rs` checks them):
//!
//! - [`error`], [`limits`]: what we could not do; every bound. [`private`]: files and folders for their
//!   owner alone.
//! - [`event`]: the vocabulary all else shares, and the gate that masks secrets.
//! - [`figure`]: numbers for people.
//! - [`explain`]: what the words of IMAP mean, and each event in its place.
//! - [`transcript`]: the file format. [`fault`]: what goes wrong on purpose.
//! - [`session`]: a connection and its mailbox from outside, made of its events: which command and
//!   which mailbox one belongs to. [`lint`]: what of it is against the RFCs.
//! - [`sink`]: where events go. [`protocol`]: octets to events, without I/O. [`net`]: sockets, TLS
//!   and the certificate authority.
//! - [`recording`]: a transcript read again, as JSON or text.
//! - [`import`]: what others kept of a session, made a transcript.
//! - [`filter`]: which events are wanted.
//! - [`stats`]: what a session cost, and what it wasted.
//! - [`relay`]: the man in the middle. [`replay`]: a recording played by either side. [`compare`]: two
//!   recordings side by side.
//! - [`scrub`]: a transcript with nobody's data in it.
//! - [`cli`]: one file a subcommand.

pub mod cli;
pub mod compare;
pub mod error;
pub mod event;
pub mod explain;
pub mod fault;
pub mod figure;
pub mod filter;
#[cfg(test)]
mod growth;
pub mod import;
pub mod limits;
pub mod lint;
pub mod net;
pub mod private;
pub mod protocol;
pub mod recording;
pub mod relay;
pub mod replay;
pub mod scrub;
pub mod session;
pub mod sink;
pub mod stats;
pub mod transcript;
