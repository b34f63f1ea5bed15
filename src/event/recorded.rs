//! Events as a transcript holds them: the wire, and the few fields that cannot be read from it.
//!
//! A protocol's reader makes whole events of these again.

use super::{Awaited, Body, Event, Message, Micros, Passed, Peer, Reading, Relation, Said};

/// One event read from a transcript.
#[derive(Clone)]
pub struct Recorded {
    /// Its number in the run.
    pub n: u64,
    /// Its connection's number.
    pub conn: u64,
    /// When its first octet was read.
    pub at: Micros,
    /// What it holds.
    pub body: RecordedBody,
}

/// What a recorded event holds.
#[derive(Clone)]
pub enum RecordedBody {
    /// An event without a wire, as it was. Never [`Body::Said`].
    Bare(Body),
    /// An event with a wire.
    Message(Box<RecordedMessage>),
}

/// A recorded wire, and what only the recording knows about it.
#[derive(Clone)]
pub struct RecordedMessage {
    /// Who said it, or in whose place mailscope did.
    pub from: Peer,
    /// mailscope itself said it.
    pub own: bool,
    /// What was passed on instead, if it was not the wire.
    pub sent: Option<Message>,
    /// The event's kind, where it is given: `command`, `untagged`...
    pub kind: Option<String>,
    /// The octets; secrets are masked already, and streamed literals' parts have the numbers of
    /// the recording.
    pub message: Message,
    /// What a continuation request is for, where it is given.
    pub awaited: Option<Awaited>,
    /// The tag, where it is given.
    pub tag: Option<String>,
    /// The SASL mechanism, where it is given.
    pub mechanism: Option<String>,
    /// Who logs in, where it is given.
    pub identity: Option<String>,
    /// Which command it answers, where it is given; used for `literal_part` alone, whose response
    /// is not known yet when it is read.
    pub relation: Relation,
    /// Octets of the literal before this part, and of the literal, for `literal_part`.
    pub part: Option<(u64, u64)>,
    /// A literal was announced in it, and refused.
    pub refused: bool,
    /// Cut off by the end of the connection.
    pub incomplete: bool,
}

impl Recorded {
    /// What a reader of transcripts hands back of an event.
    pub fn of(event: Event) -> Self {
        let Event { n, conn, at, body } = event;
        let body = match body {
            Body::Said(said) => RecordedBody::Message(Box::new(RecordedMessage::of(&said))),
            body => RecordedBody::Bare(body),
        };
        Self { n, conn, at, body }
    }
}

impl RecordedMessage {
    /// What a reader of transcripts hands back of an event with a wire.
    pub fn of(said: &Said) -> Self {
        let mut recorded = Self {
            from: said.from,
            kind: None,
            message: Message::clone(&said.wire),
            awaited: None,
            tag: None,
            mechanism: None,
            identity: None,
            relation: said.relation.clone(),
            part: None,
            refused: false,
            own: matches!(said.passed, Passed::Own),
            sent: match &said.passed {
                Passed::Instead(sent) => Some(Message::clone(sent)),
                _ => None,
            },
            incomplete: said.incomplete,
        };
        let kind = match &said.reading {
            Reading::Greeting { .. } => "greeting",
            Reading::Command {
                mechanism,
                identity,
                refused,
                ..
            } => {
                recorded.mechanism.clone_from(mechanism);
                recorded.identity.clone_from(identity);
                recorded.refused = *refused;
                "command"
            }
            Reading::ContinuationRequest { awaited, tag } => {
                recorded.awaited = *awaited;
                recorded.tag.clone_from(tag);
                "continuation_request"
            }
            Reading::Continuation {
                mechanism,
                identity,
                ..
            } => {
                recorded.mechanism.clone_from(mechanism);
                recorded.identity.clone_from(identity);
                "continuation"
            }
            Reading::Untagged { .. } => "untagged",
            Reading::Tagged { .. } => "tagged",
            Reading::LiteralPart { offset, total } => {
                recorded.part = Some((*offset, *total));
                "literal_part"
            }
            Reading::Opaque => "opaque",
        };
        recorded.kind = Some(kind.to_owned());
        recorded
    }
}
