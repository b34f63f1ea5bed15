//! Events for the view's tests, built by hand: what a reader of IMAP would make of such lines, as far
//! as these tests need it.

use crate::event::*;

/// A connection that grows by an event a call.
pub(super) struct Talk {
    gate: Gate,
    conn: u64,
    n: u64,
    at: u64,
    pub(super) events: Vec<Event>,
}

/// A part of a message.
pub(super) enum Part<'a> {
    Text(&'a [u8]),
    Literal(&'a [u8]),
    Streamed(u64, u64),
    Secret(Secret),
}

use Part::{Literal, Secret as Hidden, Streamed, Text};

impl Talk {
    pub(super) fn new() -> Self {
        Self {
            gate: Gate::new(Secrets::Masked),
            conn: 1,
            n: 0,
            at: 0,
            events: Vec::new(),
        }
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, millis: u64) -> &mut Self {
        self.at += millis * 1000;
        self
    }

    pub(super) fn body(&mut self, body: Body) -> &mut Self {
        self.n += 1;
        self.at += 1_300;
        let draft = Draft::new(self.n, Micros(self.at), body);
        let event = Numbers::new(self.conn).number(draft, self.n);
        self.events.push(event);
        self
    }

    pub(super) fn said(&mut self, said: Said) -> &mut Self {
        self.body(Body::Said(Box::new(said)))
    }

    /// The response before was about the message with this UID.
    pub(super) fn about(&mut self, uid: u32) -> &mut Self {
        if let Some(Body::Said(said)) = self.events.last_mut().map(|event| &mut event.body) {
            said.uid = Some(uid);
        }
        self
    }

    /// `C: tag name ...`
    pub(super) fn command(
        &mut self,
        tag: &str,
        name: &'static str,
        parts: &[Part<'_>],
    ) -> &mut Self {
        let reading = Reading::Command {
            tag: Some(tag.into()),
            name: Some(name.into()),
            mechanism: None,
            identity: None,
            refused: false,
        };
        let said = self.message(Peer::Client, parts, reading);
        self.said(said)
    }

    /// `S: tag OK ...`
    pub(super) fn tagged(&mut self, tag: &str, text: &str, millis: u64) -> &mut Self {
        let reading = Reading::Tagged {
            tag: tag.into(),
            status: None,
            elapsed: Some(Micros(millis * 1000)),
        };
        let line = format!("{tag} {text}\r\n");
        let said = self.message(Peer::Server, &[Text(line.as_bytes())], reading);
        self.said(said)
    }

    /// `S: * ...`, an answer to one command.
    pub(super) fn untagged(&mut self, parts: &[Part<'_>]) -> &mut Self {
        let said = self.response(parts, Relation::Answers(1));
        self.said(said)
    }

    /// `S: * ...`, which nobody asked for.
    pub(super) fn unsolicited(&mut self, line: &str) -> &mut Self {
        let line = format!("{line}\r\n");
        let said = self.response(&[Text(line.as_bytes())], Relation::Unsolicited);
        self.said(said)
    }

    pub(super) fn response(&self, parts: &[Part<'_>], relation: Relation) -> Said {
        let mut said = self.message(Peer::Server, parts, Reading::Opaque);
        let text = String::from_utf8_lossy(said.wire.bytes()).into_owned();
        let mut words = text.split_whitespace().skip(1);
        let mut name = words.next().unwrap_or_default();
        let number = name.parse().ok();
        if number.is_some() {
            name = words.next().unwrap_or_default();
        }
        said.reading = Reading::Untagged {
            name: name.to_ascii_uppercase().into(),
            number,
            status: Status::parse(name.as_bytes()),
            data: None,
        };
        said.relation = relation;
        said
    }

    pub(super) fn message(&self, from: Peer, parts: &[Part<'_>], reading: Reading) -> Said {
        let mut message = Message::new();
        for part in parts {
            match part {
                Text(text) => message.push_text(text),
                Literal(content) => {
                    let header = LiteralForm::Sync.header(content.len() as u64);
                    message.push_whole_literal(LiteralForm::Sync, header.as_bytes(), content);
                }
                Streamed(octets, parts) => {
                    let header = LiteralForm::Sync.header(*octets);
                    let parts = (1..=*parts).collect();
                    let header = header.as_bytes();
                    message.push_whole_streamed(LiteralForm::Sync, header, *octets, parts);
                }
                Hidden(secret) => message.push_secret(*secret),
            }
        }
        Said {
            spans: spans(&message),
            ..Said::new(from, self.gate.seal(message, &[]), reading)
        }
    }
}

/// Words, lists, quoted strings and response codes.
fn spans(message: &Message) -> Vec<Span> {
    let mut spans = Vec::new();
    for piece in message.pieces() {
        match piece {
            Piece::Text(range) => text_spans(message.bytes(), range.clone(), &mut spans),
            Piece::Literal {
                header, content, ..
            } => {
                spans.push(span(header.clone(), Label::LiteralHeader));
                spans.push(span(content.clone(), Label::Literal));
            }
            Piece::Streamed { header, .. } => {
                spans.push(span(header.clone(), Label::LiteralHeader));
            }
            Piece::Secret(secret, range) => spans.push(span(range.clone(), Label::Secret(*secret))),
        }
    }
    spans
}

fn span(range: std::ops::Range<usize>, label: Label) -> Span {
    Span { range, label }
}

fn text_spans(bytes: &[u8], range: std::ops::Range<usize>, spans: &mut Vec<Span>) {
    let mut at = range.start;
    let mut in_code = false;
    let named = |spans: &[Span]| spans.iter().any(|span| span.label == Label::Name);
    while at < range.end {
        let rest = &bytes[at..range.end];
        let status = spans.iter().any(|span| span.label == Label::Status);
        let (length, label) = match rest[0] {
            b' ' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'(' => (1, Label::ListOpen),
            b')' => (1, Label::ListClose),
            b'[' if status && !in_code => (1, Label::CodeOpen),
            b']' if in_code => (1, Label::CodeClose),
            b'"' => {
                let end = rest[1..].iter().position(|&octet| octet == b'"');
                (end.map_or(rest.len(), |end| end + 2), Label::Quoted)
            }
            _ if status && !in_code => {
                let end = rest.strip_suffix(b"\r\n").unwrap_or(rest).len();
                (end, Label::Text)
            }
            _ => {
                let end = |octet: &u8| b" ()\r\n".contains(octet) || (in_code && *octet == b']');
                let length = rest.iter().position(end).unwrap_or(rest.len());
                let word = &rest[..length.max(1)];
                let label = match spans.last().map(|span| span.label) {
                    None => Label::Tag,
                    Some(Label::CodeOpen) => Label::CodeName,
                    _ if word.iter().all(u8::is_ascii_digit) => Label::Number,
                    _ if !named(spans) && Status::parse(word).is_some() => Label::Status,
                    _ if !named(spans) && !status => Label::Name,
                    _ => Label::Atom,
                };
                (word.len(), label)
            }
        };
        in_code = (in_code || label == Label::CodeOpen) && label != Label::CodeClose;
        spans.push(span(at..at + length, label));
        at += length;
    }
}
