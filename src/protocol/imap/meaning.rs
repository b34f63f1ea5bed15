//! What a message means, in the making: what [`client`](super::client) and
//! [`server`](super::server) find out, and the [`Observer`](super::Observer) makes an event of.

use crate::event::{CapabilityChange, Details, Note, Passed, Reading, Relation, Span};

/// What is missing of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing.
    #[default]
    Nothing,
    /// Its end: it was cut off, or follows as opaque octets.
    Rest,
    /// Its end, which is not shown because it may hold a secret.
    Hidden,
}

/// What a message means, and what it leads to.
pub(super) struct Meaning {
    pub(super) ordinal: u64,
    pub(super) spans: Vec<Span>,
    pub(super) reading: Reading,
    pub(super) relation: Relation,
    pub(super) among: Option<String>,
    pub(super) capabilities: Option<Box<CapabilityChange>>,
    pub(super) incomplete: bool,
    pub(super) passed: Passed,
    pub(super) details: Details,
    pub(super) notes: Vec<Note>,
    pub(super) then: Then,
}

impl Meaning {
    pub(super) fn new(ordinal: u64, reading: Reading) -> Self {
        Self {
            ordinal,
            spans: Vec::new(),
            reading,
            relation: Relation::None,
            among: None,
            capabilities: None,
            incomplete: false,
            passed: Passed::AsRead,
            details: Details::default(),
            notes: Vec::new(),
            then: Then::GoOn,
        }
    }
}

/// What is to be done when an event is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    AcceptLiteral,
    PumpUndecided,
    /// The octets that follow are compressed.
    Inflate,
    /// The server agreed to STARTTLS, the command with this ordinal.
    BeginTls(u64),
    /// The server refused it.
    GoOnWithoutTls(u64),
}
