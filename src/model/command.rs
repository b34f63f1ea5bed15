//! The commands of a connection that have no tagged response yet.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::event::{Micros, Passed, Reading, Said, Value};
use crate::limits;

/// A command in flight.
pub struct Command {
    /// Its event's number.
    pub n: u64,
    /// Its tag.
    pub tag: String,
    /// Its name, upper case; empty where it may not be shown.
    pub name: Cow<'static, str>,
    /// When it was sent.
    pub at: Micros,
    /// Its first argument, where that is a string or an atom: of SELECT the mailbox.
    pub first: Option<Vec<u8>>,
    /// Its words outside of strings, upper case: `RETURN`, `QRESYNC`.
    pub words: Vec<String>,
    /// Names and codes of the responses that answered it, each once.
    pub answered: Vec<String>,
    /// Who logs in.
    pub identity: Option<String>,
    /// When the server agreed to IDLE.
    pub idles: Option<Micros>,
    /// The client has ended IDLE.
    pub done: bool,
    /// mailscope sent it, and not the app.
    pub own: bool,
}

impl Command {
    /// The command that was sent; `None` where the message is none with a tag.
    pub fn read(n: u64, at: Micros, said: &Said) -> Option<Self> {
        let Reading::Command {
            tag: Some(tag),
            name,
            identity,
            ..
        } = &said.reading
        else {
            return None;
        };
        let arguments = said.arguments();
        let first = arguments.first().and_then(Value::bytes);
        let mut words = Vec::new();
        collect(&arguments, &mut words);
        Some(Self {
            n,
            at,
            tag: tag.chars().take(limits::TAG).collect(),
            name: name.clone().unwrap_or_default(),
            first: first.map(|first| first[..first.len().min(limits::NAME)].to_vec()),
            words,
            answered: Vec::new(),
            identity: identity.clone(),
            idles: None,
            done: false,
            own: matches!(said.passed, Passed::Own),
        })
    }

    /// Whether it is UID FETCH, UID STORE...
    pub fn is_by_uid(&self) -> bool {
        self.name.starts_with("UID ")
    }

    /// Whether this word stands in it, outside of strings; give it in upper case.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|has| has == word)
    }

    /// Whether a response with this name or code answered it.
    pub fn got(&self, name: &str) -> bool {
        self.answered.iter().any(|has| has == name)
    }

    /// Whether it is FETCH, STORE or SEARCH, during which no message may go (RFC 9051, section
    /// 7.5.1).
    pub fn keeps_numbers(&self) -> bool {
        matches!(&*self.name, "FETCH" | "STORE" | "SEARCH")
    }
}

/// The atoms, as deep as lists go, upper case.
fn collect(values: &[Value<'_>], words: &mut Vec<String>) {
    for value in values {
        match value {
            Value::List(members) => collect(members, words),
            Value::Atom(word) if words.len() < limits::ITEMS && word.len() < limits::TAG => {
                words.push(String::from_utf8_lossy(word).to_ascii_uppercase());
            }
            _ => {}
        }
    }
}

/// Commands in flight, the oldest first.
#[derive(Default)]
pub struct InFlight {
    commands: BTreeMap<u64, Command>,
    /// How many have each name, and each tag.
    names: HashMap<Cow<'static, str>, usize>,
    tags: HashMap<String, usize>,
}

impl InFlight {
    pub(super) fn begin(&mut self, command: Command) {
        if self.commands.len() == limits::IN_FLIGHT
            && let Some(oldest) = self.commands.keys().next().copied()
        {
            self.end(oldest);
        }
        *self.names.entry(command.name.clone()).or_default() += 1;
        *self.tags.entry(command.tag.clone()).or_default() += 1;
        self.commands.insert(command.n, command);
    }

    pub(super) fn end(&mut self, n: u64) -> Option<Command> {
        let command = self.commands.remove(&n)?;
        less(&mut self.names, &command.name);
        less(&mut self.tags, &command.tag);
        Some(command)
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

    pub(super) fn get_mut(&mut self, n: u64) -> Option<&mut Command> {
        self.commands.get_mut(&n)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.commands.len()
    }

    /// The one with this number.
    pub fn get(&self, n: u64) -> Option<&Command> {
        self.commands.get(&n)
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Command> {
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
    pub fn only(&self) -> Option<&Command> {
        let mut all = self.iter();
        all.next().filter(|_| self.count() == 1)
    }
}

fn less<K: std::hash::Hash + Eq + Clone>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
