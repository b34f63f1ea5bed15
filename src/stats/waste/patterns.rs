//! What commands that follow each other on one connection waste.

use std::sync::Arc;

use super::super::digest::{Messages, hash_of};
use super::{Exchange, Kind, Told, Waste, Wasted};
use crate::event::{Micros, Status};

/// So many in a row are a loop.
const LOOP: u64 = 3;

/// So many commands that waited for nothing they needed make a session without pipelining.
const UNPIPELINED: u64 = 4;

/// NOOPs further apart keep a connection open rather than ask for what is new.
const POLLING: Micros = Micros(300_000_000);

/// An IDLE that is as long keeps a connection open that something between would close.
const IDLED: Micros = Micros(120_000_000);

/// A shorter way to say so little is not worth a word.
const LISTED: u64 = 256;

/// What one connection's commands tell together.
#[derive(Default)]
pub(in super::super) struct Patterns {
    /// What it was told.
    pub(in super::super) told: Told,
    run: Option<Looped>,
    before: Option<Before>,
    /// Two commands were in flight at a time.
    is_pipelined: bool,
    is_idled: bool,
    /// Commands that need not have waited.
    waited: Option<Waste>,
    /// NOOPs in a row, told of at the end if there was no IDLE.
    polled: Vec<Waste>,
}

/// Commands in a row that are of one kind.
struct Looped {
    key: Loop,
    item: Waste,
}

/// What commands in a row have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Loop {
    kind: Kind,
    /// What is the same in each of them.
    same: u64,
    /// The selection that they are about.
    selection: u64,
    /// The capability that saves them all.
    capability: Option<&'static str>,
    /// It is as much of a loop if they are sent before the answers.
    is_pipelined: bool,
}

/// What is kept of the command before.
struct Before {
    name: String,
    set: u64,
    rest: u64,
    is_ok: bool,
    is_alone: bool,
    selection: Option<u64>,
    mailbox: Option<Arc<str>>,
    n: u64,
}

/// Where commands are looked at.
pub(in super::super) struct Scene<'c> {
    pub(in super::super) conn: u64,
    pub(in super::super) server: &'c str,
    /// When the command was answered.
    pub(in super::super) at: Micros,
    pub(in super::super) wanted: bool,
}

impl Patterns {
    /// A command was sent while another was in flight.
    pub(in super::super) fn pipelined(&mut self) {
        self.is_pipelined = true;
    }

    /// The app asked for IDLE.
    pub(in super::super) fn idled(&mut self) {
        self.is_idled = true;
    }

    /// Takes the next command in that was answered.
    pub(in super::super) fn take(
        &mut self,
        scene: &Scene<'_>,
        exchange: Exchange,
        wasted: &mut Wasted,
    ) {
        let is_again = self.told.is_again(&exchange, scene.at) || exchange.is_known;
        if scene.wanted {
            each(scene.conn, &exchange, wasted);
            if is_again {
                wasted.add(whole(Kind::AskedAgain, scene.conn, &exchange));
            }
            self.pair(scene, &exchange, wasted);
        }
        self.go_round(scene.conn, &exchange, scene.wanted, wasted);
        self.before = Some(Before::new(&exchange));
    }

    /// What a command and the one before it waste together.
    fn pair(&mut self, scene: &Scene<'_>, exchange: &Exchange, wasted: &mut Wasted) {
        let Some(before) = &self.before else {
            return;
        };
        let conn = scene.conn;
        let name = &*exchange.command.name;
        let n = exchange.command.n;
        let is_pair = |copy, store| before.name == copy && name == store;
        if (is_pair("COPY", "STORE") || is_pair("UID COPY", "UID STORE"))
            && before.is_ok
            && before.set == exchange.digest.set
            && exchange.digest.deletes
            && exchange.offers.move_
        {
            let mut item = Kind::CopyAndDelete.at(conn, before.n);
            item.commands.push(n);
            item.round_trips = exchange.round_trips;
            wasted.add(item);
        }
        if is_pair("APPEND", "APPEND") && before.mailbox == exchange.digest.mailbox {
            wasted.would_help(scene.server, "MULTIAPPEND");
        }
        if exchange.is_prompt() && before.is_alone && needs_nothing(before, exchange) {
            let mut item = Kind::NoPipelining.at(conn, n);
            item.time = exchange.latency.unwrap_or_default();
            item.round_trips = exchange.round_trips.min(1);
            match &mut self.waited {
                Some(waited) => waited.join(&item),
                None => self.waited = Some(item),
            }
        }
    }

    /// Commands of one kind, one after the other.
    fn go_round(&mut self, conn: u64, exchange: &Exchange, wanted: bool, wasted: &mut Wasted) {
        let key = looped(exchange).filter(|_| wanted);
        let goes_on = |looped: Loop| match looped.kind {
            Kind::Polling => exchange.pause.is_some_and(|pause| pause <= POLLING),
            _ if looped.is_pipelined => exchange.is_prompt() || !exchange.is_alone,
            _ => exchange.is_prompt(),
        };
        let n = exchange.command.n;
        match (&mut self.run, key) {
            (Some(run), Some(key)) if run.key == key && goes_on(key) => {
                let mut more = key.kind.at(conn, n);
                more.octets = exchange.bytes_client + exchange.bytes_server;
                more.time = exchange.latency.unwrap_or_default();
                more.round_trips = exchange.round_trips;
                run.item.join(&more);
            }
            (_, key) => {
                self.end_run(wasted);
                let begins = |key: &Loop| exchange.is_alone || key.is_pipelined;
                self.run = key.filter(begins).map(|key| {
                    let mut item = key.kind.at(conn, n);
                    item.capability = key.capability;
                    if matches!(key.kind, Kind::Polling | Kind::IdleRestarted) {
                        item.octets = exchange.bytes_client + exchange.bytes_server;
                    }
                    Looped { key, item }
                });
            }
        }
    }

    fn end_run(&mut self, wasted: &mut Wasted) {
        let run = self.run.take().filter(|run| run.item.count >= LOOP);
        match run.map(|run| run.item) {
            Some(item) if item.kind == Kind::Polling => match self.polled.last_mut() {
                Some(polled) => polled.join(&item),
                None => self.polled.push(item),
            },
            Some(item) => wasted.add(item),
            None => {}
        }
    }

    /// The connection is over.
    pub(in super::super) fn end(&mut self, wasted: &mut Wasted) {
        self.end_run(wasted);
        let enough = |item: &Waste| item.count >= UNPIPELINED;
        let waited = self.waited.take().filter(enough);
        wasted.add_all(waited.filter(|_| !self.is_pipelined));
        wasted.add_all(self.polled.drain(..).filter(|_| !self.is_idled));
    }
}

impl Wasted {
    fn add_all(&mut self, items: impl IntoIterator<Item = Waste>) {
        items.into_iter().for_each(|item| self.add(item));
    }
}

impl Before {
    fn new(exchange: &Exchange) -> Self {
        Self {
            name: exchange.command.name.to_string(),
            set: exchange.digest.set,
            rest: exchange.digest.rest,
            is_ok: exchange.status == Some(Status::Ok),
            is_alone: exchange.is_alone,
            selection: exchange.selected.as_ref().map(|selected| selected.number),
            mailbox: exchange.digest.mailbox.clone(),
            n: exchange.command.n,
        }
    }
}

/// An item for a command that need not have been at all.
fn whole(kind: Kind, conn: u64, exchange: &Exchange) -> Waste {
    let mut item = kind.at(conn, exchange.command.n);
    item.octets = exchange.bytes_client + exchange.bytes_server;
    item.time = exchange.latency.unwrap_or_default();
    item.round_trips = exchange.round_trips;
    item
}

/// What a command wastes by itself.
fn each(conn: u64, exchange: &Exchange, wasted: &mut Wasted) {
    let n = exchange.command.n;
    let name = &*exchange.command.name;
    for (kind, twice) in [
        (Kind::FetchedTwice, exchange.twice),
        (Kind::PartOfWhole, exchange.part),
    ] {
        if twice.items > 0 {
            let mut item = kind.at(conn, n);
            item.count = twice.items;
            item.octets = twice.octets;
            wasted.add(item);
        }
    }
    if exchange.listed >= LISTED {
        let mut item = Kind::SearchInFull.at(conn, n);
        item.octets = exchange.listed;
        wasted.add(item);
    }
    let selected = exchange.selected.as_ref();
    let selected =
        selected.filter(|selected| Some(&selected.mailbox) == exchange.digest.mailbox.as_ref());
    if let Some(selected) = selected {
        let kind = match name {
            "STATUS" => Some(Kind::StatusOfSelected),
            "SELECT" | "EXAMINE" if selected.opened_by == name => Some(Kind::SelectOfSelected),
            _ => None,
        };
        if let Some(kind) = kind {
            wasted.add(whole(kind, conn, exchange));
        }
    }
    if exchange.waited_for_literals > 0 && exchange.offers.literal {
        let mut item = Kind::SynchronizingLiteral.at(conn, n);
        item.count = exchange.waited_for_literals;
        item.round_trips = exchange.waited_for_literals;
        wasted.add(item);
    }
    let waits = exchange.digest.without_initial_response && exchange.round_trips > 1;
    if waits && exchange.offers.sasl_ir {
        let mut item = Kind::SaslWithoutInitialResponse.at(conn, n);
        item.round_trips = 1;
        wasted.add(item);
    }
}

/// The loop that a command may be part of.
fn looped(exchange: &Exchange) -> Option<Loop> {
    let selection = exchange.selected.as_ref();
    let looped = |kind, same| Loop {
        kind,
        same,
        selection: selection.map_or(0, |selected| selected.number),
        capability: None,
        is_pipelined: false,
    };
    let digest = &exchange.digest;
    let is_one = matches!(digest.messages, Some(Messages::One(_)));
    let name = &*exchange.command.name;
    let same = hash_of((name, digest.rest));
    Some(match name {
        "FETCH" | "UID FETCH" if is_one => match digest.sections {
            Some(sections) => looped(Kind::FetchInChunks, sections),
            None => looped(Kind::FetchPerMessage, same),
        },
        "COPY" | "MOVE" | "STORE" | "UID COPY" | "UID MOVE" | "UID STORE" if is_one => {
            looped(Kind::StorePerMessage, same)
        }
        "STATUS" => Loop {
            selection: 0,
            capability: exchange.offers.list_status.then_some("LIST-STATUS"),
            is_pipelined: exchange.offers.list_status,
            ..looped(Kind::StatusLoop, 0)
        },
        // Where nobody knows when it was, nobody knows how often.
        "NOOP" if exchange.offers.idle && exchange.latency.is_some() => Loop {
            selection: 0,
            ..looped(Kind::Polling, 0)
        },
        "IDLE" if exchange.idled_in_vain.is_some_and(|idled| idled < IDLED) => {
            looped(Kind::IdleRestarted, 0)
        }
        _ => return None,
    })
}

/// Whether the command could have been sent before the answer to the one before (RFC 9051, section 5.5),
/// as far as that is certain: it does the same to other messages or mailboxes, or asks for what no answer
/// to the other tells. What LIST or NAMESPACE brings, STATUS and LIST may need.
fn needs_nothing(before: &Before, exchange: &Exchange) -> bool {
    const REPEAT: [&str; 12] = [
        "COPY",
        "CREATE",
        "DELETE",
        "GETACL",
        "GETQUOTAROOT",
        "MYRIGHTS",
        "STATUS",
        "STORE",
        "SUBSCRIBE",
        "UID COPY",
        "UID STORE",
        "UNSUBSCRIBE",
    ];
    const LISTS: [&str; 3] = ["LIST", "LSUB", "XLIST"];
    const BY_ITSELF: [&str; 2] = ["ID", "NAMESPACE"];
    let name = &*exchange.command.name;
    let selection = exchange.selected.as_ref().map(|selected| selected.number);
    let is_same = before.name == name && before.selection == selection;
    let same_arguments = before.rest == exchange.digest.rest;
    let another_list = LISTS.contains(&name) && LISTS.contains(&&*before.name) && !is_same;
    match name {
        "FETCH" | "UID FETCH" => is_same && same_arguments,
        name if BY_ITSELF.contains(&name) => {
            LISTS.contains(&&*before.name) || BY_ITSELF.contains(&&*before.name)
        }
        name if REPEAT.contains(&name) => is_same && before.is_ok,
        _ => another_list && same_arguments,
    }
}
