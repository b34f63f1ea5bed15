//! The differences for people: the session's lines as a unified diff has a file's, what is the same
//! counted and not shown.
//!
//! ```text
//! --- recordings/tour.json
//! +++ new.json
//! @@ connection 1 of A, 1 of B @@
//!   5 commands the same
//!   C: SELECT INBOX (CONDSTORE)                                        #27 #31
//! - S: * 55 EXISTS
//! + S: * 54 EXISTS
//! - C: UID FETCH 4388,4390 (UID FLAGS)                                     #42
//! + C: UID FETCH 4388 (UID FLAGS)                                          #47
//!      sequence set: 4388,4390 → 4388
//! 2 differences: 1 response, 1 argument; 6 commands the same
//! ```
//!
//! At the right edge stand the numbers of the command's events in A and in B (in a short text: of their
//! lines). Nothing of the wire is
//! written raw, no row is wider than the style's width (of 40 or more), and colour says nothing alone.

use super::difference::{Change, Command, Compared, Comparison, Counts, Difference, Kind, Pair};
use crate::sink::palette::{Meaning, Palette};
use crate::sink::printable::{char_columns, columns, escaped};
use crate::sink::terminal::{Color, Style};

/// Narrower than this a row may be wider than the style wants.
const NARROWEST: usize = 40;

/// Where the numbers at the right edge end, on a wider page.
const EDGE: usize = 100;

/// Adds the comparison of the recordings with these names.
pub fn write_page(out: &mut Vec<u8>, comparison: &Comparison, names: [&str; 2], style: &Style) {
    let counts = comparison.counts();
    let mut page = Page {
        out,
        palette: match style.color {
            Color::Never => Palette::plain(),
            Color::Ansi => Palette::ansi(),
        },
        width: style.width.max(NARROWEST),
    };
    if counts.differences() == 0 {
        let connections = plural(counts.paired, "connection");
        let commands = plural(counts.same, "command");
        page.row(
            Meaning::Plain,
            "",
            &format!("equal: {commands} in {connections}"),
        );
        return;
    }
    page.row(Meaning::Removed, "--- ", names[0]);
    page.row(Meaning::Added, "+++ ", names[1]);
    for pair in &comparison.connections {
        page.connection(pair);
    }
    page.conclusion(&counts);
}

/// `1 command`, `2 commands`.
fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

struct Page<'a> {
    out: &'a mut Vec<u8>,
    palette: &'static Palette,
    width: usize,
}

/// In which recording a row is.
#[derive(Clone, Copy)]
enum In {
    Both,
    A,
    B,
}

impl In {
    fn mark(self) -> (&'static str, Meaning) {
        match self {
            Self::Both => ("  ", Meaning::Plain),
            Self::A => ("- ", Meaning::Removed),
            Self::B => ("+ ", Meaning::Added),
        }
    }
}

impl Page<'_> {
    /// A row of text, what does not fit left out.
    fn row(&mut self, meaning: Meaning, mark: &str, text: &str) -> Fits {
        self.row_with_margin(meaning, mark, text, "")
    }

    fn row_with_margin(&mut self, meaning: Meaning, mark: &str, text: &str, margin: &str) -> Fits {
        let text = escaped(text);
        let room = self.width - columns(mark);
        let with_margin = columns(margin) + 2;
        let has_margin = !margin.is_empty() && with_margin + NARROWEST / 2 < room;
        let room = if has_margin { room - with_margin } else { room };
        let (shown, fits) = cut(&text, room);
        self.palette
            .paint(self.out, meaning, &format!("{mark}{shown}"));
        if has_margin {
            let edge = self
                .width
                .min(EDGE)
                .max(columns(mark) + columns(&shown) + with_margin);
            let gap = edge - columns(mark) - columns(&shown) - columns(margin);
            self.out.extend(std::iter::repeat_n(b' ', gap));
            self.palette.paint(self.out, Meaning::Dim, margin);
        }
        self.out.push(b'\n');
        fits
    }

    fn connection(&mut self, pair: &Pair) {
        let is_same = pair.greeting.is_empty() && pair.exchanges.iter().all(Compared::is_same);
        let (a, b) = match (pair.conn.a, pair.conn.b) {
            (Some(_), Some(_)) if is_same => return,
            (Some(a), Some(b)) => (a, b),
            (a, b) => return self.connection_alone(a, b, pair.commands.a + pair.commands.b),
        };
        let title = format!("@@ connection {a} of A, {b} of B @@");
        self.row(Meaning::CodeName, "", &title);
        for greeting in &pair.greeting {
            self.response(greeting);
        }
        let mut same = 0;
        for compared in &pair.exchanges {
            if compared.is_same() {
                same += 1;
                continue;
            }
            self.same(std::mem::take(&mut same));
            self.exchange(compared);
        }
        self.same(same);
    }

    fn connection_alone(&mut self, a: Option<u64>, b: Option<u64>, commands: usize) {
        let commands = plural(commands, "command");
        let (place, which, name) = match (a, b) {
            (Some(a), _) => (In::A, a, "A"),
            (_, b) => (In::B, b.unwrap_or_default(), "B"),
        };
        let (mark, meaning) = place.mark();
        let text = format!("connection {which}, which is only in {name}: {commands}");
        self.row(meaning, mark, &text);
    }

    fn same(&mut self, count: usize) {
        if count > 0 {
            let text = format!("{} the same", plural(count, "command"));
            self.row(Meaning::Dim, "  ", &text);
        }
    }

    fn exchange(&mut self, compared: &Compared) {
        match (&compared.command.a, &compared.command.b) {
            (Some(a), Some(b)) if compared.arguments.is_empty() => {
                let margin = format!("#{} #{}", a.n, b.n);
                self.command(In::Both, a, &margin);
                if compared.is_moved {
                    self.row(Meaning::Note, "     ", "stands at another place in B");
                }
            }
            (a, b) => {
                for (place, command) in [(In::A, a), (In::B, b)] {
                    if let Some(command) = command {
                        self.command(place, command, &format!("#{}", command.n));
                    }
                }
            }
        }
        for change in &compared.arguments {
            self.change(change);
        }
        for response in &compared.responses {
            self.response(response);
        }
    }

    fn command(&mut self, place: In, command: &Command, margin: &str) {
        let (mark, meaning) = place.mark();
        let text = format!("C: {}", command.text);
        self.row_with_margin(meaning, mark, &text, margin);
    }

    fn response(&mut self, difference: &Difference) {
        let margin = match difference.kind {
            Kind::Unasked => "unsolicited",
            Kind::Greeting => "greeting",
            Kind::Response | Kind::Answer => "",
        };
        let said = &difference.said;
        if said.a == said.b {
            let text = said.a.as_deref().unwrap_or_default();
            self.row_with_margin(Meaning::Plain, "  ", &format!("S: {text}"), margin);
            difference.parts.iter().for_each(|part| self.change(part));
            return;
        }
        let mut is_plain = difference.parts.len() == 1;
        for (place, text) in [(In::A, &said.a), (In::B, &said.b)] {
            let (mark, meaning) = place.mark();
            let text = match text {
                Some(text) => format!("S: {text}"),
                None if difference.kind == Kind::Answer => "S: (no answer)".to_owned(),
                None => continue,
            };
            let fits = self.row_with_margin(meaning, mark, &text, margin);
            is_plain &= fits == Fits::Whole && text.len() < NARROWEST;
        }
        for part in difference.parts.iter().filter(|_| !is_plain) {
            self.change(part);
        }
    }

    /// What differs, side by side if it fits.
    fn change(&mut self, change: &Change) {
        const LEFT: &str = "     ";
        let text = |is: &Option<String>| {
            is.as_ref()
                .map_or_else(|| "nothing".into(), |is| escaped(is))
        };
        let (a, b) = (text(&change.is.a), text(&change.is.b));
        let whole = format!("{}: {a} → {b}", change.of);
        if columns(LEFT) + columns(&whole) <= self.width {
            self.row(Meaning::Plain, LEFT, &whole);
            return;
        }
        let heading = format!("{}:", change.of);
        self.row(Meaning::Plain, LEFT, &heading);
        let room = self.width - columns(LEFT) - 2;
        let start = start(&a, &b, room);
        for (place, text) in [(In::A, &a), (In::B, &b)] {
            let (mark, meaning) = place.mark();
            let text: String = text.chars().skip(start).collect();
            let dots = if start > 0 { "…" } else { "" };
            self.row(meaning, &format!("{mark}{LEFT}"), &format!("{dots}{text}"));
        }
    }

    fn conclusion(&mut self, counts: &Counts) {
        let only = |count: usize, what: &str, name: &str| {
            let text = format!("{} only in {name}", plural(count, what));
            (count, text)
        };
        let several = |count: usize, what: &str| (count, plural(count, what));
        let all = [
            only(counts.connections.a, "connection", "A"),
            only(counts.connections.b, "connection", "B"),
            only(counts.commands.a, "command", "A"),
            only(counts.commands.b, "command", "B"),
            (
                counts.moved,
                format!("{} elsewhere", plural(counts.moved, "command")),
            ),
            several(counts.arguments, "argument"),
            several(counts.responses, "response"),
            several(counts.unasked, "unsolicited response"),
            several(counts.answers, "tagged response"),
        ];
        let all = all.into_iter().filter(|(count, _)| *count > 0);
        let all: Vec<String> = all.map(|(_, text)| text).collect();
        let differences = plural(counts.differences(), "difference");
        let same = plural(counts.same, "command");
        let text = format!("{differences}: {}; {same} the same", all.join(", "));
        let mut row = String::new();
        for word in text.split(' ') {
            if !row.is_empty() && columns(&row) + 1 + columns(word) > self.width {
                self.row(Meaning::Plain, "", &row);
                row = "  ".to_owned() + word;
                continue;
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        self.row(Meaning::Plain, "", &row);
    }
}

/// Whether a text was written to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fits {
    Whole,
    Cut,
}

/// As much of a text as has room.
fn cut(text: &str, room: usize) -> (String, Fits) {
    if columns(text) <= room {
        return (text.to_owned(), Fits::Whole);
    }
    let mut left = room.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let columns = char_columns(*c);
        let has_room = columns <= left;
        left = left.saturating_sub(columns);
        has_room
    });
    (fits.collect::<String>() + "…", Fits::Cut)
}

/// From which character on two long texts are shown, so that the first difference is seen.
fn start(a: &str, b: &str, room: usize) -> usize {
    const BEFORE: usize = 12;
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    match same < room / 2 {
        true => 0,
        false => same - BEFORE.min(same),
    }
}
