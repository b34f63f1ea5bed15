//! A command in a few words, for reports: without its tag and line end, and without a secret even
//! where the recording was made with them.

use crate::event::{Label, Piece, Reading, Said, Secret, Value};

/// `LOGIN alice <secret:password>`, `AUTHENTICATE PLAIN <secret:sasl>`; none for other commands.
fn login(said: &Said) -> Option<String> {
    let Reading::Command {
        name: Some(name), ..
    } = &said.reading
    else {
        return None;
    };
    let secret = match &**name {
        "LOGIN" => Secret::Password,
        "AUTHENTICATE" => Secret::Sasl,
        _ => return None,
    };
    let arguments = said.arguments();
    let mut text = name.to_string();
    match arguments.first() {
        Some(Value::Secret(secret)) => text.push_str(&format!(" <secret:{}>", secret.name())),
        Some(first) => {
            let first = first.bytes().unwrap_or_default();
            text.push_str(&format!(" {}", String::from_utf8_lossy(first)));
        }
        None => {}
    }
    if arguments.len() > 1 {
        text.push_str(&format!(" <secret:{}>", secret.name()));
    }
    Some(text)
}

/// A command without its tag and line end, for people; masks are `<secret:password>`. What logs in is
/// masked even where the recording is not: reports are passed around.
pub fn told(said: &Said) -> String {
    const LONGEST: usize = 200;
    let text = login(said).unwrap_or_else(|| words(said, Literals::Whole));
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A command or a response without its tag (but `*`) and line end, the octets of all but short literals
/// left out: `APPEND x {310}`. Not shortened.
pub fn outline(said: &Said) -> String {
    login(said).unwrap_or_else(|| {
        let words = words(said, Literals::Header);
        match said.reading {
            Reading::Untagged { .. } | Reading::Greeting { .. } => format!("* {words}"),
            _ => words,
        }
    })
}

/// A command to the octet, without its tag and line end: `SELECT {5+}INBOX`. Of longer literals the header
/// alone, and of a login that was not masked no more than [`outline`] tells.
pub fn form(said: &Said) -> String {
    let is_masked = |piece: &Piece| matches!(piece, Piece::Secret(..));
    match login(said) {
        Some(login) if !said.wire.pieces().iter().any(is_masked) => login,
        _ => words(said, Literals::Exact),
    }
}

/// What of a literal is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Literals {
    Whole,
    /// How long it is, or what is in it.
    Header,
    /// How it was announced, and what is in it if that is short.
    Exact,
}

/// Octets of a literal that is told like an atom.
const SHORT: usize = 40;

fn words(said: &Said, literals: Literals) -> String {
    let tag = said.spans.first().filter(|span| span.label == Label::Tag);
    let start = tag.map_or(0, |tag| tag.range.end);
    let mut text = String::new();
    for piece in said.wire.pieces() {
        let range = match piece {
            Piece::Secret(secret, _) => {
                text.push_str(&format!("<secret:{}>", secret.name()));
                continue;
            }
            Piece::Literal { content, .. } if literals == Literals::Header => {
                let octets = &said.wire.bytes()[content.clone()];
                match octets.len() <= SHORT && octets.iter().all(u8::is_ascii_graphic) {
                    true => text.push_str(&String::from_utf8_lossy(octets)),
                    false => text.push_str(&format!("{{{}}}", octets.len())),
                }
                continue;
            }
            Piece::Literal {
                header, content, ..
            } if literals == Literals::Exact => {
                let header = &said.wire.bytes()[header.clone()];
                text.push_str(String::from_utf8_lossy(header).trim_end());
                let octets = &said.wire.bytes()[content.clone()];
                if octets.len() <= SHORT && octets.iter().all(u8::is_ascii_graphic) {
                    text.push_str(&String::from_utf8_lossy(octets));
                }
                continue;
            }
            Piece::Streamed { header, .. } if literals == Literals::Exact => {
                let header = &said.wire.bytes()[header.clone()];
                text.push_str(String::from_utf8_lossy(header).trim_end());
                continue;
            }
            Piece::Streamed { octets, .. } if literals == Literals::Header => {
                text.push_str(&format!("{{{octets}}}"));
                continue;
            }
            piece => piece.range(),
        };
        let octets = &said.wire.bytes()[range.start.max(start).min(range.end)..range.end];
        text.push_str(&String::from_utf8_lossy(octets));
    }
    text.trim().to_owned()
}
