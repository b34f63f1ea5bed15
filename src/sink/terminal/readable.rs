//! What a message's names and texts read as that are written in US-ASCII.
//!
//! ```text
//! S:   * LIST () "/" Reisen/K&APY-ln
//!      reads as: Reisen/Köln
//! ```
//!
//! Mailbox names (RFC 3501, section 5.1.3) and encoded words (RFC 2047), wherever they stand in the
//! arguments: of other words, next to none fits their grammar. Not in a literal, whose octets are shown
//! as they are.

use super::sheet::{HANG, Left, Sheet};
use crate::event::{Label, Reading, Said, Span, encoded_word, unquoted};
use crate::sink::palette::Meaning;

/// Names that are told of one message.
const MOST: usize = 4;

/// Writes a remark, if anything reads as something else.
pub(super) fn write(sheet: &mut Sheet<'_>, said: &Said) {
    let has_arguments = matches!(
        said.reading,
        Reading::Command { .. } | Reading::Untagged { status: None, .. }
    );
    if !has_arguments {
        return;
    }
    let mut readable = said.spans.iter().filter_map(|span| decoded(said, span));
    let Some(first) = readable.next() else {
        return;
    };
    sheet.remark();
    sheet.line.own(Meaning::Plain, "reads as: ");
    sheet.line.foreign(Meaning::Plain, first.as_bytes());
    for text in readable.by_ref().take(MOST - 1) {
        sheet.line.own(Meaning::Plain, ", ");
        sheet.line.foreign(Meaning::Plain, text.as_bytes());
    }
    if readable.next().is_some() {
        sheet.line.own(Meaning::Plain, ", …");
    }
    sheet.write_line(Left::Blank(HANG), None);
}

fn decoded(said: &Said, span: &Span) -> Option<String> {
    let octets = said.span_bytes(span);
    let text = match span.label {
        Label::Atom => octets.into(),
        Label::Quoted => unquoted(octets),
        _ => return None,
    };
    let name = said.details.names.decoded(&text);
    name.or_else(|| encoded_word::decoded(&text))
}
