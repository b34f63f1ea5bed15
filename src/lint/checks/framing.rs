//! Octets, lines and strings: what the grammar of RFC 9051, section 9, does not permit anywhere.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::event::{Label, LiteralForm, Peer, Piece, Reading, Span};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::protocol::imap::is_command;

/// Octets that a command line may have (RFC 7162, section 4).
const LONGEST_LINE: usize = 8192;

pub(super) fn check(look: &mut Look<'_>) {
    if look.said.incomplete {
        look.add_head(Breach::MessageCutOff, "");
    }
    match look.said.reading {
        Reading::LiteralPart { .. } => return,
        Reading::Opaque => return malformed(look),
        Reading::Command { .. } if !look.said.incomplete && is_tag_alone(&look.said.spans) => {
            return look.add_head(Breach::MalformedCommand, "");
        }
        _ => {}
    }
    lines(look);
    for span in &look.said.spans {
        match span.label {
            Label::Quoted => quoted(look, span),
            Label::Malformed => odd(look, span),
            Label::Atom | Label::Name | Label::CodeName => {
                let text = look.said.span_bytes(span);
                if let Some(range) = beyond_ascii(text, span.range.start) {
                    look.add(Breach::EightBitInAtom, range, "");
                }
            }
            _ => {}
        }
    }
}

fn is_tag_alone(spans: &[Span]) -> bool {
    matches!(spans, [span] if span.label == Label::Tag)
}

/// Line ends and NUL.
fn lines(look: &mut Look<'_>) {
    let said = look.said;
    let bytes = said.wire.bytes();
    let mut length = 0;
    for piece in said.wire.pieces() {
        let (text, content) = match piece {
            Piece::Text(text) => (text.clone(), 0..0),
            Piece::Literal {
                form,
                header,
                content,
            } => {
                let may_be_nul = [LiteralForm::Literal8, LiteralForm::Literal8NonSync];
                let content = match may_be_nul.contains(form) {
                    true => 0..0,
                    false => content.clone(),
                };
                (header.clone(), content)
            }
            Piece::Streamed { header, .. } => (header.clone(), 0..0),
            Piece::Secret(..) => continue,
        };
        length += text.len();
        line_ends(look, bytes, text.clone());
        for range in [text, content] {
            if let Some(at) = memchr(0, &bytes[range.clone()]) {
                let at = range.start + at;
                look.add(Breach::NulOctet, at..at + 1, "");
            }
        }
    }
    if look.command.is_some() && length > LONGEST_LINE {
        let about = format!("this one has {length}");
        look.add_head(Breach::LineTooLong, about);
    }
}

fn line_ends(look: &mut Look<'_>, bytes: &[u8], text: Range<usize>) {
    let line = &bytes[text.clone()];
    let bare_lf = memchr_iter(b'\n', line).find(|at| *at == 0 || line[at - 1] != b'\r');
    let bare_cr =
        memchr_iter(b'\r', line).find(|at| line.get(at + 1).is_none_or(|next| *next != b'\n'));
    for (id, at) in [(Breach::BareLf, bare_lf), (Breach::BareCr, bare_cr)] {
        if let Some(at) = at {
            look.add(id, text.start + at..text.start + at + 1, "");
        }
    }
}

fn quoted(look: &mut Look<'_>, span: &Span) {
    let text = look.said.span_bytes(span);
    if let Some(range) = beyond_ascii(text, span.range.start) {
        match (look.has_utf8(), std::str::from_utf8(text)) {
            (false, _) => look.add(Breach::EightBitInQuoted, range, ""),
            (true, Err(error)) => {
                let start = span.range.start + error.valid_up_to();
                look.add(Breach::InvalidUtf8, start..start + 1, "");
            }
            (true, Ok(_)) => {}
        }
    }
    let mut at = 1;
    while let Some(next) = text.get(at..).and_then(|rest| memchr(b'\\', rest)) {
        at += next;
        if !matches!(text.get(at + 1), Some(b'"' | b'\\')) {
            let start = span.range.start + at;
            return look.add(Breach::QuotedEscape, start..start + 2, "");
        }
        at += 2;
    }
}

/// A token that the lexer could not make anything of.
fn odd(look: &mut Look<'_>, span: &Span) {
    let text = look.said.span_bytes(span);
    // A NUL in a quoted string or an atom has been told of.
    match text.first() {
        Some(b'"') => look.add(Breach::QuotedUnclosed, span.range.clone(), ""),
        _ if memchr(0, text).is_some() => {}
        _ => {
            let is_odd = |octet: &u8| octet.is_ascii_control() || *octet == b'"';
            let at = text.iter().position(is_odd).unwrap_or_default();
            let start = span.range.start + at;
            look.add(Breach::ControlInAtom, start..start + 1, "");
        }
    }
}

/// The first octets beyond ASCII, in a text that starts there.
fn beyond_ascii(text: &[u8], start: usize) -> Option<Range<usize>> {
    let first = text.iter().position(|octet| !octet.is_ascii())?;
    let length = text[first..].iter().take_while(|octet| !octet.is_ascii());
    Some(start + first..start + first + length.count())
}

/// A line that is no message.
fn malformed(look: &mut Look<'_>) {
    let bytes = look.said.wire.bytes();
    let is_line = bytes.ends_with(b"\n") && memchr_iter(b'\n', bytes).count() == 1;
    let is_text = bytes
        .iter()
        .all(|octet| !octet.is_ascii_control() || b"\r\n\t".contains(octet));
    let is_masked = look
        .said
        .wire
        .pieces()
        .iter()
        .any(|piece| matches!(piece, Piece::Secret(..)));
    let is_encoded = look.session.is_compressed() || look.memory.is_opaque;
    if is_encoded || !is_line || !is_text || is_masked {
        return;
    }
    line_ends(look, bytes, 0..bytes.len());
    let line = bytes.trim_ascii_end();
    if look.said.from == Peer::Server {
        return look.add(Breach::MalformedResponse, 0..line.len(), "");
    }
    let mut words = line.split(|octet| *octet == b' ');
    let tag = words.next().unwrap_or_default();
    let upper = |word: &[u8]| String::from_utf8_lossy(word).to_ascii_uppercase();
    let mut name = words.next().map(upper).unwrap_or_default();
    if name == "UID" {
        name = format!("UID {}", words.next().map(upper).unwrap_or_default());
    }
    match !tag.is_empty() && is_command(&name) {
        true => look.add(Breach::TagCharacters, 0..tag.len(), ""),
        false => look.add(Breach::MalformedCommand, 0..line.len(), ""),
    }
}
