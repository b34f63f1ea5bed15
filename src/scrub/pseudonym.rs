//! Pseudonyms: which word stands for which.
//!
//! A word is a run of letters and digits. What stands for it has as many characters, each of the same
//! kind, of the same length in UTF-8, UTF-16 and the charsets that have it; the same word has the same
//! pseudonym in any letter case. All are drawn from the system's random numbers and kept in memory
//! alone, so that nothing but the words' shapes can be had from a scrubbed transcript.
//!
//! Not which octets are words (`text.rs`), nor which words stay (`vocabulary.rs`).

use std::collections::{HashMap, HashSet};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::encoding::Escapes;
use super::vocabulary::Vocabulary;

/// Characters from which a word of letters and digits together is no word of a language, but a token or
/// base64. Its letter case and digits say something of what it stands for, and are not kept.
const TOKEN: usize = 30;

/// How often another pseudonym is drawn when one is taken. Words of one or two letters run out.
const DRAWS: usize = 400;

/// The pseudonyms of one run.
pub struct Pseudonyms {
    /// From the system's random numbers; so is `random`'s seed.
    secret: Vec<u8>,
    key: hmac::Key,
    random: fastrand::Rng,
    vocabulary: Vocabulary,
    /// Each word's, by the word in lower case; empty until all words are known.
    given: HashMap<Vec<char>, Vec<char>>,
    taken: HashSet<Vec<char>>,
    /// Words, in lower case, that stay because the user said so, or because they are tags.
    kept: HashSet<String>,
    drawn: bool,
}

impl Pseudonyms {
    /// With a new key.
    ///
    /// # Panics
    ///
    /// The system has no random numbers.
    pub fn new(vocabulary: Vocabulary) -> Self {
        let mut seed = [0; 40];
        SystemRandom::new()
            .fill(&mut seed)
            .expect("the system has random numbers");
        // What a fuzzer finds is to be found again.
        #[cfg(fuzzing)]
        seed.fill(7);
        Self::with_seed(vocabulary, &seed)
    }

    /// With a key that is known, so that a test draws the same ones each time.
    #[cfg(test)]
    pub fn known(vocabulary: Vocabulary) -> Self {
        Self::with_seed(vocabulary, &[7; 40])
    }

    fn with_seed(vocabulary: Vocabulary, seed: &[u8; 40]) -> Self {
        let (key, rest) = seed.split_at(32);
        Self {
            secret: key.to_vec(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            random: fastrand::Rng::with_seed(number(rest)),
            vocabulary,
            given: HashMap::new(),
            taken: HashSet::new(),
            kept: HashSet::new(),
            drawn: false,
        }
    }

    /// The words that stay.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How many words are held.
    pub fn held(&self) -> usize {
        self.given.len() + self.kept.len()
    }

    /// Takes a word for one that stays somewhere: it stands for no other.
    pub fn keep(&mut self, word: &[char]) {
        self.kept.insert(folded(word).into_iter().collect());
    }

    /// Whether the word, in lower case, stays somewhere although no table has it.
    pub fn keeps(&self, word: &str) -> bool {
        self.kept.contains(word)
    }

    /// Whether the word has one.
    pub fn has(&self, word: &[char]) -> bool {
        self.given.contains_key(&folded(word))
    }

    /// Which words have one, in lower case.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.given.keys().map(|word| word.iter().collect())
    }

    /// Draws a pseudonym for each word that was asked for, and others if it did so before. Before it, a
    /// word stands for itself.
    pub fn draw(&mut self) {
        let mut key = [0; 32];
        self.random.fill(&mut key);
        self.key = hmac::Key::new(hmac::HMAC_SHA256, &[&key[..], &self.secret].concat());
        self.taken.clear();
        let mut words: Vec<Vec<char>> = self.given.keys().cloned().collect();
        // The short ones first, that have the least choice.
        words.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        for word in words {
            let pseudonym = match self.draw_one(&word) {
                drawn if word.len() == 1 && self.is_anothers(&drawn) => {
                    self.left_over(word[0]).map_or(drawn, |left| vec![left])
                }
                drawn => drawn,
            };
            self.taken.insert(folded(&pseudonym));
            self.given.insert(word, pseudonym);
        }
        self.drawn = true;
    }

    fn is_anothers(&self, pseudonym: &[char]) -> bool {
        self.taken.contains(pseudonym) || self.keeps(&pseudonym.iter().collect::<String>())
    }

    /// A letter or digit that stands for no other, where few are left. If that is this one itself, another
    /// one's comes back, which this one stands for from now on.
    fn left_over(&mut self, own: char) -> Option<char> {
        let class = class(own);
        let is_free = |c: &&char| !self.is_anothers(&[**c]);
        let mut free = class.iter().filter(is_free).peekable();
        if **free.peek()? != own {
            return free.next().copied();
        }
        if let Some(other) = free.nth(1) {
            return Some(*other);
        }
        // Those before it have theirs.
        let another = class
            .iter()
            .find(|c| **c < own && self.given.contains_key(&vec![**c]))?;
        let its = self.given.insert(vec![*another], vec![own])?;
        self.taken.insert(vec![own]);
        its.first().copied()
    }

    /// None is a word of the original, one that stays or has a meaning in a mail session, or another's.
    fn draw_one(&mut self, word: &[char]) -> Vec<char> {
        let mut found = Vec::new();
        for _ in 0..DRAWS {
            let mut last: Vec<char> = word.iter().map(|c| self.one_like(*c)).collect();
            if is_token(word) {
                last = word.iter().map(|_| self.random.alphanumeric()).collect();
            }
            let fold = folded(&last);
            let text: String = fold.iter().collect();
            // A single letter has no meaning by itself, and there are too few of them to leave some out.
            let has_a_meaning = word.len() > 1 && self.vocabulary.has(&text);
            let is_free = !self.taken.contains(&fold) && !self.keeps(&text) && !has_a_meaning;
            let is_new = match word.len() {
                0..=3 => fold != word,
                _ => !self.given.contains_key(&fold),
            };
            // Never itself, even where all others are taken.
            if fold != word || found.is_empty() {
                found = last;
            }
            if is_free && is_new {
                break;
            }
        }
        found
    }

    fn one_like(&mut self, c: char) -> char {
        let class = class(c);
        let index = self.random.usize(..class.len());
        class[index]
    }

    /// What stands for this word, which is one: letters and digits alone.
    pub fn word(&mut self, word: &[char]) -> Vec<char> {
        let is_token = is_token(word);
        let key = match is_token {
            true => word.to_vec(),
            false => folded(word),
        };
        if !self.drawn {
            self.given.entry(key).or_default();
            return word.to_vec();
        }
        if !self.given.contains_key(&key) {
            let pseudonym = self.draw_one(&key);
            self.taken.insert(folded(&pseudonym));
            self.given.insert(key.clone(), pseudonym);
        }
        let pseudonym = &self.given[&key];
        let pairs = pseudonym.iter().zip(word);
        let like = |(new, old): (&char, &char)| match lower(*old) != *old && !is_token {
            true => upper(*new),
            false => *new,
        };
        pairs.map(like).collect()
    }

    /// As many octets for octets that are no text; the same ones for the same.
    pub fn octets(&self, octets: &[u8]) -> Vec<u8> {
        let seed = hmac::sign(&self.key, octets);
        let mut random = fastrand::Rng::with_seed(number(seed.as_ref()));
        let mut instead = vec![0; octets.len()];
        random.fill(&mut instead);
        instead
    }

    /// As many octets in quoted-printable for octets that are no text.
    pub fn quoted_printable(&self, text: &[u8]) -> Vec<u8> {
        let escapes = Escapes::of(text, b'=');
        let mut instead = self.octets(&escapes.decoded);
        for ((new, old), (_, length)) in instead
            .iter_mut()
            .zip(&escapes.decoded)
            .zip(&escapes.places)
        {
            *new = match (length, old) {
                (1, old) if old.is_ascii_whitespace() => *old,
                (1, _) => b'a' + *new % 26,
                _ => *new,
            };
        }
        escapes.again(text, &instead)
    }

    /// Hexadecimal digits for such digits.
    pub fn hexadecimal(&self, digits: &str) -> String {
        let octets = self.octets(digits.as_bytes());
        let digit = |octet: u8| char::from_digit(u32::from(octet % 16), 16).unwrap_or('0');
        octets.into_iter().map(digit).collect()
    }
}

fn number(octets: &[u8]) -> u64 {
    octets.iter().take(8).fold(0, |n, o| n << 8 | u64::from(*o))
}

/// Whether it is a part of a word.
pub fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c >= '\u{1f000}'
}

fn is_token(word: &[char]) -> bool {
    word.len() > TOKEN && word.iter().all(char::is_ascii_alphanumeric)
}

/// The word in lower case, character by character.
pub fn folded(word: &[char]) -> Vec<char> {
    word.iter().map(|c| lower(*c)).collect()
}

/// In lower case, where that is one character of the same length.
fn lower(c: char) -> char {
    alone(c, c.to_lowercase())
}

fn upper(c: char) -> char {
    alone(c, c.to_uppercase())
}

fn alone(c: char, mut others: impl Iterator<Item = char>) -> char {
    match (others.next(), others.next()) {
        (Some(other), None) if other.len_utf8() == c.len_utf8() => other,
        _ => c,
    }
}

/// Characters that may stand for this one. Of a script's, those that all of its charsets have.
fn class(c: char) -> &'static [char] {
    use classes::*;
    match c {
        '0'..='9' => DIGITS,
        _ if c.is_ascii() => ASCII,
        '\u{370}'..='\u{3ff}' => GREEK,
        '\u{400}'..='\u{4ff}' => CYRILLIC,
        '\u{590}'..='\u{5ff}' => HEBREW,
        '\u{600}'..='\u{6ff}' => ARABIC,
        '\u{e00}'..='\u{e7f}' => THAI,
        '\u{3040}'..='\u{309f}' => HIRAGANA,
        '\u{30a0}'..='\u{30ff}' => KATAKANA,
        '\u{ac00}'..='\u{d7a3}' => HANGUL,
        _ => match c.len_utf8() {
            2 => LATIN,
            3 => HAN,
            _ => FACES,
        },
    }
}

mod classes {
    pub const DIGITS: &[char] = &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
    pub const ASCII: &[char] = &[
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r',
        's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ];
    pub const LATIN: &[char] = &[
        'á', 'â', 'ä', 'ç', 'é', 'ë', 'í', 'î', 'ó', 'ô', 'ö', 'ú', 'ü',
    ];
    pub const GREEK: &[char] = &[
        'α', 'β', 'γ', 'δ', 'ε', 'ζ', 'η', 'θ', 'ι', 'κ', 'λ', 'μ', 'ν', 'ξ', 'ο', 'π', 'ρ', 'σ',
    ];
    pub const CYRILLIC: &[char] = &[
        'а', 'б', 'в', 'г', 'д', 'е', 'ж', 'з', 'и', 'к', 'л', 'м', 'н', 'о', 'п', 'р', 'с', 'т',
        'у', 'ф', 'х', 'ц', 'ч', 'ш', 'ю', 'я',
    ];
    pub const HEBREW: &[char] = &['א', 'ב', 'ג', 'ד', 'ה', 'ו', 'ז', 'ח', 'ט', 'י', 'ל', 'מ'];
    pub const ARABIC: &[char] = &['ب', 'ت', 'ث', 'ج', 'ح', 'خ', 'د', 'ذ', 'ر', 'ز', 'س', 'ش'];
    pub const THAI: &[char] = &['ก', 'ข', 'ค', 'ง', 'จ', 'ฉ', 'ช', 'ซ', 'ด', 'ต', 'ท', 'น'];
    pub const HIRAGANA: &[char] = &['あ', 'い', 'う', 'え', 'お', 'か', 'き', 'く', 'け', 'こ'];
    pub const KATAKANA: &[char] = &['ア', 'イ', 'ウ', 'エ', 'オ', 'カ', 'キ', 'ク', 'ケ', 'コ'];
    pub const HANGUL: &[char] = &[
        '가', '나', '다', '라', '마', '바', '사', '아', '자', '차', '카', '타', '파', '하',
    ];
    pub const HAN: &[char] = &[
        '人', '大', '山', '水', '日', '月', '火', '木', '金', '土', '上', '下', '中', '小', '口',
        '手', '目', '耳', '心', '天', '田', '石', '竹', '米',
    ];
    pub const FACES: &[char] = &[
        '\u{1f600}',
        '\u{1f601}',
        '\u{1f602}',
        '\u{1f603}',
        '\u{1f604}',
        '\u{1f605}',
        '\u{1f606}',
        '\u{1f607}',
        '\u{1f608}',
        '\u{1f609}',
        '\u{1f60a}',
        '\u{1f60b}',
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn of(words: &[&str]) -> Pseudonyms {
        drawn(Pseudonyms::known(Vocabulary::new()), words)
    }

    fn drawn(mut pseudonyms: Pseudonyms, words: &[&str]) -> Pseudonyms {
        for word in words {
            pseudonyms.word(&all(word));
        }
        pseudonyms.draw();
        pseudonyms
    }

    #[test]
    fn one_has_the_words_shape_and_is_the_same_in_any_letter_case() {
        let mut pseudonyms = of(&["Grünwald7"]);
        let one = pseudonyms.word(&all("Grünwald7"));
        let other = pseudonyms.word(&all("GRÜNWALD7"));
        assert_eq!(folded(&one), folded(&other));
        assert!(one[0].is_ascii_uppercase() && one[1].is_ascii_lowercase());
        assert!(one[2].is_lowercase() && one[2].len_utf8() == 2);
        assert!(one[8].is_ascii_digit());
        assert_ne!(one, all("Grünwald7"));
    }

    #[test]
    fn no_two_words_have_the_same_and_none_is_a_word_of_the_original() {
        let letters: Vec<String> = ('a'..='z').map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        let mut pseudonyms = of(&letters);
        for _ in 0..50 {
            pseudonyms.draw();
            for letter in &letters {
                assert_ne!(pseudonyms.word(&all(letter)), all(letter));
            }
        }
        let mut given: Vec<_> = letters.iter().map(|w| pseudonyms.word(&all(w))).collect();
        given.sort();
        given.dedup();
        assert_eq!(given.len(), 26, "{given:?}");
    }

    /// A word that became a tag made an answer to another command of its line.
    #[test]
    fn r009_a_word_that_stays_stands_for_no_other() {
        let mut pseudonyms = Pseudonyms::known(Vocabulary::new());
        for kept in ('a'..='y').filter(|letter| *letter != 'q') {
            pseudonyms.keep(&[kept]);
        }
        let mut pseudonyms = drawn(pseudonyms, &["q"]);
        assert_eq!(pseudonyms.word(&['q']), ['z']);
    }

    #[test]
    fn another_run_has_others() {
        let [mut one, mut other] =
            [(); 2].map(|()| drawn(Pseudonyms::new(Vocabulary::new()), &["abcdefghijklmnop"]));
        let word = all("abcdefghijklmnop");
        assert_ne!(one.word(&word), other.word(&word));
        assert_ne!(one.octets(b"octets"), other.octets(b"octets"));
        assert_eq!(one.octets(b"octets"), one.octets(b"octets"));
    }
}
