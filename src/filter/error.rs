//! What is wrong with a filter, and where.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::event::json::is_hidden;

/// A filter that cannot be read.
///
/// ```text
/// expected a number behind conn:
///     command:FETCH conn:two
///                        ^^^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter {
    text: String,
    place: Range<usize>,
    expected: String,
}

impl BadFilter {
    pub(super) fn new(text: &str, place: Range<usize>, expected: impl Into<String>) -> Self {
        Self {
            text: text.to_owned(),
            place,
            expected: expected.into(),
        }
    }

    /// Which octets of the expression are wrong; at its end where something is missing.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// What was expected there.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

/// One character a character, so that the carets stand where they belong.
fn shown(text: &str) -> String {
    let shown = |c: char| match c.is_control() || is_hidden(c) {
        true => '\u{fffd}',
        false => c,
    };
    text.chars().map(shown).collect()
}

fn columns(text: &str) -> usize {
    shown(text)
        .chars()
        .filter_map(UnicodeWidthChar::width)
        .sum()
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Columns of the expression before the place and from there on.
        const AROUND: usize = 60;
        let Range { start, end } = self.place;
        let before = &self.text[..start];
        let cut = before
            .char_indices()
            .rev()
            .nth(AROUND)
            .map_or(0, |(at, _)| at);
        let behind = &self.text[start..];
        let stop = behind
            .char_indices()
            .nth(AROUND)
            .map_or(behind.len(), |(at, _)| at);
        let stop = start + stop;
        let dots = |is_cut| if is_cut { "…" } else { "" };
        let (left, right) = (dots(cut > 0), dots(stop < self.text.len()));
        writeln!(f, "{}", self.expected)?;
        writeln!(f, "    {left}{}{right}", shown(&self.text[cut..stop]))?;
        let indent = 4 + left.chars().count() + columns(&self.text[cut..start]);
        let carets = columns(&self.text[start..end.min(stop)]).max(1);
        write!(f, "{:indent$}{}", "", "^".repeat(carets))
    }
}

impl std::error::Error for BadFilter {}
