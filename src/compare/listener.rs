//! A recording's messages, put into exchanges as they come.

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::Arc;

use super::digest::{Digest, Digester, digest, digest_octets};
use super::exchange::{Answer, Connection, Conversation, Exchange, number};
use super::ignored::Ignored;
use super::numbering::Numbering;
use crate::event::{Peer, Piece, Reading, Relation, Said, Status};
use crate::limits;
use crate::protocol::imap::{State, sameness};
use crate::recording::{Heard, outline};

/// All connections while they are read.
pub struct Building {
    ignored: Arc<Ignored>,
    all: Vec<Listener>,
    places: HashMap<u64, usize>,
}

impl Building {
    /// Nothing was said yet, and some of what will be is not to be compared.
    pub fn new(ignored: &Ignored) -> Self {
        Self {
            ignored: Arc::new(ignored.clone()),
            all: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Takes in what was said next.
    pub fn hear(&mut self, heard: Heard) {
        let place = *self.places.entry(heard.conn).or_insert_with(|| {
            self.all.push(Listener::new(heard.conn, &self.ignored));
            self.all.len() - 1
        });
        self.all[place].hear(heard);
    }

    /// All that was said; `torn` is to be said about the file.
    pub fn finish(self, torn: Option<String>) -> Conversation {
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
    /// And since the mailbox was selected.
    lasting: Numbering,
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
    fn new(conn: u64, ignored: &Arc<Ignored>) -> Self {
        Self {
            connection: Connection {
                conn,
                ignored: Arc::clone(ignored),
                ..Connection::default()
            },
            places: HashMap::new(),
            numberings: Vec::new(),
            lasting: Numbering::default(),
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
        if let Reading::Command {
            name: Some(name), ..
        } = &said.reading
            && matches!(&**name, "SELECT" | "EXAMINE")
        {
            self.lasting = Numbering::default();
        }
        let waits = matches!(&said.reading, Reading::Command { name: Some(name), .. }
            if matches!(&**name, "CHECK" | "IDLE" | "NOOP"));
        if !waits {
            self.counts.clear();
        }
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
        let (long, number) = (self.long(&said, Large::Streamed), self.numbered(at, &said));
        let lasting = numbered_by(&mut self.lasting, &said);
        let mut answer = Answer::new(said, long, number);
        answer.lasting = lasting;
        answer.is_ambiguous = is_ambiguous;
        answer.ignored = Arc::clone(&self.connection.ignored);
        match (answer.reading(), place) {
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
        match self.numberings.get_mut(exchange) {
            Some(numbering) => numbered_by(numbering, said),
            None => number(said),
        }
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
            let status = exchange.end.as_ref().map(Answer::reading);
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
        // And what was asked before it about capabilities, which a client has to forget then (RFC 9051,
        // section 6.2.1).
        if let Some(starttls) = connection.exchanges.iter().position(is_starttls) {
            connection.has_starttls = true;
            connection.keep(|place, exchange| {
                place > starttls || !matches!(exchange.name(), "CAPABILITY" | "STARTTLS")
            });
        }
        let ignored = Arc::clone(&connection.ignored);
        connection.keep(|_, exchange| !ignored.has(exchange.name()));
        for exchange in &mut connection.exchanges {
            exchange.answers_key = exchange.digest_answers();
        }
        connection
    }
}

/// A message number as it was when this numbering began; EXPUNGE goes on with it.
fn numbered_by(numbering: &mut Numbering, said: &Said) -> Option<u64> {
    let number = number(said)?;
    let Reading::Untagged { name, .. } = &said.reading else {
        return Some(number);
    };
    Some(match &**name {
        "EXPUNGE" => numbering.gone(number),
        "EXISTS" => numbering.count(number),
        "FETCH" => numbering.before(number),
        _ => number,
    })
}

impl Connection {
    /// Keeps some exchanges, and what came unasked in the others.
    fn keep(&mut self, is_kept: impl Fn(usize, &Exchange) -> bool) {
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
