//! One connection's figures in the making.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::digest::{Digest, hash_of};
use super::fetched::{Response, Selection, Twice};
use super::summary::ConnectionFigures;
use super::waste::{Exchange, Patterns, RECOGNISED};
use super::{Run, Wanted};
use crate::event::{
    Awaited, Body, Event, Label, Micros, Passed, Peer, Piece, Reading, Relation, Said, Status,
    Value,
};
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
            answered: None,
            early: Early::default(),
            identity: None,
            logged_in: false,
            capabilities: HashSet::new(),
            selection: None,
            selecting: None,
            selections: 0,
            patterns: Patterns::default(),
            wanted: false,
        }
    }

    pub(super) fn take(&mut self, event: &Event, place: &Place, wanted: Wanted, run: &mut Run) {
        let wanted = wanted == Wanted::Yes;
        self.wanted |= wanted;
        self.last = self.last.max(event.at);
        match &event.body {
            Body::Connected { server, .. } => self.figures.server.clone_from(server),
            Body::Note(_) if wanted => self.figures.notes += 1,
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
        self.hear_capabilities(said);
        match &said.reading {
            Reading::LiteralPart { .. } => return, // counted with its message
            Reading::Greeting { status } => {
                self.greeted = Some(event.at);
                self.logged_in |= *status == Some(Status::Preauth);
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
                }
            }
            Reading::Untagged { name, number, .. } => {
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
        let is_idle = command.name == "IDLE";
        let early = std::mem::take(&mut self.early);
        let is_first = self.busy == 0;
        if is_idle {
            self.patterns.idled();
        } else {
            if is_first {
                self.batch = Batch {
                    since: command.at,
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
        run.wasted.used(&self.figures.server, &command.name, said);
        if matches!(&*command.name, "SELECT" | "EXAMINE") {
            self.selections += 1;
            let mailbox = command.named.first().cloned().unwrap_or_default();
            let scope = self.scope();
            let selection = Selection::new(scope, self.figures.conn, self.selections, mailbox);
            self.selecting = Some((command.n, selection.opened_by(&command.name)));
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
                let twice = run.fetched.take(selection, &response, command);
                if let Some(open) = self.open.get_mut(&command) {
                    open.exchange.twice.add(twice);
                }
            }
            _ => selection.heard(name, number, said),
        }
    }

    fn tagged(
        &mut self,
        at: Micros,
        place: &Place,
        status: Option<Status>,
        elapsed: Option<Micros>,
        run: &mut Run,
    ) {
        let Some(command) = place.commands.first() else {
            return;
        };
        let n = command.n;
        if !self.open.contains_key(&n) {
            return;
        }
        if command.name != "IDLE" && !self.batch.counted {
            self.batch.counted = true;
            let began = match self.open.contains_key(&self.batch.opener) {
                true => self.batch.opener,
                false => n,
            };
            if let Some(open) = self.open.get_mut(&began) {
                open.exchange.round_trips += 1;
            }
        }
        let Some(mut open) = self.open.remove(&n) else {
            return;
        };
        if command.name != "IDLE" {
            self.busy = self.busy.saturating_sub(1);
            if self.busy == 0 {
                self.figures.waiting.0 += at.since(self.batch.since).0;
            }
        }
        self.answered = Some(at);
        open.exchange.status = status;
        open.exchange.latency = match (&*command.name, elapsed, open.idled) {
            ("IDLE", Some(elapsed), Some(idled)) => Some(elapsed.since(idled)),
            ("IDLE", _, None) => None,
            (_, elapsed, _) => elapsed,
        };
        self.figures.idling.0 += open.idled.unwrap_or_default().0;
        self.logged_in |=
            matches!(&*command.name, "LOGIN" | "AUTHENTICATE") && status == Some(Status::Ok);
        self.change_mailbox(n, &command.name, status);
        self.finish(open, run);
    }

    /// RFC 9051, section 3, figure 1.
    fn change_mailbox(&mut self, n: u64, name: &str, status: Option<Status>) {
        let selected = self.selecting.take_if(|(selecting, _)| *selecting == n);
        match (name, status) {
            ("SELECT" | "EXAMINE", Some(Status::Ok)) => {
                self.selection = selected.map(|(_, selection)| selection);
            }
            ("SELECT" | "EXAMINE", Some(Status::No))
            | ("CLOSE" | "UNSELECT" | "UNAUTHENTICATE", Some(Status::Ok)) => self.selection = None,
            _ => {}
        }
    }

    /// Takes a command that was answered into the sums, and looks at what it wasted.
    fn finish(&mut self, open: Open, run: &mut Run) {
        let Open {
            exchange, wanted, ..
        } = open;
        if wanted {
            self.add(&exchange, run);
        }
        run.fetched.flags(
            &exchange,
            self.selection.as_ref(),
            self.figures.conn,
            wanted,
        );
        self.patterns
            .take(self.figures.conn, exchange, wanted, &mut run.wasted);
    }

    /// Takes a command without an answer into the sums.
    fn close(&mut self, open: Open, run: &mut Run) {
        if open.exchange.command.name != "IDLE" {
            self.busy = self.busy.saturating_sub(1);
        }
        if open.wanted {
            run.row(&open.exchange.command.name).unanswered += 1;
            self.add(&open.exchange, run);
        }
    }

    fn add(&mut self, exchange: &Exchange, run: &mut Run) {
        let row = run.row(&exchange.command.name);
        row.count += 1;
        if let Some(latency) = exchange.latency {
            row.latencies.add(latency);
        }
        row.bytes_client += exchange.bytes_client;
        row.bytes_server += exchange.bytes_server;
        row.literals_client += exchange.literals_client;
        row.literals_server += exchange.literals_server;
        row.round_trips += exchange.round_trips;
        let figures = &mut self.figures;
        figures.commands += 1;
        figures.round_trips += exchange.round_trips;
        figures.bytes_client += exchange.bytes_client;
        figures.bytes_server += exchange.bytes_server;
        figures.literals += exchange.literals_client + exchange.literals_server;
    }

    /// The connection is over.
    pub(super) fn end(mut self, run: &mut Run) {
        if self.busy > 0 {
            self.figures.waiting.0 += self.last.since(self.batch.since).0;
        }
        for (_, open) in std::mem::take(&mut self.open) {
            self.close(open, run);
        }
        if self.early.wanted {
            self.figures.bytes_server += self.early.octets;
            self.figures.bytes_unattributed += self.early.octets;
        }
        let figures = &mut self.figures;
        figures.duration = self.last.since(self.began);
        figures.setup = self.greeted.map(|greeted| greeted.since(self.began));
        let behind = self.last.since(self.greeted.unwrap_or(self.last));
        figures.idle = behind.since(figures.waiting);
        self.patterns.end(&mut run.wasted);
        if self.logged_in && self.wanted {
            let offered = RECOGNISED
                .iter()
                .filter(|one| self.capabilities.contains(one.name));
            offered.for_each(|one| run.wasted.offered(&figures.server, figures.conn, one));
        }
        if self.wanted {
            run.summary.sums.add(figures);
            if run.summary.connections.len() < limits::STATS_CONNECTIONS {
                run.summary.connections.push(self.figures);
            }
        }
    }

    /// The capabilities that the app was shown.
    fn hear_capabilities(&mut self, said: &Said) {
        let listed = match &said.reading {
            Reading::Untagged { name, .. } if name == "CAPABILITY" => said.arguments(),
            Reading::Greeting { .. }
            | Reading::Tagged { .. }
            | Reading::Untagged {
                status: Some(_), ..
            } if has_code(said, "CAPABILITY") => {
                said.code().map(|code| code.values).unwrap_or_default()
            }
            _ => return,
        };
        let is_shown = |name: &str| match &said.passed {
            Passed::Instead(sent) => {
                let sent = sent.bytes().to_ascii_uppercase();
                memchr::memmem::find(&sent, name.as_bytes()).is_some()
            }
            _ => true,
        };
        let names = listed.iter().filter_map(Value::bytes);
        let names = names.map(|name| String::from_utf8_lossy(name).to_ascii_uppercase());
        let names = names.filter(|name| name.len() <= limits::TAG && is_shown(name));
        self.capabilities = names.take(limits::STATS_CAPABILITIES).collect();
    }
}

/// Whether the response code is this one.
pub(super) fn has_code(said: &Said, name: &str) -> bool {
    let code = said
        .spans
        .iter()
        .take(4)
        .find(|span| span.label == Label::CodeName);
    code.is_some_and(|code| said.span_bytes(code).eq_ignore_ascii_case(name.as_bytes()))
}

fn literals(said: &Said) -> u64 {
    let is_literal =
        |piece: &&Piece| matches!(piece, Piece::Literal { .. } | Piece::Streamed { .. });
    let own = matches!(said.passed, Passed::Own);
    match own {
        true => 0,
        false => said.wire.pieces().iter().filter(is_literal).count() as u64,
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

impl Twice {
    fn add(&mut self, more: Self) {
        self.items += more.items;
        self.octets += more.octets;
    }
}
