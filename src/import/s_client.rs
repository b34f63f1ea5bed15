//! A terminal with `openssl s_client`, copied or written by `script`: certificates, then the session,
//! typed lines and the server's among each other.
//!
//! ```text
//! CONNECTED(00000003)
//! ...certificates, between lines of ---
//! ---
//! * OK ready
//! a NOOP                 typed
//! a OK done
//! ```
//!
//! Who said a line is told by the line: `* `, `+ ` and a tag with a status are the server's, as is
//! what stands in its literal; a tag with a known command is the client's, and so is what follows a
//! `+`. Where standard output alone was kept, the client's lines are missing.

use std::path::Path;

use super::{Log, Step, What};
use crate::event::{Peer, Status};
use crate::protocol::imap::is_command;

const CONNECTED: &[u8] = b"CONNECTED(";

/// Whether it is the line with which a session begins.
pub fn is_line(line: &[u8]) -> bool {
    line.starts_with(CONNECTED)
}

#[derive(Default)]
struct Session {
    conn: u64,
    /// In what s_client itself says.
    is_aside: bool,
    /// Octets of a literal of this peer's.
    literal: Option<(Peer, usize)>,
    /// The client may go on with a line that is no command.
    goes_on: bool,
}

/// Reads one.
pub fn read(_: &Path, content: &[u8]) -> Log {
    let mut log = Log::default();
    let mut session = Session::default();
    for line in content.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_line(line) {
            session = Session {
                conn: session.conn + 1,
                is_aside: true,
                ..Session::default()
            };
            let conn = session.conn;
            log.connected(0, conn, b"unknown");
            continue;
        }
        let Some(from) = session.who(line) else {
            continue;
        };
        let octets = [line, b"\r\n"].concat();
        session.said(from, line);
        log.say(0, session.conn, from, octets);
    }
    log.server = None;
    for step in &mut log.steps {
        if let Step {
            what: What::Connected { server, .. },
            ..
        } = step
        {
            "unknown".clone_into(server);
        }
    }
    log
}

impl Session {
    /// Who said the line; `None` for s_client itself, and before it.
    fn who(&mut self, line: &[u8]) -> Option<Peer> {
        if self.conn == 0 {
            return None;
        }
        if let Some((from, _)) = self.literal {
            return Some(from);
        }
        if self.is_aside {
            // `---` ends and begins a part of it; the session begins with the server's line.
            let is_server = server_says(line);
            self.is_aside = !is_server;
            return is_server.then_some(Peer::Server);
        }
        if line == b"---" {
            self.is_aside = true; // a new session ticket came
            return None;
        }
        if matches!(line, b"" | b"DONE" if !self.goes_on) || is_own(line) {
            return None;
        }
        if server_says(line) {
            return Some(Peer::Server);
        }
        (client_says(line) || self.goes_on).then_some(Peer::Client)
    }

    fn said(&mut self, from: Peer, line: &[u8]) {
        let left = self.literal.take().map(|(_, left)| left);
        // A literal that ends with the line leaves the rest of its message for the next one.
        let left = left.and_then(|left| left.checked_sub(line.len() + 2));
        let announced = if left.is_some() {
            None
        } else {
            announced(line)
        };
        self.literal = announced.or(left).map(|octets| (from, octets));
        if from == Peer::Server {
            self.goes_on = line.starts_with(b"+") || (self.goes_on && line.starts_with(b"* "));
        }
        if from == Peer::Client && announced.is_some() {
            // The server's go-ahead comes first.
            self.literal = None;
        }
    }
}

/// What s_client says in a session.
fn is_own(line: &[u8]) -> bool {
    let words: [&[u8]; 5] = [
        b"read R BLOCK",
        b"closed",
        b"RENEGOTIATING",
        b"KEYUPDATE",
        b"Connecting to ",
    ];
    words.iter().any(|words| line.starts_with(words))
}

fn server_says(line: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ');
    match (words.next(), words.next()) {
        (Some(b"*" | b"+"), Some(_)) | (Some(b"+"), None) => true,
        (Some(tag), Some(status)) => is_tag(tag) && Status::parse(status).is_some(),
        _ => false,
    }
}

fn client_says(line: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ');
    let (Some(tag), Some(name)) = (words.next(), words.next()) else {
        return false;
    };
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    is_tag(tag) && (name == "UID" || is_command(&name))
}

fn is_tag(word: &[u8]) -> bool {
    !word.is_empty()
        && word.len() <= 20
        && word
            .iter()
            .all(|octet| octet.is_ascii_graphic() && !b"()*+%\\\"{:=".contains(octet))
}

/// The octets of a literal that the line ends with.
fn announced(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let digits = &line[line.iter().rposition(|octet| *octet == b'{')? + 1..];
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    #[test]
    fn the_session_is_told_from_what_is_said_about_it() {
        let text = "Connecting to 127.0.0.1\nCONNECTED(00000003)\n---\nCertificate chain\n 0 s:CN=localhost\n---\n\
            read R BLOCK\n* OK ready\r\na LOGIN alice hunter2\na OK in\r\n---\nPost-Handshake New Session Ticket arrived:\n\
            SSL-Session:\n    Protocol  : TLSv1.3\n---\nread R BLOCK\n* OK still here\r\nb FETCH 1 BODY[TEXT]\n* 1 FETCH (BODY[TEXT] {11}\r\n\
            a NOOP\r\nx\r\n)\r\nb OK\r\nc IDLE\n+ idling\r\n* 2 EXISTS\r\nDONE\nc OK\r\nclosed\n";
        let log = read(Path::new("log"), text.as_bytes());
        let who: Vec<Peer> = said(&log).iter().map(|(_, from, _)| *from).collect();
        assert_eq!(who, [S, C, S, C, S, C, S, C, S]);
        let text: String = said(&log).into_iter().map(|(_, _, said)| said).collect();
        assert!(text.contains("{11}\r\na NOOP\r\nx\r\n)\r\nb OK"), "{text}");
        assert!(!text.contains("Protocol") && !text.contains("closed"));
    }
}
