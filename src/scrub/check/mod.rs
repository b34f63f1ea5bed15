//! The last check: whether anything of the original is left in what was written.
//!
//! It knows nothing of rules, spans or MIME: every string of every event is searched as it is, and once
//! more in each view that `views.rs` has: quoted-printable, percent encoding and RFC 2231, modified UTF-7,
//! escapes of JSON and HTML, encoded words, and base64 at each alignment.
//!
//! Searched for are the words that were replaced somewhere and that no table has (a word that stays in
//! some places by right, such as `flags`, may stand there). A word of [`WORD`] characters and more may be
//! nowhere. A shorter one, of two or three letters, turns up by chance, in other words' places; it is left
//! where it stands in the place in which the original has it. Digits alone are searched for from
//! [`SEARCHED_NUMBER`] digits on, and not for those that the protocol keeps somewhere. A single letter is not.

mod strings;
mod views;

use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::pseudonym::{folded, is_of_a_word};
use super::source::SourceEvents;
use super::text::{SEARCHED_NUMBER, Words, characters, words};
use crate::error::{Error, Result};
use crate::event::Recorded;
use crate::transcript::Reader;

use strings::{Overlap, strings};
use views::{Form, base64_runs};

/// The shortest word that may be nowhere.
const WORD: usize = 4;

/// The shortest one that may not be where it was.
const IN_ITS_PLACE: usize = 2;

/// The shortest one in octets that are no text: by chance, any four letters turn up in base64.
const LONG: usize = 7;

/// The shortest one within another word.
const WITHIN: usize = 8;

/// Octets of a word that are searched for within others: the work for all is the square of a word's length.
const BEGINNING: usize = 64;

/// Octets of a string whose modified UTF-7 is that of a name.
const NAME: usize = 1000;

/// What is searched for.
pub struct Check {
    words: HashSet<String>,
    /// Those that are too short to be nowhere.
    short: HashSet<String>,
    /// Those of [`WITHIN`] characters and more, anywhere.
    within: AhoCorasick,
    /// Those of [`LONG`].
    long: AhoCorasick,
    charsets: Vec<&'static Encoding>,
}

impl Check {
    /// For the words that were replaced.
    pub fn new(words: &Words) -> Self {
        let vocabulary = words.pseudonyms.vocabulary();
        let mut all: HashSet<String> = HashSet::new();
        let mut short = HashSet::new();
        for word in words.pseudonyms.words().map(|word| word.to_lowercase()) {
            let length = word.chars().count();
            let is_number = is_number(&word);
            match length {
                _ if vocabulary.has(&word) || words.pseudonyms.keeps(&word) => {}
                _ if is_number && length < SEARCHED_NUMBER => {}
                WORD.. => drop(all.insert(word)),
                IN_ITS_PLACE.. => drop(short.insert(word)),
                _ => {}
            }
        }
        let finder = |least: usize| {
            let some = all
                .iter()
                .filter(|word| word.chars().count() >= least && !is_number(word))
                .map(|word| &word.as_bytes()[..word.len().min(BEGINNING)]);
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(some)
                .expect("so many words fit into a search")
        };
        let (within, long) = (finder(WITHIN), finder(LONG));
        Self {
            words: all,
            short,
            within,
            long,
            charsets: words.charsets().collect(),
        }
    }

    /// Searches a transcript that was made of `originals`.
    ///
    /// # Errors
    ///
    /// A word is left: in which event, and how it is written.
    pub fn transcript(&self, originals: SourceEvents, reader: Reader) -> Result<()> {
        let header = reader.header().clone();
        self.text(header.server.as_bytes(), None, "the header")?;
        let mut originals = originals.map_while(Result::ok).peekable();
        let mut overlap = Overlap::default();
        for recorded in reader {
            let recorded = recorded?;
            while originals.next_if(|one| one.n < recorded.n).is_some() {}
            let original = originals.next_if(|one| one.n == recorded.n);
            self.event(&recorded, original.as_ref(), &mut overlap)?;
        }
        Ok(())
    }

    fn event(
        &self,
        recorded: &Recorded,
        original: Option<&Recorded>,
        overlap: &mut Overlap,
    ) -> Result<()> {
        let place = format!("event #{}", recorded.n);
        let new = strings(recorded);
        let old = original.map(strings).unwrap_or_default();
        let is_alike = new.len() == old.len();
        for (index, octets) in new.iter().enumerate() {
            let old = old.get(index).filter(|_| is_alike).map(Vec::as_slice);
            self.text(octets, old, &place)?;
        }
        match overlap.of(recorded) {
            Some(octets) => self.text(&octets, None, &place),
            None => Ok(()),
        }
    }

    fn text(&self, octets: &[u8], original: Option<&[u8]>, place: &str) -> Result<()> {
        match self.left(octets, original) {
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

    /// The first word that is left in these octets, which were made of the original ones.
    pub(super) fn left(&self, octets: &[u8], original: Option<&[u8]>) -> Option<Left> {
        let raw = self.words_in(octets, original, WORD, "as it is");
        let within = || self.anywhere(octets, &self.within, "within another word");
        raw.or_else(within)
            .or_else(|| self.decoded(octets, original))
            .or_else(|| self.in_base64(octets, original))
    }

    /// In every view but base64.
    fn decoded(&self, octets: &[u8], original: Option<&[u8]>) -> Option<Left> {
        Form::ALL.into_iter().find_map(|form| {
            let view = form.view(octets)?;
            // Where it is no text, its words may end elsewhere than those that were replaced.
            let original = original.filter(|_| std::str::from_utf8(octets).is_ok());
            let original = original.and_then(|original| form.view(original));
            let least = match form {
                // A mailbox's name is short, and a long text's `&` begins none.
                Form::Utf7 if octets.len() < NAME => WORD,
                Form::EncodedWords | Form::Jis => WORD,
                _ => LONG,
            };
            self.words_in(&view, original.as_deref(), least, form.name())
        })
    }

    /// Every run of base64, with its line ends and without, at each alignment; and what is encoded once
    /// more in it.
    fn in_base64(&self, octets: &[u8], original: Option<&[u8]>) -> Option<Left> {
        let mut originals = original.map(base64_runs);
        base64_runs(octets).find_map(|decoded| {
            let original = originals.as_mut().and_then(Iterator::next);
            let by_chance = self.anywhere(&decoded, &self.long, "base64");
            by_chance.or_else(|| {
                if decoded.contains(&0) {
                    return self.in_utf16(&decoded);
                }
                let text = std::str::from_utf8(&decoded).ok()?;
                let control = |c: char| c.is_control() && !c.is_ascii_whitespace();
                if text.contains(control) {
                    return None;
                }
                let original = original.as_deref();
                self.words_in(&decoded, original, WORD + 1, "base64")
                    .or_else(|| self.decoded(&decoded, original))
            })
        })
    }

    fn in_utf16(&self, octets: &[u8]) -> Option<Left> {
        [UTF_16LE, UTF_16BE].into_iter().find_map(|charset| {
            let (text, _) = charset.decode_without_bom_handling(octets);
            self.word_of(&text.chars().collect::<Vec<_>>(), WORD, "UTF-16 in base64")
        })
    }

    fn words_in(
        &self,
        octets: &[u8],
        original: Option<&[u8]>,
        least: usize,
        form: &'static str,
    ) -> Option<Left> {
        let text = characters(octets);
        let found = self.word_of(&text, least, form).or_else(|| {
            let original = characters(original?);
            self.word_in_its_place(&text, &original, form)
        });
        if found.is_some() || std::str::from_utf8(octets).is_ok() {
            return found;
        }
        // The words may end elsewhere, and what is none can turn up by chance.
        let least = least.max(LONG);
        let lossy: Vec<char> = String::from_utf8_lossy(octets).chars().collect();
        self.word_of(&lossy, least, form).or_else(|| {
            self.charsets.iter().find_map(|charset| {
                let (text, _) = charset.decode_without_bom_handling(octets);
                self.word_of(&text.chars().collect::<Vec<_>>(), least, form)
            })
        })
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

    /// The first short word that stands where the original has it.
    fn word_in_its_place(
        &self,
        text: &[char],
        original: &[char],
        form: &'static str,
    ) -> Option<Left> {
        if self.short.is_empty() || text.len() != original.len() {
            return None;
        }
        let lengths = IN_ITS_PLACE..WORD;
        words(text)
            .filter(|range| lengths.contains(&range.len()))
            .filter(|range| {
                is_word(original, range) && text[range.clone()] == original[range.clone()]
            })
            .filter(|range| !is_base64_around(text, range) && !is_escape(text, range))
            .find(|range| {
                let word: String = folded(&text[range.clone()]).into_iter().collect();
                self.short.contains(&word.to_lowercase())
            })
            .map(|range| Left {
                length: range.len(),
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
}

/// Whether the original has one word there, and not more or less.
fn is_word(original: &[char], range: &std::ops::Range<usize>) -> bool {
    let is_before = original[..range.start]
        .last()
        .copied()
        .is_some_and(is_of_a_word);
    let is_behind = original[range.end..]
        .first()
        .copied()
        .is_some_and(is_of_a_word);
    !is_before && !is_behind
}

/// Whether the word is of no letters, but begins with digits of `=C3`.
fn is_escape(text: &[char], range: &std::ops::Range<usize>) -> bool {
    let is_behind = matches!(text[..range.start], [.., '=' | '%']);
    is_behind
        && text[range.clone()]
            .iter()
            .take(2)
            .all(char::is_ascii_hexdigit)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|octet| octet.is_ascii_digit())
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::pseudonym::Pseudonyms;
    use super::super::source::Source;
    use super::super::text::Keep;
    use super::super::vocabulary::Vocabulary;
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    /// A check after these words were replaced somewhere.
    fn after(text: &str) -> Check {
        let mut words = Words::new(Pseudonyms::known(Vocabulary::new()));
        words.octets(text.as_bytes(), None, Keep::Nothing);
        words.pseudonyms.draw();
        Check::new(&words)
    }

    fn form(check: &Check, octets: &[u8]) -> Option<&'static str> {
        check.left(octets, None).map(|left| left.form)
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
            (
                "=?koi8-r?Q?a_?= =?koi8-r?B?RmFsa2Vu?= =?koi8-r?Q?ried?=",
                "encoded words",
            ),
            ("a*0*=utf-8''Falk; a*1=enried", "a parameter in pieces"),
            ("Gr\\u00fcndel", "escapes of JSON"),
            ("Gr&#252;ndel", "escapes of HTML"),
            ("Gr&uuml;ndel", "escapes of HTML"),
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
        let quoted = STANDARD.encode("Subject: =?utf-8?Q?=46alkenried?=\r\n");
        assert_eq!(form(&check, quoted.as_bytes()), Some("quoted-printable"));
        let units: Vec<u8> = "to Falkenried"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let units = STANDARD.encode(units);
        assert_eq!(form(&check, units.as_bytes()), Some("UTF-16 in base64"));
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
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json"));
        let check = |word: &str| {
            let originals = Source::open(path).unwrap();
            let originals = originals.events(Box::new(|_| ())).unwrap();
            after(word).transcript(originals, Reader::open(path).unwrap())
        };
        let error = check("alice").unwrap_err().to_string();
        assert!(error.contains("event #8"), "{error}");
        assert!(error.contains("nothing was written"), "{error}");
        assert!(!error.contains("alice"), "{error}");
        check("Falkenried").unwrap();
    }

    #[test]
    fn a_short_word_is_left_where_it_was_and_not_where_another_has_become_it() {
        let check = after("Ada Jo and INBOX");
        let left = |octets: &str, original: &str| {
            let left = check.left(octets.as_bytes(), Some(original.as_bytes()));
            left.map(|left| left.length)
        };
        assert_eq!(left("to Ada", "to Ada"), Some(3));
        assert_eq!(left("to Ada", "to Eva"), None);
        assert_eq!(left("to Eva", "to Ada"), None);
        assert_eq!(left("xx=2EJo", "Yy=2EJo"), Some(2));
        assert_eq!(left("and INBOX 1", "and INBOX 1"), None);
    }
}
