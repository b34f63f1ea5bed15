//! What Python's `imaplib` writes to standard error with `imaplib.Debug = 4` (or 5).
//!
//! ```text
//!   57:42.84 imaplib version 2.58
//!   57:42.84 < b'* OK ready'
//!   57:42.84 > b'MPLP0 LOGIN alice "hunter2"'
//!   57:42.93 < b'* 1 FETCH (BODY[TEXT] {9}'
//!   57:42.93 read literal size 9              its octets are not written
//!   57:42.93 < b')'
//! ```
//!
//! Times are minutes and seconds; an hour is added where they go back. A `LOGIN` is written with its
//! password. Lines of other kinds, imaplib's or the program's, are passed over.

use std::path::Path;

use super::when::{When, leading};
use super::{Log, Step, What, damaged};
use crate::event::Peer;

const HOUR: u64 = 3_600_000_000;

enum Line {
    Begins,
    Said(Peer, Result<Vec<u8>, String>),
    Missed(Peer, u64),
}

/// Whether it is such a line.
pub fn is_line(line: &[u8]) -> bool {
    line_of(line).is_some()
}

fn line_of(line: &[u8]) -> Option<(When, Line)> {
    let (when, rest) = leading(line)?;
    if when.is_dated {
        return None;
    }
    let rest = rest.trim_ascii_end();
    let literal = |words: &[u8]| {
        let size = rest.strip_prefix(words)?;
        str::from_utf8(size).ok()?.parse().ok()
    };
    let read = match rest {
        [b'<', b' ', said @ ..] if is_bytes(said) => Line::Said(Peer::Server, unquoted(said)),
        [b'>', b' ', said @ ..] if is_bytes(said) => Line::Said(Peer::Client, unquoted(said)),
        _ if rest.starts_with(b"imaplib version ") => Line::Begins,
        _ => match (
            literal(b"read literal size "),
            literal(b"write literal size "),
        ) {
            (Some(size), _) => Line::Missed(Peer::Server, size),
            (_, Some(size)) => Line::Missed(Peer::Client, size),
            _ => return None,
        },
    };
    Some((when, read))
}

fn is_bytes(text: &[u8]) -> bool {
    matches!(text, [b'b', b'\'' | b'"', ..])
}

/// Python's `repr` of `bytes`, read again, and a line end added.
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
    octets.extend_from_slice(b"\r\n");
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
        if when.micros < last {
            hours += HOUR;
        }
        last = when.micros;
        let at = hours + when.micros;
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
