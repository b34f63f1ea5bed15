//! Lines that say who speaks: mailscope's own text, MailKit's `ProtocolLogger`, curl's `-v`, and what
//! people paste into bugs.
//!
//! ```text
//! C: a1 NOOP                    S: a1 OK            mailscope, MailKit
//! 2023-11-11T10:11:12Z C: ...                       MailKit with timestamps; any time before the mark
//! > a1 NOOP                     < a1 OK             curl -v
//! >>> a1 NOOP                   <<< a1 OK           -> <-, --> <--
//! Client: a1 NOOP               Server: a1 OK       CLIENT:, C>, S<
//! Connected to imaps://imap.example.com:993/        MailKit: another connection
//! # connection 2                                    mailscope: the same
//! ```
//!
//! A line ends with CRLF on the wire, in a literal too. Where the marks are C: and S:, every line has
//! one; behind other marks, lines without one are the log's own and are passed over.

use std::path::Path;

use super::when::leading;
use super::{Layer, Log, Step, What, damaged};
use crate::event::Peer;
use crate::transcript::read_text;

/// Marks that are not mailscope's own, the longer first.
const MARKS: [(&[u8], Peer); 16] = [
    (b"Client:", Peer::Client),
    (b"CLIENT:", Peer::Client),
    (b"client:", Peer::Client),
    (b"Server:", Peer::Server),
    (b"SERVER:", Peer::Server),
    (b"server:", Peer::Server),
    (b">>>", Peer::Client),
    (b"<<<", Peer::Server),
    (b"-->", Peer::Client),
    (b"<--", Peer::Server),
    (b"->", Peer::Client),
    (b"<-", Peer::Server),
    (b"C>", Peer::Client),
    (b"S<", Peer::Server),
    (b"> ", Peer::Client),
    (b"< ", Peer::Server),
];

/// MailKit's first line of a connection.
const CONNECTED: &[u8] = b"Connected to imap";

/// A line that tells who speaks.
enum Line<'a> {
    /// With mailscope's and MailKit's marks.
    Own(&'a [u8]),
    Marked(Peer, &'a [u8]),
    Connection(u64),
    ConnectedTo(&'a [u8]),
    Empty,
    Other,
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(comment) = line.strip_prefix(b"#") {
            let mut words = comment
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let number = (words.next() == Some(b"connection"))
                .then(|| words.next())
                .flatten();
            let number = number.and_then(|word| str::from_utf8(word).ok()?.parse().ok());
            return number.map_or(Self::Empty, Self::Connection);
        }
        if line.trim_ascii().is_empty() {
            return Self::Empty;
        }
        if line.starts_with(CONNECTED) {
            return Self::ConnectedTo(&line[b"Connected to ".len()..]);
        }
        if matches!(
            line,
            [b'C' | b'S', b':', ..] | [b'C' | b'S', b'\\', b':', ..]
        ) {
            return Self::Own(line);
        }
        for (mark, from) in MARKS {
            if let Some(said) = line.strip_prefix(mark) {
                return Self::Marked(from, said.strip_prefix(b" ").unwrap_or(said));
            }
        }
        Self::Other
    }
}

/// Whether it is a line of such a log, the first of which decides.
pub fn is_line(line: &[u8]) -> bool {
    let line = leading(line).map_or(line, |(_, rest)| rest);
    let is_note = line.starts_with(b"# ") || line == b"#";
    is_note || !matches!(Line::of(line), Line::Empty | Line::Other)
}

/// Reads one.
pub fn read(path: &Path, content: &[u8]) -> Log {
    let mut log = Log::default();
    let (mut conn, mut last, mut at) = (1, 0, 0);
    let is_strict = has_own_marks(content);
    let mut offset = 0;
    for (number, whole) in (1_u64..).zip(content.split_inclusive(|octet| *octet == b'\n')) {
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let left = (content.len() - offset) as u64;
        offset += whole.len();
        let (when, line) = match leading(line) {
            Some((when, rest)) => (Some(when), rest),
            None => (None, line),
        };
        if let Some(when) = when {
            at = when.micros;
            log.is_dated |= when.is_dated;
        }
        let said = match Line::of(line) {
            Line::Empty => continue,
            Line::Other if !is_strict => continue,
            Line::Other => Err("a line begins with C: , S: or #".to_owned()),
            Line::Connection(number) => {
                conn = number;
                continue;
            }
            Line::ConnectedTo(address) => {
                conn = last + 1;
                last = conn;
                log.connected(at, conn, address);
                continue;
            }
            Line::Own(line) => read_own(line),
            Line::Marked(from, said) => Ok((
                from,
                [said.strip_suffix(b"\r").unwrap_or(said), b"\r\n"].concat(),
            )),
        };
        last = last.max(conn);
        match said {
            Ok((from, octets)) => log.say(at, conn, from, octets),
            Err(why) => {
                log.damage = Some(damaged(path, &format!("line {number}"), why));
                log.steps.push(Step {
                    at,
                    conn,
                    what: What::Damaged(left),
                });
                break;
            }
        }
    }
    log
}

/// Whether the first line that says who speaks has the marks C: or S:.
fn has_own_marks(content: &[u8]) -> bool {
    let lines = content.split(|octet| *octet == b'\n');
    let mut marked =
        lines.filter_map(
            |line| match Line::of(leading(line).map_or(line, |(_, rest)| rest)) {
                Line::Own(_) => Some(true),
                Line::Marked(..) => Some(false),
                _ => None,
            },
        );
    marked.next().unwrap_or(true)
}

fn read_own(line: &[u8]) -> Result<(Peer, Vec<u8>), String> {
    let read = read_text(line).map_err(|(_, why)| why)?;
    let said = read.into_iter().next().ok_or("nothing is said in it")?;
    Ok((said.from, said.octets))
}

impl Log {
    /// Adds what a peer said; joined to what it said just before at the same time.
    pub(super) fn say(&mut self, at: u64, conn: u64, from: Peer, octets: Vec<u8>) {
        if let Some(step) = self.steps.last_mut()
            && (step.at, step.conn) == (at, conn)
            && let What::Said(peer, said) = &mut step.what
            && *peer == from
        {
            said.extend(octets);
            return;
        }
        let what = What::Said(from, octets);
        self.steps.push(Step { at, conn, what });
    }

    /// Adds a connection whose server has this address or URL.
    pub(super) fn connected(&mut self, at: u64, conn: u64, server: &[u8]) {
        let text = String::from_utf8_lossy(server);
        let (scheme, rest) = text.split_once("://").unwrap_or(("imap", &text));
        let authority = rest.split(['/', '?']).next().unwrap_or_default().trim();
        let port = match scheme {
            "imaps" => 993,
            _ => 143,
        };
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let server = match has_port {
            true => authority.to_owned(),
            false => format!("{authority}:{port}"),
        };
        self.server.get_or_insert_with(|| server.clone());
        let client = "unknown".to_owned();
        let layer = Layer::Inside;
        let what = What::Connected {
            client,
            server,
            layer,
        };
        self.steps.push(Step { at, conn, what });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Who said what, with the connection's number.
    pub(in crate::import) fn said(log: &Log) -> Vec<(u64, Peer, String)> {
        let said = log.steps.iter().filter_map(|step| match &step.what {
            What::Said(from, octets) => Some((
                step.conn,
                *from,
                String::from_utf8_lossy(octets).into_owned(),
            )),
            _ => None,
        });
        said.collect()
    }

    fn read(text: &str) -> Log {
        super::read(Path::new("log"), text.as_bytes())
    }

    use Peer::{Client as C, Server as S};

    #[test]
    fn each_spelling_says_the_same() {
        for (client, server) in [
            ("C: ", "S: "),
            ("C:", "S:"),
            ("> ", "< "),
            (">>> ", "<<< "),
            ("-> ", "<- "),
            ("--> ", "<-- "),
            ("Client: ", "Server: "),
            ("C> ", "S< "),
            ("2023-11-11T10:11:12Z C: ", "2023-11-11T10:11:12Z S: "),
            ("[10:11:12.5] C: ", "[10:11:12.5] S: "),
        ] {
            let text = format!("{server}* OK hi\n{client}a NOOP\r\n{server}a OK\n");
            let expected = [
                (1, S, "* OK hi\r\n".to_owned()),
                (1, C, "a NOOP\r\n".to_owned()),
                (1, S, "a OK\r\n".to_owned()),
            ];
            let log = read(&text);
            assert_eq!(said(&log), expected, "{client}");
            assert!(log.damage.is_none(), "{client}");
        }
    }

    /// Written from MailKit's source, not by a run of it.
    #[test]
    fn mailkits_connections_are_told_apart() {
        let log = read(
            "Connected to imaps://imap.example.com:993/?starttls=when-available\n\
             S: * OK hi\nC: A00000000 CAPABILITY\nC: A00000001 LOGIN alice ********\n\
             Connected to imap://imap.example.com/\nS: * OK again\n",
        );
        assert_eq!(log.server.as_deref(), Some("imap.example.com:993"));
        let said = said(&log);
        assert_eq!((said[0].0, said[2].0), (1, 2));
        let connected = log.steps.iter().filter_map(|step| match &step.what {
            What::Connected { server, .. } => Some(server.as_str()),
            _ => None,
        });
        let connected: Vec<&str> = connected.collect();
        assert_eq!(connected, ["imap.example.com:993", "imap.example.com:143"]);
    }

    #[test]
    fn curls_own_lines_are_passed_over() {
        let log = read(
            "*   Trying 127.0.0.1:143...\n< * OK hi\n> A001 NOOP\n* Connection #0 left\n< A001 OK\n",
        );
        assert_eq!(said(&log).len(), 3);
    }

    #[test]
    fn a_line_of_neither_ends_the_reading_and_is_told() {
        let log = read("S: * OK hi\nC: a NOOP\nhello\nS: a OK\n");
        assert_eq!(said(&log).len(), 2);
        let why = log.damage.unwrap().to_string();
        assert!(why.starts_with("read log, line 3: "), "{why}");
        assert_eq!(log.steps.last().unwrap().what, What::Damaged(14));
    }
}
