//! What lint remembers besides the session: of a connection, and of an account over all its
//! connections.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::event::Peer;
use crate::limits;

/// Of one connection.
#[derive(Default)]
pub(super) struct Memory {
    tags: HashSet<u64>,
    /// Tags were forgotten.
    has_forgotten: bool,
    /// Commands that were not valid in the state that they came in.
    pub(super) wrong_state: HashSet<u64>,
    /// LOGOUT was sent.
    pub(super) left: bool,
    /// The server said BYE.
    pub(super) bye: bool,
    /// NOTIFY went through, so that the server may speak at any time (RFC 5465).
    pub(super) notified: bool,
    /// Who ended first.
    pub(super) ended: Option<Peer>,
    /// What was found in the last message, so that a note about it says nothing new.
    pub(super) last: Vec<&'static str>,
    /// A command came before the server had said anything.
    pub(super) hasty: bool,
    /// How far STARTTLS has come.
    pub(super) tls: Tls,
    /// Commands that came behind STARTTLS, before its OK.
    pub(super) cleartext: HashSet<u64>,
    /// The mailbox that each SELECT in flight leaves.
    pub(super) selecting: HashMap<u64, Arc<str>>,
    /// Messages whose text was told and that were unread, while nothing is told of their flags.
    pub(super) unseen: HashSet<u64>,
    /// A fault struck, or others may.
    pub(super) faulted: bool,
    /// mailscope said something in a peer's place.
    pub(super) meddled: bool,
    /// What is said from here on is of no messages.
    pub(super) is_opaque: bool,
    /// Continuation requests for literals since the last command.
    pub(super) go_aheads: usize,
}

/// How far STARTTLS has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tls {
    /// It was not agreed on.
    #[default]
    Off,
    /// The server said OK, and nothing came through TLS yet.
    Agreed,
    /// It is on.
    On,
}

impl Memory {
    /// Whether a tag is new.
    pub(super) fn is_new(&mut self, tag: &str) -> bool {
        if self.tags.len() == limits::TAGS {
            self.tags.clear();
            self.has_forgotten = true;
        }
        self.tags.insert(hash_of(tag))
    }

    /// Whether no command had this tag, which is not known once tags were forgotten.
    pub(super) fn never_had(&self, tag: &str) -> bool {
        !self.has_forgotten && !self.tags.contains(&hash_of(tag))
    }
}

fn hash_of(tag: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    tag.hash(&mut hasher);
    hasher.finish()
}

/// Of one account's mailboxes.
#[derive(Default)]
pub(super) struct Account {
    mailboxes: HashMap<Arc<str>, Past>,
    /// How many UIDs are remembered, those of all mailboxes together.
    uids: usize,
    /// Likewise, what was told of messages that never changes.
    statics: usize,
}

/// What was told of a mailbox before.
#[derive(Default)]
pub(super) struct Past {
    pub(super) uid_validity: Option<u64>,
    /// Told on the connection with this number.
    pub(super) conn: u64,
    pub(super) uid_next: Option<u64>,
    pub(super) highest_modseq: Option<u64>,
    /// UIDs of this UIDVALIDITY, and of another one before it.
    pub(super) uids: HashSet<u32>,
    pub(super) void: HashSet<u32>,
    /// What was told of messages that never changes: by UID and item, a hash.
    statics: HashMap<(u32, usize), u64>,
}

impl Account {
    /// Of the mailbox with this name; `None` where too many are remembered.
    pub(super) fn mailbox(&mut self, name: &Arc<str>) -> Option<&mut Past> {
        if self.mailboxes.len() >= limits::MAILBOXES && !self.mailboxes.contains_key(name) {
            return None;
        }
        Some(self.mailboxes.entry(name.clone()).or_default())
    }

    /// A message of this mailbox has this UID.
    pub(super) fn saw(&mut self, name: &Arc<str>, uid: u32) {
        let is_full = self.uids >= limits::UIDS;
        let Some(past) = self.mailbox(name) else {
            return;
        };
        past.void.remove(&uid);
        let is_new = !is_full && past.uids.insert(uid);
        self.uids += usize::from(is_new);
    }

    /// An item of a message that never changes was told; whether it was another one before.
    pub(super) fn changed(&mut self, name: &Arc<str>, item: (u32, usize), told: u64) -> bool {
        let is_full = self.statics >= limits::UIDS;
        let Some(past) = self.mailbox(name) else {
            return false;
        };
        match past.statics.get_mut(&item) {
            Some(before) => std::mem::replace(before, told) != told,
            None if is_full => false,
            None => {
                past.statics.insert(item, told);
                self.statics += 1;
                false
            }
        }
    }
}

impl Past {
    /// The UIDVALIDITY is another one now.
    pub(super) fn begin(&mut self, uid_validity: u64) {
        self.uid_validity = Some(uid_validity);
        self.uid_next = None;
        self.highest_modseq = None;
        self.void = std::mem::take(&mut self.uids);
        self.statics.clear();
    }

    /// What is told on a connection is compared with what the same connection was told: two at once
    /// need not be told the same at the same time.
    pub(super) fn on(&mut self, conn: u64) {
        if self.conn != conn {
            self.conn = conn;
            self.uid_next = None;
            self.highest_modseq = None;
        }
    }
}
