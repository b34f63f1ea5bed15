//! What a single line tells about who says it, and about a literal behind it.

use crate::event::Status;
use crate::protocol::imap::is_command;

pub use crate::transcript::open_lists as depth;

/// Whether it is a server's: `* `, `+ `, or a tag with a status.
pub fn server_says(line: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ');
    match (words.next(), words.next()) {
        (Some(b"*" | b"+"), Some(_)) | (Some(b"+"), None) => true,
        (Some(tag), Some(status)) => is_tag(tag) && Status::parse(status).is_some(),
        _ => false,
    }
}

/// Whether it greets.
pub fn greets(line: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ');
    words.next() == Some(b"*")
        && matches!(
            words.next().and_then(Status::parse),
            Some(Status::Ok | Status::Preauth)
        )
}

/// Whether it answers the command with this tag.
pub fn answers(line: &[u8], tag: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ');
    words.next() == Some(tag) && words.next().and_then(Status::parse).is_some()
}

/// Whether it is a client's: a tag with a command that is known.
pub fn client_says(line: &[u8]) -> bool {
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

/// Whether the line is human-readable text, in which `{3}` is no literal: a status response's, or that
/// of a continuation request.
pub fn is_text(line: &[u8]) -> bool {
    let mut words = line.split(|octet| octet.is_ascii_whitespace());
    let (first, second) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    first == b"+" || Status::parse(second).is_some()
}

/// A literal's header at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where its `{` stands.
    pub start: usize,
    /// The octets that it announces.
    pub octets: u64,
    /// Whether the client that sends it waits for a go-ahead.
    pub waits: bool,
}

/// The header that this line, without its line end, ends with.
pub fn header(line: &[u8]) -> Option<Header> {
    let inner = line.strip_suffix(b"}")?;
    let start = inner.iter().rposition(|octet| *octet == b'{')?;
    let digits = &inner[start + 1..];
    let (digits, waits) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let octets = is_number.then(|| str::from_utf8(digits).ok()?.parse().ok());
    Some(Header {
        start,
        octets: octets.flatten()?,
        waits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_who_says_it() {
        for line in ["* OK hi", "+", "+ go", "a1 OK done", ". BAD what"] {
            assert!(server_says(line.as_bytes()), "{line}");
            assert!(!client_says(line.as_bytes()), "{line}");
        }
        for line in ["a1 NOOP", "RUBY0001 uid fetch 1 X", "1 LOGIN <user> <pass>"] {
            assert!(client_says(line.as_bytes()), "{line}");
            assert!(!server_says(line.as_bytes()), "{line}");
        }
        for line in ["", "hello", "DEBUG IMAP: AUTH: PLAIN", "* Connected to x"] {
            assert!(!client_says(line.as_bytes()), "{line}");
        }
        assert!(greets(b"* OK hi") && !greets(b"* BYE") && !greets(b"*   Trying 127.0.0.1:143..."));
        assert!(answers(b"a1 OK", b"a1") && !answers(b"a1 NOOP", b"a1"));
    }

    #[test]
    fn a_header_is_found_at_the_end() {
        let found = |line: &str| {
            header(line.as_bytes()).map(|header| (header.start, header.octets, header.waits))
        };
        assert_eq!(found("a APPEND x {3}"), Some((11, 3, true)));
        assert_eq!(found("a APPEND x {03+}"), Some((11, 3, false)));
        for line in ["a {3} ", "{}", "{+}", "a {-1}", "{x}", "3}"] {
            assert_eq!(found(line), None, "{line}");
        }
        assert_eq!(depth(b"* 1 FETCH (A \"(\\\"(\" (B) C"), 1);
    }
}
