//! JSON text that is safe to look at: strings with every control octet and every hidden character
//! escaped, and the few other shapes that an event's line is made of.
//!
//! Written straight into the octets of the line, without a tree in between. Not a general
//! serializer, and not used for reading. It promises that what it writes holds no raw C0, DEL, C1,
//! bidi or zero-width control, neither in a name nor in a value, and that runs of ordinary text are
//! copied whole, since most of a transcript is such runs.

use std::str::Utf8Error;

use serde_json::Value;

use super::Micros;

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

/// Octets that stand for themselves in a JSON string.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut octet = 0x20;
    while octet < 0x7f {
        plain[octet] = true;
        octet += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

fn is_plain(octet: u8) -> bool {
    PLAIN[usize::from(octet)]
}

/// Octets that stand for themselves in the UTF-8 of a JSON string: those that are [`PLAIN`], and those of
/// every character beyond ASCII but the ones that begin as a [hidden](is_hidden) one does.
const COPIED: [bool; 256] = {
    const BEGIN_HIDDEN: [u8; 6] = [0xc2, 0xd8, 0xe1, 0xe2, 0xef, 0xf3];
    let mut copied = PLAIN;
    let mut octet = 0x80;
    while octet < copied.len() {
        copied[octet] = true;
        octet += 1;
    }
    let mut place = 0;
    while place < BEGIN_HIDDEN.len() {
        copied[BEGIN_HIDDEN[place] as usize] = false;
        place += 1;
    }
    copied
};

/// Adds `text` as a JSON string, quotes included.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_characters(out, text);
    out.push(b'"');
}

/// Adds the characters of a JSON string.
fn write_characters(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let run = copied_run(&bytes[at..]);
        out.extend_from_slice(&bytes[at..at + run]);
        at += run;
        match bytes[at..] {
            [] => break,
            // What ends the lines of a mail.
            [b'\r', b'\n', ..] => {
                out.extend_from_slice(b"\\r\\n");
                at += 2;
            }
            _ => at = write_character(out, text, at),
        }
    }
}

/// As [`write_string`] of octets, if they are UTF-8. Otherwise nothing is added.
///
/// # Errors
///
/// They are not UTF-8, from there on.
pub fn write_utf8(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), Utf8Error> {
    let start = out.len();
    out.reserve(octets.len() + 2);
    out.push(b'"');
    let mut rest = octets;
    loop {
        let run = plain_run(rest);
        out.extend_from_slice(&rest[..run]);
        rest = &rest[run..];
        match *rest {
            [] => break,
            [b'\r', b'\n', ..] => {
                out.extend_from_slice(b"\\r\\n");
                rest = &rest[2..];
            }
            [octet, ..] if octet.is_ascii() => {
                escape_octet(out, octet);
                rest = &rest[1..];
            }
            // ASCII is UTF-8; whether this is takes a closer look.
            _ => match str::from_utf8(rest) {
                Ok(text) => {
                    write_characters(out, text);
                    break;
                }
                Err(error) => {
                    out.truncate(start);
                    return Err(error);
                }
            },
        }
    }
    out.push(b'"');
    Ok(())
}

/// How many of the first octets stand for themselves.
fn copied_run(bytes: &[u8]) -> usize {
    const FEW: usize = 16;
    let mut at = 0;
    loop {
        at += plain_run(&bytes[at..]);
        let few = &bytes[at..bytes.len().min(at + FEW)];
        match few.iter().position(|octet| !COPIED[usize::from(*octet)]) {
            Some(place) => return at + place,
            None if few.len() < FEW => return bytes.len(),
            None => at += FEW,
        }
    }
}

/// Octets of which it is found out in one step which is the first that is not plain, and whether there is
/// any: the compiler makes vector instructions of both.
const BLOCK: usize = 16;
const RUN: usize = 2 * BLOCK;

/// How many of the first octets are plain.
fn plain_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(run) = bytes[at..].first_chunk()
        && are_plain(run)
    {
        at += RUN;
    }
    while let Some(block) = bytes[at..].first_chunk() {
        match first_odd(block) {
            Some(place) => return at + place,
            None => at += BLOCK,
        }
    }
    at + last_run(bytes, at)
}

/// How many octets from `at` on are plain, where all before them are, and fewer than a block are left.
fn last_run(bytes: &[u8], at: usize) -> usize {
    let left = bytes.len() - at;
    if let Some(block) = bytes.last_chunk() {
        let before = BLOCK - left;
        return first_odd(block).map_or(left, |place| place - before);
    }
    let odd = bytes.iter().position(|octet| !is_plain(*octet));
    odd.unwrap_or(left)
}

/// Whether all octets of a run are plain.
#[inline]
fn are_plain(run: &[u8; RUN]) -> bool {
    run.iter()
        .fold(true, |all, octet| all & is_in_print(*octet))
}

/// The place of the first octet of a block that is not plain.
#[inline]
fn first_odd(block: &[u8; BLOCK]) -> Option<usize> {
    let odd = block.map(|octet| if is_in_print(octet) { 0 } else { 0xff });
    let odd = u128::from_le_bytes(odd);
    (odd != 0).then(|| odd.trailing_zeros() as usize / 8)
}

/// As [`is_plain`], without a table and without a branch.
#[inline]
fn is_in_print(octet: u8) -> bool {
    (0x20..0x7f).contains(&octet) & (octet != b'"') & (octet != b'\\')
}

/// Adds the character at `at`, which may have to be escaped; where the next one begins.
fn write_character(out: &mut Vec<u8>, text: &str, at: usize) -> usize {
    let character = text[at..].chars().next().unwrap_or_default();
    let end = at + character.len_utf8();
    if character.is_ascii() {
        escape_octet(out, text.as_bytes()[at]);
    } else if is_hidden(character) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            escape_unit(out, *unit);
        }
    } else {
        out.extend_from_slice(&text.as_bytes()[at..end]);
    }
    end
}

/// As [`write_string`] of text that need not be UTF-8; what is not is replaced (U+FFFD).
pub fn write_lossy(out: &mut Vec<u8>, text: &[u8]) {
    if write_utf8(out, text).is_err() {
        write_string(out, &String::from_utf8_lossy(text));
    }
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
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_string(out, text),
        Value::Array(values) => write_array(out, values, write_value),
        Value::Object(members) => {
            let mut object = Object::open(out);
            for (name, value) in members {
                write_value(object.key(name), value);
            }
            object.close();
        }
    }
}

/// Adds an array of whatever `write` writes.
pub fn write_array<T>(
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

/// Adds a number.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A JSON object in the making. [`close`](Self::close) ends it.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Begins it.
    #[inline]
    pub fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Goes on with one of which so much is written elsewhere, from its `{` to the end of a member.
    pub fn resume(out: &'a mut Vec<u8>, begun: &[u8]) -> Self {
        out.extend_from_slice(begun);
        Self {
            out,
            empty: begun == b"{",
        }
    }

    /// Adds the member's name, one of the format's own, in which nothing is to be escaped; its
    /// value is to be written to what is returned.
    #[inline(always)]
    pub fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        debug_assert!(
            name.bytes()
                .all(|octet| octet.is_ascii_graphic() && !b"\"\\".contains(&octet))
        );
        self.separate();
        self.word_and(name, b"\":");
        self.out
    }

    /// As [`name`](Self::name), for any name.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        self.key_with(|out| write_string(out, name))
    }

    /// As [`key`](Self::key), for a name that `write` adds as a JSON string.
    pub fn key_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Vec<u8> {
        self.separate();
        write(self.out);
        self.out.push(b':');
        self.out
    }

    #[inline(always)]
    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }

    #[inline(always)]
    fn word_and(&mut self, word: &'static str, behind: &[u8]) {
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.extend_from_slice(behind);
    }

    /// Adds a member that is one of the format's own words, in which nothing is to be escaped.
    #[inline(always)]
    pub fn word(&mut self, name: &'static str, word: &'static str) {
        debug_assert!(word.bytes().all(is_plain));
        self.name(name);
        self.word_and(word, b"\"");
    }

    /// Adds a member that is a string.
    pub fn string(&mut self, name: &'static str, text: &str) {
        write_string(self.name(name), text);
    }

    /// Leaves the member out when there is none.
    pub fn optional(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(name, text);
        }
    }

    /// `null` when there is none.
    pub fn nullable(&mut self, name: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.name(name).extend_from_slice(b"null"),
        }
    }

    /// Adds a member that is a number.
    #[inline(always)]
    pub fn number(&mut self, name: &'static str, number: u64) {
        write_number(self.name(name), number);
    }

    /// Seconds with exactly six decimals.
    pub fn time(&mut self, name: &'static str, time: Micros) {
        const SECOND: u64 = 1_000_000;
        let out = self.name(name);
        write_number(out, time.0 / SECOND);
        // One million and the decimals have seven digits, zeros included.
        let decimals = out.len();
        write_number(out, SECOND + time.0 % SECOND);
        out[decimals] = b'.';
    }

    /// `true`; left out otherwise.
    pub fn flag(&mut self, name: &'static str, set: bool) {
        if set {
            self.name(name).extend_from_slice(b"true");
        }
    }

    /// Adds any member.
    pub fn value(&mut self, name: &'static str, value: &Value) {
        write_value(self.name(name), value);
    }

    /// Ends it.
    #[inline]
    pub fn close(self) {
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
    fn octets_that_are_utf_8_are_written_as_that_and_others_not_at_all() {
        for text in [
            "",
            "a",
            "a \"q\" \\ \r\n\t\0",
            "0123456789 grü\u{202e}ße\r\nмир \r\u{feff}",
        ] {
            let mut out = b"x".to_vec();
            write_utf8(&mut out, text.as_bytes()).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                format!("x{}", written(text))
            );
        }
        for octets in [
            &b"\xff"[..],
            b"a\r\nb\xc3",
            "мир \r\n".as_bytes().split_at(5).0,
        ] {
            let mut out = b"x".to_vec();
            assert!(write_utf8(&mut out, octets).is_err());
            assert_eq!(out, b"x");
        }
    }

    #[test]
    fn octets_in_a_block_are_told_apart_as_by_the_table() {
        for octet in 0..=255 {
            for place in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[place] = octet;
                block[BLOCK - 1] = if place < BLOCK - 1 { b'"' } else { octet };
                let first = block.iter().position(|octet| !is_plain(*octet));
                assert_eq!(first_odd(&block), first);
            }
            for place in 0..RUN {
                let mut run = [b'x'; RUN];
                run[place] = octet;
                assert_eq!(are_plain(&run), is_plain(octet));
            }
        }
    }

    #[test]
    fn an_escape_is_found_at_every_place() {
        for length in (0..40).chain([70, 80, 140]) {
            for place in 0..=length {
                let text = format!("{}\r{}", "x".repeat(place), "y".repeat(length - place));
                let json = format!("\"{}\"", text.replace('\r', "\\r"));
                assert_eq!(written(&text), json);
                let mut out = Vec::new();
                write_utf8(&mut out, text.as_bytes()).unwrap();
                assert_eq!(out, json.as_bytes());
            }
        }
    }

    #[test]
    fn times_have_six_decimals() {
        for (micros, written) in [
            (0, "0.000000"),
            (1_000_007, "1.000007"),
            (999_999, "0.999999"),
        ] {
            let mut out = Vec::new();
            let mut object = Object::open(&mut out);
            object.time("at", Micros(micros));
            object.close();
            let shown = format!("{{\"at\":{written}}}");
            assert_eq!(String::from_utf8(out).unwrap(), shown);
            assert_eq!(Micros(micros).to_string(), written);
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
