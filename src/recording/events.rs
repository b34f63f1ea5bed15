//! A transcript's whole events again: what `record` made of its octets, made anew.

use std::collections::{HashMap, VecDeque};

use crate::error::Result;
use crate::event::{Body, Draft, Event, Gate, Numbers, Recorded, RecordedBody, Secrets};
use crate::protocol::imap::Observer;
use crate::transcript::Reader;

/// The events of a transcript, in their order. After an error there are no more.
pub struct Events {
    reader: Reader,
    readings: Readings,
    ready: VecDeque<Event>,
}

impl Events {
    /// Of a transcript that is being read.
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            readings: Readings::default(),
            ready: VecDeque::new(),
        }
    }

    /// What is to be said of a file that ends before its end, once all of it is read.
    pub fn torn(&self) -> Option<String> {
        self.reader.torn()
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            match self.reader.next()? {
                Ok(recorded) => self.ready.extend(self.readings.read(recorded)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Makes whole events of recorded ones, each connection with a reader of its own.
#[derive(Default)]
pub struct Readings {
    connections: HashMap<u64, (Observer, Numbers)>,
}

impl Readings {
    /// The events that this recorded one is.
    pub fn read(&mut self, recorded: Recorded) -> Vec<Event> {
        let Recorded { n, conn, at, body } = recorded;
        let (observer, numbers) = self.connections.entry(conn).or_insert_with(|| {
            // What is recorded is masked already, or was to be shown.
            let gate = Gate::new(Secrets::Shown);
            (Observer::new(gate), Numbers::new(conn))
        });
        let mut drafts = Vec::new();
        let mut is_last = false;
        match body {
            RecordedBody::Bare(body) => {
                is_last = matches!(body, Body::Closed { .. });
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
