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
//! [imap]:   57:42.15 127.0.0.1 writer > b'GFBD1 CAPABILITY\r\n'      imaplib2 has all of them
//! DEBUG aioimaplib.aioimaplib:aioimaplib.py:405 Sending : b'GEKC0 CAPABILITY\r\n'
//! ```
//!
//! Times are minutes and seconds; an hour is added where they go back. A `LOGIN` is written with its
//! password. Lines of other kinds, the library's or the program's, are passed over.

use std::path::Path;

use super::when::{When, leading};
use super::{Log, Step, What, damaged};
use crate::event::Peer;

const HOUR: u64 = 3_600_000_000;

enum Line {
    Begins,
    Said(Peer, Result<Vec<u8>, String>),
    Missed(Peer, u64),
    /// The octets of the literal that was told last.
    Literal(Vec<u8>),
}

/// Whether it is such a line.
pub fn is_line(line: &[u8]) -> bool {
    matches!(line_of(line), Some((_, Line::Begins | Line::Said(..))))
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
    }
    let literal = |words: &[u8]| -> Option<u64> {
        str::from_utf8(rest.strip_prefix(words)?).ok()?.parse().ok()
    };
    let read = if rest.starts_with(b"imaplib version ")
        || memchr::memmem::find(rest, b" imaplib2 version ").is_some()
    {
        Line::Begins
    } else if let Some(size) = literal(b"read literal size ") {
        Line::Missed(Peer::Server, size)
    } else if let Some(size) = literal(b"write literal size ") {
        Line::Missed(Peer::Client, size)
    } else {
        Line::Literal(literal_of(rest)?)
    };
    Some((when, read))
}

/// The literal's octets, where imaplib shows what it made of them.
fn literal_of(rest: &[u8]) -> Option<Vec<u8>> {
    let rest = rest.strip_prefix(b"untagged_responses[")?;
    let at = memchr::memmem::find(rest, b" += [\"(b")?;
    let pair = rest[at + b" += [\"(".len()..].strip_suffix(b")\"]")?;
    let [b'b', quote, inner @ ..] = pair else {
        return None;
    };
    let mut end = 0;
    while *inner.get(end)? != *quote {
        end += if inner[end] == b'\\' { 2 } else { 1 };
    }
    let second = inner.get(end + 1..)?.strip_prefix(b", ")?;
    unquoted(second).ok()
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
    let (mut conn, mut hours, mut last) = (0, 0, 0);
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
            Line::Begins => conn += 1,
            Line::Said(from, Ok(octets)) => log.say(at, conn.max(1), from, octets),
            Line::Said(_, Err(why)) => {
                log.damage = Some(damaged(path, &format!("line {number}"), why));
                let what = What::Damaged(left);
                log.steps.push(Step {
                    at,
                    conn: conn.max(1),
                    what,
                });
                break;
            }
            Line::Missed(..) | Line::Literal(_) if is_shown => {}
            Line::Literal(octets) => log.found(&octets),
            Line::Missed(from, octets) => {
                log.steps.push(Step {
                    at,
                    conn: conn.max(1),
                    what: What::Missed(from, octets),
                });
                if from == Peer::Client {
                    log.say(at, conn.max(1), from, b"\r\n".to_vec()); // imaplib sends it behind
                }
            }
        }
    }
    log
}

impl Log {
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

    #[test]
    fn damage_is_told_with_its_line() {
        let text = "  00:01.00 < b'* OK'\n  00:01.00 > b'a NO\\q'\n";
        let log = read(Path::new("log"), text.as_bytes());
        assert_eq!(said(&log).len(), 1);
        assert!(log.damage.unwrap().to_string().contains("line 2"));
    }
}
