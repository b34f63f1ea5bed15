//! The forms in which a secret may come again, and where they stand in a text.
//!
//! A password is sent as it is, as a quoted string, and in base64 among other octets: a SASL
//! response has it behind a name of any length (RFC 4616), and so at any of three alignments. Of
//! base64, those characters are looked for that the secret alone decides, and the whole word in
//! which they stand is found, since its other characters tell the secret's first and last bits.
//!
//! ```text
//! hunter2                 hunter2, aHVudGVyM, h1bnRlcj, odW50ZXIy
//! \0alice\0hunter2        AGFsaWNlAGh1bnRlcjI=, found by h1bnRlcj
//! ```

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::limits;

/// Octets of a secret whose base64 is looked for: enough to tell it from anything else.
const ENCODED: usize = 24;

/// What stands where a pattern is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The secret.
    Whole,
    /// The beginning of one that is too long to be remembered whole.
    Beginning,
    /// A piece of a base64 word.
    Base64,
}

/// What is looked for, and the means to find it.
pub struct Forms {
    patterns: Vec<Vec<u8>>,
    forms: Vec<Form>,
    /// Finds the first one, fast.
    first: AhoCorasick,
    /// Finds every one, those that overlap too; made when it is needed.
    every: OnceLock<Option<AhoCorasick>>,
}

impl Forms {
    /// Of these secrets; `None` where there are none.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Vec<u8>>) -> Option<Self> {
        let mut patterns = Vec::new();
        let mut forms = Vec::new();
        for secret in secrets {
            for (pattern, form) in forms_of(secret) {
                patterns.push(pattern);
                forms.push(form);
            }
        }
        let first = searcher(&patterns, MatchKind::LeftmostLongest)?;
        (!patterns.is_empty()).then_some(Self {
            patterns,
            forms,
            first,
            every: OnceLock::new(),
        })
    }

    /// Whether one of them holds a line feed.
    pub fn cross_lines(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.contains(&b'\n'))
    }

    /// Where they stand in `text`, in order and apart from each other.
    pub fn occurrences(&self, text: &[u8]) -> Vec<Range<usize>> {
        let Some(first) = self.first.find(text) else {
            return Vec::new();
        };
        let every = || searcher(&self.patterns, MatchKind::Standard);
        let Some(every) = self.every.get_or_init(every) else {
            return std::iter::once(0..text.len()).collect();
        };
        let mut found: Vec<Range<usize>> = Vec::new();
        for hit in every.find_overlapping_iter(Input::new(text).range(first.start()..)) {
            let range = match self.forms[hit.pattern()] {
                Form::Whole => hit.range(),
                Form::Beginning => hit.start()..text.len(),
                // A long word may hold very many.
                Form::Base64 if found.last().is_some_and(|last| covers(last, &hit.range())) => {
                    continue;
                }
                Form::Base64 => base64_word(text, hit.range()),
            };
            match found.last_mut() {
                Some(last) if last.start <= range.start && range.start <= last.end => {
                    last.end = last.end.max(range.end);
                }
                _ => found.push(range),
            }
            if found.last().is_some_and(|last| *last == (0..text.len())) {
                break;
            }
        }
        joined(found)
    }
}

/// The fastest kind has a table with a place for each octet behind each octet of a pattern.
fn searcher(patterns: &[Vec<u8>], kind: MatchKind) -> Option<AhoCorasick> {
    let octets: usize = patterns.iter().map(Vec::len).sum();
    let automaton = (octets > limits::SECRETS_TABLE).then_some(AhoCorasickKind::ContiguousNFA);
    let mut builder = AhoCorasick::builder();
    let builder = builder.match_kind(kind).kind(automaton);
    builder.build(patterns).ok()
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Orders the ranges and joins those that overlap or touch.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn forms_of(secret: &[u8]) -> Vec<(Vec<u8>, Form)> {
    let mut forms = vec![as_it_is(secret.to_vec())];
    if secret.iter().any(|octet| b"\"\\".contains(octet)) {
        forms.push(as_it_is(quoted(secret)));
    }
    for before in 0..3 {
        let core = base64_core(secret, before);
        let url_safe = core.replace('+', "-").replace('/', "_");
        if url_safe != core {
            forms.push((url_safe.into_bytes(), Form::Base64));
        }
        forms.push((core.into_bytes(), Form::Base64));
    }
    forms
}

fn as_it_is(mut pattern: Vec<u8>) -> (Vec<u8>, Form) {
    let form = match pattern.len() >= limits::SECRET_LENGTH {
        true => Form::Beginning,
        false => Form::Whole,
    };
    pattern.truncate(limits::SECRET_LENGTH);
    (pattern, form)
}

/// Inside of a quoted string (RFC 9051, section 9, `quoted`).
fn quoted(secret: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(secret.len() + 2);
    for octet in secret {
        if b"\"\\".contains(octet) {
            quoted.push(b'\\');
        }
        quoted.push(*octet);
    }
    quoted
}

/// The characters that the secret alone decides in the base64 of a text that has it behind
/// `before` octets (RFC 4648, section 4: three octets are four characters of six bits).
fn base64_core(secret: &[u8], before: usize) -> String {
    let mut text = vec![0; before];
    text.extend_from_slice(&secret[..secret.len().min(ENCODED)]);
    let first = (8 * before).div_ceil(6);
    let end = 8 * text.len() / 6;
    let mut encoded = STANDARD_NO_PAD.encode(text);
    encoded.truncate(end);
    encoded.split_off(first.min(end))
}

/// The word of base64 around a piece of it.
fn base64_word(text: &[u8], piece: Range<usize>) -> Range<usize> {
    let before = text[..piece.start].iter().rev();
    let before = before.take_while(|octet| is_base64(**octet)).count();
    piece.start - before..piece.end + leading_base64(&text[piece.end..])
}

/// How many octets at the beginning of `text` may go on a word of base64.
pub fn leading_base64(text: &[u8]) -> usize {
    text.iter().take_while(|octet| is_base64(**octet)).count()
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"+/-_=".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    fn forms(secrets: &[&[u8]]) -> Forms {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.to_vec()).collect();
        Forms::new(secrets.iter()).unwrap()
    }

    fn one(range: Range<usize>) -> Vec<Range<usize>> {
        std::iter::once(range).collect()
    }

    #[test]
    fn a_secret_is_found_in_base64_behind_and_before_anything() {
        for secret in [
            &b"hunter2"[..],
            b"pass",
            b"\xff\xfe\xfb\xef\xbe",
            &[b'x'; 500],
        ] {
            let forms = forms(&[secret]);
            for before in 0..7 {
                for after in 0..4 {
                    let text = [&b"\0alice\x01"[..before], secret, &b"\x01\x01=x"[..after]];
                    for engine in [STANDARD, URL_SAFE] {
                        let word = engine.encode(text.concat());
                        let line = format!("a {word} b");
                        assert_eq!(
                            forms.occurrences(line.as_bytes()),
                            one(2..2 + word.len()),
                            "{line}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_found_in_base64_depends_on_the_secret_alone() {
        let forms = forms(&[b"hunter2"]);
        for other in ["huntes2", "hunte", "unter2", "guest-2"] {
            let word = STANDARD.encode(format!("\0alice\0{other}"));
            assert!(forms.occurrences(word.as_bytes()).is_empty(), "{other}");
        }
    }

    #[test]
    fn secrets_that_overlap_are_found_whole() {
        let forms = forms(&[b"x hunt", b"hunter2", b"r2 and more"]);
        assert_eq!(forms.occurrences(b"no x hunter2 and more!"), one(3..21));
        assert_eq!(forms.occurrences(b"hunter2hunter2"), one(0..14));
    }

    #[test]
    fn r002_many_long_secrets_are_searched_in_little_memory() {
        let octets = |secret: usize| -> Vec<u8> {
            let octets =
                (0..limits::SECRET_LENGTH).map(|place| (place * (2 * secret + 1) % 251) as u8);
            octets.collect()
        };
        for secrets in [1, 2, 10, limits::SECRETS] {
            let secrets: Vec<Vec<u8>> = (1..=secrets).map(octets).collect();
            let forms = Forms::new(secrets.iter()).unwrap();
            assert_eq!(
                forms.occurrences(&secrets[0]),
                one(0..limits::SECRET_LENGTH)
            );
            let every = forms.every.get().and_then(Option::as_ref).unwrap();
            let held = forms.first.memory_usage() + every.memory_usage();
            assert!(held < 16 << 20, "{} secrets: {held}", secrets.len());
        }
    }

    #[test]
    fn a_long_text_of_secrets_is_searched_in_one_pass() {
        let forms = forms(&[&[b'A'; 4000], b"AAAA"]);
        let text = vec![b'A'; 300_000];
        assert_eq!(forms.occurrences(&text), one(0..text.len()));
    }
}
