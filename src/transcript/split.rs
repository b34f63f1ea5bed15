//! A document cut into its header and its events, each still JSON text.
//!
//! Not a reading of either. It takes a document in our own layout and one that an editor or a tool
//! laid out anew alike, event by event, and promises to tell a torn tail, which a power cut leaves
//! and of which all before it is good, from JSON that is broken.

use std::collections::VecDeque;
use std::io::BufRead;

use serde::de::IgnoredAny;

use super::scanner::{Fault, Scanner};

/// A piece of the document and the line it begins in.
pub(super) struct Element {
    pub line: u64,
    pub json: Vec<u8>,
}

/// Why there is nothing to read.
pub(super) enum NoDocument {
    /// It is something else.
    NotATranscript,
    /// It is broken.
    Broken(Fault),
}

impl From<Fault> for NoDocument {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}

/// A document in the course of being read.
pub(super) struct Splitter {
    scanner: Scanner,
    place: Place,
    header: Option<Element>,
    begun: bool,
    early: VecDeque<Element>,
    element: Element,
    torn: bool,
    /// Where the last whole event ends, or the events begin.
    events_end: Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Between the document's members.
    Members { first: bool },
    /// Between events.
    Events { first: bool },
    /// Behind all of it, or where the document is torn.
    End,
}

impl Splitter {
    /// Reads up to the first event, or, where the header stands behind the events, to the end.
    pub(super) fn open(input: Box<dyn BufRead + Send>) -> Result<Self, NoDocument> {
        let mut splitter = Self {
            scanner: Scanner::new(input),
            place: Place::Members { first: true },
            header: None,
            begun: false,
            early: VecDeque::new(),
            element: Element {
                line: 1,
                json: Vec::new(),
            },
            torn: false,
            events_end: None,
        };
        splitter.scanner.byte_order_mark()?;
        if splitter.scanner.peek()? != Some(b'{') {
            return Err(NoDocument::NotATranscript);
        }
        splitter.scanner.take();
        match splitter.find_header() {
            Err(_) if !splitter.begun => Err(NoDocument::NotATranscript),
            Err(fault) => Err(fault.into()),
            Ok(()) if splitter.header.is_some() || splitter.begun => Ok(splitter),
            Ok(()) => Err(NoDocument::NotATranscript),
        }
    }

    /// The header; `None` when the document is torn within it.
    pub(super) fn header(&self) -> Option<&Element> {
        self.header.as_ref()
    }

    /// Whether the document ends before its end; certain when there are no more events.
    pub(super) fn torn(&self) -> bool {
        self.torn
    }

    /// Where the events read so far end; `None` before their `[`.
    pub(super) fn events_end(&self) -> Option<u64> {
        self.events_end
    }

    /// The line that was read last.
    pub(super) fn line(&self) -> u64 {
        self.scanner.line()
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<&Element>, Fault> {
        if let Some(early) = self.early.pop_front() {
            self.element = early;
            return Ok(Some(&self.element));
        }
        loop {
            match self.place {
                Place::Members { .. } => self.member()?,
                Place::Events { .. } => {
                    if self.event()? {
                        return Ok(Some(&self.element));
                    }
                }
                Place::End => return Ok(None),
            }
        }
    }

    fn find_header(&mut self) -> Result<(), Fault> {
        while self.header.is_none() {
            match self.place {
                Place::Members { .. } => self.member()?,
                Place::Events { .. } => {
                    if self.event()? {
                        let (line, json) = (self.element.line, self.element.json.clone());
                        self.early.push_back(Element { line, json });
                    }
                }
                Place::End => break,
            }
        }
        Ok(())
    }

    /// Reads one member of the document, of `events` no more than its opening bracket; or the
    /// document's end.
    fn member(&mut self) -> Result<(), Fault> {
        let first = self.place == Place::Members { first: true };
        match self.scanner.peek()? {
            Some(b'}') => {
                self.scanner.take();
                return self.end();
            }
            Some(b',') if !first => {
                self.scanner.take();
                self.scanner.peek()?;
            }
            Some(_) if !first => return Err(self.fault("expected , or } behind a member")),
            _ => {}
        }
        self.place = Place::Members { first: false };
        let Some(name) = self.member_name(first)? else {
            return Ok(());
        };
        match (name.as_str(), self.scanner.peek()?) {
            (_, None) => {
                self.tear();
                Ok(())
            }
            ("events", Some(b'[')) => {
                self.scanner.take();
                self.events_end = Some(self.scanner.offset());
                self.place = Place::Events { first: true };
                Ok(())
            }
            ("events", _) => Err(self.fault("events is not an array")),
            (name, _) => {
                let whole = self.copy()?;
                if whole && name == "mailscope" && self.header.is_none() {
                    let (line, json) = (self.element.line, std::mem::take(&mut self.element.json));
                    self.header = Some(Element { line, json });
                }
                Ok(())
            }
        }
    }

    /// A member's name and the colon behind it; `None` when the document ends there.
    fn member_name(&mut self, first: bool) -> Result<Option<String>, Fault> {
        if !self.copy()? {
            // `{"mailsc`: the first write of all was cut off.
            self.begun |= first && b"\"mailscope".starts_with(&self.element.json);
            return Ok(None);
        }
        let line = self.element.line;
        let name: String = serde_json::from_slice(&self.element.json)
            .map_err(|error| Fault::json(line, &error))?;
        self.begun |= name == "mailscope";
        match self.scanner.peek()? {
            Some(b':') => self.scanner.take(),
            Some(_) => return Err(self.fault("expected : behind a member's name")),
            None => {
                self.tear();
                return Ok(None);
            }
        }
        Ok(Some(name))
    }

    /// Reads one event into `element`; false at the end of the events.
    fn event(&mut self) -> Result<bool, Fault> {
        let first = self.place == Place::Events { first: true };
        match self.scanner.peek()? {
            None => {
                self.tear();
                return Ok(false);
            }
            Some(b']') => {
                self.scanner.take();
                self.place = Place::Members { first: false };
                return Ok(false);
            }
            Some(b',') if !first => {
                self.scanner.take();
                match self.scanner.peek()? {
                    Some(b']') => return Err(self.fault("a comma before ]")),
                    Some(_) => {}
                    None => {
                        self.tear();
                        return Ok(false);
                    }
                }
            }
            Some(_) if !first => return Err(self.fault("expected , or ] behind an event")),
            Some(_) => {}
        }
        self.place = Place::Events { first: false };
        let is_whole = self.copy()?;
        if is_whole {
            self.events_end = Some(self.scanner.offset());
        }
        Ok(is_whole)
    }

    /// Copies the value that comes next into `element`. False when the document is torn there.
    fn copy(&mut self) -> Result<bool, Fault> {
        self.element.line = self.scanner.line();
        if self.scanner.value(&mut self.element.json)? {
            return match self.element.json.is_empty() {
                true => Err(self.fault("expected a value")),
                false => Ok(true),
            };
        }
        // What is torn could go on and be right; what could not is broken. A number cut off (`0.`)
        // is wrong to serde_json, not unfinished, so it is left out of account.
        let json = &mut self.element.json;
        let counts =
            |octet: &u8| !matches!(octet, 0 | b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let length = json.iter().rposition(counts);
        json.truncate(length.map_or(0, |last| last + 1));
        match serde_json::from_slice::<IgnoredAny>(json) {
            Err(error) if !error.is_eof() => Err(Fault::json(self.element.line, &error)),
            _ => {
                self.tear();
                Ok(false)
            }
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.place = Place::End;
        match self.scanner.peek()? {
            Some(_) => Err(self.fault("text behind the end of the document")),
            None => {
                self.torn = self.scanner.blank_tail();
                Ok(())
            }
        }
    }

    fn tear(&mut self) {
        self.place = Place::End;
        self.torn = true;
    }

    fn fault(&self, why: &str) -> Fault {
        Fault::new(self.scanner.line(), why)
    }
}
