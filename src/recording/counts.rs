//! Whether the counts of literals in a text fit what is written behind them.
//!
//! ```text
//! S: * 1 FETCH (BODY[TEXT] {7}       {70}: everything behind it would be the literal's
//! S: hello                           {3}:  `lo` would go on with the message
//! S: )
//! ```
//!
//! Whoever edits a text by hand forgets them, and gets to know the line. A transcript in JSON has no
//! counts, and what a peer got wrong itself can be replayed from there.

use std::collections::HashMap;

use crate::event::{Label, Peer, Piece, Reading, Said};
use crate::transcript::TextLine;

/// The messages that go on, by connection and peer.
#[derive(Default)]
pub(super) struct Counts {
    open: HashMap<(u64, Peer), Open>,
}

struct Open {
    /// The line in which the message begins.
    begins: u64,
    /// Whether a literal header was written last, which the server may refuse.
    may_be_refused: bool,
}

/// A line and what is wrong in it.
pub(super) type Wrong = (u64, String);

impl Counts {
    /// A line comes next. Nobody else's message may be unfinished, but for a client's that waits for
    /// its literal's go-ahead.
    pub(super) fn before(&mut self, line: &TextLine) -> Result<(), Wrong> {
        let own = (line.conn, line.from);
        let mut others = self.open.iter().filter(|(key, _)| **key != own);
        match others.find(|(_, open)| !open.may_be_refused) {
            Some((_, open)) => Err(too_large(open, &format!("line {}", line.number))),
            None => Ok(()),
        }
    }

    /// The server refused the literal that this connection's client has announced.
    pub(super) fn refused(&mut self, conn: u64) {
        self.open.remove(&(conn, Peer::Client));
    }

    /// The line was read, and this came of it, in order.
    pub(super) fn after<'s>(
        &mut self,
        line: &TextLine,
        said: impl Iterator<Item = &'s Said>,
    ) -> Result<(), Wrong> {
        let key = (line.conn, line.from);
        let begins = self.open.get(&key).map_or(line.number, |open| open.begins);
        let mut is_whole = false;
        let parts = |said: &&Said| matches!(said.reading, Reading::LiteralPart { .. });
        for said in said.filter(|said| !parts(said)) {
            // A client's message may be whole because the server refused its literal.
            self.open.remove(&(line.conn, said.from));
            is_whole |= said.from == line.from;
            if !goes_on(said) {
                return Err((begins, DOES_NOT_GO_ON.into()));
            }
        }
        if !is_whole {
            let may_be_refused = line.from == Peer::Client && line.octets.ends_with(b"}\r\n");
            let open = Open {
                begins,
                may_be_refused,
            };
            self.open.insert(key, open);
        }
        Ok(())
    }

    /// There are no more lines.
    pub(super) fn end(&self) -> Result<(), Wrong> {
        match self.open.values().find(|open| !open.may_be_refused) {
            Some(open) => Err(too_large(open, "the end")),
            None => Ok(()),
        }
    }
}

const DOES_NOT_GO_ON: &str = "what is written behind a literal of this message does not go on with it: \
                              the literal's count of octets is wrong, or what is written";

fn too_large(open: &Open, until: &str) -> Wrong {
    let why = format!(
        "a literal of this message has fewer octets than its count says, up to {until} (each line end counts as two)"
    );
    (open.begins, why)
}

/// Whether what stands behind each literal can stand there: an end, of the message or of a list, or a
/// space and more; with as many ends of lists as beginnings.
fn goes_on(said: &Said) -> bool {
    let bytes = said.wire.bytes();
    let is_literal =
        |piece: &&Piece| matches!(piece, Piece::Literal { .. } | Piece::Streamed { .. });
    let mut literals = said.wire.pieces().iter().filter(is_literal).peekable();
    let behind = |piece: &Piece| bytes.get(piece.range().end);
    let may_stand = |octet: &u8| matches!(octet, b' ' | b')' | b'\r' | b'\n');
    let of = |label: Label| said.spans.iter().filter(|span| span.label == label).count();
    literals.peek().is_none()
        || (literals.filter_map(behind).all(may_stand)
            && of(Label::ListOpen) == of(Label::ListClose))
}
