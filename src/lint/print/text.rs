//! Findings for people.
//!
//! ```text
//! #42 connection 1, 0.261 s
//!   C: a9 STORE 99 +FLAGS (\Seen)
//!               ^^ error number-beyond-exists, by the client
//!      A message number is not larger than the number of messages. Here: there are 54 messages.
//!      RFC 9051, 2.3.1.2
//! ```
//!
//! Promises: no row is wider than the width (of 40 or more), and what is wrong is in it, with what
//! stands around it as far as there is room.

use std::ops::Range;

use crate::event::Peer;
use crate::lint::finding::{Finding, Quote};
use crate::lint::linter::Counts;
use crate::lint::rule::{Rule, Severity};
use crate::sink::palette::{Meaning, Palette};
use crate::sink::printable::{Shown, char_columns, columns, escaped, shown};
use crate::sink::terminal::{Color, Style};

/// Columns before what was said, and before everything about it.
const INDENT: usize = 5;

/// Columns of what stands before the wrong octets, where not all has room.
const BEFORE: usize = 24;

/// Writes findings, those of an event under one head.
pub struct Text {
    palette: &'static Palette,
    width: usize,
    event: Option<u64>,
}

impl Text {
    /// That looks like this.
    pub fn new(style: Style) -> Self {
        Self {
            palette: palette(style),
            width: style.width.max(40),
            event: None,
        }
    }

    /// Adds a finding.
    pub fn write(&mut self, out: &mut Vec<u8>, finding: &Finding) {
        if self.event != Some(finding.n) {
            if self.event.is_some() {
                out.push(b'\n');
            }
            self.event = Some(finding.n);
            let head = format!("#{}", finding.n);
            let seconds = finding.at.0 / 1000;
            let place = format!(
                " connection {}, {}.{:03} s\n",
                finding.conn,
                seconds / 1000,
                seconds % 1000
            );
            self.palette.paint(out, Meaning::Name, &head);
            self.palette.paint(out, Meaning::Dim, &place);
        }
        let column = match &finding.quote {
            Some(quote) => self.quote(out, quote),
            None => INDENT,
        };
        self.verdict(out, finding, column);
        self.paragraph(out, Meaning::Plain, &sentence(finding));
        self.paragraph(out, Meaning::Dim, finding.rule.clause);
    }

    /// The row of the message, and where the marks are to stand.
    fn quote(&self, out: &mut Vec<u8>, quote: &Quote) -> usize {
        let (who, meaning) = match quote.from {
            Peer::Client => ("  C: ", Meaning::Client),
            Peer::Server => ("  S: ", Meaning::Server),
        };
        let row = Row::new(quote, self.width - INDENT);
        self.palette.paint(out, meaning, who);
        self.palette.paint(out, Meaning::Plain, &row.before);
        self.palette.paint(out, Meaning::Malformed, &row.wrong);
        self.palette.paint(out, Meaning::Plain, &row.behind);
        out.push(b'\n');
        let column = INDENT + columns(&row.before);
        out.resize(out.len() + column, b' ');
        let marks = "^".repeat(columns(&row.wrong).max(1));
        self.palette.paint(out, Meaning::Bad, &marks);
        column + marks.len()
    }

    /// `error number-beyond-exists, by the client`, behind the marks if there is room.
    fn verdict(&self, out: &mut Vec<u8>, finding: &Finding, column: usize) {
        let severity = finding.rule.severity.name();
        let words = format!(
            "{severity} {}, by the {}",
            finding.rule.id,
            finding.blame.name()
        );
        let has_room = column + 1 + words.len() <= self.width;
        let rows = match (&finding.quote, has_room) {
            (Some(_), true) => {
                out.push(b' ');
                vec![words]
            }
            (Some(_), false) => {
                out.push(b'\n');
                wrapped(&words, self.width - INDENT)
            }
            (None, _) => wrapped(&words, self.width - INDENT),
        };
        for (at, row) in rows.iter().enumerate() {
            if at > 0 || finding.quote.is_none() || !has_room {
                out.resize(out.len() + INDENT, b' ');
            }
            let rest = row.strip_prefix(severity).filter(|_| at == 0);
            if rest.is_some() {
                self.palette
                    .paint(out, meaning(finding.rule.severity), severity);
            }
            self.palette.paint(out, Meaning::Plain, rest.unwrap_or(row));
            out.push(b'\n');
        }
    }

    fn paragraph(&self, out: &mut Vec<u8>, meaning: Meaning, text: &str) {
        for row in wrapped(text, self.width - INDENT) {
            out.resize(out.len() + INDENT, b' ');
            self.palette.paint(out, meaning, &row);
            out.push(b'\n');
        }
    }
}

/// The rule, and what is special about the case.
fn sentence(finding: &Finding) -> String {
    let sentence = finding.rule.sentence;
    match &finding.about {
        Some(about) => format!("{sentence} Here: {}.", escaped(about.trim_end_matches('.'))),
        None => sentence.to_owned(),
    }
}

fn meaning(severity: Severity) -> Meaning {
    match severity {
        Severity::Error => Meaning::Bad,
        Severity::Warning => Meaning::Warning,
        Severity::Info => Meaning::Note,
    }
}

/// A finding in one line, to stand below its event: `lint error number-beyond-exists (client): ...`.
pub fn remark(finding: &Finding) -> (Meaning, String) {
    let rule = finding.rule;
    let words = format!(
        "lint {} {} ({}): {} {}",
        rule.severity.name(),
        rule.id,
        finding.blame.name(),
        sentence(finding),
        rule.clause
    );
    (meaning(rule.severity), words)
}

fn palette(style: Style) -> &'static Palette {
    match style.color {
        Color::Never => Palette::plain(),
        Color::Ansi => Palette::ansi(),
    }
}

/// A message in one row.
struct Row {
    before: String,
    wrong: String,
    behind: String,
}

impl Row {
    fn new(quote: &Quote, room: usize) -> Self {
        let end = match quote.octets.trim_ascii_end().len() {
            end if quote.wrong.end <= end && !quote.cut => end,
            _ => quote.octets.len(),
        };
        let part =
            |range: Range<usize>| cells(&quote.octets[range.start.min(end)..range.end.min(end)]);
        let mut before = part(0..quote.wrong.start);
        let mut wrong = part(quote.wrong.clone());
        let mut behind = part(quote.wrong.end..end);
        let wide = |cells: &[String]| cells.iter().map(|cell| columns(cell)).sum::<usize>();
        let is_cut = quote.start > 0;
        if is_cut || wide(&before) + wide(&wrong) + wide(&behind) > room {
            let most = BEFORE.min(room.saturating_sub(1 + wide(&wrong)).max(room / 4));
            if is_cut || wide(&before) > most {
                while wide(&before) + 1 > most && !before.is_empty() {
                    before.remove(0);
                }
                before.insert(0, "…".into());
            }
        }
        cut(&mut wrong, room - wide(&before).min(room - 1));
        let left = room.saturating_sub(wide(&before) + wide(&wrong));
        let more = quote.cut;
        if more && wide(&behind) < left {
            behind.push("…".into());
        }
        cut(&mut behind, left);
        Self {
            before: before.concat(),
            wrong: wrong.concat(),
            behind: behind.concat(),
        }
    }
}

/// Takes cells from the end until the others have room, and says so.
fn cut(cells: &mut Vec<String>, room: usize) {
    let mut wide: usize = cells.iter().map(|cell| columns(cell)).sum();
    if wide <= room {
        return;
    }
    while wide + 1 > room
        && let Some(cell) = cells.pop()
    {
        wide -= columns(&cell);
    }
    if room > 0 {
        cells.push("…".into());
    }
}

/// What is shown or not, but not in parts.
fn cells(octets: &[u8]) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for stretch in shown(octets) {
        match stretch {
            Shown::Escape(escape, _) => cells.push(escape.to_string()),
            Shown::Plain(plain) => {
                for c in plain.chars() {
                    match cells.last_mut().filter(|_| char_columns(c) == 0) {
                        Some(cell) => cell.push(c),
                        None => cells.push(c.into()),
                    }
                }
            }
        }
    }
    cells
}

/// Rows of words, none wider than `width`.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split(' ') {
        if !row.is_empty() && columns(&row) + 1 + columns(word) > width {
            rows.push(std::mem::take(&mut row));
        }
        if !row.is_empty() {
            row.push(' ');
        }
        for cell in cells(word.as_bytes()) {
            if columns(&row) + columns(&cell) > width {
                rows.push(std::mem::take(&mut row)); // a word that is too wide
            }
            row.push_str(&cell);
        }
    }
    rows.push(row);
    rows
}

/// The last line, or lines on a narrow terminal.
pub fn summary(counts: Counts, style: Style) -> String {
    let counted = |count: u64, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let infos = match counts.infos {
        0 => String::new(),
        infos => format!(" and {infos} for information"),
    };
    let line = format!(
        "{}, {}{infos} in {} of {}",
        counted(counts.errors, "error"),
        counted(counts.warnings, "warning"),
        counted(counts.events, "event"),
        counted(counts.connections, "connection"),
    );
    wrapped(&line, style.width.max(40)).join("\n")
}

/// The table of rules.
pub fn rules(out: &mut Vec<u8>, rules: &[Rule], style: Style) {
    let text = Text::new(style);
    for rule in rules {
        text.palette.paint(out, Meaning::Name, rule.id);
        let (severity, side) = (rule.severity.name(), rule.side.name());
        let rest = format!("{severity}, {side}, {}", rule.clause);
        let fits = rule.id.len() + 2 + rest.len() <= text.width;
        let space = if fits { "  " } else { "\n     " };
        text.palette
            .paint(out, Meaning::Dim, &format!("{space}{rest}\n"));
        text.paragraph(out, Meaning::Plain, rule.sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_together_where_they_fit() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("a incomprehensible b", 8),
            ["a", "incompre", "hensible", "b"]
        );
        assert_eq!(wrapped("", 8), [""]);
    }
}
