//! Responses with something wrong in them, put there by a fault; every other octet stays.
//!
//! ```text
//! S: * OK [UIDVALIDITY 7] ...       * OK [UIDVALIDITY 8] ...
//! S: * 1 FETCH (BODY[] {5}          * 1 FETCH (BODY[] {6}
//! ```

use std::ops::Range;
use std::sync::Arc;

use super::lexer;
use super::response::{Kind, Response};
use crate::event::{LiteralForm, Message, Piece, Span};

/// The response with another UIDVALIDITY wherever it tells one: in SELECT's and STATUS's answers
/// (RFC 9051, sections 7.1 and 7.3.4) and in `APPENDUID` and `COPYUID` (section 7.1). `None` if it
/// tells none, or `other` has none.
pub(super) fn uidvalidity(
    message: &Message,
    other: impl Fn(u32) -> Option<(Arc<str>, u32)>,
) -> Option<(Vec<u8>, Arc<str>)> {
    let spans = lexer::response(message);
    let bytes = message.bytes();
    let is_status = {
        let response = Response::new(message, &spans);
        response.kind() == Kind::Untagged && response.name().as_deref() == Some("STATUS")
    };
    let words: &[&str] = match is_status {
        true => &["UIDVALIDITY"],
        false => &["UIDVALIDITY", "APPENDUID", "COPYUID"],
    };
    let is_word = |span: &Span| {
        let is_place = is_status || span.label == crate::event::Label::CodeName;
        let octets = &bytes[span.range.clone()];
        is_place
            && words
                .iter()
                .any(|word| octets.eq_ignore_ascii_case(word.as_bytes()))
    };
    let place = spans.iter().position(is_word)?;
    let number = spans.get(place + 1)?.range.clone();
    let real = std::str::from_utf8(&bytes[number.clone()])
        .ok()?
        .parse()
        .ok()?;
    let (fault, told) = other(real)?;
    Some((with(bytes, number, told.to_string().as_bytes()), fault))
}

/// The first literal's header, its form and its octets.
pub(super) fn first_literal(message: &Message) -> Option<(Range<usize>, LiteralForm, u64)> {
    message.pieces().iter().find_map(|piece| match piece {
        Piece::Literal {
            form,
            header,
            content,
        } => Some((header.clone(), *form, content.len() as u64)),
        _ => None,
    })
}

/// The response with a header that says so many octets more, or fewer; `None` if they would be fewer
/// than none.
pub(super) fn lie(
    message: &Message,
    (header, form, octets): (Range<usize>, LiteralForm, u64),
    by: i64,
) -> Option<Vec<u8>> {
    let told = octets.checked_add_signed(by)?;
    Some(with(message.bytes(), header, form.header(told).as_bytes()))
}

fn with(bytes: &[u8], range: Range<usize>, new: &[u8]) -> Vec<u8> {
    [&bytes[..range.start], new, &bytes[range.end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let message = Message::text(line.as_bytes());
        let other = |real| Some((Arc::from("uidvalidity"), real + 1));
        let edited = uidvalidity(&message, other);
        edited.map_or("-".into(), |(octets, _)| String::from_utf8(octets).unwrap())
    }

    #[test]
    fn uidvalidity_is_found_wherever_it_is_told() {
        for (line, edited) in [
            ("* OK [UIDVALIDITY 7] x\r\n", "* OK [UIDVALIDITY 8] x\r\n"),
            (
                "a OK [APPENDUID 7 3955] x\r\n",
                "a OK [APPENDUID 8 3955] x\r\n",
            ),
            (
                "a OK [copyuid 7 1:2 3:4] x\r\n",
                "a OK [copyuid 8 1:2 3:4] x\r\n",
            ),
            (
                "* STATUS \"a b\" (MESSAGES 3 UIDVALIDITY 7 UIDNEXT 9)\r\n",
                "* STATUS \"a b\" (MESSAGES 3 UIDVALIDITY 8 UIDNEXT 9)\r\n",
            ),
            ("* STATUS UIDVALIDITY (MESSAGES 3)\r\n", "-"),
            ("* OK UIDVALIDITY 7\r\n", "-"),
            ("* OK [UIDVALIDITY 99999999999] x\r\n", "-"),
            ("* LIST () \"/\" UIDVALIDITY\r\n", "-"),
        ] {
            assert_eq!(told(line), edited, "{line}");
        }
    }
}
