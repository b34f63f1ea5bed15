//! A recording as exchanges: each command with all that answers it, and what came unasked.
//!
//! What is left out of it here is never compared: go-aheads, SASL turns, `DONE`, texts without a code,
//! and how the leg to the app was secured (see the folder's page).

use std::collections::HashMap;
use std::hash::Hasher;
use std::path::Path;

use super::digest::{Digest, Digester, digest, digest_octets};
use super::facts::Facts;
use super::numbering::Numbering;
use crate::error::{Error, Result};
use crate::event::{Peer, Piece, Reading, Relation, Said, Status};
use crate::limits;
use crate::protocol::imap::{State, sameness};
use crate::recording::{self, Heard, Side, outline};

/// One recording.
#[derive(Default)]
pub struct Conversation {
    /// Those connections in which something was said, in the order in which they began.
    pub connections: Vec<Connection>,
    /// What is to be said about a file that ends before its end.
    pub torn: Option<String>,
}

/// One connection.
#[derive(Default)]
pub struct Connection {
    /// Its number in the recording.
    pub conn: u64,
    /// What the server said first.
    pub greeting: Option<Answer>,
    /// In the order of their commands.
    pub exchanges: Vec<Exchange>,
    /// What nobody asked for, and in which exchange, or behind which, it came.
    pub unasked: Vec<(usize, Answer)>,
    /// The app secured its leg by STARTTLS.
    pub has_starttls: bool,
}

/// A command and what answers it.
pub struct Exchange {
    /// Where the command is: its event's number, or its line.
    pub n: u64,
    /// The command.
    pub command: Said,
    /// The digests of its literals that are too large to be held, in order.
    pub long: Vec<Digest>,
    /// What stands for its meaning.
    pub key: Digest,
    /// Whether a user was logged in.
    pub is_authenticated: bool,
    /// The mailbox that was selected.
    pub mailbox: Option<Vec<u8>>,
    /// Untagged responses.
    pub answers: Vec<Answer>,
    /// The tagged response.
    pub end: Option<Answer>,
    /// What stands for all answers, in any order; set when the recording was read.
    pub answers_key: Digest,
}

/// A response.
pub struct Answer {
    /// The response.
    pub said: Said,
    /// The digests of its streamed literals.
    pub long: Vec<Digest>,
    /// The number before its name, as it was when the exchange began.
    pub number: Option<u64>,
    /// It may as well have been asked for by another command.
    pub is_ambiguous: bool,
}

impl Answer {
    /// What it says, of messages as they were numbered when the exchange began.
    pub fn facts(&self) -> Option<Facts> {
        Facts::of(&self.said, self.number, &self.long)
    }

    /// What it says, of messages as it numbers them.
    pub fn facts_as_numbered(&self) -> Option<Facts> {
        Facts::of(&self.said, number(&self.said), &self.long)
    }
}

fn number(said: &Said) -> Option<u64> {
    match said.reading {
        Reading::Untagged { number, .. } => number,
        _ => None,
    }
}

impl Exchange {
    /// The command's name, upper case; empty for none.
    pub fn name(&self) -> &str {
        match &self.command.reading {
            Reading::Command {
                name: Some(name), ..
            } => name,
            _ => "",
        }
    }

    /// What answers it, what is said of one message joined.
    pub fn facts(&self) -> Vec<(&Answer, Facts)> {
        let mut all: Vec<(&Answer, Facts)> = Vec::with_capacity(self.answers.len());
        let mut fetched: HashMap<u64, usize> = HashMap::new();
        for answer in &self.answers {
            let Some(mut facts) = answer.facts() else {
                continue;
            };
            let number = answer.number.filter(|_| facts.name == "FETCH");
            if let Some(before) = number.and_then(|number| fetched.get(&number)) {
                match all[*before].1.join(facts) {
                    Ok(()) => continue,
                    Err(not_joined) => facts = not_joined,
                }
            }
            if let Some(number) = number {
                fetched.insert(number, all.len());
            }
            all.push((answer, facts));
        }
        all
    }

    fn digest_answers(&self) -> Digest {
        let mut all: Vec<Digest> = self
            .facts()
            .iter()
            .map(|(_, facts)| facts.digest())
            .collect();
        all.sort_unstable();
        let end = self.end.as_ref().and_then(Answer::facts);
        digest(&(all, end))
    }
}

impl Conversation {
    /// Reads a recording.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no recording, or nothing is said in it.
    pub fn open(path: &Path) -> Result<Self> {
        let mut building = Building::default();
        let torn = recording::open(path, Side::App, |heard| building.hear(heard))?;
        let conversation = building.finish(torn);
        match conversation.connections.is_empty() {
            true => Err(Error::new(
                format!("compare {}", path.display()),
                "nothing is said in it",
            )
            .hint("a transcript of a session, such as mailscope record writes")),
            false => Ok(conversation),
        }
    }

    /// Reads a recording in one of its forms; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// It is no recording.
    pub fn read(recording: Vec<u8>, name: &str) -> Result<Self> {
        let mut building = Building::default();
        let recording = std::io::Cursor::new(recording);
        let torn = recording::read(recording, name, Side::App, |heard| building.hear(heard))?;
        Ok(building.finish(torn))
    }
}

/// All connections while they are read.
#[derive(Default)]
struct Building {
    all: Vec<Listener>,
    places: HashMap<u64, usize>,
}

impl Building {
    fn hear(&mut self, heard: Heard) {
        let place = *self.places.entry(heard.conn).or_insert_with(|| {
            self.all.push(Listener::new(heard.conn));
            self.all.len() - 1
        });
        self.all[place].hear(heard);
    }

    fn finish(self, torn: Option<String>) -> Conversation {
        let all = self.all.into_iter().map(Listener::finish);
        let is_something = |one: &Connection| one.greeting.is_some() || !one.exchanges.is_empty();
        Conversation {
            connections: all.filter(is_something).collect(),
            torn,
        }
    }
}

/// A connection while it is read.
struct Listener {
    connection: Connection,
    /// Where the commands are, by their number.
    places: HashMap<u64, usize>,
    /// Message numbers in each exchange.
    numberings: Vec<Numbering>,
    /// The exchange in which something happened last.
    last: usize,
    mailbox: Option<Vec<u8>>,
    /// The literal of each direction that is streaming.
    streaming: [Digester; 2],
    /// What stands for a literal up to and with this part.
    parts: HashMap<u64, Digest>,
    /// Where the latest count of messages is that nobody asked for, by its name.
    counts: HashMap<String, usize>,
}

/// Which large literals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Large {
    /// Those that went out in parts.
    Streamed,
    /// Those too that a recording made by hand has whole.
    All,
}

impl Listener {
    fn new(conn: u64) -> Self {
        Self {
            connection: Connection {
                conn,
                ..Connection::default()
            },
            places: HashMap::new(),
            numberings: Vec::new(),
            last: 0,
            mailbox: None,
            streaming: [Digester::new(), Digester::new()],
            parts: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    fn hear(&mut self, heard: Heard) {
        let Heard {
            n,
            place,
            state,
            said,
            ..
        } = heard;
        match &said.reading {
            Reading::LiteralPart { offset, .. } => {
                let streaming = &mut self.streaming[usize::from(said.from == Peer::Server)];
                if *offset == 0 {
                    *streaming = Digester::new();
                }
                streaming.write(said.wire.bytes());
                self.parts.insert(n, streaming.digest());
            }
            Reading::Command { .. } => self.command(n, place, state, said),
            _ if said.from == Peer::Server => self.server(said),
            _ => {}
        }
    }

    fn command(&mut self, n: u64, place: u64, state: State, said: Said) {
        let long = self.long(&said, Large::All);
        let mut key = sameness::digest(&said);
        if let Reading::Command { name: None, .. } = said.reading {
            key.extend(outline(&said).into_bytes());
        }
        self.last = self.connection.exchanges.len();
        self.places.insert(n, self.last);
        self.numberings.push(Numbering::default());
        self.counts.clear();
        self.connection.exchanges.push(Exchange {
            n: place,
            key: digest(&(key, &long)),
            long,
            is_authenticated: matches!(state, State::Authenticated | State::Selected),
            mailbox: self.mailbox.clone().filter(|_| state == State::Selected),
            command: said,
            answers: Vec::new(),
            end: None,
            answers_key: 0,
        });
    }

    fn server(&mut self, said: Said) {
        let (place, is_ambiguous) = match &said.relation {
            Relation::Answers(command) => (self.places.get(command), false),
            Relation::Ambiguous(several) => {
                (several.first().and_then(|n| self.places.get(n)), true)
            }
            Relation::None | Relation::Unsolicited => (None, false),
        };
        let place = place.copied();
        let at = place.unwrap_or(self.last);
        self.last = at;
        let answer = Answer {
            number: self.numbered(at, &said),
            long: self.long(&said, Large::Streamed),
            said,
            is_ambiguous,
        };
        match (&answer.said.reading, place) {
            (Reading::Greeting { .. }, _) => self.connection.greeting = Some(answer),
            (Reading::ContinuationRequest { .. }, _) => {}
            (Reading::Tagged { status, .. }, Some(place)) => {
                self.moved_to(place, *status);
                self.connection.exchanges[place].end = Some(answer);
            }
            (_, Some(place)) => self.connection.exchanges[place].answers.push(answer),
            (_, None) => self.unasked(at, answer),
        }
    }

    /// A message number as it was when the exchange began.
    fn numbered(&mut self, exchange: usize, said: &Said) -> Option<u64> {
        let number = number(said)?;
        let Reading::Untagged { name, .. } = &said.reading else {
            return Some(number);
        };
        let Some(numbering) = self.numberings.get_mut(exchange) else {
            return Some(number);
        };
        Some(match &**name {
            "EXPUNGE" => numbering.gone(number),
            "EXISTS" => numbering.count(number),
            "FETCH" => numbering.before(number),
            _ => number,
        })
    }

    fn unasked(&mut self, at: usize, answer: Answer) {
        let Some(name) = answer.facts().map(|facts| facts.name) else {
            return;
        };
        let place = self.connection.unasked.len();
        match &*name {
            "EXPUNGE" | "VANISHED" => self.counts.clear(),
            // Only the latest count is true.
            "EXISTS" | "RECENT" => {
                if let Some(before) = self.counts.get(&name) {
                    self.connection.unasked[*before] = (at, answer);
                    return;
                }
                self.counts.insert(name, place);
            }
            _ => {}
        }
        self.connection.unasked.push((at, answer));
    }

    /// A command has ended with this status.
    fn moved_to(&mut self, place: usize, status: Option<Status>) {
        let exchange = &self.connection.exchanges[place];
        match (exchange.name(), status) {
            ("SELECT" | "EXAMINE", Some(Status::Ok)) => {
                let arguments = exchange.command.arguments();
                self.mailbox = arguments.first().and_then(sameness::mailbox);
            }
            ("SELECT" | "EXAMINE", Some(Status::No)) | ("CLOSE" | "UNSELECT", Some(Status::Ok)) => {
                self.mailbox = None
            }
            _ => {}
        }
    }

    /// The digests of a message's large literals.
    fn long(&mut self, said: &Said, which: Large) -> Vec<Digest> {
        let mut long = Vec::new();
        for piece in said.wire.pieces() {
            match piece {
                Piece::Streamed { parts, .. } => {
                    let digests = parts.iter().map(|part| self.parts.remove(part));
                    long.push(digests.last().flatten().unwrap_or_default());
                }
                Piece::Literal { content, .. }
                    if which == Large::All && content.len() as u64 > limits::LITERAL_HELD =>
                {
                    long.push(digest_octets(&said.wire.bytes()[content.clone()]));
                }
                _ => {}
            }
        }
        long
    }

    fn finish(self) -> Connection {
        let mut connection = self.connection;
        let is_starttls = |exchange: &Exchange| {
            let status = exchange.end.as_ref().map(|end| &end.said.reading);
            exchange.name() == "STARTTLS"
                && matches!(
                    status,
                    // A text does not have what mailscope answered.
                    None | Some(Reading::Tagged {
                        status: Some(Status::Ok),
                        ..
                    })
                )
        };
        if let Some(starttls) = connection.exchanges.iter().position(is_starttls) {
            connection.has_starttls = true;
            connection.set_aside(starttls);
        }
        for exchange in &mut connection.exchanges {
            exchange.answers_key = exchange.digest_answers();
        }
        connection
    }
}

impl Connection {
    /// STARTTLS, and what was asked before it about capabilities, which a client has to forget (RFC
    /// 9051, section 6.2.1).
    fn set_aside(&mut self, starttls: usize) {
        let is_kept = |place: usize, exchange: &Exchange| {
            place > starttls || !matches!(exchange.name(), "CAPABILITY" | "STARTTLS")
        };
        let mut kept = 0;
        let mut places = Vec::with_capacity(self.exchanges.len());
        let all = std::mem::take(&mut self.exchanges);
        for (place, exchange) in all.into_iter().enumerate() {
            places.push(kept);
            if is_kept(place, &exchange) {
                kept += 1;
                self.exchanges.push(exchange);
            }
        }
        for (at, _) in &mut self.unasked {
            *at = places.get(*at).copied().unwrap_or_default();
        }
    }
}

/// Whether a command only asks, so that it does not matter which of several such comes first.
pub fn only_asks(exchange: &Exchange) -> bool {
    let is_peek = || {
        let text = outline(&exchange.command).to_ascii_uppercase();
        !text.contains("BODY[") && !text.contains("RFC822.TEXT") && !text.contains("BINARY[")
    };
    match exchange.name() {
        "CAPABILITY" | "CHECK" | "GETACL" | "GETMETADATA" | "GETQUOTA" | "GETQUOTAROOT" | "ID"
        | "LIST" | "LISTRIGHTS" | "LSUB" | "MYRIGHTS" | "NAMESPACE" | "NOOP" | "SEARCH"
        | "SORT" | "STATUS" | "THREAD" | "UID SEARCH" | "UID SORT" | "UID THREAD" => true,
        "FETCH" | "UID FETCH" => is_peek(),
        _ => false,
    }
}
