//! The short form of a transcript, for people to read and to write: who said what, line by line. It is written
//! here, and read in `text_line.rs`.
//!
//! ```text
//! S: * OK ready
//! C: a1 LOGIN alice <secret:password>
//! S: a1 OK in
//! C: a2 FETCH 1 BODY[TEXT]
//! S: * 1 FETCH (BODY[TEXT] {7}
//! S: hello
//! S: )
//! S\: a2 OK \xe9t\xe9
//! # connection 2
//! S: * BYE later
//! ```
//!
//! A line ends with CRLF on the wire; the octets of a literal are lines like all others, and the message
//! goes on behind them. The server's go-ahead for a client's literal stands behind the literal's header,
//! as it was said, or is left out. A line that is not printable UTF-8 has the prefix `C\: ` or `S\: `, and in it
//! `\\` and `\xNN` are escapes. Other lines that begin with `#` are comments; empty ones are passed
//! over. Behind a literal that was refused, the refusal stands before what the client said next, though
//! it may not have waited for it: else that would be the literal. A refusal that stands in no line of its
//! own (the server answered what the client said next, or without a tag) is `# the literal was refused`. Where a peer's own counts do not fit
//! what it sent, a comment says so, so that an import leaves them alone.
//!
//! A `\` at the end of a line with escapes stands for no CRLF: of a message that was cut off, or that ends with
//! LF alone (`C\: a1 NOOP\x0a\`).
//!
//! `# opaque from here on` stands before the octets of a connection that nobody read as messages: behind
//! a STARTTLS whose TLS passed through, say. They have no lines.
//!
//! Times, and what mailscope itself noticed or said, are not in it; but what it said to a server to
//! bring it to where an app's session stood (a connection that a replay added) is, as the client's.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Write};

use crate::event::{
    Awaited, Body, Event, Message, Passed, Peer, Piece, Reading, Recorded, RecordedBody,
    RecordedMessage, Said, ends_messages,
};
use crate::transcript::is_hidden;

/// The comment of a text in which counts do not fit, since a peer sent them so.
pub const COUNTS_AS_SENT: &str = "# the counts of literals are what was sent";

/// The comment of a text behind which a connection's octets, both peers', are opaque.
pub(super) const OPAQUE: &str = "opaque from here on";

/// The comment behind a client's literal that the server refused in no line of its own.
pub(super) const REFUSED: &str = "the literal was refused";

/// Writes the short form.
pub struct TextWriter<W> {
    out: W,
    /// [`COUNTS_AS_SENT`] is written.
    is_marked: bool,
    /// The command with a refused literal whose refusal comes, by connection.
    refused: HashMap<u64, Vec<u8>>,
    /// Connections whose client spoke last, and said a literal.
    behind_literal: HashSet<u64>,
    /// What clients said behind one that is refused.
    held: VecDeque<Spoken<'static>>,
    /// The connection that spoke last.
    conn: u64,
    /// Octets of the literal parts that no message has referred to yet.
    parts: HashMap<(u64, u64), Vec<u8>>,
    /// Connections that a replay added: mailscope logged in there itself.
    added: HashSet<u64>,
    /// Go-aheads for literals of a message that is not whole yet, with their connection.
    go_aheads: Vec<(u64, Vec<u8>)>,
    /// Connections whose octets are opaque from here on; whether [`OPAQUE`] is written.
    opaque: HashMap<u64, bool>,
}

/// What is written of a message, of a recorded one or of an event.
struct Spoken<'m> {
    conn: u64,
    n: u64,
    from: Peer,
    /// mailscope itself said it.
    is_own: bool,
    /// The other peer was not given it.
    is_withheld: bool,
    is_greeting: bool,
    is_go_ahead: bool,
    is_part: bool,
    /// A literal was announced in it, and refused.
    is_refused: bool,
    is_incomplete: bool,
    is_opaque: bool,
    bytes: Cow<'m, [u8]>,
    pieces: Cow<'m, [Piece]>,
}

impl<'m> Spoken<'m> {
    fn recorded(recorded: &'m Recorded) -> Option<Self> {
        let RecordedBody::Message(message) = &recorded.body else {
            return None;
        };
        let RecordedMessage {
            from,
            own,
            sent,
            kind,
            message,
            awaited,
            part,
            refused,
            incomplete,
            ..
        } = &**message;
        Some(Self {
            conn: recorded.conn,
            n: recorded.n,
            from: *from,
            is_own: *own,
            is_withheld: sent.as_ref().is_some_and(Message::is_empty),
            is_greeting: kind.as_deref() == Some("greeting"),
            is_go_ahead: *awaited == Some(Awaited::Literal),
            is_part: part.is_some(),
            is_refused: *refused,
            is_incomplete: *incomplete,
            is_opaque: kind.as_deref() == Some("opaque"),
            bytes: message.bytes().into(),
            pieces: message.pieces().into(),
        })
    }

    fn event(event: &'m Event) -> Option<Self> {
        let Body::Said(said) = &event.body else {
            return None;
        };
        let Said {
            from,
            wire,
            reading,
            passed,
            incomplete,
            ..
        } = &**said;
        Some(Self {
            conn: event.conn,
            n: event.n,
            from: *from,
            is_own: matches!(passed, Passed::Own),
            is_withheld: matches!(passed, Passed::Instead(sent) if sent.bytes().is_empty()),
            is_greeting: matches!(reading, Reading::Greeting { .. }),
            is_go_ahead: matches!(
                reading,
                Reading::ContinuationRequest {
                    awaited: Some(Awaited::Literal),
                    ..
                }
            ),
            is_part: matches!(reading, Reading::LiteralPart { .. }),
            is_refused: matches!(reading, Reading::Command { refused: true, .. }),
            is_incomplete: *incomplete,
            is_opaque: matches!(reading, Reading::Opaque),
            bytes: wire.bytes().into(),
            pieces: wire.pieces().into(),
        })
    }

    /// The same, to be kept.
    fn into_owned(self) -> Spoken<'static> {
        Spoken {
            bytes: Cow::Owned(self.bytes.into_owned()),
            pieces: Cow::Owned(self.pieces.into_owned()),
            ..self
        }
    }

    fn has_literal(&self) -> bool {
        let is_literal =
            |piece: &Piece| matches!(piece, Piece::Literal { .. } | Piece::Streamed { .. });
        self.pieces.iter().any(is_literal)
    }
}

/// Octets of one peer.
struct Run {
    from: Peer,
    octets: Vec<u8>,
}

impl<W: Write> TextWriter<W> {
    /// Nothing is written yet.
    pub fn new(out: W) -> Self {
        Self {
            out,
            is_marked: false,
            refused: HashMap::new(),
            behind_literal: HashSet::new(),
            held: VecDeque::new(),
            conn: 1,
            parts: HashMap::new(),
            added: HashSet::new(),
            go_aheads: Vec::new(),
            opaque: HashMap::new(),
        }
    }

    /// Writes what a peer said; passes over everything else.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&mut self, recorded: &Recorded) -> io::Result<()> {
        if let RecordedBody::Bare(Body::Note(finding)) = &recorded.body {
            self.found(recorded.conn, &finding.id);
        }
        Spoken::recorded(recorded).map_or(Ok(()), |spoken| self.spoken(spoken))
    }

    /// The same of an event.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_event(&mut self, event: &Event) -> io::Result<()> {
        if let Body::Note(finding) = &event.body {
            self.found(event.conn, &finding.id);
        }
        Spoken::event(event).map_or(Ok(()), |spoken| self.spoken(spoken))
    }

    fn found(&mut self, conn: u64, id: &str) {
        if ends_messages(id) {
            self.opaque.entry(conn).or_insert(false);
        }
    }

    fn spoken(&mut self, spoken: Spoken<'_>) -> io::Result<()> {
        if spoken.is_part {
            self.keep(&spoken);
            return Ok(());
        }
        if spoken.is_withheld && spoken.is_greeting {
            self.added.insert(spoken.conn);
        }
        let is_answer_to_us = spoken.is_withheld && spoken.from == Peer::Server;
        if (spoken.is_own || is_answer_to_us) && !self.added.contains(&spoken.conn) {
            return Ok(());
        }
        if spoken.is_go_ahead {
            self.go_aheads.push((spoken.conn, spoken.bytes.to_vec()));
            return Ok(());
        }
        if spoken.from == Peer::Client && self.refused.contains_key(&spoken.conn) {
            self.held.push_back(spoken.into_owned());
            return Ok(());
        }
        let tag = first_word(&spoken.bytes);
        while self.refused.get(&spoken.conn).is_some_and(|of| of != tag) {
            self.release_unsaid(spoken.conn)?;
        }
        // What a client says behind a literal, without an answer, may be taken for more of that.
        let is_behind = self.behind_literal.remove(&spoken.conn) && spoken.from == Peer::Client;
        let is_unread = spoken.is_opaque && self.opaque.contains_key(&spoken.conn);
        if !self.is_marked && !is_unread && (is_behind || !counts_fit(&spoken)) {
            self.is_marked = true;
            writeln!(self.out, "{COUNTS_AS_SENT}")?;
        }
        if spoken.from == Peer::Client && spoken.has_literal() {
            self.behind_literal.insert(spoken.conn);
        }
        if is_unread && self.opaque.get(&spoken.conn) == Some(&false) {
            self.opaque.insert(spoken.conn, true);
            self.go_on(spoken.conn)?;
            writeln!(self.out, "# {OPAQUE}")?;
        }
        for run in self.runs(&spoken) {
            self.write_run(spoken.conn, &run)?;
        }
        let refused = self.refused.get(&spoken.conn);
        if spoken.is_refused {
            self.refused.insert(spoken.conn, tag.to_vec());
        } else if refused.is_some_and(|refused| refused == tag) {
            return self.release(spoken.conn);
        }
        Ok(())
    }

    /// The same where no line says that it is refused.
    fn release_unsaid(&mut self, conn: u64) -> io::Result<()> {
        self.go_on(conn)?;
        writeln!(self.out, "# {REFUSED}")?;
        self.release(conn)
    }

    /// Writes what the client said behind a literal that is refused now.
    fn release(&mut self, conn: u64) -> io::Result<()> {
        self.refused.remove(&conn);
        let held = std::mem::take(&mut self.held);
        let (of_it, others): (VecDeque<_>, _) =
            held.into_iter().partition(|held| held.conn == conn);
        self.held = others;
        of_it.into_iter().try_for_each(|held| self.spoken(held))
    }

    /// Takes an event in that is not to be written; a part of a literal is, with its message, if that is.
    pub fn pass_over(&mut self, event: &Event) {
        if let Body::Note(finding) = &event.body {
            self.found(event.conn, &finding.id);
        }
        let Some(spoken) = Spoken::event(event) else {
            return;
        };
        if spoken.is_part {
            self.keep(&spoken);
            return;
        }
        for piece in spoken.pieces.iter() {
            if let Piece::Streamed { parts, .. } = piece {
                for part in parts.iter() {
                    self.parts.remove(&(spoken.conn, *part));
                }
            }
        }
    }

    /// What was written to; what is not whole is not in it.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn keep(&mut self, part: &Spoken<'_>) {
        self.parts.insert((part.conn, part.n), part.bytes.to_vec());
    }

    /// Hands everything on to what is written to.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(conn) = self.held.front().map(|held| held.conn) {
            self.release_unsaid(conn)?;
        }
        // Their messages never came.
        for (conn, octets) in std::mem::take(&mut self.go_aheads) {
            let from = Peer::Server;
            self.write_run(conn, &Run { from, octets })?;
        }
        self.out.flush()
    }

    /// Goes on with this connection.
    fn go_on(&mut self, conn: u64) -> io::Result<()> {
        if self.conn != conn {
            self.conn = conn;
            writeln!(self.out, "# connection {conn}")?;
        }
        Ok(())
    }

    fn write_run(&mut self, conn: u64, run: &Run) -> io::Result<()> {
        if run.octets.is_empty() {
            return Ok(());
        }
        self.go_on(conn)?;
        let (octets, last) = match run.octets.strip_suffix(b"\r\n") {
            Some(octets) => (octets, LineEnd::Crlf),
            None => (&run.octets[..], LineEnd::None),
        };
        let mut lines = lines(octets).peekable();
        while let Some(line) = lines.next() {
            let end = match lines.peek() {
                Some(_) => LineEnd::Crlf,
                None => last,
            };
            write_line(&mut self.out, run.from, line, end)?;
        }
        Ok(())
    }

    /// The message, with each go-ahead that it waited for behind the header of its literal.
    fn runs(&mut self, spoken: &Spoken<'_>) -> Vec<Run> {
        let (from, mut octets, mut runs) = (spoken.from, Vec::new(), Vec::new());
        let (conn, bytes) = (spoken.conn, &*spoken.bytes);
        for piece in spoken.pieces.iter() {
            match piece {
                Piece::Text(range) => {
                    let mut text = &bytes[range.clone()];
                    // A literal may stand in what was kept as one text.
                    while let Some((end, _)) = header_line(text).filter(|_| from == Peer::Client)
                        && end < text.len()
                        && let Some(go_ahead) = self.go_ahead(conn)
                    {
                        octets.extend_from_slice(&text[..end]);
                        let octets = std::mem::take(&mut octets);
                        runs.extend([Run { from, octets }, go_ahead]);
                        text = &text[end..];
                    }
                    octets.extend_from_slice(text);
                }
                Piece::Secret(secret, _) => {
                    octets.extend_from_slice(format!("<secret:{}>", secret.name()).as_bytes());
                }
                Piece::Literal { form, header, .. } | Piece::Streamed { form, header, .. } => {
                    octets.extend_from_slice(&bytes[header.clone()]);
                    let waited = from == Peer::Client && form.is_sync();
                    if let Some(go_ahead) = waited.then(|| self.go_ahead(conn)).flatten() {
                        let octets = std::mem::take(&mut octets);
                        runs.extend([Run { from, octets }, go_ahead]);
                    }
                    self.literal(conn, piece, bytes, &mut octets);
                }
            }
        }
        // A message may end where a literal was to begin.
        if runs.is_empty() || !octets.is_empty() {
            runs.push(Run { from, octets });
        }
        if from == Peer::Client {
            // One that was not of a literal after all, or whose literal was cut off.
            runs.extend(std::iter::from_fn(|| self.go_ahead(conn)));
        }
        runs
    }

    fn go_ahead(&mut self, conn: u64) -> Option<Run> {
        let place = self.go_aheads.iter().position(|(of, _)| *of == conn)?;
        let (_, octets) = self.go_aheads.remove(place);
        let from = Peer::Server;
        Some(Run { from, octets })
    }

    fn literal(&mut self, conn: u64, piece: &Piece, bytes: &[u8], octets: &mut Vec<u8>) {
        match piece {
            Piece::Literal { content, .. } => octets.extend_from_slice(&bytes[content.clone()]),
            Piece::Streamed { parts, .. } => {
                for part in parts.iter() {
                    octets.extend(self.parts.remove(&(conn, *part)).unwrap_or_default());
                }
            }
            Piece::Text(_) | Piece::Secret(..) => {}
        }
    }
}

fn first_word(octets: &[u8]) -> &[u8] {
    octets
        .split(|octet| *octet == b' ')
        .next()
        .unwrap_or_default()
}

/// Whether a reader that doubts counts finds nothing to doubt: what stands behind each literal goes on
/// with the message, and what looks like a header is one.
fn counts_fit(message: &Spoken<'_>) -> bool {
    let bytes = &*message.bytes;
    let (mut depth, mut has_literal, mut is_behind, mut header) = (0, false, false, false);
    for piece in message.pieces.iter() {
        let behind = std::mem::take(&mut is_behind);
        match piece {
            Piece::Text(range) => {
                let text = &bytes[range.clone()];
                if behind && !matches!(text, [b' ' | b')' | b'\r', ..]) {
                    return false;
                }
                // A literal may stand in what was kept as one text.
                let mut rest = text;
                header = false;
                while let Some((end, octets)) = header_line(rest) {
                    header = end == rest.len();
                    if header {
                        break;
                    }
                    has_literal = true;
                    depth += open_lists(&rest[..end]);
                    let behind = octets.checked_add(end).and_then(|at| rest.get(at..));
                    let Some(behind @ [b' ' | b')' | b'\r', ..]) = behind else {
                        return false;
                    };
                    rest = behind;
                }
                depth += open_lists(rest);
            }
            Piece::Literal { .. } | Piece::Streamed { .. } => {
                if behind {
                    return false;
                }
                (has_literal, is_behind, header) = (true, true, false);
            }
            Piece::Secret(..) => header = false,
        }
    }
    let closes = message.from == Peer::Client || depth == 0;
    !message.is_incomplete && (!has_literal || closes) && (!header || message.is_refused)
}

/// Where the first line that ends with a literal's header ends, and the octets that it announces.
pub(crate) fn header_line(text: &[u8]) -> Option<(usize, usize)> {
    let mut ends = memchr::memmem::find_iter(text, b"}\r\n");
    ends.find_map(|at| {
        let digits = text[..at].strip_suffix(b"+").unwrap_or(&text[..at]);
        let begins = digits.iter().rposition(|octet| *octet == b'{')?;
        let octets = str::from_utf8(&digits[begins + 1..]).ok()?.parse().ok()?;
        Some((at + b"}\r\n".len(), octets))
    })
}

/// How many lists this text leaves open, those of quoted strings not counted.
pub fn open_lists(text: &[u8]) -> i64 {
    let (mut depth, mut is_quoted, mut is_escaped) = (0, false, false);
    for octet in text {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'(' if !is_quoted => depth += 1,
            b')' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The octets between line ends.
fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(octets);
    std::iter::from_fn(move || {
        let octets = rest?;
        match memchr::memmem::find(octets, b"\r\n") {
            Some(end) => {
                rest = Some(&octets[end + 2..]);
                Some(&octets[..end])
            }
            None => rest.take(),
        }
    })
}

fn letter(from: Peer) -> char {
    match from {
        Peer::Client => 'C',
        Peer::Server => 'S',
    }
}

/// What stands behind a line's octets on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Crlf,
    None,
}

fn write_line(out: &mut impl Write, from: Peer, line: &[u8], end: LineEnd) -> io::Result<()> {
    let letter = letter(from);
    let printable =
        |text: &&str| end == LineEnd::Crlf && !text.chars().any(|c| c.is_control() || is_hidden(c));
    if let Some(text) = str::from_utf8(line).ok().filter(printable) {
        return writeln!(out, "{letter}: {text}");
    }
    write!(out, "{letter}\\: ")?;
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.write_all(b"\\\\")?,
                c if c.is_control() || is_hidden(c) => {
                    let mut buffer = [0; 4];
                    for octet in c.encode_utf8(&mut buffer).bytes() {
                        write!(out, "\\x{octet:02x}")?;
                    }
                }
                c => write!(out, "{c}")?,
            }
        }
        for octet in chunk.invalid() {
            write!(out, "\\x{octet:02x}")?;
        }
    }
    match end {
        LineEnd::Crlf => writeln!(out),
        LineEnd::None => writeln!(out, "\\"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read_text;
    use super::*;
    use crate::event::{LiteralForm, Message, Micros, Relation, Secret};

    fn recorded(conn: u64, from: Peer, message: Message) -> Recorded {
        Recorded {
            n: 1,
            conn,
            at: Micros(0),
            body: RecordedBody::Message(Box::new(RecordedMessage {
                from,
                own: false,
                sent: None,
                kind: None,
                message,
                awaited: None,
                tag: None,
                mechanism: None,
                identity: None,
                relation: Relation::None,
                part: None,
                refused: false,
                incomplete: false,
            })),
        }
    }

    fn written(messages: &[Recorded]) -> String {
        let mut out = Vec::new();
        let mut writer = TextWriter::new(&mut out);
        for message in messages {
            writer.write(message).unwrap();
        }
        writer.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_written_as_it_is_specified() {
        let mut login = Message::text(b"a1 LOGIN alice ");
        login.push_secret(Secret::Password);
        login.push_text(b"\r\n");
        let text = written(&[
            recorded(1, Peer::Server, Message::text(b"* OK ready\r\n")),
            recorded(1, Peer::Client, login),
            recorded(
                1,
                Peer::Server,
                Message::text(b"* 1 FETCH (BODY[TEXT] {7}\r\nhello\r\n)\r\n"),
            ),
            recorded(
                2,
                Peer::Server,
                Message::text(b"* OK \\ \xe9\t\xc3\xa9\r\n"),
            ),
        ]);
        assert_eq!(
            text,
            "S: * OK ready\nC: a1 LOGIN alice <secret:password>\nS: * 1 FETCH (BODY[TEXT] {7}\n\
             S: hello\nS: )\n# connection 2\nS\\: * OK \\\\ \\xe9\\x09é\n"
        );
    }

    /// In a transcript it stands before its command, which is whole only behind it.
    #[test]
    fn a_go_ahead_stands_behind_the_header_it_is_for() {
        let go_ahead = |conn| {
            let mut go_ahead = recorded(conn, Peer::Server, Message::text(b"+ go\r\n"));
            if let RecordedBody::Message(message) = &mut go_ahead.body {
                message.awaited = Some(Awaited::Literal);
            }
            go_ahead
        };
        let mut append = Message::text(b"a APPEND ");
        append.push_whole_literal(LiteralForm::Sync, b"{1}\r\n", b"x");
        append.push_text(b" ");
        append.push_whole_literal(LiteralForm::NonSync, b"{2+}\r\n", b"yz");
        append.push_text(b"\r\n");
        let text = written(&[go_ahead(2), go_ahead(1), recorded(1, Peer::Client, append)]);
        assert_eq!(
            text,
            "C: a APPEND {1}\nS: + go\nC: x {2+}\nC: yz\n# connection 2\nS: + go\n"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line) in [
            ("S: a\nx", 2),
            ("S\\: \\q", 1),
            ("C\\: \\x1", 1),
            ("\n\n# connection two", 3),
            ("Server: x", 1),
        ] {
            assert_eq!(read_text(text.as_bytes()).unwrap_err().0, line, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_octets_come_back(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let line = octets;
            let text = written(&[recorded(1, Peer::Client, Message::text(&line))]);
            let read = read_text(text.as_bytes()).unwrap();
            let joined: Vec<u8> = read.iter().flat_map(|line| line.octets.clone()).collect();
            prop_assert_eq!(joined, line);
        }
    }
}
