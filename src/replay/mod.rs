//! A recording played again: as a server for an app ([`Server`]), or by rote, each side of it to the
//! octet ([`play`]), as the demo does.
//!
//! ```text
//! transcript -> Script -.
//! live app -> octets -> Player -> octets -> live app
//!                         '-- Report: what fitted, what did not, what was never asked for
//! ```
//!
//! The live app's octets are read by the same [`Observer`](crate::protocol::imap::Observer) that
//! reads a recording, and so are the player's own answers.

mod builder;
mod cassette;
#[cfg(test)]
mod conversations;
mod fitting;
mod hearing;
mod identity;
mod line;
mod link;
mod login;
mod part;
mod player;
mod raw;
mod recorder;
mod report;
mod rote;
mod script;
mod server;
mod service;
mod standing;
mod upstream;
mod usage;
mod whereabouts;

pub use builder::Builder;
pub use cassette::{Cassette, RecordMode};
pub use part::{Part, Turn};
pub use player::{Effect, Manner, Player};
pub use recorder::Recorder;
pub use report::{Mismatch, REPORT_SCHEMA, Report};
pub use rote::play;
pub use script::Script;
pub use server::Server;
pub use service::{Config, Service};
pub use upstream::{Denied, Upstream};
pub use usage::{Matching, OnMiss, Usage};
