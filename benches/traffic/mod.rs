//! What is said in the benchmarks: a client's command and all that the server answers.
//!
//! Shaped like what mail apps ask for all day. It does not change from run to run, so that figures
//! can be compared.

mod author;

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use author::Author;

/// One command and its answer.
pub struct Exchange {
    /// What it is called in a report.
    pub name: &'static str,
    /// The client's octets, as they are on the wire.
    pub command: Vec<u8>,
    /// The server's, the tagged response included.
    pub response: Vec<u8>,
    /// Octets of both before they were deflated, if they were.
    pub inflated: Option<u64>,
}

impl Exchange {
    /// The command, and the untagged responses that it leads to.
    fn new(name: &'static str, command: &str, untagged: &str) -> Self {
        Self {
            name,
            command: format!("a {command}\r\n").into_bytes(),
            response: format!("{untagged}a OK done\r\n").into_bytes(),
            inflated: None,
        }
    }

    /// What comes first on every connection. From here on there is a secret to look out for.
    pub fn login() -> Self {
        Self::new("login", "LOGIN alice a-benchmark-password", "")
    }

    /// From here on both sides deflate (RFC 4978).
    pub fn compress() -> Self {
        Self::new("compress", "COMPRESS DEFLATE", "")
    }

    /// The shortest round trip.
    pub fn noop() -> Self {
        Self::new("round trips", "NOOP", "")
    }

    /// An app looks for changes, and shows a list of messages: responses of 50 and of about 450
    /// octets in turns.
    pub fn small_responses() -> Self {
        const MESSAGES: usize = 2_000;
        let mut untagged = String::new();
        let mut author = Author::new();
        for n in 1..=MESSAGES {
            let _ = match n % 2 {
                0 => write_flags(&mut untagged, n),
                _ => write_envelope(&mut untagged, n, &mut author),
            };
        }
        let command = format!("FETCH 1:{MESSAGES} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)");
        Self::new("small responses", &command, &untagged)
    }

    /// An app downloads mails with attachments, of 1 MiB each: more than is held of one.
    pub fn large_literals() -> Self {
        Self::mails("large literals", 8, 1024 * 1024)
    }

    /// An app downloads mails that are nearly all text.
    pub fn letters() -> Self {
        Self::mails("mails of 24 KiB", 64, 24 * 1024)
    }

    /// As many `mails` of so many octets.
    fn mails(name: &'static str, mails: usize, octets: usize) -> Self {
        let mut untagged = String::new();
        let mut author = Author::new();
        for n in 1..=mails {
            let uid = 100 + n;
            let _ = write!(untagged, "* {n} FETCH (UID {uid} BODY[] {{{octets}}}\r\n");
            untagged.push_str(&author.mail(octets));
            untagged.push_str(")\r\n");
        }
        Self::new(
            name,
            &format!("UID FETCH 101:{} BODY.PEEK[]", 100 + mails),
            &untagged,
        )
    }

    /// The same as it is on the wire behind [`compress`](Self::compress).
    pub fn deflated(&self) -> Self {
        Self {
            name: self.name,
            command: deflate(&self.command),
            response: deflate(&self.response),
            inflated: Some(self.octets()),
        }
    }

    /// Octets in both directions, as they are on the wire.
    pub fn octets(&self) -> u64 {
        (self.command.len() + self.response.len()) as u64
    }

    /// Octets in both directions, as they are read.
    pub fn inflated_octets(&self) -> u64 {
        self.inflated.unwrap_or(self.octets())
    }
}

/// Deflate data that looks back at nothing that stood before it, and that is flushed: it can be said
/// again and again in one stream.
fn deflate(octets: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let flushed = encoder.write_all(octets).and_then(|()| encoder.flush());
    flushed.expect("a vector takes everything");
    // What it would write at its end, ends the stream.
    std::mem::take(encoder.get_mut())
}

fn write_flags(out: &mut String, n: usize) -> std::fmt::Result {
    let uid = 100_000 + n;
    write!(out, "* {n} FETCH (UID {uid} FLAGS (\\Answered \\Seen))\r\n")
}

fn write_envelope(out: &mut String, n: usize, author: &mut Author) -> std::fmt::Result {
    let uid = 100_000 + n;
    let (minute, size) = (author.number(60), author.number(50_000));
    let (subject, id) = (author.words(5), author.number(1 << 30));
    let (from, to, host) = (author.name(), author.name(), author.name());
    write!(
        out,
        "* {n} FETCH (UID {uid} FLAGS (\\Seen) INTERNALDATE \"17-Nov-2026 02:{minute:02}:25 +0000\" \
         RFC822.SIZE {size} ENVELOPE (\"Tue, 17 Nov 2026 02:{minute:02}:03 +0000\" \"{subject}\" \
         ((\"{from} Gray\" NIL \"{from}\" \"example.org\")) ((\"{from} Gray\" NIL \"{from}\" \
         \"example.org\")) ((\"{from} Gray\" NIL \"{from}\" \"example.org\")) ((NIL NIL \"{to}\" \
         \"example.org\")) ((NIL NIL \"minutes\" \"example.net\") (\"John Klensin\" NIL \
         \"klensin\" \"example.com\")) NIL NIL \"<{id:x}-{uid}@{host}.example.org>\"))\r\n"
    )
}
