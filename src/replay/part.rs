//! What is to be said by whom, taken from one connection of a recording.

use std::io::BufRead;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::event::{Peer, Piece, RecordedBody, RecordedMessage};
use crate::transcript::Reader;

/// One message, and how long its sender waits before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who says it.
    pub from: Peer,
    /// Its octets.
    pub octets: Vec<u8>,
    /// The time since the message before it.
    pub pause: Duration,
}

/// The messages of one connection in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In the order of the recording.
    pub turns: Vec<Turn>,
}

impl Part {
    /// Reads the first connection of a recording; `name` is what errors call it. Where a secret is
    /// masked, `secret` is said.
    ///
    /// # Errors
    ///
    /// The recording is broken, holds a literal in parts, or nothing at all.
    pub fn read(
        recording: impl BufRead + Send + 'static,
        name: &str,
        secret: &[u8],
    ) -> Result<Self> {
        let mut turns = Vec::new();
        let mut first = None;
        let mut before = None;
        for recorded in Reader::new(recording, name)? {
            let recorded = recorded?;
            if *first.get_or_insert(recorded.conn) != recorded.conn {
                continue;
            }
            let RecordedBody::Message(message) = recorded.body else {
                continue;
            };
            let since = recorded.at.since(before.unwrap_or(recorded.at));
            before = Some(recorded.at);
            turns.push(Turn {
                from: message.from,
                octets: octets(&message, secret).ok_or_else(|| {
                    Error::new(format!("play {name}"), "it has a literal in parts")
                })?,
                pause: Duration::from_micros(since.0),
            });
        }
        match turns.is_empty() {
            true => Err(Error::new(format!("play {name}"), "nothing is said in it")),
            false => Ok(Self { turns }),
        }
    }
}

fn octets(recorded: &RecordedMessage, secret: &[u8]) -> Option<Vec<u8>> {
    let bytes = recorded.message.bytes();
    let mut octets = Vec::with_capacity(bytes.len());
    for piece in recorded.message.pieces() {
        match piece {
            Piece::Text(_) | Piece::Literal { .. } => {
                octets.extend_from_slice(&bytes[piece.range()]);
            }
            Piece::Secret(..) => octets.extend_from_slice(secret),
            Piece::Streamed { .. } => return None,
        }
    }
    Some(octets)
}
