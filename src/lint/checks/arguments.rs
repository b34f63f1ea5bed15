//! How many arguments a command has, and the forms of some of them (RFC 9051, section 9).

use std::ops::Range;

use super::keys::Keys;
use crate::event::{Label, Piece, Reading, Span};
use crate::lint::look::Look;
use crate::lint::table::Breach;

/// Commands with the fewest and the most arguments that they take; no most where an extension may add
/// some.
const COUNTS: &[(&str, usize, Option<usize>)] = &[
    ("APPEND", 2, None),
    ("AUTHENTICATE", 1, Some(2)),
    ("CAPABILITY", 0, Some(0)),
    ("CHECK", 0, Some(0)),
    ("CLOSE", 0, Some(0)),
    ("COMPRESS", 1, Some(1)),
    ("COPY", 2, Some(2)),
    ("CREATE", 1, Some(2)),
    ("DELETE", 1, Some(1)),
    ("ENABLE", 1, None),
    ("EXAMINE", 1, Some(2)),
    ("EXPUNGE", 0, Some(0)),
    ("FETCH", 2, None),
    ("GETQUOTA", 1, Some(1)),
    ("GETQUOTAROOT", 1, Some(1)),
    ("IDLE", 0, Some(0)),
    ("LIST", 2, None),
    ("LOGIN", 2, None),
    ("LOGOUT", 0, Some(0)),
    ("LSUB", 2, Some(2)),
    ("MOVE", 2, Some(2)),
    ("NAMESPACE", 0, Some(0)),
    ("NOOP", 0, Some(0)),
    ("RENAME", 2, Some(3)),
    ("SEARCH", 1, None),
    ("SELECT", 1, Some(2)),
    ("STARTTLS", 0, Some(0)),
    ("STATUS", 2, Some(2)),
    ("STORE", 3, None),
    ("SUBSCRIBE", 1, Some(1)),
    ("UID COPY", 2, Some(2)),
    ("UID EXPUNGE", 1, Some(1)),
    ("UID FETCH", 2, None),
    ("UID MOVE", 2, Some(2)),
    ("UID SEARCH", 1, None),
    ("UID STORE", 3, None),
    ("UNAUTHENTICATE", 0, Some(0)),
    ("UNSELECT", 0, Some(0)),
    ("UNSUBSCRIBE", 1, Some(1)),
];

const MACROS: &[&str] = &["ALL", "FAST", "FULL"];

pub(super) fn check(look: &mut Look<'_>) {
    let Reading::Command { refused: false, .. } = look.said.reading else {
        return;
    };
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let is_masked = |piece: &Piece| matches!(piece, Piece::Secret(..));
    let pieces = look.said.wire.pieces();
    if look.said.incomplete || (pieces.iter().any(is_masked) && name != "LOGIN") {
        return;
    }
    counted(look, &name);
    match &*name {
        "FETCH" | "UID FETCH" => fetch(look),
        "STATUS" => empty_list(look),
        "APPEND" => append(look),
        _ => {}
    }
    for range in Keys::read(look).dates {
        date(look, range);
    }
}

fn counted(look: &mut Look<'_>, name: &str) {
    let row = COUNTS.binary_search_by(|(command, ..)| (*command).cmp(name));
    let Ok(row) = row else {
        return;
    };
    let (_, fewest, most) = COUNTS[row];
    let count = look.said.arguments().len();
    if count < fewest {
        let about = format!("{name} needs {fewest}, and has {count}");
        look.add_head(Breach::ArgumentsMissing, about);
    } else if most.is_some_and(|most| count > most) {
        let most = most.unwrap_or_default();
        let arguments = look.arguments();
        let first = nth(arguments, most).map_or(0..0, |span| span.range.clone());
        let end = arguments.last().map_or(first.end, |span| span.range.end);
        let about = match most {
            0 => format!("{name} takes none"),
            most => format!("{name} takes {most}"),
        };
        look.add(Breach::ArgumentsUnexpected, first.start..end, about);
    }
}

/// The argument behind so many, lists counting as one.
pub(super) fn nth(spans: &[Span], behind: usize) -> Option<&Span> {
    let mut depth = 0_usize;
    let mut count = 0;
    for span in spans {
        let begins = depth == 0 && span.label != Label::LiteralHeader;
        match span.label {
            Label::ListOpen => depth += 1,
            Label::ListClose => depth = depth.saturating_sub(1),
            _ => {}
        }
        if begins && span.label != Label::ListClose {
            if count == behind {
                return Some(span);
            }
            count += 1;
        }
    }
    None
}

/// `C: a FETCH 1 (ALL UID)`, `C: a FETCH 1 ()`, `C: a FETCH 1 BODY[]<0.0>`
fn fetch(look: &mut Look<'_>) {
    empty_list(look);
    let said = look.said;
    let spans = look.arguments();
    let is_list = spans.get(1).is_some_and(|s| s.label == Label::ListOpen);
    let end = spans.iter().position(|span| span.label == Label::ListClose);
    let items = &spans[..end.filter(|_| is_list).unwrap_or(spans.len())];
    let is_macro = |span: &&Span| {
        let word = said.span_bytes(span).to_ascii_uppercase();
        MACROS.iter().any(|name| name.as_bytes() == word)
    };
    let combined = items.iter().skip(1).find(is_macro);
    if let Some(combined) = combined.filter(|_| is_list) {
        let range = combined.range.clone();
        look.add(Breach::FetchMacroCombined, range, "");
    }
    let is_empty = |span: &&Span| {
        let text = said.span_bytes(span);
        span.label == Label::Atom && text.contains(&b'<') && text.ends_with(b".0>")
    };
    if let Some(empty) = items.iter().skip(1).find(is_empty) {
        let range = empty.range.clone();
        look.add(Breach::PartialEmpty, range, "");
    }
}

/// `C: a STATUS x ()`
fn empty_list(look: &mut Look<'_>) {
    let pair = look.arguments().get(1..3);
    if let Some([open, close]) = pair
        && (open.label, close.label) == (Label::ListOpen, Label::ListClose)
    {
        let range = open.range.start..close.range.end;
        look.add(Breach::ItemsMissing, range, "");
    }
}

/// `C: a APPEND x (\Seen) "17-Jul-1996 02:44:25 -0700" {310}`
fn append(look: &mut Look<'_>) {
    let said = look.said;
    let spans = look.arguments();
    // The mailbox stands first, and may be in quotes as well.
    let begins = spans
        .iter()
        .position(|span| span.label != Label::LiteralHeader);
    let behind = &spans[begins.map_or(spans.len(), |begins| begins + 1)..];
    let mut quoted = behind.iter().filter(|span| span.label == Label::Quoted);
    let date = quoted.next().map(|span| span.range.clone());
    let has = |option: &str| {
        look.command
            .as_ref()
            .is_some_and(|it| it.has_option(option))
    };
    let (is_utf8, is_url) = (has("UTF8"), has("CATENATE"));
    if let Some(range) = date.filter(|_| !is_url)
        && !is_date_time(&said.wire.bytes()[range.clone()])
    {
        look.add(Breach::DateMalformed, range, "");
    }
    let is_on = look.session.has_enabled("UTF8=ACCEPT") || look.session.in_flight().has("ENABLE");
    if is_utf8 && !is_on && look.session.state().is_some() {
        let range = look.range_of_word("UTF8");
        look.add(Breach::Utf8AppendWithoutEnable, range, "");
    }
}

fn date(look: &mut Look<'_>, range: Range<usize>) {
    let text = &look.said.wire.bytes()[range.clone()];
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    if !is_date(text.strip_suffix(b"\"").unwrap_or(text)) {
        look.add(Breach::DateMalformed, range, "");
    }
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// `1-Feb-1994`
fn is_date(text: &[u8]) -> bool {
    let mut parts = text.split(|octet| *octet == b'-');
    let (Some(day), Some(month), Some(year), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let is_month = MONTHS.iter().any(|name| name.eq_ignore_ascii_case(month));
    (1..=2).contains(&day.len())
        && are_digits(day)
        && is_month
        && year.len() == 4
        && are_digits(year)
}

/// `"17-Jul-1996 02:44:25 -0700"`, quotes included; the day may have a space for its first digit.
pub(super) fn is_date_time(quoted: &[u8]) -> bool {
    const FORM: &[u8] = b"\"dd-mmm-dddd dd:dd:dd sdddd\"";
    let fits = |(octet, form): (&u8, &u8)| match form {
        b'd' => octet.is_ascii_digit(),
        b'm' => octet.is_ascii_alphabetic(),
        b's' => b"+-".contains(octet),
        form => octet == form,
    };
    let mut text = quoted.to_vec();
    if text.get(1) == Some(&b' ') {
        text[1] = b'0';
    }
    text.len() == FORM.len()
        && text.iter().zip(FORM).all(fits)
        && MONTHS
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&text[4..7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_alphabetical_order() {
        assert!(COUNTS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn dates_are_told_from_what_is_none() {
        for good in ["1-Feb-1994", "01-FEB-1994", "31-dec-2026"] {
            assert!(is_date(good.as_bytes()), "{good}");
        }
        for bad in [
            "1994-02-01",
            "1-2-1994",
            "1-Feb-94",
            "Feb-1-1994",
            "1-Feb-1994-1",
            "",
        ] {
            assert!(!is_date(bad.as_bytes()), "{bad}");
        }
        for good in [
            "\"17-Jul-1996 02:44:25 -0700\"",
            "\" 7-jul-1996 02:44:25 +0000\"",
        ] {
            assert!(is_date_time(good.as_bytes()), "{good}");
        }
        for bad in [
            "\"17-Jul-1996 02:44:25\"",
            "\"17-Jux-1996 02:44:25 -0700\"",
            "\"17 Jul 1996 02:44:25 -0700\"",
            "\"7-Jul-1996 02:44:25 -0700\"",
        ] {
            assert!(!is_date_time(bad.as_bytes()), "{bad}");
        }
    }
}
