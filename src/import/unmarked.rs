//! A session whose lines have no marks: a terminal with `openssl s_client`, `gnutls-cli` or telnet, copied
//! or written by `script`; what Jakarta Mail prints with `mail.debug`, and mbsync with `-D`.
//!
//! ```text
//! CONNECTED(00000003)             openssl s_client
//! ...certificates, between lines of ---
//! * OK ready
//! a NOOP                          typed
//! a OK done
//!
//! DEBUG IMAP: AUTH: PLAIN         Jakarta Mail, of its own
//! F: >>> 1 NOOP                   mbsync marks what it says, and what the server on its far side says
//! F: 1 OK done
//! ```
//!
//! Who said a line is told by the line: `* `, `+ ` and a tag with a status are the server's, as is
//! what stands in its literal; a tag with a known command is the client's, and so is what follows a
//! `+`. Where standard output alone was kept, the client's lines are missing. A literal that does not
//! stand there is missing too.

use std::path::Path;

use super::speech::{client_says, greets, header, is_text, server_says};
use super::{Log, Step, What};
use crate::event::Peer;

const CONNECTED: &[u8] = b"CONNECTED(";
/// mbsync's mark for what it says.
const SAYS: &[u8] = b">>> ";
/// The lines that mbsync puts around a literal.
const RULE: &[u8] = b"=========";
/// Jakarta Mail's two lines in the place of a login.
const RESULT: &str = " command result: ";

/// Whether it is the line with which a session begins.
pub fn is_line(line: &[u8]) -> bool {
    let line = trimmed(line);
    line.starts_with(CONNECTED) || greets(side(line).1) || line.starts_with(b"DEBUG IMAP: ")
}

#[derive(Default)]
struct Session {
    conn: u64,
    /// In what s_client itself says.
    is_aside: bool,
    /// Octets of a literal of this peer's.
    literal: Option<(Peer, u64)>,
    /// Octets of a literal of the client's that waits for its go-ahead.
    waiting: Option<u64>,
    /// The client may go on with a line that is no command.
    goes_on: bool,
    /// The server says what goes on with a message behind its literal.
    has_more: bool,
    /// It said BYE.
    is_over: bool,
}

/// Reads one.
pub fn read(_: &Path, content: &[u8]) -> Log {
    let mut log = Log::default();
    // mbsync may have a server on either side.
    let mut sides = [Session::default(), Session::default()];
    let mut last = 0;
    let lines: Vec<&[u8]> = content
        .split(|octet| *octet == b'\n')
        .map(trimmed)
        .collect();
    let marks_client = lines
        .iter()
        .any(|line| said_by_mbsync(side(line).1).is_some());
    for (place, line) in lines.iter().enumerate() {
        let (which, line) = side(line);
        let session = &mut sides[usize::from(which)];
        if line.starts_with(CONNECTED) || (greets(line) && session.may_begin()) {
            let is_aside = line.starts_with(CONNECTED);
            last += 1;
            *session = Session {
                conn: last,
                is_aside,
                ..Session::default()
            };
            let what = What::Connected {
                client: "unknown".into(),
                server: "unknown".into(),
                layer: super::Layer::Inside,
            };
            log.steps.push(Step {
                at: 0,
                conn: last,
                what,
            });
            if is_aside {
                continue;
            }
        }
        if session.conn == 0 || (line == RULE && marks_client) {
            continue;
        }
        if let Some((tag, answer)) = jakarta_login(line) {
            log.steps.push(Step {
                at: 0,
                conn: session.conn,
                what: What::Supplied,
            });
            let login = format!("{tag} LOGIN unknown unknown\r\n");
            log.say(0, session.conn, Peer::Client, login.into_bytes());
            log.say(
                0,
                session.conn,
                Peer::Server,
                format!("{answer}\r\n").into_bytes(),
            );
            continue;
        }
        let (from, line) = match said_by_mbsync(line).filter(|_| session.literal.is_none()) {
            Some(said) => (Peer::Client, said),
            None => match session.who(line, marks_client) {
                Some(from) => (from, line),
                None => continue,
            },
        };
        log.say(0, session.conn, from, [line, b"\r\n"].concat());
        if let Some((from, octets)) = session.said(from, line) {
            let behind = lines[place + 1..].iter().map(|line| side(line).1);
            if is_left_out(from, behind) {
                session.literal = None;
                log.steps.push(Step {
                    at: 0,
                    conn: session.conn,
                    what: What::Missed(from, octets),
                });
                match from {
                    Peer::Server => session.has_more = true,
                    Peer::Client => log.say(0, session.conn, from, b"\r\n".to_vec()),
                }
            }
        }
    }
    log
}

/// The line without its end, of which a terminal makes two CRs.
fn trimmed(line: &[u8]) -> &[u8] {
    let crs = line
        .iter()
        .rev()
        .take_while(|octet| **octet == b'\r')
        .count();
    &line[..line.len() - crs]
}

/// Whether the line is of mbsync's near side, and without that mark, which older versions spell M and S.
fn side(line: &[u8]) -> (bool, &[u8]) {
    let behind = progress(line);
    for (mark, is_near) in [
        (b"F: ", false),
        (b"N: ", true),
        (b"M: ", false),
        (b"S: ", true),
    ] {
        let Some(rest) = behind.strip_prefix(mark) else {
            continue;
        };
        // M: and S: are who speaks elsewhere.
        if matches!(mark[0], b'F' | b'N') || rest.starts_with(SAYS) {
            return (is_near, rest);
        }
    }
    (false, line)
}

/// What stands behind `(1 in progress) `.
fn progress(line: &[u8]) -> &[u8] {
    const WORDS: &[u8] = b" in progress) ";
    let at = line
        .starts_with(b"(")
        .then(|| memchr::memmem::find(line, WORDS));
    at.flatten().map_or(line, |at| &line[at + WORDS.len()..])
}

/// `>>> 1 NOOP`, `(1 in progress) >>> 2 NOOP`
fn said_by_mbsync(line: &[u8]) -> Option<&[u8]> {
    progress(line).strip_prefix(SAYS)
}

/// The tag and the answer of a login that Jakarta Mail does not show.
fn jakarta_login(line: &[u8]) -> Option<(&str, &str)> {
    let text = str::from_utf8(line.strip_prefix(b"DEBUG IMAP: ")?).ok()?;
    let (_, answer) = text.split_once(RESULT)?;
    Some((answer.split(' ').next()?, answer))
}

/// Whether nothing of the literal stands there: the message goes on, or is answered, at once.
fn is_left_out<'a>(from: Peer, mut behind: impl Iterator<Item = &'a [u8]>) -> bool {
    let Some(next) = behind.next() else {
        return false;
    };
    match from {
        Peer::Server => next.starts_with(b")"),
        Peer::Client => server_says(next) || client_says(next),
    }
}

impl Session {
    /// Whether a greeting is that of another connection.
    fn may_begin(&self) -> bool {
        self.conn == 0 || (self.is_over && self.literal.is_none())
    }

    /// Who said the line; `None` for the program itself.
    fn who(&mut self, line: &[u8], marks_client: bool) -> Option<Peer> {
        if let Some((from, _)) = self.literal {
            return Some(from);
        }
        if self.is_aside {
            // `---` ends and begins a part of it; the session begins with the server's line. The dot
            // is the tag of s_client's own STARTTLS.
            let is_server = server_says(line);
            self.is_aside = !is_server && !client_says(line);
            return match self.is_aside {
                true => None,
                false if is_server && line.starts_with(b". ") => None,
                false if is_server => Some(Peer::Server),
                false => Some(Peer::Client),
            };
        }
        if std::mem::take(&mut self.has_more) {
            return Some(Peer::Server);
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
        let is_client = !marks_client && (client_says(line) || self.goes_on);
        is_client.then_some(Peer::Client)
    }

    /// Takes in what was said; the literal that begins behind it.
    fn said(&mut self, from: Peer, line: &[u8]) -> Option<(Peer, u64)> {
        let text = match self.literal.take() {
            None => line,
            Some((_, left)) => {
                let length = line.len() as u64;
                match left.checked_sub(length + 2) {
                    Some(left @ 1..) => {
                        self.literal = Some((from, left));
                        return None;
                    }
                    Some(0) => {
                        self.has_more = from == Peer::Server;
                        return None;
                    }
                    // The rest of the line goes on with the message.
                    None => &line[usize::try_from(left).unwrap_or(line.len()).min(line.len())..],
                }
            }
        };
        if from == Peer::Server {
            self.is_over |= text.starts_with(b"* BYE");
            let waits = text.starts_with(b"+");
            self.goes_on = waits || (self.goes_on && text.starts_with(b"* "));
            if waits {
                self.literal = self.waiting.take().map(|octets| (Peer::Client, octets));
                return self.literal;
            }
            if is_text(text) {
                self.waiting = None;
                return None;
            }
        }
        let found = header(text)?;
        if from == Peer::Client && found.waits {
            self.waiting = Some(found.octets);
            return None;
        }
        self.literal = Some((from, found.octets));
        self.literal
    }
}

/// What the program says in a session.
fn is_own(line: &[u8]) -> bool {
    let words: [&[u8]; 9] = [
        b"read R BLOCK",
        b"closed",
        b"RENEGOTIATING",
        b"KEYUPDATE",
        b"Connecting to ",
        b"DEBUG",
        b"- ",
        b"*** ",
        b"[ ",
    ];
    words.iter().any(|words| line.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    #[test]
    fn the_session_is_told_from_what_is_said_about_it() {
        let text = "Connecting to 127.0.0.1\nCONNECTED(00000003)\n---\nCertificate chain\n 0 s:CN=localhost\n---\n\
            read R BLOCK\n* OK ready\r\r\na LOGIN alice hunter2\na OK in\r\n---\nPost-Handshake New Session Ticket arrived:\n\
            SSL-Session:\n    Protocol  : TLSv1.3\n---\nread R BLOCK\n* OK still here\r\nb FETCH 1 BODY[TEXT]\n* 1 FETCH (BODY[TEXT] {11}\r\n\
            a NOOP\r\nx\r\n)\r\nb OK\r\nc IDLE\n+ idling\r\n* 2 EXISTS\r\nDONE\nc OK\r\nclosed\n";
        let log = read(Path::new("log"), text.as_bytes());
        let who: Vec<Peer> = said(&log).iter().map(|(_, from, _)| *from).collect();
        assert_eq!(who, [S, C, S, C, S, C, S, C, S]);
        let text: String = said(&log).into_iter().map(|(_, _, said)| said).collect();
        assert!(text.contains("{11}\r\na NOOP\r\nx\r\n)\r\nb OK"), "{text}");
        assert!(!text.contains("Protocol") && !text.contains("closed"));
    }

    #[test]
    fn a_literal_that_is_not_there_is_missing() {
        let log = read(
            Path::new("log"),
            b"F: * OK hi\nF: >>> 1 X\n(1 in progress) >>> 2 X\n* 1 FETCH (A {177}\n)\nF: [ 1] Enter\nF: 1 OK\n",
        );
        let missed = log
            .steps
            .iter()
            .filter(|step| step.what == What::Missed(S, 177));
        assert_eq!(missed.count(), 1);
        assert_eq!(said(&log).last().unwrap().2, ")\r\n1 OK\r\n");
    }

    #[test]
    fn a_login_that_jakarta_mail_does_not_show_is_supplied() {
        let log = read(
            Path::new("log"),
            b"DEBUG: x\n* OK hi\nDEBUG IMAP: LOGIN command trace suppressed\nDEBUG IMAP: LOGIN command result: A0 OK in\nA1 NOOP\n",
        );
        let said = said(&log);
        assert_eq!(said[1].2, "A0 LOGIN unknown unknown\r\n");
        assert_eq!(said[3].2, "A1 NOOP\r\n");
        assert!(log.steps.iter().any(|step| step.what == What::Supplied));
    }
}
