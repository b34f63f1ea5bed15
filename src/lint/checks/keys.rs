//! The keys of a search (RFC 9051, section 6.4.4), of SORT and of THREAD (RFC 5256), and the message numbers
//! and UIDs among them.
//!
//! ```text
//! C: a UID SEARCH RETURN (ALL) 1:100 OR UID 443:557 SUBJECT "7"
//!                              ^^^^^        ^^^^^^^
//! C: a SORT (REVERSE DATE) UTF-8 1:100 YOUNGER 3600
//!                                ^^^^^
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

/// What stands among the keys, up to one that nobody knows.
#[derive(Default)]
pub(super) struct Keys {
    /// The keys themselves, those that are sets left out.
    pub(super) keys: Vec<Range<usize>>,
    pub(super) sets: Vec<Set>,
    /// The first `$` (RFC 5182).
    pub(super) saved: Option<Range<usize>>,
    pub(super) dates: Vec<Range<usize>>,
}

impl Keys {
    /// Of the command that is sent; nothing of another one.
    pub(super) fn read(look: &Look<'_>) -> Self {
        let mut keys = Self::default();
        let Some(command) = look.command.as_ref().filter(|it| super::has_keys(it)) else {
            return keys;
        };
        let is_token = |span: &&&Span| {
            !matches!(
                span.label,
                Label::LiteralHeader | Label::ListOpen | Label::ListClose
            )
        };
        let tokens = look.arguments().iter().filter(|span| is_token(&span));
        let mut tokens = tokens.skip(before(look, &command.name));
        while let Some(token) = tokens.next() {
            let word = look.said.span_bytes(token).to_ascii_uppercase();
            let word = String::from_utf8_lossy(&word);
            let is_word = matches!(token.label, Label::Atom | Label::Number);
            keys.keys.push(token.range.clone());
            match &*word {
                _ if !is_word => return keys.without_last(),
                key if ALONE.contains(&key) => {}
                key if WITH_DATE.contains(&key) => {
                    keys.dates
                        .extend(tokens.next().map(|date| date.range.clone()));
                }
                key if WITH_ONE.contains(&key) => drop(tokens.next()),
                "UID" => keys.set(look, tokens.next(), true),
                "HEADER" => drop(tokens.nth(1)),
                // `ANNOTATION "/comment" "value" "x"` (RFC 5257, section 4.6)
                "ANNOTATION" => drop(tokens.nth(2)),
                "MODSEQ" => {
                    // `MODSEQ "/flags/\\draft" all 620162338` (RFC 7162, section 3.1.5)
                    let entry = tokens.next().map(|span| span.label);
                    if entry == Some(Label::Quoted) {
                        tokens.nth(1);
                    }
                }
                set if set.starts_with('$')
                    || ranges(set.as_bytes()).all(|range| range.is_some()) =>
                {
                    keys = keys.without_last();
                    keys.set(look, Some(token), false);
                }
                _ => return keys.without_last(),
            }
        }
        keys
    }

    /// The last one is none.
    fn without_last(mut self) -> Self {
        self.keys.pop();
        self
    }

    fn set(&mut self, look: &Look<'_>, token: Option<&Span>, by_uid: bool) {
        let Some(token) = token else {
            return;
        };
        let range = token.range.clone();
        match look.said.span_bytes(token) {
            [b'$', ..] => drop(self.saved.get_or_insert(range)),
            _ => self.sets.push(Set { range, by_uid }),
        }
    }
}

/// How many tokens stand before the keys: `RETURN (MIN MAX) CHARSET UTF-8`, `(REVERSE DATE) UTF-8`,
/// `REFERENCES UTF-8`.
fn before(look: &Look<'_>, name: &str) -> usize {
    let mut arguments = Arguments(look.arguments());
    let is_word = |span: &Span, word: &[u8]| look.said.span_bytes(span).eq_ignore_ascii_case(word);
    let mut before = 0;
    let mut next = arguments.next();
    if let Some((span, tokens)) = next
        && is_word(span, b"RETURN")
    {
        before += tokens;
        next = arguments.next();
        if let Some((list, tokens)) = next
            && list.label == Label::ListOpen
        {
            before += tokens;
            next = arguments.next();
        }
    }
    let is_search = name.ends_with("SEARCH");
    let has_charset = next.is_some_and(|(span, _)| is_word(span, b"CHARSET"));
    if is_search && !has_charset {
        return before;
    }
    let tokens = next.into_iter().chain(arguments).take(2);
    before + tokens.map(|(_, tokens)| tokens).sum::<usize>()
}

/// Arguments, a list being one: its first span, and how many tokens it has.
struct Arguments<'a>(&'a [Span]);

impl<'a> Iterator for Arguments<'a> {
    type Item = (&'a Span, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut depth, mut tokens, mut first) = (0_usize, 0, None);
        while let [span, rest @ ..] = self.0 {
            self.0 = rest;
            match span.label {
                Label::LiteralHeader => continue,
                Label::ListOpen => depth += 1,
                Label::ListClose => depth = depth.saturating_sub(1),
                _ => tokens += 1,
            }
            let first = *first.get_or_insert(span);
            if depth == 0 {
                return Some((first, tokens));
            }
        }
        first.map(|first| (first, tokens))
    }
}
