//! What mailscope noticed when it recorded, and a transcript alone cannot tell.

use crate::event::{Body, Event, Peer, ends_messages};
use crate::lint::finding::Finding;
use crate::lint::memory::Memory;
use crate::lint::rule::Side;
use crate::lint::table::Breach;
use crate::session::Session;

/// Notes that are findings. All other notes are about mailscope itself or its surroundings, or are
/// found again in the messages.
const TAKEN_OVER: &[(&str, Breach)] = &[
    ("channel-binding", Breach::ChannelBinding),
    ("compress-damaged", Breach::CompressDamaged),
    ("compress-endless", Breach::CompressEndless),
    ("literal-not-awaited", Breach::LiteralNotAwaited),
    ("malformed-command", Breach::MalformedCommand),
    ("malformed-response", Breach::MalformedResponse),
    (
        "sasl-initial-response-string",
        Breach::SaslInitialResponseString,
    ),
    ("sasl-malformed", Breach::SaslMalformed),
    ("starttls-injection", Breach::StarttlsInjection),
    ("tls-in-cleartext", Breach::TlsInCleartext),
];

pub(super) fn check(event: &Event, _session: &Session, memory: &mut Memory) -> Vec<Finding> {
    let Body::Note(note) = &event.body else {
        return Vec::new();
    };
    memory.faulted |= note.id.starts_with("fault");
    memory.is_opaque |= ends_messages(&note.id);
    let row = TAKEN_OVER.iter().find(|(id, _)| *id == note.id);
    let Some((_, id)) = row.filter(|(id, _)| !memory.last.contains(id)) else {
        return Vec::new();
    };
    let rule = id.rule();
    // Who is meant stands in the note's words alone.
    let names_server = note.text.starts_with("the server") || note.text.contains("if the server");
    let blame = match rule.side {
        Side::Server => Peer::Server,
        Side::Either if names_server || note.text.starts_with("what the server") => Peer::Server,
        _ => Peer::Client,
    };
    vec![Finding {
        rule,
        n: event.n,
        conn: event.conn,
        at: event.at,
        blame,
        about: Some(note.text.clone()),
        quote: None,
    }]
}
