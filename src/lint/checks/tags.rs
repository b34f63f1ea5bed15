//! Tags: one a command, and in its answer (RFC 9051, section 2.2.1 and 2.2.2).

use crate::event::{Awaited, Label, Reading, Relation};
use crate::lint::look::Look;
use crate::lint::table::Breach;

pub(super) fn check(look: &mut Look<'_>) {
    // Of a text that is an excerpt, not every command was seen.
    let is_seen = look.session.state().is_some();
    let tag_range = match look.said.spans.first() {
        Some(span) if span.label == Label::Tag => span.range.clone(),
        _ => return,
    };
    match &look.said.reading {
        Reading::Command { .. } => {
            let Some(command) = &look.command else {
                return;
            };
            let is_new = look.memory.is_new(&command.tag);
            if look.session.in_flight().has_tag(&command.tag) {
                look.add(Breach::DuplicateTag, tag_range, "");
            } else if !is_new {
                look.add(Breach::TagReused, tag_range, "");
            }
        }
        Reading::Tagged { .. } if is_seen && look.said.relation == Relation::Unsolicited => {
            look.add(Breach::UnknownTag, tag_range, "");
        }
        Reading::ContinuationRequest { awaited: None, .. } if is_seen => {
            look.add(Breach::UnexpectedContinuationRequest, tag_range, "");
        }
        Reading::ContinuationRequest {
            awaited: Some(Awaited::Sasl),
            ..
        } => challenge(look),
        _ => {}
    }
}

/// `S: + UGFzc3dvcmQ6`
fn challenge(look: &mut Look<'_>) {
    let bytes = look.said.wire.bytes();
    let text = bytes.strip_prefix(b"+").unwrap_or(bytes).trim_ascii();
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    let is_masked = text.starts_with(b"<secret:")
        || look
            .said
            .spans
            .iter()
            .any(|span| matches!(span.label, Label::Secret(_)));
    let is_base64 = text.iter().all(is_digit) && text.len().is_multiple_of(4);
    if !is_masked && !is_base64 {
        let range = look.range_of(text);
        look.add(Breach::BadChallenge, range, "");
    }
}
