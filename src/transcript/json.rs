//! Writing an event: one line of JSON, as it stands in a transcript and in `--output json`.
//!
//! Not the document around the lines (`document.rs`). It promises the fields and their order of the
//! format's specification in [`transcript`](super), and no line end within the line.

use std::borrow::Cow;

use crate::event::json::{Object, write_array, write_number, write_string};
use crate::event::{
    Body, CapabilityChange, Code, Event, Finding, Passed, Reading, Relation, Said, Secured, Status,
};

use super::wire::write_wire;

/// Adds `event` to `out` as one compact JSON object, without a line end.
pub fn write_event(out: &mut Vec<u8>, event: &Event) {
    let mut line = Object::open(out);
    line.number("n", event.n);
    line.number("conn", event.conn);
    line.time("at", event.at);
    match &event.body {
        Body::Connected { client, server } => {
            line.word("kind", "connected");
            line.string("client", client);
            line.string("server", server);
        }
        Body::Secured(secured) => write_secured(&mut line, secured),
        Body::Compressed => line.word("kind", "compressed"),
        Body::Said(said) => write_said(&mut line, said),
        Body::Note(finding) => write_note(&mut line, finding),
        Body::Gap { octets, .. } => {
            line.word("kind", "gap");
            line.number("octets", *octets);
        }
        Body::HalfClosed { from } => {
            line.word("kind", "closed");
            line.word("from", from.name());
            line.flag("half", true);
        }
        Body::Closed { reason } => {
            line.word("kind", "closed");
            line.optional("reason", reason.as_deref());
        }
    }
    line.close();
}

fn write_secured(line: &mut Object<'_>, secured: &Secured) {
    line.word("kind", "secured");
    line.string("leg", secured.leg.name());
    line.string("version", &secured.version);
    line.string("cipher", &secured.cipher);
    line.nullable("alpn", secured.alpn.as_deref());
    line.nullable("sni", secured.sni.as_deref());
    line.value("certificate", &secured.certificate);
    line.optional("group", secured.group.as_deref());
    if let Some(shown) = &secured.client_certificate {
        line.value("client_certificate", shown);
    }
    line.flag("keylog", secured.keylog);
}

fn write_note(line: &mut Object<'_>, finding: &Finding) {
    line.word("kind", "note");
    line.string("id", &finding.id);
    line.string("text", &finding.text);
    line.optional("clause", finding.clause.as_deref());
}

fn write_said(line: &mut Object<'_>, said: &Said) {
    match said.passed {
        Passed::Own => {
            line.word("from", "mailscope");
            line.word("to", said.from.other().name());
        }
        _ => line.word("from", said.from.name()),
    }
    line.word("kind", kind(&said.reading));
    write_reading(line, said);
    if let Some(change) = &said.capabilities {
        write_capabilities(line, change);
    }
    line.flag("incomplete", said.incomplete);
    write_wire(line.name("wire"), &said.wire);
    if let Passed::Instead(sent) = &said.passed {
        write_wire(line.name("sent"), sent);
    }
}

fn kind(reading: &Reading) -> &'static str {
    match reading {
        Reading::Greeting { .. } => "greeting",
        Reading::Command { .. } => "command",
        Reading::ContinuationRequest { .. } => "continuation_request",
        Reading::Continuation { .. } => "continuation",
        Reading::Untagged { .. } => "untagged",
        Reading::Tagged { .. } => "tagged",
        Reading::LiteralPart { .. } => "literal_part",
        Reading::Opaque => "opaque",
    }
}

fn write_reading(line: &mut Object<'_>, said: &Said) {
    match &said.reading {
        Reading::Greeting { status } => {
            write_relation(line, &said.relation);
            write_status_response(line, said, *status);
        }
        Reading::Command {
            tag,
            name,
            mechanism,
            identity,
            refused,
        } => {
            line.optional("tag", tag.as_deref());
            line.optional("name", name.as_deref());
            line.optional("mechanism", mechanism.as_deref());
            line.optional("identity", identity.as_deref());
            line.flag("refused", *refused);
            if let Some(data) = said.details.arguments {
                data(said, line.name("data"));
            }
        }
        Reading::ContinuationRequest { awaited, tag } => {
            line.optional("for", awaited.map(|awaited| awaited.name()));
            line.optional("tag", tag.as_deref());
            write_relation(line, &said.relation);
            write_code_and_text(line, said);
        }
        Reading::Continuation {
            tag,
            mechanism,
            identity,
            idled,
        } => {
            line.optional("tag", tag.as_deref());
            line.optional("mechanism", mechanism.as_deref());
            line.optional("identity", identity.as_deref());
            if let Some(idled) = idled {
                line.time("idled", *idled);
            }
        }
        Reading::Untagged { .. } | Reading::Tagged { .. } => write_response(line, said),
        Reading::LiteralPart { offset, total } => {
            write_relation(line, &said.relation);
            line.number("offset", *offset);
            line.number("octets", *total);
        }
        Reading::Opaque => write_relation(line, &said.relation),
    }
}

fn write_response(line: &mut Object<'_>, said: &Said) {
    match &said.reading {
        Reading::Untagged {
            name,
            number,
            status,
            data,
        } => {
            match name {
                Cow::Borrowed(name) => line.word("name", name),
                Cow::Owned(name) => line.string("name", name),
            }
            if let Some(number) = number {
                line.number("number", *number);
            }
            if let Some(uid) = said.uid {
                line.number("uid", uid.into());
            }
            write_relation(line, &said.relation);
            write_status_response(line, said, *status);
            if let Some(data) = data {
                data(said, line.name("data"));
            }
        }
        Reading::Tagged {
            tag,
            status,
            elapsed,
        } => {
            line.string("tag", tag);
            line.optional("status", status.map(Status::name));
            write_relation(line, &said.relation);
            if let Some(elapsed) = elapsed {
                line.time("elapsed", *elapsed);
            }
            if status.is_some() {
                write_code_and_text(line, said);
            }
        }
        _ => {}
    }
}

fn write_relation(line: &mut Object<'_>, relation: &Relation) {
    match relation {
        Relation::None => {}
        Relation::Answers(command) => line.number("answers", *command),
        Relation::Ambiguous(commands) => {
            write_array(line.name("ambiguous"), commands, |out, command| {
                write_number(out, *command);
            });
        }
        Relation::Unsolicited => line.flag("unsolicited", true),
    }
}

/// Status, code and text; nothing for a response that is no status response.
fn write_status_response(line: &mut Object<'_>, said: &Said, status: Option<Status>) {
    if let Some(status) = status {
        line.string("status", status.name());
        write_code_and_text(line, said);
    }
}

fn write_code_and_text(line: &mut Object<'_>, said: &Said) {
    if let Some(Code { name, values }) = said.code() {
        let mut code = Object::open(line.name("code"));
        code.string("name", &name);
        match &values[..] {
            [] => {}
            [value] => value.write_json(code.name("value")),
            values => write_array(code.name("value"), values, |out, value| {
                value.write_json(out);
            }),
        }
        if let Some(data) = said.details.code {
            data(said, code.name("data"));
        }
        code.close();
    }
    line.optional("text", said.human_text().as_deref());
}

fn write_capabilities(line: &mut Object<'_>, change: &CapabilityChange) {
    let mut capabilities = Object::open(line.name("capabilities"));
    for (name, list) in [("added", &change.added), ("removed", &change.removed)] {
        write_array(capabilities.name(name), list, |out, capability| {
            write_string(out, capability);
        });
    }
    capabilities.close();
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn line(event: &Event) -> String {
        let mut out = Vec::new();
        write_event(&mut out, event);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind_is_written_as_specified() {
        let lines: Vec<String> = sample::session().iter().map(line).collect();
        assert_eq!(lines, sample::LINES);
    }

    #[test]
    fn every_line_is_one_json_object_without_a_line_end() {
        for event in sample::session() {
            let line = line(&event);
            assert!(!line.contains('\n'));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["n"], event.n);
        }
    }
}
