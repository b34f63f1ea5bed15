//! The selected mailbox, as far as the server has told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use super::items::{ItemSpans, item_spans};
use super::messages::{FlagSet, Learned, Messages};
use super::sequence_set::{Bound, ranges};
use super::stores::{How, Stores};
use crate::event::{Said, Value};
use crate::limits;

/// A selected mailbox (RFC 9051, section 2.3.1 and 6.3.2).
#[derive(Default)]
pub struct Mailbox {
    /// Its name as people write it ([`mailbox_name`](super::mailbox_name)).
    pub name: Arc<str>,
    /// EXAMINE, or `[READ-ONLY]`.
    pub read_only: bool,
    /// `[UIDVALIDITY 3]`
    pub uid_validity: Option<u64>,
    /// `[UIDNEXT 4392]`, the one told last.
    pub uid_next: Option<u64>,
    /// `[HIGHESTMODSEQ 7]`, the one told last, or the MODSEQ of a message that is larger.
    pub highest_modseq: Option<u64>,
    /// `[NOMODSEQ]`
    pub has_no_modseq: bool,
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
    /// Messages of a session without numbers (UIDONLY, RFC 9586), and their flags.
    unnumbered: BTreeMap<u32, Option<FlagSet>>,
    /// UIDs that were told, and whose messages went.
    expunged: BTreeSet<u32>,
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

/// Flags with a space behind each; few are longer.
type Key = SmallVec<[u8; 64]>;

/// Sets of flags, each kept once: a mailbox has few that differ.
#[derive(Default)]
struct FlagSets {
    sets: Vec<Vec<String>>,
    /// By the flags with a space behind each.
    places: HashMap<Vec<u8>, FlagSet>,
    /// The one that was asked for last, which most messages of a response have, and its key.
    last: Option<(Key, FlagSet)>,
}

impl FlagSets {
    fn place(&mut self, set: Vec<String>) -> Option<FlagSet> {
        let key = set.iter().flat_map(|flag| flag.bytes().chain([b' ']));
        let key: Vec<u8> = key.collect();
        match self.places.get(&key) {
            Some(place) => Some(*place),
            None => self.add(key, set),
        }
    }

    /// As [`place`](Self::place), for flags as they were told: those of most messages were told before.
    fn place_of(&mut self, told: &ItemSpans<'_>, said: &Said) -> Option<FlagSet> {
        let mut key = Key::new();
        for flag in told.octets(said) {
            key.extend_from_slice(flag);
            key.push(b' ');
        }
        if let Some((last, place)) = &self.last
            && last[..] == key[..]
        {
            return Some(*place);
        }
        let place = match self.places.get(&key[..]) {
            Some(place) => *place,
            None => self.place(texts_of(&told.values(said).collect::<Vec<_>>()))?,
        };
        if !key.spilled() {
            self.last = Some((key, place));
        }
        Some(place)
    }

    fn add(&mut self, key: Vec<u8>, set: Vec<String>) -> Option<FlagSet> {
        if self.sets.len() == limits::FLAG_SETS {
            return None;
        }
        let place = FlagSet::try_from(self.sets.len()).ok()?;
        self.sets.push(set);
        self.places.insert(key, place);
        Some(place)
    }
}

impl Mailbox {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            ..Self::default()
        }
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

    /// The flags of the message with this number, where they were told, or follow from what was.
    pub fn flags_of(&self, number: u64) -> Option<&[String]> {
        self.flag_set(self.messages.flags(number)?)
    }

    /// The flags of the message with this UID, where they were told, or follow from what was.
    pub fn flags_of_uid(&self, uid: u32) -> Option<&[String]> {
        match self.unnumbered.get(&uid) {
            Some(set) => self.flag_set((*set)?),
            None => self.flags_of(self.messages.number(uid)?),
        }
    }

    fn flag_set(&self, set: FlagSet) -> Option<&[String]> {
        self.flag_sets.sets.get(set as usize).map(Vec::as_slice)
    }

    /// Whether a message with this UID is there, as far as was told.
    pub fn has_uid(&self, uid: u32) -> bool {
        self.messages.knows(uid) || self.unnumbered.contains_key(&uid)
    }

    /// Whether there was a message with this UID, and it went.
    pub fn was_expunged(&self, uid: u32) -> bool {
        self.expunged.contains(&uid)
    }

    /// Nothing is known of the messages any more: something was not seen.
    pub(super) fn doubt(&mut self) {
        self.messages = Messages::default();
        self.unnumbered.clear();
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
                if let Some(uid) = self.messages.expunge(number) {
                    self.went(uid);
                }
                if let Some(below) = &mut self.below_uid_next
                    && number <= *below
                {
                    *below -= 1;
                }
            }
            ("VANISHED", _) => self.vanished(said),
            ("FLAGS", _) => self.flags = said.arguments().first().map(texts),
            ("FETCH", Some(number)) => self.fetched(said, number),
            ("UIDFETCH", Some(uid)) => {
                if let Ok(uid) = u32::try_from(uid) {
                    self.fetched_by_uid(said, uid);
                }
            }
            _ => {}
        }
    }

    fn went(&mut self, uid: u32) {
        if self.expunged.len() < limits::UIDS && !self.unsure {
            self.expunged.insert(uid);
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
                let known = first == last || self.knows_all(first, last);
                let told: Vec<u32> = self.known(first, last).collect();
                for uid in told {
                    self.unnumbered.remove(&uid);
                    self.went(uid);
                }
                if !self.messages.vanish(first, last) || !known {
                    self.exists = Exists::Doubtful;
                    self.unsure = true;
                }
            }
            self.below_uid_next = None;
        }
    }

    /// The messages in a range of UIDs that were told.
    fn known(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        let unnumbered = self.unnumbered.range(first..=last).map(|(uid, _)| *uid);
        self.messages.uids_in(first, last).chain(unnumbered)
    }

    fn knows_all(&self, first: u32, last: u32) -> bool {
        self.known(first, last).count() as u64 == u64::from(last - first) + 1
    }

    fn fetched(&mut self, said: &Said, number: u64) {
        self.learned = None;
        for item in item_spans(said) {
            if item.is(said, "UID") {
                let uid = item.number(said).and_then(|uid| u32::try_from(uid).ok());
                if let Some(uid) = uid.filter(|uid| *uid > 0) {
                    let learned = match self.messages.learn(number, uid) {
                        Learned::Fits if self.expunged.remove(&uid) => Learned::Reused,
                        learned => learned,
                    };
                    if self.exists == Exists::Told && !self.unsure {
                        self.learned = Some(learned);
                    }
                }
            } else if item.is(said, "MODSEQ") {
                self.highest_modseq = self.highest_modseq.max(item.number(said));
            } else if item.is(said, "FLAGS") {
                let set = self.flag_sets.place_of(&item, said);
                self.messages.set_flags(number, set);
            }
        }
    }

    /// `S: * 25900 UIDFETCH (FLAGS ())` (RFC 9586, section 3.3)
    fn fetched_by_uid(&mut self, said: &Said, uid: u32) {
        let is_bound = self.unnumbered.len() as u64 >= limits::MAILBOX_MESSAGES;
        if uid == 0 || (is_bound && !self.unnumbered.contains_key(&uid)) {
            return;
        }
        let mut flags = self.unnumbered.get(&uid).copied().flatten();
        for item in item_spans(said) {
            if item.is(said, "FLAGS") {
                flags = self.flag_sets.place_of(&item, said);
            } else if item.is(said, "MODSEQ") {
                self.highest_modseq = self.highest_modseq.max(item.number(said));
            }
        }
        self.unnumbered.insert(uid, flags);
    }

    /// A STORE whose answer does not tell the flags went through; `all` of it, or not.
    pub(super) fn stored(&mut self, stores: &Stores, all: bool) {
        let numbers = stores.set.as_ref().filter(|_| all && !self.unsure);
        let numbers = numbers.and_then(|set| self.numbers_of(set, stores.by_uid));
        let Some(numbers) = numbers else {
            self.messages.forget_flags();
            self.unnumbered.values_mut().for_each(|flags| *flags = None);
            return;
        };
        for number in numbers {
            let flags = match (self.flags_of(number), stores.how) {
                (Some(had), _) => stores.applied(had),
                (None, How::Replaced) => stores.applied(&[]),
                (None, How::Added | How::Taken) => continue,
            };
            let flags = self.flag_sets.place(flags);
            self.messages.set_flags(number, flags);
        }
        // Without numbers there is nothing to name them by but what was told of each.
        for flags in self.unnumbered.values_mut() {
            *flags = None;
        }
    }

    /// The messages of a set of which anything was told; `None` where they are too many.
    fn numbers_of(&self, set: &[(Bound, Bound)], by_uid: bool) -> Option<Vec<u64>> {
        let mut numbers = Vec::new();
        for (first, last) in set {
            let (first, last) = (first.number(), last.number());
            let most = match by_uid {
                true => u64::from(u32::MAX),
                false => self.messages.count(),
            };
            let (first, last) = (first.unwrap_or(most), last.unwrap_or(most));
            let (first, last) = (first.min(last), first.max(last));
            let room = limits::STORED - numbers.len();
            match by_uid {
                true => {
                    let narrow = |uid: u64| u32::try_from(uid).unwrap_or(u32::MAX);
                    let uids = self.messages.uids_in(narrow(first), narrow(last));
                    numbers.extend(
                        uids.filter_map(|uid| self.messages.number(uid))
                            .take(room + 1),
                    );
                }
                false => {
                    let last = last.min(self.messages.told());
                    numbers.extend((first.max(1)..=last).take(room + 1));
                }
            }
            if numbers.len() > limits::STORED {
                return None;
            }
        }
        Some(numbers)
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
            "NOMODSEQ" => {
                self.highest_modseq = None;
                self.has_no_modseq = true;
            }
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

fn texts(list: &Value<'_>) -> Vec<String> {
    texts_of(list.members())
}

/// Flags, as many as are kept of one message or mailbox.
pub(super) fn texts_of(values: &[Value<'_>]) -> Vec<String> {
    let texts = values.iter().filter_map(Value::bytes);
    let texts = texts.filter(|text| text.len() < limits::TAG);
    let texts = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    texts.take(limits::ITEMS).collect()
}
