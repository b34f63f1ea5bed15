//! What of messages was fetched before: items that never change (RFC 9051, section 2.3), by mailbox,
//! UIDVALIDITY and UID; and full fetches of flags.

use std::collections::HashMap;
use std::sync::Arc;

use super::digest::{Messages, hash_of};
use super::heard::has_code;
use super::waste::{Exchange, Kind, Standing, Waste, Wasted};
use crate::event::{Said, Value};
use crate::limits;

/// A mailbox while it is selected.
pub(super) struct Selection {
    scope: u64,
    conn: u64,
    number: u64,
    mailbox: Arc<str>,
    opened_by: &'static str,
    uidvalidity: Option<u64>,
    uidnext: Option<u64>,
    exists: Option<u64>,
    /// There are no mod-sequences (RFC 7162, section 3.1.2.2).
    no_modseq: bool,
    /// Rises when message numbers change.
    epoch: u64,
}

/// What was brought although it had been before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Again {
    /// The same items.
    pub(super) twice: Twice,
    /// Parts of messages of which the whole had been.
    pub(super) part: Twice,
}

/// Items that were fetched before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twice {
    pub(super) items: u64,
    pub(super) octets: u64,
}

impl Selection {
    pub(super) fn new(scope: u64, conn: u64, number: u64, mailbox: Arc<str>) -> Self {
        Self {
            scope,
            conn,
            number,
            mailbox,
            opened_by: "SELECT",
            uidvalidity: None,
            uidnext: None,
            exists: None,
            no_modseq: false,
            epoch: 0,
        }
    }

    pub(super) fn opened_by(mut self, name: &str) -> Self {
        if name == "EXAMINE" {
            self.opened_by = "EXAMINE";
        }
        self
    }

    /// What a command needs to know of it.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            number: self.number,
            mailbox: Arc::clone(&self.mailbox),
            opened_by: self.opened_by,
        }
    }

    /// An untagged response that is about it, FETCH apart.
    pub(super) fn heard(&mut self, name: &str, number: Option<u64>, said: &Said) {
        let value = || said.code()?.values.first()?.number();
        match name {
            "EXISTS" => self.exists = number,
            "EXPUNGE" | "VANISHED" => {
                self.epoch += 1;
                self.exists = None;
            }
            "OK" if has_code(said, "UIDVALIDITY") => self.uidvalidity = value(),
            "OK" if has_code(said, "UIDNEXT") => self.uidnext = value(),
            "OK" if has_code(said, "NOMODSEQ") => self.no_modseq = true,
            _ => {}
        }
    }

    /// The mailbox, the same when it is selected again.
    fn identity(&self) -> u64 {
        match self.uidvalidity {
            Some(uidvalidity) => hash_of((self.scope, &self.mailbox, uidvalidity)),
            None => hash_of((self.scope, self.conn, self.number)),
        }
    }

    fn message(&self, response: &Response) -> u64 {
        match (response.uid, response.number) {
            (Some(uid), _) => hash_of((self.identity(), "UID", uid)),
            (None, number) => hash_of((self.conn, self.number, self.epoch, number)),
        }
    }
}

/// A FETCH response.
pub(super) struct Response {
    number: Option<u64>,
    uid: Option<u64>,
    /// Items that never change and that weigh something, with their octets.
    items: Vec<(Vec<u8>, u64)>,
    is_readable: bool,
}

impl Response {
    /// Of this event; `None` where it has no items.
    pub(super) fn new(said: &Said, name: &str, number: Option<u64>) -> Option<Self> {
        let arguments = said.arguments();
        let members = arguments.first()?.members();
        let mut response = Self {
            number,
            uid: number.filter(|_| name == "UIDFETCH"),
            items: Vec::new(),
            is_readable: false,
        };
        let (pairs, _) = members.as_chunks::<2>();
        for [item, value] in pairs {
            if item.is_word("UID") {
                response.uid = value.number().or(response.uid);
            }
            let item = item.bytes().unwrap_or_default().to_ascii_uppercase();
            let octets = octets(value);
            if is_content(&item) && octets > 0 {
                response.is_readable |= item != b"BODYSTRUCTURE" && item != b"BODY";
                response.items.push((item, octets));
            }
        }
        Some(response)
    }

    pub(super) fn has_content(&self) -> bool {
        !self.items.is_empty()
    }

    /// Whether there is something that a person reads.
    pub(super) fn is_readable(&self) -> bool {
        self.is_readable
    }
}

/// Whether this, upper case, never changes and weighs something.
fn is_content(item: &[u8]) -> bool {
    const WHOLE: [&[u8]; 7] = [
        b"BODY",
        b"BODYSTRUCTURE",
        b"ENVELOPE",
        b"PREVIEW",
        b"RFC822",
        b"RFC822.HEADER",
        b"RFC822.TEXT",
    ];
    WHOLE.contains(&item) || item.starts_with(b"BODY[") || item.starts_with(b"BINARY[")
}

/// Whether this, upper case, is the whole of a message.
fn is_whole(item: &[u8]) -> bool {
    item == b"BODY[]" || item == b"RFC822"
}

/// Whether it follows from the whole of a message; a preview is the server's own choice of words.
fn is_in_the_whole(item: &[u8]) -> bool {
    !is_whole(item) && item != b"PREVIEW"
}

impl Twice {
    fn one(&mut self, octets: u64) {
        self.items += 1;
        self.octets += octets;
    }

    pub(super) fn add(&mut self, more: Self) {
        self.items += more.items;
        self.octets += more.octets;
    }
}

fn octets(value: &Value<'_>) -> u64 {
    match value {
        Value::Streamed(octets) => *octets,
        Value::List(members) => members.iter().map(octets).sum(),
        value => value.bytes().map_or(0, |octets| octets.len() as u64),
    }
}

/// What was fetched in a run.
#[derive(Default)]
pub(super) struct Fetched {
    /// Items with the command that fetched them first.
    items: HashMap<u64, u64>,
    mailboxes: HashMap<u64, Mailbox>,
}

/// Full fetches of a mailbox's flags.
#[derive(Default)]
struct Mailbox {
    /// Something else of its messages was fetched, too.
    has_content: bool,
    /// The first of them; it is no waste where the app saw the mailbox for the first time.
    first: Option<(Waste, bool)>,
}

impl Fetched {
    /// Takes a response in; what of it was fetched before, by another command.
    pub(super) fn take(&mut self, selection: &Selection, response: &Response, n: u64) -> Again {
        let mut again = Again::default();
        let message = selection.message(response);
        let whole = hash_of((message, "WHOLE"));
        for (item, octets) in &response.items {
            let key = hash_of((message, item, octets));
            let has_whole = self.items.get(&whole).is_some_and(|first| *first != n);
            match self.items.get(&key) {
                Some(first) if *first != n => again.twice.one(*octets),
                Some(_) => {}
                None => {
                    if has_whole && is_in_the_whole(item) {
                        again.part.one(*octets);
                    }
                    self.keep(key, n);
                }
            }
            if is_whole(item) {
                self.keep(whole, n);
            }
        }
        if let Some(mailbox) = self.mailbox(selection) {
            mailbox.has_content = true;
        }
        again
    }

    /// The command that brings it first.
    fn keep(&mut self, key: u64, n: u64) {
        if self.items.len() < limits::STATS_FETCHED {
            self.items.entry(key).or_insert(n);
        }
    }

    fn mailbox(&mut self, selection: &Selection) -> Option<&mut Mailbox> {
        let key = selection.identity();
        match self.mailboxes.len() < limits::STATS_MAILBOXES {
            true => Some(self.mailboxes.entry(key).or_default()),
            false => self.mailboxes.get_mut(&key),
        }
    }

    /// Looks at an exchange that is over: whether it fetched all flags where only those that changed
    /// could have been asked for.
    pub(super) fn flags(
        &mut self,
        exchange: &Exchange,
        selection: Option<&Selection>,
        conn: u64,
        wanted: bool,
        wasted: &mut Wasted,
    ) {
        let Some(selection) = selection.filter(|selection| !selection.no_modseq) else {
            return;
        };
        let digest = &exchange.digest;
        let all = match (digest.messages, &*exchange.command.name) {
            (Some(Messages::First(last)), "FETCH") => {
                last == u64::MAX || selection.exists.is_some_and(|exists| last >= exists)
            }
            (Some(Messages::First(last)), "UID FETCH") => {
                let next = selection.uidnext;
                last == u64::MAX || next.is_some_and(|next| last.saturating_add(1) >= next)
            }
            _ => false,
        };
        let is_full = all && exchange.fetched > 0 && digest.only_flags && !digest.changed_since;
        if !is_full || !exchange.offers.condstore {
            return;
        }
        let mut item = Kind::FullFlagResync.at(conn, exchange.command.n);
        item.octets = exchange.bytes_server;
        let Some(mailbox) = self.mailbox(selection) else {
            return;
        };
        match &mailbox.first {
            None => mailbox.first = Some((item, wanted)),
            Some(_) if wanted => wasted.add(item),
            Some(_) => {}
        }
    }

    pub(super) fn end(self, wasted: &mut Wasted) {
        let mailboxes = self.mailboxes.into_values();
        let resynced = mailboxes.filter(|mailbox| !mailbox.has_content);
        for (item, wanted) in resynced.filter_map(|mailbox| mailbox.first) {
            if wanted {
                wasted.add(item);
            }
        }
    }
}
