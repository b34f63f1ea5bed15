//! What others kept of a session, read into a transcript: logs of servers and libraries, lines that
//! somebody pasted into a bug, captures.
//!
//! ```text
//! files -> kind -> rawlog | lines | imaplib | thunderbird | s_client | capture -> Log
//! Log -> transcription: the same observer, gate and notes as live octets -> events
//! ```
//!
//! A parser says who said which octets, and when as far as it knows; nothing of what they mean. What
//! the source does not have is never made up in silence: octets that are missing are a `gap`, and
//! each thing that mailscope put in its place has a note.
//!
//! Damaged input is read as far as it goes. What was read is kept, with a `gap` and the note
//! `import-ends` at its end, and the [`Log`] has the [`damage`](Log::damage): file, position, reason.

mod beginning;
mod capture;
mod entry;
mod imapflow;
mod imaplib;
mod kind;
mod layer;
mod lines;
mod literals;
mod marks;
mod rawlog;
mod speech;
mod thunderbird;
mod transcription;
mod turns;
mod unmarked;
mod when;

use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};
use crate::event::Peer;
use crate::limits;

pub use kind::Kind;
pub use transcription::transcribe;

/// What files say that happened.
#[derive(Debug, Default)]
pub struct Log {
    /// In order.
    pub steps: Vec<Step>,
    /// Whether times count from 1970; else from wherever.
    pub is_dated: bool,
    /// `host:port`, as far as it is known.
    pub server: Option<String>,
    /// Why the rest could not be read.
    pub damage: Option<Error>,
    /// What is to be said about what was left out.
    pub remarks: Vec<String>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Microseconds.
    pub at: u64,
    /// The connection's number.
    pub conn: u64,
    /// What it is.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A connection began.
    Connected {
        /// Addresses with ports, or as much as is known of them.
        client: String,
        /// The same.
        server: String,
        /// What the octets are.
        layer: Layer,
    },
    /// A peer said this.
    Said(Peer, Vec<u8>),
    /// A peer said so many octets that are not known.
    Missed(Peer, u64),
    /// A peer said its last.
    Ended(Peer),
    /// The connection is over.
    Closed,
    /// What the server answers first, it answers to a login that is not kept.
    LoggedIn,
    /// The order of what follows is mailscope's.
    Ordered,
    /// What the client says next is mailscope's, in place of a login.
    Supplied,
    /// What both peers say from here on is of no messages.
    Opaque,
    /// The client goes on with its literal, having been told to or not.
    GoesOn,
    /// It does not: the server refused it.
    Refused,
    /// The next literal was said to have so many octets, wrongly.
    Mended(u64),
    /// Nothing more can be read; so many octets of the file are left.
    Damaged(u64),
}

/// What the octets of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Those of the wire: encrypted and compressed where the session is.
    Wire,
    /// What was said inside of TLS and compression.
    Inside,
}

impl Log {
    /// Reads files, whose kind is found out.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is of no kind that is known, or nothing in it can be imported: file,
    /// position and reason.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut whole = Self::default();
        let mut octets = 0;
        for source in rawlog::paired(paths) {
            let log = source.read(&mut octets)?;
            whole.join(log);
            if whole.damage.is_some() {
                break;
            }
        }
        whole.unless_silent(&paths[0])
    }

    /// Reads what a file of this name has, as [`read`](Self::read) does; the name tells a rawlog's
    /// directions apart. Of a rawlog, `other` is the other direction, where that is there too.
    ///
    /// # Errors
    ///
    /// As of [`read`](Self::read).
    pub fn of(one: (&Path, &[u8]), other: Option<(&Path, &[u8])>) -> Result<Self> {
        rawlog::log(one, other)?.unless_silent(one.0)
    }

    fn unless_silent(self, path: &Path) -> Result<Self> {
        let is_said = |step: &Step| matches!(step.what, What::Said(..));
        if self.steps.iter().any(is_said) {
            return Ok(self);
        }
        let doing = || format!("read {}", path.display());
        let nothing = || Error::new(doing(), "nothing is said in it");
        Err(self.damage.unwrap_or_else(nothing))
    }

    /// Adds another file's, as connections of their own.
    fn join(&mut self, mut other: Self) {
        if self.steps.is_empty() {
            *self = other;
            return;
        }
        let last = self.steps.iter().map(|step| step.conn).max().unwrap_or(0);
        let both_dated = self.is_dated && other.is_dated;
        if !both_dated {
            self.undate();
            other.undate();
        }
        for step in &mut other.steps {
            step.conn += last;
        }
        self.steps.append(&mut other.steps);
        if both_dated {
            self.steps.sort_by_key(|step| step.at);
        }
        self.damage = other.damage;
        self.remarks.append(&mut other.remarks);
        self.server = self.server.take().or(other.server);
    }

    /// Times from the first one.
    fn undate(&mut self) {
        let first = self.steps.first().map_or(0, |step| step.at);
        for step in &mut self.steps {
            step.at = step.at.saturating_sub(first);
        }
        self.is_dated = false;
    }
}

/// Reads a file whole; `octets` are those of the import so far.
fn contents(path: &Path, octets: &mut u64) -> Result<Vec<u8>> {
    let doing = || format!("read {}", path.display());
    let length = std::fs::metadata(path).doing(doing)?.len();
    *octets = octets.saturating_add(length);
    if *octets > limits::IMPORT {
        let why = format!(
            "an import takes {} at most",
            bytesize::ByteSize::b(limits::IMPORT)
        );
        return Err(Error::new(doing(), why)
            .hint("a part of it: editcap -i SECONDS, or split, makes several files of one"));
    }
    std::fs::read(path).doing(doing)
}

/// What is wrong in a file at this place, to be told when the rest is kept.
fn damaged(path: &Path, place: &str, why: impl std::fmt::Display) -> Error {
    Error::new(format!("read {}, {place}", path.display()), why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Secrets;

    /// A session in each kind of file.
    const SAMPLES: [(&str, &[u8]); 7] = [
        ("a.txt", b"# connection 2\nS: * OK hi\nC: a APPEND x {3}\nS\\: + \\xe9\nC: abc\nS: a OK {3}\n"),
        ("b.txt", b"Connected to imaps://h:993/\n10:11:12.5 S: * OK\n10:11:12.6 C: a LOGIN x y\n"),
        ("c.in", b"1700000000.000001 a APPEND x {3}\r\n1700000000.000002 abc\r\n1700000000.000003 b IDLE\r\n"),
        ("d.out", b"* CAPABILITY X\r\nz OK in\r\n* 1 FETCH (A {3}\r\nabc)\r\n+ go\r\n"),
        ("e.log", b"  57:42.84 < b'* OK \\xe9\\''\n  57:42.84 > b\"a X {3}\"\n  57:42.84 write literal size 3\n"),
        (
            "f.log",
            b"2023-11-11 10:11:12.5 UTC - [P: IMAP]: D/IMAP 0x7f:h:NA:SendData: Logging suppressed for this command\n",
        ),
        ("g.txt", b"CONNECTED(00000003)\n---\n* OK hi\na APPEND x {3}\n+ go\nabc\na OK\n---\nx\n---\nclosed\n"),
    ];

    /// Reads a file, and makes events of what it holds.
    fn read(name: &str, content: &[u8]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        if let Ok(log) = Log::read(&[path]) {
            transcribe(&log, Secrets::Masked, |_| Ok(())).unwrap();
        }
    }

    fn capture() -> Vec<u8> {
        let hex = include_str!("capture/sample.hex").split_whitespace();
        hex.map(|octet| u8::from_str_radix(octet, 16).unwrap())
            .collect()
    }

    #[test]
    fn each_sample_is_read() {
        for (name, content) in SAMPLES {
            read(name, content);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(300)
        })]

        #[test]
        fn no_damage_is_too_much(
            sample in 0..=SAMPLES.len(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let (name, mut content) = match SAMPLES.get(sample) {
                Some((name, content)) => (*name, content.to_vec()),
                None => ("h.pcapng", capture()),
            };
            for (place, octet) in damage {
                let place = place.index(content.len());
                content[place] = octet;
            }
            let cut = cut.index(content.len() * 2).min(content.len());
            read(name, &content[..cut]);
        }
    }
}
