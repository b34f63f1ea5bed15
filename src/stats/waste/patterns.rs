//! What commands that follow each other on one connection waste.

use super::super::digest::Messages;
use super::{Exchange, Kind, Waste, Wasted};
use crate::event::{Micros, Status};

/// So many in a row are a loop.
const LOOP: u64 = 3;

/// So many commands that waited for nothing they needed make a session without pipelining.
const UNPIPELINED: u64 = 4;

/// NOOPs further apart keep a connection open rather than ask for what is new.
const POLLING: Micros = Micros(300_000_000);

/// What one connection's commands tell together.
#[derive(Default)]
pub(in super::super) struct Patterns {
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
    key: (Kind, u64, u64),
    item: Waste,
}

/// What is kept of the command before.
struct Before {
    name: String,
    set: u64,
    rest: u64,
    is_ok: bool,
    is_alone: bool,
    selection: Option<u64>,
    n: u64,
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
        conn: u64,
        exchange: Exchange,
        wanted: bool,
        wasted: &mut Wasted,
    ) {
        if wanted {
            each(conn, &exchange, wasted);
            self.pair(conn, &exchange, wasted);
        }
        self.go_round(conn, &exchange, wanted, wasted);
        self.before = Some(Before::new(&exchange));
    }

    /// What a command and the one before it waste together.
    fn pair(&mut self, conn: u64, exchange: &Exchange, wasted: &mut Wasted) {
        let Some(before) = &self.before else {
            return;
        };
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
        let goes_on = |(kind, ..): (Kind, u64, u64)| match kind {
            Kind::Polling => exchange.pause.is_some_and(|pause| pause <= POLLING),
            _ => exchange.is_prompt(),
        };
        let n = exchange.command.n;
        match (&mut self.run, key) {
            (Some(run), Some(key)) if run.key == key && goes_on(key) => {
                let mut more = key.0.at(conn, n);
                more.octets = exchange.bytes_client + exchange.bytes_server;
                more.time = exchange.latency.unwrap_or_default();
                more.round_trips = exchange.round_trips;
                run.item.join(&more);
            }
            (_, key) => {
                self.end_run(wasted);
                self.run = key.filter(|_| exchange.is_alone).map(|key| {
                    let mut item = key.0.at(conn, n);
                    if key.0 == Kind::Polling {
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
            n: exchange.command.n,
        }
    }
}

/// What a command wastes by itself.
fn each(conn: u64, exchange: &Exchange, wasted: &mut Wasted) {
    let n = exchange.command.n;
    let name = &*exchange.command.name;
    let time = exchange.latency.unwrap_or_default();
    let octets = exchange.bytes_client + exchange.bytes_server;
    if exchange.twice.items > 0 {
        let mut item = Kind::FetchedTwice.at(conn, n);
        item.count = exchange.twice.items;
        item.octets = exchange.twice.octets;
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
            let mut item = kind.at(conn, n);
            (item.octets, item.time, item.round_trips) = (octets, time, exchange.round_trips);
            wasted.add(item);
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
fn looped(exchange: &Exchange) -> Option<(Kind, u64, u64)> {
    let selection = exchange
        .selected
        .as_ref()
        .map_or(0, |selected| selected.number);
    match &*exchange.command.name {
        name @ ("FETCH" | "UID FETCH") => {
            let is_one = matches!(exchange.digest.messages, Some(Messages::One(_)));
            let key = exchange.digest.rest ^ name.len() as u64;
            is_one.then_some((Kind::FetchPerMessage, key, selection))
        }
        "STATUS" => Some((Kind::StatusLoop, 0, 0)),
        "NOOP" if exchange.offers.idle => Some((Kind::Polling, 0, 0)),
        _ => None,
    }
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
