//! Literals and octets that make no message: a preview, and how much there is.
//!
//! ```text
//! S:   * 1 FETCH (BODY[HEADER] {1234}
//!        │ From: Alice <alice@example.org>
//!        │ … 12 more lines, 1,234 octets in all
//!        )
//! ```
//!
//! Not a MIME reader. Promises: a preview has a few rows, however large the literal.

use super::sheet::{Left, Sheet};
use crate::figure;
use crate::sink::palette::Meaning;
use crate::sink::printable::{Escape, Shown, shown};

/// Lines of a literal that are shown; one line more is shown rather than folded.
const LINES: usize = 6;

/// Rows of a hexadecimal dump.
const DUMP_ROWS: usize = 3;

/// Octets of a literal that may stand in the line behind its header.
const INLINE: usize = 40;

/// Octets that are looked at to tell text from other data.
const SAMPLE: usize = 512;

/// Whether a preview that is cut says how much there is in all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    Said,
    Known,
}

/// Whether a literal may stand in the line behind its header.
pub(super) fn fits_inline(content: &[u8]) -> bool {
    content.len() <= INLINE
        && shown(content).all(|stretch| matches!(stretch, Shown::Plain(_)))
        && !content.starts_with(b" ")
        && !content.ends_with(b" ")
}

/// Shows the beginning of `octets`, set off by a gutter.
pub(super) fn preview(sheet: &mut Sheet<'_>, indent: usize, octets: &[u8], total: Total) {
    if octets.is_empty() {
        return;
    }
    if !is_mostly_text(octets) {
        dump(sheet, indent, octets, total);
        return;
    }
    let left = Left::Gutter(indent);
    let ends = memchr::memchr_iter(b'\n', octets).count();
    let lines = ends + usize::from(!octets.ends_with(b"\n"));
    if lines == 1 {
        sheet.start_row(left);
        sheet.line.sent(Meaning::Plain, without_line_end(octets), 0);
        sheet.write_line(left, Some(octets.len()));
        return;
    }
    let most = if lines == LINES + 1 { lines } else { LINES };
    for line in octets.split_inclusive(|&octet| octet == b'\n').take(most) {
        sheet.start_row(left);
        sheet.line.sent(Meaning::Plain, without_line_end(line), 0);
        sheet.write_row();
    }
    if lines > most {
        let more = figure::counted((lines - most) as u64, "more line");
        fold(sheet, indent, &more, octets, total);
    }
}

fn fold(sheet: &mut Sheet<'_>, indent: usize, more: &str, octets: &[u8], total: Total) {
    let all = figure::counted(octets.len() as u64, "octet");
    match total {
        Total::Said => summary(sheet, indent, &format!("… {more}, {all} in all")),
        Total::Known => summary(sheet, indent, &format!("… {more}")),
    }
}

/// A row of mailscope's own words in the gutter.
pub(super) fn summary(sheet: &mut Sheet<'_>, indent: usize, words: &str) {
    sheet.start_row(Left::Gutter(indent));
    sheet.line.own(Meaning::Dim, words);
    sheet.write_line(Left::Gutter(indent), None);
}

/// A CRLF says nothing; an LF alone does, and stays.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r\n").unwrap_or(line)
}

/// Whether nearly all of it can be shown as it is.
fn is_mostly_text(octets: &[u8]) -> bool {
    let sample = &octets[..octets.len().min(SAMPLE)];
    let escaped: usize = shown(sample)
        .map(|stretch| match stretch {
            Shown::Escape(Escape::Letter(_), _) => 0, // line ends and tabs
            Shown::Escape(_, octets) => octets,
            Shown::Plain(_) => 0,
        })
        .sum();
    escaped * 8 <= sample.len()
}

/// `1703 0300 4501  ....E.`
fn dump(sheet: &mut Sheet<'_>, indent: usize, octets: &[u8], total: Total) {
    let room = sheet.room(indent + 2);
    let columns = |octets: usize| octets / 2 * 5 + 1 + octets;
    let per_row = [32, 16, 8].into_iter().find(|&n| columns(n) <= room);
    let per_row = per_row.unwrap_or(4);
    for row in octets.chunks(per_row).take(DUMP_ROWS) {
        sheet.start_row(Left::Gutter(indent));
        let mut hex = String::with_capacity(columns(per_row));
        for pair in row.chunks(2) {
            pair.iter()
                .for_each(|octet| hex.push_str(&format!("{octet:02x}")));
            hex.push(' ');
        }
        let ascii: String = row
            .iter()
            .map(|&octet| match octet {
                b' '..=b'~' => char::from(octet),
                _ => '.',
            })
            .collect();
        sheet.line.own(Meaning::Plain, &hex);
        let gap = (per_row / 2 * 5 + 1).saturating_sub(hex.len());
        sheet.line.own(Meaning::Plain, &" ".repeat(gap));
        sheet.line.own(Meaning::Dim, &ascii);
        sheet.write_row();
    }
    let more = octets.len().saturating_sub(per_row * DUMP_ROWS);
    if more > 0 {
        let more = figure::counted(more as u64, "more octet");
        fold(sheet, indent, &more, octets, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_text_and_ciphertext_is_not() {
        assert!(is_mostly_text(b"From: a\r\n\tb\r\n\r\n"));
        assert!(is_mostly_text("Grüße\r\n".as_bytes()));
        assert!(is_mostly_text(b"Gr\xfc\xdfe aus Berlin\r\n"));
        assert!(!is_mostly_text(b"\x17\x03\x03\x00\x45\x9a\x01abc"));
    }

    #[test]
    fn short_words_stand_in_the_line() {
        assert!(fits_inline(b"") && fits_inline(b"INBOX") && fits_inline("Entwürfe".as_bytes()));
        assert!(!fits_inline(b"a\r\n") && !fits_inline(b" a") && !fits_inline(&[b'x'; 41]));
    }
}
