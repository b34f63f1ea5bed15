//! A breach of a rule: which one, by whom, and in which octets.

use std::ops::Range;

use super::rule::Rule;
use crate::event::{Label, Micros, Peer, Piece, Reading, Said};
use crate::limits;

/// A breach of a rule.
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The number of the event in which it shows.
    pub n: u64,
    /// The connection's number.
    pub conn: u64,
    /// When.
    pub at: Micros,
    /// Who is to blame.
    pub blame: Peer,
    /// What is special about this case.
    pub about: Option<String>,
    /// What was said; none for what shows in something else than a message.
    pub quote: Option<Quote>,
}

/// A message, or a part of it, with the octets that are wrong.
pub struct Quote {
    /// Who said it.
    pub from: Peer,
    /// The octets, without what is secret.
    pub octets: Vec<u8>,
    /// Those that are wrong.
    pub wrong: Range<usize>,
    /// The octet of the message that is the first here.
    pub start: usize,
    /// Octets follow that are not here.
    pub cut: bool,
}

impl Quote {
    /// Of a message; `wrong` are octets of its wire. `suspected` is one that may be a password.
    pub(super) fn new(said: &Said, wrong: Range<usize>, suspected: bool) -> Self {
        if suspected || has_secret(said) {
            return Self::without_secret(said);
        }
        let bytes = said.wire.bytes();
        let wrong = wrong.start.min(bytes.len())..wrong.end.clamp(wrong.start, bytes.len());
        let spare = limits::QUOTED.saturating_sub(wrong.len());
        let start = match wrong.end <= limits::QUOTED {
            true => 0,
            false => wrong.start - wrong.start.min(spare / 2),
        };
        let end = bytes.len().min(start + limits::QUOTED);
        Self {
            from: said.from,
            octets: bytes[start..end].to_vec(),
            wrong: wrong.start - start..wrong.end.min(end) - start,
            start,
            cut: end < bytes.len(),
        }
    }

    /// The tag and the name of what logs in, and nothing else of it.
    fn without_secret(said: &Said) -> Self {
        let head = said.spans.iter().take(2);
        let mut end = head.filter(|span| matches!(span.label, Label::Tag | Label::Name));
        let end = end.next_back().map_or(0, |span| span.range.end);
        Self {
            from: said.from,
            octets: said.wire.bytes()[..end].to_vec(),
            wrong: 0..end,
            start: 0,
            cut: end < said.wire.bytes().len(),
        }
    }
}

/// Whether it may hold a secret, in a recording with secrets shown as well: findings are passed
/// around.
fn has_secret(said: &Said) -> bool {
    let is_masked = |piece: &Piece| matches!(piece, Piece::Secret(..));
    said.wire.pieces().iter().any(is_masked)
        || match &said.reading {
            Reading::Command { name, .. } => {
                matches!(name.as_deref(), Some("LOGIN" | "AUTHENTICATE"))
            }
            Reading::Continuation { mechanism, .. } => mechanism.is_some(),
            _ => false,
        }
}
