//! Thunderbird's log of `MOZ_LOG=IMAP:5` (with or without `timestamp`).
//!
//! ```text
//! 2023-11-11 10:11:12.123456 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:SendData: 1 capability
//! 2023-11-11 10:11:12.323456 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:CreateNewLineFromSocket: * OK hi
//! ```
//!
//! A connection is told by its pointer and host. Thunderbird leaves lines with a password out and says
//! so: a login stands in their place, with a note. A long line goes on in the next one, which has no
//! connection. Lines of other kinds are passed over. Before version 55 there was no `I/IMAP`.

use std::path::Path;

use super::when::leading;
use super::{Log, Step, What};
use crate::event::{MASK, Peer};

const SAID: [(&[u8], Peer); 2] = [
    (b":SendData: ", Peer::Client),
    (b":CreateNewLineFromSocket: ", Peer::Server),
];
/// In the place of a line with a password.
const SUPPRESSED: &[u8] = b"Logging suppressed for this command";
/// In the place of a line when the connection has ended.
const NONE: &[u8] = b"(null)";

/// Whether it is such a line.
pub fn is_line(line: &[u8]) -> bool {
    entry(line).is_some()
}

struct Entry<'a> {
    /// Pointer and host.
    connection: &'a [u8],
    said: Option<(Peer, &'a [u8])>,
}

fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let rest = module(line)?;
    let pointer = rest.iter().position(|octet| *octet == b':')?;
    let host = pointer
        + 1
        + rest[pointer + 1..]
            .iter()
            .position(|octet| *octet == b':')?;
    let digits = rest.strip_prefix(b"0x").unwrap_or(rest);
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    let said = SAID.iter().find_map(|(words, from)| {
        let at = memchr::memmem::find(&rest[host..], words)?;
        Some((*from, &rest[host + at + words.len()..]))
    });
    Some(Entry {
        connection: &rest[..host],
        said,
    })
}

/// What the module says, without its line end: `I/IMAP ...`, or `1344[3f74b68]: ...` of old versions.
fn module(line: &[u8]) -> Option<&[u8]> {
    const MODULE: &[u8] = b"/IMAP ";
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Some(at) = memchr::memmem::find(line, MODULE) {
        return Some(&line[at + MODULE.len()..]);
    }
    let at = memchr::memmem::find(line, b"]: ")?;
    let (thread, rest) = line.split_at(at);
    let is_thread = thread
        .iter()
        .all(|octet| octet.is_ascii_hexdigit() || *octet == b'[')
        && thread.first().is_some_and(u8::is_ascii_digit);
    is_thread.then(|| &rest[b"]: ".len()..])
}

/// The rest of a line that was too long for one: the log ends each of a peer's with the CR that it has.
fn continued<'a>(line: &'a [u8], before: &[u8]) -> Option<&'a [u8]> {
    /// Thunderbird writes no longer ones at once.
    const LONG: usize = 256;
    let is_open = !before.ends_with(b"\r") && before.len() >= LONG;
    let rest = module(line).filter(|_| is_open)?;
    let is_own =
        entry(line).is_some() || rest.starts_with(b"ReadNextLine") || rest.starts_with(b"SetConn");
    (!is_own).then_some(rest)
}

struct Connection {
    name: Vec<u8>,
    tag: Vec<u8>,
    is_sasl: bool,
}

/// Reads one.
pub fn read(_: &Path, content: &[u8]) -> Log {
    let mut log = Log::default();
    let mut connections: Vec<Connection> = Vec::new();
    let mut at = 0;
    let mut lines = content.split(|octet| *octet == b'\n').peekable();
    while let Some(mut line) = lines.next() {
        let Some(Entry {
            connection,
            said: Some((from, said)),
        }) = entry(line)
        else {
            continue;
        };
        let mut said = said.to_vec();
        let first = line;
        while let Some(more) = lines.peek().and_then(|next| continued(next, line)) {
            said.extend_from_slice(more);
            line = lines.next().unwrap_or_default();
        }
        let said = said.as_slice();
        let line = first;
        if let Some((when, _)) = leading(line) {
            at = when.micros;
            log.is_dated |= when.is_dated;
        }
        if said == NONE {
            continue;
        }
        let is_greeting = from == Peer::Server && said.starts_with(b"* OK");
        let known = connections
            .iter()
            .rposition(|known| known.name == connection);
        let place = known.filter(|place| !(is_greeting && is_over(&log, *place)));
        let place = place.unwrap_or_else(|| {
            connections.push(Connection {
                name: connection.to_vec(),
                tag: Vec::new(),
                is_sasl: false,
            });
            let host = connection.split(|octet| *octet == b':').nth(1);
            log.connected(at, connections.len() as u64, host.unwrap_or_default());
            connections.len() - 1
        });
        let conn = place as u64 + 1;
        let known = &mut connections[place];
        let mut octets = said.to_vec();
        if from == Peer::Client && said.starts_with(SUPPRESSED) {
            octets = known.suppressed();
            log.steps.push(Step {
                at,
                conn,
                what: What::Supplied,
            });
        } else if from == Peer::Client {
            known.sent(said);
        }
        octets.extend_from_slice(b"\r\n");
        log.say(at, conn, from, octets);
    }
    log
}

/// Whether that connection was told BYE: another one may have its place in memory.
fn is_over(log: &Log, place: usize) -> bool {
    let conn = place as u64 + 1;
    let bye = |step: &Step| match &step.what {
        What::Said(Peer::Server, octets) => octets.starts_with(b"* BYE"),
        _ => false,
    };
    log.steps
        .iter()
        .rev()
        .filter(|step| step.conn == conn)
        .take(4)
        .any(bye)
}

impl Connection {
    fn sent(&mut self, line: &[u8]) {
        let mut words = line.split(|octet| *octet == b' ');
        if let (Some(tag), Some(name)) = (words.next(), words.next()) {
            self.tag = tag.to_vec();
            self.is_sasl = name.eq_ignore_ascii_case(b"authenticate");
        }
    }

    /// What stands for a line that was left out: a SASL response, or a LOGIN with the next tag.
    fn suppressed(&mut self) -> Vec<u8> {
        if self.is_sasl {
            return MASK.to_vec();
        }
        let last = str::from_utf8(&self.tag)
            .ok()
            .and_then(|tag| tag.parse().ok());
        let next = last.unwrap_or(0_u64) + 1;
        self.tag = next.to_string().into_bytes();
        format!("{next} LOGIN unknown unknown").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    /// Written from knowledge of the form, not by Thunderbird.
    const LOG: &str = "\
2023-11-11 10:11:12.100000 UTC - [Parent 12: IMAP]: I/IMAP 0x7f31:imap.example.com:NA:ProcessCurrentURL: entering
2023-11-11 10:11:12.200000 UTC - [Parent 12: IMAP]: D/IMAP ReadNextLine [rv=0x0 stream=0x7f30 nb=24 needmore=0]
2023-11-11 10:11:12.200001 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:CreateNewLineFromSocket: * OK hi
2023-11-11 10:11:12.300000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:SendData: 1 authenticate PLAIN\r
2023-11-11 10:11:12.400000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:CreateNewLineFromSocket: +
2023-11-11 10:11:12.500000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:SendData: Logging suppressed for this command (it probably contained authentication information)
2023-11-11 10:11:12.600000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:CreateNewLineFromSocket: 1 OK in
2023-11-11 10:11:12.700000 UTC - [Parent 12: IMAP]: D/IMAP 0x9a00:imap.example.com:NA:CreateNewLineFromSocket: * OK hi
2023-11-11 10:11:12.800000 UTC - [Parent 12: IMAP]: D/IMAP 0x9a00:imap.example.com:NA:CreateNewLineFromSocket: (null)
2023-11-11 10:11:12.900000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:S-INBOX:SendData: 2 noop
";

    #[test]
    fn what_was_sent_and_what_was_read_is_told_by_connection() {
        let log = read(Path::new("log"), LOG.as_bytes());
        let expected = [
            (1, S, "* OK hi\r\n"),
            (1, C, "1 authenticate PLAIN\r\n"),
            (1, S, "+\r\n"),
            (1, C, "********\r\n"),
            (1, S, "1 OK in\r\n"),
            (2, S, "* OK hi\r\n"),
            (1, C, "2 noop\r\n"),
        ];
        let expected = expected.map(|(conn, from, said)| (conn, from, said.to_owned()));
        assert_eq!(said(&log), expected);
        assert_eq!(log.server.as_deref(), Some("imap.example.com:143"));
        assert!(log.is_dated);
        let supplied = log.steps.iter().filter(|step| step.what == What::Supplied);
        assert_eq!(supplied.count(), 1);
    }
}
