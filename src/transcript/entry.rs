//! Reading an event: from its JSON object to what a recording knows.
//!
//! Not the meaning of a message, which a protocol's reader finds in its octets anew: of the fields
//! that are readings of the wire, only those are taken that help it along. It promises to pass over
//! fields and kinds that it does not know.

use std::collections::HashMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::event::{
    Awaited, Body, Finding, Message, Micros, Peer, Recorded, RecordedBody, RecordedMessage,
    Relation, Secured,
};

use super::item::{Item, push};
use super::scanner::Fault;

/// An event's fields, of whatever kind it is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry<'a> {
    n: Option<u64>,
    conn: Option<u64>,
    at: Option<At>,
    from: Option<String>,
    to: Option<String>,
    kind: Option<String>,
    #[serde(borrow)]
    wire: Option<Vec<Item<'a>>>,
    #[serde(borrow)]
    sent: Option<Vec<Item<'a>>>,
    #[serde(rename = "for")]
    awaited: Option<String>,
    tag: Option<String>,
    mechanism: Option<String>,
    identity: Option<String>,
    offset: Option<u64>,
    octets: Option<u64>,
    refused: Option<bool>,
    incomplete: Option<bool>,
    answers: Option<u64>,
    ambiguous: Option<Vec<u64>>,
    unsolicited: Option<bool>,
    half: Option<bool>,
    client: Option<String>,
    server: Option<String>,
    leg: Option<String>,
    version: Option<String>,
    cipher: Option<String>,
    alpn: Option<String>,
    sni: Option<String>,
    certificate: Option<serde_json::Value>,
    group: Option<String>,
    client_certificate: Option<serde_json::Value>,
    keylog: Option<bool>,
    id: Option<String>,
    text: Option<String>,
    clause: Option<String>,
    reason: Option<String>,
}

/// When it was: seconds as they are written, which a binary number does not always hold.
#[derive(Clone, Copy)]
struct At(Micros);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?.get();
        if let Some(exact) = Micros::exactly(written) {
            return Ok(Self(exact));
        }
        let seconds = serde_json::from_str(written)
            .map_err(|_| D::Error::custom(format!("at is a number of seconds, not {written}")))?;
        Ok(Self(Micros::from_seconds(seconds)))
    }
}

/// The kinds that have a wire.
const MESSAGES: [&str; 8] = [
    "greeting",
    "command",
    "continuation_request",
    "continuation",
    "untagged",
    "tagged",
    "literal_part",
    "opaque",
];

/// What has to be known of the events before one to read it.
#[derive(Default)]
pub(super) struct Before {
    n: Option<u64>,
    at: Micros,
    /// Octets of the literal parts that no message has referred to yet, of each connection.
    parts: HashMap<u64, HashMap<u64, u64>>,
}

impl Before {
    /// Reads the event in `json`, which begins in `line`; `None` for one of a kind that this
    /// version does not know.
    pub(super) fn read(&mut self, line: u64, json: &[u8]) -> Result<Option<Recorded>, Fault> {
        let entry: Entry<'_> =
            serde_json::from_slice(json).map_err(|error| Fault::json(line, &error))?;
        self.event(entry).map_err(|why| Fault::new(line, why))
    }

    fn event(&mut self, mut entry: Entry<'_>) -> Result<Option<Recorded>, String> {
        let n = self.number(entry.n)?;
        let conn = entry.conn.unwrap_or(1);
        let at = entry.at.map_or(self.at, |At(at)| at);
        self.at = at;
        let kind = entry.kind.clone().unwrap_or_default();
        let body = match &*kind {
            "connected" | "secured" | "compressed" | "note" | "gap" | "closed" => {
                bare(&kind, entry)?
            }
            _ => match entry.wire.take() {
                Some(wire) => RecordedBody::Message(Box::new(self.message(conn, n, entry, wire)?)),
                None if MESSAGES.contains(&&*kind) => {
                    return Err(format!("{kind} needs a wire"));
                }
                None if kind.is_empty() => return Err("an event needs a kind or a wire".into()),
                None => return Ok(None),
            },
        };
        if let RecordedBody::Bare(Body::Closed { .. }) = body {
            self.parts.remove(&conn);
        }
        Ok(Some(Recorded { n, conn, at, body }))
    }

    fn number(&mut self, given: Option<u64>) -> Result<u64, String> {
        let n = match (given, self.n) {
            (Some(n), Some(before)) if n <= before => {
                return Err(format!(
                    "n is {n} and does not rise: it was {before} before"
                ));
            }
            (Some(n), _) => n,
            (None, before) => before.unwrap_or_default().saturating_add(1),
        };
        self.n = Some(n);
        Ok(n)
    }

    fn message(
        &mut self,
        conn: u64,
        n: u64,
        entry: Entry<'_>,
        wire: Vec<Item<'_>>,
    ) -> Result<RecordedMessage, String> {
        let own = entry.from.as_deref() == Some("mailscope");
        let from = match own {
            true => peer("to", entry.to.as_deref())?.other(),
            false => peer("from", entry.from.as_deref())?,
        };
        let parts = self.parts.entry(conn).or_default();
        let mut message = Message::new();
        for item in wire {
            push(&mut message, item, |part| parts.remove(&part))?;
        }
        let sent = entry.sent.map(sent).transpose()?;
        let mut part = None;
        if entry.kind.as_deref() == Some("literal_part") {
            let length = message.octets();
            parts.insert(n, length);
            part = Some((
                entry.offset.unwrap_or_default(),
                entry.octets.unwrap_or(length),
            ));
        }
        let relation = match (entry.answers, entry.ambiguous, entry.unsolicited) {
            (Some(n), ..) => Relation::Answers(n),
            (None, Some(several), _) => Relation::Ambiguous(several),
            (None, None, Some(true)) => Relation::Unsolicited,
            (None, None, _) => Relation::None,
        };
        Ok(RecordedMessage {
            from,
            kind: entry.kind,
            message,
            awaited: entry.awaited.as_deref().and_then(Awaited::named),
            tag: entry.tag,
            mechanism: entry.mechanism,
            identity: entry.identity,
            relation,
            part,
            sent,
            own,
            refused: entry.refused.unwrap_or_default(),
            incomplete: entry.incomplete.unwrap_or_default(),
        })
    }
}

/// What was passed on instead. It refers to no parts of literals: those are passed on as they came.
fn sent(items: Vec<Item<'_>>) -> Result<Message, String> {
    let mut message = Message::new();
    for item in items {
        push(&mut message, item, |_| None)?;
    }
    Ok(message)
}

/// An event without a wire.
fn bare(kind: &str, entry: Entry<'_>) -> Result<RecordedBody, String> {
    let body = match kind {
        "connected" => Body::Connected {
            client: entry.client.unwrap_or_default(),
            server: entry.server.unwrap_or_default(),
        },
        "secured" => Body::Secured(Box::new(Secured {
            leg: peer("leg", entry.leg.as_deref())?,
            version: entry.version.unwrap_or_default(),
            cipher: entry.cipher.unwrap_or_default(),
            alpn: entry.alpn,
            sni: entry.sni,
            certificate: entry.certificate.unwrap_or_default(),
            group: entry.group,
            client_certificate: entry.client_certificate,
            keylog: entry.keylog.unwrap_or(false),
        })),
        "compressed" => Body::Compressed,
        "note" => Body::Note(Finding {
            id: entry.id.ok_or("a note needs an id")?.into(),
            text: entry.text.unwrap_or_default(),
            clause: entry.clause.map(Into::into),
        }),
        "gap" => Body::Gap {
            octets: entry.octets.ok_or("a gap needs its octets")?,
            missed_by: crate::event::MissedBy::Transcript,
        },
        _ if entry.half == Some(true) => Body::HalfClosed {
            from: peer("from", entry.from.as_deref())?,
        },
        _ => Body::Closed {
            reason: entry.reason,
        },
    };
    Ok(RecordedBody::Bare(body))
}

fn peer(field: &str, name: Option<&str>) -> Result<Peer, String> {
    match name {
        Some("client") => Ok(Peer::Client),
        Some("server") => Ok(Peer::Server),
        Some(other) => Err(format!("{field} is client or server, not {other:?}")),
        None => Err(format!("{field} is missing: client or server")),
    }
}
