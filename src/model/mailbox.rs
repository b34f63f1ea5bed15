//! The selected mailbox, as far as the server has told of it.

use std::collections::HashMap;

use super::items::items;
use super::messages::{FlagSet, Learned, Messages};
use super::sequence_set::{Bound, ranges};
use crate::event::{Said, Value};
use crate::limits;

/// A selected mailbox (RFC 9051, section 2.3.1 and 6.3.2).
#[derive(Default)]
pub struct Mailbox {
    /// Its name as it was selected; INBOX in upper case.
    pub name: Vec<u8>,
    /// EXAMINE, or `[READ-ONLY]`.
    pub read_only: bool,
    /// `[UIDVALIDITY 3]`
    pub uid_validity: Option<u64>,
    /// `[UIDNEXT 4392]`, the one told last.
    pub uid_next: Option<u64>,
    /// `[HIGHESTMODSEQ 7]`, the one told last.
    pub highest_modseq: Option<u64>,
    /// `FLAGS (...)`
    pub flags: Option<Vec<String>>,
    /// `[PERMANENTFLAGS (...)]`
    pub permanent_flags: Option<Vec<String>>,
    /// The messages that were there when UIDNEXT was told, and are still.
    pub below_uid_next: Option<u64>,
    /// What came of the UID that was told last.
    pub learned: Option<Learned>,
    /// The most messages that an app may take to be there, whatever it has read yet.
    pub peak: u64,
    exists: Exists,
    /// Several vanished of which not all were known: with a server that names more than there were,
    /// numbers and UIDs may not belong together any more.
    unsure: bool,
    messages: Messages,
    flag_sets: FlagSets,
}

/// Whether it is known how many messages there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Exists {
    /// Not told yet.
    #[default]
    Unknown,
    /// As many as the model has.
    Told,
    /// Some vanished of which nobody can say whether they had been counted.
    Doubtful,
}

/// Sets of flags, each kept once: a mailbox has few that differ.
#[derive(Default)]
struct FlagSets {
    sets: Vec<Vec<String>>,
    places: HashMap<Vec<String>, FlagSet>,
}

impl FlagSets {
    fn place(&mut self, set: Vec<String>) -> Option<FlagSet> {
        if let Some(place) = self.places.get(&set) {
            return Some(*place);
        }
        if self.sets.len() == limits::FLAG_SETS {
            return None;
        }
        let place = FlagSet::try_from(self.sets.len()).ok()?;
        self.sets.push(set.clone());
        self.places.insert(set, place);
        Some(place)
    }
}

impl Mailbox {
    pub(super) fn new(name: &[u8]) -> Self {
        Self {
            name: folded(name),
            ..Self::default()
        }
    }

    /// Whether this is its name.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name == folded(name)
    }

    /// How many messages there are, where that is known.
    pub fn exists(&self) -> Option<u64> {
        (self.exists == Exists::Told).then(|| self.messages.count())
    }

    /// The messages.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// The UID of the message with this number, where it was told.
    pub fn uid(&self, number: u64) -> Option<u32> {
        self.messages.uid(number).filter(|_| !self.unsure)
    }

    /// The flags of the message with this number, where they were told.
    pub fn flags_of(&self, number: u64) -> Option<&[String]> {
        let set = self.messages.flags(number)?;
        self.flag_sets.sets.get(set as usize).map(Vec::as_slice)
    }

    /// Nothing is known of the messages any more: something was not seen.
    pub(super) fn doubt(&mut self) {
        self.messages = Messages::default();
        self.exists = Exists::Unknown;
        self.unsure = false;
        self.below_uid_next = None;
    }

    /// Takes in untagged data about it.
    pub(super) fn data(&mut self, said: &Said, name: &str, number: Option<u64>) {
        match (name, number) {
            ("EXISTS", Some(number)) => {
                self.messages.set_count(number);
                self.exists = Exists::Told;
                self.peak = self.peak.max(number);
            }
            ("EXPUNGE", Some(number)) => {
                self.messages.expunge(number);
                if let Some(below) = &mut self.below_uid_next
                    && number <= *below
                {
                    *below -= 1;
                }
            }
            ("VANISHED", _) => self.vanished(said),
            ("FLAGS", _) => self.flags = said.arguments().first().map(texts),
            ("FETCH", Some(number)) => self.fetched(said, number),
            _ => {}
        }
    }

    /// `S: * VANISHED 405,407`; what is EARLIER was never counted.
    fn vanished(&mut self, said: &Said) {
        let arguments = said.arguments();
        if let [set] = arguments.as_slice() {
            let digits = set.number().map(|number| number.to_string());
            let octets = digits.as_ref().map(String::as_bytes).or(set.bytes());
            for range in ranges(octets.unwrap_or_default()) {
                let Some((Bound::Number(first), Bound::Number(last))) = range else {
                    continue;
                };
                let (first, last) = (first.min(last), first.max(last));
                let narrow = |uid: u64| u32::try_from(uid).unwrap_or(u32::MAX);
                let (first, last) = (narrow(first), narrow(last));
                let known = first == last || self.messages.knows_all(first, last);
                if !self.messages.vanish(first, last) || !known {
                    self.exists = Exists::Doubtful;
                    self.unsure = true;
                }
            }
            self.below_uid_next = None;
        }
    }

    fn fetched(&mut self, said: &Said, number: u64) {
        self.learned = None;
        for item in items(said) {
            if item.name.is_word("UID") {
                let uid = item.number().and_then(|uid| u32::try_from(uid).ok());
                if let Some(uid) = uid.filter(|uid| *uid > 0) {
                    let learned = self.messages.learn(number, uid);
                    if self.exists == Exists::Told && !self.unsure {
                        self.learned = Some(learned);
                    }
                }
            } else if item.name.is_word("FLAGS") {
                let set = texts_of(&item.values);
                let set = self.flag_sets.place(set);
                self.messages.set_flags(number, set);
            }
        }
    }

    /// Takes in a response code about it.
    pub(super) fn code(&mut self, name: &str, values: &[Value<'_>]) {
        let number = values.first().and_then(Value::number);
        match name {
            "UIDVALIDITY" => self.uid_validity = number,
            "UIDNEXT" => {
                self.uid_next = number;
                self.below_uid_next = self.exists();
            }
            "HIGHESTMODSEQ" => self.highest_modseq = number,
            "PERMANENTFLAGS" => self.permanent_flags = values.first().map(texts),
            "READ-ONLY" => self.read_only = true,
            "READ-WRITE" => self.read_only = false,
            _ => {}
        }
    }

    pub(super) fn is_selected(&mut self, examined: bool) {
        self.read_only |= examined;
        self.below_uid_next = self.exists().filter(|_| self.uid_next.is_some());
    }

    /// Whoever speaks now has read all that was said.
    pub(super) fn all_is_read(&mut self) {
        self.peak = self.messages.count();
    }
}

/// A mailbox's name; INBOX is the same in any letter case (RFC 9051, section 5.1).
fn folded(name: &[u8]) -> Vec<u8> {
    match name.eq_ignore_ascii_case(b"INBOX") {
        true => b"INBOX".to_vec(),
        false => name.to_vec(),
    }
}

fn texts(list: &Value<'_>) -> Vec<String> {
    texts_of(list.members())
}

/// Flags, as many as are kept of one message or mailbox.
fn texts_of(values: &[Value<'_>]) -> Vec<String> {
    let texts = values.iter().filter_map(Value::bytes);
    let texts = texts.filter(|text| text.len() < limits::TAG);
    let texts = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    texts.take(limits::ITEMS).collect()
}
