//! What a peer said: the message in its own words, its mark, its margin.
//!
//! ```text
//! C: a3 APPEND Drafts {9} A draft.                                             #7
//! S:   * 3 EXISTS                                                            → a3
//! S: a3 ✗ NO [OVERQUOTA] no room                                            12 ms
//! ```
//!
//! The mark stands before the word OK, NO, BAD or BYE; everything else in the row up to the margin
//! is the message. A literal's header is followed by a space here, where the wire has a line end.
//! Remarks below the message are [`remark`](super::remark)'s.

use std::ops::Range;

use super::literal::{self, Total};
use super::sheet::{Folded, HANG, Left, Margin, Overflow, Sheet};
use crate::event::{Awaited, Label, MASK, Piece, Reading, Relation, Said, Secret, Span, Status};
use crate::figure;
use crate::sink::palette::Meaning;
use crate::sink::printable;

/// Rows of one message after which no further literal is shown.
const HEIGHT: usize = 40;

/// A tagged response that took longer is remarkable.
const SLOW_MICROS: u64 = 1_000_000;

/// Characters of a tag that the margin shows; apps use about five.
const TAG: usize = 20;

/// Commands that an ambiguous response names.
const AMBIGUOUS: usize = 4;

/// Whether the event makes no row: a part of a literal that crosses no tenth of it.
pub(super) fn is_silent(said: &Said) -> bool {
    let Reading::LiteralPart { offset, total } = said.reading else {
        return false;
    };
    let tenth = |octets: u64| u128::from(octets) * 10 / u128::from(total.max(1));
    offset > 0 && tenth(offset.saturating_add(said.wire.octets())) == tenth(offset)
}

/// Writes the message behind its head; it is the event with number `n`.
pub(super) fn write(sheet: &mut Sheet<'_>, n: u64, said: &Said) {
    let indent = indent(said);
    sheet.indent(indent);
    match said.reading {
        Reading::LiteralPart { offset, total } => part(sheet, said, offset, total),
        Reading::Opaque if !has_secret(said) => opaque(sheet, said),
        _ => Telling::new(sheet, said, indent + HANG).tell(),
    }
    if let Some(margin) = margin(n, said) {
        sheet.margin(&margin);
    }
}

/// What belongs to a command stands under it.
fn indent(said: &Said) -> usize {
    match (&said.reading, &said.relation) {
        (Reading::ContinuationRequest { .. } | Reading::Continuation { .. }, _) => HANG,
        (Reading::LiteralPart { .. }, _) => HANG,
        (Reading::Untagged { .. }, Relation::Answers(_) | Relation::Ambiguous(_)) => HANG,
        _ => 0,
    }
}

fn has_secret(said: &Said) -> bool {
    let pieces = said.wire.pieces();
    pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Secret(..)))
}

/// `‹literal› 65,536 of 1,048,576 octets, 6%`, and the literal's beginning with its first part.
fn part(sheet: &mut Sheet<'_>, said: &Said, offset: u64, total: u64) {
    let passed = offset.saturating_add(said.wire.octets());
    let percent = u128::from(passed) * 100 / u128::from(total.max(1));
    let (passed, total) = (figure::count(passed), figure::count(total));
    let words = format!(" {passed} of {total} octets, {percent}%");
    sheet.line.own(Meaning::Plain, "‹literal›");
    sheet.line.own(Meaning::Dim, &words);
    sheet.write_line(Left::Blank(HANG), None);
    if offset == 0 {
        // Where the message it belongs to has its literals.
        literal::preview(sheet, HANG + HANG, said.wire.bytes(), Total::Known);
    }
}

/// Octets that make no message.
fn opaque(sheet: &mut Sheet<'_>, said: &Said) {
    let octets = figure::counted(said.wire.octets(), "octet");
    sheet.line.own(Meaning::Malformed, "‹opaque›");
    sheet.line.own(Meaning::Dim, &format!(" {octets}"));
    sheet.write_line(Left::Blank(HANG), None);
    literal::preview(sheet, HANG, said.wire.bytes(), Total::Known);
}

fn margin(n: u64, said: &Said) -> Option<Margin> {
    let margin = |meaning, text, overflow| {
        Some(Margin {
            meaning,
            text,
            overflow,
        })
    };
    let tag_margin = |words: &str, tag: &str| {
        let short: String = tag.chars().take(TAG).collect();
        let more = if short.len() < tag.len() { "…" } else { "" };
        let text = format!("{words} {}{more}", printable::escaped(&short));
        margin(Meaning::of_tag(tag.as_bytes()), text, Overflow::Row)
    };
    match (&said.reading, &said.relation) {
        (Reading::Command { .. }, _) => margin(Meaning::Dim, format!("#{n}"), Overflow::Drop),
        (Reading::Greeting { .. }, _) => margin(Meaning::Dim, "greeting".into(), Overflow::Drop),
        (Reading::Tagged { elapsed, .. }, _) => {
            let elapsed = (*elapsed)?;
            let meaning = match elapsed.0 >= SLOW_MICROS {
                true => Meaning::Slow,
                false => Meaning::Dim,
            };
            margin(meaning, figure::duration(elapsed), Overflow::Row)
        }
        (Reading::ContinuationRequest { awaited, tag }, _) => {
            let tag = tag.as_deref()?;
            match awaited {
                Some(Awaited::Literal) => tag_margin("awaits the literal of", tag),
                Some(Awaited::Sasl) => tag_margin("awaits SASL for", tag),
                Some(Awaited::Idle) | None => tag_margin("→", tag),
            }
        }
        (_, Relation::Ambiguous(commands)) => {
            let named: Vec<String> = commands
                .iter()
                .take(AMBIGUOUS)
                .map(|n| format!("#{n}"))
                .collect();
            let more = if commands.len() > AMBIGUOUS {
                " …"
            } else {
                ""
            };
            let text = format!("answers {}{more}", named.join(" or "));
            margin(Meaning::Dim, text, Overflow::Row)
        }
        _ => tag_margin("→", said.among.as_deref()?),
    }
}

/// A message on its way to the page.
struct Telling<'a, 's> {
    sheet: &'a mut Sheet<'s>,
    said: &'a Said,
    /// Where its further rows begin.
    hang: usize,
    /// Where its last line end begins.
    end: usize,
    /// Within a response code.
    in_code: bool,
}

impl<'a, 's> Telling<'a, 's> {
    fn new(sheet: &'a mut Sheet<'s>, said: &'a Said, hang: usize) -> Self {
        let bytes = said.wire.bytes();
        let end = match said.wire.pieces().last() {
            Some(Piece::Text(_)) => literal::without_line_end(bytes).len(),
            _ => bytes.len(),
        };
        Self {
            sheet,
            said,
            hang,
            end,
            in_code: false,
        }
    }

    fn tell(mut self) {
        for piece in self.said.wire.pieces() {
            match piece {
                Piece::Text(range) => self.text(range.start..range.end.min(self.end)),
                Piece::Secret(secret, _) => self.secret(*secret),
                Piece::Literal {
                    header, content, ..
                } => self.literal(header, content),
                Piece::Streamed { header, octets, .. } => self.streamed(header, *octets),
            }
            let shown = piece.range().end;
            if self.sheet.height() > HEIGHT && shown < self.end {
                return self.fold(shown);
            }
        }
        self.sheet
            .write_line(Left::Blank(self.hang), Some(self.end));
    }

    /// A message of very many literals.
    fn fold(self, shown: usize) {
        let more = figure::counted(self.end.saturating_sub(shown) as u64, "more octet");
        self.sheet.start_line();
        self.sheet.line.own(Meaning::Dim, &format!("… {more}"));
        self.sheet.write_line(Left::Blank(self.hang), None);
    }

    /// Text between literals, each span in its colour.
    fn text(&mut self, range: Range<usize>) {
        let bytes = self.said.wire.bytes();
        let mut at = range.start;
        if self.sheet.line.is_empty() && self.sheet.height() > 1 && bytes.get(at) == Some(&b' ') {
            at += 1; // behind a literal's preview
        }
        let first = self
            .said
            .spans
            .partition_point(|span| span.range.end <= range.start);
        for span in &self.said.spans[first..] {
            let span_end = span.range.end.min(range.end);
            if span.range.start >= range.end || self.sheet.line.is_full() {
                break;
            }
            if span.range.start > at {
                self.put(Meaning::Plain, at..span.range.start);
            }
            if span_end > at {
                self.span(span, at.max(span.range.start)..span_end);
                at = span_end;
            }
        }
        if at < range.end {
            self.put(Meaning::Plain, at..range.end);
        }
    }

    fn put(&mut self, meaning: Meaning, range: Range<usize>) {
        let octets = &self.said.wire.bytes()[range.clone()];
        self.sheet.line.sent(meaning, octets, range.start);
    }

    fn span(&mut self, span: &Span, range: Range<usize>) {
        let octets = &self.said.wire.bytes()[range.clone()];
        let meaning = match span.label {
            Label::Tag if matches!(octets, b"*" | b"+") => Meaning::Dim,
            Label::Tag => Meaning::of_tag(octets),
            Label::Name => Meaning::Name,
            Label::Status => return self.status(range),
            Label::CodeName => Meaning::CodeName,
            Label::CodeOpen | Label::CodeClose => {
                self.in_code = span.label == Label::CodeOpen;
                Meaning::Code
            }
            Label::Secret(secret) if octets == MASK => return self.secret(secret),
            Label::Secret(_) => Meaning::Secret,
            Label::Malformed => Meaning::Malformed,
            Label::LiteralHeader => Meaning::LiteralHeader, // of a literal that was refused
            Label::Text => Meaning::Plain,
            Label::Atom if matches!(octets.first(), Some(b'\\' | b'$')) => Meaning::Flag,
            _ if self.in_code => Meaning::Code,
            _ => Meaning::Plain,
        };
        if span.label == Label::LiteralHeader {
            let header = literal::without_line_end(octets).len();
            return self.put(meaning, range.start..range.start + header);
        }
        self.put(meaning, range);
    }

    /// The status with its mark before it.
    fn status(&mut self, range: Range<usize>) {
        let octets = &self.said.wire.bytes()[range.clone()];
        let decides = !matches!(self.said.reading, Reading::Untagged { .. });
        let (mark, meaning) = match Status::parse(octets) {
            Some(Status::Ok | Status::Preauth) if decides => ("✓ ", Meaning::Ok),
            Some(Status::Ok | Status::Preauth) => ("", Meaning::Name), // information
            Some(Status::No) => ("✗ ", Meaning::No),
            Some(Status::Bad) => ("‼ ", Meaning::Bad),
            Some(Status::Bye) => ("■ ", Meaning::Bye),
            None => ("", Meaning::Malformed),
        };
        self.sheet.line.own(meaning, mark);
        self.put(meaning, range);
    }

    fn secret(&mut self, secret: Secret) {
        let placeholder = format!("‹{}›", secret.name());
        self.sheet.line.own(Meaning::Secret, &placeholder);
    }

    fn literal(&mut self, header: &Range<usize>, content: &Range<usize>) {
        let octets = &self.said.wire.bytes()[content.clone()];
        if literal::fits_inline(octets) {
            self.header(header);
            if !octets.is_empty() {
                self.sheet.line.own(Meaning::Plain, " ");
                self.put(Meaning::Plain, content.clone());
            }
            return;
        }
        self.write_header(header);
        literal::preview(self.sheet, self.hang, octets, Total::Said);
        self.go_on(content.end);
    }

    fn streamed(&mut self, header: &Range<usize>, octets: u64) {
        self.write_header(header);
        let octets = figure::counted(octets, "octet");
        let words = format!("{octets}, begun above");
        literal::summary(self.sheet, self.hang, &words);
        self.go_on(header.end);
    }

    fn header(&mut self, header: &Range<usize>) {
        let octets = &self.said.wire.bytes()[header.clone()];
        let end = header.start + literal::without_line_end(octets).len();
        self.put(Meaning::LiteralHeader, header.start..end);
    }

    /// Writes what stands before a literal that has rows of its own.
    fn write_header(&mut self, header: &Range<usize>) {
        let left = Left::Blank(self.hang);
        self.header(header);
        if self.sheet.write_line(left, Some(header.start)) == Folded::Yes {
            self.sheet.start_row(left);
            self.header(header);
            self.sheet.write_line(left, None);
        }
        self.sheet.start_line();
    }

    /// Begins a row for what stands behind a literal's preview, if anything does.
    fn go_on(&mut self, shown: usize) {
        if shown < self.end {
            self.sheet.start_row(Left::Blank(self.hang));
        } else {
            self.sheet.start_line();
        }
    }
}
