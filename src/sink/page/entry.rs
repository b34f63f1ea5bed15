//! An event as the page's script takes it. Names are short, for there are many of them.
//!
//! ```text
//! {"n":4,"c":1,"t":0.041,"f":"client","k":"command","tag":"a1","name":"LOGIN",
//!  "p":[["tag","a1"],["",""" "],["name","LOGIN"],...,{"l":116,"text":"...","mail":{...}}]}
//! ```

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::event::{
    Body, Event, Label, Message, Passed, Piece, Reading, Relation, Said, Secret, Span,
};
use crate::sink::printable;

/// The event; literal parts that it refers to are taken out of `parts`.
pub fn entry(event: &Event, parts: &mut HashMap<u64, Vec<u8>>) -> Value {
    let mut entry = Map::new();
    let mut put = |name: &str, value: Value| entry.insert(name.to_owned(), value);
    put("n", event.n.into());
    put("c", event.conn.into());
    put("t", event.at.seconds().into());
    match &event.body {
        Body::Connected { client, server } => {
            put("k", "connected".into());
            put(
                "text",
                shown(format!("{client} \u{2192} {server}").as_bytes()).into(),
            );
        }
        Body::Secured(secured) => {
            put("k", "secured".into());
            let leg = secured.leg.name();
            let text = format!("{leg} leg: {}, {}", secured.version, secured.cipher);
            put("text", shown(text.as_bytes()).into());
        }
        Body::Compressed => {
            put("k", "compressed".into());
            put("text", "compressed from here on".into());
        }
        Body::Note(finding) => {
            put("k", "note".into());
            put("id", shown(finding.id.as_bytes()).into());
            put("text", shown(finding.text.as_bytes()).into());
            if let Some(clause) = &finding.clause {
                put("clause", shown(clause.as_bytes()).into());
            }
        }
        Body::Gap { octets, .. } => {
            put("k", "gap".into());
            put("text", format!("{octets} octets are missing here").into());
        }
        Body::HalfClosed { from } => {
            put("k", "closed".into());
            put("half", true.into());
            put(
                "text",
                format!("the {} will say no more", from.name()).into(),
            );
        }
        Body::Closed { reason } => {
            put("k", "closed".into());
            let reason = reason.as_deref().unwrap_or("closed");
            put("text", shown(reason.as_bytes()).into());
        }
        Body::Said(said) => put_said(&mut put, said, parts),
    }
    Value::Object(entry)
}

fn put_said(
    put: &mut impl FnMut(&str, Value) -> Option<Value>,
    said: &Said,
    parts: &mut HashMap<u64, Vec<u8>>,
) {
    put("f", said.from.name().into());
    let mut tag_of = None;
    match &said.reading {
        Reading::Greeting { status } => {
            put("k", "greeting".into());
            if let Some(status) = status {
                put("status", status.name().into());
            }
        }
        Reading::Command { tag, name, .. } => {
            put("k", "command".into());
            tag_of = tag.as_deref();
            if let Some(name) = name {
                put("name", shown(name.as_bytes()).into());
            }
        }
        Reading::ContinuationRequest { tag, .. } => {
            put("k", "continuation_request".into());
            tag_of = tag.as_deref();
        }
        Reading::Continuation { tag, .. } => {
            put("k", "continuation".into());
            tag_of = tag.as_deref();
        }
        Reading::Untagged { name, status, .. } => {
            put("k", "untagged".into());
            put("name", shown(name.as_bytes()).into());
            if let Some(status) = status {
                put("status", status.name().into());
            }
        }
        Reading::Tagged {
            tag,
            status,
            elapsed,
        } => {
            put("k", "tagged".into());
            tag_of = Some(tag);
            if let Some(status) = status {
                put("status", status.name().into());
            }
            if let Some(elapsed) = elapsed {
                put("e", elapsed.seconds().into());
            }
        }
        Reading::LiteralPart { .. } | Reading::Opaque => {
            put("k", "opaque".into());
        }
    }
    if let Some(tag) = tag_of {
        put("tag", shown(tag.as_bytes()).into());
    }
    match &said.relation {
        Relation::None => {}
        Relation::Answers(n) => drop(put("a", json!([n]))),
        Relation::Ambiguous(several) => drop(put("a", json!(several))),
        Relation::Unsolicited => drop(put("u", true.into())),
    }
    put("p", runs(&said.wire, &said.spans, parts).into());
    match &said.passed {
        Passed::AsRead => {}
        Passed::Own => drop(put("own", true.into())),
        Passed::Instead(sent) => drop(put("sent", shown_lines(sent.bytes()).into())),
    }
}

/// The message in labelled runs, its literals apart.
fn runs(message: &Message, spans: &[Span], parts: &mut HashMap<u64, Vec<u8>>) -> Vec<Value> {
    let mut runs = Vec::new();
    // The line end says nothing.
    let line = message.bytes().trim_ascii_end().len();
    for piece in message.pieces() {
        match piece {
            Piece::Text(range) => {
                let range = range.start..range.end.min(line).max(range.start);
                text(message, spans, range, &mut runs);
            }
            Piece::Secret(secret, _) => runs.push(masked(*secret)),
            Piece::Literal { content, .. } => {
                let octets = &message.bytes()[content.clone()];
                runs.push(literal(octets, octets.len() as u64));
            }
            Piece::Streamed {
                octets,
                parts: numbers,
                ..
            } => {
                let numbers = numbers.iter();
                let shown: Vec<u8> = numbers
                    .flat_map(|number| parts.remove(number).unwrap_or_default())
                    .collect();
                runs.push(literal(&shown, *octets));
            }
        }
    }
    runs
}

fn masked(secret: Secret) -> Value {
    json!(["secret", format!("\u{2039}{}\u{203a}", secret.name())])
}

fn text(message: &Message, spans: &[Span], range: std::ops::Range<usize>, runs: &mut Vec<Value>) {
    let bytes = message.bytes();
    let end = range.end;
    let mut at = range.start;
    let mut push = |class: &str, octets: &[u8]| {
        if !octets.is_empty() {
            runs.push(json!([class, shown(octets)]));
        }
    };
    let first = spans.partition_point(|span| span.range.end <= range.start);
    for span in spans[first..]
        .iter()
        .take_while(|span| span.range.start < end)
    {
        let (start, stop) = (span.range.start.max(at), span.range.end.min(end));
        if start >= stop {
            continue;
        }
        push("", &bytes[at..start]);
        push(class(span.label), &bytes[start..stop]);
        at = stop;
    }
    push("", &bytes[at..end.max(at)]);
}

fn class(label: Label) -> &'static str {
    match label {
        Label::Tag => "tag",
        Label::Name => "name",
        Label::Status => "status",
        Label::CodeOpen | Label::CodeName | Label::CodeClose => "code",
        Label::Atom => "atom",
        Label::Number => "number",
        Label::Nil => "nil",
        Label::Quoted => "quoted",
        Label::LiteralHeader | Label::Literal => "literal",
        Label::ListOpen | Label::ListClose => "list",
        Label::Text | Label::Line => "human",
        Label::Secret(_) => "secret",
        Label::Malformed => "malformed",
    }
}

/// `octets` of the literal are shown, of so many.
fn literal(octets: &[u8], all: u64) -> Value {
    let mut literal = json!({"l": all, "text": shown_lines(octets)});
    if let Some(mail) = super::readable::readable(octets) {
        literal["mail"] = mail;
    }
    literal
}

/// Octets on one line, fit to be shown.
pub fn shown(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for stretch in printable::shown(octets) {
        match stretch {
            printable::Shown::Plain(plain) => text.push_str(plain),
            printable::Shown::Escape(escape, _) => text.push_str(&escape.to_string()),
        }
    }
    text
}

/// Octets on their lines, fit to be shown.
pub fn shown_lines(octets: &[u8]) -> String {
    let lines = octets.split(|octet| *octet == b'\n');
    let lines: Vec<String> = lines
        .map(|line| shown(line.strip_suffix(b"\r").unwrap_or(line)))
        .collect();
    lines.join("\n")
}
