//! What Python's `imaplib` writes to standard error with `imaplib.Debug = 4` or 5, what imaplib2 does
//! (OfflineIMAP with `-d imap`), and aioimaplib's log.
//!
//! ```text
//!   57:42.84 imaplib version 2.58
//!   57:42.84 < b'* OK ready'
//!   57:42.84 > b'MPLP0 LOGIN alice "hunter2"'
//!   57:42.93 < b'* 1 FETCH (BODY[TEXT] {9}'
//!   57:42.93 read literal size 9
//!   57:42.93 untagged_responses[FETCH] 0 += ["(b'1 (BODY[TEXT] {9}', b'he...')"]    Debug = 5 has its octets
//!   57:42.93 < b')'
//!   57:42.93 < * OK ready                                                  Python 2
//! [imap]:   57:42.15 127.0.0.1 writer > b'GFBD1 CAPABILITY\r\n'      imaplib2 has all of them
//! DEBUG aioimaplib.aioimaplib:aioimaplib.py:405 Sending : b'GEKC0 CAPABILITY\r\n'
//! ```
//!
//! Times are minutes and seconds; an hour is added where they go back. A `LOGIN` is written with its
//! password. Lines of other kinds, the library's or the program's, are passed over.

use std::path::Path;

use super::tags::{Of, Tags};
use super::when::{When, leading};
use super::{Log, Step, What, damaged};
use crate::event::Peer;

const HOUR: u64 = 3_600_000_000;

enum Line {
    Begins,
    /// The connection's tags begin so.
    Named(Vec<u8>),
    /// What Python 2 writes: the octets themselves.
    Raw(Peer, Vec<u8>),
    Said(Peer, Result<Vec<u8>, String>),
    Missed(Peer, u64),
    /// The octets of the literal that was told last.
    Literal(Vec<u8>),
}

/// Whether it is such a line.
pub fn is_line(line: &[u8]) -> bool {
    matches!(
        line_of(line),
        Some((_, Line::Begins | Line::Named(_) | Line::Said(..)))
    )
}

/// What stands before the octets, and who says them.
const SAID: [(&[u8], Peer); 4] = [
    (b"< ", Peer::Server),
    (b"> ", Peer::Client),
    (b"Received : ", Peer::Server),
    (b"Sending : ", Peer::Client),
];

fn line_of(line: &[u8]) -> Option<(Option<When>, Line)> {
    let begun = line.strip_prefix(b"[imap]: ").unwrap_or(line);
    let (when, rest) = match leading(begun) {
        Some((when, rest)) if !when.is_dated => (Some(when), rest),
        _ => (None, begun),
    };
    let whole = rest.strip_suffix(b"\n").unwrap_or(rest);
    let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
    let rest = rest.trim_ascii_end();
    let is_library = |rest: &[u8]| memchr::memmem::find(rest, b"aioimaplib").is_some();
    if when.is_none() && !is_library(rest) {
        return None;
    }
    for (mark, from) in SAID {
        // imaplib2 names a thread before it.
        let marks = memchr::memmem::find_iter(rest, mark);
        let is_own = |at: &usize| *at == 0 || rest[at - 1] == b' ';
        let Some(at) = marks.into_iter().find(is_own) else {
            continue;
        };
        let (before, said) = (&rest[..at], &rest[at + mark.len()..]);
        let is_word = before.iter().all(|octet| !b"'\"(=".contains(octet));
        if is_word && is_bytes(said) {
            return Some((when, Line::Said(from, self::line(said))));
        }
        if at == 0 && when.is_some() {
            // Spaces at its end are its own; imaplib2 shows the line's end.
            let said = &whole[mark.len()..];
            let said = said.strip_suffix(b"\\r\\n").unwrap_or(said);
            return Some((when, Line::Raw(from, [said, b"\r\n"].concat())));
        }
    }
    let number = |words: &[u8]| -> Option<u64> {
        str::from_utf8(rest.strip_prefix(words)?).ok()?.parse().ok()
    };
    let read = if rest.starts_with(b"imaplib version ")
        || memchr::memmem::find(rest, b" imaplib2 version ").is_some()
    {
        Line::Begins
    } else if let Some(prefix) = rest.strip_prefix(b"new IMAP4 connection, tag=") {
        Line::Named(unquoted(prefix).unwrap_or_else(|_| prefix.to_vec()))
    } else if let Some(size) = number(b"read literal size ") {
        Line::Missed(Peer::Server, size)
    } else if let Some(size) = number(b"write literal size ") {
        Line::Missed(Peer::Client, size)
    } else {
        Line::Literal(literal_of(rest)?)
    };
    Some((when, read))
}

/// The literal's octets, where imaplib shows what it made of them; Python 2 has no `b` before them.
fn literal_of(rest: &[u8]) -> Option<Vec<u8>> {
    let rest = rest.strip_prefix(b"untagged_responses[")?;
    let at = memchr::memmem::find(rest, b" += [\"(")?;
    let pair = rest[at + b" += [\"(".len()..].strip_suffix(b")\"]")?;
    let [quote @ (b'\'' | b'"'), inner @ ..] = without_b(pair) else {
        return None;
    };
    let mut end = 0;
    while *inner.get(end)? != *quote {
        end += if inner[end] == b'\\' { 2 } else { 1 };
    }
    let second = inner.get(end + 1..)?.strip_prefix(b", ")?;
    unquoted(&[b"b", without_b(second)].concat()).ok()
}

fn without_b(text: &[u8]) -> &[u8] {
    match is_bytes(text) {
        true => &text[1..],
        false => text,
    }
}

fn is_bytes(text: &[u8]) -> bool {
    matches!(text, [b'b', b'\'' | b'"', ..])
}

/// A line, of which imaplib leaves out the end and imaplib2 does not.
fn line(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = unquoted(text)?;
    if !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    Ok(octets)
}

/// Python's `repr` of `bytes`, read again.
fn unquoted(text: &[u8]) -> Result<Vec<u8>, String> {
    let [b'b', quote, rest @ ..] = text else {
        return Err("these are no bytes of Python's".into());
    };
    let mut rest = rest
        .strip_suffix(&[*quote])
        .ok_or("the quoted text has no end")?;
    let mut octets = Vec::with_capacity(rest.len());
    while let [octet, behind @ ..] = rest {
        rest = behind;
        if *octet != b'\\' {
            octets.push(*octet);
            continue;
        }
        let (octet, behind) = match rest {
            [b'n', behind @ ..] => (b'\n', behind),
            [b'r', behind @ ..] => (b'\r', behind),
            [b't', behind @ ..] => (b'\t', behind),
            [octet @ (b'\\' | b'\'' | b'"'), behind @ ..] => (*octet, behind),
            [b'x', high, low, behind @ ..] => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => ((high * 16 + low) as u8, behind), // two digits
                    _ => return Err("two hexadecimal digits follow \\x".into()),
                }
            }
            _ => return Err("a backslash that Python does not write".into()),
        };
        octets.push(octet);
        rest = behind;
    }
    Ok(octets)
}

/// Reads one.
pub fn read(path: &Path, content: &[u8]) -> Log {
    let mut log = Log::default();
    let mut tags = Tags::default();
    let (mut hours, mut last) = (0, 0);
    let mut offset = 0;
    for (number, line) in (1_u64..).zip(content.split_inclusive(|octet| *octet == b'\n')) {
        let left = (content.len() - offset) as u64;
        offset += line.len();
        let Some((when, read)) = line_of(line) else {
            continue;
        };
        if let Some(when) = when {
            if when.micros < last {
                hours += HOUR;
            }
            last = when.micros;
        }
        let at = hours + last;
        // imaplib2 shows the literal's lines already.
        let is_shown = line.starts_with(b"[imap]: ");
        match read {
            Line::Begins => tags.begins(),
            Line::Named(prefix) => drop(tags.named(&prefix)),
            Line::Raw(from, octets) | Line::Said(from, Ok(octets)) => {
                log.say_one_of(&mut tags, at, from, octets);
            }
            Line::Said(_, Err(why)) => {
                log.damage = Some(damaged(path, &format!("line {number}"), why));
                let what = What::Damaged(left);
                let conn = tags.last();
                log.steps.push(Step { at, conn, what });
                break;
            }
            Line::Missed(..) | Line::Literal(_) if is_shown => {}
            Line::Literal(octets) => log.found(&octets),
            Line::Missed(from, octets) => {
                let (conn, what) = (tags.last(), What::Missed(from, octets));
                log.steps.push(Step { at, conn, what });
                if from == Peer::Client {
                    log.say(at, conn, from, b"\r\n".to_vec()); // imaplib sends it behind
                }
            }
        }
    }
    log
}

impl Log {
    /// Adds what was said on the connection that the lines tell of.
    fn say_one_of(&mut self, tags: &mut Tags, at: u64, from: Peer, octets: Vec<u8>) {
        let conn = match tags.of(from, &octets) {
            Of::Sure(conn) => conn,
            Of::Doubted(conn) => {
                let what = What::Doubted;
                self.steps.push(Step { at, conn, what });
                conn
            }
        };
        self.say(at, conn, from, octets);
    }

    /// The octets that were missed last, where they are these.
    fn found(&mut self, octets: &[u8]) {
        if let Some(step) = self.steps.last_mut()
            && step.what == What::Missed(Peer::Server, octets.len() as u64)
        {
            let Step { at, conn, .. } = *step;
            self.steps.pop();
            self.say(at, conn, Peer::Server, octets.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    /// Written by Python 3.11.
    const LOG: &str = r#"  59:58.84 imaplib version 2.58
  59:58.84 new IMAP4 connection, tag=b'MPLP'
  59:58.84 < b'* OK [CAPABILITY IMAP4rev1] ready "x"'
  59:58.84 CAPABILITIES: ('IMAP4REV1',)
  59:58.89 > b'MPLP1 LOGIN alice "hunter2"'
  59:58.89 < b'MPLP1 OK it\'s "done" \xe9'
  00:01.93 < b'* 1 FETCH (BODY[TEXT] {9}'
  00:01.93 read literal size 9
  00:01.93 < b')'
('OK', [(b'1 (BODY[TEXT] {9}', b'he\'l"lo\r\n'), b')'])
  00:01.98 > b'MPLP4 APPEND INBOX {18}'
  00:01.98 < b'+ go'
  00:01.98 write literal size 18
  00:02.02 < b'MPLP4 OK done'
"#;

    #[test]
    fn a_log_of_level_4_is_read() {
        let log = read(Path::new("log"), LOG.as_bytes());
        assert!(log.damage.is_none());
        let said = said(&log);
        assert_eq!(said[1], (1, C, "MPLP1 LOGIN alice \"hunter2\"\r\n".into()));
        assert_eq!(said[2].1, S);
        let missed = log
            .steps
            .iter()
            .filter(|step| matches!(step.what, What::Missed(..)));
        assert_eq!(missed.count(), 2);
        let octets = log.steps.iter().find_map(|step| match &step.what {
            What::Said(S, octets) if octets.starts_with(b"MPLP1") => Some(octets.clone()),
            _ => None,
        });
        assert_eq!(octets.unwrap(), b"MPLP1 OK it's \"done\" \xe9\r\n");
        let (first, last) = (log.steps[0].at, log.steps.last().unwrap().at);
        assert_eq!(last - first, 3_180_000, "over the hour");
    }

    /// Python 2 writes the octets themselves.
    #[test]
    fn r016_a_log_of_python_2_is_read() {
        let log = read(
            Path::new("log"),
            b"  42:36.54 imaplib version 2.58\n  42:36.54 new IMAP4 connection, tag=EPAL\n\
              42:36.54 < * OK ready \n  42:36.54 > EPAL1 LOGIN alice \"x\\\"y\"\n  42:36.54 < EPAL1 OK \xe9\n\
              42:36.54 < * 1 FETCH (BODY[TEXT] {3}\n  42:36.54 read literal size 3\n\
              42:36.54 untagged_responses[FETCH] 0 += [\"('1 (BODY[TEXT] {3}', 'a\\r\\n')\"]\n  42:36.54 < )\n",
        );
        let said = said(&log);
        assert_eq!(said[0], (1, S, "* OK ready \r\n".into()));
        assert_eq!(said[1], (1, C, "EPAL1 LOGIN alice \"x\\\"y\"\r\n".into()));
        assert!(said[2].2.ends_with("{3}\r\na\r\n)\r\n"), "{said:?}");
        assert!(log.damage.is_none());
    }

    /// All of it was put on the connection that began last.
    #[test]
    fn r017_connections_in_turns_are_told_apart_by_their_tags() {
        let log = read(
            Path::new("log"),
            b"  42:36.54 imaplib version 2.58\n  42:36.54 new IMAP4 connection, tag=b'EPAL'\n  42:36.54 < b'* OK ready one'\n\
              42:36.54 > b'EPAL0 NOOP'\n  42:36.54 < b'EPAL0 OK done'\n\
              42:37.54 imaplib version 2.58\n  42:37.54 new IMAP4 connection, tag=b'GGGG'\n  42:37.54 < b'* OK ready two'\n\
              42:37.54 > b'GGGG0 NOOP'\n  42:37.54 < b'GGGG0 OK done'\n\
              42:38.54 > b'EPAL1 SELECT INBOX'\n  42:38.54 < b'* 3 EXISTS'\n  42:38.54 < b'EPAL1 OK done'\n\
              42:39.54 > b'GGGG1 SELECT Other'\n  42:39.54 < b'* 9 EXISTS'\n  42:39.54 < b'GGGG1 OK done'\n",
        );
        let conn = |what: &str| {
            said(&log)
                .iter()
                .find(|(_, _, said)| said.contains(what))
                .unwrap()
                .0
        };
        let conns = [
            "one", "two", "EPAL1 S", "* 3", "EPAL1 OK", "GGGG1 S", "* 9", "GGGG1 OK",
        ]
        .map(conn);
        assert_eq!(conns, [1, 2, 1, 1, 1, 2, 2, 2]);
        assert!(!log.steps.iter().any(|step| step.what == What::Doubted));
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let text = "  00:01.00 < b'* OK'\n  00:01.00 > b'a NO\\q'\n";
        let log = read(Path::new("log"), text.as_bytes());
        assert_eq!(said(&log).len(), 1);
        assert!(log.damage.unwrap().to_string().contains("line 2"));
    }
}
