//! Labelled spans: what a stretch of a message's octets is.
//!
//! One mechanism for all that looks at a message: the terminal colours by label, the value tree is
//! built from them, and what could not be read is a label too, never an error.

use std::ops::Range;

use super::message::Secret;

/// What a stretch of octets is. The words are RFC 9051's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// `a1`, `*` or `+`, at a message's beginning.
    Tag,
    /// A command's name (`UID` and `FETCH` are two spans), or an untagged response's.
    Name,
    /// `OK`, `NO`, `BAD`, `PREAUTH` or `BYE`.
    Status,
    /// The `[` of a response code.
    CodeOpen,
    /// `UIDVALIDITY` in `[UIDVALIDITY 3]`.
    CodeName,
    /// The `]` of a response code.
    CodeClose,
    /// Any other atom, a flag and `BODY[HEADER]` included.
    Atom,
    /// Digits alone.
    Number,
    /// `NIL`.
    Nil,
    /// A quoted string with its quotes.
    Quoted,
    /// `{3}` with its line end.
    LiteralHeader,
    /// A literal's octets.
    Literal,
    /// `(`.
    ListOpen,
    /// `)`.
    ListClose,
    /// Human-readable text.
    Text,
    /// A SASL challenge or response, an IDLE line.
    Line,
    /// A masked secret.
    Secret(Secret),
    /// What no rule of the grammar fits.
    Malformed,
}

/// A labelled stretch of a message's octets.
///
/// The spans of a message are ordered, do not overlap and lie within its octets; between them is
/// white space or a line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which octets.
    pub range: Range<usize>,
    /// What they are.
    pub label: Label,
}
