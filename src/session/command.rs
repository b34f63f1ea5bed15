//! A command, as it was said: its name, the mailboxes that it is about, its words.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::named::named;
use super::options::options;
use super::stores::Stores;
use crate::event::{Micros, Passed, Reading, Said, Value};
use crate::limits;

/// A command that was said.
#[derive(Debug)]
pub struct Command {
    /// Its event's number.
    pub n: u64,
    /// When it began.
    pub at: Micros,
    /// Its tag, or as much of it as is kept ([`limits::TAG`]); empty where there is none to be read.
    pub tag: String,
    /// Upper case, `UID FETCH` one name; empty where there is none to be read, or it may not be shown.
    pub name: Cow<'static, str>,
    /// The mailboxes that it names.
    pub named: SmallVec<[Arc<str>; 1]>,
    /// The mailbox that was selected, or was being selected, when it was said; for a command that acts
    /// on the selected mailbox.
    pub selected: Option<Arc<str>>,
    /// Its words outside of strings, upper case, whatever they stand for.
    pub words: Vec<String>,
    /// Its options, upper case: `RETURN`, `COUNT`, `CHARSET` of a search, `QRESYNC` of SELECT, those of LIST, `UTF8`
    /// and `CATENATE` of APPEND.
    pub options: Vec<String>,
    /// Who logs in.
    pub identity: Option<String>,
    /// mailscope sent it, and not the app.
    pub own: bool,
    /// It asks for a part of a body (`BODY[]<0.2048>`); for FETCH and UID FETCH.
    pub asks_for_part: bool,
    /// What it does to flags; for STORE and UID STORE.
    pub(super) stores: Option<Box<Stores>>,
}

impl Command {
    /// The command that was said; `None` where the message is none.
    pub fn read(n: u64, at: Micros, said: &Said) -> Option<Self> {
        let Reading::Command {
            tag,
            name,
            identity,
            ..
        } = &said.reading
        else {
            return None;
        };
        let name = match name {
            Some(Cow::Owned(long)) => Cow::Owned(kept(long).to_owned()),
            name => name.clone().unwrap_or_default(),
        };
        let arguments = said.arguments();
        let mut words = Vec::new();
        collect(&arguments, &mut words);
        Some(Self {
            n,
            at,
            tag: kept(tag.as_deref().unwrap_or_default()).to_owned(),
            named: named(&name, &arguments),
            selected: None,
            asks_for_part: matches!(&*name, "FETCH" | "UID FETCH")
                && said.wire.bytes().contains(&b'<'),
            stores: Stores::read(&name, &arguments).map(Box::new),
            options: options(&name, &arguments),
            name,
            words,
            identity: identity.clone(),
            own: matches!(said.passed, Passed::Own),
        })
    }

    /// Octets that it holds, beside its own.
    pub(super) fn weight(&self) -> usize {
        let words = |words: &[String]| -> usize {
            words
                .iter()
                .map(|word| size_of_val(word) + word.len())
                .sum()
        };
        let stores = self.stores.as_ref().map_or(0, |stores| {
            words(&stores.flags) + stores.set.as_deref().map_or(0, size_of_val)
        });
        let named: usize = self.named.iter().map(|name| name.len()).sum();
        let identity = self.identity.as_ref().map_or(0, String::len);
        self.tag.len() + words(&self.words) + words(&self.options) + named + identity + stores
    }

    /// The mailboxes that it is about.
    pub fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.named.iter().chain(&self.selected).map(|name| &**name)
    }

    /// Whether it is UID FETCH, UID STORE...
    pub fn is_by_uid(&self) -> bool {
        self.name.starts_with("UID ")
    }

    /// Whether it is SELECT or EXAMINE.
    pub fn selects(&self) -> bool {
        matches!(&*self.name, "SELECT" | "EXAMINE")
    }

    /// Whether it has this option; give it in upper case.
    pub fn has_option(&self, option: &str) -> bool {
        self.options.iter().any(|has| has == option)
    }

    /// Whether it is FETCH, STORE or SEARCH, during which no message may go (RFC 9051, section
    /// 7.5.1).
    pub fn keeps_numbers(&self) -> bool {
        matches!(&*self.name, "FETCH" | "STORE" | "SEARCH")
    }

    /// Whether it is about the selected mailbox (RFC 9051, section 6.4), or asks what is new.
    pub(super) fn acts_on_selected(&self) -> bool {
        let searches = self.name == "ESEARCH" && self.named.is_empty();
        searches
            || self.is_by_uid()
            || matches!(
                &*self.name,
                "CHECK"
                    | "CLOSE"
                    | "CONVERT"
                    | "COPY"
                    | "EXPUNGE"
                    | "FETCH"
                    | "IDLE"
                    | "MOVE"
                    | "NOOP"
                    | "REPLACE"
                    | "SEARCH"
                    | "SORT"
                    | "STORE"
                    | "THREAD"
                    | "UNSELECT"
            )
    }
}

/// As much of a tag or a name as is kept.
pub(super) fn kept(text: &str) -> &str {
    let mut end = text.len().min(limits::TAG);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
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
