//! The marks by which logs say who speaks.
//!
//! ```text
//! C: a1 NOOP                    S: a1 OK            mailscope, MailKit, Ruby's Net::IMAP, the RFCs
//! 2023-11-11T10:11:12Z C: ...                       any time before the mark
//! > a1 NOOP                     < a1 OK             curl -v; >> <<, >>> <<<, -> <-, --> <--
//! Client: a1 NOOP               Server: a1 OK       CLIENT:, client:, C>, S<
//! fetchmail: IMAP> a1 NOOP      fetchmail: IMAP< a1 OK
//! [2026-11-26 00:47:01] 4> a1 NOOP                  mutt -d 5: 4 is a file's number
//! [2026-11-26 00:47:01]<2> function() 4> a1 NOOP    neomutt -d 5
//! ```

use super::speech::{client_says, server_says};
use super::when::{When, leading};
use crate::event::Peer;
use crate::transcript::{says_opaque, says_refused};

/// Marks that are not mailscope's own, the longer first.
const MARKS: [(&[u8], Peer); 18] = [
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
    (b">>", Peer::Client),
    (b"<<", Peer::Server),
    (b"> ", Peer::Client),
    (b"< ", Peer::Server),
];

/// Those of fetchmail, which may stand behind half a line of its own.
const FETCHMAIL: [(&[u8], Peer); 2] = [(b": IMAP> ", Peer::Client), (b": IMAP< ", Peer::Server)];

/// What MailKit, curl and mutt say when a connection begins.
const CONNECTED: [&[u8]; 2] = [b"Connected to ", b"* Connected to "];

/// A line that tells who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// With mailscope's and MailKit's marks, which are still there.
    Own(&'a [u8]),
    /// With others, without them.
    Marked(Peer, &'a [u8]),
    /// The connection with this number goes on.
    Connection(u64),
    /// A connection begins, to this address or URL.
    ConnectedTo(&'a [u8]),
    /// A comment.
    Comment,
    /// What the connection's peers say from here on is of no messages.
    Opaque,
    /// The server refused the literal that the connection's client has announced.
    Refused,
    Empty,
    /// The log's own.
    Other,
}

impl<'a> Line<'a> {
    /// Of a line without its line end; when it was written, if it says so.
    pub fn of(line: &'a [u8]) -> (Option<When>, Self) {
        let (when, line) = match leading(line) {
            Some((when, rest)) => (Some(when), rest),
            None => (None, line),
        };
        if let Some((from, said)) = of_mutt(line, when.is_some()) {
            return (when, Self::Marked(from, said));
        }
        (when, Self::marked(line))
    }

    fn marked(line: &'a [u8]) -> Self {
        if let Some(comment) = line.strip_prefix(b"#") {
            if says_opaque(comment) {
                return Self::Opaque;
            }
            if says_refused(comment) {
                return Self::Refused;
            }
            let mut words = comment
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let number = (words.next() == Some(b"connection"))
                .then(|| words.next())
                .flatten();
            let number = number.and_then(|word| str::from_utf8(word).ok()?.parse().ok());
            return number.map_or(Self::Comment, Self::Connection);
        }
        if line.trim_ascii().is_empty() {
            return Self::Empty;
        }
        let address = CONNECTED.iter().find_map(|words| line.strip_prefix(*words));
        if let Some(address) = address.filter(|address| is_address(address)) {
            return Self::ConnectedTo(address);
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
        for (mark, from) in FETCHMAIL {
            if let Some(at) = memchr::memmem::find(line, mark) {
                return Self::Marked(from, &line[at + mark.len()..]);
            }
        }
        Self::Other
    }

    /// Whether it can be a line of such a log and of nothing else, the first of which decides.
    pub fn decides(line: &'a [u8]) -> bool {
        match Self::of(line).1 {
            Self::Own(_) | Self::Connection(_) | Self::Opaque | Self::Refused => true,
            Self::Comment => line.starts_with(b"# ") || line == b"#",
            Self::ConnectedTo(address) => address.starts_with(b"imap"),
            // People quote mail with > as well.
            Self::Marked(Peer::Client, said) => client_says(said),
            Self::Marked(Peer::Server, said) => server_says(said),
            Self::Empty | Self::Other => false,
        }
    }
}

/// `imaps://localhost:993/`, `localhost (127.0.0.1) port 993`, `localhost:993 on fd=4`
fn is_address(text: &[u8]) -> bool {
    let mut words = text.split(|octet| *octet == b' ');
    let port = words
        .next()
        .unwrap_or_default()
        .rsplit(|octet| *octet == b':')
        .next();
    text.starts_with(b"imap")
        || memchr::memmem::find(text, b") port ").is_some()
        || (words.next() == Some(b"on")
            && port.is_some_and(|port| port.iter().all(u8::is_ascii_digit)))
}

/// `4> a1 NOOP` behind a time, and `<2> function() 4> a1 NOOP`.
fn of_mutt(line: &[u8], has_time: bool) -> Option<(Peer, &[u8])> {
    let (rest, has_level) = match line.strip_prefix(b"<") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    if !has_time {
        return None;
    }
    let rest = match has_level {
        false => rest,
        true => {
            let at = memchr::memmem::find(rest, b"() ")?;
            &rest[at + b"() ".len()..]
        }
    };
    let digits = rest
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    match rest[digits..] {
        [b'>', b' ', ref said @ ..] if digits > 0 => Some((Peer::Client, said)),
        [b'<', b' ', ref said @ ..] if digits > 0 => Some((Peer::Server, said)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_read() {
        for (line, from, said) in [
            ("> a NOOP", Peer::Client, "a NOOP"),
            ("<< * OK", Peer::Server, "* OK"),
            (">>>a NOOP", Peer::Client, "a NOOP"),
            ("[2026-11-26 00:47:01] 4< * OK hi", Peer::Server, "* OK hi"),
            (
                "[2026-11-26 00:47:01]<5> mutt_socket_readln_d() 11< )",
                Peer::Server,
                ")",
            ),
            ("fetchmail: IMAP> A1 NOOP", Peer::Client, "A1 NOOP"),
            (" (29 body octets)fetchmail: IMAP< )", Peer::Server, ")"),
        ] {
            assert_eq!(
                Line::of(line.as_bytes()).1,
                Line::Marked(from, said.as_bytes()),
                "{line}"
            );
        }
        for line in [
            "[2026-11-26 00:47:01] IMAP queue drained",
            "hello",
            "} [5 bytes data]",
        ] {
            assert_eq!(Line::of(line.as_bytes()).1, Line::Other, "{line}");
        }
    }

    #[test]
    fn a_quoted_mail_decides_nothing() {
        for line in ["> hello there", "< b>", "Connected to the matrix", "hello"] {
            assert!(!Line::decides(line.as_bytes()), "{line}");
        }
        assert!(Line::decides(b"> a1 NOOP") && Line::decides(b"C: what"));
    }
}
