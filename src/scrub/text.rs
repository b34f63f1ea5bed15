//! Text whose words are replaced, in UTF-8 and other charsets, and in escapes and encoded words.
//!
//! It promises as many octets as there were, and that octets which are of no word stay, but those
//! outside of ASCII that no charset explains.

use std::collections::HashSet;
use std::ops::Range;

use encoding_rs::{
    EUC_JP, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::encoding::{EncodedWord, Escapes, encoded_words, in_base64_again, in_lines};
use super::pseudonym::{Pseudonyms, folded, is_of_a_word};
use super::shifts::{Set, Stretch, stretches};

/// Which words of a text stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// None.
    Nothing,
    /// All of them: what the user asked to keep.
    Everything,
    /// Those of the protocol, and numbers.
    Protocol,
    /// Those of the protocol, and no numbers.
    ProtocolWords,
    /// Those of header fields' names, of the protocol, and numbers.
    HeaderNames,
    /// Those of human-readable text that are not in the name of a mailbox, a user or a host.
    Human,
    /// Names of elements, attributes and entities of HTML, where they are such.
    Html,
    /// INBOX, if it comes first.
    Inbox,
}

/// Digits of the shortest number that the last check searches for: shorter ones are everywhere.
pub const SEARCHED_NUMBER: usize = 9;

/// Replaces words.
pub struct Words {
    /// What stands for them.
    pub pseudonyms: Pseudonyms,
    /// Words of mailboxes, users and hosts, in lower case.
    private: HashSet<String>,
    /// Charsets in which something was said.
    charsets: HashSet<&'static Encoding>,
}

impl Words {
    /// With nothing known yet.
    pub fn new(pseudonyms: Pseudonyms) -> Self {
        Self {
            pseudonyms,
            private: HashSet::new(),
            charsets: HashSet::new(),
        }
    }

    /// How many words are held, in whatever list.
    pub fn held(&self) -> usize {
        self.pseudonyms.held() + self.private.len()
    }

    /// The charsets in which something was said, but for UTF-8.
    pub fn charsets(&self) -> impl Iterator<Item = &'static Encoding> {
        self.charsets.iter().copied()
    }

    /// Takes a text's words for the name of somebody or something.
    pub fn are_private(&mut self, text: &[char]) {
        for range in words(text) {
            let word: String = folded(&text[range]).into_iter().collect();
            self.private.insert(word);
        }
    }

    /// Takes the words of an address and of the name beside it for somebody's (RFC 5322, section 3.4).
    pub fn are_names(&mut self, text: &[u8]) {
        let mut position = 0;
        while let Some(group) = encoded_words(text, position) {
            self.are_named(&text[position..group[0].whole.start]);
            let octets: Vec<u8> = group.iter().flat_map(|word| word.decoded(text)).collect();
            let charset = Encoding::for_label(group[0].charset.as_bytes()).unwrap_or(UTF_8);
            let (decoded, _) = charset.decode_without_bom_handling(&octets);
            self.are_named(decoded.as_bytes());
            position = group[group.len() - 1].whole.end;
        }
        self.are_named(&text[position..]);
    }

    /// Those that a server's text would keep otherwise, but for those that stand between names.
    fn are_named(&mut self, text: &[u8]) {
        let text = characters(text);
        for range in words(&text) {
            let word: String = folded(&text[range]).into_iter().collect();
            if !BETWEEN_NAMES.contains(&&*word) && self.pseudonyms.vocabulary().of_human_text(&word)
            {
                self.private.insert(word);
            }
        }
    }

    /// Takes a text's words for such that stay.
    pub fn are_kept(&mut self, text: &[char]) {
        for range in words(text) {
            self.pseudonyms.keep(&text[range]);
        }
    }

    /// The characters with their words replaced.
    pub fn characters(&mut self, text: &[char], keep: Keep) -> Vec<char> {
        let mut instead = text.to_vec();
        let mut run = Run::default();
        for (index, range) in words(text).enumerate() {
            let word = &text[range.clone()];
            if keep == Keep::Everything {
                self.are_kept(word);
                continue;
            }
            let is_kept = match keep {
                Keep::Html => self.is_html(text, &range),
                Keep::Human if run.around(text, &range).is_a_name => is_inbox(word),
                keep => self.is_kept(word, keep, index == 0),
            };
            match is_kept {
                true => self.is_kept_here(word),
                false => instead[range].copy_from_slice(&self.pseudonyms.word(word)),
            }
        }
        instead
    }

    /// Whether the word is one of HTML: `<p`, `</p`, `href=`, `&nbsp;`.
    fn is_html(&self, text: &[char], range: &Range<usize>) -> bool {
        let is_one = match text[..range.start] {
            [.., '<' | '&'] | [.., '<', '/'] => true,
            [.., ' ' | '\n' | '\t'] => text.get(range.end) == Some(&'='),
            _ => false,
        };
        let word = || folded(&text[range.clone()]).into_iter().collect::<String>();
        is_one && self.pseudonyms.vocabulary().of_html(&word())
    }

    fn is_kept(&self, word: &[char], keep: Keep, is_first: bool) -> bool {
        let text: String = folded(word).into_iter().collect();
        let vocabulary = self.pseudonyms.vocabulary();
        // One of the protocol has at most 64 bits; of more digits it is somebody's token.
        const LONGEST: usize = 20;
        let is_number = word.len() <= LONGEST && word.iter().all(char::is_ascii_digit);
        match keep {
            Keep::Nothing | Keep::Html => false,
            Keep::Everything => true,
            Keep::Protocol => is_number || vocabulary.of_the_protocol(&text),
            Keep::ProtocolWords => vocabulary.of_the_protocol(&text),
            Keep::HeaderNames => {
                is_number || vocabulary.of_a_header(&text) || vocabulary.of_the_protocol(&text)
            }
            Keep::Human => vocabulary.of_human_text(&text) && !self.private.contains(&text),
            Keep::Inbox => is_first && is_inbox(word),
        }
    }

    /// A number that stays here may be another's elsewhere, and replaced there: of a UIDVALIDITY, say,
    /// that names the file of a mail, too. It stands for no other then, and is not searched for.
    fn is_kept_here(&mut self, word: &[char]) {
        if word.len() >= SEARCHED_NUMBER && word.iter().all(char::is_ascii_digit) {
            self.pseudonyms.keep(word);
        }
    }

    /// Takes note of a text that stays as it is.
    pub fn stays(&mut self, text: &[u8]) {
        if text.len() >= SEARCHED_NUMBER {
            let text = characters(text);
            words(&text).for_each(|range| self.is_kept_here(&text[range]));
        }
    }

    /// Whether all words are the protocol's, or numbers.
    pub fn are_of_the_protocol(&self, text: &[u8]) -> bool {
        let text = characters(text);
        words(&text).all(|range| self.is_kept(&text[range], Keep::Protocol, false))
    }

    /// A text in this charset; without one in UTF-8, or whatever it is.
    pub fn octets(&mut self, text: &[u8], charset: Option<&str>, keep: Keep) -> Vec<u8> {
        let charset = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
        let is_plain =
            charset.is_none_or(|charset| [UTF_8, WINDOWS_1252, ISO_2022_JP].contains(&charset));
        match charset {
            // ISO-2022-KR and others whose octets are not read here.
            Some(charset) if charset == REPLACEMENT => self.unread(text, keep),
            charset if is_plain => match stretches(text) {
                Some(stretches) => {
                    let charset = charset.filter(|charset| *charset != ISO_2022_JP);
                    let mut instead = Vec::with_capacity(text.len());
                    for Stretch { range, set } in stretches {
                        let octets = &text[range];
                        instead.extend(match set {
                            Set::Plain => self.unshifted(octets, charset, keep),
                            Set::Mark => octets.to_vec(),
                            Set::Jis => self.jis(octets, keep),
                            Set::Other => self.unread(octets, keep),
                        });
                    }
                    instead
                }
                None => self.unshifted(text, charset, keep),
            },
            charset => self.unshifted(text, charset, keep),
        }
    }

    /// JIS X 0208: two octets a character, which are those of EUC-JP without their highest bits (RFC 1468).
    fn jis(&mut self, text: &[u8], keep: Keep) -> Vec<u8> {
        let high: Vec<u8> = text.iter().map(|octet| octet | 0x80).collect();
        let high = self.unshifted(&high, Some(EUC_JP), keep);
        high.iter().map(|octet| octet & 0x7f).collect()
    }

    /// Octets whose characters are not known: letters that stand for any of them, in all sets of 94.
    fn unread(&mut self, text: &[u8], keep: Keep) -> Vec<u8> {
        match keep {
            Keep::Everything => text.to_vec(),
            _ => {
                let mut instead =
                    in_lines(text, &self.pseudonyms.octets(text)).to_ascii_uppercase();
                let is_letter =
                    |one: &u8, other: &u8| one.is_ascii_uppercase() == other.is_ascii_uppercase();
                for run in instead
                    .chunk_by_mut(is_letter)
                    .filter(|run| run[0].is_ascii_uppercase())
                {
                    // By chance, one in some hundred short ones is a word of the original.
                    for _ in 0..26 {
                        let word: Vec<char> = run.iter().map(|octet| char::from(*octet)).collect();
                        if !self.pseudonyms.has(&word) {
                            break;
                        }
                        if let Some(last) = run.last_mut() {
                            *last = b'A' + (*last - b'A' + 1) % 26;
                        }
                    }
                }
                instead
            }
        }
    }

    /// A text without shifts in it.
    fn unshifted(
        &mut self,
        text: &[u8],
        charset: Option<&'static Encoding>,
        keep: Keep,
    ) -> Vec<u8> {
        let read = charset.and_then(|charset| {
            if charset != UTF_8 {
                self.charsets.insert(charset);
            }
            Some((charset, read_in(text, charset)?))
        });
        let (charset, read) = read.unwrap_or_else(|| (WINDOWS_1252, read_plain(text)));
        let old: Vec<char> = read.iter().map(|character| character.is).collect();
        let new = self.characters(&old, keep);
        let mut instead = Vec::with_capacity(text.len());
        let mut position = 0;
        for (character, new) in read.iter().zip(new) {
            let was = &text[position..position + character.octets];
            position += character.octets;
            match character.form {
                _ if new == character.is => instead.extend_from_slice(was),
                Form::Utf8 => instead.extend_from_slice(new.encode_utf8(&mut [0; 4]).as_bytes()),
                Form::Charset => instead.extend(written(new, charset, was.len())),
                Form::Utf16 => {
                    let units = new.encode_utf16(&mut [0; 2]).to_vec();
                    instead.extend(
                        units
                            .into_iter()
                            .flat_map(|unit| match charset == UTF_16BE {
                                true => unit.to_be_bytes(),
                                false => unit.to_le_bytes(),
                            }),
                    );
                }
            }
        }
        instead
    }

    /// Text that may have encoded words in it (RFC 2047); words go on from one to the next.
    pub fn header(&mut self, text: &[u8], keep: Keep) -> Vec<u8> {
        let mut instead = Vec::with_capacity(text.len());
        let mut position = 0;
        while let Some(group) = encoded_words(text, position) {
            let first = group[0].whole.start;
            instead.extend(self.octets(&text[position..first], None, keep));
            let last = group[group.len() - 1].whole.end;
            instead.extend(self.encoded_words(text, &group, keep));
            position = last;
        }
        instead.extend(self.octets(&text[position..], None, keep));
        instead
    }

    fn encoded_words(&mut self, text: &[u8], group: &[EncodedWord], keep: Keep) -> Vec<u8> {
        let decoded: Vec<Vec<u8>> = group.iter().map(|word| word.decoded(text)).collect();
        let all = decoded.concat();
        let all = self.octets(&all, Some(&group[0].charset), keep);
        let (mut position, mut end) = (0, group[0].whole.start);
        let mut instead = Vec::new();
        for (word, decoded) in group.iter().zip(decoded) {
            let part = &all[position..position + decoded.len()];
            position += part.len();
            instead.extend_from_slice(&text[end..word.content.start]);
            let content = &text[word.content.clone()];
            instead.extend(match word.is_base64 {
                true => in_base64_again(content, part),
                false => Escapes::of(content, b'=').again(content, part),
            });
            instead.extend_from_slice(&text[word.content.end..word.whole.end]);
            end = word.whole.end;
        }
        instead
    }

    /// Text with escapes: quoted-printable (`=`), or percent encoding (`%`).
    pub fn escaped(
        &mut self,
        text: &[u8],
        escape: u8,
        charset: Option<&str>,
        keep: Keep,
    ) -> Vec<u8> {
        let escapes = Escapes::of(text, escape);
        let instead = self.octets(&escapes.decoded, charset, keep);
        escapes.again(text, &instead)
    }
}

fn is_inbox(word: &[char]) -> bool {
    let text: String = word.iter().collect();
    text.eq_ignore_ascii_case("INBOX")
}

/// Words between the names of people and firms, which name nobody.
const BETWEEN_NAMES: [&str; 13] = [
    "a", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
];

/// Words that nothing but punctuation joins: `mail.store.example`, `read-only`.
#[derive(Default)]
struct Run {
    end: usize,
    /// A host's name, an address, a version or a path's: dots or `@` stand in it.
    is_a_name: bool,
}

impl Run {
    /// The run in which this word is; each word is asked for after those before it.
    fn around(&mut self, text: &[char], word: &Range<usize>) -> &Self {
        if word.start >= self.end {
            let is_joint = |c: &char| matches!(c, '.' | '@' | '-' | '_' | '+');
            let rest = &text[word.start..];
            let is_of_it = |c: &&char| is_of_a_word(**c) || is_joint(c);
            let length = rest.iter().take_while(is_of_it).count();
            let run = &rest[..length];
            let is_between =
                |three: &[char]| three[1] == '.' && is_of_a_word(three[2]) && !is_joint(&three[0]);
            self.end = word.start + length;
            self.is_a_name = run.contains(&'@') || run.windows(3).any(is_between);
        }
        self
    }
}

/// Where the words are.
pub fn words(text: &[char]) -> impl Iterator<Item = Range<usize>> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let is = |c: &char| is_of_a_word(*c);
        let start = position + text[position..].iter().position(is)?;
        let length = text[start..].iter().position(|c| !is(c));
        position = length.map_or(text.len(), |length| start + length);
        Some(start..position)
    })
}

/// A character as it was read.
struct Read {
    is: char,
    octets: usize,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Utf8,
    Charset,
    Utf16,
}

/// The characters of a text in UTF-8, and in Windows-1252 where it is none.
pub fn characters(text: &[u8]) -> Vec<char> {
    read_plain(text)
        .iter()
        .map(|character| character.is)
        .collect()
}

/// UTF-8, and Windows-1252 where it is none.
fn read_plain(text: &[u8]) -> Vec<Read> {
    let mut read = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        read.extend(chunk.valid().chars().map(|is| Read {
            is,
            octets: is.len_utf8(),
            form: Form::Utf8,
        }));
        for octet in chunk.invalid().chunks(1) {
            let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(octet);
            // What is no letter there may be one in the charset that it is really in.
            let is = decoded.chars().next().filter(|c| is_of_a_word(*c));
            read.push(Read {
                is: is.unwrap_or('\u{e0}'),
                octets: 1,
                form: Form::Charset,
            });
        }
    }
    read
}

/// A text in a charset without states; `None` where it is not in it, or has others.
fn read_in(text: &[u8], charset: &'static Encoding) -> Option<Vec<Read>> {
    if charset == UTF_8 && std::str::from_utf8(text).is_err() {
        return None;
    }
    if charset == UTF_16LE || charset == UTF_16BE {
        return read_utf16(text, charset);
    }
    let decoded = charset.decode_without_bom_handling_and_without_replacement(text)?;
    let mut read = Vec::with_capacity(text.len());
    let mut position = 0;
    for is in decoded.chars() {
        let mut utf8 = [0; 4];
        let (octets, _, is_lost) = charset.encode(is.encode_utf8(&mut utf8));
        if is_lost || !text[position..].starts_with(&octets) {
            return None;
        }
        position += octets.len();
        read.push(Read {
            is,
            octets: octets.len(),
            form: Form::Charset,
        });
    }
    (position == text.len()).then_some(read)
}

fn read_utf16(text: &[u8], charset: &'static Encoding) -> Option<Vec<Read>> {
    let (units, rest) = text.as_chunks::<2>();
    let unit = |octets: &[u8; 2]| match charset == UTF_16BE {
        true => u16::from_be_bytes(*octets),
        false => u16::from_le_bytes(*octets),
    };
    let read = char::decode_utf16(units.iter().map(unit)).map(|is| {
        let is = is.ok()?;
        Some(Read {
            is,
            octets: 2 * is.len_utf16(),
            form: Form::Utf16,
        })
    });
    read.collect::<Option<Vec<Read>>>()
        .filter(|_| rest.is_empty())
}

/// The character in so many octets of the charset.
fn written(c: char, charset: &'static Encoding, octets: usize) -> Vec<u8> {
    let mut utf8 = [0; 4];
    let (written, _, is_lost) = charset.encode(c.encode_utf8(&mut utf8));
    match !is_lost && written.len() == octets {
        true => written.into_owned(),
        false => vec![b'?'; octets],
    }
}
