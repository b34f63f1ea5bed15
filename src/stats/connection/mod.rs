//! One connection's figures in the making.

mod closing;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::digest::{Digest, hash_of};
use super::fetched::{Again, Response, Selection};
use super::heard::{capabilities, literals, shorter_in_ranges};
use super::summary::ConnectionFigures;
use super::waste::{Behind, Deflated, Exchange, Patterns};
use super::{Run, Wanted};
use crate::event::{Awaited, Body, Event, Micros, Passed, Peer, Reading, Relation, Said, Status};
use crate::limits;
use crate::session::{Command, Place};

/// One connection.
pub(super) struct Connection {
    figures: ConnectionFigures,
    began: Micros,
    last: Micros,
    greeted: Option<Micros>,
    /// Commands without an answer, IDLE included.
    open: BTreeMap<u64, Open>,
    /// How many of them are no IDLE.
    busy: usize,
    batch: Batch,
    /// Up to when waiting is counted.
    waited_until: Micros,
    /// When the last answer came.
    answered: Option<Micros>,
    /// What came before its command was whole.
    early: Early,
    identity: Option<String>,
    logged_in: bool,
    capabilities: HashSet<String>,
    selection: Option<Selection>,
    selecting: Option<(u64, Selection)>,
    selections: u64,
    patterns: Patterns,
    /// What COMPRESS would have saved, as long as it may be told.
    deflated: Option<Deflated>,
    is_compressed: bool,
    /// Something came that nobody asked for, status responses apart.
    is_stirred: bool,
    /// The server ended the connection by itself.
    is_dismissed: bool,
    /// The user that logged in.
    user: Option<u64>,
    wanted: bool,
}

/// A command without an answer.
struct Open {
    exchange: Exchange,
    wanted: bool,
    idled: Option<Micros>,
}

/// What is in flight at one time.
#[derive(Default)]
struct Batch {
    since: Micros,
    /// The command that began it.
    opener: u64,
    /// Its round trip is counted.
    counted: bool,
}

/// Continuation requests for a command that is not whole yet.
#[derive(Default)]
struct Early {
    octets: u64,
    round_trips: u64,
    wanted: bool,
}

impl Connection {
    pub(super) fn new(conn: u64, began: Micros) -> Self {
        Self {
            figures: ConnectionFigures {
                conn,
                ..ConnectionFigures::default()
            },
            began,
            last: began,
            greeted: None,
            open: BTreeMap::new(),
            busy: 0,
            batch: Batch::default(),
            waited_until: Micros(0),
            answered: None,
            early: Early::default(),
            identity: None,
            logged_in: false,
            capabilities: HashSet::new(),
            selection: None,
            selecting: None,
            selections: 0,
            patterns: Patterns::default(),
            deflated: None,
            is_compressed: false,
            is_stirred: false,
            is_dismissed: false,
            user: None,
            wanted: false,
        }
    }

    pub(super) fn take(&mut self, event: &Event, place: &Place, wanted: Wanted, run: &mut Run) {
        let wanted = wanted == Wanted::Yes;
        self.wanted |= wanted;
        // Times may step back where a literal was awaited.
        self.began = self.began.min(event.at);
        self.last = self.last.max(event.at);
        match &event.body {
            Body::Connected { server, .. } => self.figures.server.clone_from(server),
            Body::Note(_) if wanted => self.figures.notes += 1,
            Body::Compressed => {
                self.let_go(run);
                self.is_compressed = true;
            }
            Body::Said(said) => {
                for command in &place.commands {
                    if let Some(open) = self.open.get_mut(&command.n) {
                        open.wanted |= wanted;
                    }
                }
                self.said(event, said, place, wanted, run);
            }
            _ => {}
        }
    }

    fn said(&mut self, event: &Event, said: &Said, place: &Place, wanted: bool, run: &mut Run) {
        let octets = match said.passed {
            Passed::Own => 0,
            _ => said.wire.octets(),
        };
        if let Some(capabilities) = capabilities(said) {
            self.capabilities = capabilities;
            let answers = match said.relation {
                Relation::Answers(n) => Some(n),
                _ => None,
            };
            self.patterns.told.capabilities(answers);
            self.begin_deflating(run);
        }
        self.deflate(said);
        match &said.reading {
            Reading::LiteralPart { .. } => return, // counted with its message
            Reading::Greeting { status } => {
                self.greeted = Some(event.at);
                self.logged_in |= *status == Some(Status::Preauth);
                self.begin_deflating(run);
            }
            Reading::Command { identity, .. } if !matches!(said.passed, Passed::Own) => {
                self.identify(identity.as_deref());
                if let Some(command) = place.commands.first() {
                    self.command(command, said, octets, wanted, run);
                }
                return;
            }
            Reading::ContinuationRequest {
                awaited: Some(Awaited::Literal),
                ..
            } => {
                self.early.octets += octets;
                self.early.round_trips += 1;
                self.early.wanted |= wanted;
                return;
            }
            Reading::ContinuationRequest {
                awaited: Some(Awaited::Sasl),
                ..
            } => {
                if let Some(open) = self.open_of(place) {
                    open.exchange.round_trips += 1;
                }
            }
            Reading::Continuation {
                identity, idled, ..
            } => {
                self.identify(identity.as_deref());
                if let (Some(idled), Some(open)) = (idled, self.open_of(place)) {
                    open.idled = Some(*idled);
                    open.exchange.idled_in_vain = Some(*idled);
                }
                if self.is_stirred
                    && let Some(open) = self.open_of(place)
                {
                    open.exchange.idled_in_vain = None;
                }
            }
            Reading::Untagged {
                name,
                number,
                status,
                ..
            } => {
                let is_unsolicited = said.relation == Relation::Unsolicited;
                self.is_stirred |= is_unsolicited && status.is_none();
                self.is_dismissed |= is_unsolicited && *status == Some(Status::Bye);
                self.untagged(event, said, place, name, *number, run);
            }
            _ => {}
        }
        self.count(said, place, octets, wanted);
        if let Reading::Tagged {
            status, elapsed, ..
        } = said.reading
        {
            self.tagged(event.at, place, status, elapsed, run);
        }
    }

    /// What is said from the login on, as far as it may be deflated to see what comes of it.
    fn deflate(&mut self, said: &Said) {
        let Some(deflated) = &mut self.deflated else {
            return;
        };
        if matches!(said.passed, Passed::Own) {
            return;
        }
        let behind = match &said.reading {
            Reading::LiteralPart { .. } => Behind::More,
            Reading::Untagged { .. } if said.relation != Relation::Unsolicited => Behind::More,
            _ => Behind::Flush,
        };
        deflated.take(said.from, said.wire.bytes(), behind);
    }

    /// From here on it may be.
    fn begin_deflating(&mut self, run: &mut Run) {
        let is_offered = self.capabilities.contains("COMPRESS=DEFLATE");
        let may = self.logged_in && is_offered && !self.is_compressed && self.deflated.is_none();
        if may && run.deflating < limits::STATS_DEFLATING {
            run.deflating += 1;
            self.deflated = Some(Deflated::default());
        }
    }

    /// Nothing more is to be deflated.
    fn let_go(&mut self, run: &mut Run) {
        if self.deflated.take().is_some() {
            run.deflating -= 1;
        }
    }

    fn open_of(&mut self, place: &Place) -> Option<&mut Open> {
        match place.commands.as_slice() {
            [command] => self.open.get_mut(&command.n),
            _ => None,
        }
    }

    fn identify(&mut self, identity: Option<&str>) {
        if let Some(identity) = identity {
            self.identity = Some(identity.to_owned());
        }
    }

    /// Counts octets and literals where they belong.
    fn count(&mut self, said: &Said, place: &Place, octets: u64, wanted: bool) {
        let literals = literals(said);
        let alone = !matches!(said.relation, Relation::Ambiguous(_));
        match self.open_of(place).filter(|_| alone) {
            Some(open) => open.exchange.count(said.from, octets, literals),
            None if wanted && said.from == Peer::Client => {
                self.figures.bytes_client += octets;
                self.figures.literals += literals;
            }
            None if wanted => {
                self.figures.bytes_server += octets;
                self.figures.bytes_unattributed += octets;
                self.figures.literals += literals;
            }
            None => {}
        }
    }

    fn command(
        &mut self,
        command: &Arc<Command>,
        said: &Said,
        octets: u64,
        wanted: bool,
        run: &mut Run,
    ) {
        let early = std::mem::take(&mut self.early);
        let is_first = self.busy == 0;
        self.depart(command);
        let mut exchange = Exchange::new(Arc::clone(command), Digest::new(&command.name, said));
        exchange.is_alone = is_first;
        exchange.pause = self.answered.map(|answered| command.at.since(answered));
        exchange.round_trips = early.round_trips;
        exchange.waited_for_literals = early.round_trips;
        exchange.count(Peer::Client, octets, literals(said));
        exchange.count(Peer::Server, early.octets, 0);
        exchange.selected = self.selection.as_ref().map(Selection::standing);
        if exchange.selected.is_some() && self.selecting.is_some() {
            exchange.selected = None; // not known
        }
        exchange.notice(&self.capabilities);
        exchange.is_known = self.patterns.told.knows(command.n, &command.name);
        run.wasted
            .used(&self.figures.server, &command.name, &exchange.digest, said);
        if matches!(&*command.name, "SELECT" | "EXAMINE") {
            self.select(command);
        }
        let open = Open {
            exchange,
            wanted: wanted | early.wanted,
            idled: None,
        };
        self.open.insert(command.n, open);
        if self.open.len() > limits::IN_FLIGHT
            && let Some((_, oldest)) = self.open.pop_first()
        {
            self.close(oldest, run);
        }
    }

    /// A command is in flight from here on.
    fn depart(&mut self, command: &Command) {
        if command.name == "IDLE" {
            self.patterns.idled();
            self.is_stirred = false;
            return;
        }
        if self.busy == 0 {
            self.batch = Batch {
                // It may have begun before, and waited for its literal.
                since: command.at.max(self.waited_until),
                opener: command.n,
                counted: false,
            };
        } else {
            self.patterns.pipelined();
            if let Some(opener) = self.open.get_mut(&self.batch.opener) {
                opener.exchange.is_alone = false;
            }
        }
        self.busy += 1;
    }

    fn select(&mut self, command: &Command) {
        self.selections += 1;
        let mailbox = command.named.first().cloned().unwrap_or_default();
        let conn = self.figures.conn;
        let selection = Selection::new(self.scope(), conn, self.selections, mailbox);
        self.selecting = Some((command.n, selection.opened_by(&command.name)));
    }

    /// Whose mailboxes they are: of a user of a server, or of nobody known.
    fn scope(&self) -> u64 {
        match &self.identity {
            Some(identity) => hash_of((&self.figures.server, identity)),
            None => hash_of(self.figures.conn),
        }
    }

    fn untagged(
        &mut self,
        event: &Event,
        said: &Said,
        place: &Place,
        name: &str,
        number: Option<u64>,
        run: &mut Run,
    ) {
        let response = match name {
            "FETCH" | "UIDFETCH" if said.relation != Relation::Unsolicited => {
                Response::new(said, name, number).filter(Response::has_content)
            }
            _ => None,
        };
        let is_readable = response.as_ref().is_some_and(Response::is_readable);
        if is_readable && self.figures.first_message.is_none() {
            self.figures.first_message = Some(event.at.since(self.began));
        }
        let command = place.commands.last().map(|command| command.n);
        if let Some(open) = command.and_then(|n| self.open.get_mut(&n)) {
            open.exchange.fetched += u64::from(name == "FETCH" || name == "UIDFETCH");
            if name == "SEARCH" && open.exchange.offers.esearch {
                open.exchange.listed += shorter_in_ranges(said);
            }
        }
        let selecting = self.selecting.as_mut();
        let selecting = selecting.filter(|(n, _)| command == Some(*n));
        let selection = selecting
            .map(|(_, selection)| selection)
            .or(self.selection.as_mut());
        let Some(selection) = selection else {
            return;
        };
        match (response, command) {
            (Some(response), Some(command)) => {
                let Again { twice, part } = run.fetched.take(selection, &response, command);
                if let Some(open) = self.open.get_mut(&command) {
                    open.exchange.twice.add(twice);
                    open.exchange.part.add(part);
                }
            }
            _ => selection.heard(name, number, said),
        }
    }
}

impl Exchange {
    fn count(&mut self, from: Peer, octets: u64, literals: u64) {
        match from {
            Peer::Client => {
                self.bytes_client += octets;
                self.literals_client += literals;
            }
            Peer::Server => {
                self.bytes_server += octets;
                self.literals_server += literals;
            }
        }
    }
}
