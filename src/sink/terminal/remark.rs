//! mailscope's remarks below a message: what changed by it, what it means, what is odd about it.

use super::meaning;
use super::readable;
use super::sheet::{HANG, Left, Sheet};
use crate::event::{
    Awaited, CapabilityChange, Label, Passed, Peer, Reading, Relation, Said, Status,
};
use crate::figure;
use crate::sink::palette::Meaning;

/// Capabilities that came or went and are named; one more is named rather than counted. All of them
/// stand in the response itself.
const NAMED: usize = 6;

/// RFC 9051, section 7.1: ALERT.
const ALERT: &str = "the user must see this";

/// Writes the remarks, each in rows of its own.
pub(super) fn write(sheet: &mut Sheet<'_>, said: &Said) {
    readable::write(sheet, said);
    if let Some(change) = &said.capabilities {
        capabilities(sheet, said, change);
    }
    if said.relation == Relation::Unsolicited {
        unsolicited(sheet, said);
    } else if let Some(gone) = expunged(said) {
        remark(sheet, Meaning::Plain, &gone);
    } else if has_alert(said) {
        remark(sheet, Meaning::Warning, ALERT);
    }
    reading(sheet, said);
    passed(sheet, said);
    if said.incomplete {
        remark(sheet, Meaning::Note, "cut off by the end of the connection");
    }
}

/// Writes one remark; the words are ours.
pub(super) fn remark(sheet: &mut Sheet<'_>, meaning: Meaning, words: &str) {
    sheet.remark();
    sheet.line.own(meaning, words);
    sheet.write_line(Left::Blank(HANG), None);
}

/// What became of the message, if it was not passed on as it is.
fn passed(sheet: &mut Sheet<'_>, said: &Said) {
    let words = match (&said.passed, said.from) {
        (Passed::AsRead, _) => return,
        (Passed::Own, Peer::Client) => "said by mailscope in the app's place",
        (Passed::Own, Peer::Server) => "said by mailscope in the server's place",
        (Passed::Instead(sent), peer) if sent.bytes().is_empty() => match peer {
            Peer::Client => "not passed on to the server",
            Peer::Server => "not passed on to the app",
        },
        (Passed::Instead(sent), _) => {
            sheet.remark();
            sheet.line.own(Meaning::Warning, "passed on as");
            sheet.line.own(Meaning::Plain, ": ");
            let line = sent.bytes().trim_ascii_end();
            sheet.line.foreign(Meaning::Plain, line);
            sheet.write_line(Left::Blank(HANG), None);
            return;
        }
    };
    remark(sheet, Meaning::Warning, words);
}

fn reading(sheet: &mut Sheet<'_>, said: &Said) {
    match &said.reading {
        Reading::Greeting { status } => match status {
            Some(Status::Preauth) => remark(sheet, Meaning::Plain, "already authenticated"),
            Some(Status::Bye) => {
                remark(sheet, Meaning::Warning, "the server refuses the connection");
            }
            _ => {}
        },
        Reading::Command {
            mechanism,
            identity,
            refused,
            ..
        } => {
            if mechanism.is_some() {
                sasl(sheet, mechanism.as_deref(), identity.as_deref());
            }
            if *refused {
                let words = "the server refused the literal: its octets were not sent";
                remark(sheet, Meaning::Note, words);
            }
        }
        Reading::ContinuationRequest {
            awaited: Some(Awaited::Idle),
            ..
        } => {
            let words = "idling: the server may speak at any time";
            remark(sheet, Meaning::Plain, words);
        }
        Reading::Continuation {
            mechanism,
            identity,
            idled,
            ..
        } => {
            sasl(sheet, mechanism.as_deref(), identity.as_deref());
            if let Some(idled) = idled {
                let words = format!("left IDLE after {}", figure::duration(*idled));
                remark(sheet, Meaning::Plain, &words);
            }
        }
        _ => {}
    }
}

/// `SASL PLAIN as alice`
fn sasl(sheet: &mut Sheet<'_>, mechanism: Option<&str>, identity: Option<&str>) {
    if mechanism.is_none() && identity.is_none() {
        return;
    }
    sheet.remark();
    sheet.line.own(Meaning::Plain, "SASL");
    for (word, value) in [(" ", mechanism), (" as ", identity)] {
        if let Some(value) = value {
            sheet.line.own(Meaning::Plain, word);
            sheet.line.foreign(Meaning::Name, value.as_bytes());
        }
    }
    sheet.write_line(Left::Blank(HANG), None);
}

/// `capabilities: + IDLE MOVE … 20 more  − STARTTLS`
fn capabilities(sheet: &mut Sheet<'_>, said: &Said, change: &CapabilityChange) {
    if change.added.is_empty() && change.removed.is_empty() {
        return;
    }
    sheet.remark();
    sheet.line.own(Meaning::Plain, "capabilities:");
    if change.removed.is_empty() && change.added.len() == listed(said) {
        let all = format!(" all {} are new", change.added.len());
        sheet.line.own(Meaning::Plain, &all);
        sheet.write_line(Left::Blank(HANG), None);
        return;
    }
    let lists = [
        (" +", Meaning::Added, &change.added),
        (" −", Meaning::Removed, &change.removed),
    ];
    for (sign, meaning, names) in lists.into_iter().filter(|list| !list.2.is_empty()) {
        if meaning == Meaning::Removed && !change.added.is_empty() {
            sheet.line.own(Meaning::Plain, " ");
        }
        sheet.line.own(meaning, sign);
        let most = match names.len() {
            few if few <= NAMED + 1 => few,
            _ => NAMED,
        };
        for name in &names[..most] {
            sheet.line.own(meaning, " ");
            sheet.line.foreign(meaning, name.as_bytes());
        }
        if names.len() > most {
            let more = format!(" … {} more", names.len() - most);
            sheet.line.own(Meaning::Dim, &more);
        }
    }
    sheet.write_line(Left::Blank(HANG), None);
}

/// How many capabilities stand in the response itself; more than one, or it is not worth saying.
fn listed(said: &Said) -> usize {
    let count = match said.code() {
        Some(code) => code.values.len(),
        None => said.arguments().len(),
    };
    if count > 1 { count } else { 0 }
}

fn has_alert(said: &Said) -> bool {
    said.spans
        .iter()
        .take(8)
        .filter(|span| span.label == Label::CodeName)
        .any(|span| said.span_bytes(span).eq_ignore_ascii_case(b"ALERT"))
}

/// The message that is gone, where its UID was told.
fn expunged(said: &Said) -> Option<String> {
    match &said.reading {
        Reading::Untagged {
            name,
            number: Some(number),
            ..
        } if name == "EXPUNGE" && said.uid.is_some() => Some(meaning::gone(*number, said.uid)),
        _ => None,
    }
}

fn unsolicited(sheet: &mut Sheet<'_>, said: &Said) {
    sheet.remark();
    sheet.line.own(Meaning::Unsolicited, "unsolicited");
    sheet.line.own(Meaning::Plain, ": ");
    match &said.reading {
        _ if has_alert(said) => sheet.line.own(Meaning::Warning, ALERT),
        Reading::Untagged {
            name,
            number,
            status,
            ..
        } => {
            meaning::unsolicited(sheet.line, said, name, *number, *status);
        }
        _ => sheet
            .line
            .own(Meaning::Plain, "no command in flight asks for this"),
    }
    sheet.write_line(Left::Blank(HANG), None);
}
