//! What a recording's server says to which command, and where in a session that is.
//!
//! ```text
//! Script
//!   Session              one recorded connection
//!     greeting
//!     Exchange           C: a1 SELECT INBOX
//!       Turn::Say        S: * 3 EXISTS
//!       Turn::Say        S: a1 OK          the tag is the live command's when it is said
//! ```
//!
//! What came unasked stands in the exchange that was going on, or behind the one before it.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use super::line::{Line, stand_in};
use super::login;
use super::whereabouts::{Place, Whereabouts};
use crate::error::{Error, Result};
use crate::event::{
    Awaited, Label, Message, Micros, Passed, Peer, Piece, Reading, Relation, Said, Status,
};
use crate::protocol::imap::State;
use crate::recording::{self, Heard, Input, Side};

/// Everything that can be played.
#[derive(Default)]
pub struct Script {
    /// In the order in which they began.
    pub sessions: Vec<Session>,
    /// What is to be said about recordings that end before their end; what is whole of them is played.
    pub torn: Vec<String>,
}

/// One recorded connection.
#[derive(Default)]
pub struct Session {
    /// What its server said first.
    pub greeting: Option<Line>,
    /// It said BYE, and nothing was asked of it.
    pub is_refused: bool,
    /// In the order of their commands.
    pub exchanges: Vec<Exchange>,
    /// Added to others by a replay: its server's greeting was not for the app.
    pub is_addition: bool,
}

/// A command and all that belongs to it.
pub struct Exchange {
    /// The command's number in the recording.
    pub n: u64,
    /// The command.
    pub command: Said,
    /// Where the session was when it was sent.
    pub place: Place,
    /// Who logs in with it.
    pub identity: Option<String>,
    /// What was said then.
    pub turns: Vec<Turn>,
    /// What becomes of the connection then.
    pub then: Then,
}

/// What becomes of a connection behind an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The session goes on: the command has its tagged response, or a later one has.
    GoesOn,
    /// It ends: with LOGOUT, or where the recording does within an answer, and no later command has one.
    Ends,
    /// It ends with a BYE that nobody asked for.
    EndsUnasked,
}

/// A turn of an exchange.
pub enum Turn {
    /// The server says this.
    Say {
        /// What.
        line: Line,
        /// How long after the turn before it.
        pause: Micros,
        /// Nobody asked for it.
        is_unsolicited: bool,
    },
    /// The client says something on it.
    Await(Going),
}

/// What a client says on an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    /// A SASL response, or `DONE`: it goes on.
    On,
    /// `*`: the SASL exchange is cancelled (RFC 9051, section 6.2.2).
    Back,
}

impl Exchange {
    /// Gives an IDLE the end that it has not in the recording.
    fn end_idle(&mut self) {
        if !self.turns.iter().any(|turn| matches!(turn, Turn::Await(_))) {
            self.turns.push(Turn::Await(Going::On));
        }
        let mut line = Line::default();
        line.tag();
        line.octets(b" OK done\r\n");
        self.turns.push(Turn::Say {
            line,
            pause: Micros::default(),
            is_unsolicited: false,
        });
        self.then = Then::GoesOn;
    }

    /// The command's name, upper case.
    pub fn name(&self) -> &str {
        match &self.command.reading {
            Reading::Command {
                name: Some(name), ..
            } => name,
            _ => "",
        }
    }
}

impl Script {
    /// Reads a recording from a file, or from standard input for `-`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no transcript: file, line and reason.
    pub fn open(path: &Path) -> Result<Self> {
        let Input { name, octets } = Input::open(path)?;
        Self::read(octets, &name)
    }

    /// Reads a recording; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// It is no transcript: line and reason.
    pub fn read(recording: impl BufRead + Send + 'static, name: &str) -> Result<Self> {
        Self::read_even_empty(recording, name)?.with_something(name)
    }

    /// As [`open`](Self::open), for a recording in which nothing may be said yet.
    pub(super) fn open_even_empty(path: &Path) -> Result<Self> {
        let Input { name, octets } = Input::open(path)?;
        Self::read_even_empty(octets, &name)
    }

    fn read_even_empty(recording: impl BufRead + Send + 'static, name: &str) -> Result<Self> {
        let mut connections = Connections::default();
        let torn = recording::read(recording, name, Side::Both, |heard| {
            connections.of(heard.conn).hear(heard);
        })?;
        let mut script = Self::of(connections.all);
        script.torn.extend(torn);
        Ok(script)
    }

    fn of(connections: Vec<Connection>) -> Self {
        let mut script = Self::default();
        let sessions = connections.into_iter().map(Connection::finish);
        script
            .sessions
            .extend(sessions.filter(|session| !session.is_empty()));
        script
    }

    fn with_something(self, name: &str) -> Result<Self> {
        match self.sessions.is_empty() {
            true => Err(
                Error::new(format!("replay {name}"), "nothing is said in it")
                    .hint("a transcript of a session, such as mailscope record writes"),
            ),
            false => Ok(self),
        }
    }

    /// Adds another recording's sessions behind these.
    pub fn append(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.torn.extend(other.torn);
    }
}

impl Session {
    fn is_empty(&self) -> bool {
        self.greeting.is_none() && self.exchanges.is_empty()
    }
}

/// All connections while they are being read, in the order in which they began.
#[derive(Default)]
struct Connections {
    all: Vec<Connection>,
    places: HashMap<u64, usize>,
}

impl Connections {
    fn of(&mut self, conn: u64) -> &mut Connection {
        let place = *self.places.entry(conn).or_insert_with(|| {
            self.all.push(Connection::new());
            self.all.len() - 1
        });
        &mut self.all[place]
    }
}

/// One connection while it is being read.
struct Connection {
    whereabouts: Whereabouts,
    session: Session,
    /// Octets of the literal parts that no message has referred to yet.
    parts: HashMap<u64, Vec<u8>>,
    /// The exchange that something happened in last, and when.
    last: Option<usize>,
    at: Micros,
    /// The commands that have their tagged response.
    answered: HashSet<u64>,
    /// Where the session was when each command was sent.
    sent_at: Vec<Place>,
    /// The server's greeting was kept from the app.
    is_withheld: bool,
    /// mailscope said something to the app in the server's place.
    is_ours: bool,
    /// Where the session is.
    place: Place,
}

impl Connection {
    fn new() -> Self {
        Self {
            whereabouts: Whereabouts::default(),
            session: Session::default(),
            parts: HashMap::new(),
            last: None,
            at: Micros::default(),
            answered: HashSet::new(),
            sent_at: Vec::new(),
            is_withheld: false,
            is_ours: false,
            place: Place::default(),
        }
    }

    fn hear(&mut self, heard: Heard) {
        let place = self.whereabouts.place(heard.state);
        if place != self.place && heard.state != State::Logout {
            // Commands that were sent ahead are carried out where the session is by then.
            let exchanges = self.session.exchanges.iter_mut();
            for exchange in exchanges.filter(|exchange| exchange.then == Then::Ends) {
                exchange.place = place.clone();
            }
        }
        self.place = place;
        self.said(heard.n, heard.at, heard.said);
        self.at = heard.at;
    }

    fn said(&mut self, n: u64, at: Micros, said: Said) {
        match &said.reading {
            Reading::LiteralPart { .. } => {
                self.parts.insert(n, said.wire.bytes().to_vec());
            }
            _ if said.from == Peer::Server => self.server(at, &said),
            // mailscope's own SELECT leads somewhere as well.
            Reading::Command { .. } if matches!(said.passed, Passed::Own) => {
                self.whereabouts.command(n, &said);
            }
            Reading::Command { .. } => {
                self.whereabouts.command(n, &said);
                self.last = Some(self.session.exchanges.len());
                self.sent_at.push(self.place.clone());
                self.session.exchanges.push(Exchange {
                    n,
                    identity: identity(&said),
                    command: said,
                    place: self.place.clone(),
                    turns: Vec::new(),
                    then: Then::Ends,
                });
            }
            Reading::Continuation { tag, identity, .. } if !matches!(said.passed, Passed::Own) => {
                let of_tag = |exchange: &Exchange| match &exchange.command.reading {
                    Reading::Command { tag: own, .. } => own == tag,
                    _ => false,
                };
                if let Some(place) = self.session.exchanges.iter().rposition(of_tag) {
                    let exchange = &mut self.session.exchanges[place];
                    exchange.turns.push(Turn::Await(login::going(&said)));
                    if let Some(identity) = identity {
                        exchange.identity.get_or_insert_with(|| identity.clone());
                    }
                    self.last = Some(place);
                }
            }
            _ => {}
        }
    }

    fn server(&mut self, at: Micros, said: &Said) {
        self.whereabouts.response(said);
        if let (Reading::Tagged { .. }, Relation::Answers(n)) = (&said.reading, &said.relation) {
            self.answered.insert(*n);
        }
        let is_withheld = matches!(&said.passed, Passed::Instead(sent) if sent.bytes().is_empty());
        self.is_withheld |= matches!(said.reading, Reading::Greeting { .. }) && is_withheld;
        self.is_ours |= matches!(said.passed, Passed::Own);
        let Some(line) = self.line(said) else {
            return;
        };
        let number = match &said.relation {
            Relation::Answers(n) => Some(*n),
            Relation::Ambiguous(several) => several.first().copied(),
            Relation::None | Relation::Unsolicited => None,
        };
        let exchanges = &mut self.session.exchanges;
        let place = match (&said.reading, number) {
            (Reading::Greeting { status }, _) => {
                self.session.greeting = Some(line);
                self.session.is_refused = *status == Some(Status::Bye);
                return;
            }
            // The live client's own literals decide about go-aheads.
            (
                Reading::ContinuationRequest {
                    awaited: Some(Awaited::Literal),
                    ..
                },
                _,
            ) => return,
            (_, Some(n)) => exchanges.iter().rposition(|exchange| exchange.n == n),
            (_, None) => self.last,
        };
        let pause = at.since(self.at);
        let is_bye = matches!(&said.reading, Reading::Untagged { status, .. }
            if *status == Some(Status::Bye));
        match place.and_then(|place| exchanges.get_mut(place)) {
            Some(exchange) => {
                exchange.turns.push(Turn::Say {
                    line,
                    pause,
                    is_unsolicited: said.relation == Relation::Unsolicited,
                });
                match &said.reading {
                    _ if exchange.name() == "LOGOUT" || exchange.then == Then::EndsUnasked => {}
                    _ if is_bye => exchange.then = Then::EndsUnasked,
                    Reading::Tagged { .. } => exchange.then = Then::GoesOn,
                    _ => {}
                }
                self.last = place;
            }
            None if self.is_withheld && !self.is_ours => {}
            None => {
                let greeting = &mut self.session.greeting;
                greeting.get_or_insert_default().extend(line);
                self.session.is_refused |= is_bye;
            }
        }
    }

    /// All of it was read.
    fn finish(mut self) -> Session {
        self.withheld_greeting();
        let exchanges = &mut self.session.exchanges;
        // What is never answered while a later command is leaves the app waiting, not the connection ended.
        let is_answered = |exchange: &Exchange| self.answered.contains(&exchange.n);
        let last = exchanges.iter().rposition(is_answered).unwrap_or_default();
        for (exchange, sent_at) in exchanges[..last].iter_mut().zip(self.sent_at) {
            if exchange.then == Then::Ends && !matches!(exchange.name(), "IDLE" | "LOGOUT") {
                exchange.then = Then::GoesOn;
                exchange.place = sent_at;
            }
        }
        // The leg to the app is secured for real, or not, whatever was recorded.
        exchanges.retain(|exchange| exchange.name() != "STARTTLS");
        if self.session.is_addition {
            // What never got its answer is still to be asked for.
            exchanges.retain(|exchange| self.answered.contains(&exchange.n));
        }
        for exchange in exchanges {
            // An app that leaves while it idles says nothing; another may go on.
            if exchange.name() == "IDLE" && exchange.then == Then::Ends {
                exchange.end_idle();
            }
        }
        self.session
    }

    /// Where the app had no greeting of the server, either it is an addition, which has a command of the
    /// app, or a fault struck.
    fn withheld_greeting(&mut self) {
        if !self.is_withheld {
            return;
        }
        let session = &mut self.session;
        session.is_addition = !self.is_ours && !session.exchanges.is_empty();
        if session.greeting.is_none() && !session.is_addition {
            // A connection that was broken off before a word.
            session.greeting = Some(Line::default());
            session.is_refused = true;
        }
    }

    /// What the app was given of a message; `None` for nothing.
    fn line(&mut self, said: &Said) -> Option<Line> {
        let message: &Message = match &said.passed {
            Passed::Instead(sent) if sent.bytes().is_empty() => return None,
            Passed::Instead(sent) => sent,
            Passed::AsRead | Passed::Own => &said.wire,
        };
        let tag = self.tag(said);
        let mut line = Line::default();
        for piece in message.pieces() {
            match piece {
                Piece::Text(range) => {
                    line.text(&message.bytes()[range.clone()], range.start, &tag);
                }
                Piece::Literal { .. } => line.octets(&message.bytes()[piece.range()]),
                Piece::Streamed { header, parts, .. } => {
                    line.octets(&message.bytes()[header.clone()]);
                    for part in parts.iter() {
                        line.octets(&self.parts.remove(part).unwrap_or_default());
                    }
                }
                Piece::Secret(secret, _) => line.octets(stand_in(*secret)),
            }
        }
        Some(line)
    }

    /// Where in a response's octets its command's tag stands: at the beginning of a tagged response,
    /// and in a search correlator, `(TAG "a1")` (RFC 4731, section 2.1).
    fn tag(&self, said: &Said) -> Vec<std::ops::Range<usize>> {
        if let Reading::Tagged { .. } = said.reading {
            let first = said.spans.first();
            return first.map(|span| span.range.clone()).into_iter().collect();
        }
        let Reading::Untagged { name, .. } = &said.reading else {
            return Vec::new();
        };
        if name != "ESEARCH" {
            return Vec::new();
        }
        let is_tag = |span: &crate::event::Span| said.span_bytes(span).eq_ignore_ascii_case(b"TAG");
        let word = said.spans.iter().position(is_tag);
        let Some(tag) = word.and_then(|word| said.spans.get(word + 1)) else {
            return Vec::new();
        };
        let range = match tag.label {
            Label::Quoted => tag.range.start + 1..tag.range.end - 1,
            _ => tag.range.clone(),
        };
        vec![range]
    }
}

fn identity(said: &Said) -> Option<String> {
    match &said.reading {
        Reading::Command { identity, .. } => identity.clone(),
        _ => None,
    }
}
