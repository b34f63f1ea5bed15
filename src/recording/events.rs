//! A transcript's whole events again: what `record` made of its octets, made anew.
//!
//! Of the short text form as well, whose events are numbered here and have no times.

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::path::Path;

use super::counts::{Counts, Wrong};
use super::input::{Form, Input};
use crate::error::{Doing, Error, Result};
use crate::event::{
    Body, Draft, Event, Gate, Micros, Note, Numbers, Peer, Reading, Recorded, RecordedBody,
    Secrets, Times,
};
use crate::protocol::imap::Observer;
use crate::transcript::{Header, Reader, TextLine, read_text_so_far};

/// The events of a transcript, in their order. After an error there are no more.
pub struct Events {
    source: Source,
    readings: Readings,
    /// With the line in which each begins.
    ready: VecDeque<(u64, Event)>,
    line: u64,
}

enum Source {
    Json(Box<Reader>),
    Text(Box<Text>),
}

/// A text whose lines are not all read.
struct Text {
    name: String,
    header: Header,
    lines: std::vec::IntoIter<TextLine>,
    /// What is wrong in the line behind them.
    wrong: Option<Wrong>,
    counts: Counts,
    /// The line in which a peer of a connection began the message that is not whole yet.
    begun: HashMap<(u64, Peer), u64>,
}

impl Events {
    /// Of a transcript that is being read.
    pub fn new(reader: Reader) -> Self {
        Self::of(Source::Json(Box::new(reader)))
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            readings: Readings::default(),
            ready: VecDeque::new(),
            line: 0,
        }
    }

    /// Of a file in either form, or of standard input for `-`; which form it has, is found out.
    ///
    /// # Errors
    ///
    /// It cannot be read, or begins as no recording does.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(Input::open(path)?)
    }

    /// As [`open`](Self::open), of what is open already.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn read(input: Input) -> Result<Self> {
        let Input { name, mut octets } = input;
        if Form::of(&name, &mut octets)? == Form::Json {
            return Ok(Self::new(Reader::new(octets, name)?));
        }
        let mut text = Vec::new();
        octets
            .read_to_end(&mut text)
            .doing(|| format!("read {name}"))?;
        let (lines, wrong) = read_text_so_far(&text);
        Ok(Self::of(Source::Text(Box::new(Text {
            name,
            header: Header::unknown(),
            lines: lines.into_iter(),
            wrong,
            counts: Counts::default(),
            begun: HashMap::new(),
        }))))
    }

    /// What the recording says about itself; of a text, nothing is known.
    pub fn header(&self) -> &Header {
        match &self.source {
            Source::Json(reader) => reader.header(),
            Source::Text(text) => &text.header,
        }
    }

    /// Whether it says when something was said.
    pub fn times(&self) -> Times {
        match &self.source {
            Source::Json(_) => Times::Told,
            Source::Text(_) => Times::Untold,
        }
    }

    /// The line of the file in which the event begins that came last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// What is to be said of a file that ends before its end, once all of it is read.
    pub fn torn(&self) -> Option<String> {
        match &self.source {
            Source::Json(reader) => reader.torn(),
            Source::Text(_) => None,
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((line, event)) = self.ready.pop_front() {
                self.line = line;
                return Some(Ok(event));
            }
            match &mut self.source {
                Source::Json(reader) => match reader.next()? {
                    Ok(recorded) => {
                        let events = self.readings.read(recorded).into_iter();
                        let line = reader.line();
                        self.ready.extend(events.map(|event| (line, event)));
                    }
                    Err(error) => return Some(Err(error)),
                },
                Source::Text(text) => {
                    let heard = match text.lines.next() {
                        Some(line) => {
                            let heard = self.readings.hear(&line, &mut text.counts);
                            heard.map(|events| text.placed(&line, events))
                        }
                        None => {
                            let end = std::mem::take(&mut text.counts).end();
                            match text.wrong.take().map_or(end, Err) {
                                Ok(()) => return None,
                                Err(wrong) => Err(wrong),
                            }
                        }
                    };
                    match heard {
                        Ok(events) => self.ready.extend(events),
                        Err(wrong) => {
                            text.lines = Vec::new().into_iter();
                            text.wrong = None;
                            text.counts = Counts::default();
                            return Some(Err(broken(&text.name, wrong)));
                        }
                    }
                }
            }
        }
    }
}

impl Text {
    /// The events that a line has become, each with the line in which its message began.
    fn placed(&mut self, line: &TextLine, events: Vec<Event>) -> Vec<(u64, Event)> {
        let key = (line.conn, line.from);
        let mut begun = *self.begun.entry(key).or_insert(line.number);
        let place = |event: Event| {
            let is_said = matches!(&event.body, Body::Said(said) if said.from == line.from);
            if is_said {
                begun = self.begun.remove(&key).unwrap_or(begun);
            }
            (begun, event)
        };
        events.into_iter().map(place).collect()
    }
}

fn broken(name: &str, (line, why): Wrong) -> Error {
    Error::new(format!("read {name}, line {line}"), why)
}

/// A text does not say how long something took.
fn forget_times(event: &mut Event) {
    if let Body::Said(said) = &mut event.body {
        match &mut said.reading {
            Reading::Tagged { elapsed: took, .. } | Reading::Continuation { idled: took, .. } => {
                *took = None;
            }
            _ => {}
        }
    }
}

/// Makes whole events of recorded ones, each connection with a reader of its own.
#[derive(Default)]
pub struct Readings {
    connections: HashMap<u64, (Observer, Numbers)>,
    /// Events that a text has become.
    heard: u64,
}

impl Readings {
    /// What is recorded is masked already, or was to be shown.
    fn connection(&mut self, conn: u64) -> &mut (Observer, Numbers) {
        self.connections.entry(conn).or_insert_with(|| {
            let gate = Gate::new(Secrets::Shown);
            (Observer::new(gate), Numbers::new(conn))
        })
    }

    fn hear(&mut self, line: &TextLine, counts: &mut Counts) -> Result<Vec<Event>, Wrong> {
        let mut n = self.heard;
        let (observer, numbers) = self.connection(line.conn);
        let at = Micros::default();
        let mut drafts = Vec::new();
        if line.is_behind_refusal {
            observer.goes_not_on(&mut drafts);
            counts.refused(line.conn);
        }
        counts.before(line)?;
        let refused = drafts.len();
        if line.is_opaque {
            if observer.opaque_from_here(at, &mut drafts) {
                let note = Note::ImportOpaque.finding();
                drafts.push(Draft::new(0, at, Body::Note(note)));
            }
        } else if line.from == Peer::Client && observer.awaits_go_ahead() {
            // It went on, so it was told to, whether that was written down or not.
            observer.hear_again(Peer::Server, b"+ OK\r\n", at, &mut Vec::new());
        }
        observer.hear_again(line.from, &line.octets, at, &mut drafts);
        let said = drafts[refused..]
            .iter()
            .filter_map(|draft| match draft.body() {
                Body::Said(said) => Some(&**said),
                _ => None,
            });
        counts.after(line, said)?;
        let number = |draft| {
            n += 1;
            let mut event = numbers.number(draft, n);
            forget_times(&mut event);
            event
        };
        let events = drafts.into_iter().map(number).collect();
        self.heard = n;
        Ok(events)
    }

    /// What the next recorded event is; they come in their order.
    pub fn read(&mut self, recorded: Recorded) -> Vec<Event> {
        let Recorded { n, conn, at, body } = recorded;
        let (observer, numbers) = self.connection(conn);
        let mut drafts = Vec::new();
        let mut is_last = false;
        match body {
            RecordedBody::Bare(body) => {
                is_last = matches!(body, Body::Closed { .. });
                if matches!(body, Body::Gap { .. }) {
                    observer.missed_again();
                }
                drafts.push(Draft::new(n, at, body));
            }
            RecordedBody::Message(message) => observer.read_again(n, at, *message, &mut drafts),
        }
        let number = |draft| numbers.number(draft, n);
        let events = drafts.into_iter().map(number).collect();
        if is_last {
            self.connections.remove(&conn);
        }
        events
    }
}
