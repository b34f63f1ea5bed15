//! What was wasted, and the better way.
//!
//! Each kind is found by what the app did, never by guessing what it might have meant: a test for each
//! shows when it is told of, and the like of it that is none.
//!
//! | kind | told of when |
//! |---|---|
//! | `fetched-twice` | a FETCH response brings an item that never changes (a BODY or BINARY section, ENVELOPE, BODYSTRUCTURE, PREVIEW, RFC822) of a message of which another command brought the same, in the same octets, before: by user, mailbox, UIDVALIDITY and UID, or by number while numbers stand |
//! | `part-of-whole` | the same for a part of a message (a section, ENVELOPE, BODYSTRUCTURE) of which another command brought the whole before, by BODY\[\] or RFC822 |
//! | `fetch-per-message` | three or more FETCHes in a row for one message each and the same items, each sent at once ([`PROMPT`]) after the answer to the one before |
//! | `fetch-in-chunks` | three or more FETCHes in a row for a part (`BODY[1]<4096.4096>`) of the same section of one message, each sent at once after the answer to the one before |
//! | `store-per-message` | three or more STOREs (COPYs, MOVEs) in a row for one message each and with the same arguments, each sent at once after the answer to the one before |
//! | `status-loop` | three or more STATUS in a row, each sent at once after the answer to the one before; where LIST-STATUS is offered, before it too |
//! | `status-of-selected` | STATUS of the mailbox that is selected |
//! | `select-of-selected` | SELECT of a mailbox that is selected by SELECT, or EXAMINE by EXAMINE |
//! | `full-flag-resync` | FETCH of all messages' flags and nothing else, of one message at least, where CONDSTORE or QRESYNC is offered, without CHANGEDSINCE; not the first of a mailbox of which something else was fetched in the run, since that may be the first sync |
//! | `search-in-full` | a SEARCH is answered by a list of numbers that as ranges, with ESEARCH, which is offered, is shorter by at least 256 octets |
//! | `no-pipelining` | a connection never has two commands in flight, and at least four times one that does not need the answer before it is sent at once after that answer; the time is that of waiting for them, of which pipelining can save the most part |
//! | `asked-again` | CAPABILITY, although the server told its capabilities since the login or STARTTLS, or before there was any; the same NAMESPACE, or LIST or LSUB without STATUS, within a minute and without CREATE, DELETE, RENAME, SUBSCRIBE or UNSUBSCRIBE between |
//! | `login-again` | a user logs in within a minute after the last connection of that user was left by the app, at least twice in the run; the time is that from the connection to the login |
//! | `synchronizing-literal` | a literal waits for `+` where LITERAL+ is offered, or LITERAL- for so short a one |
//! | `sasl-without-initial-response` | AUTHENTICATE by a mechanism in which the client speaks first waits for `+` where SASL-IR is offered |
//! | `copy-and-delete` | COPY, then STORE of `\Deleted` for the same messages, where MOVE is offered |
//! | `polling` | three or more NOOPs in a row, none more than five minutes after the one before, where IDLE is offered and not used on the connection |
//! | `idle-restarted` | three or more IDLEs in a row, each of less than two minutes in which nothing came but status responses, each sent at once after the answer to the one before |
//! | `unused-capability` | a capability of [`RECOGNISED`] was offered to a user who logged in, and no connection to that server used it; MULTIAPPEND and PREVIEW where something was done that they are for. For COMPRESS=DEFLATE the octets are those that it would have saved, estimated by deflating |
//!
//! What cannot be seen from outside is not told: whether an app had a use for the whole of a mail of
//! which it shows the subject.
//!
//! Where it is not known when something was said ([`Times::Untold`](crate::event::Times)), everything
//! counts as sent at once, and nothing is told of NOOPs and IDLE.
//!
//! What was fetched is remembered up to [`limits::STATS_FETCHED`] items, which is more than a sync of
//! 100,000 messages brings; of what comes beyond, nothing is told.
//!
//! The figures of an item are sums: how many, octets, seconds, round trips, as far as the kind has them.

mod again;
mod capability;
mod deflated;
mod kind;
mod logins;
mod patterns;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub(super) use again::Told;
pub use capability::{RECOGNISED, Recognised};
pub(super) use deflated::{Behind, Deflated};
pub use kind::Kind;
pub(super) use logins::{Login, Logins};
pub(super) use patterns::{Patterns, Scene};

use super::digest::Digest;
use super::fetched::Twice;
use crate::event::{Micros, Said, Status, Value};
use crate::figure;
use crate::limits;
use crate::session::Command;

/// A command sent so soon after an answer was not sent by a person who looked at that first.
pub const PROMPT: Micros = Micros(250_000);

/// Something that was wasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waste {
    /// What.
    pub kind: Kind,
    /// On which connection; `None` for several.
    pub conn: Option<u64>,
    /// The capability that was not used, or that would have helped.
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
    /// How much, in words. A time of which nothing is known is left out.
    pub fn figure(&self) -> String {
        let count = |one: &str| figure::counted(self.count, one);
        let octets = figure::octets(self.octets);
        let trips = figure::counted(self.round_trips, "round trip");
        let time = match self.time {
            Micros(0) => String::new(),
            time => format!(", {}", figure::duration(time)),
        };
        match self.kind {
            Kind::FetchedTwice | Kind::PartOfWhole => format!("{}, {octets}", count("item")),
            Kind::FetchPerMessage | Kind::FetchInChunks => {
                format!("{} FETCHes, {trips}{time}", self.count)
            }
            Kind::StorePerMessage => format!("{}, {trips}{time}", count("command")),
            Kind::StatusLoop => format!("{} STATUS, {trips}{time}", self.count),
            Kind::StatusOfSelected => format!("{} STATUS{time}", self.count),
            Kind::SelectOfSelected => format!("{}, {octets}{time}", count("time")),
            Kind::FullFlagResync => format!("{}, {octets}", count("time")),
            Kind::SearchInFull => format!("{}, {octets} more than in ranges", count("answer")),
            Kind::NoPipelining => match self.time {
                Micros(0) => trips,
                time => format!("{trips}, {} of waiting", figure::duration(time)),
            },
            Kind::AskedAgain => format!("{}, {trips}{time}", count("command")),
            Kind::LoginAgain => format!("{}, {trips}{time}", count("login")),
            Kind::SynchronizingLiteral => format!("{}, {trips}", count("literal")),
            Kind::SaslWithoutInitialResponse => format!("{}, {trips}", count("login")),
            Kind::CopyAndDelete => format!("{}, {trips}", count("time")),
            Kind::Polling => format!("{} NOOPs, {octets}", self.count),
            Kind::IdleRestarted => format!("{} IDLEs, {octets}", self.count),
            Kind::UnusedCapability => {
                let name = self.capability.unwrap_or_default();
                let saved = match self.octets {
                    0 => String::new(),
                    _ => format!(", some {octets} less"),
                };
                format!("{name}, on {}{saved}", count("connection"))
            }
        }
    }

    /// What would have been better, in a sentence.
    pub fn better(&self) -> &'static str {
        match (self.kind, self.recognised()) {
            (_, Some(known)) => known.better,
            (kind, None) => kind.better(),
        }
    }

    /// Where that is written.
    pub fn clause(&self) -> &'static str {
        match (self.kind, self.recognised()) {
            (_, Some(known)) => known.clause,
            (kind, None) => kind.clause(),
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
    pub(super) esearch: bool,
    idle: bool,
    list_status: bool,
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
    /// The same of messages of which the whole was fetched before.
    pub(super) part: Twice,
    /// FETCH responses that answer it.
    pub(super) fetched: u64,
    /// Octets that its answer would have been shorter by in ranges.
    pub(super) listed: u64,
    /// CAPABILITY, although they were told.
    pub(super) is_known: bool,
    /// IDLE in which nothing happened: how long it was.
    pub(super) idled_in_vain: Option<Micros>,
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
            part: Twice::default(),
            fetched: 0,
            listed: 0,
            is_known: false,
            idled_in_vain: None,
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
            esearch: has("ESEARCH") || has("IMAP4REV2"),
            list_status: has("LIST-STATUS") || has("IMAP4REV2"),
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
    /// Those that would have been of use.
    useful: BTreeSet<(String, &'static str)>,
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

    /// Looks at a command for the capabilities that it uses, or could.
    pub(super) fn used(&mut self, server: &str, name: &str, digest: &Digest, said: &Said) {
        let arguments = said.arguments();
        let words = |wanted: &[&str]| arguments.iter().any(|argument| has_word(argument, wanted));
        for known in RECOGNISED {
            let key = || (server.to_owned(), known.name);
            let is_short = |set: &BTreeSet<_>| set.len() < limits::STATS_CAPABILITIES;
            if known.is_used(name, digest, words) {
                if is_short(&self.used) {
                    self.used.insert(key());
                }
            } else if known.name == "PREVIEW" && digest.previews && is_short(&self.useful) {
                self.useful.insert(key());
            }
        }
    }

    /// Something was done that this capability is for.
    fn would_help(&mut self, server: &str, name: &'static str) {
        if self.useful.len() < limits::STATS_CAPABILITIES {
            self.useful.insert((server.to_owned(), name));
        }
    }

    /// A connection was offered it, which would have saved so many octets.
    pub(super) fn offered(
        &mut self,
        server: &str,
        conn: u64,
        known: &'static Recognised,
        saves: u64,
    ) {
        let key = (server.to_owned(), known.name);
        let is_full = self.offered.len() >= limits::STATS_CAPABILITIES;
        match self.offered.get_mut(&key) {
            Some(item) => {
                item.count += 1;
                item.octets += saves;
                item.conn = None;
            }
            None if is_full => {}
            None => {
                let mut item = Kind::UnusedCapability.at(conn, 0);
                item.commands.clear();
                item.octets = saves;
                item.capability = Some(known.name);
                self.offered.insert(key, item);
            }
        }
    }

    pub(super) fn end(self) -> Vec<Waste> {
        let (used, useful) = (self.used, self.useful);
        let is_told = |key: &(String, &'static str)| {
            !used.contains(key) && (capability::is_always_told(key.1) || useful.contains(key))
        };
        let unused = self.offered.into_iter().filter(|(key, _)| is_told(key));
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
