//! What of an event is text: all of it but its numbers.

use std::collections::HashMap;

use serde_json::Value;

use crate::event::{Body, Message, Peer, Piece, Recorded, RecordedBody};
use crate::limits;

/// All that an event holds: of a message its text, with all of it, and each literal by itself.
pub(super) fn strings(recorded: &Recorded) -> Vec<Vec<u8>> {
    match &recorded.body {
        RecordedBody::Message(message) => {
            let mut all = pieces(&message.message);
            all.extend(message.sent.iter().flat_map(pieces));
            all.extend(message.tag.iter().map(|tag| tag.clone().into_bytes()));
            all.extend(
                message
                    .identity
                    .iter()
                    .map(|name| name.clone().into_bytes()),
            );
            all.extend(
                message
                    .mechanism
                    .iter()
                    .map(|name| name.clone().into_bytes()),
            );
            all
        }
        RecordedBody::Bare(body) => match body {
            Body::Connected { client, server } => [client, server]
                .map(|text| text.clone().into_bytes())
                .into(),
            Body::Secured(secured) => {
                let sni = secured.sni.iter().chain(&secured.alpn);
                let mut all: Vec<_> = sni.map(|text| text.clone().into_bytes()).collect();
                values(&secured.certificate, &mut all);
                if let Some(shown) = &secured.client_certificate {
                    values(shown, &mut all);
                }
                all
            }
            Body::Note(finding) => vec![finding.text.clone().into_bytes()],
            Body::Closed { reason } => reason.iter().map(|r| r.clone().into_bytes()).collect(),
            _ => Vec::new(),
        },
    }
}

/// The texts of a certificate; its times stay.
fn values(value: &Value, all: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => all.push(text.clone().into_bytes()),
        Value::Array(values) => values.iter().for_each(|value| self::values(value, all)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(&***name, "not_before" | "not_after"))
            .for_each(|(_, value)| values(value, all)),
        _ => {}
    }
}

fn pieces(message: &Message) -> Vec<Vec<u8>> {
    let piece = |piece: &Piece| match piece {
        Piece::Literal { content, .. } => message.bytes()[content.clone()].to_vec(),
        piece => message.bytes()[piece.range()].to_vec(),
    };
    message.pieces().iter().map(piece).collect()
}

/// The ends of literals' parts, which are searched together with what comes behind them.
#[derive(Default)]
pub(super) struct Overlap {
    ends: HashMap<(u64, Peer), Vec<u8>>,
}

impl Overlap {
    /// The end of the part before this one, and its beginning; `None` where it is none or the first.
    pub(super) fn of(&mut self, recorded: &Recorded) -> Option<Vec<u8>> {
        let RecordedBody::Message(message) = &recorded.body else {
            return None;
        };
        let (offset, _) = message.part?;
        let octets = message.message.bytes();
        let most = octets.len().min(limits::SCRUB_OVERLAP);
        let end = octets[octets.len() - most..].to_vec();
        let before = self.ends.insert((recorded.conn, message.from), end)?;
        (offset > 0).then(|| [&before, &octets[..most]].concat())
    }
}
