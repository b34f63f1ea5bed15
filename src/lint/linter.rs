//! The engine: events in, findings out.

use std::collections::{HashMap, HashSet};

use super::checks;
use super::finding::Finding;
use super::look::Look;
use super::memory::{Account, Memory};
use super::rule::Severity;
use crate::event::{Body, Event, Passed, Said};
use crate::limits;
use crate::session::{Command, Session};

/// Finds what is against the RFCs in the events of a run.
#[derive(Default)]
pub struct Linter {
    allowed: HashSet<&'static str>,
    connections: HashMap<u64, Connection>,
    accounts: HashMap<String, Account>,
    counts: Counts,
}

/// How much was looked at, and found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings that are for information.
    pub infos: u64,
    /// Events.
    pub events: u64,
    /// Connections.
    pub connections: u64,
}

#[derive(Default)]
struct Connection {
    session: Session,
    memory: Memory,
    /// The account while nobody is logged in, or nothing tells who.
    own: Account,
}

impl Linter {
    /// Findings of the rules with these ids are left out.
    pub fn allowing(allowed: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What was found until now.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Looks at an event; what is wrong with it.
    pub fn read(&mut self, event: &Event) -> Vec<Finding> {
        self.counts.events += 1;
        let connections = &mut self.connections;
        let connection = connections.entry(event.conn).or_insert_with(|| {
            self.counts.connections += 1;
            Connection::default()
        });
        let mut found = match &event.body {
            Body::Said(said) => connection.said(event, said, &mut self.accounts),
            _ => checks::besides(event, &connection.session, &mut connection.memory),
        };
        connection.session.read(event);
        if let Body::Said(said) = &event.body {
            connection.afterwards(event, said, &mut self.accounts, &mut found);
            connection.memory.last = found.iter().map(|finding| finding.rule.id).collect();
        }
        if matches!(event.body, Body::Closed { .. }) {
            self.connections.remove(&event.conn);
        }
        found.retain(|finding| !self.allowed.contains(finding.rule.id));
        for finding in &found {
            *match finding.rule.severity {
                Severity::Error => &mut self.counts.errors,
                Severity::Warning => &mut self.counts.warnings,
                Severity::Info => &mut self.counts.infos,
            } += 1;
        }
        found
    }
}

impl Connection {
    fn said(
        &mut self,
        event: &Event,
        said: &Said,
        accounts: &mut HashMap<String, Account>,
    ) -> Vec<Finding> {
        self.look(event, said, accounts, Vec::new(), checks::before)
    }

    /// What shows once the message is taken in.
    fn afterwards(
        &mut self,
        event: &Event,
        said: &Said,
        accounts: &mut HashMap<String, Account>,
        found: &mut Vec<Finding>,
    ) {
        let before = std::mem::take(found);
        *found = self.look(event, said, accounts, before, checks::after);
    }

    fn look(
        &mut self,
        event: &Event,
        said: &Said,
        accounts: &mut HashMap<String, Account>,
        found: Vec<Finding>,
        check: fn(&mut Look<'_>),
    ) -> Vec<Finding> {
        // What mailscope says in a peer's place is nobody's fault.
        if matches!(said.passed, Passed::Own) {
            self.memory.meddled = true;
            return found;
        }
        let account = match (self.session.server(), self.session.identity()) {
            (Some(server), Some(identity)) if accounts.len() < limits::ACCOUNTS => {
                let name = format!("{identity} {server}");
                accounts.entry(name).or_default()
            }
            _ => &mut self.own,
        };
        let mut look = Look {
            event,
            said,
            session: &self.session,
            memory: &mut self.memory,
            account,
            command: Command::read(event.n, event.at, said)
                .filter(|command| !command.tag.is_empty()),
            found,
        };
        check(&mut look);
        look.found
    }
}

impl Counts {
    /// Findings of every kind.
    pub fn found(self) -> u64 {
        self.errors + self.warnings + self.infos
    }

    /// Whether anything was found that is more than information.
    pub fn is_bad(self) -> bool {
        self.errors + self.warnings > 0
    }
}
