//! Parentheses, and the spaces between arguments.

use crate::event::{Label, Piece, Reading, Span};
use crate::lint::look::Look;
use crate::lint::table::Breach;

pub(super) fn check(look: &mut Look<'_>) {
    // Human-readable text may hold anything, and so may what stands in a response code.
    let has_grammar = match &look.said.reading {
        Reading::Command { refused, .. } => !refused,
        Reading::Untagged { status: None, .. } => true,
        _ => false,
    };
    let is_odd = |span: &Span| matches!(span.label, Label::Malformed | Label::Text);
    if !has_grammar || look.said.incomplete || look.said.spans.iter().any(is_odd) {
        return;
    }
    parentheses(look);
    spaces(look);
}

fn parentheses(look: &mut Look<'_>) {
    let mut open = Vec::new();
    for span in &look.said.spans {
        match span.label {
            Label::ListOpen => open.push(span.range.clone()),
            Label::ListClose if open.pop().is_none() => {
                return look.add(Breach::ListTooManyClosed, span.range.clone(), "");
            }
            _ => {}
        }
    }
    if let Some(first) = open.into_iter().next() {
        look.add(Breach::ListUnclosed, first, "");
    }
}

fn spaces(look: &mut Look<'_>) {
    let said = look.said;
    let bytes = said.wire.bytes();
    let is_space = |octet: &u8| *octet == b' ';
    let doubled = said.spans.windows(2).find_map(|pair| {
        let gap = pair[0].range.end..pair[1].range.start;
        let is_wide = gap.len() > 1 && bytes[gap.clone()].iter().all(is_space);
        is_wide.then_some(gap)
    });
    if let Some(gap) = doubled {
        look.add(Breach::SpacesDoubled, gap, "");
    }
    let Some(last) = said.spans.last() else {
        return;
    };
    let rest = &bytes[last.range.end..];
    let length = rest.iter().take_while(|octet| is_space(octet)).count();
    let is_in_text = matches!(said.wire.pieces().last(), Some(Piece::Text(_)));
    if length > 0 && is_in_text {
        let start = last.range.end;
        look.add(Breach::SpacesTrailing, start..start + length, "");
    }
}
