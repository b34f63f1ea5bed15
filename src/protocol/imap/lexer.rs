//! The tokens of one message (RFC 9051, section 9), as labelled spans.
//!
//! The lexer makes no judgement: every octet that is not white space or a line end gets a label,
//! if need be [`Label::Malformed`]. It reads sealed messages as well as those that may hold
//! secrets; a masked secret is one token.

use std::ops::Range;

use memchr::{memchr, memchr3};

use crate::event::{Label, Message, Piece, Span, Status};

/// The spans of a client's command: `Tag Name` and arguments.
pub fn command(message: &Message) -> Vec<Span> {
    Lexer::new(message).lex(State::CommandTag)
}

/// A command's tag, without a look at the rest of it.
pub fn command_tag(message: &Message) -> Option<Range<usize>> {
    let bytes = message.bytes();
    let start = bytes.iter().take_while(|octet| **octet == b' ').count();
    let mut lexer = Lexer::new(message);
    if start < bytes.len() {
        lexer.command_tag(start, bytes.len());
    }
    let span = lexer.spans.into_iter().next();
    span.filter(|span| span.label == Label::Tag)
        .map(|span| span.range)
}

/// Spans of a response that may be its status, its name or its code's name: `* LIST`,
/// `* 3 EXISTS`, `* OK [ALERT`. None behind them is.
pub const HEAD: usize = 4;

/// The spans of a server's response.
pub fn response(message: &Message) -> Vec<Span> {
    Lexer::new(message).lex(State::ResponseTag)
}

/// The spans of a line that is neither: a SASL response, `DONE`.
pub fn line(message: &Message) -> Vec<Span> {
    Lexer::new(message).lex(State::Line)
}

/// What is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    CommandTag,
    CommandName,
    ResponseTag,
    /// Behind `*`.
    Untagged,
    /// Behind `* 3`.
    UntaggedName,
    /// Behind a tag.
    Status,
    /// At the beginning of `resp-text`.
    RespText,
    CodeName,
    /// Arguments; `true` within a response code.
    Data {
        code: bool,
    },
    /// At the space behind `]`.
    TextBehindCode,
    Text,
    Line,
    /// All the rest is malformed.
    Malformed,
}

struct Lexer<'a> {
    message: &'a Message,
    bytes: &'a [u8],
    spans: Vec<Span>,
}

impl<'a> Lexer<'a> {
    fn new(message: &'a Message) -> Self {
        /// Octets of a token and what stands around it, in the densest of common responses.
        const TOKEN: usize = 5;
        const MOST: usize = 128;
        let text = |piece: &Piece| match piece {
            Piece::Text(range) => range.len(),
            Piece::Literal { .. } | Piece::Streamed { .. } | Piece::Secret(..) => 2 * TOKEN,
        };
        let text: usize = message.pieces().iter().map(text).sum();
        Self {
            message,
            bytes: message.bytes(),
            spans: Vec::with_capacity((text / TOKEN).clamp(4, MOST)),
        }
    }

    fn lex(mut self, mut state: State) -> Vec<Span> {
        for piece in self.message.pieces() {
            match piece {
                Piece::Text(range) => {
                    let mut position = range.start;
                    while position < range.end {
                        (position, state) = self.step(position, range.end, state);
                    }
                }
                Piece::Literal {
                    header, content, ..
                } => {
                    self.push(Label::LiteralHeader, header.clone());
                    self.push(Label::Literal, content.clone());
                    state = state.behind_a_string();
                }
                Piece::Streamed { header, .. } => {
                    self.push(Label::LiteralHeader, header.clone());
                    state = state.behind_a_string();
                }
                Piece::Secret(secret, range) => {
                    self.push(Label::Secret(*secret), range.clone());
                    state = state.behind_a_string();
                }
            }
        }
        if matches!(state, State::Data { code: true } | State::CodeName) {
            self.unclosed_code_is_text();
        }
        self.spans
    }

    fn push(&mut self, label: Label, range: Range<usize>) {
        self.spans.push(Span { range, label });
    }

    /// Reads one token at `position`, or white space; where to go on, and in what state.
    fn step(&mut self, position: usize, end: usize, state: State) -> (usize, State) {
        let octet = self.bytes[position];
        if matches!(octet, b'\r' | b'\n') {
            return (position + 1, state);
        }
        if octet == b' ' && state != State::Text && state != State::Line {
            return (position + 1, state);
        }
        match state {
            State::CommandTag => self.command_tag(position, end),
            State::CommandName => self.command_name(position, end),
            State::ResponseTag => self.response_tag(position, end),
            State::Untagged => self.untagged(position, end),
            State::UntaggedName => {
                let word = self.word(position, end);
                self.push(Label::Name, word.clone());
                (word.end, State::Data { code: false })
            }
            State::Status => self.status(position, end),
            State::RespText => match octet {
                b'[' => (self.single(Label::CodeOpen, position), State::CodeName),
                _ => (position, State::Text),
            },
            State::CodeName => {
                let mut name = self.word(position, end);
                if let Some(close) = memchr(b']', &self.bytes[name.clone()]) {
                    name.end = name.start + close;
                }
                if name.start < name.end {
                    self.push(Label::CodeName, name.clone());
                }
                (name.end, State::Data { code: true })
            }
            State::Data { code } => self.data(position, end, code),
            State::Text | State::TextBehindCode => self.rest(position, end, Label::Text),
            State::Line => self.rest(position, end, Label::Line),
            State::Malformed => self.rest(position, end, Label::Malformed),
        }
    }

    fn command_tag(&mut self, position: usize, end: usize) -> (usize, State) {
        let word = self.word(position, end);
        let tag = &self.bytes[word.clone()];
        if !is_tag(tag) {
            return (position, State::Malformed);
        }
        self.push(Label::Tag, word.clone());
        (word.end, State::CommandName)
    }

    fn command_name(&mut self, position: usize, end: usize) -> (usize, State) {
        let word = self.word(position, end);
        if word.start == word.end {
            return (position, State::Malformed);
        }
        self.push(Label::Name, word.clone());
        let is_uid = self.bytes[word.clone()].eq_ignore_ascii_case(b"UID");
        let names = self.spans.iter().filter(|s| s.label == Label::Name).count();
        match is_uid && names == 1 {
            true => (word.end, State::CommandName),
            false => (word.end, State::Data { code: false }),
        }
    }

    fn response_tag(&mut self, position: usize, end: usize) -> (usize, State) {
        let word = self.word(position, end);
        let state = match &self.bytes[word.clone()] {
            b"*" => State::Untagged,
            b"+" => State::RespText,
            tag if is_tag(tag) => State::Status,
            _ => return (position, State::Malformed),
        };
        self.push(Label::Tag, word.clone());
        (word.end, state)
    }

    fn untagged(&mut self, position: usize, end: usize) -> (usize, State) {
        let word = self.word(position, end);
        let text = &self.bytes[word.clone()];
        if text.is_empty() {
            return (position, State::Malformed);
        }
        if text.iter().all(u8::is_ascii_digit) {
            self.push(Label::Number, word.clone());
            return (word.end, State::UntaggedName);
        }
        if Status::parse(text).is_some() {
            self.push(Label::Status, word.clone());
            return (word.end, State::RespText);
        }
        self.push(Label::Name, word.clone());
        (word.end, State::Data { code: false })
    }

    fn status(&mut self, position: usize, end: usize) -> (usize, State) {
        let word = self.word(position, end);
        match Status::parse(&self.bytes[word.clone()]) {
            Some(Status::Ok | Status::No | Status::Bad) => {
                self.push(Label::Status, word.clone());
                (word.end, State::RespText)
            }
            _ => (position, State::Malformed),
        }
    }

    /// Arguments, one token after the other: most of a response is read here.
    fn data(&mut self, start: usize, end: usize, code: bool) -> (usize, State) {
        let bytes = &self.bytes[..end];
        let mut position = start;
        while let Some(octet) = bytes.get(position) {
            position = match octet {
                b' ' | b'\r' | b'\n' => position + 1,
                b'(' => self.single(Label::ListOpen, position),
                b')' => self.single(Label::ListClose, position),
                b'"' => self.quoted(position, end),
                b']' if code => {
                    let behind = self.single(Label::CodeClose, position);
                    return (behind, State::TextBehindCode);
                }
                _ => self.atom(position, end, code),
            };
        }
        (position, State::Data { code })
    }

    /// A token of one octet; where the next one may begin.
    fn single(&mut self, label: Label, position: usize) -> usize {
        self.push(label, position..position + 1);
        position + 1
    }

    /// `"..."`; one that is not closed is malformed to the line's end.
    fn quoted(&mut self, start: usize, end: usize) -> usize {
        let mut position = start + 1;
        while position < end {
            position += run(&self.bytes[position..end], QUOTED);
            match self.bytes[..end].get(position) {
                Some(b'\\') => position += 2,
                Some(b'"') => {
                    self.push(Label::Quoted, start..position + 1);
                    return position + 1;
                }
                _ => break,
            }
        }
        let position = position.min(end);
        self.push(Label::Malformed, start..position);
        position
    }

    /// An atom, a number, NIL, or `BODY[HEADER.FIELDS (DATE FROM)]<0>` as one.
    fn atom(&mut self, start: usize, end: usize, code: bool) -> usize {
        let mut position = start;
        let mut odd = false;
        loop {
            position += run(&self.bytes[position..end], ATOM);
            let Some(octet) = self.bytes[..end].get(position) else {
                break;
            };
            match octet {
                b' ' | b'(' | b')' | b'\r' | b'\n' => break,
                b']' if code => break,
                b'[' if has_section(&self.bytes[start..position]) => {
                    position = self.section_end(position, end);
                    continue;
                }
                octet if octet.is_ascii_control() || *octet == b'"' => odd = true,
                _ => {}
            }
            position += 1;
        }
        let text = &self.bytes[start..position];
        let label = match text {
            _ if odd => Label::Malformed,
            _ if text.iter().all(u8::is_ascii_digit) => Label::Number,
            _ if text.eq_ignore_ascii_case(b"NIL") => Label::Nil,
            _ => Label::Atom,
        };
        self.push(label, start..position);
        position
    }

    /// Behind the `]` that closes the `[` at `start`; the end of the piece without one.
    fn section_end(&self, start: usize, end: usize) -> usize {
        let inside = &self.bytes[start..end];
        if let Some(close) = memchr(b']', inside)
            && memchr3(b'"', b'\r', b'\n', &inside[..close]).is_none()
        {
            return start + close + 1;
        }
        let mut quoted = false;
        for (place, octet) in inside.iter().enumerate() {
            match octet {
                b'"' => quoted = !quoted,
                b']' if !quoted => return start + place + 1,
                b'\r' | b'\n' => return start + place,
                _ => {}
            }
        }
        end
    }

    /// To the end of the line.
    fn rest(&mut self, start: usize, end: usize, label: Label) -> (usize, State) {
        let mut stop = end;
        if stop > start && self.bytes[stop - 1] == b'\n' {
            stop -= 1;
            if stop > start && self.bytes[stop - 1] == b'\r' {
                stop -= 1;
            }
        }
        if start < stop {
            self.push(label, start..stop);
        }
        let state = match label {
            Label::Text => State::Text,
            Label::Line => State::Line,
            _ => State::Malformed,
        };
        (end, state)
    }

    fn word(&self, start: usize, end: usize) -> Range<usize> {
        start..start + run(&self.bytes[start..end], WORD)
    }

    /// `[` that is never closed is no response code.
    fn unclosed_code_is_text(&mut self) {
        let Some(open) = self
            .spans
            .iter()
            .position(|span| span.label == Label::CodeOpen)
        else {
            return;
        };
        let inside = &self.spans[open..];
        if inside.iter().any(|span| {
            matches!(
                span.label,
                Label::LiteralHeader | Label::Secret(_) | Label::CodeClose
            )
        }) {
            return;
        }
        let range = self.spans[open].range.start..inside[inside.len() - 1].range.end;
        self.spans.truncate(open);
        self.push(Label::Text, range);
    }
}

impl State {
    /// Behind a literal or a masked secret.
    fn behind_a_string(self) -> Self {
        match self {
            Self::CommandTag => Self::CommandName,
            Self::CommandName | Self::Untagged | Self::UntaggedName => Self::Data { code: false },
            Self::ResponseTag => Self::Status,
            Self::Status | Self::RespText | Self::TextBehindCode => Self::Text,
            Self::CodeName => Self::Data { code: true },
            same => same,
        }
    }
}

/// Bits of [`STOPS`]: an atom has to be looked at here, or a quoted string; a word of a head ends, or is no
/// tag.
const ATOM: u8 = 1;
const QUOTED: u8 = 2;
const WORD: u8 = 4;
const TAG: u8 = 8;

/// Where a token ends or takes a turn. Most octets of a response are none of these, and with a
/// table the others are told from them in one step each.
const STOPS: [u8; 256] = {
    let mut stops = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let is_control = octet < 0x20 || octet == 0x7f;
        stops[octet] |= if is_control { ATOM } else { 0 };
        stops[octet] |= if octet > 0x20 && octet < 0x7f { 0 } else { TAG };
        octet += 1;
    }
    add(&mut stops, ATOM, b" ()[]\"");
    add(&mut stops, QUOTED, b"\"\\\r\n");
    add(&mut stops, WORD, b" \r\n");
    add(&mut stops, TAG, b"(){%*\"\\+");
    stops
};

const fn add(stops: &mut [u8; 256], token: u8, octets: &[u8]) {
    let mut place = 0;
    while place < octets.len() {
        stops[octets[place] as usize] |= token;
        place += 1;
    }
}

/// Octets before the first one that stops such a token.
fn run(text: &[u8], token: u8) -> usize {
    text.iter()
        .position(|octet| STOPS[usize::from(*octet)] & token != 0)
        .unwrap_or(text.len())
}

/// Whether it is made of `astring-char` without `+`, and of what careless clients use besides.
fn is_tag(word: &[u8]) -> bool {
    !word.is_empty() && run(word, TAG) == word.len()
}

/// Whether a `[` behind this atom opens a section (RFC 9051, section 6.4.5).
fn has_section(atom: &[u8]) -> bool {
    const WITH_SECTION: [&str; 5] = ["BODY", "BODY.PEEK", "BINARY", "BINARY.PEEK", "BINARY.SIZE"];
    WITH_SECTION
        .iter()
        .any(|name| atom.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LiteralForm, Secret, values};
    use proptest::prelude::*;

    fn seen<'a>(message: &'a Message, spans: &[Span]) -> Vec<(Label, &'a str)> {
        let mut end = 0;
        for span in spans {
            assert!(span.range.start >= end && span.range.end <= message.bytes().len());
            end = span.range.end;
        }
        spans
            .iter()
            .map(|span| {
                let text = &message.bytes()[span.range.clone()];
                (span.label, std::str::from_utf8(text).unwrap())
            })
            .collect()
    }

    fn lexed(lex: fn(&Message) -> Vec<Span>, text: &str) -> Vec<(Label, String)> {
        let message = Message::text(text.as_bytes());
        let spans = lex(&message);
        seen(&message, &spans)
            .into_iter()
            .map(|(label, text)| (label, text.to_owned()))
            .collect()
    }

    fn is(seen: Vec<(Label, String)>, expected: &[(Label, &str)]) {
        let seen: Vec<(Label, &str)> = seen.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(seen, expected);
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_head_stands_in_it(
            words in prop::collection::vec("[*+]|a1|OK|no|BYE|FETCH|[0-9]|\\[[A-Z]{0,3}|\\[|\\]|[()\"{}\\\\ ]|\\PC", 0..12),
            separator in "|  ?",
        ) {
            let message = Message::text(words.join(&separator).as_bytes());
            let behind = |span: &Span| matches!(span.label, Label::Status | Label::Name | Label::CodeName);
            prop_assert!(!response(&message).iter().skip(HEAD).any(behind));
        }
    }

    #[test]
    fn a_command_is_tag_name_and_arguments() {
        is(
            lexed(
                command,
                "a1 uid FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (DATE \"X]\")]<0.9>)\r\n",
            ),
            &[
                (Label::Tag, "a1"),
                (Label::Name, "uid"),
                (Label::Name, "FETCH"),
                (Label::Atom, "1:*"),
                (Label::ListOpen, "("),
                (Label::Atom, "FLAGS"),
                (Label::Atom, "BODY.PEEK[HEADER.FIELDS (DATE \"X]\")]<0.9>"),
                (Label::ListClose, ")"),
            ],
        );
    }

    #[test]
    fn a_mailbox_in_brackets_is_an_atom() {
        is(
            lexed(command, "a1 SELECT [Gmail]/Spam\r\n"),
            &[
                (Label::Tag, "a1"),
                (Label::Name, "SELECT"),
                (Label::Atom, "[Gmail]/Spam"),
            ],
        );
    }

    #[test]
    fn status_responses_have_codes_and_text() {
        is(
            lexed(
                response,
                "a1 NO [BADCHARSET (UTF-8 \"x]\")] no (such) thing\r\n",
            ),
            &[
                (Label::Tag, "a1"),
                (Label::Status, "NO"),
                (Label::CodeOpen, "["),
                (Label::CodeName, "BADCHARSET"),
                (Label::ListOpen, "("),
                (Label::Atom, "UTF-8"),
                (Label::Quoted, "\"x]\""),
                (Label::ListClose, ")"),
                (Label::CodeClose, "]"),
                (Label::Text, "no (such) thing"),
            ],
        );
        is(
            lexed(response, "* OK [never closed\r\n"),
            &[
                (Label::Tag, "*"),
                (Label::Status, "OK"),
                (Label::Text, "[never closed"),
            ],
        );
    }

    #[test]
    fn untagged_data_has_a_number_or_not() {
        is(
            lexed(response, "* 55 EXPUNGE\r\n"),
            &[
                (Label::Tag, "*"),
                (Label::Number, "55"),
                (Label::Name, "EXPUNGE"),
            ],
        );
        is(
            lexed(response, "* LIST (\\HasNoChildren) NIL INBOX\r\n"),
            &[
                (Label::Tag, "*"),
                (Label::Name, "LIST"),
                (Label::ListOpen, "("),
                (Label::Atom, "\\HasNoChildren"),
                (Label::ListClose, ")"),
                (Label::Nil, "NIL"),
                (Label::Atom, "INBOX"),
            ],
        );
    }

    #[test]
    fn what_cannot_be_read_is_labelled_not_refused() {
        is(lexed(command, "(a b\r\n"), &[(Label::Malformed, "(a b")]);
        is(
            lexed(command, "a LOGIN alice \"open\r\n"),
            &[
                (Label::Tag, "a"),
                (Label::Name, "LOGIN"),
                (Label::Atom, "alice"),
                (Label::Malformed, "\"open"),
            ],
        );
        is(
            lexed(response, "a1 WHAT is this\r\n"),
            &[(Label::Tag, "a1"), (Label::Malformed, "WHAT is this")],
        );
        is(lexed(line, "DONE\r\n"), &[(Label::Line, "DONE")]);
    }

    #[test]
    fn literals_and_secrets_are_one_value_each() {
        let mut message = Message::new();
        message.push_text(b"a LOGIN ");
        message.push_whole_literal(LiteralForm::Sync, b"{5}\r\n", b"alice");
        message.push_text(b" ");
        message.push_secret(Secret::Password);
        message.push_text(b"\r\n");
        let spans = command(&message);
        assert_eq!(spans.len(), 5);
        assert_eq!(values(&message, &spans[2..]).len(), 2);
    }

    #[test]
    fn any_octet_at_any_place_is_lexed() {
        for octet in 0..=255u8 {
            for template in [
                "a FETCH 1 (FLAGS)\r\n",
                "* OK [X y] z\r\n",
                "* 1 FETCH (A \"b\")\r\n",
            ] {
                for place in 0..template.len() {
                    let mut text = template.as_bytes().to_vec();
                    text[place] = octet;
                    let message = Message::text(&text);
                    for lex in [command, response, line] {
                        let mut end = 0;
                        for span in lex(&message) {
                            assert!(span.range.start >= end && span.range.start < span.range.end);
                            end = span.range.end;
                        }
                        assert!(end <= text.len());
                    }
                }
            }
        }
    }
}
