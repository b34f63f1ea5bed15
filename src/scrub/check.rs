//! The last check: whether a word of the original is left in what was written.
//!
//! It knows nothing of rules, spans or MIME: every string of every event is searched as it is, and once
//! more as quoted-printable, as percent encoding, as modified UTF-7 and as base64 at each alignment,
//! with line ends in it or not.
//!
//! Searched for are the words that were replaced somewhere and that no table has (a word that stays in
//! some places by right, such as `flags`, may stand there). A word of less than [`WORD`] characters is
//! not searched for, and digits alone are from [`NUMBER`] digits on: numbers of the protocol stay.

use std::collections::HashSet;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine;

use super::encoding::BASE64;
use super::mailbox;
use super::pseudonym::folded;
use super::text::{Words, characters, words};
use crate::error::{Error, Result};
use crate::event::{Body, Message, Piece, Recorded, RecordedBody};
use crate::transcript::Reader;

/// The shortest word that is searched for as a word of its own.
const WORD: usize = 4;

/// The shortest one in a view that may be none: by chance, any four letters turn up in base64.
const LONG: usize = 7;

/// The shortest one within another word.
const WITHIN: usize = 8;

/// The shortest number.
const NUMBER: usize = 9;

/// Octets of a string whose modified UTF-7 is that of a name.
const NAME: usize = 1000;

/// Base64 digits that are decoded.
const RUN: usize = 12;

/// What is searched for.
pub struct Check {
    words: HashSet<String>,
    /// Those of [`WITHIN`] characters and more, anywhere.
    within: AhoCorasick,
    /// Those of [`LONG`].
    long: AhoCorasick,
}

impl Check {
    /// For the words that were replaced.
    pub fn new(words: &Words) -> Self {
        let vocabulary = words.pseudonyms.vocabulary();
        let is_searched = |word: &String| {
            let length = word.chars().count();
            let is_number = word.bytes().all(|octet| octet.is_ascii_digit());
            let least = if is_number { NUMBER } else { WORD };
            length >= least && !vocabulary.has(word) && !words.stays(word)
        };
        let words: HashSet<String> = words
            .pseudonyms
            .words()
            .map(|word| word.to_lowercase())
            .filter(is_searched)
            .collect();
        let finder = |least: usize| {
            let some = words.iter().filter(|word| {
                word.chars().count() >= least && !word.bytes().all(|o| o.is_ascii_digit())
            });
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(some)
                .expect("so many words fit into a search")
        };
        let (within, long) = (finder(WITHIN), finder(LONG));
        Self {
            words,
            within,
            long,
        }
    }

    /// Searches a transcript.
    ///
    /// # Errors
    ///
    /// A word is left: in which event, and how it is written.
    pub fn file(&self, path: &Path) -> Result<()> {
        let reader = Reader::open(path)?;
        let header = reader.header().clone();
        self.text(header.server.as_bytes(), "the header")?;
        for recorded in reader {
            let recorded = recorded?;
            let place = format!("event #{}", recorded.n);
            for octets in strings(&recorded) {
                self.text(&octets, &place)?;
            }
        }
        Ok(())
    }

    fn text(&self, octets: &[u8], place: &str) -> Result<()> {
        match self.left(octets) {
            None => Ok(()),
            Some(left) => Err(Error::new(
                "scrub the transcript",
                format!(
                    "{place} still holds a word of the original, {}; nothing was written",
                    left.told()
                ),
            )
            .hint("tell mailscope's makers: this is a mistake of the scrubber")),
        }
    }

    /// The first word that is left in these octets.
    pub(super) fn left(&self, octets: &[u8]) -> Option<Left> {
        let raw = self.words_in(octets, WORD, "as it is");
        let within = || self.anywhere(octets, &self.within, "within another word");
        let decoded = || {
            let quoted = unescaped(octets, b'=');
            let joined = quoted.len() < octets.len();
            let quoted = joined.then(|| self.words_in(&quoted, LONG, "quoted-printable"));
            let percent = unescaped(octets, b'%');
            let joined = percent.len() < octets.len();
            let percent = joined.then(|| self.words_in(&percent, LONG, "percent encoding"));
            quoted.flatten().or(percent.flatten())
        };
        let utf7 = || {
            // A mailbox's name is short, and a long text's `&` begins none.
            let least = if octets.len() < NAME { WORD } else { LONG };
            self.words_in(&from_utf7(octets)?, least, "modified UTF-7")
        };
        raw.or_else(within)
            .or_else(decoded)
            .or_else(utf7)
            .or_else(|| self.in_base64(octets))
    }

    fn words_in(&self, octets: &[u8], least: usize, form: &'static str) -> Option<Left> {
        let found = self.word_of(&characters(octets), least, form);
        if found.is_some() || std::str::from_utf8(octets).is_ok() {
            return found;
        }
        // The words may end elsewhere, and what is none can turn up by chance.
        let text: Vec<char> = String::from_utf8_lossy(octets).chars().collect();
        self.word_of(&text, least.max(LONG), form)
    }

    fn word_of(&self, text: &[char], least: usize, form: &'static str) -> Option<Left> {
        words(text)
            .filter(|range| range.len() >= least && !is_base64_around(text, range))
            .map(|range| folded(&text[range]).into_iter().collect::<String>())
            .find(|word| self.words.contains(&word.to_lowercase()))
            .map(|word| Left {
                length: word.chars().count(),
                form,
            })
    }

    fn anywhere(&self, octets: &[u8], finder: &AhoCorasick, form: &'static str) -> Option<Left> {
        let found = finder.find(octets)?;
        let text = String::from_utf8_lossy(&octets[found.range()]);
        Some(Left {
            length: text.chars().count(),
            form,
        })
    }

    /// Every run of base64, with its line ends and without, at each alignment.
    fn in_base64(&self, octets: &[u8]) -> Option<Left> {
        let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
        let is_line_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
        let joined = octets.split(|octet| !is_digit(octet) && !is_line_end(octet));
        let alone = octets.split(|octet| !is_digit(octet));
        joined.chain(alone).find_map(|run| {
            let run: Vec<u8> = run.iter().copied().filter(|o| !is_line_end(o)).collect();
            if run.len() < RUN {
                return None;
            }
            (0..4).find_map(|start| {
                let run = &run[start..];
                let whole = run.len() - usize::from(run.len() % 4 == 1);
                let decoded = BASE64.decode(&run[..whole]).ok()?;
                let by_chance = self.anywhere(&decoded, &self.long, "base64");
                let is_text = || {
                    let text = std::str::from_utf8(&decoded).ok()?;
                    let control = |c: char| c.is_control() && !c.is_ascii_whitespace();
                    match text.contains(control) {
                        true => None,
                        false => self.words_in(&decoded, WORD + 1, "base64"),
                    }
                };
                by_chance.or_else(is_text)
            })
        })
    }
}

/// A word that is left; not which one, since errors are passed around.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    length: usize,
    form: &'static str,
}

impl Left {
    fn told(&self) -> String {
        format!("of {} characters ({})", self.length, self.form)
    }
}

/// A short word of a long line of base64, which says nothing.
fn is_base64_around(text: &[char], range: &std::ops::Range<usize>) -> bool {
    const LINE: usize = 40;
    if range.len() >= LONG {
        return false;
    }
    let is_digit = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let behind = text[range.end..].iter().take(LINE).take_while(is_digit);
    let before = text[..range.start].iter().rev().take(LINE);
    let before = before.take_while(is_digit);
    behind.count() + before.count() + range.len() >= LINE
}

/// All that an event holds: of a message its text, with all of it, and each literal by itself.
fn strings(recorded: &Recorded) -> Vec<Vec<u8>> {
    match &recorded.body {
        RecordedBody::Message(message) => {
            let mut all = pieces(&message.message);
            all.extend(message.sent.iter().flat_map(pieces));
            all.extend(message.tag.iter().map(|tag| tag.clone().into_bytes()));
            all.extend(
                message
                    .identity
                    .iter()
                    .map(|name| name.clone().into_bytes()),
            );
            all.extend(
                message
                    .mechanism
                    .iter()
                    .map(|name| name.clone().into_bytes()),
            );
            all
        }
        RecordedBody::Bare(body) => match body {
            Body::Connected { client, server } => [client, server]
                .map(|text| text.clone().into_bytes())
                .into(),
            Body::Secured(secured) => {
                let sni = secured.sni.iter().chain(&secured.alpn);
                let mut all: Vec<_> = sni.map(|text| text.clone().into_bytes()).collect();
                all.push(secured.certificate.to_string().into_bytes());
                let shown = secured.client_certificate.iter();
                all.extend(shown.map(|shown| shown.to_string().into_bytes()));
                all
            }
            Body::Note(finding) => vec![finding.text.clone().into_bytes()],
            Body::Closed { reason } => reason.iter().map(|r| r.clone().into_bytes()).collect(),
            _ => Vec::new(),
        },
    }
}

fn pieces(message: &Message) -> Vec<Vec<u8>> {
    let piece = |piece: &Piece| match piece {
        Piece::Literal { content, .. } => message.bytes()[content.clone()].to_vec(),
        piece => message.bytes()[piece.range()].to_vec(),
    };
    message.pieces().iter().map(piece).collect()
}

/// Escapes and soft line ends resolved.
fn unescaped(octets: &[u8], escape: u8) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let octet = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (*first == escape, octet) {
            (true, Some(octet)) => {
                decoded.push(octet);
                rest = &behind[2..];
            }
            (true, None) if behind.starts_with(b"\r\n") => rest = &behind[2..],
            (true, None) if behind.starts_with(b"\n") => rest = &behind[1..],
            _ => decoded.push(*first),
        }
    }
    decoded
}

/// All that may be modified UTF-7, decoded; `None` without any.
fn from_utf7(octets: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(octets);
    let mut rest = &*text;
    let mut decoded = String::new();
    let mut is_any = false;
    while let Some((before, shifted)) = rest.split_once('&') {
        decoded.push_str(before);
        let end = shifted.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | ','));
        let (base64, behind) = shifted.split_at(end.unwrap_or(shifted.len()));
        match (behind.strip_prefix('-'), mailbox::decoded(base64)) {
            (Some(behind), Some(text)) => {
                decoded.extend(text);
                is_any = true;
                rest = behind;
            }
            _ => {
                decoded.push('&');
                rest = shifted;
            }
        }
    }
    decoded.push_str(rest);
    is_any.then(|| decoded.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::pseudonym::Pseudonyms;
    use super::super::text::Keep;
    use super::super::vocabulary::Vocabulary;
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    /// A check after these words were replaced somewhere.
    fn after(text: &str) -> Check {
        let mut words = Words::new(Pseudonyms::new(Vocabulary::new()));
        words.octets(text.as_bytes(), None, Keep::Nothing);
        words.pseudonyms.draw();
        Check::new(&words)
    }

    fn form(check: &Check, octets: &[u8]) -> Option<&'static str> {
        check.left(octets).map(|left| left.form)
    }

    #[test]
    fn a_word_that_is_left_is_found_in_every_form() {
        let check = after("Falkenried Gr\u{fc}ndel quay Tier\u{e4}rztin");
        for (text, expected) in [
            ("from FALKENRIED.", "as it is"),
            ("the quay", "as it is"),
            ("xxfalkenriedxx", "within another word"),
            ("Falken=\r\nried", "quoted-printable"),
            ("Gr=C3=BCndel", "quoted-printable"),
            ("Gr=FCndel", "quoted-printable"),
            ("%46alkenried", "percent encoding"),
            ("=?utf-8?Q?Gr=C3=BCndel?=", "quoted-printable"),
            ("\"Tier&AOQ-rztin\"", "modified UTF-7"),
        ] {
            assert_eq!(form(&check, text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(form(&check, b"Gr\xfcndel"), Some("as it is"));
        for nothing in [
            "",
            "nobody is here",
            "quaysides",
            "=?=&-%%&AO",
            "Tier rztin",
        ] {
            assert_eq!(form(&check, nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn base64_is_searched_at_each_alignment_and_over_line_ends() {
        let check = after("Falkenried");
        for before in ["", "a", "ab", "abc"] {
            let base64 = STANDARD.encode(format!("{before}Falkenried and more\0"));
            assert_eq!(form(&check, base64.as_bytes()), Some("base64"), "{before}");
            let (one, other) = base64.split_at(9);
            let lines = format!("{one}\r\n{other}\r\n");
            assert_eq!(form(&check, lines.as_bytes()), Some("base64"), "{before}");
        }
    }

    #[test]
    fn words_of_the_protocol_and_short_ones_are_not_searched_for() {
        let check = after("flags mailbox the 12345678 cat INBOX");
        assert_eq!(
            form(&check, b"* FLAGS () mailbox the 12345678 cat INBOX"),
            None
        );
        assert_eq!(
            form(&after("123456789"), b"* 123456789 EXISTS"),
            Some("as it is")
        );
    }

    #[test]
    fn what_was_not_scrubbed_is_told_with_its_event_and_without_the_word() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
        let error = after("alice")
            .file(Path::new(path))
            .unwrap_err()
            .to_string();
        assert!(error.contains("event #8"), "{error}");
        assert!(error.contains("nothing was written"), "{error}");
        assert!(!error.contains("alice"), "{error}");
        after("Falkenried").file(Path::new(path)).unwrap();
    }
}
