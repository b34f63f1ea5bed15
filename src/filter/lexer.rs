//! The tokens of a filter.

use std::ops::Range;

use super::error::BadFilter;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `-` or `!`
    Not,
    /// A word of letters: `and`, `unsolicited`, or a field, of which a comparison follows.
    Word(String),
    /// `:`, `=`, `!=`, `<`, `<=`, `>` or `>=`, right behind a field.
    Compare(&'static str),
    /// A value behind a comparison, or behind a comma.
    Value(String),
    /// `,` between values.
    Comma,
    /// `"text"`, without quotes and escapes.
    Text(String),
}

const COMPARISONS: [&str; 7] = ["!=", "<=", ">=", ":", "=", "<", ">"];

/// The tokens of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, BadFilter> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.step()? {}
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let place = self.at..self.at + length;
        self.at = place.end;
        self.tokens.push(Token { kind, place });
    }

    fn step(&mut self) -> Result<bool, BadFilter> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let Some(first) = self.rest().chars().next() else {
            return Ok(false);
        };
        match first {
            '(' => self.push(Kind::Open, 1),
            ')' => self.push(Kind::Close, 1),
            '-' | '!' => self.push(Kind::Not, 1),
            '"' => {
                let (text, length) = self.quoted()?;
                self.push(Kind::Text(text), length);
            }
            c if c.is_ascii_alphabetic() => self.word()?,
            _ => {
                let length = plain(self.rest()).max(first.len_utf8());
                return Err(self.bad(
                    length,
                    "expected a test such as command:FETCH, a text in quotes, or a parenthesis",
                ));
            }
        }
        Ok(true)
    }

    fn bad(&self, length: usize, expected: &str) -> BadFilter {
        BadFilter::new(self.text, self.at..self.at + length, expected)
    }

    /// A word, and behind a field its comparison and values.
    fn word(&mut self) -> Result<(), BadFilter> {
        let letters = self.rest().find(|c: char| !c.is_ascii_alphabetic());
        let length = letters.unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_ascii_lowercase();
        self.push(Kind::Word(word), length);
        let found = COMPARISONS
            .iter()
            .find(|sign| self.rest().starts_with(**sign));
        let Some(sign) = found else {
            return match plain(self.rest()) {
                0 => Ok(()),
                more => Err(self.bad(
                    more,
                    "expected a space behind the word; a text to look for stands in quotes",
                )),
            };
        };
        self.push(Kind::Compare(sign), sign.len());
        loop {
            let (value, length) = match self.rest().starts_with('"') {
                true => self.quoted()?,
                false => {
                    let length = plain(self.rest());
                    (self.rest()[..length].to_owned(), length)
                }
            };
            if length == 0 {
                return Err(self.bad(0, "expected a value here, without a space before it"));
            }
            self.push(Kind::Value(value), length);
            if !self.rest().starts_with(',') {
                break;
            }
            self.push(Kind::Comma, 1);
        }
        match self.rest().starts_with('"') {
            true => Err(self.bad(1, "expected a space behind the value")),
            false => Ok(()),
        }
    }

    /// The content of a string that begins here, and its octets with quotes and escapes.
    fn quoted(&self) -> Result<(String, usize), BadFilter> {
        let mut content = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return Ok((content, at + 1)),
                '\\' => content.extend(characters.next().map(|(_, escaped)| escaped)),
                character => content.push(character),
            }
        }
        let end = self.text.len();
        let expected = "expected a quote at the end of the text that begins with one";
        Err(BadFilter::new(self.text, end..end, expected))
    }
}

/// Octets of a value without quotes at the beginning of `text`.
fn plain(text: &str) -> usize {
    text.find(ends).unwrap_or(text.len())
}

/// Whether a value without quotes ends before this.
pub(super) fn ends(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | '"' | '(' | ')')
}
