//! One message as it was read: its octets in order, and which of them are text, which a literal.
//!
//! Not an interpretation: the pieces say how the octets were framed, nothing of what they mean. A
//! [`Message`] may hold secrets and so has no way to a sink; the [`Gate`](super::Gate) turns it
//! into a [`Sealed`](super::Sealed) one.

use std::ops::{Deref, Range};

use smallvec::SmallVec;

use super::value::decimal;

/// What stands in a sealed message where a secret was: always 8 octets, whatever the secret's
/// length (contract, "Masks").
pub const MASK: &[u8; 8] = b"********";

/// How a literal was announced (RFC 9051, section 4.3; RFC 7888; RFC 3516).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LiteralForm {
    /// `{3}`: a client waits for the server's `+`; a server just sends.
    Sync,
    /// `{3+}`: no waiting (LITERAL+, LITERAL-).
    NonSync,
    /// `~{3}`: may hold NUL octets (BINARY).
    Literal8,
    /// `~{3+}`: both.
    Literal8NonSync,
}

impl LiteralForm {
    /// The form's name in a transcript; `None` for `sync`, which is left out there.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Sync => None,
            Self::NonSync => Some("nonsync"),
            Self::Literal8 => Some("literal8"),
            Self::Literal8NonSync => Some("literal8-nonsync"),
        }
    }

    /// The form with this name in a transcript.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sync" => Some(Self::Sync),
            "nonsync" => Some(Self::NonSync),
            "literal8" => Some(Self::Literal8),
            "literal8-nonsync" => Some(Self::Literal8NonSync),
            _ => None,
        }
    }

    /// Whether the sender goes on without a continuation request.
    pub fn is_sync(self) -> bool {
        matches!(self, Self::Sync | Self::Literal8)
    }

    /// The header that announces `octets` octets in this form, as RFC 9051 writes it.
    pub fn header(self, octets: u64) -> String {
        let (before, behind) = self.around();
        format!("{before}{octets}{behind}")
    }

    /// Whether that is the header.
    pub fn has_header(self, header: &[u8], octets: u64) -> bool {
        let (before, behind) = self.around();
        let count = header
            .strip_prefix(before.as_bytes())
            .and_then(|header| header.strip_suffix(behind.as_bytes()));
        let is_canonical = |count: &&[u8]| count.len() == 1 || !count.starts_with(b"0");
        count.filter(is_canonical).and_then(decimal) == Some(octets)
    }

    /// What stands before and behind the count.
    fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Sync => ("{", "}\r\n"),
            Self::NonSync => ("{", "+}\r\n"),
            Self::Literal8 => ("~{", "}\r\n"),
            Self::Literal8NonSync => ("~{", "+}\r\n"),
        }
    }
}

/// What may not leave this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Secret {
    /// A server's SASL challenge that carries key material (SCRAM, RFC 5802).
    Challenge,
    /// A password, or a value once masked that came again.
    Password,
    /// A client's SASL response, initial or later (RFC 9051, section 6.2.2).
    Sasl,
    /// Octets before authentication that are no known command.
    Unreadable,
    /// A URLAUTH token (RFC 4467).
    Urlauth,
}

impl Secret {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Challenge,
        Self::Password,
        Self::Sasl,
        Self::Unreadable,
        Self::Urlauth,
    ];

    /// The name in a transcript's `{"secret":NAME}`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Password => "password",
            Self::Sasl => "sasl",
            Self::Unreadable => "unreadable",
            Self::Urlauth => "urlauth",
        }
    }

    /// The secret with this name in a transcript. An unknown name is a secret still.
    pub fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|secret| secret.name() == name)
            .unwrap_or(Self::Unreadable)
    }
}

/// How a run of octets in a message was framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text outside of literals, line ends included.
    Text(Range<usize>),
    /// A literal held whole: its header with the line end, then its octets.
    Literal {
        /// How it was announced.
        form: LiteralForm,
        /// The header as it was read, `{3}` and line end.
        header: Range<usize>,
        /// The octets.
        content: Range<usize>,
    },
    /// A literal too large to hold: its octets went out as `literal_part` events.
    Streamed {
        /// How it was announced.
        form: LiteralForm,
        /// The header as it was read, `{3}` and line end.
        header: Range<usize>,
        /// Octets in all parts together.
        octets: u64,
        /// The parts' numbers: those of the connection's own count until the event is numbered.
        parts: Parts,
    },
    /// A masked secret; the octets here are [`MASK`].
    Secret(Secret, Range<usize>),
}

/// The numbers of the parts of a streamed literal. They stand elsewhere: hardly a message has any, and the
/// pieces of all messages are as large as the largest is.
#[expect(
    clippy::box_collection,
    reason = "a pointer is what the piece is to hold"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(Box<Vec<u64>>);

impl Deref for Parts {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.0
    }
}

impl Piece {
    /// The octets of the message that the piece covers, header included.
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Text(range) | Self::Secret(_, range) => range.clone(),
            Self::Literal {
                header, content, ..
            } => header.start..content.end,
            Self::Streamed { header, .. } => header.clone(),
        }
    }
}

/// One message: a command, a response, a continuation, or a run of opaque octets.
///
/// The pieces cover the octets without gap or overlap, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
    /// Most messages are one line of text, or have one literal in it; those pieces have their place here.
    pieces: SmallVec<[Piece; 3]>,
}

impl Message {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// A message of text alone.
    pub fn text(bytes: &[u8]) -> Self {
        let mut message = Self::new();
        message.push_text(bytes);
        message
    }

    /// As [`text`](Self::text), of octets that are not copied.
    pub fn owning(bytes: Vec<u8>) -> Self {
        let mut message = Self::new();
        if !bytes.is_empty() {
            message.pieces.push(Piece::Text(0..bytes.len()));
        }
        message.bytes = bytes;
        message
    }

    /// Makes room for so many octets more, that are sure to come.
    pub fn reserve(&mut self, octets: usize) {
        self.bytes.reserve(octets);
    }

    /// The octets in order; a streamed literal's are not among them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How the octets were framed.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds text; joined to the text before it.
    pub fn push_text(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        match self.pieces.last_mut() {
            Some(Piece::Text(range)) => range.end = self.bytes.len(),
            _ => self.pieces.push(Piece::Text(start..self.bytes.len())),
        }
    }

    /// Takes away as many of the last octets, as far as they are text.
    pub fn split_off_text(&mut self, octets: usize) -> Vec<u8> {
        let Some(Piece::Text(range)) = self.pieces.last_mut() else {
            return Vec::new();
        };
        range.end = range.end.saturating_sub(octets).max(range.start);
        let rest = self.bytes.split_off(range.end);
        if range.start == range.end {
            self.pieces.pop();
        }
        rest
    }

    /// Takes the last `octets` octets of text, a literal header, out of the text and begins an
    /// empty literal with them.
    pub fn begin_literal(&mut self, form: LiteralForm, octets: usize) {
        let header = self.cut_header(octets);
        let content = self.bytes.len()..self.bytes.len();
        self.pieces.push(Piece::Literal {
            form,
            header,
            content,
        });
    }

    /// As [`begin_literal`](Self::begin_literal), for one whose octets go out as parts.
    pub fn begin_streamed(&mut self, form: LiteralForm, header_octets: usize) {
        let header = self.cut_header(header_octets);
        self.pieces.push(Piece::Streamed {
            form,
            header,
            octets: 0,
            parts: Parts::default(),
        });
    }

    fn cut_header(&mut self, octets: usize) -> Range<usize> {
        let end = self.bytes.len();
        let start = end.saturating_sub(octets);
        if let Some(Piece::Text(range)) = self.pieces.last_mut() {
            range.end = start.max(range.start);
            if range.start >= range.end {
                self.pieces.pop();
            }
        }
        start..end
    }

    /// Adds octets to the literal that was begun last.
    pub fn push_literal(&mut self, bytes: &[u8]) {
        if let Some(Piece::Literal { content, .. }) = self.pieces.last_mut() {
            self.bytes.extend_from_slice(bytes);
            content.end = self.bytes.len();
        }
    }

    /// Adds a part of the streamed literal that was begun last.
    pub fn push_part(&mut self, number: u64, length: u64) {
        if let Some(Piece::Streamed { octets, parts, .. }) = self.pieces.last_mut() {
            *octets += length;
            parts.0.push(number);
        }
    }

    /// Adds a masked secret.
    pub fn push_secret(&mut self, secret: Secret) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(MASK);
        self.pieces
            .push(Piece::Secret(secret, start..self.bytes.len()));
    }

    /// The same message with the octets in `secrets` (ordered, not overlapping) masked. A piece
    /// that a range only touches is cut there; a literal that a range touches is masked whole.
    pub(super) fn masked(&self, secrets: &[(Range<usize>, Secret)]) -> Self {
        let mut masked = Self::new();
        let mut position = 0;
        for (range, secret) in secrets {
            let range = self.widened(range);
            if range.start < position {
                continue; // a literal that an earlier range masked already
            }
            masked.push_pieces(self, position..range.start);
            masked.push_secret(*secret);
            position = range.end;
        }
        masked.push_pieces(self, position..self.bytes.len());
        masked
    }

    /// The range, grown to whole literals.
    fn widened(&self, range: &Range<usize>) -> Range<usize> {
        let mut wide = range.clone();
        for piece in self.pieces_in(range) {
            if !matches!(piece, Piece::Text(_)) {
                let covered = piece.range();
                wide = wide.start.min(covered.start)..wide.end.max(covered.end);
            }
        }
        wide
    }

    /// The pieces that the range touches. A message may have very many, and very many secrets.
    fn pieces_in(&self, range: &Range<usize>) -> impl Iterator<Item = &Piece> {
        let end = range.end;
        let first = self
            .pieces
            .partition_point(|piece| piece.range().end <= range.start);
        self.pieces[first..]
            .iter()
            .take_while(move |piece| piece.range().start < end)
    }

    /// The piece that begins at `start`.
    pub(super) fn piece_at(&self, start: usize) -> Option<&Piece> {
        self.pieces_in(&(start..start + 1)).next()
    }

    fn push_pieces(&mut self, from: &Self, range: Range<usize>) {
        for piece in from.pieces_in(&range) {
            let covered = piece.range();
            let part = covered.start.max(range.start)..covered.end.min(range.end);
            if part.start >= part.end {
                continue;
            }
            match piece {
                Piece::Text(_) => self.push_text(&from.bytes[part]),
                Piece::Secret(secret, _) => self.push_secret(*secret),
                Piece::Literal {
                    form,
                    header,
                    content,
                } => {
                    self.bytes.extend_from_slice(&from.bytes[header.clone()]);
                    let header = self.bytes.len() - header.len()..self.bytes.len();
                    self.bytes.extend_from_slice(&from.bytes[content.clone()]);
                    let content = header.end..self.bytes.len();
                    self.pieces.push(Piece::Literal {
                        form: *form,
                        header,
                        content,
                    });
                }
                Piece::Streamed {
                    form,
                    header,
                    octets,
                    parts,
                } => {
                    self.bytes.extend_from_slice(&from.bytes[header.clone()]);
                    let header = self.bytes.len() - header.len()..self.bytes.len();
                    self.pieces.push(Piece::Streamed {
                        form: *form,
                        header,
                        octets: *octets,
                        parts: parts.clone(),
                    });
                }
            }
        }
    }

    /// Gives the parts of streamed literals their final numbers.
    pub(super) fn renumber_parts(&mut self, mut number: impl FnMut(u64) -> u64) {
        for piece in &mut self.pieces {
            if let Piece::Streamed { parts, .. } = piece {
                for part in parts.0.iter_mut() {
                    *part = number(*part);
                }
            }
        }
    }

    /// A literal with the header that was read, for a reader of transcripts.
    pub fn push_whole_literal(&mut self, form: LiteralForm, header: &[u8], content: &[u8]) {
        self.push_text(header);
        self.begin_literal(form, header.len());
        self.push_literal(content);
    }

    /// A streamed literal with the header that was read, for a reader of transcripts.
    pub fn push_whole_streamed(
        &mut self,
        form: LiteralForm,
        header: &[u8],
        octets: u64,
        parts: Vec<u64>,
    ) {
        self.push_text(header);
        self.begin_streamed(form, header.len());
        if let Some(Piece::Streamed {
            octets: o,
            parts: p,
            ..
        }) = self.pieces.last_mut()
        {
            *o = octets;
            *p = Parts(Box::new(parts));
        }
    }

    /// The same pieces over other octets, of which there are as many.
    ///
    /// # Panics
    ///
    /// There are more or fewer.
    #[must_use = "the message with other octets is returned, not changed in place"]
    pub fn with_octets(&self, octets: Vec<u8>) -> Self {
        assert_eq!(
            octets.len(),
            self.bytes.len(),
            "the pieces are ranges of them"
        );
        Self {
            bytes: octets,
            pieces: self.pieces.clone(),
        }
    }

    /// Octets on the wire, where a secret counts as 8 and a streamed literal's octets are counted.
    pub fn octets(&self) -> u64 {
        let streamed: u64 = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Streamed { octets, .. } => *octets,
                _ => 0,
            })
            .sum();
        self.bytes.len() as u64 + streamed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::assert_linear;

    fn login_with_literals() -> Message {
        let mut message = Message::new();
        message.push_text(b"a LOGIN {5}\r\n");
        message.begin_literal(LiteralForm::Sync, 5);
        message.push_literal(b"alice");
        message.push_text(b" {7+}\r\n");
        message.begin_literal(LiteralForm::NonSync, 6);
        message.push_literal(b"hunter2");
        message.push_text(b"\r\n");
        message
    }

    #[test]
    fn pieces_cover_all_octets_in_order() {
        let message = login_with_literals();
        assert_eq!(message.bytes(), b"a LOGIN {5}\r\nalice {7+}\r\nhunter2\r\n");
        let mut end = 0;
        for piece in message.pieces() {
            assert_eq!(piece.range().start, end);
            end = piece.range().end;
        }
        assert_eq!(end, message.bytes().len());
    }

    #[test]
    fn a_masked_literal_loses_header_and_octets() {
        let message = login_with_literals();
        let secret = message
            .bytes()
            .windows(3)
            .position(|w| w == b"hun")
            .unwrap();
        let masked = message.masked(&[(secret..secret + 1, Secret::Password)]);
        assert_eq!(masked.bytes(), b"a LOGIN {5}\r\nalice ********\r\n");
        assert_eq!(masked.pieces().len(), 5);
    }

    /// So many literals, and a secret in each.
    fn literals(number: usize) -> (Message, Vec<(Range<usize>, Secret)>) {
        let mut message = Message::new();
        let mut secrets = Vec::new();
        for _ in 0..number {
            message.push_text(b" {4}\r\n");
            message.begin_literal(LiteralForm::Sync, 5);
            let start = message.bytes().len();
            message.push_literal(b"pass");
            secrets.push((start..start + 4, Secret::Password));
        }
        (message, secrets)
    }

    #[test]
    fn very_many_literals_with_a_secret_each_are_masked_in_one_pass() {
        let (message, secrets) = literals(1000);
        assert_eq!(message.masked(&secrets).bytes().len(), 9000);
        assert_linear(1000, literals, |(message, secrets)| {
            message.masked(secrets);
        });
    }

    #[test]
    fn masking_inside_text_keeps_what_stands_around_it() {
        let message = Message::text(b"* NO wrong: hunter2!\r\n");
        let masked = message.masked(&[(12..19, Secret::Password)]);
        assert_eq!(masked.bytes(), b"* NO wrong: ********!\r\n");
    }
}
