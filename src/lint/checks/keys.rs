//! The message numbers and UIDs among the keys of a search (RFC 9051, section 6.4.4).
//!
//! ```text
//! C: a UID SEARCH RETURN (ALL) 1:100 OR UID 443:557 SUBJECT "7"
//!                              ^^^^^        ^^^^^^^
//! ```

use std::ops::Range;

use crate::event::{Label, Span};
use crate::lint::look::Look;
use crate::session::ranges;

/// A set of messages, and where it stands.
pub(super) struct Set {
    pub(super) range: Range<usize>,
    pub(super) by_uid: bool,
}

/// Keys without an operand.
const ALONE: &[&str] = &[
    "ALL",
    "ANSWERED",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "FUZZY",
    "NEW",
    "NOT",
    "OLD",
    "OR",
    "RECENT",
    "SAVEDATESUPPORTED",
    "SEEN",
    "UNANSWERED",
    "UNDELETED",
    "UNDRAFT",
    "UNFLAGGED",
    "UNSEEN",
];

/// Keys with one.
const WITH_ONE: &[&str] = &[
    "BCC",
    "BEFORE",
    "BODY",
    "CC",
    "EMAILID",
    "FILTER",
    "FROM",
    "KEYWORD",
    "LARGER",
    "OLDER",
    "ON",
    "SAVEDBEFORE",
    "SAVEDON",
    "SAVEDSINCE",
    "SENTBEFORE",
    "SENTON",
    "SENTSINCE",
    "SINCE",
    "SMALLER",
    "SUBJECT",
    "TEXT",
    "THREADID",
    "TO",
    "UNKEYWORD",
    "X-GM-LABELS",
    "X-GM-MSGID",
    "X-GM-RAW",
    "X-GM-THRID",
    "YOUNGER",
];

/// Keys whose operand is a date.
const WITH_DATE: &[&str] = &[
    "BEFORE",
    "ON",
    "SAVEDBEFORE",
    "SAVEDON",
    "SAVEDSINCE",
    "SENTBEFORE",
    "SENTON",
    "SENTSINCE",
    "SINCE",
];

/// What stands among the keys of SEARCH and UID SEARCH, up to one that nobody knows.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) sets: Vec<Set>,
    pub(super) dates: Vec<Range<usize>>,
}

impl Keys {
    /// Of the command that is sent; nothing of another one.
    pub(super) fn read(look: &Look<'_>) -> Self {
        let mut keys = Self::default();
        let is_search = look.command.as_ref().is_some_and(super::is_search);
        let is_token = |span: &&&Span| {
            !matches!(
                span.label,
                Label::LiteralHeader | Label::ListOpen | Label::ListClose
            )
        };
        let tokens = look.arguments().iter().filter(|span| is_token(&span));
        let mut tokens = tokens.skip(options(look)).take_while(|_| is_search);
        while let Some(token) = tokens.next() {
            let word = look.said.span_bytes(token).to_ascii_uppercase();
            let word = String::from_utf8_lossy(&word);
            let is_word = matches!(token.label, Label::Atom | Label::Number);
            match &*word {
                _ if !is_word => return keys,
                key if ALONE.contains(&key) => {}
                key if WITH_DATE.contains(&key) => {
                    keys.dates
                        .extend(tokens.next().map(|date| date.range.clone()));
                }
                key if WITH_ONE.contains(&key) => drop(tokens.next()),
                "UID" => keys.set(look, tokens.next(), true),
                "HEADER" => drop(tokens.nth(1)),
                "MODSEQ" => {
                    // `MODSEQ "/flags/\\draft" all 620162338` (RFC 7162, section 3.1.5)
                    let entry = tokens.next().map(|span| span.label);
                    if entry == Some(Label::Quoted) {
                        tokens.nth(1);
                    }
                }
                _ if ranges(word.as_bytes()).all(|range| range.is_some()) => {
                    keys.set(look, Some(token), false);
                }
                _ => return keys,
            }
        }
        keys
    }

    fn set(&mut self, look: &Look<'_>, token: Option<&Span>, by_uid: bool) {
        let is_set = |span: &&Span| look.said.span_bytes(span).first() != Some(&b'$');
        if let Some(token) = token.filter(is_set) {
            self.sets.push(Set {
                range: token.range.clone(),
                by_uid,
            });
        }
    }
}

/// How many tokens stand before the keys: `RETURN (MIN MAX) CHARSET UTF-8`.
fn options(look: &Look<'_>) -> usize {
    let mut depth = 0;
    let mut count = 0;
    let mut ends = 0;
    for span in look.arguments() {
        match span.label {
            Label::ListOpen => depth += 1,
            Label::ListClose => depth -= 1,
            Label::LiteralHeader => {}
            _ => {
                let word = look.said.span_bytes(span).to_ascii_uppercase();
                let begins = match &*word {
                    b"RETURN" => count == 0,
                    b"CHARSET" => count == ends,
                    _ => false,
                };
                let is_behind = ends > 0 && (depth > 0 || count < ends);
                if !begins && !is_behind {
                    return ends;
                }
                count += 1;
                ends = match &*word {
                    b"CHARSET" if begins => count + 1,
                    _ => ends.max(count),
                };
            }
        }
    }
    ends
}
