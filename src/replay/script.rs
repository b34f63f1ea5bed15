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
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::whereabouts::{Place, Whereabouts};
use crate::error::{Doing, Error, Result};
use crate::event::{
    Awaited, Body, Draft, Gate, Label, Message, Micros, Passed, Peer, Piece, Reading, Recorded,
    RecordedBody, Relation, Said, Secret, Secrets,
};
use crate::limits;
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;
use crate::transcript::{Reader, is_text, read_text};

/// Everything that can be played.
#[derive(Default)]
pub struct Script {
    /// In the order in which they began.
    pub sessions: Vec<Session>,
}

/// One recorded connection.
#[derive(Default)]
pub struct Session {
    /// What its server said first.
    pub greeting: Option<Line>,
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
    /// What was said then.
    pub turns: Vec<Turn>,
}

/// A turn of an exchange.
pub enum Turn {
    /// The server says this.
    Say {
        /// What.
        line: Line,
        /// How long after the turn before it.
        pause: Micros,
    },
    /// The client goes on: a SASL response, or `DONE`.
    Await,
}

/// A server's message, in which the tag is still to be filled in.
#[derive(Default)]
pub struct Line(Vec<Chunk>);

enum Chunk {
    Octets(Vec<u8>),
    Tag,
}

impl Line {
    /// Its octets, for a command with this tag.
    pub fn with_tag(&self, tag: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        for chunk in &self.0 {
            octets.extend_from_slice(match chunk {
                Chunk::Octets(chunk) => chunk,
                Chunk::Tag => tag,
            });
        }
        octets
    }
}

impl Exchange {
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
    /// Reads a recording from a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no transcript: file, line and reason.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).doing(|| format!("read {name}"))?;
        Self::read(BufReader::with_capacity(limits::READ, file), &name)
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
        let name = path.display().to_string();
        let file = File::open(path).doing(|| format!("read {name}"))?;
        Self::read_even_empty(BufReader::with_capacity(limits::READ, file), &name)
    }

    fn read_even_empty(mut recording: impl BufRead + Send + 'static, name: &str) -> Result<Self> {
        let doing = || format!("read {name}");
        let mut connections = Connections::default();
        if is_text(recording.fill_buf().doing(doing)?) {
            let mut text = Vec::new();
            recording.read_to_end(&mut text).doing(doing)?;
            let lines = read_text(&text)
                .map_err(|(line, why)| Error::new(format!("read {name}, line {line}"), why))?;
            for line in lines {
                connections.of(line.conn).hear(line.from, &line.octets);
            }
        } else {
            for recorded in Reader::new(recording, name)? {
                let recorded = recorded?;
                connections.of(recorded.conn).read(recorded);
            }
        }
        Ok(Self::of(connections.all))
    }

    fn of(connections: Vec<Connection>) -> Self {
        let mut script = Self::default();
        let sessions = connections.into_iter().map(Connection::ended);
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
    observer: Observer,
    whereabouts: Whereabouts,
    session: Session,
    /// Octets of the literal parts that no message has referred to yet.
    parts: HashMap<u64, Vec<u8>>,
    /// The exchange that something happened in last, and when.
    last: Option<usize>,
    at: Micros,
    /// The commands that have their tagged response.
    answered: HashSet<u64>,
}

impl Connection {
    fn new() -> Self {
        Self {
            observer: Observer::new(Gate::new(Secrets::Shown)),
            whereabouts: Whereabouts::default(),
            session: Session::default(),
            parts: HashMap::new(),
            last: None,
            at: Micros::default(),
            answered: HashSet::new(),
        }
    }

    /// What was added and never got its answer is still to be asked for.
    fn ended(mut self) -> Session {
        if self.session.is_addition {
            let is_answered = |exchange: &Exchange| self.answered.contains(&exchange.n);
            self.session.exchanges.retain(is_answered);
        }
        self.session
    }

    fn read(&mut self, recorded: Recorded) {
        let Recorded { n, at, body, .. } = recorded;
        let RecordedBody::Message(message) = body else {
            return;
        };
        let place = self.whereabouts.place(self.observer.state());
        let mut drafts = Vec::new();
        self.observer.read_again(n, at, *message, &mut drafts);
        for draft in drafts {
            if let Body::Said(said) = Draft::into_body(draft) {
                self.said(n, at, *said, &place);
            }
        }
        self.at = at;
    }

    /// Takes in octets that were never read as messages.
    fn hear(&mut self, from: Peer, octets: &[u8]) {
        let place = self.whereabouts.place(self.observer.state());
        let mut drafts = Vec::new();
        let _ = self.observer.observe(from, octets, self.at, &mut drafts);
        for draft in drafts {
            let n = draft.ordinal();
            if let Body::Said(said) = Draft::into_body(draft) {
                self.said(n, self.at, *said, &place);
            }
        }
    }

    fn said(&mut self, n: u64, at: Micros, said: Said, place: &Place) {
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
                self.session.exchanges.push(Exchange {
                    n,
                    command: said,
                    place: place.clone(),
                    turns: Vec::new(),
                });
            }
            Reading::Continuation { tag, .. } if !matches!(said.passed, Passed::Own) => {
                let of_tag = |exchange: &Exchange| match &exchange.command.reading {
                    Reading::Command { tag: own, .. } => own == tag,
                    _ => false,
                };
                if let Some(place) = self.session.exchanges.iter().rposition(of_tag) {
                    self.session.exchanges[place].turns.push(Turn::Await);
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
        self.session.is_addition |= matches!(said.reading, Reading::Greeting { .. }) && is_withheld;
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
            (Reading::Greeting { .. }, _) => {
                self.session.greeting = Some(line);
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
        match place.and_then(|place| exchanges.get_mut(place)) {
            Some(exchange) => {
                exchange.turns.push(Turn::Say { line, pause });
                self.last = place;
            }
            None if self.session.is_addition => {}
            None => self
                .session
                .greeting
                .get_or_insert_default()
                .0
                .extend(line.0),
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
                    for part in parts {
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

impl Line {
    fn octets(&mut self, octets: &[u8]) {
        match self.0.last_mut() {
            Some(Chunk::Octets(last)) => last.extend_from_slice(octets),
            _ => self.0.push(Chunk::Octets(octets.to_vec())),
        }
    }

    /// Text that begins at this octet of the message, with the tags in it left open.
    fn text(&mut self, text: &[u8], start: usize, tags: &[std::ops::Range<usize>]) {
        let mut at = 0;
        for tag in tags {
            let is_within = tag.start >= start + at && tag.end <= start + text.len();
            if is_within {
                self.octets(&text[at..tag.start - start]);
                self.0.push(Chunk::Tag);
                at = tag.end - start;
            }
        }
        self.octets(&text[at..]);
    }
}

/// What is said where a recording has a mask: a challenge has to be base64.
fn stand_in(secret: Secret) -> &'static [u8] {
    match secret {
        Secret::Challenge => b"bWFza2Vk",
        _ => b"masked",
    }
}
