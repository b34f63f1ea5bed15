//! A transcript as a growing document: valid JSON after every write.
//!
//! ```text
//! {"mailscope":{...},
//! "events":[
//! {"n":1,...},
//! {"n":2,...}          <- the end of the events
//! ]}                   <- the closing, overwritten by the next events and written behind them again
//! ```
//!
//! Not a file: what it writes to is a [`Storage`], so that a full disk can be had in a test. It
//! promises that events and closing go out in one call, and that a write that failed is undone.

use std::io;

use crate::event::Event;
use crate::limits;

use super::header::Header;
use super::json::write_event;

/// What stands behind the last event.
const CLOSING: &[u8] = b"\n]}\n";

/// Octets of memory that a batch keeps: it grows past what one call writes by one event, and a larger one's
/// memory is given back.
const KEPT: usize = 2 * limits::TRANSCRIPT_WRITE;

/// Where a document lies.
pub(super) trait Storage {
    /// Writes all octets at this offset, in one call if the system takes them.
    fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts off what lies behind this length.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// Sees to it that what was written is still there; where it is not, and nowhere else, `empty` is.
    fn keep(&mut self, _empty: &[u8]) -> io::Result<Contents> {
        Ok(Contents::Whole)
    }
}

/// What is left of what was written to a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is lost is not there to be written behind"]
pub(super) enum Contents {
    /// All of it.
    Whole,
    /// Nothing: it holds an empty document.
    Lost,
}

/// A document and where its events end.
pub(super) struct Document<S> {
    storage: S,
    /// What it is without events.
    empty: Vec<u8>,
    end: u64,
    events: u64,
    batch: Vec<u8>,
    /// Takes turns with the batch.
    next: Vec<u8>,
    /// What stands behind the events of a document that was there, until more are written.
    tail: Tail,
}

/// What stands behind the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// [`CLOSING`].
    Closing,
    /// Another closing of so many octets, which an editor or a tool wrote.
    Other(u64),
    /// None, or half an event.
    Torn,
}

/// The document without events.
pub(super) fn empty(header: &Header) -> Vec<u8> {
    let mut octets = b"{\"mailscope\":".to_vec();
    header.write(&mut octets);
    octets.extend_from_slice(b",\n\"events\":[");
    octets.extend_from_slice(CLOSING);
    octets
}

impl<S: Storage> Document<S> {
    /// Writes the empty document.
    pub(super) fn begin(mut storage: S, header: &Header) -> io::Result<Self> {
        let octets = empty(header);
        storage.write_at(&octets, 0)?;
        Ok(Self::of_empty(storage, octets))
    }

    /// Goes on with a document whose events, so many, end at `end`, and which is `empty` without them.
    /// Nothing is written yet.
    pub(super) fn resume(storage: S, empty: Vec<u8>, end: u64, events: u64, tail: Tail) -> Self {
        Self {
            storage,
            empty,
            end,
            events,
            batch: Vec::new(),
            next: Vec::new(),
            tail,
        }
    }

    /// Writes the events behind those that are there, in calls of at most
    /// [`limits::TRANSCRIPT_WRITE`] octets; a larger event has a call for itself. After an error the
    /// document holds the events of the calls that succeeded.
    pub(super) fn append<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> io::Result<()> {
        self.batch.clear();
        self.next.clear();
        let mut held = 0; // events in the batch
        for event in events {
            let whole = self.batch.len();
            let first = self.events + held == 0;
            self.batch
                .extend_from_slice(if first { b"\n" } else { b",\n" });
            write_event(&mut self.batch, event);
            if held > 0 && self.batch.len() + CLOSING.len() > limits::TRANSCRIPT_WRITE {
                self.next.extend_from_slice(&self.batch[whole..]);
                self.batch.truncate(whole);
                self.write(held)?;
                std::mem::swap(&mut self.batch, &mut self.next);
                held = 0;
            }
            held += 1;
        }
        match held {
            0 => Ok(()),
            _ => self.write(held),
        }
    }

    /// Events in the document.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// What it was written to.
    pub(super) fn into_storage(self) -> S {
        self.storage
    }

    pub(super) fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Goes on with what [`empty`] gives, which is in the storage.
    pub(super) fn of_empty(storage: S, empty: Vec<u8>) -> Self {
        let end = empty.len() - CLOSING.len();
        Self::resume(storage, empty, end as u64, 0, Tail::Closing)
    }

    /// Sees to it that what was written is still there; where it cannot be had again, the document goes on
    /// without it.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        if self.storage.keep(&self.empty)? == Contents::Lost {
            self.end = (self.empty.len() - CLOSING.len()) as u64;
            self.events = 0;
            self.tail = Tail::Closing;
        }
        Ok(())
    }

    /// Makes the closing that of our own layout, in steps each of which leaves what was there.
    fn settle(&mut self) -> io::Result<()> {
        match self.tail {
            Tail::Closing => {}
            Tail::Other(octets) => {
                let filled = usize::try_from(octets).unwrap_or_default();
                let mut closing = CLOSING.trim_ascii_end().to_vec();
                closing.resize(closing.len().max(filled.saturating_sub(1)), b' ');
                closing.push(b'\n');
                self.storage.write_at(&closing, self.end)?;
            }
            Tail::Torn => {
                self.storage.set_len(self.end)?;
                self.storage.write_at(CLOSING, self.end)?;
            }
        }
        self.tail = Tail::Closing;
        Ok(())
    }

    fn write(&mut self, events: u64) -> io::Result<()> {
        self.keep()?;
        self.settle()?;
        // It was to stand behind others, which are lost.
        if self.events == 0 && self.batch.first() == Some(&b',') {
            self.batch.remove(0);
        }
        let length = self.batch.len() as u64;
        self.batch.extend_from_slice(CLOSING);
        let written = self.storage.write_at(&self.batch, self.end);
        self.batch.clear();
        self.batch.shrink_to(KEPT);
        match written {
            Ok(()) => {
                self.end += length;
                self.events += events;
            }
            Err(_) => self.undo(),
        }
        written
    }

    /// Best effort: when this fails too, the file ends in a torn tail, which readers pass over. The
    /// closing's octets had their place on the disk already, so a full one has room for them.
    fn undo(&mut self) {
        let _ = self.storage.write_at(CLOSING, self.end);
        let _ = self.storage.set_len(self.end + CLOSING.len() as u64);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sample;
    use super::*;

    /// A disk in memory, with room for so many octets; it remembers the size of each call.
    pub(in super::super) struct Disk {
        pub is_emptied: bool,
        pub octets: Vec<u8>,
        pub room: usize,
        pub calls: Vec<usize>,
    }

    impl Disk {
        pub fn new(room: usize) -> Self {
            Self {
                is_emptied: false,
                octets: Vec::new(),
                room,
                calls: Vec::new(),
            }
        }
    }

    impl Storage for Disk {
        fn write_at(&mut self, octets: &[u8], offset: u64) -> io::Result<()> {
            let start = usize::try_from(offset).unwrap();
            let end = (start + octets.len()).min(self.room);
            self.octets.resize(end.max(self.octets.len()), 0);
            self.octets[start..end].copy_from_slice(&octets[..end - start]);
            self.calls.push(octets.len());
            match end - start == octets.len() {
                true => Ok(()),
                false => Err(io::ErrorKind::StorageFull.into()),
            }
        }

        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.octets.truncate(usize::try_from(length).unwrap());
            Ok(())
        }

        fn keep(&mut self, empty: &[u8]) -> io::Result<Contents> {
            if !std::mem::take(&mut self.is_emptied) {
                return Ok(Contents::Whole);
            }
            self.octets = empty.to_vec();
            Ok(Contents::Lost)
        }
    }

    fn parsed(document: &Document<Disk>) -> serde_json::Value {
        serde_json::from_slice(&document.storage.octets).unwrap()
    }

    #[test]
    fn it_is_valid_when_it_begins_and_after_every_append() {
        let mut document = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        assert_eq!(parsed(&document)["events"], serde_json::json!([]));
        for (i, event) in sample::session().iter().enumerate() {
            document.append([event]).unwrap();
            let value = parsed(&document);
            assert_eq!(value["mailscope"]["format"], 1);
            assert_eq!(value["events"].as_array().unwrap().len(), i + 1);
            assert_eq!(document.events(), i as u64 + 1);
            assert_eq!(document.storage.calls.len(), i + 2, "one call an append");
        }
    }

    #[test]
    fn what_was_lost_is_gone_on_without() {
        let session = sample::session();
        let mut document = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        for (i, event) in session.iter().enumerate() {
            document.storage.is_emptied = i == 3 || i == 4;
            document.append([event]).unwrap();
            let expected = if i < 3 { i + 1 } else { (i - 3).max(1) };
            let value = parsed(&document);
            assert_eq!(value["mailscope"]["format"], 1);
            assert_eq!(value["events"].as_array().unwrap().len(), expected);
            assert_eq!(document.events(), expected as u64);
        }
    }

    #[test]
    fn events_stand_one_a_line() {
        let session = sample::session();
        let mut document = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        document.append(&session).unwrap();
        document.append(&[]).unwrap();
        let text = String::from_utf8(document.storage.octets).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "\"events\":[");
        assert_eq!(lines[2..lines.len() - 1].len(), session.len());
        assert!(lines[2].starts_with("{\"n\":1,") && lines[2].ends_with("},"));
        assert_eq!(lines[lines.len() - 1], "]}");
        assert!(text.ends_with("]}\n"));
    }

    #[test]
    fn a_long_batch_is_cut_between_events() {
        const WHOLE: usize = limits::TRANSCRIPT_WRITE;
        let events: Vec<Event> = [100, WHOLE + 100, 100, WHOLE * 2 / 5, WHOLE * 7 / 10]
            .into_iter()
            .zip(1..)
            .map(|(length, n)| sample::text(n, "x".repeat(length).as_bytes()))
            .collect();
        let mut document = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        document.append(&events).unwrap();
        assert_eq!(parsed(&document)["events"].as_array().unwrap().len(), 5);
        let calls = &document.storage.calls;
        assert_eq!(calls.len(), 5, "header, 1, 2, 3 and 4, 5: {calls:?}");
        assert!(calls[2] > limits::TRANSCRIPT_WRITE);
        assert!(document.batch.capacity() <= KEPT);
        assert!(document.next.capacity() <= KEPT);
    }

    #[test]
    fn after_a_failed_write_the_last_good_state_is_back() {
        let session = sample::session();
        let mut whole = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        whole.append(&session).unwrap();
        let empty = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
        for room in empty.storage.octets.len()..whole.storage.octets.len() {
            let mut document = Document::begin(Disk::new(room), &sample::header()).unwrap();
            let written = session
                .iter()
                .try_for_each(|event| document.append([event]));
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
            let events = parsed(&document)["events"].as_array().unwrap().len() as u64;
            assert_eq!(events, document.events());
            assert!(events < session.len() as u64);
            document.storage.room = usize::MAX;
            document.append(&session[events as usize..]).unwrap();
            assert_eq!(document.storage.octets, whole.storage.octets);
        }
    }
}
