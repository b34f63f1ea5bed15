//! The commands of a connection that have no tagged response yet.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use super::command::Command;
use crate::event::Micros;
use crate::limits;

/// A command without an answer, and what became of it until now.
#[derive(Debug)]
pub struct Pending {
    command: Arc<Command>,
    /// Names and codes of the responses that answered it, each once.
    answered: Vec<String>,
    /// When the server agreed to IDLE.
    pub idles: Option<Micros>,
    /// The client has ended it: IDLE with `DONE`, a SASL exchange with `*`.
    pub done: bool,
}

impl Pending {
    /// The command, to be kept.
    pub fn command(&self) -> &Arc<Command> {
        &self.command
    }

    /// Whether a response with this name or code answered it.
    pub fn got(&self, name: &str) -> bool {
        self.answered.iter().any(|has| has == name)
    }
}

impl Deref for Pending {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.command
    }
}

/// Commands in flight, the oldest first.
#[derive(Default)]
pub struct InFlight {
    commands: BTreeMap<u64, Pending>,
    /// Octets that they hold.
    held: usize,
    /// How many have each name, and each tag.
    names: HashMap<Cow<'static, str>, usize>,
    tags: HashMap<String, usize>,
    /// Commands from before something was not seen, which may have been answered in it.
    doubtful: BTreeMap<u64, Arc<Command>>,
}

impl InFlight {
    /// Takes a command in; those that waited longest, if there are too many, wait no more.
    pub(super) fn begin(&mut self, command: Arc<Command>) -> Vec<Pending> {
        self.held += command.weight();
        let mut forgotten = Vec::new();
        while self.commands.len() == limits::IN_FLIGHT || self.held > limits::IN_FLIGHT_HELD {
            let oldest = self.commands.first_key_value().map(|(oldest, _)| *oldest);
            let Some(oldest) = oldest.and_then(|oldest| self.end(oldest)) else {
                break;
            };
            forgotten.push(oldest);
        }
        *self.names.entry(command.name.clone()).or_default() += 1;
        *self.tags.entry(command.tag.clone()).or_default() += 1;
        let pending = Pending {
            command,
            answered: Vec::new(),
            idles: None,
            done: false,
        };
        self.commands.insert(pending.n, pending);
        forgotten
    }

    pub(super) fn end(&mut self, n: u64) -> Option<Pending> {
        let command = self.commands.remove(&n)?;
        less(&mut self.names, &command.name);
        less(&mut self.tags, &command.tag);
        self.held -= command.weight();
        Some(command)
    }

    /// Something was not seen: the answers to these commands may have been in it.
    pub(super) fn doubt(&mut self) {
        self.names.clear();
        self.tags.clear();
        self.held = 0;
        let doubtful = std::mem::take(&mut self.commands).into_values();
        let doubtful = doubtful.map(|pending| (pending.n, pending.command));
        self.doubtful.extend(doubtful);
        while self.doubtful.len() > limits::IN_FLIGHT {
            self.doubtful.pop_first();
        }
    }

    /// A command from before something was not seen has its answer.
    pub(super) fn settle(&mut self, n: u64) -> Option<Arc<Command>> {
        self.doubtful.remove(&n)
    }

    pub(super) fn answered(&mut self, n: u64, name: &str) {
        /// More than any command of RFC 9051 and its extensions asks for.
        const NAMES: usize = 32;
        if let Some(command) = self.commands.get_mut(&n)
            && !command.got(name)
            && command.answered.len() < NAMES
        {
            command.answered.push(name.to_owned());
        }
    }

    pub(super) fn get_mut(&mut self, n: u64) -> Option<&mut Pending> {
        self.commands.get_mut(&n)
    }

    /// The command with this number, which may be one from before something was not seen.
    pub(super) fn find(&self, n: u64) -> Option<&Arc<Command>> {
        let pending = self.commands.get(&n).map(Pending::command);
        pending.or_else(|| self.doubtful.get(&n))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.commands.len()
    }

    /// The one with this number.
    pub fn get(&self, n: u64) -> Option<&Pending> {
        self.commands.get(&n)
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.commands.values()
    }

    /// Whether one has this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Whether one has this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains_key(tag)
    }

    /// Whether one has one of these names.
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// How many have one of these names.
    pub fn counted(&self, names: &[&str]) -> usize {
        let count = |name: &&str| self.names.get(*name).copied().unwrap_or_default();
        names.iter().map(count).sum()
    }

    /// How many are FETCH, STORE or SEARCH.
    pub fn keeping_numbers(&self) -> usize {
        self.counted(&["FETCH", "STORE", "SEARCH"])
    }

    /// The only one there is, if there is only one.
    pub fn only(&self) -> Option<&Pending> {
        let mut all = self.iter();
        all.next().filter(|_| self.count() == 1)
    }
}

fn less<K: std::hash::Hash + Eq + Clone>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Entry::Occupied(mut counted) = counts.entry(key.clone()) {
        match counted.get() {
            0 | 1 => drop(counted.remove()),
            _ => *counted.get_mut() -= 1,
        }
    }
}
