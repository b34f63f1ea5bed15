//! The page that an event is written on: what stands left of the message, where its rows begin, and
//! what stands at their right edge.
//!
//! ```text
//!    0.041  1 C: a1 LOGIN alice ‹password›                                     #4
//!    0.121  1 S: a1 ✓ OK done                                               80 ms
//!             -- capabilities: + IDLE MOVE
//! ~~~~~~~~ ~~ ~~ ~~~~                                                       ~~~~~
//! seconds  |  |  message; its further rows hang two columns further        margin
//!  connection speaker: C:, S: or -- for mailscope itself
//! ```
//!
//! Promises: no row is wider than the style's width (of 40 or more), none ends in padding.

use std::ops::Range;

use super::line::{Line, overflow};
use crate::event::{Event, Peer};
use crate::figure;
use crate::sink::palette::{Meaning, Palette};
use crate::sink::printable;

/// How much further a message's second row begins.
pub(super) const HANG: usize = 2;

/// Rows of one text; a longer one is folded.
pub(super) const ROWS: usize = 8;

/// Columns that a message has at least, however narrow the terminal is.
const NARROWEST: usize = 20;

/// A terminal is not wider than this; a variable may say anything.
const WIDEST: usize = 1000;

/// The right edge of the margin on a wider terminal: further away from the message it would not be
/// seen.
const MARGIN: usize = 100;

/// `│ `
const GUTTER_COLUMNS: usize = 2;

/// What stands left of a row, so many columns in from where messages begin.
#[derive(Clone, Copy)]
pub(super) enum Left {
    Blank(usize),
    /// A line that sets off a block.
    Gutter(usize),
}

/// Who speaks on a row.
#[derive(Clone, Copy)]
pub(super) enum Speaker {
    Peer(Peer),
    Mailscope,
}

/// What stands at the right edge of a message's last row.
pub(super) struct Margin {
    pub(super) meaning: Meaning,
    pub(super) text: String,
    pub(super) overflow: Overflow,
}

/// What becomes of a margin without room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    /// It is left out.
    Drop,
    /// It gets a row of its own.
    Row,
}

/// Buffers that are used again for each event.
pub(super) struct Buffers {
    pub(super) out: Vec<u8>,
    line: Line,
    rows: Vec<Range<usize>>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            out: Vec::new(),
            line: Line::new(),
            rows: Vec::new(),
        }
    }
}

/// One event's page.
pub(super) struct Sheet<'a> {
    out: &'a mut Vec<u8>,
    /// The line that is being put together.
    pub(super) line: &'a mut Line,
    rows: &'a mut Vec<Range<usize>>,
    palette: &'static Palette,
    width: usize,
    left: usize,
    column: usize,
    height: usize,
}

impl<'a> Sheet<'a> {
    /// An empty page; rows go behind what is in `buffers.out` already.
    pub(super) fn new(buffers: &'a mut Buffers, palette: &'static Palette, width: usize) -> Self {
        Self {
            out: &mut buffers.out,
            line: &mut buffers.line,
            rows: &mut buffers.rows,
            palette,
            width: width.min(WIDEST),
            left: 0,
            column: 0,
            height: 1,
        }
    }

    /// Time, connection and speaker.
    pub(super) fn head(&mut self, event: &Event, speaker: Speaker) {
        let (seconds, millis) = (event.at.0 / 1_000_000, event.at.0 / 1000 % 1000);
        let time = format!("{seconds:>4}.{millis:03} {:>2} ", event.conn);
        self.palette.paint(self.out, Meaning::Dim, &time);
        self.column = time.len();
        self.speaker(speaker);
        self.left = self.column;
        self.width = self.width.max(self.left + NARROWEST);
        self.start_line();
    }

    fn speaker(&mut self, speaker: Speaker) {
        let (meaning, mark) = match speaker {
            Speaker::Peer(Peer::Client) => (Meaning::Client, "C:"),
            Speaker::Peer(Peer::Server) => (Meaning::Server, "S:"),
            Speaker::Mailscope => (Meaning::Remark, "--"),
        };
        self.palette.paint(self.out, meaning, mark);
        self.out.push(b' ');
        self.column += mark.len() + 1;
    }

    /// Begins a row with a remark of mailscope's about the message.
    pub(super) fn remark(&mut self) {
        self.new_row(self.left - "-- ".len());
        self.speaker(Speaker::Mailscope);
        self.start_line();
    }

    /// Begins an empty line.
    pub(super) fn start_line(&mut self) {
        // Four octets a column: a row of characters outside of the Basic Multilingual Plane.
        self.line.clear((ROWS + 2) * self.width * 4);
    }

    /// Columns between the message's left edge, `indent` columns further in, and the right edge.
    pub(super) fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(self.left + indent)
    }

    /// Rows so far.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Goes on further right in the row that was begun.
    pub(super) fn indent(&mut self, columns: usize) {
        self.out.resize(self.out.len() + columns, b' ');
        self.column += columns;
    }

    fn new_row(&mut self, column: usize) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + column, b' ');
        self.column = column;
        self.height += 1;
    }

    fn row(&mut self, left: Left) {
        match left {
            Left::Blank(indent) => self.new_row(self.left + indent),
            Left::Gutter(indent) => {
                self.new_row(self.left + indent);
                self.put(Meaning::Dim, "│");
                self.indent(GUTTER_COLUMNS - 1);
            }
        }
    }

    /// Begins a line in a row of its own.
    pub(super) fn start_row(&mut self, left: Left) {
        self.row(left);
        self.start_line();
    }

    /// Writes the line from here on, in as many rows as it takes, the further ones with `left`
    /// before them. A line too long is folded, saying how many octets up to `end` are not shown.
    pub(super) fn write_line(&mut self, left: Left, end: Option<usize>) -> Folded {
        let Some(cut) = self.write_rows(left) else {
            return Folded::No;
        };
        self.start_row(left);
        self.line.own(Meaning::Dim, "…");
        if let Some(end) = end {
            let more = figure::counted(end.saturating_sub(cut) as u64, "more octet");
            self.line.own(Meaning::Dim, &format!(" {more}"));
        }
        self.write_rows(left);
        Folded::Yes
    }

    /// From which octet on nothing is shown, if so.
    fn write_rows(&mut self, left: Left) -> Option<usize> {
        let further = match left {
            Left::Blank(indent) => self.room(indent),
            Left::Gutter(indent) => self.room(indent + GUTTER_COLUMNS),
        };
        let first = self.width.saturating_sub(self.column);
        let cut = self.line.rows((first, further), ROWS, self.rows);
        for index in 0..self.rows.len() {
            let row = self.rows[index].clone();
            if index > 0 {
                self.row(left);
            }
            self.column += printable::columns(&self.line.text()[row.clone()]);
            self.line.paint(self.out, self.palette, row);
        }
        cut
    }

    /// Writes the line in this row, what does not fit left out.
    pub(super) fn write_row(&mut self) {
        let room = self.width.saturating_sub(self.column);
        let text = self.line.text();
        match overflow(text, room) {
            None if text.is_empty() => {
                let length = self.out.trim_ascii_end().len();
                self.column -= self.out.len() - length;
                self.out.truncate(length);
            }
            None => {
                self.column += printable::columns(text);
                self.line.paint(self.out, self.palette, 0..text.len());
            }
            Some(_) => {
                let end = overflow(text, room - 1).map_or(text.len(), |(fits, _)| fits);
                self.line.paint(self.out, self.palette, 0..end);
                self.palette.paint(self.out, Meaning::Dim, "…");
                self.column = self.width;
            }
        }
    }

    /// Writes mailscope's own words from here on; they are known to have room.
    pub(super) fn put(&mut self, meaning: Meaning, words: &str) {
        self.palette.paint(self.out, meaning, words);
        self.column += printable::columns(words);
    }

    /// Writes what stands at the right edge of the last row.
    pub(super) fn margin(&mut self, margin: &Margin) {
        let columns = printable::columns(&margin.text);
        let edge = self.width.min(MARGIN.max(self.left + NARROWEST));
        let least = self.column + 2;
        if least + columns <= edge {
            self.indent(edge - columns - self.column);
        } else if least + columns <= self.width {
            self.indent(2);
        } else if margin.overflow == Overflow::Row && columns <= self.room(0) {
            self.new_row(edge.saturating_sub(columns).max(self.left));
        } else if margin.overflow == Overflow::Row {
            return self.margin_as_remark(margin);
        } else {
            return;
        }
        self.put(margin.meaning, &margin.text);
    }

    /// One that is wider than the page.
    fn margin_as_remark(&mut self, margin: &Margin) {
        self.remark();
        self.line.own(margin.meaning, &margin.text);
        self.write_rows(Left::Blank(HANG));
    }

    /// Ends the last row.
    pub(super) fn finish(self) {
        self.out.push(b'\n');
    }
}

/// Whether a line was too long to be shown whole, so that what was added to it last is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folded {
    Yes,
    No,
}
