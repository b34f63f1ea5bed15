//! A recording read again: who said what, on which of its connections, in which state.
//!
//! A JSON transcript or the short text form; which one it is, is found out. Not what is done with it:
//! a replay makes a script of it, a comparison a list of exchanges.
//!
//! What it was recorded as, a text cannot say of every message: in it, COMPRESS and STARTTLS change
//! nothing for the lines behind them, which are as readable as all others.

mod events;
mod told;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::event::{
    Body, Draft, Gate, Micros, Peer, Recorded, RecordedBody, RecordedMessage, Said, Secrets,
};
use crate::limits;
use crate::protocol::imap::{Observer, State};
use crate::transcript::{Reader, is_text, read_text};

pub use events::{Events, Readings};
pub use told::{outline, told};

/// Something that was said.
pub struct Heard {
    /// Its connection's number.
    pub conn: u64,
    /// Its number: in a transcript the event's, in a text the connection's own count.
    pub n: u64,
    /// When; in a text always zero.
    pub at: Micros,
    /// Where the session was before it.
    pub state: State,
    /// What.
    pub said: Said,
}

/// Whose view of the session is wanted, where mailscope had a hand in it (`from` `mailscope`, and
/// `sent`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Everything, as it was recorded.
    Both,
    /// The app's: what it was given counts, whoever said it, and what only the server was told or
    /// said does not.
    App,
}

/// Reads a recording from a file; `each` is given what was said, in order. What is to be said about a
/// file that ends before its end comes back.
///
/// # Errors
///
/// The file cannot be read, or is no recording: file, line and reason.
pub fn open(path: &Path, side: Side, each: impl FnMut(Heard)) -> Result<Option<String>> {
    let name = path.display().to_string();
    let file = File::open(path).doing(|| format!("read {name}"))?;
    read(
        BufReader::with_capacity(limits::READ, file),
        &name,
        side,
        each,
    )
}

/// As [`open`], from anywhere; `name` is what errors call it.
///
/// # Errors
///
/// It is no recording: line and reason.
pub fn read(
    mut recording: impl BufRead + Send + 'static,
    name: &str,
    side: Side,
    each: impl FnMut(Heard),
) -> Result<Option<String>> {
    let doing = || format!("read {name}");
    let mut connections = Connections {
        all: HashMap::new(),
        each,
    };
    if is_text(recording.fill_buf().doing(doing)?) {
        let mut text = Vec::new();
        recording.read_to_end(&mut text).doing(doing)?;
        let lines = read_text(&text)
            .map_err(|(line, why)| Error::new(format!("read {name}, line {line}"), why))?;
        for line in lines {
            connections.hear(line.conn, line.from, &line.octets);
        }
        return Ok(None);
    }
    let mut reader = Reader::new(recording, name)?;
    for recorded in &mut reader {
        connections.read(recorded?, side);
    }
    Ok(reader.torn())
}

struct Connections<F> {
    all: HashMap<u64, Observer>,
    each: F,
}

impl<F: FnMut(Heard)> Connections<F> {
    fn read(&mut self, recorded: Recorded, side: Side) {
        let Recorded { n, conn, at, body } = recorded;
        let RecordedBody::Message(message) = body else {
            return;
        };
        let message = match side {
            Side::Both => Some(*message),
            Side::App => as_the_app_saw(*message),
        };
        let Some(message) = message else {
            return;
        };
        let observer = observer(&mut self.all, conn);
        let state = observer.state();
        let mut drafts = Vec::new();
        observer.read_again(n, at, message, &mut drafts);
        for draft in drafts {
            if let Body::Said(said) = Draft::into_body(draft) {
                let said = *said;
                (self.each)(Heard {
                    conn,
                    n,
                    at,
                    state,
                    said,
                });
            }
        }
    }

    /// Takes in octets that were never read as messages.
    fn hear(&mut self, conn: u64, from: Peer, octets: &[u8]) {
        let observer = observer(&mut self.all, conn);
        let state = observer.state();
        let at = Micros::default();
        let mut drafts = Vec::new();
        observer.hear_again(from, octets, at, &mut drafts);
        for draft in drafts {
            let n = draft.ordinal();
            if let Body::Said(said) = Draft::into_body(draft) {
                let said = *said;
                (self.each)(Heard {
                    conn,
                    n,
                    at,
                    state,
                    said,
                });
            }
        }
    }
}

/// What is recorded is masked already, or was to be shown.
fn observer(all: &mut HashMap<u64, Observer>, conn: u64) -> &mut Observer {
    all.entry(conn)
        .or_insert_with(|| Observer::new(Gate::new(Secrets::Shown)))
}

/// The message in the app's view; `None` for one that it did not say or get.
fn as_the_app_saw(mut message: RecordedMessage) -> Option<RecordedMessage> {
    let sent = message.sent.take();
    match (message.from, message.own) {
        (Peer::Client, own) => (!own).then_some(message),
        (Peer::Server, true) => {
            message.own = false;
            Some(message)
        }
        (Peer::Server, false) => {
            match sent {
                Some(sent) if sent.is_empty() => return None,
                Some(sent) => message.message = sent,
                None => {}
            }
            Some(message)
        }
    }
}
