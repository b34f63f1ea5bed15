//! What was wasted, and the better way.
//!
//! Each kind is found by what the app did, never by guessing what it might have meant: a test for each
//! shows when it is told of, and the like of it that is none.
//!
//! | kind | told of when |
//! |---|---|
//! | `fetched-twice` | a FETCH response brings an item that never changes (a BODY or BINARY section, ENVELOPE, BODYSTRUCTURE, PREVIEW, RFC822) of a message of which another command brought the same, in the same octets, before: by user, mailbox, UIDVALIDITY and UID, or by number while numbers stand |
//! | `fetch-per-message` | three or more FETCHes in a row for one message each and the same items, each sent at once ([`PROMPT`]) after the answer to the one before |
//! | `status-loop` | three or more STATUS in a row, each sent at once after the answer to the one before |
//! | `status-of-selected` | STATUS of the mailbox that is selected |
//! | `select-of-selected` | SELECT of a mailbox that is selected by SELECT, or EXAMINE by EXAMINE |
//! | `full-flag-resync` | FETCH of all messages' flags and nothing else, of one message at least, where CONDSTORE or QRESYNC is offered, without CHANGEDSINCE; not the first of a mailbox of which something else was fetched in the run, since that may be the first sync |
//! | `no-pipelining` | a connection never has two commands in flight, and at least four times one that does not need the answer before it is sent at once after that answer; the time is that of waiting for them, of which pipelining can save the most part |
//! | `synchronizing-literal` | a literal waits for `+` where LITERAL+ is offered, or LITERAL- for so short a one |
//! | `sasl-without-initial-response` | AUTHENTICATE by a mechanism in which the client speaks first waits for `+` where SASL-IR is offered |
//! | `copy-and-delete` | COPY, then STORE of `\Deleted` for the same messages, where MOVE is offered |
//! | `polling` | three or more NOOPs in a row, none more than five minutes after the one before, where IDLE is offered and not used on the connection |
//! | `unused-capability` | a capability of [`RECOGNISED`] was offered to a user who logged in, and no connection to that server used it |
//!
//! What was fetched is remembered up to [`limits::STATS_FETCHED`] items, which is more than a sync of
//! 100,000 messages brings; of what comes beyond, nothing is told.
//!
//! The figures of an item are sums: how many, octets, seconds, round trips, as far as the kind has them.

mod capability;
mod patterns;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub use capability::{RECOGNISED, Recognised};
pub(super) use patterns::Patterns;

use super::digest::Digest;
use super::fetched::Twice;
use crate::event::{Micros, Said, Status, Value};
use crate::figure;
use crate::limits;
use crate::session::Command;

/// A command sent so soon after an answer was not sent by a person who looked at that first.
pub const PROMPT: Micros = Micros(250_000);

/// A kind of waste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `fetched-twice`
    FetchedTwice,
    /// `fetch-per-message`
    FetchPerMessage,
    /// `status-loop`
    StatusLoop,
    /// `status-of-selected`
    StatusOfSelected,
    /// `select-of-selected`
    SelectOfSelected,
    /// `full-flag-resync`
    FullFlagResync,
    /// `no-pipelining`
    NoPipelining,
    /// `synchronizing-literal`
    SynchronizingLiteral,
    /// `sasl-without-initial-response`
    SaslWithoutInitialResponse,
    /// `copy-and-delete`
    CopyAndDelete,
    /// `polling`
    Polling,
    /// `unused-capability`
    UnusedCapability,
}

/// Something that was wasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waste {
    /// What.
    pub kind: Kind,
    /// On which connection; `None` for several.
    pub conn: Option<u64>,
    /// The capability that was not used.
    pub capability: Option<&'static str>,
    /// How many.
    pub count: u64,
    /// Octets of the wire.
    pub octets: u64,
    /// Time spent.
    pub time: Micros,
    /// Round trips that need not have been.
    pub round_trips: u64,
    /// The first few commands.
    pub commands: Vec<u64>,
    /// How many there are besides.
    pub further_commands: u64,
}

impl Kind {
    /// In kebab case.
    pub fn id(self) -> &'static str {
        match self {
            Self::FetchedTwice => "fetched-twice",
            Self::FetchPerMessage => "fetch-per-message",
            Self::StatusLoop => "status-loop",
            Self::StatusOfSelected => "status-of-selected",
            Self::SelectOfSelected => "select-of-selected",
            Self::FullFlagResync => "full-flag-resync",
            Self::NoPipelining => "no-pipelining",
            Self::SynchronizingLiteral => "synchronizing-literal",
            Self::SaslWithoutInitialResponse => "sasl-without-initial-response",
            Self::CopyAndDelete => "copy-and-delete",
            Self::Polling => "polling",
            Self::UnusedCapability => "unused-capability",
        }
    }

    pub(super) fn at(self, conn: u64, n: u64) -> Waste {
        Waste {
            kind: self,
            conn: Some(conn),
            capability: None,
            count: 1,
            octets: 0,
            time: Micros(0),
            round_trips: 0,
            commands: vec![n],
            further_commands: 0,
        }
    }
}

impl Waste {
    /// How much, in words.
    pub fn figure(&self) -> String {
        let count = |one: &str| figure::counted(self.count, one);
        let octets = figure::octets(self.octets);
        let time = figure::duration(self.time);
        let trips = figure::counted(self.round_trips, "round trip");
        match self.kind {
            Kind::FetchedTwice => format!("{}, {octets}", count("item")),
            Kind::FetchPerMessage => format!("{} FETCHes, {trips}, {time}", self.count),
            Kind::StatusLoop => format!("{} STATUS, {trips}, {time}", self.count),
            Kind::StatusOfSelected => format!("{} STATUS, {time}", self.count),
            Kind::SelectOfSelected => format!("{}, {octets}, {time}", count("time")),
            Kind::FullFlagResync => format!("{}, {octets}", count("time")),
            Kind::NoPipelining => format!("{trips}, {time} of waiting"),
            Kind::SynchronizingLiteral => format!("{}, {trips}", count("literal")),
            Kind::SaslWithoutInitialResponse => format!("{}, {trips}", count("login")),
            Kind::CopyAndDelete => format!("{}, {trips}", count("time")),
            Kind::Polling => format!("{} NOOPs, {octets}", self.count),
            Kind::UnusedCapability => {
                let name = self.capability.unwrap_or_default();
                format!("{name}, on {}", count("connection"))
            }
        }
    }

    /// What would have been better, in a sentence.
    pub fn better(&self) -> String {
        match self.kind {
            Kind::FetchedTwice => {
                "keep what was fetched, by UIDVALIDITY and UID: of a message it never changes"
            }
            Kind::FetchPerMessage => "one FETCH takes a set of messages, such as 3,5:9",
            Kind::StatusLoop => {
                "LIST with RETURN (STATUS (...)) asks for all at once where LIST-STATUS is offered; \
                 without it, send them all before the first answer"
            }
            Kind::StatusOfSelected => {
                "the server tells what is new in the selected mailbox unasked; NOOP lets it"
            }
            Kind::SelectOfSelected => "NOOP brings what is new in the mailbox that is selected",
            Kind::FullFlagResync => {
                "keep the HIGHESTMODSEQ, and SELECT with QRESYNC or FETCH with CHANGEDSINCE"
            }
            Kind::NoPipelining => "send what needs no answer before the answer to the last one",
            Kind::SynchronizingLiteral => "send {n+}, which waits for nothing",
            Kind::SaslWithoutInitialResponse => "send the first response with AUTHENTICATE",
            Kind::CopyAndDelete => "MOVE does both, and nothing is in two places between",
            Kind::Polling => "IDLE: the server tells at once, and nobody has to ask",
            Kind::UnusedCapability => self.recognised().map_or("", |known| known.better),
        }
        .to_owned()
    }

    /// Where that is written.
    pub fn clause(&self) -> &'static str {
        match self.kind {
            Kind::FetchedTwice => "RFC 9051, 2.3.1.1",
            Kind::FetchPerMessage => "RFC 9051, 6.4.5",
            Kind::StatusLoop => "RFC 5819, 2",
            Kind::StatusOfSelected => "RFC 9051, 6.3.11",
            Kind::SelectOfSelected => "RFC 9051, 6.1.2",
            Kind::FullFlagResync => "RFC 7162, 3.1.4",
            Kind::NoPipelining => "RFC 9051, 5.5",
            Kind::SynchronizingLiteral => "RFC 7888, 4",
            Kind::SaslWithoutInitialResponse => "RFC 4959, 3",
            Kind::CopyAndDelete => "RFC 6851, 3.1",
            Kind::Polling => "RFC 2177, 3",
            Kind::UnusedCapability => self.recognised().map_or("", |known| known.clause),
        }
    }

    fn recognised(&self) -> Option<&'static Recognised> {
        RECOGNISED
            .iter()
            .find(|known| Some(known.name) == self.capability)
    }
}

/// What was offered, when a command was sent, that it could have used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offers {
    pub(super) condstore: bool,
    idle: bool,
    literal: bool,
    move_: bool,
    sasl_ir: bool,
}

/// What a command needs to know of the mailbox that was selected when it was sent.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Which selection of the connection it is.
    pub(super) number: u64,
    pub(super) mailbox: Arc<str>,
    /// SELECT or EXAMINE.
    pub(super) opened_by: &'static str,
}

/// A command and its answer.
pub(super) struct Exchange {
    pub(super) command: Arc<Command>,
    pub(super) digest: Digest,
    pub(super) status: Option<Status>,
    pub(super) latency: Option<Micros>,
    /// From the answer before it; none where there was none.
    pub(super) pause: Option<Micros>,
    /// Nothing else was in flight, from its beginning to its end.
    pub(super) is_alone: bool,
    pub(super) selected: Option<Standing>,
    pub(super) offers: Offers,
    pub(super) round_trips: u64,
    pub(super) waited_for_literals: u64,
    pub(super) bytes_client: u64,
    pub(super) bytes_server: u64,
    pub(super) literals_client: u64,
    pub(super) literals_server: u64,
    pub(super) twice: Twice,
    /// FETCH responses that answer it.
    pub(super) fetched: u64,
}

impl Exchange {
    pub(super) fn new(command: Arc<Command>, digest: Digest) -> Self {
        Self {
            command,
            digest,
            status: None,
            latency: None,
            pause: None,
            is_alone: false,
            selected: None,
            offers: Offers::default(),
            round_trips: 0,
            waited_for_literals: 0,
            bytes_client: 0,
            bytes_server: 0,
            literals_client: 0,
            literals_server: 0,
            twice: Twice::default(),
            fetched: 0,
        }
    }

    /// Notices what was offered when it was sent.
    pub(super) fn notice(&mut self, capabilities: &HashSet<String>) {
        /// LITERAL- is for literals of no more octets (RFC 7888, section 5).
        const SHORT: u64 = 4096;
        let has = |name: &str| capabilities.contains(name);
        let short = self.digest.longest <= SHORT && (has("LITERAL-") || has("IMAP4REV2"));
        self.offers = Offers {
            condstore: has("CONDSTORE") || has("QRESYNC"),
            idle: has("IDLE") || has("IMAP4REV2"),
            literal: has("LITERAL+") || short,
            move_: has("MOVE") || has("IMAP4REV2"),
            sasl_ir: has("SASL-IR") || has("IMAP4REV2"),
        };
    }

    fn is_prompt(&self) -> bool {
        self.is_alone && self.pause.is_some_and(|pause| pause <= PROMPT)
    }
}

/// All that was wasted in a run.
#[derive(Default)]
pub(super) struct Wasted {
    items: BTreeMap<(Kind, Option<u64>), Waste>,
    /// By server and name: the connections that were offered it.
    offered: BTreeMap<(String, &'static str), Waste>,
    used: BTreeSet<(String, &'static str)>,
}

impl Wasted {
    /// Joins it to what there is of its kind on its connection.
    pub(super) fn add(&mut self, mut item: Waste) {
        let conn = item.conn;
        let kinds = self.items.len();
        if kinds >= 8 * limits::STATS_CONNECTIONS && !self.items.contains_key(&(item.kind, conn)) {
            item.conn = None;
        }
        match self.items.get_mut(&(item.kind, item.conn)) {
            Some(known) => known.join(&item),
            None => {
                self.items.insert((item.kind, item.conn), item);
            }
        }
    }

    /// Looks at a command for the capabilities that it uses.
    pub(super) fn used(&mut self, server: &str, name: &str, said: &Said) {
        let arguments = said.arguments();
        let words = |wanted: &[&str]| arguments.iter().any(|argument| has_word(argument, wanted));
        for known in RECOGNISED {
            if known.is_used(name, words) && self.used.len() < limits::STATS_CAPABILITIES {
                self.used.insert((server.to_owned(), known.name));
            }
        }
    }

    pub(super) fn offered(&mut self, server: &str, conn: u64, known: &'static Recognised) {
        let key = (server.to_owned(), known.name);
        let is_full = self.offered.len() >= limits::STATS_CAPABILITIES;
        match self.offered.get_mut(&key) {
            Some(item) => {
                item.count += 1;
                item.conn = None;
            }
            None if is_full => {}
            None => {
                let mut item = Kind::UnusedCapability.at(conn, 0);
                item.commands.clear();
                item.capability = Some(known.name);
                self.offered.insert(key, item);
            }
        }
    }

    pub(super) fn end(self) -> Vec<Waste> {
        let used = self.used;
        let unused = self
            .offered
            .into_iter()
            .filter(|(key, _)| !used.contains(key));
        let items = self.items.into_values().chain(unused.map(|(_, item)| item));
        items.collect()
    }
}

impl Waste {
    fn join(&mut self, more: &Self) {
        self.count += more.count;
        self.octets += more.octets;
        self.time.0 += more.time.0;
        self.round_trips += more.round_trips;
        self.commands.extend(&more.commands);
        self.commands.sort_unstable(); // what is told at the end may have come first
        let further = self.commands.len().saturating_sub(limits::STATS_PLACES);
        self.commands.truncate(limits::STATS_PLACES);
        self.further_commands += more.further_commands + further as u64;
    }
}

fn has_word(value: &Value<'_>, words: &[&str]) -> bool {
    match value {
        Value::List(members) => members.iter().any(|member| has_word(member, words)),
        Value::Atom(_) => words.iter().any(|word| value.is_word(word)),
        _ => false,
    }
}
