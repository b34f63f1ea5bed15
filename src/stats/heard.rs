//! What is read of a message for the figures.

use std::collections::HashSet;

use crate::event::{Label, Passed, Piece, Reading, Said, Value};
use crate::limits;

/// Whether the response code is this one.
pub(super) fn has_code(said: &Said, name: &str) -> bool {
    let code = said
        .spans
        .iter()
        .take(4)
        .find(|span| span.label == Label::CodeName);
    code.is_some_and(|code| said.span_bytes(code).eq_ignore_ascii_case(name.as_bytes()))
}

/// Literals in it, as far as a peer said them.
pub(super) fn literals(said: &Said) -> u64 {
    let is_literal =
        |piece: &&Piece| matches!(piece, Piece::Literal { .. } | Piece::Streamed { .. });
    let own = matches!(said.passed, Passed::Own);
    match own {
        true => 0,
        false => said.wire.pieces().iter().filter(is_literal).count() as u64,
    }
}

/// The capabilities that the app was shown, upper case, where the message lists them.
pub(super) fn capabilities(said: &Said) -> Option<HashSet<String>> {
    let listed = match &said.reading {
        Reading::Untagged { name, .. } if name == "CAPABILITY" => said.arguments(),
        Reading::Greeting { .. }
        | Reading::Tagged { .. }
        | Reading::Untagged {
            status: Some(_), ..
        } if has_code(said, "CAPABILITY") => {
            said.code().map(|code| code.values).unwrap_or_default()
        }
        _ => return None,
    };
    let is_shown = |name: &str| match &said.passed {
        Passed::Instead(sent) => {
            let sent = sent.bytes().to_ascii_uppercase();
            memchr::memmem::find(&sent, name.as_bytes()).is_some()
        }
        _ => true,
    };
    let names = listed.iter().filter_map(Value::bytes);
    let names = names.map(|name| String::from_utf8_lossy(name).to_ascii_uppercase());
    let names = names.filter(|name| name.len() <= limits::TAG && is_shown(name));
    Some(names.take(limits::STATS_CAPABILITIES).collect())
}

/// Octets that a SEARCH response would have been shorter by as an ESEARCH response with ALL (RFC 4731,
/// section 3.1).
pub(super) fn shorter_in_ranges(said: &Said) -> u64 {
    /// `* ESEARCH (TAG "a1") UID ALL `, and a line end.
    const AROUND: usize = 32;
    let arguments = said.arguments();
    let mut numbers = arguments.iter().filter_map(Value::number).peekable();
    let digits = |number: u64| number.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut octets = AROUND;
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if(|next| *next == last.wrapping_add(1)) {
            last = next;
        }
        octets += digits(first) + 1;
        if last > first {
            octets += digits(last) + 1;
        }
    }
    said.wire.octets().saturating_sub(octets as u64)
}
