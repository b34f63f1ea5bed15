//! Reading a transcript, event by event.
//!
//! Not the meaning of its messages; a protocol's reader makes whole events of what comes out here.
//! It promises constant memory for a file of any size, every whole event of a file that a power cut
//! left, and for a broken one an error with file, line and reason.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::event::Recorded;
use crate::limits;

use super::entry::Before;
use super::header::Header;
use super::scanner::Fault;
use super::split::{Element, NoDocument, Splitter};

/// A transcript that is being read; an iterator over its events.
///
/// After an error there are no more events. After the last event, [`torn`](Self::torn) says whether
/// the file was whole.
pub struct Reader {
    name: String,
    header: Header,
    splitter: Splitter,
    before: Before,
    events: u64,
    line: u64,
    over: bool,
}

impl Reader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// It cannot be read, is no transcript, has a broken header, or has a newer format.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).doing(|| format!("read {name}"))?;
        Self::new(BufReader::with_capacity(limits::READ, file), name)
    }

    /// Reads a transcript from anywhere; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn new(input: impl BufRead + Send + 'static, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let splitter = Splitter::open(Box::new(input)).map_err(|error| match error {
            NoDocument::Broken(fault) => broken(&name, fault),
            NoDocument::NotATranscript => Error::new(
                format!("read {name}"),
                "this is not a transcript: a JSON object with a \"mailscope\" member",
            )
            .hint("a file that mailscope record wrote"),
        })?;
        let header = match splitter.header() {
            None => Header::unknown(),
            Some(Element { line, json }) => {
                Header::parse(json).map_err(|error| broken(&name, Fault::json(*line, &error)))?
            }
        };
        Ok(Self {
            name,
            header,
            splitter,
            before: Before::default(),
            events: 0,
            line: 0,
            over: false,
        })
    }

    /// What the transcript says about itself. Of a file that is torn within it, nothing is known.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The line in which the event begins that was read last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Where the whole events end that were read, in octets; `None` where none can be.
    pub(super) fn events_end(&self) -> Option<u64> {
        self.splitter.events_end()
    }

    /// What to say on standard error about a file that ends before its end, once all events were
    /// read; `None` for a whole one.
    pub fn torn(&self) -> Option<String> {
        self.splitter.torn().then(|| {
            format!(
                "{} ends unfinished in line {}, as a power cut or a full disk leaves it; \
                 its {} whole events were read",
                self.name,
                self.splitter.line(),
                self.events
            )
        })
    }

    fn read(&mut self) -> std::result::Result<Option<Recorded>, Fault> {
        while let Some(Element { line, json }) = self.splitter.next()? {
            if let Some(event) = self.before.read(*line, json)? {
                self.events += 1;
                self.line = *line;
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl Iterator for Reader {
    type Item = Result<Recorded>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let event = self
            .read()
            .map_err(|fault| broken(&self.name, fault))
            .transpose();
        self.over = !matches!(event, Some(Ok(_)));
        event
    }
}

fn broken(name: &str, fault: Fault) -> Error {
    Error::new(format!("read {name}, line {}", fault.line), fault.why)
}
