//! One line of the view before it is cut into rows: text that is fit to be shown, what each stretch
//! of it means, and which octet of the wire it stands for.
//!
//! Not the page: where rows begin and what stands left of them is the [`Sheet`](super::sheet)'s.
//!
//! Promises: whatever came from outside passes [`printable`](crate::sink::printable); no more is
//! looked at than can be shown, however long the message is.

use std::fmt::Write;
use std::ops::Range;

use crate::sink::palette::{Meaning, Palette};
use crate::sink::printable::{Shown, char_columns, shown};

/// A line being put together. Reused, so that an event costs no allocation.
pub(super) struct Line {
    text: String,
    runs: Vec<Run>,
    limit: usize,
    cut: Option<usize>,
}

/// A stretch of the text with one meaning; it ends where the next begins.
struct Run {
    start: usize,
    meaning: Meaning,
    origin: Origin,
    /// The octet of the wire that its first character stands for, or that comes next.
    wire: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// mailscope's own words.
    Ours,
    /// As it was sent, octet for octet.
    Wire,
    /// One escape; rows are not cut within it.
    Escape,
    /// mailscope's own words that stay in one row where they can.
    Kept,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            runs: Vec::new(),
            limit: 0,
            cut: None,
        }
    }

    /// Begins anew; about so many octets of text will be taken.
    pub(super) fn clear(&mut self, limit: usize) {
        self.text.clear();
        self.runs.clear();
        self.limit = limit;
        self.cut = None;
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether what is added now would not be shown.
    pub(super) fn is_full(&self) -> bool {
        self.cut.is_some()
    }

    /// Adds mailscope's own words.
    pub(super) fn own(&mut self, meaning: Meaning, words: &str) {
        if self.cut.is_none() {
            let wire = self.wire_at(self.text.len());
            self.begin(meaning, Origin::Ours, wire);
            self.text.push_str(words);
        }
    }

    /// Adds mailscope's own words behind a space; they stay in one row, if there is room.
    pub(super) fn kept(&mut self, meaning: Meaning, words: &str) {
        if self.cut.is_none() {
            let wire = self.wire_at(self.text.len());
            self.begin(meaning, Origin::Kept, wire);
            self.text.push_str(words);
        }
    }

    /// Adds text from outside that is not a message's: an address, a name, a reason.
    pub(super) fn foreign(&mut self, meaning: Meaning, text: &[u8]) {
        self.sent(meaning, text, 0);
    }

    /// Adds octets of a message, the first of which is the message's octet `wire`.
    pub(super) fn sent(&mut self, meaning: Meaning, octets: &[u8], wire: usize) {
        if self.cut.is_some() {
            return;
        }
        let taken = prefix(octets, self.limit.saturating_sub(self.text.len()));
        let mut at = wire;
        for stretch in shown(taken) {
            match stretch {
                Shown::Plain(plain) => {
                    self.begin(meaning, Origin::Wire, at);
                    self.text.push_str(plain);
                    at += plain.len();
                }
                Shown::Escape(escape, octets) => {
                    self.begin(Meaning::Escape, Origin::Escape, at);
                    let _ = write!(self.text, "{escape}"); // writing to a String cannot fail
                    at += octets;
                }
            }
        }
        if taken.len() < octets.len() {
            self.cut = Some(at);
        }
    }

    fn begin(&mut self, meaning: Meaning, origin: Origin, wire: usize) {
        let start = self.text.len();
        if let Some(last) = self.runs.last() {
            let goes_on = match origin {
                Origin::Ours => true,
                Origin::Wire => last.wire + (start - last.start) == wire,
                Origin::Escape | Origin::Kept => false,
            };
            if goes_on && last.meaning == meaning && last.origin == origin {
                return;
            }
        }
        self.runs.push(Run {
            start,
            meaning,
            origin,
            wire,
        });
    }

    /// The octet of the wire that the text at `position` stands for; 0 in an empty line.
    fn wire_at(&self, position: usize) -> usize {
        if let (Some(cut), true) = (self.cut, position >= self.text.len()) {
            return cut;
        }
        match self.run_at(position) {
            Some(run) if run.origin == Origin::Wire => run.wire + (position - run.start),
            Some(run) => run.wire,
            None => 0,
        }
    }

    fn run_at(&self, position: usize) -> Option<&Run> {
        let next = self.runs.partition_point(|run| run.start <= position);
        self.runs.get(next.checked_sub(1)?)
    }

    /// Cuts the text into at most `most` rows, with room for so many columns in the first and in
    /// the others. Says from which octet of the wire on nothing is shown, if so.
    pub(super) fn rows(
        &self,
        (first, others): (usize, usize),
        most: usize,
        rows: &mut Vec<Range<usize>>,
    ) -> Option<usize> {
        rows.clear();
        let (mut at, mut room) = (0, first);
        while at < self.text.len() {
            let (end, next) = self.row(at, room);
            rows.push(at..end);
            (at, room) = (next, others);
            // A fold takes a row as well, so one row more is shown rather than folded.
            if rows.len() > most && at < self.text.len() {
                rows.truncate(most);
                let end = rows.last().map_or(0, |row| row.end);
                return Some(self.wire_at(end));
            }
        }
        self.cut
    }

    /// Where the row that begins at `start` ends, and where the next one begins.
    fn row(&self, start: usize, room: usize) -> (usize, usize) {
        let text = &self.text[start..];
        let Some((hard, space)) = overflow(text, room) else {
            return (self.text.len(), self.text.len());
        };
        let space = space.map(|space| self.before_kept(start, space));
        // A word that would not fit in a row of its own begins here already.
        if let Some(space) = space
            && (3 * space >= room || is_word_within(&text[space + 1..], room))
        {
            return (
                start + text[..space].trim_end_matches(' ').len(),
                start + space + 1,
            );
        }
        let mut end = start + hard;
        if let Some(run) = self.run_at(end)
            && run.origin == Origin::Escape
            && run.start > start
        {
            end = run.start;
        }
        (end, end)
    }

    /// The space before the words that are kept in one row, where the one at `space` is among them.
    fn before_kept(&self, start: usize, space: usize) -> usize {
        match self.run_at(start + space) {
            Some(run) if run.origin == Origin::Kept && run.start > start + 1 => {
                run.start - 1 - start
            }
            _ => space,
        }
    }

    /// Writes a stretch of the text in its colours.
    pub(super) fn paint(&self, out: &mut Vec<u8>, palette: &Palette, range: Range<usize>) {
        let first = self.runs.partition_point(|run| run.start <= range.start);
        let runs = &self.runs[first.saturating_sub(1)..];
        let mut at = range.start;
        for (index, run) in runs.iter().enumerate() {
            let next = runs.get(index + 1);
            if next.is_some_and(|next| next.meaning == run.meaning && next.start < range.end) {
                continue; // in one go with the next
            }
            let end = next.map_or(range.end, |next| next.start.min(range.end));
            palette.paint(out, run.meaning, &self.text[at..end]);
            at = end;
            if end == range.end {
                break;
            }
        }
    }
}

/// Whether the word at the beginning takes at most `room` octets.
fn is_word_within(text: &str, room: usize) -> bool {
    let head = &text.as_bytes()[..text.len().min(room + 1)];
    head.len() <= room || head.contains(&b' ')
}

/// If the text needs more than `room` columns: how much of it fits (one character at least), and
/// the last space at which it may be cut.
pub(super) fn overflow(text: &str, room: usize) -> Option<(usize, Option<usize>)> {
    if text.len() <= room {
        return None; // no character takes more columns than octets
    }
    let head = &text.as_bytes()[..=room];
    if head.is_ascii() {
        return Some((room.max(1), memchr::memrchr(b' ', head)));
    }
    let (mut columns, mut space, mut fits) = (0, None, 0);
    for (at, c) in text.char_indices() {
        let wide = char_columns(c);
        if c == ' ' && columns <= room {
            space = Some(at);
        }
        if columns + wide > room {
            return Some((if fits == 0 { c.len_utf8() } else { fits }, space));
        }
        columns += wide;
        fits = at + c.len_utf8();
    }
    None
}

/// At most `most` octets, not ending within a character.
fn prefix(octets: &[u8], most: usize) -> &[u8] {
    let Some(&next) = octets.get(most) else {
        return octets;
    };
    let mut end = most;
    if next & 0xc0 == 0x80 {
        let inner = |octet: &u8| octet & 0xc0 == 0x80;
        let tail = octets[..end].iter().rev().take(3);
        end = end.saturating_sub(tail.take_while(|octet| inner(octet)).count() + 1);
    }
    &octets[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &[u8]) -> Line {
        let mut line = Line::new();
        line.clear(10_000);
        line.sent(Meaning::Plain, text, 0);
        line
    }

    fn rows(line: &Line, room: usize, most: usize) -> (Vec<&str>, Option<usize>) {
        let mut rows = Vec::new();
        let cut = line.rows((room, room), most, &mut rows);
        (rows.into_iter().map(|row| &line.text()[row]).collect(), cut)
    }

    #[test]
    fn rows_end_at_spaces_where_they_can() {
        let text = line(b"the quick brown fox");
        assert_eq!(rows(&text, 10, 8).0, ["the quick", "brown fox"]);
        assert_eq!(rows(&text, 9, 8).0, ["the quick", "brown fox"]);
        let blob = line(b"a1 0123456789abcdef");
        assert_eq!(rows(&blob, 10, 8).0, ["a1 0123456", "789abcdef"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let text = line("世界世界世".as_bytes());
        assert_eq!(rows(&text, 5, 8).0, ["世界", "世界", "世"]);
    }

    #[test]
    fn an_escape_is_not_cut() {
        let text = line(b"abcdefg\x1b\x1b");
        assert_eq!(rows(&text, 9, 8).0, ["abcdefg", "\\x1b\\x1b"]);
    }

    #[test]
    fn folded_octets_are_counted_on_the_wire() {
        let text = line(b"\x1b\x1b\x1b\x1b 56789 b c d");
        // `\x1b\x1b\x1b` is three octets.
        assert_eq!(rows(&text, 12, 1).1, Some(3));
        assert_eq!(rows(&text, 12, 2).1, None);
    }

    #[test]
    fn words_that_are_kept_stay_in_one_row_where_they_can() {
        let mut text = line(b"the end ");
        text.kept(Meaning::Dim, "(RFC 1, 2)");
        text.own(Meaning::Plain, " and on");
        assert_eq!(rows(&text, 14, 8).0, ["the end", "(RFC 1, 2) and", "on"]);
        assert_eq!(rows(&text, 18, 8).0, ["the end (RFC 1, 2)", "and on"]);
        assert_eq!(rows(&text, 8, 8).0, ["the end", "(RFC 1,", "2) and", "on"]);
    }

    #[test]
    fn no_more_than_the_limit_is_looked_at() {
        let mut line = Line::new();
        line.clear(10);
        line.sent(Meaning::Plain, &[b'x'; 1000], 7);
        assert_eq!(line.text().len(), 10);
        assert_eq!(rows(&line, 80, 8).1, Some(17));
    }

    #[test]
    fn a_prefix_does_not_end_within_a_character() {
        assert_eq!(prefix("aä".as_bytes(), 2), b"a");
        assert_eq!(prefix("aä".as_bytes(), 3), "aä".as_bytes());
        assert_eq!(prefix("世界".as_bytes(), 5), "世".as_bytes());
        assert_eq!(prefix(&[0x80; 9], 6).len(), 2);
        assert_eq!(prefix(&[0x80; 9], 2).len(), 0);
        assert_eq!(prefix(b"abc", 0), b"");
    }
}
