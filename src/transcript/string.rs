//! JSON text that is safe to look at: strings with every control octet and every hidden character
//! escaped, and the few other shapes that an event's line is made of.
//!
//! Not a general serializer, and not used for reading. It promises that what it writes holds no raw
//! C0, DEL, C1, bidi or zero-width control, neither in a name nor in a value, and that runs of
//! ordinary text are copied whole, since most of a transcript is such runs.

use std::io::Write;

use serde_json::Value;

use crate::event::Micros;

/// Whether a character is invisible, or changes how its neighbours are shown: DEL and C1, soft
/// hyphen, bidi and zero-width controls, line and paragraph separators, interlinear annotation and
/// tag characters. A transcript holds these as `\u` escapes, never raw.
pub fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Octets at which copying has to stop and look: those that JSON escapes, DEL, and the first octets
/// of every character that [`is_hidden`].
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut octet = 0;
    while octet < 0x20 {
        stops[octet] = true;
        octet += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops[0x7f] = true;
    stops[0xc2] = true; // C1, soft hyphen
    stops[0xd8] = true; // U+061C
    stops[0xe1] = true; // U+180E
    stops[0xe2] = true; // U+200B to U+206F
    stops[0xef] = true; // U+FEFF, U+FFF9 to U+FFFB
    stops[0xf3] = true; // U+E0000 to U+E007F
    stops
};

/// Adds `text` as a JSON string, quotes included.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let (mut copied, mut at) = (0, next_stop(bytes, 0));
    while at < bytes.len() {
        let octet = bytes[at];
        if octet < 0x80 {
            out.extend_from_slice(&bytes[copied..at]);
            escape_octet(out, octet);
            at += 1;
            copied = at;
        } else {
            let character = text[at..].chars().next().unwrap_or_default();
            let end = at + character.len_utf8();
            if is_hidden(character) {
                out.extend_from_slice(&bytes[copied..at]);
                for unit in character.encode_utf16(&mut [0; 2]) {
                    escape_unit(out, *unit);
                }
                copied = end;
            }
            at = end;
        }
        at = next_stop(bytes, at);
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Where the next of [`STOPS`] stands, or the end. Sixteen octets are looked at together, which the
/// compiler turns into vector instructions.
fn next_stop(bytes: &[u8], from: usize) -> usize {
    const TOGETHER: usize = 16;
    let mut at = from;
    while let Some(chunk) = bytes[at..].first_chunk::<TOGETHER>() {
        let suspicious = chunk.iter().fold(false, |any, &octet| {
            any | !(0x20..0x7f).contains(&octet) | (octet == b'"') | (octet == b'\\')
        });
        if suspicious {
            break;
        }
        at += TOGETHER;
    }
    bytes[at..]
        .iter()
        .position(|octet| STOPS[usize::from(*octet)])
        .map_or(bytes.len(), |length| at + length)
}

fn escape_octet(out: &mut Vec<u8>, octet: u8) {
    let letter = match octet {
        b'"' | b'\\' => octet,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return escape_unit(out, u16::from(octet)),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn escape_unit(out: &mut Vec<u8>, unit: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| DIGITS[usize::from(unit >> shift & 0xf)]));
}

/// Adds any JSON value, its strings by [`write_string`]'s rules, without white space.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_display(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(values) => write_array(out, values, write_value),
        Value::Object(members) => {
            let mut object = Object::open(out);
            for (name, value) in members {
                object.value(name, value);
            }
            object.close();
        }
    }
}

/// Adds an array of whatever `write` writes.
pub(super) fn write_array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

pub(super) fn write_display(out: &mut Vec<u8>, shown: impl std::fmt::Display) {
    let _ = write!(out, "{shown}"); // writing to memory cannot fail
}

/// A JSON object in the making. [`close`](Self::close) ends it.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Adds the member's name; its value is to be written to what is returned.
    pub(super) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(super) fn string(&mut self, name: &str, text: &str) {
        write_string(self.name(name), text);
    }

    /// Leaves the member out when there is none.
    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(name, text);
        }
    }

    /// `null` when there is none.
    pub(super) fn nullable(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.name(name).extend_from_slice(b"null"),
        }
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        write_display(self.name(name), number);
    }

    /// Seconds with exactly six decimals.
    pub(super) fn time(&mut self, name: &str, time: Micros) {
        write_display(self.name(name), time);
    }

    /// `true`; left out otherwise.
    pub(super) fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.name(name).extend_from_slice(b"true");
        }
    }

    pub(super) fn value(&mut self, name: &str, value: &Value) {
        write_value(self.name(name), value);
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_json_needs_is_escaped() {
        assert_eq!(
            written("a \"q\" \\ \r\n\t\u{8}\u{c}\0\u{1b}"),
            r#""a \"q\" \\ \r\n\t\b\f\u0000\u001b""#
        );
    }

    #[test]
    fn hidden_characters_are_escaped_and_visible_ones_are_not() {
        assert_eq!(written("\u{7f}\u{85}\u{ad}"), r#""\u007f\u0085\u00ad""#);
        assert_eq!(written("a\u{202e}b\u{200d}"), r#""a\u202eb\u200d""#);
        assert_eq!(written("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(
            written("Grüße, мир, 世界, 👍, â€, ｱ"),
            "\"Grüße, мир, 世界, 👍, â€, ｱ\""
        );
    }

    #[test]
    fn every_character_comes_back_and_none_that_is_hidden_stands_raw() {
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let text = format!("0123456789abcde{character}x");
            let json = written(&text);
            assert!(!json.contains(|c: char| c < ' ' || is_hidden(c)), "{json}");
            if character < '\u{3000}' || is_hidden(character) {
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            } else {
                assert_eq!(json.len(), text.len() + 2);
            }
        }
    }

    #[test]
    fn an_escape_is_found_at_every_place() {
        for length in 0..40 {
            for place in 0..=length {
                let text = format!("{}\r{}", "x".repeat(place), "y".repeat(length - place));
                assert_eq!(written(&text), format!("\"{}\"", text.replace('\r', "\\r")));
            }
        }
    }

    #[test]
    fn values_are_compact_and_their_strings_escaped_too() {
        let value =
            serde_json::json!({"k\u{200b}": [1, -2.5, null, true, false, "\u{feff}"], "o": {}});
        let mut out = Vec::new();
        write_value(&mut out, &value);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"k\u200b":[1,-2.5,null,true,false,"\ufeff"],"o":{}}"#
        );
    }
}
