//! What `--explain` says below an event: what it does in this place, and the terms in it that are new.
//!
//! ```text
//! C: a1 CAPABILITY
//! -- asks what the server can do (RFC 9051, 6.1.1)
//!    a1: the word before a command, which comes again in its answer (RFC 9051, 2.2.1)
//! ```
//!
//! The sentences are [`explain`](crate::explain)'s; here they are put on the page.

use super::sheet::{HANG, Left, Sheet};
use crate::explain::{Explanation, Part, Term};
use crate::sink::palette::Meaning;

/// Octets of a term as it is written.
const WRITTEN: usize = 40;

/// Writes the explanation in rows of its own.
pub(super) fn write(sheet: &mut Sheet<'_>, explanation: &Explanation) {
    let mut is_begun = false;
    if let Some(sentence) = &explanation.sentence {
        begin(sheet, &mut is_begun);
        for part in sentence.parts() {
            match part {
                Part::Own(words) => sheet.line.own(Meaning::Plain, words),
                Part::Sent(octets) => sheet.line.foreign(Meaning::Name, octets),
            }
        }
        source(sheet, explanation.source);
        sheet.write_line(Left::Blank(HANG), None);
    }
    for term in &explanation.terms {
        begin(sheet, &mut is_begun);
        self::term(sheet, term);
        sheet.write_line(Left::Blank(HANG), None);
    }
}

fn begin(sheet: &mut Sheet<'_>, is_begun: &mut bool) {
    match std::mem::replace(is_begun, true) {
        false => sheet.remark(),
        true => sheet.start_row(Left::Blank(0)),
    }
}

fn term(sheet: &mut Sheet<'_>, term: &Term) {
    let end = term.written.len().min(WRITTEN);
    let line = &mut *sheet.line;
    line.foreign(Meaning::Name, &term.written[..end]);
    line.own(
        Meaning::Plain,
        if end < term.written.len() {
            "…: "
        } else {
            ": "
        },
    );
    line.own(Meaning::Plain, &term.entry.phrase());
    source(sheet, Some(term.entry.source));
}

fn source(sheet: &mut Sheet<'_>, source: Option<&str>) {
    if let Some(source) = source {
        sheet.line.own(Meaning::Plain, " ");
        sheet.line.kept(Meaning::Dim, &format!("({source})"));
    }
}
