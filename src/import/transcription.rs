//! A log, read like live octets: the same observer, masks and notes as in a recording.

use std::collections::HashMap;

use super::beginning::{Beginning, beginnings};
use super::{Layer, Log, Step, What};
use crate::error::Result;
use crate::event::{Body, Draft, Event, Gate, Micros, Note, Numbers, Passed, Peer, Secrets};
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;

/// The greeting in the place of one that was not kept, for a session before and behind its login.
const BEFORE_LOGIN: &[u8] = b"* OK mailscope: what was imported begins behind the greeting\r\n";
const BEHIND_LOGIN: &[u8] = b"* PREAUTH mailscope: what was imported begins behind the login\r\n";

/// Makes events of a log; `each` is given some at a time, in order.
///
/// # Errors
///
/// That of `each`.
pub fn transcribe(
    log: &Log,
    secrets: Secrets,
    mut each: impl FnMut(&[Event]) -> Result<()>,
) -> Result<()> {
    let mut transcription = Transcription {
        gate: Gate::new(secrets),
        shows_secrets: secrets == Secrets::Shown,
        first: log.steps.iter().map(|step| step.at).min().unwrap_or(0),
        beginnings: beginnings(&log.steps),
        connections: HashMap::new(),
        last: 0,
        why: log.damage.as_ref().map(crate::error::Error::in_one_line),
    };
    for step in &log.steps {
        each(&transcription.read(step))?;
    }
    each(&transcription.end())
}

struct Transcription {
    gate: Gate,
    shows_secrets: bool,
    /// The first step's time.
    first: u64,
    beginnings: HashMap<u64, Beginning>,
    connections: HashMap<u64, Connection>,
    /// The last event's number.
    last: u64,
    /// Why the rest could not be read.
    why: Option<String>,
}

struct Connection {
    observer: Observer,
    numbers: Numbers,
    is_begun: bool,
    at: Micros,
}

impl Transcription {
    fn read(&mut self, step: &Step) -> Vec<Event> {
        let mut drafts = Vec::new();
        let mut connection = self.connection(step, &mut drafts);
        let at = Micros(step.at.saturating_sub(self.first)).max(connection.at);
        connection.at = at;
        if matches!(step.what, What::Said(..)) {
            self.begin(step.conn, &mut connection, &mut drafts);
        }
        match &step.what {
            What::Connected { .. } | What::LoggedIn => {}
            What::Said(from, octets) => connection.say(*from, octets, &mut drafts),
            What::Missed(from, octets) => {
                connection.observer.missed(*from, *octets, at, &mut drafts);
            }
            What::Ended(from) => {
                let _ = connection.observer.ended(*from, at, &mut drafts);
                drafts.push(Draft::new(0, at, Body::HalfClosed { from: *from }));
            }
            What::Closed => connection.close(None, &mut drafts),
            What::Ordered => drafts.push(note(at, &Note::OrderNotKept)),
            What::Opaque => {
                connection.is_begun = true;
                if connection.observer.opaque_from_here(at, &mut drafts) {
                    drafts.push(note(at, &Note::ImportOpaque));
                }
            }
            What::GoesOn => connection.observer.goes_on(&mut drafts),
            What::Refused => connection.observer.goes_not_on(&mut drafts),
            What::Mended(announced) => {
                let announced = *announced;
                drafts.push(note(at, &Note::LiteralCountMended { announced }));
            }
            What::Supplied => drafts.push(note(at, &Note::LoginNotKept)),
            What::Damaged(octets) => {
                let why = self.why.clone().unwrap_or_default();
                connection.observer.missed_again();
                drafts.push(Draft::new(
                    0,
                    at,
                    Body::Gap {
                        octets: *octets,
                        missed_by: crate::event::MissedBy::Transcript,
                    },
                ));
                drafts.push(note(at, &Note::ImportEnds { why }));
            }
        }
        let events = self.numbered(&mut connection, drafts);
        if !matches!(step.what, What::Closed) {
            self.connections.insert(step.conn, connection);
        }
        events
    }

    /// The step's connection, taken out; one that is new is told.
    fn connection(&mut self, step: &Step, drafts: &mut Vec<Draft>) -> Connection {
        if let Some(connection) = self.connections.remove(&step.conn) {
            return connection;
        }
        let (client, server, layer) = match &step.what {
            What::Connected {
                client,
                server,
                layer,
            } => (client.clone(), server.clone(), *layer),
            _ => ("unknown".into(), "unknown".into(), Layer::Inside),
        };
        let observer = match layer {
            Layer::Wire => Observer::new(self.gate.clone()),
            Layer::Inside => Observer::of_log(self.gate.clone()),
        };
        let at = Micros(step.at.saturating_sub(self.first));
        drafts.push(Draft::new(0, at, Body::Connected { client, server }));
        if self.shows_secrets {
            drafts.push(note(at, &Note::SecretsShown));
        }
        Connection {
            observer,
            numbers: Numbers::new(step.conn),
            is_begun: false,
            at,
        }
    }

    /// Before the first thing that is said: what was said before it and not kept.
    fn begin(&self, conn: u64, connection: &mut Connection, drafts: &mut Vec<Draft>) {
        if std::mem::replace(&mut connection.is_begun, true) {
            return;
        }
        let at = connection.at;
        let beginning = self.beginnings.get(&conn).unwrap_or(&Beginning::Greeting);
        let greeting = match beginning {
            Beginning::Greeting => return,
            Beginning::LoginAnswer(_) | Beginning::Later => BEFORE_LOGIN,
            Beginning::LoggedIn => BEHIND_LOGIN,
        };
        let begun = drafts.len();
        connection.say(Peer::Server, greeting, drafts);
        for draft in &mut drafts[begun..] {
            if let Body::Said(said) = draft.body_mut() {
                said.passed = Passed::Own;
            }
        }
        if let Beginning::LoginAnswer(tag) = beginning {
            let login = [tag.as_slice(), b" LOGIN unknown unknown\r\n"].concat();
            connection.say(Peer::Client, &login, drafts);
        }
        drafts.push(note(at, &Note::LoginNotKept));
    }

    fn numbered(&mut self, connection: &mut Connection, drafts: Vec<Draft>) -> Vec<Event> {
        let number = |draft| {
            self.last += 1;
            connection.numbers.number(draft, self.last)
        };
        drafts.into_iter().map(number).collect()
    }

    /// The connections that nobody ended.
    fn end(&mut self) -> Vec<Event> {
        let mut open: Vec<_> = self.connections.drain().collect();
        open.sort_by_key(|(conn, _)| *conn);
        let mut events = Vec::new();
        for (_, mut connection) in open {
            let mut drafts = Vec::new();
            connection.close(Some("what was imported ends here"), &mut drafts);
            events.extend(self.numbered(&mut connection, drafts));
        }
        events
    }
}

impl Connection {
    fn say(&mut self, from: Peer, octets: &[u8], drafts: &mut Vec<Draft>) {
        let at = self.at;
        for octets in octets.chunks(crate::limits::READ) {
            let _ = self.observer.observe(from, octets, at, drafts); // nothing is passed on
            while self.observer.read_on(drafts) {}
        }
    }

    fn close(&mut self, reason: Option<&str>, drafts: &mut Vec<Draft>) {
        for from in [Peer::Client, Peer::Server] {
            let _ = self.observer.ended(from, self.at, drafts);
        }
        let reason = reason.map(str::to_owned);
        drafts.push(Draft::new(0, self.at, Body::Closed { reason }));
    }
}

fn note(at: Micros, note: &Note) -> Draft {
    Draft::new(0, at, Body::Note(note.finding()))
}
