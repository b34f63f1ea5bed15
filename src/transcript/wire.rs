//! Writing a message's octets: the `wire` of an event.
//!
//! Not the reading of it, which is in `item.rs`. It promises that the octets can be had back
//! exactly, and that text a person can read stays text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::event::json::{Object, write_array, write_number, write_utf8};
use crate::event::{LiteralForm, Message, Piece};

/// Strings and base64 runs that one text with octets outside of UTF-8 is split into at most; with
/// more, nothing of it would be readable and it is base64 as a whole.
const RUNS: usize = 16;

/// Adds the message's pieces as a JSON array.
pub(super) fn write_wire(out: &mut Vec<u8>, message: &Message) {
    // Text pieces never follow each other: `Message` joins them.
    let mut empty = true;
    out.push(b'[');
    for piece in message.pieces() {
        if !std::mem::take(&mut empty) {
            out.push(b',');
        }
        write_piece(out, message.bytes(), piece);
    }
    out.push(b']');
}

fn write_piece(out: &mut Vec<u8>, bytes: &[u8], piece: &Piece) {
    match piece {
        Piece::Text(range) => write_text(out, &bytes[range.clone()]),
        Piece::Literal {
            form,
            header,
            content,
        } => {
            let content = &bytes[content.clone()];
            let mut item = Object::open(out);
            write_octets(item.name("literal"), content);
            announce(item, *form, &bytes[header.clone()], content.len() as u64);
        }
        Piece::Streamed {
            form,
            header,
            octets,
            parts,
        } => {
            let mut item = Object::open(out);
            let mut literal = Object::open(item.name("literal"));
            write_array(literal.name("parts"), parts.iter(), |out, part| {
                write_number(out, *part);
            });
            literal.close();
            announce(item, *form, &bytes[header.clone()], *octets);
        }
        Piece::Secret(secret, _) => {
            let mut item = Object::open(out);
            item.string("secret", secret.name());
            item.close();
        }
    }
}

/// How the literal was announced, as far as its content does not say so.
fn announce(mut item: Object<'_>, form: LiteralForm, header: &[u8], octets: u64) {
    item.optional("form", form.name());
    if !form.has_header(header, octets) {
        write_octets(item.name("header"), header);
    }
    item.close();
}

/// A string where the octets are UTF-8, otherwise base64.
fn write_octets(out: &mut Vec<u8>, octets: &[u8]) {
    if write_utf8(out, octets).is_err() {
        write_base64(out, octets);
    }
}

/// One string, or a few strings and base64 runs, or one base64.
fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if write_utf8(out, text).is_ok() {
        return;
    }
    match runs(text) {
        Some(runs) => {
            for (i, run) in runs.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_octets(out, run);
            }
        }
        None => write_base64(out, text),
    }
}

/// The text cut into runs of UTF-8 and runs of other octets, unless there are too many.
fn runs(text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut runs = Vec::with_capacity(RUNS);
    let (mut at, mut other) = (0, 0..0);
    for chunk in text.utf8_chunks() {
        let valid = at..at + chunk.valid().len();
        let invalid = valid.end..valid.end + chunk.invalid().len();
        at = invalid.end;
        if valid.is_empty() {
            other.end = invalid.end; // goes on where the one before it ended
            continue;
        }
        if !other.is_empty() {
            runs.push(&text[other]);
        }
        runs.push(&text[valid]);
        other = invalid;
        if runs.len() > RUNS {
            return None;
        }
    }
    if !other.is_empty() {
        runs.push(&text[other]);
    }
    (runs.len() <= RUNS).then_some(runs)
}

fn write_base64(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend_from_slice(b"{\"base64\":\"");
    let start = out.len();
    let length = base64::encoded_len(octets.len(), true).unwrap_or_default();
    out.resize(start + length, b'=');
    let written = STANDARD.encode_slice(octets, &mut out[start..]);
    out.truncate(start + written.unwrap_or_default()); // always `length`
    out.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Secret;

    fn wire(message: &Message) -> String {
        let mut out = Vec::new();
        write_wire(&mut out, message);
        String::from_utf8(out).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        wire(&Message::text(bytes))
    }

    #[test]
    fn text_that_is_valid_utf_8_is_a_string() {
        assert_eq!(text("* OK grüß\r\n".as_bytes()), r#"["* OK grüß\r\n"]"#);
        assert_eq!(wire(&Message::new()), "[]");
    }

    #[test]
    fn other_octets_are_base64_beside_the_strings() {
        assert_eq!(
            text(b"* OK gr\xfc\xdfe\r\n"),
            r#"["* OK gr",{"base64":"/N8="},"e\r\n"]"#
        );
        assert_eq!(text(b"\xff\xfe\xe2\x82"), r#"[{"base64":"//7igg=="}]"#);
        assert_eq!(text(b"a\xff"), r#"["a",{"base64":"/w=="}]"#);
    }

    #[test]
    fn a_text_that_would_fall_into_too_many_runs_is_one_base64() {
        assert_eq!(text(&b"a\xff".repeat(8)).matches("base64").count(), 8);
        assert_eq!(text(&b"a\xff".repeat(9)).matches("base64").count(), 1);
        let most = [&b"a\xff".repeat(7)[..], b"aa\xff\xff"].concat();
        assert_eq!(runs(&most).unwrap().concat(), most);
    }

    #[test]
    fn a_literal_has_no_count_and_no_form_when_it_is_plain() {
        let mut message = Message::text(b"* 1 FETCH (BODY[] ");
        message.push_whole_literal(LiteralForm::Sync, b"{4}\r\n", b"a\r\nb");
        message.push_text(b")\r\n");
        assert_eq!(
            wire(&message),
            r#"["* 1 FETCH (BODY[] ",{"literal":"a\r\nb"},")\r\n"]"#
        );
    }

    #[test]
    fn a_literal_with_other_octets_is_base64_as_a_whole() {
        let mut message = Message::new();
        message.push_whole_literal(LiteralForm::Literal8, b"~{3}\r\n", b"a\xffb");
        assert_eq!(
            wire(&message),
            r#"[{"literal":{"base64":"Yf9i"},"form":"literal8"}]"#
        );
    }

    #[test]
    fn a_header_stands_beside_when_it_is_not_the_one_the_rules_give() {
        for (form, header, beside) in [
            (LiteralForm::Sync, "{003}\r\n", r#","header":"{003}\r\n""#),
            (LiteralForm::Sync, "{3}\n", r#","header":"{3}\n""#),
            (LiteralForm::Sync, "{9}\r\n", r#","header":"{9}\r\n""#),
            (LiteralForm::NonSync, "{3+}\r\n", r#","form":"nonsync""#),
            (
                LiteralForm::Literal8NonSync,
                "~{3+}\n",
                r#","form":"literal8-nonsync","header":"~{3+}\n""#,
            ),
        ] {
            let mut message = Message::new();
            message.push_whole_literal(form, header.as_bytes(), b"abc");
            assert_eq!(wire(&message), format!("[{{\"literal\":\"abc\"{beside}}}]"));
        }
    }

    #[test]
    fn a_streamed_literal_refers_to_its_parts() {
        let mut message = Message::new();
        message.push_whole_streamed(LiteralForm::Sync, b"{99}\r\n", 99, vec![7, 8, 9]);
        assert_eq!(wire(&message), r#"[{"literal":{"parts":[7,8,9]}}]"#);
        let mut message = Message::new();
        message.push_whole_streamed(LiteralForm::Sync, b"{99}\r\n", 9, vec![7]);
        assert_eq!(
            wire(&message),
            r#"[{"literal":{"parts":[7]},"header":"{99}\r\n"}]"#
        );
    }

    #[test]
    fn a_secret_has_a_name_alone() {
        let mut message = Message::text(b"a LOGIN alice ");
        message.push_secret(Secret::Password);
        message.push_text(b"\r\n");
        assert_eq!(
            wire(&message),
            r#"["a LOGIN alice ",{"secret":"password"},"\r\n"]"#
        );
    }
}
