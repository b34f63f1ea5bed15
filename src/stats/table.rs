//! Tables of text that fit a width: columns are as wide as what stands in them, and where they do not
//! fit, those that matter least are left out.

use unicode_width::UnicodeWidthStr;

use super::page::{Page, Role};
use crate::event::json::is_hidden;

/// A column.
pub(super) struct Column {
    pub(super) head: &'static str,
    /// Those with the highest go first where there is no room; 0 stays.
    pub(super) sheds: u8,
}

/// Columns of the first column that others are left out for.
const NAME: usize = 16;

/// It is not cut any shorter.
const LEAST: usize = 8;

const GAP: usize = 2;

/// Adds the rows; the first column is aligned to the left and cut if need be, the others to the right.
/// A column without anything but `-` in it is left out. `role` tells what a last cell is.
pub(super) fn write(
    page: &mut Page<'_>,
    columns: &[Column],
    rows: &[Vec<String>],
    role: impl Fn(&str) -> Role,
) {
    let width = page.width;
    let mut shown: Vec<usize> = (0..columns.len())
        .filter(|at| *at == 0 || rows.iter().any(|row| row[*at] != "-"))
        .collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| column.head.width()).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.width());
        }
    }
    let room = |shown: &[usize]| -> usize {
        let others: usize = shown[1..].iter().map(|at| widths[*at] + GAP).sum();
        width.saturating_sub(others)
    };
    while room(&shown) < widths[0].min(NAME) {
        let sheds = |at: &&usize| columns[**at].sheds;
        let Some(last) = shown
            .iter()
            .copied()
            .filter(|at| sheds(&at) > 0)
            .max_by_key(|at| sheds(&at))
        else {
            break;
        };
        shown.retain(|at| *at != last);
    }
    let first = widths[0].min(room(&shown).max(LEAST));
    let heads: Vec<String> = columns
        .iter()
        .map(|column| column.head.to_owned())
        .collect();
    let last = columns.len() - 1;
    for (number, row) in std::iter::once(&heads).chain(rows).enumerate() {
        let mut line = cut(&row[0], first);
        line.extend(std::iter::repeat_n(' ', first.saturating_sub(line.width())));
        for at in &shown[1..] {
            let cell = &row[*at];
            line.extend(std::iter::repeat_n(
                ' ',
                GAP + widths[*at].saturating_sub(cell.width()),
            ));
            match role(cell) {
                role if *at == last && number > 0 && role != Role::Plain => {
                    page.push(Role::Plain, &line);
                    page.push(role, cell);
                    line.clear();
                }
                _ => line.push_str(cell),
            }
        }
        let of_line = if number == 0 { Role::Head } else { Role::Plain };
        page.line(of_line, line.trim_end());
    }
}

fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        cut.push(character);
        if cut.width() >= columns {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    cut
}

/// What came from a peer, with what may not be shown escaped.
pub(super) fn safe(text: &str) -> String {
    let shown = |c: char| match c.is_control() || is_hidden(c) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Adds words in lines of the page's width behind an indentation, the first line's and that of the others;
/// the first word is of a role of its own. A no-break space is a space that no line ends at.
pub(super) fn wrap(page: &mut Page<'_>, first: Role, text: &str, indents: (usize, usize)) {
    let (mut indent, others) = indents;
    let mut line = 0;
    let mut role = first;
    for word in text.split(' ') {
        if line > 0 && line + 1 + word.width() > page.width {
            page.line(Role::Plain, "");
            line = 0;
            indent = others;
        }
        match line {
            0 => {
                page.push(Role::Plain, &" ".repeat(indent));
                line = indent;
            }
            _ => {
                page.push(Role::Plain, " ");
                line += 1;
            }
        }
        page.push(role, &word.replace('\u{a0}', " "));
        role = Role::Plain;
        line += word.width();
    }
    page.line(Role::Plain, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: usize) -> Vec<String> {
        let column = |head, sheds| Column { head, sheds };
        let columns = [
            column("command", 0),
            column("count", 0),
            column("p50", 2),
            column("p90", 1),
        ];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["FETCH", "12", "41 ms", "300 ms"]),
            row(["GETQUOTAROOT", "1", "1.2 s", "-"]),
        ];
        let mut page = Page::plain(width);
        write(&mut page, &columns, &rows, |_| Role::Plain);
        page.text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_aligned_and_shed_where_there_is_no_room() {
        assert_eq!(
            table(80),
            [
                "command       count    p50     p90",
                "FETCH            12  41 ms  300 ms",
                "GETQUOTAROOT      1  1.2 s       -",
            ]
        );
        assert_eq!(table(28)[0], "command       count     p90");
        assert_eq!(table(20)[2], "GETQUOTAROOT      1");
        assert_eq!(table(16)[2], "GETQUOTA…      1");
    }

    #[test]
    fn words_are_wrapped() {
        let mut page = Page::plain(9);
        wrap(&mut page, Role::Plain, "one two three\u{a0}4", (1, 2));
        assert_eq!(page.text, " one two\n  three 4\n");
    }

    #[test]
    fn heads_last_cells_and_first_words_are_what_they_are() {
        let paint = |role: Role, text: &str| format!("<{role:?}|{text}>");
        let mut page = Page::painted(40, &paint);
        let column = |head| Column { head, sheds: 0 };
        let rows = [vec!["x".to_owned(), "EXCEEDED".to_owned()]];
        let role = |cell: &str| match cell {
            "EXCEEDED" => Role::Beyond,
            _ => Role::Plain,
        };
        write(&mut page, &[column("budget"), column("")], &rows, role);
        wrap(&mut page, Role::Waste, "polling: IDLE", (2, 4));
        assert_eq!(
            page.text,
            "<Head|budget>\nx       <Beyond|EXCEEDED>\n  <Waste|polling:> IDLE\n"
        );
    }

    #[test]
    fn what_may_not_be_shown_is_escaped() {
        assert_eq!(safe("X\u{1b}[31m\u{202e}"), "X\\u{1b}[31m\\u{202e}");
    }
}
