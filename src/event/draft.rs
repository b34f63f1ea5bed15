//! Events before they have a number.
//!
//! A connection's reader refers to other events by its own count, since the run's numbers are given
//! to all connections in one place, one after the other. [`Numbers`] translates.

use std::collections::BTreeMap;

use super::{Body, Event, Micros, Reading, Relation};
use crate::limits;

/// An event whose references are the connection's own count.
#[derive(Clone)]
pub struct Draft {
    ordinal: u64,
    at: Micros,
    body: Body,
}

impl Draft {
    /// The event with this ordinal of its connection; ordinals rise.
    pub fn new(ordinal: u64, at: Micros, body: Body) -> Self {
        Self { ordinal, at, body }
    }

    /// What happened. Its references are ordinals.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// What happened, to be completed by who knows more of it than its reader.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The connection's own count of it.
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// What happened, taken out. Its references are ordinals.
    pub fn into_body(self) -> Body {
        self.body
    }
}

/// One connection's translation from its own count to the run's numbers.
pub struct Numbers {
    conn: u64,
    commands: BTreeMap<u64, u64>,
    parts: BTreeMap<u64, u64>,
}

impl Numbers {
    /// For the connection with this number in the run.
    pub fn new(conn: u64) -> Self {
        Self {
            conn,
            commands: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }

    /// Gives the draft the number `n`, and its references theirs. Drafts come in their order.
    pub fn number(&mut self, draft: Draft, n: u64) -> Event {
        let Draft { ordinal, at, body } = draft;
        let mut body = body;
        if let Body::Said(said) = &mut body {
            match &mut said.relation {
                Relation::Answers(command) => {
                    let known = match said.reading {
                        Reading::Tagged { .. } => self.commands.remove(command),
                        _ => self.commands.get(command).copied(),
                    };
                    *command = known.unwrap_or(*command);
                }
                Relation::Ambiguous(commands) => {
                    for command in commands {
                        *command = self.commands.get(command).copied().unwrap_or(*command);
                    }
                }
                Relation::None | Relation::Unsolicited => {}
            }
            let parts = &mut self.parts;
            said.wire
                .renumber_parts(|part| parts.remove(&part).unwrap_or(part));
            match said.reading {
                Reading::Command { .. } => {
                    self.commands.insert(ordinal, n);
                    if self.commands.len() > limits::IN_FLIGHT + 1 {
                        self.commands.pop_first();
                    }
                }
                Reading::LiteralPart { .. } => {
                    self.parts.insert(ordinal, n);
                }
                _ => {}
            }
        }
        Event {
            n,
            conn: self.conn,
            at,
            body,
        }
    }
}
