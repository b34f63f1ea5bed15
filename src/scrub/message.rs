//! One message of a session with its words replaced, octet for octet as long as it was.
//!
//! Not where its words are: the labelled spans say so, and `rules.rs` says what each is.

use std::collections::HashMap;

use super::encoding::{from_base64, in_base64_again, in_lines};
use super::mailbox::mailbox;
use super::mime::{Mails, is_of_mime, parameter};
use super::rules::{self, Place, Rule};
use super::text::{Keep, Words, characters};
use super::vocabulary::is_date;
use crate::event::{Awaited, Label, Message, Peer, Piece, Reading, Span};
use crate::protocol::imap::is_command;

/// What of a session the user wants to keep.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Subjects of mails.
    pub subjects: bool,
    /// Names of mailboxes.
    pub folders: bool,
}

/// Messages of one run.
pub struct Messages {
    /// What stands for their words.
    pub words: Words,
    mails: Mails,
    mailboxes: Keep,
    /// Tags of commands, which stay.
    tags: std::collections::HashSet<Vec<u8>>,
}

/// What a message is, as far as the rules ask.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A command with this name, which is empty where it is masked.
    Command(String),
    /// A response.
    Response,
    /// A `+`, or a line that answers one.
    Turn(Option<Awaited>),
    /// Anything.
    Opaque,
}

impl Kind {
    /// What has been read.
    pub fn of(reading: &Reading) -> Self {
        match reading {
            Reading::Command {
                name, tag: Some(_), ..
            } => Self::Command(name.as_deref().unwrap_or_default().to_owned()),
            Reading::Command { .. } | Reading::Opaque | Reading::LiteralPart { .. } => Self::Opaque,
            Reading::ContinuationRequest { awaited, .. } => Self::Turn(*awaited),
            Reading::Continuation { .. } => Self::Turn(Some(Awaited::Sasl)),
            Reading::Greeting { .. } | Reading::Untagged { .. } | Reading::Tagged { .. } => {
                Self::Response
            }
        }
    }
}

/// The octets of literals that streamed, by the place of their header in the message.
pub type Streamed = HashMap<usize, Vec<u8>>;

impl Messages {
    /// With nothing known yet.
    pub fn new(words: Words, kept: Kept) -> Self {
        let everything = |is_kept, otherwise| match is_kept {
            true => Keep::Everything,
            false => otherwise,
        };
        Self {
            words,
            mails: Mails {
                subjects: everything(kept.subjects, Keep::Nothing),
            },
            mailboxes: everything(kept.folders, Keep::Inbox),
            tags: std::collections::HashSet::new(),
        }
    }

    /// The message, and the literals that streamed, with other words.
    pub fn message(
        &mut self,
        message: &Message,
        spans: &[Span],
        kind: &Kind,
        from: Peer,
        streamed: &mut Streamed,
    ) -> Message {
        let rules = match kind {
            Kind::Opaque => Vec::new(),
            kind => self.rules(message, spans, kind, from),
        };
        let mut octets = Vec::with_capacity(message.bytes().len());
        for (span, rule) in spans.iter().zip(&rules) {
            if span.range.start < octets.len() {
                continue;
            }
            let between = &message.bytes()[octets.len()..span.range.start];
            octets.extend(self.words.octets(between, None, Keep::Nothing));
            let value = &message.bytes()[span.range.clone()];
            match streamed.get_mut(&span.range.start) {
                Some(literal) => {
                    *literal = self.value(*rule, literal);
                    octets.extend_from_slice(value);
                }
                None => octets.extend(self.value(*rule, value)),
            }
        }
        if rules.is_empty() {
            self.opaque(message, &mut octets);
            for literal in streamed.values_mut() {
                *literal = self.value(Rule::Content, literal);
            }
        } else {
            let rest = &message.bytes()[octets.len()..];
            octets.extend(self.words.octets(rest, None, Keep::Nothing));
        }
        message.with_octets(octets)
    }

    fn opaque(&mut self, message: &Message, octets: &mut Vec<u8>) {
        for piece in message.pieces() {
            let bytes = message.bytes();
            match piece {
                Piece::Text(range) => {
                    let text = &bytes[range.clone()];
                    octets.extend(match std::str::from_utf8(text) {
                        Ok(_) => self.value(Rule::Text, text),
                        Err(_) => in_lines(text, &self.words.pseudonyms.octets(text)),
                    });
                }
                Piece::Literal {
                    header, content, ..
                } => {
                    octets.extend_from_slice(&bytes[header.clone()]);
                    octets.extend(self.value(Rule::Content, &bytes[content.clone()]));
                }
                Piece::Streamed { header, .. } => octets.extend_from_slice(&bytes[header.clone()]),
                Piece::Secret(_, range) => octets.extend_from_slice(&bytes[range.clone()]),
            }
        }
    }

    /// The rule of each span.
    fn rules(&mut self, message: &Message, spans: &[Span], kind: &Kind, from: Peer) -> Vec<Rule> {
        let mut walk = Walk::new(message, spans, kind);
        let mut rules: Vec<Rule> = (0..spans.len())
            .map(|index| walk.rule(index, from))
            .collect();
        if let Some(first) = spans.first().filter(|span| span.label == Label::Tag) {
            let tag = &message.bytes()[first.range.clone()];
            if let Kind::Command(name) = kind
                && (is_command(name) || looks_like_a_tag(tag))
            {
                let text: Vec<char> = String::from_utf8_lossy(tag).chars().collect();
                self.words.are_kept(&text);
                self.tags.insert(tag.to_vec());
            }
            rules[0] = self.tag(tag);
        }
        rules
    }

    /// The rule of a tag. What stands in a tag's place before no known command may be a line of a mail
    /// that went astray. One letter says nothing, and there are too few of them to be told apart by
    /// others.
    pub fn tag(&self, tag: &[u8]) -> Rule {
        let is_letter = matches!(tag, [octet] if octet.is_ascii_alphanumeric());
        match is_letter || matches!(tag, b"*" | b"+") || self.tags.contains(tag) {
            true => Rule::Stay,
            false => Rule::Text,
        }
    }

    /// Takes in what was masked, which nothing stands for.
    pub fn secret(&mut self, secret: &[u8]) {
        for token in secret.split(u8::is_ascii_whitespace) {
            let decoded = from_base64(token);
            let text = decoded.iter().map(Vec::as_slice).chain([token]);
            text.for_each(|text| drop(self.words.octets(text, None, Keep::Nothing)));
        }
    }

    /// A value with other words.
    pub fn value(&mut self, rule: Rule, value: &[u8]) -> Vec<u8> {
        let words = &mut self.words;
        match rule {
            Rule::Stay => {
                words.stays(value);
                value.to_vec()
            }
            Rule::Protocol => {
                let bare = crate::event::unquoted(value);
                let stays = self.tags.contains(&*bare)
                    || is_date(value)
                    || words.are_of_the_protocol(value);
                match stays {
                    true => {
                        words.stays(value);
                        value.to_vec()
                    }
                    // `$Case-2026`: where a word is somebody's, a number is too.
                    false => words.octets(value, None, Keep::ProtocolWords),
                }
            }
            Rule::HeaderName => words.octets(value, None, Keep::HeaderNames),
            Rule::Text => words.header(value, Keep::Nothing),
            Rule::Private => {
                let text: Vec<char> = String::from_utf8_lossy(value).chars().collect();
                words.are_private(&text);
                words.header(value, Keep::Nothing)
            }
            Rule::Address => {
                words.are_names(value);
                words.header(value, Keep::Nothing)
            }
            Rule::Mailbox => mailbox(words, value, self.mailboxes),
            Rule::Human => words.octets(value, None, Keep::Human),
            Rule::Subject => words.header(value, self.mails.subjects),
            Rule::Date if is_date(value) => value.to_vec(),
            Rule::Date => words.header(value, Keep::Nothing),
            Rule::Mime if is_date(value) || is_of_mime(words, value) => value.to_vec(),
            Rule::Mime => words.header(value, Keep::Nothing),
            Rule::Parameter => parameter(words, value),
            Rule::Mail => self.mails.mail(words, value),
            Rule::Content => self.mails.content(words, value),
            Rule::Base64 => match from_base64(value) {
                Some(decoded) if std::str::from_utf8(&decoded).is_ok() => {
                    let decoded = words.octets(&decoded, None, Keep::Nothing);
                    in_base64_again(value, &decoded)
                }
                Some(decoded) => in_base64_again(value, &words.pseudonyms.octets(&decoded)),
                None => words.octets(value, None, Keep::Nothing),
            },
            Rule::Rights
                if value
                    .iter()
                    .all(|o| b"\"lrswipkxtecdan0123456789+-".contains(o)) =>
            {
                // `lit` is no name of anybody here.
                words.are_kept(&characters(value));
                value.to_vec()
            }
            Rule::Rights => words.octets(value, None, Keep::Nothing),
        }
    }
}

/// `A0001`, `tag3`, `7.1`: what programs count with.
fn looks_like_a_tag(tag: &[u8]) -> bool {
    const LETTERS: usize = 4;
    let is_letter = |octet: &&u8| octet.is_ascii_alphabetic();
    let letters = tag.iter().take_while(is_letter).count();
    let count = &tag[letters..];
    letters <= LETTERS
        && !count.is_empty()
        && count.iter().all(|o| o.is_ascii_digit() || *o == b'.')
}

/// A walk over a message's spans that knows where it is.
struct Walk<'a> {
    message: &'a Message,
    spans: &'a [Span],
    kind: &'a Kind,
    /// Values before, in each list that is open.
    counts: Vec<usize>,
    before: [String; 2],
    /// The untagged response's name, or the response code's.
    name: String,
    code: bool,
    /// LIST's RETURN has come.
    returned: bool,
    /// The FETCH item whose value comes.
    item: Option<String>,
}

impl<'a> Walk<'a> {
    fn new(message: &'a Message, spans: &'a [Span], kind: &'a Kind) -> Self {
        Self {
            message,
            spans,
            kind,
            counts: vec![0],
            before: [String::new(), String::new()],
            name: String::new(),
            code: false,
            returned: false,
            item: None,
        }
    }

    fn rule(&mut self, index: usize, from: Peer) -> Rule {
        let span = &self.spans[index];
        let octets = &self.message.bytes()[span.range.clone()];
        let upper = || String::from_utf8_lossy(octets).to_ascii_uppercase();
        match span.label {
            Label::Tag | Label::Status | Label::CodeClose | Label::Secret(_) => Rule::Stay,
            Label::CodeOpen => {
                self.code = true;
                Rule::Stay
            }
            Label::Name | Label::CodeName => {
                self.name = upper();
                Rule::Protocol
            }
            Label::ListOpen => {
                self.counts.push(0);
                Rule::Stay
            }
            Label::ListClose => {
                if self.counts.len() > 1 {
                    self.counts.pop();
                }
                if self.counts.len() == 2 {
                    self.item = None;
                }
                self.count();
                Rule::Stay
            }
            Label::Line if octets.eq_ignore_ascii_case(b"DONE") || octets == b"*" => Rule::Stay,
            Label::Line => Rule::Base64,
            Label::Text => self.text(octets, from),
            Label::Malformed => Rule::Text,
            Label::Number if self.is_before_the_name(index) => Rule::Stay,
            Label::LiteralHeader if !rules::is_value(self.spans, index) => Rule::Stay,
            _ => {
                let rule = match span.label {
                    Label::Nil => self.nil(),
                    label => self.value(label, octets),
                };
                self.count();
                self.before.swap(0, 1);
                self.before[0] = upper();
                rule
            }
        }
    }

    /// Whether it is the number of `* 3 EXISTS`.
    fn is_before_the_name(&self, index: usize) -> bool {
        let next = self.spans.get(index + 1);
        index == 1
            && matches!(self.kind, Kind::Response)
            && next.is_some_and(|next| next.label == Label::Name)
    }

    fn text(&self, octets: &[u8], _from: Peer) -> Rule {
        match self.kind {
            Kind::Turn(Some(Awaited::Sasl)) if from_base64(octets).is_some() => Rule::Base64,
            Kind::Command(_) => Rule::Text,
            _ => Rule::Human,
        }
    }

    /// A value that is NIL, which may be a FETCH item's.
    fn nil(&mut self) -> Rule {
        if self.counts.len() == 2 {
            self.item = None;
        }
        Rule::Stay
    }

    fn count(&mut self) {
        if let Some(count) = self.counts.last_mut() {
            *count += 1;
        }
    }

    fn value(&mut self, label: Label, octets: &[u8]) -> Rule {
        let before = [self.before[0].clone(), self.before[1].clone()];
        let place = Place {
            argument: self.counts[0],
            depth: self.counts.len() - 1,
            index: self.counts[self.counts.len() - 1],
            label,
            octets,
            before: [&before[0], &before[1]],
        };
        match self.kind {
            Kind::Command(name) => {
                let is_list =
                    name.starts_with('L') || name.starts_with('X') || name.starts_with('R');
                let is_word = label == Label::Atom && place.depth == 0 && place.argument >= 2;
                self.returned |= is_list && is_word && octets.eq_ignore_ascii_case(b"RETURN");
                rules::of_a_command(name, &place, self.returned)
            }
            _ if self.code => rules::of_a_code(&self.name, &place),
            _ if self.name == "FETCH" || self.name == "UIDFETCH" => self.fetched(&place),
            _ => rules::of_data(&self.name, &place),
        }
    }

    /// Names and values in turns.
    fn fetched(&mut self, place: &Place<'_>) -> Rule {
        match (&self.item, place.depth) {
            (_, 0) => Rule::Protocol,
            (None, 1) => {
                let name = String::from_utf8_lossy(place.octets).to_ascii_uppercase();
                self.item = Some(name);
                Rule::HeaderName
            }
            (Some(item), depth) => {
                let rule = rules::of_an_item(item, place);
                if depth == 1 {
                    self.item = None;
                }
                rule
            }
            (None, _) => Rule::Text,
        }
    }
}
